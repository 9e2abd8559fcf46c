/*
 * saml_redirect.c: messages in an address (SAML bindings 3.4.4.1): DEFLATE,
 * base64, and a signature over the parameters as they stand in the query.
 */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <zlib.h>

#include "auth/ecdsa.h"
#include "auth/saml_inner.h"
#include "auth/saml_meta.h"
#include "base/text.h"
#include "base/time.h"

enum { RAW = -15, MESSAGE_MAX = 8192, RELAY_MAX = 80, ID_MAX = 256 };

/* ---- out ---- */

static err
deflated(struct arena *a, struct str in, struct str *ret)
{
	z_stream z = {0};
	size_t cap = in.n + in.n / 8 + 64;
	unsigned char *out = arena_raw(a, cap);
	int rc;

	if (out == NULL)
		return err_of(E_NO_MEMORY);
	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, RAW, 8,
		Z_DEFAULT_STRATEGY) != Z_OK)
		return err_of(E_NO_MEMORY);
	z.next_in = (unsigned char *)(uintptr_t)in.p;
	z.avail_in = (unsigned)in.n;
	z.next_out = out;
	z.avail_out = (unsigned)cap;
	rc = deflate(&z, Z_FINISH);
	*ret = str_of((const char *)out, cap - z.avail_out);
	(void)deflateEnd(&z);
	return err_of(rc == Z_STREAM_END ? E_OK : E_CRYPTO);
}

static void
param(struct buf *b, const char *name, struct str value)
{
	if (b->n > 0)
		buf_c(b, "&");
	buf_c(b, name);
	buf_c(b, "=");
	url_encode(b, value);
}

static EVP_PKEY *
key_of(const struct saml_self *self)
{
	const unsigned char *p = (const unsigned char *)self->key.p;
	EVP_PKEY *k = d2i_AutoPrivateKey(NULL, &p, (long)self->key.n);

	ERR_clear_error();
	return k;
}

static err
sign(struct arena *a, EVP_PKEY *key, struct str text, struct str *ret)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = (size_t)EVP_PKEY_get_size(key); /* covers 2 * half */
	size_t half = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
	unsigned char *out = arena_raw(a, n);
	bool ok = ctx != NULL && out != NULL &&
	    EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) ==
		1 &&
	    EVP_DigestSign(ctx, out, &n, (const unsigned char *)text.p,
		text.n) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	if (ok && EVP_PKEY_is_a(key, "EC")) {
		ok = ecdsa_from_der(str_of((const char *)out, n), half, out);
		n = 2 * half;
	}
	*ret = str_of((const char *)out, n);
	return err_of(ok ? E_OK : E_CRYPTO);
}

/* to, its own query or not, then the signed parameters. */
static err
redirect(struct arena *a, const struct saml_self *self, struct str to,
    const char *name, struct str xml, struct str relay, struct str *ret)
{
	EVP_PKEY *key = key_of(self);
	struct str packed, value = STR_NONE;
	struct buf q, b64, url;
	err e;

	if (key == NULL)
		return err_of(E_CRYPTO);
	buf_init_on(&q, a, SAML_QUERY_MAX);
	buf_init_on(&b64, a, SAML_QUERY_MAX);
	e = deflated(a, xml, &packed);
	if (err_ok(e)) {
		b64_add(&b64, packed);
		param(&q, name, buf_view(&b64));
		if (relay.n > 0)
			param(&q, "RelayState", relay);
		param(&q, "SigAlg",
		    EVP_PKEY_is_a(key, "EC")
			? STR("http://www.w3.org/2001/04/xmldsig-more#"
			      "ecdsa-sha256")
			: STR("http://www.w3.org/2001/04/xmldsig-more#"
			      "rsa-sha256"));
		e = sign(a, key, buf_view(&q), &value);
	}
	EVP_PKEY_free(key);
	TRY(e);
	buf_init_on(&b64, a, 4096);
	b64_add(&b64, value);
	param(&q, "Signature", buf_view(&b64));
	buf_init_on(&url, a, SAML_QUERY_MAX + SAML_URL_MAX);
	buf_str(&url, to);
	buf_c(&url, memchr(to.p, '?', to.n) == NULL ? "?" : "&");
	buf_str(&url, buf_view(&q));
	TRY(buf_check(&b64));
	TRY(buf_check(&q));
	TRY(buf_check(&url));
	*ret = buf_view(&url);
	return OK;
}

/* <samlp:NAME ID Version IssueInstant Destination ...><Issuer>, open. */
static void
begin(struct buf *b, const char *name, struct str id, struct str to,
    int64_t now)
{
	char at[TIME_TEXT + 1];

	time_text(now, at);
	buf_c(b, "<samlp:");
	buf_c(b, name);
	buf_c(b, " xmlns:samlp=\"" NS_P "\" xmlns:saml=\"" NS_A "\" ID=\"");
	html_add(b, id);
	buf_c(b, "\" Version=\"2.0\" IssueInstant=\"");
	buf_c(b, at);
	buf_c(b, "\" Destination=\"");
	html_add(b, to);
	buf_c(b, "\"");
}

static void
issuer(struct buf *b, const struct saml_self *self)
{
	buf_c(b, "><saml:Issuer>");
	html_add(b, self->entity);
	buf_c(b, "</saml:Issuer>");
}

err
saml_login_url(struct arena *a, const struct saml_self *self,
    struct str sso_url, struct str request_id, struct str relay, bool force,
    int64_t now, struct str *ret)
{
	struct buf b;

	if (relay.n > RELAY_MAX)
		return err_of(E_INVALID);
	buf_init_on(&b, a, MESSAGE_MAX);
	begin(&b, "AuthnRequest", request_id, sso_url, now);
	if (force)
		buf_c(&b, " ForceAuthn=\"true\"");
	buf_c(&b,
	    " ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:"
	    "HTTP-POST\" AssertionConsumerServiceURL=\"");
	html_add(&b, self->acs);
	buf_c(&b, "\"");
	issuer(&b, self);
	buf_c(&b, "</samlp:AuthnRequest>");
	TRY(buf_check(&b));
	return redirect(a, self, sso_url, "SAMLRequest", buf_view(&b), relay,
	    ret);
}

err
saml_logout_url(struct arena *a, const struct saml_self *self,
    struct str slo_url, struct str response_id, struct str in_response_to,
    struct str relay, int64_t now, struct str *ret)
{
	struct buf b;

	if (relay.n > RELAY_MAX)
		relay = STR(""); /* longer than SAML lets it be */
	buf_init_on(&b, a, MESSAGE_MAX);
	begin(&b, "LogoutResponse", response_id, slo_url, now);
	buf_c(&b, " InResponseTo=\"");
	html_add(&b, in_response_to);
	buf_c(&b, "\"");
	issuer(&b, self);
	buf_c(&b,
	    "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:"
	    "SAML:2.0:status:Success\"/></samlp:Status>"
	    "</samlp:LogoutResponse>");
	TRY(buf_check(&b));
	return redirect(a, self, slo_url, "SAMLResponse", buf_view(&b), relay,
	    ret);
}

/* ---- in ---- */

/* The whole, or false: a bomb ends at SAML_XML_MAX. */
static bool
inflated(struct arena *a, struct str in, struct str *ret)
{
	z_stream z = {0};
	unsigned char *out = arena_raw(a, SAML_XML_MAX + 1);
	int rc;

	if (out == NULL || inflateInit2(&z, RAW) != Z_OK)
		return false;
	z.next_in = (unsigned char *)(uintptr_t)in.p;
	z.avail_in = (unsigned)in.n;
	z.next_out = out;
	z.avail_out = SAML_XML_MAX + 1;
	rc = inflate(&z, Z_FINISH);
	*ret = str_of((const char *)out, SAML_XML_MAX + 1 - z.avail_out);
	rc = rc == Z_STREAM_END && z.avail_in == 0 ? Z_OK : Z_DATA_ERROR;
	(void)inflateEnd(&z);
	return rc == Z_OK && ret->n <= SAML_XML_MAX;
}

struct params {
	struct str request, relay, alg, signature; /* as sent */
};

/* Each at most once, and no others: what is signed is put together from
 * these, so nothing may be left to interpretation. */
static bool
split(struct str query, struct params *p)
{
	struct str pair, name, value;

	if (query.n > SAML_QUERY_MAX)
		return false;
	while (query.n > 0) {
		struct str *to = NULL;

		(void)str_cut(query, '&', &pair, &query);
		(void)str_cut(pair, '=', &name, &value);
		if (str_is(name, "SAMLRequest"))
			to = &p->request;
		else if (str_is(name, "RelayState"))
			to = &p->relay;
		else if (str_is(name, "SigAlg"))
			to = &p->alg;
		else if (str_is(name, "Signature"))
			to = &p->signature;
		if (to == NULL || to->p != NULL || value.p == NULL)
			return false;
		*to = value;
	}
	return p->request.p != NULL && p->alg.p != NULL &&
	    p->signature.p != NULL;
}

static void
raw_param(struct buf *b, const char *name, struct str raw)
{
	if (raw.p == NULL)
		return;
	if (b->n > 0)
		buf_c(b, "&");
	buf_c(b, name);
	buf_c(b, "=");
	buf_str(b, raw);
}

static bool
query_signed(struct verify *v, const struct params *p)
{
	struct str alg, sig, value;
	struct buf text;

	buf_init_on(&text, v->a, SAML_QUERY_MAX);
	raw_param(&text, "SAMLRequest", p->request);
	raw_param(&text, "RelayState", p->relay);
	raw_param(&text, "SigAlg", p->alg);
	if (!err_ok(buf_check(&text)) ||
	    !err_ok(url_decode(v->a, p->alg, &alg)) ||
	    !err_ok(url_decode(v->a, p->signature, &sig)) ||
	    !saml_b64(v->a, sig, &value))
		return saml_no(v, SAML_ENCODING);
	return sig_text(v, alg, buf_view(&text), value);
}

/* What a LogoutRequest says, once it is known to be the provider's. */
static bool
logout_read(struct verify *v, const xmlNode *root, struct str slo,
    struct saml_logout *out)
{
	const xmlNode *name = xml_child(root, NS_A, "NameID", NULL);
	struct str from, to = xml_attr(root, "Destination");
	struct str until = xml_attr(root, "NotOnOrAfter");
	int64_t issued, over = v->now + SAML_ISSUE_MS;

	CHECK(v, logout_root, xml_is(root, NS_P, "LogoutRequest"), SAML_SHAPE);
	CHECK(v, logout_version, str_is(xml_attr(root, "Version"), "2.0"),
	    SAML_VERSION);
	CHECK(v, logout_to, str_eq(to, slo), SAML_DESTINATION);
	if (!claims_time(xml_attr(root, "IssueInstant"), &issued))
		return saml_no(v, SAML_ISSUED);
	CHECK(v, logout_future, issued <= v->now + SAML_SKEW_MS, SAML_ISSUED);
	CHECK(v, logout_old, v->now - issued <= SAML_ISSUE_MS, SAML_ISSUED);
	if (until.p != NULL && !claims_time(until, &over))
		return saml_no(v, SAML_EXPIRED);
	CHECK(v, logout_over, v->now < over + SAML_SKEW_MS, SAML_EXPIRED);
	if (!xml_text(xml_child(root, NS_A, "Issuer", NULL), &from))
		return saml_no(v, SAML_ISSUER);
	CHECK(v, logout_issuer, str_eq(from, v->p->entity), SAML_ISSUER);
	out->id = arena_dup(v->a, xml_attr(root, "ID"));
	CHECK(v, logout_id, out->id.n > 0 && out->id.n <= ID_MAX, SAML_SHAPE);
	if (!xml_text(name, &out->name_id))
		return saml_no(v, SAML_SUBJECT);
	CHECK(v, logout_name, out->name_id.n <= SAML_NAME_ID_MAX, SAML_SUBJECT);
	out->name_id = arena_dup(v->a, out->name_id);
	for (const xmlNode *c = xml_first(root); c != NULL; c = xml_next(c)) {
		struct str s;

		if (!xml_is(c, NS_P, "SessionIndex"))
			continue;
		if (!xml_text(c, &s) || out->sessions_n == SAML_SESSIONS)
			return saml_no(v, SAML_SHAPE);
		out->session[out->sessions_n++] = arena_dup(v->a, s);
	}
	out->until = issued + SAML_ISSUE_MS + 2 * SAML_SKEW_MS;
	return err_ok(arena_check(v->a)) || saml_no(v, SAML_MEMORY);
}

static bool
logout_bytes(struct verify *v, struct str xml, struct str slo,
    struct saml_logout *ret)
{
	xmlDocPtr doc;
	bool ok;

	if (!xml_lexical(v, xml) || (doc = xml_open(v, xml)) == NULL)
		return false;
	ok = logout_read(v, xmlDocGetRootElement(doc), slo, ret);
	xmlFreeDoc(doc);
	return ok;
}

enum saml_reason
saml_logout_query(struct arena *a, const struct saml_provider *p,
    struct str slo, struct str query, int64_t now, struct saml_logout *ret,
    struct str *ret_relay)
{
	struct verify v = {.a = a, .p = p, .now = now};
	struct saml_logout out = {0};
	struct params q = {0};
	struct str text, packed, xml;

	*ret_relay = STR("");
	if (!split(query, &q))
		return SAML_ENCODING;
	if (!query_signed(&v, &q))
		return v.why;
	if (!err_ok(url_decode(a, q.request, &text)) ||
	    !saml_b64(a, text, &packed) || !inflated(a, packed, &xml) ||
	    (q.relay.p != NULL && !err_ok(url_decode(a, q.relay, ret_relay))))
		return SAML_ENCODING;
	if (!logout_bytes(&v, xml, slo, &out))
		return v.why;
	*ret = out;
	return SAML_OK;
}

enum saml_reason
saml_logout_document(struct arena *a, const struct saml_provider *p,
    struct str slo, struct str xml, int64_t now, struct saml_logout *ret)
{
	struct verify v = {.a = a, .p = p, .now = now};
	struct saml_logout out = {0};
	struct str body = STR_NONE;
	xmlNodePtr root, sig;
	xmlDocPtr doc;
	bool ok;

	if (!xml_lexical(&v, xml) || (doc = xml_open(&v, xml)) == NULL)
		return v.why;
	root = xmlDocGetRootElement(doc);
	sig = xml_child(root, NS_DS, "Signature", NULL);
	ok = sig != NULL && xml_count(doc, "Signature") == 1
	    ? sig_verify(&v, root, sig, &body)
	    : saml_no(&v, SAML_UNSIGNED);
	xmlFreeDoc(doc);
	if (!ok || !logout_bytes(&v, body, slo, &out))
		return v.why;
	*ret = out;
	return SAML_OK;
}
