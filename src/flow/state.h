/*
 * state.h: what the server's threads share, and what each has of its own.
 *
 * Shared and changing state is one immutable snapshot (`struct snap`): the
 * world, the project keys, the numbers of the newest class keys.  The writer
 * makes a new one and swaps it in; each thread notices by comparing one
 * atomic number, so nothing is locked on the request path.
 */
#ifndef FLOW_STATE_H
#define FLOW_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "auth/issuers.h"
#include "confine/confine.h"
#include "flow/opened.h"
#include "flow/pages.h"
#include "ipc/idp.h"
#include "seal/keyring.h"
#include "store/store.h"

/* The data key that seals new data of a class in a project. */
struct class_key {
	uint32_t project;
	enum seal_class class;
	uint32_t id;
	uint64_t term;
};

struct snap {
	atomic_uint refs;
	uint64_t version;
	struct world *world;
	struct project_keys *keys;
	struct class_key *class_keys; /* sorted by project, class */
	size_t class_keys_n;
};

struct snap *snap_ref(struct snap *s);
struct snap *snap_unref(struct snap *s);
/* A new snapshot; takes references of world and keys, copies the list. */
err snap_new(uint64_t version, struct world *world, struct project_keys *keys,
    const struct class_key *ck, size_t n, struct snap **ret) MUST_USE;
/* Number of the key that seals; 0 when the project has none. */
uint32_t snap_class_key(const struct snap *s, uint32_t project,
    enum seal_class class);
/* All keys of that class, oldest term first; how many. */
size_t snap_class_terms(const struct snap *s, uint32_t project,
    enum seal_class class, const struct class_key **ret);

enum lane_kind { LANE_REACTOR, LANE_READER, LANE_WRITER, LANE_STREAM };

struct task_event;
struct ration;
struct shredder;
struct state;
struct throttle;
struct writer;

/* What one thread has of its own. */
struct lane {
	struct state *state;
	uint64_t forgot; /* state.forget, as far as it was heeded */
	enum lane_kind kind;
	unsigned number;
	bool turns; /* whoever has it nudges the writer at a turn's end */
	struct snap *snap; /* refreshed by lane_refresh */
	struct keyring *ring;
	struct store_conn *conn; /* the writer's is the one that writes */
	struct writer *writer;	 /* LANE_WRITER only */
	struct arena scratch;	 /* see scratch_begin */
	struct pages pages;	 /* rendered lately */
	struct opened opened;	 /* opened lately; LANE_REACTOR only */
	struct issuers issuers;	 /* of access tokens */
};

struct counters {
	atomic_ullong requests, denied, writes, batches, alerts, incidents,
	    streams_open, exports_open, audit_entries, errors;
	atomic_llong exports_at; /* us: when all asked for are paid for */
};

/* What delegates are told to believe, and believed by. */
struct trust {
	uint8_t task_key[32]; /* public, of the keeper's signatures */
	uint8_t ca[32];	      /* public, of its certificates */
	char ca_pem[1200];
	char log_key[256];  /* verifier key of the audit log */
	char mtls_url[256]; /* where delegates connect; empty: nowhere */
};

/* All is being encrypted anew. */
struct key_work {
	_Atomic(int64_t) started;  /* ms; 0: it is not */
	atomic_ullong done, total; /* rows */
};

struct state {
	struct store *store;
	struct meters *meters; /* of class keys; see key_care.h */
	struct key_work key_work;
	struct trust trust;
	_Atomic(uint64_t) version; /* of the current snapshot */
	_Atomic(uint64_t) forget;  /* rises when keys were destroyed */
	pthread_mutex_t lock;	   /* guards `snap` below, held briefly */
	struct snap *snap;
	char public_url[256];	 /* https://host:port */
	struct str root_sources; /* kinds that open the root key file, as it was
				  * when the server started; "plain" */
	char origin_url[256];	 /* its origin, as browsers say it */
	char origin[128];	 /* of the audit log */
	const struct str *proxies; /* trusted, CIDR blocks; see proxy.h */
	size_t proxies_n;
	bool log_requests;
	bool root_near; /* the root key lies open on the store's disk */
	bool forks;	/* the log is about to get another name */
	struct confinement confined; /* what the server role achieved */
	atomic_bool draining;
	atomic_bool sealing; /* that is on record and answered: do it */
	/* A key was destroyed: no page of the log may keep it.  Counts down,
	 * since the first fold may come before the commit. */
	atomic_uint fold_whole;
	struct counters n;
	struct writer *writer;
	struct readers *readers;
	struct readers *logins; /* the first half of SLOW routes */
	struct readers *hashes; /* the first half of HASH routes */
	struct throttle *throttle;
	struct ration *ration; /* of delegates; NULL in unit tests */
	/* The engine hears what becomes of tasks; NULL: nobody does. */
	err (*on_task)(struct lane *l, const struct task_event *ev);
	struct streams *streams;
	struct shredder *shredder; /* NULL offline and in unit tests */
	struct idp_client *idp;	   /* NULL in unit tests */
};

/* The lane of a new thread: own connection and keyring.  The keyring keeps
 * `ret`: a lane stays where it was opened. */
err lane_open(struct state *st, enum lane_kind kind, unsigned number,
    struct lane *ret) MUST_USE;
void lane_close(struct lane *l);
/* Take the newest snapshot when there is one. */
void lane_refresh(struct lane *l);
/* Keys were destroyed: every lane forgets those it has cached and what it
 * opened, at its next request, tick or rest.  From any thread. */
void state_forget_keys(struct state *st);
/* Publish (writer only): everybody sees it at their next request. */
void state_publish(struct state *st, struct snap *s);

/* Open a stored blob found at w, with the lane's keys. */
err lane_open_sealed(struct lane *l, const struct seal_where *w,
    struct stored s, struct arena *a, struct str *ret) MUST_USE;
/* Seal under the newest key of the class. */
err lane_seal(struct lane *l, uint32_t project, enum seal_class class,
    const struct seal_where *w, struct str plain, struct arena *a,
    struct sealed *ret) MUST_USE;
/* HMAC under the newest INDEX key of the project: a blind value. */
err lane_blind(struct lane *l, uint32_t project, const char *label,
    struct str text, uint8_t ret[BLIND_SIZE]) MUST_USE;

#endif
