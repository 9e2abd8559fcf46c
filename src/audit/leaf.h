/*
 * leaf.h: one audit entry as the exact bytes that are hashed.
 *
 * A leaf is one line of canonical JSON (RFC 8785 restricted: sorted names,
 * no white space, strings, integers, arrays, objects; no float, no null, no
 * newline), at most LIM_LEAF bytes.  doc/PROTOCOL.audit has it to the byte.
 * Strings are printable ASCII without " and \, so a leaf needs no escape, is
 * inert wherever it is shown and has one form only.
 * It holds ids, numbers, times, enumerations and an address; what people or
 * senders wrote enters only as a salted commitment.
 */
#ifndef AUDIT_LEAF_H
#define AUDIT_LEAF_H

#include "base/buf.h"
#include "base/id.h"

enum audit_action {
#define AUDIT(name, text, kind) name,
#include "audit/audit.def"
#undef AUDIT
	AUDIT_MAX_
};

enum audit_kind { AUDIT_CHANGE, AUDIT_READ, AUDIT_LOGIN };

enum audit_outcome {
	AUDIT_OK,
	AUDIT_DENIED,
	AUDIT_ERROR,
	AUDIT_INTENT,
};

struct audit_resource {
	struct str type; /* "incident" */
	struct str id;	 /* uuid text, or "priv:" and a blind reference */
};

enum { AUDIT_RESOURCES = 8, COMMITMENT_SIZE = 32 };

struct audit_entry {
	uint64_t seq; /* 1, 2, ...; leaf index is seq - 1 */
	int64_t time;
	enum audit_action action;
	enum audit_outcome outcome;
	struct str principal_kind; /* user, service_account, integration,
				      system, anonymous */
	struct str principal_id;
	struct str credential; /* public key id of the token, or empty */
	struct str address;    /* peer address, or empty */
	struct str request_id;
	struct str project; /* project id, or empty */
	struct str reason;  /* error code for denied/error, or empty */
	struct audit_resource resource[AUDIT_RESOURCES];
	size_t resources;
	uint64_t count;		   /* coalesced requests; 0 or 1 is left out */
	const uint8_t *commitment; /* COMMITMENT_SIZE bytes or NULL */
};

const char *audit_action_text(enum audit_action a);
enum audit_kind audit_action_kind(enum audit_action a);
bool audit_action_parse(struct str s, enum audit_action *ret);
const char *audit_outcome_text(enum audit_outcome o);
bool audit_outcome_parse(struct str s, enum audit_outcome *ret);

/*
 * Append the leaf to b.  E_TOO_LARGE past LIM_LEAF; E_INVALID for text with
 * a character no leaf may hold, a kind or type that is not a name
 * ([a-z][a-z0-9_.]*), seq 0, no action, too many resources.  On error b is
 * as it was.
 */
err audit_leaf_write(struct buf *b, const struct audit_entry *e) MUST_USE;

/*
 * Read a leaf back (for lists and filters).  Views into the arena.  Refuses
 * what audit_leaf_write would not have written: E_CORRUPT.
 */
err audit_leaf_read(struct arena *a, struct str leaf,
    struct audit_entry *ret) MUST_USE;

/*
 * The same for who need not know every action: one of a newer Redoubt is
 * still a leaf.  e.action is AUDIT_NONE; *ret_action is its text.  Views into
 * leaf; commitment is left out.
 */
err audit_leaf_view(struct str leaf, struct audit_entry *ret,
    struct str *ret_action) MUST_USE;

/* SHA-256(0x02 || salt[32] || u16 len(name) || name || u32 len(value) ||
 * value): hides the value while the salt is unknown, binds it for ever. */
void audit_commit(const uint8_t salt[32], struct str name, struct str value,
    uint8_t ret[COMMITMENT_SIZE]);

#endif
