/* The policy file: what is not said is not allowed. */
#include "base/limits.h"
#include "delegate/policy.h"
#include "tests/unit/delegate/home.h"

static struct arena a;

static struct policy
parsed(const char *text)
{
	struct policy p;
	struct trail t = {0};

	arena_init(&a, 1 << 20);
	T_GOOD(policy_parse(&a, str_c(text), &t, &p));
	return p;
}

static void
refused(const char *text, const char *why)
{
	struct policy p;
	struct trail t = {0};

	arena_init(&a, 1 << 20);
	T_ERR(policy_parse(&a, str_c(text), &t, &p), E_CONFIG);
	if (strstr(t.detail, why) == NULL)
		T_FAIL("%s: \"%s\" is not about %s", text, t.detail, why);
	arena_done(&a);
}

static const char whole[] = "[delegate]\n"
			    "labels = site=fra os=linux\n"
			    "labels = role=db\n"
			    "kinds = script http\n"
			    "runbooks = restart-db  clean\n"
			    "connectors = *\n"
			    "tasks = 200\n"
			    "[limits]\n"
			    "wall_s = 60\n"
			    "[interpreter sh]\n"
			    "path = /bin/sh\n"
			    "args = -e -u\n"
			    "[interpreter python3]\n"
			    "path = /usr/bin/python3\n"
			    "profile = jit\n";

TEST(what_is_said)
{
	struct policy p = parsed(whole);
	const struct interpreter *in = policy_interpreter(&p, STR("sh"));

	T_EQ_INT(p.why, REASON_NONE);
	T_OK(policy_has_label(&p, STR("role"), STR("db")));
	T_OK(policy_has_label(&p, STR("site"), STR("fra")));
	T_OK(!policy_has_label(&p, STR("site"), STR("lon")));
	T_OK(!policy_has_label(&p, STR("fra"), STR("site")));
	T_OK(policy_runs(&p, "script") && policy_runs(&p, "http"));
	T_OK(!policy_runs(&p, "manual"));
	T_OK(words_have(&p.delegate_runbooks, STR("clean")));
	T_OK(!words_have(&p.delegate_runbooks, STR("clea")));
	T_OK(words_have(&p.delegate_connectors, STR("anything")));
	T_OK(!words_have(&p.delegate_hosts, STR("a:1")));
	T_EQ_INT(p.delegate_tasks, 200);
	T_EQ_INT(p.limits_wall_s, 60);
	T_REQUIRE(in != NULL);
	T_EQ_STR(in->path, STR("/bin/sh"));
	T_EQ_INT(in->profile, SANDBOX_INTERP);
	T_EQ_INT(in->args.n, 2);
	T_EQ_INT(policy_interpreter(&p, STR("python3"))->profile, SANDBOX_JIT);
	T_OK(policy_interpreter(&p, STR("bash")) == NULL);
	arena_done(&a);
}

TEST(nothing_said_is_nothing_allowed)
{
	struct policy p = parsed("");
	struct buf b;

	T_OK(!policy_runs(&p, "script") && !policy_runs(&p, "http"));
	T_EQ_INT(p.interpreters + p.delegate_labels.n, 0);
	T_OK(!words_have(&p.delegate_runbooks, STR("x")));
	T_OK(!words_have(&p.delegate_secrets, STR("x")));
	arena_done(&a);
	/* and the file that enrolling writes says nothing */
	buf_init(&b, LIM_CONFIG);
	policy_template(&b);
	buf_char(&b, '\0');
	p = parsed(b.p);
	T_OK(!policy_runs(&p, "script") && p.interpreters == 0);
	arena_done(&a);
	/* with its comments taken away it is still a policy */
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] == '#' && b.p[i + 1] != ' ')
			b.p[i] = ' ';
	for (size_t i = 0; i + 1 < b.n; i++)
		while (b.p[i] == '\n' && b.p[i + 1] == ' ')
			memmove(b.p + i + 1, b.p + i + 2, b.n-- - i - 2);
	p = parsed(b.p);
	T_EQ_INT(p.interpreters, 1);
	T_EQ_INT(p.delegate_tasks, 16);
	buf_done(&b);
	arena_done(&a);
}

TEST(every_word_is_not_every_kind)
{
	struct policy p = parsed("[delegate]\nkinds = *\n");

	T_OK(!policy_runs(&p, "script"));
	arena_done(&a);
}

TEST(mistakes)
{
	refused("[delegat]\n", "section");
	refused("[delegate]\nrunbook = x\n", "no such setting");
	refused("[delegate]\nlabels = site\n", "name=value");
	refused("[delegate]\ntasks = 0\n", "number");
	refused("[delegate]\ntasks = 257\n", "256");
	refused("[delegate]\ntasks = 1\ntasks = 2\n", "twice");
	refused("[interpreter sh]\nprofile = base\n", "no path");
	refused("[interpreter sh]\npath = bin/sh\n", "absolute");
	refused("[interpreter sh]\npath = /bin/sh\nprofile = all\n", "profile");
	refused("[interpreter sh]\npath = /a\n[interpreter sh]\npath = /a\n",
	    "twice");
	refused("[interpreter a/b]\npath = /a\n", "name");
	refused("kinds = script\n", "");
}

static enum reason
loaded(int dir)
{
	struct policy p;
	struct trail t = {0};

	arena_init(&a, 1 << 20);
	policy_load(&a, dir, &t, &p);
	T_OK((p.why == REASON_NONE) == (t.detail[0] == '\0'));
	T_OK(p.why == REASON_NONE || !policy_runs(&p, "script"));
	arena_done(&a);
	return p.why;
}

TEST(whose_file_it_is)
{
	int dir = test_home();

	T_EQ_INT(loaded(dir), REASON_POLICY_ABSENT);
	test_write(dir, "policy.conf", whole);
	T_EQ_INT(loaded(dir), REASON_NONE);
	T_OK(fchmodat(dir, "policy.conf", 0644, 0) == 0);
	T_EQ_INT(loaded(dir), REASON_NONE);
	T_OK(fchmodat(dir, "policy.conf", 0664, 0) == 0);
	T_EQ_INT(loaded(dir), REASON_POLICY_UNSAFE);
	T_OK(fchmodat(dir, "policy.conf", 0646, 0) == 0);
	T_EQ_INT(loaded(dir), REASON_POLICY_UNSAFE);
	test_write(dir, "policy.conf", "[delegate]\nlabel = x=y\n");
	T_EQ_INT(loaded(dir), REASON_POLICY_BAD);
	T_OK(renameat(dir, "policy.conf", dir, "other") == 0);
	T_OK(symlinkat("other", dir, "policy.conf") == 0);
	T_EQ_INT(loaded(dir), REASON_POLICY_ABSENT);
	test_home_done(dir);
}

T_MAIN
