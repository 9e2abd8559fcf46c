/* Triggers: what one says, and what none can say. */
#include "domain/trigger.h"

#include "runbooks.h"

static const char book[] =
    "{\"slug\":\"sl\",\"name\":\"n\",\"context\":\"incident\",\"inputs\":["
    "{\"name\":\"host\",\"type\":\"string\",\"required\":true},"
    "{\"name\":\"tries\",\"type\":\"integer\",\"max\":9}],"
    "\"steps\":[{\"id\":\"w\",\"kind\":\"wait\",\"seconds\":1}]}";

static err
parse(struct arena *a, const char *text, const struct runbook *rb,
    struct trail *t, struct trigger *ret)
{
	*t = (struct trail){0};
	return trigger_parse(json_of(a, str_c(text)), rb, a, t, ret);
}

TEST(refused)
{
	static const struct {
		const char *doc, *place;
		enum err_code code;
	} row[] = {
	    {"{}", "on: ", E_MISSING},
	    {"{\"on\":\"alert\"}", "on: ", E_INVALID},
	    {"{\"on\":\"schedule\"}", "on: the runbook's context", E_INVALID},
	    {"{\"on\":\"alert_opened\"}", "on: the runbook's", E_INVALID},
	    {"{\"on\":\"key_event\",\"at\":1}", "at: ", E_UNKNOWN_MEMBER},
	    {"{\"on\":\"key_event\"}", "inputs.host: ", E_MISSING},
	    {"{\"on\":\"key_event\",\"inputs\":{\"host\":1}}",
		"inputs.host: ", E_INVALID},
	    {"{\"on\":\"key_event\",\"inputs\":{\"host\":\"a\",\"tries\":10}}",
		"inputs.tries: out of", E_INVALID},
	    {"{\"on\":\"key_event\",\"inputs\":{\"host\":\"a\",\"no\":1}}",
		"inputs.no: ", E_INVALID},
	    {"{\"on\":\"key_event\",\"inputs\":{\"host\":{\"alert\":\"id\"}}}",
		"inputs.host: alert is", E_INVALID},
	    {"{\"on\":\"key_event\",\"inputs\":{\"host\":{\"input\":\"x\"}}}",
		"inputs.host: input is", E_INVALID},
	    {"{\"on\":\"key_event\",\"cron\":\"* * * * *\"}",
		"cron: ", E_INVALID},
	    {"{\"on\":\"key_event\",\"time_zone\":\"UTC\"}",
		"time_zone: ", E_INVALID},
	    {"{\"on\":\"key_event\",\"recheck\":{\"exists\":1}}",
		"recheck: ", E_INVALID},
	    {"{\"on\":\"key_event\",\"when\":{\"changed\":\"severity\"}}",
		"when.changed: ", E_INVALID},
	    {"{\"on\":\"incident_created\",\"when\":{\"eq\":[{\"old\":"
	     "\"severity\"},\"sev1\"]}}",
		"when.eq[0]: old is", E_INVALID},
	    {"{\"on\":\"incident_updated\",\"when\":{\"eq\":[{\"entry\":"
	     "\"text\"},\"x\"]}}",
		"when.eq[0]: entry", E_INVALID},
	    {"{\"on\":\"incident_updated\",\"when\":{\"changed\":\"id\"}}",
		"when.changed", E_INVALID},
	    {"{\"on\":\"key_event\",\"delay_s\":0}", "delay_s: ", E_INVALID},
	    {"{\"on\":\"key_event\",\"guard\":{\"per_hour\":0}}",
		"guard.per_hour: ", E_INVALID},
	    {"{\"on\":\"key_event\",\"guard\":{\"depth\":9}}",
		"guard.depth: ", E_INVALID},
	    {"{\"on\":\"key_event\",\"guard\":{\"off\":true}}",
		"guard.off: ", E_UNKNOWN_MEMBER},
	};
	static const char *const schedules[] = {
	    "{\"on\":\"schedule\"}",
	    "{\"on\":\"schedule\",\"cron\":\"* * * *\"}",
	    "{\"on\":\"schedule\",\"cron\":\"* * * * *\",\"time_zone\":\"X\"}",
	    "{\"on\":\"schedule\",\"cron\":\"* * * * *\",\"delay_s\":1}",
	    "{\"on\":\"schedule\",\"cron\":\"* * * * *\",\"guard\":{\"once\":"
	    "true}}",
	    "{\"on\":\"schedule\",\"cron\":\"* * * * *\",\"when\":{\"exists\":"
	    "{\"incident\":\"id\"}}}",
	};
	const struct runbook *rb;
	struct trigger g;
	struct arena a;
	struct trail t;

	arena_init(&a, 8 << 20);
	rb = runbook_of(&a, str_c(book));
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		err e = parse(&a, row[i].doc, rb, &t, &g);

		if (!err_is(e, row[i].code) ||
		    !str_starts(str_c(t.detail), str_c(row[i].place)))
			T_FAIL("%s: %s: %s", row[i].doc, err_name(e), t.detail);
	}
	for (size_t i = 0; i < sizeof schedules / sizeof *schedules; i++) {
		T_OK(!err_ok(parse(&a, schedules[i], NULL, &t, &g)));
		T_OK(t.detail[0] != '\0');
	}
	arena_done(&a);
}

TEST(all_of_one)
{
	struct scope s = {0};
	struct trigger g;
	struct arena a;
	struct trail t;
	struct buf b;
	bool holds;

	arena_init(&a, 8 << 20);
	T_GOOD(parse(&a,
	    "{\"on\":\"incident_updated\",\"when\":{\"all\":[{\"changed\":"
	    "\"severity\"},{\"eq\":[{\"old\":\"severity\"},\"sev3\"]}]},"
	    "\"delay_s\":300,\"recheck\":{\"in\":[{\"incident\":\"status\"},"
	    "[\"new\",\"acknowledged\"]]},\"inputs\":{\"host\":{\"incident\":"
	    "\"fields.host\"},\"tries\":{\"incident\":\"fields.n\"}},"
	    "\"guard\":{\"per_hour\":5,\"depth\":0,\"once\":true}}",
	    runbook_of(&a, str_c(book)), &t, &g));
	T_EQ_INT(g.on, TRIGGER_INCIDENT_UPDATED);
	T_EQ_INT(g.delay_s, 300);
	T_EQ_INT(g.per_hour * 10 + g.depth, 50);
	T_OK(g.once && g.recheck != g.when);
	s.incident = json_of(&a,
	    STR("{\"severity\":\"sev1\",\"status\":"
		"\"new\",\"fields\":{\"host\":\"web1\"}}"));
	s.old = json_of(&a, STR("{\"severity\":\"sev3\"}"));
	T_GOOD(cond_eval(g.when, &s, &a, &t, &holds));
	T_OK(holds);
	T_GOOD(cond_eval(g.recheck, &s, &a, &t, &holds));
	T_OK(holds);
	buf_init_on(&b, &a, 4096);
	T_GOOD(trigger_inputs(&g, &s, &a, &t, &b));
	T_EQ_STR(buf_view(&b), STR("{\"host\":\"web1\"}"));
	s.old = s.incident;
	T_GOOD(cond_eval(g.when, &s, &a, &t, &holds));
	T_OK(!holds);
	T_GOOD(parse(&a,
	    "{\"on\":\"schedule\",\"cron\":\"0 3 * * sun\",\"time_zone\":"
	    "\"Europe/Berlin\"}",
	    NULL, &t, &g));
	T_EQ_INT(cron_next(&g.cron, g.zone, 1764500000000), 1765072800000);
	arena_done(&a);
}

T_MAIN
