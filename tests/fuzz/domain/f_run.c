/*
 * The stored state of a run: refused, or a run that the machine can go on
 * with whatever comes next, and that is written again as it was read.
 */
#include "base/limits.h"
#include "domain/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
    LIM_JSON_VALUES};

#define TASK(id)                                                               \
	"{\"id\":\"" id "\",\"kind\":\"script\",\"interpreter\":\"sh\","       \
	"\"script\":\"x\",\"delegates\":{\"labels\":{\"a\":\"b\"}},"           \
	"\"retry\":{\"times\":2,\"backoff_s\":1},\"undo\":[{\"id\":\"un" id    \
	"\",\"kind\":\"wait\",\"seconds\":1}]}"

static const char book[] =
    "{\"slug\":\"fuzz\",\"name\":\"f\",\"context\":\"any\",\"steps\":[" TASK(
	"t") ",{\"id\":\"w\",\"kind\":\"wait\",\"seconds\":5},"
	     "{\"id\":\"m\",\"kind\":\"manual\",\"instructions\":\"x\"},"
	     "{\"id\":\"a\",\"kind\":\"approval\",\"message\":\"x\",\"count\":"
	     "2,"
	     "\"expires_s\":60},{\"id\":\"c\",\"kind\":\"condition\",\"when\":"
	     "{\"eq\":[1,1]},\"then\":[" TASK(
		 "u") "]},"
		      "{\"id\":\"p\",\"kind\":\"parallel\",\"branches\":["
		      "[" TASK("v") "],[" TASK(
			  "x") "]],\"on_failure\":\"undo\"}]}";

static const struct runbook *
runbook(struct arena *a)
{
	struct trail t = {""};
	const struct runbook *rb = NULL;
	const struct json *j;

	BUG_ON(!err_ok(json_parse(a, str_c(book), &lim, &t, &j)));
	if (!err_ok(runbook_parse(j, a, &t, &rb)))
		bug(__FILE__, __LINE__, t.detail);
	return rb;
}

static struct str
written(struct arena *a, const struct runbook *rb, const struct run *r)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, a, 1 << 20);
	jw_init(&w, &b);
	run_write(&w, rb, r);
	BUG_ON(b.failed);
	return buf_view(&b);
}

/* Time alone must end it, once delegates answer. */
static void
go_on(struct run_machine *m)
{
	for (unsigned i = 0; i < 64 && !run_over(m->run); i++) {
		m->now += 100000000;
		BUG_ON(!err_ok(run_timer(m)));
		for (size_t s = 0; s < m->run->step_n; s++) {
			struct run_result r = {.attempt =
						   m->run->step[s].attempt,
			    .how = RUN_STOPPED};

			BUG_ON(!err_ok(run_result(m, m->rb->steps[s], &r)));
		}
		run_machine_init(m);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run_machine m = {.now = 1};
	const struct json *j;
	struct str first;
	struct arena a;

	arena_init(&a, (size_t)64 << 20);
	m.a = &a;
	m.rb = runbook(&a);
	if (err_ok(json_parse(&a, str_of((const char *)data, size), &lim, NULL,
		&j)) &&
	    err_ok(run_read(m.rb, j, &a, &m.run))) {
		first = written(&a, m.rb, m.run);
		BUG_ON(!err_ok(json_parse(&a, first, &lim, NULL, &j)));
		BUG_ON(!err_ok(run_read(m.rb, j, &a, &m.run)));
		BUG_ON(!str_eq(first, written(&a, m.rb, m.run)));
		run_machine_init(&m);
		go_on(&m);
	}
	arena_done(&a);
	return 0;
}
