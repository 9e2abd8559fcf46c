/* t_pages.c: timeline pages kept rendered: never stale, never too many. */
#include "tests/unit/flow/hall.h"

#include "flow/pieces.h"

#define ALPHA "/v1/projects/alpha"
#define INCIDENTS ALPHA "/incidents"

/* ---- alone ---- */

static struct str
text_of(struct arena *a, char c, size_t n)
{
	char *p = arena_get(a, n);

	memset(p, c, n);
	return str_of(p, n);
}

TEST(found_again)
{
	struct page_key k = {1, 5, 0, 50, false, false}, other;
	const struct page_kept *s;
	struct pages p = {0};

	T_OK(pages_find(&p, &k, 7, 1000) == NULL);
	pages_keep(&p, &k, 7, 1000, STR("abc"), 5, true);
	s = pages_find(&p, &k, 7, 1000);
	T_REQUIRE(s != NULL);
	T_OK(str_is(s->items, "abc") && s->last == 5 && s->more);
	/* every part of the key counts */
	other = k;
	other.incident = 2;
	T_OK(pages_find(&p, &other, 7, 1000) == NULL);
	other = k;
	other.entries = 6;
	T_OK(pages_find(&p, &other, 7, 1000) == NULL);
	other = k;
	other.after = 1;
	T_OK(pages_find(&p, &other, 7, 1000) == NULL);
	other = k;
	other.max = 51;
	T_OK(pages_find(&p, &other, 7, 1000) == NULL);
	other = k;
	other.newest_first = true;
	T_OK(pages_find(&p, &other, 7, 1000) == NULL);
	other = k;
	other.redacted = true;
	T_OK(pages_find(&p, &other, 7, 1000) == NULL);
	T_OK(pages_find(&p, &k, 7, 1000) != NULL);
	/* another world, other keys: all of it goes */
	T_OK(pages_find(&p, &k, 8, 1000) == NULL);
	T_EQ_INT(p.bytes, 0);
	pages_clear(&p);
}

TEST(for_a_moment)
{
	struct page_key k = {1, 5, 0, 50, false, false};
	struct pages p = {0};

	pages_keep(&p, &k, 0, 1000, STR("abc"), 5, false);
	T_OK(pages_find(&p, &k, 0, 1000 + PAGES_AGE_MS) != NULL);
	T_OK(pages_find(&p, &k, 0, 1001 + PAGES_AGE_MS) == NULL);
	T_EQ_INT(p.bytes, 0);
	/* a clock that was set back makes nothing last longer */
	pages_keep(&p, &k, 0, 1000, STR("abc"), 5, false);
	T_OK(pages_find(&p, &k, 0, 999) == NULL);
	T_EQ_INT(p.bytes, 0);
	/* kept under a version that is over: not kept */
	(void)pages_find(&p, &k, 3, 1000);
	pages_keep(&p, &k, 2, 1000, STR("abc"), 5, false);
	T_EQ_INT(p.bytes, 0);
	pages_clear(&p);
}

/* The same page twice is there once; an older state of it goes. */
TEST(one_of_each)
{
	struct page_key k = {1, 5, 0, 50, false, false};
	struct pages p = {0};

	pages_keep(&p, &k, 0, 1, STR("abc"), 5, false);
	k.entries = 6;
	pages_keep(&p, &k, 0, 2, STR("abcd"), 6, false);
	T_EQ_INT(p.bytes, 4);
	k.after = 3;
	pages_keep(&p, &k, 0, 3, STR("d"), 6, false);
	T_EQ_INT(p.bytes, 5);
	pages_clear(&p);
	T_EQ_INT(p.bytes, 0);
}

TEST(bounded)
{
	struct page_key k = {1, 5, 0, 50, false, false};
	struct pages p = {0};
	struct arena a;

	arena_init(&a, 64 << 20);
	for (uint64_t i = 1; i <= 3 * PAGES; i++) {
		k.incident = i;
		pages_keep(&p, &k, 0, (int64_t)i, STR("abc"), 5, false);
	}
	T_EQ_INT(p.bytes, 3 * PAGES);
	k.incident = 3 * PAGES;
	T_OK(pages_find(&p, &k, 0, 3 * PAGES) != NULL);
	k.incident = 1; /* the oldest has made room */
	T_OK(pages_find(&p, &k, 0, 3 * PAGES) == NULL);
	for (uint64_t i = 1000; i < 1100; i++) {
		k.incident = i;
		pages_keep(&p, &k, 0, (int64_t)i,
		    text_of(&a, 'x', LIM_PAGES / 10), 5, false);
		T_OK(p.bytes <= LIM_PAGES);
	}
	/* a page that has no room at all is not kept, the others are not
	 * lost */
	k.incident = 5000;
	pages_keep(&p, &k, 0, 5000, text_of(&a, 'x', LIM_PAGES + 1), 5, false);
	T_OK(pages_find(&p, &k, 0, 5000) == NULL);
	pages_clear(&p);
	T_EQ_INT(p.bytes, 0);
	arena_done(&a);
}

/* ---- in the line ---- */

static bool
kept(const struct hall *h)
{
	return h->lane.pages.bytes > 0;
}

static size_t
entries(struct visit *v)
{
	const struct json *j;

	(void)answered(v);
	j = json_get(v->json, STR("timeline"));
	return j == NULL ? 0 : j->count;
}

TEST(an_entry_more)
{
	struct visit *a, *b;
	struct hall h;

	hall_open(&h);
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"one\"}"), 201);
	a = visit(&h, "GET", INCIDENTS "/1?include=timeline", NULL);
	T_EQ_INT(entries(a), 1);
	T_OK(kept(&h));
	b = visit(&h, "GET", INCIDENTS "/1?include=timeline", NULL);
	T_OK(str_eq(a->body, b->body));
	for (int i = 0; i < 60; i++)
		EQ_STATUS(visit(&h, "POST", INCIDENTS "/1/timeline",
			      "{\"text\":\"more\"}"),
		    201);
	a = visit(&h, "GET", INCIDENTS "/1?include=timeline", NULL);
	T_EQ_INT(entries(a), 50);
	a = visit(&h, "GET", INCIDENTS "/1/timeline?limit=200", NULL);
	T_EQ_INT(listed(a), 61);
	b = visit(&h, "GET", INCIDENTS "/1/timeline?limit=200", NULL);
	T_OK(str_eq(a->body, b->body));
	/* pages by cursor, kept and fresh alike */
	for (int twice = 0; twice < 2; twice++) {
		a = visit(&h, "GET", INCIDENTS "/1/timeline?limit=40", NULL);
		T_EQ_INT(listed(a), 40);
		a = visit(&h, "GET",
		    fmt(&h.o, INCIDENTS "/1/timeline?limit=40&cursor=%s",
			told(&h, a, "next")),
		    NULL);
		T_EQ_INT(listed(a), 21);
		EQ_TEXT(told(&h, a, "next"), "");
	}
	hall_close(&h);
}

/* Nobody asks any more: it goes all the same. */
TEST(forgotten)
{
	struct snap *s;
	struct hall h;

	hall_open(&h);
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"one\"}"), 201);
	/* what the writer does in its first moment may drop it once */
	for (int i = 0; i < 20 && !kept(&h); i++) {
		EQ_STATUS(visit(&h, "GET", INCIDENTS "/1/timeline", NULL), 200);
		line_tick(&h.lane);
	}
	T_OK(kept(&h));
	tick(PAGES_AGE_MS + 1);
	line_tick(&h.lane);
	T_OK(!kept(&h));
	EQ_STATUS(visit(&h, "GET", INCIDENTS "/1/timeline", NULL), 200);
	s = h.lane.snap;
	EQ_STATUS(visit(&h, "POST", "/v1/projects", "{\"slug\":\"b\"}"), 201);
	line_tick(&h.lane);
	T_OK(!kept(&h));
	T_OK(h.lane.snap != s); /* nor are the old keys held */
	hall_close(&h);
}

/* A kept page is shown to nobody who may not see the incident. */
TEST(made_private)
{
	const char *eve;
	struct visit *v;
	struct hall h;

	hall_open(&h);
	eve = badge(&h.o, hire(&h.o, "eve@example.org", "responder", NULL));
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"one\"}"), 201);
	h.token = eve;
	EQ_STATUS(visit(&h, "GET", INCIDENTS "/1/timeline", NULL), 200);
	T_OK(kept(&h));
	h.token = h.o.admin;
	EQ_STATUS(visit(&h, "PATCH", INCIDENTS "/1", "{\"private\":true}"),
	    200);
	EQ_STATUS(visit(&h, "GET", INCIDENTS "/1/timeline", NULL), 200);
	h.token = eve;
	EQ_STATUS(visit(&h, "GET", INCIDENTS "/1/timeline", NULL), 404);
	v = visit(&h, "GET", INCIDENTS "/1?include=timeline", NULL);
	EQ_STATUS(v, 404);
	hall_close(&h);
}

/* The world changes: whoever has lost the right sees nothing more. */
TEST(right_withdrawn)
{
	struct visit *binding;
	const char *id, *eve;
	struct hall h;

	hall_open(&h);
	id = hire(&h.o, "eve@example.org", NULL, NULL);
	binding = visit(&h, "POST", "/v1/bindings",
	    fmt(&h.o,
		"{\"subject\":{\"kind\":\"user\",\"id\":\"%s\"},"
		"\"role\":\"viewer\",\"project\":\"alpha\"}",
		id));
	eve = badge(&h.o, id);
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"one\"}"), 201);
	h.token = eve;
	EQ_STATUS(visit(&h, "GET", INCIDENTS "/1/timeline", NULL), 200);
	T_OK(kept(&h));
	h.token = h.o.admin;
	EQ_STATUS(visit(&h, "DELETE",
		      fmt(&h.o, "/v1/bindings/%s", told(&h, binding, "id")),
		      NULL),
	    204);
	h.token = eve;
	EQ_STATUS(visit(&h, "GET", INCIDENTS "/1/timeline", NULL), 404);
	h.token = h.o.admin;
	EQ_STATUS(visit(&h, "GET", INCIDENTS "/1/timeline", NULL), 200);
	hall_close(&h);
}

/* What each step of a rotation does to the others. */
static err
step(struct lane *l, void *arg)
{
	const struct snap *s = l->snap;

	(void)arg;
	return pieces_see(l, s->keys, s->class_keys, s->class_keys_n);
}

/* Keys are rotated: what was kept is dropped. */
TEST(keys_rotated)
{
	uint64_t version;
	struct visit *a, *b;
	struct hall h;

	hall_open(&h);
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"one\"}"), 201);
	a = visit(&h, "GET", INCIDENTS "/1/timeline", NULL);
	EQ_STATUS(a, 200);
	version = h.lane.pages.version;
	T_OK(kept(&h));
	MUST(writer_do(h.o.w, step, NULL));
	b = visit(&h, "GET", INCIDENTS "/1/timeline", NULL);
	EQ_STATUS(b, 200);
	T_OK(str_eq(a->body, b->body));
	T_OK(h.lane.pages.version != version);
	hall_close(&h);
}

T_MAIN
