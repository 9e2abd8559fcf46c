/*
 * b_paced.c: requests at a fixed rate, and how long each took.
 *
 *	b_paced PORT CA REQUEST RATE SECONDS [CONNECTIONS [KEYS]]
 *
 * REQUEST is a file with one whole HTTP/1.1 request; in its body sixteen `@`
 * are replaced with a number below KEYS, in hex, another for each request.
 * RATE 0: as fast as the connections take them.  Request i is due at i/RATE;
 * its time runs from then, not from when a connection was free to send it,
 * so a stall of the server is seen by every request it delays (G. Tene's
 * "coordinated omission").  One thread, TLS 1.3; prints one JSON object.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER = 65536, EVENTS = 256, MARK = 16, SAMPLES = 1 << 24 };

struct link {
	SSL *ssl;
	int fd;
	bool busy;
	int64_t due;
	size_t got;
	char in[ANSWER];
	struct link *next; /* idle ones */
};

static char request[65536];
static size_t request_n, mark_at;
static unsigned keys = 1000;
static uint64_t sent, done, bad;
static uint32_t *took; /* microseconds */
static struct link *idle, **idle_last = &idle;

static void
stop(const char *what)
{
	fprintf(stderr, "b_paced: %s\n", what);
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
read_request(const char *path)
{
	FILE *f = fopen(path, "r");
	const char *mark;

	if (f == NULL)
		stop("no such request file");
	request_n = fread(request, 1, sizeof request - 1, f);
	(void)fclose(f);
	mark = strstr(request, "@@@@@@@@@@@@@@@@");
	mark_at = mark == NULL ? 0 : (size_t)(mark - request);
}

static void
open_link(struct link *l, SSL_CTX *ctx, int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1;

	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	l->ssl = SSL_new(ctx);
	if (l->fd < 0 || l->ssl == NULL ||
	    connect(l->fd, (void *)&a, sizeof a) != 0)
		stop("cannot connect");
	(void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (SSL_set1_host(l->ssl, "localhost") != 1 ||
	    SSL_set_fd(l->ssl, l->fd) != 1 || SSL_connect(l->ssl) != 1)
		stop("TLS handshake");
	(void)fcntl(l->fd, F_SETFL, O_NONBLOCK);
}

static void
give_back(struct link *l)
{
	l->busy = false;
	l->next = NULL;
	*idle_last = l;
	idle_last = &l->next;
}

static struct link *
take_idle(void)
{
	struct link *l = idle;

	idle = l->next;
	if (idle == NULL)
		idle_last = &idle;
	return l;
}

static void
send_one(struct link *l, int64_t due)
{
	static const char hex[] = "0123456789abcdef";
	uint64_t n = sent++ % keys;

	for (size_t i = MARK; mark_at > 0 && i > 0; i--, n /= 16)
		request[mark_at + i - 1] = hex[n % 16];
	l->due = due;
	l->got = 0;
	l->busy = true;
	/* an empty socket buffer takes a request whole */
	if (SSL_write(l->ssl, request, (int)request_n) != (int)request_n)
		stop("write");
}

/* Is the answer complete? */
static bool
complete(struct link *l)
{
	const char *end, *length;
	size_t body = 0;

	l->in[l->got] = '\0';
	end = strstr(l->in, "\r\n\r\n");
	if (end == NULL)
		return false;
	length = strcasestr(l->in, "\r\ncontent-length:");
	if (length != NULL && length < end)
		body = strtoul(length + 17, NULL, 10);
	if ((size_t)(end - l->in) + 4 + body > l->got)
		return false;
	if (l->got < 12 || l->in[9] != '2')
		bad++;
	return true;
}

static void
receive(struct link *l)
{
	for (;;) {
		int n = SSL_read(l->ssl, l->in + l->got,
		    (int)(ANSWER - 1 - l->got));

		if (n <= 0) {
			if (SSL_get_error(l->ssl, n) == SSL_ERROR_WANT_READ)
				return;
			stop("the server hung up");
		}
		l->got += (size_t)n;
		if (!l->busy || !complete(l))
			continue;
		if (done < SAMPLES)
			took[done] = (uint32_t)((now_ns() - l->due) / 1000);
		done++;
		give_back(l);
	}
}

static void
wait_for(int ep, int64_t until)
{
	static struct epoll_event ev[EVENTS];
	int64_t left = until - now_ns();
	struct timespec t = {.tv_sec = left / 1000000000,
	    .tv_nsec = left % 1000000000};
	int n;

	if (left < 0)
		t = (struct timespec){0};
	n = epoll_pwait2(ep, ev, EVENTS, &t, NULL);
	for (int i = 0; i < n; i++)
		receive(ev[i].data.ptr);
}

static int64_t
run(int ep, double rate, double seconds)
{
	int64_t from = now_ns(), end = from + (int64_t)(seconds * 1e9);
	uint64_t total = rate > 0 ? (uint64_t)(rate * seconds) : UINT64_MAX;

	for (;;) {
		int64_t now = now_ns(), due = now;

		while (sent < total && now < end + 1000000000) {
			if (rate > 0)
				due =
				    from + (int64_t)((double)sent * 1e9 / rate);
			if (due > now || idle == NULL ||
			    (rate <= 0 && now >= end))
				break;
			send_one(take_idle(), due);
		}
		if (done >= sent && (sent >= total || now >= end))
			return now - from;
		if (now > end + (int64_t)60 * 1000000000)
			stop("answers are missing after a minute");
		/* no connection is free: the next answer frees one */
		if (idle == NULL || sent >= total || due <= now)
			due = now + 100000000;
		wait_for(ep, due);
	}
}

static int
by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
report(int64_t ns)
{
	size_t n = done < SAMPLES ? done : SAMPLES;
	static const struct {
		const char *name;
		double at;
	} q[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};

	qsort(took, n, sizeof *took, by_size);
	printf("{\"sent\":%llu,\"bad\":%llu,\"rate\":%.1f",
	    (unsigned long long)sent, (unsigned long long)bad,
	    (double)done * 1e9 / (double)ns);
	for (size_t i = 0; i < sizeof q / sizeof *q && n > 0; i++)
		printf(",\"%s_us\":%u", q[i].name,
		    took[(size_t)(q[i].at * (double)(n - 1))]);
	printf(",\"max_us\":%u}\n", n == 0 ? 0 : took[n - 1]);
}

int
main(int argc, char **argv)
{
	size_t n = argc > 6 ? (size_t)atoi(argv[6]) : 64;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct link *l;
	int64_t ns;

	if (argc < 6) {
		fprintf(stderr,
		    "b_paced PORT CA REQUEST RATE SECONDS "
		    "[CONNECTIONS [KEYS]]\n");
		return 2;
	}
	if (argc > 7)
		keys = (unsigned)atoi(argv[7]);
	(void)prctl(PR_SET_TIMERSLACK, 1);
	read_request(argv[3]);
	took = calloc(SAMPLES, sizeof *took);
	l = calloc(n, sizeof *l);
	if (ctx == NULL || took == NULL || l == NULL || n == 0 || keys == 0)
		stop("memory");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_read_ahead(ctx, 1);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_load_verify_file(ctx, argv[2]) != 1)
		stop("TLS settings");
	for (size_t i = 0; i < n; i++) {
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &l[i]};

		open_link(&l[i], ctx, atoi(argv[1]));
		if (epoll_ctl(ep, EPOLL_CTL_ADD, l[i].fd, &ev) != 0)
			stop("epoll");
		give_back(&l[i]);
	}
	ns = run(ep, atof(argv[4]), atof(argv[5]));
	report(ns);
	return bad > 0;
}
