/*
 * Why: the same questions that deciding asks, each with its answer.  Steps
 * are written for people and for machines: a name, ok, a sentence, and ids.
 */
#include "access/rules.h"

#include "base/json.h"

/* So many bindings are shown; the one that decided is among them. */
enum { SHOWN = 50 };

struct story {
	struct jw *w;
	const struct actor *who;
	const struct target *t;
	uint32_t project; /* where it is asked */
	int64_t now;
	const struct binding *decisive;
	unsigned shown;
};

static void
step(struct jw *w, const char *name, bool ok, const char *detail)
{
	jw_obj(w);
	jw_kstr(w, "step", str_c(name));
	jw_kbool(w, "ok", ok);
	jw_kstr(w, "detail", str_c(detail));
}

static void
step_only(struct jw *w, const char *name, bool ok, const char *detail)
{
	step(w, name, ok, detail);
	jw_obj_end(w);
}

static void
tell_id(struct jw *w, struct str name, const struct uuid *u)
{
	char t[UUID_TEXT + 1];

	uuid_text(u, t);
	jw_name(w, name);
	jw_str(w, str_of(t, UUID_TEXT));
}

static void
tell_principal(struct story *s)
{
	const struct actor *who = s->who;
	bool live = world_principal_live(who->world, who->kind, &who->id);

	step(s->w, "principal", live,
	    live ? "the principal exists and is not disabled"
		 : "the principal does not exist or is disabled");
	jw_kstr(s->w, "kind", str_c(principal_kind_text(who->kind)));
	tell_id(s->w, STR("id"), &who->id);
	jw_obj_end(s->w);
}

static const char *
ceiling_text(enum access_rule r)
{
	switch (r) {
	case RULE_TOKEN_EXPIRED:
		return "the token has expired or was revoked";
	case RULE_TOKEN_SCOPE:
		return "the token's scopes do not name the permission";
	case RULE_TOKEN_PROJECT:
		return "the token is limited to other projects";
	default:
		return "the token's scopes and projects admit it";
	}
}

static void
tell_token(struct story *s)
{
	const struct token *tok = s->who->token;
	enum access_rule r;

	if (tok == NULL)
		return;
	r = rule_ceiling(tok, s->t->perm, s->project, s->now);
	step(s->w, r == RULE_ALLOW ? "token" : access_rule_text(r),
	    r == RULE_ALLOW, ceiling_text(r));
	tell_id(s->w, STR("id"), &tok->o.id);
	jw_obj_end(s->w);
}

static void
tell_restricted(struct story *s)
{
	if (!s->t->restricted)
		return;
	step_only(s->w, "restricted", s->t->member,
	    s->t->member
		? "the principal is a member of the private incident"
		: "the incident is private and the principal no member of it");
}

static const char *
binding_text(const struct story *s, const struct binding *b)
{
	struct permset perms;

	if (!world_role_perms(s->who->world, b->role, &perms))
		return "the role does not exist";
	if (!permset_has(&perms, s->t->perm))
		return "the role does not have the permission";
	if (s->now < b->starts)
		return "the binding does not hold yet";
	if (!rule_live(b, s->now))
		return "the binding has expired";
	if (!rule_reaches(b, s->t->perm, s->project))
		return "the binding holds elsewhere";
	if (!rule_allows(s->who->world, b, s->t, s->project, s->now))
		return "the binding is for other resources";
	return "the binding allows it";
}

static void
tell_place(struct story *s, const struct binding *b)
{
	const struct project *p = world_project(s->who->world, b->o.project);

	jw_name(s->w, STR("project"));
	if (p == NULL)
		jw_null(s->w);
	else
		jw_str(s->w, p->slug);
}

static void
tell_binding(struct story *s, const struct binding *b, const struct group *via)
{
	bool ok = rule_allows(s->who->world, b, s->t, s->project, s->now);

	if (b != s->decisive && s->shown >= SHOWN)
		return;
	s->shown++;
	step(s->w, "binding", ok, binding_text(s, b));
	tell_id(s->w, STR("id"), &b->o.id);
	jw_kstr(s->w, "role", b->role);
	tell_place(s, b);
	jw_name(s->w, STR("group"));
	jw_str(s->w, via == NULL ? STR_NONE : via->name);
	jw_obj_end(s->w);
}

static void
tell_subject(struct story *s, const struct uuid *subject,
    const struct group *via)
{
	size_t n;
	const struct binding *const *b =
	    world_bindings_of(s->who->world, subject, &n);

	for (size_t i = 0; i < n; i++)
		tell_binding(s, b[i], via);
}

static void
tell_bindings(struct story *s)
{
	const struct group *const *g;
	size_t n;

	if (rule_asks_none(s->t->perm)) {
		step_only(s->w, "self", true, "a valid credential is enough");
		return;
	}
	if (rule_own_ingest(s->who, s->t->perm, s->project))
		step_only(s->w, "self", true,
		    "an integration may deliver to its own project");
	if (rule_own_work(s->who, s->t->perm, s->project))
		step_only(s->w, "self", true, "a delegate may do its work");
	tell_subject(s, &s->who->id, NULL);
	g = world_groups_of(s->who->world, &s->who->id, &n);
	for (size_t i = 0; i < n; i++)
		tell_subject(s, &g[i]->o.id, g[i]);
}

/* ---- what would have to change ---- */

/* A change, with its sentence: all of the list together allow. */
static void
advice(struct story *s, const char *what, const char *text)
{
	jw_obj(s->w);
	jw_kstr(s->w, "do", str_c(what));
	jw_kstr(s->w, "text", str_c(text));
}

/* Nothing makes a principal that is gone act, nor lets an integration do
 * more than deliver. */
static bool
possible(const struct story *s)
{
	const struct world *w = s->who->world;

	return (s->who->kind == PRINCIPAL_USER &&
		   world_user(w, &s->who->id) != NULL) ||
	    (s->who->kind == PRINCIPAL_SERVICE_ACCOUNT &&
		world_service_account(w, &s->who->id) != NULL);
}

static void
tell_project(struct story *s)
{
	const struct project *p = world_project(s->who->world, s->project);

	jw_kstr(s->w, "project", p == NULL ? STR_NONE : p->slug);
}

static void
advise_token(struct story *s)
{
	const struct token *tok = s->who->token;
	struct token fit;
	enum access_rule r;

	if (tok == NULL)
		return;
	fit = *tok;
	if (tok->revoked != 0 || s->now >= tok->expires) {
		advice(s, "new_token", "make another token: this one is over");
		tell_id(s->w, STR("token"), &tok->o.id);
		jw_obj_end(s->w);
		fit.revoked = 0;
		fit.expires = s->now + 1;
	}
	r = rule_ceiling(&fit, s->t->perm, s->project, s->now);
	if (r == RULE_TOKEN_SCOPE) {
		advice(s, "token_scope", "a token whose scopes name it");
		jw_kstr(s->w, "permission", str_c(perm_text(s->t->perm)));
		jw_obj_end(s->w);
		permset_add(&fit.scopes, s->t->perm);
		r = rule_ceiling(&fit, s->t->perm, s->project, s->now);
	}
	if (r != RULE_TOKEN_PROJECT)
		return;
	advice(s, "token_project",
	    s->project == 0 ? "a token that is not limited to projects"
			    : "a token that names the project, or none");
	tell_project(s);
	jw_obj_end(s->w);
}

/* The built-in role that gives least beside it. */
static struct str
least_role(enum permission p)
{
	struct str least = STR_NONE;
	int best = 129;

	for (unsigned r = 0; r < ROLE_MAX_; r++) {
		struct permset s = role_perms((enum builtin_role)r);
		int n =
		    __builtin_popcountll(s.w[0]) + __builtin_popcountll(s.w[1]);

		if (permset_has(&s, p) && n < best) {
			best = n;
			least = str_c(role_name((enum builtin_role)r));
		}
	}
	return least;
}

static void
advise_binding(struct story *s)
{
	struct str role = least_role(s->t->perm);

	advice(s, "bind",
	    role.n > 0 ? "a binding of this role"
		       : "a binding of a role with this permission");
	jw_kstr(s->w, "role", role);
	jw_kstr(s->w, "permission", str_c(perm_text(s->t->perm)));
	tell_project(s);
	jw_obj_end(s->w);
}

static void
advise(struct story *s)
{
	const struct actor *who = s->who;

	if (!world_principal_live(who->world, who->kind, &who->id)) {
		advice(s, "enable", "enable the principal");
		jw_obj_end(s->w);
	}
	advise_token(s);
	if (s->t->restricted && !s->t->member) {
		advice(s, "add_member",
		    "make the principal a member of the private incident");
		jw_obj_end(s->w);
	}
	if (rule_held(who, s->t, s->now) == RULE_NO_BINDING)
		advise_binding(s);
}

void
access_explain(struct jw *w, const struct actor *who, const struct target *t,
    int64_t now)
{
	struct decision d = access_decide(who, t, now);
	struct story s = {
	    .w = w,
	    .who = who,
	    .t = t,
	    .now = now,
	    .project = rule_scope(t->perm, t->project),
	    .decisive = d.binding,
	};

	jw_kbool(w, "allowed", d.allowed);
	jw_kstr(w, "rule", str_c(access_rule_text(d.rule)));
	jw_karr(w, "because");
	if (rule_is_system(who)) {
		step_only(w, "system", true, "the server itself");
	} else {
		tell_principal(&s);
		tell_token(&s);
		tell_restricted(&s);
		tell_bindings(&s);
	}
	if (d.rule == RULE_NO_BINDING)
		step_only(w, "no_binding", false,
		    "no binding gives the permission there");
	jw_arr_end(w);
	jw_karr(w, "would_allow_if");
	if (!d.allowed && possible(&s))
		advise(&s);
	jw_arr_end(w);
}
