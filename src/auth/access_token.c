/* access_token.c: see access_token.h. */
#include "auth/access_token.h"

#include "auth/identity.h"
#include "auth/idp_config.h"
#include "auth/mac.h"
#include "auth/oidc.h"
#include "base/text.h"

bool
access_token_form(struct str s)
{
	size_t dots = 0;

	for (size_t i = 0; i < s.n; i++)
		dots += s.p[i] == '.';
	return dots == 2;
}

/* The provider of that issuer; NULL when there is none. */
static err
provider_of(struct arena *a, const struct world *w, struct str issuer,
    const struct idp **ret, struct idp_config *ret_config)
{
	const struct object *const *o;
	size_t n;

	*ret = NULL;
	o = world_objects(w, OBJECT_IDP, &n);
	for (size_t i = 0; i < n && issuer.n > 0; i++) {
		const struct idp *p = (const struct idp *)o[i];

		if (p->disabled || !str_is(p->kind, "oauth"))
			continue;
		TRY(idp_config_open(a, p->kind, p->config, ret_config));
		if (!str_eq(idp_config_text(ret_config, IDP_C_ISSUER), issuer))
			continue;
		*ret = p;
		return OK;
	}
	return OK;
}

static err
judge(struct arena *a, const struct auth_input *in, struct str text,
    const struct idp_config *cfg, enum jose_why *ret_why,
    struct oidc_access *ret)
{
	struct oidc_rules r = {
	    .issuer = idp_config_text(cfg, IDP_C_ISSUER),
	    .client_id = idp_config_text(cfg, IDP_C_AUDIENCE),
	    .algs = idp_config_algs(cfg),
	    .now = in->now,
	};
	struct jwks *keys;
	err e;

	e = jwks_parse(a, cfg->v[IDP_C_JWKS]->raw, JWK_PUBLIC, ret_why, &keys);
	if (err_is(e, E_INVALID)) /* it was good when it was taken */
		return err_of(E_CORRUPT);
	TRY(e);
	e = oidc_access_token(a, text, &r, keys, ret_why, ret);
	(void)jwks_free(keys);
	return e;
}

static struct permset
scopes_of(struct str text)
{
	struct permset set = {{0, 0}};
	enum permission p;
	struct str one;

	while (text.n > 0) {
		(void)str_cut(text, ' ', &one, &text);
		if (perm_parse(one, &p))
			permset_add(&set, p);
	}
	return set;
}

static err
key_id(struct str text, char ret[TOKEN_KEY_ID + 1])
{
	char hex[64] = "";
	struct buf b = {.p = hex, .cap = sizeof hex, .max = sizeof hex};
	uint8_t sum[32];

	TRY(mac_sha256(&text, 1, sum));
	hex_add(&b, str_of((const char *)sum, sizeof sum));
	memcpy(ret, hex, TOKEN_KEY_ID);
	ret[TOKEN_KEY_ID] = '\0';
	return OK;
}

/* The token as one of ours would say it. */
static err
as_token(struct arena *a, const struct world *w, struct str text,
    const struct identity *who, const struct oidc_access *said,
    const struct token **ret)
{
	struct token *t = ARENA_NEW(a, struct token);

	if (t == NULL)
		return err_of(E_NO_MEMORY);
	*t = (struct token){
	    .kind = 'o',
	    .owner_kind = world_user(w, &who->user) != NULL
		? PRINCIPAL_USER
		: PRINCIPAL_SERVICE_ACCOUNT,
	    .owner = {who->user},
	    .name = said->client_id,
	    .scopes = scopes_of(said->scope),
	    .expires = said->expires,
	};
	TRY(key_id(text, t->key_id));
	*ret = t;
	return OK;
}

err
access_token_take(struct arena *a, const struct auth_input *in, struct str text,
    enum auth_reason *ret_why, const struct token **ret)
{
	enum jose_why ignored = WHY_OK, *why = in->jwt_why;
	const struct identity *who;
	struct oidc_access said;
	struct idp_config cfg;
	const struct idp *p;
	uint8_t key[DIGEST_SIZE];
	err e;

	why = why == NULL ? &ignored : why;
	*why = WHY_ISS;
	*ret_why = AUTH_JWT;
	TRY(provider_of(a, in->world, oidc_claimed_issuer(a, text), &p, &cfg));
	TRY(arena_check(a));
	if (p == NULL)
		return OK;
	e = judge(a, in, text, &cfg, why, &said);
	if (err_is(e, E_UNAUTHENTICATED))
		return OK;
	TRY(e);
	TRY(identity_key(&p->o.id, idp_config_text(&cfg, IDP_C_ISSUER),
	    said.sub, key));
	who = world_identity_key(in->world, key);
	*ret_why = who == NULL ? AUTH_UNKNOWN : AUTH_OK;
	if (who == NULL)
		return OK;
	return as_token(a, in->world, text, who, &said, ret);
}
