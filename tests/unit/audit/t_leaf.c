#include "audit/scan.h"
#include "audit/tree.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "tests/t.h"

static const uint8_t salt[32] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
    14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

#define ID(n) STR("0198c0de-0000-7000-8000-00000000000" #n)
#define VECTORS "tests/vectors/audit/"

static char file[1 << 20];

static struct str
slurp(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n = 0;

	T_OK(f != NULL);
	if (f != NULL) {
		n = fread(file, 1, sizeof file, f);
		fclose(f);
	}
	return str_of(file, n);
}

static int64_t
at(const char *text)
{
	int64_t ms = 0;

	T_OK(time_parse(str_c(text), &ms));
	return ms;
}

/* The entries of tests/vectors/audit/leaf.ndjson, which Python wrote. */
static void
golden(struct audit_entry e[5], uint8_t cm[COMMITMENT_SIZE])
{
	int64_t t = at("2026-11-25T03:21:34.124Z");

	audit_commit(salt, STR("title"), STR("Datenbank läuft nicht"), cm);
	e[0] = (struct audit_entry){.seq = 1,
	    .time = t - 1,
	    .action = AUDIT_ORG_CREATE,
	    .principal_kind = STR("system")};
	e[1] = (struct audit_entry){.seq = 2,
	    .time = t,
	    .action = AUDIT_INCIDENT_CREATE,
	    .principal_kind = STR("user"),
	    .principal_id = ID(1),
	    .credential = STR("rdb_pat_4fJk2Q"),
	    .address = STR("192.0.2.7"),
	    .request_id = ID(3),
	    .project = ID(2),
	    .resource = {{STR("incident"), ID(4)}},
	    .resources = 1,
	    .count = 1,
	    .commitment = cm};
	e[2] = (struct audit_entry){.seq = 3,
	    .time = t,
	    .action = AUDIT_AUTH_FAILED,
	    .outcome = AUDIT_DENIED,
	    .principal_kind = STR("anonymous"),
	    .address = STR("2001:db8::1"),
	    .reason = STR("unauthenticated"),
	    .count = 4096};
	e[3] = (struct audit_entry){.seq = 9007199254740991,
	    .time = at("9999-12-31T23:59:59.999Z"),
	    .action = AUDIT_INGEST,
	    .outcome = AUDIT_ERROR,
	    .principal_kind = STR("integration"),
	    .principal_id = ID(5),
	    .credential = STR("rdb_int_00aZ"),
	    .address = STR("198.51.100.20"),
	    .request_id = ID(6),
	    .project = ID(2),
	    .reason = STR("mapping_failed"),
	    .resource = {{STR("alert"), ID(0)}, {STR("alert"), ID(1)},
		{STR("alert"), ID(2)}, {STR("alert"), ID(3)},
		{STR("alert"), ID(4)}, {STR("alert"), ID(5)},
		{STR("alert"), ID(6)}, {STR("alert"), ID(7)}},
	    .resources = 8,
	    .count = 2};
	e[4] = (struct audit_entry){.seq = 5,
	    .time = at("0000-01-01T00:00:00.000Z"),
	    .action = AUDIT_AUDIT_EXPORT,
	    .outcome = AUDIT_INTENT,
	    .principal_kind = STR("service_account"),
	    .principal_id = ID(7),
	    .resource = {{STR("audit"), STR_NONE},
		{STR("incident"), STR("priv:3q2+7w/= [x]")}},
	    .resources = 2};
}

static void
same_entry(const struct audit_entry *a, const struct audit_entry *b)
{
	T_EQ_INT(a->seq, b->seq);
	T_EQ_INT(a->time, b->time);
	T_EQ_INT(a->action, b->action);
	T_EQ_INT(a->outcome, b->outcome);
	T_EQ_STR(a->principal_kind, b->principal_kind);
	T_EQ_STR(a->principal_id, b->principal_id);
	T_EQ_STR(a->credential, b->credential);
	T_EQ_STR(a->address, b->address);
	T_EQ_STR(a->request_id, b->request_id);
	T_EQ_STR(a->project, b->project);
	T_EQ_STR(a->reason, b->reason);
	T_EQ_INT(a->resources, b->resources);
	for (size_t i = 0; i < a->resources; i++) {
		T_EQ_STR(a->resource[i].type, b->resource[i].type);
		T_EQ_STR(a->resource[i].id, b->resource[i].id);
	}
	T_EQ_INT(a->count > 1 ? a->count : 0, b->count);
	T_OK((a->commitment == NULL) == (b->commitment == NULL));
	if (a->commitment != NULL && b->commitment != NULL)
		T_EQ_MEM(a->commitment, b->commitment, COMMITMENT_SIZE);
}

TEST(golden)
{
	struct audit_entry e[5], got;
	uint8_t cm[COMMITMENT_SIZE];
	struct str rest, line;
	struct arena a;
	struct buf b;

	golden(e, cm);
	rest = slurp(VECTORS "leaf.ndjson");
	arena_init(&a, 1 << 20);
	buf_init(&b, 100000);
	for (size_t i = 0; i < 5; i++) {
		T_REQUIRE(str_cut(rest, '\n', &line, &rest));
		buf_clear(&b);
		T_GOOD(audit_leaf_write(&b, &e[i]));
		T_EQ_STR(buf_view(&b), line);
		T_GOOD(audit_leaf_read(&a, line, &got));
		same_entry(&e[i], &got);
	}
	T_EQ_INT(rest.n, 0);
	buf_done(&b);
	arena_done(&a);
}

TEST(golden_hash)
{
	static char hashes[1024];
	struct str rest = slurp(VECTORS "leaf.hash"), line, hex;

	T_REQUIRE(rest.n < sizeof hashes);
	memcpy(hashes, rest.p, rest.n);
	rest = str_of(hashes, rest.n);
	for (struct str l = slurp(VECTORS "leaf.ndjson");
	     str_cut(l, '\n', &line, &l);) {
		struct hash want, got;

		T_REQUIRE(str_cut(rest, '\n', &hex, &rest));
		T_REQUIRE(hex_decode(hex, want.b, sizeof want.b));
		audit_leaf_hash(line, &got);
		T_EQ_MEM(got.b, want.b, sizeof want.b);
	}
	T_EQ_INT(rest.n, 0);
}

/* The view stays good when the leaf is gone. */
TEST(read_copies)
{
	struct audit_entry e[5], got;
	uint8_t cm[COMMITMENT_SIZE];
	struct arena a;
	struct buf b;

	golden(e, cm);
	arena_init(&a, 1 << 20);
	buf_init(&b, 100000);
	T_GOOD(audit_leaf_write(&b, &e[1]));
	T_GOOD(audit_leaf_read(&a, buf_view(&b), &got));
	memset(b.p, 'x', b.n);
	buf_done(&b);
	same_entry(&e[1], &got);
	arena_done(&a);
}

TEST(a_view_knows_actions_it_does_not_know)
{
	static const char leaf[] =
	    "{\"action\":\"newer.thing\",\"outcome\":\"ok\","
	    "\"principal\":{\"id\":\"x\",\"kind\":\"user\"},\"seq\":3,"
	    "\"time\":\"2026-11-25T03:21:34.123Z\",\"v\":1}";
	struct audit_entry e;
	struct str action;
	struct arena a;

	arena_init(&a, 65536);
	T_ERR(audit_leaf_read(&a, str_c(leaf), &e), E_CORRUPT);
	T_GOOD(audit_leaf_view(str_c(leaf), &e, &action));
	T_EQ_STR(action, STR("newer.thing"));
	T_EQ_INT(e.seq, 3);
	T_EQ_STR(e.principal_id, STR("x"));
	T_ERR(audit_leaf_view(str_skip(str_c(leaf), 1), &e, &action),
	    E_CORRUPT);
	arena_done(&a);
}

TEST(refused_forms)
{
	struct str rest = slurp(VECTORS "leaf-bad.ndjson"), line;
	struct leaf_parts parts;
	struct audit_entry e;
	struct arena a;
	int n = 0;

	arena_init(&a, 1 << 20);
	while (str_cut(rest, '\n', &line, &rest)) {
		n++;
		if (!err_is(audit_leaf_read(&a, line, &e), E_CORRUPT))
			T_FAIL("read: %.*s", STR_ARG(line));
		/* Verification knows no actions, so it has its own answer. */
		if (leaf_scan(line, &parts) && !str_is(parts.action, "none") &&
		    !str_is(parts.action, "incident.explode"))
			T_FAIL("scanned: %.*s", STR_ARG(line));
		arena_reset(&a);
	}
	T_OK(n > 70);
	arena_done(&a);
}

/* Every cut and every changed byte gives another leaf or none. */
TEST(each_byte_counts)
{
	struct audit_entry e[5], got;
	uint8_t cm[COMMITMENT_SIZE];
	struct arena a;
	struct buf b, c;
	size_t read = 0;

	golden(e, cm);
	arena_init(&a, 1 << 20);
	buf_init(&b, 100000);
	buf_init(&c, 100000);
	T_GOOD(audit_leaf_write(&b, &e[3]));
	for (size_t i = 0; i < b.n; i++) {
		T_ERR(audit_leaf_read(&a, str_of(b.p, i), &got), E_CORRUPT);
		for (unsigned bit = 0; bit < 8; bit++) {
			b.p[i] ^= (char)(1U << bit);
			if (err_ok(audit_leaf_read(&a, buf_view(&b), &got))) {
				buf_clear(&c);
				T_GOOD(audit_leaf_write(&c, &got));
				T_EQ_STR(buf_view(&c), buf_view(&b));
				read++;
			}
			b.p[i] ^= (char)(1U << bit);
			arena_reset(&a);
		}
	}
	T_OK(read > 100);
	buf_done(&b);
	buf_done(&c);
	arena_done(&a);
}

static void
refused(struct audit_entry e, enum err_code code)
{
	struct buf b;

	buf_init(&b, 200000);
	buf_c(&b, "before");
	T_ERR(audit_leaf_write(&b, &e), code);
	T_EQ_STR(buf_view(&b), STR("before"));
	buf_done(&b);
}

TEST(refused_entries)
{
	const struct audit_entry good = {.seq = 1,
	    .action = AUDIT_WHOAMI,
	    .principal_kind = STR("user")};
	static const char *const text[] = {"a\"b", "a\\b", "a\nb", "\x1b[31m",
	    "caf\xc3\xa9", "\x7f", "\xff"};
	struct audit_entry e;

#define REFUSED(code, ...)                                                     \
	do {                                                                   \
		e = good;                                                      \
		__VA_ARGS__;                                                   \
		refused(e, code);                                              \
	} while (0)
	REFUSED(E_INVALID, e.seq = 0);
	REFUSED(E_INVALID, e.seq = 9007199254740992);
	REFUSED(E_INVALID, e.count = 9007199254740992);
	REFUSED(E_INVALID, e.action = AUDIT_NONE);
	REFUSED(E_INVALID, e.action = AUDIT_MAX_);
	REFUSED(E_INVALID, e.resources = 9);
	REFUSED(E_INVALID, e.resources = 1);
	REFUSED(E_INVALID, e.principal_kind = STR(""));
	REFUSED(E_INVALID, e.principal_kind = STR("User"));
	for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
		REFUSED(E_INVALID, e.address = str_c(text[i]));
		REFUSED(E_INVALID, e.credential = str_c(text[i]));
		REFUSED(E_INVALID, e.principal_id = str_c(text[i]));
		REFUSED(E_INVALID, e.project = str_c(text[i]));
		REFUSED(E_INVALID, e.reason = str_c(text[i]));
		REFUSED(E_INVALID, e.request_id = str_c(text[i]));
		REFUSED(E_INVALID, e.resources = 1;
			e.resource[0].type = STR("x");
			e.resource[0].id = str_c(text[i]));
		REFUSED(E_INVALID, e.resources = 1;
			e.resource[0].type = str_c(text[i]));
	}
}

/* LIM_LEAF at n and n + 1. */
TEST(largest)
{
	static char pad[LIM_LEAF];
	struct audit_entry e = {.seq = 1,
			       .action = AUDIT_WHOAMI,
			       .principal_kind = STR("user"),
			       .reason = STR("x")},
			   got;
	struct arena a;
	struct buf b;

	memset(pad, 'x', sizeof pad);
	buf_init(&b, 200000);
	arena_init(&a, 1 << 20);
	T_GOOD(audit_leaf_write(&b, &e));
	e.reason = str_of(pad, 1 + LIM_LEAF - b.n);
	buf_clear(&b);
	T_GOOD(audit_leaf_write(&b, &e));
	T_EQ_INT(b.n, LIM_LEAF);
	T_GOOD(audit_leaf_read(&a, buf_view(&b), &got));
	T_EQ_INT(got.reason.n, e.reason.n);
	e.reason.n++;
	refused(e, E_TOO_LARGE);
	buf_done(&b);
	arena_done(&a);
}

TEST(names)
{
	enum audit_action a;
	enum audit_outcome o;

	for (unsigned i = AUDIT_NONE + 1; i < AUDIT_MAX_; i++) {
		T_OK(audit_action_parse(str_c(audit_action_text(
					    (enum audit_action)i)),
		    &a));
		T_EQ_INT(a, i);
	}
	T_OK(!audit_action_parse(STR("none"), &a));
	T_OK(!audit_action_parse(STR(""), &a));
	T_EQ_INT(audit_action_kind(AUDIT_AUTH_FAILED), AUDIT_LOGIN);
	T_EQ_INT(audit_action_kind(AUDIT_WHOAMI), AUDIT_READ);
	for (unsigned i = AUDIT_OK; i <= AUDIT_INTENT; i++) {
		T_OK(audit_outcome_parse(str_c(audit_outcome_text(
					     (enum audit_outcome)i)),
		    &o));
		T_EQ_INT(o, i);
	}
	T_OK(!audit_outcome_parse(STR("OK"), &o));
}

/* reference/audit-sandbox-secrets.md A3, reproduced by Python there. */
TEST(commitment)
{
	uint8_t cm[COMMITMENT_SIZE];
	struct buf b;

	audit_commit(salt, STR("actor.email"), STR("alice@example.com"), cm);
	buf_init(&b, 100);
	b64_add(&b, str_of((const char *)cm, sizeof cm));
	T_EQ_STR(buf_view(&b),
	    STR("iy6RyHpkh86QAeLY3AB7Rh+qGY5RqiBZti59skd+vTU="));
	buf_done(&b);
}

T_MAIN
