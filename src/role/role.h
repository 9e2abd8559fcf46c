/*
 * role.h: the processes of `redoubt serve` and what is done on a data
 * directory without a server.
 *
 *	supervisor ── fd 3 ── server
 *	    │			│
 *	    fd 3	       fd 4
 *	    └───── keeper ──────┘
 *
 * The supervisor re-executes /proc/self/exe as `redoubt --role keeper` and
 * `redoubt --role server`: descriptor 3 is the pair with the supervisor,
 * 4 the pair with the other child, everything else comes with the first
 * message (ipc/settings.h).  Nothing of the supervisor's memory or
 * environment is inherited.
 */
#ifndef ROLE_ROLE_H
#define ROLE_ROLE_H

#include "audit/verify.h"
#include "base/arena.h"
#include "confine/confine.h"
#include "ipc/settings.h"

/* main() asks first: the exit code when this process is a role, -1 when it
 * is a command. */
int role_main(int argc, char *const *argv);

/* ---- serve ---- */

struct serve_options {
	const char *data;
	const char *config; /* NULL: DIR/redoubt.conf, which may be absent */
	const char *listen[SETTINGS_LISTEN]; /* instead of the configured */
	size_t listen_n;
	const char *mtls_listen; /* NULL: the configured, or none */
};

/*
 * Runs until SIGTERM or SIGINT, or until a child ends; logs every reason.
 * Prints `ready https://HOST:PORT` when the server serves.  Returns the exit
 * code: 0 after a drain, else that of the child or of the error.
 */
int role_supervise(const struct serve_options *o);

int role_keeper(void);
int role_server(void);

/* One line: what a role has given up, and what it could not.  network: it
 * is meant to have one. */
void role_confined(const struct confinement *c, bool network);

/* ---- init ---- */

struct init_options {
	const char *data;
	struct str org;	  /* empty: "Redoubt" */
	struct str admin; /* empty: "admin@localhost" */
	int64_t now;
};

struct init_result {
	struct str url, token, ca, fingerprint, project;
	struct str root_key, admin; /* for the text */
	int64_t expires;	    /* of the token */
};

/*
 * Makes DIR.  E_EXISTS when it exists and is not empty.  What was made is
 * removed when anything fails.  The token is nowhere but in the result: the
 * caller prints it once and wipes the arena.
 */
err role_init(struct arena *a, const struct init_options *o, struct trail *t,
    struct init_result *ret) MUST_USE;

/* ---- key ---- */

/*
 * On the server that runs on DIR, or on DIR itself when none does.  *ret is
 * one JSON object in a:
 *	status	{online, file, busy, root, projects, data_keys, waiting,
 *		reencrypt}
 *	rotate	{online, file, resumed, root, dropped, left, project_keys,
 *		projects, data_keys, class_keys, deleted, damaged}
 *	rewrap, reencrypt
 *		{online, rows, deleted, kept, damaged, clean}
 * What was begun and cut short is finished by doing it again.  E_LOCKED:
 * DIR is in use, but not by a server that answers, or another `key` is at
 * work; E_CONFIG: the root key file has to be changed by hand, the trail
 * says how.
 */
err role_key_status(struct arena *a, const char *dir, struct trail *t,
    struct str *ret) MUST_USE;
err role_key_rotate(struct arena *a, const char *dir, struct trail *t,
    struct str *ret) MUST_USE;
err role_key_rewrap(struct arena *a, const char *dir, struct trail *t,
    struct str *ret) MUST_USE;
err role_key_reencrypt(struct arena *a, const char *dir, struct trail *t,
    struct str *ret) MUST_USE;

/* ---- what opens the root key file ---- */

/* Somebody to ask: a line from the terminal without echo, or from standard
 * input; twice: where nobody sees what they type, it is typed again. */
struct person {
	err (*ask)(void *ctx, const char *prompt, bool twice, struct str *ret);
	void *ctx;
};

/* Whom the commands on a directory may ask; NULL (as at the start): nobody,
 * then what needs somebody is E_SEALED. */
void role_person_set(const struct person *p);
const struct person *role_person(void);

/* A new way to open it. */
struct unlock_spec {
	struct str kind; /* "passphrase", "file", "pkcs11", "tpm2" */
	struct str name; /* empty: the kind */
	struct str path; /* file: a path, or the name of a credential */
	struct str module, token, key; /* pkcs11 */
	struct str pin;		       /* pkcs11, tpm2: file with the PIN */
	struct str pcrs;	       /* tpm2: "7,11"; empty: none */
	struct str tcti;	       /* tpm2; empty: /dev/tpmrm0 */
	bool ask_pin;		       /* a person types the PIN each time */
};

/*
 * On DIR, beside a running server or without one; *ret is one JSON object
 * in a.  The root key file is opened by what needs nobody, else by asking.
 *	list	{file, sealed, escrow, sources: [{name, kind, person, detail}]}
 *	add	{file, name, kind}: a plain file becomes a sealed one
 *	remove	{file, name}; E_CONFLICT: it is the last one
 *	test	{name, kind, ms}: it opens the file
 *	split	{set, shares: [text, ...], needed, file}: shown this once
 *	drill	{set, needed, good: [1, 3], opens}
 *	recover	{file, root}: the root key file from keys/root.escrow
 */
err role_source_list(struct arena *a, const char *dir, struct trail *t,
    struct str *ret) MUST_USE;
err role_source_add(struct arena *a, const char *dir,
    const struct unlock_spec *s, struct trail *t, struct str *ret) MUST_USE;
err role_source_remove(struct arena *a, const char *dir, struct str name,
    struct trail *t, struct str *ret) MUST_USE;
err role_source_test(struct arena *a, const char *dir, struct str name,
    struct trail *t, struct str *ret) MUST_USE;
err role_key_split(struct arena *a, const char *dir, unsigned n,
    unsigned needed, struct trail *t, struct str *ret) MUST_USE;
err role_key_drill(struct arena *a, const char *dir, struct trail *t,
    struct str *ret) MUST_USE;
err role_key_recover(struct arena *a, const char *dir, struct trail *t,
    struct str *ret) MUST_USE;
/*
 *	seal	{sealed, online}: no key is in any memory of the server, and
 *		it starts sealed until somebody unseals it
 *	unseal	{sealed: false, online, ms}
 */
err role_key_seal(struct arena *a, const char *dir, struct str reason,
    struct trail *t, struct str *ret) MUST_USE;
err role_key_unseal(struct arena *a, const char *dir, struct str source,
    struct trail *t, struct str *ret) MUST_USE;

/* ---- backups ---- */

struct backup_options {
	const char *data, *to;
	const char *base; /* NULL: it builds on none */
	const char *keys; /* NULL: keys-<organization>.rbk beside `to` */
};

/*
 * The store of DIR as it is now, in a new file, and its wrapped keys in
 * another, which is replaced; both are read back before they get their names.
 * *ret is {online, file, keys, id, base, time, entries, rows, blocks,
 * new_blocks, bytes}.  E_EXISTS: `to` is there.
 */
err role_backup(struct arena *a, const struct backup_options *o,
    struct trail *t, struct str *ret) MUST_USE;

struct restore_options {
	const char *from;
	const char *data;  /* restore only */
	const char *keys;  /* NULL: as above */
	const char *root;  /* NULL: where it was, if it is there */
	struct str reason; /* restore only */
};

/*
 * *ret is {file, opened, id, time, files, blocks, rows, entries, signed,
 * dropped}.  Without a root key: only that the bytes are those that were
 * written (opened: false).  E_CORRUPT, E_BAD_ANSWER: the trail says what is
 * wrong.
 */
err role_backup_verify(struct arena *a, const struct restore_options *o,
    struct trail *t, struct str *ret) MUST_USE;
/*
 * Makes DIR, whole or not at all: E_EXISTS when it is there and not empty.
 * The log goes on in a new epoch.  Rows whose keys were destroyed since are
 * not restored.  *ret: as above, and origin, before, lost.
 */
err role_restore(struct arena *a, const struct restore_options *o,
    struct trail *t, struct str *ret) MUST_USE;

/* ---- audit fork ---- */

struct fork_options {
	const char *data;
	bool accept;
	uint64_t entries; /* how many the log has, said again */
	struct str reason;
};

/*
 * A log that ends before what was signed last goes on under a new name.
 * *ret is {origin, before, entries, signed, lost}.  E_BAD_ANSWER with
 * a trail when not accepted, and when what there is is not what was signed;
 * E_CONFLICT: nothing is lost.
 */
err role_audit_fork(struct arena *a, const struct fork_options *o,
    struct trail *t, struct str *ret) MUST_USE;

/* ---- audit verify ---- */

struct verify_report {
	struct audit_verdict v;
	char vkey[256];
	bool key_known; /* vkey is the keeper's own, not only the store's */
};

/*
 * The whole log of DIR, also beside a running server: each leaf, tile and
 * checkpoint, and what the keeper signed last when its key can be read.
 * E_BAD_ANSWER: v.what says what is wrong.
 */
err role_audit_verify(const char *dir, struct trail *t,
    struct verify_report *ret) MUST_USE;

/* ---- check ---- */

struct check_item {
	const char *check; /* "store.integrity" */
	bool ok;
	bool advice; /* not ok is no fault: it could be better */
	struct str detail;
	struct str fix; /* empty when ok */
};

enum { CHECK_ITEMS = 40 };
struct check_report {
	struct check_item item[CHECK_ITEMS];
	size_t n;
	size_t faults;
};

/*
 * Looks at everything and changes nothing; a finding is no error.  Texts are
 * in a.  E_NOT_FOUND when there is no such directory.
 */
err role_check(struct arena *a, const char *dir, int64_t now, struct trail *t,
    struct check_report *ret) MUST_USE;

#endif
