/*
 * Every lie of tests/liarkit.py, which PROTOCOL.delegate's second
 * implementation makes: refused with its own word; and the truths among them
 * are not refused.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "delegate/envelope.h"
#include "seal/hpke.h"
#include "tests/t.h"

#define NOW INT64_C(1795600000000)

static char file[2 << 20];
static struct arena arena;
static struct task task;
static struct policy policy;
static struct pinned pinned;

static struct str
read_file(const char *path, char *store, size_t max)
{
	FILE *f = fopen(path, "r");
	size_t n = f == NULL ? 0 : fread(store, 1, max, f);

	if (f != NULL)
		fclose(f);
	if (n == 0 || n == max)
		abort();
	return str_of(store, n);
}

static const char policy_text[] = "[delegate]\n"
				  "labels = site=fra os=linux\n"
				  "kinds = script http\n"
				  "runbooks = hello\n"
				  "connectors = jira other\n"
				  "hosts = jira.example:443\n"
				  "secrets = db other\n"
				  "[limits]\n"
				  "wall_s = 60\n"
				  "[interpreter sh]\n"
				  "path = /bin/sh\n";

static void
setup(void)
{
	static struct secret *sk;
	struct trail t = {0};
	uint8_t seed[32];

	arena_init(&arena, LIM_ARENA);
	for (uint8_t i = 0; i < 32; i++)
		seed[i] = i;
	T_GOOD(note_key_of(STR("redoubt.example/audit/test/1"), seed,
	    &pinned.log));
	if (sk == NULL)
		T_GOOD(secret_new(&sk));
	for (uint8_t i = 0; i < 32; i++)
		secret_bytes(sk)[i] = (uint8_t)(128 + i);
	pinned.sealing = sk;
	pinned.delegate = STR("01900000-0000-7000-8000-000000000007");
	pinned.project = STR("01900000-0000-7000-8000-000000000003");
	T_OK(hex_decode(STR("174553b456dddfc6908ecab1c101fe6a"
			    "b21e2baa0617795b7d43a63482993fd5"),
	    pinned.task_key, 32));
	T_GOOD(policy_parse(&arena, str_c(policy_text), &t, &policy));
}

/* As the agent does it. */
static enum reason
verdict(const struct offer *o, struct trail *t)
{
	size_t n = 0;
	void *pages = NULL;
	enum reason r = envelope_open(&pinned, o, NOW, &arena, &task);

	if (r == REASON_NONE)
		r = envelope_check(&pinned, o, &policy, NOW, &task, t);
	if (r == REASON_NONE)
		r = envelope_secrets(&pinned, &task, &pages, &n);
	if (r == REASON_NONE && task.secrets > 0)
		T_EQ_STR(task.secret[0].value, STR("correct horse"));
	mem_pages_free(pages, n);
	return r;
}

struct line {
	struct str name, reason;
	struct offer o;
};

static bool
line_read(struct str line, struct line *ret)
{
	struct str fence, point, sealed;

	*ret = (struct line){.name = STR_NONE};
	if (line.n == 0 || line.p[0] == '#' ||
	    !str_cut(line, ' ', &ret->name, &line) ||
	    !str_cut(line, ' ', &ret->reason, &line) ||
	    !str_cut(line, ' ', &ret->o.task, &line) ||
	    !str_cut(line, ' ', &fence, &line) ||
	    !str_cut(line, ' ', &point, &sealed))
		return false;
	if (str_is(ret->reason, "-"))
		ret->reason = STR("");
	T_OK(str_u64(fence, 0, 100, &ret->o.fence));
	T_OK(b64_decode(&arena, point, &point));
	T_GOOD(checkpoint_open(point, &pinned.log, &ret->o.point));
	if (!str_is(sealed, "-"))
		T_OK(b64_decode(&arena, sealed, &ret->o.sealed));
	return true;
}

TEST(lies_and_truths)
{
	struct str rest = read_file("tests/vectors/delegate/lies.txt", file,
		       sizeof file),
		   text;
	size_t truths = 0, lies = 0;

	while (str_cut(rest, '\n', &text, &rest)) {
		struct trail t = {0};
		struct line l;
		enum reason r;

		setup();
		if (line_read(text, &l)) {
			r = verdict(&l.o, &t);
			if (!str_eq(reason_code(r), l.reason))
				T_FAIL("%.*s: \"%.*s\" (%s), want \"%.*s\"",
				    STR_ARG(l.name), STR_ARG(reason_code(r)),
				    t.detail, STR_ARG(l.reason));
			truths += r == REASON_NONE;
			lies += r != REASON_NONE;
		}
		arena_done(&arena);
	}
	T_OK(truths >= 5);
	T_OK(lies >= 80);
	printf("# %zu lies refused, %zu truths taken\n", lies, truths);
}

static bool
line_named(const char *name, struct line *ret)
{
	struct str rest = read_file("tests/vectors/delegate/lies.txt", file,
		       sizeof file),
		   text;

	while (str_cut(rest, '\n', &text, &rest))
		if (str_starts(text, str_c(name)) &&
		    text.p[strlen(name)] == ' ')
			return line_read(text, ret);
	return false;
}

TEST(every_bit_of_a_sealed_task_counts)
{
	struct line l;
	struct task t;

	setup();
	T_REQUIRE(line_named("the_truth", &l));
	for (size_t i = 0; i < l.o.sealed.n; i += 7) {
		char *p = arena_raw(&arena, l.o.sealed.n);
		struct offer o = l.o;
		struct arena a;

		T_REQUIRE(p != NULL);
		memcpy(p, l.o.sealed.p, l.o.sealed.n);
		p[i] ^= 1;
		o.sealed.p = p;
		arena_init(&a, LIM_ARENA);
		T_EQ_INT(envelope_open(&pinned, &o, NOW, &a, &t),
		    REASON_SEALED);
		arena_done(&a);
		if (arena.held > LIM_ARENA / 2) {
			arena_done(&arena);
			setup();
			T_REQUIRE(line_named("the_truth", &l));
		}
	}
	arena_done(&arena);
}

TEST(times_at_their_bounds)
{
	struct line l;
	struct task t;

	setup();
	T_REQUIRE(line_named("the_truth", &l));
	T_EQ_INT(envelope_open(&pinned, &l.o, NOW + 599999, &arena, &t),
	    REASON_NONE);
	T_EQ_INT(envelope_open(&pinned, &l.o, NOW + 600000, &arena, &t),
	    REASON_STALE);
	T_EQ_INT(envelope_open(&pinned, &l.o, NOW - TASK_SKEW_MS, &arena, &t),
	    REASON_NONE);
	T_EQ_INT(envelope_open(&pinned, &l.o, NOW - TASK_SKEW_MS - 1, &arena,
		     &t),
	    REASON_EARLY);
	arena_done(&arena);
}

TEST(a_task_that_is_too_large)
{
	static char big[LIM_TASK + 1];
	struct offer o = {.task = STR("x"), .sealed = {big, sizeof big}};
	struct task t;

	setup();
	T_EQ_INT(envelope_open(&pinned, &o, NOW, &arena, &t), REASON_SIZE);
	o.sealed.n--;
	T_EQ_INT(envelope_open(&pinned, &o, NOW, &arena, &t), REASON_SEALED);
	arena_done(&arena);
}

TEST(a_policy_that_allows_nothing)
{
	struct line l;
	struct trail t = {0};

	setup();
	T_REQUIRE(line_named("the_truth", &l));
	policy.why = REASON_POLICY_ABSENT;
	T_EQ_INT(verdict(&l.o, &t), REASON_POLICY_ABSENT);
	policy.why = REASON_NONE;
	policy.delegate_kinds.n = 0;
	T_EQ_INT(verdict(&l.o, &t), REASON_POLICY_KIND);
	policy.delegate_labels.n = 0;
	T_EQ_INT(verdict(&l.o, &t), REASON_LABELS);
	arena_done(&arena);
}

TEST(reasons_have_codes_of_their_own)
{
	for (unsigned i = 0; i < REASONS; i++)
		for (unsigned k = 0; k < i; k++)
			T_OK(!str_eq(reason_code(i), reason_code(k)));
}

T_MAIN
