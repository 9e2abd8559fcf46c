#include "base/buf.h"
#include "tests/t.h"

TEST(writes_what_it_is_told)
{
	struct buf b;

	buf_init(&b, 1000);
	buf_c(&b, "a=");
	buf_u64(&b, UINT64_MAX);
	buf_char(&b, ' ');
	buf_i64(&b, INT64_MIN);
	buf_char(&b, ' ');
	buf_u64(&b, 0);
	buf_fmt(&b, " %04x", 0xabu);
	buf_str(&b, STR("!"));
	T_GOOD(buf_check(&b));
	T_EQ_STR(buf_view(&b),
	    STR("a=18446744073709551615 -9223372036854775808 0 00ab!"));
	buf_done(&b);
}

TEST(the_maximum_is_exact_and_refusal_sticks)
{
	struct buf b;
	char t[300] = {0};

	buf_init(&b, sizeof t);
	buf_add(&b, t, sizeof t);
	T_GOOD(buf_check(&b));
	buf_char(&b, 'x');
	T_ERR(buf_check(&b), E_NO_MEMORY);
	T_EQ_INT(b.n, sizeof t);
	buf_clear(&b);
	T_GOOD(buf_check(&b));
	buf_add(&b, t, 299);
	buf_add(&b, t, 2);
	buf_add(&b, t, 1);
	T_EQ_INT(b.n, 299);
	T_OK(b.failed);
	T_OK(!buf_room(&b, SIZE_MAX));
	buf_done(&b);
}

TEST(grows_on_an_arena)
{
	struct arena a;
	struct buf b;

	arena_init(&a, 100000);
	buf_init_on(&b, &a, 10000);
	for (int i = 0; i < 10000; i++)
		buf_char(&b, (char)('a' + i % 26));
	T_GOOD(buf_check(&b));
	T_EQ_INT(b.n, 10000);
	for (size_t i = 0; i < b.n; i++)
		T_OK(b.p[i] == (char)('a' + i % 26));
	buf_done(&b);
	arena_done(&a);
}

TEST(a_full_arena_fails_the_buf)
{
	struct arena a;
	struct buf b;
	char t[3000] = {0};

	arena_init(&a, 4096);
	buf_init_on(&b, &a, 100000);
	buf_add(&b, t, sizeof t);
	T_GOOD(buf_check(&b));
	buf_add(&b, t, sizeof t);
	T_ERR(buf_check(&b), E_NO_MEMORY);
	T_EQ_INT(b.n, sizeof t);
	arena_done(&a);
}

TEST(too_long_a_format_fails)
{
	struct buf b;

	buf_init(&b, 10000);
	buf_fmt(&b, "%511d", 1);
	T_GOOD(buf_check(&b));
	buf_fmt(&b, "%512d", 1);
	T_ERR(buf_check(&b), E_NO_MEMORY);
	T_EQ_INT(b.n, 511);
	buf_done(&b);
}

TEST(cursor_reads_big_endian)
{
	struct buf b;
	struct cur c;
	char t[3];

	buf_init(&b, 100);
	buf_char(&b, 0x7f);
	buf_be16(&b, 0x0102);
	buf_be32(&b, 0xfffefdfc);
	buf_be64(&b, UINT64_C(0x8000000000000001));
	buf_c(&b, "abcxy");
	c = cur_of(buf_view(&b));
	T_EQ_INT(cur_u8(&c), 0x7f);
	T_EQ_INT(cur_be16(&c), 0x0102);
	T_EQ_INT(cur_be32(&c), 0xfffefdfc);
	T_OK(cur_be64(&c) == UINT64_C(0x8000000000000001));
	cur_bytes(&c, t, 3);
	T_EQ_MEM(t, "abc", 3);
	T_OK(!cur_end(&c));
	T_EQ_STR(cur_view(&c, 2), STR("xy"));
	T_OK(cur_end(&c));
	buf_done(&b);
}

TEST(cursor_refuses_and_stays_refused)
{
	struct cur c = cur_of(STR("abc"));
	char t[4] = "zzz";

	cur_bytes(&c, t, 4);
	T_OK(c.failed);
	T_EQ_MEM(t, "\0\0\0\0", 4);
	T_EQ_INT(cur_u8(&c), 0);
	T_OK(cur_view(&c, 1).p == NULL);
	T_OK(!cur_end(&c));
	c = cur_of(STR("abc"));
	T_EQ_INT(cur_be32(&c), 0);
	T_OK(c.failed);
	c = cur_of(STR("abc"));
	T_OK(cur_view(&c, SIZE_MAX).p == NULL);
	T_OK(c.failed);
}

T_MAIN
