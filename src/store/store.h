/*
 * store.h: durable rows.  What it promises: a transaction is there whole
 * after commit returned, also after a crash of the machine, or not at all.
 * What it refuses: plaintext; every variable-length column but ids, blind
 * values and audit leaves is a `struct sealed`, which only seal makes.
 *
 * The interface is what PostgreSQL will implement too: typed rows, no SQL,
 * no rowids that mean anything outside, integers assigned by the caller
 * (there is one writer).  Times are milliseconds, 0 = never.
 *
 * Every function returns E_IO, E_NO_SPACE, E_CORRUPT or E_LOCKED when the
 * engine says so, E_NOT_FOUND when one row was asked for and is not there,
 * E_EXISTS when an inserted row's key is taken, E_INVALID when a number is
 * above 2^63 - 1.  After any error inside a transaction other than
 * E_NOT_FOUND, E_STALE and E_NO_MEMORY of a full arena the caller must roll
 * back; commit then refuses with the same error, so nothing half-done can
 * become durable.  Changing rows outside a transaction is a bug and aborts.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/id.h"
#include "seal/seal.h"

struct store;	   /* an opened store; holds the lock */
struct store_conn; /* one connection; belongs to one thread */

enum store_mode {
	STORE_CREATE, /* must not exist; makes it */
	STORE_WRITE,  /* the server: exclusive lock, migrates */
	STORE_READ,   /* offline readers: no lock, no migration, no writes;
		       * no writer, no store_checkpoint */
};

/*
 * dir is the data directory; files are dir/store.db and what the engine
 * puts beside it, mode 0600.  STORE_WRITE runs a quick integrity check of
 * the structure (not a full scan) and brings the schema up to date in one
 * transaction; a schema newer than this binary is E_CORRUPT with a trail.
 * E_LOCKED when another process holds it (dir/lock, at once) or has the
 * database itself locked (after two seconds), E_EXISTS / E_NOT_FOUND by mode.
 * STORE_CREATE makes dir too when only it is missing; a crash leaves either
 * no store or a whole empty one.
 *
 * The process must never open dir/store.db by other means: closing it would
 * drop the engine's locks.  STORE_READ beside a running server may leave
 * files for the engine's shared memory (store.db-shm) in dir.
 */
err store_open(const char *dir, enum store_mode mode, struct trail *t,
    struct store **ret) MUST_USE;
/* Folds the log back; all readers must be closed before. */
struct store *store_close(struct store *s);
/* Read from the system what the engine reads once, before a process gives
 * up the right to. */
void store_warm(void);
/*
 * True after the disk refused to make something durable (a failed fsync or
 * write at commit): nothing is known of it then, so every later begin and
 * checkpoint answers E_IO until the store is closed and opened anew, which
 * writes the log again.  What had been answered with an error is not there
 * then.  Reading goes on.
 */
bool store_poisoned(const struct store *s);
/* For the operator's log: the engine's code of the last error of this
 * connection and errno behind it, 0 when there is none. */
void store_fault(const struct store_conn *c, int *ret_code, int *ret_os);
/* Every page and index is read and compared; slow.  E_CORRUPT + trail. */
err store_check(struct store *s, struct trail *t) MUST_USE;

/* The writer's connection (STORE_CREATE, STORE_WRITE), owned by s. */
struct store_conn *store_writer(struct store *s);
/* A read-only connection for another thread. */
err store_reader(struct store *s, struct store_conn **ret) MUST_USE;
struct store_conn *store_conn_close(struct store_conn *c);

/* Writer only. */
err store_begin(struct store_conn *c) MUST_USE;
err store_commit(struct store_conn *c) MUST_USE; /* durable on OK */
void store_rollback(struct store_conn *c);
/* Reader: one consistent view from begin to end; cheap. */
err store_view_begin(struct store_conn *c) MUST_USE;
void store_view_end(struct store_conn *c);
/* A view that lasts: the log is not begun anew before its end, since trying
 * to would stop the writer each time.  It grows meanwhile. */
err store_view_long(struct store_conn *c) MUST_USE;
/*
 * Part of a transaction, one at a time: undo takes back what was written
 * since, and the error that made it necessary, so that one bad job does not
 * cost the others of its batch.  Undo returns the error when the engine gave
 * up the whole transaction; then all must be rolled back.
 */
err store_savepoint(struct store_conn *c) MUST_USE;
err store_savepoint_keep(struct store_conn *c) MUST_USE;
err store_savepoint_undo(struct store_conn *c) MUST_USE;
/*
 * Fold the write-ahead log back; called from any one thread, off the writer's
 * path.  Without `truncate` the writer is stopped only for a few pages, or
 * when the log is over 32,768 (128 MiB).  With `truncate`
 * (after keys were destroyed) no old page stays in it; E_LOCKED when readers
 * hold it back for more than two seconds.
 */
err store_checkpoint(struct store *s, bool truncate) MUST_USE;
/* The log's file is made longer before it must be: commits are then twice as
 * fast.  From the thread of store_checkpoint, every few milliseconds; cheap
 * when there is nothing to do. */
void store_log_ahead(struct store *s);
/* Pages of 4 KiB in the log that are not folded back yet: time for a
 * checkpoint from STORE_FOLD on.  Cheap, from any thread. */
enum { STORE_FOLD = 1024 };
uint32_t store_wal_pages(const struct store *s);

/* ---- meta ---- */
err store_meta_get(struct store_conn *c, const char *name, struct arena *a,
    struct str *ret) MUST_USE;
/* Values are server-made numbers and ids, never text from outside.  Names
 * that begin with "store." are the store's own. */
err store_meta_set(struct store_conn *c, const char *name,
    struct str value) MUST_USE;

/* ---- keys ---- */
struct project_key_row {
	uint32_t project, version;
	int64_t created;
	struct stored wrapped; /* set when read */
};
err store_project_key_put(struct store_conn *c, uint32_t project,
    uint32_t version, int64_t created, struct sealed wrapped) MUST_USE;
err store_project_key_delete(struct store_conn *c, uint32_t project,
    uint32_t version) MUST_USE;
err store_project_keys(struct store_conn *c, struct arena *a,
    struct project_key_row **ret, size_t *ret_n) MUST_USE;

struct data_key_row {
	uint32_t id, project, version;
	uint8_t class;
	bool has_subject;
	struct uuid subject;
	uint64_t term;
	struct sealed wrapped;	   /* to write */
	struct stored was_wrapped; /* as read */
};
err store_data_key_put(struct store_conn *c,
    const struct data_key_row *k) MUST_USE; /* insert or replace */
err store_data_key_get(struct store_conn *c, uint32_t id, struct arena *a,
    struct data_key_row *ret) MUST_USE;
err store_data_key_delete(struct store_conn *c, uint32_t id) MUST_USE;
/* The highest id ever put, also when that key is deleted since. */
err store_data_key_last(struct store_conn *c, uint32_t *ret_id) MUST_USE;
/* All class keys (no subject), by project, class, term. */
err store_class_keys(struct store_conn *c, struct arena *a,
    struct data_key_row **ret, size_t *ret_n) MUST_USE;
/* The next keys with id > after, at most max: to walk all in pieces. */
err store_data_keys_after(struct store_conn *c, uint32_t after, size_t max,
    struct arena *a, struct data_key_row **ret, size_t *ret_n) MUST_USE;
/* Rows that still name data key `id` in any table; for removing old keys.
 * Walks; E_OK with the count. */
err store_data_key_uses(struct store_conn *c, uint32_t id,
    uint64_t *ret) MUST_USE;

/* ---- objects ---- */
struct object_row {
	uint8_t kind; /* enum object_kind of access/world.h; opaque here */
	struct uuid id;
	uint32_t project;
	uint32_t version;
	int64_t created, updated;
	struct sealed sealed; /* to write */
	struct stored stored; /* as read */
};
err store_object_put(struct store_conn *c,
    const struct object_row *o) MUST_USE; /* insert or replace */
err store_object_delete(struct store_conn *c, uint8_t kind,
    const struct uuid *id) MUST_USE;
err store_object_sealed(struct store_conn *c, uint8_t kind,
    const struct uuid *id, struct arena *a, struct stored *ret) MUST_USE;
err store_objects(struct store_conn *c, struct arena *a,
    struct object_row **ret, size_t *ret_n) MUST_USE;

/* ---- incidents ---- */
struct incident_row {
	uint64_t seq; /* 1, 2, ... over all projects, assigned by caller;
		       * in one project number and seq rise together */
	struct incident_id id;
	uint32_t project;
	uint64_t number;	  /* 1, 2, ... in the project */
	uint8_t severity, status; /* lists filter by those below 32 */
	uint8_t private;
	uint32_t version;
	uint32_t alerts, entries;
	int64_t created, updated, acknowledged, mitigated, resolved, closed;
	struct sealed sealed;
	struct stored stored;
};
err store_incident_insert(struct store_conn *c,
    const struct incident_row *r) MUST_USE;
/* Every column but seq, id, project, number, created; sealed.bytes.p NULL
 * leaves the blob as it is. */
err store_incident_update(struct store_conn *c,
    const struct incident_row *r) MUST_USE;
err store_incident_by_id(struct store_conn *c, const struct incident_id *id,
    struct arena *a, struct incident_row *ret) MUST_USE;
err store_incident_by_number(struct store_conn *c, uint32_t project,
    uint64_t number, struct arena *a, struct incident_row *ret) MUST_USE;
err store_incident_by_seq(struct store_conn *c, uint64_t seq, struct arena *a,
    struct incident_row *ret) MUST_USE;
/*
 * Another number after each commit that changed what any incident's row says,
 * before the change is answered: a row read after the number was is right for
 * as long as the number is the same.  Cheap, from any thread.
 */
uint64_t store_incidents_stamp(const struct store *s);
/* Has the project one? */
err store_incident_any(struct store_conn *c, uint32_t project,
    bool *ret) MUST_USE;
/* Highest seq of all and highest number of a project that were ever given; 0
 * when none. */
err store_incident_last(struct store_conn *c, uint32_t project,
    uint64_t *ret_seq, uint64_t *ret_number) MUST_USE;

enum incident_sort {
	SORT_NEWEST,  /* number descending */
	SORT_OLDEST,  /* number ascending */
	SORT_WORST,   /* severity ascending (0 is worst), newest first */
	SORT_MILDEST, /* severity descending, newest first */
};
enum { BLIND_SIZE = 16, SUBJECTS_MAX = 300 };
struct subject {
	uint8_t kind; /* 1 principal, 2 group */
	struct uuid id;
};
struct incident_filter {
	uint32_t project;
	uint32_t statuses;	/* bit per status, 0 = any */
	uint32_t severities;	/* bit per severity, 0 = any */
	const uint8_t *service; /* BLIND_SIZE bytes or NULL */
	const uint8_t *type;	/* BLIND_SIZE bytes or NULL */
	int64_t from, to;	/* created in [from, to); 0 = open */
	enum incident_sort sort;
	/* Private incidents appear only when one of these is a member. */
	const struct subject *as;
	size_t as_n;
	/* Position after which to go on; number 0 = from the start. */
	uint64_t after_number;
	uint8_t after_severity;
};
/*
 * At most max rows.  Reads index ranges only, merged: what a page costs is
 * the rows in it plus, with service, type or time, the rarer side's misses.
 * Private incidents are reached only through their members.
 */
err store_incident_list(struct store_conn *c, const struct incident_filter *f,
    size_t max, struct arena *a, struct incident_row **ret,
    size_t *ret_n) MUST_USE;
/* Counted up to about STORE_COUNT_MAX; the cursor is not looked at. */
enum { STORE_COUNT_MAX = 10000 };
err store_incident_count(struct store_conn *c, const struct incident_filter *f,
    uint64_t *ret) MUST_USE;

enum tag_kind { TAG_SERVICE = 1, TAG_TYPE = 2, TAG_GROUP = 3 };
err store_tag_add(struct store_conn *c, uint32_t project, enum tag_kind kind,
    const uint8_t value[BLIND_SIZE], uint64_t number) MUST_USE;
err store_tag_delete(struct store_conn *c, uint32_t project, enum tag_kind kind,
    const uint8_t value[BLIND_SIZE], uint64_t number) MUST_USE;
/* Highest incident number with that tag; E_NOT_FOUND when none has it. */
err store_tag_newest(struct store_conn *c, uint32_t project, enum tag_kind kind,
    const uint8_t value[BLIND_SIZE], uint64_t *ret) MUST_USE;

/* Replace all members of an incident. */
err store_members_set(struct store_conn *c, uint64_t incident,
    const struct subject *m, size_t n) MUST_USE;
err store_members(struct store_conn *c, uint64_t incident, struct arena *a,
    struct subject **ret, size_t *ret_n) MUST_USE;
/* Is any of these a member? */
err store_member_any(struct store_conn *c, uint64_t incident,
    const struct subject *as, size_t as_n, bool *ret) MUST_USE;
/* Private incidents one of these is a member of, newest first. */
err store_member_of(struct store_conn *c, const struct subject *as, size_t as_n,
    size_t max, struct arena *a, struct incident_id **ret,
    size_t *ret_n) MUST_USE;

/* ---- timeline ---- */
struct entry_row {
	uint64_t incident; /* incident_row.seq */
	uint32_t n;	   /* 1, 2, ... below 2^24 */
	uint8_t kind;	   /* enum entry_kind of domain */
	uint8_t key_event;
	int64_t occurred, recorded;
	struct sealed sealed;
	struct stored stored;
};
err store_entry_insert(struct store_conn *c,
    const struct entry_row *r) MUST_USE;
/* Entries with n > after (or n < after when newest_first and after > 0). */
err store_entry_list(struct store_conn *c, uint64_t incident, uint32_t after,
    bool newest_first, size_t max, struct arena *a, struct entry_row **ret,
    size_t *ret_n) MUST_USE;

/* ---- alerts ---- */
struct alert_row {
	uint64_t seq; /* assigned by caller */
	struct alert_id id;
	uint32_t project;
	uint8_t dedup[BLIND_SIZE];
	uint64_t incident; /* incident_row.seq, 0 = none */
	uint8_t status, severity;
	uint32_t version, count;
	int64_t first_seen, last_seen, resolved;
	struct sealed sealed;
	struct stored stored;
};
err store_alert_insert(struct store_conn *c,
    const struct alert_row *r) MUST_USE;
/* Every column but seq, id, project, dedup, first_seen; sealed.bytes.p NULL
 * leaves the blob. */
err store_alert_update(struct store_conn *c,
    const struct alert_row *r) MUST_USE;
err store_alert_by_id(struct store_conn *c, const struct alert_id *id,
    struct arena *a, struct alert_row *ret) MUST_USE;
/* The newest alert with that blind dedup value. */
err store_alert_by_dedup(struct store_conn *c, const uint8_t dedup[BLIND_SIZE],
    struct arena *a, struct alert_row *ret) MUST_USE;
err store_alert_last(struct store_conn *c, uint64_t *ret_seq) MUST_USE;
struct alert_filter {
	uint32_t project;
	uint32_t statuses, severities; /* bits, 0 = any */
	uint64_t incident;	       /* 0 = any */
	int64_t from, to;	       /* first_seen */
	uint64_t after;		       /* seq, 0 = from the newest */
	/* alerts of private incidents: only when one of these is a member */
	const struct subject *as;
	size_t as_n;
};
err store_alert_list(struct store_conn *c, const struct alert_filter *f,
    size_t max, struct arena *a, struct alert_row **ret,
    size_t *ret_n) MUST_USE;
/* How many alerts of this incident are not resolved (resolved == 0), counted
 * up to STORE_COUNT_MAX. */
err store_alert_open(struct store_conn *c, uint64_t incident,
    uint64_t *ret) MUST_USE;

/* ---- deliveries ---- */
enum delivery_status { DELIVERY_ACCEPTED = 1, DELIVERY_DEAD = 2 };
struct delivery_row {
	uint64_t seq;
	struct delivery_id id;
	uint32_t project;
	struct principal_id integration;
	int64_t received;
	uint8_t status;
	uint32_t alerts, bytes;
	struct sealed sealed;
	struct stored stored;
};
err store_delivery_insert(struct store_conn *c,
    const struct delivery_row *r) MUST_USE;
err store_delivery_last(struct store_conn *c, uint64_t *ret_seq) MUST_USE;
/* Newest first, seq < after when after > 0. */
err store_delivery_list(struct store_conn *c,
    const struct principal_id *integration, uint64_t after, size_t max,
    struct arena *a, struct delivery_row **ret, size_t *ret_n) MUST_USE;

/* ---- answers kept for Idempotency-Key ---- */
struct reply_row {
	uint8_t key[BLIND_SIZE];
	uint8_t body_hash[BLIND_SIZE];
	int64_t created;
	uint16_t status;
	struct sealed sealed;
	struct stored stored;
};
err store_reply_put(struct store_conn *c, const struct reply_row *r) MUST_USE;
err store_reply_get(struct store_conn *c, const uint8_t key[BLIND_SIZE],
    struct arena *a, struct reply_row *ret) MUST_USE;
/* Deletes those created before, of the STORE_PURGE oldest: call it often. */
enum { STORE_PURGE = 1000 };
err store_reply_purge(struct store_conn *c, int64_t before) MUST_USE;

/* ---- token use ---- */
err store_token_used_put(struct store_conn *c, const struct token_id *t,
    int64_t used) MUST_USE;
/* When the token itself is deleted, with the use of its permissions; fine
 * when it was never used. */
err store_token_used_delete(struct store_conn *c,
    const struct token_id *t) MUST_USE;
struct token_used_row {
	struct token_id token;
	int64_t used;
};
err store_token_used(struct store_conn *c, struct arena *a,
    struct token_used_row **ret, size_t *ret_n) MUST_USE;
/* Which of its permissions a token has used, and when last. */
struct right_used_row {
	struct token_id token;
	uint32_t permission; /* a number of the caller's that never changes */
	int64_t used;
};
err store_right_used_put(struct store_conn *c,
    const struct right_used_row *r) MUST_USE;
err store_rights_used(struct store_conn *c, struct arena *a,
    struct right_used_row **ret, size_t *ret_n) MUST_USE;

/* ---- what may happen once ---- */
enum seen_kind {
	SEEN_SAML = 1,	   /* assertion ids */
	SEEN_LOGIN = 2,	   /* login transactions */
	SEEN_JWT = 3,	   /* jti */
	SEEN_HOOK = 4,	   /* delivery ids and signatures of senders */
	SEEN_WEBAUTHN = 5, /* challenges */
	SEEN_TOTP = 6,	   /* a user's time steps */
};
enum { SEEN_SIZE = 32 };
/*
 * Remember a hash (SHA-256 of what may be used once and of whose it is) until
 * expires, in the transaction of what it is used for.  E_EXISTS when it is
 * there already, also when it has expired and is not purged yet; the
 * transaction can go on after that.  E_LIMIT above LIM_SEEN: nobody's use can
 * be told from a second one then, so it is refused.
 */
err store_seen_add(struct store_conn *c, enum seen_kind kind,
    const uint8_t hash[SEEN_SIZE], int64_t expires) MUST_USE;
/* Deletes those that expired before now, STORE_PURGE at a time. */
err store_seen_purge(struct store_conn *c, int64_t now) MUST_USE;

/* ---- audit ---- */
err store_audit_append(struct store_conn *c, uint64_t seq,
    struct str leaf) MUST_USE;
err store_audit_get(struct store_conn *c, uint64_t seq, struct arena *a,
    struct str *ret) MUST_USE;
err store_audit_last(struct store_conn *c, uint64_t *ret_seq) MUST_USE;
/*
 * Walk entries from `first` upwards (or downwards) until fn returns false or
 * the log ends. The leaf is valid during the call only.
 */
typedef bool (*store_audit_fn)(void *ctx, uint64_t seq, struct str leaf);
err store_audit_walk(struct store_conn *c, uint64_t first, bool down,
    store_audit_fn fn, void *ctx) MUST_USE; /* fn must not walk itself */
/* All rows of the log's tables counted, for who has come by them one by one:
 * in a damaged store those are not the same. */
struct audit_rows {
	uint64_t strays; /* entries and checkpoints with numbers below 1 */
	uint64_t tiles, checkpoints;
};
err store_audit_rows(struct store_conn *c, struct audit_rows *ret) MUST_USE;
err store_audit_body_put(struct store_conn *c, uint64_t seq,
    struct sealed body) MUST_USE;
err store_audit_body_get(struct store_conn *c, uint64_t seq, struct arena *a,
    struct stored *ret) MUST_USE;
enum { STORE_TILE = 256 * 32 };
err store_tile_put(struct store_conn *c, unsigned level, uint64_t index,
    const uint8_t hashes[STORE_TILE]) MUST_USE;
err store_tile_get(struct store_conn *c, unsigned level, uint64_t index,
    uint8_t ret[STORE_TILE]) MUST_USE;
err store_checkpoint_put(struct store_conn *c, uint64_t size, int64_t time,
    struct str note) MUST_USE;
/* The newest checkpoint; with size > 0 the smallest one whose size >= size. */
err store_checkpoint_get(struct store_conn *c, uint64_t size, struct arena *a,
    uint64_t *ret_size, struct str *ret_note) MUST_USE;

/* ---- rotation ---- */
/*
 * Visit all sealed rows of one table in key order in pieces, to seal anew
 * those whose blob names an old key: rows after `cursor` (opaque, starts
 * empty), at most max; fewer than max: the table ends there.
 *
 * pk is what seal_where_id and seal_where_num made of, in this order:
 *	OBJECT		id, kind
 *	INCIDENT	id
 *	TIMELINE	incident seq, n
 *	ALERT		id
 *	DELIVERY	id
 *	AUDIT		seq (project 0)
 *	REPLY		key (project 0)
 *	RUNBOOK		id (of the version's row)
 *	RUN		id
 *	HAPPENING	seq
 *	SECRET		secret, key
 */
struct sealed_row {
	enum seal_table table;
	uint32_t project;
	uint8_t pk[32]; /* as seal_where.pk */
	uint8_t pk_n;
	struct stored stored;
	uint8_t locator[40]; /* how store finds the row again */
	uint8_t locator_n;
};
/* The tables that have such rows: number i of them, from 0, and what it is
 * called; NULL behind the last. */
const char *store_sealed_table(size_t i, enum seal_table *ret);
err store_sealed_count(struct store_conn *c, enum seal_table table,
    uint64_t *ret) MUST_USE;
err store_sealed_rows(struct store_conn *c, enum seal_table table,
    struct str cursor, size_t max, struct arena *a, struct sealed_row **ret,
    size_t *ret_n, struct str *ret_cursor) MUST_USE;
/* E_STALE when the row is not what was read: somebody was faster. */
err store_sealed_replace(struct store_conn *c, const struct sealed_row *row,
    struct sealed sealed) MUST_USE;

#endif
