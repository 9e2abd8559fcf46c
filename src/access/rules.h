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
/* Is the binding not expired? */
bool rule_live(const struct binding *b, int64_t now);
/* Does a binding of this place give p in project? */
bool rule_reaches(const struct binding *b, enum permission p, uint32_t project);
/* All three, and its role has the permission. */
bool rule_allows(const struct world *w, const struct binding *b,
    enum permission p, uint32_t project, int64_t now);
/* What an integration may do without a binding: deliver, to its project. */
bool rule_own_ingest(const struct actor *who, enum permission p,
    uint32_t project);

#endif
