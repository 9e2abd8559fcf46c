/*
 * idpwire.h: the bodies between server and idp role, for both ends.
 * Big-endian, read by exact consumption:
 *
 *	IPC_OIDC_TOKEN		u32 seq, u8 n, provider, u16 n, code,
 *				u8 n, verifier
 *	IPC_OIDC_JWKS, _META	u32 seq, u8 n, provider
 *	IPC_SAML_VERIFY		u32 seq, u32 length of all parts before it
 *	IPC_OIDC_ANSWER, IPC_SAML_VERDICT
 *				u32 seq, u8 idp_status, text (IDP_OK only)
 *
 * The parts of a document together are u8 idp_document_kind, u64
 * milliseconds, u32 n, settings, then the document.  A link carries one
 * question at a time; seq tells an answer that comes too late from the one
 * that is waited for.
 */
#ifndef IPC_IDPWIRE_H
#define IPC_IDPWIRE_H

#include "ipc/idp.h"

enum {
	IDP_ASK_MAX = 4 + 1 + IDP_NAME + 2 + IDP_CODE + 1 + IDP_VERIFIER,
	IDP_SAML_HEAD = 13,
	IDP_SAML_TEXT = IDP_SAML_HEAD + IDP_SETTINGS + IDP_DOCUMENT,
	IDP_ANSWER_HEAD = 5,
};

struct idp_ask {
	uint32_t seq;
	struct str provider;
	struct str code, verifier; /* IPC_OIDC_TOKEN only */
};

/* What follows seq: at most IDP_ASK_MAX - 4 bytes; how many. */
size_t idp_ask_encode(char *ret, enum ipc_type type, const struct idp_ask *a);
/* Views into the body. E_PEER: not what encode writes: a name has lower-case
 * letters, digits and hyphens, a code printable ASCII (RFC 6749 A.11), a
 * verifier RFC 7636's characters. */
err idp_ask_decode(enum ipc_type type, struct str body,
    struct idp_ask *ret) MUST_USE;

struct idp_answer {
	uint32_t seq;
	enum idp_status status;
	struct str text;
};

void idp_answer_encode(struct buf *b, const struct idp_answer *a);
err idp_answer_decode(struct str body, struct idp_answer *ret) MUST_USE;

struct idp_document {
	enum idp_document_kind kind;
	int64_t now;
	struct str settings, document;
};

void idp_document_encode(struct buf *b, const struct idp_document *d);
err idp_document_decode(struct str text, struct idp_document *ret) MUST_USE;

bool idp_name_ok(struct str name);

#endif
