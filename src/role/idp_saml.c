/*
 * idp_saml.c: one document in a process of its own.  A fault in the XML
 * library gives whoever caused it a process that can read, write and end.
 */
#include <unistd.h>

#include "auth/saml.h"
#include "ipc/idpwire.h"
#include "role/idp.h"

enum { READ_ARENA = 16 * 1024 * 1024 }; /* of CONFINE_DATA */

void
document_warm(void)
{
	saml_warm();
}

static err
read_one(struct str text, struct buf *ret)
{
	struct saml_identity identity;
	struct saml_provider p;
	struct idp_document d;
	enum saml_reason why;
	struct arena a;

	TRY(idp_document_decode(text, &d));
	if (!saml_provider_decode(d.settings, &p))
		return err_of(E_PEER);
	arena_init(&a, READ_ARENA);
	why = saml_verify(&a, &p, d.document, d.now, &identity);
	saml_verdict_encode(ret, why, &identity);
	arena_done(&a);
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
