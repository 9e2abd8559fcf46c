/*
 * b_204.c: the reference of `make bench`: our own wire, answering 204 to
 * whatever it is asked, from the reactor that read it, or 200 with so many
 * bytes that are always the same.
 *
 *	b_204 CERTIFICATE KEY [BYTES [FILE]]
 *
 * With FILE the answers come as those of Redoubt do that are on record: from
 * one other thread, which takes all that wait, appends 4 KiB for them to FILE,
 * calls fdatasync, and lets them go.  (FILE "-": without the file.)
 *
 * Prints "ready https://127.0.0.1:PORT" and serves until its input ends.
 * Everything a request costs besides this is what Redoubt does for it.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/wire.h"

static void
on_thread(void *ctx, unsigned reactor)
{
	(void)ctx;
	(void)reactor;
}

static size_t
on_body_cap(void *ctx, const struct http_request *head)
{
	(void)ctx;
	(void)head;
	return (size_t)1024 * 1024;
}

/* ---- the other thread ---- */

struct waiting {
	struct exchange *x;
	struct waiting *next;
};

static struct {
	_Atomic(struct waiting *) list; /* newest first */
	const struct str *body;
	int wake, file; /* -1: none */
	bool on;
} other = {.wake = -1, .file = -1};

static void
answer(struct exchange *x, const struct str *body)
{
	struct reply r = {.status = 204};

	if (body->n > 0)
		r = (struct reply){.status = 200,
		    .content_type = STR("application/json"),
		    .body = *body};
	exchange_reply(x, &r);
}

static void
record(void)
{
	static const char page[4096];

	if (other.file < 0)
		return;
	if (write(other.file, page, sizeof page) != sizeof page ||
	    fdatasync(other.file) != 0) {
		perror("b_204: FILE");
		exit(1);
	}
}

static void *
answer_all(void *arg)
{
	uint64_t n;

	for (;;) {
		struct waiting *w = atomic_exchange(&other.list, NULL), *next;

		if (w == NULL) {
			(void)!read(other.wake, &n, sizeof n);
			continue;
		}
		record();
		for (; w != NULL; w = next) {
			next = w->next; /* w goes with its exchange */
			answer(w->x, other.body);
		}
	}
	return arg;
}

static void
on_request(void *ctx, struct exchange *x)
{
	const uint64_t one = 1;
	struct waiting *w;

	if (!other.on) {
		answer(x, ctx);
		return;
	}
	w = ARENA_NEW(exchange_arena(x), struct waiting);
	if (w == NULL)
		exit(1);
	*w = (struct waiting){x, atomic_load(&other.list)};
	while (!atomic_compare_exchange_weak(&other.list, &w->next, w))
		;
	if (w->next == NULL)
		(void)!write(other.wake, &one, sizeof one);
}

static void
start_other(const char *file, const struct str *body)
{
	pthread_t t;

	other.on = true;
	other.body = body;
	other.wake = eventfd(0, EFD_CLOEXEC);
	if (strcmp(file, "-") != 0)
		other.file =
		    open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (other.wake < 0 || (other.file < 0 && strcmp(file, "-") != 0) ||
	    pthread_create(&t, NULL, answer_all, NULL) != 0) {
		perror("b_204: FILE");
		exit(1);
	}
}

static void
on_stream_closed(void *ctx, struct exchange *x)
{
	(void)ctx;
	(void)x;
}

static void
on_problem(void *ctx, err e, const struct trail *t, struct buf *b)
{
	(void)ctx;
	(void)t;
	buf_c(b, err_name(e));
}

static int
listening(int *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (void *)&a, sizeof a) != 0 ||
	    listen(fd, 4096) != 0 || getsockname(fd, (void *)&a, &n) != 0) {
		perror("b_204: listen");
		exit(1);
	}
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static struct str
file_of(const char *path, char *p, size_t max)
{
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL) {
		perror(path);
		exit(1);
	}
	n = fread(p, 1, max, f);
	(void)fclose(f);
	return str_of(p, n);
}

static void
must(err e, const struct trail *t)
{
	if (err_ok(e))
		return;
	fprintf(stderr, "b_204: %s %s\n", err_name(e), t->detail);
	exit(1);
}

int
main(int argc, char **argv)
{
	static char chain[65536], key[65536], bytes[1024 * 1024];
	struct str body = {bytes, 0};
	struct wire_hooks hooks = {&body, on_thread, on_body_cap, on_request,
	    on_stream_closed, on_thread, on_problem, NULL};
	struct wire_config c = {.hooks = &hooks, .listen_n = 1};
	struct trail t = {""};
	struct wire *w;
	int port = 0;

	if (argc < 3) {
		fprintf(stderr, "b_204 CERTIFICATE KEY [BYTES [FILE]]\n");
		return 2;
	}
	if (argc > 3)
		body.n = strtoul(argv[3], NULL, 10) % (sizeof bytes + 1);
	memset(bytes, 'x', body.n);
	if (argc > 4)
		start_other(argv[4], &body);
	c.reactors = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	c.listen[0] = listening(&port);
	must(wire_new(&c, &w), &t);
	must(wire_tls(w, file_of(argv[1], chain, sizeof chain),
		 file_of(argv[2], key, sizeof key), &t),
	    &t);
	must(wire_start(w), &t);
	printf("ready https://127.0.0.1:%d\n", port);
	(void)fflush(stdout);
	while (getchar() != EOF)
		continue;
	wire_drain(w);
	w = wire_free(w);
	return 0;
}
