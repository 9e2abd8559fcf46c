/* Secrets in output: every spelling, every cut, nothing else. */
#include "delegate/mask.h"

#include "base/text.h"
#include "base/time.h"
#include "tests/t.h"

enum { LINE = 65536, OUT = 1 << 20 };

static struct trail trail;
static char line[LINE], secret_bytes[LINE / 4], text_bytes[LINE / 2];

static struct mask_set *
set_of(const struct str *s, size_t n)
{
	struct mask_set *set = NULL;
	err e = mask_set_new(s, n, &trail, &set);

	if (!err_ok(e))
		T_FAIL("mask_set_new: %s, %s", err_name(e), trail.detail);
	return set;
}

/* in, in writes of at most `size` bytes after a first one of `first`. */
static void
run(struct masker *m, struct str in, size_t first, size_t size, struct buf *out)
{
	buf_clear(out);
	mask_add(m, str_head(in, first), out);
	for (in = str_skip(in, first); in.n > 0; in = str_skip(in, size))
		mask_add(m, str_head(in, size), out);
	mask_end(m, out);
}

/* Does s hold n bytes in a row of what? */
static bool
holds(struct str s, struct str what, size_t n)
{
	if (what.n < n)
		n = what.n;
	for (size_t i = 0; i + n <= what.n; i++)
		if (memmem(s.p, s.n, what.p + i, n) != NULL)
			return true;
	return false;
}

static bool
clean(const struct buf *out, struct str secret, const char *name)
{
	struct str s = buf_view(out);
	/* Spaces apart, one mark and what stood around it; trimmed and
	 * wrapped spellings leave at most 3 digits at either end. */
	bool good = str_starts(s, STR("before ")) &&
	    str_ends(s, STR(" after\n")) && !holds(s, secret, 8) &&
	    memmem(s.p, s.n, "***", 3) != NULL &&
	    (s.n <= 14 + 3 + 8 || strstr(name, "coloured") != NULL ||
		strstr(name, "linked") != NULL ||
		strstr(name, "many_lines") != NULL);

	if (!good)
		T_FAIL("%s: %.*s", name, STR_ARG(s));
	return good;
}

static void
one_vector(const char *name, struct str secret, struct str text)
{
	static char whole[LINE];
	struct mask_set *set = set_of(&secret, 1);
	struct buf in = {.p = whole, .cap = LINE, .max = LINE}, out, again;
	struct masker *m;
	size_t step;

	buf_c(&in, "before ");
	buf_str(&in, text);
	buf_c(&in, " after\n");
	step = in.n < 600 ? 1 : 97;
	buf_init(&out, OUT);
	buf_init(&again, OUT);
	T_REQUIRE(set != NULL && err_ok(masker_new(set, &m)));
	run(m, buf_view(&in), 0, in.n, &out);
	if (clean(&out, secret, name)) {
		for (size_t i = 0; i <= in.n; i += step) {
			run(m, buf_view(&in), i, in.n, &again);
			T_EQ_STR(buf_view(&again), buf_view(&out));
		}
		for (size_t size = 1; size < 20; size++) {
			run(m, buf_view(&in), 0, size, &again);
			T_EQ_STR(buf_view(&again), buf_view(&out));
		}
	}
	m = masker_free(m);
	set = mask_set_free(set);
	buf_done(&out);
	buf_done(&again);
}

TEST(every_spelling_at_every_cut)
{
	FILE *f = fopen("tests/vectors/mask/forms.txt", "r");
	unsigned n = 0;

	T_REQUIRE(f != NULL);
	while (fgets(line, sizeof line, f) != NULL) {
		struct str rest = str_c(line), name, secret, text;

		rest.n--;
		str_cut(rest, ' ', &name, &rest);
		str_cut(rest, ' ', &secret, &text);
		line[name.n] = '\0';
		T_REQUIRE(hex_decode(secret, secret_bytes, secret.n / 2));
		T_REQUIRE(hex_decode(text, text_bytes, text.n / 2));
		one_vector(line, str_of(secret_bytes, secret.n / 2),
		    str_of(text_bytes, text.n / 2));
		n++;
	}
	(void)fclose(f);
	printf("# %u spellings\n", n);
	T_OK(n > 180);
}

TEST(twelve_bytes_are_enough)
{
	static const char text[] = "ghp_9fK2mQx7RtZ4vB1nW8sL5pY0cD3h";
	struct str secret = str_c(text), part;
	struct mask_set *set = set_of(&secret, 1);
	struct buf out;

	buf_init(&out, OUT);
	for (size_t i = 0; i + 12 <= secret.n; i++) {
		part = str_head(str_skip(secret, i), 12);
		buf_clear(&out);
		T_GOOD(mask_text(set, part, &out));
		T_EQ_STR(buf_view(&out), STR("***"));
	}
	/* The middle of a dump of 16 bytes a line. */
	buf_clear(&out);
	T_GOOD(mask_text(set,
	    STR("00000000: 6768 705f 3966 4b32 6d51 7837 5274 5a34  "
		"ghp_9fK2mQx7RtZ4"),
	    &out));
	T_EQ_STR(buf_view(&out), STR("00000000: ***  ***"));
	buf_clear(&out);
	T_GOOD(mask_text(set, str_head(secret, 11), &out));
	T_EQ_STR(buf_view(&out), str_head(secret, 11));
	set = mask_set_free(set);
	buf_done(&out);
}

TEST(what_cannot_be_masked)
{
	struct str s = STR("1234567");
	struct mask_set *set;

	T_ERR(mask_set_new(&s, 1, &trail, &set), E_INVALID);
	s = STR("12345678");
	T_GOOD(mask_set_new(&s, 1, &trail, &set));
	set = mask_set_free(set);
	s = STR("aaaaaaaaaaaa");
	T_ERR(mask_set_new(&s, 1, &trail, &set), E_INVALID);
	s = STR("------------abcdefgh");
	T_ERR(mask_set_new(&s, 1, &trail, &set), E_INVALID);
	s = str_of(text_bytes, MASK_MAX + 1);
	T_ERR(mask_set_new(&s, 1, &trail, &set), E_LIMIT);
	T_ERR(mask_set_new(&s, MASK_SECRETS + 1, &trail, &set), E_LIMIT);
}

TEST(overlapping_secrets_are_one_mark)
{
	struct str s[] = {STR("abcdefghijkl"), STR("ghijklmnopqr")};
	struct mask_set *set = set_of(s, 2);
	struct buf out;

	buf_init(&out, OUT);
	T_GOOD(mask_text(set, STR("[abcdefghijklmnopqr][abcdefghijkl]"), &out));
	T_EQ_STR(buf_view(&out), STR("[***][***]"));
	set = mask_set_free(set);
	buf_done(&out);
}

/* What cannot be the beginning of a secret is not held back. */
TEST(a_live_log_stays_live)
{
	struct str s = STR("s3cr3t-value");
	struct mask_set *set = set_of(&s, 1);
	struct masker *m;
	struct buf out;

	buf_init(&out, OUT);
	T_REQUIRE(err_ok(masker_new(set, &m)));
	mask_add(m, STR("hello there\n"), &out);
	T_EQ_STR(buf_view(&out), STR("hello there\n"));
	mask_add(m, STR("value s3cr"), &out);
	T_EQ_STR(buf_view(&out), STR("hello there\nvalue "));
	mask_add(m, STR("et no\n"), &out);
	T_EQ_STR(buf_view(&out), STR("hello there\nvalue s3cret no\n"));
	/* Nor is a secret stretched over megabytes waited for. */
	buf_clear(&out);
	mask_add(m, STR("s3cr3t-"), &out);
	memset(text_bytes, ' ', sizeof text_bytes);
	for (unsigned i = 0; i < 8; i++)
		mask_add(m, str_of(text_bytes, sizeof text_bytes), &out);
	T_OK(out.n > sizeof text_bytes * 6);
	m = masker_free(m);
	set = mask_set_free(set);
	buf_done(&out);
}

TEST(no_secrets)
{
	struct mask_set *set = set_of(NULL, 0);
	struct buf out;

	buf_init(&out, OUT);
	T_GOOD(mask_text(set, STR("as it is \x1b[0m"), &out));
	T_EQ_STR(buf_view(&out), STR("as it is \x1b[0m"));
	set = mask_set_free(set);
	buf_done(&out);
}

/* ---- prose, speed, memory ---- */

static const struct str five[] = {
    {"hunter2-Tr0ub4dor&3", 19},
    {"ghp_9fK2mQx7RtZ4vB1nW8sL5pY0cD3hJ6gA", 36},
    {"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", 40},
    {"xoxb-263594206564-2343594206564-FGqddMF8t08v8N7Oq4i57vs1", 56},
    {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN", 57},
};

static struct str
prose(void)
{
	static char text[1 << 20];
	size_t n = 0;

	for (unsigned i = 0; i < 40 && n < sizeof text; i++) {
		FILE *f =
		    fopen(i % 2 == 0 ? "/usr/share/common-licenses/GPL-3"
				     : "/usr/share/common-licenses/LGPL-2.1",
			"r");

		if (f == NULL)
			break;
		n += fread(text + n, 1, sizeof text - n, f);
		(void)fclose(f);
	}
	return str_of(text, n);
}

TEST(prose_stays_as_it_is)
{
	struct str text = prose();
	struct mask_set *set = set_of(five, 5);
	struct buf out;

	T_REQUIRE(text.n > 700000);
	buf_init(&out, (size_t)2 << 20);
	T_GOOD(mask_text(set, text, &out));
	T_OK(str_eq(buf_view(&out), text));
	printf("# %zu bytes of prose, no mark\n", text.n);
	set = mask_set_free(set);
	buf_done(&out);
}

TEST(fast_and_small)
{
	struct str text = prose();
	struct mask_set *set = set_of(five, 5);
	struct masker *m;
	struct buf out;
	double best = 0;

	buf_init(&out, (size_t)2 << 20);
	T_REQUIRE(err_ok(masker_new(set, &m)));
	for (unsigned i = 0; i < 20; i++) {
		int64_t from = time_mono_us();
		double speed;

		buf_clear(&out);
		for (size_t at = 0; at < text.n; at += 65536)
			mask_add(m, str_head(str_skip(text, at), 65536), &out);
		mask_end(m, &out);
		speed = (double)text.n / (double)(time_mono_us() - from);
		best = speed > best ? speed : best;
	}
	printf("# %.0f MB/s with 5 secrets, %zu KiB\n", best,
	    mask_set_memory(set) / 1024);
#ifndef REDOUBT_SANITIZED
	T_OK(best >= 100);
#endif
	m = masker_free(m);
	set = mask_set_free(set);
	buf_done(&out);
}

TEST(many_and_long_secrets_have_a_bound)
{
	static char bytes[MASK_SECRETS][MASK_MAX];
	struct str s[MASK_SECRETS];
	struct mask_set *set = NULL;
	unsigned v = 1;
	err e;

	for (size_t i = 0; i < MASK_SECRETS; i++)
		for (size_t k = 0; k < MASK_MAX; k++) {
			v = v * 1103515245 + 12345;
			bytes[i][k] = (char)('!' + (v >> 16) % 90);
		}
	for (size_t i = 0; i < MASK_SECRETS; i++)
		s[i] = str_of(bytes[i], 40);
	T_GOOD(mask_set_new(s, MASK_SECRETS, &trail, &set));
	T_OK(mask_set_memory(set) < MASK_MEMORY);
	printf("# 64 secrets: %zu KiB\n", mask_set_memory(set) / 1024);
	set = mask_set_free(set);
	s[0].n = 4096;
	T_GOOD(mask_set_new(s, 1, &trail, &set));
	T_OK(mask_set_memory(set) < MASK_MEMORY);
	printf("# one of 4 KiB: %zu KiB\n", mask_set_memory(set) / 1024);
	set = mask_set_free(set);
	for (size_t i = 0; i < MASK_SECRETS; i++)
		s[i].n = MASK_MAX;
	e = mask_set_new(s, MASK_SECRETS, &trail, &set);
	T_ERR(e, E_LIMIT);
}

T_MAIN
