/* access_token.c: see access_token.h. */
#include "auth/access_token.h"

#include "auth/identity.h"
#include "auth/issuers.h"
#include "auth/mac.h"
#include "base/text.h"

bool
access_token_form(struct str s)
{
	size_t dots = 0;

	for (size_t i = 0; i < s.n; i++)
		dots += s.p[i] == '.';
	return dots == 2;
}

static err
judge(struct arena *a, const struct auth_input *in, struct str text,
    const struct issuer *from, enum jose_why *ret_why, struct oidc_access *ret)
{
	struct oidc_rules r = {
	    .issuer = from->url,
	    .client_id = from->audience,
	    .algs = from->algs,
	    .now = in->now,
	};

	return oidc_access_token(a, text, &r, from->keys, ret_why, ret);
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

static void
key_id(const uint8_t sum[32], char ret[TOKEN_KEY_ID + 1])
{
	char hex[64] = "";
	struct buf b = {.p = hex, .cap = sizeof hex, .max = sizeof hex};

	hex_add(&b, str_of((const char *)sum, 32));
	memcpy(ret, hex, TOKEN_KEY_ID);
	ret[TOKEN_KEY_ID] = '\0';
}

/* The token as one of ours would say it. */
static err
as_token(struct arena *a, const struct world *w, const uint8_t sum[32],
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
	    .name = arena_dup(a, said->client_id),
	    .scopes = scopes_of(said->scope),
	    .expires = said->expires,
	};
	key_id(sum, t->key_id);
	*ret = t;
	return arena_check(a);
}

/* Who says it, and what; AUTH_JWT when it is not believed. */
static err
read_token(struct arena *a, const struct auth_input *in, struct str text,
    const uint8_t sum[32], enum auth_reason *ret_why,
    const struct issuer **ret_from, struct oidc_access *ret)
{
	enum jose_why ignored = WHY_OK;
	enum jose_why *why = in->jwt_why == NULL ? &ignored : in->jwt_why;
	err e;

	*why = WHY_ISS;
	*ret_why = AUTH_JWT;
	if (in->issuers == NULL)
		return OK;
	TRY(issuers_refresh(in->issuers, in->world, in->version));
	if (issuers_recall(in->issuers, sum, in->now, ret_from, ret)) {
		*ret_why = AUTH_OK;
		return OK;
	}
	*ret_from = issuers_find(in->issuers, oidc_claimed_issuer(a, text));
	TRY(arena_check(a));
	if (*ret_from == NULL)
		return OK;
	e = judge(a, in, text, *ret_from, why, ret);
	if (err_is(e, E_UNAUTHENTICATED))
		return OK;
	TRY(e);
	issuers_keep(in->issuers, sum, *ret_from, ret);
	*ret_why = AUTH_OK;
	return OK;
}

err
access_token_take(struct arena *a, const struct auth_input *in, struct str text,
    enum auth_reason *ret_why, const struct token **ret)
{
	uint8_t sum[DIGEST_SIZE], key[DIGEST_SIZE];
	const struct issuer *from = NULL;
	const struct identity *who;
	struct oidc_access said = {0};

	TRY(mac_sha256(&text, 1, sum));
	TRY(read_token(a, in, text, sum, ret_why, &from, &said));
	if (*ret_why != AUTH_OK)
		return OK;
	TRY(identity_key(&from->idp, from->url, said.sub, key));
	who = world_identity_key(in->world, key);
	if (who == NULL) {
		*ret_why = AUTH_UNKNOWN;
		return OK;
	}
	return as_token(a, in->world, sum, who, &said, ret);
}
