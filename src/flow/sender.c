/* sender.c: see sender.h. */
#include "flow/sender.h"

#include "auth/hook_jwe.h"
#include "auth/throttle.h"
#include "base/limits.h"
#include "base/text.h"
#include "flow/handlers.h"
#include "flow/line.h"

static const struct json_limits limits = {
    .depth = LIM_JSON_DEPTH,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES,
};

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

/*
 * An Events API v2 sender has its credential in the body, so this body is
 * parsed before it is known who asks: by the strict reader, within the same
 * limits as every other, and with nothing told about it.
 */
static void
routing_key(struct call *c, struct auth_input *in)
{
	struct trail t;

	in->authorization = STR("");
	if (c->body == NULL &&
	    !err_ok(json_parse(c->a, c->req->body, &limits, &t, &c->body)))
		c->body = NULL;
	in->bearer = json_str_at(c->body, STR("routing_key"));
}

/*
 * A good credential is taken at any rate, so nobody can silence a sender; what
 * comes without one is told to wait when it comes too often.  An integration
 * that does not exist has a bucket like any other: nothing is learned.
 */
static err
refused(struct call *c)
{
	struct throttle *t = c->lane->state->throttle;
	int64_t wait = 0, more = 0;
	err e = throttle_bad(t, THROTTLED_HOOKS, c->address, c->var[0], c->now,
	    &wait);
	err all = throttle_bad(t, THROTTLED_ADDRESS, c->address, STR(""),
	    c->now, &more);

	if (err_ok(e) && err_ok(all))
		return err_of(E_UNAUTHENTICATED);
	wait = more > wait ? more : wait;
	c->retry_after = (unsigned)((wait + 999) / 1000);
	return err_of(E_RATE);
}

err
sender_auth(struct call *c, const struct auth_input *given)
{
	struct auth_input in = *given;
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
	if (c->route->handle == route_ingest_enqueue)
		routing_key(c, &in);
	e = auth_ingest(c->a, &in, &id, &h, &c->hook, &c->why, &c->actor);
	/* refusals are found by the integration they were meant for */
	if (!err_is(e, E_UNAUTHENTICATED))
		return e;
	if (world_integration(in.world, &id) != NULL)
		call_touch(c, "integration", &id);
	return refused(c);
}

/* The event without its routing key. */
static err
without_key(struct call *c)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, c->a, 2 * LIM_INGEST_BODY);
	jw_init(&w, &b);
	jw_obj(&w);
	for (const struct json *j = json_first(c->body); j != NULL;
	     j = j->next) {
		if (str_is(j->name, "routing_key"))
			continue;
		jw_name(&w, j->name);
		jw_raw(&w, j->raw);
	}
	jw_obj_end(&w);
	c->payload = buf_view(&b);
	return buf_check(&b);
}

/* The body as its sender wrote it, out of a JWE.  One that does not open is
 * refused like a credential: nothing is told, all is on record. */
static err
unseal(struct call *c)
{
	const struct integration *n =
	    world_integration(call_world(c), &c->actor->id);
	struct hook_secrets secrets;
	enum jose_why why;
	err e;

	if (n == NULL)
		return err_of(E_UNAUTHENTICATED);
	TRY(hook_secrets_parse(c->a, n->secrets, &secrets));
	e = hook_jwe_open(c->a, &secrets, c->now, c->req->body, &why,
	    &c->payload);
	if (!err_is(e, E_UNAUTHENTICATED))
		return e;
	c->rec.action = AUDIT_AUTH_FAILED;
	c->rec.outcome = AUDIT_DENIED;
	c->rec.reason = str_c(jose_why_text(why));
	call_touch(c, "integration", &n->o.id);
	return e;
}

err
sender_shape(struct call *c)
{
	if (c->query.raw[PARAM_KEY].p != NULL && !c->hook.keyed)
		return call_bad(c, E_UNKNOWN_PARAMETER,
		    "this integration takes no key in the address");
	if (c->req->body.n == 0)
		return call_bad(c, E_BAD_JSON, "the body is empty");
	TRY(line_content_type(c,
	    c->hook.sealed ? STR("application/jose")
			   : STR("application/json")));
	c->payload = c->req->body;
	if (c->hook.sealed)
		TRY(unseal(c));
	/* of an event it may be parsed already, for its routing key */
	if (c->body == NULL)
		TRY(json_parse(c->a, c->payload, &limits, &c->trail, &c->body));
	if (c->route->handle != route_ingest_enqueue)
		return OK;
	return without_key(c);
}
