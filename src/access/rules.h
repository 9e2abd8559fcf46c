/* rules.h: inside access only: the pieces of a decision, so that explaining
 * one asks exactly what deciding asked. */
#ifndef ACCESS_RULES_H
#define ACCESS_RULES_H

#include "access/access.h"

/* Where a permission is asked: the organization unless it is a project's. */
uint32_t rule_scope(enum permission p, uint32_t project);
bool rule_is_system(const struct actor *who);
/* Any credential will do: none is asked, or the handler asks later. */
static inline bool
rule_asks_none(enum permission p)
{
	return p == PERM_NONE || p == PERM_OBJECT;
}
/* RULE_ALLOW or the reason why the token stops it; NULL token: RULE_ALLOW. */
enum access_rule rule_ceiling(const struct token *tok, enum permission p,
    uint32_t project, int64_t now);
/* Has the binding begun, and not expired? */
bool rule_live(const struct binding *b, int64_t now);
/* Does a binding of this place give p in project? */
bool rule_reaches(const struct binding *b, enum permission p, uint32_t project);
/* Does it hold for some resources only? */
bool rule_is_narrow(const struct binding *b);
/* What such a binding gives without a resource: that the project is there,
 * and what is about oneself. */
struct permset rule_placeless(void);
/* Can it hold for anything? g: its resource group, or NULL. */
bool rule_holds_any(const struct binding *b, const struct resource_group *g);
/* Does it hold for the resource (NULL: none is asked about)? */
bool rule_holds(const struct binding *b, const struct resource_group *g,
    const struct resource *res);
/* All of it, and its role has the permission.  t->project is looked at as it
 * is: see rule_scope. */
bool rule_allows(const struct world *w, const struct binding *b,
    const struct target *t, uint32_t project, int64_t now);
/* RULE_NO_BINDING, or what allows, token, privacy and being disabled left
 * aside. */
enum access_rule rule_held(const struct actor *who, const struct target *t,
    int64_t now);
/* What an integration may do without a binding: deliver, to its project. */
bool rule_own_ingest(const struct actor *who, enum permission p,
    uint32_t project);
/* What a delegate may do without a binding, and nothing else: its work. */
bool rule_own_work(const struct actor *who, enum permission p,
    uint32_t project);

#endif
