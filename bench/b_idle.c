/*
 * Memory of idle connections: b_idle [N [h1|h2 [burst]]].  A server in a child,
 * N TLS connections that each made one request; prints the child's resident
 * memory before, with them, and after they have gone.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/unit/wire/client.h"

static long
resident_kb(pid_t pid)
{
	char path[64], line[256];
	long kb = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, "VmRSS: %ld", &kb) == 1)
			break;
	}
	if (f != NULL)
		fclose(f);
	return kb;
}

static void
serve(int in, int out)
{
	static struct server s;
	char b;

	server_start(&s, 2,
	    (struct wire_times){.idle_ms = 600000, .head_ms = 600000}, 0);
	if (write(out, &s.port, sizeof s.port) < 0 || read(in, &b, 1) < 0)
		exit(1);
	server_stop(&s);
	exit(0);
}

static void
request_make(struct buf *b, bool h2)
{
	buf_init(b, 4096);
	if (h2) {
		buf_c(b, PREFACE);
		frame(b, 4, 0, 0, STR_NONE);
		h2_request(b, 1, "GET", STR("/204"), true);
		return;
	}
	buf_c(b,
	    "POST /204 HTTP/1.1\r\nHost: localhost\r\n"
	    "Content-Length: 1500\r\n\r\n");
	for (int i = 0; i < 1500; i++)
		buf_char(b, 'x');
}

/* A light client: only the TLS object and the socket. */
static SSL *
open_one(SSL_CTX *ctx, int port)
{
	SSL *ssl = SSL_new(ctx);
	int fd = tcp_open(port);

	if (fd < 0)
		return NULL;
	SSL_set_fd(ssl, fd);
	SSL_set_connect_state(ssl);
	return ssl;
}

/* Handshakes of all n at once: each goes one step, then the next one. */
static void
handshakes(SSL **ssl, int n)
{
	int done = 0;

	for (int i = 0; i < n; i++)
		fcntl(SSL_get_fd(ssl[i]), F_SETFL, O_NONBLOCK);
	while (done < n) {
		done = 0;
		for (int i = 0; i < n; i++)
			done += SSL_do_handshake(ssl[i]) == 1;
	}
	for (int i = 0; i < n; i++)
		fcntl(SSL_get_fd(ssl[i]), F_SETFL, 0);
}

static bool
connect_all(SSL_CTX *ctx, SSL **ssl, int n, int port, bool h2, bool burst)
{
	struct buf b;
	char in[2048];

	request_make(&b, h2);
	for (int i = 0; i < n; i++) {
		ssl[i] = open_one(ctx, port);
		if (ssl[i] == NULL || (!burst && SSL_connect(ssl[i]) != 1))
			return false;
		if (burst)
			(void)SSL_do_handshake(ssl[i]);
	}
	if (burst)
		handshakes(ssl, n);
	for (int i = 0; i < n; i++) {
		if (SSL_write(ssl[i], b.p, (int)b.n) != (int)b.n ||
		    SSL_read(ssl[i], in, sizeof in) <= 0)
			return false;
	}
	buf_done(&b);
	return true;
}

int
main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 10000, to[2], from[2], port = 0;
	bool h2 = argc > 2 && strcmp(argv[2], "h2") == 0;
	struct rlimit many = {20000, 20000};
	long before, with;
	SSL **ssl = calloc((size_t)n, sizeof *ssl);
	SSL_CTX *ctx;
	pid_t pid;

	setrlimit(RLIMIT_NOFILE, &many);
	if (ssl == NULL || pipe(to) != 0 || pipe(from) != 0)
		return 1;
	pid = fork();
	if (pid == 0)
		serve(to[0], from[1]);
	if (read(from[0], &port, sizeof port) != sizeof port)
		return 1;
	ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_protos(ctx,
	    (const unsigned char *)(h2 ? "\x02h2" : "\x08http/1.1"),
	    h2 ? 3 : 9);
	before = resident_kb(pid);
	if (!connect_all(ctx, ssl, n, port, h2, argc > 3)) {
		printf("a connection failed\n");
		return 1;
	}
	sleep_ms(1500);
	with = resident_kb(pid);
	printf("%d idle %s connections: %.1f MB resident, %.1f before, "
	       "%.1f KB each\n",
	    n, h2 ? "HTTP/2" : "HTTP/1.1", (double)with / 1024,
	    (double)before / 1024, (double)(with - before) / n);
	for (int i = 0; i < n; i++) {
		close(SSL_get_fd(ssl[i]));
		SSL_free(ssl[i]);
	}
	sleep_ms(2000);
	printf("after they have gone: %.1f MB\n",
	    (double)resident_kb(pid) / 1024);
	if (write(to[1], "x", 1) != 1)
		return 1;
	waitpid(pid, NULL, 0);
	SSL_CTX_free(ctx);
	free(ssl);
	return 0;
}
