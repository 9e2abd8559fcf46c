/* sender.c: see sender.h. */
#include "flow/sender.h"

#include "base/text.h"

static size_t
header(const void *ctx, struct str name, struct str *ret)
{
	const struct http_request *r = ctx;
	size_t n = http_header_count(r, name);

	if (n > 0)
		*ret = http_header(r, name);
	return n;
}

/* ?key=, for integrations that declare it; a second one is refused with the
 * other parameters, once it is known who asks. */
static struct str
url_key(struct call *c)
{
	struct str q = c->req->query, pair, name, value;

	while (q.n > 0) {
		(void)str_cut(q, '&', &pair, &q);
		(void)str_cut(pair, '=', &name, &value);
		if (str_is(name, param_text(PARAM_KEY)) &&
		    err_ok(url_decode(c->a, value, &value)))
			return value.p == NULL ? STR("") : value;
	}
	return STR_NONE;
}

err
sender_auth(struct call *c, const struct auth_input *in)
{
	struct hook_input h = {
	    .header = header,
	    .ctx = c->req,
	    .body = c->req->body,
	    .url_key = url_key(c),
	};
	const struct client_cert *cc = c->req->cert;
	struct hook_cert cert;
	struct uuid id;
	err e;

	if (cc != NULL) {
		cert = (struct hook_cert){
		    .der = cc->der,
		    .not_before = cc->not_before,
		    .not_after = cc->not_after,
		};
		memcpy(cert.sha256, cc->sha256, sizeof cert.sha256);
		memcpy(cert.spki, cc->spki, sizeof cert.spki);
		h.cert = &cert;
	}
	if (!uuid_parse(c->var[0], &id))
		memset(&id, 0, sizeof id);
	e = auth_ingest(c->a, in, &id, &h, &c->hook, &c->why, &c->actor);
	/* refusals are found by the integration they were meant for */
	if (err_is(e, E_UNAUTHENTICATED) &&
	    world_integration(in->world, &id) != NULL)
		call_touch(c, "integration", &id);
	return e;
}

err
sender_shape(struct call *c)
{
	if (c->query.raw[PARAM_KEY].p == NULL || c->hook.keyed)
		return OK;
	return call_bad(c, E_UNKNOWN_PARAMETER,
	    "this integration takes no key in the address");
}
