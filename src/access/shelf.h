/*
 * shelf.h: inside access only.  What a world is made of.
 *
 * A cell is one object and all it points to in one block, reference counted.
 * A shelf is all objects of one kind, sorted and indexed, immutable once
 * built and reference counted.  A new world shares the shelves of kinds that
 * did not change and, in those that did, the cells that did not.
 */
#ifndef ACCESS_SHELF_H
#define ACCESS_SHELF_H

#include <stdatomic.h>

#include "access/world.h"
#include "base/limits.h"

enum { OBJECT_KINDS = OBJECT_PREFERENCES + 1 };

/* ---- cells (cell.c) ---- */

/* A deep copy of the object its kind says, with one reference; E_NO_MEMORY,
 * E_LIMIT, or E_CORRUPT when a field cannot be what it says. */
err cell_new(const struct object *o, struct object **ret) MUST_USE;
void cell_ref(struct object *o);
void cell_unref(struct object *o);

/* ---- hash tables over ids, which the server itself drew at random ---- */

struct slot {
	uint64_t hash; /* never 0 in a used slot */
	const void *value;
};

struct table {
	struct slot *slots; /* power of two, at most half full */
	size_t mask;
};

static inline uint64_t
hash_bytes16(const void *p)
{
	uint64_t a, b;

	memcpy(&a, p, sizeof a);
	memcpy(&b, (const char *)p + sizeof a, sizeof b);
	a = (a ^ b >> 32 ^ b << 32) * UINT64_C(0x9e3779b97f4a7c15);
	a = (a ^ a >> 29 ^ b) * UINT64_C(0xbf58476d1ce4e5b9);
	return (a ^ a >> 32) | 1;
}

static inline uint64_t
hash_uuid(const struct uuid *u)
{
	return hash_bytes16(u->b);
}

static inline uint64_t
hash_key_id(const char key_id[TOKEN_KEY_ID])
{
	char t[16] = {0};

	memcpy(t, key_id, TOKEN_KEY_ID);
	return hash_bytes16(t);
}

/* ---- one kind of objects ---- */

/* What one id has many of: groups of a principal, bindings of a subject,
 * identities, credentials and sessions of a user. */
struct span {
	struct uuid id;
	uint32_t at, n; /* in shelf.many */
};

struct shelf {
	atomic_uint refs;
	size_t n;
	struct object **all;	/* by id */
	struct object **text;	/* by slug, e-mail or name; or NULL */
	struct object **number; /* projects by number; or NULL */
	struct table ids;
	struct table keys;    /* tokens by key id; by digest */
	struct object **many; /* of what has spans */
	struct span *spans;
	struct table span_of;
};

/* A change to one object; obj NULL removes it. */
struct change {
	struct uuid id;
	size_t order; /* a later change wins */
	struct object *obj;
};

/*
 * A new shelf from an old one (NULL: empty) and changes, which it sorts.
 * Takes the references that the changes hold when it succeeds.  E_CORRUPT
 * when two objects claim one name, number or key id.
 */
err shelf_new(enum object_kind kind, const struct shelf *old,
    struct change *changes, size_t changes_n, struct shelf **ret) MUST_USE;
struct shelf *shelf_ref(struct shelf *s);
struct shelf *shelf_unref(struct shelf *s);

const struct object *shelf_id(const struct shelf *s, const struct uuid *id);
const struct object *shelf_text(enum object_kind kind, const struct shelf *s,
    struct str text);
const struct object *shelf_number(const struct shelf *s, uint32_t number);
const struct token *shelf_key(const struct shelf *s,
    const char key_id[TOKEN_KEY_ID]);
/* Identities and sessions only. */
const struct object *shelf_digest(const struct shelf *s,
    const uint8_t key[DIGEST_SIZE]);
const struct span *shelf_span(const struct shelf *s, const struct uuid *id);
/* How many objects of a kind there may be; 0 for no kind. */
size_t shelf_limit(enum object_kind kind);

/* multi.c: fills many, spans and span_of. */
err shelf_many(enum object_kind kind, struct shelf *s) MUST_USE;
err table_new(size_t n, struct table *ret) MUST_USE;
void multi_add(struct table *t, uint64_t hash, const void *value);

struct world {
	atomic_uint refs;
	uint64_t version;
	struct shelf *shelf[OBJECT_KINDS]; /* [0] is not used */
	struct rights *rights;		   /* rights.h */
};

#endif
