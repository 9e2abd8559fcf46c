/* replay.c: see replay.h. */
#include "flow/replay.h"

#include "base/limits.h"

static struct str
key_header(struct call *c)
{
	if (c->req->method != HTTP_POST || c->route->auth != ROUTE_API)
		return STR_NONE;
	return http_header(c->req, STR("idempotency-key"));
}

static err
blinds(struct call *c, struct str key, uint8_t ret_key[BLIND_SIZE],
    uint8_t ret_body[BLIND_SIZE])
{
	struct buf b;

	if (key.n == 0 || key.n > LIM_IDEMPOTENCY_KEY)
		return call_bad(c, E_INVALID,
		    "Idempotency-Key must have 1 to %d bytes",
		    LIM_IDEMPOTENCY_KEY);
	buf_init_on(&b, c->a, LIM_TARGET + 1024);
	buf_add(&b, c->actor->id.b, sizeof c->actor->id.b);
	buf_str(&b, c->req->path);
	buf_char(&b, 0);
	buf_str(&b, key);
	TRY(buf_check(&b));
	TRY(lane_blind(c->lane, 0, "idempotency key", buf_view(&b), ret_key));
	return lane_blind(c->lane, 0, "idempotency body", c->req->body,
	    ret_body);
}

static struct seal_where
where_of(const uint8_t key[BLIND_SIZE])
{
	struct seal_where w = {.table = SEAL_TABLE_REPLY, .schema = 1};
	struct uuid u;

	memcpy(u.b, key, sizeof u.b);
	seal_where_id(&w, &u);
	return w;
}

static err
restore(struct call *c, const struct reply_row *row)
{
	struct seal_where w = where_of(row->key);
	struct str plain;
	struct cur cur;

	TRY(lane_open_sealed(c->lane, &w, row->stored, c->a, &plain));
	cur = cur_of(plain);
	c->etag = cur_view(&cur, cur_be16(&cur));
	c->location = cur_view(&cur, cur_be16(&cur));
	c->content_type = STR("application/json");
	buf_init_on(&c->out, c->a, LIM_REPLY);
	buf_str(&c->out, cur_view(&cur, cur.n));
	if (c->out.n == 0)
		c->content_type = STR("");
	c->status = row->status;
	return err_of(cur.failed ? E_CORRUPT : E_OK);
}

err
replay_find(struct call *c, bool *ret)
{
	uint8_t key[BLIND_SIZE], body[BLIND_SIZE];
	struct str header = key_header(c);
	struct reply_row row;
	err e;

	if (header.p == NULL)
		return OK;
	TRY(blinds(c, header, key, body));
	e = store_reply_get(c->lane->conn, key, c->a, &row);
	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	if (row.created + LIM_IDEMPOTENCY_MS < c->now)
		return OK;
	if (memcmp(row.body_hash, body, BLIND_SIZE) != 0)
		return err_of(E_IDEMPOTENCY);
	TRY(restore(c, &row));
	c->rec.reason = STR("replayed");
	*ret = true;
	return OK;
}

err
replay_keep(struct call *c)
{
	struct str header = key_header(c), out = buf_view(&c->out);
	struct reply_row row = {.created = c->now,
	    .status = (uint16_t)c->status};
	struct seal_where w;
	struct buf b;

	if (header.p == NULL)
		return OK;
	TRY(blinds(c, header, row.key, row.body_hash));
	w = where_of(row.key);
	buf_init_on(&b, c->a, LIM_REPLY + 1024);
	buf_be16(&b, (uint16_t)c->etag.n);
	buf_str(&b, c->etag);
	buf_be16(&b, (uint16_t)c->location.n);
	buf_str(&b, c->location);
	if (c->secret_to > c->secret_from) {
		buf_str(&b, str_head(out, c->secret_from));
		buf_c(&b, "null");
		buf_str(&b, str_skip(out, c->secret_to));
	} else {
		buf_str(&b, out);
	}
	TRY(buf_check(&b));
	TRY(lane_seal(c->lane, 0, SEAL_CLASS_REPLY, &w, buf_view(&b), c->a,
	    &row.sealed));
	return store_reply_put(c->lane->conn, &row);
}
