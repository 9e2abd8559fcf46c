/*
 * admin_discovery.c: what a provider says about itself, asked through the
 * idp role, beside what is configured here.  Nothing is taken over: whoever
 * agrees changes the configuration (ASVS 10.5.3).
 */
#include "auth/idp_config.h"
#include "auth/jose.h"
#include "base/limits.h"
#include "flow/handlers.h"
#include "flow/sso.h"
#include "ipc/idp.h"

static const struct json_limits bounds = {8, 100, 5000};

struct found {
	struct sso sso;
	const char *reason; /* of idp.def */
	struct str text;    /* the object idp_oidc_meta promises; IDP_OK only */
	const struct json *meta;
};

static err
ask(struct call *c, struct found *f)
{
	enum idp_status why;
	struct buf out;
	err e;

	buf_init_on(&out, c->a, IDP_ANSWER);
	e = idp_oidc_meta(c->lane->state->idp, f->sso.name, &out, &why);
	f->reason = idp_reason(why);
	/* Why nobody answers is what an administrator wants to know. */
	if (err_is(e, E_IDP_UNREACHABLE))
		return OK;
	TRY(e);
	f->text = buf_view(&out);
	return json_parse(c->a, f->text, &bounds, &c->trail, &f->meta);
}

static err
first(struct call *c)
{
	struct found *f = ARENA_NEW(c->a, struct found);
	const struct idp *i;
	struct uuid id;

	TRY(arena_check(c->a));
	TRY(call_uuid(c, 0, &id));
	i = world_idp(call_world(c), &id);
	if (i == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "identity_provider", &id);
	TRY(sso_open(c, i, &f->sso));
	if (f->sso.config.kind != IDP_OIDC_CODE)
		return call_bad(c, E_INVALID,
		    "only a provider of kind oidc-code can be asked");
	TRY(ask(c, f));
	c->prepared = f;
	return OK;
}

static bool
lists(const struct json *list, const char *text)
{
	for (const struct json *j = json_first(list); j != NULL; j = j->next)
		if (str_is(j->text, text))
			return true;
	return false;
}

/* Where following the provider's own word would do something else. */
static void
differs(struct jw *w, const struct found *f)
{
	static const struct str addr = {"authorization_endpoint", 22};
	static const struct str algs = {"id_token_signing_alg_values_supported",
	    37};
	uint32_t ours = idp_config_algs(&f->sso.config);
	const struct json *theirs = json_get(f->meta, algs);
	bool none = theirs != NULL;

	jw_karr(w, "differs");
	if (!str_eq(json_str_at(f->meta, addr),
		idp_config_text(&f->sso.config, IDP_C_AUTHORIZATION)))
		jw_str(w, addr);
	for (unsigned i = 0; i < JOSE_ALG_MAX_; i++)
		if ((ours & JOSE_BIT(i)) != 0 &&
		    lists(theirs, jose_alg_name((enum jose_alg)i)))
			none = false;
	if (none)
		jw_str(w, algs);
	jw_arr_end(w);
}

err
route_idp_discover(struct call *c)
{
	const struct found *f = c->prepared;
	struct jw *w;

	if (c->slow)
		return first(c);
	w = answer(c, 200);
	jw_obj(w);
	jw_kstr(w, "reason", str_c(f->reason));
	if (f->meta == NULL) {
		jw_knull(w, "metadata");
		jw_knull(w, "differs");
	} else {
		jw_kraw(w, "metadata", f->text);
		differs(w, f);
	}
	jw_obj_end(w);
	return OK;
}
