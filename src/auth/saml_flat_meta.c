/* saml_flat_meta.c: metadata and logouts as bytes between processes. */
#include "auth/saml_meta.h"

static void
put(struct buf *b, struct str s)
{
	buf_be32(b, (uint32_t)s.n);
	buf_str(b, s);
}

static struct str
take(struct cur *c)
{
	return cur_view(c, cur_be32(c));
}

static size_t
take_all(struct cur *c, struct str *ret, size_t max)
{
	size_t n = cur_u8(c);

	if (n > max)
		c->failed = true;
	for (size_t i = 0; i < n && !c->failed; i++)
		ret[i] = take(c);
	return n;
}

/* ---- logouts ---- */

void
saml_logout_rules_encode(struct buf *b, const struct saml_provider *p,
    struct str slo)
{
	put(b, slo);
	saml_provider_encode(b, p);
}

bool
saml_logout_rules_decode(struct str in, struct saml_provider *ret_p,
    struct str *ret_slo)
{
	struct cur c = cur_of(in);
	struct str slo = take(&c);

	if (c.failed || !saml_provider_decode(cur_view(&c, c.n), ret_p))
		return false;
	*ret_slo = slo;
	return true;
}

void
saml_logout_encode(struct buf *b, enum saml_reason why,
    const struct saml_logout *l, struct str relay)
{
	buf_be32(b, (uint32_t)why);
	if (why != SAML_OK)
		return;
	put(b, l->id);
	put(b, l->name_id);
	buf_be64(b, (uint64_t)l->until);
	buf_char(b, (char)l->sessions_n);
	for (size_t i = 0; i < l->sessions_n; i++)
		put(b, l->session[i]);
	put(b, relay);
}

bool
saml_logout_decode(struct str in, enum saml_reason *ret_why,
    struct saml_logout *ret, struct str *ret_relay)
{
	struct cur c = cur_of(in);
	uint32_t why = cur_be32(&c);
	struct saml_logout l = {0};
	struct str relay = STR("");

	if (why >= SAML_REASON_MAX_)
		return false;
	if (why == SAML_OK) {
		l.id = take(&c);
		l.name_id = take(&c);
		l.until = (int64_t)cur_be64(&c);
		l.sessions_n = take_all(&c, l.session, SAML_SESSIONS);
		relay = take(&c);
	}
	if (!cur_end(&c))
		return false;
	*ret_why = (enum saml_reason)why;
	*ret = l;
	*ret_relay = relay;
	return true;
}

/* ---- metadata ---- */

void
saml_meta_encode(struct buf *b, err e, const struct trail *t,
    const struct saml_meta *m)
{
	buf_be16(b, e.code);
	if (!err_ok(e)) {
		put(b, str_c(t->detail));
		return;
	}
	put(b, m->entity);
	put(b, m->sso_url);
	put(b, m->slo_url);
	buf_char(b, (char)m->certs_n);
	for (size_t i = 0; i < m->certs_n; i++)
		put(b, m->cert[i]);
}

err
saml_meta_decode(struct str in, struct trail *t, struct saml_meta *ret)
{
	struct cur c = cur_of(in);
	uint16_t code = cur_be16(&c);
	struct saml_meta m = {0};

	if (code != E_OK) {
		struct str said = take(&c);

		if (!cur_end(&c) || code >= E_MAX_ ||
		    said.n >= sizeof t->detail)
			return err_of(E_PEER);
		if (said.n > 0)
			trail_set(t, "%.*s", STR_ARG(said));
		return err_of((enum err_code)code);
	}
	m.entity = take(&c);
	m.sso_url = take(&c);
	m.slo_url = take(&c);
	m.certs_n = take_all(&c, m.cert, SAML_KEYS);
	if (!cur_end(&c))
		return err_of(E_PEER);
	*ret = m;
	return OK;
}
