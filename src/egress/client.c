/*
 * client.c: how a token endpoint knows us: RFC 6749 2.3.1 (basic and post), or
 * not at all.
 */
#include "base/mem.h"
#include "base/text.h"
#include "egress/inner.h"

void
form_add(struct buf *b, const char *name, struct str value)
{
	if (b->n > 0)
		buf_char(b, '&');
	buf_c(b, name);
	buf_char(b, '=');
	url_encode(b, value);
}

/* ---- opening ---- */

static err
secret_keep(struct live *l, struct str s, struct trail *t)
{
	s = str_trim(s);
	while (s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s = str_head(s, s.n - 1);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			s.n = 0;
	if (s.n == 0 || s.n > PROVIDER_SECRET) {
		trail_set(t,
		    "idp %.*s: the secret file wants one line of at most %d "
		    "printable characters",
		    STR_ARG(l->conf.name), PROVIDER_SECRET);
		return err_of(E_CONFIG);
	}
	for (size_t at = 0; at < s.n; at += SECRET_SIZE) {
		struct secret **k = &l->secret[at / SECRET_SIZE];
		size_t n = s.n - at < SECRET_SIZE ? s.n - at : SECRET_SIZE;

		TRY(secret_new(k));
		memcpy(secret_bytes(*k), s.p + at, n);
	}
	l->secret_n = s.n;
	return OK;
}

err
egress_client_open(struct live *l, struct str credential, struct trail *t)
{
	switch (l->conf.auth) {
	case CLIENT_BASIC:
	case CLIENT_POST:
		return secret_keep(l, credential, t);
	default:
		return OK;
	}
}

void
egress_client_close(struct live *l)
{
	for (size_t i = 0; i < SECRET_PARTS; i++)
		l->secret[i] = secret_free(l->secret[i]);
}

/* ---- proving ---- */

/* The caller wipes ret. */
static void
secret_copy(const struct live *l, char ret[PROVIDER_SECRET])
{
	for (size_t at = 0; at < l->secret_n; at += SECRET_SIZE) {
		size_t left = l->secret_n - at;

		memcpy(ret + at, secret_view(l->secret[at / SECRET_SIZE]),
		    left < SECRET_SIZE ? left : SECRET_SIZE);
	}
}

static err
prove_secret(const struct live *l, struct buf *form, struct buf *basic)
{
	char secret[PROVIDER_SECRET], pair[2048];
	struct buf b = {.p = pair, .cap = sizeof pair, .max = sizeof pair};

	secret_copy(l, secret);
	if (l->conf.auth == CLIENT_POST) {
		form_add(form, "client_id", l->conf.client_id);
		form_add(form, "client_secret", str_of(secret, l->secret_n));
	} else {
		url_encode(&b, l->conf.client_id);
		buf_char(&b, ':');
		url_encode(&b, str_of(secret, l->secret_n));
		b64_add(basic, buf_view(&b));
	}
	mem_wipe(secret, sizeof secret);
	mem_wipe(pair, sizeof pair);
	TRY(buf_check(&b));
	TRY(buf_check(basic));
	return buf_check(form);
}

err
egress_client_prove(const struct live *l, struct buf *form, struct buf *basic)
{
	switch (l->conf.auth) {
	case CLIENT_BASIC:
	case CLIENT_POST:
		return prove_secret(l, form, basic);
	default:
		form_add(form, "client_id", l->conf.client_id);
		return buf_check(form);
	}
}
