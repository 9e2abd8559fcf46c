#include "seal/root.h"

#include "tests/t.h"
#include "tests/unit/seal/help.h"

static struct buf
room(void)
{
	struct buf b;

	buf_init(&b, 65536);
	T_OK(buf_room(&b, (size_t)ROOT_LINE * (ROOT_KEYS_MAX + 1)));
	return b;
}

static struct root_keys *
parsed(const struct buf *b)
{
	struct trail t = {""};
	struct root_keys *r = NULL;

	T_GOOD(root_parse(buf_view(b), &t, &r));
	T_EQ_STR(str_c(t.detail), STR(""));
	return r;
}

static struct root_keys *
one_key(void)
{
	struct buf b = room();
	struct root_keys *r;

	T_GOOD(root_generate(&b));
	r = parsed(&b);
	buf_done(&b);
	return r;
}

TEST(a_line_as_documented)
{
	struct buf b = room();
	struct root_keys *r;
	char id[ROOT_ID_TEXT + 1];

	T_GOOD(root_generate(&b));
	T_EQ_INT(b.n, ROOT_LINE);
	T_OK(str_starts(buf_view(&b), STR("redoubt-root-1 ")));
	T_EQ_INT(b.p[ROOT_LINE - 1], '\n');
	r = parsed(&b);
	T_EQ_INT(root_count(r), 1);
	root_id(r, 0, id);
	T_EQ_STR(str_c(id), str_of(b.p + 15, 16));
	root_free(r);
	/* The end of the last line may be missing. */
	b.n--;
	root_free(parsed(&b));
	buf_done(&b);
}

/* L06: nothing is shared by two fresh installs. */
TEST(l06_two_roots_differ)
{
	enum { N = 200 };
	static char line[N][ROOT_LINE];

	for (int i = 0; i < N; i++) {
		struct buf b = room();

		T_GOOD(root_generate(&b));
		memcpy(line[i], b.p, ROOT_LINE);
		buf_done(&b);
		for (int j = 0; j < i; j++) {
			T_OK(memcmp(line[i] + 15, line[j] + 15, 16) != 0);
			T_OK(memcmp(line[i] + 32, line[j] + 32, 20) != 0);
			T_OK(memcmp(line[i] + 52, line[j] + 52, 20) != 0);
		}
	}
}

static void
refused(struct str file, const char *why)
{
	struct trail t = {""};
	struct root_keys *r = NULL;

	T_ERR(root_parse(file, &t, &r), E_WRONG_KEY);
	T_OK(r == NULL);
	T_EQ_STR(str_c(t.detail), str_c(why));
}

/* Key: 32 bytes of 1. */
#define ID1 "f94d1146d40de1a4"
#define B64 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define NOT_LINE "is not \"redoubt-root-1 ID KEY\""

TEST(parse_errors)
{
	struct root_keys *r = NULL;
	char bad[300];
	const char *why;

	root_free(NULL);
	snprintf(bad, sizeof bad, "redoubt-root-1 %s %s\n", ID1, B64);
	T_GOOD(root_parse(str_c(bad), NULL, &r));
	root_free(r);
	refused(STR(""), "the root key file is empty");
	refused(STR("\n"), "line 1 of the root key file " NOT_LINE);
	refused(STR("# a comment\n"), "line 1 of the root key file " NOT_LINE);
	snprintf(bad, sizeof bad, "redoubt-root-2 %s %s\n", ID1, B64);
	refused(str_c(bad), "line 1 of the root key file " NOT_LINE);
	snprintf(bad, sizeof bad, "redoubt-root-1 %s\n", ID1);
	refused(str_c(bad), "line 1 of the root key file " NOT_LINE);
	snprintf(bad, sizeof bad, "redoubt-root-1 %s5 %s\n", ID1, B64);
	refused(str_c(bad), "line 1 of the root key file " NOT_LINE);
	snprintf(bad, sizeof bad, " redoubt-root-1 %s %s\n", ID1, B64);
	refused(str_c(bad), "line 1 of the root key file " NOT_LINE);
	why = "line 1 of the root key file has a key that is not 32 bytes in "
	      "base64";
	snprintf(bad, sizeof bad, "redoubt-root-1 %s  %s\n", ID1, B64);
	refused(str_c(bad), why);
	snprintf(bad, sizeof bad, "redoubt-root-1 %s %s\r\n", ID1, B64);
	refused(str_c(bad), why);
	snprintf(bad, sizeof bad, "redoubt-root-1 %s %s \n", ID1, B64);
	refused(str_c(bad), why);
	snprintf(bad, sizeof bad, "redoubt-root-1 %s %.43s\n", ID1, B64);
	refused(str_c(bad), why);
	snprintf(bad, sizeof bad, "redoubt-root-1 %s %.42sF=\n", ID1, B64);
	refused(str_c(bad), why); /* trailing bits */
	snprintf(bad, sizeof bad, "redoubt-root-1 %s %.42s==\n", ID1, B64);
	refused(str_c(bad), why); /* 31 bytes */
	snprintf(bad, sizeof bad, "redoubt-root-1 %s %.43sA\n", ID1, B64);
	refused(str_c(bad), why); /* 33 bytes */
	snprintf(bad, sizeof bad, "redoubt-root-1 %s -%.43s\n", ID1, B64);
	refused(str_c(bad), why);
	snprintf(bad, sizeof bad, "redoubt-root-1 0000000000000000 %s\n", B64);
	refused(str_c(bad),
	    "line 1 of the root key file has an id that is "
	    "not that of its key");
}

/* Changing any one byte of a file of two keys refuses it. */
TEST(every_byte_counts)
{
	struct buf b = room();

	T_GOOD(root_generate(&b));
	T_GOOD(root_generate(&b));
	for (size_t i = 0; i < b.n - 1; i++) {
		struct trail t = {""};
		struct root_keys *r = NULL;
		char was = b.p[i];

		b.p[i] ^= 1;
		T_ERR(root_parse(buf_view(&b), &t, &r), E_WRONG_KEY);
		T_OK(strstr(t.detail, "line ") != NULL);
		b.p[i] = was;
	}
	buf_done(&b);
}

TEST(trail_says_nothing_of_the_file)
{
	struct buf b = room();

	T_GOOD(root_generate(&b));
	for (size_t i = 0; i < b.n - 1; i++) {
		struct trail t = {""};
		struct root_keys *r = NULL;
		char was = b.p[i];

		b.p[i] = '!';
		T_ERR(root_parse(buf_view(&b), &t, &r), E_WRONG_KEY);
		T_OK(strchr(t.detail, '!') == NULL);
		b.p[i] = was;
		for (size_t j = 32; j + 4 < 76; j++) {
			char part[5] = {b.p[j], b.p[j + 1], b.p[j + 2],
			    b.p[j + 3], 0};

			T_OK(strstr(t.detail, part) == NULL);
		}
	}
	buf_done(&b);
}

TEST(too_many_and_twice)
{
	struct buf b = room();

	for (int i = 0; i < ROOT_KEYS_MAX; i++)
		T_GOOD(root_generate(&b));
	root_free(parsed(&b));
	T_GOOD(root_generate(&b));
	refused(buf_view(&b),
	    "line 9 of the root key file is one key too many");
	buf_clear(&b);
	T_GOOD(root_generate(&b));
	buf_str(&b, str_of(b.p, ROOT_LINE));
	refused(buf_view(&b),
	    "line 2 of the root key file has the id of a line before it");
	buf_clear(&b);
	T_GOOD(root_generate(&b));
	buf_char(&b, '\n');
	refused(buf_view(&b), "line 2 of the root key file " NOT_LINE);
	buf_done(&b);
}

TEST(no_room_for_a_line)
{
	struct buf b;

	buf_init(&b, ROOT_LINE - 1);
	T_ERR(root_generate(&b), E_NO_MEMORY);
	T_EQ_INT(b.n, 0);
	buf_done(&b);
}

/* ---- wrapping ---- */

static const uint8_t key[SECRET_SIZE] = "thirty-two bytes of project key";

TEST(wrap_and_unwrap)
{
	struct root_keys *r = one_key(), *other = one_key();
	struct sealed s = {STR_NONE};
	struct stored t;
	uint8_t back[SECRET_SIZE] = {0};
	struct arena a;
	size_t i = 99;

	arena_init(&a, 65536);
	T_GOOD(root_wrap(r, 3, 2, key, &a, &s));
	T_EQ_INT(s.bytes.n, 112);
	t = help_stored(s);
	T_GOOD(root_unwrap(r, 3, 2, t, back));
	T_EQ_MEM(back, key, SECRET_SIZE);
	T_GOOD(root_which(r, t, &i));
	T_EQ_INT(i, 0);
	T_ERR(root_unwrap(r, 4, 2, t, back), E_CORRUPT);
	T_ERR(root_unwrap(r, 3, 1, t, back), E_CORRUPT);
	T_ERR(root_unwrap(other, 3, 2, t, back), E_WRONG_KEY);
	T_ERR(root_which(other, t, &i), E_WRONG_KEY);
	T_ERR(root_open_seed(r, t, back), E_CORRUPT);
	t.bytes.n--;
	T_ERR(root_unwrap(r, 3, 2, t, back), E_CORRUPT);
	t.bytes.n = 5;
	T_ERR(root_unwrap(r, 3, 2, t, back), E_CORRUPT);
	T_ERR(root_which(r, t, &i), E_CORRUPT);
	arena_done(&a);
	root_free(r);
	root_free(other);
}

TEST(seed)
{
	struct root_keys *r = one_key();
	struct sealed s = {STR_NONE};
	uint8_t back[SECRET_SIZE] = {0};
	struct arena a;

	arena_init(&a, 65536);
	T_GOOD(root_seal_seed(r, key, &a, &s));
	T_GOOD(root_open_seed(r, help_stored(s), back));
	T_EQ_MEM(back, key, SECRET_SIZE);
	T_ERR(root_unwrap(r, 0, 1, help_stored(s), back), E_CORRUPT);
	arena_done(&a);
	root_free(r);
}

/* init, rotate, rewrap, drop: as root.h tells. */
TEST(rotation)
{
	struct buf old = room(), now = room(), last = room();
	struct root_keys *r, *s;
	struct sealed under_old, under_new;
	uint8_t back[SECRET_SIZE];
	struct arena a;
	size_t i = 99;
	char was[ROOT_ID_TEXT + 1], is[ROOT_ID_TEXT + 1];

	arena_init(&a, 65536);
	T_GOOD(root_generate(&old));
	r = parsed(&old);
	T_GOOD(root_wrap(r, 1, 1, key, &a, &under_old));

	T_GOOD(root_generate(&now));
	T_GOOD(root_line(r, 0, &now));
	s = parsed(&now);
	T_EQ_INT(root_count(s), 2);
	root_id(r, 0, was);
	root_id(s, 1, is);
	T_EQ_STR(str_c(was), str_c(is));
	T_GOOD(root_unwrap(s, 1, 1, help_stored(under_old), back));
	T_EQ_MEM(back, key, SECRET_SIZE);
	T_GOOD(root_which(s, help_stored(under_old), &i));
	T_EQ_INT(i, 1);
	T_GOOD(root_wrap(s, 1, 1, back, &a, &under_new));
	T_GOOD(root_which(s, help_stored(under_new), &i));
	T_EQ_INT(i, 0);

	T_GOOD(root_line(s, 0, &last));
	root_free(r);
	r = parsed(&last);
	T_GOOD(root_unwrap(r, 1, 1, help_stored(under_new), back));
	T_ERR(root_unwrap(r, 1, 1, help_stored(under_old), back), E_WRONG_KEY);
	root_free(r);
	root_free(s);
	buf_done(&old);
	buf_done(&now);
	buf_done(&last);
	arena_done(&a);
}

T_MAIN
