/*
 * relay_call.c: an action for a script that has no credential: the http step's
 * way, with the script's parameters, and the outputs for an answer.
 */
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "base/time.h"
#include "delegate/broker_inner.h"
#include "delegate/invoke.h"
#include "egress/dial.h"

enum { CALL_MS = 60000, ANSWER = ACTION_OUTPUTS + 1024 };

static unsigned under_way; /* of all steps */

static size_t
injecting(const struct relay *r, struct str slug)
{
	size_t i = 0;

	while (i < r->c_n &&
	    (r->c[i].egress != CONNECTOR_EGRESS_INJECT ||
		!str_eq(r->c[i].slug, slug)))
		i++;
	return i;
}

bool
relay_injects(const struct relay *r)
{
	for (size_t i = 0; i < r->c_n; i++)
		if (r->c[i].egress == CONNECTOR_EGRESS_INJECT)
			return true;
	return false;
}

static const char *
status_of(enum broker_end e)
{
	switch (e) {
	case BROKER_OK:
		return "200 OK";
	case BROKER_ACTION:
	case BROKER_PARAMS:
	case BROKER_REQUEST:
		return "400 Bad Request";
	case BROKER_HOST:
		return "403 Forbidden";
	case BROKER_LIMIT:
	case BROKER_BUDGET:
		return "429 Too Many Requests";
	default:
		return "502 Bad Gateway";
	}
}

static void
send_all(int fd, struct str s, const bool *stop)
{
	int64_t until = time_mono_us() + (int64_t)LIM_RELAY_HEAD_MS * 1000;

	while (s.n > 0) {
		ssize_t n;

		if (dial_wait(fd, POLLOUT, until, stop) != WEB_OK)
			return;
		n = send(fd, s.p, s.n, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		s = str_skip(s, (size_t)n);
	}
}

static void
answer(const struct relay *r, int fd, const struct broker_event *ev,
    struct str outputs)
{
	char text[ANSWER], head[160];
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};
	struct jw w;
	int n;

	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "code", str_c(broker_end_code(ev->end)));
	jw_ki64(&w, "status", ev->status);
	if (ev->end == BROKER_OK)
		jw_kraw(&w, "outputs", outputs);
	jw_obj_end(&w);
	n = snprintf(head, sizeof head,
	    "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\nConnection: close\r\n\r\n",
	    status_of(ev->end), b.n);
	send_all(fd, str_of(head, (size_t)n), &r->stop);
	send_all(fd, buf_view(&b), &r->stop);
}

static void
called(const struct relay *r, size_t i, const struct invoke *v, struct arena *a,
    struct broker_event *ev, struct buf *outputs)
{
	const struct broker_ask ask = {.document = r->document[i],
	    .secret = r->secret[i],
	    .action = v->action,
	    .params = v->params};
	struct call k = {.world = r->world,
	    .ask = &ask,
	    .stop = &r->stop,
	    .a = a,
	    .ev = ev,
	    .until_us = time_mono_us() + (int64_t)CALL_MS * 1000};

	if (__atomic_add_fetch(&under_way, 1, __ATOMIC_RELAXED) >
	    LIM_BROKER_CALLS)
		ev->end = BROKER_LIMIT;
	else if (!buf_room(outputs, ACTION_OUTPUTS))
		ev->end = BROKER_LIMIT;
	else
		call_http(&k, outputs);
	(void)__atomic_sub_fetch(&under_way, 1, __ATOMIC_RELAXED);
}

void
relay_call(struct relay *r, int fd, const struct invoke *v)
{
	struct broker_event ev = {.what = BROKER_DECISION,
	    .id = r->id,
	    .host = v->slug,
	    .end = BROKER_HOST};
	size_t i = injecting(r, v->slug);
	struct buf outputs;
	struct arena a;

	arena_init(&a, CALL_ARENA);
	buf_init(&outputs, ACTION_OUTPUTS);
	if (i < r->c_n)
		called(r, i, v, &a, &ev, &outputs);
	(void)__atomic_fetch_add(&r->up, ev.up, __ATOMIC_RELAXED);
	(void)__atomic_fetch_add(&r->down, ev.down, __ATOMIC_RELAXED);
	answer(r, fd, &ev, buf_view(&outputs));
	broker_say(&ev);
	buf_forget(&outputs);
	arena_done(&a);
}
