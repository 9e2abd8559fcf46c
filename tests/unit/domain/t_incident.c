/* Incidents: documents, patches, the status machine. */
#include "domain/incident.h"

#include "grants.h"
#include "tests/t.h"

static const struct json_limits lim = {32, 1000, 10000};

static const struct json *
parse(struct arena *a, const char *text)
{
	const struct json *j = NULL;
	struct trail t = {0};

	T_GOOD(json_parse(a, str_c(text), &lim, &t, &j));
	return j;
}

TEST(create_writes_the_whole_document)
{
	struct arena a;
	struct incident_head h;
	struct buf doc;
	const struct grant *g;

	arena_init(&a, 1 << 20);
	buf_init_on(&doc, &a, 1 << 16);
	g = grant_for(&a, PERM_INCIDENT_CREATE);
	T_REQUIRE(g != NULL);
	T_GOOD(incident_create(g,
	    parse(&a,
		"{\"title\":\"T\",\"severity\":"
		"\"sev1\",\"services\":[\"db\"]}"),
	    STR("{\"kind\":\"api\"}"), 5, &h, &doc));
	T_EQ_STR(buf_view(&doc),
	    STR("{\"title\":\"T\",\"summary\":null,"
		"\"type\":null,\"services\":[\"db\"],\"environments\":[],"
		"\"fields\":{},\"security_details\":null,"
		"\"commander\":null,\"source\":{\"kind\":\"api\"}"
		"}"));
	T_EQ_INT(h.severity, SEV1);
	T_EQ_INT(h.status, INCIDENT_NEW);
	T_EQ_INT(h.created, 5);
	T_EQ_INT(h.version, 1);
	arena_done(&a);
}

TEST(patch_says_what_changed)
{
	struct incident_head h = {.severity = SEV3, .version = 4};
	struct arena a;
	struct buf doc, changes;
	const struct json *old;
	bool changed = false;

	arena_init(&a, 1 << 20);
	buf_init_on(&doc, &a, 1 << 16);
	buf_init_on(&changes, &a, 1 << 16);
	old = parse(&a,
	    "{\"title\":\"T\",\"summary\":null,\"type\":null,"
	    "\"services\":[\"db\"],\"environments\":[],\"fields\":{},"
	    "\"commander\":null,\"source\":{\"kind\":\"ui\"}}");
	T_GOOD(incident_patch(grant_for(&a, PERM_INCIDENT_EDIT), &h, old,
	    parse(&a,
		"{\"summary\":\"why\",\"severity\":\"sev0\","
		"\"services\":[ \"db\" ]}"),
	    9, &doc, &changes, &changed));
	T_OK(changed);
	T_EQ_INT(h.version, 5);
	T_EQ_INT(h.severity, SEV0);
	T_EQ_STR(buf_view(&changes),
	    STR("{\"severity\":{\"from\":\"sev3\","
		"\"to\":\"sev0\"},\"summary\":{\"from\":null,\"to\":\"why\"}"
		"}"));
	T_OK(str_ends(buf_view(&doc), STR("\"source\":{\"kind\":\"ui\"}}")));
	arena_done(&a);
}

TEST(patch_of_the_same_changes_nothing)
{
	struct incident_head h = {.severity = SEV3, .version = 4};
	struct arena a;
	struct buf doc, changes;
	bool changed = true;

	arena_init(&a, 1 << 20);
	buf_init_on(&doc, &a, 1 << 16);
	buf_init_on(&changes, &a, 1 << 16);
	T_GOOD(incident_patch(grant_for(&a, PERM_INCIDENT_EDIT), &h,
	    parse(&a, "{\"title\":\"T\",\"source\":{}}"),
	    parse(&a, "{\"title\":\"\\u0054\",\"severity\":\"sev3\"}"), 9, &doc,
	    &changes, &changed));
	T_OK(!changed);
	T_EQ_INT(h.version, 4);
	arena_done(&a);
}

/* Every pair of statuses against the rule of the contract, said anew. */
TEST(status_machine)
{
	static const int order[] = {INCIDENT_NEW, INCIDENT_ACKNOWLEDGED,
	    INCIDENT_INVESTIGATING, INCIDENT_MITIGATING, INCIDENT_MONITORING,
	    INCIDENT_RESOLVED, INCIDENT_CLOSED};

	for (int i = 0; i < 7; i++)
		for (int j = 0; j < 7; j++) {
			bool reopen = order[i] >= INCIDENT_RESOLVED &&
			    order[j] == INCIDENT_INVESTIGATING;

			T_EQ_INT(incident_status_may_follow((unsigned)order[i],
				     (enum incident_status)order[j]),
			    j > i || reopen);
		}
	for (unsigned s = 0; s < INCIDENT_STATUS_MAX_; s++) {
		T_OK(!incident_status_may_follow(s, INCIDENT_MERGED));
		T_OK(!incident_status_may_follow(INCIDENT_CANCELLED,
		    (enum incident_status)s));
		T_OK(!incident_status_may_follow(INCIDENT_MERGED,
		    (enum incident_status)s));
		T_EQ_INT(incident_status_may_follow(s, INCIDENT_CANCELLED),
		    incident_status_open(s));
	}
}

TEST(moving_sets_the_times_once)
{
	struct incident_head h = {.status = INCIDENT_NEW, .version = 1};
	const struct grant *g;
	struct trail t = {0};
	struct arena a;

	arena_init(&a, 1 << 20);
	g = grant_for(&a, PERM_INCIDENT_EDIT);
	T_GOOD(incident_move(g, &h, INCIDENT_ACKNOWLEDGED, 10, &t));
	T_GOOD(incident_move(g, &h, INCIDENT_MONITORING, 20, &t));
	T_GOOD(incident_move(g, &h, INCIDENT_RESOLVED, 30, &t));
	T_EQ_INT(h.acknowledged, 10);
	T_EQ_INT(h.mitigated, 20);
	T_EQ_INT(h.resolved, 30);
	T_GOOD(incident_move(g, &h, INCIDENT_INVESTIGATING, 40, &t));
	T_EQ_INT(h.resolved, 0);
	T_EQ_INT(h.acknowledged, 10);
	T_ERR(incident_move(g, &h, INCIDENT_NEW, 50, &t), E_TRANSITION);
	T_EQ_INT(h.updated, 40);
	arena_done(&a);
}

TEST(numbers)
{
	uint64_t n = 0;

	T_OK(incident_number_parse(STR("INC-42"), &n) && n == 42);
	T_OK(incident_number_parse(STR("inc-7"), &n) && n == 7);
	T_OK(incident_number_parse(STR("7"), &n));
	T_OK(!incident_number_parse(STR("INC-"), &n));
	T_OK(!incident_number_parse(STR("INC-0"), &n));
	T_OK(!incident_number_parse(STR("0"), &n));
	T_OK(!incident_number_parse(STR("INC-4 "), &n));
	T_OK(!incident_number_parse(STR("99999999999999999999"), &n));
}

TEST(matching)
{
	struct str fields = STR("fields");
	struct arena a;
	const struct json *d;

	arena_init(&a, 1 << 20);
	d = parse(&a,
	    "{\"title\":\"Disk Full\",\"fields\":{\"a\":[\"Deep\"]},"
	    "\"source\":{\"kind\":\"hidden\"}}");
	T_OK(incident_matches(d, STR("disk f"), NULL, 0));
	T_OK(incident_matches(d, STR("deep"), NULL, 0));
	T_OK(!incident_matches(d, STR("hidden"), NULL, 0));
	T_OK(!incident_matches(d, STR("deep"), &fields, 1));
	T_OK(incident_matches(d, STR("disk"), &fields, 1));
	arena_done(&a);
}

T_MAIN
