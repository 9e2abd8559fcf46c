#include "base/config.h"
#include "base/limits.h"
#include "tests/t.h"

static struct arena arena;
static struct trail trail;
static struct config conf;

static err
parse(struct str text)
{
	arena_done(&arena);
	arena_init(&arena, LIM_ARENA);
	trail.detail[0] = '\0';
	memset(&conf, 0x55, sizeof conf);
	return config_parse(&arena, text, &trail, &conf);
}

static bool
same(const struct config *a, const struct config *b)
{
	bool eq = true;

#define SAME_STR(m) eq = eq && str_eq(a->m, b->m);
#define SAME_NUM(m) eq = eq && a->m == b->m;
#define SAME_BOOL(m) eq = eq && a->m == b->m;
#define SAME_LIST(m)                                                           \
	eq = eq && a->m.n == b->m.n;                                           \
	for (size_t i = 0; eq && i < a->m.n; i++)                              \
		eq = str_eq(a->m.item[i], b->m.item[i]);
#define CONFIG(section, name, type, def, meaning) SAME_##type(section##_##name)
#include "base/config.def"
#undef CONFIG
	return eq;
}

TEST(nothing_is_the_defaults)
{
	struct config def;

	config_defaults(&arena, &def);
	T_GOOD(parse(STR("")));
	T_OK(same(&conf, &def));
	T_GOOD(parse(STR("\n# a comment\n; another\n\n[server]\n[log]\n")));
	T_OK(same(&conf, &def));
	T_EQ_INT(def.server_listen.n, 1);
	T_EQ_STR(def.server_listen.item[0], STR("127.0.0.1:8443"));
	T_EQ_INT(def.server_readers, 2);
	T_OK(!def.log_requests);
	T_OK(def.keys_root.n == 0);
}

TEST(every_type)
{
	T_GOOD(
	    parse(STR("[server]\nlisten=0.0.0.0:443\nlisten = [::]:443 \n"
		      "reactors = 4\n[keys]\nroot = /etc/k y/\xc3\xa4 ; why\n"
		      "[log]\nrequests=yes\n")));
	T_EQ_INT(conf.server_listen.n, 2);
	T_EQ_STR(conf.server_listen.item[0], STR("0.0.0.0:443"));
	T_EQ_STR(conf.server_listen.item[1], STR("[::]:443"));
	T_EQ_INT(conf.server_reactors, 4);
	T_EQ_INT(conf.server_readers, 2);
	T_EQ_STR(conf.keys_root, STR("/etc/k y/\xc3\xa4"));
	T_OK(conf.log_requests);
	T_GOOD(parse(STR("[log]\nrequests = true")));
	T_OK(conf.log_requests);
	T_GOOD(parse(STR("[log]\nrequests = false\n[server]\nuser=\n")));
	T_OK(!conf.log_requests);
	T_EQ_INT(conf.server_user.n, 0);
}

static const struct {
	const char *text;
	const char *says;
} refused[] = {
    {"[servre]\n", "line 1: no such section"},
    {"[]\n", "line 1: no such section"},
    {"[server]\nlistne = x\n", "line 2: server.listne: no such setting"},
    {"listen = x\n", "line 1: .listen: no such setting"},
    {"[Server]\nuser = x\n", "line 1: no such section"},
    {"[server]\n\nuser = x\nuser = y\n", "line 4: server.user: given twice"},
    {"[server]\nuser = x\n[log]\n[server]\nuser = x\n",
	"line 5: server.user: given twice"},
    {"[server]\nreactors = many\n",
	"line 2: server.reactors: a number was expected"},
    {"[server]\nreactors = 2 # two\n",
	"line 2: server.reactors: a number was expected"},
    {"[server]\nreactors =\n",
	"line 2: server.reactors: a number was expected"},
    {"[log]\nrequests = 1\n", "line 2: log.requests: yes or no was expected"},
    {"[log]\nrequests = YES\n", "line 2: log.requests: yes or no was expected"},
    {"[server]\nlisten =\n", "line 2: server.listen: an empty item"},
    {"[server]\nuser\n", "line 2: name = value was expected"},
    {"[server\n", "line 1: ']' was expected"},
    {"[server] x\n", "line 1: text behind a section name"},
    {"[server]\nlisten = a:1\n  b:2\n", "line 3: the line is indented"},
    {"[server]\nuser = a\x01\n", "line 2: not printable UTF-8"},
    {"[server]\r\nuser = a\r\n", "line 1: not printable UTF-8"},
    {"[server]\nuser = \xff\n", "line 2: not printable UTF-8"},
    {"# \xc2\x85\n", "line 1: not printable UTF-8"},
    {"\xef\xbb\xbf[server]\n", "line 1: not printable UTF-8"},
};

TEST(what_is_refused_and_what_is_said)
{
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		err e = parse(str_c(refused[i].text));

		T_ERR(e, E_CONFIG);
		if (strcmp(trail.detail, refused[i].says) != 0)
			T_FAIL("row %zu says \"%s\"", i, trail.detail);
	}
	T_ERR(parse(STR("[server]\nuser = a\0b\n")), E_CONFIG);
}

TEST(a_refusal_writes_nothing)
{
	struct config before;

	memset(&before, 0x55, sizeof before);
	T_ERR(parse(STR("[server]\nuser = x\nbad = y\n")), E_CONFIG);
	T_EQ_MEM(&before, &conf, sizeof conf);
}

TEST(list_at_n_and_n_plus_1)
{
	struct buf b;

	buf_init(&b, 10000);
	buf_c(&b, "[server]\n");
	for (int i = 0; i < CONFIG_LIST; i++)
		buf_fmt(&b, "listen = h:%d\n", i);
	T_GOOD(parse(buf_view(&b)));
	T_EQ_INT(conf.server_listen.n, CONFIG_LIST);
	buf_c(&b, "listen = h:9\n");
	T_ERR(parse(buf_view(&b)), E_CONFIG);
	T_OK(strstr(trail.detail, "given too often") != NULL);
	buf_done(&b);
}

/* A list that has none by default may be said to have none. */
TEST(empty_lists)
{
	T_GOOD(parse(STR("[server]\ntrusted_proxies =\n")));
	T_EQ_INT(conf.server_trusted_proxies.n, 0);
	T_GOOD(parse(STR("[server]\ntrusted_proxies = ::1\n"
			 "trusted_proxies =\ntrusted_proxies = 10.0.0.1\n")));
	T_EQ_INT(conf.server_trusted_proxies.n, 2);
}

/* Lines that inih would cut in two are refused; all others arrive whole. */
TEST(line_lengths)
{
	struct buf b;

	buf_init(&b, 10000);
	for (int n = 1; n < 300; n++) {
		err e;

		buf_clear(&b);
		buf_c(&b, "[server]\nuser = ");
		for (int i = 0; i < n; i++)
			buf_char(&b, 'u');
		e = parse(buf_view(&b));
		T_OK(err_ok(e) == (n + 7 <= 190));
		if (err_ok(e))
			T_EQ_INT(conf.server_user.n, n);
	}
	buf_done(&b);
}

TEST(size_at_n_and_n_plus_1)
{
	static char t[LIM_CONFIG + 1];

	memset(t, '\n', sizeof t);
	T_GOOD(parse(str_of(t, LIM_CONFIG)));
	T_ERR(parse(str_of(t, LIM_CONFIG + 1)), E_CONFIG);
	T_OK(strlen(trail.detail) > 0);
}

/* The template is the defaults, and still is with every # taken off. */
TEST(the_template)
{
	struct config def;
	struct str all, line;
	struct buf b, bare;

	config_defaults(&arena, &def);
	buf_init(&b, LIM_CONFIG);
	buf_init(&bare, LIM_CONFIG);
	config_template(&b);
	T_GOOD(buf_check(&b));
	T_GOOD(parse(buf_view(&b)));
	T_OK(same(&conf, &def));
	for (all = buf_view(&b); str_cut(all, '\n', &line, &all);) {
		bool set =
		    str_starts(line, STR("#")) && !str_starts(line, STR("# "));

		buf_str(&bare, set ? str_skip(line, 1) : line);
		buf_char(&bare, '\n');
	}
	T_GOOD(parse(buf_view(&bare)));
	T_OK(same(&conf, &def));
#define CONFIG(section, name, type, def, meaning)                              \
	T_OK(str_ifind(buf_view(&bare), STR("\n" #name " = " def "\n")));
#include "base/config.def"
#undef CONFIG
	buf_done(&b);
	buf_done(&bare);
}

T_MAIN
