/*
 * t_corpus.c: what somebody may try on readers of notes, proofs and tiles;
 * items 12 to 15 and 23 of the tamper corpus.
 */
#include "audit/edge.h"
#include "base/text.h"
#include "tests/unit/audit/log.h"

#include <stdarg.h>

#define DASH "\xe2\x80\x94 "

static struct log *l;
static char text[8 << 20];
static struct buf note;

static void
make(uint64_t size)
{
	buf_done(&note);
	buf_init(&note, NOTE_MAX);
	log_note(l, size, &note);
}

static enum err_code __attribute__((format(printf, 1, 2)))
opened(const char *fmt, ...)
{
	struct checkpoint c;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return checkpoint_open(str_of(text, (size_t)n), &l->key, &c).code;
}

TEST(make)
{
	l = log_new(300);
}

/* 12: a node is no leaf, nor the other way round. */
TEST(node_confusion)
{
	struct hash h[2], node, root;
	uint8_t raw[1 + 2 * HASH_SIZE] = {1};
	struct hash_list p;
	struct arena a;

	audit_leaf_hash(l->leaf[0], &h[0]);
	audit_leaf_hash(l->leaf[1], &h[1]);
	memcpy(raw + 1, h[0].b, HASH_SIZE);
	memcpy(raw + 1 + HASH_SIZE, h[1].b, HASH_SIZE);
	audit_node_hash(&h[0], &h[1], &root);
	audit_sha256(str_of((char *)raw, sizeof raw), &node);
	T_OK(hash_eq(&node, &root)); /* it is the node's preimage, */
	audit_leaf_hash(str_of((char *)raw, sizeof raw), &node);
	T_OK(!hash_eq(&node, &root)); /* and as a leaf it is another */
	/* the node above entries 0 and 1 does not pass for entry 0 of a tree
	 * whose size is signed with its root */
	arena_init(&a, 1 << 20);
	T_GOOD(audit_tree_root(l->tree, &node));
	T_GOOD(audit_tree_inclusion(l->tree, 0, 300, log_tile_get, l, &a, &p));
	T_GOOD(audit_verify_inclusion(&h[0], 0, 300, p.h, p.n, &node));
	T_ERR(audit_verify_inclusion(&root, 0, 300, p.h + 1, p.n - 1, &node),
	    E_BAD_ANSWER);
	arena_done(&a);
}

/* 13: lengths, sizes and roots that cannot be. */
TEST(proofs_that_are_none)
{
	static const struct hash zero[80];
	struct hash h, root, old, proof[PROOF_MAX + 1];
	struct hash_list p;
	struct arena a;

	arena_init(&a, 1 << 20);
	T_GOOD(audit_tree_root(l->tree, &root));
	T_GOOD(audit_tree_root_at(l->tree, 7, log_tile_get, l, &old));
	audit_leaf_hash(l->leaf[9], &h);
	T_GOOD(audit_tree_inclusion(l->tree, 9, 300, log_tile_get, l, &a, &p));
	memcpy(proof, p.h, p.n * sizeof *proof);
	proof[p.n] = root;
	T_GOOD(audit_verify_inclusion(&h, 9, 300, proof, p.n, &root));
	for (size_t n = 0; n <= p.n + 1; n++)
		if (n != p.n)
			T_ERR(audit_verify_inclusion(&h, 9, 300, proof, n,
				  &root),
			    E_BAD_ANSWER);
	for (uint64_t i = 0; i < 300; i++)
		if (i != 9)
			T_ERR(audit_verify_inclusion(&h, i, 300, proof, p.n,
				  &root),
			    E_BAD_ANSWER);
	T_ERR(audit_verify_inclusion(&h, 0, 0, zero, 0, &root), E_BAD_ANSWER);
	T_ERR(audit_verify_inclusion(&h, 9, UINT64_C(1) << 63, zero, 63, &root),
	    E_BAD_ANSWER);
	T_ERR(audit_verify_inclusion(&h, UINT64_MAX, UINT64_MAX, zero, 63,
		  &root),
	    E_BAD_ANSWER);
	T_GOOD(
	    audit_tree_consistency(l->tree, 7, 300, log_tile_get, l, &a, &p));
	memcpy(proof, p.h, p.n * sizeof *proof);
	T_GOOD(audit_verify_consistency(7, &old, 300, &root, proof, p.n));
	for (size_t n = 0; n <= p.n + 1; n++)
		if (n != p.n)
			T_ERR(audit_verify_consistency(7, &old, 300, &root,
				  proof, n),
			    E_BAD_ANSWER);
	T_ERR(audit_verify_consistency(300, &root, 7, &old, proof, p.n),
	    E_BAD_ANSWER);
	T_ERR(audit_verify_consistency(7, &old, 7, &root, proof, 0),
	    E_BAD_ANSWER);
	T_ERR(audit_verify_consistency(7, &old, 7, &old, proof, 1),
	    E_BAD_ANSWER);
	T_ERR(audit_verify_consistency(0, &old, 300, &root, proof, 1),
	    E_BAD_ANSWER);
	T_ERR(audit_verify_consistency(7, &old, UINT64_C(1) << 63, &root, zero,
		  63),
	    E_BAD_ANSWER);
	arena_done(&a);
}

/* 14: a note has one form. */
TEST(notes_that_are_none)
{
	struct str body, line, rest;
	char full[65536];
	struct note_key k;
	struct checkpoint c;
	size_t at;

	make(300);
	(void)snprintf(full, sizeof full, "%.*s", STR_ARG(buf_view(&note)));
	at = (size_t)(strstr(full, "\n\n") - full) + 1;
	body = str_of(full, at);
	line = str_of(full + at + 1, note.n - at - 2); /* without its end */
	T_EQ_INT(opened("%s", full), E_OK);
	T_EQ_INT(opened("%.*s\r\n%.*s\r\n", STR_ARG(body), STR_ARG(line)),
	    E_CORRUPT);
	T_EQ_INT(opened("%.*s%.*s\n", STR_ARG(body), STR_ARG(line)), E_CORRUPT);
	T_EQ_INT(opened("%.*s\n- %.*s\n", STR_ARG(body),
		     STR_ARG(str_skip(line, 4))),
	    E_CORRUPT);
	T_EQ_INT(opened("%.*s\n%.*s", STR_ARG(body), STR_ARG(line)), E_CORRUPT);
	T_EQ_INT(opened("%.*s\n%.*s\n", STR_ARG(body),
		     STR_ARG(str_head(line, line.n - 1))),
	    E_CORRUPT); /* padding */
	T_EQ_INT(opened("%.*s\n%.*s=\n", STR_ARG(body), STR_ARG(line)),
	    E_CORRUPT);
	T_EQ_INT(opened("%.*s\n", STR_ARG(body)), E_CORRUPT);
	/* its own line twice is no lie */
	T_EQ_INT(opened("%s%.*s\n", full, STR_ARG(line)), E_OK);
	/* a stranger's does no harm, and is not enough */
	T_EQ_INT(opened("%s" DASH "x AAAAAAAA\n", full), E_OK);
	T_EQ_INT(opened("%.*s\n" DASH "x AAAAAAAA\n", STR_ARG(body)),
	    E_BAD_ANSWER);
	T_EQ_INT(opened("%s" DASH "x AAAA\n", full), E_CORRUPT); /* no id */
	/* another key whose id is the same: its signature is wrong */
	k = l->key;
	k.pub[0] ^= 1;
	T_EQ_INT(checkpoint_open(buf_view(&note), &k, &c).code, E_BAD_ANSWER);
	/* 16 lines, and 17 */
	at = (size_t)snprintf(text, sizeof text, "%s", full);
	for (unsigned i = 1; i < 17; i++) {
		at += (size_t)snprintf(text + at, sizeof text - at, "%.*s\n",
		    STR_ARG(line));
		rest = str_of(text, at);
		T_EQ_INT(checkpoint_open(rest, &l->key, &c).code,
		    i < 16 ? E_OK : E_CORRUPT);
	}
	memset(text, 'x', 5 << 20);
	memcpy(text, full, note.n);
	T_EQ_INT(checkpoint_open(str_of(text, 5 << 20), &l->key, &c).code,
	    E_CORRUPT);
}

/* 15: three lines, each in one form; signed all the same. */
TEST(checkpoints_that_are_none)
{
	static const char *const size[] = {"0300", "-300", "+300", " 300",
	    "300 ", "3e2", "0x12c", "", "9223372036854775808",
	    "4611686018427387905", "18446744073709551616"};
	char root[64];
	struct str first, second, third, rest;
	struct buf b;

	make(300);
	(void)str_cut(buf_view(&note), '\n', &first, &rest);
	(void)str_cut(rest, '\n', &second, &rest);
	(void)str_cut(rest, '\n', &third, &rest);
	(void)snprintf(root, sizeof root, "%.*s", STR_ARG(third));
	for (size_t i = 0; i <= sizeof size / sizeof *size; i++) {
		struct checkpoint c;
		struct buf t;

		buf_init(&t, 4096);
		buf_init(&b, NOTE_MAX);
		if (i < sizeof size / sizeof *size)
			buf_fmt(&t, "%s\n%s\n%s\n", LOG_NAME, size[i], root);
		else
			buf_fmt(&t, "%s\n300\n%s\nextension\n", LOG_NAME, root);
		T_GOOD(note_sign(buf_view(&t), &l->key, l->seed, &b));
		T_ERR(checkpoint_open(buf_view(&b), &l->key, &c), E_CORRUPT);
		buf_done(&b);
		buf_done(&t);
	}
}

/* 23: a part of a tile is the beginning of it, whenever it is asked for. */
TEST(parts_of_a_tile)
{
	struct hash whole[TILE_WIDTH], part[TILE_WIDTH];

	T_GOOD(audit_tree_tile(l->tree, 300, 0, 0, TILE_WIDTH, log_tile_get, l,
	    whole));
	for (unsigned w = 1; w < TILE_WIDTH; w++) {
		/* before it was full, and after */
		T_GOOD(audit_tree_tile(l->tree, w, 0, 0, w, log_tile_get, l,
		    part));
		T_OK(memcmp(part, whole, w * sizeof *part) == 0);
		T_GOOD(audit_tree_tile(l->tree, 300, 0, 0, w, log_tile_get, l,
		    part));
		T_OK(memcmp(part, whole, w * sizeof *part) == 0);
		T_ERR(audit_tree_tile(l->tree, w, 0, 0, w + 1, log_tile_get, l,
			  part),
		    E_NOT_FOUND);
	}
}

TEST(done)
{
	buf_done(&note);
	l = log_free(l);
}

T_MAIN
