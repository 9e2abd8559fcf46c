/*
 * glass.h: breaking the glass.  Who may (breakglass.use) takes a role in a
 * project, or on one incident whether they are a member or not, for minutes
 * and for a reason.  It ends by itself, is seen by everybody who sees the
 * project, marks each audit entry made under it, and is reviewed by somebody
 * else.  Only admin code of flow writes it; access decides by the binding.
 */
#ifndef FLOW_GLASS_H
#define FLOW_GLASS_H

#include "flow/incident_view.h"

bool glass_live(const struct break_glass *g, int64_t now);
/* It ended more than LIM_GLASS_REVIEW_MS ago, and nobody has reviewed it. */
bool glass_overdue(const struct break_glass *g, int64_t now);
/* Member "break_glass" of an open object: what is broken for the incident, or
 * for its project, now. */
void glass_banner(struct call *c, struct jw *w, uint32_t project,
    const struct uuid *incident);
/* The caller's own, for whoami. */
void glass_own(struct call *c, struct jw *w);
/* The rows of members that are people's, first; how many. The rest are
 * sights by broken glass. */
size_t glass_last(struct subject *m, size_t n);

#endif
