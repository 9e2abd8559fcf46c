/*
 * scim.h: SCIM 2.0 (RFC 7643, 7644): an identity provider says who works here
 * and who no longer does, before they log in.
 *
 * A client speaks for one provider, /scim/v2/{provider}, with the permission
 * scim.sync.  A User is one of our users through an identity of that provider:
 * nobody else is seen or changed, and nothing is linked by e-mail.  A Group is
 * a row of the provider's group map.  Deprovisioning (`active` false, DELETE)
 * ends sessions and tokens in the same transaction.
 */
#ifndef FLOW_SCIM_H
#define FLOW_SCIM_H

#include "flow/scim_read.h"
#include "flow/sso_account.h"

/* The provider of path variable 0. */
err scim_provider(struct call *c, struct sso *ret) MUST_USE;
/* The account of path variable 1 at it: E_NOT_FOUND for all others. */
err scim_account(struct call *c, const struct sso *s,
    const struct identity **ret) MUST_USE;
/* The account of a user at the provider; NULL: none. */
const struct identity *scim_identity(struct call *c, const struct sso *s,
    const struct uuid *user);

/* Start an answer of SCIM's type. */
struct jw *scim_answer(struct call *c, int status);
/* Start a ListResponse; the caller writes Resources and calls scim_list_end. */
struct jw *scim_list(struct call *c, const struct scim_query *q, size_t total,
    size_t shown);
void scim_list_end(struct jw *w);
/* meta, and where it is. */
void scim_meta(struct call *c, struct jw *w, const char *type,
    const struct sso *s, const struct uuid *id, const struct object *o);
/* A problem as RFC 7644 3.12 has it. */
void scim_problem(struct buf *b, err e, const char *detail,
    const char *request_id);

#endif
