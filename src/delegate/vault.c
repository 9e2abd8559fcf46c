/*
 * vault.c: one secret of HashiCorp Vault or OpenBao, KV version 2, through a
 * connector of kind vault.  What proves who we are:
 *
 *	bearer	a token, in X-Vault-Token
 *	api_key	a token, in the header the document names
 *	basic	AppRole: username is the role_id, the secret the secret_id
 *	mtls	auth/cert: the certificate of the handshake
 *
 * The last two log in, and give the token back after the read.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "delegate/broker_inner.h"

enum { PATH_MAX_ = 1024, LINES = BROKER_SECRET_MAX * 2, BODY = 2 * LINES };

static const struct json_limits bounds = {16, 1000, 5000};

struct vault {
	struct call *k;
	struct buf token; /* of a login */
	struct buf lines;
};

/* ---- paths ---- */

/* Behind the base: /v1, unless the base ends in it. */
static bool
path_begin(const struct call *k, struct buf *b)
{
	buf_str(b, k->c.prefix);
	if (!str_ends(k->c.prefix, STR("/v1")))
		buf_c(b, "/v1");
	buf_char(b, '/');
	return !b->failed;
}

/* mount/data/name: segments that name something, the second or a later one
 * "data". */
static bool
secret_path(const struct call *k, struct buf *b)
{
	struct str rest = k->ask->path, one;
	bool data = false, more;
	size_t n = 0;

	if (rest.n > PATH_MAX_ || !path_begin(k, b))
		return false;
	do {
		more = str_cut(rest, '/', &one, &rest);
		if (one.n == 0 || str_is(one, ".") || str_is(one, ".."))
			return false;
		for (size_t i = 0; i < one.n; i++)
			if (one.p[i] < 0x20 || one.p[i] > 0x7e ||
			    one.p[i] == '\\')
				return false;
		data |= n++ > 0 && more && str_is(one, "data");
		url_encode(b, one);
		if (more)
			buf_char(b, '/');
	} while (more);
	return data && !b->failed;
}

/* ---- requests ---- */

static enum broker_end
status_end(int status)
{
	if (status == 404)
		return BROKER_NO_SECRET;
	if (status == 401 || status == 403)
		return BROKER_NO_ACCESS;
	return call_status(status);
}

static enum broker_end
send_to(struct vault *v, const char *method, struct str path, struct str lines,
    struct str json, struct buf *body)
{
	struct sending s = {.host = &v->k->c.origin, .credential = lines};
	struct answer a = {0};
	enum broker_end e;

	s.r = (struct request){.method = str_c(method),
	    .path = path,
	    .fields = json.p == NULL
		? STR("X-Vault-Request: true\r\nAccept: application/json\r\n")
		: STR("X-Vault-Request: true\r\nAccept: application/json\r\n"
		      "Content-Type: application/json\r\n"),
	    .body = json};
	e = call_send(v->k, &s, body, &a);
	return e == BROKER_OK ? status_end(a.status) : e;
}

static enum broker_end
post(struct vault *v, const char *path, struct str lines, struct str json,
    struct buf *body)
{
	struct buf p;

	buf_init_on(&p, v->k->a, PATH_MAX_ * 4);
	if (!path_begin(v->k, &p))
		return BROKER_PATH;
	buf_c(&p, path);
	return send_to(v, "POST", buf_view(&p), lines, json, body);
}

/* ---- logging in ---- */

static bool
token_line(struct vault *v, struct str token)
{
	return secret_line(&v->lines, "X-Vault-Token", STR(""), token);
}

static enum broker_end
login_answered(struct vault *v, struct str body)
{
	struct trail t = {{0}};
	const struct json *o;
	struct str token;

	if (!err_ok(json_parse(v->k->a, body, &bounds, &t, &o)))
		return BROKER_ANSWER_BAD;
	token = json_str_at(json_get(o, STR("auth")), STR("client_token"));
	buf_str(&v->token, token);
	return token.n > 0 && !v->token.failed &&
		token_line(v, buf_view(&v->token))
	    ? BROKER_OK
	    : BROKER_ANSWER_BAD;
}

static enum broker_end
login(struct vault *v, const char *path, bool approle)
{
	struct buf json, body;
	enum broker_end e;
	struct jw w;

	buf_init(&json, BODY);
	buf_init(&body, LIM_BROKER_ANSWER);
	(void)buf_room(&json, BODY);
	jw_init(&w, &json);
	jw_obj(&w);
	if (approle) {
		jw_kstr(&w, "role_id", v->k->c.auth.username);
		jw_kstr(&w, "secret_id", str_trim(v->k->ask->secret));
	}
	jw_obj_end(&w);
	e = json.failed ? BROKER_CREDENTIAL
			: post(v, path, STR_NONE, buf_view(&json), &body);
	if (e == BROKER_STATUS && v->k->ev->status == 400)
		e = BROKER_NO_ACCESS; /* an unknown role_id or secret_id */
	if (e == BROKER_OK)
		e = login_answered(v, buf_view(&body));
	buf_forget(&json);
	buf_forget(&body);
	return e;
}

static enum broker_end
proven(struct vault *v)
{
	const struct connector_auth *a = &v->k->c.auth;
	struct str secret = v->k->ask->secret;
	char header[64] = {0};

	switch (a->kind) {
	case CONNECTOR_AUTH_BEARER:
		return token_line(v, secret) ? BROKER_OK : BROKER_CREDENTIAL;
	case CONNECTOR_AUTH_API_KEY:
		if (a->header.n >= sizeof header)
			return BROKER_CREDENTIAL;
		memcpy(header, a->header.p, a->header.n);
		return secret_line(&v->lines, header, a->prefix, secret)
		    ? BROKER_OK
		    : BROKER_CREDENTIAL;
	case CONNECTOR_AUTH_BASIC:
		return secret.n == 0 ? BROKER_CREDENTIAL
				     : login(v, "auth/approle/login", true);
	case CONNECTOR_AUTH_MTLS:
		return login(v, "auth/cert/login", false);
	default:
		return BROKER_CREDENTIAL;
	}
}

/* Given back, so that it cannot be used; it would expire anyway. */
static void
logout(struct vault *v)
{
	struct broker_event before = *v->k->ev;
	struct buf body;

	if (v->token.n == 0)
		return;
	buf_init(&body, LIM_BROKER_ANSWER);
	(void)post(v, "auth/token/revoke-self", buf_view(&v->lines), STR_NONE,
	    &body);
	buf_forget(&body);
	*v->k->ev = before;
}

/* ---- the secret ---- */

static enum broker_end
value_found(struct vault *v, struct str body, struct buf *value)
{
	const struct json *o, *data;
	struct trail t = {{0}};
	struct str s;

	if (!err_ok(json_parse(v->k->a, body, &bounds, &t, &o)))
		return BROKER_ANSWER_BAD;
	data = json_get(json_get(o, STR("data")), STR("data"));
	if (data == NULL || data->kind != JSON_OBJECT ||
	    !json_str(json_get(data, v->k->ask->field), &s) || s.n == 0)
		return BROKER_NO_SECRET;
	buf_str(value, s);
	return value->failed ? BROKER_TOO_BIG : BROKER_OK;
}

static enum broker_end
read_one(struct vault *v, struct buf *value)
{
	enum broker_end e = call_open(v->k);
	struct buf path, body;

	if (e != BROKER_OK)
		return e;
	if (v->k->c.kind != CONNECTOR_VAULT)
		return BROKER_DOCUMENT;
	buf_init_on(&path, v->k->a, PATH_MAX_ * 4);
	if (!secret_path(v->k, &path) || v->k->ask->field.n == 0)
		return BROKER_PATH;
	e = proven(v);
	if (e != BROKER_OK)
		return e;
	buf_init(&body, LIM_BROKER_ANSWER);
	e = send_to(v, "GET", buf_view(&path), buf_view(&v->lines), STR_NONE,
	    &body);
	if (e == BROKER_OK)
		e = value_found(v, buf_view(&body), value);
	buf_forget(&body);
	logout(v);
	return e;
}

void
call_secret(struct call *k, struct buf *value)
{
	struct vault v = {.k = k};

	buf_init(&v.token, BROKER_SECRET_MAX);
	buf_init(&v.lines, LINES);
	if (!buf_room(&v.token, BROKER_SECRET_MAX) ||
	    !buf_room(&v.lines, LINES))
		k->ev->end = BROKER_LIMIT;
	else
		k->ev->end = read_one(&v, value);
	call_close(k);
	buf_forget(&v.token);
	buf_forget(&v.lines);
}
