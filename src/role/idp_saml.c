/*
 * idp_saml.c: one document in a process of its own.  A fault in the XML
 * library gives whoever caused it a process that can read, write and end.
 */
#include <unistd.h>

#include "auth/saml_meta.h"
#include "ipc/idpwire.h"
#include "role/idp.h"

enum { READ_ARENA = 16 * 1024 * 1024 }; /* of CONFINE_DATA */

void
document_warm(void)
{
	saml_warm();
}

static err
read_response(struct arena *a, const struct idp_document *d, struct buf *ret)
{
	struct saml_identity identity;
	struct saml_provider p;
	enum saml_reason why;

	if (!saml_provider_decode(d->settings, &p))
		return err_of(E_PEER);
	why = saml_verify(a, &p, d->document, d->now, &identity);
	saml_verdict_encode(ret, why, &identity);
	return OK;
}

static err
read_logout(struct arena *a, const struct idp_document *d, struct buf *ret)
{
	struct str slo, relay = STR("");
	struct saml_logout l = {0};
	struct saml_provider p;
	enum saml_reason why;

	if (!saml_logout_rules_decode(d->settings, &p, &slo))
		return err_of(E_PEER);
	if (d->kind == IDP_LOGOUT_QUERY)
		why = saml_logout_query(a, &p, slo, d->document, d->now, &l,
		    &relay);
	else
		why = saml_logout_document(a, &p, slo, d->document, d->now, &l);
	saml_logout_encode(ret, why, &l, relay);
	return OK;
}

static err
read_metadata(struct arena *a, const struct idp_document *d, struct buf *ret)
{
	struct trail t = {{0}};
	struct saml_meta m;
	err e = saml_meta_read(a, d->document, d->now, &t, &m);

	saml_meta_encode(ret, e, &t, &m);
	return d->settings.n == 0 ? OK : err_of(E_PEER);
}

static err
read_one(struct str text, struct buf *ret)
{
	struct idp_document d;
	struct arena a;
	err e;

	TRY(idp_document_decode(text, &d));
	arena_init(&a, READ_ARENA);
	e = d.kind == IDP_RESPONSE   ? read_response(&a, &d, ret)
	    : d.kind == IDP_METADATA ? read_metadata(&a, &d, ret)
				     : read_logout(&a, &d, ret);
	arena_done(&a);
	TRY(e);
	return buf_check(ret);
}

static bool
say(int to, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(to, s.p, s.n);

		if (n <= 0)
			return false;
		s = str_skip(s, (size_t)n);
	}
	return true;
}

void
document_run(struct str text, int to, const struct confinement *parent)
{
	struct confine_plan plan = {.role = CONFINE_SAML,
	    .keep = &to,
	    .keep_n = 1};
	struct trail t = {{0}};
	struct confinement c;
	struct buf b;

	if (!err_ok(confine_child(&plan, parent, &t, &c)))
		_exit(2);
	buf_init(&b, IDP_ANSWER);
	if (!err_ok(read_one(text, &b)) || !say(to, buf_view(&b)))
		_exit(1);
	_exit(0);
}
