/* hook_rules.c: see hook.h: what rules ask for, and how they are written. */
#include "auth/hook.h"

#include "base/text.h"

const struct hook_rule *
hook_rule_of(const struct hook_auth *h, enum hook_kind k)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->rule[i].kind == k)
			return &h->rule[i];
	return NULL;
}

bool
hook_wants_token(const struct hook_auth *h)
{
	return hook_rule_of(h, HOOK_BEARER) != NULL ||
	    hook_rule_of(h, HOOK_BASIC) != NULL;
}

bool
hook_wants_secret(const struct hook_auth *h, enum hook_kind *ret)
{
	const struct hook_rule *r = hook_rule_of(h, HOOK_HMAC);

	*ret = HOOK_HMAC;
	if (r != NULL && r->hmac.public_keys == 0)
		return true;
	*ret = HOOK_URL_KEY;
	return hook_rule_of(h, HOOK_URL_KEY) != NULL;
}

const char *
hook_weakness(const struct hook_auth *h)
{
	if (hook_rule_of(h, HOOK_URL_KEY) != NULL)
		return "a key in the address";
	if (h->n == 1 && h->rule[0].kind == HOOK_IP_ALLOW)
		return "an address alone";
	return NULL;
}

static void
write_hmac(struct jw *w, const struct hook_hmac *h)
{
	jw_kstr(w, "scheme", str_c(hook_scheme_text(h->scheme)));
	if (h->scheme == HOOK_GENERIC || h->scheme == HOOK_GRAFANA)
		jw_kstr(w, "header", h->header);
	if (h->scheme == HOOK_GENERIC) {
		jw_kstr(w, "prefix", h->prefix);
		jw_kstr(w, "encoding", str_c(hook_encoding_text(h->encoding)));
		jw_kstr(w, "algorithm", str_c(hook_digest_text(h->digest)));
		jw_kstr(w, "template", h->template);
	}
	if ((h->scheme == HOOK_GENERIC || h->scheme == HOOK_GRAFANA) &&
	    h->ts_header.n > 0)
		jw_kstr(w, "timestamp_header", h->ts_header);
	if (h->ts_header.n == 0)
		jw_kbool(w, "unique_bodies", h->unique);
	if (h->public_keys == 0)
		return;
	jw_karr(w, "public_key");
	for (size_t i = 0; i < h->public_keys; i++) {
		char text[64];
		struct buf b = {.p = text,
		    .cap = sizeof text,
		    .max = sizeof text};

		buf_c(&b, "whpk_");
		b64_add(&b, h->public_key[i]);
		jw_str(w, buf_view(&b));
	}
	jw_arr_end(w);
}

static void
write_pins(struct jw *w, const char *name, const uint8_t pin[HOOK_PINS][32],
    size_t n)
{
	if (n == 0)
		return;
	jw_name(w, str_c(name));
	jw_arr(w);
	for (size_t i = 0; i < n; i++) {
		char text[64];
		struct buf b = {.p = text,
		    .cap = sizeof text,
		    .max = sizeof text};

		hex_add(&b, str_of((const char *)pin[i], 32));
		jw_str(w, buf_view(&b));
	}
	jw_arr_end(w);
}

static void
write_rule(struct jw *w, const struct hook_rule *r)
{
	jw_obj(w);
	jw_kstr(w, "kind", str_c(hook_kind_text(r->kind)));
	if (r->kind == HOOK_BASIC)
		jw_kstr(w, "user", r->user);
	if (r->kind == HOOK_HMAC)
		write_hmac(w, &r->hmac);
	if (r->kind == HOOK_MTLS) {
		write_pins(w, "fingerprint", r->mtls.sha256, r->mtls.sha256_n);
		write_pins(w, "spki", r->mtls.spki, r->mtls.spki_n);
		if (r->mtls.ca.n > 0)
			jw_kstr(w, "ca", r->mtls.ca);
		if (r->mtls.san.n > 0)
			jw_kstr(w, "san", r->mtls.san);
	}
	if (r->kind == HOOK_JWE)
		jw_kstr(w, "key", r->rsa ? STR("RSA") : STR("P-256"));
	if (r->kind == HOOK_IP_ALLOW) {
		jw_karr(w, "cidrs");
		for (size_t i = 0; i < r->cidrs; i++)
			jw_str(w, r->cidr[i]);
		jw_arr_end(w);
	}
	jw_obj_end(w);
}

void
hook_auth_write(struct jw *w, const struct hook_auth *h)
{
	if (h->n == 1) {
		write_rule(w, &h->rule[0]);
		return;
	}
	jw_obj(w);
	jw_kstr(w, "kind", STR("all"));
	jw_karr(w, "of");
	for (size_t i = 0; i < h->n; i++)
		write_rule(w, &h->rule[i]);
	jw_arr_end(w);
	jw_obj_end(w);
}
