#include "base/arena.h"
#include "tests/t.h"

TEST(no_memory_before_the_first_use)
{
	struct arena a;

	arena_init(&a, 100000);
	T_EQ_INT(a.held, 0);
	T_OK(a.head == NULL);
	arena_done(&a);
}

TEST(zeroed_and_aligned_after_reuse)
{
	struct arena a;
	char zero[100] = {0};

	arena_init(&a, 100000);
	for (int round = 0; round < 3; round++) {
		for (size_t n = 1; n < 100; n++) {
			char *p = arena_get(&a, n);

			T_REQUIRE(p != NULL);
			T_EQ_INT((uintptr_t)p % 16, 0);
			T_EQ_MEM(p, zero, n);
			memset(p, 0xff, n);
		}
		arena_reset(&a);
	}
	arena_done(&a);
}

TEST(the_cap_is_exact_and_refusal_sticks)
{
	struct arena a;

	arena_init(&a, 8192);
	T_OK(arena_get(&a, 8192) != NULL);
	T_GOOD(arena_check(&a));
	T_OK(arena_get(&a, 1) == NULL);
	T_ERR(arena_check(&a), E_NO_MEMORY);
	T_OK(arena_get(&a, 0) == NULL);
	arena_reset(&a);
	T_GOOD(arena_check(&a));
	T_OK(arena_get(&a, 8193) == NULL);
	arena_reset(&a);
	T_OK(arena_get(&a, SIZE_MAX) == NULL);
	arena_done(&a);
}

TEST(never_holds_more_than_max)
{
	struct arena a;
	size_t got = 0;

	arena_init(&a, 1000000);
	while (arena_get(&a, 1000) != NULL)
		got += 1000;
	T_OK(a.held <= 1000000);
	T_OK(got > 900000);
	arena_reset(&a);
	T_OK(a.held <= 256 * 1024);
	arena_done(&a);
}

TEST(only_the_newest_grows_in_place)
{
	struct arena a;
	char *first, *p;

	arena_init(&a, 100000);
	first = arena_raw(&a, 20);
	p = arena_raw(&a, 20);
	T_REQUIRE(first != NULL && p != NULL);
	T_OK(!arena_extend(&a, first, 20, 100));
	T_OK(!arena_extend(&a, NULL, 0, 100));
	T_OK(!arena_extend(&a, p, 20, 19));
	T_OK(arena_extend(&a, p, 20, 200));
	memset(p, 1, 200);
	T_OK((char *)arena_get(&a, 16) == p + 208);
	T_OK(!arena_extend(&a, p, 200, 300));
	arena_done(&a);
}

TEST(what_has_no_room_does_not_grow)
{
	struct arena a;
	char *p;

	arena_init(&a, 4096);
	p = arena_raw(&a, 16);
	T_OK(!arena_extend(&a, p, 16, 4097));
	T_OK(!arena_extend(&a, p, 16, 100000));
	T_OK(!arena_extend(&a, p, 16, SIZE_MAX));
	T_OK(!a.failed);
	T_OK(arena_extend(&a, p, 16, 4096));
	T_OK(arena_get(&a, 1) == NULL);
	T_OK(!arena_extend(&a, p, 4096, 4096));
	arena_done(&a);
}

TEST(array_checks_the_product)
{
	struct arena a;

	arena_init(&a, 100000);
	T_OK(arena_array(&a, 10, 8) != NULL);
	T_OK(arena_array(&a, SIZE_MAX / 2, 4) == NULL);
	T_OK(a.failed);
	arena_done(&a);
}

TEST(a_c_string_ends_in_used_memory)
{
	struct arena a;
	const char *c;
	char *p;

	arena_init(&a, 100000);
	p = arena_get(&a, 64);
	T_REQUIRE(p != NULL);
	memset(p, 'x', 64);
	arena_reset(&a);
	c = arena_cstr(&a, STR("text"));
	T_REQUIRE(c != NULL);
	T_OK(memcmp(c, "text", 5) == 0);
	arena_done(&a);
}

TEST(copies)
{
	struct arena a;
	char src[] = "text";
	struct str s;
	const char *c;

	arena_init(&a, 100000);
	T_OK(arena_get(&a, 0) != NULL);
	s = arena_dup(&a, str_c(src));
	c = arena_cstr(&a, str_c(src));
	src[0] = 'n';
	T_EQ_STR(s, STR("text"));
	T_REQUIRE(c != NULL);
	T_OK(strcmp(c, "text") == 0);
	T_OK(arena_cstr(&a, STR("a\0b")) == NULL);
	T_OK(!a.failed);
	T_OK(arena_dup(&a, STR_NONE).p != NULL);
	arena_done(&a);
}

T_MAIN
