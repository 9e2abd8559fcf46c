/* t_glass.c: when broken glass ends, and what an overdue review stops. */
#include "tests/unit/flow/office.h"

enum { MINUTE = 60000 };

static const char use[] = "{\"project\":\"alpha\",\"minutes\":10,"
			  "\"reason\":\"nobody of the team answers\"}";

static bool
live(const struct office *o)
{
	return str_is(word(o, "state"), "live");
}

/* What the posture says of it, to an administrator. */
static bool
posture_ok(struct office *o, const char *check)
{
	const char *was = o->token;
	const struct json *j;
	bool ok = false;

	o->token = o->admin;
	T_GOOD(ask(o, "posture", NULL, NULL, NULL));
	o->token = was;
	j = json_first(json_get(o->json, STR("items")));
	for (; j != NULL; j = j->next)
		if (str_is(json_str_at(j, STR("check")), check))
			T_OK(json_bool(json_get(j, STR("ok")), &ok));
	return ok;
}

/* To the millisecond, and no timer has to fire. */
TEST(it_ends_by_itself)
{
	const char *id, *ann;
	struct office o;
	int64_t made;

	office_open(&o);
	ann = badge(&o, hire(&o, "ann@x.org", "commander", "alpha"));
	o.token = ann;
	T_ERR(ask(&o, "project_patch", "{\"name\":\"x\"}", "alpha", NULL),
	    E_FORBIDDEN);
	T_GOOD(ask(&o, "glass_create", use, NULL, NULL));
	T_EQ_INT(o.status, 201);
	made = o.now;
	id = keep(&o, "id");
	T_GOOD(ask(&o, "project_patch", "{\"name\":\"x\"}", "alpha", NULL));
	T_ERR(ask(&o, "glass_create", use, NULL, NULL), E_EXISTS);
	o.now = made + 10 * MINUTE - 2; /* each question takes one */
	T_GOOD(ask(&o, "project_patch", "{\"name\":\"y\"}", "alpha", NULL));
	T_EQ_INT(o.now, made + 10 * MINUTE - 1);
	T_ERR(ask(&o, "project_patch", "{\"name\":\"z\"}", "alpha", NULL),
	    E_FORBIDDEN);
	T_EQ_INT(o.now, made + 10 * MINUTE);
	T_GOOD(ask(&o, "glass_get", NULL, id, NULL));
	T_EQ_STR(word(&o, "state"), STR("over"));
	T_GOOD(ask(&o, "whoami", NULL, NULL, NULL));
	T_EQ_INT(json_get(o.json, STR("break_glass"))->count, 0);
	office_close(&o);
}

TEST(an_overdue_review_is_in_the_way)
{
	const char *first, *ann, *id;
	struct office o;

	office_open(&o);
	id = hire(&o, "ann@x.org", "commander", "alpha");
	ann = badge(&o, id);
	o.token = ann;
	T_GOOD(ask(&o, "glass_create", use, NULL, NULL));
	first = keep(&o, "id");
	o.token = o.admin;
	T_ERR(ask(&o, "glass_review", "{\"note\":\"fine\"}", first, NULL),
	    E_CONFLICT); /* it is not over */
	o.token = ann;
	o.now += LIM_GLASS_REVIEW_MS;
	T_GOOD(ask(&o, "glass_create", use, NULL, NULL));
	T_OK(live(&o));
	T_GOOD(ask(&o, "glass_end", NULL, keep(&o, "id"), NULL));
	o.now += 10 * MINUTE; /* the first one's week is over */
	T_ERR(ask(&o, "glass_create", use, NULL, NULL), E_REVIEW_OVERDUE);
	T_GOOD(ask(&o, "glass_get", NULL, first, NULL));
	T_EQ_INT(json_get(o.json, STR("overdue"))->kind, JSON_TRUE);
	T_OK(!posture_ok(&o, "break_glass_reviewed"));
	o.token = badge(&o, hire(&o, "bob@x.org", "commander", "alpha"));
	T_GOOD(ask(&o, "glass_create", use, NULL, NULL)); /* it is hers */
	o.token = o.admin;
	T_GOOD(ask(&o, "glass_review", "{\"note\":\"fine\"}", first, NULL));
	T_ERR(ask(&o, "glass_review", "{\"note\":\"again\"}", first, NULL),
	    E_CONFLICT);
	T_OK(posture_ok(&o, "break_glass_reviewed"));
	o.token = ann;
	T_GOOD(ask(&o, "glass_create", use, NULL, NULL));
	office_close(&o);
}

TEST(nobody_reviews_their_own)
{
	const char *id;
	struct office o;

	office_open(&o); /* who administers may use, and review others */
	T_GOOD(ask(&o, "glass_create", use, NULL, NULL));
	id = keep(&o, "id");
	T_GOOD(ask(&o, "glass_end", NULL, id, NULL));
	T_ERR(ask(&o, "glass_end", NULL, id, NULL), E_CONFLICT);
	T_ERR(ask(&o, "glass_review", "{\"note\":\"fine\"}", id, NULL),
	    E_FORBIDDEN);
	o.token = badge(&o, hire(&o, "aud@x.org", "auditor", NULL));
	T_GOOD(ask(&o, "glass_review", "{\"note\":\"fine\"}", id, NULL));
	T_EQ_STR(word(&o, "state"), STR("reviewed"));
	T_EQ_STR(word(&o, "note"), STR("fine"));
	office_close(&o);
}

TEST(what_must_be_said)
{
	static const char *const bad[] = {
	    "{\"project\":\"alpha\",\"minutes\":0,"
	    "\"reason\":\"nobody of the team answers\"}",
	    "{\"project\":\"alpha\",\"minutes\":61,"
	    "\"reason\":\"nobody of the team answers\"}",
	    "{\"project\":\"alpha\",\"minutes\":60,"
	    "\"reason\":\"nineteen characters\"}",
	    "{\"project\":\"alpha\",\"minutes\":60,"
	    "\"reason\":\"               short               \"}",
	    "{\"project\":\"alpha\",\"minutes\":60,\"role\":\"king\","
	    "\"reason\":\"nobody of the team answers\"}",
	    "{\"incident\":\"INC-1\",\"minutes\":60,"
	    "\"reason\":\"nobody of the team answers\"}",
	};
	struct office o;

	office_open(&o);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_ERR(ask(&o, "glass_create", bad[i], NULL, NULL), E_INVALID);
	T_ERR(ask(&o, "glass_create",
		  "{\"minutes\":60,\"reason\":\"twenty characters!!!\"}", NULL,
		  NULL),
	    E_MISSING);
	T_GOOD(ask(&o, "glass_create",
	    "{\"project\":\"alpha\",\"minutes\":60,"
	    "\"reason\":\"twenty characters!!!\"}",
	    NULL, NULL));
	office_close(&o);
}

/* What is taken for minutes is not made to last. */
TEST(it_cannot_be_handed_on)
{
	const char *ann, *id;
	struct office o;

	office_open(&o);
	id = hire(&o, "ann@x.org", "commander", "alpha");
	ann = badge(&o, id);
	o.token = ann;
	T_GOOD(ask(&o, "glass_create", use, NULL, NULL));
	T_ERR(ask(&o, "binding_create",
		  fmt(&o,
		      "{\"subject\":{\"kind\":\"user\",\"id\":\"%s\"},"
		      "\"role\":\"project_admin\",\"project\":\"alpha\"}",
		      id),
		  NULL, NULL),
	    E_FORBIDDEN);
	T_GOOD(ask(&o, "binding_create",
	    fmt(&o,
		"{\"subject\":{\"kind\":\"user\",\"id\":\"%s\"},"
		"\"role\":\"viewer\",\"project\":\"alpha\"}",
		id),
	    NULL, NULL));
	office_close(&o);
}

T_MAIN
