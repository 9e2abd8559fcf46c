/*
 * conn.h: inside of wire: reactors, connections, exchanges.
 *
 * A connection belongs to one reactor thread and is touched by no other.  An
 * exchange is lent to the caller between hooks.request and exchange_reply
 * (or _release); what other threads say about it meanwhile arrives through
 * the reactor's mailbox.  A connection is freed only at the end of a turn,
 * so a later event of the same turn finds it dead, not gone.
 */
#ifndef WIRE_CONN_H
#define WIRE_CONN_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "wire/http1.h"
#include "wire/wire.h"

struct conn;
struct h2;
struct reactor;
struct sockaddr_storage;
struct ssl_st;
struct ssl_ctx_st;
struct tls_tickets;

enum {
	RECORD = 16 * 1024,    /* largest TLS record */
	OUT_HIGH = 256 * 1024, /* queued output at which reading stops */
	OUT_MORE = 64 * 1024,  /* below it more is produced */
	OUT_EAGER = 8 * 1024,  /* an answer that waits for no other */
	OUT_MAX = LIM_REPLY + 1024 * 1024,
	IN_HOLD = RECORD, /* bytes kept while a request is worked on */
	IN_MAX = LIM_HEAD + 2 * RECORD,
	BODY_INLINE = 16 * 1024, /* bodies up to here live in the arena */
	PROBLEM_MAX = 4096,
	POOL_MAX = 64,		/* idle exchanges kept by a reactor */
	POOL_ARENA = 96 * 1024, /* an answer of 26 KB fits the next time */
	LINGER_MS = 2000,
	NOTICE_MS = 200,
	LINGER_BYTES = 4 * LIM_BODY,
	TICK_US = 100 * 1000,
};

/* ---- timers: one list for each period, so the first is the next ---- */

enum timer_list {
	T_NONE,
	T_HEAD,
	T_BODY,
	T_IDLE,
	T_STALL,
	T_LINGER,
	T_NOTICE, /* between the two GOAWAY of an ending HTTP/2 connection */
	T_MAX_,
};
enum timer_owner { TIMER_CONN, TIMER_EXCHANGE };

struct timer {
	struct timer *prev, *next;
	int64_t at_us;
	uint8_t list;
	uint8_t owner;
};

/* Run again from now, on that list (T_NONE: not at all). */
void timer_set(struct reactor *r, struct timer *t, enum timer_list list);
/* The same unless it runs on that list already. */
static inline void
timer_keep(struct reactor *r, struct timer *t, enum timer_list list)
{
	if (t->list != list)
		timer_set(r, t, list);
}

/* ---- exchanges ---- */

enum x_state {
	X_HEAD, /* arriving */
	X_BODY,
	X_WAIT,	   /* complete, waits for a job slot (HTTP/2) */
	X_LENT,	   /* the caller has it */
	X_STREAM,  /* the caller pushes, we send */
	X_OVER,	   /* a stream that ended, until the caller releases it */
	X_SENDING, /* answered, the answer is being sent (HTTP/2) */
	X_IDLE,	   /* in the pool */
};

enum mail {
	MAIL_REPLY = 1,
	MAIL_STREAM = 2,
	MAIL_MORE = 4, /* bytes were pushed, or it was finished */
	MAIL_RELEASE = 8,
};

/* The pushing side of a stream; under mu. */
struct stream {
	pthread_mutex_t mu;
	pthread_cond_t room;
	struct buf q; /* pushed; bytes before q_at were taken */
	size_t q_at;
	bool finished;
	bool closed; /* no more will be taken */
};

struct exchange {
	/* kept when it goes back into the pool */
	struct arena arena;
	struct reactor *r;
	struct stream stream;
	struct reply reply;
	_Atomic unsigned mail;
	/* cleared for each request, up to h1 */
	struct http_request req;
	struct conn *c;		      /* NULL: the connection is gone */
	struct exchange *prev, *next; /* list of c, else of r's orphans */
	struct exchange *mail_next;
	void *user;
	enum x_state state;
	_Atomic bool gone;
	bool released;
	bool head_only; /* HEAD: the answer has no body */
	bool close;	/* the connection ends with the answer */
	bool complete;	/* all of the request has arrived */
	bool refused;	/* by wire; further input is dropped */
	bool job;	/* counts as one of the connection's jobs */
	struct buf body;
	size_t body_cap;
	size_t charged; /* to bodies in flight */
	/* HTTP/2 */
	int32_t stream_id; /* 0: HTTP/1, or the stream is closed */
	size_t sent;	   /* bytes of reply.body */
	size_t head_bytes;
	struct header *fields; /* growing, in the arena */
	size_t fields_n, fields_cap;
	bool deferred; /* the sender waits for more to be pushed */
	struct exchange *wait_next;
	enum err_code head_error; /* when head_why is set */
	const char *head_why;
	struct timer timer;
	/* HTTP/1 */
	struct http1 h1;
};

struct exchange *exchange_new(struct conn *c);
void exchange_free(struct exchange *x);	   /* into the pool */
void exchange_destroy(struct exchange *x); /* for good */
/* Complete: lend it to the caller. */
void exchange_lend(struct exchange *x);
/* Wire's own answer, before the caller has seen it. */
void exchange_refuse(struct exchange *x, enum err_code e, const char *why);
/* Send x->reply; x is the reactor's again. */
void exchange_answer(struct exchange *x);
/* Post, and open, what threads have to say about x. */
void exchange_mail(struct exchange *x, unsigned mail);
void exchange_letter(struct exchange *x, unsigned mail);
/* The connection under x has ended; x leaves its list. */
void exchange_lost(struct exchange *x);
/* The stream has ended, well or not; x leaves the connection's list. */
void exchange_over(struct exchange *x);
/* The server ends: event streams end now, others when they are complete. */
void exchange_drain(struct exchange *x);
/* Bytes pushed and not taken; *ret_end: nothing will follow them. */
size_t exchange_waiting(struct exchange *x, bool *ret_end);
/* Take n of them. */
void exchange_take(struct exchange *x, void *p, size_t n);

/* ---- what both protocols do with a request (request.c) ---- */

/* Look at target, host and codings; false: refuse it so. */
bool request_check(struct exchange *x, enum err_code *ret_e,
    const char **ret_why);
enum http_method http_method_of(struct str s);
/* A body is announced (length -1: unknown): how many bytes it may have. */
bool request_body_begin(struct exchange *x, int64_t length);
/* Bytes of it; false: x was refused. */
bool request_body_add(struct exchange *x, struct str piece);

/* ---- replies (respond.c) ---- */

struct field {
	struct str name, value;
	bool is_static; /* name and value outlive the connection */
};
enum { FIELDS_MAX = REPLY_HEADERS + 12 };
/* The fields of x->reply in both protocols; digits: room for a number. */
size_t respond_fields(const struct exchange *x, bool stream, struct field *f,
    char digits[24]);
/* The head, and unless it is a stream the body. */
void respond_h1(struct buf *b, const struct exchange *x, bool stream);
/* May an answer with that status have a body? */
bool respond_bodied(const struct exchange *x);

/* ---- connections ---- */

enum { IO_AGAIN = -1, IO_CLOSED = -2, IO_LOST = -3 };

struct transport {
	/* bytes, or IO_*; CLOSED is an orderly end of input */
	ptrdiff_t (*read)(struct conn *c, void *p, size_t n);
	ptrdiff_t (*write)(struct conn *c, const void *p, size_t n);
	bool (*pending)(struct conn *c); /* read would find bytes */
	void (*end)(struct conn *c);	 /* tell the peer, free the state */
};
extern const struct transport transport_tls;

enum source_kind { SOURCE_CONN, SOURCE_LISTEN, SOURCE_MAIL };
struct source {
	enum source_kind kind;
	int fd;
	unsigned index;
	bool armed;
};

enum phase { C_HANDSHAKE, C_H1, C_H2, C_LINGER, C_DEAD };

struct conn {
	struct source source; /* first: epoll points here */
	struct reactor *r;
	const struct transport *t;
	struct ssl_st *ssl;
	bool more_follows; /* this record is not the last of what is there */
	enum phase phase;
	uint32_t events; /* what epoll was asked for */
	bool is_dirty;
	bool fresh;	 /* no request yet: the first deadline holds */
	bool want_write; /* the transport could not take everything */
	bool again;	 /* input waits in the transport or in `in` */
	bool eof;	 /* the peer has ended its side */
	bool lost;	 /* the transport has failed */
	bool closing;	 /* close when `out` is empty */
	bool doomed;	 /* close now */
	bool more;	 /* work stopped because `out` was full */
	struct timer timer;
	struct buf in;	/* received, not yet used (HTTP/1) */
	struct buf out; /* not yet sent */
	size_t out_at;
	size_t lingered;
	struct exchange *x;  /* HTTP/1: the one request */
	struct exchange *xs; /* all of them */
	unsigned xs_n;
	struct h2 *h2;
	struct conn *dirty_next, *prev, *next;
	char address[48];
	struct client_cert *cert; /* owned */
	void *test;		  /* of a memory transport */
};

struct conn *conn_new(struct reactor *r, int fd, const struct transport *t);
void conn_address(struct conn *c, const struct sockaddr_storage *sa);
void conn_close(struct conn *c);
void conn_free(struct conn *c); /* end of the turn only */
void conn_event(struct conn *c, uint32_t events);
void conn_read(struct conn *c);
/* Everything to be done after input or an answer; once a turn. */
void conn_work(struct conn *c);
void conn_dirty(struct conn *c);
/* An empty `out` gets memory that was written lately. */
void conn_lend_out(struct conn *c);
/* A large answer leaves now, while the cache has it. */
void conn_eager(struct conn *c);
void conn_timeout(struct conn *c, enum timer_list list);
/* The server ends: finish what runs, then close. */
void conn_drain(struct conn *c);
void conn_began(struct conn *c, bool h2);

void h1_input(struct conn *c, struct str in);
void h1_answer(struct exchange *x);
void h1_stream(struct exchange *x);
void h1_pump(struct exchange *x);
void h1_work(struct conn *c);
void h1_timeout(struct conn *c, enum timer_list list);
void h1_timer(struct conn *c);

bool h2_begin(struct conn *c);
void h2_input(struct conn *c, struct str in);
void h2_answer(struct exchange *x);
void h2_stream(struct exchange *x);
void h2_pump(struct exchange *x);
void h2_work(struct conn *c); /* fill c->out */
void h2_timeout(struct exchange *x, enum timer_list list);
void h2_conn_timeout(struct conn *c, enum timer_list list);
void h2_timer(struct conn *c);
void h2_drain(struct conn *c);
void h2_end(struct conn *c);

/* ---- TLS (tls.c) ---- */

err tls_tickets_new(struct tls_tickets **ret) MUST_USE;
void tls_tickets_free(struct tls_tickets *k);
/* certs: clients must show a certificate. */
err tls_context(struct str chain, struct str key, struct tls_tickets *k,
    bool certs, struct trail *t, struct ssl_ctx_st **ret) MUST_USE;
struct ssl_ctx_st *tls_context_swap(struct wire *w, bool certs,
    struct ssl_ctx_st *ctx);
void tls_context_free(struct ssl_ctx_st *ctx);
bool tls_accept(struct conn *c); /* false: out of memory */
/* true: done; *ret_h2 which protocol.  false: IO_AGAIN or IO_LOST. */
bool tls_handshake(struct conn *c, int *ret_io, bool *ret_h2);

/* After the handshake: keep the peer's certificate; false: none that could
 * be kept. */
bool tls_peer_take(struct conn *c);
/* A copy of it for the request. */
void tls_peer_lend(const struct conn *c, struct exchange *x);

/* ---- reactors ---- */

/* Written by one reactor, read by all. */
struct counters {
	_Atomic uint64_t accepted, requests, replies_2xx, replies_4xx,
	    replies_5xx, refused, h2_connections, tls_failures, streams;
};
#define COUNT(r, field)                                                        \
	atomic_store_explicit(&(r)->n.field,                                   \
	    atomic_load_explicit(&(r)->n.field, memory_order_relaxed) + 1,     \
	    memory_order_relaxed)

struct reactor {
	struct wire *w;
	unsigned index;
	pthread_t thread;
	bool running;
	int epoll;
	struct source mail_source;
	struct source listen[8];
	_Atomic(struct exchange *) mail;
	_Atomic(struct conn *) arrivals; /* accepted by another reactor */
	_Atomic bool sleeping;
	_Atomic unsigned open;
	int64_t now_us;
	int64_t tick_us; /* when the next one is due */
	int64_t date_us; /* until when date is right */
	char date[32];
	struct timer timers[T_MAX_];
	int64_t period_us[T_MAX_];
	struct conn *conns;
	struct conn *dirty, *dirty_last, *dead;
	struct exchange *pool;
	unsigned pool_n;
	struct exchange *orphans; /* lent, their connection is gone */
	int64_t drain_us;	  /* 0, or when draining must end */
	struct counters n;
	char *scratch;	  /* RECORD bytes for reading */
	struct buf spare; /* what the last `out` was written into */
};

struct wire {
	struct wire_config config;
	struct wire_hooks hooks;
	pthread_mutex_t tls_mu;
	struct ssl_ctx_st *tls[2]; /* [1]: demands certificates */
	struct tls_tickets *tickets;
	_Atomic size_t bodies; /* bytes in flight */
	_Atomic bool draining;
	bool started;
	unsigned reactors_n;
	struct reactor reactors[];
};

err reactor_init(struct reactor *r, struct wire *w, unsigned index) MUST_USE;
void reactor_done(struct reactor *r);
void *reactor_main(void *reactor);
void reactor_clock(struct reactor *r);
void reactor_wake(struct reactor *r);
bool reactor_is_mine(const struct reactor *r);
void reactor_enter(struct reactor *r); /* this thread is r's from now */
/* Mail, work, timers, graves: the part of a turn after the events. */
void reactor_settle(struct reactor *r);
void reactor_arm(struct conn *c, uint32_t events);

#endif
