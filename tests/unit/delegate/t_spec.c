/* A step's packet: what is written reads back, what is bent is refused. */
#include "delegate/spec.h"

#include "base/limits.h"
#include "tests/t.h"

static const struct str args[] = {{"/bin/sh", 7}, {"", 0}, {"a b", 3}};
static const struct str env[] = {{"A=1", 3}, {"_B=", 3}};
static const int fds[] = {10, 11, 12, 13, 14};

static struct sandbox_spec
spec(void)
{
	return (struct sandbox_spec){.id = STR("run-1_x"),
	    .profile = SANDBOX_JIT,
	    .argv = args,
	    .argv_n = 3,
	    .env = env,
	    .env_n = 2,
	    .script = STR("echo"),
	    .secrets = args,
	    .secrets_n = 1,
	    .egress = true,
	    .limits = {.memory_mb = 99}};
}

static err
write_it(const struct sandbox_spec *s, struct buf *b)
{
	struct trail t = {{0}};

	buf_init(b, LIM_STEP_SPEC);
	return spec_write(s, &t, b);
}

static void
wrong(const struct sandbox_spec *s, enum err_code code)
{
	struct buf b;

	T_ERR(write_it(s, &b), code);
	buf_done(&b);
}

TEST(it_reads_back)
{
	struct sandbox_spec s = spec();
	static struct step r;
	struct buf b;

	T_GOOD(write_it(&s, &b));
	T_GOOD(spec_read(buf_view(&b), fds, 5, &r));
	T_EQ_STR(str_c(r.id), STR("run-1_x"));
	T_EQ_INT(r.profile, SANDBOX_JIT);
	T_OK(r.egress && r.has_script);
	T_EQ_INT(r.argc, 3);
	T_EQ_STR(str_c(r.argv[2]), STR("a b"));
	T_OK(r.argv[3] == NULL);
	T_EQ_STR(str_c(r.env[1]), STR("_B="));
	T_EQ_INT(r.script, 13);
	T_EQ_INT(r.secrets_n, 1);
	T_EQ_INT(r.secrets[0], 14);
	T_EQ_INT(r.limits.memory_mb, 99);
	T_EQ_INT(r.limits.wall_s, 600);
	T_EQ_INT(r.limits.cpu_s, 600);
	buf_done(&b);
}

TEST(every_truncation_and_one_byte_more_is_refused)
{
	struct sandbox_spec s = spec();
	static struct step r;
	struct buf b;

	T_GOOD(write_it(&s, &b));
	for (size_t n = 0; n < b.n; n++)
		T_ERR(spec_read(str_of(b.p, n), fds, 5, &r), E_PEER);
	buf_char(&b, 0);
	T_ERR(spec_read(buf_view(&b), fds, 5, &r), E_PEER);
	b.n--;
	T_ERR(spec_read(buf_view(&b), fds, 4, &r), E_PEER);
	T_ERR(spec_read(buf_view(&b), fds, 6, &r), E_PEER);
	buf_done(&b);
}

TEST(every_byte_changed_is_refused_or_says_what_it_says)
{
	struct sandbox_spec s = spec();
	static struct step r;
	struct buf b;

	T_GOOD(write_it(&s, &b));
	for (size_t i = 0; i < b.n; i++)
		for (int bit = 0; bit < 8; bit++) {
			b.p[i] = (char)(b.p[i] ^ 1 << bit);
			if (err_ok(spec_read(buf_view(&b), fds, 5, &r)))
				T_OK(r.argc == 3 && r.envc == 2 &&
				    r.argv[0][0] == '/' &&
				    r.limits.pids <= LIM_STEP_PIDS);
			b.p[i] = (char)(b.p[i] ^ 1 << bit);
		}
	buf_done(&b);
}

TEST(limits_have_a_most)
{
	const struct sandbox_limits most = {LIM_STEP_WALL_S, LIM_STEP_WALL_S,
	    LIM_STEP_MEMORY_MB, LIM_STEP_PIDS, LIM_STEP_WORK_MB,
	    LIM_STEP_OUTPUTS_KB};
	struct sandbox_limits l = most, r;
	struct trail t = {{0}};

	T_GOOD(spec_limits(&l, &t, &r));
	l.pids++;
	T_ERR(spec_limits(&l, &t, &r), E_LIMIT);
	T_EQ_STR(str_c(t.detail), STR("pids: 4097 is more than 4096"));
}

TEST(what_cannot_be_a_step)
{
	struct sandbox_spec s = spec();
	static struct str many[SANDBOX_ARGS + 1];
	const struct str nul = {"/a\0b", 4}, relative = STR("sh");

	s.id = STR("a/b");
	wrong(&s, E_INVALID);
	s.id = STR("");
	wrong(&s, E_INVALID);
	s = spec();
	s.argv_n = 0;
	wrong(&s, E_INVALID);
	s.argv = &nul;
	s.argv_n = 1;
	wrong(&s, E_INVALID);
	s.argv = &relative;
	wrong(&s, E_INVALID);
	for (size_t i = 0; i <= SANDBOX_ARGS; i++)
		many[i] = STR("/a");
	s.argv = many;
	s.argv_n = SANDBOX_ARGS;
	s.profile = SANDBOX_PROFILES;
	wrong(&s, E_INVALID);
	s.profile = SANDBOX_BASE;
	wrong(&s, E_OK);
	s.argv_n++;
	wrong(&s, E_TOO_MANY);
}

TEST(what_is_too_long)
{
	static char big[LIM_STEP_SPEC];
	struct sandbox_spec s = spec();
	struct str a[] = {STR("/a"), {big, 0}};

	memset(big, 'x', sizeof big);
	s.argv = a;
	s.argv_n = 2;
	s.env_n = 0;
	a[1].n = LIM_STEP_SPEC - 100;
	wrong(&s, E_OK);
	a[1].n = LIM_STEP_SPEC;
	wrong(&s, E_LIMIT);
}

TEST(variables)
{
	T_OK(env_allowed(STR("TARGET=x")));
	T_OK(env_allowed(STR("T1_=")));
	T_OK(env_allowed(STR("PYTHONUTF8=1")));
	T_OK(!env_allowed(STR("LD_LIBRARY_PATH=x")));
	T_OK(!env_allowed(STR("BASH_ENV=x")));
	T_OK(!env_allowed(STR("BASH_FUNC_x%%=() { :; }")));
	T_OK(!env_allowed(STR("NODE_OPTIONS=--require=x")));
	T_OK(!env_allowed(STR("PERL5OPT=-Mx")));
	T_OK(!env_allowed(STR("NONAME")));
	T_OK(!env_allowed(STR("")));
}

T_MAIN
