#include "auth/credential.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

enum { DATA_MAX = 8192 };

const char *
credential_kind_text(enum credential_kind k)
{
	switch (k) {
	case CREDENTIAL_PASSWORD:
		return "password";
	case CREDENTIAL_TOTP:
		return "totp";
	case CREDENTIAL_WEBAUTHN:
		return "webauthn";
	case CREDENTIAL_RECOVERY:
		return "recovery";
	}
	return "unknown";
}

/* ---- writing ---- */

static void
begin(struct arena *a, struct buf *b, struct jw *w)
{
	buf_init_on(b, a, DATA_MAX);
	jw_init(w, b);
	jw_obj(w);
}

static struct str
end(struct buf *b, struct jw *w)
{
	jw_obj_end(w);
	return b->failed ? STR_NONE : buf_view(b);
}

static void
bytes(struct arena *a, struct jw *w, const char *name, struct str s)
{
	struct buf b;

	buf_init_on(&b, a, DATA_MAX);
	b64url_add(&b, s);
	jw_name(w, str_c(name));
	jw_str(w, s.n == 0 ? STR("") : buf_view(&b));
}

struct str
cred_password_data(struct arena *a, const struct cred_password *p)
{
	struct buf b;
	struct jw w;

	begin(a, &b, &w);
	jw_ki64(&w, "key", p->key);
	jw_kstr(&w, "phc", p->phc);
	return end(&b, &w);
}

struct str
cred_totp_data(struct arena *a, const struct cred_totp *t)
{
	struct buf b;
	struct jw w;

	begin(a, &b, &w);
	bytes(a, &w, "seed", str_of((const char *)t->seed, TOTP_SEED));
	jw_ki64(&w, "last", (int64_t)t->last);
	jw_kbool(&w, "confirmed", t->confirmed);
	return end(&b, &w);
}

struct str
cred_webauthn_data(struct arena *a, const struct webauthn_key *k)
{
	struct buf b;
	struct jw w;

	begin(a, &b, &w);
	bytes(a, &w, "id", k->id);
	bytes(a, &w, "cose", k->cose);
	jw_ki64(&w, "count", k->count);
	jw_kbool(&w, "backup_eligible", k->backup_eligible);
	jw_kbool(&w, "backed_up", k->backed_up);
	return end(&b, &w);
}

struct str
cred_recovery_data(struct arena *a, const struct cred_recovery *r)
{
	struct buf b;
	struct jw w;

	begin(a, &b, &w);
	jw_ki64(&w, "key", r->key);
	bytes(a, &w, "hashes",
	    str_of((const char *)r->hash[0], r->n * RECOVERY_HASH));
	return end(&b, &w);
}

/* ---- reading ---- */

static err
open_data(struct arena *a, const struct credential *c,
    enum credential_kind kind, const struct json **ret)
{
	static const struct json_limits lim = {
	    .depth = 1,
	    .members = 16,
	    .values = 17,
	};
	struct trail t = {""};

	if (c->kind != kind || c->data.n > DATA_MAX ||
	    !err_ok(json_parse(a, c->data, &lim, &t, ret)) ||
	    (*ret)->kind != JSON_OBJECT)
		return err_of(E_CORRUPT);
	return OK;
}

static bool
bytes_of(struct arena *a, const struct json *j, struct str name,
    struct str *ret)
{
	struct str text;

	return json_str(json_get(j, name), &text) &&
	    b64url_decode(a, text, ret);
}

static bool
key_of(const struct json *j, uint32_t *ret)
{
	int64_t v;

	if (!json_i64(json_get(j, STR("key")), 1, UINT32_MAX, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

err
cred_password_of(struct arena *a, const struct credential *c,
    struct cred_password *ret)
{
	const struct json *j;
	struct cred_password p;

	TRY(open_data(a, c, CREDENTIAL_PASSWORD, &j));
	p.phc = arena_dup(a, json_str_at(j, STR("phc")));
	if (!key_of(j, &p.key) || p.phc.n == 0)
		return err_of(E_CORRUPT);
	*ret = p;
	return OK;
}

err
cred_totp_of(struct arena *a, const struct credential *c, struct cred_totp *ret)
{
	const struct json *j;
	struct cred_totp t;
	struct str seed;
	int64_t last;

	TRY(open_data(a, c, CREDENTIAL_TOTP, &j));
	if (!bytes_of(a, j, STR("seed"), &seed) || seed.n != TOTP_SEED ||
	    !json_i64(json_get(j, STR("last")), 0, INT64_MAX, &last) ||
	    !json_bool(json_get(j, STR("confirmed")), &t.confirmed))
		return err_of(E_CORRUPT);
	memcpy(t.seed, seed.p, TOTP_SEED);
	t.last = (uint64_t)last;
	*ret = t;
	return OK;
}

err
cred_webauthn_of(struct arena *a, const struct credential *c,
    struct webauthn_key *ret)
{
	struct webauthn_key k;
	const struct json *j;
	int64_t count;

	TRY(open_data(a, c, CREDENTIAL_WEBAUTHN, &j));
	if (!bytes_of(a, j, STR("id"), &k.id) || k.id.n == 0 ||
	    k.id.n > LIM_CREDENTIAL_ID ||
	    !bytes_of(a, j, STR("cose"), &k.cose) || k.cose.n > LIM_CBOR ||
	    !json_i64(json_get(j, STR("count")), 0, UINT32_MAX, &count) ||
	    !json_bool(json_get(j, STR("backup_eligible")),
		&k.backup_eligible) ||
	    !json_bool(json_get(j, STR("backed_up")), &k.backed_up))
		return err_of(E_CORRUPT);
	k.count = (uint32_t)count;
	*ret = k;
	return OK;
}

err
cred_recovery_of(struct arena *a, const struct credential *c,
    struct cred_recovery *ret)
{
	struct cred_recovery r = {0};
	const struct json *j;
	struct str all;

	TRY(open_data(a, c, CREDENTIAL_RECOVERY, &j));
	if (!key_of(j, &r.key) || !bytes_of(a, j, STR("hashes"), &all) ||
	    all.n % RECOVERY_HASH != 0 || all.n > sizeof r.hash)
		return err_of(E_CORRUPT);
	r.n = all.n / RECOVERY_HASH;
	if (all.n > 0)
		memcpy(r.hash, all.p, all.n);
	*ret = r;
	return OK;
}
