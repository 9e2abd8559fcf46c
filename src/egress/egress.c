#include "egress/egress.h"

#include <openssl/sha.h>
#include <pthread.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "base/text.h"
#include "egress/inner.h"

enum { CALL_ARENA = 1 << 20, FORM = 12288, BASIC = 4096 };

struct egress {
	pthread_mutex_t lock; /* guards the buckets */
	size_t n;
	struct live live[IDP_PROVIDERS];
};

err
egress_new(struct egress **ret)
{
	struct egress *e = mem_new(1, sizeof *e);

	if (e == NULL)
		return err_of(E_NO_MEMORY);
	(void)pthread_mutex_init(&e->lock, NULL);
	*ret = e;
	return OK;
}

static void
live_close(struct live *l)
{
	egress_client_close(l);
	SSL_CTX_free(l->tls);
}

struct egress *
egress_free(struct egress *e)
{
	if (e == NULL)
		return NULL;
	for (size_t i = 0; i < e->n; i++)
		live_close(&e->live[i]);
	(void)pthread_mutex_destroy(&e->lock);
	mem_free(e);
	return NULL;
}

/* One that trusts the same file. */
static SSL_CTX *
alike(const struct egress *e, const struct live *l)
{
	for (size_t i = 0; i < e->n; i++)
		if (memcmp(e->live[i].authorities, l->authorities,
			sizeof l->authorities) == 0)
			return e->live[i].tls;
	return NULL;
}

err
egress_add(struct egress *e, const struct provider *p, struct str authorities,
    struct str credential, struct trail *t)
{
	struct live *l = &e->live[e->n];
	err x;

	if (e->n == IDP_PROVIDERS || provider_wrong(p) != NULL)
		return err_of(E_CONFIG);
	*l = (struct live){.conf = *p};
	for (size_t i = 0; i < URL_MAX_; i++)
		if (p->url[i].n > 0)
			(void)egress_url_parse(p->url[i], &l->url[i]);
	(void)SHA256((const unsigned char *)authorities.p, authorities.n,
	    l->authorities);
	x = tls_new(&(struct tls_plan){.tls12 = p->tls12,
			.authorities = authorities,
			.like = alike(e, l)},
	    &l->tls);
	if (err_is(x, E_CONFIG))
		trail_set(t,
		    "idp %.*s: no certificate of an authority can be read",
		    STR_ARG(p->name));
	if (err_ok(x))
		x = egress_client_open(l, credential, t);
	if (err_ok(x))
		e->n++;
	else
		live_close(l);
	return x;
}

/* ---- what confinement has to leave ---- */

bool
egress_has_resolver(const struct egress *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->live[i].conf.resolver.host.n > 0)
			return true;
	return false;
}

static size_t
port_add(uint16_t port, uint16_t *ret, size_t n, size_t max)
{
	for (size_t i = 0; i < n; i++)
		if (ret[i] == port)
			return n;
	if (n == max)
		return n;
	ret[n] = port;
	return n + 1;
}

size_t
egress_ports(const struct egress *e, uint16_t *ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n; i++) {
		const struct live *l = &e->live[i];

		for (size_t k = 0; k < l->conf.connect_n; k++)
			n = port_add(l->conf.connect[k].port, ret, n, max);
		for (size_t k = 0; k < URL_MAX_; k++)
			if (l->conf.connect_n == 0 && l->url[k].host.n > 0)
				n = port_add(l->url[k].port, ret, n, max);
	}
	return n;
}

/* ---- asking ---- */

static bool
bucket_take(struct egress *e, struct bucket *b)
{
	int64_t now = time_mono_us();
	bool good;

	(void)pthread_mutex_lock(&e->lock);
	b->left += (double)(now - b->at_us) * LIM_IDP_PER_MINUTE / 60e6;
	if (b->at_us == 0 || b->left > LIM_IDP_PER_MINUTE)
		b->left = LIM_IDP_PER_MINUTE;
	b->at_us = now;
	good = b->left >= 1;
	if (good)
		b->left -= 1;
	(void)pthread_mutex_unlock(&e->lock);
	return good;
}

/* A token endpoint that says no has understood the question. */
static enum idp_status
refused(enum idp_status s, const struct egress_report *r)
{
	if (s == IDP_HTTP &&
	    (r->http_status == 400 || r->http_status == 401 ||
		r->http_status == 403))
		return IDP_DENIED;
	return s;
}

static enum idp_status
token(const struct live *l, const struct idp_ask *a, int64_t now_ms,
    struct arena *m, struct buf *body, struct egress_report *r)
{
	struct buf form, basic;
	enum idp_status s = IDP_TOO_BIG;

	buf_init(&form, FORM);
	buf_init(&basic, BASIC);
	(void)buf_room(&form, FORM);
	(void)buf_room(&basic, BASIC);
	form_add(&form, "grant_type", STR("authorization_code"));
	form_add(&form, "code", a->code);
	form_add(&form, "redirect_uri", l->conf.redirect_uri);
	form_add(&form, "code_verifier", a->verifier);
	if (err_ok(egress_client_prove(l, m, now_ms, &form, &basic)))
		s = refused(egress_fetch(l, URL_TOKEN, buf_view(&form),
				basic.n > 0 ? buf_view(&basic) : STR_NONE, body,
				r),
		    r);
	if (form.p != NULL)
		mem_wipe(form.p, form.cap);
	if (basic.p != NULL)
		mem_wipe(basic.p, basic.cap);
	buf_done(&form);
	buf_done(&basic);
	return s;
}

static enum idp_status
asked(const struct live *l, enum egress_url url, const struct idp_ask *a,
    int64_t now_ms, struct arena *m, struct buf *ret, struct egress_report *r)
{
	enum idp_status s;
	struct buf body;

	buf_init(&body, LIM_IDP_BODY);
	s = url == URL_TOKEN
	    ? token(l, a, now_ms, m, &body, r)
	    : egress_fetch(l, url, STR_NONE, STR_NONE, &body, r);
	if (s == IDP_OK && url == URL_TOKEN)
		s = shape_token(m, buf_view(&body), ret);
	else if (s == IDP_OK && url == URL_JWKS)
		s = shape_jwks(m, buf_view(&body), ret);
	else if (s == IDP_OK)
		s = shape_meta(m, buf_view(&body), &l->conf, ret);
	if (body.p != NULL)
		mem_wipe(body.p, body.cap);
	buf_done(&body);
	return s;
}

static struct live *
find(struct egress *e, struct str name)
{
	for (size_t i = 0; i < e->n; i++)
		if (str_eq(e->live[i].conf.name, name))
			return &e->live[i];
	return NULL;
}

enum idp_status
egress_ask(struct egress *e, enum ipc_type op, const struct idp_ask *a,
    int64_t now_ms, struct buf *ret, struct egress_report *report)
{
	enum egress_url url = op == IPC_OIDC_TOKEN ? URL_TOKEN
	    : op == IPC_OIDC_JWKS		   ? URL_JWKS
						   : URL_META;
	struct live *l = find(e, a->provider);
	enum idp_status s;
	struct arena m;

	*report = (struct egress_report){0};
	if (l == NULL || l->url[url].host.n == 0)
		return IDP_NOT_CONFIGURED;
	if (!bucket_take(e, &l->bucket[url]))
		return IDP_RATE;
	arena_init(&m, CALL_ARENA);
	s = asked(l, url, a, now_ms, &m, ret, report);
	arena_done(&m);
	return s;
}
