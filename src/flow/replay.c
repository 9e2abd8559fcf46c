/* replay.c: see replay.h. */
#include "flow/replay.h"

#include "base/limits.h"

/* What names a request that has one effect: blind, so that the store learns
 * nothing; `body` tells another request of that name. */
struct name {
	uint8_t key[BLIND_SIZE], body[BLIND_SIZE];
};

static err
name_api(struct call *c, struct str key, struct name *ret)
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
	TRY(lane_blind(c->lane, 0, "idempotency key", buf_view(&b), ret->key));
	return lane_blind(c->lane, 0, "idempotency body", c->req->body,
	    ret->body);
}

/* A delivery is the same whichever address of the integration it came to. */
static err
name_hook(struct call *c, struct name *ret)
{
	const struct hook_proof *p = &c->hook;
	char text[16 + sizeof p->key];

	memcpy(text, c->actor->id.b, 16);
	memcpy(text + 16, p->key, sizeof p->key);
	TRY(lane_blind(c->lane, 0, "delivery key", str_of(text, sizeof text),
	    ret->key));
	memcpy(text + 16, p->exact, sizeof p->exact);
	return lane_blind(c->lane, 0, "delivery bytes",
	    str_of(text, sizeof text), ret->body);
}

/* *ret false: the request asks for nothing of the kind. */
static err
name_of(struct call *c, bool *ret, struct name *ret_name)
{
	struct str header = STR_NONE;

	*ret = false;
	if (c->route->auth == ROUTE_INGEST) {
		*ret = c->hook.once;
		return *ret ? name_hook(c, ret_name) : OK;
	}
	if (c->req->method == HTTP_POST && c->route->auth == ROUTE_API)
		header = http_header(c->req, STR("idempotency-key"));
	*ret = header.p != NULL;
	return *ret ? name_api(c, header, ret_name) : OK;
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

/*
 * A sender's retry gets the receipt it missed.  The very bytes of a scheme
 * with a signed time are no retry: that would be signed anew.
 */
static err
deliver_again(struct call *c, const struct reply_row *row, bool same)
{
	struct str out;

	if (same && c->hook.timed) {
		c->hook.why = HOOK_WHY_REPLAY;
		c->rec.action = AUDIT_AUTH_FAILED;
		c->rec.outcome = AUDIT_DENIED;
		c->rec.reason = str_c(hook_reason_text(c->hook.why));
		call_touch(c, "integration", &c->actor->id);
		return err_of(E_UNAUTHENTICATED);
	}
	TRY(restore(c, row));
	out = buf_view(&c->out);
	if (out.n < 2 || out.p[out.n - 1] != '}')
		return err_of(E_CORRUPT);
	c->out.n--;
	buf_c(&c->out, ",\"duplicate\":true}");
	c->rec.reason = STR("duplicate");
	return buf_check(&c->out);
}

err
replay_find(struct call *c, bool *ret)
{
	struct reply_row row;
	struct name name;
	bool asked, same;
	err e;

	TRY(name_of(c, &asked, &name));
	if (!asked)
		return OK;
	e = store_reply_get(c->lane->conn, name.key, c->a, &row);
	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	if (row.created + LIM_IDEMPOTENCY_MS < c->now)
		return OK;
	same = memcmp(row.body_hash, name.body, BLIND_SIZE) == 0;
	*ret = true;
	if (c->route->auth == ROUTE_INGEST)
		return deliver_again(c, &row, same);
	if (!same)
		return err_of(E_IDEMPOTENCY);
	TRY(restore(c, &row));
	c->rec.reason = STR("replayed");
	return OK;
}

err
replay_keep(struct call *c)
{
	struct reply_row row = {.created = c->now,
	    .status = (uint16_t)c->status};
	struct str out = buf_view(&c->out);
	struct seal_where w;
	struct name name;
	struct buf b;
	bool asked;

	TRY(name_of(c, &asked, &name));
	/* what could not be mapped may come again when it can */
	if (!asked || (c->route->auth == ROUTE_INGEST && c->status >= 400))
		return OK;
	memcpy(row.key, name.key, BLIND_SIZE);
	memcpy(row.body_hash, name.body, BLIND_SIZE);
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
