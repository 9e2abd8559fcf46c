#include "auth/webauthn.h"

#include <openssl/evp.h>

#include "auth/cbor.h"
#include "auth/cose.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/text.h"

/* Authenticator data (WebAuthn 6.1): rpIdHash, flags, counter, and more. */
enum {
	HASH = 32,
	AAGUID = 16,
	AUTH_DATA_MAX =
	    HASH + 1 + 4 + AAGUID + 2 + LIM_CREDENTIAL_ID + 2 * LIM_CBOR,
	SIGNATURE_MAX = 512,
};
enum {
	FLAG_UP = 0x01,
	FLAG_UV = 0x04,
	FLAG_BE = 0x08,
	FLAG_BS = 0x10,
	FLAG_AT = 0x40,
	FLAG_ED = 0x80,
	FLAGS = FLAG_UP | FLAG_UV | FLAG_BE | FLAG_BS | FLAG_AT | FLAG_ED,
};

struct auth_data {
	uint8_t rp[HASH];
	uint8_t flags;
	uint32_t count;
	struct str id, cose; /* with FLAG_AT */
};

static const char *const reasons[] = {
    [WEBAUTHN_OK] = "ok",
    [WEBAUTHN_CLIENT_DATA] = "webauthn_client_data",
    [WEBAUTHN_TYPE] = "webauthn_type",
    [WEBAUTHN_CHALLENGE] = "webauthn_challenge",
    [WEBAUTHN_ORIGIN] = "webauthn_origin",
    [WEBAUTHN_CROSS_ORIGIN] = "webauthn_cross_origin",
    [WEBAUTHN_AUTH_DATA] = "webauthn_auth_data",
    [WEBAUTHN_RP] = "webauthn_rp",
    [WEBAUTHN_PRESENCE] = "webauthn_presence",
    [WEBAUTHN_VERIFICATION] = "webauthn_verification",
    [WEBAUTHN_BACKUP] = "webauthn_backup",
    [WEBAUTHN_ATTESTATION] = "webauthn_attestation",
    [WEBAUTHN_ALGORITHM] = "webauthn_algorithm",
    [WEBAUTHN_KEY] = "webauthn_key",
    [WEBAUTHN_CREDENTIAL] = "webauthn_credential",
    [WEBAUTHN_SIGNATURE] = "webauthn_signature",
    [WEBAUTHN_COUNTER] = "webauthn_counter",
};

const char *
webauthn_reason_text(enum webauthn_reason r)
{
	return r <= WEBAUTHN_COUNTER ? reasons[r] : "unknown";
}

static bool
sha256(struct str s, uint8_t ret[HASH])
{
	size_t n = 0;

	return EVP_Q_digest(NULL, "SHA256", NULL, s.p, s.n, ret, &n) == 1 &&
	    n == HASH;
}

/* ---- clientDataJSON (WebAuthn 5.8.1) ---- */

static bool
same_challenge(struct arena *a, const struct json *data,
    const struct webauthn_ask *ask)
{
	struct str got;

	return b64url_decode(a, json_str_at(data, STR("challenge")), &got) &&
	    got.n == sizeof ask->challenge &&
	    ct_eq(got.p, ask->challenge, got.n);
}

static enum webauthn_reason
client_data(struct arena *a, const struct webauthn_ask *ask, struct str text,
    const char *type)
{
	static const struct json_limits lim = {
	    .depth = 4,
	    .members = 32,
	    .values = 64,
	};
	const struct json *data, *cross;
	bool is = false;
	struct trail t = {""};

	if (text.n > LIM_CLIENT_DATA ||
	    !err_ok(json_parse(a, text, &lim, &t, &data)) ||
	    data->kind != JSON_OBJECT)
		return WEBAUTHN_CLIENT_DATA;
	if (!str_is(json_str_at(data, STR("type")), type))
		return WEBAUTHN_TYPE;
	if (!same_challenge(a, data, ask))
		return WEBAUTHN_CHALLENGE;
	if (!str_eq(json_str_at(data, STR("origin")), ask->origin))
		return WEBAUTHN_ORIGIN;
	cross = json_get(data, STR("crossOrigin"));
	if ((cross != NULL && (!json_bool(cross, &is) || is)) ||
	    json_get(data, STR("topOrigin")) != NULL)
		return WEBAUTHN_CROSS_ORIGIN;
	return WEBAUTHN_OK;
}

/* ---- authenticator data ---- */

/* Take a CBOR item; what it was made of. */
static bool
cbor_text(struct cur *in, struct str *ret)
{
	struct str from = str_of((const char *)in->p, in->n);
	struct cbor c;

	if (!err_ok(cbor_take(in, LIM_CBOR, &c)) || c.kind != CBOR_MAP)
		return false;
	*ret = str_head(from, from.n - in->n);
	return true;
}

static bool
auth_data_parse(struct str s, struct auth_data *ret)
{
	struct cur in = cur_of(s);
	struct str extensions;

	*ret = (struct auth_data){0};
	if (s.n > AUTH_DATA_MAX)
		return false;
	cur_bytes(&in, ret->rp, HASH);
	ret->flags = cur_u8(&in);
	ret->count = cur_be32(&in);
	if ((ret->flags & ~FLAGS) != 0)
		return false;
	if ((ret->flags & FLAG_AT) != 0) {
		(void)cur_view(&in, AAGUID);
		ret->id = cur_view(&in, cur_be16(&in));
		if (in.failed || ret->id.n == 0 ||
		    ret->id.n > LIM_CREDENTIAL_ID ||
		    !cbor_text(&in, &ret->cose))
			return false;
	}
	if ((ret->flags & FLAG_ED) != 0 && !cbor_text(&in, &extensions))
		return false;
	return cur_end(&in);
}

/* What both ceremonies ask of it. */
static enum webauthn_reason
auth_data_check(const struct webauthn_ask *ask, const struct auth_data *d)
{
	uint8_t rp[HASH];

	if (!sha256(ask->rp_id, rp) || !ct_eq(rp, d->rp, HASH))
		return WEBAUTHN_RP;
	if ((d->flags & FLAG_UP) == 0)
		return WEBAUTHN_PRESENCE;
	if (ask->verify && (d->flags & FLAG_UV) == 0)
		return WEBAUTHN_VERIFICATION;
	if ((d->flags & FLAG_BE) == 0 && (d->flags & FLAG_BS) != 0)
		return WEBAUTHN_BACKUP;
	return WEBAUTHN_OK;
}

/* ---- registration ---- */

/* The attestation object (WebAuthn 6.5): its statement is a map, no more is
 * asked of it; that of "none" is empty. */
static bool
attestation(struct str s, struct str *ret_auth_data)
{
	struct cur in = cur_of(s);
	struct cbor all, fmt, statement, data;

	if (!err_ok(cbor_take(&in, LIM_ATTESTATION, &all)) || !cur_end(&in) ||
	    !cbor_at_text(&all, STR("fmt"), &fmt) || fmt.kind != CBOR_TEXT ||
	    !cbor_at_text(&all, STR("attStmt"), &statement) ||
	    statement.kind != CBOR_MAP ||
	    !cbor_at_text(&all, STR("authData"), &data) ||
	    data.kind != CBOR_BYTES)
		return false;
	if (str_is(fmt.bytes, "none") && statement.n != 0)
		return false;
	*ret_auth_data = data.bytes;
	return true;
}

static enum webauthn_reason
registration(struct arena *a, const struct webauthn_ask *ask,
    const struct webauthn_made *m, struct auth_data *ret)
{
	enum webauthn_reason why =
	    client_data(a, ask, m->client_data, "webauthn.create");
	struct str data;
	struct cose_key k;

	if (why != WEBAUTHN_OK)
		return why;
	if (!attestation(m->attestation, &data))
		return WEBAUTHN_ATTESTATION;
	if (!auth_data_parse(data, ret) || (ret->flags & FLAG_AT) == 0)
		return WEBAUTHN_AUTH_DATA;
	why = auth_data_check(ask, ret);
	if (why != WEBAUTHN_OK)
		return why;
	if (!err_ok(cose_key_open(ret->cose, &why, &k)))
		return why;
	cose_key_close(&k);
	return WEBAUTHN_OK;
}

err
webauthn_register(struct arena *a, const struct webauthn_ask *ask,
    const struct webauthn_made *m, enum webauthn_reason *ret_why,
    struct webauthn_key *ret)
{
	struct auth_data d = {0};

	*ret_why = registration(a, ask, m, &d);
	if (*ret_why != WEBAUTHN_OK)
		return err_of(E_UNAUTHENTICATED);
	*ret = (struct webauthn_key){
	    .id = d.id,
	    .cose = d.cose,
	    .count = d.count,
	    .backup_eligible = (d.flags & FLAG_BE) != 0,
	    .backed_up = (d.flags & FLAG_BS) != 0,
	};
	return OK;
}

/* ---- assertion ---- */

/* What is signed: the authenticator data, the hash of the client's. */
static enum webauthn_reason
signature(struct arena *a, const struct webauthn_key *key,
    const struct webauthn_proof *p)
{
	enum webauthn_reason why;
	struct cose_key k;
	struct buf b;
	uint8_t hash[HASH];
	err e;

	buf_init_on(&b, a, AUTH_DATA_MAX + HASH);
	buf_str(&b, p->auth_data);
	if (!sha256(p->client_data, hash))
		return WEBAUTHN_SIGNATURE;
	buf_add(&b, hash, sizeof hash);
	if (b.failed || p->signature.n > SIGNATURE_MAX)
		return WEBAUTHN_SIGNATURE;
	if (!err_ok(cose_key_open(key->cose, &why, &k)))
		return why;
	e = cose_verify(&k, buf_view(&b), p->signature);
	cose_key_close(&k);
	return err_ok(e) ? WEBAUTHN_OK : WEBAUTHN_SIGNATURE;
}

static enum webauthn_reason
assertion(struct arena *a, const struct webauthn_ask *ask,
    const struct webauthn_key *key, struct str user,
    const struct webauthn_proof *p, struct auth_data *ret)
{
	enum webauthn_reason why;

	if (!str_eq(p->id, key->id) ||
	    (p->user.n > 0 && !str_eq(p->user, user)))
		return WEBAUTHN_CREDENTIAL;
	why = client_data(a, ask, p->client_data, "webauthn.get");
	if (why != WEBAUTHN_OK)
		return why;
	if (!auth_data_parse(p->auth_data, ret) || (ret->flags & FLAG_AT) != 0)
		return WEBAUTHN_AUTH_DATA;
	why = auth_data_check(ask, ret);
	if (why != WEBAUTHN_OK)
		return why;
	if (((ret->flags & FLAG_BE) != 0) != key->backup_eligible)
		return WEBAUTHN_BACKUP;
	why = signature(a, key, p);
	if (why != WEBAUTHN_OK)
		return why;
	if ((ret->count != 0 || key->count != 0) && ret->count <= key->count)
		return WEBAUTHN_COUNTER;
	return WEBAUTHN_OK;
}

err
webauthn_assert(struct arena *a, const struct webauthn_ask *ask,
    const struct webauthn_key *key, struct str user,
    const struct webauthn_proof *p, enum webauthn_reason *ret_why,
    struct webauthn_key *ret_key)
{
	struct auth_data d = {0};

	*ret_why = assertion(a, ask, key, user, p, &d);
	if (*ret_why != WEBAUTHN_OK)
		return err_of(E_UNAUTHENTICATED);
	*ret_key = *key;
	ret_key->count = d.count;
	ret_key->backed_up = (d.flags & FLAG_BS) != 0;
	return OK;
}
