#include "auth/actor.h"

#include "auth/token.h"

static const char *const reasons[] = {
    [AUTH_OK] = "ok",
    [AUTH_MISSING] = "missing",
    [AUTH_MALFORMED] = "malformed",
    [AUTH_UNKNOWN] = "unknown",
    [AUTH_WRONG_SECRET] = "wrong_secret",
    [AUTH_EXPIRED] = "expired",
    [AUTH_REVOKED] = "revoked",
    [AUTH_OWNER] = "owner",
    [AUTH_ADDRESS] = "address",
    [AUTH_KIND] = "kind",
};

const char *
auth_reason_text(enum auth_reason r)
{
	return r <= AUTH_KIND ? reasons[r] : "unknown";
}

/* RFC 9110 11.4, RFC 6750 2.1: the scheme in any case, one space or more. */
static enum auth_reason
bearer(struct str header, struct str *ret)
{
	static const struct str scheme = {"bearer", 6};
	struct str rest;

	if (header.n == 0)
		return AUTH_MISSING;
	rest = str_skip(header, scheme.n);
	if (!str_ieq(str_head(header, scheme.n), scheme) || rest.n == 0 ||
	    rest.p[0] != ' ')
		return AUTH_MALFORMED;
	while (rest.n > 0 && rest.p[0] == ' ')
		rest = str_skip(rest, 1);
	*ret = rest;
	return AUTH_OK;
}

/*
 * Is it a token of ours?  An unknown key id costs the same MAC and the same
 * comparison as a known one, and what stands in the world about the token is
 * looked at only by who knows its secret.
 */
static enum auth_reason
verify(const struct auth_input *in, const struct token **ret)
{
	static const struct token dummy = {.kind = 'p'};
	struct str text, key_id, secret;
	const struct token *t;
	enum auth_reason why;
	uint8_t sum[32];
	bool same;
	char kind;

	why = bearer(in->authorization, &text);
	if (why != AUTH_OK)
		return why;
	if (!token_parse(text, &kind, &key_id, &secret))
		return AUTH_MALFORMED;
	t = world_token_key(in->world, key_id.p);
	if (!err_ok(token_verifier(in->token_mac, text, sum)))
		return AUTH_WRONG_SECRET;
	same = ct_eq((t != NULL ? t : &dummy)->verifier, sum, sizeof sum);
	if (t == NULL)
		return AUTH_UNKNOWN;
	if (!same)
		return AUTH_WRONG_SECRET;
	*ret = t;
	return t->kind == kind ? AUTH_OK : AUTH_KIND;
}

/* Whom a kind of token may speak for. */
static bool
owner_fits(const struct token *t)
{
	switch (t->kind) {
	case 'p':
	case 'b':
		return t->owner_kind == PRINCIPAL_USER;
	case 's':
		return t->owner_kind == PRINCIPAL_SERVICE_ACCOUNT;
	case 'w':
		return t->owner_kind == PRINCIPAL_INTEGRATION;
	default:
		return false;
	}
}

static enum auth_reason
usable(const struct auth_input *in, const struct token *t)
{
	if (t->revoked != 0)
		return AUTH_REVOKED;
	if (in->now >= t->expires)
		return AUTH_EXPIRED;
	if (t->cidrs_n > 0 && !cidr_match(t->cidrs, t->cidrs_n, in->address))
		return AUTH_ADDRESS;
	if (!owner_fits(t))
		return AUTH_KIND;
	return AUTH_OK;
}

static err
actor_new(struct arena *a, const struct auth_input *in, const struct token *t,
    const struct actor **ret)
{
	struct actor *who = ARENA_NEW(a, struct actor);

	if (who == NULL)
		return err_of(E_NO_MEMORY);
	*who = (struct actor){
	    .kind = t->owner_kind,
	    .id = t->owner.u,
	    .name = world_principal_name(in->world, t->owner_kind, &t->owner.u),
	    .token = t,
	    .world = in->world,
	    .address = in->address,
	};
	*ret = who;
	return OK;
}

err
auth_api(struct arena *a, const struct auth_input *in,
    enum auth_reason *ret_why, const struct actor **ret)
{
	const struct token *t = NULL;
	enum auth_reason why = verify(in, &t);

	if (why == AUTH_OK && t->kind == 'w')
		why = AUTH_KIND;
	if (why == AUTH_OK)
		why = usable(in, t);
	if (why == AUTH_OK &&
	    !world_principal_live(in->world, t->owner_kind, &t->owner.u))
		why = AUTH_OWNER;
	*ret_why = why;
	if (why != AUTH_OK)
		return err_of(E_UNAUTHENTICATED);
	return actor_new(a, in, t, ret);
}

err
auth_ingest(struct arena *a, const struct auth_input *in,
    const struct uuid *integration, enum auth_reason *ret_why,
    const struct actor **ret)
{
	const struct token *t = NULL;
	const struct integration *i;
	enum auth_reason why = verify(in, &t);

	if (why == AUTH_OK && t->kind != 'w')
		why = AUTH_KIND;
	if (why == AUTH_OK)
		why = usable(in, t);
	if (why == AUTH_OK && !uuid_eq(&t->owner.u, integration))
		why = AUTH_OWNER;
	i = world_integration(in->world, integration);
	if (why == AUTH_OK && i == NULL)
		why = AUTH_OWNER;
	*ret_why = why;
	if (why != AUTH_OK)
		return err_of(E_UNAUTHENTICATED);
	if (i->disabled) {
		*ret_why = AUTH_OWNER;
		return err_of(E_DISABLED);
	}
	return actor_new(a, in, t, ret);
}

const struct actor *
auth_system(struct arena *a, const struct world *w)
{
	struct actor *who = ARENA_NEW(a, struct actor);

	if (who != NULL)
		*who = (struct actor){
		    .kind = PRINCIPAL_SYSTEM,
		    .name = STR("system"),
		    .world = w,
		    .address = STR(""),
		};
	return who;
}

const struct actor *
auth_supposed(struct arena *a, const struct world *w, enum principal_kind kind,
    const struct uuid *id)
{
	struct actor *who;

	if (kind != PRINCIPAL_USER && kind != PRINCIPAL_SERVICE_ACCOUNT &&
	    kind != PRINCIPAL_INTEGRATION)
		return NULL;
	who = ARENA_NEW(a, struct actor);
	if (who != NULL)
		*who = (struct actor){
		    .kind = kind,
		    .id = *id,
		    .name = world_principal_name(w, kind, id),
		    .world = w,
		    .address = STR(""),
		};
	return who;
}
