/* Roles, bindings, explaining. */
#include "tests/unit/flow/office.h"

static const char *
create_role(struct office *o, const char *name, const char *perms)
{
	MUST(ask(o, "role_create",
	    fmt(o,
		"{\"name\":\"%s\",\"permissions\":"
		"[%s]}",
		name, perms),
	    NULL, NULL));
	return keep(o, "id");
}

static err
bind(struct office *o, const char *user, const char *role, const char *project)
{
	return ask(o, "binding_create",
	    fmt(o,
		"{\"subject\":{\"kind\":"
		"\"user\",\"id\":\"%s\"},\"role\":\"%s\",\"project\":%s%s%s}",
		user, role, project == NULL ? "" : "\"",
		project == NULL ? "null" : project,
		project == NULL ? "" : "\""),
	    NULL, NULL);
}

TEST(roles)
{
	const char *id;
	struct office o;

	office_open(&o);
	id = create_role(&o, "reader", "\"incident.view\",\"alert.view\"");
	T_EQ_INT(o.status, 201);
	T_EQ_INT(json_get(o.json, STR("permissions"))->count, 2);
	T_ERR(ask(&o, "role_create",
		  "{\"name\":\"reader\",\"permissions\":"
		  "[\"alert.view\"]}",
		  NULL, NULL),
	    E_EXISTS);
	T_ERR(ask(&o, "role_create",
		  "{\"name\":\"viewer\",\"permissions\":"
		  "[\"alert.view\"]}",
		  NULL, NULL),
	    E_EXISTS);
	T_ERR(ask(&o, "role_create",
		  "{\"name\":\"x\",\"permissions\":"
		  "[\"alert.fly\"]}",
		  NULL, NULL),
	    E_INVALID);
	T_ERR(ask(&o, "role_create",
		  "{\"name\":\"x\",\"permissions\":"
		  "[\"ingest\"]}",
		  NULL, NULL),
	    E_FORBIDDEN);
	T_GOOD(ask(&o, "role_get", NULL, "viewer", NULL));
	T_EQ_STR(word(&o, "id"), STR("viewer"));
	T_EQ_INT(json_get(o.json, STR("builtin"))->kind, JSON_TRUE);
	T_ERR(ask(&o, "role_patch", "{\"name\":\"x\"}", "viewer", NULL),
	    E_CONFLICT);
	T_ERR(ask(&o, "role_delete", NULL, "org_admin", NULL), E_CONFLICT);
	T_GOOD(ask(&o, "role_get", NULL, id, NULL));
	T_EQ_STR(word(&o, "name"), STR("reader"));
	T_GOOD(ask(&o, "role_patch", "{\"name\":\"r2\"}", id, NULL));
	T_EQ_INT(json_get(o.json, STR("permissions"))->count, 2);
	T_GOOD(ask(&o, "role_patch", "{\"permissions\":[\"*\"]}", id, NULL));
	T_EQ_INT(json_get(o.json, STR("permissions"))->count,
	    PERM_MAX_ - 2); /* ingest, delegate.work */
	o.match = 1;
	T_ERR(ask(&o, "role_delete", NULL, id, NULL), E_STALE);
	o.match = 0;
	T_GOOD(ask(&o, "role_delete", NULL, id, NULL));
	T_ERR(ask(&o, "role_get", NULL, id, NULL), E_NOT_FOUND);
	office_close(&o);
}

TEST(role_list_pages)
{
	unsigned seen = 0, pages = 0;
	struct office o;
	char name[16];

	office_open(&o);
	for (unsigned i = 0; i < 7; i++) {
		snprintf(name, sizeof name, "c%u", i);
		create_role(&o, name, "\"alert.view\"");
	}
	o.query = "limit=4";
	do {
		struct str next;

		T_GOOD(ask(&o, "role_list", NULL, NULL, NULL));
		T_REQUIRE(o.json != NULL);
		seen += (unsigned)items(&o);
		pages++;
		next = word(&o, "next");
		o.query = next.p == NULL
		    ? NULL
		    : fmt(&o, "limit=4&cursor=%.*s", STR_ARG(next));
	} while (o.query != NULL && pages < 20);
	T_EQ_INT(seen, ROLE_MAX_ + 7);
	T_EQ_INT(pages, (ROLE_MAX_ + 7 + 3) / 4);
	o.query = "cursor=AAAA";
	T_ERR(ask(&o, "role_list", NULL, NULL, NULL), E_BAD_CURSOR);
	office_close(&o);
}

TEST(nobody_makes_or_edits_a_role_past_its_own)
{
	const char *ed, *own, *other;
	struct office o;

	office_open(&o);
	own = create_role(&o, "editor",
	    "\"role.view\",\"role.edit\","
	    "\"alert.view\"");
	other = create_role(&o, "other", "\"alert.view\",\"audit.view\"");
	ed = hire(&o, "ed@x.org", "editor", NULL);
	o.token = badge(&o, ed);
	T_ERR(ask(&o, "role_create",
		  "{\"name\":\"x\",\"permissions\":"
		  "[\"user.edit\"]}",
		  NULL, NULL),
	    E_FORBIDDEN);
	T_GOOD(ask(&o, "role_create",
	    "{\"name\":\"x\",\"permissions\":"
	    "[\"*\"]}",
	    NULL, NULL));
	T_EQ_INT(json_get(o.json, STR("permissions"))->count, 3);
	T_ERR(ask(&o, "role_patch", "{\"permissions\":[\"alert.view\"]}", own,
		  NULL),
	    E_FORBIDDEN);
	T_ERR(ask(&o, "role_patch",
		  "{\"permissions\":[\"audit.view\","
		  "\"user.edit\"]}",
		  other, NULL),
	    E_FORBIDDEN);
	/* taking away and keeping is no granting */
	T_GOOD(ask(&o, "role_patch", "{\"permissions\":[\"audit.view\"]}",
	    other, NULL));
	office_close(&o);
}

TEST(a_bound_role_keeps_its_name_and_its_life)
{
	const char *id, *binding;
	struct office o;

	office_open(&o);
	id = create_role(&o, "reader", "\"alert.view\"");
	T_GOOD(bind(&o, hire(&o, "ann@x.org", NULL, NULL), "reader", NULL));
	binding = keep(&o, "id");
	T_ERR(ask(&o, "role_patch", "{\"name\":\"r2\"}", id, NULL), E_CONFLICT);
	T_ERR(ask(&o, "role_delete", NULL, id, NULL), E_CONFLICT);
	T_GOOD(ask(&o, "role_patch",
	    "{\"name\":\"reader\",\"permissions\":"
	    "[\"incident.view\"]}",
	    id, NULL));
	T_GOOD(ask(&o, "binding_delete", NULL, binding, NULL));
	T_GOOD(ask(&o, "role_patch", "{\"name\":\"r2\"}", id, NULL));
	T_GOOD(ask(&o, "role_delete", NULL, id, NULL));
	office_close(&o);
}

TEST(bindings)
{
	const char *ann, *id;
	struct office o;

	office_open(&o);
	ann = hire(&o, "ann@x.org", NULL, NULL);
	T_GOOD(bind(&o, ann, "viewer", "alpha"));
	T_EQ_INT(o.status, 201);
	T_EQ_STR(word(&o, "project"), STR("alpha"));
	T_EQ_STR(word(&o, "role"), STR("viewer"));
	T_EQ_STR(json_str_at(json_get(o.json, STR("subject")), STR("id")),
	    str_c(ann));
	id = keep(&o, "id");
	T_ERR(bind(&o, ann, "viewer", "alpha"), E_EXISTS);
	T_GOOD(bind(&o, ann, "viewer", NULL));
	T_EQ_INT(json_get(o.json, STR("project"))->kind, JSON_NULL);
	T_ERR(bind(&o, ann, "no such role", NULL), E_INVALID);
	T_ERR(bind(&o, ann, "viewer", "nowhere"), E_NOT_FOUND);
	T_ERR(bind(&o, "01890000-0000-7000-8000-000000000001", "viewer", NULL),
	    E_INVALID);
	T_ERR(ask(&o, "binding_create",
		  fmt(&o,
		      "{\"subject\":{\"kind\":"
		      "\"user\",\"id\":\"%s\"},\"role\":\"viewer\",\"expires_"
		      "at\":"
		      "\"2020-01-01T00:00:00Z\"}",
		      ann),
		  NULL, NULL),
	    E_INVALID);
	T_GOOD(ask(&o, "binding_create",
	    fmt(&o,
		"{\"subject\":{\"kind\":"
		"\"user\",\"id\":\"%s\"},\"role\":\"viewer\",\"expires_at\":"
		"\"2099-01-01T00:00:00Z\",\"reason\":\"night\"}",
		ann),
	    NULL, NULL));
	T_EQ_STR(word(&o, "expires_at"), STR("2099-01-01T00:00:00.000Z"));
	T_EQ_STR(word(&o, "reason"), STR("night"));
	T_GOOD(ask(&o, "binding_get", NULL, id, NULL));
	T_GOOD(ask(&o, "binding_list", NULL, NULL, NULL));
	T_EQ_INT(items(&o), 4);
	o.query = "project=alpha";
	T_GOOD(ask(&o, "binding_list", NULL, NULL, NULL));
	T_EQ_INT(items(&o), 1);
	o.query = "project=nowhere";
	T_ERR(ask(&o, "binding_list", NULL, NULL, NULL), E_NOT_FOUND);
	o.query = NULL;
	o.match = 9;
	T_ERR(ask(&o, "binding_delete", NULL, id, NULL), E_STALE);
	o.match = 0;
	T_GOOD(ask(&o, "binding_delete", NULL, id, NULL));
	T_ERR(ask(&o, "binding_get", NULL, id, NULL), E_NOT_FOUND);
	office_close(&o);
}

TEST(a_project_admin_grants_in_its_project_only)
{
	const char *ann, *pat, *id, *org;
	struct office o;

	office_open(&o);
	T_GOOD(ask(&o, "project_create", "{\"slug\":\"beta\"}", NULL, NULL));
	ann = hire(&o, "ann@x.org", NULL, NULL);
	pat = hire(&o, "pat@x.org", "project_admin", "alpha");
	T_GOOD(bind(&o, ann, "viewer", "beta"));
	id = keep(&o, "id");
	T_GOOD(bind(&o, ann, "approver", NULL));
	org = keep(&o, "id");
	o.token = badge(&o, pat);
	T_GOOD(bind(&o, ann, "commander", "alpha"));
	T_ERR(bind(&o, ann, "org_admin", "alpha"), E_FORBIDDEN);
	T_ERR(bind(&o, ann, "auditor", "alpha"), E_FORBIDDEN);
	T_ERR(bind(&o, ann, "viewer", NULL), E_FORBIDDEN);
	T_EQ_INT(o.rec.outcome, AUDIT_DENIED);
	T_ERR(bind(&o, ann, "viewer", "beta"), E_NOT_FOUND);
	T_ERR(bind(&o, ann, "viewer", "nowhere"), E_NOT_FOUND);
	T_GOOD(ask(&o, "binding_list", NULL, NULL, NULL));
	T_EQ_INT(items(&o), 2);
	T_ERR(ask(&o, "binding_get", NULL, id, NULL), E_NOT_FOUND);
	T_ERR(ask(&o, "binding_delete", NULL, id, NULL), E_NOT_FOUND);
	T_ERR(ask(&o, "binding_delete", NULL, org, NULL), E_NOT_FOUND);
	o.query = "project=beta";
	T_ERR(ask(&o, "binding_list", NULL, NULL, NULL), E_NOT_FOUND);
	office_close(&o);
}

TEST(who_sees_bindings)
{
	const char *ann, *id;
	struct office o;

	office_open(&o);
	ann = hire(&o, "ann@x.org", "viewer", NULL);
	T_GOOD(bind(&o, ann, "approver", "alpha"));
	id = keep(&o, "id");
	o.token = badge(&o, ann);
	T_ERR(ask(&o, "binding_list", NULL, NULL, NULL), E_FORBIDDEN);
	T_ERR(ask(&o, "binding_get", NULL, id, NULL), E_FORBIDDEN);
	T_ERR(ask(&o, "binding_get", NULL,
		  "01890000-0000-7000-8000-000000000001", NULL),
	    E_FORBIDDEN);
	o.token = badge(&o, hire(&o, "aud@x.org", "auditor", NULL));
	T_GOOD(ask(&o, "binding_get", NULL, id, NULL));
	T_ERR(ask(&o, "binding_delete", NULL, id, NULL), E_FORBIDDEN);
	T_GOOD(ask(&o, "binding_list", NULL, NULL, NULL));
	T_EQ_INT(items(&o), 4);
	office_close(&o);
}

TEST(the_last_admin_binding_stays)
{
	const char *first, *ann;
	struct office o;

	office_open(&o);
	T_GOOD(ask(&o, "binding_list", NULL, NULL, NULL));
	T_EQ_INT(items(&o), 1);
	first = fmt(&o, "%.*s",
	    STR_ARG(json_str_at(json_first(json_get(o.json, STR("items"))),
		STR("id"))));
	T_ERR(ask(&o, "binding_delete", NULL, first, NULL), E_LAST_ADMIN);
	ann = hire(&o, "ann@x.org", "org_admin", NULL);
	T_GOOD(ask(&o, "binding_delete", NULL, first, NULL));
	T_ERR(ask(&o, "binding_list", NULL, NULL, NULL), E_FORBIDDEN);
	o.token = badge(&o, ann);
	T_GOOD(ask(&o, "binding_list", NULL, NULL, NULL));
	office_close(&o);
}

/* ---- explain ---- */

static err
explain(struct office *o, const char *kind, const char *id,
    const char *permission, const char *resource)
{
	return ask(o, "access_explain",
	    fmt(o,
		"{\"principal\":{\"kind\":"
		"\"%s\",\"id\":\"%s\"},\"permission\":\"%s\",\"resource\":%s}",
		kind, id, permission, resource),
	    NULL, NULL);
}

static bool
allowed(const struct office *o)
{
	bool v = false;

	T_OK(json_bool(json_get(o->json, STR("allowed")), &v));
	return v;
}

TEST(explaining)
{
	const char *ann, *eve;
	struct office o;

	office_open(&o);
	ann = hire(&o, "ann@x.org", "viewer", "alpha");
	eve = hire(&o, "eve@x.org", NULL, NULL);
	T_GOOD(explain(&o, "user", ann, "incident.view",
	    "{\"project\":\"alpha\"}"));
	T_OK(allowed(&o));
	T_OK(json_get(o.json, STR("because"))->count > 0);
	T_GOOD(explain(&o, "user", ann, "incident.view", "null"));
	T_OK(!allowed(&o));
	T_GOOD(explain(&o, "user", eve, "incident.view",
	    "{\"project\":\"alpha\"}"));
	T_OK(!allowed(&o));
	T_EQ_STR(word(&o, "rule"), STR("no_binding"));
	T_ERR(explain(&o, "user", ann, "incident.fly", "null"), E_INVALID);
	T_ERR(explain(&o, "user", ann, "incident.view",
		  "{\"project\":\"nowhere\"}"),
	    E_NOT_FOUND);
	T_ERR(explain(&o, "user", ann, "incident.view", "{\"x\":\"y\"}"),
	    E_UNKNOWN_MEMBER);
	T_ERR(explain(&o, "user", ann, "incident.view", "{\"id\":\"y\"}"),
	    E_INVALID);
	T_ERR(explain(&o, "group", ann, "incident.view", "null"), E_INVALID);
	/* oneself needs no permission, others do */
	o.token = badge(&o, eve);
	T_GOOD(explain(&o, "user", eve, "incident.view", "null"));
	T_ERR(explain(&o, "user", ann, "incident.view", "null"), E_FORBIDDEN);
	T_ERR(explain(&o, "user", eve, "incident.view",
		  "{\"project\":\"alpha\"}"),
	    E_NOT_FOUND);
	office_close(&o);
}

TEST(explaining_does_not_tell_of_private_incidents)
{
	const char *ann, *where;
	struct office o;

	office_open(&o);
	ann = hire(&o, "ann@x.org", "commander", "alpha");
	o.token = badge(&o, ann);
	T_GOOD(ask(&o, "incident_create", "{\"title\":\"x\",\"private\":true}",
	    "alpha", NULL));
	where = fmt(&o,
	    "{\"project\":\"alpha\",\"type\":\"incident\",\"id\":"
	    "\"%s\"}",
	    keep(&o, "id"));
	T_GOOD(explain(&o, "user", ann, "incident.edit", where));
	T_OK(allowed(&o));
	o.token = o.admin;
	T_ERR(explain(&o, "user", ann, "incident.edit", where), E_NOT_FOUND);
	T_ERR(explain(&o, "user", ann, "incident.edit",
		  "{\"project\":"
		  "\"alpha\",\"type\":\"incident\",\"id\":\"INC-1\"}"),
	    E_NOT_FOUND);
	T_ERR(explain(&o, "user", ann, "incident.edit",
		  "{\"project\":"
		  "\"alpha\",\"type\":\"incident\",\"id\":\"INC-2\"}"),
	    E_NOT_FOUND);
	office_close(&o);
}

T_MAIN
