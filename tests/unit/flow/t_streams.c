/* t_streams.c: events, the log as a stream, and exports of ranges of it. */
#include "tests/unit/flow/hall.h"

#define ALPHA "/v1/projects/alpha"
#define INCIDENTS ALPHA "/incidents"

static struct buf
page(struct hall *h)
{
	struct buf b;

	buf_init_on(&b, &h->o.a, 8 << 20);
	return b;
}

static bool
has(const struct buf *b, const char *word)
{
	return b->n > 0 && memmem(b->p, b->n, word, strlen(word)) != NULL;
}

static int
times(const struct buf *b, const char *word)
{
	const char *at = b->p, *end = b->p + b->n;
	int n = 0;

	while (
	    (at = memmem(at, (size_t)(end - at), word, strlen(word))) != NULL)
		n++, at++;
	return n;
}

static const char *
open_incident(struct hall *h, const char *body)
{
	struct visit *v = visit(h, "POST", INCIDENTS, body);

	EQ_STATUS(v, 201);
	return told(h, v, "id");
}

/* ---- events ---- */

TEST(events_as_they_happen)
{
	struct visit *v;
	const char *id;
	struct hall h;
	struct buf b;

	hall_open(&h);
	b = page(&h);
	v = visit(&h, "GET", "/v1/whoami", NULL);
	v = knock(&h, "GET", "/v1/events", NULL);
	T_REQUIRE(streams(v));
	T_EQ_INT(v->status, 200);
	T_OK(stream_until(v, &b, "id: "));
	id = open_incident(&h, "{\"title\":\"one\"}");
	T_OK(stream_until(v, &b, id));
	T_OK(has(&b, "event: incident.create"));
	T_OK(has(&b, "\"project\":\"alpha\""));
	/* reads are nobody's news */
	EQ_STATUS(visit(&h, "GET", INCIDENTS "/1", NULL), 200);
	EQ_STATUS(visit(&h, "POST", INCIDENTS "/1/timeline",
		      "{\"text\":\"x\"}"),
	    201);
	T_OK(stream_until(v, &b, "event: timeline.add"));
	T_OK(!has(&b, "incident.read"));
	T_OK(!has(&b, "whoami"));
	hang_up(&h, v);
	T_OK(stream_until(v, &b, NULL));
	hall_close(&h);
}

/* Who comes back misses nothing. */
TEST(resumed)
{
	struct visit *v;
	const char *a, *b;
	struct hall h;
	struct buf page1;

	hall_open(&h);
	page1 = page(&h);
	a = open_incident(&h, "{\"title\":\"one\"}");
	b = open_incident(&h, "{\"title\":\"two\"}");
	h.headers[0] = "last-event-id";
	h.headers[1] = "0";
	v = knock(&h, "GET", "/v1/events", NULL);
	T_REQUIRE(streams(v));
	T_OK(stream_until(v, &page1, b));
	T_OK(has(&page1, a));
	hang_up(&h, v);
	h.headers[0] = "last-event-id";
	h.headers[1] = "nonsense";
	EQ_STATUS(visit(&h, "GET", "/v1/events", NULL), 400);
	/* of a log that is longer than ours: from the end */
	h.headers[0] = "last-event-id";
	h.headers[1] = "9000000000000000000";
	v = knock(&h, "GET", "/v1/events", NULL);
	T_REQUIRE(streams(v));
	hang_up(&h, v);
	hall_close(&h);
}

/* Judged by what is hidden now, and by the rights of now. */
TEST(what_is_hidden_is_no_news)
{
	const char *eve, *secret, *open, *last;
	struct visit *v;
	struct hall h;
	struct buf b;

	hall_open(&h);
	b = page(&h);
	eve = badge(&h.o, hire(&h.o, "eve@example.org", "commander", NULL));
	secret = open_incident(&h, "{\"title\":\"s\",\"private\":true}");
	open = open_incident(&h, "{\"title\":\"o\"}");
	EQ_STATUS(visit(&h, "PATCH", INCIDENTS "/2", "{\"private\":true}"),
	    200);
	last = open_incident(&h, "{\"title\":\"last\"}");
	h.token = eve;
	h.headers[0] = "last-event-id";
	h.headers[1] = "0";
	v = knock(&h, "GET", "/v1/events", NULL);
	T_REQUIRE(streams(v));
	T_OK(stream_until(v, &b, last));
	T_OK(!has(&b, secret));
	T_OK(!has(&b, open));
	T_OK(!has(&b, "priv:"));
	hang_up(&h, v);
	hall_close(&h);
}

/* An answer that was given again is no news. */
TEST(replays_are_no_news)
{
	struct visit *v;
	const char *last;
	struct hall h;
	struct buf b;

	hall_open(&h);
	b = page(&h);
	for (int i = 0; i < 2; i++) {
		h.headers[0] = "idempotency-key";
		h.headers[1] = "k";
		EQ_STATUS(visit(&h, "POST", INCIDENTS,
			      "{\"title\":\"s\",\"private\":true}"),
		    201);
	}
	last = open_incident(&h, "{\"title\":\"last\"}");
	h.token = badge(&h.o, hire(&h.o, "e@example.org", "viewer", NULL));
	h.headers[0] = "last-event-id";
	h.headers[1] = "0";
	v = knock(&h, "GET", "/v1/events", NULL);
	T_REQUIRE(streams(v));
	T_OK(stream_until(v, &b, last));
	T_EQ_INT(times(&b, "event: incident.create"), 1);
	hang_up(&h, v);
	hall_close(&h);
}

TEST(ends_with_its_right)
{
	struct visit *made, *v;
	struct hall h;
	struct buf b;

	hall_open(&h);
	b = page(&h);
	made = visit(&h, "POST", "/v1/tokens",
	    "{\"name\":\"t\",\"scopes\":[\"*\"],"
	    "\"expires_at\":\"2027-02-01T00:00:00Z\"}");
	EQ_STATUS(made, 201);
	h.token = told(&h, made, "token");
	v = knock(&h, "GET", "/v1/events", NULL);
	T_REQUIRE(streams(v));
	h.token = h.o.admin;
	EQ_STATUS(visit(&h, "DELETE",
		      fmt(&h.o, "/v1/tokens/%s", told(&h, made, "id")), NULL),
	    204);
	T_OK(stream_until(v, &b, NULL));
	T_OK(!has(&b, "token.revoke"));
	hall_close(&h);
}

TEST(so_many_and_no_more)
{
	struct visit *v[LIM_SSE_PRINCIPAL], *more;
	struct hall h;

	hall_open(&h);
	for (size_t i = 0; i < LIM_SSE_PRINCIPAL; i++) {
		v[i] = knock(&h, "GET",
		    i % 2 == 0 ? "/v1/events" : "/v1/audit/stream", NULL);
		T_OK(streams(v[i]));
	}
	more = visit(&h, "GET", "/v1/events", NULL);
	EQ_STATUS(more, 429);
	hang_up(&h, v[0]);
	for (int i = 0; i < 2000 &&
	     atomic_load(&h.o.st.n.streams_open) == LIM_SSE_PRINCIPAL;
	     i++)
		usleep(1000);
	T_OK(streams(knock(&h, "GET", "/v1/events", NULL)));
	hall_close(&h);
}

/* However often who it is for is asked, it takes no more memory. */
TEST(open_for_long)
{
	struct visit *v;
	size_t before, project = 0;
	struct hall h;
	struct buf b;

	hall_open(&h);
	b = page(&h);
	v = knock(&h, "GET", "/v1/events", NULL);
	T_REQUIRE(streams(v));
	T_OK(stream_until(v, &b, "id: "));
	before = v->x->arena.left;
	for (; project < 50; project++) {
		char body[64];

		snprintf(body, sizeof body, "{\"slug\":\"p%zu\"}", project);
		EQ_STATUS(visit(&h, "POST", "/v1/projects", body), 201);
		T_OK(stream_until(v, &b, fmt(&h.o, "\"p%zu\"", project)));
	}
	T_EQ_INT(v->x->arena.left, before);
	hang_up(&h, v);
	hall_close(&h);
}

/* ---- exports ---- */

/* An export as a file; *ret is what its verifier says. */
static struct buf export(struct hall *h, const char *body,
    struct audit_verdict *ret)
{
	struct visit *v = knock(h, "POST", "/v1/audit/export", body);
	struct buf b = page(h);

	memset(ret, 0, sizeof *ret);
	if (!streams(v)) {
		T_FAIL("no export: %d", answered(v));
		return b;
	}
	T_OK(stream_until(v, &b, NULL));
	if (!err_ok(audit_verify_export(buf_view(&b), &h->o.note_key, ret)))
		T_FAIL("export %s: %s", body, ret->what);
	return b;
}

/* The RFC 3339 text of the test's clock, `ms` from its start. */
static const char *
at(struct hall *h, int64_t ms)
{
	char text[TIME_TEXT + 1];

	time_text(OFFICE_NOW * INT64_C(1000) + ms, text);
	return fmt(&h->o, "%s", text);
}

TEST(exports_of_ranges)
{
	struct audit_verdict v;
	struct hall h;
	struct buf b;

	hall_open(&h);
	for (int i = 0; i < 300; i++) {
		tick(1000); /* entry i + 1 is of second i + 1 */
		EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"t\"}"),
		    201);
	}
	tick(1000);
	b = export(&h, "{}", &v);
	T_EQ_INT(v.first, 1);
	T_OK(v.last >= 300 && v.hidden == 0);
	T_OK(has(&b, "incident.create"));
	(void)export(&h,
	    fmt(&h.o, "{\"from\":\"%s\",\"to\":\"%s\"}", at(&h, 10000),
		at(&h, 290000)),
	    &v);
	T_EQ_INT(v.first, 10);
	T_EQ_INT(v.last, 289);
	/* to before from, before the log, behind it: nothing */
	EQ_STATUS(visit(&h, "POST", "/v1/audit/export",
		      fmt(&h.o, "{\"from\":\"%s\",\"to\":\"%s\"}",
			  at(&h, 20000), at(&h, 10000))),
	    400);
	EQ_STATUS(visit(&h, "POST", "/v1/audit/export",
		      fmt(&h.o, "{\"to\":\"%s\"}", at(&h, -1000))),
	    400);
	EQ_STATUS(visit(&h, "POST", "/v1/audit/export",
		      "{\"from\":\"2040-01-01T00:00:00Z\"}"),
	    400);
	(void)export(&h, "{\"from\":\"1900-01-01T00:00:00Z\"}", &v);
	T_EQ_INT(v.first, 1);
	/* what does not fit is there as a hash, so the whole verifies */
	b = export(&h,
	    fmt(&h.o,
		"{\"to\":\"%s\",\"filter\":{\"action\":\"incident.transition\"}"
		"}",
		at(&h, 101000)),
	    &v);
	T_EQ_INT(v.last, 100);
	T_EQ_INT(v.hidden, 100);
	T_OK(!has(&b, "incident.create"));
	hall_close(&h);
}

TEST(exports_refused)
{
	struct visit *made, *v;
	struct hall h;

	hall_open(&h);
	EQ_STATUS(visit(&h, "POST", "/v1/audit/export", "{\"format\":\"xml\"}"),
	    400);
	EQ_STATUS(visit(&h, "POST", "/v1/audit/export",
		      "{\"filter\":{\"who\":\"x\"}}"),
	    400);
	EQ_STATUS(visit(&h, "POST", "/v1/audit/export",
		      "{\"filter\":{\"action\":\"nope\"}}"),
	    400);
	EQ_STATUS(visit(&h, "POST", "/v1/audit/export",
		      "{\"filter\":{\"outcome\":1}}"),
	    400);
	/* revoked while it waits for its turn */
	made = visit(&h, "POST", "/v1/tokens",
	    "{\"name\":\"t\",\"scopes\":[\"*\"],"
	    "\"expires_at\":\"2027-02-01T00:00:00Z\"}");
	hold(&h);
	v = knock(&h, "DELETE",
	    fmt(&h.o, "/v1/tokens/%s", told(&h, made, "id")), NULL);
	h.token = told(&h, made, "token");
	made = knock(&h, "POST", "/v1/audit/export", "{}");
	let_go(&h);
	EQ_STATUS(v, 204);
	EQ_STATUS(made, 401);
	hall_close(&h);
}

/* ---- proofs ---- */

TEST(checkpoint_and_proofs)
{
	struct checkpoint c;
	struct visit *v;
	struct hall h;
	int tries = 0;

	hall_open(&h);
	for (int i = 0; i < 300; i++)
		EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"t\"}"),
		    201);
	do { /* the writer signs about once a second */
		usleep(100000);
		v = visit(&h, "GET", "/v1/audit/checkpoint", NULL);
	} while ((v->status != 200 ||
		     !err_ok(checkpoint_open(v->body, &h.o.note_key, &c)) ||
		     c.size < 300) &&
	    ++tries < 50);
	EQ_STATUS(v, 200);
	T_OK(c.size >= 300);
	v = visit(&h, "GET", "/v1/audit/proof?seq=7", NULL);
	EQ_STATUS(v, 200);
	T_OK(str_starts(v->body, STR("c2sp.org/tlog-proof@v1\nindex 6\n")));
	EQ_STATUS(visit(&h, "GET", "/v1/audit/proof?seq=100000", NULL), 404);
	v = visit(&h, "GET", "/v1/audit/proof?old=5&new=300", NULL);
	EQ_STATUS(v, 200);
	T_OK(str_starts(v->body, STR("old 5\n")));
	EQ_STATUS(visit(&h, "GET", "/v1/audit/proof?old=0&new=0", NULL), 200);
	EQ_STATUS(visit(&h, "GET", "/v1/audit/proof?old=9&new=8", NULL), 400);
	EQ_STATUS(visit(&h, "GET", "/v1/audit/proof?old=1&new=100000", NULL),
	    400);
	EQ_STATUS(visit(&h, "GET", "/v1/audit/proof?old=1", NULL), 400);
	EQ_STATUS(visit(&h, "GET", "/v1/audit/proof?seq=1&old=1&new=2", NULL),
	    400);
	EQ_STATUS(visit(&h, "GET", "/v1/audit/proof?seq=0", NULL), 400);
	EQ_STATUS(visit(&h, "GET", "/v1/audit/proof?seq=-1", NULL), 400);
	EQ_STATUS(visit(&h, "GET", "/v1/audit/proof?seq=99999999999999999999",
		      NULL),
	    400);
	hall_close(&h);
}

T_MAIN
