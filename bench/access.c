/*
 * bench/access.c: what one decision costs.  Nanoseconds: the mean of the best
 * of 9 rounds, and the 99th percentile of decisions timed one by one (less
 * what reading the clock costs).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "access/access.h"

enum { ROUNDS = 9, CALLS = 50000, NOW = 1000000, PROJECTS = 50 };

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
must(err e)
{
	BUG_ON(!err_ok(e));
}

static struct object
head(enum object_kind kind, uint32_t n, uint32_t project)
{
	struct object o = {.kind = kind, .project = project, .version = 1};

	o.id.b[0] = (uint8_t)kind;
	o.id.b[12] = (uint8_t)(n >> 24);
	o.id.b[13] = (uint8_t)(n >> 16);
	o.id.b[14] = (uint8_t)(n >> 8);
	o.id.b[15] = (uint8_t)n;
	return o;
}

/* What the one who asks holds; every case has 1,000 bindings or more. */
struct scene {
	const char *what;
	unsigned own, others; /* bindings */
	unsigned groups;      /* half of its bindings are theirs */
	bool one_place;	      /* all in one project, and none allows */
	bool narrow;	      /* limited to a resource group */
};

static struct world *
build(const struct scene *s)
{
	struct world_builder *b;
	struct world *w;
	struct user u = {.o = head(OBJECT_USER, 1, 0), .email = STR("a@b")};
	struct str db = STR("db");
	struct resource_group g = {
	    .o = head(OBJECT_RESOURCE_GROUP, 1, 0),
	    .name = STR("g"),
	    .types = 1u << RESOURCE_INCIDENT,
	    .services = &db,
	    .services_n = 1,
	};

	must(world_builder_new(&b));
	must(world_builder_put(b, &u.o));
	must(world_builder_put(b, &g.o));
	for (uint32_t i = 0; i < s->groups; i++) {
		struct principal_id me = {u.o.id};
		struct group x = {.o = head(OBJECT_GROUP, i, 0),
		    .name = STR("x"),
		    .members = &me,
		    .members_n = 1};

		must(world_builder_put(b, &x.o));
	}
	for (uint32_t i = 0; i < s->own + s->others; i++) {
		bool mine = i<s->own, group = s->groups> 0 && i % 2 == 1;
		struct binding x = {
		    .o = head(OBJECT_BINDING, i,
			s->one_place ? 1 : i % PROJECTS + 1),
		    .subject_kind = group ? PRINCIPAL_GROUP : PRINCIPAL_USER,
		    .subject = !mine ? head(OBJECT_USER, 1000 + i, 0).id
			: group	     ? head(OBJECT_GROUP, i % s->groups, 0).id
				     : u.o.id,
		    .role = s->one_place && i + 1 < s->own ? STR("auditor")
							   : STR("responder"),
		};

		if (s->narrow)
			x.group = g.o.id;
		must(world_builder_put(b, &x.o));
	}
	must(world_builder_done(b, &w));
	return w;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
run(const struct scene *s)
{
	static double each[CALLS];
	struct world *w = build(s);
	struct actor a = {.kind = PRINCIPAL_USER,
	    .id = head(OBJECT_USER, 1, 0).id,
	    .world = w};
	struct str service = STR("db");
	struct resource r = {.type = RESOURCE_INCIDENT,
	    .severity = 3,
	    .services = &service,
	    .services_n = 1};
	struct target t = {.perm = PERM_INCIDENT_EDIT,
	    .res = s->narrow ? &r : NULL};
	double best = 1e18, clock = 1e18, t0;
	unsigned allowed = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		t0 = now();
		for (uint32_t i = 0; i < CALLS; i++) {
			t.project = s->one_place ? 1 : i % (PROJECTS + 5) + 1;
			r.project = t.project;
			allowed += access_decide(&a, &t, NOW).allowed;
		}
		t0 = (now() - t0) / CALLS;
		best = t0 < best ? t0 : best;
	}
	for (uint32_t i = 0; i < CALLS; i++) {
		double c = now();

		t0 = now();
		clock = t0 - c < clock ? t0 - c : clock;
		t.project = s->one_place ? 1 : i % (PROJECTS + 5) + 1;
		r.project = t.project;
		allowed += access_decide(&a, &t, NOW).allowed;
		each[i] = now() - t0;
	}
	qsort(each, CALLS, sizeof *each, by_value);
	printf("%-52s %6.0f ns, p99 %6.0f ns\n", s->what, best,
	    each[CALLS * 99 / 100] - clock);
	BUG_ON(allowed == 0);
	world_unref(w);
}

int
main(void)
{
	static const struct scene scenes[] = {
	    {"1,000 bindings, 40 of one's own", 40, 960, 0, false, false},
	    {"1,000 of one's own, 20 a project", 1000, 0, 0, false, false},
	    {"1,000 of one's own and 20 groups", 1000, 0, 20, false, false},
	    {"1,000 of one's own, for some resources", 1000, 0, 0, false, true},
	    {"1,000 in one project, the last one allows", 1000, 0, 0, true,
		false},
	    {"10,000 bindings, 40 of one's own", 40, 9960, 0, false, false},
	};

	for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
		run(&scenes[i]);
	return 0;
}
