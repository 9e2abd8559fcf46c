/*
 * t_jose_vectors.c: all JOSE vectors of Project Wycheproof.  Valid ones are
 * accepted, invalid ones refused, but for what jose-waivers.txt names with a
 * reason; algorithms we do not speak are refused, valid or not.
 */
#include "auth/jose.h"
#include "base/text.h"
#include "tests/t.h"

enum { FILE_MAX_ = 1 << 20, WAIVERS = 16 };

static struct arena a, file;
static int valid, invalid, unspoken, waived;

struct waiver {
	char file[32];
	int id;
	char verdict[16]; /* accept, refuse */
	bool used;
};
static struct waiver waivers[WAIVERS];
static size_t waivers_n;

static void
load_waivers(void)
{
	FILE *f = fopen("tests/vectors/wycheproof/jose-waivers.txt", "r");
	char line[512];

	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		struct waiver *w = &waivers[waivers_n];

		if (line[0] != '#' && waivers_n < WAIVERS &&
		    sscanf(line, "%31s %d %15s", w->file, &w->id, w->verdict) ==
			3)
			waivers_n++;
	}
	if (f != NULL)
		fclose(f);
}

static bool
is_waived(const char *name, int id, bool accepted)
{
	for (size_t i = 0; i < waivers_n; i++) {
		struct waiver *w = &waivers[i];

		if (w->id == id && strcmp(w->file, name) == 0 &&
		    strcmp(w->verdict, accepted ? "accept" : "refuse") == 0) {
			w->used = true;
			waived++;
			return true;
		}
	}
	return false;
}

static const struct json *
read_file(const char *name)
{
	static const struct json_limits lim = {16, 100000, 1000000};
	char path[128], *text = arena_raw(&file, FILE_MAX_);
	struct trail t = {{0}};
	const struct json *j = NULL;
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof path,
	    "tests/vectors/wycheproof/json_web_%s_test.json", name);
	f = fopen(path, "r");
	if (f == NULL || text == NULL)
		return NULL;
	n = fread(text, 1, FILE_MAX_, f);
	fclose(f);
	if (!err_ok(json_parse(&file, str_of(text, n), &lim, &t, &j)))
		return NULL;
	return j;
}

/* The set of a group, as its owner would hold it. */
static struct jwks *
keys_of(const struct json *group, bool encrypted, enum jose_why *why)
{
	const struct json *o = json_get(group, STR("public"));
	enum jwk_want want = JWK_PUBLIC;
	struct jwks *set = NULL;
	struct buf b;

	if (o == NULL || encrypted) {
		o = json_get(group, STR("private"));
		want = JWK_PRIVATE;
	}
	if (memmem(o->raw.p, o->raw.n, "\"oct\"", 5) != NULL)
		want = JWK_SECRET;
	buf_init_on(&b, &a, 65536);
	if (json_get(o, STR("keys")) == NULL)
		buf_c(&b, "{\"keys\":[");
	buf_str(&b, o->raw);
	if (json_get(o, STR("keys")) == NULL)
		buf_c(&b, "]}");
	if (!err_ok(jwks_parse(&a, buf_view(&b), want, why, &set)))
		return NULL;
	return set;
}

/* Does its header name only what jose_algs.def has? */
static bool
spoken(struct str token)
{
	static const char *const not [] = {"A128KW", "A192KW", "A256KW\"",
	    "GCMKW", "CBC-HS", "RSA1_5", "RSA-OAEP\"", "A192GCM", "PBES2",
	    "RSA-OAEP-384", "RSA-OAEP-512"};
	struct str head, rest, plain;
	char text[512] = "";

	(void)str_cut(token, '.', &head, &rest);
	if (!b64url_decode(&a, head, &plain))
		return true;
	(void)snprintf(text, sizeof text, "%.*s", STR_ARG(plain));
	if (strstr(text, "ECDH-ES+A256KW") != NULL &&
	    strstr(text, "CBC-HS") == NULL)
		return true;
	for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
		if (strstr(text, not [i]) != NULL)
			return false;
	return true;
}

static bool
accepted(struct str token, bool encrypted, const struct jwks *keys,
    enum jose_why *why)
{
	struct jws_rules sig = {JOSE_PUBLIC_ALGS | JOSE_SECRET_ALGS, 65536};
	struct jwe_rules enc = {JOSE_WRAP_ALGS | JOSE_BIT(JOSE_DIR),
	    JOSE_SEAL_ALGS, 65536, false};
	struct jws s;
	struct jwe e;

	if (keys == NULL)
		return false;
	if (encrypted)
		return err_ok(jwe_decrypt(&a, token, &enc, keys, why, &e));
	return err_ok(jws_verify(&a, token, &sig, keys, why, &s));
}

static void
judge(const char *name, const struct json *group, const struct json *test)
{
	struct str token = json_str_at(test, STR("jws"));
	struct str result = json_str_at(test, STR("result"));
	bool encrypted = token.p == NULL, want, got;
	enum jose_why why = WHY_OK;
	struct jwks *keys;
	int64_t id = 0;

	if (encrypted)
		token = json_str_at(test, STR("jwe"));
	(void)json_i64(json_get(test, STR("tcId")), 0, 100000, &id);
	keys = keys_of(group, encrypted, &why);
	got = accepted(token, encrypted, keys, &why);
	want = str_is(result, "valid");
	if (want && !spoken(token)) {
		unspoken++;
		want = false;
	}
	valid += want;
	invalid += !want;
	if (got != want && !is_waived(name, (int)id, got))
		T_FAIL("%s %d %s: %s %.*s", name, (int)id,
		    got ? "accepted" : "refused", jose_why_text(why),
		    STR_ARG(json_str_at(test, STR("comment"))));
	(void)jwks_free(keys);
	arena_reset(&a);
}

static void
run(const char *name)
{
	const struct json *j = read_file(name);

	if (j == NULL) {
		T_FAIL("%s cannot be read", name);
		return;
	}
	for (const struct json *g = json_first(json_get(j, STR("testGroups")));
	     g != NULL; g = g->next)
		for (const struct json *t =
			 json_first(json_get(g, STR("tests")));
		     t != NULL; t = t->next)
			judge(name, g, t);
	arena_reset(&file);
}

TEST(wycheproof)
{
	arena_init(&a, 1 << 24);
	arena_init(&file, 1 << 26);
	load_waivers();
	run("signature");
	run("key");
	run("crypto");
	run("encryption");
	printf("# %d vectors: %d to accept, %d to refuse (%d of them valid, in "
	       "algorithms not spoken), %d waived\n",
	    valid + invalid, valid, invalid, unspoken, waived);
	T_EQ_INT(valid + invalid, 649);
	for (size_t i = 0; i < waivers_n; i++)
		if (!waivers[i].used)
			T_FAIL("waiver of %s %d is not needed", waivers[i].file,
			    waivers[i].id);
	arena_done(&a);
	arena_done(&file);
}

T_MAIN
