/*
 * idp_config.h: the `config` of an identity provider: what an administrator
 * may write (idp_config.def), checked, and what is kept of it.
 *
 * Kept is one JSON object with the same members; our private key towards a
 * SAML provider is one of them, so the text is for the sealed store only and
 * idp_config_show is what answers show.
 */
#ifndef AUTH_IDP_CONFIG_H
#define AUTH_IDP_CONFIG_H

#include "base/id.h"
#include "base/json.h"

enum idp_kind { IDP_SAML, IDP_OIDC_DIRECT, IDP_OIDC_CODE, IDP_OAUTH };
const char *idp_kind_text(enum idp_kind k); /* "oidc-code" */
bool idp_kind_parse(struct str s, enum idp_kind *ret);

enum idp_member {
#define CONFIG(id, kinds, member, type, max, flags, meaning) IDP_C_##id,
#include "auth/idp_config.def"
#undef CONFIG
	IDP_C_MAX_
};

/* Values as parsed; NULL when absent. */
struct idp_config {
	enum idp_kind kind;
	const struct json *v[IDP_C_MAX_];
};

/* From the text that was kept; E_CORRUPT when it is none of ours. */
err idp_config_open(struct arena *a, struct str kind, struct str text,
    struct idp_config *ret) MUST_USE;
/*
 * From what an administrator sent: body is the object.  old: what is being
 * replaced, NULL at creation.  E_UNKNOWN_MEMBER, E_MISSING, E_INVALID with a
 * sentence.  The metadata document is in v[IDP_C_METADATA] then, for the
 * caller to read and to take away.
 */
err idp_config_take(struct arena *a, enum idp_kind kind,
    const struct json *body, const struct idp_config *old, int64_t now,
    struct trail *t, struct idp_config *ret) MUST_USE;
/* What the server adds. Empty text or n 0 takes the member away. */
void idp_config_set(struct arena *a, struct idp_config *c, enum idp_member m,
    struct str text);
void idp_config_set_list(struct arena *a, struct idp_config *c,
    enum idp_member m, const struct str *list, size_t n);

/* The text to keep. */
void idp_config_write(struct jw *w, const struct idp_config *c);
/* The object an answer may show. */
void idp_config_show(struct jw *w, const struct idp_config *c);
/* Do they differ in whom the provider can speak for? */
bool idp_config_trust_differs(const struct idp_config *a,
    const struct idp_config *b);

/* ---- reading ---- */

/* Empty when absent. */
struct str idp_config_text(const struct idp_config *c, enum idp_member m);
bool idp_config_flag(const struct idp_config *c, enum idp_member m);
/* ms; 0 when absent */
int64_t idp_config_time(const struct idp_config *c, enum idp_member m);
/* JOSE_BITs of `algorithms`, or the usual ones. */
uint32_t idp_config_algs(const struct idp_config *c);
/* Walk the items of a list or map: json_first(c->v[m]).  The two members of
 * an item of group_map: */
struct str idp_map_value(const struct json *item);
struct uuid idp_map_group(const struct json *item);

#endif
