/* From arguments to method, path, query and body. */
#include "cli/cli.h"
#include "tests/t.h"

#include <unistd.h>

static struct arena arena;
static struct cli cli;
static struct request request;

#define ASK(...)                                                               \
	ask((const char *const[]){__VA_ARGS__},                                \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static err
ask(const char *const *argv, size_t n)
{
	arena_done(&arena);
	arena_init(&arena, (size_t)64 * 1024 * 1024);
	cli = (struct cli){.arena = &arena};
	cli.login.project = STR("default");
	request = (struct request){0};
	TRY(args_parse(&arena, argv, n, &cli.trail, &cli.args));
	return request_make(&cli, cli.args.command->route, &request);
}

static void
expect(err e, const char *method, const char *target, const char *body)
{
	T_GOOD(e);
	if (!err_ok(e)) {
		printf("# %s\n", cli.trail.detail);
		return;
	}
	T_EQ_STR(str_c(request.method), str_c(method));
	T_EQ_STR(request.target, str_c(target));
	T_EQ_STR(request.body, str_c(body));
	T_OK((request.body.p == NULL) == (body == NULL));
}

#define INCIDENTS "/v1/projects/default/incidents"

TEST(paths_and_queries)
{
	expect(ASK("whoami"), "GET", "/v1/whoami", NULL);
	expect(ASK("incident", "list"), "GET", INCIDENTS, NULL);
	expect(ASK("incident", "list", "--status", "new,closed", "--q",
		   "a b&c=d%", "--limit", "7"),
	    "GET", INCIDENTS "?status=new%2Cclosed&q=a%20b%26c%3Dd%25&limit=7",
	    NULL);
	expect(ASK("incident", "show", "42"), "GET", INCIDENTS "/INC-42", NULL);
	expect(ASK("incident", "show", "INC-42"), "GET", INCIDENTS "/INC-42",
	    NULL);
	expect(ASK("alert", "list", "--incident", "42"), "GET",
	    "/v1/projects/default/alerts?incident=INC-42", NULL);
	expect(ASK("project", "show", "shop"), "GET", "/v1/projects/shop",
	    NULL);
	expect(ASK("binding", "list", "--project", "shop"), "GET",
	    "/v1/bindings?project=shop", NULL);
	expect(ASK("user", "delete", "x"), "DELETE", "/v1/users/x", NULL);
	expect(ASK("integration", "rotate", "x"), "POST",
	    "/v1/projects/default/integrations/x/rotate", "{}");
}

/* Nothing an argument holds can reach another path. */
TEST(path_values_are_one_segment)
{
	expect(ASK("user", "show", "../roles?x#y"), "GET",
	    "/v1/users/..%2Froles%3Fx%23y", NULL);
	expect(ASK("user", "show", "a\r\nb"), "GET", "/v1/users/a%0D%0Ab",
	    NULL);
	T_ERR(ASK("user", "delete", ""), E_INVALID);
	T_ERR(ASK("user", "delete", "."), E_INVALID);
	T_ERR(ASK("user", "delete", ".."), E_INVALID);
}

TEST(L13_an_empty_project_is_refused)
{
	arena_done(&arena);
	arena_init(&arena, 1 << 20);
	cli = (struct cli){.arena = &arena};
	T_GOOD(args_parse(&arena, (const char *const[]){"incident", "list"}, 2,
	    &cli.trail, &cli.args));
	T_ERR(request_make(&cli, CLI_ROUTE_incident_list, &request), E_INVALID);
}

TEST(bodies)
{
	expect(ASK("incident", "create", "Down", "--severity", "sev1",
		   "--services", "a, b", "--private", "true", "--fields",
		   "{\"a\": 1.0}", "--summary", ""),
	    "POST", INCIDENTS,
	    "{\"title\":\"Down\",\"summary\":\"\",\"severity\":\"sev1\","
	    "\"services\":[\"a\",\"b\"],\"fields\":{\"a\":1.0},"
	    "\"private\":true}");
	expect(ASK("incident", "update", "1", "--commander", "", "--services",
		   "", "--title", "a\"b"),
	    "PATCH", INCIDENTS "/INC-1",
	    "{\"title\":\"a\\\"b\",\"services\":[],\"commander\":null}");
	expect(ASK("incident", "move", "1", "closed"), "POST",
	    INCIDENTS "/INC-1/transitions", "{\"to\":\"closed\"}");
	expect(ASK("incident", "note", "1", "hi", "--key-event"), "POST",
	    INCIDENTS "/INC-1/timeline",
	    "{\"text\":\"hi\",\"key_event\":true}");
	expect(ASK("alert", "ack", "x"), "POST",
	    "/v1/projects/default/alerts/x/acknowledge", "{}");
	expect(ASK("alert", "create", "t", "--label", "a=b=c", "--label", "d="),
	    "POST", "/v1/projects/default/alerts",
	    "{\"title\":\"t\",\"labels\":{\"a\":\"b=c\",\"d\":\"\"}}");
	expect(ASK("alert", "promote", "x", "--incident", "3"), "POST",
	    "/v1/projects/default/alerts/x/promote",
	    "{\"incident\":\"INC-3\"}");
	expect(ASK("integration", "create", "n", "--template", "grafana",
		   "--auth", "hmac:grafana"),
	    "POST", "/v1/projects/default/integrations",
	    "{\"name\":\"n\",\"template\":\"grafana\",\"auth\":"
	    "{\"kind\":\"hmac\",\"scheme\":\"grafana\"}}");
	expect(ASK("integration", "create", "n", "--template", "generic",
		   "--auth", "{\"kind\":\"bearer\"}"),
	    "POST", "/v1/projects/default/integrations",
	    "{\"name\":\"n\",\"template\":\"generic\",\"auth\":"
	    "{\"kind\":\"bearer\"}}");
	expect(ASK("binding", "create", "service-account:x", "viewer",
		   "--project", "shop"),
	    "POST", "/v1/bindings",
	    "{\"subject\":{\"kind\":\"service_account\",\"id\":\"x\"},"
	    "\"role\":\"viewer\",\"project\":\"shop\"}");
	expect(ASK("group", "update", "g", "--members", "user:a,user:b"),
	    "PATCH", "/v1/groups/g",
	    "{\"members\":[{\"kind\":\"user\",\"id\":\"a\"},"
	    "{\"kind\":\"user\",\"id\":\"b\"}]}");
	expect(ASK("access", "explain", "user:a", "incident.view", "--project",
		   "p", "--id", "7"),
	    "POST", "/v1/access/explain",
	    "{\"principal\":{\"kind\":\"user\",\"id\":\"a\"},"
	    "\"permission\":\"incident.view\","
	    "\"resource\":{\"project\":\"p\",\"id\":\"7\"}}");
	expect(ASK("audit", "export", "--until", "2026-01-01T00:00:00Z",
		   "--action", "a.b"),
	    "POST", "/v1/audit/export",
	    "{\"to\":\"2026-01-01T00:00:00Z\",\"filter\":{\"action\":"
	    "\"a.b\"}}");
}

TEST(bad_values)
{
	T_ERR(ASK("incident", "create", "t", "--private", "maybe"), E_INVALID);
	T_ERR(ASK("incident", "create", "t", "--fields", "{\"a\":1,\"a\":2}"),
	    E_DUPLICATE_KEY);
	T_ERR(ASK("incident", "create", "t", "--fields", "@/nonexistent"),
	    E_INVALID);
	T_ERR(ASK("incident", "list", "--limit", "many"), E_INVALID);
	T_ERR(ASK("incident", "list", "--from", "yesterday"), E_INVALID);
	T_ERR(ASK("group", "create", "g", "--members", "ann"), E_INVALID);
	T_ERR(ASK("alert", "create", "t", "--label", "novalue"), E_INVALID);
	T_ERR(ASK("incident", "update", "1"), E_USAGE);
}

TEST(spans)
{
	struct str t;

	T_GOOD(
	    ASK("token", "create", "n", "--scopes", "*", "--expires", "30d"));
	T_OK(str_starts(request.body,
	    STR("{\"name\":\"n\",\"scopes\":[\"*\"],\"expires_at\":\"2")));
	T_GOOD(ASK("incident", "list", "--from", "24h"));
	t = request.target;
	T_OK(memmem(t.p, t.n, "?from=2", 7) != NULL);
	T_ERR(ASK("incident", "list", "--from", "24x"), E_INVALID);
	T_ERR(ASK("incident", "list", "--from", "-24h"), E_INVALID);
}

TEST(keys_and_etags)
{
	struct str first;

	T_GOOD(ASK("incident", "create", "t"));
	T_EQ_INT(request.idempotency_key.n, 32);
	first = request.idempotency_key;
	T_OK(first.p[0] != '\0');
	T_GOOD(ASK("incident", "create", "t", "--idempotency-key", "k1"));
	T_EQ_STR(request.idempotency_key, STR("k1"));
	T_GOOD(
	    ASK("incident", "update", "1", "--title", "x", "--etag", "\"4\""));
	T_EQ_STR(request.etag, STR("\"4\""));
	T_EQ_INT(request.idempotency_key.n, 0);
	T_GOOD(ASK("incident", "list"));
	T_EQ_INT(request.idempotency_key.n, 0);
}

/* Run with standard input from a file that holds `text`. */
static err
with_input(const char *text, size_t n, const char *const *argv, size_t argc)
{
	FILE *f = tmpfile();
	int kept = dup(STDIN_FILENO);
	err e;

	fwrite(text, 1, n, f);
	fflush(f);
	rewind(f);
	dup2(fileno(f), STDIN_FILENO);
	lseek(STDIN_FILENO, 0, SEEK_SET);
	e = ask(argv, argc);
	dup2(kept, STDIN_FILENO);
	close(kept);
	fclose(f);
	return e;
}

TEST(standard_input)
{
	static const char *const note[] = {"incident", "note", "1", "-"};
	static const char *const twice[] = {"incident", "create", "t",
	    "--summary", "-", "--fields", "-"};
	static const char *const payload[] = {"integration", "test", "x",
	    "--payload", "-"};
	char *big = calloc(1, 2 << 20);

	expect(with_input("one\ntwo", 7, note, 4), "POST",
	    INCIDENTS "/INC-1/timeline", "{\"text\":\"one\\ntwo\"}");
	T_ERR(with_input("{}", 2, twice, 7), E_USAGE);
	expect(with_input("{\"a\" : [1]}", 11, payload, 5), "POST",
	    "/v1/projects/default/integrations/x/test",
	    "{\"payload\":{\"a\":[1]}}");
	T_ERR(with_input("\xff", 1, note, 4), E_BAD_UTF8);
	T_ERR(with_input(big, 2 << 20, note, 4), E_TOO_LARGE);
	T_ERR(with_input("{", 1, payload, 5), E_BAD_JSON);
	free(big);
}

T_MAIN
