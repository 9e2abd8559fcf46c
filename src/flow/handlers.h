/* handlers.h: the handler of each row of routes.def. */
#ifndef FLOW_HANDLERS_H
#define FLOW_HANDLERS_H

#include "base/err.h"

struct call;
#define FIRST_REACTOR(id)
#define FIRST_READER(id)
#define FIRST_WRITER(id)
#define FIRST_STREAM(id)
#define FIRST_TWICE(id) err first_##id(struct call *c) MUST_USE;
#define ROUTE(id, m, path, auth, perm, lane, audit, schema, set, params, tier) \
	err route_##id(struct call *c) MUST_USE;                               \
	FIRST_##lane(id)
#include "flow/routes.def"
#undef ROUTE
#undef FIRST_REACTOR
#undef FIRST_READER
#undef FIRST_WRITER
#undef FIRST_STREAM
#undef FIRST_TWICE
/* Of route_none and route_leak. */
err route_nothing(struct call *c) MUST_USE;
err route_revoke_leaked(struct call *c) MUST_USE;

#endif
