/*
 * t_saml.c: the corpus of tests/vectors/saml/gen.py: no false accept, no
 * false reject, and each refusal for its own reason.
 */
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <time.h>

#include "auth/saml_meta.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "tests/t.h"

enum { CORPUS_MAX = 64 * 1024 * 1024 };
#ifdef REDOUBT_SANITIZED
enum { SLOWER = 20 };
#else
enum { SLOWER = 1 };
#endif
/* For any document at all, the worst of the corpus included. */
enum { WORST_US = 100000 * SLOWER };

static char *corpus;
static size_t corpus_n;
static struct arena a;

static void
load(void)
{
	FILE *f = popen("/usr/bin/python3 tests/vectors/saml/gen.py", "r");
	size_t got;

	corpus = malloc(CORPUS_MAX);
	if (f == NULL || corpus == NULL)
		exit(1);
	while (
	    (got = fread(corpus + corpus_n, 1, CORPUS_MAX - corpus_n, f)) > 0)
		corpus_n += got;
	if (pclose(f) != 0) {
		printf("# gen.py failed\n");
		exit(1);
	}
}

static struct str
bin(struct arena *to, const struct json *j)
{
	struct str s = STR_NONE, out = STR("");

	if (json_str(j, &s) && s.n > 0 && !b64_decode(to, s, &out))
		printf("# bad base64 in the corpus\n");
	return out;
}

static bool
flag(const struct json *o, const char *name)
{
	bool v = false;

	(void)json_bool(json_get(o, str_c(name)), &v);
	return v;
}

static void
provider(struct arena *to, const struct json *o, struct saml_provider *p)
{
	*p = (struct saml_provider){
	    .entity = json_str_at(o, STR("entity")),
	    .sp_entity = json_str_at(o, STR("sp")),
	    .acs = json_str_at(o, STR("acs")),
	    .request = json_str_at(o, STR("request")),
	    .unsolicited = flag(o, "unsolicited"),
	    .cbc = flag(o, "cbc"),
	};
	(void)json_i64(json_get(o, STR("sha1_until")), 0, INT64_MAX,
	    &p->sha1_until);
	for (const struct json *j = json_first(json_get(o, STR("keys")));
	     j != NULL; j = j->next)
		p->keys[p->keys_n++] = bin(to, j);
	for (const struct json *j = json_first(json_get(o, STR("decrypt")));
	     j != NULL; j = j->next)
		p->decrypt[p->decrypt_n++] = bin(to, j);
}

struct tally {
	int good, bad, wrong, let_in;
	int64_t worst_us; /* of processor time */
};

/* Not the wall's: other processes have theirs. */
static int64_t
cpu_us(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) != 0)
		exit(1);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Through the encodings too: what the process boundary sees. */
static enum saml_reason
judge(const struct saml_provider *p, struct str xml, int64_t now,
    struct saml_identity *ret)
{
	struct saml_provider q;
	struct saml_identity id = {0};
	enum saml_reason why, again;
	struct buf b, v;

	buf_init_on(&b, &a, 65536);
	saml_provider_encode(&b, p);
	if (!saml_provider_decode(buf_view(&b), &q))
		T_FAIL("provider does not decode");
	why = saml_verify(&a, &q, xml, now, &id);
	buf_init_on(&v, &a, SAML_FLAT_MAX);
	saml_verdict_encode(&v, why, &id);
	if (!saml_verdict_decode(&a, buf_view(&v), &again, ret))
		T_FAIL("verdict does not decode");
	return again;
}

#define SLO STR("https://sp.example/auth/saml/corp/logout")

static enum saml_reason
other(const struct json *j, const struct saml_provider *p, struct str in,
    int64_t now, struct saml_identity *ret)
{
	struct str kind = json_str_at(j, STR("kind")), relay, slo = SLO;
	struct trail t = {{0}};
	struct saml_logout l = {0};
	struct saml_meta m = {0};
	enum saml_reason why = SAML_OK;

	if (str_is(kind, "meta")) {
		if (!err_ok(saml_meta_read(&a, in, now, &t, &m)))
			why = SAML_METADATA;
		ret->name_id = m.entity;
		return why;
	}
	if (json_str_at(json_get(j, STR("provider")), STR("slo")).p != NULL)
		slo = json_str_at(json_get(j, STR("provider")), STR("slo"));
	if (str_is(kind, "query"))
		why = saml_logout_query(&a, p, slo, in, now, &l, &relay);
	else
		why = saml_logout_document(&a, p, slo, in, now, &l);
	ret->name_id = l.name_id;
	return why;
}

/* Attribute x, if the case says what it has. */
static bool
values_are(const struct json *want, const struct saml_identity *id)
{
	const struct saml_attribute *x = id->attributes;
	size_t n = 0;

	if (want == NULL || want->kind != JSON_ARRAY)
		return true;
	if (id->attributes_n != 1 || !str_is(x->name, "x") ||
	    x->n != want->count)
		return false;
	for (const struct json *j = json_first(want); j != NULL; j = j->next)
		if (!str_eq(j->text, x->value[n++]))
			return false;
	return true;
}

static void
one(struct str line, struct tally *t)
{
	static const struct json_limits lim = {8, 100, 10000};
	struct trail trail = {{0}};
	struct saml_identity id;
	struct saml_provider p;
	const struct json *j;
	struct str name, expect;
	enum saml_reason why;
	int64_t now = 0, start;

	if (!err_ok(json_parse(&a, line, &lim, &trail, &j))) {
		T_FAIL("bad line");
		return;
	}
	name = json_str_at(j, STR("name"));
	expect = json_str_at(j, STR("expect"));
	(void)json_i64(json_get(j, STR("now")), 0, INT64_MAX, &now);
	provider(&a, json_get(j, STR("provider")), &p);
	start = cpu_us();
	if (str_is(json_str_at(j, STR("kind")), "response"))
		why = judge(&p, bin(&a, json_get(j, STR("xml"))), now, &id);
	else
		why = other(j, &p, bin(&a, json_get(j, STR("xml"))), now, &id);
	start = cpu_us() - start;
	if (start > t->worst_us)
		t->worst_us = start;
	if (str_is(expect, "ok")) {
		t->good++;
		if (why != SAML_OK ||
		    !str_eq(id.name_id, json_str_at(j, STR("subject"))) ||
		    !values_are(json_get(j, STR("values")), &id))
			T_FAIL("%.*s: refused, %s", STR_ARG(name),
			    saml_reason_text(why));
		return;
	}
	t->bad++;
	t->let_in += why == SAML_OK;
	if (why == SAML_OK)
		T_FAIL("%.*s: ACCEPTED as %.*s", STR_ARG(name),
		    STR_ARG(id.name_id));
	else if (!str_is(expect, saml_reason_text(why))) {
		t->wrong++;
		T_FAIL("%.*s: %s", STR_ARG(name), saml_reason_text(why));
	}
}

static void
all(struct tally *t)
{
	struct str rest = str_of(corpus, corpus_n), line;

	arena_init(&a, 64 * 1024 * 1024);
	while (rest.n > 0) {
		(void)str_cut(rest, '\n', &line, &rest);
		if (line.n > 0)
			one(line, t);
		arena_reset(&a);
	}
	arena_done(&a);
}

TEST(corpus)
{
	struct tally t = {0};

	load();
	saml_warm();
	all(&t);
	printf("# %d good, %d bad, slowest %lld us\n", t.good, t.bad,
	    (long long)t.worst_us);
	T_OK(t.good >= 32 && t.good + t.bad >= 260);
	T_OK(t.worst_us < WORST_US);
}

static int
earlier(const void *x, const void *y)
{
	int64_t l = *(const int64_t *)x, r = *(const int64_t *)y;

	return l < r ? -1 : l > r;
}

/* The 99th percentile of verifying the good response of that name. */
static int64_t
p99_us(const char *name)
{
	enum { N = 200 };
	static const struct json_limits lim = {8, 100, 10000};
	struct str rest = str_of(corpus, corpus_n), line, xml;
	struct saml_identity id;
	struct saml_provider p;
	struct trail t = {{0}};
	const struct json *j;
	int64_t us[N], now = 0;

	do {
		arena_reset(&a);
		(void)str_cut(rest, '\n', &line, &rest);
		if (!err_ok(json_parse(&a, line, &lim, &t, &j)))
			return INT64_MAX;
	} while (!str_is(json_str_at(j, STR("name")), name));
	provider(&a, json_get(j, STR("provider")), &p);
	xml = bin(&a, json_get(j, STR("xml")));
	(void)json_i64(json_get(j, STR("now")), 0, INT64_MAX, &now);
	for (size_t i = 0; i < N; i++) {
		struct arena once;

		arena_init(&once, 64 * 1024 * 1024);
		us[i] = cpu_us();
		T_EQ_INT(saml_verify(&once, &p, xml, now, &id), SAML_OK);
		us[i] = cpu_us() - us[i];
		arena_done(&once);
	}
	qsort(us, N, sizeof *us, earlier);
	printf("# %s: %zu bytes, p50 %lld us, p99 %lld us\n", name, xml.n,
	    (long long)us[N / 2], (long long)us[N * 99 / 100]);
	return us[N * 99 / 100];
}

TEST(it_takes_little_time)
{
	arena_init(&a, 64 * 1024 * 1024);
	T_OK(p99_us("ok.size_8k") < 5000 * SLOWER);
	T_OK(p99_us("ok.size_256k") < 50000 * SLOWER);
	arena_done(&a);
}

/* Signed as a provider would verify it: read back by our own reader, which
 * then finds no LogoutRequest in it. */
static enum saml_reason
read_back(struct str url, const struct saml_provider *p)
{
	struct saml_logout l;
	struct str query, relay, head;

	if (!str_cut(url, '?', &head, &query))
		return SAML_REASON_MAX_;
	return saml_logout_query(&a, p, SLO, query, 0, &l, &relay);
}

static void
addresses(EVP_PKEY *key, EVP_PKEY *other)
{
	unsigned char *der = NULL, *spki = NULL, *wrong = NULL;
	struct saml_self self = {.entity = STR("https://sp.example/m?a&b"),
	    .acs = STR("https://sp.example/acs"),
	    .slo = STR("https://sp.example/slo")};
	struct saml_provider p = {.keys_n = 1}, q = {.keys_n = 1};
	struct str url;
	struct buf b;

	self.key.n = (size_t)i2d_PrivateKey(key, &der);
	self.key.p = (const char *)der;
	p.keys[0].n = (size_t)i2d_PUBKEY(key, &spki);
	p.keys[0].p = (const char *)spki;
	q.keys[0].n = (size_t)i2d_PUBKEY(other, &wrong);
	q.keys[0].p = (const char *)wrong;
	T_OK(err_ok(saml_login_url(&a, &self, STR("https://idp/sso"), STR("_1"),
	    STR("r&s"), true, 0, &url)));
	T_OK(str_starts(url, STR("https://idp/sso?SAMLRequest=")));
	T_EQ_INT(read_back(url, &p), SAML_SHAPE);
	T_EQ_INT(read_back(url, &q), SAML_SIGNATURE);
	T_OK(!err_ok(saml_login_url(&a, &self, STR("https://idp/sso"),
	    STR("_1"), str_of(url.p, 81), true, 0, &url)));
	buf_init_on(&b, &a, 65536);
	saml_self_write(&b, &self);
	T_OK(err_ok(buf_check(&b)));
	T_OK(memmem(b.p, b.n, "m?a&amp;b", 9) != NULL);
	self.key = STR("none");
	T_OK(!err_ok(saml_login_url(&a, &self, STR("https://idp/sso"),
	    STR("_1"), STR("r"), false, 0, &url)));
	OPENSSL_free(der);
	OPENSSL_free(spki);
	OPENSSL_free(wrong);
}

TEST(our_addresses_are_signed)
{
	EVP_PKEY *ec = EVP_EC_gen("P-256"), *rsa = EVP_RSA_gen(2048);
	EVP_PKEY *ec2 = EVP_EC_gen("P-256"), *rsa2 = EVP_RSA_gen(2048);

	arena_init(&a, 1 << 24);
	addresses(ec, ec2);
	addresses(rsa, rsa2);
	arena_done(&a);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec2);
	EVP_PKEY_free(rsa2);
}

#ifndef SAML_CHECK_KILL
T_MAIN
#else
/*
 * tools/check-kill: for each name on standard input, does the corpus notice
 * that this check is gone?  A crash is noticing, too.  "name noticed", "name
 * accepted" when a bad response got in, or "name survives".
 */
#include <sys/wait.h>
#include <unistd.h>

extern const char *saml_killed;

static void
without(const char *name)
{
	struct tally t = {0};
	int status = 0, null;
	pid_t pid = fork();

	if (pid == 0) {
		null = open("/dev/null", O_WRONLY);
		(void)dup2(null, 1);
		saml_killed = name;
		all(&t);
		_exit(t.let_in > 0 ? 2 : t_bad != 0);
	}
	(void)waitpid(pid, &status, 0);
	printf("%s %s\n", name,
	    !WIFEXITED(status)		   ? "noticed"
		: WEXITSTATUS(status) == 0 ? "survives"
		: WEXITSTATUS(status) == 2 ? "accepted"
					   : "noticed");
	fflush(stdout);
}

int
main(void)
{
	char name[64];

	load();
	saml_warm();
	while (scanf("%63s", name) == 1)
		without(name);
	return 0;
}
#endif
