/*
 * Terms of keys and the days of a policy, with the clock moved: what is due
 * goes with its key, what is open goes on under the next one.
 */
#include "flow/keys.h"
#include "flow/retention.h"
#include "flow/shred.h"
#include "store/retention.h"
#include "tests/unit/flow/hall.h"

#define DAY INT64_C(86400000)

static const char *
made(struct hall *h, const char *title, bool over)
{
	static char id[4][UUID_TEXT + 1];
	static unsigned n;
	char body[128], path[128];
	struct visit *v;
	char *to = id[n++ % 4];

	(void)snprintf(body, sizeof body,
	    "{\"title\":\"%s\",\"severity\":\"info\"}", title);
	v = visit(h, "POST", "/v1/projects/alpha/alerts", body);
	T_EQ_INT(v->status, 201);
	(void)snprintf(to, UUID_TEXT + 1, "%.*s",
	    STR_ARG(json_str_at(v->json, STR("id"))));
	(void)snprintf(path, sizeof path,
	    "/v1/projects/alpha/alerts/%s/resolve", to);
	if (over)
		T_EQ_INT(visit(h, "POST", path, "{}")->status, 200);
	return to;
}

static int
seen(struct hall *h, const char *id)
{
	char path[128];

	(void)snprintf(path, sizeof path, "/v1/projects/alpha/alerts/%s", id);
	return visit(h, "GET", path, NULL)->status;
}

static err
next_term(struct lane *l, void *arg)
{
	struct class_key k = {.project = 1, .class = SEAL_CLASS_ALERT};

	return keys_new_terms(l, &k, 1, arg);
}

static size_t
terms(struct hall *h)
{
	const struct class_key *k;

	lane_refresh(&h->lane);
	return snap_class_terms(h->lane.snap, 1, SEAL_CLASS_ALERT, &k);
}

static uint64_t
shredded(struct hall *h, int64_t now)
{
	struct rotation by = {.st = &h->o.st, .by = "test"};
	struct trail t = {.detail = ""};
	struct shredded did;

	T_GOOD(shred_run(&by, now, &t, &did));
	T_OK(did.clean);
	return did.units[RETAIN_ALERT];
}

TEST(a_term)
{
	struct hall h;
	struct arena a;
	const char *over, *open, *late;
	int64_t start;

	hall_open(&h);
	arena_init(&a, 1 << 20);
	start = h.o.now;
	T_EQ_INT(visit(&h, "PUT", "/v1/policy",
		     "{\"retention\":{\"alert\":{\"days\":30}}}")
		     ->status,
	    200);
	lane_refresh(&h.lane);
	T_EQ_INT(retention_term_ms(h.lane.snap->world, 1, SEAL_CLASS_ALERT),
	    DAY);
	over = made(&h, "over", true);
	open = made(&h, "open", false);
	tick(DAY);
	T_GOOD(writer_do(h.o.st.writer, next_term, &a));
	late = made(&h, "late", true);
	T_EQ_INT(terms(&h), 2);
	/* the first term ended on day 1 */
	T_EQ_INT(shredded(&h, start + 30 * DAY), 0);
	T_EQ_INT(seen(&h, over), 200);
	T_EQ_INT(shredded(&h, start + 31 * DAY + 60000), 1);
	T_EQ_INT(seen(&h, over), 404);
	T_EQ_INT(seen(&h, open), 200);
	T_EQ_INT(seen(&h, late), 200);
	T_EQ_INT(terms(&h), 1);
	T_EQ_INT(shredded(&h, start + 31 * DAY + 60000), 0);
	arena_done(&a);
	hall_close(&h);
}

T_MAIN
