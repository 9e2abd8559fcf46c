/* sso_txn.c: see sso_txn.h. */
#include "flow/sso_txn.h"

#include <stdio.h>

#include "auth/mac.h"
#include "auth/session.h"
#include "base/rand.h"
#include "base/secret.h"
#include "base/text.h"
#include "flow/browser.h"

enum { COOKIE_NAME = sizeof TXN_COOKIE - 1 + UUID_TEXT };

static void
name_of(const struct uuid *id, char ret[COOKIE_NAME + 1])
{
	memcpy(ret, TXN_COOKIE, sizeof TXN_COOKIE - 1);
	uuid_text(id, ret + (sizeof TXN_COOKIE - 1));
}

static void
random_text(char ret[TXN_RANDOM + 1])
{
	uint8_t bytes[32];
	struct buf b = {.p = ret, .cap = TXN_RANDOM, .max = TXN_RANDOM};

	rand_bytes(bytes, sizeof bytes);
	b64url_add(&b, str_of((const char *)bytes, sizeof bytes));
	ret[TXN_RANDOM] = '\0';
}

static struct seal_where
where_of(const struct uuid *id)
{
	struct seal_where w = {.table = SEAL_TABLE_LOGIN, .schema = 1};

	seal_where_id(&w, id);
	return w;
}

/* ---- beginning ---- */

static void
encode(struct buf *b, const struct txn *t)
{
	buf_add(b, t->idp.b, sizeof t->idp.b);
	buf_be64(b, (uint64_t)t->begun);
	buf_be64(b, (uint64_t)t->expires);
	buf_add(b, t->state, TXN_STATE);
	buf_add(b, t->nonce, TXN_RANDOM);
	buf_add(b, t->verifier, TXN_RANDOM);
	buf_char(b, t->fresh ? 1 : 0);
	buf_add(b, t->session.b, sizeof t->session.b);
	buf_str(b, t->next);
}

/* The id of a cookie's name; false: it is not one of these. */
static bool
id_of(struct str name, struct uuid *ret)
{
	static const struct str prefix = {TXN_COOKIE, sizeof TXN_COOKIE - 1};

	return str_starts(name, prefix) &&
	    uuid_parse(str_skip(name, prefix.n), ret);
}

/* So that a browser's cookies stay shorter than a request's head: the oldest
 * goes, and with it one login that somebody has left alone. */
static void
make_room(struct call *c)
{
	struct str all = http_header(c->req, STR("cookie")), one, name;
	char text[COOKIE_NAME + 1];
	struct uuid id, oldest = {{0}};
	size_t n = 0;

	while (all.n > 0) {
		(void)str_cut(all, ';', &one, &all);
		(void)str_cut(str_trim(one), '=', &name, &one);
		if (!id_of(name, &id))
			continue;
		if (n++ == 0 || memcmp(id.b, oldest.b, sizeof id.b) < 0)
			oldest = id;
	}
	if (n < TXN_BROWSER)
		return;
	name_of(&oldest, text);
	answer_cookie(c, text, STR("x"), COOKIE_NONE, -1);
}

/* The provider's POST will not bring the session's cookie, so the
 * transaction remembers it. */
static struct uuid
session_of(struct call *c)
{
	static const struct uuid none;
	const struct session *s;
	uint8_t key[DIGEST_SIZE];
	struct str value;
	size_t n;

	if (!cookie_find(http_header(c->req, STR("cookie")),
		STR(SESSION_COOKIE), &value, &n) ||
	    n != 1 || !session_key(value, key))
		return none;
	s = world_session_key(call_world(c), key);
	return s == NULL ? none : s->o.id;
}

err
txn_begin(struct call *c, const struct uuid *idp, struct str next, bool fresh,
    struct txn *ret)
{
	struct seal_where where;
	char name[COOKIE_NAME + 1];
	struct buf plain, value;
	struct sealed sealed;

	*ret = (struct txn){
	    .id = rand_uuid(c->now),
	    .idp = *idp,
	    .begun = c->now,
	    .expires = c->now + TXN_SECONDS * 1000,
	    .fresh = fresh,
	    .session = session_of(c),
	    .next = next,
	};
	uuid_text(&ret->id, ret->state);
	ret->state[UUID_TEXT] = '.';
	random_text(ret->state + UUID_TEXT + 1);
	random_text(ret->nonce);
	random_text(ret->verifier);
	buf_init_on(&plain, c->a, 2048);
	encode(&plain, ret);
	TRY(buf_check(&plain));
	where = where_of(&ret->id);
	TRY(lane_seal(c->lane, 0, SEAL_CLASS_REPLY, &where, buf_view(&plain),
	    c->a, &sealed));
	buf_init_on(&value, c->a, 4096);
	b64url_add(&value, sealed.bytes);
	TRY(buf_check(&value));
	make_room(c);
	name_of(&ret->id, name);
	answer_cookie(c, name, buf_view(&value), COOKIE_NONE, TXN_SECONDS);
	return OK;
}

/* ---- coming back ---- */

static bool
decode(struct str plain, struct txn *ret)
{
	struct cur cur = cur_of(plain);

	cur_bytes(&cur, ret->idp.b, sizeof ret->idp.b);
	ret->begun = (int64_t)cur_be64(&cur);
	ret->expires = (int64_t)cur_be64(&cur);
	cur_bytes(&cur, ret->state, TXN_STATE);
	cur_bytes(&cur, ret->nonce, TXN_RANDOM);
	cur_bytes(&cur, ret->verifier, TXN_RANDOM);
	ret->fresh = cur_u8(&cur) == 1;
	cur_bytes(&cur, ret->session.b, sizeof ret->session.b);
	ret->next = cur_view(&cur, cur.n);
	return cur_end(&cur);
}

static err
open_cookie(struct call *c, struct str value, struct txn *ret)
{
	struct seal_where where = where_of(&ret->id);
	struct str bytes, plain;

	if (!b64url_decode(c->a, value, &bytes))
		return err_of(E_CORRUPT);
	TRY(lane_open_sealed(c->lane, &where, (struct stored){bytes}, c->a,
	    &plain));
	return err_of(decode(plain, ret) ? E_OK : E_CORRUPT);
}

/* What a foreign cookie does to the keys is no error of ours. */
static bool
ours_failed(err e)
{
	return !err_is(e, E_CORRUPT) && !err_is(e, E_WRONG_KEY) &&
	    !err_is(e, E_NOT_FOUND);
}

bool
txn_is_state(struct str s)
{
	struct uuid u;

	return s.n == TXN_STATE && s.p[UUID_TEXT] == '.' &&
	    uuid_parse(str_head(s, UUID_TEXT), &u);
}

err
txn_take(struct call *c, const struct uuid *idp, struct str state,
    const char **ret_why, struct txn *ret)
{
	struct txn t = {0};
	char name[COOKIE_NAME + 1];
	struct str value;
	size_t n;
	err e;

	*ret_why = "txn.state";
	if (!txn_is_state(state) ||
	    !uuid_parse(str_head(state, UUID_TEXT), &t.id))
		return err_of(E_AUTH_FAILED);
	name_of(&t.id, name);
	*ret_why = "txn.cookie";
	if (!cookie_find(http_header(c->req, STR("cookie")), str_c(name),
		&value, &n) ||
	    n != 1)
		return err_of(E_TXN_COOKIE);
	*ret_why = "txn.forged";
	e = open_cookie(c, value, &t);
	if (!err_ok(e))
		return ours_failed(e) ? e : err_of(E_AUTH_FAILED);
	*ret_why = "txn.state";
	if (!ct_eq(t.state, state.p, TXN_STATE))
		return err_of(E_AUTH_FAILED);
	*ret_why = "txn.provider";
	if (!uuid_eq(&t.idp, idp))
		return err_of(E_AUTH_FAILED);
	*ret_why = "txn.expired";
	if (c->now >= t.expires)
		return err_of(E_TXN_EXPIRED);
	*ret_why = NULL;
	*ret = t;
	return OK;
}

void
txn_forget(struct call *c, const struct txn *t)
{
	char name[COOKIE_NAME + 1];

	name_of(&t->id, name);
	answer_cookie(c, name, STR("x"), COOKIE_NONE, -1);
}

err
txn_hash(const struct txn *t, uint8_t ret[SEEN_SIZE])
{
	struct str state = str_of(t->state, TXN_STATE);

	return mac_sha256(&state, 1, ret);
}
