/*
 * Senders: the auth object, headers and body of a delivery.  Lines: the auth
 * object, then "name: value" headers, an empty line, the body.  Whoever does
 * not know the secret is never let in by one.
 */
#include "auth/hook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { HEADERS = 16 };
struct head {
	struct str name[HEADERS], value[HEADERS];
	size_t n;
};

static size_t
header(const void *ctx, struct str name, struct str *ret)
{
	const struct head *h = ctx;
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++) {
		if (str_eq(h->name[i], name) && n++ == 0)
			*ret = h->value[i];
	}
	return n;
}

static struct str
written(struct arena *a, const struct hook_auth *h)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, a, 1 << 20);
	jw_init(&w, &b);
	hook_auth_write(&w, h);
	BUG_ON(b.failed);
	return buf_view(&b);
}

/* What is written reads as itself, and holds no secret. */
static void
round_trip(struct arena *a, const struct hook_auth *h)
{
	static const struct json_limits lim = {32, 1000, 50000};
	struct str text = written(a, h);
	struct hook_auth again;
	const struct json *j;
	struct trail t = {""};

	BUG_ON(!err_ok(json_parse(a, text, &lim, NULL, &j)));
	BUG_ON(!err_ok(hook_auth_parse(a, j, &t, &again)));
	BUG_ON(again.given.n != 0 || again.n != h->n);
	BUG_ON(!str_eq(text, written(a, &again)));
}

static void
deliver(struct arena *a, const struct hook_auth *h, const struct head *head,
    struct str body)
{
	static const struct hook_secrets secrets = {
	    .s = {{.kind = HOOK_HMAC, .text = {"never in the corpus: a", 22}},
		{.kind = HOOK_HMAC, .text = {"never in the corpus: b", 22}},
		{.kind = HOOK_URL_KEY, .text = {"never in the corpus: c", 22}}},
	    .n = 3,
	};
	struct hook_input in = {
	    .header = header,
	    .ctx = head,
	    .body = body,
	    .address = STR("192.0.2.1"),
	    .token = HOOK_WHY_TOKEN,
	    .now = INT64_C(1614265330000),
	};
	const struct hook_rule *r = hook_rule_of(h, HOOK_HMAC);
	struct hook_proof p;

	if (head->n > 0)
		in.url_key = head->value[0];
	hook_check(a, h, &secrets, &in, &p);
	if (p.why != HOOK_WHY_OK)
		return;
	BUG_ON(hook_wants_token(h));
	BUG_ON(r != NULL && r->hmac.public_keys == 0);
	BUG_ON(hook_rule_of(h, HOOK_URL_KEY) != NULL);
	BUG_ON(hook_rule_of(h, HOOK_MTLS) != NULL); /* there is none */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct json_limits lim = {32, 1000, 50000};
	struct str in = str_of((const char *)data, n), auth, line;
	struct str user, password;
	struct head head = {.n = 0};
	struct hook_secrets s;
	const struct json *j;
	struct hook_auth h;
	struct trail t = {""};
	struct arena a;

	arena_init(&a, 8 << 20);
	str_cut(in, '\n', &auth, &in);
	while (head.n < HEADERS && in.n > 0) {
		str_cut(in, '\n', &line, &in);
		if (line.n == 0)
			break;
		str_cut(line, ':', &head.name[head.n], &head.value[head.n]);
		head.value[head.n] = str_trim(head.value[head.n]);
		if (hook_basic(&a, head.value[head.n], &user, &password))
			BUG_ON(memchr(user.p, ':', user.n) != NULL);
		head.n++;
	}
	if (err_ok(json_parse(&a, auth, &lim, NULL, &j))) {
		if (err_ok(hook_auth_parse(&a, j, &t, &h))) {
			round_trip(&a, &h);
			deliver(&a, &h, &head, in);
		} else {
			BUG_ON(t.detail[0] == '\0');
		}
	}
	if (err_ok(hook_secrets_parse(&a, auth, &s)))
		BUG_ON(s.n > HOOK_SECRETS);
	arena_done(&a);
	return 0;
}
