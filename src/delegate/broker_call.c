/* broker_call.c: a connector's document in use: parsed, connected, asked. */
#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "delegate/broker_inner.h"
#include "egress/tls.h"

void
buf_forget(struct buf *b)
{
	if (b->p != NULL)
		mem_wipe(b->p, b->cap);
	buf_done(b);
}

enum broker_end
document_open(struct arena *a, struct str text, struct connector *ret)
{
	struct trail t = {{0}};
	const struct json *doc;

	if (!err_ok(json_parse(a, text, &connector_limits, &t, &doc)) ||
	    !err_ok(connector_parse(a, doc, &t, ret)))
		return BROKER_DOCUMENT;
	return ret->expires <= time_now_ms() ? BROKER_EXPIRED : BROKER_OK;
}

enum broker_end
call_open(struct call *k)
{
	struct tls_plan p = {.like = k->world->system};
	enum broker_end e = document_open(k->a, k->ask->document, &k->c);
	err x;

	if (e != BROKER_OK)
		return e;
	p.tls12 = k->c.tls12;
	if (k->c.ca.n > 0) {
		p.like = NULL;
		p.authorities = k->c.ca;
	}
	if (k->c.auth.kind == CONNECTOR_AUTH_MTLS)
		p.client = k->ask->secret;
	if (k->c.auth.kind == CONNECTOR_AUTH_MTLS && p.client.n == 0)
		return BROKER_CREDENTIAL;
	x = tls_new(&p, &k->tls);
	return err_ok(x)	   ? BROKER_OK
	    : err_is(x, E_INVALID) ? BROKER_CREDENTIAL
				   : BROKER_DOCUMENT;
}

void
call_close(struct call *k)
{
	SSL_CTX_free(k->tls);
	k->tls = NULL;
}

static enum broker_end
ended(enum web_end e)
{
	static const enum broker_end as[] = {[WEB_OK] = BROKER_OK,
	    [WEB_DNS] = BROKER_DNS,
	    [WEB_ADDRESS] = BROKER_ADDRESS,
	    [WEB_CONNECT] = BROKER_CONNECT,
	    [WEB_TLS] = BROKER_TLS,
	    [WEB_TLS_OLD] = BROKER_TLS_OLD,
	    [WEB_TIMEOUT] = BROKER_TIMEOUT,
	    [WEB_STOPPED] = BROKER_CANCELLED,
	    [WEB_ANSWER] = BROKER_ANSWER_BAD,
	    [WEB_TOO_BIG] = BROKER_TOO_BIG};

	return as[e];
}

static struct str
kept(struct call *k, const char *text)
{
	return arena_dup(k->a, str_c(text));
}

/* What an event tells of a request. */
static void
reported(struct call *k, const struct sending *s, const struct web_report *r)
{
	char text[ADDRESS_SHOWN];

	k->ev->host = s->host->host;
	k->ev->port = s->host->port;
	k->ev->sent = k->ev->sent || r->sent;
	k->ev->up += r->up;
	k->ev->down += r->down;
	k->ev->status = r->answer.status;
	k->ev->retry_ms = r->answer.retry_ms;
	if (r->at.n > 0) {
		(void)address_show(&r->at, text);
		k->ev->address = kept(k, text);
	}
	if (r->detail[0] != '\0')
		k->ev->detail = kept(k, r->detail);
}

static enum web_end
asked(struct call *k, const struct sending *s, struct str fields,
    struct buf *body, struct web_report *r)
{
	const struct answer_rules rules = {.head = LIM_IDP_HEAD,
	    .body = LIM_BROKER_ANSWER,
	    .no_body = str_is(s->r.method, "HEAD")};
	const struct reach reach = {.resolver = k->world->resolver,
	    .resolver_n = k->world->resolver_n,
	    .allow = k->c.cidrs,
	    .allow_n = k->c.cidrs_n,
	    .open = true,
	    .connect_ms = LIM_BROKER_CONNECT_MS,
	    .stop = k->stop};
	struct url u = {.host = s->host->host,
	    .port = s->host->port,
	    .literal = url_literal(s->host->host),
	    .path = s->r.path};
	struct web_call c = {.tls = k->tls,
	    .reach = &reach,
	    .url = &u,
	    .method = s->r.method,
	    .fields = fields,
	    .body = s->r.body,
	    .ms = (k->until_us - time_mono_us()) / 1000,
	    .rules = &rules};

	if (c.ms <= 0)
		return WEB_TIMEOUT;
	return web_call(&c, body, r);
}

enum broker_end
call_send(struct call *k, const struct sending *s, struct buf *body,
    struct answer *ret)
{
	size_t room = s->r.fields.n + s->credential.n;
	struct web_report r = {.sent = false};
	enum web_end e = WEB_TOO_BIG;
	struct buf fields;

	/* The approved document names every host there is to talk to. */
	if (!connector_reaches(&k->c, s->host->host, s->host->port))
		return BROKER_DOCUMENT;
	buf_init(&fields, room);
	if (buf_room(&fields, room)) {
		buf_str(&fields, s->r.fields);
		buf_str(&fields, s->credential);
		e = asked(k, s, buf_view(&fields), body, &r);
	}
	buf_forget(&fields);
	reported(k, s, &r);
	*ret = r.answer;
	return ended(e);
}

enum broker_end
call_status(int status)
{
	if (status >= 200 && status < 300)
		return BROKER_OK;
	return status < 400 ? BROKER_REDIRECT : BROKER_STATUS;
}

bool
secret_line(struct buf *b, const char *name, struct str prefix,
    struct str secret)
{
	for (; secret.n > 0; secret.n--) {
		char last = secret.p[secret.n - 1];

		if (last != '\n' && last != '\r')
			break;
	}
	for (size_t i = 0; i < secret.n; i++)
		if (secret.p[i] < 0x20 || secret.p[i] > 0x7e)
			return false;
	buf_c(b, name);
	buf_c(b, ": ");
	buf_str(b, prefix);
	buf_str(b, secret);
	buf_c(b, "\r\n");
	return secret.n > 0 && !b->failed;
}
