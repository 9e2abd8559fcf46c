/* t_opened.c: incidents kept opened: never stale, never too many. */
#include "tests/unit/flow/hall.h"

#include "flow/pieces.h"

#define INCIDENTS "/v1/projects/alpha/incidents"

static struct incident_row
row_of(uint8_t id, const char *sealed)
{
	struct incident_row r = {.seq = id, .project = 1, .version = 1};

	r.id.u.b[0] = id;
	r.stored.bytes = str_c(sealed);
	return r;
}

TEST(as_it_is)
{
	struct incident_row r = row_of(1, "sealed"), other;
	const struct opened_one *s;
	struct opened o = {0};

	T_OK(opened_row(&o, &r.id, 5, 7, 1000) == NULL);
	opened_keep(&o, &r, STR("text"), 5, 7, 1000);
	s = opened_row(&o, &r.id, 5, 7, 1000);
	T_REQUIRE(s != NULL);
	T_OK(str_is(s->doc, "text") && s->row.version == 1);
	T_OK(str_is(s->row.stored.bytes, "sealed"));
	/* somebody has changed an incident: the row is asked for again, and
	 * the text is still that of these bytes at this place */
	T_OK(opened_row(&o, &r.id, 6, 7, 1000) == NULL);
	T_OK(opened_doc(&o, &r, 7, 1000) == s);
	other = row_of(1, "sealer");
	T_OK(opened_doc(&o, &other, 7, 1000) == NULL);
	other = row_of(2, "sealed");
	T_OK(opened_doc(&o, &other, 7, 1000) == NULL);
	other = row_of(1, "sealed");
	other.project = 2;
	T_OK(opened_doc(&o, &other, 7, 1000) == NULL);
	/* the same incident again is there once */
	other = row_of(1, "sealer");
	opened_keep(&o, &other, STR("t"), 6, 7, 1000);
	T_EQ_INT(o.bytes, 7);
	T_OK(opened_doc(&o, &r, 7, 1000) == NULL);
	/* another world, other keys: all of it goes */
	T_OK(opened_row(&o, &r.id, 6, 8, 1000) == NULL);
	T_EQ_INT(o.bytes, 0);
	opened_clear(&o);
}

TEST(for_a_moment)
{
	struct incident_row r = row_of(1, "sealed");
	struct opened o = {0};

	opened_keep(&o, &r, STR("text"), 5, 0, 1000);
	T_OK(opened_row(&o, &r.id, 5, 0, 1000 + OPENED_AGE_MS) != NULL);
	T_OK(opened_row(&o, &r.id, 5, 0, 1001 + OPENED_AGE_MS) == NULL);
	T_EQ_INT(o.bytes, 0);
	opened_keep(&o, &r, STR("text"), 5, 0, 1000);
	T_OK(opened_row(&o, &r.id, 5, 0, 999) == NULL); /* clock set back */
	T_EQ_INT(o.bytes, 0);
	opened_keep(&o, &r, STR("text"), 5, 1, 1000); /* not this version */
	T_EQ_INT(o.bytes, 0);
	opened_clear(&o);
}

TEST(bounded)
{
	static char large[LIM_OPENED];
	struct incident_row r = row_of(0, "sealed");
	struct opened o = {0};

	memset(large, 'x', sizeof large);
	for (uint8_t i = 1; i <= 3 * OPENED; i++) {
		r = row_of(i, "sealed");
		opened_keep(&o, &r, STR("text"), 5, 0, i);
	}
	T_EQ_INT(o.bytes, 10 * OPENED);
	T_OK(opened_row(&o, &r.id, 5, 0, 3 * OPENED) != NULL);
	r = row_of(1, "sealed"); /* the oldest has made room */
	T_OK(opened_row(&o, &r.id, 5, 0, 3 * OPENED) == NULL);
	r = row_of(200, "sealed");
	opened_keep(&o, &r, str_of(large, sizeof large), 5, 0, 100);
	T_OK(opened_row(&o, &r.id, 5, 0, 100) == NULL);
	opened_clear(&o);
	opened_keep(&o, &r, str_of(large, sizeof large - 6), 5, 0, 100);
	T_EQ_INT(o.bytes, LIM_OPENED);
	opened_clear(&o);
	T_EQ_INT(o.bytes, 0);
}

/* ---- in the line ---- */

static const char *
path_of(struct hall *h, struct visit *made)
{
	return fmt(&h->o, INCIDENTS "/%s", told(h, made, "id"));
}

/* What is read is what was written last, whoever wrote it. */
TEST(changed)
{
	struct visit *v;
	const char *path;
	struct hall h;

	hall_open(&h);
	v = visit(&h, "POST", INCIDENTS, "{\"title\":\"one\"}");
	EQ_STATUS(v, 201);
	path = path_of(&h, v);
	for (int i = 0; i < 3; i++)
		EQ_TEXT(told(&h, visit(&h, "GET", path, NULL), "title"), "one");
	T_OK(h.lane.opened.bytes > 0);
	EQ_STATUS(visit(&h, "PATCH", path, "{\"title\":\"two\"}"), 200);
	EQ_TEXT(told(&h, visit(&h, "GET", path, NULL), "title"), "two");
	/* a counter only: the sealed bytes stay, the row does not */
	EQ_STATUS(visit(&h, "POST", fmt(&h.o, "%s/timeline", path),
		      "{\"text\":\"more\"}"),
	    201);
	v = visit(&h, "GET", path, NULL);
	T_OK(str_find(v->body, STR("\"timeline_count\":3,")));
	EQ_STATUS(visit(&h, "POST", fmt(&h.o, "%s/transitions", path),
		      "{\"to\":\"investigating\"}"),
	    200);
	EQ_TEXT(told(&h, visit(&h, "GET", path, NULL), "status"),
	    "investigating");
	hall_close(&h);
}

/* Who may not see it is asked each time. */
TEST(made_private)
{
	const char *eve, *path;
	struct visit *v;
	struct hall h;

	hall_open(&h);
	eve = badge(&h.o, hire(&h.o, "eve@example.org", "responder", NULL));
	v = visit(&h, "POST", INCIDENTS, "{\"title\":\"one\"}");
	path = path_of(&h, v);
	h.token = eve;
	EQ_STATUS(visit(&h, "GET", path, NULL), 200);
	EQ_STATUS(visit(&h, "GET", path, NULL), 200);
	h.token = h.o.admin;
	EQ_STATUS(visit(&h, "PATCH", path, "{\"private\":true}"), 200);
	EQ_STATUS(visit(&h, "GET", path, NULL), 200);
	EQ_STATUS(visit(&h, "GET", path, NULL), 200);
	h.token = eve;
	EQ_STATUS(visit(&h, "GET", path, NULL), 404);
	EQ_STATUS(visit(&h, "GET", path, NULL), 404);
	hall_close(&h);
}

/* Nobody asks any more: it goes all the same. */
TEST(forgotten)
{
	struct hall h;

	hall_open(&h);
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"one\"}"), 201);
	/* A change of the world that comes in between takes all away. */
	for (int i = 0; i < 100 && h.lane.opened.bytes == 0; i++) {
		EQ_STATUS(visit(&h, "GET", INCIDENTS "/1", NULL), 200);
		line_tick(&h.lane);
	}
	T_OK(h.lane.opened.bytes > 0);
	tick(OPENED_AGE_MS + 1);
	line_tick(&h.lane);
	T_EQ_INT(h.lane.opened.bytes, 0);
	hall_close(&h);
}

T_MAIN
