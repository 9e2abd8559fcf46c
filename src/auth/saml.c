/* saml.c: see saml.h: the order of the checks, and what crosses processes. */
#include <libxml/parser.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "auth/saml_inner.h"
#include "base/text.h"

const char *
saml_reason_text(enum saml_reason r)
{
	static const char *const text[] = {
#define SAML_REASON(name, text, meaning) text,
#include "auth/saml_reasons.def"
#undef SAML_REASON
	};

	return (unsigned)r < SAML_REASON_MAX_ ? text[r] : "saml.unknown";
}

#ifdef SAML_CHECK_KILL
const char *saml_killed;

bool
saml_alive(const char *name)
{
	return saml_killed == NULL || strcmp(saml_killed, name) != 0;
}
#endif

bool
saml_no(struct verify *v, enum saml_reason why)
{
	if (v->why == SAML_OK)
		v->why = why;
	return false;
}

bool
saml_form_decode(struct arena *a, struct str value, struct str *ret)
{
	/* four characters for three bytes, and a line end now and then */
	return value.n <= SAML_XML_MAX / 3 * 4 + 16384 &&
	    saml_b64(a, value, ret) && ret->n <= SAML_XML_MAX;
}

/* ---- shape ---- */

struct response {
	xmlNodePtr root, signature; /* of the response, or NULL */
	xmlNodePtr status;
	xmlNodePtr assertion; /* Assertion or EncryptedAssertion */
	bool encrypted;
};

/* Issuer? Signature? Status, then one assertion, and nothing else. */
static bool
read_shape(struct verify *v, xmlDocPtr doc, struct response *r)
{
	static const char *const never[] = {"Extensions", "Advice", "Object",
	    "Response", "EncryptedID", "Manifest"};
	xmlNodePtr c;

	r->root = xmlDocGetRootElement(doc);
	CHECK(v, root, xml_is(r->root, NS_P, "Response"), SAML_SHAPE);
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		CHECK(v, never, xml_count(doc, never[i]) == 0, SAML_SHAPE);
	CHECK(v, assertions,
	    xml_count(doc, "Assertion") +
		    xml_count(doc, "EncryptedAssertion") ==
		1,
	    SAML_SHAPE);
	c = xml_first(r->root);
	if (xml_is(c, NS_A, "Issuer"))
		c = xml_next(c);
	if (xml_is(c, NS_DS, "Signature")) {
		r->signature = c;
		c = xml_next(c);
	}
	r->status = c;
	CHECK(v, status_there, xml_is(c, NS_P, "Status"), SAML_SHAPE);
	c = c == NULL ? NULL : xml_next(c);
	r->encrypted = xml_is(c, NS_A, "EncryptedAssertion");
	r->assertion = c;
	CHECK(v, status,
	    str_is(xml_attr(xml_first(r->status), "Value"),
		"urn:oasis:names:tc:SAML:2.0:status:Success"),
	    SAML_STATUS);
	if (!xml_is(c, NS_A, "Assertion") && !r->encrypted)
		return saml_no(v, SAML_SHAPE);
	CHECK(v, assertion_last, xml_next(c) == NULL, SAML_SHAPE);
	return true;
}

/* The signature of an assertion stands behind its Issuer. */
static xmlNodePtr
assertion_signature(const xmlNode *assertion)
{
	xmlNodePtr c = xml_first(assertion);

	c = xml_is(c, NS_A, "Issuer") ? xml_next(c) : NULL;
	return xml_is(c, NS_DS, "Signature") ? c : NULL;
}

/* No signature may stand where nobody looks for it. */
static bool
signatures_placed(struct verify *v, xmlDocPtr doc, const struct response *r)
{
	size_t seen = r->signature != NULL;

	if (!r->encrypted)
		seen += assertion_signature(r->assertion) != NULL;
	CHECK(v, signature_place, xml_count(doc, "Signature") == seen,
	    SAML_SHAPE);
	return true;
}

/* ---- envelope ---- */

static bool
read_envelope(struct verify *v, const struct response *r)
{
	struct str to = xml_attr(r->root, "Destination");
	struct str irt = xml_attr(r->root, "InResponseTo"), issuer;
	const xmlNode *c = xml_first(r->root);
	int64_t issued;

	CHECK(v, version, str_is(xml_attr(r->root, "Version"), "2.0"),
	    SAML_VERSION);
	CHECK(v, destination, to.p == NULL || str_eq(to, v->p->acs),
	    SAML_DESTINATION);
	CHECK(v, destination_signed, to.p != NULL || r->signature == NULL,
	    SAML_DESTINATION);
	if (v->p->request.n > 0)
		CHECK(v, request, str_eq(irt, v->p->request), SAML_REQUEST);
	else
		CHECK(v, unasked, irt.p == NULL && v->p->unsolicited,
		    SAML_REQUEST);
	if (!claims_time(xml_attr(r->root, "IssueInstant"), &issued))
		return saml_no(v, SAML_ISSUED);
	CHECK(v, issued,
	    issued <= v->now + SAML_SKEW_MS && v->now - issued <= SAML_ISSUE_MS,
	    SAML_ISSUED);
	if (!xml_is(c, NS_A, "Issuer"))
		return true;
	CHECK(v, issuer, xml_text(c, &issuer) && str_eq(issuer, v->p->entity),
	    SAML_ISSUER);
	return true;
}

/* ---- the signed bytes, parsed anew ---- */

/* The identity, from the assertion that is the root, or below it. */
static bool
read_signed(struct verify *v, struct str bytes, struct saml_identity *ret)
{
	xmlDocPtr doc = xml_open(v, bytes);
	const xmlNode *n;
	bool ok;

	if (doc == NULL)
		return false;
	n = xmlDocGetRootElement(doc);
	if (!xml_is(n, NS_A, "Assertion"))
		n = xml_child(n, NS_A, "Assertion", NULL);
	ok = n == NULL ? saml_no(v, SAML_SHAPE) : claims_read(v, n, ret);
	xmlFreeDoc(doc);
	return ok;
}

/* An assertion that came out of an EncryptedAssertion is a document of its
 * own. */
static bool
read_opened(struct verify *v, struct str xml, bool response_signed,
    struct saml_identity *ret)
{
	xmlNodePtr root, sig;
	xmlDocPtr doc;
	struct str body = xml;
	bool ok = true;

	if (!xml_lexical(v, xml) || (doc = xml_open(v, xml)) == NULL)
		return false;
	root = xmlDocGetRootElement(doc);
	sig = assertion_signature(root);
	if (!xml_is(root, NS_A, "Assertion") ||
	    xml_count(doc, "Assertion") != 0 ||
	    xml_count(doc, "Signature") != (sig != NULL) ||
	    xml_count(doc, "EncryptedID") != 0 ||
	    xml_count(doc, "Advice") != 0 || xml_count(doc, "Object") != 0)
		ok = saml_no(v, SAML_SHAPE);
	else if (sig != NULL)
		ok = sig_verify(v, root, sig, &body);
	else if (!response_signed)
		ok = saml_no(v, SAML_UNSIGNED);
	xmlFreeDoc(doc);
	return ok && read_signed(v, body, ret);
}

/*
 * Every signature there is must hold; the innermost gives the bytes.  That of
 * the assertion goes first: the response's covers it, and verifying takes a
 * signature out of the tree, so each is checked in a tree of its own.
 */
static bool
read_plain(struct verify *v, struct str xml, struct saml_identity *ret)
{
	struct response r = {0};
	struct str body = STR_NONE, outer = STR_NONE;
	xmlDocPtr doc = xml_open(v, xml);
	xmlNodePtr sig;
	bool ok;

	if (doc == NULL)
		return false;
	ok = read_shape(v, doc, &r);
	sig = ok ? assertion_signature(r.assertion) : NULL;
	if (ok && sig == NULL && r.signature == NULL)
		ok = saml_no(v, SAML_UNSIGNED);
	if (ok && sig != NULL)
		ok = sig_verify(v, r.assertion, sig, &body);
	xmlFreeDoc(doc);
	if (!ok || r.signature == NULL)
		return ok && read_signed(v, body, ret);
	doc = xml_open(v, xml);
	if (doc == NULL)
		return false;
	r = (struct response){0};
	ok = read_shape(v, doc, &r) &&
	    sig_verify(v, r.root, r.signature, &outer);
	xmlFreeDoc(doc);
	return ok && read_signed(v, body.n > 0 ? body : outer, ret);
}

static bool
read_encrypted(struct verify *v, xmlDocPtr doc, const struct response *r,
    struct saml_identity *ret)
{
	bool is_signed = r->signature != NULL;
	struct str outer, opened;
	xmlDocPtr inner = doc;
	const xmlNode *box = r->assertion;
	bool ok;

	if (is_signed) {
		if (!sig_verify(v, r->root, r->signature, &outer) ||
		    (inner = xml_open(v, outer)) == NULL)
			return false;
		box = xml_child(xmlDocGetRootElement(inner), NS_A,
		    "EncryptedAssertion", NULL);
	}
	ok = box == NULL ? saml_no(v, SAML_SHAPE)
			 : crypt_open(v, box, is_signed, &opened);
	if (inner != doc)
		xmlFreeDoc(inner);
	return ok && read_opened(v, opened, is_signed, ret);
}

enum saml_reason
saml_verify(struct arena *a, const struct saml_provider *p, struct str xml,
    int64_t now, struct saml_identity *ret)
{
	struct verify v = {.a = a, .p = p, .now = now};
	struct response r = {0};
	xmlDocPtr doc;
	bool ok;

	if (!xml_lexical(&v, xml) || (doc = xml_open(&v, xml)) == NULL)
		return v.why;
	ok = read_shape(&v, doc, &r) && signatures_placed(&v, doc, &r) &&
	    read_envelope(&v, &r);
	if (ok && r.encrypted)
		ok = read_encrypted(&v, doc, &r, ret);
	xmlFreeDoc(doc);
	if (ok && !r.encrypted)
		ok = read_plain(&v, xml, ret);
	/* a check taken out must not make an error of nothing */
	return ok ? SAML_OK : v.why == SAML_OK ? SAML_SHAPE : v.why;
}

/* ---- before files are out of reach ---- */

static xmlParserInputPtr
no_entity(const char *url, const char *id, xmlParserCtxtPtr ctx)
{
	(void)url;
	(void)id;
	(void)ctx;
	return NULL;
}

void
saml_warm(void)
{
	static const char *const md[] = {"SHA1", "SHA256", "SHA384", "SHA512"};
	static const unsigned char nothing[] = {0x30, 0x00};
	const unsigned char *p = nothing;
	unsigned char out[EVP_MAX_MD_SIZE];
	size_t n;

	xmlInitParser();
	xmlSetExternalEntityLoader(no_entity);
	for (size_t i = 0; i < sizeof md / sizeof *md; i++)
		(void)EVP_Q_digest(NULL, md[i], NULL, "", 0, out, &n);
	/* the decoders, and the error texts, at their first failure */
	EVP_PKEY_free(d2i_PUBKEY(NULL, &p, sizeof nothing));
	p = nothing;
	EVP_PKEY_free(d2i_AutoPrivateKey(NULL, &p, sizeof nothing));
	ERR_clear_error();
}
