/*
 * Cursors: what is taken is what was made, for the same list, filters and
 * caller, and nothing else.  The first byte says what the rest is: a position
 * to make a cursor of and then spoil, or a cursor from anywhere.
 */
#include "tests/unit/flow/office.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct office office;
static struct lane lane;
static struct actor actor;
static const struct route *list;

/* What is open stays open; the files need no names any more, since nobody
 * knows how this process will end. */
static void
begin(void)
{
	char cmd[128];

	if (list != NULL)
		return;
	(void)t_last;
	(void)t_bad;
	office_open(&office);
	MUST(lane_open(&office.st, LANE_READER, 0, &lane));
	memset(actor.id.b, 7, sizeof actor.id.b);
	list = office_route("incident_list");
	snprintf(cmd, sizeof cmd, "rm -rf %s", office.dir);
	if (system(cmd) != 0)
		abort();
}

/* A call of that list as it stands after shape and access. */
static struct call
call_of(struct arena *a, struct str filter, struct str cursor)
{
	struct call c = {.lane = &lane,
	    .a = a,
	    .route = list,
	    .actor = &actor,
	    .var = {STR("alpha")}};

	c.query.raw[PARAM_Q] = filter;
	c.query.raw[PARAM_CURSOR] = cursor;
	return c;
}

static bool
takes(struct arena *a, struct str filter, struct str cursor, struct str *ret)
{
	struct call c = call_of(a, filter, cursor);
	err e = cursor_take(&c, ret);

	BUG_ON(!err_ok(e) && !err_is(e, E_BAD_CURSOR));
	return err_ok(e);
}

static struct str
made(struct arena *a, struct str filter, struct str position)
{
	struct call c = call_of(a, filter, STR_NONE);
	struct str s;

	MUST(cursor_make(&c, position, &s));
	return s;
}

/* From anywhere: taken only when it is what we would have made. */
static void
foreign(struct arena *a, struct str cursor)
{
	struct str position;

	if (cursor.p == NULL || !takes(a, STR("f"), cursor, &position))
		return;
	BUG_ON(position.n == 0 || position.n > CURSOR_MAX);
	BUG_ON(!str_eq(made(a, STR("f"), position), cursor));
}

static void
own(struct arena *a, struct str position, unsigned at)
{
	struct str cursor = made(a, STR("f"), position), back;
	char *bad = arena_get(a, cursor.n);

	BUG_ON(!takes(a, STR("f"), cursor, &back) || !str_eq(back, position));
	BUG_ON(takes(a, STR("g"), cursor, &back));
	BUG_ON(takes(a, STR_NONE, cursor, &back));
	memcpy(bad, cursor.p, cursor.n);
	bad[at % cursor.n] ^= (char)(1 << at % 7);
	foreign(a, str_of(bad, cursor.n));
	BUG_ON(takes(a, STR("f"), str_of(bad, cursor.n), &back));
	foreign(a, str_head(cursor, at % cursor.n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest;
	struct arena a;

	begin();
	if (size < 2)
		return 0;
	rest = str_of((const char *)data + 2, size - 2);
	arena_init(&a, 1 << 20);
	if (data[0] % 2 == 0)
		foreign(&a, rest);
	else if (rest.n > 0 && rest.n <= CURSOR_MAX)
		own(&a, rest, data[1]);
	arena_done(&a);
	return 0;
}
