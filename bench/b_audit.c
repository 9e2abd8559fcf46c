/*
 * b_audit.c: the log and its exports.
 *
 *	b_audit fill DIR N	N more entries in a store, as ingest makes them
 *	b_audit verify FILE	verify an export, and SHA-256 of the same bytes
 *
 * verify takes turns in one thread: the export verified, then its bytes
 * hashed by EVP_Digest in one piece, seven times; the medians of the CPU time
 * are printed as JSON.  hashes: the same library over the same leaves and
 * nodes, one call a leaf, which is what the tree itself costs.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/verify.h"
#include "base/mem.h"
#include "flow/ledger.h"

enum { ROUNDS = 7, BATCH = 20000 };

static void
must(err e, const char *what)
{
	if (!err_ok(e)) {
		fprintf(stderr, "b_audit: %s: %s\n", what, err_name(e));
		exit(1);
	}
}

/* ---- filling ---- */

static err
tile_put(void *conn, const struct audit_tile *t)
{
	return store_tile_put(conn, t->level, t->index,
	    (const uint8_t *)t->hash);
}

static void
leaf_make(struct buf *b, uint64_t seq, int64_t time)
{
	char id[40], req[40];
	uint8_t cm[COMMITMENT_SIZE] = {(uint8_t)seq, (uint8_t)(seq >> 8)};
	struct audit_entry e = {.seq = seq,
	    .time = time,
	    .action = AUDIT_INGEST,
	    .principal_kind = STR("integration"),
	    .principal_id = STR("0198c0de-0000-7000-8000-000000000001"),
	    .credential = STR("4r3oviJWw5"),
	    .address = STR("192.0.2.7"),
	    .project = STR("0198c0de-0000-7000-8000-000000000002"),
	    .resources = 1,
	    .commitment = cm};

	(void)snprintf(id, sizeof id, "0198c0de-0001-7000-8000-%012" PRIx64,
	    seq);
	(void)snprintf(req, sizeof req, "0198c0de-0002-7000-8000-%012" PRIx64,
	    seq);
	e.request_id = str_c(req);
	e.resource[0] = (struct audit_resource){STR("alert"), str_c(id)};
	must(audit_leaf_write(b, &e), "leaf");
}

static void
fill(const char *dir, uint64_t n)
{
	struct store_conn *w;
	struct audit_tree *tree;
	struct trail t = {""};
	struct store *s;
	int64_t time = 0;
	uint64_t seq;
	char path[512];
	struct buf b;

	(void)snprintf(path, sizeof path, "%s/db", dir);
	must(store_open(path, STORE_WRITE, &t, &s), t.detail);
	w = store_writer(s);
	must(audit_tree_new(&tree), "tree");
	must(store_audit_last(w, &seq), "last");
	must(ledger_load(w, seq, tree, &time), "load");
	buf_init(&b, 4096);
	for (uint64_t i = 0; i < n; i++) {
		struct hash h;

		if (i % BATCH == 0)
			must(store_begin(w), "begin");
		buf_clear(&b);
		leaf_make(&b, ++seq, time);
		audit_leaf_hash(buf_view(&b), &h);
		must(store_audit_append(w, seq, buf_view(&b)), "append");
		must(audit_tree_append(tree, &h, tile_put, w), "tree");
		if (i % BATCH == BATCH - 1 || i == n - 1)
			must(store_commit(w), "commit");
	}
	buf_done(&b);
	tree = audit_tree_free(tree);
	s = store_close(s);
}

/* ---- verifying ---- */

/* Of this thread: who else uses the machine does not count. */
static int64_t
cpu_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int
by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
median(double *v)
{
	qsort(v, ROUNDS, sizeof *v, by_value);
	return v[ROUNDS / 2];
}

/* What the tree costs alone: a leaf, and a node for each. */
static void
hash_lines(struct str all)
{
	struct hash h = {{0}}, node = {{0}};
	struct str line;

	while (str_cut(all, '\n', &line, &all)) {
		audit_leaf_hash(line, &h);
		audit_node_hash(&node, &h, &node);
	}
}

static void
verify(const char *path)
{
	double ours[ROUNDS], bare[ROUNDS], tree[ROUNDS];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct audit_verdict v;
	uint8_t digest[32];
	struct stat st;
	struct str all;
	void *p;

	if (fd < 0 || fstat(fd, &st) != 0)
		exit(1);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ,
	    MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		exit(1);
	all = str_of(p, (size_t)st.st_size);
	for (int i = 0; i < ROUNDS; i++) {
		int64_t a = cpu_us(), b, c;

		must(audit_verify_export(all, NULL, &v), v.what);
		b = cpu_us();
		if (EVP_Digest(all.p, all.n, digest, NULL, EVP_sha256(),
			NULL) != 1)
			exit(1);
		c = cpu_us();
		hash_lines(all);
		ours[i] = (double)(b - a);
		bare[i] = (double)(c - b);
		tree[i] = (double)(cpu_us() - c);
	}
	printf("{\"entries\": %" PRIu64 ", \"bytes\": %zu, \"rate\": %.0f, "
	       "\"bare_s\": %.4f, \"ours_s\": %.4f, \"ratio\": %.3f, "
	       "\"hashes_ratio\": %.3f}\n",
	    v.entries + v.hidden, all.n,
	    (double)(v.entries + v.hidden) / median(ours) * 1e6,
	    median(bare) / 1e6, median(ours) / 1e6, median(bare) / median(ours),
	    median(tree) / median(ours));
	(void)munmap(p, all.n);
	(void)close(fd);
}

int
main(int argc, char **argv)
{
	uint64_t n;

	if (argc == 4 && strcmp(argv[1], "fill") == 0 &&
	    str_u64(str_c(argv[3]), 1, 100000000, &n)) {
		fill(argv[2], n);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "verify") == 0) {
		verify(argv[2]);
		return 0;
	}
	fprintf(stderr, "b_audit fill DIR N\nb_audit verify FILE\n");
	return 2;
}
