/* What a world knows of a principal or a role by its name or number. */
#include "access/world.h"

static const struct str kinds[] = {
    [PRINCIPAL_USER] = {"user", 4},
    [PRINCIPAL_SERVICE_ACCOUNT] = {"service_account", 15},
    [PRINCIPAL_INTEGRATION] = {"integration", 11},
    [PRINCIPAL_SYSTEM] = {"system", 6},
    [PRINCIPAL_ANONYMOUS] = {"anonymous", 9},
    [PRINCIPAL_GROUP] = {"group", 5},
    [PRINCIPAL_DELEGATE] = {"delegate", 8},
};

const char *
delegate_state_text(enum delegate_state s)
{
	static const char *const text[DELEGATE_STATES] = {
	    [DELEGATE_SLOT] = "slot",
	    [DELEGATE_PENDING] = "pending",
	    [DELEGATE_APPROVED] = "approved",
	    [DELEGATE_REVOKED] = "revoked",
	};

	return s < DELEGATE_STATES ? text[s] : "";
}

const char *
connector_state_text(enum connector_state s)
{
	static const char *const text[CONNECTOR_STATES] = {
	    [CONNECTOR_DRAFT] = "draft",
	    [CONNECTOR_PENDING] = "pending",
	    [CONNECTOR_APPROVED] = "approved",
	    [CONNECTOR_SUSPENDED] = "suspended",
	    [CONNECTOR_REVOKED] = "revoked",
	};

	return s < CONNECTOR_STATES ? text[s] : "";
}

const char *
principal_kind_text(enum principal_kind k)
{
	return k >= PRINCIPAL_USER && k <= PRINCIPAL_DELEGATE ? kinds[k].p : "";
}

bool
principal_kind_parse(struct str s, enum principal_kind *ret)
{
	for (unsigned k = PRINCIPAL_USER; k <= PRINCIPAL_DELEGATE; k++)
		if (str_eq(s, kinds[k])) {
			*ret = (enum principal_kind)k;
			return true;
		}
	return false;
}

static struct str
user_name(const struct user *u)
{
	if (u == NULL)
		return STR("");
	return u->name.n > 0 ? u->name : u->email;
}

struct str
world_principal_name(const struct world *w, enum principal_kind kind,
    const struct uuid *id)
{
	const struct service_account *sa;
	const struct integration *in;
	const struct delegate *d;
	const struct group *g;

	switch (kind) {
	case PRINCIPAL_USER:
		return user_name(world_user(w, id));
	case PRINCIPAL_SERVICE_ACCOUNT:
		sa = world_service_account(w, id);
		return sa == NULL ? STR("") : sa->name;
	case PRINCIPAL_INTEGRATION:
		in = world_integration(w, id);
		return in == NULL ? STR("") : in->name;
	case PRINCIPAL_GROUP:
		g = world_group(w, id);
		return g == NULL ? STR("") : g->name;
	case PRINCIPAL_DELEGATE:
		d = world_delegate(w, id);
		return d == NULL ? STR("") : d->name;
	case PRINCIPAL_SYSTEM:
		return STR("system");
	case PRINCIPAL_ANONYMOUS:
		break;
	}
	return STR("");
}

bool
world_principal_live(const struct world *w, enum principal_kind kind,
    const struct uuid *id)
{
	const struct service_account *sa;
	const struct integration *in;
	const struct delegate *d;
	const struct user *u;

	switch (kind) {
	case PRINCIPAL_USER:
		u = world_user(w, id);
		return u != NULL && !u->disabled;
	case PRINCIPAL_SERVICE_ACCOUNT:
		sa = world_service_account(w, id);
		return sa != NULL && !sa->disabled;
	case PRINCIPAL_INTEGRATION:
		in = world_integration(w, id);
		return in != NULL && !in->disabled;
	case PRINCIPAL_GROUP:
		return world_group(w, id) != NULL;
	case PRINCIPAL_DELEGATE:
		d = world_delegate(w, id);
		return d != NULL && d->state == DELEGATE_APPROVED;
	case PRINCIPAL_SYSTEM:
		return true;
	case PRINCIPAL_ANONYMOUS:
		break;
	}
	return false;
}

bool
world_role_perms(const struct world *w, struct str role, struct permset *ret)
{
	const struct role *custom;
	enum builtin_role r;

	if (role_parse(role, &r)) {
		*ret = role_perms(r);
		return true;
	}
	custom = world_role(w, role);
	if (custom == NULL)
		return false;
	*ret = custom->perms;
	return true;
}
