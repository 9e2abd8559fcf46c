#include <time.h>

#include "auth/actor.h"
#include "auth/token.h"
#include "tests/unit/access/help.h"
#include "tests/unit/auth/key.h"

/* A world with one token of each kind, and how to ask about it. */
struct bench {
	struct ring ring;
	struct arena a;
	struct world *w;
	char text[128][TOKEN_TEXT + 1];
	struct auth_input in;
};

enum {
	PERSONAL,
	SERVICE,
	BOOT,
	HOOK,
	JOIN,
	DISABLED,
	GONE,
	OFFICE,
	HOOK2,
	HOOK_OFF,
	MISFIT,
	OLD_KEY
};

static struct token *
token_new(struct bench *x, unsigned n, char kind, enum principal_kind ok,
    struct uuid owner)
{
	static struct token t;

	t = token_of(n, kind, ok, owner, permset_all());
	token_make(kind, x->text[n], t.key_id);
	T_GOOD(token_verifier(x->ring.key, str_c(x->text[n]), t.verifier));
	t.verifier_key = data_key_id(x->ring.key);
	return &t;
}

static void
put_tokens(struct bench *x, struct world_builder *b)
{
	static const struct str office[] = {{"192.0.2.0/24", 12}};
	struct uuid ann = put_user(b, 1, "ann@x", false);
	struct uuid dan = put_user(b, 2, "dan@x", true);
	struct uuid bot = put_account(b, 1, "bot", false);
	struct uuid hook = put_integration(b, 1, 1, false);
	struct uuid off = put_integration(b, 2, 1, true);
	struct uuid other = put_integration(b, 3, 1, false);
	struct token *t;

	put(b, token_new(x, PERSONAL, 'p', PRINCIPAL_USER, ann));
	put(b, token_new(x, SERVICE, 's', PRINCIPAL_SERVICE_ACCOUNT, bot));
	put(b, token_new(x, BOOT, 'b', PRINCIPAL_USER, ann));
	put(b, token_new(x, HOOK, 'w', PRINCIPAL_INTEGRATION, hook));
	put(b, token_new(x, HOOK2, 'w', PRINCIPAL_INTEGRATION, other));
	put(b, token_new(x, HOOK_OFF, 'w', PRINCIPAL_INTEGRATION, off));
	put(b, token_new(x, JOIN, 'd', PRINCIPAL_USER, ann));
	put(b, token_new(x, DISABLED, 'p', PRINCIPAL_USER, dan));
	put(b, token_new(x, GONE, 'p', PRINCIPAL_USER, id_of(OBJECT_USER, 99)));
	put(b, token_new(x, MISFIT, 'p', PRINCIPAL_SERVICE_ACCOUNT, bot));
	t = token_new(x, OFFICE, 'p', PRINCIPAL_USER, ann);
	t->cidrs = office;
	t->cidrs_n = 1;
	put(b, t);
	t = token_new(x, OLD_KEY, 'p', PRINCIPAL_USER, ann);
	T_GOOD(token_verifier(x->ring.other, str_c(x->text[OLD_KEY]),
	    t->verifier));
	put(b, t);
}

static void
bench_open(struct bench *x)
{
	struct world_builder *b = fresh();

	memset(x, 0, sizeof *x);
	ring_open(&x->ring);
	arena_init(&x->a, 1 << 20);
	put_project(b, 1, "alpha");
	put_tokens(x, b);
	x->w = done(b);
	x->in = (struct auth_input){
	    .world = x->w,
	    .token_mac = x->ring.key,
	    .now = NOW,
	    .address = STR("192.0.2.7"),
	};
}

static void
bench_close(struct bench *x)
{
	world_unref(x->w);
	arena_done(&x->a);
	ring_close(&x->ring);
}

static const struct actor *
api(struct bench *x, const char *header, enum auth_reason want)
{
	const struct actor *who = NULL;
	enum auth_reason why = AUTH_OK;
	err e;

	x->in.authorization = str_c(header);
	e = auth_api(&x->a, &x->in, &why, &who);
	if (why != want)
		T_FAIL("%.20s: %s, want %s", header, auth_reason_text(why),
		    auth_reason_text(want));
	T_ERR(e, want == AUTH_OK ? E_OK : E_UNAUTHENTICATED);
	T_EQ_INT(who != NULL, want == AUTH_OK);
	return who;
}

static const char *
header_of(struct bench *x, unsigned n)
{
	static char h[128];

	snprintf(h, sizeof h, "Bearer %s", x->text[n]);
	return h;
}

TEST(who)
{
	struct bench x;
	const struct actor *a;

	bench_open(&x);
	a = api(&x, header_of(&x, PERSONAL), AUTH_OK);
	T_REQUIRE(a != NULL);
	T_EQ_INT(a->kind, PRINCIPAL_USER);
	T_OK(uuid_eq(&a->id, &(struct uuid[]){id_of(OBJECT_USER, 1)}[0]));
	T_EQ_STR(a->name, STR("ann@x"));
	T_EQ_INT(a->token->kind, 'p');
	T_OK(a->world == x.w);
	T_EQ_STR(a->address, STR("192.0.2.7"));
	a = api(&x, header_of(&x, SERVICE), AUTH_OK);
	T_REQUIRE(a != NULL);
	T_EQ_INT(a->kind, PRINCIPAL_SERVICE_ACCOUNT);
	T_EQ_STR(a->name, STR("bot"));
	api(&x, header_of(&x, BOOT), AUTH_OK);
	bench_close(&x);
}

TEST(refusals)
{
	struct bench x;

	bench_open(&x);
	api(&x, header_of(&x, HOOK), AUTH_KIND);
	api(&x, header_of(&x, JOIN), AUTH_KIND);
	api(&x, header_of(&x, MISFIT), AUTH_KIND);
	api(&x, header_of(&x, DISABLED), AUTH_OWNER);
	api(&x, header_of(&x, GONE), AUTH_OWNER);
	api(&x, header_of(&x, OLD_KEY), AUTH_WRONG_SECRET);
	api(&x, header_of(&x, OFFICE), AUTH_OK);
	x.in.address = STR("198.51.100.1");
	api(&x, header_of(&x, OFFICE), AUTH_ADDRESS);
	api(&x, header_of(&x, PERSONAL), AUTH_OK);
	x.in.address = STR("::ffff:192.0.2.9");
	api(&x, header_of(&x, OFFICE), AUTH_OK);
	x.in.address = STR("");
	api(&x, header_of(&x, OFFICE), AUTH_ADDRESS);
	bench_close(&x);
}

TEST(headers)
{
	static const char *const good[] = {"Bearer %s", "bearer %s",
	    "BEARER %s", "Bearer   %s"};
	static const char *const bad[] = {"%s", "Bearer%s", "Bearer\t%s",
	    " Bearer %s", "Basic %s", "Bearer %s ", "Bearer %s,", "Bearer %sx",
	    "Bearer \"%s\"", "Bearer Bearer %s", "Bearer token=%s"};
	char h[128];
	struct bench x;

	bench_open(&x);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		snprintf(h, sizeof h, "%.*s%s", (int)strlen(good[i]) - 2,
		    good[i], x.text[0]);
		api(&x, h, AUTH_OK);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *at = strstr(bad[i], "%s");

		snprintf(h, sizeof h, "%.*s%s%s", (int)(at - bad[i]), bad[i],
		    x.text[0], at + 2);
		api(&x, h, AUTH_MALFORMED);
	}
	api(&x, "", AUTH_MISSING);
	api(&x, "Bearer", AUTH_MALFORMED);
	api(&x, "Bearer ", AUTH_MALFORMED);
	api(&x, "Beare", AUTH_MALFORMED);
	bench_close(&x);
}

static void
replace(struct bench *x, unsigned n, int64_t expires, int64_t revoked)
{
	struct uuid id = id_of(OBJECT_TOKEN, n);
	struct world_builder *b = from(x->w);
	struct token t = *world_token(x->w, &id);

	t.expires = expires;
	t.revoked = revoked;
	put(b, &t);
	world_unref(x->w);
	x->in.world = x->w = done(b);
}

TEST(expiry_and_revocation)
{
	struct bench x;

	bench_open(&x);
	replace(&x, PERSONAL, NOW + 1, 0);
	api(&x, header_of(&x, PERSONAL), AUTH_OK);
	replace(&x, PERSONAL, NOW, 0);
	api(&x, header_of(&x, PERSONAL), AUTH_EXPIRED);
	replace(&x, PERSONAL, NOW - 1, 0);
	api(&x, header_of(&x, PERSONAL), AUTH_EXPIRED);
	replace(&x, PERSONAL, NOW + 1, NOW - 1);
	api(&x, header_of(&x, PERSONAL), AUTH_REVOKED);
	replace(&x, PERSONAL, NOW + 1, 0);
	api(&x, header_of(&x, PERSONAL), AUTH_OK);
	x.in.now = NOW + 1;
	api(&x, header_of(&x, PERSONAL), AUTH_EXPIRED);
	bench_close(&x);
}

/* The right key id with another secret; a key id that does not exist. */
TEST(wrong_and_unknown)
{
	char t[TOKEN_TEXT + 1], id[TOKEN_KEY_ID + 1], h[128];
	struct world_builder *b;
	struct bench x;
	struct token tok;

	bench_open(&x);
	token_make('p', t, id);
	snprintf(h, sizeof h, "Bearer %s", t);
	api(&x, h, AUTH_UNKNOWN);
	tok = *world_token_key(x.w, x.text[0] + 4);
	tok.o.id = id_of(OBJECT_TOKEN, 50);
	memcpy(tok.key_id, id, sizeof id); /* ann's verifier, another id */
	put(b = from(x.w), &tok);
	world_unref(x.w);
	x.in.world = x.w = done(b);
	api(&x, h, AUTH_WRONG_SECRET);
	/* a token whose stored verifier is that of the dummy: all zero */
	memset(tok.verifier, 0, sizeof tok.verifier);
	put(b = from(x.w), &tok);
	world_unref(x.w);
	x.in.world = x.w = done(b);
	api(&x, h, AUTH_WRONG_SECRET);
	bench_close(&x);
}

static void
ingest(struct bench *x, unsigned n, uint32_t integration, enum auth_reason want,
    enum err_code code)
{
	struct uuid id = id_of(OBJECT_INTEGRATION, integration);
	const struct actor *who = NULL;
	enum auth_reason why = AUTH_OK;
	struct hook_proof proof;

	x->in.authorization = str_c(header_of(x, n));
	T_ERR(auth_ingest(&x->a, &x->in, &id, NULL, &proof, &why, &who), code);
	if (why != want)
		T_FAIL("%u: %s", n, auth_reason_text(why));
	T_EQ_INT(who != NULL, code == E_OK);
	if (who != NULL) {
		T_EQ_INT(who->kind, PRINCIPAL_INTEGRATION);
		T_OK(uuid_eq(&who->id, &id));
	}
}

TEST(ingest_takes_only_its_own_bearer)
{
	struct bench x;

	bench_open(&x);
	ingest(&x, HOOK, 1, AUTH_OK, E_OK);
	ingest(&x, HOOK2, 3, AUTH_OK, E_OK);
	ingest(&x, HOOK2, 1, AUTH_OWNER, E_UNAUTHENTICATED);
	ingest(&x, HOOK, 3, AUTH_OWNER, E_UNAUTHENTICATED);
	ingest(&x, HOOK, 77, AUTH_OWNER, E_UNAUTHENTICATED);
	ingest(&x, PERSONAL, 1, AUTH_KIND, E_UNAUTHENTICATED);
	ingest(&x, SERVICE, 1, AUTH_KIND, E_UNAUTHENTICATED);
	/* that it is disabled is told to who holds its credential only */
	ingest(&x, HOOK_OFF, 2, AUTH_OWNER, E_DISABLED);
	ingest(&x, HOOK, 2, AUTH_OWNER, E_UNAUTHENTICATED);
	ingest(&x, PERSONAL, 2, AUTH_KIND, E_UNAUTHENTICATED);
	replace(&x, HOOK_OFF, NOW, 0);
	ingest(&x, HOOK_OFF, 2, AUTH_EXPIRED, E_UNAUTHENTICATED);
	replace(&x, HOOK, NOW + 1, NOW);
	ingest(&x, HOOK, 1, AUTH_REVOKED, E_UNAUTHENTICATED);
	bench_close(&x);
}

TEST(system_and_supposed)
{
	struct target t = {.perm = PERM_USER_EDIT};
	const struct actor *a;
	struct uuid ann = id_of(OBJECT_USER, 1);
	struct bench x;

	bench_open(&x);
	a = auth_system(&x.a, x.w);
	T_REQUIRE(a != NULL);
	T_OK(access_decide(a, &t, NOW).allowed);
	a = auth_supposed(&x.a, x.w, PRINCIPAL_USER, &ann);
	T_REQUIRE(a != NULL);
	T_EQ_STR(a->name, STR("ann@x"));
	T_OK(!access_decide(a, &t, NOW).allowed);
	T_OK(auth_supposed(&x.a, x.w, PRINCIPAL_SYSTEM, &ann) == NULL);
	T_OK(auth_supposed(&x.a, x.w, PRINCIPAL_SYSTEM, &ann) == NULL);
	bench_close(&x);
}

/* ---- time ---- */

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
once(struct bench *x, const char *header)
{
	enum { EACH = 50 };
	const struct actor *who = NULL;
	enum auth_reason why;
	struct timespec t0, t1;

	x->in.authorization = str_c(header);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (int i = 0; i < EACH; i++)
		err_ignore(auth_api(&x->a, &x->in, &why, &who), "timed");
	clock_gettime(CLOCK_MONOTONIC, &t1);
	arena_reset(&x->a);
	return ((double)(t1.tv_sec - t0.tv_sec) * 1e9 +
		   (double)(t1.tv_nsec - t0.tv_nsec)) /
	    EACH;
}

/* Medians of interleaved samples of an unknown key id and of a known one
 * with a wrong secret; and of a good token. */
static void
medians(struct bench *x, const char *const header[3], double ret[3])
{
	enum { SAMPLES = 401 };
	static double v[3][SAMPLES];

	for (size_t i = 0; i < SAMPLES; i++)
		for (size_t k = 0; k < 3; k++)
			v[k][i] = once(x, header[k]);
	for (size_t k = 0; k < 3; k++) {
		qsort(v[k], SAMPLES, sizeof(double), by_value);
		ret[k] = v[k][SAMPLES / 2];
	}
}

TEST(L18_time_does_not_tell_whether_a_key_id_exists)
{
	char unknown[128], wrong[128], good[128], id[TOKEN_KEY_ID + 1];
	const char *const header[3] = {unknown, wrong, good};
	char t[TOKEN_TEXT + 1];
	struct world_builder *b;
	struct token tok;
	struct bench x;
	double m[3], off = 1;

	bench_open(&x);
	token_make('p', t, id);
	snprintf(unknown, sizeof unknown, "Bearer %s", t);
	snprintf(good, sizeof good, "Bearer %s", x.text[PERSONAL]);
	token_make('p', t, id);
	snprintf(wrong, sizeof wrong, "Bearer %s", t);
	tok = *world_token_key(x.w, x.text[PERSONAL] + 4);
	tok.o.id = id_of(OBJECT_TOKEN, 50);
	memcpy(tok.key_id, id, sizeof id);
	put(b = from(x.w), &tok);
	world_unref(x.w);
	x.in.world = x.w = done(b);
	api(&x, unknown, AUTH_UNKNOWN);
	api(&x, wrong, AUTH_WRONG_SECRET);
	for (int tries = 0; tries < 5 && off > 0.05; tries++) {
		medians(&x, header, m);
		off = m[0] > m[1] ? (m[0] - m[1]) / m[1] : (m[1] - m[0]) / m[0];
	}
	printf("# unknown %.0f ns, wrong secret %.0f ns, good %.0f ns\n", m[0],
	    m[1], m[2]);
#ifndef REDOUBT_SANITIZED
	T_OK(off <= 0.05);
	T_OK(m[2] < 4000);
#endif
	bench_close(&x);
}

T_MAIN
