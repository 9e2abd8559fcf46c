/*
 * oauth.c: access tokens of services (RFC 6749 4.4 and 6).  A token is asked
 * for with no more scopes than the action needs, kept in memory until it is
 * about to expire, and forgotten when a service does not take it.
 *
 * The secret of oauth2_client is the client's.  That of oauth2_refresh is the
 * refresh token, or {"refresh_token","client_secret"} when the client has a
 * secret as well.  A refresh token that replaces another is kept as long as
 * this process; the store of secrets is written by people only.
 */
#include <openssl/sha.h>
#include <pthread.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/time.h"
#include "delegate/broker_inner.h"

enum { KEY = 32, EARLY_S = 30, DEFAULT_S = 300, FORM = 3 * BROKER_SECRET_MAX };

struct held {
	uint8_t key[KEY];
	int64_t until_us; /* 0: free */
	size_t n;
	char text[LIM_BROKER_TOKEN];
};

/* Tokens, and refresh tokens that replace those of the documents. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t refreshing = PTHREAD_MUTEX_INITIALIZER;
static struct held *held;

static struct held *
slots(void)
{
	if (held == NULL)
		held = mem_pages_new(sizeof *held * LIM_BROKER_TOKENS);
	return held;
}

static struct held *
find(const uint8_t key[KEY], int64_t now)
{
	struct held *h = slots();

	for (size_t i = 0; h != NULL && i < LIM_BROKER_TOKENS; i++)
		if (h[i].until_us > now && memcmp(h[i].key, key, KEY) == 0)
			return &h[i];
	return NULL;
}

/* The one that ends first makes room. */
static struct held *
room(void)
{
	struct held *h = slots(), *first = h;

	for (size_t i = 0; h != NULL && i < LIM_BROKER_TOKENS; i++)
		if (h[i].until_us < first->until_us)
			first = &h[i];
	return first;
}

static bool
held_get(const uint8_t key[KEY], struct buf *ret)
{
	struct held *h;

	(void)pthread_mutex_lock(&lock);
	h = find(key, time_mono_us());
	if (h != NULL)
		buf_add(ret, h->text, h->n);
	(void)pthread_mutex_unlock(&lock);
	return h != NULL;
}

static void
held_put(const uint8_t key[KEY], struct str text, int64_t seconds)
{
	int64_t now = time_mono_us();
	struct held *h;

	if (seconds <= 0 || text.n > LIM_BROKER_TOKEN)
		return;
	(void)pthread_mutex_lock(&lock);
	h = find(key, now);
	if (h == NULL)
		h = room();
	if (h != NULL) {
		mem_wipe(h, sizeof *h);
		memcpy(h->key, key, KEY);
		memcpy(h->text, text.p, text.n);
		h->n = text.n;
		h->until_us = now + seconds * 1000000;
	}
	(void)pthread_mutex_unlock(&lock);
}

void
oauth_forget(struct str token)
{
	(void)pthread_mutex_lock(&lock);
	for (size_t i = 0; held != NULL && i < LIM_BROKER_TOKENS; i++)
		if (held[i].n == token.n && /* public: both are ours */
		    ct_eq(held[i].text, token.p, token.n))
			mem_wipe(&held[i], sizeof held[i]);
	(void)pthread_mutex_unlock(&lock);
}

/* ---- what a token is for ---- */

static void
text_add(struct buf *b, struct str s)
{
	buf_be32(b, (uint32_t)s.n);
	buf_str(b, s);
}

/* Everything that makes one token another.  scopes_n 0: of the refresh
 * token itself. */
static bool
key_of(const struct call *k, const char *what, const struct str *scopes,
    size_t scopes_n, uint8_t ret[KEY])
{
	const struct connector_auth *a = &k->c.auth;
	bool good;
	struct buf b;

	buf_init(&b, FORM);
	(void)buf_room(&b, FORM);
	text_add(&b, str_c(what));
	text_add(&b, a->token_url);
	text_add(&b, a->client_id);
	text_add(&b, a->audience);
	text_add(&b, k->ask->secret);
	for (size_t i = 0; i < scopes_n; i++)
		text_add(&b, scopes[i]);
	good = !b.failed;
	if (good)
		(void)SHA256((const unsigned char *)b.p, b.n, ret);
	buf_forget(&b);
	return good;
}

/* ---- asking for one ---- */

struct asking {
	struct call *k;
	const struct str *scopes;
	size_t scopes_n;
	bool refresh;
	struct str client_secret; /* may be empty */
	struct buf refresh_token;
	uint8_t refresh_key[KEY];
	struct buf form, lines;
};

/* The document's secret: a refresh token, or an object with both. */
static bool
refresh_secret(struct asking *g)
{
	static const struct json_limits bounds = {2, 8, 16};
	struct str secret = g->k->ask->secret, token = secret;
	const struct json *o;
	struct trail t = {{0}};

	if (secret.n > 0 && secret.p[0] == '{') { /* public: its form */
		if (!err_ok(json_parse(g->k->a, secret, &bounds, &t, &o)))
			return false;
		token = json_str_at(o, STR("refresh_token"));
		g->client_secret = json_str_at(o, STR("client_secret"));
	}
	if (!held_get(g->refresh_key, &g->refresh_token))
		buf_str(&g->refresh_token, str_trim(token));
	return g->refresh_token.n > 0 && !g->refresh_token.failed;
}

static void
scopes_add(struct asking *g)
{
	bool first = true;

	for (size_t i = 0; i < g->scopes_n; i++) {
		buf_c(&g->form, first ? "&scope=" : "%20");
		url_encode(&g->form, g->scopes[i]);
		first = false;
	}
}

static bool
form_made(struct asking *g)
{
	const struct connector_auth *a = &g->k->c.auth;

	if (g->refresh) {
		form_add(&g->form, "grant_type", STR("refresh_token"));
		form_add(&g->form, "refresh_token",
		    buf_view(&g->refresh_token));
	} else {
		form_add(&g->form, "grant_type", STR("client_credentials"));
	}
	scopes_add(g);
	if (a->audience.n > 0)
		form_add(&g->form, "audience", a->audience);
	if (g->client_secret.n == 0)
		form_add(&g->form, "client_id", a->client_id);
	return !g->form.failed;
}

/* RFC 6749 2.3.1: both parts are encoded as in a form. */
static bool
client_line(struct asking *g)
{
	size_t most = 3 * (g->k->c.auth.client_id.n + g->client_secret.n) + 1;
	struct buf pair;

	buf_c(&g->lines,
	    "Accept: application/json\r\n"
	    "User-Agent: redoubt\r\n"
	    "Content-Type: application/x-www-form-urlencoded\r\n");
	if (g->client_secret.n > 0) {
		buf_init(&pair, most);
		(void)buf_room(&pair, most);
		url_encode(&pair, g->k->c.auth.client_id);
		buf_char(&pair, ':');
		url_encode(&pair, g->client_secret);
		buf_c(&g->lines, "Authorization: Basic ");
		b64_add(&g->lines, buf_view(&pair));
		buf_c(&g->lines, "\r\n");
		g->lines.failed |= pair.failed;
		buf_forget(&pair);
	}
	return !g->lines.failed;
}

/* ---- what comes back ---- */

static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			return false;
	return s.n >= 8 && s.n <= LIM_BROKER_TOKEN;
}

/* Are all the scopes among what was granted, a list with blanks? */
static bool
granted(const struct asking *g, struct str list)
{
	for (size_t i = 0; i < g->scopes_n; i++) {
		struct str rest = list, one;
		bool found = false;

		while (rest.n > 0 && !found) {
			str_cut(rest, ' ', &one, &rest);
			found = str_eq(one, g->scopes[i]);
		}
		if (!found)
			return false;
	}
	return true;
}

static enum broker_end
answered(struct asking *g, struct str body, const uint8_t key[KEY],
    struct buf *ret)
{
	static const struct json_limits bounds = {8, 100, 1000};
	struct str token, scope, replaced;
	int64_t seconds = DEFAULT_S;
	struct trail t = {{0}};
	const struct json *o;

	if (!err_ok(json_parse(g->k->a, body, &bounds, &t, &o)))
		return BROKER_TOKEN_BAD;
	token = json_str_at(o, STR("access_token"));
	replaced = json_str_at(o, STR("refresh_token"));
	scope = json_str_at(o, STR("scope"));
	if (!is_token(token) ||
	    !str_ieq(json_str_at(o, STR("token_type")), STR("Bearer")))
		return BROKER_TOKEN_BAD;
	(void)json_i64(json_get(o, STR("expires_in")), 0, 1 << 30, &seconds);
	if (seconds > LIM_BROKER_TOKEN_S)
		seconds = LIM_BROKER_TOKEN_S;
	if (g->refresh && is_token(replaced))
		held_put(g->refresh_key, replaced, 30 * 86400);
	/* Not said: it is what was asked for (RFC 6749 5.1). */
	if (scope.p != NULL && !granted(g, scope))
		return BROKER_TOKEN_SCOPE;
	held_put(key, token, seconds - EARLY_S);
	buf_str(ret, token);
	return ret->failed ? BROKER_TOKEN_BAD : BROKER_OK;
}

/* The path of token_url, which connector_parse has found right. */
static struct str
token_path(const struct connector_auth *a)
{
	struct str rest = str_skip(a->token_url, 8), head;

	(void)str_cut(rest, '/', &head, &rest);
	return str_skip(str_skip(a->token_url, 8), head.n);
}

static enum broker_end
asked(struct asking *g, const uint8_t key[KEY], struct buf *ret)
{
	struct sending out = {.host = &g->k->c.auth.token_host};
	struct answer a = {0};
	enum broker_end e;
	struct buf body;

	if (g->refresh && !refresh_secret(g))
		return BROKER_CREDENTIAL;
	if (!g->refresh)
		g->client_secret = g->k->ask->secret;
	if (!form_made(g) || !client_line(g))
		return BROKER_CREDENTIAL;
	out.r = (struct request){.method = STR("POST"),
	    .path = token_path(&g->k->c.auth),
	    .fields = buf_view(&g->lines),
	    .body = buf_view(&g->form)};
	buf_init(&body, LIM_BROKER_ANSWER);
	e = call_send(g->k, &out, &body, &a);
	if (e == BROKER_OK && (a.status == 400 || a.status == 401))
		e = BROKER_TOKEN;
	else if (e == BROKER_OK && a.status != 200)
		e = BROKER_TOKEN_BAD;
	if (e == BROKER_OK)
		e = answered(g, buf_view(&body), key, ret);
	buf_forget(&body);
	g->k->ev->sent = false; /* the step's own request was not */
	return e;
}

static enum broker_end
fresh(struct asking *g, const uint8_t key[KEY], struct buf *ret)
{
	enum broker_end e = BROKER_LIMIT;

	buf_init(&g->form, FORM);
	buf_init(&g->lines, FORM);
	buf_init(&g->refresh_token, BROKER_SECRET_MAX);
	if (buf_room(&g->form, FORM) && buf_room(&g->lines, FORM) &&
	    buf_room(&g->refresh_token, BROKER_SECRET_MAX))
		e = asked(g, key, ret);
	buf_forget(&g->form);
	buf_forget(&g->lines);
	buf_forget(&g->refresh_token);
	return e;
}

enum broker_end
oauth_token(struct call *k, const struct str *scopes, size_t scopes_n,
    struct buf *ret)
{
	struct asking g = {.k = k,
	    .scopes = scopes,
	    .scopes_n = scopes_n,
	    .refresh = k->c.auth.kind == CONNECTOR_AUTH_OAUTH2_REFRESH};
	enum broker_end e;
	uint8_t key[KEY];

	if (!key_of(k, "access", scopes, scopes_n, key) ||
	    !key_of(k, "refresh", NULL, 0, g.refresh_key))
		return BROKER_CREDENTIAL;
	if (held_get(key, ret))
		return BROKER_OK;
	if (!g.refresh)
		return fresh(&g, key, ret);
	/* A refresh token that is used up must not be used twice. */
	(void)pthread_mutex_lock(&refreshing);
	e = held_get(key, ret) ? BROKER_OK : fresh(&g, key, ret);
	(void)pthread_mutex_unlock(&refreshing);
	return e;
}
