/*
 * b_proof.c: proofs of a long log.  b_proof DIR [ENTRIES]
 *
 * The tree of a log of so many entries (10,000,000) is made in a store in DIR
 * by the code that makes it in the server, tile by tile, a checkpoint signed
 * over it.  Then proofs are made from that store as the endpoints make them:
 * the newest checkpoint is read, the hashes come from tiles through SQLite, the
 * answer is written.  Each is verified.  What is not in it: TLS, and the commit
 * of the entry that says who asked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "audit/note.h"
#include "base/rand.h"
#include "base/text.h"
#include "base/time.h"
#include "flow/ledger.h"
#include "store/store.h"

enum { PROOFS = 2000, APPENDED = 1 << 16 };

static struct store *s;
static struct store_conn *w;
static struct audit_tree *tree;
static int64_t took[PROOFS], worked[PROOFS];

static void
must(err e, const char *what)
{
	if (err_ok(e))
		return;
	fprintf(stderr, "b_proof: %s: %s\n", what, err_name(e));
	exit(1);
}

static err
put(void *conn, const struct audit_tile *t)
{
	return store_tile_put(conn, t->level, t->index,
	    (const uint8_t *)t->hash);
}

/* Leaf n is the number n: what is hashed does not matter to a proof. */
static void
leaf(uint64_t n, struct hash *ret)
{
	audit_leaf_hash(str_of((const char *)&n, sizeof n), ret);
}

static void
grow(uint64_t size)
{
	struct hash h;

	for (uint64_t n = 0; n < size; n++) {
		if (n % APPENDED == 0)
			must(store_begin(w), "begin");
		leaf(n, &h);
		must(audit_tree_append(tree, &h, put, w), "append");
		if (n % APPENDED == APPENDED - 1 || n == size - 1)
			must(store_commit(w), "commit");
	}
}

static void
sign(uint64_t size)
{
	static const uint8_t seed[SECRET_SIZE] = {7};
	struct checkpoint c = {.origin = "b/1", .size = size};
	struct note_key k;
	struct buf b;

	must(note_key_of(STR("b/1"), seed, &k), "key");
	must(audit_tree_root(tree, &c.root), "root");
	buf_init(&b, NOTE_MAX);
	must(checkpoint_sign(&c, &k, seed, &b), "sign");
	must(store_begin(w), "begin");
	must(store_checkpoint_put(w, size, 1, buf_view(&b)), "put");
	must(store_commit(w), "commit");
	buf_done(&b);
}

static void
write_out(struct arena *a, const struct hash_list *l, struct str note)
{
	struct buf b;

	buf_init_on(&b, a, 2 * NOTE_MAX);
	for (size_t i = 0; i < l->n; i++) {
		b64_add(&b, str_of((const char *)l->h[i].b, HASH_SIZE));
		buf_char(&b, '\n');
	}
	buf_str(&b, note);
	must(buf_check(&b), "write");
}

static int
by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* What this thread worked, in us: others on the machine do not count. */
static int64_t
cpu_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* One proof of each kind at a random place; verified, outside of the time. */
static void
one(struct arena *a, bool inclusion, const struct hash *root, int i)
{
	uint64_t size, at, total = audit_tree_size(tree);
	struct hash_list l;
	struct str note;
	struct hash h;
	int64_t from, cpu;

	rand_bytes(&at, sizeof at);
	at %= total;
	from = time_mono_us();
	cpu = cpu_us();
	must(store_checkpoint_get(w, 0, a, &size, &note), "checkpoint");
	if (inclusion)
		must(audit_tree_inclusion(tree, at, size, ledger_tile, w, a,
			 &l),
		    "inclusion");
	else
		must(audit_tree_consistency(tree, at + 1, size, ledger_tile, w,
			 a, &l),
		    "consistency");
	write_out(a, &l, note);
	worked[i] = cpu_us() - cpu;
	took[i] = time_mono_us() - from;
	if (inclusion) {
		leaf(at, &h);
		must(audit_verify_inclusion(&h, at, size, l.h, l.n, root),
		    "it is wrong");
	} else {
		must(audit_tree_root_at(tree, at + 1, ledger_tile, w, &h),
		    "root");
		must(audit_verify_consistency(at + 1, &h, size, root, l.h, l.n),
		    "it is wrong");
	}
}

static void
figures(const char *what, int64_t us[PROOFS])
{
	qsort(us, PROOFS, sizeof *us, by_time);
	printf("%-24s p50 %lld us, p99 %lld us, max %lld us\n", what,
	    (long long)us[PROOFS / 2], (long long)us[PROOFS * 99 / 100],
	    (long long)us[PROOFS - 1]);
}

static void
proofs(bool inclusion)
{
	struct hash root;
	struct arena a;

	arena_init(&a, 1 << 20);
	must(audit_tree_root(tree, &root), "root");
	for (int i = 0; i < PROOFS; i++) {
		one(&a, inclusion, &root, i);
		arena_reset(&a);
	}
	arena_done(&a);
	figures(inclusion ? "inclusion, work" : "consistency, work", worked);
	figures(inclusion ? "inclusion, time" : "consistency, time", took);
}

int
main(int argc, char **argv)
{
	uint64_t size = 10000000;
	struct trail t = {""};
	int64_t from;

	if (argc < 2 ||
	    (argc > 2 && !str_u64(str_c(argv[2]), 1, 1U << 30, &size))) {
		fprintf(stderr, "usage: b_proof DIR [ENTRIES]\n");
		return 2;
	}
	must(store_open(argv[1], STORE_CREATE, &t, &s), t.detail);
	w = store_writer(s);
	must(audit_tree_new(&tree), "tree");
	from = time_mono_us();
	grow(size);
	sign(size);
	printf("%llu entries, tree made in %.1f s\n", (unsigned long long)size,
	    (double)(time_mono_us() - from) / 1e6);
	proofs(true);
	proofs(false);
	tree = audit_tree_free(tree);
	s = store_close(s);
	return 0;
}
