/* broker_http.c: an http step. */
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "delegate/broker_inner.h"
#include "delegate/mask.h"

enum { CREDENTIAL_LINES = BROKER_SECRET_MAX * 2 };

static const struct json_limits bounds = {LIM_JSON_DEPTH, 10000,
    LIM_JSON_VALUES};

/* What a call is about. */
struct step {
	struct call *k;
	const struct connector_action *act;
	const struct connector_output *outputs;
	size_t outputs_n;
	struct sending out;
	struct buf token; /* of OAuth 2 */
	struct buf lines; /* with the credential */
};

static enum broker_end
told(struct call *k, enum broker_end e, const struct trail *t)
{
	if (t->detail[0] != '\0')
		k->ev->detail = arena_dup(k->a, str_c(t->detail));
	return e;
}

/* ---- before anything is sent ---- */

static enum broker_end
prepared(struct step *s)
{
	struct call *k = s->k;
	const struct json *params = NULL;
	struct trail t = {{0}};

	s->act = connector_action(&k->c, k->ask->action);
	if (s->act == NULL)
		return BROKER_ACTION;
	if (k->ask->params.n > 0 &&
	    !err_ok(json_parse(k->a, k->ask->params, &bounds, &t, &params)))
		return told(k, BROKER_PARAMS, &t);
	if (!err_ok(connector_check_params(s->act, params, &t)))
		return told(k, BROKER_PARAMS, &t);
	if (connector_missing_scope(&k->c, s->act).n > 0)
		return BROKER_SCOPE;
	if (!err_ok(action_request(k->a, &k->c, s->act, params, &t, &s->out.r)))
		return told(k, BROKER_REQUEST, &t);
	s->out.host = &k->c.origin;
	s->outputs = s->act->outputs;
	s->outputs_n = s->act->outputs_n;
	if (k->ask->outputs.n > 0 &&
	    !err_ok(action_outputs_parse(k->a, k->ask->outputs, &s->outputs,
		&s->outputs_n)))
		return BROKER_REQUEST;
	return BROKER_OK;
}

/* ---- the credential ---- */

static bool
basic(struct buf *b, struct str user, struct str secret)
{
	struct buf pair;
	bool good;

	buf_init(&pair, user.n + secret.n + 1);
	(void)buf_room(&pair, user.n + secret.n + 1);
	buf_str(&pair, user);
	buf_char(&pair, ':');
	buf_str(&pair, secret);
	good = !pair.failed;
	buf_c(b, "Authorization: Basic ");
	b64_add(b, buf_view(&pair));
	buf_c(b, "\r\n");
	buf_forget(&pair);
	return good && !b->failed;
}

static enum broker_end
oauth(struct step *s)
{
	enum broker_end e;

	/* Least: what the action needs, not what the credential could have. */
	if (s->act->scopes_n > 0)
		e = oauth_token(s->k, s->act->scopes, s->act->scopes_n,
		    &s->token);
	else
		e = oauth_token(s->k, s->k->c.auth.scopes,
		    s->k->c.auth.scopes_n, &s->token);
	if (e == BROKER_OK &&
	    !secret_line(&s->lines, "Authorization", STR("Bearer "),
		buf_view(&s->token)))
		e = BROKER_TOKEN_BAD;
	return e;
}

static enum broker_end
credential(struct step *s)
{
	const struct connector_auth *auth = &s->k->c.auth;
	struct str secret = s->k->ask->secret;
	char header[64] = {0};
	bool good;

	if (auth->kind == CONNECTOR_AUTH_NONE)
		return BROKER_OK;
	/* What cannot be masked must not be used. */
	if (secret.n < MASK_MIN || auth->header.n >= sizeof header)
		return BROKER_CREDENTIAL;
	switch (auth->kind) {
	case CONNECTOR_AUTH_BEARER:
		good = secret_line(&s->lines, "Authorization", STR("Bearer "),
		    secret);
		break;
	case CONNECTOR_AUTH_API_KEY:
		memcpy(header, auth->header.p, auth->header.n);
		good = secret_line(&s->lines, header, auth->prefix, secret);
		break;
	case CONNECTOR_AUTH_BASIC:
		good = basic(&s->lines, auth->username, secret);
		break;
	case CONNECTOR_AUTH_OAUTH2_CLIENT:
	case CONNECTOR_AUTH_OAUTH2_REFRESH:
		return oauth(s);
	default: /* of mtls it is in the handshake */
		good = true;
	}
	return good ? BROKER_OK : BROKER_CREDENTIAL;
}

/* ---- the answer ---- */

/* A value as it is, its texts without the credential. */
static void
value_masked(const struct mask_set *set, struct buf *tmp, struct jw *w,
    const struct json *j)
{
	switch (j->kind) {
	case JSON_STRING:
		buf_clear(tmp);
		if (!err_ok(mask_text(set, j->text, tmp)))
			w->out->failed = true;
		jw_str(w, buf_view(tmp));
		break;
	case JSON_OBJECT:
		jw_obj(w);
		for (const struct json *i = json_first(j); i != NULL;
		     i = i->next) {
			buf_clear(tmp);
			if (!err_ok(mask_text(set, i->name, tmp)))
				w->out->failed = true;
			jw_name(w, buf_view(tmp));
			value_masked(set, tmp, w, i);
		}
		jw_obj_end(w);
		break;
	case JSON_ARRAY:
		jw_arr(w);
		for (j = json_first(j); j != NULL; j = j->next)
			value_masked(set, tmp, w, j);
		jw_arr_end(w);
		break;
	default:
		jw_value(w, j);
	}
}

static enum broker_end
outputs_written(struct step *s, const struct json *doc,
    const struct mask_set *set, struct buf *out)
{
	struct buf tmp;
	struct jw w;

	buf_init(&tmp, LIM_BROKER_ANSWER);
	jw_init(&w, out);
	jw_obj(&w);
	for (size_t i = 0; i < s->outputs_n; i++) {
		const struct connector_output *o = &s->outputs[i];
		const struct json *j = json_pointer(doc, o->pointer);

		if (j == NULL || !action_type_fits(o->type, j)) {
			s->k->ev->detail = o->name;
			buf_done(&tmp);
			return BROKER_OUTPUT;
		}
		jw_name(&w, o->name);
		value_masked(set, &tmp, &w, j);
	}
	jw_obj_end(&w);
	buf_done(&tmp);
	return out->failed ? BROKER_OUTPUT : BROKER_OK;
}

/* The credential, in both its lives, is what an answer must not echo. */
static err
echo_set(const struct step *s, struct mask_set **ret)
{
	struct str secrets[2];
	struct trail t = {{0}};
	size_t n = 0;

	if (s->k->ask->secret.n >= MASK_MIN)
		secrets[n++] = s->k->ask->secret;
	if (s->token.n >= MASK_MIN)
		secrets[n++] = buf_view(&s->token);
	return mask_set_new(secrets, n, &t, ret);
}

static enum broker_end
answered(struct step *s, struct str body, struct buf *out)
{
	const struct json *doc = NULL;
	struct trail t = {{0}};
	struct mask_set *set;
	enum broker_end e;

	if (s->outputs_n == 0) {
		buf_c(out, "{}");
		return BROKER_OK;
	}
	if (!err_ok(json_parse(s->k->a, body, &bounds, &t, &doc)))
		return told(s->k, BROKER_OUTPUT, &t);
	if (!err_ok(echo_set(s, &set)))
		return BROKER_CREDENTIAL;
	e = outputs_written(s, doc, set, out);
	set = mask_set_free(set);
	return e;
}

/* ---- all of it ---- */

static enum broker_end
stepped(struct step *s, struct buf *outputs)
{
	enum broker_end e = call_open(s->k);
	struct answer a = {0};
	struct buf body;

	if (e == BROKER_OK)
		e = prepared(s);
	if (e == BROKER_OK)
		e = credential(s);
	if (e != BROKER_OK)
		return e;
	s->out.credential = buf_view(&s->lines);
	buf_init(&body, LIM_BROKER_ANSWER);
	e = call_send(s->k, &s->out, &body, &a);
	if (e == BROKER_OK)
		e = call_status(a.status);
	if (a.status == 401 && s->token.n > 0)
		oauth_forget(buf_view(&s->token));
	if (e == BROKER_OK)
		e = answered(s, buf_view(&body), outputs);
	buf_forget(&body);
	return e;
}

void
call_http(struct call *k, struct buf *outputs)
{
	struct step s = {.k = k};

	buf_init(&s.token, LIM_BROKER_TOKEN);
	buf_init(&s.lines, CREDENTIAL_LINES);
	if (!buf_room(&s.token, LIM_BROKER_TOKEN) ||
	    !buf_room(&s.lines, CREDENTIAL_LINES))
		k->ev->end = BROKER_LIMIT;
	else
		k->ev->end = stepped(&s, outputs);
	call_close(k);
	buf_forget(&s.token);
	buf_forget(&s.lines);
}
