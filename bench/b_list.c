/*
 * b_list.c: pages of 50 incidents and the start of a big store.
 *
 *	b_list DIR [ROUNDS]
 *
 * DIR as mkstore filled it.  Prints how long opening takes as the server does
 * it, and p50 and p99 of a page for each filter, from the first page on and
 * from the middle.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "store/conn.h"

enum { PAGE = 50, MAX_ROUNDS = 10000 };

static struct store *s;
static struct store_conn *r;
static struct arena a;
static int rounds = 200;
static uint8_t service[BLIND_SIZE], type[BLIND_SIZE];
static int64_t first_created;
static uint64_t last;

static void
must(err e, const char *what)
{
	if (!err_ok(e)) {
		fprintf(stderr, "b_list: %s: %s\n", what, err_name(e));
		exit(1);
	}
}

static int
by_value(const void *x, const void *y)
{
	const int64_t *p = x, *q = y;

	return *p < *q ? -1 : *p > *q;
}

static void
page(const char *name, struct incident_filter f)
{
	static int64_t took[MAX_ROUNDS];
	struct incident_row *rows;
	size_t n = 0;

	f.project = 1;
	for (int i = 0; i < rounds; i++) {
		int64_t t = time_mono_us();

		arena_reset(&a);
		must(store_incident_list(r, &f, PAGE, &a, &rows, &n), name);
		took[i] = time_mono_us() - t;
	}
	qsort(took, (size_t)rounds, sizeof *took, by_value);
	printf("%-42s %3zu rows  p50 %7.3f  p99 %7.3f  max %7.3f ms\n", name, n,
	    (double)took[rounds / 2] / 1e3,
	    (double)took[rounds * 99 / 100] / 1e3,
	    (double)took[rounds - 1] / 1e3);
}

static void
count(const char *name, struct incident_filter f)
{
	int64_t t = time_mono_us();
	uint64_t n;

	f.project = 1;
	must(store_incident_count(r, &f, &n), name);
	printf("%-42s %llu  %.3f ms\n", name, (unsigned long long)n,
	    (double)(time_mono_us() - t) / 1e3);
}

static void
blind_of(int kind, uint8_t ret[BLIND_SIZE])
{
	static const char sql[] =
	    "SELECT value FROM incident_tag WHERE project = 1 AND kind = ?1"
	    " ORDER BY value LIMIT 1";
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(r->db, sql, -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_bind_int(st, 1, kind) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		must(err_of(E_NOT_FOUND), "tags");
	memcpy(ret, sqlite3_column_blob(st, 0), BLIND_SIZE);
	(void)sqlite3_finalize(st);
}

static void
pages(void)
{
	struct subject as[300];
	uint64_t mid = last / 2;
	int64_t at = first_created + (int64_t)mid * 30000;

	for (size_t i = 0; i < 300; i++)
		as[i] = (struct subject){1, {{(uint8_t)i, (uint8_t)(i >> 8)}}};
#define F(...) (struct incident_filter){__VA_ARGS__}
	page("newest", F(.sort = SORT_NEWEST));
	page("newest, as 300 subjects", F(.as = as, .as_n = 300));
	page("newest, from the middle", F(.after_number = mid));
	page("oldest", F(.sort = SORT_OLDEST));
	page("worst", F(.sort = SORT_WORST));
	page("mildest", F(.sort = SORT_MILDEST));
	page("worst, from the middle",
	    F(.sort = SORT_WORST, .after_severity = 2, .after_number = mid));
	page("open (1 in 100)", F(.statuses = 31));
	page("open, worst", F(.statuses = 31, .sort = SORT_WORST));
	page("closed", F(.statuses = 1 << 6));
	page("sev0 and sev1", F(.severities = 3));
	page("open sev0", F(.statuses = 31, .severities = 1));
	page("service", F(.service = service));
	page("service, open", F(.service = service, .statuses = 31));
	page("service, type", F(.service = service, .type = type));
	page("service, type, open, sev0",
	    F(.service = service, .type = type, .statuses = 31,
		.severities = 1));
	page("a day in the middle", F(.from = at, .to = at + 86400000));
	page("a day in the middle, open, worst",
	    F(.from = at, .to = at + 86400000, .statuses = 31,
		.sort = SORT_WORST));
	page("until the middle, service", F(.to = at, .service = service));
	page("nothing (no such status)", F(.statuses = 1u << 20));
	count("count all", F(0));
	count("count open", F(.statuses = 31));
	count("count service, open", F(.statuses = 31, .service = service));
}

int
main(int argc, char **argv)
{
	struct incident_row row;
	struct trail t = {""};
	uint64_t seq;
	int64_t from;
	char dir[512];

	if (argc < 2)
		return 2;
	if (argc > 2)
		rounds = atoi(argv[2]);
	if (rounds < 1 || rounds > MAX_ROUNDS)
		return 2;
	(void)snprintf(dir, sizeof dir, "%s/db", argv[1]);
	arena_init(&a, 64 * 1024 * 1024);
	from = time_mono_us();
	must(store_open(dir, STORE_WRITE, &t, &s), dir);
	printf("opened in %.1f ms\n", (double)(time_mono_us() - from) / 1e3);
	must(store_reader(s, &r), "reader");
	must(store_incident_last(r, 1, &seq, &last), "last");
	must(store_incident_by_number(r, 1, 1, &a, &row), "first");
	first_created = row.created;
	blind_of(TAG_SERVICE, service);
	blind_of(TAG_TYPE, type);
	printf("%llu incidents\n", (unsigned long long)last);
	pages();
	r = store_conn_close(r);
	s = store_close(s);
	arena_done(&a);
	return 0;
}
