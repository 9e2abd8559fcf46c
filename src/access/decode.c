#include "access/decode_read.h"

/* A class that this server does not know is kept by what it knows. */
static void
get_retention(struct reader *r, struct retention_rule *ret)
{
	const struct json *j = member(r, STR("retention"));
	enum retention_class k;

	for (j = json_first(j); j != NULL; j = j->next) {
		struct reader one = {.a = r->a, .obj = j};

		if (!retention_class_parse(j->name, &k))
			continue;
		ret[k].set = true;
		ret[k].days = get_u32(&one, STR("days"));
		ret[k].min_days = get_u32(&one, STR("min_days"));
		ret[k].locked = get_num(&one, STR("locked"), 0, INT64_MAX);
		r->bad = r->bad || one.bad;
	}
}

static const struct object *
get_project(struct reader *r, const struct object *head)
{
	struct project *p = ARENA_NEW(r->a, struct project);

	if (p == NULL)
		return NULL;
	p->o = *head;
	p->slug = get_str(r, STR("slug"));
	p->name = get_str(r, STR("name"));
	get_retention(r, p->retention);
	return &p->o;
}

static const struct object *
get_user(struct reader *r, const struct object *head)
{
	struct user *u = ARENA_NEW(r->a, struct user);

	if (u == NULL)
		return NULL;
	u->o = *head;
	u->email = get_str(r, STR("email"));
	u->name = get_str(r, STR("name"));
	u->disabled = get_bool(r, STR("disabled"));
	u->break_glass = get_bool(r, STR("break_glass"));
	u->anonymized = get_num(r, STR("anonymized"), 0, INT64_MAX);
	return &u->o;
}

static const struct object *
get_service_account(struct reader *r, const struct object *head)
{
	struct service_account *s = ARENA_NEW(r->a, struct service_account);

	if (s == NULL)
		return NULL;
	s->o = *head;
	s->name = get_str(r, STR("name"));
	s->disabled = get_bool(r, STR("disabled"));
	return &s->o;
}

static const struct object *
get_group(struct reader *r, const struct object *head)
{
	struct group *g = ARENA_NEW(r->a, struct group);
	struct principal_id *m;
	const struct json *j;
	void *list;

	if (g == NULL)
		return NULL;
	g->o = *head;
	g->name = get_str(r, STR("name"));
	j = get_array(r, STR("members"), LIM_GROUP_MEMBERS, sizeof *m, &list,
	    &g->members_n);
	for (m = list; j != NULL; j = j->next)
		(m++)->u = uuid_of(r, j);
	g->members = list;
	return &g->o;
}

static const struct object *
get_role(struct reader *r, const struct object *head)
{
	struct role *x = ARENA_NEW(r->a, struct role);

	if (x == NULL)
		return NULL;
	x->o = *head;
	x->name = get_str(r, STR("name"));
	x->perms = get_perms(r, STR("permissions"));
	return &x->o;
}

static const struct object *
get_binding(struct reader *r, const struct object *head)
{
	struct binding *b = ARENA_NEW(r->a, struct binding);

	if (b == NULL)
		return NULL;
	b->o = *head;
	b->subject_kind = get_kind(r, STR("subject_kind"));
	b->subject = get_uuid(r, STR("subject"));
	b->role = get_str(r, STR("role"));
	b->starts = get_num(r, STR("starts"), 0, INT64_MAX);
	b->expires = get_num(r, STR("expires"), 0, INT64_MAX);
	b->reason = get_str(r, STR("reason"));
	b->created_by.u = get_uuid(r, STR("created_by"));
	b->group = get_uuid(r, STR("group"));
	b->incident = get_uuid(r, STR("incident"));
	b->glass = get_uuid(r, STR("glass"));
	return &b->o;
}

static void
get_secret(struct reader *r, struct token *t)
{
	struct str kind = get_str(r, STR("kind"));
	struct str key_id = get_str(r, STR("key_id"));

	if (kind.n == 1)
		t->kind = kind.p[0];
	if (key_id.n == TOKEN_KEY_ID)
		memcpy(t->key_id, key_id.p, TOKEN_KEY_ID);
	if (kind.n > 1 || (key_id.n != 0 && key_id.n != TOKEN_KEY_ID))
		r->bad = true;
	get_digest(r, STR("verifier"), t->verifier);
	t->verifier_key =
	    (uint32_t)get_num(r, STR("verifier_key"), 0, UINT32_MAX);
}

static void
get_limits(struct reader *r, struct token *t)
{
	const struct json *j;
	uint32_t *number;
	void *list;

	j = get_array(r, STR("projects"), LIM_LIST, sizeof *number, &list,
	    &t->projects_n);
	t->projects = list;
	for (number = list; j != NULL; j = j->next) {
		int64_t v = 0;

		if (!json_i64(j, 1, UINT32_MAX, &v))
			r->bad = true;
		*number++ = (uint32_t)v;
	}
	t->cidrs = get_strs(r, STR("cidrs"), &t->cidrs_n);
	t->bound = member(r, STR("cert")) != NULL;
	get_digest(r, STR("cert"), t->cert);
}

static const struct object *
get_token(struct reader *r, const struct object *head)
{
	struct token *t = ARENA_NEW(r->a, struct token);

	if (t == NULL)
		return NULL;
	t->o = *head;
	get_secret(r, t);
	t->owner_kind = get_kind(r, STR("owner_kind"));
	t->owner.u = get_uuid(r, STR("owner"));
	t->name = get_str(r, STR("name"));
	t->scopes = get_perms(r, STR("scopes"));
	get_limits(r, t);
	t->expires = get_num(r, STR("expires"), 0, INT64_MAX);
	t->revoked = get_num(r, STR("revoked"), 0, INT64_MAX);
	return &t->o;
}

static const struct object *
get_integration(struct reader *r, const struct object *head)
{
	struct integration *i = ARENA_NEW(r->a, struct integration);

	if (i == NULL)
		return NULL;
	i->o = *head;
	i->name = get_str(r, STR("name"));
	i->template = get_str(r, STR("template"));
	i->auth = get_str(r, STR("auth"));
	i->secrets = get_str(r, STR("secrets"));
	i->mapping = get_str(r, STR("mapping"));
	i->default_severity =
	    (uint8_t)get_num(r, STR("default_severity"), 0, UINT8_MAX);
	i->disabled = get_bool(r, STR("disabled"));
	i->created_by.u = get_uuid(r, STR("created_by"));
	return &i->o;
}

static const struct object *
get_idp(struct reader *r, const struct object *head)
{
	struct idp *i = ARENA_NEW(r->a, struct idp);

	if (i == NULL)
		return NULL;
	i->o = *head;
	i->name = get_str(r, STR("name"));
	i->kind = get_str(r, STR("kind"));
	i->config = get_str(r, STR("config"));
	i->disabled = get_bool(r, STR("disabled"));
	i->created_by.u = get_uuid(r, STR("created_by"));
	return &i->o;
}

static const struct object *
get_identity(struct reader *r, const struct object *head)
{
	struct identity *i = ARENA_NEW(r->a, struct identity);
	const struct json *j;
	struct uuid *g;
	void *list;

	if (i == NULL)
		return NULL;
	i->o = *head;
	i->idp = get_uuid(r, STR("idp"));
	i->user = get_uuid(r, STR("user"));
	get_digest(r, STR("key"), i->key);
	i->issuer = get_str(r, STR("issuer"));
	i->subject = get_str(r, STR("subject"));
	i->label = get_str(r, STR("label"));
	i->user_name = get_str(r, STR("user_name"));
	i->external = get_str(r, STR("external"));
	j = get_array(r, STR("groups"), LIM_LIST, sizeof *g, &list,
	    &i->groups_n);
	for (g = list; j != NULL; j = j->next)
		*g++ = uuid_of(r, j);
	i->groups = list;
	return &i->o;
}

static const struct object *
get_credential(struct reader *r, const struct object *head)
{
	struct credential *c = ARENA_NEW(r->a, struct credential);

	if (c == NULL)
		return NULL;
	c->o = *head;
	c->user = get_uuid(r, STR("user"));
	c->kind = (enum credential_kind)get_num(r, STR("kind"), 0, UINT8_MAX);
	c->name = get_str(r, STR("name"));
	c->data = get_str(r, STR("data"));
	return &c->o;
}

static const struct object *
get_session(struct reader *r, const struct object *head)
{
	struct session *s = ARENA_NEW(r->a, struct session);

	if (s == NULL)
		return NULL;
	s->o = *head;
	s->user = get_uuid(r, STR("user"));
	s->idp = get_uuid(r, STR("idp"));
	get_digest(r, STR("key"), s->key);
	s->auth_time = get_num(r, STR("auth_time"), 0, INT64_MAX);
	s->expires = get_num(r, STR("expires"), 0, INT64_MAX);
	s->method = get_str(r, STR("method"));
	s->address = get_str(r, STR("address"));
	s->agent = get_str(r, STR("agent"));
	s->idp_session = get_str(r, STR("idp_session"));
	s->name_id = get_str(r, STR("name_id"));
	return &s->o;
}

static const struct object *
get_policy(struct reader *r, const struct object *head)
{
	struct policy *p = ARENA_NEW(r->a, struct policy);

	if (p == NULL)
		return NULL;
	p->o = *head;
	p->sso_only = get_bool(r, STR("sso_only"));
	p->local_login = get_bool(r, STR("local_login"));
	p->token_max_days = get_u32(r, STR("token_max_days"));
	p->ip_allow = get_strs(r, STR("ip_allow"), &p->ip_allow_n);
	p->session_idle_minutes = get_u32(r, STR("session_idle_minutes"));
	p->session_absolute_hours = get_u32(r, STR("session_absolute_hours"));
	p->step_up_minutes = get_u32(r, STR("step_up_minutes"));
	p->review_days = get_u32(r, STR("review_days"));
	get_retention(r, p->retention);
	/* of policies written before there were any: 0 is none of them */
	p->key_days = get_u32(r, STR("key_days"));
	p->key_seals = get_u32(r, STR("key_seals"));
	p->audit_review_days = get_u32(r, STR("audit_review_days"));
	if (p->audit_review_days == 0)
		p->audit_review_days = POLICY_AUDIT_REVIEW_DAYS;
	if (p->key_days == 0)
		p->key_days = POLICY_KEY_DAYS;
	if (p->key_seals == 0)
		p->key_seals = UINT32_MAX;
	p->messaging = get_bool(r, STR("messaging"));
	p->witness_quorum = get_u32(r, STR("witness_quorum"));
	p->witness_minutes = get_u32(r, STR("witness_minutes"));
	if (p->witness_quorum == 0) /* one of an older server */
		p->witness_quorum = POLICY_WITNESS_QUORUM;
	if (p->witness_minutes == 0)
		p->witness_minutes = POLICY_WITNESS_MINUTES;
	return &p->o;
}

static const struct object *
get_resource_group(struct reader *r, const struct object *head)
{
	struct resource_group *g = ARENA_NEW(r->a, struct resource_group);

	if (g == NULL)
		return NULL;
	g->o = *head;
	g->name = get_str(r, STR("name"));
	g->types = (uint8_t)get_num(r, STR("types"), 0, UINT8_MAX);
	g->severities = (uint8_t)get_num(r, STR("severities"), 0, UINT8_MAX);
	g->services = get_strs(r, STR("services"), &g->services_n);
	g->environments = get_strs(r, STR("environments"), &g->environments_n);
	g->kinds = get_strs(r, STR("kinds"), &g->kinds_n);
	g->labels = get_strs(r, STR("labels"), &g->labels_n);
	g->ids = get_uuids(r, STR("ids"), &g->ids_n);
	return &g->o;
}

static const struct object *
get_break_glass(struct reader *r, const struct object *head)
{
	struct break_glass *g = ARENA_NEW(r->a, struct break_glass);

	if (g == NULL)
		return NULL;
	g->o = *head;
	g->user_kind = get_kind(r, STR("user_kind"));
	g->user = get_uuid(r, STR("user"));
	g->binding = get_uuid(r, STR("binding"));
	g->incident = get_uuid(r, STR("incident"));
	g->restricted = get_bool(r, STR("restricted"));
	g->role = get_str(r, STR("role"));
	g->reason = get_str(r, STR("reason"));
	g->expires = get_num(r, STR("expires"), 0, INT64_MAX);
	g->ended = get_num(r, STR("ended"), 0, INT64_MAX);
	g->reviewed = get_num(r, STR("reviewed"), 0, INT64_MAX);
	g->reviewer = get_uuid(r, STR("reviewer"));
	g->note = get_str(r, STR("note"));
	return &g->o;
}

static const struct object *
get_policy_tests(struct reader *r, const struct object *head)
{
	struct policy_tests *p = ARENA_NEW(r->a, struct policy_tests);

	if (p == NULL)
		return NULL;
	p->o = *head;
	p->tests = get_str(r, STR("tests"));
	return &p->o;
}

static const struct object *
get_witness(struct reader *r, const struct object *head)
{
	struct witness_object *w = ARENA_NEW(r->a, struct witness_object);

	if (w == NULL)
		return NULL;
	w->o = *head;
	w->name = get_str(r, STR("name"));
	w->key = get_str(r, STR("key"));
	w->created_by.u = get_uuid(r, STR("created_by"));
	return &w->o;
}

static const struct object *
get_audit_filter(struct reader *r, const struct object *head)
{
	struct audit_filter *f = ARENA_NEW(r->a, struct audit_filter);

	if (f == NULL)
		return NULL;
	f->o = *head;
	f->name = get_str(r, STR("name"));
	f->owner.u = get_uuid(r, STR("owner"));
	f->shared = get_bool(r, STR("shared"));
	f->members = get_str(r, STR("members"));
	return &f->o;
}

static const struct object *
get_preferences(struct reader *r, const struct object *head)
{
	struct preferences *p = ARENA_NEW(r->a, struct preferences);

	if (p == NULL)
		return NULL;
	p->o = *head;
	p->document = get_str(r, STR("document"));
	return &p->o;
}

static const struct object *
get_audit_review(struct reader *r, const struct object *head)
{
	struct audit_review *v = ARENA_NEW(r->a, struct audit_review);

	if (v == NULL)
		return NULL;
	v->o = *head;
	v->from = (uint64_t)get_num(r, STR("from"), 0, INT64_MAX);
	v->through = (uint64_t)get_num(r, STR("through"), 0, INT64_MAX);
	v->reviewer.u = get_uuid(r, STR("reviewer"));
	v->note = get_str(r, STR("note"));
	v->findings = get_u32(r, STR("findings"));
	return &v->o;
}

static const struct object *
get(struct reader *r, const struct object *head)
{
	switch (head->kind) {
	case OBJECT_PROJECT:
		return get_project(r, head);
	case OBJECT_USER:
		return get_user(r, head);
	case OBJECT_SERVICE_ACCOUNT:
		return get_service_account(r, head);
	case OBJECT_GROUP:
		return get_group(r, head);
	case OBJECT_ROLE:
		return get_role(r, head);
	case OBJECT_BINDING:
		return get_binding(r, head);
	case OBJECT_TOKEN:
		return get_token(r, head);
	case OBJECT_INTEGRATION:
		return get_integration(r, head);
	case OBJECT_IDP:
		return get_idp(r, head);
	case OBJECT_IDENTITY:
		return get_identity(r, head);
	case OBJECT_CREDENTIAL:
		return get_credential(r, head);
	case OBJECT_SESSION:
		return get_session(r, head);
	case OBJECT_POLICY:
		return get_policy(r, head);
	case OBJECT_RESOURCE_GROUP:
		return get_resource_group(r, head);
	case OBJECT_BREAK_GLASS:
		return get_break_glass(r, head);
	case OBJECT_POLICY_TESTS:
		return get_policy_tests(r, head);
	case OBJECT_WITNESS:
		return get_witness(r, head);
	case OBJECT_AUDIT_FILTER:
		return get_audit_filter(r, head);
	case OBJECT_AUDIT_REVIEW:
		return get_audit_review(r, head);
	case OBJECT_PREFERENCES:
		return get_preferences(r, head);
	case OBJECT_CONNECTOR:
	case OBJECT_SECRET:
	case OBJECT_RUNBOOK:
	case OBJECT_TRIGGER:
	case OBJECT_DELEGATE:
	case OBJECT_FREEZE:
	case OBJECT_HOLD:
		return decode_automation(r, head);
	}
	r->bad = true;
	return NULL;
}

err
object_decode(struct arena *a, const struct object *head, struct str text,
    const struct object **ret)
{
	static const struct json_limits limits = {
	    .depth = LIM_JSON_DEPTH,
	    .members = LIM_JSON_MEMBERS,
	    .values = LIM_JSON_VALUES,
	};
	struct reader r = {.a = a};
	const struct object *o;
	err e;

	if (text.n == 0)
		return err_of(E_CORRUPT);
	text = arena_dup(a, text);
	TRY(arena_check(a));
	e = json_parse(a, text, &limits, NULL, &r.obj);
	if (err_is(e, E_NO_MEMORY))
		return e;
	if (!err_ok(e) || r.obj->kind != JSON_OBJECT)
		return err_of(E_CORRUPT);
	o = get(&r, head);
	TRY(arena_check(a));
	if (r.bad)
		return err_of(E_CORRUPT);
	*ret = o;
	return OK;
}
