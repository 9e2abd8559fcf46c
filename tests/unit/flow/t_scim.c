/* t_scim.c: what SCIM clients send, the odd ones too. */
#include "base/limits.h"
#include "flow/scim_read.h"
#include "tests/t.h"

static struct arena a;
static struct trail t;
static struct scim_query q;
static struct scim_user u;
static struct scim_group g;

static const struct json *
parsed(const char *text)
{
	static const struct json_limits lim = {32, 1000, 10000};
	const struct json *j = NULL;

	arena_reset(&a);
	if (!err_ok(json_parse(&a, str_c(text), &lim, &t, &j)))
		T_FAIL("not JSON: %s", text);
	return j;
}

static enum err_code
query(const char *text)
{
	arena_reset(&a);
	return scim_query_read(&a, str_c(text), &t, &q).code;
}

TEST(filters)
{
	arena_init(&a, 1 << 20);
	T_EQ_INT(query("filter=userName%20eq%20%22a%40b.c%22"), E_OK);
	T_EQ_INT(q.by, SCIM_USER_NAME);
	T_OK(str_is(q.value, "a@b.c"));
	T_EQ_INT(query("filter=USERNAME+EQ+%22a%2Bb%22&count=3"), E_OK);
	T_OK(str_is(q.value, "a+b"));
	T_EQ_INT(q.count, 3);
	T_EQ_INT(query("filter=urn:ietf:params:scim:schemas:core:2.0:User:"
		       "externalId+eq+%22%5C%22x%22"),
	    E_OK);
	T_EQ_INT(q.by, SCIM_EXTERNAL_ID);
	T_OK(str_is(q.value, "\"x"));
	T_EQ_INT(query(
		     "filter=emails%5Btype+eq+%22work%22%5D.value+eq+%22x%22"),
	    E_INVALID);
	T_EQ_INT(query("filter=emails.value+eq+%22x%22"), E_OK);
	T_EQ_INT(q.by, SCIM_EMAIL);
	T_EQ_INT(query("filter=title+eq+%22x%22"), E_OK);
	T_EQ_INT(q.by, SCIM_NEVER);
}

TEST(filters_refused)
{
	static const char *const bad[] = {"filter=", "filter=userName",
	    "filter=userName+eq", "filter=userName+eq+x",
	    "filter=userName+eq+%22x", "filter=userName+eq+%22x%22+or+id+pr",
	    "filter=userName+sw+%22x%22", "filter=userName+eq+1",
	    "filter=(userName+eq+%22x%22)", "filter=userName+eq+%22x%22%22",
	    "filter=%00", "filter=%zz", "startIndex=x", "count=1.5"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_OK(query(bad[i]) != E_OK);
}

TEST(pages)
{
	T_EQ_INT(query(""), E_OK);
	T_EQ_INT(q.by, SCIM_ALL);
	T_EQ_INT(q.start, 1);
	T_EQ_INT(q.count, LIM_PAGE);
	T_EQ_INT(query("startIndex=0&count=-1"), E_OK);
	T_EQ_INT(q.start, 1);
	T_EQ_INT(q.count, 0);
	T_EQ_INT(query("startIndex=7&count=100000&odd=1"), E_OK);
	T_EQ_INT(q.start, 7);
	T_EQ_INT(q.count, LIM_PAGE);
	T_OK(!q.no_members);
	T_EQ_INT(query("excludedAttributes=id,Members"), E_OK);
	T_OK(q.no_members);
	T_EQ_INT(query("attributes=displayName"), E_OK);
	T_OK(q.no_members);
}

static enum err_code
user(const char *text)
{
	return scim_user_read(&a, parsed(text), &t, &u).code;
}

TEST(users)
{
	T_EQ_INT(user("{\"schemas\":[\"x\"],\"userName\":\"ada\","
		      "\"externalId\":\"e1\",\"name\":{\"givenName\":\"Ada\","
		      "\"familyName\":\"L\"},\"emails\":[{\"value\":\"o@x\"},"
		      "{\"value\":\"p@x\",\"primary\":true}],\"active\":true,"
		      "\"title\":\"Dr\",\"urn:x:enterprise\":{\"a\":1}}"),
	    E_OK);
	T_OK(str_is(u.user_name, "ada") && str_is(u.external_id, "e1"));
	T_OK(str_is(u.name, "Ada L") && str_is(u.email, "p@x") && u.active);
	T_EQ_INT(user("{\"userName\":\"b\",\"active\":\"False\"}"), E_OK);
	T_OK(!u.active && u.email.p == NULL && u.name.p == NULL);
	T_EQ_INT(user("{\"active\":true}"), E_MISSING);
	T_EQ_INT(user("{\"userName\":\"\"}"), E_MISSING);
	T_EQ_INT(user("{\"userName\":1}"), E_INVALID);
	T_EQ_INT(user("{\"userName\":\"b\",\"active\":\"maybe\"}"), E_INVALID);
	T_EQ_INT(user("{\"userName\":\"b\",\"active\":1}"), E_INVALID);
	T_EQ_INT(user("{\"userName\":\"b\",\"emails\":3}"), E_INVALID);
	T_EQ_INT(user("[]"), E_INVALID);
}

static enum err_code
patch(const char *operations)
{
	static char text[2048]; /* what is read are views into it */

	(void)snprintf(text, sizeof text, "{\"Operations\":%s}", operations);
	u = (struct scim_user){.user_name = STR("ada"),
	    .name = STR("Ada"),
	    .email = STR("a@x"),
	    .active = true};
	return scim_user_patch(&a, parsed(text), &t, &u).code;
}

TEST(user_patches)
{
	/* as Okta sends it, as Entra sends it, and as the RFC has it */
	T_EQ_INT(patch("[{\"op\":\"replace\",\"value\":{\"active\":false}}]"),
	    E_OK);
	T_OK(!u.active && str_is(u.name, "Ada"));
	T_EQ_INT(patch("[{\"op\":\"Replace\",\"path\":\"active\","
		       "\"value\":\"False\"}]"),
	    E_OK);
	T_OK(!u.active);
	T_EQ_INT(patch(
		     "[{\"op\":\"add\",\"path\":\"emails[type eq "
		     "\\\"work\\\"].value\",\"value\":\"b@x\"},{\"op\":"
		     "\"replace\",\"path\":\"displayName\",\"value\":\"B\"}]"),
	    E_OK);
	T_OK(str_is(u.email, "b@x") && str_is(u.name, "B"));
	T_EQ_INT(patch("[{\"op\":\"replace\",\"value\":{\"name.formatted\":"
		       "\"C\",\"emails[primary eq true].value\":\"c@x\"}}]"),
	    E_OK);
	T_OK(str_is(u.email, "c@x") && str_is(u.name, "C"));
	T_EQ_INT(patch("[{\"op\":\"replace\",\"path\":\"name\",\"value\":{"
		       "\"givenName\":\"D\"}}]"),
	    E_OK);
	T_OK(str_is(u.name, "D"));
	T_EQ_INT(patch("[{\"op\":\"replace\",\"path\":\"urn:ietf:params:scim:"
		       "schemas:core:2.0:User:active\",\"value\":false},"
		       "{\"op\":\"add\",\"path\":\"title\",\"value\":\"x\"}]"),
	    E_OK);
	T_OK(!u.active);
	T_EQ_INT(patch("[{\"op\":\"remove\",\"path\":\"displayName\"}]"), E_OK);
	T_EQ_INT(u.name.n, 0);
}

TEST(user_patches_refused)
{
	static const char *const bad[] = {"[]", "{}", "1", "[1]",
	    "[{\"op\":\"move\",\"path\":\"active\"}]", "[{\"op\":\"remove\"}]",
	    "[{\"op\":\"remove\",\"path\":\"userName\"}]",
	    "[{\"op\":\"replace\",\"path\":\"active\",\"value\":\"x\"}]",
	    "[{\"op\":\"replace\",\"path\":\"userName\",\"value\":\"\"}]",
	    "[{\"op\":\"replace\",\"path\":\"userName\",\"value\":null}]",
	    "[{\"op\":\"replace\",\"value\":\"x\"}]",
	    "[{\"op\":\"replace\",\"path\":\"active\"}]"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (patch(bad[i]) == E_OK)
			T_FAIL("taken: %s", bad[i]);
		/* and nothing half done */
		T_OK(u.active && str_is(u.name, "Ada"));
	}
}

static enum err_code
group(const char *operations)
{
	static char text[2048]; /* what is read are views into it */

	(void)snprintf(text, sizeof text, "{\"Operations\":%s}", operations);
	return scim_group_patch(&a, parsed(text), &t, &g).code;
}

TEST(groups)
{
	T_EQ_INT(scim_group_read(&a,
		     parsed("{\"displayName\":\"SRE\","
			    "\"members\":[{\"value\":\"1\"},"
			    "{\"value\":\"2\"}]}"),
		     &t, &g)
		     .code,
	    E_OK);
	T_OK(str_is(g.name, "SRE") && g.replace && g.add_n == 2);
	T_OK(str_is(g.add[1], "2"));
	T_EQ_INT(group("[{\"op\":\"Add\",\"path\":\"members\",\"value\":[{"
		       "\"value\":\"1\"}]},{\"op\":\"add\",\"path\":"
		       "\"members\",\"value\":{\"value\":\"2\"}}]"),
	    E_OK);
	T_OK(!g.replace && g.add_n == 2 && g.name.p == NULL);
	T_EQ_INT(group("[{\"op\":\"remove\",\"path\":\"members[value eq "
		       "\\\"7\\\"]\"},{\"op\":\"remove\",\"path\":\"members\","
		       "\"value\":[{\"value\":\"8\"}]}]"),
	    E_OK);
	T_OK(g.remove_n == 2 && str_is(g.remove[0], "7") &&
	    str_is(g.remove[1], "8") && !g.remove_all);
	T_EQ_INT(group("[{\"op\":\"remove\",\"path\":\"members\"}]"), E_OK);
	T_OK(g.remove_all);
	T_EQ_INT(group("[{\"op\":\"replace\",\"value\":{\"displayName\":\"X\","
		       "\"id\":\"y\"}}]"),
	    E_OK);
	T_OK(str_is(g.name, "X") && g.add_n == 0 && !g.replace);
	T_EQ_INT(group("[{\"op\":\"replace\",\"path\":\"members\",\"value\":"
		       "[]}]"),
	    E_OK);
	T_OK(g.replace && g.add_n == 0);
}

TEST(groups_refused)
{
	static const char *const bad[] =
	    {"[{\"op\":\"add\",\"path\":\"members\",\"value\":[{\"x\":1}]}]",
		"[{\"op\":\"add\",\"path\":\"members\",\"value\":[7]}]",
		"[{\"op\":\"add\",\"path\":\"members\"}]",
		"[{\"op\":\"remove\",\"path\":\"displayName\"}]", "[]"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_OK(group(bad[i]) != E_OK);
	T_EQ_INT(scim_group_read(&a, parsed("{}"), &t, &g).code, E_MISSING);
}

T_MAIN
