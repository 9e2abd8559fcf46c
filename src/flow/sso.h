/*
 * sso.h: single sign-on: what the routes of /auth/saml and /auth/oidc share.
 *
 *	login		a transaction, and off to the provider
 *	acs, callback	first half: the answer is checked (sso_saml.c,
 *			sso_oidc.c), by other processes where it is foreign
 *			XML or needs a connection; second half: sso_enter in
 *			the writer's transaction
 *	logout		the provider says that a login there is over
 *
 * Every refusal is E_AUTH_FAILED, or another of the few a person can do
 * something about, with a page that says no more; why is in the audit entry.
 */
#ifndef FLOW_SSO_H
#define FLOW_SSO_H

#include "auth/idp_config.h"
#include "flow/sso_txn.h"

/* A provider as one request sees it. */
struct sso {
	struct uuid id;
	uint32_t version;
	struct str name; /* in the arena, as is what config points to */
	struct idp_config config;
	struct str issuer; /* entity id of a SAML provider */
};

/* Can a provider's name stand in its addresses?  Else its id does. */
bool sso_name_in_url(struct str name);
/* "https://host:port/auth/saml/corp" + under. */
struct str sso_url(struct call *c, const struct idp *i, const char *under);
/* "/auth/saml/corp/login"; none when people do not log in there. */
struct str sso_login_path(struct call *c, const struct idp *i);
struct str sso_own_url(struct call *c, const struct sso *s, const char *under);

/* Copied out of the world. */
err sso_open(struct call *c, const struct idp *i, struct sso *ret) MUST_USE;
/* The provider of path variable 0, an id or a name, which people log in at:
 * E_NOT_FOUND when it is disabled or of the other protocol. */
err sso_find(struct call *c, bool saml, struct sso **ret) MUST_USE;
/* A transaction for ?next= and ?reauth=1. */
err sso_begin(struct call *c, const struct sso *s, struct txn *ret) MUST_USE;

/* Refused: what the audit entry says (static), and what the page says. */
err sso_refuse(struct call *c, enum err_code code, const char *why) MUST_USE;

/* Whom a checked answer of a provider names.  All in the arena. */
struct sso_who {
	struct sso *sso;
	struct str subject;
	struct str email, name; /* display only; may be empty */
	const struct str *groups;
	size_t groups_n;
	const char *method;	    /* "saml", "oidc" */
	int64_t auth_time, expires; /* ms, 0 unknown */
	struct str idp_session;	    /* for the provider's logout */
	enum seen_kind once;	    /* of the answer itself */
	uint8_t once_hash[SEEN_SIZE];
	int64_t once_until;
	bool asked; /* txn is the request it answers */
	struct txn txn;
};

/* The second half: c->prepared is a struct sso_who. */
err sso_enter(struct call *c) MUST_USE;

#endif
