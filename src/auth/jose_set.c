/* jose_set.c: sets of keys, and the one that fits. */
#include "auth/jose_inner.h"
#include "base/limits.h"
#include "base/mem.h"

/* ---- sets ---- */

struct jwks *
jwks_new(void)
{
	return mem_new(1, sizeof(struct jwks));
}

struct jwks *
jwks_free(struct jwks *s)
{
	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < s->n; i++)
		(void)jwk_free(s->keys[i]);
	mem_free(s);
	return NULL;
}

err
jwks_add(struct jwks *s, struct jwk *k)
{
	if (s->n < LIM_JWKS_KEYS) {
		s->keys[s->n++] = k;
		return OK;
	}
	(void)jwk_free(k);
	return err_of(E_LIMIT);
}

/* A key that cannot be used is left out; one that should not be there at all
 * spoils the set. */
static err
set_one(struct arena *a, const struct json *o, enum jwk_want want,
    enum jose_why *ret_why, struct jwks *s)
{
	enum jose_why why = WHY_OK;
	struct jwk *k;
	err e = jose_key_of(a, o, want, &why, &k);

	if (err_ok(e))
		return jwks_add(s, k);
	if (!err_is(e, E_INVALID))
		return e;
	if (why == WHY_JWK_PRIVATE || why == WHY_JWK_MIXED ||
	    why == WHY_JWK_JSON)
		return jose_bad(why, ret_why);
	if (s->skipped++ == 0)
		s->skipped_why = why;
	return OK;
}

/* Two keys of one type and one name: whoever reads the set chooses another. */
static bool
names_twice(const struct json *list)
{
	for (const struct json *j = json_first(list); j != NULL; j = j->next) {
		struct str kid = json_str_at(j, STR("kid"));
		struct str kty = json_str_at(j, STR("kty"));

		for (const struct json *k = j->next; k != NULL && kid.p != NULL;
		     k = k->next)
			if (str_eq(kid, json_str_at(k, STR("kid"))) &&
			    str_eq(kty, json_str_at(k, STR("kty"))))
				return true;
	}
	return false;
}

err
jwks_parse(struct arena *scratch, struct str json, enum jwk_want want,
    enum jose_why *ret_why, struct jwks **ret)
{
	struct jwks *s = jwks_new();
	const struct json *o, *list = NULL;
	struct trail t = {{0}};
	err e = OK;

	if (s == NULL)
		return err_of(E_NO_MEMORY);
	*ret_why = WHY_OK;
	if (json.n <= LIM_JWKS &&
	    err_ok(json_parse(scratch, json, &jose_key_limits, &t, &o)))
		list = json_get(o, STR("keys"));
	if (list == NULL || list->kind != JSON_ARRAY)
		e = jose_bad(WHY_JWK_JSON, ret_why);
	else if (list->count > LIM_JWKS_KEYS)
		e = jose_bad(WHY_JWK_COUNT, ret_why);
	if (err_ok(e) && names_twice(list))
		e = jose_bad(WHY_JWK_KID, ret_why);
	for (const struct json *j = err_ok(e) ? json_first(list) : NULL;
	     err_ok(e) && j != NULL; j = j->next)
		e = set_one(scratch, j, want, ret_why, s);
	if (err_ok(e) && s->n == 0)
		e = jose_bad(WHY_JWK_EMPTY, ret_why);
	if (!err_ok(e)) {
		(void)jwks_free(s);
		return e;
	}
	*ret = s;
	return OK;
}

/* ---- choosing ---- */

err
jose_select(const struct jwks *keys, enum jose_alg alg, enum jose_alg also,
    struct str kid, unsigned may, enum jose_curve curve, enum jose_why *ret_why,
    const struct jwk **ret)
{
	const struct jwk *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < keys->n; i++) {
		const struct jwk *k = keys->keys[i];

		if (!jose_alg_fits(alg, k) ||
		    (k->alg != JOSE_ALG_MAX_ && k->alg != alg &&
			k->alg != also) ||
		    (k->may & may) == 0 ||
		    (curve != CURVE_NONE && k->curve != curve) ||
		    (kid.p != NULL && !str_eq(kid, jwk_kid(k))))
			continue;
		found = k;
		n++;
	}
	if (n != 1)
		return jose_fail(n == 0 ? WHY_KID : WHY_AMBIGUOUS, ret_why);
	*ret = found;
	return OK;
}
