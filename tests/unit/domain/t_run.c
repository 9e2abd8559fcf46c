/* Runs: what each kind of step does, alone and in its place. */
#include "runs.h"

#define TASK(id, more)                                                         \
	"{\"id\":\"" id "\",\"kind\":\"script\",\"interpreter\":\"sh\","       \
	"\"script\":\"true\",\"delegates\":{\"labels\":{\"a\":\"b\"}}" more    \
	"}"
#define UNDO(id) ",\"undo\":[" TASK(id, "") "]"

/* One event, and what came of it: kinds of the effects as letters. */
static const char *
did(struct run_machine *m)
{
	static char text[256];
	static const char letters[] = {[RUN_DO_TASK] = 'T',
	    [RUN_DO_CANCEL] = 'C',
	    [RUN_DO_INCIDENT] = 'I',
	    [RUN_TELL_END] = 'E'};
	size_t n = 0;

	for (const struct run_effect *e = m->first; e != NULL; e = e->next) {
		if (e->kind == RUN_TELL_STEP)
			continue;
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%c:%.*s",
		    n > 0 ? " " : "", letters[e->kind],
		    e->step == NULL ? 0 : (int)e->step->id.n,
		    e->step == NULL ? "" : e->step->id.p);
	}
	text[n] = '\0';
	runs_again(m);
	run_machine_init(m);
	return text;
}

static void
result(struct run_machine *m, const char *id, int how)
{
	struct run_result r = {.attempt = runs_at(m, id)->attempt,
	    .how = (unsigned)how};

	T_GOOD(run_result(m, runs_step(m, id), &r));
}

static void
good(struct run_machine *m, const char *id, const char *outputs)
{
	struct run_result r = {.attempt = runs_at(m, id)->attempt,
	    .how = RUN_GOOD};

	if (outputs != NULL)
		r.outputs = runs_json(m->a, str_c(outputs));
	T_GOOD(run_result(m, runs_step(m, id), &r));
}

static void
begin(struct run_machine *m, struct arena *a, const char *more,
    const char *steps)
{
	arena_init(a, (size_t)64 << 20);
	runs_start(m, a, more, str_c(steps));
	T_GOOD(run_begin(m));
}

TEST(steps_run_one_after_the_other)
{
	struct run_machine m;
	struct arena a;

	begin(&m, &a, "", "[" TASK("one", "") "," TASK("two", "") "]");
	T_EQ_STR(str_c(did(&m)), STR("T:one"));
	good(&m, "one", NULL);
	T_EQ_STR(str_c(did(&m)), STR("T:two"));
	good(&m, "one", NULL); /* said twice */
	T_EQ_STR(str_c(did(&m)), STR(""));
	good(&m, "two", NULL);
	T_EQ_STR(str_c(did(&m)), STR("E:"));
	T_EQ_INT(m.run->state, RUN_SUCCEEDED);
	arena_done(&a);
}

TEST(a_failure_stops_the_run)
{
	struct run_machine m;
	struct arena a;

	begin(&m, &a, "", "[" TASK("one", "") "," TASK("two", "") "]");
	result(&m, "one", RUN_BAD);
	T_EQ_STR(str_c(did(&m)), STR("T:one E:"));
	T_EQ_INT(m.run->state, RUN_FAILED);
	T_EQ_INT(runs_at(&m, "two")->at, AT_SKIPPED);
	arena_done(&a);
}

TEST(a_failure_that_does_not_matter)
{
	struct run_machine m;
	struct arena a;

	begin(&m, &a, "",
	    "[" TASK("one", ",\"on_failure\":\"continue\"") "," TASK("two",
		"") "]");
	result(&m, "one", RUN_BAD);
	T_EQ_STR(str_c(did(&m)), STR("T:one T:two"));
	good(&m, "two", NULL);
	T_EQ_INT(m.run->state, RUN_SUCCEEDED);
	arena_done(&a);
}

TEST(retries_wait_longer_each_time)
{
	struct run_machine m;
	struct arena a;

	begin(&m, &a, "",
	    "[" TASK("one",
		",\"retry\":{\"times\":2,\"backoff_s\":5,\"factor\":3}") "]");
	(void)did(&m);
	result(&m, "one", RUN_BAD);
	T_EQ_STR(str_c(did(&m)), STR(""));
	T_EQ_INT(runs_at(&m, "one")->at, AT_RETRYING);
	T_EQ_INT(run_due(m.run, false), 6000);
	T_OK(run_due(m.run, true) > 6000); /* held: nothing to do then */
	m.now = 5999;
	T_GOOD(run_timer(&m));
	T_EQ_STR(str_c(did(&m)), STR(""));
	m.now = 6000;
	T_GOOD(run_timer(&m));
	T_EQ_STR(str_c(did(&m)), STR("T:one"));
	result(&m, "one", RUN_BAD);
	T_EQ_INT(run_due(m.run, false), 6000 + 15000);
	m.now = 21000;
	T_GOOD(run_timer(&m));
	result(&m, "one", RUN_BAD);
	T_EQ_INT(m.run->state, RUN_FAILED);
	T_EQ_INT(runs_at(&m, "one")->attempt, 3);
	arena_done(&a);
}

TEST(what_was_lost_is_not_run_again)
{
	struct run_machine m;
	struct arena a;

	begin(&m, &a, "",
	    "[" TASK("one", ",\"retry\":{\"times\":5,\"backoff_s\":0}") "]");
	result(&m, "one", RUN_LOST);
	T_EQ_INT(m.run->state, RUN_FAILED);
	T_EQ_INT(runs_at(&m, "one")->attempt, 1);
	arena_done(&a);

	begin(&m, &a, "", "[" TASK("one", ",\"idempotent\":true") "]");
	(void)did(&m);
	for (int i = 0; i < 3; i++) {
		result(&m, "one", RUN_LOST);
		T_EQ_STR(str_c(did(&m)), STR("T:one"));
	}
	result(&m, "one", RUN_LOST);
	T_EQ_INT(m.run->state, RUN_FAILED);
	arena_done(&a);
}

TEST(a_time_limit_ends_the_task_first)
{
	struct run_machine m;
	struct arena a;

	begin(&m, &a, "",
	    "[" TASK("one",
		",\"timeout_s\":10,\"retry\":{\"times\":1,"
		"\"backoff_s\":0}") "]");
	(void)did(&m);
	m.now = 11000;
	T_GOOD(run_timer(&m));
	T_EQ_STR(str_c(did(&m)), STR("C:one")); /* and not started again yet */
	T_GOOD(run_timer(&m));
	T_EQ_STR(str_c(did(&m)), STR(""));
	result(&m, "one", RUN_STOPPED);
	T_EQ_STR(str_c(did(&m)), STR("T:one"));
	m.now = 22000;
	T_GOOD(run_timer(&m));
	good(&m, "one", NULL); /* it was quicker */
	T_EQ_INT(m.run->state, RUN_SUCCEEDED);
	arena_done(&a);
}

TEST(undo_goes_backwards)
{
	struct run_machine m;
	struct arena a;

	begin(&m, &a, "",
	    "[" TASK("one", UNDO("un_one")) "," TASK("two",
		UNDO("un_two")) "," TASK("three",
		",\"on_failure\":\"undo\"" UNDO("un_three")) "]");
	good(&m, "one", NULL);
	good(&m, "two", NULL);
	(void)did(&m);
	result(&m, "three", RUN_BAD);
	T_EQ_STR(str_c(did(&m)), STR("T:un_two"));
	T_EQ_INT(m.run->state, RUN_UNDOING);
	result(&m, "un_two", RUN_BAD); /* goes on nevertheless */
	T_EQ_STR(str_c(did(&m)), STR("T:un_one"));
	good(&m, "un_one", NULL);
	T_EQ_STR(str_c(did(&m)), STR("E:"));
	T_EQ_INT(m.run->state, RUN_FAILED);
	T_OK(m.run->undo_bad);
	arena_done(&a);
}

TEST(conditions_choose)
{
	static const char steps[] = "[" TASK("one",
	    ",\"outputs\":[{\"name\":\"n\",\"type\":\"integer\"}"
	    "]") ",{"
		 "\"id\""
		 ":\"c\""
		 ",\"kin"
		 "d\":"
		 "\"cond"
		 "ition"
		 "\","
		 "\"when"
		 "\":{"
		 "\"gt\""
		 ":["
		 "{\"ste"
		 "p\":"
		 "\"one"
		 "\","
		 "\"outp"
		 "ut\":"
		 "\"n\"}"
		 ",3]},"
		 "\"then"
		 "\":"
		 "[" TASK("ye"
			  "s",
		     "") "],\"else\":[" TASK("no", "") "]}," TASK("las"
								  "t",
		     ","
		     "\""
		     "if"
		     "\""
		     ":{"
		     "\""
		     "eq"
		     "\""
		     ":["
		     "{"
		     "\""
		     "in"
		     "pu"
		     "t"
		     "\""
		     ":"
		     "\""
		     "x"
		     "\""
		     "},"
		     "\""
		     "go"
		     "\""
		     "]"
		     "}") "]";
	static const char in[] =
	    "\"inputs\":[{\"name\":\"x\",\"type\":\"string\"}],";
	struct run_machine m;
	struct arena a;

	begin(&m, &a, in, steps);
	(void)did(&m);
	good(&m, "one", "{\"n\":4}");
	T_EQ_STR(str_c(did(&m)), STR("T:yes"));
	good(&m, "yes", NULL);
	T_EQ_STR(str_c(did(&m)),
	    STR("E:")); /* x is not there: the last is left out */
	T_EQ_INT(m.run->state, RUN_SUCCEEDED);
	T_EQ_INT(runs_at(&m, "last")->at, AT_SKIPPED);
	arena_done(&a);

	begin(&m, &a, in, steps);
	m.inputs = runs_json(&a, STR("{\"x\":\"go\"}"));
	good(&m, "one", "{\"n\":3}");
	good(&m, "no", NULL);
	T_EQ_STR(str_c(did(&m)), STR("T:one T:no T:last"));
	arena_done(&a);
}

#define TWO_BRANCHES(fail)                                                     \
	"[{\"id\":\"p\",\"kind\":\"parallel\",\"fail\":\"" fail                \
	"\",\"branches\":[[" TASK("a1", "") "," TASK("a2",                     \
	    "") "],[" TASK("b1", "") "]]}," TASK("end", "") "]"

TEST(branches_go_side_by_side)
{
	struct run_machine m;
	struct arena a;

	begin(&m, &a, "", TWO_BRANCHES("all"));
	T_EQ_STR(str_c(did(&m)), STR("T:a1 T:b1"));
	result(&m, "b1", RUN_BAD);
	T_EQ_STR(str_c(did(&m)), STR(""));
	good(&m, "a1", NULL);
	T_EQ_STR(str_c(did(&m)), STR("T:a2"));
	good(&m, "a2", NULL);
	T_EQ_STR(str_c(did(&m)), STR("E:"));
	T_EQ_INT(m.run->state, RUN_FAILED);
	arena_done(&a);
}

TEST(the_first_failure_stops_the_others)
{
	struct run_machine m;
	struct arena a;

	begin(&m, &a, "", TWO_BRANCHES("first"));
	(void)did(&m);
	result(&m, "b1", RUN_BAD);
	T_EQ_STR(str_c(did(&m)), STR("C:a1"));
	T_EQ_INT(m.run->state, RUN_RUNNING);
	result(&m, "a1", RUN_STOPPED);
	T_EQ_STR(str_c(did(&m)), STR("E:"));
	T_EQ_INT(runs_at(&m, "a1")->at, AT_CANCELLED);
	T_EQ_INT(m.run->state, RUN_FAILED);
	arena_done(&a);
}

TEST(waiting_ends_by_time_and_by_people)
{
	struct uuid me = {{7}};
	struct run_machine m;
	struct arena a;

	begin(&m, &a, "",
	    "[{\"id\":\"w\",\"kind\":\"wait\",\"seconds\":30},"
	    "{\"id\":\"h\",\"kind\":\"manual\",\"instructions\":\"do it\"},"
	    "{\"id\":\"i\",\"kind\":\"incident\",\"set\":{\"severity\":"
	    "\"sev1\"},"
	    "\"timeline\":{\"concat\":[\"by \",{\"run\":\"id\"}]},"
	    "\"key_event\":true,\"transition\":\"investigating\"}]");
	m.about = runs_json(&a, STR("{\"id\":\"r1\"}"));
	T_EQ_STR(str_c(did(&m)), STR(""));
	T_EQ_INT(run_due(m.run, false), 31000);
	T_ERR(run_complete(&m, runs_step(&m, "h"), &me, true, NULL, STR("")),
	    E_CONFLICT);
	m.now = 31000;
	T_GOOD(run_timer(&m));
	T_EQ_INT(runs_at(&m, "h")->at, AT_MANUAL);
	T_GOOD(
	    run_complete(&m, runs_step(&m, "h"), &me, true, NULL, STR("done")));
	for (const struct run_effect *e = m.first; e != NULL; e = e->next)
		if (e->kind == RUN_DO_INCIDENT)
			T_EQ_STR(e->values,
			    STR("{\"set\":{\"severity\":\"sev1\"},"
				"\"timeline\":\"by r1\",\"key_event\":true,"
				"\"transition\":\"investigating\"}"));
	T_EQ_STR(str_c(did(&m)), STR("I:i"));
	good(&m, "i", NULL);
	T_EQ_INT(m.run->state, RUN_SUCCEEDED);
	arena_done(&a);
}

#define APPROVAL                                                               \
	"[{\"id\":\"ok\",\"kind\":\"approval\",\"message\":\"sure?\","         \
	"\"count\":2,"                                                         \
	"\"expires_s\":60}]"

static err
vote(struct run_machine *m, uint8_t who, bool yes)
{
	struct run_voter v = {.who = {{who}}, .person = true, .named = true};

	m->trail.detail[0] = '\0';
	return run_vote(m, runs_step(m, "ok"), &v, yes, 9, STR(""));
}

TEST(approvals_are_of_many_eyes)
{
	struct run_voter v = {.who = {{1}}};
	struct run_machine m;
	struct arena a;

	begin(&m, &a, "", APPROVAL);
	(void)did(&m);
	T_ERR(run_may_vote(&m, runs_step(&m, "ok"), &v, &m.trail), E_FORBIDDEN);
	v.person = v.named = v.requester = true;
	T_ERR(run_may_vote(&m, runs_step(&m, "ok"), &v, &m.trail), E_FORBIDDEN);
	v.requester = false;
	v.author = true;
	T_ERR(run_may_vote(&m, runs_step(&m, "ok"), &v, &m.trail), E_FORBIDDEN);
	v.author = v.named = false;
	T_ERR(run_may_vote(&m, runs_step(&m, "ok"), &v, &m.trail), E_FORBIDDEN);
	T_GOOD(vote(&m, 1, true));
	T_ERR(vote(&m, 1, true), E_CONFLICT);
	T_EQ_INT(m.run->state, RUN_RUNNING);
	T_GOOD(vote(&m, 2, true));
	T_EQ_STR(str_c(did(&m)), STR("E:"));
	T_EQ_INT(m.run->state, RUN_SUCCEEDED);
	T_ERR(vote(&m, 3, true), E_CONFLICT);
	arena_done(&a);
}

TEST(a_no_or_silence_is_the_end)
{
	struct run_machine m;
	struct arena a;

	begin(&m, &a, "", APPROVAL);
	T_GOOD(vote(&m, 1, true));
	T_GOOD(vote(&m, 2, false));
	T_EQ_INT(m.run->state, RUN_FAILED);
	T_EQ_STR(runs_at(&m, "ok")->code, STR("rejected"));
	arena_done(&a);

	begin(&m, &a, "", APPROVAL);
	T_GOOD(vote(&m, 1, true));
	m.now = 61000;
	T_ERR(vote(&m, 2, true), E_CONFLICT); /* it is over already */
	T_GOOD(run_timer(&m));
	T_EQ_STR(runs_at(&m, "ok")->code, STR("expired"));
	T_EQ_INT(m.run->state, RUN_FAILED);
	arena_done(&a);
}

TEST(cancelling_waits_for_what_runs)
{
	struct run_machine m;
	struct arena a;

	begin(&m, &a, "", TWO_BRANCHES("all"));
	(void)did(&m);
	T_GOOD(run_cancel(&m, STR("cancelled")));
	T_EQ_STR(str_c(did(&m)), STR("C:a1 C:b1"));
	good(&m, "a1", NULL); /* it had ended by itself: that is true */
	T_EQ_STR(str_c(did(&m)), STR(""));
	result(&m, "b1", RUN_STOPPED);
	T_EQ_STR(str_c(did(&m)), STR("E:"));
	T_EQ_INT(m.run->state, RUN_CANCELLED);
	T_EQ_INT(runs_at(&m, "a1")->at, AT_SUCCEEDED);
	T_EQ_INT(runs_at(&m, "a2")->at, AT_SKIPPED);
	T_ERR(run_cancel(&m, STR("cancelled")), E_CONFLICT);
	arena_done(&a);
}

TEST(a_run_has_its_time)
{
	struct run_machine m;
	struct arena a;

	begin(&m, &a, "\"timeout_s\":20,", TWO_BRANCHES("all"));
	(void)did(&m);
	T_EQ_INT(run_due(m.run, false), 21000);
	m.now = 21000;
	T_GOOD(run_timer(&m));
	T_EQ_STR(str_c(did(&m)), STR("C:a1 C:b1"));
	result(&m, "b1", RUN_LOST);
	result(&m, "a1", RUN_STOPPED);
	T_EQ_INT(m.run->state, RUN_FAILED);
	T_EQ_STR(m.run->code, STR("timed_out"));
	arena_done(&a);
}

TEST(nothing_starts_while_it_is_held)
{
	struct run_machine m;
	struct arena a;

	begin(&m, &a, "", "[" TASK("one", "") "," TASK("two", "") "]");
	(void)did(&m);
	m.held = true;
	good(&m, "one", NULL);
	T_EQ_STR(str_c(did(&m)), STR(""));
	T_EQ_INT(runs_at(&m, "two")->at, AT_PENDING);
	m.held = false;
	T_GOOD(run_look(&m));
	T_EQ_STR(str_c(did(&m)), STR("T:two"));
	arena_done(&a);
}

TEST(a_run_gives_what_the_runbook_says)
{
	static const char out[] = "\"outputs\":[{\"name\":\"r\",\"type\":"
				  "\"integer\",\"value\":{\"step\":\"one\","
				  "\"output\":\"n\"}}],";
	static const char steps[] = "[" TASK("one",
	    ",\"outputs\":[{\"name\":\"n\",\"type\":\"integer\"}],"
	    "\"on_failure\":\"continue\"") "]";
	struct run_machine m;
	struct arena a;
	int64_t v = 0;

	begin(&m, &a, out, steps);
	good(&m, "one", "{\"n\":5}");
	T_EQ_INT(m.run->state, RUN_SUCCEEDED);
	T_OK(json_i64(json_get(m.run->outputs, STR("r")), 0, 9, &v));
	T_EQ_INT(v, 5);
	arena_done(&a);

	begin(&m, &a, out, steps);
	result(&m, "one", RUN_BAD);
	T_EQ_INT(m.run->state, RUN_FAILED); /* it has no such result */
	T_EQ_STR(m.run->code, STR("outputs"));
	arena_done(&a);
}

T_MAIN
