/* What is explained is what was decided. */
#include "base/json.h"
#include "tests/unit/access/oracle.h"

static char text[65536];

/* The explanation as a parsed document. */
static const struct json *
explained(struct arena *a, const struct actor *who, const struct target *t)
{
	static const struct json_limits lim = {8, 100, 10000};
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};
	const struct json *j = NULL;
	struct jw w;

	jw_init(&w, &b);
	jw_obj(&w);
	access_explain(&w, who, t, NOW);
	jw_obj_end(&w);
	T_GOOD(buf_check(&b));
	T_GOOD(json_parse(a, buf_view(&b), &lim, NULL, &j));
	return j;
}

static bool
yes(const struct json *o, const char *name)
{
	bool v = false;

	T_OK(json_bool(json_get(o, str_c(name)), &v));
	return v;
}

static struct str
word(const struct json *o, const char *name)
{
	return json_str_at(o, str_c(name));
}

/* The first step of that name, or NULL. */
static const struct json *
step_named(const struct json *doc, const char *name)
{
	const struct json *s = json_first(json_get(doc, STR("because")));

	for (; s != NULL; s = s->next)
		if (str_is(word(s, "step"), name))
			return s;
	return NULL;
}

TEST(allowed_by_a_binding_through_a_group)
{
	struct world_builder *b = fresh();
	struct uuid ann = put_user(b, 1, "ann@x", false);
	struct uuid ops = put_group(b, 1, "ops", &ann, 1);
	struct target t = {.perm = PERM_INCIDENT_EDIT, .project = 2};
	const struct json *doc, *s;
	struct world *w;
	struct actor who;
	struct arena a;

	put_project(b, 2, "beta");
	put_binding(b, 7, PRINCIPAL_GROUP, ops, "responder", 2, 0);
	put_binding(b, 8, PRINCIPAL_USER, ann, "viewer", 0, 0);
	w = done(b);
	who = actor_of(w, PRINCIPAL_USER, ann, NULL);
	arena_init(&a, 1 << 20);
	doc = explained(&a, &who, &t);
	T_OK(yes(doc, "allowed"));
	T_EQ_STR(word(doc, "rule"), STR("allow"));
	T_OK(yes(step_named(doc, "principal"), "ok"));
	s = step_named(doc, "binding");
	T_REQUIRE(s != NULL);
	T_OK(!yes(s, "ok"));
	T_EQ_STR(word(s, "role"), STR("viewer"));
	T_EQ_STR(word(s, "detail"),
	    STR("the role does not have the permission"));
	s = s->next;
	T_REQUIRE(s != NULL);
	T_OK(yes(s, "ok"));
	T_EQ_STR(word(s, "role"), STR("responder"));
	T_EQ_STR(word(s, "project"), STR("beta"));
	T_EQ_STR(word(s, "group"), STR("ops"));
	T_OK(step_named(doc, "no_binding") == NULL);
	T_OK(step_named(doc, "token") == NULL);
	arena_done(&a);
	world_unref(w);
}

TEST(each_refusal_names_its_step)
{
	static const uint32_t one[] = {1};
	struct world_builder *b = fresh();
	struct uuid ann = put_user(b, 1, "ann@x", false);
	struct uuid dan = put_user(b, 2, "dan@x", true);
	struct target t = {.perm = PERM_INCIDENT_EDIT, .project = 2};
	struct token tok =
	    token_of(1, 'p', PRINCIPAL_USER, ann, set_of(PERM_INCIDENT_VIEW));
	const struct json *doc;
	struct actor who;
	struct world *w;
	struct arena a;

	put_binding(b, 1, PRINCIPAL_USER, ann, "org_admin", 0, NOW - 1);
	put_binding(b, 2, PRINCIPAL_USER, ann, "responder", 9, 0);
	put_binding(b, 3, PRINCIPAL_USER, ann, "vanished", 0, 0);
	w = done(b);
	arena_init(&a, 1 << 20);
	who = actor_of(w, PRINCIPAL_USER, dan, NULL);
	doc = explained(&a, &who, &t);
	T_EQ_STR(word(doc, "rule"), STR("principal_disabled"));
	T_OK(!yes(step_named(doc, "principal"), "ok"));
	who = actor_of(w, PRINCIPAL_USER, ann, &tok);
	doc = explained(&a, &who, &t);
	T_EQ_STR(word(doc, "rule"), STR("token_scope"));
	T_OK(!yes(step_named(doc, "token_scope"), "ok"));
	tok.scopes = permset_all();
	tok.projects = one;
	tok.projects_n = 1;
	doc = explained(&a, &who, &t);
	T_EQ_STR(word(doc, "rule"), STR("token_project"));
	T_OK(!yes(step_named(doc, "token_project"), "ok"));
	tok.projects_n = 0;
	tok.expires = NOW;
	doc = explained(&a, &who, &t);
	T_EQ_STR(word(doc, "rule"), STR("token_expired"));
	who.token = NULL;
	t.restricted = true;
	doc = explained(&a, &who, &t);
	T_EQ_STR(word(doc, "rule"), STR("restricted"));
	T_OK(!yes(step_named(doc, "restricted"), "ok"));
	t.restricted = false;
	doc = explained(&a, &who, &t);
	T_EQ_STR(word(doc, "rule"), STR("no_binding"));
	T_OK(!yes(step_named(doc, "no_binding"), "ok"));
	T_OK(strstr(text, "the binding has expired") != NULL);
	T_OK(strstr(text, "the binding holds elsewhere") != NULL);
	T_OK(strstr(text, "the role does not exist") != NULL);
	arena_done(&a);
	world_unref(w);
}

TEST(self_and_system)
{
	struct world_builder *b = fresh();
	struct uuid hook = put_integration(b, 1, 1, false);
	struct target t = {.perm = PERM_INGEST, .project = 1};
	struct world *w = done(b);
	struct actor who = actor_of(w, PRINCIPAL_INTEGRATION, hook, NULL);
	const struct json *doc;
	struct arena a;

	arena_init(&a, 1 << 20);
	doc = explained(&a, &who, &t);
	T_EQ_STR(word(doc, "rule"), STR("allow_self"));
	T_OK(yes(step_named(doc, "self"), "ok"));
	t.perm = PERM_NONE;
	doc = explained(&a, &who, &t);
	T_OK(yes(step_named(doc, "self"), "ok"));
	who = actor_of(w, PRINCIPAL_SYSTEM, hook, NULL);
	doc = explained(&a, &who, &t);
	T_OK(yes(doc, "allowed"));
	T_OK(yes(step_named(doc, "system"), "ok"));
	arena_done(&a);
	world_unref(w);
}

TEST(many_bindings_are_cut_short_but_the_decisive_one_is_told)
{
	struct world_builder *b = fresh();
	struct uuid ann = put_user(b, 1, "ann@x", false);
	struct target t = {.perm = PERM_INCIDENT_EDIT, .project = 2};
	const struct json *doc, *s;
	unsigned shown = 0, ok = 0;
	struct actor who;
	struct world *w;
	struct arena a;

	for (uint32_t i = 0; i < 200; i++)
		put_binding(b, i, PRINCIPAL_USER, ann, "viewer", 0, 0);
	put_binding(b, 200, PRINCIPAL_USER, ann, "responder", 0, 0);
	w = done(b);
	who = actor_of(w, PRINCIPAL_USER, ann, NULL);
	arena_init(&a, 1 << 20);
	doc = explained(&a, &who, &t);
	T_OK(yes(doc, "allowed"));
	s = json_first(json_get(doc, STR("because")));
	for (; s != NULL; s = s->next)
		if (str_is(word(s, "step"), "binding")) {
			shown++;
			ok += yes(s, "ok");
		}
	T_EQ_INT(shown, 51);
	T_EQ_INT(ok, 1);
	arena_done(&a);
	world_unref(w);
}

/* In random organizations: the rule told is the rule decided; a refusal has
 * a step that is not ok; an allowing binding is shown when one allowed. */
TEST(explanations_agree_with_decisions)
{
	uint64_t seed = 23;
	struct arena a;
	struct org o;

	arena_init(&a, 1 << 20);
	for (unsigned world = 0; world < 100; world++) {
		struct world *w;

		org_random(&o, &seed);
		w = org_world(&o, NULL);
		for (unsigned i = 0; i < 50; i++) {
			unsigned who = rnd_below(&seed, PEOPLE);
			unsigned k = rnd_below(&seed, TOKENS + 2);
			bool all_ok = true, bound = false;
			const struct json *doc, *s;
			uint32_t numbers[PROJECTS];
			struct decision d;
			struct token tok;
			struct actor x =
			    actor_of(w, person_kind(who), person_id(who), NULL);
			struct target t = {
			    .perm =
				(enum permission)rnd_below(&seed, PERM_MAX_),
			    .project = rnd_below(&seed, PROJECTS + 1),
			    .restricted = rnd_below(&seed, 4) == 0,
			};

			if (k < TOKENS) {
				tok = org_token(&o, k, who, numbers);
				x.token = &tok;
			}
			d = access_decide(&x, &t, NOW);
			doc = explained(&a, &x, &t);
			T_EQ_INT(yes(doc, "allowed"), d.allowed);
			T_EQ_STR(word(doc, "rule"),
			    str_c(access_rule_text(d.rule)));
			s = json_first(json_get(doc, STR("because")));
			for (; s != NULL; s = s->next) {
				bool ok = yes(s, "ok");

				if (str_is(word(s, "step"), "binding"))
					bound = bound || ok;
				else
					all_ok = all_ok && ok;
			}
			T_EQ_INT(d.allowed, all_ok);
			T_OK(!d.allowed || bound);
			arena_reset(&a);
		}
		world_unref(w);
	}
	arena_done(&a);
}

/* ---- following would_allow_if ---- */

/* What a question is asked with, so that advice can be followed. */
struct asked {
	unsigned who, token;
	struct target t;
};

static void
follow(struct org *o, struct asked *q, const struct json *advice)
{
	struct otoken *tok = &o->token[q->token % TOKENS];
	struct str what = word(advice, "do"), slug = word(advice, "project");
	unsigned project = slug.n == 2 ? (unsigned)(slug.p[1] - '0') : 0;
	enum builtin_role role = ROLE_MAX_;

	if (str_is(what, "enable")) {
		o->disabled[q->who] = false;
	} else if (str_is(what, "new_token")) {
		tok->revoked = tok->expired = false;
	} else if (str_is(what, "token_scope")) {
		tok->scope[q->t.perm] = true;
	} else if (str_is(what, "token_project")) {
		tok->project[project] = true;
		tok->limited = tok->limited && project != 0;
		if (!tok->limited)
			memset(tok->project, 0, sizeof tok->project);
	} else if (str_is(what, "add_member")) {
		q->t.member = true;
	} else {
		T_EQ_STR(what, STR("bind"));
		if (!role_parse(word(advice, "role"), &role)) {
			T_OK(q->t.perm == PERM_INGEST ||
			    q->t.perm == PERM_DELEGATE_WORK);
			memset(o->custom[0], 0, sizeof o->custom[0]);
			o->custom[0][q->t.perm] = true;
		}
		o->binding[0] = (struct obinding){.subject = q->who,
		    .role = role,
		    .project = project,
		    .rgroup = RGROUPS,
		    .incident = THINGS};
		o->bindings = 1;
	}
}

static const struct json *
explain_asked(struct arena *a, const struct org *o, const struct asked *q,
    bool *ret_allowed)
{
	struct world *w = org_world(o, NULL);
	uint32_t numbers[PROJECTS];
	struct actor x =
	    actor_of(w, person_kind(q->who), person_id(q->who), NULL);
	const struct json *doc;
	struct token tok;

	if (q->token < TOKENS) {
		tok = org_token(o, q->token, q->who, numbers);
		x.token = &tok;
	}
	*ret_allowed = access_decide(&x, &q->t, NOW).allowed;
	doc = explained(a, &x, &q->t);
	world_unref(w);
	return doc;
}

/* 1,000 refusals: who follows would_allow_if is allowed, and one that is
 * allowed is told nothing. */
TEST(following_the_advice_flips_the_decision)
{
	unsigned denials = 0, flipped = 0;
	uint64_t seed = 29;
	struct thing thing;
	struct arena a;
	struct org o;

	arena_init(&a, 1 << 20);
	while (denials < 1000) {
		struct asked q;
		const struct json *doc, *j;
		bool allowed;

		org_random(&o, &seed);
		q = (struct asked){
		    .who = rnd_below(&seed, PEOPLE),
		    .token = rnd_below(&seed, TOKENS + 2),
		    .t = {.perm = (enum permission)rnd_below(&seed, PERM_MAX_),
			.project = rnd_below(&seed, PROJECTS + 1),
			.restricted = rnd_below(&seed, 4) == 0},
		};
		if (rnd_below(&seed, 2) == 0) {
			org_thing(&o, rnd_below(&seed, THINGS), &thing);
			q.t.res = &thing.r;
			q.t.project = thing.r.project;
		}
		if (q.t.project == 0 && !is_org_only(q.t.perm))
			q.t.project = 1;
		doc = explain_asked(&a, &o, &q, &allowed);
		j = json_first(json_get(doc, STR("would_allow_if")));
		if (allowed || o.gone[q.who]) {
			T_OK(j == NULL);
			arena_reset(&a);
			continue;
		}
		T_OK(j != NULL);
		for (; j != NULL; j = j->next)
			follow(&o, &q, j);
		arena_reset(&a);
		(void)explain_asked(&a, &o, &q, &allowed);
		arena_reset(&a);
		denials++;
		flipped += allowed;
	}
	T_EQ_INT(flipped, denials);
	arena_done(&a);
}

T_MAIN
