/*
 * WebAuthn: two bytes of length, client data, then an attestation object or
 * authenticator data.  The challenge is fixed, so a registration can be
 * good; what it gives makes a key, and no assertion without its private half
 * is.
 */
#include "auth/cose.h"
#include "auth/webauthn.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct webauthn_ask ask = {
    .rp_id = {"redoubt.example.org", 19},
    .origin = {"https://redoubt.example.org:8443", 32},
    .challenge = {9, 8, 7},
};

static void
registration(struct arena *a, struct str client, struct str object)
{
	struct webauthn_made m = {client, object};
	enum webauthn_reason why;
	struct webauthn_key k;
	struct cose_key c;

	if (!err_ok(webauthn_register(a, &ask, &m, &why, &k))) {
		BUG_ON(why == WEBAUTHN_OK);
		return;
	}
	BUG_ON(k.id.n == 0 || k.id.n > LIM_CREDENTIAL_ID);
	BUG_ON(k.cose.n > LIM_CBOR || (k.backed_up && !k.backup_eligible));
	BUG_ON(!err_ok(cose_key_open(k.cose, &why, &c)));
	cose_key_close(&c);
}

static void
assertion(struct arena *a, struct str client, struct str data)
{
	struct webauthn_key k = {.id = STR("id"), .cose = data}, after;
	struct webauthn_proof p = {.id = k.id,
	    .client_data = client,
	    .auth_data = data,
	    .signature = client};
	enum webauthn_reason why;

	BUG_ON(
	    err_ok(webauthn_assert(a, &ask, &k, STR("u"), &p, &why, &after)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str all = str_of((const char *)data, n), client;
	struct arena a;

	if (n < 2)
		return 0;
	client = str_head(str_skip(all, 2), (size_t)data[0] << 8 | data[1]);
	all = str_skip(all, 2 + client.n);
	arena_init(&a, 1 << 20);
	registration(&a, client, all);
	assertion(&a, client, all);
	arena_done(&a);
	return 0;
}
