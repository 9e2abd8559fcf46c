/* Sender schemes: published vectors, and what must not pass. */
#include "auth/hook.h"

#include <stdarg.h>

#include "base/limits.h"
#include "base/text.h"
#include "tests/t.h"

enum { HEADERS = 12 };
struct bench {
	struct arena a;
	struct hook_auth auth;
	struct hook_secrets secrets;
	struct hook_input in;
	struct hook_proof proof;
	struct {
		struct str name, value;
	} h[HEADERS];
	size_t h_n;
};

static size_t
header(const void *ctx, struct str name, struct str *ret)
{
	const struct bench *x = ctx;
	size_t n = 0;

	for (size_t i = 0; i < x->h_n; i++) {
		if (!str_eq(x->h[i].name, name))
			continue;
		if (n++ == 0)
			*ret = x->h[i].value;
	}
	return n;
}

static const struct json_limits limits = {16, 100, 1000};

static err
parse(struct bench *x, const char *auth, struct trail *t)
{
	const struct json *j;

	T_GOOD(json_parse(&x->a, str_c(auth), &limits, NULL, &j));
	return hook_auth_parse(&x->a, j, t, &x->auth);
}

static void
open_bench(struct bench *x, const char *auth)
{
	struct trail t = {""};

	memset(x, 0, sizeof *x);
	arena_init(&x->a, 8 << 20);
	x->in = (struct hook_input){.header = header,
	    .ctx = x,
	    .body = STR("Hello, World!"),
	    .address = STR("192.0.2.7"),
	    .now = INT64_C(1614265330000)};
	T_GOOD(parse(x, auth, &t));
	if (t.detail[0] != '\0')
		T_FAIL("%s: %s", auth, t.detail);
}

static void
secret(struct bench *x, enum hook_kind k, const char *text, int64_t expires)
{
	struct hook_secret *s = &x->secrets.s[x->secrets.n++];

	s->kind = k;
	s->text = str_c(text);
	s->expires = expires;
	s->id.b[0] = (uint8_t)x->secrets.n;
}

static void
set(struct bench *x, const char *name, struct str value)
{
	for (size_t i = 0; i < x->h_n; i++) {
		if (str_is(x->h[i].name, name)) {
			x->h[i].value = value;
			return;
		}
	}
	x->h[x->h_n].name = str_c(name);
	x->h[x->h_n++].value = value;
}

static struct str PRINTF(2, 3) text(struct bench *x, const char *fmt, ...)
{
	char t[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(t, sizeof t, fmt, ap);
	va_end(ap);
	return arena_dup(&x->a, str_c(t));
}

static void
want_(struct bench *x, enum hook_reason why, int line)
{
	hook_check(&x->a, &x->auth, &x->secrets, &x->in, &x->proof);
	if (x->proof.why != why)
		T_FAIL("line %d: %s, want %s", line,
		    hook_reason_text(x->proof.why), hook_reason_text(why));
}
#define WANT(x, why) want_((x), HOOK_WHY_##why, __LINE__)

/* Hex of an HMAC-SHA256, for tests that sign. */
static struct str
sign(struct bench *x, enum mac_digest d, const char *key, const char *what,
    bool base64)
{
	struct str piece = str_c(what);
	uint8_t mac[MAC_MAX];
	struct buf b;

	T_GOOD(mac_hmac(d, str_c(key), &piece, 1, mac));
	buf_init_on(&b, &x->a, 256);
	if (base64)
		b64_add(&b, str_of((const char *)mac, mac_size(d)));
	else
		hex_add(&b, str_of((const char *)mac, mac_size(d)));
	return buf_view(&b);
}

/* RFC 4231, test cases 1 and 2, and 6 (a key longer than a block). */
TEST(hmac_vectors)
{
	static const char want1[] = "b0344c61d8db38535ca8afceaf0bf12b"
				    "881dc200c9833da726e9376c2e32cff7";
	static const char want2[] =
	    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";
	static const char want6[] =
	    "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
	    "0c2ef6ab4030fe8296248df163f44952";
	struct str piece[2] = {STR("Hi "), STR("There")};
	struct str two[1] = {STR("what do ya want for nothing?")};
	struct str six[1] = {
	    STR("Test Using Larger Than Block-Size Key - Hash Key First")};
	uint8_t mac[MAC_MAX], want[MAC_MAX];
	char k1[20], k6[131];

	memset(k1, 0x0b, sizeof k1);
	memset(k6, 0xaa, sizeof k6);
	for (int i = 0; i < 2; i++) { /* twice: contexts are kept */
		T_GOOD(
		    mac_hmac(MAC_SHA256, str_of(k1, sizeof k1), piece, 2, mac));
		T_OK(hex_decode(str_c(want1), want, 32));
		T_EQ_MEM(mac, want, 32);
		T_GOOD(mac_hmac(MAC_SHA512, STR("Jefe"), two, 1, mac));
		T_OK(hex_decode(str_c(want2), want, 64));
		T_EQ_MEM(mac, want, 64);
		T_GOOD(
		    mac_hmac(MAC_SHA384, str_of(k6, sizeof k6), six, 1, mac));
		T_OK(hex_decode(str_c(want6), want, 48));
		T_EQ_MEM(mac, want, 48);
	}
	T_ERR(mac_hmac(MAC_SHA256, STR(""), piece, 2, mac), E_CRYPTO);
	T_GOOD(mac_sha256(piece, 0, mac));
	T_OK(hex_decode(STR("e3b0c44298fc1c149afbf4c8996fb924"
			    "27ae41e4649b934ca495991b7852b855"),
	    want, 32));
	T_EQ_MEM(mac, want, 32);
}

/* docs.github.com, "Validating webhook deliveries": its test values. */
static const char github_sig[] =
    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

TEST(github)
{
	struct bench x;

	open_bench(&x, "{\"kind\":\"hmac\",\"scheme\":\"github\"}");
	WANT(&x, MISSING);
	set(&x, "x-hub-signature-256", str_c(github_sig));
	WANT(&x, SECRET);
	secret(&x, HOOK_HMAC, "It's a Secret to Everybody", 0);
	WANT(&x, OK);
	T_OK(x.proof.once && !x.proof.timed);
	T_EQ_INT(x.proof.secret.b[0], 1);
	x.in.body = STR("Hello, World");
	WANT(&x, SIG);
	x.in.body = STR("Hello, World!");
	set(&x, "x-hub-signature-256", str_head(str_c(github_sig), 70));
	WANT(&x, MALFORMED);
	set(&x, "x-hub-signature-256", str_skip(str_c(github_sig), 7));
	WANT(&x, MALFORMED); /* no prefix */
	set(&x, "x-hub-signature-256",
	    text(&x, "%s,%s", github_sig, github_sig));
	WANT(&x, MALFORMED); /* there is one signature */
	set(&x, "x-hub-signature-256", str_c(github_sig));
	x.h[x.h_n].name = STR("x-hub-signature-256");
	x.h[x.h_n++].value = str_c(github_sig);
	WANT(&x, TWICE);
	x.h_n--;
	x.secrets.s[0].kind = HOOK_URL_KEY; /* a secret for something else */
	WANT(&x, SECRET);
	arena_done(&x.a);
}

/* Every bit of a signature counts. */
TEST(github_digits)
{
	char sig[sizeof github_sig];
	struct bench x;

	open_bench(&x, "{\"kind\":\"hmac\",\"scheme\":\"github\"}");
	secret(&x, HOOK_HMAC, "It's a Secret to Everybody", 0);
	for (size_t i = 7; i < sizeof sig - 1; i++) {
		memcpy(sig, github_sig, sizeof sig);
		sig[i] = sig[i] == '0' ? '1' : '0';
		set(&x, "x-hub-signature-256", str_c(sig));
		WANT(&x, SIG);
	}
	arena_done(&x.a);
}

TEST(two_secrets)
{
	struct bench x;

	open_bench(&x, "{\"kind\":\"hmac\",\"scheme\":\"github\"}");
	set(&x, "x-hub-signature-256", str_c(github_sig));
	secret(&x, HOOK_HMAC, "the one after it, quite new", 0);
	WANT(&x, SIG);
	secret(&x, HOOK_HMAC, "It's a Secret to Everybody", x.in.now + 1);
	WANT(&x, OK);
	T_EQ_INT(x.proof.secret.b[0], 2);
	x.in.now++; /* n + 1: the overlap is over */
	WANT(&x, SIG);
	x.secrets.s[0].expires = 1;
	WANT(&x, SECRET);
	arena_done(&x.a);
}

/* The vector of Standard Webhooks' reference libraries. */
TEST(standard_webhooks)
{
	static const char sig[] =
	    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
	struct bench x;
	uint8_t key[32];

	open_bench(&x, "{\"kind\":\"hmac\",\"scheme\":\"standard-webhooks\"}");
	secret(&x, HOOK_HMAC, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0);
	x.in.body = STR("{\"test\": 2432232314}");
	set(&x, "webhook-id", STR("msg_p5jXN8AQM9LWM0D4loKWxJek"));
	set(&x, "webhook-timestamp", STR("1614265330"));
	set(&x, "webhook-signature", str_c(sig));
	WANT(&x, OK);
	T_OK(x.proof.once && x.proof.timed);
	memcpy(key, x.proof.key, 32);
	T_OK(memcmp(key, x.proof.exact, 32) != 0);
	set(&x, "webhook-signature", text(&x, "v1,Zm9v  v2,abc %s v1,aa", sig));
	WANT(&x, OK);
	T_EQ_MEM(key, x.proof.key, 32);
	set(&x, "webhook-signature",
	    text(&x, "a b c d e f g %s", sig)); /* the eighth */
	WANT(&x, OK);
	set(&x, "webhook-signature", text(&x, "a b c d e f g h %s", sig));
	WANT(&x, MALFORMED);
	set(&x, "webhook-signature", str_c(sig));
	x.in.now += LIM_HOOK_SKEW_S * 1000 + 999; /* n seconds */
	WANT(&x, OK);
	x.in.now++; /* n + 1 */
	WANT(&x, TS);
	x.in.now = INT64_C(1614265330000) - LIM_HOOK_SKEW_S * 1000;
	WANT(&x, OK);
	x.in.now--;
	WANT(&x, TS);
	x.in.now = INT64_C(1614265330000);
	set(&x, "webhook-timestamp", STR("1614265330.0"));
	WANT(&x, TS);
	set(&x, "webhook-timestamp", STR("-1"));
	WANT(&x, TS);
	set(&x, "webhook-timestamp", STR("9223372036854775807"));
	WANT(&x, TS);
	set(&x, "webhook-timestamp", STR("1614265331"));
	WANT(&x, SIG);
	set(&x, "webhook-timestamp", STR("1614265330"));
	set(&x, "webhook-id", STR("msg_p5jXN8AQM9LWM0D4loKWxJel"));
	WANT(&x, SIG);
	/* dots would let one id and time stand for another */
	set(&x, "webhook-id", STR("msg.1614265330"));
	WANT(&x, MALFORMED);
	set(&x, "webhook-id", STR(""));
	WANT(&x, MALFORMED);
	arena_done(&x.a);
}

/* RFC 8032 7.1, test 3: key and signature of the two bytes af 82. */
TEST(ed25519)
{
	struct str msg = STR("\xaf\x82");
	uint8_t key[32], sig[64];
	struct bench x;

	T_OK(hex_decode(STR("fc51cd8e6218a1a38da47ed00230f058"
			    "0816ed13ba3303ac5deb911548908025"),
	    key, 32));
	T_OK(hex_decode(
	    STR("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3"
		"ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1e"
		"c40a"),
	    sig, 64));
#define VIEW(a) str_of((const char *)(a), sizeof(a))
	T_OK(mac_ed25519(VIEW(key), msg, VIEW(sig)));
	T_OK(!mac_ed25519(VIEW(key), STR("\xaf\x83"), VIEW(sig)));
	T_OK(!mac_ed25519(str_head(VIEW(key), 31), msg, VIEW(sig)));
	T_OK(!mac_ed25519(VIEW(key), msg, str_head(VIEW(sig), 63)));
	sig[0] ^= 1;
	T_OK(!mac_ed25519(VIEW(key), msg, VIEW(sig)));
	open_bench(&x,
	    "{\"kind\":\"hmac\",\"scheme\":\"standard-webhooks\","
	    "\"public_key\":\"whpk_/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU="
	    "\"}");
	T_EQ_INT(x.auth.rule[0].hmac.public_keys, 1);
	T_EQ_MEM(x.auth.rule[0].hmac.public_key[0].p, key, 32);
	set(&x, "webhook-id", STR("msg_1"));
	set(&x, "webhook-timestamp", STR("1614265330"));
	set(&x, "webhook-signature", STR("v1,AAAA"));
	WANT(&x, MALFORMED);
	set(&x, "webhook-signature",
	    STR("v1a,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="));
	WANT(&x, SIG);
	arena_done(&x.a);
}

TEST(slack)
{
	struct bench x;

	open_bench(&x, "{\"kind\":\"hmac\",\"scheme\":\"slack\"}");
	secret(&x, HOOK_HMAC, "8f742231b10e8888abcd99yyyzzz85a5", 0);
	/* api.slack.com, "Verifying requests from Slack" */
	x.in.body =
	    STR("token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain="
		"testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id="
		"U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&"
		"text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%"
		"2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
		"trigger_id=398738663015.47445629121."
		"803a0bc887a14d10d2c447fce8b6703c");
	x.in.now = INT64_C(1531420618000);
	set(&x, "x-slack-request-timestamp", STR("1531420618"));
	set(&x, "x-slack-signature",
	    STR("v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c"
		"69b503"));
	WANT(&x, OK);
	T_OK(x.proof.timed);
	set(&x, "x-slack-request-timestamp", STR("1531420619"));
	WANT(&x, SIG);
	x.h_n = 1; /* without the signature */
	WANT(&x, MISSING);
	arena_done(&x.a);
}

TEST(pagerduty_list)
{
	struct bench x;
	struct str good;

	open_bench(&x, "{\"kind\":\"hmac\",\"scheme\":\"pagerduty\"}");
	secret(&x, HOOK_HMAC, "0123456789abcdef", 0);
	good = sign(&x, MAC_SHA256, "0123456789abcdef", "Hello, World!", false);
	set(&x, "x-pagerduty-signature", text(&x, "v1=%.*s", STR_ARG(good)));
	WANT(&x, OK);
	set(&x, "x-pagerduty-signature",
	    text(&x, "v1=%064d,v1=%.*s", 0, STR_ARG(good)));
	WANT(&x, OK);
	set(&x, "x-pagerduty-signature",
	    text(&x, "v1=%064d, v1=%.*s", 0, STR_ARG(good)));
	WANT(&x, OK);
	set(&x, "x-pagerduty-signature", text(&x, "v0=%.*s", STR_ARG(good)));
	WANT(&x, MALFORMED);
	set(&x, "x-pagerduty-signature", text(&x, "v1=%064d", 0));
	WANT(&x, SIG);
	arena_done(&x.a);
}

TEST(sentry_and_grafana)
{
	struct bench x;
	struct str good;

	open_bench(&x, "{\"kind\":\"hmac\",\"scheme\":\"sentry\"}");
	secret(&x, HOOK_HMAC, "0123456789abcdef", 0);
	good = sign(&x, MAC_SHA256, "0123456789abcdef", "Hello, World!", false);
	set(&x, "sentry-hook-signature", good);
	WANT(&x, OK);
	T_OK(x.proof.once && !x.proof.timed);
	arena_done(&x.a);

	open_bench(&x, "{\"kind\":\"hmac\",\"scheme\":\"grafana\"}");
	secret(&x, HOOK_HMAC, "0123456789abcdef", 0);
	set(&x, "x-grafana-alerting-signature",
	    sign(&x, MAC_SHA256, "0123456789abcdef", "Hello, World!", false));
	WANT(&x, OK);
	T_OK(!x.proof.once); /* Grafana repeats itself word for word */
	arena_done(&x.a);

	open_bench(&x,
	    "{\"kind\":\"hmac\",\"scheme\":\"grafana\",\"timestamp_header\":"
	    "\"X-Grafana-Alerting-Timestamp\"}");
	secret(&x, HOOK_HMAC, "0123456789abcdef", 0);
	set(&x, "x-grafana-alerting-signature",
	    sign(&x, MAC_SHA256, "0123456789abcdef", "1614265330:Hello, World!",
		false));
	WANT(&x, MISSING);
	set(&x, "x-grafana-alerting-timestamp", STR("1614265330"));
	WANT(&x, OK);
	T_OK(x.proof.once && x.proof.timed);
	arena_done(&x.a);
}

TEST(generic)
{
	struct bench x;

	open_bench(&x,
	    "{\"kind\":\"hmac\",\"scheme\":\"generic\",\"header\":\"X-Sig\","
	    "\"prefix\":\"s=\",\"encoding\":\"base64\",\"algorithm\":\"sha512\""
	    ",\"timestamp_header\":\"X-Time\",\"template\":\"a{ts}b{body}c\"}");
	secret(&x, HOOK_HMAC, "0123456789abcdef", 0);
	set(&x, "x-time", STR("1614265330"));
	set(&x, "x-sig",
	    text(&x, "s=%.*s",
		STR_ARG(sign(&x, MAC_SHA512, "0123456789abcdef",
		    "a1614265330bHello, World!c", true))));
	WANT(&x, OK);
	set(&x, "x-sig",
	    text(&x, "s=%.*s",
		STR_ARG(sign(&x, MAC_SHA512, "0123456789abcdef",
		    "a1614265330bHello, World!c", false))));
	WANT(&x, MALFORMED); /* hex */
	set(&x, "x-sig",
	    text(&x, "s=%.*s",
		STR_ARG(sign(&x, MAC_SHA256, "0123456789abcdef",
		    "a1614265330bHello, World!c", true))));
	WANT(&x, MALFORMED); /* the length of another digest */
	arena_done(&x.a);

	open_bench(&x, "{\"kind\":\"hmac\",\"scheme\":\"generic\"}");
	secret(&x, HOOK_HMAC, "0123456789abcdef", 0);
	x.in.body = STR("");
	set(&x, "x-signature",
	    sign(&x, MAC_SHA256, "0123456789abcdef", "", false));
	WANT(&x, OK); /* an empty body is signed like any other */
	arena_done(&x.a);
}

TEST(all_must_hold)
{
	struct bench x;

	open_bench(&x,
	    "[{\"kind\":\"bearer\"},{\"kind\":\"ip_allow\",\"cidrs\":["
	    "\"192.0.2.0/24\",\"2001:db8::/32\"]},"
	    "{\"kind\":\"hmac\",\"scheme\":\"github\"}]");
	secret(&x, HOOK_HMAC, "It's a Secret to Everybody", 0);
	set(&x, "x-hub-signature-256", str_c(github_sig));
	x.in.token = HOOK_WHY_TOKEN;
	WANT(&x, TOKEN);
	x.in.token = HOOK_WHY_OK;
	WANT(&x, OK);
	x.in.address = STR("192.0.3.7");
	WANT(&x, ADDRESS);
	x.in.address = STR("2001:db8::1");
	WANT(&x, OK);
	x.in.body = STR("");
	WANT(&x, SIG);
	x.auth.n = 0; /* who asks for nothing gets nobody */
	WANT(&x, CONFIG);
	arena_done(&x.a);
}

TEST(url_key)
{
	struct bench x;

	open_bench(&x, "{\"kind\":\"url_key\"}");
	T_OK(hook_weakness(&x.auth) != NULL);
	WANT(&x, MISSING);
	x.in.url_key = STR("0123456789abcdef");
	WANT(&x, SECRET);
	secret(&x, HOOK_URL_KEY, "0123456789abcdef", 0);
	WANT(&x, OK);
	x.in.url_key = STR("0123456789abcdeF");
	WANT(&x, URL_KEY);
	x.in.url_key = STR("");
	WANT(&x, URL_KEY);
	arena_done(&x.a);
}

TEST(mtls)
{
	struct hook_cert c = {.not_after = INT64_C(1614265330000)};
	struct bench x;

	c.sha256[0] = 0xab;
	c.spki[31] = 1;
	open_bench(&x,
	    "{\"kind\":\"mtls\",\"fingerprint\":\"AB:00:00:00:00:00:00:00:00:"
	    "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"
	    "00\"}");
	WANT(&x, CERT);
	x.in.cert = &c;
	WANT(&x, OK);
	x.in.now++;
	WANT(&x, CERT_DATE);
	x.in.now--;
	c.not_before = x.in.now + 1;
	WANT(&x, CERT_DATE);
	c.not_before = 0;
	c.sha256[0] = 0xaa;
	WANT(&x, CERT);
	arena_done(&x.a);

	open_bench(&x,
	    "{\"kind\":\"mtls\",\"spki\":[\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	    "AAAAAAAAI=\",\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"]}");
	x.in.cert = &c;
	WANT(&x, OK);
	c.spki[0] = 1;
	WANT(&x, CERT);
	arena_done(&x.a);
}

TEST(basic_header)
{
	struct str user, password;
	struct arena a;

	arena_init(&a, 65536);
	/* RFC 7617 2 */
	T_OK(hook_basic(&a, STR("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), &user,
	    &password));
	T_EQ_STR(user, STR("Aladdin"));
	T_EQ_STR(password, STR("open sesame"));
	T_OK(hook_basic(&a, STR("bAsIc  OjpicA=="), &user, &password));
	T_EQ_INT(user.n, 0);
	T_EQ_STR(password, STR(":bp"));
	T_OK(!hook_basic(&a, STR("Basic"), &user, &password));
	T_OK(!hook_basic(&a, STR("Basic "), &user, &password));
	T_OK(!hook_basic(&a, STR("Basic QWxhZGRpbg=="), &user, &password));
	T_OK(!hook_basic(&a, STR("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ"), &user,
	    &password));
	T_OK(!hook_basic(&a, STR("Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), &user,
	    &password));
	arena_done(&a);
}

T_MAIN
