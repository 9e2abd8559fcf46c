/* Projects, users, service accounts, groups. */
#include "tests/unit/flow/office.h"

TEST(projects)
{
	struct office o;

	office_open(&o);
	T_GOOD(ask(&o, "project_create", "{\"slug\":\"beta\"}", NULL, NULL));
	T_EQ_INT(o.status, 201);
	T_EQ_STR(word(&o, "slug"), STR("beta"));
	T_EQ_STR(word(&o, "name"), STR("beta"));
	T_EQ_STR(o.location, STR("/v1/projects/beta"));
	T_EQ_STR(o.etag, STR("\"1\""));
	T_EQ_INT(o.rec.project, 2);
	T_EQ_INT(o.rec.resources, 1);
	T_ERR(ask(&o, "project_create", "{\"slug\":\"beta\"}", NULL, NULL),
	    E_EXISTS);
	T_ERR(ask(&o, "project_create", "{\"slug\":\"x\",\"id\":\"y\"}", NULL,
		  NULL),
	    E_UNKNOWN_MEMBER);
	T_GOOD(ask(&o, "project_patch", "{\"name\":\"Beta!\"}", "beta", NULL));
	T_EQ_STR(word(&o, "name"), STR("Beta!"));
	T_EQ_STR(o.etag, STR("\"2\""));
	o.match = 1;
	T_ERR(ask(&o, "project_patch", "{\"name\":\"x\"}", "beta", NULL),
	    E_STALE);
	T_ERR(ask(&o, "project_delete", NULL, "beta", NULL), E_STALE);
	o.match = 0;
	T_GOOD(ask(&o, "project_list", NULL, NULL, NULL));
	T_EQ_INT(items(&o), 2);
	T_GOOD(ask(&o, "project_delete", NULL, "beta", NULL));
	T_EQ_INT(o.status, 204);
	T_ERR(ask(&o, "project_get", NULL, "beta", NULL), E_NOT_FOUND);
	/* its number is not used again */
	T_GOOD(ask(&o, "project_create", "{\"slug\":\"beta\"}", NULL, NULL));
	T_EQ_INT(o.rec.project, 3);
	office_close(&o);
}

TEST(a_project_with_records_stays)
{
	struct office o;

	office_open(&o);
	T_GOOD(ask(&o, "incident_create", "{\"title\":\"x\"}", "alpha", NULL));
	T_ERR(ask(&o, "project_delete", NULL, "alpha", NULL), E_CONFLICT);
	T_GOOD(ask(&o, "project_get", NULL, "alpha", NULL));
	office_close(&o);
}

TEST(deleting_a_project_takes_what_hangs_on_it)
{
	const char *secret;
	struct office o;
	size_t n;

	office_open(&o);
	T_GOOD(ask(&o, "project_create", "{\"slug\":\"beta\"}", NULL, NULL));
	hire(&o, "ann@x.org", "viewer", "beta");
	T_GOOD(ask(&o, "integration_create",
	    "{\"name\":\"n\",\"template\":"
	    "\"generic\",\"auth\":{\"kind\":\"bearer\"}}",
	    "beta", NULL));
	secret = keep(&o, "secret");
	T_OK(world_token_key(o.st.snap->world, secret + 4) != NULL);
	T_GOOD(ask(&o, "project_delete", NULL, "beta", NULL));
	T_OK(world_token_key(o.st.snap->world, secret + 4) == NULL);
	world_objects(o.st.snap->world, OBJECT_INTEGRATION, &n);
	T_EQ_INT(n, 0);
	world_objects(o.st.snap->world, OBJECT_BINDING, &n);
	T_EQ_INT(n, 1);
	office_close(&o);
}

TEST(project_list_shows_what_one_may_see)
{
	struct office o;

	office_open(&o);
	T_GOOD(ask(&o, "project_create", "{\"slug\":\"beta\"}", NULL, NULL));
	o.token = badge(&o, hire(&o, "ann@x.org", "viewer", "beta"));
	T_GOOD(ask(&o, "project_list", NULL, NULL, NULL));
	T_EQ_INT(items(&o), 1);
	T_ERR(ask(&o, "project_get", NULL, "alpha", NULL), E_NOT_FOUND);
	T_ERR(ask(&o, "project_patch", "{\"name\":\"x\"}", "beta", NULL),
	    E_FORBIDDEN);
	T_EQ_INT(o.rec.outcome, AUDIT_DENIED);
	T_ERR(ask(&o, "project_create", "{\"slug\":\"c\"}", NULL, NULL),
	    E_FORBIDDEN);
	o.token = badge(&o, hire(&o, "eve@x.org", NULL, NULL));
	T_GOOD(ask(&o, "project_list", NULL, NULL, NULL));
	T_EQ_INT(items(&o), 0);
	office_close(&o);
}

TEST(users)
{
	const char *id;
	struct office o;

	office_open(&o);
	T_GOOD(ask(&o, "user_create",
	    "{\"email\":\"ann@x.org\",\"name\":"
	    "\"Ann\"}",
	    NULL, NULL));
	T_EQ_INT(o.status, 201);
	id = keep(&o, "id");
	T_EQ_STR(o.location, str_c(fmt(&o, "/v1/users/%s", id)));
	T_ERR(ask(&o, "user_create", "{\"email\":\"ANN@x.org\"}", NULL, NULL),
	    E_EXISTS);
	T_ERR(ask(&o, "user_create", "{\"email\":\"ann\"}", NULL, NULL),
	    E_INVALID);
	T_ERR(ask(&o, "user_create", "{}", NULL, NULL), E_MISSING);
	T_ERR(ask(&o, "user_patch", "{\"email\":\"b@x.org\"}", id, NULL),
	    E_UNKNOWN_MEMBER);
	T_GOOD(ask(&o, "user_patch", "{\"disabled\":true}", id, NULL));
	T_EQ_STR(word(&o, "name"), STR("Ann"));
	T_GOOD(ask(&o, "user_get", NULL, id, NULL));
	T_EQ_INT(json_get(o.json, STR("disabled"))->kind, JSON_TRUE);
	T_EQ_STR(o.etag, STR("\"2\""));
	T_GOOD(ask(&o, "user_list", NULL, NULL, NULL));
	T_EQ_INT(items(&o), 2);
	o.match = 1;
	T_ERR(ask(&o, "user_patch", "{}", id, NULL), E_STALE);
	T_ERR(ask(&o, "user_delete", NULL, id, NULL), E_STALE);
	o.match = 2;
	T_GOOD(ask(&o, "user_delete", NULL, id, NULL));
	T_EQ_INT(o.status, 204);
	o.match = 0;
	T_ERR(ask(&o, "user_get", NULL, id, NULL), E_NOT_FOUND);
	T_ERR(ask(&o, "user_get", NULL, "nonsense", NULL), E_NOT_FOUND);
	office_close(&o);
}

TEST(the_last_administrator_stays)
{
	char me[UUID_TEXT + 1];
	const char *ann;
	struct office o;

	office_open(&o);
	uuid_text(&o.admin_id, me);
	T_ERR(ask(&o, "user_patch", "{\"disabled\":true}", me, NULL),
	    E_LAST_ADMIN);
	T_ERR(ask(&o, "user_delete", NULL, me, NULL), E_LAST_ADMIN);
	ann = hire(&o, "ann@x.org", "org_admin", NULL);
	T_GOOD(ask(&o, "user_patch", "{\"disabled\":true}", me, NULL));
	T_ERR(ask(&o, "user_get", NULL, me, NULL), E_UNAUTHENTICATED);
	o.token = badge(&o, ann);
	T_ERR(ask(&o, "user_delete", NULL, ann, NULL), E_LAST_ADMIN);
	T_GOOD(ask(&o, "user_delete", NULL, me, NULL));
	office_close(&o);
}

TEST(deleting_a_user_takes_tokens_bindings_and_memberships)
{
	const char *ann, *group, *token;
	struct office o;
	struct uuid id;
	size_t n;

	office_open(&o);
	ann = hire(&o, "ann@x.org", "viewer", NULL);
	token = badge(&o, ann);
	T_GOOD(ask(&o, "group_create",
	    fmt(&o,
		"{\"name\":\"g\",\"members\":"
		"[{\"kind\":\"user\",\"id\":\"%s\"}]}",
		ann),
	    NULL, NULL));
	group = keep(&o, "id");
	T_GOOD(ask(&o, "user_delete", NULL, ann, NULL));
	T_OK(uuid_parse(str_c(ann), &id));
	world_bindings_of(o.st.snap->world, &id, &n);
	T_EQ_INT(n, 0);
	T_OK(world_token_key(o.st.snap->world, token + 4) == NULL);
	T_GOOD(ask(&o, "group_get", NULL, group, NULL));
	T_EQ_INT(json_get(o.json, STR("members"))->count, 0);
	office_close(&o);
}

TEST(one_may_delete_oneself)
{
	const char *ann;
	struct office o;

	office_open(&o);
	ann = hire(&o, "ann@x.org", "org_admin", NULL);
	o.token = badge(&o, ann);
	T_GOOD(ask(&o, "user_delete", NULL, ann, NULL));
	T_ERR(ask(&o, "whoami", NULL, NULL, NULL), E_UNAUTHENTICATED);
	office_close(&o);
}

TEST(service_accounts)
{
	const char *id;
	struct office o;

	office_open(&o);
	T_GOOD(ask(&o, "sa_create", "{\"name\":\"bot\"}", NULL, NULL));
	T_EQ_INT(o.status, 201);
	id = keep(&o, "id");
	T_GOOD(ask(&o, "sa_get", NULL, id, NULL));
	T_EQ_STR(word(&o, "name"), STR("bot"));
	T_GOOD(ask(&o, "sa_patch", "{\"name\":\"robot\",\"disabled\":true}", id,
	    NULL));
	T_EQ_STR(word(&o, "name"), STR("robot"));
	T_GOOD(ask(&o, "sa_list", NULL, NULL, NULL));
	T_EQ_INT(items(&o), 1);
	T_ERR(ask(&o, "user_get", NULL, id, NULL), E_NOT_FOUND);
	T_GOOD(ask(&o, "sa_delete", NULL, id, NULL));
	T_ERR(ask(&o, "sa_get", NULL, id, NULL), E_NOT_FOUND);
	o.token = badge(&o, hire(&o, "ann@x.org", "project_admin", "alpha"));
	T_ERR(ask(&o, "sa_create", "{\"name\":\"bot\"}", NULL, NULL),
	    E_FORBIDDEN);
	T_ERR(ask(&o, "user_list", NULL, NULL, NULL), E_FORBIDDEN);
	office_close(&o);
}

TEST(groups)
{
	const char *ann, *id, *member;
	struct office o;

	office_open(&o);
	ann = hire(&o, "ann@x.org", NULL, NULL);
	member = fmt(&o, "{\"kind\":\"user\",\"id\":\"%s\"}", ann);
	T_GOOD(ask(&o, "group_create",
	    fmt(&o,
		"{\"name\":\"g\",\"members\":"
		"[%s,%s]}",
		member, member),
	    NULL, NULL));
	id = keep(&o, "id");
	T_EQ_INT(json_get(o.json, STR("members"))->count, 1);
	T_ERR(ask(&o, "group_create", "{\"name\":\"g\"}", NULL, NULL),
	    E_EXISTS);
	T_ERR(ask(&o, "group_create",
		  fmt(&o,
		      "{\"name\":\"h\",\"members\":[{"
		      "\"kind\":\"group\",\"id\":\"%s\"}]}",
		      id),
		  NULL, NULL),
	    E_INVALID);
	T_ERR(ask(&o, "group_create",
		  fmt(&o,
		      "{\"name\":\"h\",\"members\":[{"
		      "\"kind\":\"service_account\",\"id\":\"%s\"}]}",
		      ann),
		  NULL, NULL),
	    E_INVALID);
	T_GOOD(ask(&o, "group_patch", "{\"name\":\"g2\"}", id, NULL));
	T_EQ_STR(word(&o, "name"), STR("g2"));
	T_EQ_INT(json_get(o.json, STR("members"))->count, 1);
	T_GOOD(ask(&o, "group_patch", "{\"members\":[]}", id, NULL));
	T_EQ_INT(json_get(o.json, STR("members"))->count, 0);
	T_EQ_STR(word(&o, "name"), STR("g2"));
	T_GOOD(ask(&o, "group_list", NULL, NULL, NULL));
	T_EQ_INT(items(&o), 1);
	T_GOOD(ask(&o, "group_delete", NULL, id, NULL));
	T_ERR(ask(&o, "group_get", NULL, id, NULL), E_NOT_FOUND);
	office_close(&o);
}

/* To put somebody into a group is to grant what the group has. */
TEST(joining_a_group_is_granting)
{
	const char *clerk, *id, *plain, *me;
	struct office o;

	office_open(&o);
	T_GOOD(ask(&o, "role_create",
	    "{\"name\":\"clerk\",\"permissions\":["
	    "\"user.view\",\"user.edit\"]}",
	    NULL, NULL));
	T_GOOD(ask(&o, "group_create", "{\"name\":\"admins\"}", NULL, NULL));
	id = keep(&o, "id");
	T_GOOD(ask(&o, "binding_create",
	    fmt(&o,
		"{\"subject\":{\"kind\":"
		"\"group\",\"id\":\"%s\"},\"role\":\"org_admin\"}",
		id),
	    NULL, NULL));
	T_GOOD(ask(&o, "group_create", "{\"name\":\"plain\"}", NULL, NULL));
	plain = keep(&o, "id");
	clerk = hire(&o, "clerk@x.org", "clerk", NULL);
	me =
	    fmt(&o, "{\"members\":[{\"kind\":\"user\",\"id\":\"%s\"}]}", clerk);
	o.token = badge(&o, clerk);
	T_ERR(ask(&o, "group_patch", me, id, NULL), E_FORBIDDEN);
	T_GOOD(ask(&o, "group_patch", me, plain, NULL));
	T_GOOD(ask(&o, "group_patch", "{\"name\":\"a2\"}", id, NULL));
	o.token = o.admin;
	T_GOOD(ask(&o, "group_patch", me, id, NULL));
	office_close(&o);
}

TEST(an_expired_binding_grants_nothing_to_who_joins)
{
	const char *clerk, *id;
	struct office o;

	office_open(&o);
	T_GOOD(ask(&o, "role_create",
	    "{\"name\":\"clerk\",\"permissions\":["
	    "\"user.view\",\"user.edit\"]}",
	    NULL, NULL));
	T_GOOD(ask(&o, "group_create", "{\"name\":\"g\"}", NULL, NULL));
	id = keep(&o, "id");
	T_GOOD(ask(&o, "binding_create",
	    fmt(&o,
		"{\"subject\":{\"kind\":"
		"\"group\",\"id\":\"%s\"},\"role\":\"org_admin\","
		"\"expires_at\":\"2027-02-01T00:00:00Z\"}",
		id),
	    NULL, NULL));
	clerk = hire(&o, "clerk@x.org", "clerk", NULL);
	o.token = badge(&o, clerk);
	T_ERR(ask(&o, "group_patch",
		  fmt(&o,
		      "{\"members\":[{\"kind\":"
		      "\"user\",\"id\":\"%s\"}]}",
		      clerk),
		  id, NULL),
	    E_FORBIDDEN);
	o.now += INT64_C(30) * OFFICE_DAY;
	T_GOOD(ask(&o, "group_patch",
	    fmt(&o,
		"{\"members\":[{\"kind\":"
		"\"user\",\"id\":\"%s\"}]}",
		clerk),
	    id, NULL));
	office_close(&o);
}

TEST(the_last_administrator_in_a_group_stays)
{
	char me[UUID_TEXT + 1];
	const char *group;
	struct office o;

	office_open(&o);
	uuid_text(&o.admin_id, me);
	T_GOOD(ask(&o, "group_create",
	    fmt(&o,
		"{\"name\":\"admins\","
		"\"members\":[{\"kind\":\"user\",\"id\":\"%s\"}]}",
		me),
	    NULL, NULL));
	group = keep(&o, "id");
	T_GOOD(ask(&o, "binding_create",
	    fmt(&o,
		"{\"subject\":{\"kind\":"
		"\"group\",\"id\":\"%s\"},\"role\":\"org_admin\"}",
		group),
	    NULL, NULL));
	T_GOOD(ask(&o, "binding_list", NULL, NULL, NULL));
	T_EQ_INT(items(&o), 2);
	T_GOOD(ask(&o, "binding_delete", NULL,
	    fmt(&o, "%.*s",
		STR_ARG(json_str_at(json_first(json_get(o.json, STR("items"))),
		    STR("id")))),
	    NULL)); /* the direct one is older */
	T_ERR(ask(&o, "group_patch", "{\"members\":[]}", group, NULL),
	    E_LAST_ADMIN);
	T_ERR(ask(&o, "group_delete", NULL, group, NULL), E_LAST_ADMIN);
	T_GOOD(ask(&o, "group_patch", "{\"name\":\"a\"}", group, NULL));
	office_close(&o);
}

TEST(changes_outlive_a_restart)
{
	struct trail t = {{0}};
	struct office o;
	const char *ann;

	office_open(&o);
	ann = hire(&o, "ann@x.org", "viewer", "alpha");
	T_GOOD(ask(&o, "project_create", "{\"slug\":\"beta\"}", NULL, NULL));
	o.w = writer_stop(o.w);
	state_done(&o.st);
	o.st.store = store_close(o.st.store);
	T_GOOD(store_open(o.dir, STORE_WRITE, &t, &o.st.store));
	T_GOOD(state_load(&o.st, &o.server, &t));
	T_GOOD(writer_start(&o.st, &o.server, &o.w));
	T_GOOD(ask(&o, "user_get", NULL, ann, NULL));
	T_EQ_STR(word(&o, "email"), STR("ann@x.org"));
	T_GOOD(ask(&o, "incident_create", "{\"title\":\"x\"}", "beta", NULL));
	office_close(&o);
}

T_MAIN
