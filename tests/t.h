/*
 * t.h: the test harness: one header, TAP on stdout.
 *
 *	TEST(name) { T_EQ_INT(1 + 1, 2); }
 *	T_MAIN
 *
 * A failed check marks its test failed and goes on; T_REQUIRE ends the test.
 * Tests run in the order of the file; an argument runs only tests whose name
 * contains it.
 */
#ifndef TESTS_T_H
#define TESTS_T_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

struct t_case {
	const char *name;
	void (*run)(void);
	struct t_case *next;
};

static struct t_case *t_first, **t_last = &t_first;
static int t_bad;

#define TEST(id)                                                               \
	static void t_run_##id(void);                                          \
	static struct t_case t_case_##id = {#id, t_run_##id, NULL};            \
	__attribute__((constructor)) static void t_add_##id(void)              \
	{                                                                      \
		*t_last = &t_case_##id;                                        \
		t_last = &t_case_##id.next;                                    \
	}                                                                      \
	static void t_run_##id(void)

#define T_FAIL(...)                                                            \
	do {                                                                   \
		t_bad++;                                                       \
		printf("# %s:%d: ", __FILE__, __LINE__);                       \
		printf(__VA_ARGS__);                                           \
		printf("\n");                                                  \
	} while (0)
#define T_OK(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			T_FAIL("not true: %s", #cond);                         \
	} while (0)
#define T_REQUIRE(cond)                                                        \
	do {                                                                   \
		if (!(cond)) {                                                 \
			T_FAIL("required: %s", #cond);                         \
			return;                                                \
		}                                                              \
	} while (0)
#define T_EQ_INT(a, b)                                                         \
	do {                                                                   \
		long long t_a = (long long)(a), t_b = (long long)(b);          \
		if (t_a != t_b)                                                \
			T_FAIL("%s = %lld, want %s = %lld", #a, t_a, #b, t_b); \
	} while (0)
#define T_EQ_STR(a, b)                                                         \
	do {                                                                   \
		struct str t_a = (a), t_b = (b);                               \
		if (!str_eq(t_a, t_b))                                         \
			T_FAIL("%s = \"%.*s\", want \"%.*s\"", #a,             \
			    STR_ARG(t_a), STR_ARG(t_b));                       \
	} while (0)
#define T_EQ_MEM(a, b, n)                                                      \
	do {                                                                   \
		if (memcmp((a), (b), (n)) != 0)                                \
			T_FAIL("%s and %s differ", #a, #b);                    \
	} while (0)
#define T_GOOD(e)                                                              \
	do {                                                                   \
		err t_e = (e);                                                 \
		if (!err_ok(t_e))                                              \
			T_FAIL("%s: %s", #e, err_name(t_e));                   \
	} while (0)
#define T_ERR(e, code)                                                         \
	do {                                                                   \
		err t_e = (e);                                                 \
		if (!err_is(t_e, code))                                        \
			T_FAIL("%s: %s, want %s", #e, err_name(t_e),           \
			    err_name(err_of(code)));                           \
	} while (0)

#define T_MAIN                                                                 \
	int main(int argc, char **argv)                                        \
	{                                                                      \
		int n = 0, failed = 0;                                         \
		setvbuf(stdout, NULL, _IOLBF, 0);                              \
		for (struct t_case *c = t_first; c != NULL; c = c->next) {     \
			if (argc > 1 && strstr(c->name, argv[1]) == NULL)      \
				continue;                                      \
			t_bad = 0;                                             \
			c->run();                                              \
			failed += t_bad != 0;                                  \
			printf("%s %d - %s\n", t_bad ? "not ok" : "ok", ++n,   \
			    c->name);                                          \
		}                                                              \
		printf("1..%d\n", n);                                          \
		return failed != 0;                                            \
	}

#endif
