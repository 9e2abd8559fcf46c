/* Legal holds as text and back. */
#include "access/object.h"
#include "tests/unit/access/help.h"

TEST(holds)
{
	struct hold f = {.o = head_of(OBJECT_HOLD, 1, 3),
	    .name = STR("smith"),
	    .reason = STR("letter of 3 May"),
	    .incident = {{8}},
	    .until = 77,
	    .by_kind = PRINCIPAL_USER,
	    .by = {{{7}}},
	    .released = 99,
	    .release_reason = STR("settled")};
	const struct object *o = NULL;
	const struct hold *h;
	struct arena a;
	struct buf b;

	arena_init(&a, 1 << 20);
	buf_init_on(&b, &a, 1 << 16);
	object_encode(&b, &f.o);
	T_GOOD(buf_check(&b));
	T_GOOD(object_decode(&a, &f.o, buf_view(&b), &o));
	h = (const struct hold *)o;
	T_REQUIRE(h != NULL);
	T_EQ_STR(h->name, f.name);
	T_EQ_STR(h->reason, f.reason);
	T_EQ_MEM(&h->incident, &f.incident, sizeof f.incident);
	T_EQ_INT(h->until, 77);
	T_EQ_INT(h->by_kind, PRINCIPAL_USER);
	T_EQ_MEM(&h->by, &f.by, sizeof f.by);
	T_EQ_INT(h->released, 99);
	T_EQ_STR(h->release_reason, f.release_reason);
	arena_done(&a);
}

T_MAIN
