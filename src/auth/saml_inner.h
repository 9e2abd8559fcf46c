/* saml_inner.h: inside the SAML verifier only. */
#ifndef AUTH_SAML_INNER_H
#define AUTH_SAML_INNER_H

#include <libxml/tree.h>

#include "auth/saml.h"

#define NS_P "urn:oasis:names:tc:SAML:2.0:protocol"
#define NS_A "urn:oasis:names:tc:SAML:2.0:assertion"
#define NS_MD "urn:oasis:names:tc:SAML:2.0:metadata"
#define NS_DS "http://www.w3.org/2000/09/xmldsig#"
#define NS_XENC "http://www.w3.org/2001/04/xmlenc#"
#define NS_XENC11 "http://www.w3.org/2009/xmlenc11#"
#define NS_EXC "http://www.w3.org/2001/10/xml-exc-c14n#"

/* One judgement under way; the first reason stays. */
struct verify {
	struct arena *a;
	const struct saml_provider *p;
	int64_t now;
	enum saml_reason why; /* SAML_OK so far */
};

/*
 * A check, by name.  `make check-kill` builds with SAML_CHECK_KILL, takes
 * each out in turn and wants a case of the corpus to notice.
 */
#ifdef SAML_CHECK_KILL
extern const char *saml_killed;
bool saml_alive(const char *name);
#else
#define saml_alive(name) true
#endif
#define CHECK(v, name, cond, reason)                                           \
	do {                                                                   \
		if (!(cond) && saml_alive(#name))                              \
			return saml_no((v), (reason));                         \
	} while (0)
bool saml_no(struct verify *v, enum saml_reason why); /* false */

/* ---- saml_xml.c ---- */

/* The bytes alone: size, UTF-8, nothing a parser could be led astray by. */
bool xml_lexical(struct verify *v, struct str xml);
/* Parse and look at every node. The document is the caller's to free; NULL
 * with the reason set. */
xmlDocPtr xml_open(struct verify *v, struct str xml);

bool xml_is(const xmlNode *n, const char *ns, const char *name);
/* The first, or next, element among siblings; NULL: none. */
xmlNodePtr xml_element(xmlNodePtr n);
#define xml_first(n) xml_element((n) == NULL ? NULL : (n)->children)
#define xml_next(n) xml_element((n)->next)
/* The child of that name when it is the only one; *ret_n counts them. */
xmlNodePtr xml_child(const xmlNode *n, const char *ns, const char *name,
    size_t *ret_n);
/* Its only child is one text node: a view of it; false otherwise. */
bool xml_text(const xmlNode *n, struct str *ret);
/* An attribute without namespace; p NULL: absent. */
struct str xml_attr(const xmlNode *n, const char *name);
size_t xml_attrs(const xmlNode *n); /* how many there are */
/* How many elements below the root have that local name. */
size_t xml_count(const xmlDoc *doc, const char *name);
/*
 * Exclusive C14N without comments of n and what is below it.  prefixes: a
 * NULL-ended list or NULL.  Empty on any trouble.
 */
struct str xml_canon(struct verify *v, xmlNodePtr n, xmlChar **prefixes);
/* The PrefixList of an ec:InclusiveNamespaces child; *ret NULL without one. */
bool xml_prefixes(struct verify *v, const xmlNode *n, xmlChar ***ret);

/* ---- saml_sig.c ---- */

/* Base64 with white space. */
bool saml_b64(struct arena *a, struct str in, struct str *ret);
/*
 * Is parent signed by sig, its child, with a key of the provider?  Takes sig
 * out of the tree.  *ret: what was signed, in canonical form.
 */
bool sig_verify(struct verify *v, xmlNodePtr parent, xmlNodePtr sig,
    struct str *ret);

/* Could this certificate or public key sign? RSA of 2048 to 8192 bits, or one
 * of the three NIST curves. */
bool sig_key(struct str der);

/* The signature of a query: the same algorithms and keys. */
bool sig_text(struct verify *v, struct str alg, struct str text,
    struct str value);

/* ---- saml_crypt.c ---- */

/* The assertion inside an EncryptedAssertion; one reason for every fault. */
bool crypt_open(struct verify *v, const xmlNode *encrypted,
    bool signed_response, struct str *ret_xml);

/* ---- saml_claims.c ---- */

/* Read the identity from the root of bytes that were signed. */
bool claims_read(struct verify *v, const xmlNode *assertion,
    struct saml_identity *ret);
/* xs:dateTime in UTC. */
bool claims_time(struct str s, int64_t *ret);

#endif
