/* Every route is found by its own path, and nothing by a path that is not
 * one. */
#include "flow/route.h"
#include "tests/t.h"

static struct route_match m;

/* The pattern with something in place of each variable. */
static struct str
filled(struct buf *b, struct str pattern)
{
	bool in = false;

	b->n = 0;
	for (size_t i = 0; i < pattern.n; i++) {
		if (pattern.p[i] == '{')
			buf_str(b, STR("some-thing"));
		in = pattern.p[i] == '{' || (in && pattern.p[i] != '}');
		if (!in && pattern.p[i] != '}')
			buf_str(b, str_of(pattern.p + i, 1));
	}
	return buf_view(b);
}

static enum err_code
found(enum http_method method, const char *path)
{
	return route_find(method, str_c(path), &m).code;
}

TEST(each_by_its_path)
{
	struct buf b;

	buf_init(&b, 1024);
	for (size_t i = 0; i < routes_n; i++) {
		struct str path = filled(&b, routes[i].path);
		size_t vars = 0;

		for (size_t k = 0; k < routes[i].path.n; k++)
			vars += routes[i].path.p[k] == '{';
		T_OK(err_ok(route_find(routes[i].method, path, &m)));
		T_OK(m.route == &routes[i]);
		T_EQ_INT(m.vars, vars);
		for (size_t k = 0; k < vars; k++)
			T_OK(str_is(m.var[k], "some-thing"));
		T_OK((m.allow & 1U << routes[i].method) != 0);
		/* neither longer, nor shorter, nor with a slash behind */
		if (memchr(routes[i].path.p, '*', routes[i].path.n) != NULL)
			continue;
		buf_str(&b, STR("/"));
		T_OK(!err_ok(route_find(routes[i].method, buf_view(&b), &m)));
		buf_str(&b, STR("x/y/z/x/y/z"));
		T_OK(!err_ok(route_find(routes[i].method, buf_view(&b), &m)));
	}
	buf_done(&b);
}

TEST(nothing_else)
{
	static const char *const paths[] = {"", "/", "//", "healthz",
	    "/healthz/", "//healthz", "/Healthz", "/v1", "/v1/", "/v1/users//",
	    "/v1/projects//incidents", "/v1/projects/p/incidents//timeline",
	    "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t"};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		T_EQ_INT(found(HTTP_GET, paths[i]), E_NOT_FOUND);
		T_OK(m.route == NULL && m.allow == 0);
	}
}

TEST(methods)
{
	T_EQ_INT(found(HTTP_HEAD, "/healthz"), E_OK);
	T_EQ_INT(found(HTTP_DELETE, "/healthz"), E_METHOD);
	T_EQ_INT(m.allow, 1U << HTTP_GET);
	T_EQ_INT(found(HTTP_OTHER, "/healthz"), E_METHOD);
	T_EQ_INT(found(HTTP_PUT, "/v1/users"), E_METHOD);
	T_EQ_INT(m.allow, 1U << HTTP_GET | 1U << HTTP_POST);
}

TEST(a_literal_before_a_variable)
{
	T_EQ_INT(found(HTTP_GET, "/v1/audit/checkpoint"), E_OK);
	T_EQ_INT(m.vars, 0);
	T_EQ_INT(found(HTTP_GET, "/v1/audit/checkpoints"), E_OK);
	T_EQ_INT(m.vars, 1);
}

TEST(the_rest_of_a_path)
{
	T_EQ_INT(found(HTTP_GET, "/v1/audit/log/tile/0/x001/x234/067.p/9"),
	    E_OK);
	T_OK(str_is(m.var[0], "0") && str_is(m.var[1], "x001/x234/067.p/9"));
	T_EQ_INT(m.vars, 2);
	T_EQ_INT(found(HTTP_GET, "/v1/audit/log/tile/entries/x001/067"), E_OK);
	T_OK(str_is(m.route->path, "/v1/audit/log/tile/entries/{n*}"));
	T_OK(m.vars == 1 && str_is(m.var[0], "x001/067"));
	T_EQ_INT(found(HTTP_HEAD, "/v1/audit/log/tile/1/000"), E_OK);
	T_EQ_INT(found(HTTP_POST, "/v1/audit/log/tile/1/000"), E_METHOD);
	/* there is one way to write it, and something to write */
	T_EQ_INT(found(HTTP_GET, "/v1/audit/log/tile/0"), E_NOT_FOUND);
	T_EQ_INT(found(HTTP_GET, "/v1/audit/log/tile/0/"), E_NOT_FOUND);
	T_EQ_INT(found(HTTP_GET, "/v1/audit/log/tile/0/x001//067"),
	    E_NOT_FOUND);
	T_EQ_INT(found(HTTP_GET, "/v1/audit/log/tile/0/000/"), E_NOT_FOUND);
	T_EQ_INT(found(HTTP_GET, "/v1/audit/log/tile/0/x001%2f067"),
	    E_NOT_FOUND);
	T_EQ_INT(found(HTTP_GET,
		     "/v1/audit/log/tile/0/1/2/3/4/5/6/7/8/9/0/1/2"),
	    E_NOT_FOUND);
}

T_MAIN
