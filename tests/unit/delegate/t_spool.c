/* What a step writes, as it is kept: no controls, no endless lines, a size. */
#include "delegate/spool.h"
#include "tests/unit/delegate/home.h"

#include <openssl/evp.h>

#include "base/text.h"

static const struct uuid id = {{1}};
static char store[1 << 20];

static struct str
kept(int dir, struct spool *s)
{
	char name[SPOOL_NAME], sha[65];
	uint8_t md[32], want[32];
	struct str text;

	T_GOOD(spool_end(s, sha));
	spool_name(&id, ".log", name);
	text = test_read(dir, name, store, sizeof store);
	T_EQ_INT(text.n, s->size);
	T_OK(hex_decode(str_c(sha), want, 32));
	EVP_Digest(text.p, text.n, md, NULL, EVP_sha256(), NULL);
	T_EQ_MEM(md, want, 32);
	spool_close(s);
	return text;
}

static int
begin(struct spool *s, uint64_t max)
{
	int dir = test_home();

	T_OK(mkdirat(dir, "spool", 0700) == 0);
	T_GOOD(spool_open(s, dir, &id, max));
	return dir;
}

TEST(controls_are_shown)
{
	struct spool s;
	int dir = begin(&s, 1000);

	spool_add(&s, STR("a\tb\r\n\x1b[31mred\x07\x7f"));
	spool_add(&s, str_of("\0\n", 2));
	spool_add(&s, STR("\xc3\xbc\n"));
	T_EQ_STR(kept(dir, &s),
	    STR("a\tb\\x0d\n\\x1b[31mred\\x07\\x7f\\x00\n\xc3\xbc\n"));
	test_home_done(dir);
}

TEST(a_line_is_cut)
{
	static char line[SPOOL_LINE + 10];
	struct spool s;
	struct str text;
	int dir = begin(&s, 1 << 20);

	memset(line, 'x', sizeof line);
	spool_add(&s, str_of(line, sizeof line));
	spool_add(&s, STR("\nnext\n"));
	text = kept(dir, &s);
	T_OK(str_ends(text,
	    STR("x[... 10 bytes of this line left out]\nnext\n")));
	T_OK(text.n < SPOOL_LINE + 64);
	test_home_done(dir);
}

TEST(the_rest_is_counted)
{
	struct spool s;
	int dir = begin(&s, 10);

	spool_add(&s, STR("0123456"));
	spool_add(&s, STR("789abc"));
	spool_add(&s, STR("def"));
	T_EQ_STR(kept(dir, &s), STR("0123456789\n[... 6 bytes left out]\n"));
	test_home_done(dir);
}

TEST(nothing)
{
	struct spool s;
	int dir = begin(&s, 10);

	T_EQ_INT(kept(dir, &s).n, 0);
	test_home_done(dir);
}

TEST(no_link_is_followed)
{
	char name[SPOOL_NAME];
	struct spool s;
	int dir = test_home();

	T_OK(mkdirat(dir, "spool", 0700) == 0);
	spool_name(&id, ".log", name);
	T_OK(symlinkat("/tmp/redoubt-should-not-be", dir, name) == 0);
	T_ERR(spool_open(&s, dir, &id, 10), E_IO);
	T_OK(access("/tmp/redoubt-should-not-be", F_OK) != 0);
	test_home_done(dir);
}

T_MAIN
