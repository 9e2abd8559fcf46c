/*
 * b_store.c: group commit.  b_store [DIR [SECONDS [NEW_PERCENT]]]
 *
 * One transaction is `batch` alerts as ingest writes them: a delivery, an
 * alert (new, or counted), an audit leaf, a timeline entry; every tenth new
 * alert opens an incident, the others' incidents are updated once a batch.
 * Blobs are random bytes of the sizes sealed ones have; another thread folds
 * the log back.  Prints a line for each batch size.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/rand.h"
#include "base/time.h"
#include "store/store.h"

enum { DELIVERY = 1580, ALERT = 900, ENTRY = 300, LEAF = 420, INCIDENT = 700 };
enum { HOT = 64, SAMPLES = 1 << 20 };

static struct store *s;
static struct store_conn *w;
static char blob[4096];
static unsigned new_percent = 20;
static uint64_t alerts, deliveries, audits, incidents, rows;
static struct alert_row known[4096];
static struct incident_row hot[HOT];
static atomic_bool stop;
static _Atomic(int64_t) sync_us, syncs;
static int64_t *took;

/* The C library's, timed: SQLite's calls come here. */
int
fdatasync(int fd)
{
	int64_t t = time_mono_us();
	int r = (int)syscall(SYS_fdatasync, fd);

	atomic_fetch_add(&sync_us, time_mono_us() - t);
	atomic_fetch_add(&syncs, 1);
	return r;
}

static void
must(err e)
{
	if (!err_ok(e)) {
		fprintf(stderr, "b_store: %s\n", err_name(e));
		exit(1);
	}
}

static struct sealed
bytes(size_t n)
{
	return (struct sealed){str_of(blob, n)};
}

static void
open_incident(struct incident_row *i, int64_t now)
{
	incidents++;
	*i = (struct incident_row){.seq = incidents,
	    .id = {rand_uuid(now)},
	    .project = 1,
	    .number = incidents,
	    .severity = 1,
	    .created = now,
	    .sealed = bytes(INCIDENT)};
	must(store_incident_insert(w, i));
	rows++;
}

static void
one_alert(int64_t now, bool touched[HOT])
{
	unsigned slot = (unsigned)(alerts % 4096), h;
	struct alert_row *a = &known[slot];
	struct delivery_row d = {.seq = ++deliveries,
	    .id = {rand_uuid(now)},
	    .project = 1,
	    .integration = {{{1}}},
	    .received = now,
	    .status = 1,
	    .alerts = 1,
	    .bytes = 1500,
	    .sealed = bytes(DELIVERY)};
	struct entry_row e = {.kind = 2,
	    .occurred = now,
	    .recorded = now,
	    .sealed = bytes(ENTRY)};
	uint32_t dice[2];

	rand_bytes(dice, sizeof dice);
	h = dice[1] % HOT;
	if (hot[h].seq == 0)
		open_incident(&hot[h], now);
	must(store_delivery_insert(w, &d));
	if (alerts < 64 || dice[0] % 100 < new_percent) {
		*a = (struct alert_row){.seq = ++alerts,
		    .id = {rand_uuid(now)},
		    .project = 1,
		    .incident = hot[h].seq,
		    .status = 1,
		    .severity = 1,
		    .version = 1,
		    .count = 1,
		    .first_seen = now,
		    .last_seen = now,
		    .sealed = bytes(ALERT)};
		rand_bytes(a->dedup, sizeof a->dedup);
		if (dice[0] % 1000 < new_percent)
			open_incident(&hot[h], now);
		a->incident = hot[h].seq;
		must(store_alert_insert(w, a));
	} else {
		struct arena x;
		struct alert_row old;

		a = &known[dice[1] % (alerts < 4096 ? alerts : 4096)];
		arena_init(&x, 65536);
		must(store_alert_by_dedup(w, a->dedup, &x, &old));
		arena_done(&x);
		a->count++;
		a->last_seen = now;
		a->sealed = (struct sealed){STR_NONE};
		must(store_alert_update(w, a));
	}
	must(store_audit_append(w, ++audits, str_of(blob, LEAF)));
	hot[h].alerts++;
	e.incident = hot[h].seq;
	e.n = ++hot[h].entries;
	must(store_entry_insert(w, &e));
	touched[h] = true;
	rows += 4;
}

static void
batch(unsigned n)
{
	bool touched[HOT] = {false};
	int64_t now = time_now_ms();

	must(store_begin(w));
	for (unsigned i = 0; i < n; i++)
		one_alert(now, touched);
	for (unsigned i = 0; i < HOT; i++) {
		if (!touched[i])
			continue;
		hot[i].sealed = (struct sealed){STR_NONE};
		must(store_incident_update(w, &hot[i]));
		rows++;
	}
	must(store_commit(w));
}

static void *
fold(void *ctx)
{
	(void)ctx;
	while (!atomic_load(&stop)) {
		if (store_wal_pages(s) >= STORE_FOLD)
			must(store_checkpoint(s, false));
		(void)usleep(2000);
	}
	return NULL;
}

static int
by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double
cpu_us(void)
{
	struct rusage r;

	(void)getrusage(RUSAGE_THREAD, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 +
	    (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static void
run(unsigned n, double seconds)
{
	int64_t from = time_mono_us(), at = from, end;
	int64_t sync0 = atomic_load(&sync_us), syncs0 = atomic_load(&syncs);
	uint64_t rows0 = rows, d0 = deliveries;
	double cpu = cpu_us(), took_s, count;
	size_t k = 0;

	end = from + (int64_t)(seconds * 1e6);
	while (at < end && k < SAMPLES) {
		int64_t t = at;

		batch(n);
		at = time_mono_us();
		took[k++] = at - t;
	}
	cpu = cpu_us() - cpu;
	took_s = (double)(at - from) / 1e6;
	count = (double)(deliveries - d0);
	qsort(took, k, sizeof *took, by_value);
	printf("batch %3u: %8.0f alerts/s %9.0f rows/s  commit p50 %6.2f "
	       "p99 %7.2f ms  cpu %5.1f us/alert  fdatasync %.2f ms\n",
	    n, count / took_s, (double)(rows - rows0) / took_s,
	    (double)took[k / 2] / 1e3, (double)took[k * 99 / 100] / 1e3,
	    cpu / count,
	    (double)(atomic_load(&sync_us) - sync0) / 1e3 /
		(double)(atomic_load(&syncs) - syncs0));
}

int
main(int argc, char **argv)
{
	static const unsigned sizes[] = {1, 16, 64, 256};
	const char *dir = argc > 1 ? argv[1] : "build/b_store.d";
	double seconds = argc > 2 ? atof(argv[2]) : 3;
	struct trail t = {""};
	pthread_t folder;
	err e;

	setvbuf(stdout, NULL, _IOLBF, 0);
	new_percent = argc > 3 ? (unsigned)atoi(argv[3]) : new_percent;
	rand_bytes(blob, sizeof blob);
	took = calloc(SAMPLES, sizeof *took);
	e = store_open(dir, STORE_CREATE, &t, &s);
	if (!err_ok(e)) {
		fprintf(stderr, "%s: %s %s\n", dir, err_name(e), t.detail);
		return 1;
	}
	w = store_writer(s);
	if (pthread_create(&folder, NULL, fold, NULL) != 0)
		return 1;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		run(sizes[i], seconds);
	atomic_store(&stop, true);
	(void)pthread_join(folder, NULL);
	s = store_close(s);
	free(took);
	return 0;
}
