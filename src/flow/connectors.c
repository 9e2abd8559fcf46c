/* connectors.c: see connectors.h. */
#include "flow/connectors.h"

#include "base/limits.h"
#include "flow/connector_care.h"
#include "flow/secrets.h"

enum { DAY_MS = 86400000 };

#define REFUSE(t, ...) (trail_set((t), __VA_ARGS__), err_of(E_CONNECTOR))

err
connector_open(struct arena *a, struct str document, struct trail *t,
    struct connector *ret)
{
	const struct json *j;

	TRY(json_parse(a, document, &connector_limits, t, &j));
	return connector_parse(a, j, t, ret);
}

static err
has_credential(const struct world *w, const struct connector_object *o,
    struct trail *t)
{
	struct secret_user by = {.connector = o->slug};
	err e;

	if (o->secret.n == 0)
		return OK;
	e = secret_refers(w, o->o.project, o->secret, &by, t);
	if (err_ok(e) && o->kind == CONNECTOR_VAULT &&
	    world_secret_name(w, o->o.project, o->secret)->external.n > 0)
		return REFUSE(t,
		    "the credential of a secret manager must lie here, and "
		    "%.*s does not",
		    STR_ARG(o->secret));
	if (err_is(e, E_NOT_FOUND) || err_is(e, E_SECRET))
		return REFUSE(t, "its secret %.*s is not there",
		    STR_ARG(o->secret));
	return e;
}

/* What must hold now, whatever its state. */
static err
holds(const struct world *w, const struct connector_object *o, int64_t now,
    struct trail *t)
{
	if (o->expires <= now)
		return REFUSE(t, "connector %.*s has expired",
		    STR_ARG(o->slug));
	if (connector_kind_messages((enum connector_kind)o->kind) &&
	    !world_policy(w)->messaging)
		return REFUSE(t,
		    "connector %.*s reaches people, which the organization's "
		    "policy does not allow (messaging)",
		    STR_ARG(o->slug));
	return has_credential(w, o, t);
}

err
connector_ready(const struct world *w, const struct connector_object *o,
    int64_t now, struct trail *t)
{
	if (o->expires - now > (int64_t)LIM_CONNECTOR_DAYS * DAY_MS)
		return REFUSE(t, "expires_at: at most %d days from now",
		    LIM_CONNECTOR_DAYS);
	return holds(w, o, now, t);
}

err
connector_usable(const struct world *w, uint32_t project, struct str slug,
    int64_t now, struct trail *t, struct connector_use *ret)
{
	const struct connector_object *o =
	    world_connector_slug(w, project, slug);

	if (o == NULL) {
		trail_set(t, "there is no connector %.*s", STR_ARG(slug));
		return err_of(E_NOT_FOUND);
	}
	if (o->state != CONNECTOR_APPROVED)
		return REFUSE(t, "connector %.*s is %s", STR_ARG(slug),
		    connector_state_text(o->state));
	TRY(holds(w, o, now, t));
	*ret = (struct connector_use){
	    .object = o,
	    .document = o->document,
	    .approval = o->approval,
	};
	BUG_ON(o->digest.n >= sizeof ret->digest);
	memcpy(ret->digest, o->digest.p, o->digest.n);
	return OK;
}

err
connector_refers(struct arena *a, const struct world *w, uint32_t project,
    struct str slug, struct str action, const struct json *params,
    struct trail *t)
{
	const struct connector_object *o =
	    world_connector_slug(w, project, slug);
	const struct connector_action *act;
	struct connector c;

	if (o == NULL) {
		trail_set(t, "there is no connector %.*s", STR_ARG(slug));
		return err_of(E_NOT_FOUND);
	}
	if (o->state == CONNECTOR_REVOKED)
		return REFUSE(t, "connector %.*s is revoked", STR_ARG(slug));
	if (action.n == 0)
		return OK;
	TRY(connector_open(a, o->document, t, &c));
	act = connector_action(&c, action);
	if (act == NULL) {
		trail_set(t, "connector %.*s has no action %.*s", STR_ARG(slug),
		    STR_ARG(action));
		return err_of(E_INVALID);
	}
	return params == NULL ? OK : connector_check_params(act, params, t);
}
