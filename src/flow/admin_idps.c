/*
 * admin_idps.c: /v1/identity-providers.  Who decides by what a provider is
 * believed can become everybody who logs in there, so a change of that needs
 * what they have; and to map a group is to let people into it.
 */
#include "auth/mac.h"
#include "base/limits.h"
#include "base/text.h"
#include "flow/admin_body.h"
#include "flow/admin_policy.h"
#include "flow/handlers.h"
#include "flow/sessions.h"
#include "flow/sso_account.h"
#include "flow/sso_saml.h"
#include "ipc/idp.h"

/* ---- answers ---- */

static void
urls_json(struct call *c, struct jw *w, const struct idp *i, enum idp_kind kind)
{
	jw_kobj(w, "urls");
	if (kind == IDP_SAML) {
		jw_kstr(w, "entity_id", sso_url(c, i, "/metadata"));
		jw_kstr(w, "metadata", sso_url(c, i, "/metadata"));
		jw_kstr(w, "acs", sso_url(c, i, "/acs"));
		jw_kstr(w, "logout", sso_url(c, i, "/logout"));
	} else {
		jw_kstr(w, "callback", sso_url(c, i, "/callback"));
		jw_kstr(w, "backchannel_logout",
		    sso_url(c, i, "/backchannel-logout"));
	}
	jw_kstr(w, "login", sso_url(c, i, "/login"));
	jw_obj_end(w);
}

/* "51:EB:...", to be compared with what the provider's people say. */
static void
fingerprints_json(struct call *c, struct jw *w, const struct json *certs)
{
	uint8_t sum[DIGEST_SIZE];
	struct str der;
	struct buf b;

	jw_karr(w, "fingerprints");
	for (const struct json *j = json_first(certs); j != NULL; j = j->next) {
		if (!b64_decode(c->a, j->text, &der) ||
		    !err_ok(mac_sha256(&der, 1, sum)))
			continue;
		buf_init_on(&b, c->a, 3 * sizeof sum);
		for (size_t i = 0; i < sizeof sum; i++)
			buf_fmt(&b, "%s%02X", i == 0 ? "" : ":", sum[i]);
		jw_str(w, buf_view(&b));
	}
	jw_arr_end(w);
}

static void
config_json(struct call *c, struct jw *w, const struct idp *i)
{
	struct idp_config cfg;

	if (!err_ok(idp_config_open(c->a, i->kind, i->config, &cfg)))
		return;
	jw_name(w, STR("config"));
	idp_config_show(w, &cfg);
	if (cfg.kind == IDP_SAML)
		fingerprints_json(c, w, cfg.v[IDP_C_CERTS]);
	if (cfg.kind != IDP_OAUTH)
		urls_json(c, w, i, cfg.kind);
}

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	const struct idp *i = (const struct idp *)o;

	jw_obj(w);
	jw_uuid(w, "id", &o->id);
	jw_kstr(w, "name", i->name);
	jw_kstr(w, "kind", i->kind);
	jw_kbool(w, "enabled", !i->disabled);
	config_json(c, w, i);
	jw_uuid(w, "created_by", &i->created_by.u);
	times_json(w, o);
	jw_obj_end(w);
}

static err
find(struct call *c, const struct idp **ret)
{
	struct uuid id;

	TRY(call_uuid(c, 0, &id));
	*ret = world_idp(call_world(c), &id);
	if (*ret == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "identity_provider", &id);
	return OK;
}

err
route_idp_list(struct call *c)
{
	return list_objects(c, OBJECT_IDP, NULL, render);
}

err
route_idp_get(struct call *c)
{
	const struct idp *i;

	TRY(find(c, &i));
	return answer_object(c, 200, &i->o, render);
}

/* ---- reading bodies: the first half ---- */

/* What the first half has made. */
struct ready {
	uint32_t version; /* of what is being changed */
	struct idp_config old, config;
	bool changed; /* a config was given */
};

/* A SAML provider's document becomes what we keep of it. */
static err
finish(struct call *c, struct idp_config *cfg)
{
	struct str doc = idp_config_text(cfg, IDP_C_METADATA);

	if (cfg->kind != IDP_SAML)
		return OK;
	cfg->v[IDP_C_METADATA] = NULL;
	if (doc.n > 0)
		TRY(saml_take_metadata(c, doc, cfg));
	if (cfg->v[IDP_C_SP_KEY] == NULL)
		TRY(saml_make_key(c, cfg));
	return OK;
}

static err
first_create(struct call *c)
{
	struct ready *r = ARENA_NEW(c->a, struct ready);
	enum idp_kind kind;

	TRY(arena_check(c->a));
	if (!idp_kind_parse(body_text(c, "kind", STR("")), &kind))
		return call_bad(c, E_INVALID,
		    "kind: saml, oidc-direct, oidc-code or oauth");
	if (kind == IDP_OIDC_CODE &&
	    !sso_name_in_url(body_text(c, "name", STR(""))))
		return call_bad(c, E_INVALID,
		    "name: that of its section in idp.conf, a-z 0-9 -");
	TRY(idp_config_take(c->a, kind, json_get(c->body, STR("config")), NULL,
	    c->now, &c->trail, &r->config));
	TRY(finish(c, &r->config));
	c->prepared = r;
	return arena_check(c->a);
}

static err
first_patch(struct call *c)
{
	const struct json *body = json_get(c->body, STR("config"));
	struct ready *r = ARENA_NEW(c->a, struct ready);
	const struct idp *old;
	struct sso s;

	TRY(arena_check(c->a));
	TRY(find(c, &old));
	r->version = old->o.version;
	r->changed = body != NULL;
	TRY(sso_open(c, old, &s));
	r->old = r->config = s.config;
	if (r->changed) {
		TRY(idp_config_take(c->a, s.config.kind, body, &s.config,
		    c->now, &c->trail, &r->config));
		TRY(finish(c, &r->config));
	}
	c->prepared = r;
	return arena_check(c->a);
}

/* ---- guards ---- */

/* The groups a config lets people into, sorted out. */
static err
mapped(struct call *c, const struct idp_config *cfg, struct uuids *ret)
{
	const struct json *j = json_first(cfg->v[IDP_C_MAP]);

	*ret =
	    (struct uuids){arena_array(c->a, LIM_LIST + 1, sizeof *ret->id), 0};
	TRY(arena_check(c->a));
	for (; j != NULL && ret->n < LIM_LIST; j = j->next)
		ret->id[ret->n++] = idp_map_group(j);
	return OK;
}

static bool
maps(const struct idp_config *cfg, const struct json *item)
{
	const struct json *j = json_first(cfg->v[IDP_C_MAP]);
	struct uuid g = idp_map_group(item), h;

	for (; j != NULL; j = j->next) {
		h = idp_map_group(j);
		if (uuid_eq(&g, &h) &&
		    str_eq(idp_map_value(j), idp_map_value(item)))
			return true;
	}
	return false;
}

/* Each pair that was not mapped before: there is such a group, and the caller
 * may let people into it. */
static err
may_map(struct call *c, const struct idp_config *old,
    const struct idp_config *new)
{
	for (const struct json *j = json_first(new->v[IDP_C_MAP]); j != NULL;
	     j = j->next) {
		struct uuid g = idp_map_group(j);

		if (maps(old, j))
			continue;
		if (world_group(call_world(c), &g) == NULL)
			return call_bad(c, E_INVALID,
			    "config.group_map: there is no such group");
		TRY(may_join(c, &g));
	}
	return OK;
}

/* ---- making and changing: the second half ---- */

static err
text_of(struct call *c, const struct idp_config *cfg, struct str *ret)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, c->a, LIM_BODY);
	jw_init(&w, &b);
	idp_config_write(&w, cfg);
	*ret = buf_view(&b);
	return buf_check(&b);
}

static err
name_is_free(struct call *c, struct str name)
{
	struct uuid u;

	if (uuid_parse(name, &u))
		return call_bad(c, E_INVALID, "name: not in the form of an id");
	if (world_idp_name(call_world(c), name) != NULL)
		return call_bad(c, E_EXISTS, "name: a provider has it already");
	return OK;
}

static err
says_issuer(struct arena *scratch, const struct idp *p, struct str issuer,
    bool *ret)
{
	struct idp_config cfg;

	TRY(idp_config_open(scratch, p->kind, p->config, &cfg));
	*ret = str_eq(idp_config_text(&cfg, IDP_C_ISSUER), issuer);
	arena_reset(scratch);
	return OK;
}

/* An access token says by its issuer whose it is, so there is one of each. */
static err
issuer_is_free(struct call *c, const struct idp_config *cfg,
    const struct uuid *self)
{
	const struct object *const *o;
	struct arena scratch;
	bool taken = false;
	err e = OK;
	size_t n;

	o = world_objects(call_world(c), OBJECT_IDP, &n);
	arena_init(&scratch, LIM_ARENA);
	for (size_t i = 0; i < n && cfg->kind == IDP_OAUTH; i++) {
		const struct idp *p = (const struct idp *)o[i];

		if (!str_is(p->kind, "oauth") || uuid_eq(self, &p->o.id))
			continue;
		e = says_issuer(&scratch, p, idp_config_text(cfg, IDP_C_ISSUER),
		    &taken);
		if (!err_ok(e) || taken)
			break;
	}
	arena_done(&scratch);
	if (taken)
		return call_bad(c, E_EXISTS,
		    "config.issuer: a provider has it already");
	return e;
}

err
route_idp_create(struct call *c)
{
	const struct ready *r = c->prepared;
	static const struct idp_config nothing;
	struct idp i = {0};

	if (c->slow)
		return first_create(c);
	i.name = body_text(c, "name", STR(""));
	i.kind = str_c(idp_kind_text(r->config.kind));
	i.disabled = !body_flag(c, "enabled", true);
	i.created_by.u = c->actor->id;
	TRY(name_is_free(c, i.name));
	TRY(issuer_is_free(c, &r->config, &i.o.id));
	TRY(room_for(c, OBJECT_IDP, LIM_IDPS));
	TRY(may_map(c, &nothing, &r->config));
	TRY(text_of(c, &r->config, &i.config));
	admin_new(c, OBJECT_IDP, 0, &i.o);
	TRY(admin_put(c, &i.o));
	c->rec.body = c->req->body;
	call_touch(c, "identity_provider", &i.o.id);
	return answer_created(c, "/v1/identity-providers", &i.o, render);
}

/* What a change ends at once: sessions of a provider that is disabled,
 * memberships that are not mapped any more. */
static err
ends(struct call *c, const struct idp *i, const struct ready *r)
{
	struct uuid id = i->o.id;
	struct uuids keep;

	if (i->disabled)
		TRY(drop_sessions_of_idp(c, &id));
	if (!r->changed)
		return OK;
	TRY(mapped(c, &r->config, &keep));
	return account_trim_all(c, &id, &keep);
}

err
route_idp_patch(struct call *c)
{
	const struct ready *r = c->prepared;
	const struct idp *old;
	struct idp i;

	if (c->slow)
		return first_patch(c);
	TRY(find(c, &old));
	TRY(call_match(c, old->o.version));
	if (old->o.version != r->version)
		return err_of(E_CONFLICT);
	TRY(issuer_is_free(c, &r->config, &old->o.id));
	TRY(may_map(c, &r->old, &r->config));
	if (idp_config_trust_differs(&r->old, &r->config))
		TRY(may_become_all_of(c, &old->o.id));
	i = *old;
	i.name = arena_dup(c->a, old->name);
	i.kind = str_c(idp_kind_text(r->config.kind));
	i.disabled = !body_flag(c, "enabled", !old->disabled);
	if (i.disabled)
		TRY(policy_spares(c, &i.o.id));
	TRY(text_of(c, &r->config, &i.config));
	admin_touch(c, &i.o);
	TRY(admin_put(c, &i.o));
	TRY(ends(c, &i, r));
	c->rec.body = c->req->body;
	return answer_object(c, 200, &i.o, render);
}

err
route_idp_delete(struct call *c)
{
	const struct idp *i;
	struct uuid id;

	TRY(find(c, &i));
	TRY(call_match(c, i->o.version));
	id = i->o.id;
	TRY(policy_spares(c, &id));
	TRY(account_unlink_all(c, &id));
	TRY(admin_remove(c, OBJECT_IDP, &id));
	answer_empty(c, 204);
	return OK;
}
