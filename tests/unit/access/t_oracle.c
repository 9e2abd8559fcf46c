/* Decisions in random organizations against the oracle. */
#include "tests/unit/access/oracle.h"

struct question {
	unsigned who, token, thing;
	struct thing res;
	struct target t;
	struct token tok;
	uint32_t numbers[PROJECTS];
	struct actor actor;
};

static void
question_random(struct question *q, const struct org *o, const struct world *w,
    uint64_t *seed)
{
	*q = (struct question){
	    .who = rnd_below(seed, PEOPLE),
	    .token = rnd_below(seed, TOKENS + 2),
	    .t =
		{
		    .perm = (enum permission)rnd_below(seed, PERM_MAX_),
		    .project = rnd_below(seed, PROJECTS + 1),
		    .restricted = rnd_below(seed, 4) == 0,
		    .member = rnd_below(seed, 2) == 0,
		},
	};
	if (q->token < TOKENS)
		q->tok = org_token(o, q->token, q->who, q->numbers);
	q->actor = actor_of(w, person_kind(q->who), person_id(q->who),
	    q->token < TOKENS ? &q->tok : NULL);
	q->thing = THINGS;
	if (rnd_below(seed, 2) == 0) {
		q->thing = rnd_below(seed, THINGS);
		org_thing(o, q->thing, &q->res);
		q->t.res = &q->res.r;
		q->t.project = q->res.r.project;
	}
}

static bool
asked(const struct org *o, const struct question *q)
{
	return oracle(o, q->who, q->token, q->t.perm, q->t.project,
	    q->t.restricted, q->t.member, q->thing);
}

TEST(two_hundred_thousand_decisions)
{
	unsigned allowed = 0, denied = 0, wrong = 0, rules[16] = {0};
	uint64_t seed = 20260101;
	struct org o;

	for (unsigned world = 0; world < 400; world++) {
		struct world *w;

		org_random(&o, &seed);
		w = org_world(&o, NULL);
		for (unsigned i = 0; i < 500; i++) {
			struct question q;
			struct decision d;

			question_random(&q, &o, w, &seed);
			d = access_decide(&q.actor, &q.t, NOW);
			rules[d.rule]++;
			wrong += d.allowed != asked(&o, &q);
			if (d.allowed)
				allowed++;
			else
				denied++;
			T_OK(d.allowed == (d.rule == RULE_ALLOW));
			T_OK(d.allowed == (d.binding != NULL));
		}
		world_unref(w);
	}
	T_EQ_INT(wrong, 0);
	printf("# %u allowed, %u denied\n", allowed, denied);
	T_OK(allowed > 10000 && denied > 10000);
	for (unsigned r = RULE_PRINCIPAL_DISABLED; r <= RULE_NO_BINDING; r++)
		T_OK(rules[r] > 100); /* every refusal was met */
}

/* The binding that is named must be one that allows by itself. */
TEST(the_named_binding_suffices)
{
	uint64_t seed = 5;
	struct org o, alone;

	for (unsigned world = 0; world < 100; world++) {
		struct world *w;

		org_random(&o, &seed);
		w = org_world(&o, NULL);
		for (unsigned i = 0; i < 200; i++) {
			struct question q;
			struct decision d;

			question_random(&q, &o, w, &seed);
			d = access_decide(&q.actor, &q.t, NOW);
			if (!d.allowed)
				continue;
			alone = o;
			alone.binding[0] = o.binding[d.binding->o.id.b[15]];
			alone.bindings = 1;
			T_OK(asked(&alone, &q));
			T_EQ_INT(d.via != NULL,
			    alone.binding[0].subject >= PEOPLE);
		}
		world_unref(w);
	}
}

TEST(adding_a_binding_never_removes_a_right)
{
	unsigned gained = 0;
	uint64_t seed = 11;
	struct org o;

	for (unsigned world = 0; world < 200; world++) {
		struct world *before, *after;

		do
			org_random(&o, &seed);
		while (o.bindings == 0);
		after = org_world(&o, NULL);
		o.bindings--;
		before = org_world(&o, NULL);
		for (unsigned i = 0; i < 200; i++) {
			struct question q;
			bool was, is;

			question_random(&q, &o, before, &seed);
			was = access_decide(&q.actor, &q.t, NOW).allowed;
			q.actor.world = after;
			is = access_decide(&q.actor, &q.t, NOW).allowed;
			T_OK(is || !was);
			gained += is && !was;
		}
		world_unref(before);
		world_unref(after);
	}
	T_OK(gained > 50);
}

/* 100,000 questions in 500 organizations, each in two orders. */
TEST(the_order_of_bindings_does_not_matter)
{
	uint64_t seed = 13;
	struct org o;

	for (unsigned world = 0; world < 500; world++) {
		unsigned number[BINDINGS];
		struct world *one, *two;

		org_random(&o, &seed);
		for (unsigned i = 0; i < BINDINGS; i++) {
			unsigned j = rnd_below(&seed, i + 1);

			number[i] = number[j];
			number[j] = i;
		}
		one = org_world(&o, NULL);
		two = org_world(&o, number);
		for (unsigned i = 0; i < 200; i++) {
			struct question q;
			struct decision a, b;

			question_random(&q, &o, one, &seed);
			a = access_decide(&q.actor, &q.t, NOW);
			q.actor.world = two;
			b = access_decide(&q.actor, &q.t, NOW);
			T_EQ_INT(a.allowed, b.allowed);
			T_EQ_INT(a.rule, b.rule);
		}
		world_unref(one);
		world_unref(two);
	}
}

/* A token never gives more than its owner has without it. */
TEST(a_token_is_a_ceiling)
{
	unsigned lost = 0;
	uint64_t seed = 17;
	struct org o;

	for (unsigned world = 0; world < 200; world++) {
		struct world *w;

		org_random(&o, &seed);
		w = org_world(&o, NULL);
		for (unsigned i = 0; i < 200; i++) {
			struct question q;
			bool with, without;

			question_random(&q, &o, w, &seed);
			with = access_decide(&q.actor, &q.t, NOW).allowed;
			q.actor.token = NULL;
			without = access_decide(&q.actor, &q.t, NOW).allowed;
			T_OK(without || !with);
			lost += without && !with;
		}
		world_unref(w);
	}
	T_OK(lost > 50);
}

static void
effective_agrees(const struct org *o, const struct question *q)
{
	bool any[PERM_MAX_] = {false};

	for (uint32_t project = 0; project <= PROJECTS; project++) {
		struct permset s = access_effective(&q->actor, project, NOW);

		for (unsigned p = 0; p < PERM_MAX_; p++) {
			bool want = oracle(o, q->who, q->token,
			    (enum permission)p, project, false, false, THINGS);

			any[p] = any[p] ||
			    oracle(o, q->who, q->token, (enum permission)p,
				project, false, false, THINGS + 1);
			if (permset_has(&s, (enum permission)p) != want)
				T_FAIL("%s in %u",
				    perm_text((enum permission)p), project);
		}
	}
	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (access_anywhere(&q->actor, (enum permission)p, NOW) !=
		    any[p])
			T_FAIL("anywhere: %s", perm_text((enum permission)p));
}

TEST(effective_and_anywhere_are_the_sum_of_decisions)
{
	uint64_t seed = 19;
	struct org o;

	for (unsigned world = 0; world < 150; world++) {
		struct world *w;

		org_random(&o, &seed);
		w = org_world(&o, NULL);
		for (unsigned i = 0; i < 10; i++) {
			struct question q;

			question_random(&q, &o, w, &seed);
			effective_agrees(&o, &q);
		}
		world_unref(w);
	}
}

T_MAIN
