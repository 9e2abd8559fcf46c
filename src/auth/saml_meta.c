/* saml_meta.c: metadata: theirs read, ours written. */
#include "auth/saml_meta.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "auth/saml_inner.h"
#include "base/text.h"

#define REDIRECT "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
#define POST "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

/* ---- theirs ---- */

static err
no(struct trail *t, const char *what)
{
	trail_set(t, "metadata: %s", what);
	return err_of(E_INVALID);
}

static bool
address(struct str s)
{
	if (s.n == 0 || s.n > SAML_URL_MAX ||
	    (!str_starts(s, STR("https://")) && !str_starts(s, STR("http://"))))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' ||
		    (unsigned char)s.p[i] >= 0x7f || s.p[i] == '"' ||
		    s.p[i] == '<' || s.p[i] == '>' || s.p[i] == '\\')
			return false;
	return true;
}

/* The Location of the first service of that name for redirects. */
static struct str
location(const xmlNode *role, const char *name)
{
	for (const xmlNode *c = xml_first(role); c != NULL; c = xml_next(c))
		if (xml_is(c, NS_MD, name) &&
		    str_is(xml_attr(c, "Binding"), REDIRECT))
			return xml_attr(c, "Location");
	return STR_NONE;
}

static bool
certificate(struct str der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	bool whole = x != NULL && p == (const unsigned char *)der.p + der.n;

	X509_free(x);
	ERR_clear_error();
	return whole;
}

static err
read_key(struct arena *a, const xmlNode *key, struct trail *t,
    struct saml_meta *m)
{
	const xmlNode *info = xml_child(key, NS_DS, "KeyInfo", NULL);
	const xmlNode *data = xml_child(info, NS_DS, "X509Data", NULL);
	const xmlNode *x = xml_child(data, NS_DS, "X509Certificate", NULL);
	struct str use = xml_attr(key, "use"), text, der;

	if (use.p != NULL && !str_is(use, "signing"))
		return OK;
	if (!xml_text(x, &text) || !saml_b64(a, text, &der) ||
	    !certificate(der))
		return no(t, "a key that is no certificate");
	if (!sig_key(der))
		return no(t,
		    "a key that is not RSA of 2048 bits or more, or"
		    " EC on a NIST curve");
	if (m->certs_n == SAML_KEYS)
		return no(t, "more than four signing keys");
	m->cert[m->certs_n++] = der;
	return OK;
}

/* EntityDescriptor, also as the one of an EntitiesDescriptor. */
static const xmlNode *
entity_of(const xmlNode *root)
{
	if (xml_is(root, NS_MD, "EntitiesDescriptor"))
		root = xml_child(root, NS_MD, "EntityDescriptor", NULL);
	return xml_is(root, NS_MD, "EntityDescriptor") ? root : NULL;
}

/* Of the document and of the entity: what is over is no metadata any more. */
static bool
live(const xmlNode *n, int64_t now)
{
	struct str s = xml_attr(n, "validUntil");
	int64_t until;

	return s.p == NULL || (claims_time(s, &until) && now < until);
}

static err
read_entity(struct arena *a, const xmlNode *root, int64_t now, struct trail *t,
    struct saml_meta *m)
{
	const xmlNode *entity = entity_of(root);
	const xmlNode *role =
	    xml_child(entity, NS_MD, "IDPSSODescriptor", NULL);

	if (entity == NULL)
		return no(t, "no EntityDescriptor, or more than one");
	if (role == NULL)
		return no(t, "no IDPSSODescriptor, or more than one");
	if (!live(root, now) || !live(entity, now) || !live(role, now))
		return no(t, "past its validUntil");
	m->entity = arena_dup(a, xml_attr(entity, "entityID"));
	if (m->entity.n == 0 || m->entity.n > 1024)
		return no(t, "no entityID of at most 1,024 bytes");
	m->sso_url = arena_dup(a, location(role, "SingleSignOnService"));
	if (!address(m->sso_url))
		return no(t, "no SingleSignOnService by HTTP-Redirect");
	m->slo_url = location(role, "SingleLogoutService");
	if (m->slo_url.p != NULL && !address(m->slo_url))
		return no(t, "a SingleLogoutService that is no address");
	m->slo_url = m->slo_url.p == NULL ? STR("") : arena_dup(a, m->slo_url);
	for (const xmlNode *c = xml_first(role); c != NULL; c = xml_next(c))
		if (xml_is(c, NS_MD, "KeyDescriptor"))
			TRY(read_key(a, c, t, m));
	if (m->certs_n == 0)
		return no(t, "no certificate to sign with");
	return arena_check(a);
}

err
saml_meta_read(struct arena *a, struct str xml, int64_t now, struct trail *t,
    struct saml_meta *ret)
{
	struct verify v = {.a = a};
	struct saml_meta m = {0};
	xmlDocPtr doc;
	err e;

	xml = str_trim(xml);
	if (!xml_lexical(&v, xml) || (doc = xml_open(&v, xml)) == NULL) {
		trail_set(t, "metadata: %s", saml_reason_text(v.why));
		return err_of(E_INVALID);
	}
	e = read_entity(a, xmlDocGetRootElement(doc), now, t, &m);
	xmlFreeDoc(doc);
	TRY(e);
	*ret = m;
	return OK;
}

/* ---- ours ---- */

static void
key_write(struct buf *b, const char *use, struct str cert)
{
	buf_c(b, "<md:KeyDescriptor use=\"");
	buf_c(b, use);
	buf_c(b,
	    "\"><ds:KeyInfo xmlns:ds=\"" NS_DS "\"><ds:X509Data>"
	    "<ds:X509Certificate>");
	b64_add(b, cert);
	buf_c(b,
	    "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
	    "</md:KeyDescriptor>");
}

void
saml_self_write(struct buf *b, const struct saml_self *self)
{
	buf_c(b,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<md:EntityDescriptor xmlns:md=\"" NS_MD "\" entityID=\"");
	html_add(b, self->entity);
	buf_c(b,
	    "\"><md:SPSSODescriptor AuthnRequestsSigned=\"true\""
	    " WantAssertionsSigned=\"true\""
	    " protocolSupportEnumeration=\"" NS_P "\">");
	if (self->cert.n > 0) {
		key_write(b, "signing", self->cert);
		key_write(b, "encryption", self->cert);
	}
	if (self->slo.n > 0) {
		buf_c(b,
		    "<md:SingleLogoutService Binding=\"" REDIRECT
		    "\" Location=\"");
		html_add(b, self->slo);
		buf_c(b,
		    "\"/><md:SingleLogoutService Binding=\"" POST
		    "\" Location=\"");
		html_add(b, self->slo);
		buf_c(b, "\"/>");
	}
	buf_c(b,
	    "<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:"
	    "persistent</md:NameIDFormat>"
	    "<md:AssertionConsumerService index=\"0\" isDefault=\"true\""
	    " Binding=\"" POST "\" Location=\"");
	html_add(b, self->acs);
	buf_c(b, "\"/></md:SPSSODescriptor></md:EntityDescriptor>\n");
}
