/*
 * The vectors of doc/PROTOCOL.audit: a log of 300 entries, two exports of it
 * and proofs.  Made again here, they are the same bytes; Python and Go read
 * the files (t_python, tests/e2e/tlog-verify).  REDOUBT_WRITE_VECTORS=1
 * writes them.
 */
#include "tests/unit/audit/log.h"

#include "base/text.h"

#define DIR "tests/vectors/audit/"
enum { N = 300 };

static struct log *l;
static struct buf out;

TEST(make)
{
	l = log_make(N, log_short_leaf);
	buf_init(&out, LOG_FILE);
}

TEST(whole_export)
{
	struct audit_verdict v;

	log_export(l, l->leaf, 1, N, N, 1, &out);
	log_file(&out, DIR "log.ndjson");
	T_GOOD(audit_verify_export(buf_view(&out), &l->key, &v));
}

TEST(part_export)
{
	struct audit_verdict v;

	buf_clear(&out);
	log_export(l, l->leaf, 250, 262, 290, 3, &out);
	log_file(&out, DIR "part.ndjson");
	T_GOOD(audit_verify_export(buf_view(&out), &l->key, &v));
}

static void
list_add(const struct hash_list *h)
{
	for (size_t i = 0; i < h->n; i++) {
		buf_char(&out, ' ');
		b64_add(&out, str_of((const char *)h->h[i].b, HASH_SIZE));
	}
	buf_char(&out, '\n');
}

/* The wanted shapes: complete trees, one more, one less, inside tiles. */
static const uint64_t size[] = {1, 2, 3, 7, 8, 255, 256, 257, 299, 300};
enum { SIZES = sizeof size / sizeof size[0] };

TEST(proofs)
{
	struct hash_list h;
	struct arena a;

	arena_init(&a, 1 << 20);
	buf_clear(&out);
	for (size_t i = 0; i < SIZES; i++) {
		struct hash root;

		T_GOOD(audit_tree_root_at(l->tree, size[i], log_tile_get, l,
		    &root));
		buf_fmt(&out, "root %" PRIu64, size[i]);
		h = (struct hash_list){&root, 1};
		list_add(&h);
	}
	for (size_t i = 0; i < SIZES; i++)
		for (size_t j = i; j < SIZES; j++) {
			T_GOOD(audit_tree_inclusion(l->tree, size[i] - 1,
			    size[j], log_tile_get, l, &a, &h));
			buf_fmt(&out, "inclusion %" PRIu64 " %" PRIu64,
			    size[i] - 1, size[j]);
			list_add(&h);
			T_GOOD(audit_tree_consistency(l->tree, size[i], size[j],
			    log_tile_get, l, &a, &h));
			buf_fmt(&out, "consistency %" PRIu64 " %" PRIu64,
			    size[i], size[j]);
			list_add(&h);
		}
	log_file(&out, DIR "proofs.txt");
	arena_done(&a);
}

TEST(done)
{
	buf_done(&out);
	l = log_free(l);
}

T_MAIN
