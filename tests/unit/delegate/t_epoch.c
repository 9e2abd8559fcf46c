/* t_epoch.c: a new name of the log is believed when the owner says so, and
 * not before. */
#include "audit/note.h"
#include "delegate/delegate.h"
#include "delegate/witness.h"
#include "tests/unit/delegate/home.h"

#define LOG "redoubt/0192a3b4-c5d6-7e8f-9012-3456789abcde"

static uint8_t seed[32] = {1}, other[32] = {2};
static struct arena a;
static struct witness w;

static struct str
vkey(const char *name, const uint8_t s[32])
{
	struct note_key k;
	struct buf b;

	buf_init_on(&b, &a, 512);
	T_GOOD(note_key_of(str_c(name), s, &k));
	note_key_text(&k, &b);
	return buf_view(&b);
}

static struct str
note(const char *name, uint64_t size)
{
	struct checkpoint c = {.size = size, .root = {{(uint8_t)size}}};
	struct note_key k;
	struct buf b;

	buf_init_on(&b, &a, 4096);
	strcpy(c.origin, name);
	T_GOOD(note_key_of(str_c(name), seed, &k));
	T_GOOD(checkpoint_sign(&c, &k, seed, &b));
	return buf_view(&b);
}

static void
joined(int dir, const char *name)
{
	char text[2048];
	struct str k = vkey(name, seed);

	(void)snprintf(text, sizeof text,
	    "{\"url\":\"https://x\",\"name\":\"a "
	    "\\\"b\\\"\",\"delegate\":\"d\","
	    "\"project\":\"p\",\"log\":\"%.*s\",\"task_key\":\"t\"}\n",
	    STR_ARG(k));
	test_write(dir, "delegate.json", text);
}

static err
epoch(struct str key, struct trail *t)
{
	struct str said;

	return delegate_epoch(&a, test_path, key, t, &said);
}

TEST(refused)
{
	int dir = test_home();
	struct trail t = {{0}};

	arena_init(&a, 1 << 22);
	T_OK(err_is(epoch(vkey(LOG "/2-00000001", seed), &t), E_NOT_FOUND));
	test_home_done(dir);
	static const char *const bad[] = {LOG "/1", "redoubt/other/2-00000001",
	    LOG, LOG "/1-00000001"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		dir = test_home();
		joined(dir, LOG "/1");
		T_OK(err_is(epoch(vkey(bad[i], seed), &t), E_INVALID));
		test_home_done(dir);
	}
	dir = test_home();
	joined(dir, LOG "/1");
	T_OK(err_is(epoch(vkey(LOG "/2-00000001", other), &t), E_INVALID));
	test_home_done(dir);
	arena_done(&a);
}

TEST(accepted)
{
	int dir = test_home();
	struct trail t = {{0}};
	struct checkpoint c;
	struct note_key k;
	char store[4096];
	struct str text;

	arena_init(&a, 1 << 22);
	joined(dir, LOG "/1");
	T_GOOD(note_key_parse(vkey(LOG "/1", seed), &k));
	T_GOOD(witness_open(dir, &k, &t, &w));
	T_OK(witness_see(&w, note(LOG "/1", 20), NULL, 0, &c) == REASON_NONE);
	/* the same key under the next name is nobody it knows */
	T_OK(witness_see(&w, note(LOG "/2-00000001", 12), NULL, 0, &c) ==
	    REASON_CHECKPOINT);
	T_OK(w.distrust == REASON_NONE && w.last.size == 20);
	T_GOOD(epoch(vkey(LOG "/2-00000001", seed), &t));
	text = test_read(dir, "delegate.json", store, sizeof store);
	T_OK(str_find(text, vkey(LOG "/2-00000001", seed)) &&
	    str_find(text, STR("\"name\":\"a \\\"b\\\"\"")) &&
	    str_find(text, STR("\"task_key\":\"t\"")));
	text = test_read(dir, "witness.before", store, sizeof store);
	T_OK(str_eq(text, note(LOG "/1", 20)));
	T_GOOD(note_key_parse(vkey(LOG "/2-00000001", seed), &k));
	T_GOOD(witness_open(dir, &k, &t, &w));
	T_OK(witness_see(&w, note(LOG "/2-00000001", 12), NULL, 0, &c) ==
	    REASON_NONE);
	/* and nothing of the old one from then on */
	T_OK(witness_see(&w, note(LOG "/1", 21), NULL, 0, &c) ==
	    REASON_CHECKPOINT);
	test_home_done(dir);
	arena_done(&a);
}

T_MAIN
