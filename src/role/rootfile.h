/*
 * rootfile.h: changing the root key file, as `key rotate` does: always a
 * whole new file, durable before it takes the old one's name, so that there
 * is one good file at every moment.
 */
#ifndef ROLE_ROOTFILE_H
#define ROLE_ROOTFILE_H

#include <sys/types.h>

#include "role/unlock.h"
#include "seal/root.h"

struct root_file {
	const struct datadir *dir;
	char path[PATH_MAX];	/* links resolved; empty: a credential */
	struct root_keys *keys; /* NULL: a credential we cannot see */
	uid_t uid;		/* whose it is */
	gid_t gid;
	/* When it is sealed: its unlockers, and what opens it. */
	struct root_sealed sealed;
	struct secret *unlock; /* NULL: it is plain */
	struct arena arena;    /* of sealed */
};

/* Reads it. setting: keys.root of the configuration.  The errors of
 * root_key_open and root_parse; not when it is a credential that only the
 * server's service is given. */
err root_file_open(const struct datadir *d, struct str setting, struct trail *t,
    struct root_file *ret) MUST_USE;
void root_file_close(struct root_file *f);
/* Only where it is. */
err root_file_where(const struct datadir *d, struct str setting,
    struct trail *t, struct root_file *ret) MUST_USE;
/* Write it as f->sealed and f->unlock say, with the keys it has: unlockers
 * have changed, or it was plain.  The errors of a change. */
err root_file_write(struct root_file *f, struct trail *t) MUST_USE;
/* name in dir, whole and durable before it takes an older one's place;
 * owned as f is.  false: errno. */
bool root_file_put(int dir, const char *name, const struct root_file *f,
    struct str text);

/*
 * A new key before the others.  E_CONFIG when the file cannot be replaced
 * from here: then keys/root.next holds a line to put there by hand, which
 * the trail says, and nothing else has changed.
 */
err root_file_add(struct root_file *f, struct trail *t) MUST_USE;
/*
 * Only the first key.  Refused (E_WRONG_KEY) when the audit signing key does
 * not open with it alone.  E_CONFIG: cannot be replaced from here.
 */
err root_file_drop(struct root_file *f, struct trail *t) MUST_USE;
/* `root` has become the primary key: if it came from keys/root.next, that
 * has served. */
void root_file_next_done(const struct root_file *f, const char *root);

#endif
