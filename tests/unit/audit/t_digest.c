/* Digests of documents. */
#include "audit/digest.h"

#include "tests/t.h"

static const struct str known =
    {"43258cff783fe7036d8a43033f830adfc60ec037382473548ac742b888292777", 64};

TEST(known)
{
	static const struct json_limits lim = {8, 8, 8};
	const struct json *j = NULL;
	char d[DIGEST_TEXT + 1];
	struct trail t = {0};
	struct arena a;

	arena_init(&a, 1 << 16);
	digest_text(STR("{\"a\":1,\"b\":2}"), d);
	T_EQ_STR(str_c(d), known);
	T_GOOD(json_parse(&a, STR(" {\"b\":2, \"a\":1}"), &lim, &t, &j));
	memset(d, 0, sizeof d);
	T_GOOD(digest_json(&a, j, d));
	T_EQ_STR(str_c(d), known);
	T_OK(digest_valid(str_c(d)));
	d[3] = 'A';
	T_OK(!digest_valid(str_c(d)));
	d[3] = 'g';
	T_OK(!digest_valid(str_c(d)));
	T_OK(!digest_valid(str_of(d, 62)));
	arena_done(&a);
}

T_MAIN
