#include "access/shelf.h"

#include <stddef.h>

#include "base/limits.h"
#include "base/mem.h"

struct cell {
	atomic_uint refs;
	_Alignas(16) char data[];
};

/* Where the next piece of a cell goes; measuring when p is NULL. */
struct packer {
	char *p;
	size_t n;
};

static struct cell *
cell_of(struct object *o)
{
	return (struct cell *)(void *)((char *)o - offsetof(struct cell, data));
}

void
cell_ref(struct object *o)
{
	atomic_fetch_add_explicit(&cell_of(o)->refs, 1, memory_order_relaxed);
}

/* Secrets kept in clear leave nothing behind: the text lies in the cell, which
 * nobody else has any more. */
static void
wipe(struct object *o)
{
	const struct integration *i = (const struct integration *)o;
	struct cell *c = cell_of(o);

	if (o->kind == OBJECT_INTEGRATION && i->secrets.n > 0)
		mem_wipe(c->data + (i->secrets.p - c->data), i->secrets.n);
}

void
cell_unref(struct object *o)
{
	struct cell *c;

	if (o == NULL)
		return;
	c = cell_of(o);
	if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	wipe(o);
	mem_free(c);
}

/* Copy n bytes behind what is there; NULL while measuring. */
static void *
pack(struct packer *k, const void *src, size_t n)
{
	char *at = k->p == NULL ? NULL : k->p + k->n;

	if (at != NULL && n > 0)
		memcpy(at, src, n);
	k->n += (n + 15) & ~(size_t)15;
	return at;
}

static void
pack_str(struct packer *k, struct str *s)
{
	char *at = pack(k, s->p, s->n);

	if (at != NULL)
		s->p = at;
}

static void
pack_strs(struct packer *k, const struct str **list, size_t n)
{
	struct str *copy = pack(k, *list, n * sizeof **list);

	for (size_t i = 0; i < n; i++) {
		struct str s = (*list)[i];

		pack_str(k, &s);
		if (copy != NULL)
			copy[i] = s;
	}
	if (k->p != NULL)
		*list = copy;
}

static void
pack_token(struct packer *k, struct token *t)
{
	void *projects;

	pack_str(k, &t->name);
	projects = pack(k, t->projects, t->projects_n * sizeof *t->projects);
	if (k->p != NULL)
		t->projects = projects;
	pack_strs(k, &t->cidrs, t->cidrs_n);
}

static void
pack_integration(struct packer *k, struct integration *i)
{
	pack_str(k, &i->name);
	pack_str(k, &i->template);
	pack_str(k, &i->auth);
	pack_str(k, &i->secrets);
	pack_str(k, &i->mapping);
}

static void
pack_idp(struct packer *k, struct idp *i)
{
	pack_str(k, &i->name);
	pack_str(k, &i->kind);
	pack_str(k, &i->config);
}

static void
pack_identity(struct packer *k, struct identity *i)
{
	void *groups;

	pack_str(k, &i->issuer);
	pack_str(k, &i->subject);
	pack_str(k, &i->label);
	pack_str(k, &i->user_name);
	pack_str(k, &i->external);
	groups = pack(k, i->groups, i->groups_n * sizeof *i->groups);
	if (k->p != NULL)
		i->groups = groups;
}

static void
pack_session(struct packer *k, struct session *s)
{
	pack_str(k, &s->method);
	pack_str(k, &s->address);
	pack_str(k, &s->agent);
	pack_str(k, &s->idp_session);
	pack_str(k, &s->name_id);
}

static void
pack_resource_group(struct packer *k, struct resource_group *g)
{
	void *ids;

	pack_str(k, &g->name);
	pack_strs(k, &g->services, g->services_n);
	pack_strs(k, &g->environments, g->environments_n);
	pack_strs(k, &g->kinds, g->kinds_n);
	pack_strs(k, &g->labels, g->labels_n);
	ids = pack(k, g->ids, g->ids_n * sizeof *g->ids);
	if (k->p != NULL)
		g->ids = ids;
}

static void
pack_break_glass(struct packer *k, struct break_glass *g)
{
	pack_str(k, &g->role);
	pack_str(k, &g->reason);
	pack_str(k, &g->note);
}

static void
pack_delegate(struct packer *k, struct delegate *d)
{
	pack_str(k, &d->name);
	pack_str(k, &d->labels);
	pack_str(k, &d->version);
	pack_str(k, &d->host);
	pack_str(k, &d->doctor);
}

static void
pack_connector(struct packer *k, struct connector_object *c)
{
	void *editors;

	pack_str(k, &c->slug);
	pack_str(k, &c->name);
	pack_str(k, &c->document);
	pack_str(k, &c->digest);
	pack_str(k, &c->secret);
	pack_str(k, &c->reason);
	editors = pack(k, c->editors, c->editors_n * sizeof *c->editors);
	if (k->p != NULL)
		c->editors = editors;
}

static void
pack_secret(struct packer *k, struct secret_object *s)
{
	pack_str(k, &s->name);
	pack_str(k, &s->description);
	pack_str(k, &s->labels);
	pack_str(k, &s->external);
	pack_str(k, &s->versions);
	pack_strs(k, &s->runbooks, s->runbooks_n);
	pack_strs(k, &s->connectors, s->connectors_n);
}

static void
pack_runbook(struct packer *k, struct runbook_object *r)
{
	pack_str(k, &r->slug);
	pack_str(k, &r->name);
	pack_str(k, &r->context);
	pack_strs(k, &r->types, r->types_n);
}

union any {
	struct object o;
	struct project project;
	struct user user;
	struct service_account account;
	struct group group;
	struct role role;
	struct binding binding;
	struct token token;
	struct integration integration;
	struct idp idp;
	struct identity identity;
	struct credential credential;
	struct session session;
	struct policy policy;
	struct resource_group resource_group;
	struct break_glass break_glass;
	struct connector_object connector;
	struct secret_object secret;
	struct runbook_object runbook;
	struct trigger_object trigger;
	struct delegate delegate;
	struct freeze freeze;
	struct witness_object witness;
	struct hold hold;
	struct audit_filter audit_filter;
	struct audit_review audit_review;
	struct preferences preferences;
	struct policy_tests policy_tests;
};

/* Those that point to texts only. */
static void
pack_texts(struct packer *k, union any *u)
{
	if (u->o.kind == OBJECT_PREFERENCES) {
		pack_str(k, &u->preferences.document);
	} else if (u->o.kind == OBJECT_FREEZE) {
		pack_str(k, &u->freeze.reason);
	} else if (u->o.kind == OBJECT_TRIGGER) {
		pack_str(k, &u->trigger.name);
		pack_str(k, &u->trigger.config);
	} else if (u->o.kind == OBJECT_WITNESS) {
		pack_str(k, &u->witness.name);
		pack_str(k, &u->witness.key);
	} else if (u->o.kind == OBJECT_HOLD) {
		pack_str(k, &u->hold.name);
		pack_str(k, &u->hold.reason);
		pack_str(k, &u->hold.release_reason);
	} else if (u->o.kind == OBJECT_AUDIT_FILTER) {
		pack_str(k, &u->audit_filter.name);
		pack_str(k, &u->audit_filter.members);
	} else if (u->o.kind == OBJECT_AUDIT_REVIEW) {
		pack_str(k, &u->audit_review.note);
	} else {
		pack_str(k, &u->policy_tests.tests);
	}
}

/* Pack what u points to and turn its views into views of the copy. */
static void
pack_rest(struct packer *k, union any *u)
{
	void *members;

	switch (u->o.kind) {
	case OBJECT_PROJECT:
		pack_str(k, &u->project.slug);
		pack_str(k, &u->project.name);
		break;
	case OBJECT_USER:
		pack_str(k, &u->user.email);
		pack_str(k, &u->user.name);
		break;
	case OBJECT_SERVICE_ACCOUNT:
		pack_str(k, &u->account.name);
		break;
	case OBJECT_GROUP:
		pack_str(k, &u->group.name);
		members = pack(k, u->group.members,
		    u->group.members_n * sizeof *u->group.members);
		if (k->p != NULL)
			u->group.members = members;
		break;
	case OBJECT_ROLE:
		pack_str(k, &u->role.name);
		break;
	case OBJECT_BINDING:
		pack_str(k, &u->binding.role);
		pack_str(k, &u->binding.reason);
		break;
	case OBJECT_TOKEN:
		pack_token(k, &u->token);
		break;
	case OBJECT_INTEGRATION:
		pack_integration(k, &u->integration);
		break;
	case OBJECT_IDP:
		pack_idp(k, &u->idp);
		break;
	case OBJECT_IDENTITY:
		pack_identity(k, &u->identity);
		break;
	case OBJECT_CREDENTIAL:
		pack_str(k, &u->credential.name);
		pack_str(k, &u->credential.data);
		break;
	case OBJECT_SESSION:
		pack_session(k, &u->session);
		break;
	case OBJECT_POLICY:
		pack_strs(k, &u->policy.ip_allow, u->policy.ip_allow_n);
		break;
	case OBJECT_RESOURCE_GROUP:
		pack_resource_group(k, &u->resource_group);
		break;
	case OBJECT_BREAK_GLASS:
		pack_break_glass(k, &u->break_glass);
		break;
	case OBJECT_CONNECTOR:
		pack_connector(k, &u->connector);
		break;
	case OBJECT_SECRET:
		pack_secret(k, &u->secret);
		break;
	case OBJECT_RUNBOOK:
		pack_runbook(k, &u->runbook);
		break;
	case OBJECT_DELEGATE:
		pack_delegate(k, &u->delegate);
		break;
	case OBJECT_TRIGGER:
	case OBJECT_AUDIT_FILTER:
	case OBJECT_AUDIT_REVIEW:
	case OBJECT_PREFERENCES:
	case OBJECT_FREEZE:
	case OBJECT_WITNESS:
	case OBJECT_HOLD:
	case OBJECT_POLICY_TESTS:
		pack_texts(k, u);
		break;
	}
}

static size_t
size_of(enum object_kind kind)
{
	switch (kind) {
	case OBJECT_PROJECT:
		return sizeof(struct project);
	case OBJECT_USER:
		return sizeof(struct user);
	case OBJECT_SERVICE_ACCOUNT:
		return sizeof(struct service_account);
	case OBJECT_GROUP:
		return sizeof(struct group);
	case OBJECT_ROLE:
		return sizeof(struct role);
	case OBJECT_BINDING:
		return sizeof(struct binding);
	case OBJECT_TOKEN:
		return sizeof(struct token);
	case OBJECT_INTEGRATION:
		return sizeof(struct integration);
	case OBJECT_IDP:
		return sizeof(struct idp);
	case OBJECT_IDENTITY:
		return sizeof(struct identity);
	case OBJECT_CREDENTIAL:
		return sizeof(struct credential);
	case OBJECT_SESSION:
		return sizeof(struct session);
	case OBJECT_POLICY:
		return sizeof(struct policy);
	case OBJECT_RESOURCE_GROUP:
		return sizeof(struct resource_group);
	case OBJECT_BREAK_GLASS:
		return sizeof(struct break_glass);
	case OBJECT_CONNECTOR:
		return sizeof(struct connector_object);
	case OBJECT_SECRET:
		return sizeof(struct secret_object);
	case OBJECT_RUNBOOK:
		return sizeof(struct runbook_object);
	case OBJECT_TRIGGER:
		return sizeof(struct trigger_object);
	case OBJECT_DELEGATE:
		return sizeof(struct delegate);
	case OBJECT_AUDIT_FILTER:
		return sizeof(struct audit_filter);
	case OBJECT_AUDIT_REVIEW:
		return sizeof(struct audit_review);
	case OBJECT_PREFERENCES:
		return sizeof(struct preferences);
	case OBJECT_FREEZE:
		return sizeof(struct freeze);
	case OBJECT_WITNESS:
		return sizeof(struct witness_object);
	case OBJECT_HOLD:
		return sizeof(struct hold);
	case OBJECT_POLICY_TESTS:
		return sizeof(struct policy_tests);
	}
	return 0;
}

static bool
token_sane(const struct token *t)
{
	if (t->kind == '\0' || t->key_id[TOKEN_KEY_ID] != '\0')
		return false;
	if (strlen(t->key_id) != TOKEN_KEY_ID)
		return false;
	return t->expires > 0;
}

static bool
group_fits(const struct resource_group *g)
{
	return g->services_n <= LIM_LIST && g->environments_n <= LIM_LIST &&
	    g->kinds_n <= LIM_LIST && g->labels_n <= LIM_LIST &&
	    g->ids_n <= LIM_LIST;
}

static err
sane(const union any *u)
{
	bool good = true;

	switch (u->o.kind) {
	case OBJECT_PROJECT:
		good = u->o.project != 0 && u->project.slug.n > 0;
		break;
	case OBJECT_GROUP:
		if (u->group.members_n > LIM_GROUP_MEMBERS)
			return err_of(E_LIMIT);
		break;
	case OBJECT_ROLE:
		good = u->role.name.n > 0;
		break;
	case OBJECT_BINDING:
		good = u->binding.role.n > 0;
		break;
	case OBJECT_TOKEN:
		if (u->token.projects_n > LIM_LIST ||
		    u->token.cidrs_n > LIM_LIST)
			return err_of(E_LIMIT);
		good = token_sane(&u->token);
		break;
	case OBJECT_IDP:
		good = u->idp.name.n > 0 && u->idp.kind.n > 0;
		break;
	case OBJECT_CREDENTIAL:
		good = u->credential.kind >= CREDENTIAL_PASSWORD &&
		    u->credential.kind <= CREDENTIAL_RECOVERY;
		break;
	case OBJECT_SESSION:
		good = u->session.expires > 0;
		break;
	case OBJECT_POLICY:
		if (u->policy.ip_allow_n > LIM_LIST)
			return err_of(E_LIMIT);
		break;
	case OBJECT_RESOURCE_GROUP:
		if (!group_fits(&u->resource_group))
			return err_of(E_LIMIT);
		good = u->resource_group.name.n > 0;
		break;
	case OBJECT_BREAK_GLASS:
		good = u->break_glass.expires > 0;
		break;
	case OBJECT_CONNECTOR:
		if (u->connector.editors_n > LIM_LIST)
			return err_of(E_LIMIT);
		good = u->o.project != 0 && u->connector.slug.n > 0 &&
		    u->connector.state < CONNECTOR_STATES;
		break;
	case OBJECT_SECRET:
		if (u->secret.runbooks_n > LIM_LIST ||
		    u->secret.connectors_n > LIM_LIST)
			return err_of(E_LIMIT);
		good = u->o.project != 0 && u->secret.name.n > 0;
		break;
	case OBJECT_RUNBOOK:
		if (u->runbook.types_n > LIM_LIST)
			return err_of(E_LIMIT);
		good = u->o.project != 0 && u->runbook.slug.n > 0 &&
		    u->runbook.current <= u->runbook.latest;
		break;
	case OBJECT_TRIGGER:
		good = u->o.project != 0 && u->trigger.name.n > 0;
		break;
	case OBJECT_DELEGATE:
		good = u->o.project != 0 && u->delegate.name.n > 0 &&
		    u->delegate.state < DELEGATE_STATES &&
		    u->delegate.join_id[TOKEN_KEY_ID] == '\0';
		break;
	default:
		break;
	}
	return err_of(good ? E_OK : E_CORRUPT);
}

err
cell_new(const struct object *o, struct object **ret)
{
	size_t head = size_of(o->kind);
	struct packer k = {NULL, 0};
	union any u, scratch;
	struct cell *c;

	if (head == 0)
		return err_of(E_CORRUPT);
	memset(&u, 0, sizeof u);
	memcpy(&u, o, head);
	TRY(sane(&u));
	scratch = u;
	pack(&k, &scratch, head);
	pack_rest(&k, &scratch);
	c = mem_new(1, sizeof *c + k.n);
	if (c == NULL)
		return err_of(E_NO_MEMORY);
	atomic_init(&c->refs, 1);
	k = (struct packer){c->data, 0};
	pack(&k, &u, head);
	pack_rest(&k, &u);
	memcpy(c->data, &u, head);
	*ret = (struct object *)(void *)c->data;
	return OK;
}
