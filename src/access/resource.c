/* Resource groups: which resources they hold (world.h). */
#include "access/rules.h"

static const struct str types[RESOURCE_TYPES] = {
    [RESOURCE_INCIDENT] = {"incident", 8},
    [RESOURCE_ALERT] = {"alert", 5},
    [RESOURCE_INTEGRATION] = {"integration", 11},
};

const char *
resource_type_text(enum resource_type t)
{
	return t < RESOURCE_TYPES ? types[t].p : "";
}

bool
resource_type_parse(struct str s, enum resource_type *ret)
{
	for (unsigned t = 0; t < RESOURCE_TYPES; t++)
		if (str_eq(s, types[t])) {
			*ret = (enum resource_type)t;
			return true;
		}
	return false;
}

static bool
has_selector(const struct resource_group *g)
{
	return g->severities != 0 || g->services_n > 0 ||
	    g->environments_n > 0 || g->kinds_n > 0 || g->labels_n > 0;
}

static bool
among(const struct str *list, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], s))
			return true;
	return false;
}

/* Does one list name something of the other?  A selector that is not there
 * is satisfied; has_selector sees to it that one is. */
static bool
meets(const struct str *wanted, size_t wanted_n, const struct str *has,
    size_t has_n)
{
	if (wanted_n == 0)
		return true;
	for (size_t i = 0; i < has_n; i++)
		if (among(wanted, wanted_n, has[i]))
			return true;
	return false;
}

static bool
has_label(const struct resource *r, struct str label)
{
	struct str name, value;

	if (!str_cut(label, '=', &name, &value))
		return false;
	for (size_t i = 0; i < r->labels_n; i++)
		if (str_eq(r->labels[i].name, name) &&
		    str_eq(r->labels[i].value, value))
			return true;
	return false;
}

static bool
selected(const struct resource_group *g, const struct resource *r)
{
	if (!has_selector(g))
		return false;
	if (g->severities != 0 &&
	    (r->severity < 0 || (g->severities >> r->severity & 1) == 0))
		return false;
	for (size_t i = 0; i < g->labels_n; i++)
		if (!has_label(r, g->labels[i]))
			return false;
	return meets(g->services, g->services_n, r->services, r->services_n) &&
	    meets(g->environments, g->environments_n, r->environments,
		r->environments_n) &&
	    meets(g->kinds, g->kinds_n, &r->kind, r->kind.n > 0);
}

bool
access_in_group(const struct resource_group *g, const struct resource *r)
{
	if ((g->types >> r->type & 1) == 0)
		return false;
	if (g->o.project != 0 && g->o.project != r->project)
		return false;
	for (size_t i = 0; i < g->ids_n; i++)
		if (uuid_eq(&g->ids[i], &r->id))
			return true;
	return selected(g, r);
}

/* ---- bindings that are limited to some ---- */

bool
rule_is_narrow(const struct binding *b)
{
	return !uuid_is_zero(&b->group) || !uuid_is_zero(&b->incident);
}

struct permset
rule_placeless(void)
{
	struct permset s = perm_self_set();

	permset_add(&s, PERM_PROJECT_VIEW);
	return s;
}

bool
rule_holds_any(const struct binding *b, const struct resource_group *g)
{
	if (!uuid_is_zero(&b->incident))
		return true;
	return g != NULL && g->types != 0 && (g->ids_n > 0 || has_selector(g));
}

bool
rule_holds(const struct binding *b, const struct resource_group *g,
    const struct resource *res)
{
	if (res == NULL)
		return false;
	if (!uuid_is_zero(&b->incident))
		return uuid_eq(&b->incident,
		    res->type == RESOURCE_ALERT ? &res->incident : &res->id);
	return g != NULL && access_in_group(g, res);
}
