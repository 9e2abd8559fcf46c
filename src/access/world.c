#include "access/rights.h"

#include "base/limits.h"
#include "base/mem.h"

/* ---- building ---- */

struct world_builder {
	struct shelf *old[OBJECT_KINDS];
	struct rights *rights;
	struct change *changes[OBJECT_KINDS];
	size_t n[OBJECT_KINDS], cap[OBJECT_KINDS];
	size_t order;
	bool failed;
};

/* More changes than this in one build are a mistake of the caller. */
enum { CHANGES_MAX = 2 * LIM_ALL_TOKENS };

static atomic_uint_fast64_t versions;

static bool
kind_known(enum object_kind kind)
{
	return (unsigned)kind < OBJECT_KINDS && shelf_limit(kind) > 0;
}

err
world_builder_new(struct world_builder **ret)
{
	struct world_builder *b = mem_new(1, sizeof *b);

	if (b == NULL)
		return err_of(E_NO_MEMORY);
	*ret = b;
	return OK;
}

err
world_builder_from(const struct world *w, struct world_builder **ret)
{
	struct world_builder *b;

	TRY(world_builder_new(&b));
	for (size_t k = 0; k < OBJECT_KINDS; k++)
		b->old[k] = shelf_ref(w->shelf[k]);
	b->rights = rights_ref(w->rights);
	*ret = b;
	return OK;
}

static err
change_add(struct world_builder *b, enum object_kind kind,
    const struct uuid *id, struct object *obj)
{
	if (b->n[kind] == b->cap[kind]) {
		size_t cap = b->cap[kind] == 0 ? 8 : b->cap[kind] * 2;
		struct change *p;

		if (cap > CHANGES_MAX)
			return err_of(E_LIMIT);
		p = mem_grow(b->changes[kind], cap, sizeof *p);
		if (p == NULL)
			return err_of(E_NO_MEMORY);
		b->changes[kind] = p;
		b->cap[kind] = cap;
	}
	b->changes[kind][b->n[kind]++] = (struct change){*id, b->order++, obj};
	return OK;
}

err
world_builder_put(struct world_builder *b, const struct object *obj)
{
	struct object *o;
	err e;

	TRY(cell_new(obj, &o));
	e = change_add(b, o->kind, &o->id, o);
	if (!err_ok(e))
		cell_unref(o);
	return e;
}

void
world_builder_remove(struct world_builder *b, enum object_kind kind,
    const struct uuid *id)
{
	if (kind_known(kind) && !err_ok(change_add(b, kind, id, NULL)))
		b->failed = true; /* told by done */
}

static size_t
count(const struct world *w, enum object_kind kind)
{
	return w->shelf[kind] == NULL ? 0 : w->shelf[kind]->n;
}

static err
build(struct world_builder *b, struct world *w)
{
	if (b->failed)
		return err_of(E_NO_MEMORY);
	for (unsigned k = 0; k < OBJECT_KINDS; k++) {
		if (b->n[k] == 0)
			w->shelf[k] = shelf_ref(b->old[k]);
		else
			TRY(shelf_new((enum object_kind)k, b->old[k],
			    b->changes[k], b->n[k], &w->shelf[k]));
	}
	if (count(w, OBJECT_USER) + count(w, OBJECT_SERVICE_ACCOUNT) >
	    LIM_PRINCIPALS)
		return err_of(E_LIMIT);
	if (b->rights != NULL && b->n[OBJECT_BINDING] == 0 &&
	    b->n[OBJECT_ROLE] == 0 && b->n[OBJECT_RESOURCE_GROUP] == 0) {
		w->rights = rights_ref(b->rights);
		return OK;
	}
	return rights_new(w, &w->rights);
}

err
world_builder_done(struct world_builder *b, struct world **ret)
{
	struct world *w = mem_new(1, sizeof *w);
	err e = err_of(E_NO_MEMORY);

	if (w != NULL) {
		atomic_init(&w->refs, 1);
		e = build(b, w);
	}
	world_builder_free(b);
	if (!err_ok(e)) {
		world_unref(w);
		return e;
	}
	w->version = atomic_fetch_add(&versions, 1) + 1;
	*ret = w;
	return OK;
}

struct world_builder *
world_builder_free(struct world_builder *b)
{
	if (b == NULL)
		return NULL;
	for (size_t k = 0; k < OBJECT_KINDS; k++) {
		for (size_t i = 0; i < b->n[k]; i++)
			cell_unref(b->changes[k][i].obj);
		mem_free(b->changes[k]);
		shelf_unref(b->old[k]);
	}
	(void)rights_unref(b->rights);
	mem_free(b);
	return NULL;
}

struct world *
world_ref(struct world *w)
{
	atomic_fetch_add_explicit(&w->refs, 1, memory_order_relaxed);
	return w;
}

struct world *
world_unref(struct world *w)
{
	if (w == NULL)
		return NULL;
	if (atomic_fetch_sub_explicit(&w->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	for (size_t k = 0; k < OBJECT_KINDS; k++)
		shelf_unref(w->shelf[k]);
	(void)rights_unref(w->rights);
	mem_free(w);
	return NULL;
}

const struct rights *
world_rights(const struct world *w)
{
	return w->rights;
}

uint64_t
world_version(const struct world *w)
{
	return w->version;
}

/* ---- lookups ---- */

const struct project *
world_project(const struct world *w, uint32_t number)
{
	return (const struct project *)shelf_number(w->shelf[OBJECT_PROJECT],
	    number);
}

const struct project *
world_project_slug(const struct world *w, struct str s)
{
	return (const struct project *)shelf_text(OBJECT_PROJECT,
	    w->shelf[OBJECT_PROJECT], s);
}

const struct project *
world_project_id(const struct world *w, const struct uuid *id)
{
	return (const struct project *)shelf_id(w->shelf[OBJECT_PROJECT], id);
}

const struct user *
world_user(const struct world *w, const struct uuid *id)
{
	return (const struct user *)shelf_id(w->shelf[OBJECT_USER], id);
}

const struct user *
world_user_email(const struct world *w, struct str email)
{
	return (const struct user *)shelf_text(OBJECT_USER,
	    w->shelf[OBJECT_USER], email);
}

const struct service_account *
world_service_account(const struct world *w, const struct uuid *id)
{
	return (const struct service_account *)
	    shelf_id(w->shelf[OBJECT_SERVICE_ACCOUNT], id);
}

const struct group *
world_group(const struct world *w, const struct uuid *id)
{
	return (const struct group *)shelf_id(w->shelf[OBJECT_GROUP], id);
}

const struct role *
world_role(const struct world *w, struct str name)
{
	return (const struct role *)shelf_text(OBJECT_ROLE,
	    w->shelf[OBJECT_ROLE], name);
}

const struct role *
world_role_id(const struct world *w, const struct uuid *id)
{
	return (const struct role *)shelf_id(w->shelf[OBJECT_ROLE], id);
}

const struct binding *
world_binding(const struct world *w, const struct uuid *id)
{
	return (const struct binding *)shelf_id(w->shelf[OBJECT_BINDING], id);
}

const struct token *
world_token(const struct world *w, const struct uuid *id)
{
	return (const struct token *)shelf_id(w->shelf[OBJECT_TOKEN], id);
}

const struct token *
world_token_key(const struct world *w, const char key_id[TOKEN_KEY_ID])
{
	return shelf_key(w->shelf[OBJECT_TOKEN], key_id);
}

const struct idp *
world_idp(const struct world *w, const struct uuid *id)
{
	return (const struct idp *)shelf_id(w->shelf[OBJECT_IDP], id);
}

const struct idp *
world_idp_name(const struct world *w, struct str name)
{
	return (const struct idp *)shelf_text(OBJECT_IDP, w->shelf[OBJECT_IDP],
	    name);
}

const struct identity *
world_identity(const struct world *w, const struct uuid *id)
{
	return (const struct identity *)shelf_id(w->shelf[OBJECT_IDENTITY], id);
}

const struct identity *
world_identity_key(const struct world *w, const uint8_t key[DIGEST_SIZE])
{
	return (const struct identity *)shelf_digest(w->shelf[OBJECT_IDENTITY],
	    key);
}

const struct credential *
world_credential(const struct world *w, const struct uuid *id)
{
	return (
	    const struct credential *)shelf_id(w->shelf[OBJECT_CREDENTIAL], id);
}

const struct session *
world_session(const struct world *w, const struct uuid *id)
{
	return (const struct session *)shelf_id(w->shelf[OBJECT_SESSION], id);
}

const struct session *
world_session_key(const struct world *w, const uint8_t key[DIGEST_SIZE])
{
	return (
	    const struct session *)shelf_digest(w->shelf[OBJECT_SESSION], key);
}

const struct resource_group *
world_resource_group(const struct world *w, const struct uuid *id)
{
	return (const struct resource_group *)
	    shelf_id(w->shelf[OBJECT_RESOURCE_GROUP], id);
}

const struct resource_group *
world_resource_group_name(const struct world *w, struct str name)
{
	return (const struct resource_group *)shelf_text(OBJECT_RESOURCE_GROUP,
	    w->shelf[OBJECT_RESOURCE_GROUP], name);
}

const struct break_glass *
world_break_glass(const struct world *w, const struct uuid *id)
{
	return (
	    const struct break_glass *)shelf_id(w->shelf[OBJECT_BREAK_GLASS],
	    id);
}

const struct audit_filter *
world_audit_filter(const struct world *w, const struct uuid *id)
{
	return (
	    const struct audit_filter *)shelf_id(w->shelf[OBJECT_AUDIT_FILTER],
	    id);
}

const struct preferences *
world_preferences(const struct world *w, const struct uuid *user)
{
	return (
	    const struct preferences *)shelf_id(w->shelf[OBJECT_PREFERENCES],
	    user);
}

const struct audit_review *
world_audit_reviewed(const struct world *w)
{
	const struct shelf *s = w->shelf[OBJECT_AUDIT_REVIEW];
	const struct audit_review *last = NULL;

	for (size_t i = 0; s != NULL && i < s->n; i++) {
		const struct audit_review *r =
		    (const struct audit_review *)s->all[i];

		if (last == NULL || r->through > last->through)
			last = r;
	}
	return last;
}

const struct delegate *
world_delegate(const struct world *w, const struct uuid *id)
{
	return (const struct delegate *)shelf_id(w->shelf[OBJECT_DELEGATE], id);
}

const struct connector_object *
world_connector(const struct world *w, const struct uuid *id)
{
	return (
	    const struct connector_object *)shelf_id(w->shelf[OBJECT_CONNECTOR],
	    id);
}

const struct connector_object *
world_connector_slug(const struct world *w, uint32_t project, struct str slug)
{
	const struct shelf *s = w->shelf[OBJECT_CONNECTOR];

	for (size_t i = 0; s != NULL && i < s->n; i++) {
		const struct connector_object *c =
		    (const struct connector_object *)s->all[i];

		if (c->o.project == project && str_eq(c->slug, slug))
			return c;
	}
	return NULL;
}

const struct runbook_object *
world_runbook(const struct world *w, const struct uuid *id)
{
	return (const struct runbook_object *)shelf_id(w->shelf[OBJECT_RUNBOOK],
	    id);
}

const struct runbook_object *
world_runbook_slug(const struct world *w, uint32_t project, struct str slug)
{
	const struct shelf *s = w->shelf[OBJECT_RUNBOOK];

	for (size_t i = 0; s != NULL && i < s->n; i++) {
		const struct runbook_object *r =
		    (const struct runbook_object *)s->all[i];

		if (r->o.project == project && str_eq(r->slug, slug))
			return r;
	}
	return NULL;
}

const struct secret_object *
world_secret(const struct world *w, const struct uuid *id)
{
	return (
	    const struct secret_object *)shelf_id(w->shelf[OBJECT_SECRET], id);
}

const struct secret_object *
world_secret_name(const struct world *w, uint32_t project, struct str name)
{
	const struct shelf *s = w->shelf[OBJECT_SECRET];

	for (size_t i = 0; s != NULL && i < s->n; i++) {
		const struct secret_object *o =
		    (const struct secret_object *)s->all[i];

		if (o->o.project == project && str_eq(o->name, name))
			return o;
	}
	return NULL;
}

const struct trigger_object *
world_trigger(const struct world *w, const struct uuid *id)
{
	return (const struct trigger_object *)shelf_id(w->shelf[OBJECT_TRIGGER],
	    id);
}

const struct witness_object *
world_witness(const struct world *w, const struct uuid *id)
{
	return (const struct witness_object *)shelf_id(w->shelf[OBJECT_WITNESS],
	    id);
}

const struct freeze *
world_freeze(const struct world *w, uint32_t project)
{
	const struct shelf *s = w->shelf[OBJECT_FREEZE];

	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (s->all[i]->project == project)
			return (const struct freeze *)s->all[i];
	return NULL;
}

bool
world_frozen(const struct world *w, uint32_t project)
{
	return world_freeze(w, 0) != NULL || world_freeze(w, project) != NULL;
}

const struct hold *
world_hold(const struct world *w, const struct uuid *id)
{
	return (const struct hold *)shelf_id(w->shelf[OBJECT_HOLD], id);
}

const struct policy_tests *
world_policy_tests(const struct world *w)
{
	const struct shelf *s = w->shelf[OBJECT_POLICY_TESTS];

	return s == NULL || s->n == 0 ? NULL
				      : (const struct policy_tests *)s->all[0];
}

const struct policy *
world_policy(const struct world *w)
{
	static const struct policy defaults = {
	    .o = {.kind = OBJECT_POLICY},
	    .local_login = true,
	    .token_max_days = LIM_TOKEN_DAYS,
	    .session_idle_minutes = POLICY_IDLE_MINUTES,
	    .session_absolute_hours = POLICY_ABSOLUTE_HOURS,
	    .step_up_minutes = POLICY_STEP_UP_MINUTES,
	    .review_days = POLICY_REVIEW_DAYS,
	    .key_days = POLICY_KEY_DAYS,
	    .audit_review_days = POLICY_AUDIT_REVIEW_DAYS,
	    .key_seals = UINT32_MAX,
	    .witness_quorum = POLICY_WITNESS_QUORUM,
	    .witness_minutes = POLICY_WITNESS_MINUTES,
	};
	const struct shelf *s = w->shelf[OBJECT_POLICY];

	return s == NULL || s->n == 0 ? &defaults
				      : (const struct policy *)s->all[0];
}

const struct integration *
world_integration(const struct world *w, const struct uuid *id)
{
	return (
	    const struct integration *)shelf_id(w->shelf[OBJECT_INTEGRATION],
	    id);
}

const struct object *const *
world_objects(const struct world *w, enum object_kind kind, size_t *ret_n)
{
	static const struct object *const none[1];

	*ret_n = 0;
	if (!kind_known(kind) || count(w, kind) == 0)
		return none;
	*ret_n = w->shelf[kind]->n;
	return (const struct object *const *)w->shelf[kind]->all;
}

/* The span of id in a shelf; a place in its `many`. */
static const void *
many_of(const struct shelf *s, const struct uuid *id, size_t *ret_n)
{
	static const void *const none[1];
	const struct span *sp = s == NULL ? NULL : shelf_span(s, id);

	*ret_n = sp == NULL ? 0 : sp->n;
	return sp == NULL ? (const void *)none : s->many + sp->at;
}

const struct group *const *
world_groups_of(const struct world *w, const struct uuid *principal,
    size_t *ret_n)
{
	return many_of(w->shelf[OBJECT_GROUP], principal, ret_n);
}

const struct binding *const *
world_bindings_of(const struct world *w, const struct uuid *subject,
    size_t *ret_n)
{
	return many_of(w->shelf[OBJECT_BINDING], subject, ret_n);
}

const struct identity *const *
world_identities_of(const struct world *w, const struct uuid *user,
    size_t *ret_n)
{
	return many_of(w->shelf[OBJECT_IDENTITY], user, ret_n);
}

const struct credential *const *
world_credentials_of(const struct world *w, const struct uuid *user,
    size_t *ret_n)
{
	return many_of(w->shelf[OBJECT_CREDENTIAL], user, ret_n);
}

const struct session *const *
world_sessions_of(const struct world *w, const struct uuid *user, size_t *ret_n)
{
	return many_of(w->shelf[OBJECT_SESSION], user, ret_n);
}
