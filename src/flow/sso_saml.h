/* sso_saml.h: what we keep of a SAML provider, as auth/saml.h wants it. */
#ifndef FLOW_SSO_SAML_H
#define FLOW_SSO_SAML_H

#include "auth/saml_meta.h"
#include "flow/sso.h"
#include "ipc/idp.h"

/*
 * Have a document read in a process that is thrown away.  What it is refused
 * for is in the answer; that it could not be read is a refusal on record, for
 * metadata E_INVALID with a sentence.
 */
err saml_read(struct call *c, enum idp_document_kind kind, struct str settings,
    struct str document, struct str *ret) MUST_USE;
/* What we keep of a provider's metadata document, put into cfg.  E_INVALID
 * with a sentence. */
err saml_take_metadata(struct call *c, struct str doc,
    struct idp_config *cfg) MUST_USE;
/* A key of ours towards the provider, put into cfg. */
err saml_make_key(struct call *c, struct idp_config *cfg) MUST_USE;

err saml_self_of(struct call *c, const struct sso *s,
    struct saml_self *ret) MUST_USE;
err saml_provider_of(struct call *c, const struct sso *s,
    const struct saml_self *self, struct saml_provider *ret) MUST_USE;

#endif
