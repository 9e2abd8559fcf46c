/* scim.c: what users and groups of SCIM share, and what a client asks first. */
#include "flow/scim.h"

#include <stdio.h>

#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"

#define CORE "urn:ietf:params:scim:schemas:core:2.0:"
#define API "urn:ietf:params:scim:api:messages:2.0:"

err
scim_provider(struct call *c, struct sso *ret)
{
	const struct idp *i = NULL;
	struct uuid id;

	if (uuid_parse(c->var[0], &id))
		i = world_idp(call_world(c), &id);
	if (i == NULL)
		i = world_idp_name(call_world(c), c->var[0]);
	if (i == NULL || i->disabled || str_is(i->kind, "oauth"))
		return err_of(E_NOT_FOUND);
	call_touch(c, "identity_provider", &i->o.id);
	return sso_open(c, i, ret);
}

const struct identity *
scim_identity(struct call *c, const struct sso *s, const struct uuid *user)
{
	const struct identity *const *i;
	size_t n;

	i = world_identities_of(call_world(c), user, &n);
	for (size_t k = 0; k < n; k++)
		if (uuid_eq(&i[k]->idp, &s->id))
			return i[k];
	return NULL;
}

err
scim_account(struct call *c, const struct sso *s, const struct identity **ret)
{
	struct uuid user;

	TRY(call_uuid(c, 1, &user));
	*ret = scim_identity(c, s, &user);
	if (*ret == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "user", &user);
	return OK;
}

/* ---- answers ---- */

struct jw *
scim_answer(struct call *c, int status)
{
	struct jw *w = answer(c, status);

	c->content_type = STR("application/scim+json");
	return w;
}

struct jw *
scim_list(struct call *c, const struct scim_query *q, size_t total,
    size_t shown)
{
	struct jw *w = scim_answer(c, 200);

	jw_obj(w);
	jw_karr(w, "schemas");
	jw_str(w, STR(API "ListResponse"));
	jw_arr_end(w);
	jw_ki64(w, "totalResults", (int64_t)total);
	jw_ki64(w, "startIndex", q->start);
	jw_ki64(w, "itemsPerPage", (int64_t)shown);
	jw_karr(w, "Resources");
	return w;
}

void
scim_list_end(struct jw *w)
{
	jw_arr_end(w);
	jw_obj_end(w);
}

void
scim_meta(struct call *c, struct jw *w, const char *type, const struct sso *s,
    const struct uuid *id, const struct object *o)
{
	char idp[UUID_TEXT + 1], text[UUID_TEXT + 1];
	struct buf b;

	uuid_text(&s->id, idp);
	uuid_text(id, text);
	buf_init_on(&b, c->a, 1024);
	buf_fmt(&b, "%s/scim/v2/%s/%ss/%s", c->lane->state->public_url, idp,
	    type, text);
	jw_name(w, STR("meta"));
	jw_obj(w);
	jw_kstr(w, "resourceType", str_c(type));
	jw_time(w, "created", o->created);
	jw_time(w, "lastModified", o->updated);
	jw_kstr(w, "location", buf_view(&b));
	jw_obj_end(w);
}

static const char *
scim_type(err e)
{
	switch ((enum err_code)e.code) {
	case E_EXISTS:
		return "uniqueness";
	case E_MISSING:
	case E_INVALID:
		return "invalidValue";
	case E_BAD_JSON:
	case E_BAD_UTF8:
	case E_DUPLICATE_KEY:
		return "invalidSyntax";
	case E_LIMIT:
		return "tooMany";
	default:
		return NULL;
	}
}

void
scim_problem(struct buf *b, err e, const char *detail, const char *request_id)
{
	char status[8];
	struct jw w;

	(void)snprintf(status, sizeof status, "%d", err_status(e));
	jw_init(&w, b);
	jw_obj(&w);
	jw_karr(&w, "schemas");
	jw_str(&w, STR(API "Error"));
	jw_arr_end(&w);
	jw_kstr(&w, "status", str_c(status));
	if (scim_type(e) != NULL)
		jw_kstr(&w, "scimType", str_c(scim_type(e)));
	jw_kstr(&w, "detail", str_c(detail[0] != '\0' ? detail : err_text(e)));
	/* and what every problem of ours has */
	jw_kstr(&w, "code", str_c(err_name(e)));
	jw_kstr(&w, "request_id", str_c(request_id));
	jw_obj_end(&w);
}

/* ---- what a client asks first ---- */

static void
feature(struct jw *w, const char *name, bool supported)
{
	jw_name(w, str_c(name));
	jw_obj(w);
	jw_kbool(w, "supported", supported);
	if (strcmp(name, "filter") == 0)
		jw_ki64(w, "maxResults", LIM_PAGE);
	if (strcmp(name, "bulk") == 0) {
		jw_ki64(w, "maxOperations", 0);
		jw_ki64(w, "maxPayloadSize", 0);
	}
	jw_obj_end(w);
}

err
route_scim_config(struct call *c)
{
	struct sso s;
	struct jw *w;

	TRY(scim_provider(c, &s));
	w = scim_answer(c, 200);
	jw_obj(w);
	jw_karr(w, "schemas");
	jw_str(w, STR(CORE "ServiceProviderConfig"));
	jw_arr_end(w);
	feature(w, "patch", true);
	feature(w, "bulk", false);
	feature(w, "filter", true);
	feature(w, "changePassword", false);
	feature(w, "sort", false);
	feature(w, "etag", true);
	jw_karr(w, "authenticationSchemes");
	jw_obj(w);
	jw_kstr(w, "type", STR("oauthbearertoken"));
	jw_kstr(w, "name", STR("API token"));
	jw_kstr(w, "description",
	    STR("A token of a service account with scim.sync"));
	jw_obj_end(w);
	jw_arr_end(w);
	jw_obj_end(w);
	return buf_check(&c->out);
}

static const char *const types[] = {"User", "Group"};

err
route_scim_types(struct call *c)
{
	struct scim_query q = {.start = 1};
	char text[128];
	struct sso s;
	struct jw *w;

	TRY(scim_provider(c, &s));
	w = scim_list(c, &q, 2, 2);
	for (size_t i = 0; i < 2; i++) {
		jw_obj(w);
		jw_karr(w, "schemas");
		jw_str(w, STR(CORE "ResourceType"));
		jw_arr_end(w);
		jw_kstr(w, "id", str_c(types[i]));
		jw_kstr(w, "name", str_c(types[i]));
		(void)snprintf(text, sizeof text, "/%ss", types[i]);
		jw_kstr(w, "endpoint", str_c(text));
		(void)snprintf(text, sizeof text, CORE "%s", types[i]);
		jw_kstr(w, "schema", str_c(text));
		jw_obj_end(w);
	}
	scim_list_end(w);
	return buf_check(&c->out);
}

static void
attribute(struct jw *w, const char *name, const char *type, bool many,
    bool required)
{
	jw_obj(w);
	jw_kstr(w, "name", str_c(name));
	jw_kstr(w, "type", str_c(type));
	jw_kbool(w, "multiValued", many);
	jw_kbool(w, "required", required);
	jw_kstr(w, "mutability", STR("readWrite"));
	jw_kstr(w, "returned", STR("default"));
	jw_obj_end(w);
}

err
route_scim_schemas(struct call *c)
{
	struct scim_query q = {.start = 1};
	struct sso s;
	struct jw *w;

	TRY(scim_provider(c, &s));
	w = scim_list(c, &q, 2, 2);
	jw_obj(w);
	jw_kstr(w, "id", STR(CORE "User"));
	jw_kstr(w, "name", STR("User"));
	jw_karr(w, "attributes");
	attribute(w, "userName", "string", false, true);
	attribute(w, "externalId", "string", false, false);
	attribute(w, "displayName", "string", false, false);
	attribute(w, "name", "complex", false, false);
	attribute(w, "emails", "complex", true, false);
	attribute(w, "active", "boolean", false, false);
	jw_arr_end(w);
	jw_obj_end(w);
	jw_obj(w);
	jw_kstr(w, "id", STR(CORE "Group"));
	jw_kstr(w, "name", STR("Group"));
	jw_karr(w, "attributes");
	attribute(w, "displayName", "string", false, true);
	attribute(w, "members", "complex", true, false);
	jw_arr_end(w);
	jw_obj_end(w);
	scim_list_end(w);
	return buf_check(&c->out);
}
