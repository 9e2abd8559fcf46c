/* What an organization decides and keeps for its auditors, as text and back. */
#include "tests/unit/access/again.h"

TEST(policies)
{
	static const struct str cidrs[] = {{"10.0.0.0/8", 10}, {"::1", 3}};
	struct policy p = {.o = head_of(OBJECT_POLICY, 1, 0),
	    .sso_only = true,
	    .local_login = true,
	    .token_max_days = 30,
	    .ip_allow = cidrs,
	    .ip_allow_n = 2,
	    .session_idle_minutes = 1,
	    .session_absolute_hours = 2,
	    .step_up_minutes = 3,
	    .review_days = 4,
	    .witness_quorum = 5,
	    .witness_minutes = 6,
	    .audit_review_days = 5,
	    .key_days = 6,
	    .key_seals = 7};
	const struct policy *q;

	BEGIN;
	q = again(&p);
	T_OK(q->sso_only && q->local_login);
	T_EQ_INT(q->token_max_days, 30);
	T_EQ_INT(q->ip_allow_n, 2);
	T_EQ_STR(q->ip_allow[0], cidrs[0]);
	T_EQ_STR(q->ip_allow[1], cidrs[1]);
	T_EQ_INT(q->session_idle_minutes, 1);
	T_EQ_INT(q->session_absolute_hours, 2);
	T_EQ_INT(q->step_up_minutes, 3);
	T_EQ_INT(q->review_days, 4);
	T_EQ_INT(q->witness_quorum, 5);
	T_EQ_INT(q->witness_minutes, 6);
	T_EQ_INT(q->audit_review_days, 5);
	T_EQ_INT(q->key_days, 6);
	T_EQ_INT(q->key_seals, 7);
	END;
}

TEST(witnesses)
{
	struct witness_object x = {.o = head_of(OBJECT_WITNESS, 0, 3),
	    .name = STR("auditor.example/1"),
	    .key = STR("auditor.example/1+00000000+AA=="),
	    .created_by = {{{7}}}};
	const struct witness_object *h;

	BEGIN;
	h = again(&x);
	T_EQ_STR(h->name, x.name);
	T_EQ_STR(h->key, x.key);
	T_EQ_MEM(&h->created_by, &x.created_by, sizeof x.created_by);
	END;
}

TEST(audit_filters_and_reviews)
{
	struct audit_filter f = {.o = head_of(OBJECT_AUDIT_FILTER, 1, 0),
	    .name = STR("refused"),
	    .owner = {{{7}}},
	    .shared = true,
	    .members = STR("{\"outcome\":\"denied\"}")};
	struct audit_review r = {.o = head_of(OBJECT_AUDIT_REVIEW, 2, 0),
	    .from = 6,
	    .through = UINT64_C(1) << 40,
	    .reviewer = {{{8}}},
	    .note = STR("fine"),
	    .findings = 3};

	BEGIN; /* again() compares what is encoded */
	T_EQ_STR(((const struct audit_filter *)again(&f))->name, f.name);
	T_OK(((const struct audit_review *)again(&r))->through == r.through);
	END;
}

TEST(preferences_of_a_person)
{
	struct preferences p = {.o = head_of(OBJECT_PREFERENCES, 1, 0),
	    .document = STR("{\"theme\":\"dark\"}")};

	BEGIN;
	T_EQ_STR(((const struct preferences *)again(&p))->document, p.document);
	END;
}

T_MAIN
