/*
 * epoch.h: what a log is called after it was cut, doc/PROTOCOL.audit 8.
 *
 * A store that was restored, or set back, may not get a second signature
 * under the name its log had: the log goes on under the next name, and its
 * first entry there, audit.fork, says from where.  Whoever knows one name
 * believes another only with that entry before his eyes.
 *
 *	redoubt/<organization>/1	the first epoch
 *	redoubt/<organization>/2-5f3a9c01	the second; random, because one
 *			backup can be restored twice
 */
#ifndef AUDIT_EPOCH_H
#define AUDIT_EPOCH_H

#include "audit/leaf.h"
#include "audit/note.h"

struct epoch {
	struct str log;	 /* "redoubt/<organization>" */
	uint64_t number; /* 1, 2, ... */
};

/* false: the log has no epochs. */
bool epoch_parse(struct str origin, struct epoch *ret);
/* The name of the next epoch. E_INVALID: it has none. */
err epoch_next(struct str origin, const uint8_t mark[4],
    char ret[NOTE_NAME_MAX + 1]) MUST_USE;
/* Is `next` a name of the epoch after that of `origin`? */
bool epoch_follows(struct str origin, struct str next);

/* What an entry audit.fork says. */
struct fork {
	struct str log, before; /* origins */
	uint64_t size;		/* of what was signed last under `before` */
	struct hash root;
};

/* Its resources; the texts are in a. */
err fork_fill(const struct fork *f, struct arena *a,
    struct audit_entry *ret) MUST_USE;
enum { FORK_RESOURCES = 3, FORK_TEXT = 80 };
/* "<size>:<root>", the checkpoint as its resource names it. */
err fork_text(const struct fork *f, struct arena *a, struct str *ret) MUST_USE;
/* Is the leaf one? Cheap when not. */
bool fork_is(struct str leaf);
/* Views into the leaf. E_CORRUPT: it says nothing that can be. */
err fork_read(struct str leaf, struct fork *ret) MUST_USE;

#endif
