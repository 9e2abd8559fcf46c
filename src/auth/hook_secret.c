/* hook_secret.c: see hook.h: secrets kept in clear, and certificates. */
#include "auth/hook.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/limits.h"
#include "base/text.h"

/* ---- secrets ---- */

bool
hook_secret_live(const struct hook_secret *s, int64_t now)
{
	return s->expires == 0 || now < s->expires;
}

static bool
secret_parse(const struct json *j, struct hook_secret *ret)
{
	struct str kind = json_str_at(j, STR("kind"));
	unsigned k = 0;

	while (
	    k < HOOK_KINDS && !str_is(kind, hook_kind_text((enum hook_kind)k)))
		k++;
	ret->kind = (enum hook_kind)k;
	ret->text = json_str_at(j, STR("text"));
	return k < HOOK_KINDS && ret->text.n > 0 &&
	    uuid_parse(json_str_at(j, STR("id")), &ret->id) &&
	    json_i64(json_get(j, STR("created")), 0, INT64_MAX,
		&ret->created) &&
	    json_i64(json_get(j, STR("expires")), 0, INT64_MAX, &ret->expires);
}

err
hook_secrets_parse(struct arena *a, struct str text, struct hook_secrets *ret)
{
	static const struct json_limits limits = {
	    .depth = 2,
	    .members = 8,
	    .values = 1 + HOOK_SECRETS * 6,
	};
	struct hook_secrets s = {.n = 0};
	const struct json *j;

	if (text.n == 0) {
		ret->n = 0;
		return OK;
	}
	if (!err_ok(json_parse(a, text, &limits, NULL, &j)) ||
	    j->kind != JSON_ARRAY || j->count > HOOK_SECRETS)
		return err_of(E_CORRUPT);
	for (j = json_first(j); j != NULL; j = j->next)
		if (!secret_parse(j, &s.s[s.n++]))
			return err_of(E_CORRUPT);
	*ret = s;
	return OK;
}

void
hook_secrets_write(struct jw *w, const struct hook_secrets *s)
{
	char id[UUID_TEXT + 1];

	jw_arr(w);
	for (size_t i = 0; i < s->n; i++) {
		const struct hook_secret *k = &s->s[i];

		uuid_text(&k->id, id);
		jw_obj(w);
		jw_kstr(w, "id", str_of(id, UUID_TEXT));
		jw_kstr(w, "kind", str_c(hook_kind_text(k->kind)));
		jw_kstr(w, "text", k->text);
		jw_ki64(w, "created", k->created);
		jw_ki64(w, "expires", k->expires);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

struct str
hook_secret_make(struct arena *a, const struct hook_rule *r,
    const uint8_t bytes[32])
{
	struct str raw = str_of((const char *)bytes, 32);
	struct buf b;

	buf_init_on(&b, a, 64);
	if (r->kind == HOOK_HMAC && r->hmac.scheme == HOOK_STANDARD) {
		buf_c(&b, "whsec_");
		b64_add(&b, raw);
	} else {
		b64url_add(&b, raw);
	}
	return buf_view(&b);
}

bool
hook_secret_valid(struct arena *a, const struct hook_rule *r, struct str text)
{
	struct str raw;

	if (text.n < 16 || text.n > 512)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] > '~')
			return false;
	if (r->hmac.scheme != HOOK_STANDARD || !str_starts(text, STR("whsec_")))
		return true;
	return b64_decode(a, str_skip(text, 6), &raw) && raw.n >= 24 &&
	    raw.n <= 64;
}

/* ---- certificates ---- */

static int
no_password(char *buf, int size, int rw, void *arg)
{
	(void)buf;
	(void)size;
	(void)rw;
	(void)arg;
	return 0;
}

/* All certificates of a PEM text into a store; how many, -1 for a fault. */
static int
ca_load(struct str pem, X509_STORE *store)
{
	BIO *bio = pem.n > INT_MAX ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *cert;
	bool ok = bio != NULL;
	int n = 0;

	ERR_clear_error();
	while (ok &&
	    (cert = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
		ok = n++ < HOOK_PINS && X509_STORE_add_cert(store, cert) == 1;
		X509_free(cert);
	}
	/* anything but "no more PEM here" means it is broken */
	if (ok && n > 0 &&
	    ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		ok = false;
	ERR_clear_error();
	BIO_free(bio);
	return ok ? n : -1;
}

bool
hook_ca_valid(struct str pem)
{
	X509_STORE *store = X509_STORE_new();
	bool ok = store != NULL && ca_load(pem, store) > 0;

	X509_STORE_free(store);
	return ok;
}

static bool
name_is(const GENERAL_NAME *g, int type, struct str want)
{
	const ASN1_IA5STRING *s;

	if (g->type != type)
		return false;
	s = type == GEN_URI ? g->d.uniformResourceIdentifier : g->d.dNSName;
	return str_eq(want,
	    str_of((const char *)ASN1_STRING_get0_data(s),
		(size_t)ASN1_STRING_length(s)));
}

static bool
san_holds(X509 *cert, struct str san)
{
	int type = str_starts(san, STR("uri:")) ? GEN_URI : GEN_DNS;
	GENERAL_NAMES *names;
	bool found = false;

	if (san.n == 0)
		return true;
	names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++)
		found |= name_is(sk_GENERAL_NAME_value(names, i), type,
		    str_skip(san, 4));
	GENERAL_NAMES_free(names);
	return found;
}

static bool
chain_good(X509_STORE *store, X509 *cert, int64_t now)
{
	X509_STORE_CTX *x = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *p;
	bool ok = x != NULL && X509_STORE_CTX_init(x, store, cert, NULL) == 1;

	if (ok) {
		p = X509_STORE_CTX_get0_param(x);
		X509_VERIFY_PARAM_set_time(p, (time_t)(now / 1000));
		/* whom the integration names is trusted, root or not */
		ok = X509_VERIFY_PARAM_set_flags(p,
			 X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
		    X509_VERIFY_PARAM_set_purpose(p, X509_PURPOSE_SSL_CLIENT) ==
			1 &&
		    X509_verify_cert(x) == 1;
	}
	X509_STORE_CTX_free(x);
	return ok;
}

bool
hook_cert_issued(struct str ca_pem, struct str san, const struct hook_cert *c,
    int64_t now)
{
	const unsigned char *p = (const unsigned char *)c->der.p;
	X509_STORE *store = X509_STORE_new();
	X509 *cert = NULL;
	bool ok;

	if (c->der.n > 0 && c->der.n <= LIM_CLIENT_CERT)
		cert = d2i_X509(NULL, &p, (long)c->der.n);
	ok = store != NULL && cert != NULL && ca_load(ca_pem, store) > 0 &&
	    chain_good(store, cert, now) && san_holds(cert, san);
	X509_free(cert);
	X509_STORE_free(store);
	ERR_clear_error();
	return ok;
}
