/* oauth.c: see oauth.h. */
#include "flow/oauth.h"

#include "base/text.h"
#include "flow/handlers.h"

#define WELL_KNOWN "/.well-known/oauth-protected-resource"

/* The two resources, each with tokens of its own: all of this address, and
 * what agents ask of it. */
#define AGENTS "/mcp"

static bool
told(const struct lane *l, const struct issuer *i, const char *path)
{
	struct str a = i->audience, origin = str_c(l->state->origin_url);

	return a.n >= origin.n && str_eq(str_head(a, origin.n), origin) &&
	    str_is(str_skip(a, origin.n), path);
}

/* Is there a server whose tokens are for this resource? */
static err
any_told(struct lane *l, const char *path, bool *ret)
{
	TRY(issuers_refresh(&l->issuers, l->snap->world, l->snap->version));
	*ret = false;
	for (size_t i = 0; i < l->issuers.n; i++)
		*ret = *ret || told(l, &l->issuers.list[i], path);
	return OK;
}

static void
names(struct buf *b, struct permset set)
{
	bool some = false;

	for (enum permission p = 0; p < PERM_MAX_; p++) {
		if (!permset_has(&set, p))
			continue;
		buf_fmt(b, "%s%s", some ? " " : "", perm_text(p));
		some = true;
	}
}

/*
 * A stranger who asks when there is no such server learns what every address
 * tells that is not there.
 */
static err
resource(struct call *c, const char *path)
{
	struct lane *l = c->lane;
	struct permset all = permset_all();
	struct buf name;
	struct jw *w;
	bool any;

	TRY(any_told(l, path, &any));
	if (!any)
		return err_of(E_UNAUTHENTICATED);
	buf_init_on(&name, c->a, 512);
	buf_fmt(&name, "%s%s", l->state->origin_url, path);
	w = answer(c, 200);
	jw_obj(w);
	jw_kstr(w, "resource", buf_view(&name));
	jw_karr(w, "authorization_servers");
	for (size_t i = 0; i < l->issuers.n; i++)
		if (told(l, &l->issuers.list[i], path))
			jw_str(w, l->issuers.list[i].url);
	jw_arr_end(w);
	jw_karr(w, "scopes_supported");
	for (enum permission p = 0; p < PERM_MAX_; p++)
		if (permset_has(&all, p))
			jw_str(w, str_c(perm_text(p)));
	jw_arr_end(w);
	jw_karr(w, "bearer_methods_supported");
	jw_str(w, STR("header"));
	jw_arr_end(w);
	jw_kstr(w, "resource_name", STR("Redoubt"));
	jw_obj_end(w);
	return OK;
}

err
route_oauth_resource(struct call *c)
{
	return resource(c, "");
}

/* RFC 9728 3.1: the resource's path follows the well-known one. */
err
route_oauth_agents(struct call *c)
{
	return resource(c, AGENTS);
}

/* Which of the two was asked for. */
static const char *
resource_of(const struct call *c)
{
	struct str p = c->req->path, want = STR(AGENTS);

	return str_starts(p, want) && (p.n == want.n || p.p[want.n] == '/')
	    ? AGENTS
	    : "";
}

/* A 403 is about scopes when a token of somebody else's lacked one; then all
 * that were asked for on the way are named (RFC 6750 3.1). */
static bool
lacks_scope(const struct call *c, int status)
{
	return status == 403 && c->actor != NULL && c->actor->token != NULL &&
	    c->actor->token->kind == 'o' && !permset_empty(c->short_of);
}

struct str
oauth_challenge(struct call *c, int status)
{
	bool scope = lacks_scope(c, status), any = false;
	const char *path = resource_of(c);
	struct buf b;

	if (status != 401 && !scope)
		return STR("");
	buf_init_on(&b, c->a, 8192);
	buf_c(&b, "Bearer");
	if (scope) {
		buf_c(&b, " error=\"insufficient_scope\", scope=\"");
		names(&b, permset_or(c->asked, c->short_of));
		buf_c(&b, "\"");
	}
	if (err_ok(any_told(c->lane, path, &any)) && any)
		buf_fmt(&b, "%s resource_metadata=\"%s" WELL_KNOWN "%s\"",
		    scope ? "," : "", c->lane->state->origin_url, path);
	return buf_view(&b);
}
