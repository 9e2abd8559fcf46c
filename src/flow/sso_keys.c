/* sso_keys.c: see sso_keys.h. */
#include "flow/sso_keys.h"

#include <pthread.h>

#include "base/limits.h"
#include "base/mem.h"
#include "ipc/idp.h"

/*
 * What is kept for each provider.  Shared by the few threads that check
 * logins; the lock is held for a copy, never for a question.
 */
struct kept {
	struct uuid idp;
	int64_t fetched, tried; /* ms; 0 never */
	char *text;
	size_t n;
};
static struct kept kept[LIM_IDPS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The provider's slot, or the one that was asked for longest ago. */
static struct kept *
slot_of(const struct uuid *idp)
{
	struct kept *oldest = &kept[0];

	for (size_t i = 0; i < LIM_IDPS; i++) {
		if (uuid_eq(&kept[i].idp, idp))
			return &kept[i];
		if (kept[i].tried < oldest->tried)
			oldest = &kept[i];
	}
	mem_free(oldest->text);
	*oldest = (struct kept){.idp = *idp};
	return oldest;
}

/* What we have, copied; and whether to ask now, which counts as asking. */
static err
look(struct call *c, const struct uuid *idp, bool again, struct str *ret_text,
    bool *ret_ask)
{
	struct kept *k;
	bool old;

	(void)pthread_mutex_lock(&lock);
	k = slot_of(idp);
	*ret_text = arena_dup(c->a, str_of(k->text, k->n));
	if (k->n == 0 || c->now - k->fetched > LIM_JWKS_STALE_MS)
		*ret_text = STR_NONE;
	old = again || c->now - k->fetched > LIM_JWKS_FRESH_MS;
	*ret_ask =
	    ret_text->n == 0 || (old && c->now - k->tried >= LIM_JWKS_RETRY_MS);
	if (*ret_ask)
		k->tried = c->now;
	(void)pthread_mutex_unlock(&lock);
	return arena_check(c->a);
}

static void
keep(struct call *c, const struct uuid *idp, struct str text)
{
	char *copy = mem_new(1, text.n);
	struct kept *k;

	if (copy == NULL)
		return; /* the next login asks again */
	memcpy(copy, text.p, text.n);
	(void)pthread_mutex_lock(&lock);
	k = slot_of(idp);
	mem_free(k->text);
	k->text = copy;
	k->n = text.n;
	k->fetched = c->now;
	(void)pthread_mutex_unlock(&lock);
}

static err
ask(struct call *c, const struct sso *s, struct str *ret,
    enum idp_status *ret_why)
{
	struct buf b;

	buf_init_on(&b, c->a, IDP_ANSWER);
	TRY(idp_oidc_jwks(c->lane->state->idp, s->name, &b, ret_why));
	*ret = buf_view(&b);
	keep(c, &s->id, *ret);
	return OK;
}

static err
fetched(struct call *c, const struct sso *s, bool again, struct str *ret)
{
	enum idp_status why;
	struct str have;
	bool now;
	err e;

	TRY(look(c, &s->id, again, &have, &now));
	if (!now && again)
		return err_of(E_NOT_FOUND);
	if (!now) {
		*ret = have;
		return OK;
	}
	e = ask(c, s, ret, &why);
	if (err_ok(e) || err_is(e, E_NO_MEMORY))
		return e;
	if (again)
		return err_of(E_NOT_FOUND);
	if (have.n == 0)
		return sso_refuse(c, (enum err_code)e.code, idp_reason(why));
	*ret = have;
	return OK;
}

err
keys_of(struct call *c, const struct sso *s, bool again, struct jwks **ret)
{
	const struct json *pinned = s->config.v[IDP_C_JWKS];
	enum jose_why why;
	struct str text;
	err e;

	if (pinned != NULL && again)
		return err_of(E_NOT_FOUND);
	if (pinned != NULL)
		text = pinned->raw;
	else
		TRY(fetched(c, s, again, &text));
	e = jwks_parse(c->a, text, JWK_PUBLIC, &why, ret);
	if (err_is(e, E_INVALID))
		return sso_refuse(c, E_AUTH_FAILED, jose_why_text(why));
	return e;
}
