/*
 * retention.h: how long what is kept, as the policy and the projects say it.
 */
#ifndef ACCESS_RETENTION_H
#define ACCESS_RETENTION_H

#include "base/str.h"

enum retention_class {
#define RETENTION(id, name, days, from) RETAIN_##id,
#include "access/retention.def"
#undef RETENTION
	RETENTION_CLASSES
};
enum { RETAIN_FOR_EVER = -1 };

struct retention_rule {
	bool
	    set; /* else the next one counts: the organization's, the default */
	uint32_t days;
	uint32_t min_days; /* nobody sets fewer */
	int64_t locked;	   /* until then it does not become shorter; 0: not */
};

const char *retention_class_text(enum retention_class k);
bool retention_class_parse(struct str s, enum retention_class *ret);

struct world;
/* Days, or RETAIN_FOR_EVER; the stricter of the organization's and the
 * project's (0: the organization's own data). */
int64_t retention_days(const struct world *w, uint32_t project,
    enum retention_class k);
/* Who said so: "project", "organization" or "default". */
const char *retention_by(const struct world *w, uint32_t project,
    enum retention_class k);

#endif
