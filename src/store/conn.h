/*
 * conn.h: inside the store: connections, statements and errors of SQLite.
 * Nothing of it is seen above store.h.
 */
#ifndef STORE_CONN_H
#define STORE_CONN_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "store/store.h"

enum query {
#define Q(name, sql) name,
#include "store/query.def"
	Q_MAX_
};

/*
 * Lists filter by a time that nearly always rises with the key they sort
 * by.  `slack` is how far it ever ran back, so the range of keys that a range
 * of times can be in is found by bisection, exactly, whatever the clock did.
 */
struct order {
	bool known;
	int64_t high; /* no time stored so far is above it */
	int64_t slack;
};

struct store_conn {
	struct store *s;
	sqlite3 *db;
	sqlite3_stmt *st[Q_MAX_];
	bool writes;   /* the writer's */
	bool tx;       /* store_begin or store_view_begin is in force */
	bool saved;    /* a savepoint is open */
	bool lent;     /* counted in s->readers */
	bool lasting;  /* counted in s->lasting: store_view_long */
	int patience;  /* ms the busy handler waits */
	int64_t since; /* when it began to, us */
	bool stale;    /* incidents change in this transaction */
	err failed;    /* why this transaction cannot be committed */
	int fault;     /* extended code of the last error */
	int fault_os;  /* and errno behind it */
	struct order incidents, alerts;
	/* The writer's: at most so many rows in `seen`; known once counted. */
	uint64_t seen;
	bool seen_known, seen_full;
};

struct store {
	enum store_mode mode;
	unsigned schema; /* made of this version; the present one */
	char *dir;	 /* resolved, no link in it */
	char *path;	 /* of the database file; a URI when frozen */
	int lock_fd;
	int log_fd;  /* log_ahead.c */
	bool frozen; /* read-only medium: no log to look at */
	struct store_conn *writer;
	struct store_conn *folder; /* folds the log back */
	pthread_mutex_t fold_lock; /* one folds at a time */
	atomic_bool poisoned;
	atomic_uint wal_pages;	/* in the log */
	atomic_uint wal_folded; /* of these, in the database too */
	atomic_uint readers;
	atomic_uint lasting;	 /* views that the log has to wait for */
	_Atomic(uint64_t) stamp; /* store_incidents_stamp; never 0 */
};

enum {
	WAIT_US = 100,	    /* one wait of the busy handler */
	PATIENCE = 2000,    /* ms, then E_LOCKED */
	FOLD_PATIENCE = 50, /* ms a checkpoint waits for readers */
	FOLD_PASSES = 8,
	FOLD_REST = 256,    /* pages the writer may be stopped for */
	WAL_RESTART = 4096, /* pages: above, a checkpoint starts it anew */
	WAL_MAX = 32768,    /* pages: above, whatever it costs the writer */
	QUICK_CHECK = 4096, /* pages: above, only edges are read at start */
	WALK_PIECE = 500,   /* rows read at once when walking all */
};

/* timeline.key is the incident's seq and, in these bits, the entry's n. */
enum { ENTRY_BITS = 24, ENTRY_MAX = (1 << ENTRY_BITS) - 1 };

/* ---- sqlite_conn.c ---- */
extern const char *const conn_sql[Q_MAX_];
err store_conn_new(struct store *s, bool writes, int flags, enum query cache,
    struct store_conn **ret) MUST_USE;
/* For statements without parameters whose rows nobody wants. */
err conn_run(struct store_conn *c, enum query id) MUST_USE;
err conn_error(struct store_conn *c, int rc) MUST_USE;
/* Start a view unless there is a transaction; *ret_began tells. */
err conn_enter(struct store_conn *c, bool *ret_began) MUST_USE;
void conn_leave(struct store_conn *c, bool began);
void conn_poison(struct store_conn *c);

/* Decimal numbers in meta; 0 when not set. */
err meta_number(struct store_conn *c, const char *name, int64_t *ret) MUST_USE;
err meta_number_set(struct store_conn *c, const char *name, int64_t v) MUST_USE;

/* ---- sqlite_vfs.c ---- */
/* The name of our layer above the system's files; registers it once. */
const char *vfs_name(void);
/* errno of this thread's last I/O error; SQLite forgets that of a commit. */
int vfs_errno(void);
/* Drop log pages of a transaction that is rolled back. */
void vfs_forget(sqlite3 *db);
/* This thread folds the log back, and others should hardly notice. */
extern _Thread_local bool vfs_gentle;

/* ---- sqlite_open.c ---- */
/* store_open of a version; below SCHEMA_VERSION it is not brought up to
 * date. */
err store_open_as(const char *dir, enum store_mode mode, unsigned schema,
    struct trail *t, struct store **ret) MUST_USE;

/* ---- schema.c ---- */
struct schema {
	const char *sql, *end;
};
#define SCHEMA_VERSION 10
#define APPLICATION_ID 1382302292 /* "RdBT" */
extern const struct schema schemas[SCHEMA_VERSION];

/* ---- sqlite_start.c ---- */
/* Make s->path, whole or not at all. */
err start_create(struct store *s, struct trail *t) MUST_USE;
/* Is it ours, and of a version this binary knows?  *ret: which. */
err start_identify(struct store_conn *c, struct trail *t,
    uint64_t *ret) MUST_USE;
/* Make durable what a crash left in the log. */
err start_heal(struct store *s, struct trail *t) MUST_USE;
err start_check(struct store_conn *c, uint64_t version,
    struct trail *t) MUST_USE;
err start_migrate(struct store_conn *c, uint64_t version, unsigned to,
    struct trail *t) MUST_USE;
/* Run a check statement; E_CORRUPT with its first complaint. */
err start_ask(struct store_conn *c, enum query id, struct trail *t) MUST_USE;

/*
 * One use of a statement: q_start, binds in the order of the parameters,
 * then q_run, or q_next until false and q_end.  Errors stick; what is bound
 * must live until the end.
 */
struct q {
	struct store_conn *c;
	sqlite3_stmt *st;
	int rc;
	int at;	   /* parameters bound */
	bool bad;  /* a column was not what it can only be */
	bool full; /* the caller's arena is */
};

struct q q_start(struct store_conn *c, enum query id);
void q_num(struct q *q, int64_t v);
void q_u64(struct q *q, uint64_t v); /* E_INVALID above INT64_MAX */
void q_blob(struct q *q, const void *p, size_t n);
void q_null(struct q *q);
static inline void
q_str(struct q *q, struct str s)
{
	q_blob(q, s.p, s.n);
}
/* For names of our own: a static string. */
void q_text(struct q *q, const char *s);
/* What seal made; nothing there is E_INTERNAL. */
void q_sealed(struct q *q, struct sealed s);
static inline void
q_uuid(struct q *q, const struct uuid *u)
{
	q_blob(q, u->b, sizeof u->b);
}

/* Change rows; the writer's connection inside a transaction only. */
err q_run(struct q *q) MUST_USE;
/* The same; E_NOT_FOUND when no row was changed. */
err q_run_some(struct q *q) MUST_USE;
/* Next row; false at the end or on error, which q_end tells. */
bool q_next(struct q *q);
err q_end(struct q *q) MUST_USE;
/* q_end after exactly one row was wanted; got: q_next said true. */
err q_one(struct q *q, bool got) MUST_USE;
/* One number, 0 when there is no row or it is NULL. */
err q_number(struct q *q, uint64_t *ret) MUST_USE;

int64_t c_num(struct q *q, int col);
uint64_t c_max(struct q *q, int col, uint64_t max); /* 0..max */
#define c_u8(q, col) ((uint8_t)c_max((q), (col), UINT8_MAX))
#define c_u32(q, col) ((uint32_t)c_max((q), (col), UINT32_MAX))
#define c_u64(q, col) c_max((q), (col), INT64_MAX)
void c_bytes(struct q *q, int col, void *ret, size_t n); /* exactly n */
struct str c_view(struct q *q, int col); /* until the next step */
struct str c_copy(struct q *q, int col, struct arena *a);

/* Room for one more in an array in an arena; NULL when there is none. */
void *rows_more(struct arena *a, void **rows, size_t n, size_t *cap,
    size_t size);

/* ---- sqlite_incident.c, sqlite_alert.c: for the lists ---- */
void incident_read(struct q *q, struct incident_row *r);
/* Before it is deleted: its numbers stay given. */
err incident_number_kept(struct store_conn *c,
    const struct incident_row *r) MUST_USE;
void alert_read(struct q *q, struct alert_row *r);
err order_note(struct store_conn *c, struct order *o, const char *name,
    enum query last, int64_t time) MUST_USE;
extern const char order_incidents[], order_alerts[];

#endif
