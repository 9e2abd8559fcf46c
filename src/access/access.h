/*
 * access.h: may they?  One pure decision function; no I/O, no clock.
 *
 *	effective right = token's scopes ∩ its owner's live bindings
 *
 * Only two things deny: the token's ceiling and a private incident one is
 * no member of.  Everything else is additive, so the order of bindings never
 * matters.  A decision can always say why.
 *
 * Only this module makes a `struct grant`; domain functions demand one.
 */
#ifndef ACCESS_ACCESS_H
#define ACCESS_ACCESS_H

#include "access/world.h"

/*
 * Who is asking.  Only auth/actor.c makes one (from a credential it has
 * checked); everybody else may look.
 */
struct actor {
	enum principal_kind kind;
	struct uuid id;
	struct str name; /* display name */
	/* One of the two; both NULL: the system, or a principal being
	 * explained.  A session may all that its user may. */
	const struct token *token;
	const struct session *session;
	const struct world *world; /* the snapshot it was made from */
	struct str address;
};

struct resource_label {
	struct str name, value;
};

/* What a resource group may look at.  Views only; the maker knows the text. */
struct resource {
	enum resource_type type;
	uint32_t project;
	struct uuid id;
	struct uuid incident; /* of an alert: the one it is attached to */
	int severity;	      /* of an incident, else -1 */
	struct str kind;      /* of an incident: its type; empty: none */
	const struct str *services, *environments;
	size_t services_n, environments_n;
	const struct resource_label *labels;
	size_t labels_n;
};
/* Is it in the group? */
bool access_in_group(const struct resource_group *g, const struct resource *r);

/* What is asked for. */
struct target {
	enum permission perm;
	uint32_t project; /* 0 = the organization */
	/* Set when the resource is a private incident or hangs off one. */
	bool restricted;
	bool member; /* the asking principal is on its member list */
	/* The resource asked about; NULL: the place itself.  A binding with a
	 * resource group allows only on resources that are in it. */
	const struct resource *res;
	/* Or: some resource, which is looked at later. A grant that only such
	 * bindings give is narrow. */
	bool some;
};

enum access_rule {
	RULE_ALLOW,	 /* a binding allows */
	RULE_ALLOW_SELF, /* about oneself, needs no binding */
	RULE_PRINCIPAL_DISABLED,
	RULE_TOKEN_EXPIRED, /* or revoked, since it was checked */
	RULE_TOKEN_SCOPE,   /* token does not name the permission */
	RULE_TOKEN_PROJECT, /* token does not name the project */
	RULE_RESTRICTED,    /* private incident, not a member */
	RULE_NO_BINDING,
};
const char *access_rule_text(enum access_rule r); /* "token_scope", ... */

struct decision {
	bool allowed;
	bool narrow; /* for some resources only: see target.some */
	enum access_rule rule;
	const struct binding *binding; /* the one that allows, or NULL */
	const struct group *via;       /* group it came through, or NULL */
};

struct decision access_decide(const struct actor *who, const struct target *t,
    int64_t now);

/* A grant: proof that a decision was made and allowed. Opaque outside. */
struct grant;
/*
 * Decide and, when allowed, make a grant in the arena.  Otherwise
 * E_NOT_FOUND when who may not even see that the target exists, else
 * E_FORBIDDEN.  *ret_d is filled in either way.
 */
err access_grant(struct arena *a, const struct actor *who,
    const struct target *t, int64_t now, struct decision *ret_d,
    const struct grant **ret) MUST_USE;
const struct actor *grant_actor(const struct grant *g);
enum permission grant_perm(const struct grant *g);
uint32_t grant_project(const struct grant *g);
/* Is it for some resources only, and each must be asked about? */
bool grant_narrow(const struct grant *g);

/* All permissions of who in a project (0: organization-wide ones), without
 * those it has for some resources only. */
struct permset access_effective(const struct actor *who, uint32_t project,
    int64_t now);
/* Does who have perm in any project or the organization, be it for some
 * resources only? */
bool access_anywhere(const struct actor *who, enum permission perm,
    int64_t now);
/*
 * Would who have perm, one of the organization's, if its token were not
 * limited to projects, and is this one of them?  Then it may read the part
 * that is about the project.
 */
bool access_part(const struct actor *who, enum permission perm,
    uint32_t project, int64_t now);
/* May who do anything at all in the project? If not, it is not there. */
bool access_sees(const struct actor *who, uint32_t project, int64_t now);
/* The same without what it has by breaking glass: what it may hand on. */
struct permset access_own(const struct actor *who, uint32_t project,
    int64_t now);
/* What it has for some resources only, and not for all. */
struct permset access_narrow(const struct actor *who, uint32_t project,
    int64_t now);
/* Subjects to test member lists with: the principal, its groups and what it
 * has broken the glass of; at most max. */
enum { SUBJECT_PRINCIPAL = 1, SUBJECT_GROUP = 2, SUBJECT_GLASS = 3 };
struct access_subject {
	uint8_t kind;
	struct uuid id;
};
size_t access_subjects(const struct actor *who, int64_t now,
    struct access_subject *ret, size_t max);
/* Is it who, or a group who is in? */
bool access_is_subject(const struct actor *who, const struct uuid *subject);
/* The binding of a break-glass of who that is live now, after `after` (NULL:
 * the first); NULL when there is none. */
const struct binding *access_glass(const struct actor *who,
    const struct binding *after, int64_t now);

/*
 * Guards against climbing.  E_FORBIDDEN with a trail: one cannot grant a
 * role holding a permission one lacks in that scope (unless one holds
 * rbac.escalate; nobody is given `ingest`), nor edit a role bound to oneself,
 * nor widen a token beyond oneself, nor let somebody into a group that has
 * what one lacks, be it by hand or by mapping a provider's group to it.  What
 * one has by breaking glass or for some resources only cannot be handed on.
 * E_LAST_ADMIN: a change would leave no live org_admin binding (checked on
 * the world after the change).
 */
err access_may_map_group(const struct actor *who, const struct uuid *group,
    int64_t now, struct trail *t) MUST_USE;
err access_may_grant(const struct actor *who, struct permset perms,
    uint32_t project, int64_t now, struct trail *t) MUST_USE;
err access_may_edit_role(const struct actor *who, const struct role *r,
    struct trail *t) MUST_USE;
err access_has_admin(const struct world *after, int64_t now) MUST_USE;

/* ---- what a change changes ---- */

/* Could the two worlds decide differently, tokens, sessions and who is
 * disabled left aside? */
bool access_differs(const struct world *a, const struct world *b);
/* What a principal gains and loses in one place (0: the organization). */
struct access_change {
	enum principal_kind kind;
	struct uuid id;
	uint32_t project;
	struct permset gained, lost;
	struct permset some_gained, some_lost; /* for some resources only */
};
/*
 * By asking for everybody the change can touch, everywhere; at most max_pairs
 * principals times places, *ret_cut: there were more.
 */
err access_diff(struct arena *a, const struct world *before,
    const struct world *after, int64_t now, size_t max_pairs,
    struct access_change **ret, size_t *ret_n, bool *ret_cut) MUST_USE;

/*
 * Explain: the decision and each step that led to it, as the members
 * "allowed", "rule", "because" and "would_allow_if" of an open JSON object.
 * The last is a list of changes which, all made, turn a refusal; empty when
 * nothing would.
 */
struct jw;
void access_explain(struct jw *w, const struct actor *who,
    const struct target *t, int64_t now);

#endif
