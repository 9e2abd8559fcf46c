/* The log may grow and do nothing else. */
#include "delegate/witness.h"
#include "tests/unit/delegate/home.h"

#define ORIGIN "redoubt.example/audit/test/1"

static uint8_t seed[32] = {1};
static struct note_key key;
static struct witness w;
static char store[4 * NOTE_MAX];

struct log {
	struct audit_tree *tree;
	struct arena arena;
	char note[1024];
	struct str view;
	struct hash_list proof;
};

static void
log_add(struct log *l, unsigned n, char what)
{
	struct hash h = {{(uint8_t)what}};

	for (unsigned i = 0; i < n; i++) {
		h.b[1] = (uint8_t)audit_tree_size(l->tree);
		T_GOOD(audit_tree_append(l->tree, &h, NULL, NULL));
	}
}

/* Its checkpoint, and the proof from `old` to it. */
static void
log_show(struct log *l, uint64_t old)
{
	struct checkpoint c = {.size = audit_tree_size(l->tree)};
	struct buf b = {.p = l->note, .cap = sizeof l->note, .max = 1024};

	strcpy(c.origin, ORIGIN);
	T_GOOD(audit_tree_root(l->tree, &c.root));
	T_GOOD(checkpoint_sign(&c, &key, seed, &b));
	l->view = buf_view(&b);
	l->proof = (struct hash_list){NULL, 0};
	if (old > 0 && old <= c.size)
		T_GOOD(audit_tree_consistency(l->tree, old, c.size, NULL, NULL,
		    &l->arena, &l->proof));
}

static void
log_new(struct log *l)
{
	T_GOOD(note_key_of(STR(ORIGIN), seed, &key));
	T_GOOD(audit_tree_new(&l->tree));
	arena_init(&l->arena, 1 << 20);
}

static void
log_done(struct log *l)
{
	audit_tree_free(l->tree);
	arena_done(&l->arena);
}

static enum reason
see(struct log *l)
{
	struct checkpoint c;

	return witness_see(&w, l->view, l->proof.h, l->proof.n, &c);
}

static void
reopen(int dir)
{
	struct trail t = {0};

	T_GOOD(witness_open(dir, &key, &t, &w));
}

TEST(it_grows_and_is_remembered)
{
	struct log l;
	int dir = test_home();

	log_new(&l);
	reopen(dir);
	for (unsigned i = 0; i < 20; i++) {
		log_add(&l, i, 'a');
		log_show(&l, w.last.size);
		T_EQ_INT(see(&l), REASON_NONE);
		T_EQ_INT(w.last.size, audit_tree_size(l.tree));
		reopen(dir);
		T_EQ_INT(w.last.size, audit_tree_size(l.tree));
	}
	log_done(&l);
	test_home_done(dir);
}

/* What is shown to one that has seen 10 of `a`. */
static enum reason
shown(int dir, unsigned same, unsigned more, bool proof)
{
	struct log l;
	enum reason r;

	log_new(&l);
	reopen(dir);
	log_add(&l, 10, 'a');
	log_show(&l, 0);
	T_EQ_INT(see(&l), REASON_NONE);
	log_done(&l);
	log_new(&l);
	log_add(&l, same, 'a');
	log_add(&l, more, 'b');
	log_show(&l, proof ? 10 : 0);
	r = see(&l);
	T_EQ_INT(w.last.size, r == REASON_NONE ? same + more : 10);
	log_done(&l);
	return r;
}

TEST(forks_end_all_trust_for_good)
{
	static const struct {
		unsigned same, more;
		bool proof;
		enum reason want;
	} cases[] = {{10, 5, true, REASON_NONE}, {10, 0, true, REASON_NONE},
	    {9, 0, true, REASON_SHRUNKEN}, {0, 0, true, REASON_SHRUNKEN},
	    {9, 1, true, REASON_FORKED}, {9, 5, true, REASON_FORKED},
	    {10, 5, false, REASON_FORKED}, {0, 15, true, REASON_FORKED}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int dir = test_home();
		struct log l;

		T_EQ_INT(shown(dir, cases[i].same, cases[i].more,
			     cases[i].proof),
		    cases[i].want);
		reopen(dir);
		T_EQ_INT(w.distrust, cases[i].want);
		if (cases[i].want != REASON_NONE) {
			/* the true log does not help any more */
			log_new(&l);
			log_add(&l, 12, 'a');
			log_show(&l, 10);
			T_EQ_INT(see(&l), REASON_DISTRUST);
			log_done(&l);
			T_OK(test_read(dir, "distrust", store, sizeof store).n >
			    400);
			/* until somebody says so */
			T_GOOD(home_remove(dir, "distrust"));
			reopen(dir);
			T_EQ_INT(w.distrust, REASON_NONE);
		}
		test_home_done(dir);
	}
}

TEST(an_unreadable_sign_of_distrust_is_one)
{
	int dir = test_home();
	struct log l;

	log_new(&l);
	T_OK(symlinkat("/nowhere", dir, "distrust") == 0);
	reopen(dir);
	T_OK(w.distrust != REASON_NONE);
	log_done(&l);
	test_home_done(dir);
}

TEST(who_signed_it)
{
	struct note_key other;
	struct log l;
	struct trail t = {0};
	struct checkpoint c;
	int dir = test_home();
	uint8_t s[32] = {2};

	log_new(&l);
	reopen(dir);
	log_add(&l, 3, 'a');
	log_show(&l, 0);
	T_EQ_INT(see(&l), REASON_NONE);
	l.note[l.view.n - 8] ^= 1;
	T_EQ_INT(see(&l), REASON_CHECKPOINT);
	T_EQ_INT(witness_see(&w, STR("no note"), NULL, 0, &c),
	    REASON_CHECKPOINT);
	T_EQ_INT(w.distrust, REASON_NONE);
	/* a directory of another server's */
	T_GOOD(note_key_of(STR(ORIGIN), s, &other));
	T_ERR(witness_open(dir, &other, &t, &w), E_CORRUPT);
	log_done(&l);
	test_home_done(dir);
}

TEST(a_cosignature)
{
	struct log l;
	struct buf b;
	uint8_t s[32] = {3};
	struct note_key own;
	struct str line;
	uint64_t at;
	int dir = test_home();

	log_new(&l);
	reopen(dir);
	buf_init(&b, NOTE_MAX);
	T_ERR(witness_cosign(&w, STR("x/me"), s, 7, &b), E_NOT_FOUND);
	log_add(&l, 3, 'a');
	log_show(&l, 0);
	T_EQ_INT(see(&l), REASON_NONE);
	T_GOOD(witness_cosign(&w, STR("x/me"), s, 7, &b));
	T_GOOD(note_key_of(STR("x"), s, &own));
	T_GOOD(note_witness_of(STR("x/me"), own.pub, &own));
	T_OK(note_cosigned(buf_view(&b), &own, &at, &line));
	T_OK(str_starts(line, STR("\xe2\x80\x94 x/me ")));
	T_EQ_INT(at, 7);
	buf_done(&b);
	log_done(&l);
	test_home_done(dir);
}

T_MAIN
