/* What SCIM clients send: a query string, NUL, a document. */
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "flow/scim_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
within(struct str s, size_t max)
{
	BUG_ON(s.n > max || (s.n > 0 && s.p == NULL));
}

static void
document(struct arena *a, struct str text)
{
	static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
	    LIM_JSON_VALUES};
	struct scim_user u = {.user_name = STR("x")};
	struct trail t = {{0}};
	struct scim_group g;
	const struct json *j;

	if (!err_ok(json_parse(a, text, &lim, &t, &j)))
		return;
	if (err_ok(scim_user_patch(a, j, &t, &u)))
		BUG_ON(u.user_name.n == 0);
	if (err_ok(scim_user_read(a, j, &t, &u))) {
		BUG_ON(u.user_name.n == 0);
		within(u.name, text.n + 1);
	}
	if (err_ok(scim_group_read(a, j, &t, &g)))
		for (size_t i = 0; i < g.add_n; i++)
			within(g.add[i], text.n);
	if (err_ok(scim_group_patch(a, j, &t, &g)))
		for (size_t i = 0; i < g.remove_n; i++)
			within(g.remove[i], text.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str in = str_of((const char *)p, n), query, doc;
	struct trail t = {{0}};
	struct scim_query q;
	struct arena a;

	arena_init(&a, LIM_ARENA);
	(void)str_cut(in, '\0', &query, &doc);
	if (err_ok(scim_query_read(&a, query, &t, &q)))
		BUG_ON(q.start == 0 || q.count > LIM_PAGE);
	document(&a, doc);
	arena_done(&a);
	return 0;
}
