/* policy_tests.c: see policy_tests.h; /v1/access/policy-tests. */
#include "flow/policy_tests.h"

#include "auth/actor.h"
#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"

static const struct json_limits limits = {
    .depth = LIM_JSON_DEPTH,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES,
};

/* ---- one test ---- */

static const struct str names[] = {{"name", 4}, {"as", 2}, {"token", 5},
    {"do", 2}, {"on", 2}, {"expect", 6}};

static bool
expects_allow(const struct json *t)
{
	return str_is(json_str_at(t, STR("expect")), "allow");
}

static bool
same_name(const struct world *w, const struct object *o, struct str name)
{
	enum principal_kind kind = o->kind == OBJECT_GROUP
	    ? PRINCIPAL_GROUP
	    : PRINCIPAL_SERVICE_ACCOUNT;

	return str_eq(world_principal_name(w, kind, &o->id), name);
}

static bool
find_named(const struct world *w, enum object_kind kind, struct str name,
    struct uuid *ret)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(w, kind, &n);
	for (size_t i = 0; i < n; i++)
		if (same_name(w, o[i], name)) {
			*ret = o[i]->id;
			return true;
		}
	return false;
}

/* Whom it is about; false: there is nobody of that name. */
static bool
subject(const struct world *w, struct str as, enum principal_kind *ret_kind,
    struct uuid *ret)
{
	const struct user *u;
	struct str kind, name;

	if (!str_cut(as, ':', &kind, &name) ||
	    !principal_kind_parse(kind, ret_kind))
		return false;
	if (uuid_parse(name, ret))
		return subject_exists(w, *ret_kind, ret);
	switch (*ret_kind) {
	case PRINCIPAL_USER:
		u = world_user_email(w, name);
		if (u != NULL)
			*ret = u->o.id;
		return u != NULL;
	case PRINCIPAL_SERVICE_ACCOUNT:
		return find_named(w, OBJECT_SERVICE_ACCOUNT, name, ret);
	case PRINCIPAL_GROUP:
		return find_named(w, OBJECT_GROUP, name, ret);
	default:
		return false;
	}
}

static bool
place(const struct world *w, struct str on, struct target *t)
{
	struct str kind, slug;
	const struct project *p;

	if (str_is(on, "organization"))
		return true;
	if (!str_cut(on, ':', &kind, &slug))
		return false;
	p = world_project_slug(w, slug);
	if (p == NULL)
		return false;
	t->project = p->o.project;
	t->some = str_is(kind, "some");
	return true;
}

static const struct actor *
asking(struct arena *a, const struct world *w, const struct json *t)
{
	struct str token = json_str_at(t, STR("token"));
	const struct token *tok;
	enum principal_kind kind;
	struct uuid id;

	if (!subject(w, json_str_at(t, STR("as")), &kind, &id))
		return NULL;
	if (token.p == NULL || str_is(token, "none")) /* public: an id */
		return auth_supposed(a, w, kind, &id);
	tok = uuid_parse(token, &id) ? world_token(w, &id) : NULL;
	return tok == NULL ? NULL : auth_supposed_token(a, w, tok);
}

/* Whom or what the test names and is not there may do nothing. */
static bool
allowed(struct arena *a, const struct world *w, const struct json *test,
    int64_t now)
{
	const struct actor *who = asking(a, w, test);
	struct target t = {0};

	return who != NULL &&
	    perm_parse(json_str_at(test, STR("do")), &t.perm) &&
	    place(w, json_str_at(test, STR("on")), &t) &&
	    access_decide(who, &t, now).allowed;
}

/* ---- all of them ---- */

static err
stored(struct call *c, const struct world *w, const struct json **ret)
{
	const struct policy_tests *p = world_policy_tests(w);

	*ret = NULL;
	if (p == NULL)
		return OK;
	TRY(json_parse(c->a, p->tests, &limits, &c->trail, ret));
	*ret = json_first(*ret);
	return OK;
}

static bool
turned_at(struct call *c, const struct json *t, const struct world *before,
    const struct world *after, int64_t when)
{
	return allowed(c->a, before, t, when) != allowed(c->a, after, t, when);
}

/* When the last of the bindings that are new begins; now, when none waits. */
static int64_t
begins(const struct world *before, const struct world *after, int64_t now)
{
	const struct object *const *o;
	int64_t last = now;
	size_t n;

	o = world_objects(after, OBJECT_BINDING, &n);
	for (size_t i = 0; i < n; i++) {
		const struct binding *b = (const struct binding *)o[i];

		if (b->starts > last && world_binding(before, &b->o.id) == NULL)
			last = b->starts;
	}
	return last;
}

/* Does the change turn it, now or when what it makes begins?  Then *ret_when
 * is the time. */
static bool
turned(struct call *c, const struct json *t, const struct world *before,
    const struct world *after, int64_t *ret_when)
{
	*ret_when = c->now;
	if (turned_at(c, t, before, after, c->now))
		return true;
	*ret_when = begins(before, after, c->now);
	return *ret_when > c->now && turned_at(c, t, before, after, *ret_when);
}

static err
refuse(struct call *c, const struct json *t, size_t number)
{
	struct str name = json_str_at(t, STR("name"));

	return call_bad(c, E_POLICY_TEST,
	    "policy test %zu%s%.*s: %.*s is %s %.*s on %.*s", number,
	    name.n > 0 ? ", " : "", (int)(name.n < 60 ? name.n : 60), name.p,
	    STR_ARG(json_str_at(t, STR("as"))),
	    expects_allow(t) ? "no longer allowed" : "now allowed",
	    STR_ARG(json_str_at(t, STR("do"))),
	    STR_ARG(json_str_at(t, STR("on"))));
}

static bool
looked_at(const struct call *c)
{
	return c->route->tier == TIER_ADMIN && c->actor != NULL;
}

err
policy_check(struct call *c, const struct world *before)
{
	const struct world *after = call_world(c);
	const struct grant *g;
	const struct json *t;
	size_t number = 0;
	int64_t when;

	if (before == after || !looked_at(c) || !access_differs(before, after))
		return OK;
	TRY(stored(c, after, &t));
	for (; t != NULL; t = t->next) {
		number++;
		if (!turned(c, t, before, after, &when) ||
		    allowed(c->a, after, t, when) == expects_allow(t))
			continue;
		if (!str_is(c->query.raw[PARAM_FORCE], "true"))
			return refuse(c, t, number);
		TRY(call_ask(c, PERM_RBAC_ESCALATE, 0, &g));
		call_touch(c, "forced", &world_policy_tests(after)->o.id);
		return OK;
	}
	return OK;
}

static void
test_json(struct call *c, struct jw *w, const struct json *t,
    const struct world *world, int64_t when)
{
	bool may = allowed(c->a, world, t, when);

	jw_obj(w);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (json_get(t, names[i]) != NULL) {
			jw_name(w, names[i]);
			jw_str(w, json_str_at(t, names[i]));
		}
	jw_kstr(w, "decided", may ? STR("allow") : STR("deny"));
	jw_kbool(w, "ok", may == expects_allow(t));
	jw_obj_end(w);
}

err
policy_turned(struct call *c, struct jw *w, const struct world *before,
    const struct world *after)
{
	const struct json *t;
	int64_t when;

	TRY(stored(c, after, &t));
	jw_karr(w, "tests");
	for (; t != NULL; t = t->next)
		if (turned(c, t, before, after, &when))
			test_json(c, w, t, after, when);
	jw_arr_end(w);
	return OK;
}

err
policy_failing(struct call *c, size_t *ret_n, size_t *ret_failing)
{
	const struct json *t;

	*ret_n = *ret_failing = 0;
	TRY(stored(c, call_world(c), &t));
	for (; t != NULL; t = t->next) {
		++*ret_n;
		*ret_failing +=
		    allowed(c->a, call_world(c), t, c->now) != expects_allow(t);
	}
	return OK;
}

/* ---- routes ---- */

static err
answer_tests(struct call *c)
{
	const struct policy_tests *p = world_policy_tests(call_world(c));
	const struct json *t;

	TRY(stored(c, call_world(c), &t));
	(void)list_begin(c);
	for (; t != NULL; t = t->next)
		test_json(c, &c->w, t, call_world(c), c->now);
	TRY(list_end(c, STR_NONE));
	answer_etag(c, p == NULL ? 0 : p->o.version);
	return buf_check(&c->out);
}

err
route_policy_tests_get(struct call *c)
{
	return answer_tests(c);
}

static bool
known(struct str name)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

static bool
place_fits(struct str on)
{
	struct str kind, slug;

	return str_is(on, "organization") ||
	    (str_cut(on, ':', &kind, &slug) && slug.n > 0 &&
		(str_is(kind, "project") || str_is(kind, "some")));
}

static bool
subject_fits(struct str as)
{
	enum principal_kind k;
	struct str kind, name;

	return str_cut(as, ':', &kind, &name) && name.n > 0 &&
	    principal_kind_parse(kind, &k) &&
	    (k == PRINCIPAL_USER || k == PRINCIPAL_SERVICE_ACCOUNT ||
		k == PRINCIPAL_GROUP);
}

static err
check_one(struct call *c, const struct json *t, size_t number)
{
	struct str expect = json_str_at(t, STR("expect"));
	enum permission p;

	for (const struct json *j = json_first(t); j != NULL; j = j->next) {
		if (!known(j->name))
			return call_bad(c, E_UNKNOWN_MEMBER,
			    "tests: item %zu has a member it cannot have",
			    number);
		if (j->kind != JSON_STRING || j->text.n > LIM_NAME)
			return call_bad(c, E_INVALID,
			    "tests: item %zu: texts of at most %d bytes",
			    number, LIM_NAME);
	}
	if (!subject_fits(json_str_at(t, STR("as"))))
		return call_bad(c, E_INVALID,
		    "tests: item %zu: as: user:, service_account: or group: "
		    "and a name",
		    number);
	if (!perm_parse(json_str_at(t, STR("do")), &p))
		return call_bad(c, E_INVALID,
		    "tests: item %zu: do: no such permission", number);
	if (!place_fits(json_str_at(t, STR("on"))))
		return call_bad(c, E_INVALID,
		    "tests: item %zu: on: organization, project:SLUG or "
		    "some:SLUG",
		    number);
	if (!str_is(expect, "allow") && !str_is(expect, "deny"))
		return call_bad(c, E_INVALID,
		    "tests: item %zu: expect: allow or deny", number);
	return OK;
}

err
route_policy_tests_put(struct call *c)
{
	const struct policy_tests *old = world_policy_tests(call_world(c));
	const struct json *all = json_get(c->body, STR("tests"));
	struct policy_tests p = {0};
	size_t number = 0;

	TRY(call_match(c, old == NULL ? 0 : old->o.version));
	for (const struct json *t = json_first(all); t != NULL; t = t->next)
		TRY(check_one(c, t, ++number));
	if (old == NULL) {
		admin_new(c, OBJECT_POLICY_TESTS, 0, &p.o);
	} else {
		p.o = old->o;
		admin_touch(c, &p.o);
	}
	p.tests = all->raw;
	TRY(admin_put(c, &p.o));
	c->rec.body = c->req->body;
	call_touch(c, "policy_tests", &p.o.id);
	return answer_tests(c);
}
