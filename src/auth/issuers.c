/* issuers.c: see issuers.h. */
#include "auth/issuers.h"

#include "auth/idp_config.h"
#include "base/limits.h"
#include "base/secret.h"

enum { SCOPE_KEPT = 1024 };

struct believed {
	uint8_t sum[32];
	const struct issuer *from; /* NULL: nothing here */
	int64_t expires;
	size_t sub_n, client_n, scope_n;
	char sub[OIDC_TEXT], client[OIDC_TEXT], scope[SCOPE_KEPT];
};

void
issuers_init(struct issuers *s)
{
	*s = (struct issuers){.n = 0};
	arena_init(&s->a, LIM_ARENA);
}

static void
forget(struct issuers *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->list[i].keys = jwks_free(s->list[i].keys);
	s->list = NULL;
	s->kept = NULL;
	s->n = 0;
	s->known = false;
}

void
issuers_done(struct issuers *s)
{
	forget(s);
	arena_done(&s->a);
}

static err
take(struct issuers *s, struct arena *scratch, const struct idp *p)
{
	struct idp_config cfg;
	enum jose_why why;
	struct issuer one;
	err e;

	TRY(idp_config_open(scratch, p->kind, p->config, &cfg));
	one = (struct issuer){
	    .idp = p->o.id,
	    .url = arena_dup(&s->a, idp_config_text(&cfg, IDP_C_ISSUER)),
	    .audience = arena_dup(&s->a, idp_config_text(&cfg, IDP_C_AUDIENCE)),
	    .algs = idp_config_algs(&cfg),
	};
	TRY(arena_check(&s->a));
	if (cfg.v[IDP_C_JWKS] == NULL)
		return err_of(E_CORRUPT);
	e = jwks_parse(scratch, cfg.v[IDP_C_JWKS]->raw, JWK_PUBLIC, &why,
	    &one.keys);
	if (err_is(e, E_INVALID)) /* it was good when it was taken */
		return err_of(E_CORRUPT);
	TRY(e);
	s->list[s->n++] = one;
	return OK;
}

static bool
counts(const struct idp *p)
{
	return !p->disabled && str_is(p->kind, "oauth");
}

static err
take_all(struct issuers *s, struct arena *scratch, const struct world *w)
{
	const struct object *const *o;
	size_t n, here = 0;

	o = world_objects(w, OBJECT_IDP, &n);
	for (size_t i = 0; i < n; i++)
		here += counts((const struct idp *)o[i]);
	if (here == 0)
		return OK;
	s->list = arena_array(&s->a, here, sizeof *s->list);
	TRY(arena_check(&s->a));
	for (size_t i = 0; i < n && s->n < here; i++) {
		const struct idp *p = (const struct idp *)o[i];

		if (!counts(p))
			continue;
		TRY(take(s, scratch, p));
		arena_reset(scratch);
	}
	return OK;
}

err
issuers_refresh(struct issuers *s, const struct world *w, uint64_t version)
{
	struct arena scratch;
	err e;

	if (s->known && s->version == version)
		return OK;
	forget(s);
	arena_reset(&s->a);
	arena_init(&scratch, LIM_ARENA);
	e = take_all(s, &scratch, w);
	arena_done(&scratch);
	s->version = version;
	s->known = err_ok(e);
	return e;
}

const struct issuer *
issuers_find(const struct issuers *s, struct str url)
{
	for (size_t i = 0; i < s->n && url.n > 0; i++)
		if (str_eq(s->list[i].url, url))
			return &s->list[i];
	return NULL;
}

bool
issuers_recall(const struct issuers *s, const uint8_t sum[32], int64_t now,
    const struct issuer **ret_from, struct oidc_access *ret)
{
	const struct believed *b;

	if (s->kept == NULL)
		return false;
	b = &s->kept[sum[0] % LIM_BELIEVED];
	if (b->from == NULL || now >= b->expires || !ct_eq(b->sum, sum, 32))
		return false;
	*ret_from = b->from;
	*ret = (struct oidc_access){
	    .sub = str_of(b->sub, b->sub_n),
	    .client_id = str_of(b->client, b->client_n),
	    .scope = str_of(b->scope, b->scope_n),
	    .expires = b->expires,
	};
	return true;
}

static size_t
copy(char *to, struct str s)
{
	if (s.n > 0)
		memcpy(to, s.p, s.n);
	return s.n;
}

void
issuers_keep(struct issuers *s, const uint8_t sum[32],
    const struct issuer *from, const struct oidc_access *said)
{
	struct believed *b;

	if (said->sub.n > sizeof b->sub ||
	    said->client_id.n > sizeof b->client ||
	    said->scope.n > sizeof b->scope)
		return; /* verified each time */
	if (s->kept == NULL)
		s->kept = arena_array(&s->a, LIM_BELIEVED, sizeof *s->kept);
	if (s->kept == NULL)
		return;
	b = &s->kept[sum[0] % LIM_BELIEVED];
	memcpy(b->sum, sum, sizeof b->sum);
	b->from = from;
	b->expires = said->expires;
	b->sub_n = copy(b->sub, said->sub);
	b->client_n = copy(b->client, said->client_id);
	b->scope_n = copy(b->scope, said->scope);
}
