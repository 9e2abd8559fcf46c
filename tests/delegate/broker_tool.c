/*
 * broker_tool CONFIG: a real broker, driven by lines of JSON on stdin
 * (brokerkit.py writes them); what it says comes out as lines of JSON.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "delegate/broker.h"

enum { LINE = 4 << 20, MEMORY = 64 << 20 };

static const struct json_limits bounds = {8, 64, 4096};
static char line[LINE];
static size_t line_n;

static void
die(const char *what, const char *detail)
{
	fprintf(stderr, "broker_tool: %s: %s\n", what, detail);
	exit(2);
}

static struct str
text(const struct json *o, const char *name)
{
	struct str s = json_str_at(o, str_c(name));

	return s.p == NULL ? STR("") : s;
}

static int64_t
number(const struct json *o, const char *name)
{
	int64_t v = 0;

	(void)json_i64(json_get(o, str_c(name)), 0, INT64_MAX, &v);
	return v;
}

static int
listener(struct str path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (path.n >= sizeof a.sun_path)
		die("path", "too long");
	memcpy(a.sun_path, path.p, path.n);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
	    listen(fd, 64) != 0)
		die("listen", strerror(errno));
	return fd;
}

static void
relay(struct broker *b, uint64_t id, const struct json *o)
{
	const struct json *list = json_get(o, STR("documents"));
	struct str documents[BROKER_CONNECTORS], secrets[BROKER_CONNECTORS];
	int fd = listener(text(o, "path"));
	size_t n = 0;
	err e;

	for (list = json_first(list); list != NULL; list = list->next) {
		secrets[n] = text(o, "secret");
		documents[n++] = list->text;
	}
	e = broker_relay(b, id, fd, documents, secrets, n);
	(void)close(fd);
	if (!err_ok(e))
		die("relay", err_name(e));
}

static void
command(struct broker *b, struct str in)
{
	struct trail t = {{0}};
	const struct json *o;
	struct broker_ask ask;
	struct arena a;
	uint64_t id;
	err e = OK;

	arena_init(&a, MEMORY);
	if (!err_ok(json_parse(&a, in, &bounds, &t, &o)))
		die("command", t.detail);
	id = (uint64_t)number(o, "id");
	ask = (struct broker_ask){.document = text(o, "document"),
	    .secret = text(o, "secret"),
	    .ms = number(o, "ms"),
	    .action = text(o, "action"),
	    .params = text(o, "params"),
	    .outputs = text(o, "outputs"),
	    .path = text(o, "path"),
	    .field = text(o, "field")};
	if (str_is(text(o, "op"), "http"))
		e = broker_http(b, id, &ask);
	else if (str_is(text(o, "op"), "secret"))
		e = broker_secret(b, id, &ask);
	else if (str_is(text(o, "op"), "relay"))
		relay(b, id, o);
	else if (str_is(text(o, "op"), "cancel"))
		e = broker_cancel(b, id);
	if (!err_ok(e))
		die("ask", err_name(e));
	arena_done(&a);
}

static void
event(struct broker *b)
{
	static const char *const what[] = {"answer", "value", "decision",
	    "closed", "ended"};
	struct broker_event ev;
	struct arena a;
	struct buf out;
	struct jw w;
	err e;

	arena_init(&a, MEMORY);
	buf_init(&out, LINE);
	e = broker_next(b, 0, &a, &ev);
	if (err_is(e, E_TIMEOUT))
		return;
	if (!err_ok(e))
		die("next", err_name(e));
	jw_init(&w, &out);
	jw_obj(&w);
	jw_kstr(&w, "what", str_c(what[ev.what]));
	jw_ki64(&w, "id", (int64_t)ev.id);
	jw_kstr(&w, "end", str_c(broker_end_code(ev.end)));
	jw_kbool(&w, "sent", ev.sent);
	jw_ki64(&w, "status", ev.status);
	jw_ki64(&w, "retry_ms", ev.retry_ms);
	jw_ki64(&w, "up", (int64_t)ev.up);
	jw_ki64(&w, "down", (int64_t)ev.down);
	jw_kstr(&w, "host", ev.host);
	jw_ki64(&w, "port", ev.port);
	jw_kstr(&w, "address", ev.address);
	jw_kstr(&w, "detail", ev.detail);
	jw_kstr(&w, "outputs", ev.outputs);
	jw_kstr(&w, "value", ev.value);
	jw_obj_end(&w);
	printf("%.*s\n", STR_ARG(buf_view(&out)));
	fflush(stdout);
	buf_done(&out);
	arena_done(&a);
}

/* Whole lines of what has come; false: there is no more. */
static bool
commands(struct broker *b)
{
	ssize_t n = read(0, line + line_n, LINE - line_n);
	struct str in, one;

	if (n <= 0)
		return false;
	line_n += (size_t)n;
	in = str_of(line, line_n);
	while (memchr(in.p, '\n', in.n) != NULL) {
		str_cut(in, '\n', &one, &in);
		command(b, one);
	}
	memmove(line, in.p, in.n);
	line_n = in.n;
	return true;
}

static struct broker *
start(struct arena *a, const char *conf)
{
	struct trail t = {{0}};
	struct broker_conf c = {0};
	const struct json *o, *list;
	struct broker *b = NULL;

	if (!err_ok(json_parse(a, str_c(conf), &bounds, &t, &o)))
		die("configuration", t.detail);
	list = json_get(o, STR("resolver"));
	for (list = json_first(list); list != NULL; list = list->next)
		c.resolver[c.resolver_n++] = list->text;
	c.authorities = text(o, "authorities");
	c.relay_idle_ms = number(o, "idle_ms");
	c.relay_bytes = (uint64_t)number(o, "bytes");
	c.uid = (unsigned)number(o, "uid");
	c.gid = (unsigned)number(o, "uid");
	if (!err_ok(broker_start(&c, &t, &b)))
		die("start", t.detail);
	return b;
}

int
main(int argc, char **argv)
{
	struct arena a;
	struct broker *b;

	if (argc != 2)
		die("usage", "broker_tool CONFIG");
	arena_init(&a, MEMORY);
	b = start(&a, argv[1]);
	printf("{\"what\":\"ready\",\"pid\":%d}\n", broker_pid(b));
	fflush(stdout);
	for (;;) {
		struct pollfd p[2] = {{0, POLLIN, 0},
		    {broker_fd(b), POLLIN, 0}};

		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents != 0)
			event(b);
		if (p[0].revents != 0 && !commands(b))
			break;
	}
	b = broker_stop(b);
	arena_done(&a);
	return 0;
}
