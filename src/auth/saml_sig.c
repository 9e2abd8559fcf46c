/*
 * saml_sig.c: XML signatures (XML-DSig 1.1), of which SAML needs little: one
 * reference, to the parent, two transforms, keys from the metadata.  KeyInfo
 * is never looked into.
 */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "auth/ecdsa.h"
#include "auth/saml_inner.h"
#include "base/text.h"

enum { RSA_BITS = 2048, RSA_BITS_MAX = 8192 };

enum kind { KIND_RSA, KIND_EC };

struct method {
	const char *uri;
	enum kind kind;
	const char *md;
};

static const struct method methods[] = {
    {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", KIND_RSA, "SHA256"},
    {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", KIND_RSA, "SHA384"},
    {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", KIND_RSA, "SHA512"},
    {"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", KIND_EC, "SHA256"},
    {"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", KIND_EC, "SHA384"},
    {"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", KIND_EC, "SHA512"},
    {"http://www.w3.org/2000/09/xmldsig#rsa-sha1", KIND_RSA, "SHA1"},
};

static const struct {
	const char *uri, *md;
} digests[] = {
    {"http://www.w3.org/2001/04/xmlenc#sha256", "SHA256"},
    {"http://www.w3.org/2001/04/xmldsig-more#sha384", "SHA384"},
    {"http://www.w3.org/2001/04/xmlenc#sha512", "SHA512"},
    {"http://www.w3.org/2000/09/xmldsig#sha1", "SHA1"},
};

/* SHA-1 only for a provider that was given time to change. */
static bool
md_taken(const struct verify *v, const char *md)
{
	return strcmp(md, "SHA1") != 0 || v->now < v->p->sha1_until;
}

/* ---- keys ---- */

static EVP_PKEY *
key_open(struct str der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *key = NULL;
	X509 *x;

	if (der.n > INT32_MAX)
		return NULL;
	x = d2i_X509(NULL, &p, (long)der.n);
	if (x != NULL) {
		key = X509_get_pubkey(x);
		X509_free(x);
	} else {
		p = (const unsigned char *)der.p;
		key = d2i_PUBKEY(NULL, &p, (long)der.n);
	}
	ERR_clear_error();
	return key;
}

static bool
key_fits(const EVP_PKEY *key, enum kind kind)
{
	static const char *const curves[] = {"prime256v1", "secp384r1",
	    "secp521r1"};
	char curve[64] = {0};
	size_t n;

	if (kind == KIND_RSA)
		return EVP_PKEY_is_a(key, "RSA") &&
		    EVP_PKEY_get_bits(key) >= RSA_BITS &&
		    EVP_PKEY_get_bits(key) <= RSA_BITS_MAX;
	if (!EVP_PKEY_is_a(key, "EC") ||
	    EVP_PKEY_get_group_name(key, curve, sizeof curve, &n) != 1)
		return false;
	for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
		if (strcmp(curve, curves[i]) == 0)
			return true;
	return false;
}

bool
sig_key(struct str der)
{
	EVP_PKEY *key = key_open(der);
	bool ok =
	    key != NULL && (key_fits(key, KIND_RSA) || key_fits(key, KIND_EC));

	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok;
}

static bool
key_verifies(EVP_PKEY *key, const struct method *m, struct str text,
    struct str value)
{
	unsigned char der[ECDSA_DER];
	const unsigned char *sig = (const unsigned char *)value.p;
	size_t sig_n = value.n;
	EVP_MD_CTX *ctx;
	bool ok;

	if (m->kind == KIND_EC) {
		sig_n = ecdsa_to_der(value,
		    ((size_t)EVP_PKEY_get_bits(key) + 7) / 8, der);
		sig = der;
	} else if (value.n != (size_t)EVP_PKEY_get_size(key)) {
		sig_n = 0;
	}
	ctx = sig_n == 0 ? NULL : EVP_MD_CTX_new();
	ok = ctx != NULL &&
	    EVP_DigestVerifyInit_ex(ctx, NULL, m->md, NULL, NULL, key, NULL) ==
		1 &&
	    EVP_DigestVerify(ctx, sig, sig_n, (const unsigned char *)text.p,
		text.n) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

/* Any live key of the provider; never one that the document brings. */
static bool
value_verify(struct verify *v, const struct method *m, struct str text,
    struct str value)
{
	bool fits = false, good = false;

	for (size_t i = 0; i < v->p->keys_n && !good; i++) {
		EVP_PKEY *key = key_open(v->p->keys[i]);

		if (key != NULL && key_fits(key, m->kind)) {
			fits = true;
			good = key_verifies(key, m, text, value);
		}
		EVP_PKEY_free(key);
	}
	CHECK(v, key, fits, SAML_KEY);
	CHECK(v, signature, good, SAML_SIGNATURE);
	return true;
}

/* ---- parts ---- */

bool
saml_b64(struct arena *a, struct str in, struct str *ret)
{
	char *p = arena_raw(a, in.n + 1);
	size_t n = 0;

	if (p == NULL)
		return false;
	for (size_t i = 0; i < in.n; i++)
		if (in.p[i] != ' ' && in.p[i] != '\t' && in.p[i] != '\n' &&
		    in.p[i] != '\r')
			p[n++] = in.p[i];
	return n > 0 && b64_decode(a, str_of(p, n), ret);
}

struct parts {
	xmlNodePtr info; /* SignedInfo */
	xmlNodePtr reference;
	const struct method *method;
	const char *digest;    /* name of the hash */
	struct str value;      /* SignatureValue, decoded */
	struct str expected;   /* DigestValue, decoded */
	xmlChar **info_prefix; /* of the canonical form of SignedInfo */
	xmlChar **body_prefix; /* of that of the parent */
};

/* SignedInfo SignatureValue KeyInfo?, with no attribute but an Id. */
static bool
read_signature(struct verify *v, const xmlNode *sig, struct parts *p)
{
	xmlNodePtr info = xml_first(sig), value = NULL, rest = NULL;
	struct str text;

	value = info == NULL ? NULL : xml_next(info);
	rest = value == NULL ? NULL : xml_next(value);
	if (!xml_is(info, NS_DS, "SignedInfo") ||
	    !xml_is(value, NS_DS, "SignatureValue"))
		return saml_no(v, SAML_SIG_SHAPE);
	CHECK(v, sig_keyinfo,
	    rest == NULL ||
		(xml_is(rest, NS_DS, "KeyInfo") && xml_next(rest) == NULL),
	    SAML_SIG_SHAPE);
	if (!xml_text(value, &text) || !saml_b64(v->a, text, &p->value))
		return saml_no(v, SAML_SIG_SHAPE);
	p->info = info;
	return true;
}

/* CanonicalizationMethod SignatureMethod Reference. */
static bool
read_info(struct verify *v, struct parts *p)
{
	xmlNodePtr canon = xml_first(p->info), method, reference;
	struct str uri;

	method = canon == NULL ? NULL : xml_next(canon);
	reference = method == NULL ? NULL : xml_next(method);
	if (!xml_is(canon, NS_DS, "CanonicalizationMethod") ||
	    !xml_is(method, NS_DS, "SignatureMethod") ||
	    !xml_is(reference, NS_DS, "Reference"))
		return saml_no(v, SAML_SIG_SHAPE);
	CHECK(v, one_reference, xml_next(reference) == NULL, SAML_REFERENCE);
	CHECK(v, info_canon, str_is(xml_attr(canon, "Algorithm"), NS_EXC),
	    SAML_TRANSFORM);
	if (!xml_prefixes(v, canon, &p->info_prefix))
		return false;
	/* HMACOutputLength and the like */
	CHECK(v, method_parameters, xml_first(method) == NULL, SAML_ALGORITHM);
	uri = xml_attr(method, "Algorithm");
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (str_is(uri, methods[i].uri))
			p->method = &methods[i];
	if (p->method == NULL)
		return saml_no(v, SAML_ALGORITHM);
	CHECK(v, sha1_signature, md_taken(v, p->method->md), SAML_ALGORITHM);
	p->reference = reference;
	return true;
}

/* Exactly: enveloped signature, exclusive C14N. */
static bool
read_transforms(struct verify *v, const xmlNode *list, struct parts *p)
{
	xmlNodePtr first = xml_first(list), second;

	second = first == NULL ? NULL : xml_next(first);
	CHECK(v, transforms,
	    xml_is(first, NS_DS, "Transform") &&
		xml_is(second, NS_DS, "Transform") && xml_next(second) == NULL,
	    SAML_TRANSFORM);
	if (second == NULL)
		return saml_no(v, SAML_TRANSFORM);
	CHECK(v, enveloped,
	    str_is(xml_attr(first, "Algorithm"), NS_DS "enveloped-signature") &&
		xml_first(first) == NULL,
	    SAML_TRANSFORM);
	CHECK(v, exclusive, str_is(xml_attr(second, "Algorithm"), NS_EXC),
	    SAML_TRANSFORM);
	return xml_prefixes(v, second, &p->body_prefix);
}

/* Transforms DigestMethod DigestValue; the URI names the parent. */
static bool
read_reference(struct verify *v, const xmlNode *parent, struct parts *p)
{
	xmlNodePtr list = xml_first(p->reference), method, value;
	struct str uri = xml_attr(p->reference, "URI"), text;
	struct str id = xml_attr(parent, "ID");

	CHECK(v, reference_attrs, xml_attrs(p->reference) == 1, SAML_REFERENCE);
	CHECK(v, reference_parent,
	    id.n > 0 && uri.n == id.n + 1 && uri.p[0] == '#' &&
		str_eq(str_skip(uri, 1), id),
	    SAML_REFERENCE);
	method = list == NULL ? NULL : xml_next(list);
	value = method == NULL ? NULL : xml_next(method);
	if (!xml_is(list, NS_DS, "Transforms") ||
	    !xml_is(method, NS_DS, "DigestMethod") ||
	    !xml_is(value, NS_DS, "DigestValue"))
		return saml_no(v, SAML_SIG_SHAPE);
	CHECK(v, reference_end, xml_next(value) == NULL, SAML_SIG_SHAPE);
	if (!read_transforms(v, list, p))
		return false;
	CHECK(v, digest_parameters, xml_first(method) == NULL, SAML_ALGORITHM);
	for (size_t i = 0; i < sizeof digests / sizeof *digests; i++)
		if (str_is(xml_attr(method, "Algorithm"), digests[i].uri))
			p->digest = digests[i].md;
	if (p->digest == NULL)
		return saml_no(v, SAML_ALGORITHM);
	CHECK(v, sha1_digest, md_taken(v, p->digest), SAML_ALGORITHM);
	if (!xml_text(value, &text) || !saml_b64(v->a, text, &p->expected))
		return saml_no(v, SAML_SIG_SHAPE);
	return true;
}

static bool
digest_verify(struct verify *v, const struct parts *p, struct str body)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	size_t n = 0;
	bool ok =
	    EVP_Q_digest(NULL, p->digest, NULL, body.p, body.n, md, &n) == 1;

	ERR_clear_error();
	CHECK(v, digest,
	    ok && n == p->expected.n && memcmp(md, p->expected.p, n) == 0,
	    SAML_DIGEST);
	return true;
}

bool
sig_verify(struct verify *v, xmlNodePtr parent, xmlNodePtr sig, struct str *ret)
{
	struct parts p = {0};
	struct str text, body;

	if (!read_signature(v, sig, &p) || !read_info(v, &p) ||
	    !read_reference(v, parent, &p))
		return false;
	/* before the tree changes: its namespaces come from above */
	text = xml_canon(v, p.info, p.info_prefix);
	CHECK(v, canon_info, text.n > 0, SAML_CANON);
	if (!value_verify(v, p.method, text, p.value))
		return false;
	xmlUnlinkNode(sig);
	body = xml_canon(v, parent, p.body_prefix);
	xmlFreeNode(sig);
	CHECK(v, canon_body, body.n > 0, SAML_CANON);
	if (!digest_verify(v, &p, body))
		return false;
	*ret = body;
	return true;
}

bool
sig_text(struct verify *v, struct str alg, struct str text, struct str value)
{
	const struct method *m = NULL;

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (str_is(alg, methods[i].uri))
			m = &methods[i];
	if (m == NULL || !md_taken(v, m->md))
		return saml_no(v, SAML_ALGORITHM);
	return value_verify(v, m, text, value);
}
