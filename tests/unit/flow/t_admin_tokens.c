/* Tokens and integrations. */
#include "base/time.h"
#include "tests/unit/flow/office.h"

/* A time so many days from the office's now. */
static const char *
in_days(struct office *o, int days)
{
	char *t = arena_get(&o->a, TIME_TEXT + 1);

	time_text(o->now + (int64_t)days * OFFICE_DAY, t);
	return t;
}

/* more: further members, each with a leading comma. */
static err
mint(struct office *o, const char *scopes, const char *more)
{
	return ask(o, "token_create",
	    fmt(o,
		"{\"name\":\"t\",\"scopes\":[%s],"
		"\"expires_at\":\"%s\"%s}",
		scopes, in_days(o, 30), more),
	    NULL, NULL);
}

static size_t
count(const struct office *o, const char *name)
{
	const struct json *j = json_get(o->json, str_c(name));

	return j == NULL ? 9999 : j->count;
}

TEST(a_token_of_ones_own)
{
	const char *id, *text;
	struct office o;

	office_open(&o);
	T_GOOD(mint(&o, "\"incident.view\"", ""));
	T_EQ_INT(o.status, 201);
	id = keep(&o, "id");
	text = keep(&o, "token");
	T_EQ_INT(strlen(text), TOKEN_TEXT);
	T_OK(text[2] == 'p');
	T_EQ_INT(count(&o, "scopes"), 1);
	T_EQ_INT(json_get(o.json, STR("projects"))->kind, JSON_NULL);
	T_GOOD(ask(&o, "token_get", NULL, id, NULL));
	T_OK(json_get(o.json, STR("token")) == NULL);
	T_EQ_STR(word(&o, "key_id"), str_of(text + 4, TOKEN_KEY_ID));
	o.token = text;
	T_GOOD(ask(&o, "whoami", NULL, NULL, NULL));
	T_GOOD(ask(&o, "incident_list", NULL, "alpha", NULL));
	T_ERR(ask(&o, "incident_create", "{\"title\":\"x\"}", "alpha", NULL),
	    E_FORBIDDEN);
	T_ERR(mint(&o, "\"incident.view\"", ""), E_FORBIDDEN);
	/* it may be given back with itself */
	T_GOOD(ask(&o, "token_delete", NULL, id, NULL));
	T_EQ_INT(o.status, 204);
	T_ERR(ask(&o, "whoami", NULL, NULL, NULL), E_UNAUTHENTICATED);
	o.token = o.admin;
	T_GOOD(ask(&o, "token_get", NULL, id, NULL));
	T_EQ_INT(json_get(o.json, STR("revoked_at"))->kind, JSON_STRING);
	T_GOOD(ask(&o, "token_delete", NULL, id, NULL)); /* again: nothing */
	office_close(&o);
}

TEST(values)
{
	struct office o;

	office_open(&o);
	T_ERR(ask(&o, "token_create", "{\"name\":\"t\",\"scopes\":[\"*\"]}",
		  NULL, NULL),
	    E_MISSING);
	T_ERR(ask(&o, "token_create",
		  fmt(&o,
		      "{\"name\":\"t\",\"scopes\":"
		      "[\"*\"],\"expires_at\":\"%s\"}",
		      in_days(&o, 366)),
		  NULL, NULL),
	    E_INVALID);
	T_GOOD(ask(&o, "token_create",
	    fmt(&o,
		"{\"name\":\"t\",\"scopes\":"
		"[\"*\"],\"expires_at\":\"%s\"}",
		in_days(&o, 365)),
	    NULL, NULL));
	T_EQ_INT(count(&o, "scopes"), PERM_MAX_ - 2);
	T_ERR(ask(&o, "token_create",
		  fmt(&o,
		      "{\"name\":\"t\",\"scopes\":"
		      "[\"*\"],\"expires_at\":\"%s\"}",
		      in_days(&o, 0)),
		  NULL, NULL),
	    E_INVALID);
	T_ERR(mint(&o, "", ""), E_INVALID);
	T_ERR(mint(&o, "\"*\"", ",\"projects\":[]"), E_INVALID);
	T_ERR(mint(&o, "\"*\"", ",\"projects\":[\"nowhere\"]"), E_INVALID);
	T_ERR(mint(&o, "\"*\"", ",\"ip_allow\":[]"), E_INVALID);
	T_ERR(mint(&o, "\"*\"", ",\"ip_allow\":[\"10.0.0.1/8\"]"), E_INVALID);
	T_ERR(mint(&o, "\"*\"", ",\"key_id\":\"x\""), E_UNKNOWN_MEMBER);
	T_ERR(mint(&o, "\"*\"",
		  ",\"owner\":"
		  "\"01890000-0000-7000-8000-000000000001\""),
	    E_INVALID);
	T_GOOD(mint(&o, "\"*\"",
	    ",\"projects\":[\"alpha\"],\"ip_allow\":"
	    "[\"192.0.2.0/24\"]"));
	T_EQ_INT(count(&o, "projects"), 1);
	T_EQ_INT(count(&o, "ip_allow"), 1);
	office_close(&o);
}

TEST(never_wider_than_who_makes_it)
{
	struct office o;

	office_open(&o);
	o.token = badge(&o, hire(&o, "ann@x.org", "responder", "alpha"));
	T_ERR(mint(&o, "\"user.edit\"", ""), E_FORBIDDEN);
	T_ERR(mint(&o, "\"ingest\"", ""), E_FORBIDDEN);
	T_GOOD(mint(&o, "\"*\"", ""));
	T_EQ_INT(count(&o, "scopes"),
	    __builtin_popcountll(role_perms(ROLE_responder).w[0]) +
		__builtin_popcountll(role_perms(ROLE_responder).w[1]));
	T_GOOD(mint(&o, "\"token.create\",\"incident.view\"", ""));
	o.token = keep(&o, "token"); /* from here on: a narrow one */
	T_ERR(mint(&o, "\"incident.edit\"", ""), E_FORBIDDEN);
	T_GOOD(mint(&o, "\"*\"", ""));
	T_EQ_INT(count(&o, "scopes"), 2);
	office_close(&o);
}

TEST(a_token_for_some_projects_makes_none)
{
	struct office o;

	office_open(&o);
	T_GOOD(mint(&o, "\"*\"", ",\"projects\":[\"alpha\"]"));
	o.token = keep(&o, "token");
	T_GOOD(ask(&o, "incident_list", NULL, "alpha", NULL));
	T_ERR(ask(&o, "user_list", NULL, NULL, NULL), E_FORBIDDEN);
	T_ERR(mint(&o, "\"incident.view\"", ""), E_FORBIDDEN);
	office_close(&o);
}

TEST(addresses_are_inherited)
{
	struct office o;

	office_open(&o);
	T_GOOD(mint(&o, "\"*\"", ",\"ip_allow\":[\"192.0.2.0/24\"]"));
	o.token = keep(&o, "token");
	T_GOOD(mint(&o, "\"alert.view\"", ""));
	T_EQ_INT(count(&o, "ip_allow"), 1);
	T_GOOD(mint(&o, "\"alert.view\"", ",\"ip_allow\":[\"192.0.2.9\"]"));
	T_ERR(mint(&o, "\"alert.view\"", ",\"ip_allow\":[\"0.0.0.0/0\"]"),
	    E_FORBIDDEN);
	o.address = "198.51.100.1";
	T_ERR(ask(&o, "whoami", NULL, NULL, NULL), E_UNAUTHENTICATED);
	office_close(&o);
}

TEST(service_accounts_get_theirs_from_administrators)
{
	const char *bot, *owner;
	struct office o;

	office_open(&o);
	T_GOOD(ask(&o, "sa_create", "{\"name\":\"bot\"}", NULL, NULL));
	bot = keep(&o, "id");
	owner = fmt(&o, ",\"owner\":\"%s\"", bot);
	T_GOOD(mint(&o, "\"alert.view\"", owner));
	T_EQ_STR(word(&o, "owner"), str_c(bot));
	T_OK(word(&o, "token").p[2] == 's');
	o.token = badge(&o, hire(&o, "ann@x.org", "project_admin", "alpha"));
	T_ERR(mint(&o, "\"alert.view\"", owner), E_FORBIDDEN);
	T_EQ_INT(o.rec.outcome, AUDIT_DENIED);
	office_close(&o);
}

/* A token administrator without more must not climb by a service account. */
TEST(no_climbing_by_a_service_account)
{
	const char *bot, *owner, *ann;
	struct office o;

	office_open(&o);
	T_GOOD(ask(&o, "sa_create", "{\"name\":\"bot\"}", NULL, NULL));
	bot = keep(&o, "id");
	owner = fmt(&o, ",\"owner\":\"%s\"", bot);
	T_GOOD(ask(&o, "role_create",
	    "{\"name\":\"tokens\",\"permissions\":["
	    "\"token.create\",\"token.admin\"]}",
	    NULL, NULL));
	T_GOOD(ask(&o, "project_create", "{\"slug\":\"beta\"}", NULL, NULL));
	ann = hire(&o, "ann@x.org", "tokens", NULL);
	o.token = badge(&o, ann);
	T_ERR(mint(&o, "\"user.edit\"", owner), E_FORBIDDEN);
	T_ERR(mint(&o, "\"alert.view\"", owner), E_FORBIDDEN);
	T_GOOD(mint(&o, "\"*\"", owner));
	T_EQ_INT(count(&o, "scopes"), 2);
	/* with a right in one project: for that project */
	o.token = o.admin;
	T_GOOD(ask(&o, "binding_create",
	    fmt(&o,
		"{\"subject\":{\"kind\":"
		"\"user\",\"id\":\"%s\"},\"role\":\"viewer\",\"project\":"
		"\"alpha\"}",
		ann),
	    NULL, NULL));
	o.token = badge(&o, ann);
	T_ERR(mint(&o, "\"alert.view\"", owner), E_FORBIDDEN);
	T_GOOD(mint(&o, "\"alert.view\"",
	    fmt(&o, "%s,\"projects\":[\"alpha\"]", owner)));
	T_ERR(mint(&o, "\"alert.view\"",
		  fmt(&o, "%s,\"projects\":[\"alpha\",\"beta\"]", owner)),
	    E_INVALID);
	/* with another right in another project: for neither together */
	o.token = o.admin;
	T_GOOD(ask(&o, "role_create",
	    "{\"name\":\"looker\",\"permissions\":"
	    "[\"project.view\"]}",
	    NULL, NULL));
	T_GOOD(ask(&o, "binding_create",
	    fmt(&o,
		"{\"subject\":{\"kind\":"
		"\"user\",\"id\":\"%s\"},\"role\":\"looker\",\"project\":"
		"\"beta\"}",
		ann),
	    NULL, NULL));
	o.token = badge(&o, ann);
	T_ERR(mint(&o, "\"alert.view\"",
		  fmt(&o, "%s,\"projects\":[\"alpha\",\"beta\"]", owner)),
	    E_FORBIDDEN);
	T_GOOD(mint(&o, "\"project.view\"",
	    fmt(&o, "%s,\"projects\":[\"alpha\",\"beta\"]", owner)));
	office_close(&o);
}

TEST(who_sees_tokens)
{
	const char *ann, *hers, *admins;
	struct office o;

	office_open(&o);
	T_GOOD(mint(&o, "\"*\"", ""));
	admins = keep(&o, "id");
	ann = hire(&o, "ann@x.org", "viewer", NULL);
	o.token = badge(&o, ann);
	T_GOOD(mint(&o, "\"*\"", ""));
	hers = keep(&o, "id");
	T_GOOD(ask(&o, "token_list", NULL, NULL, NULL));
	T_EQ_INT(items(&o), 2);
	T_GOOD(ask(&o, "token_get", NULL, hers, NULL));
	T_ERR(ask(&o, "token_get", NULL, admins, NULL), E_NOT_FOUND);
	T_ERR(ask(&o, "token_delete", NULL, admins, NULL), E_NOT_FOUND);
	o.token = o.admin;
	T_GOOD(ask(&o, "token_list", NULL, NULL, NULL));
	T_EQ_INT(items(&o), 4);
	o.query = fmt(&o, "owner=%s", ann);
	T_GOOD(ask(&o, "token_list", NULL, NULL, NULL));
	T_EQ_INT(items(&o), 2);
	o.query = "owner=x";
	T_ERR(ask(&o, "token_list", NULL, NULL, NULL), E_INVALID);
	o.query = NULL;
	o.match = 7;
	T_ERR(ask(&o, "token_delete", NULL, hers, NULL), E_STALE);
	o.match = 1;
	T_GOOD(ask(&o, "token_delete", NULL, hers, NULL));
	office_close(&o);
}

TEST(live_tokens_of_one_owner_at_n_and_n_plus_one)
{
	struct office o;
	const char *id;

	office_open(&o); /* the bootstrap token is one */
	for (unsigned i = 1; i < LIM_TOKENS; i++)
		T_GOOD(mint(&o, "\"alert.view\"", ""));
	id = keep(&o, "id");
	T_ERR(mint(&o, "\"alert.view\"", ""), E_LIMIT);
	T_GOOD(ask(&o, "token_delete", NULL, id, NULL));
	T_GOOD(mint(&o, "\"alert.view\"", ""));
	T_ERR(mint(&o, "\"alert.view\"", ""), E_LIMIT);
	office_close(&o);
}

/* ---- integrations ---- */

struct deliver_in {
	struct office *o;
	const char *id, *text;
};

static err
deliver_on(struct lane *l, void *arg)
{
	struct deliver_in *in = arg;
	struct call c = {.lane = l, .a = &in->o->a, .now = in->o->now};
	struct auth_input auth = {.world = l->snap->world,
	    .now = in->o->now,
	    .authorization = str_c(fmt(in->o, "Bearer %s", in->text)),
	    .address = STR("192.0.2.1")};
	const struct actor *who;
	enum auth_reason why;
	struct uuid id;
	uint32_t key;

	T_OK(uuid_parse(str_c(in->id), &id));
	TRY(call_token_key(&c, &auth.token_mac, &key));
	return auth_ingest(c.a, &auth, &id, NULL, &c.hook, &why, &who);
}

/* May the secret deliver to the integration? */
static err
deliver(struct office *o, const char *id, const char *text)
{
	struct deliver_in in = {o, id, text};

	return writer_do(o->w, deliver_on, &in);
}

#define NEW(more)                                                              \
	"{\"name\":\"n\",\"template\":\"alertmanager\",\"auth\":"              \
	"{\"kind\":\"bearer\"}" more "}"

TEST(integrations)
{
	const char *id, *secret;
	struct office o;

	office_open(&o);
	T_GOOD(ask(&o, "integration_create",
	    NEW(",\"default_severity\":"
		"\"error\",\"mapping\":{\"service\":\"db\"}"),
	    "alpha", NULL));
	T_EQ_INT(o.status, 201);
	id = keep(&o, "id");
	secret = keep(&o, "secret");
	T_OK(strlen(secret) == TOKEN_TEXT && secret[2] == 'w');
	T_EQ_STR(word(&o, "url"),
	    str_c(fmt(&o, "https://127.0.0.1:8443/ingest/%s", id)));
	T_EQ_STR(word(&o, "status"), STR("active"));
	T_EQ_STR(word(&o, "default_severity"), STR("error"));
	T_EQ_STR(json_get(o.json, STR("mapping"))->raw,
	    STR("{\"service\":\"db\"}"));
	T_EQ_STR(o.location,
	    str_c(fmt(&o, "/v1/projects/alpha/integrations/%s", id)));
	T_GOOD(deliver(&o, id, secret));
	T_ERR(deliver(&o, id, o.admin), E_UNAUTHENTICATED);
	T_GOOD(ask(&o, "integration_get", NULL, "alpha", id));
	T_OK(json_get(o.json, STR("secret")) == NULL);
	T_GOOD(ask(&o, "integration_patch",
	    "{\"disabled\":true,\"mapping\":"
	    "null}",
	    "alpha", id));
	T_EQ_STR(word(&o, "status"), STR("disabled"));
	T_EQ_INT(json_get(o.json, STR("mapping"))->kind, JSON_NULL);
	T_EQ_STR(word(&o, "name"), STR("n"));
	T_ERR(deliver(&o, id, secret), E_DISABLED);
	T_GOOD(
	    ask(&o, "integration_patch", "{\"disabled\":false}", "alpha", id));
	T_GOOD(deliver(&o, id, secret));
	T_GOOD(ask(&o, "integration_list", NULL, "alpha", NULL));
	T_EQ_INT(items(&o), 1);
	o.match = 1;
	T_ERR(ask(&o, "integration_patch", "{}", "alpha", id), E_STALE);
	T_ERR(ask(&o, "integration_rotate", NULL, "alpha", id), E_STALE);
	T_ERR(ask(&o, "integration_delete", NULL, "alpha", id), E_STALE);
	o.match = 0;
	T_GOOD(ask(&o, "integration_delete", NULL, "alpha", id));
	T_ERR(deliver(&o, id, secret), E_UNAUTHENTICATED);
	T_OK(world_token_key(o.st.snap->world, secret + 4) == NULL);
	T_ERR(ask(&o, "integration_get", NULL, "alpha", id), E_NOT_FOUND);
	office_close(&o);
}

TEST(integration_values)
{
	static const char *const bad[] = {
	    "{\"name\":\"n\",\"template\":\"pigeon\",\"auth\":{\"kind\":"
	    "\"bearer\"}}",
	    "{\"name\":\"n\",\"template\":\"generic\",\"auth\":{\"kind\":"
	    "\"hmac\"}}",
	    "{\"name\":\"n\",\"template\":\"generic\",\"auth\":{}}",
	    NEW(",\"kind\":\"metric\""),
	    NEW(",\"default_severity\":\"x\""),
	    NEW(",\"mapping\":{\"labels\":\"x\"}"),
	    NEW(",\"mapping\":{\"title\":{\"cel\":\"1\"}}"),
	    NEW(",\"mapping\":{\"severity\":\"sev0\"}"),
	};
	struct office o;

	office_open(&o);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!err_is(ask(&o, "integration_create", bad[i], "alpha",
				NULL),
			E_INVALID))
			T_FAIL("row %zu: %s", i, err_name(o.error));
	T_ERR(ask(&o, "integration_create",
		  "{\"name\":\"n\",\"template\":"
		  "\"generic\",\"auth\":{\"kind\":\"bearer\",\"token\":\"x\"}}",
		  "alpha", NULL),
	    E_UNKNOWN_MEMBER);
	T_ERR(ask(&o, "integration_create", NEW(",\"disabled\":true"), "alpha",
		  NULL),
	    E_UNKNOWN_MEMBER);
	office_close(&o);
}

TEST(integrations_stay_in_their_project)
{
	struct office o;
	const char *id;

	office_open(&o);
	T_GOOD(ask(&o, "project_create", "{\"slug\":\"beta\"}", NULL, NULL));
	T_GOOD(ask(&o, "integration_create", NEW(""), "alpha", NULL));
	id = keep(&o, "id");
	T_ERR(ask(&o, "integration_get", NULL, "beta", id), E_NOT_FOUND);
	T_ERR(ask(&o, "integration_patch", "{}", "beta", id), E_NOT_FOUND);
	T_ERR(ask(&o, "integration_delete", NULL, "beta", id), E_NOT_FOUND);
	T_ERR(ask(&o, "integration_rotate", NULL, "beta", id), E_NOT_FOUND);
	T_GOOD(ask(&o, "integration_list", NULL, "beta", NULL));
	T_EQ_INT(items(&o), 0);
	o.token = badge(&o, hire(&o, "ann@x.org", "responder", NULL));
	T_ERR(ask(&o, "integration_list", NULL, "alpha", NULL), E_FORBIDDEN);
	T_ERR(ask(&o, "integration_create", NEW(""), "alpha", NULL),
	    E_FORBIDDEN);
	office_close(&o);
}

TEST(rotation_keeps_two_alive)
{
	const char *id, *one, *two, *three;
	struct office o;

	office_open(&o);
	T_GOOD(ask(&o, "integration_create", NEW(""), "alpha", NULL));
	id = keep(&o, "id");
	one = keep(&o, "secret");
	T_GOOD(ask(&o, "integration_rotate", NULL, "alpha", id));
	T_EQ_INT(o.status, 200);
	two = keep(&o, "secret");
	T_OK(strcmp(one, two) != 0);
	T_GOOD(deliver(&o, id, one));
	T_GOOD(deliver(&o, id, two));
	T_GOOD(ask(&o, "integration_rotate", NULL, "alpha", id));
	three = keep(&o, "secret");
	T_ERR(deliver(&o, id, one), E_UNAUTHENTICATED);
	T_GOOD(deliver(&o, id, two));
	T_GOOD(deliver(&o, id, three));
	o.now += OFFICE_DAY + 1000;
	T_ERR(deliver(&o, id, two), E_UNAUTHENTICATED);
	T_GOOD(deliver(&o, id, three));
	office_close(&o);
}

T_MAIN
