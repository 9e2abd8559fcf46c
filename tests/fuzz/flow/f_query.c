/*
 * A request target: the route it asks for, its variables, its parameters.
 * The first byte is the method; what follows is the target.
 */
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/utf8.h"
#include "flow/call.h"
#include "flow/line.h"
#include "flow/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena arena;

/* A refusal as it is told: valid JSON, whatever was asked. */
static void
told(err e, const struct trail *t)
{
	static const struct json_limits lim = {8, 100, 100};
	const struct json *j;
	struct buf b;

	buf_init_on(&b, &arena, 65536);
	line_problem(&b, e, t, "01a3185c-5000-7112-a5c7-417debdccb64");
	BUG_ON(b.failed);
	BUG_ON(!err_ok(json_parse(&arena, buf_view(&b), &lim, NULL, &j)));
	BUG_ON(json_str_at(j, STR("detail")).n == 0);
}

static void
parameters(struct str query, uint64_t allowed)
{
	struct trail t = {""};
	struct query q;
	err e = shape_query(&arena, query, allowed, &t, &q);

	if (!err_ok(e)) {
		told(e, &t);
		return;
	}
	BUG_ON(q.limit < 1 || q.limit > LIM_PAGE);
	for (unsigned p = 0; p < PARAM_MAX_; p++) {
		struct str s = q.raw[p];

		BUG_ON(s.p != NULL && (allowed >> p & 1) == 0);
		BUG_ON(s.p == NULL && s.n != 0);
		BUG_ON(!utf8_valid(s));
		BUG_ON(s.n > 0 && memchr(s.p, 0, s.n) != NULL);
	}
	BUG_ON(q.from != 0 && q.raw[PARAM_FROM].p == NULL);
	BUG_ON(q.to != 0 && q.raw[PARAM_TO].p == NULL);
}

static void
variables(const struct route_match *m)
{
	BUG_ON(m->vars > ROUTE_VARS);
	for (size_t i = 0; i < m->vars; i++) {
		struct str s;

		BUG_ON(m->var[i].n == 0);
		BUG_ON(memchr(m->var[i].p, '/', m->var[i].n) != NULL);
		if (err_ok(url_decode(&arena, m->var[i], &s)))
			BUG_ON(!utf8_valid(s));
	}
}

/* The row found is one that has this path: its own words stand in it. */
static void
fits(const struct route *r, struct str path, const struct route_match *m)
{
	struct str want = r->path, word, rest = path;
	size_t var = 0;

	while (want.n > 0) {
		want = str_skip(want, 1);
		rest = str_skip(rest, 1);
		(void)str_cut(want, '/', &word, &want);
		if (want.p != NULL && want.n > 0)
			want = str_of(want.p - 1, want.n + 1);
		if (word.n > 0 && word.p[0] == '{') {
			BUG_ON(m->var[var].p != rest.p);
			rest = str_skip(rest, m->var[var++].n);
		} else {
			BUG_ON(!str_starts(rest, word));
			rest = str_skip(rest, word.n);
		}
	}
	BUG_ON(rest.n != 0 || var != m->vars);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str target, path, query;
	struct route_match m;
	enum http_method method;
	err e;

	if (size == 0 || size > LIM_TARGET)
		return 0;
	method = (enum http_method)(data[0] % (HTTP_OTHER + 1));
	target = str_of((const char *)data + 1, size - 1);
	if (!str_cut(target, '?', &path, &query))
		query = STR_NONE;
	arena_init(&arena, LIM_ARENA);
	e = route_find(method, path, &m);
	BUG_ON(err_ok(e) != (m.route != NULL));
	BUG_ON(err_ok(e) && m.allow == 0);
	BUG_ON(err_is(e, E_NOT_FOUND) != (m.allow == 0));
	if (err_ok(e)) {
		variables(&m);
		fits(m.route, path, &m);
		parameters(query, m.route->params);
	}
	parameters(query, UINT64_MAX >> (64 - PARAM_MAX_));
	parameters(query, 0);
	arena_done(&arena);
	return 0;
}
