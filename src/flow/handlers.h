/* handlers.h: the handler of each row of routes.def. */
#ifndef FLOW_HANDLERS_H
#define FLOW_HANDLERS_H

#include "base/err.h"

struct call;
#define ROUTE(id, m, path, auth, perm, lane, audit, schema, set, params, tier) \
	err route_##id(struct call *c) MUST_USE;
#include "flow/routes.def"
#undef ROUTE
/* Of route_none and route_leak. */
err route_nothing(struct call *c) MUST_USE;
err route_revoke_leaked(struct call *c) MUST_USE;

#endif
