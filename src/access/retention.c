/* retention.c: see retention.h. */
#include "access/retention.h"

#include "access/world.h"

static const struct {
	struct str name;
	int64_t days;
} classes[RETENTION_CLASSES] = {
#define RETENTION(id, name, days, from) {{name, sizeof(name) - 1}, days},
#include "access/retention.def"
#undef RETENTION
};

const char *
retention_class_text(enum retention_class k)
{
	return k < RETENTION_CLASSES ? classes[k].name.p : "";
}

bool
retention_class_parse(struct str s, enum retention_class *ret)
{
	for (unsigned k = 0; k < RETENTION_CLASSES; k++)
		if (str_eq(s, classes[k].name)) {
			*ret = (enum retention_class)k;
			return true;
		}
	return false;
}

static const struct retention_rule *
of_project(const struct world *w, uint32_t project, enum retention_class k)
{
	const struct project *p = world_project(w, project);

	return p != NULL && p->retention[k].set ? &p->retention[k] : NULL;
}

int64_t
retention_days(const struct world *w, uint32_t project, enum retention_class k)
{
	const struct retention_rule *org = &world_policy(w)->retention[k];
	const struct retention_rule *own = of_project(w, project, k);
	int64_t days = org->set ? (int64_t)org->days : classes[k].days;

	if (own != NULL && (days == RETAIN_FOR_EVER || own->days < days))
		days = own->days;
	if (org->set && days < (int64_t)org->min_days)
		days = org->min_days;
	return days;
}

const char *
retention_by(const struct world *w, uint32_t project, enum retention_class k)
{
	const struct retention_rule *org = &world_policy(w)->retention[k];
	const struct retention_rule *own = of_project(w, project, k);

	if (own != NULL && own->days == retention_days(w, project, k) &&
	    !(org->set && org->days == own->days))
		return "project";
	return org->set ? "organization" : "default";
}
