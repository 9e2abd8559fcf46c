/*
 * mkstore.c: many incidents in a store that `redoubt init` made, sealed with
 * its keys, so that the server lists and opens them like its own.
 *
 *	mkstore DIR N [PROJECT [ENTRIES]]
 *	mkstore DIR log BYTES
 *
 * With "log" it is the log of one run in project 1, of lines that are numbered
 * and 64 bytes long; the run's id is printed.
 *
 * PROJECT is a project's number (1 is the first), ENTRIES how many timeline
 * entries each gets (2).  One in 100 is open; 50 services, 8 types; times go
 * back from now, 30 seconds each, but not before what is there.  No audit
 * entries are made: nobody did it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/rand.h"
#include "base/text.h"
#include "base/time.h"
#include "domain/words.h"
#include "seal/keyring.h"
#include "seal/root.h"
#include "store/run.h"
#include "store/store.h"
#include "store/task.h"

enum { BATCH = 2000, SERVICES = 50, TYPES = 8, STEP_MS = 30000 };

static struct store *s;
static struct store_conn *w;
static struct arena a;
static struct keyring *ring;
static uint32_t project = 1, index_key, payload_key, last_key;
static uint8_t service[SERVICES][BLIND_SIZE], type[TYPES][BLIND_SIZE];

static void
must(err e, const char *what)
{
	if (!err_ok(e)) {
		fprintf(stderr, "mkstore: %s: %s\n", what, err_name(e));
		exit(1);
	}
}

/* ---- keys ---- */

static struct root_keys *
read_root(const char *dir)
{
	static char text[4096];
	char path[512];
	struct root_keys *r = NULL;
	struct trail t = {""};
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/keys/root.key", dir);
	f = fopen(path, "r");
	if (f == NULL) {
		perror(path);
		exit(1);
	}
	n = fread(text, 1, sizeof text, f);
	(void)fclose(f);
	must(root_parse(str_of(text, n), &t, &r), path);
	explicit_bzero(text, sizeof text);
	return r;
}

static err
load(void *ctx, uint32_t id, struct arena *x, struct wrapped_key *ret)
{
	struct data_key_row r;

	TRY(store_data_key_get(ctx, id, x, &r));
	*ret = (struct wrapped_key){.id = r.id,
	    .project = r.project,
	    .version = r.version,
	    .class = r.class,
	    .subject = r.subject,
	    .term = r.term,
	    .stored = r.was_wrapped};
	return OK;
}

static void
open_keys(const char *dir)
{
	struct root_keys *root = read_root(dir);
	struct project_keys *pk = project_keys_new();
	struct project_key_row *p;
	struct data_key_row *k;
	size_t n;

	must(store_project_keys(w, &a, &p, &n), "project keys");
	for (size_t i = 0; i < n; i++) {
		uint8_t key[SECRET_SIZE];

		must(root_unwrap(root, p[i].project, p[i].version, p[i].wrapped,
			 key),
		    "unwrap");
		must(project_keys_add(pk, p[i].project, p[i].version, key),
		    "project key");
		explicit_bzero(key, sizeof key);
	}
	must(keyring_new(pk, load, w, &ring), "keyring");
	project_keys_unref(pk);
	root_free(root);
	must(store_class_keys(w, &a, &k, &n), "class keys");
	for (size_t i = 0; i < n; i++) {
		if (k[i].project != project)
			continue;
		if (k[i].class == SEAL_CLASS_INDEX)
			index_key = k[i].id;
		if (k[i].class == SEAL_CLASS_PAYLOAD)
			payload_key = k[i].id;
	}
	if (index_key == 0)
		must(err_of(E_NOT_FOUND), "the project's index key");
	must(store_data_key_last(w, &last_key), "data keys");
}

/* The blind value of "service-07", "type-07". */
static void
blind(const char *label, unsigned i, uint8_t ret[BLIND_SIZE])
{
	const struct data_key *k;
	char text[32];
	int n = snprintf(text, sizeof text, "%s-%02u", label, i);

	must(keyring_get(ring, index_key, &k), "index key");
	must(seal_mac(k, label, str_of(text, (size_t)n), ret, BLIND_SIZE),
	    "blind");
}

/* ---- incidents ---- */

static uint32_t
dice(uint32_t below)
{
	uint32_t v;

	rand_bytes(&v, sizeof v);
	return v % below;
}

static struct str
document(uint64_t number, unsigned sv, unsigned ty)
{
	struct buf b;

	buf_init_on(&b, &a, 4096);
	buf_fmt(&b,
	    "{\"title\":\"Error rate of service-%02u above threshold (%llu)\","
	    "\"summary\":\"5xx responses exceed 2 percent for ten minutes on "
	    "three of five instances; latency is up, the queue grows.\","
	    "\"type\":\"type-%02u\",\"services\":[\"service-%02u\"],"
	    "\"environments\":[\"production\"],\"fields\":{\"region\":"
	    "\"eu-west-%u\",\"customers\":%u},\"commander\":null,"
	    "\"source\":{\"kind\":\"api\",\"principal\":null,"
	    "\"credential\":null,\"address\":\"192.0.2.1\"}}",
	    sv, (unsigned long long)number, ty, sv, sv % 3 + 1,
	    (unsigned)(number % 1000));
	must(buf_check(&b), "document");
	return buf_view(&b);
}

/* The item as it is answered: see desk_entry. */
static struct str
entry_item(uint32_t n, int64_t at)
{
	static const char who[] = "01a21129-6cf5-7d3e-9b01-316b35137bf7";
	char when[TIME_TEXT + 1];
	struct buf b;

	time_text(at, when);
	buf_init_on(&b, &a, 4096);
	buf_fmt(&b,
	    "{\"seq\":%u,\"kind\":\"note\",\"key_event\":false,"
	    "\"occurred_at\":\"%s\",\"recorded_at\":\"%s\","
	    "\"text\":\"Note %u: restarted two instances, the error rate is "
	    "falling; the cause is looked for in the last release, which "
	    "changed the time limits of the pool.\","
	    "\"actor\":{\"kind\":\"user\",\"id\":\"%s\",\"name\":\"mkstore\"},"
	    "\"source\":{\"kind\":\"api\",\"principal\":\"%s\","
	    "\"credential\":\"AAAAAAAAAA\",\"address\":\"192.0.2.1\"},"
	    "\"data\":{}}",
	    n, when, when, n, who, who);
	must(buf_check(&b), "entry");
	return buf_view(&b);
}

static const struct data_key *
make_key(const struct incident_row *r)
{
	struct wrapped_key wrapped;
	const struct data_key *k;
	struct data_key_row row;

	must(keyring_make(ring, ++last_key, project, SEAL_CLASS_INCIDENT,
		 &r->id.u, 1, &a, &wrapped, &k),
	    "data key");
	row = (struct data_key_row){.id = last_key,
	    .project = project,
	    .version = wrapped.version,
	    .class = SEAL_CLASS_INCIDENT,
	    .has_subject = true,
	    .subject = r->id.u,
	    .term = 1,
	    .wrapped = wrapped.wrapped};
	must(store_data_key_put(w, &row), "data key");
	return k;
}

static void
add(uint64_t seq, uint64_t number, int64_t created, uint32_t entries)
{
	struct seal_where at = {.table = SEAL_TABLE_INCIDENT,
	    .schema = 1,
	    .project = project};
	struct incident_row r = {.seq = seq,
	    .id = {rand_uuid(created)},
	    .project = project,
	    .number = number,
	    .severity = (uint8_t)dice(5),
	    .status = dice(100) == 0 ? (uint8_t)dice(5) : INCIDENT_CLOSED,
	    .version = 1,
	    .entries = entries,
	    .created = created,
	    .updated = created};
	unsigned sv = dice(SERVICES), ty = dice(TYPES);
	const struct data_key *k = make_key(&r);
	struct entry_row e = {.incident = seq,
	    .kind = ENTRY_NOTE,
	    .occurred = created,
	    .recorded = created};

	if (r.status == INCIDENT_CLOSED)
		r.resolved = r.closed = created + 3600000;
	seal_where_id(&at, &r.id.u);
	must(seal_close(k, &at, document(number, sv, ty), &a, &r.sealed),
	    "seal");
	must(store_incident_insert(w, &r), "incident");
	must(store_tag_add(w, project, TAG_SERVICE, service[sv], number),
	    "tag");
	must(store_tag_add(w, project, TAG_TYPE, type[ty], number), "tag");
	for (e.n = 1; e.n <= entries; e.n++) {
		at = (struct seal_where){.table = SEAL_TABLE_TIMELINE,
		    .schema = 1,
		    .project = project};
		seal_where_num(&at, seq);
		seal_where_num(&at, e.n);
		must(seal_close(k, &at, entry_item(e.n, created), &a,
			 &e.sealed),
		    "seal");
		must(store_entry_insert(w, &e), "entry");
	}
}

static void
add_all(uint64_t n, uint32_t entries)
{
	int64_t from = time_mono_us(), now = time_now_ms(), first, step;
	struct incident_row last = {0};
	uint64_t seq, number;

	must(store_incident_last(w, project, &seq, &number), "last incident");
	if (seq > 0)
		must(store_incident_by_seq(w, seq, &a, &last), "last");
	/* After those there are, so that times rise with numbers. */
	first = now - (int64_t)n * STEP_MS;
	if (first <= last.created)
		first = last.created + 1;
	step = (now - first) / (int64_t)n;
	for (uint64_t i = 1; i <= n; i++) {
		if (i % BATCH == 1)
			must(store_begin(w), "begin");
		add(seq + i, number + i, first + (int64_t)i * step, entries);
		keyring_forget(ring, last_key);
		if (i % BATCH == 0 || i == n) {
			must(store_commit(w), "commit");
			arena_reset(&a);
			if (store_wal_pages(s) >= STORE_FOLD)
				must(store_checkpoint(s, false), "checkpoint");
		}
		if (i % 100000 == 0)
			fprintf(stderr, "%llu incidents, %.0f s\n",
			    (unsigned long long)i,
			    (double)(time_mono_us() - from) / 1e6);
	}
}

/* ---- a log ---- */

enum { LINE = 64 };

/* A run that is over: logs are shown to who may see theirs. */
static void
add_run(const struct data_key *k, const struct uuid *run)
{
	struct seal_where at = {.table = SEAL_TABLE_RUN,
	    .schema = 1,
	    .project = project};
	struct run_row r = {.seq = 1,
	    .id = *run,
	    .project = project,
	    .runbook = rand_uuid(time_now_ms()),
	    .number = 1,
	    .state = RUN_SUCCEEDED,
	    .version = 1,
	    .created = time_now_ms(),
	    .ended = time_now_ms()};

	seal_where_id(&at, run);
	must(seal_close(k, &at, STR("{}"), &a, &r.sealed), "seal");
	must(store_run_insert(w, &r), "run");
}

/* One task of a run, over; what it was is nobody's concern here. */
static void
add_task(const struct data_key *k, const struct uuid *run,
    const struct uuid *task)
{
	struct seal_where at = {.table = SEAL_TABLE_TASK,
	    .schema = 1,
	    .project = project};
	struct task_row t = {.id = *task,
	    .run = *run,
	    .project = project,
	    .attempt = 1,
	    .state = TASK_DONE,
	    .offered = time_now_ms(),
	    .changed = time_now_ms()};

	seal_where_id(&at, task);
	must(seal_close(k, &at, STR("{}"), &a, &t.sealed), "seal");
	must(store_task_insert(w, &t), "task");
}

static void
add_piece(const struct data_key *k, struct log_row *r)
{
	static char text[LIM_LOG_PIECE + 1];
	struct seal_where at = {.table = SEAL_TABLE_RUN_LOG,
	    .schema = 1,
	    .project = project};

	for (size_t i = 0; i < LIM_LOG_PIECE; i += LINE)
		(void)snprintf(text + i, LINE + 1, "%*llu\n", LINE - 1,
		    (unsigned long long)((r->at + i) / LINE));
	seal_where_id(&at, &r->run);
	seal_where_num(&at, r->at);
	must(seal_close(k, &at, str_of(text, LIM_LOG_PIECE), &a, &r->sealed),
	    "seal");
	must(store_log_insert(w, r), "log");
	r->at += LIM_LOG_PIECE;
	r->task_at += LIM_LOG_PIECE;
}

static void
add_log(uint64_t bytes)
{
	struct log_row r = {.run = rand_uuid(time_now_ms()),
	    .task = rand_uuid(time_now_ms()),
	    .project = project,
	    .bytes = LIM_LOG_PIECE};
	const struct data_key *k;
	char text[UUID_TEXT + 1];

	must(keyring_get(ring, payload_key, &k), "payload key");
	must(store_begin(w), "begin");
	add_run(k, &r.run);
	add_task(k, &r.run, &r.task);
	while (r.at < bytes)
		add_piece(k, &r);
	must(store_commit(w), "commit");
	uuid_text(&r.run, text);
	(void)puts(text);
}

int
main(int argc, char **argv)
{
	bool log = argc == 4 && strcmp(argv[2], "log") == 0;
	uint64_t n, entries = 2, p = 1;
	struct trail t = {""};
	char dir[512];
	err e;

	if (argc < 3 || !str_u64(str_c(argv[log ? 3 : 2]), 1, 1000000000, &n) ||
	    (!log && argc > 3 && !str_u64(str_c(argv[3]), 1, 100000, &p)) ||
	    (argc > 4 && !str_u64(str_c(argv[4]), 0, 1000, &entries))) {
		fprintf(stderr,
		    "mkstore DIR N [PROJECT [ENTRIES]]\n"
		    "mkstore DIR log BYTES\n");
		return 2;
	}
	project = (uint32_t)p;
	arena_init(&a, 256 * 1024 * 1024);
	(void)snprintf(dir, sizeof dir, "%s/db", argv[1]);
	e = store_open(dir, STORE_WRITE, &t, &s);
	if (!err_ok(e)) {
		fprintf(stderr, "mkstore: %s: %s %s\n", dir, err_name(e),
		    t.detail);
		return 1;
	}
	w = store_writer(s);
	open_keys(argv[1]);
	for (unsigned i = 0; i < SERVICES; i++)
		blind("service", i, service[i]);
	for (unsigned i = 0; i < TYPES; i++)
		blind("type", i, type[i]);
	if (log)
		add_log(n);
	else
		add_all(n, (uint32_t)entries);
	ring = keyring_free(ring);
	s = store_close(s);
	arena_done(&a);
	return 0;
}
