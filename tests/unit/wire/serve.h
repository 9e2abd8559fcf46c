/*
 * serve.h: a wire server in this process, for tests and benchmarks: a fresh
 * self-signed certificate, two reactors, and hooks that answer
 *
 *	/204        204 at once                /echo   what wire understood
 *	/mail       204 from another thread    /big    ?n bytes of x
 *	/stream     events until told          /hold   answered when told
 */
#ifndef TESTS_SERVE_H
#define TESTS_SERVE_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/wire.h"

/* ---- a certificate ---- */

struct pems {
	char *chain, *key;
	size_t chain_n, key_n;
};

static inline char *
pem_of(BIO *b, size_t *n)
{
	char *p;
	long len = BIO_get_mem_data(b, &p);
	char *ret = malloc((size_t)len + 1);

	memcpy(ret, p, (size_t)len);
	ret[len] = '\0';
	*n = (size_t)len;
	BIO_free(b);
	return ret;
}

static inline void
pems_make(struct pems *ret, const char *cn)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	BIO *b = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_mem());

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	PEM_write_bio_X509(b, x);
	PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL);
	ret->chain = pem_of(b, &ret->chain_n);
	ret->key = pem_of(k, &ret->key_n);
	X509_free(x);
	EVP_PKEY_free(key);
}

static inline void
pems_done(struct pems *p)
{
	free(p->chain);
	free(p->key);
}

/* ---- the worker that answers from another thread ---- */

struct job {
	struct exchange *x;
	struct job *next;
};

struct server {
	struct wire *w;
	struct pems pems;
	int port;
	pthread_t worker;
	pthread_mutex_t mu;
	pthread_cond_t more;
	struct job *jobs, **jobs_last;
	bool stop;
	/* held exchanges, and the open stream; under mu */
	struct exchange *held[256];
	size_t held_n;
	struct exchange *stream;
	bool stream_gone;
	_Atomic int threads, closed, problems, ticks;
	_Atomic unsigned per_reactor[8];
	size_t body_cap;
};

static inline void
answer_text(struct exchange *x, int status, struct str body)
{
	struct reply r = {.status = status};

	if (body.n > 0) {
		r.content_type = STR("text/plain");
		r.body = body;
	}
	exchange_reply(x, &r);
}

static inline void
say(struct buf *b, const char *name, struct str v)
{
	buf_c(b, name);
	buf_char(b, '=');
	buf_str(b, v);
	buf_char(b, '\n');
}

/* What wire understood of the request, one name=value a line. */
static inline void
answer_echo(struct exchange *x)
{
	const struct http_request *q = exchange_request(x);
	struct buf b;

	buf_init_on(&b, exchange_arena(x), 1024 * 1024 * 4);
	say(&b, "method", str_c(http_method_text(q->method)));
	say(&b, "path", q->path);
	say(&b, "query", q->query.p == NULL ? STR("(none)") : q->query);
	say(&b, "host", q->host);
	say(&b, "address", str_c(q->address));
	buf_fmt(&b, "h2=%d\nbody_n=%zu\n", q->h2, q->body.n);
	for (size_t i = 0; i < q->headers_n; i++) {
		buf_c(&b, "header ");
		buf_str(&b, q->headers[i].name);
		say(&b, "", q->headers[i].value);
	}
	buf_c(&b, "body=");
	buf_str(&b, q->body);
	answer_text(x, 200, buf_view(&b));
}

static inline void
answer_big(struct exchange *x)
{
	uint64_t n = 0;
	char *p;

	str_u64(exchange_request(x)->query, 0, 4 * 1024 * 1024, &n);
	p = arena_get(exchange_arena(x), (size_t)n);
	if (p != NULL)
		memset(p, 'x', (size_t)n);
	answer_text(x, 200, str_of(p, p == NULL ? 0 : (size_t)n));
}

static inline void *
worker_main(void *arg)
{
	struct server *s = arg;

	pthread_mutex_lock(&s->mu);
	for (;;) {
		struct job *j = s->jobs;

		s->jobs = NULL;
		s->jobs_last = &s->jobs;
		if (j == NULL && s->stop)
			break;
		if (j == NULL) {
			pthread_cond_wait(&s->more, &s->mu);
			continue;
		}
		pthread_mutex_unlock(&s->mu);
		while (j != NULL) {
			struct job *next = j->next;
			struct exchange *x = j->x; /* j lives in its arena */

			answer_text(x, 204, STR_NONE);
			j = next;
		}
		pthread_mutex_lock(&s->mu);
	}
	pthread_mutex_unlock(&s->mu);
	return NULL;
}

static inline void
give_worker(struct server *s, struct exchange *x)
{
	struct job *j = ARENA_NEW(exchange_arena(x), struct job);
	bool first;

	j->x = x;
	pthread_mutex_lock(&s->mu);
	first = s->jobs == NULL;
	*s->jobs_last = j;
	s->jobs_last = &j->next;
	pthread_mutex_unlock(&s->mu);
	if (first)
		pthread_cond_signal(&s->more);
}

static inline void
on_request(void *ctx, struct exchange *x)
{
	struct server *s = ctx;
	const struct http_request *q = exchange_request(x);
	struct reply events = {.status = 200,
	    .content_type = STR("text/event-stream")};

	s->per_reactor[exchange_reactor(x)]++;
	if (str_is(q->path, "/204")) {
		answer_text(x, 204, STR_NONE);
	} else if (str_is(q->path, "/mail")) {
		give_worker(s, x);
	} else if (str_is(q->path, "/big")) {
		answer_big(x);
	} else if (str_is(q->path, "/hold")) {
		pthread_mutex_lock(&s->mu);
		s->held[s->held_n++] = x;
		pthread_mutex_unlock(&s->mu);
	} else if (str_is(q->path, "/stream")) {
		exchange_stream(x, &events);
		pthread_mutex_lock(&s->mu);
		s->stream = x;
		s->stream_gone = false;
		pthread_mutex_unlock(&s->mu);
	} else {
		answer_echo(x);
	}
}

static inline size_t
on_body_cap(void *ctx, const struct http_request *head)
{
	struct server *s = ctx;

	(void)head;
	return s->body_cap;
}

static inline void
on_stream_closed(void *ctx, struct exchange *x)
{
	struct server *s = ctx;

	pthread_mutex_lock(&s->mu);
	if (s->stream == x)
		s->stream_gone = true;
	pthread_mutex_unlock(&s->mu);
	s->closed++;
}

static inline void
on_thread(void *ctx, unsigned reactor)
{
	struct server *s = ctx;

	(void)reactor;
	s->threads++;
}

static inline void
on_tick(void *ctx, unsigned reactor)
{
	struct server *s = ctx;

	(void)reactor;
	s->ticks++;
}

static inline void
on_problem(void *ctx, err e, const struct trail *t, struct buf *b)
{
	struct server *s = ctx;

	s->problems++;
	buf_fmt(b, "{\"status\":%d,\"code\":\"%s\",\"detail\":\"%s\"}",
	    err_status(e), err_name(e), t->detail);
}

static inline int
listen_on(int *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)*ret_port)};
	socklen_t n = sizeof a;
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (void *)&a, sizeof a) != 0 || listen(fd, 4096) != 0 ||
	    getsockname(fd, (void *)&a, &n) != 0)
		abort();
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static inline void
server_start(struct server *s, unsigned reactors, struct wire_times times,
    int port)
{
	struct wire_hooks hooks = {s, on_thread, on_body_cap, on_request,
	    on_stream_closed, on_tick, on_problem, NULL};
	struct wire_config c = {.reactors = reactors,
	    .hooks = &hooks,
	    .times = times,
	    .listen_n = 1};
	struct trail t = {""};

	memset(s, 0, sizeof *s);
	s->body_cap = 1024 * 1024;
	s->port = port;
	s->jobs_last = &s->jobs;
	pthread_mutex_init(&s->mu, NULL);
	pthread_cond_init(&s->more, NULL);
	pems_make(&s->pems, "localhost");
	c.listen[0] = listen_on(&s->port);
	if (!err_ok(wire_new(&c, &s->w)) ||
	    !err_ok(wire_tls(s->w, str_of(s->pems.chain, s->pems.chain_n),
		str_of(s->pems.key, s->pems.key_n), &t)) ||
	    !err_ok(wire_start(s->w)))
		abort();
	pthread_create(&s->worker, NULL, worker_main, s);
}

static inline void
server_stop(struct server *s)
{
	wire_drain(s->w);
	pthread_mutex_lock(&s->mu);
	s->stop = true;
	pthread_mutex_unlock(&s->mu);
	pthread_cond_signal(&s->more);
	pthread_join(s->worker, NULL);
	s->w = wire_free(s->w);
	pems_done(&s->pems);
	pthread_mutex_destroy(&s->mu);
	pthread_cond_destroy(&s->more);
}

#endif
