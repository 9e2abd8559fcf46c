/* t_growth.c: "old N", a proof, a note. */
#include "audit/growth.h"
#include "base/buf.h"
#include "tests/t.h"

#define HASH "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

static struct growth g;

TEST(texts)
{
	T_GOOD(growth_parse(STR("old 0\n\nnote\n"), &g));
	T_OK(g.old == 0 && g.n == 0 && str_is(g.note, "note\n"));
	T_GOOD(growth_parse(STR("old 17\n" HASH HASH "\n"), &g));
	T_OK(g.old == 17 && g.n == 2 && g.note.n == 0);
}

TEST(no_texts)
{
	static const char *const bad[] = {"", "\n", "old\n\n", "old \n\n",
	    "old 01\n\n", "old -1\n\n", "old 1\n", "old 1", "new 1\n\n",
	    "old 9223372036854775808\n\n", "old 4611686018427387905\n\n",
	    "old 1\n" HASH, "old 1\nAAAA\n\n", "old 1\r\n\r\n",
	    "old 1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n\n",
	    "old 1\n" HASH "x\n\n", " old 1\n\n"};
	struct buf b;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (err_ok(growth_parse(str_c(bad[i]), &g)))
			T_FAIL("taken: %s", bad[i]);
	/* a proof has 63 hashes at most */
	buf_init(&b, 1 << 16);
	buf_c(&b, "old 1\n");
	for (unsigned i = 0; i < 63; i++)
		buf_c(&b, HASH);
	buf_c(&b, "\n");
	T_GOOD(growth_parse(buf_view(&b), &g));
	b.n--;
	buf_c(&b, HASH "\n");
	T_ERR(growth_parse(buf_view(&b), &g), E_CORRUPT);
	buf_done(&b);
}

T_MAIN
