/* HTTP/1.1 over a connection: one request at a time, in order. */
#include "wire/conn.h"

enum { CHUNK_HEAD = 20 }; /* room for a chunk's size and line ends */

static bool
out_full(const struct conn *c)
{
	return c->out.n - c->out_at > OUT_MORE;
}

/* ---- the head of a request ---- */

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

static struct str
at(const char *b, struct http1_span s)
{
	return str_of(b + s.at, s.n);
}

/* Copy the head into the arena and give its parts their names. */
static bool
head_take(struct exchange *x, struct str head)
{
	const struct http1 *p = &x->h1;
	struct http_request *q = &x->req;
	char *b = arena_get(&x->arena, head.n);
	struct header *h = arena_array(&x->arena, p->fields_n, sizeof *h);

	if (b == NULL || h == NULL)
		return false;
	memcpy(b, head.p, head.n);
	for (size_t i = 0; i < p->fields_n; i++) {
		const struct http1_field *f = &p->fields[i];

		for (size_t k = f->name.at; k < (size_t)f->name.at + f->name.n;
		     k++)
			b[k] = lower(b[k]);
		for (size_t k = 0; p->tabs && k < f->value.n; k++) {
			if (b[f->value.at + k] == '\t')
				b[f->value.at + k] = ' ';
		}
		h[i] = (struct header){at(b, f->name), at(b, f->value)};
	}
	q->headers = h;
	q->headers_n = p->fields_n;
	q->target = at(b, p->target);
	q->method = http_method_of(at(b, p->method));
	if (p->has_host)
		q->host = at(b, p->host);
	x->head_only = q->method == HTTP_HEAD;
	return true;
}

static void
lend(struct conn *c, struct exchange *x)
{
	timer_set(c->r, &c->timer, T_NONE);
	exchange_lend(x);
}

/* The head is there: is a body wanted, or is this the whole request? */
static void
head_done(struct conn *c, struct exchange *x, struct str head, bool more_in)
{
	enum err_code e = E_NO_MEMORY;
	const char *why = "";

	x->close = x->h1.close;
	if (!head_take(x, head) || !request_check(x, &e, &why)) {
		exchange_refuse(x, e, why);
		return;
	}
	if (!http1_has_body(&x->h1)) {
		lend(c, x);
		return;
	}
	x->state = X_BODY;
	timer_set(c->r, &c->timer, T_BODY);
	if (!request_body_begin(x, x->h1.chunked ? -1 : (int64_t)x->h1.left))
		return;
	if (x->h1.expect && !more_in)
		buf_c(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
}

/* ---- input ---- */

static struct str
run_head(struct conn *c, struct str in)
{
	struct exchange *x = c->x;
	struct str head;

	switch (http1_head(&x->h1, in)) {
	case HTTP1_MORE:
		break;
	case HTTP1_BAD:
		exchange_refuse(x, (enum err_code)x->h1.error, x->h1.why);
		break;
	case HTTP1_DONE:
		head = str_head(in, x->h1.at);
		in = str_skip(in, x->h1.at);
		head_done(c, x, head, in.n > 0);
		break;
	}
	return in;
}

static struct str
run_body(struct conn *c, struct str in)
{
	struct exchange *x = c->x;
	struct str piece;
	enum http1_result rc;

	do {
		rc = http1_body(&x->h1, &in, &piece);
		if (rc == HTTP1_BAD) {
			exchange_refuse(x, (enum err_code)x->h1.error,
			    x->h1.why);
			break;
		}
		if (!request_body_add(x, piece))
			break;
		if (rc == HTTP1_DONE) {
			lend(c, x);
			break;
		}
	} while (in.n > 0);
	return in;
}

static bool
begin(struct conn *c)
{
	c->x = exchange_new(c);
	if (c->x == NULL) {
		c->doomed = true;
		return false;
	}
	http1_init(&c->x->h1);
	/* the first head has the time the handshake has left it */
	if (!c->fresh)
		timer_set(c->r, &c->timer, T_HEAD);
	c->fresh = false;
	return true;
}

/* Use what can be used of `in`; the rest waits. */
static struct str
run(struct conn *c, struct str in)
{
	while (in.n > 0 && !c->closing && !c->doomed && !out_full(c)) {
		if (c->x == NULL && !begin(c))
			break;
		if (c->x->state == X_HEAD) {
			in = run_head(c, in);
			if (c->x != NULL && c->x->state == X_HEAD)
				break;
		} else if (c->x->state == X_BODY) {
			in = run_body(c, in);
		} else {
			break;
		}
	}
	c->more = in.n > 0 && out_full(c);
	return in;
}

static void
keep(struct conn *c, struct str rest, bool stored)
{
	if (c->closing || c->doomed || rest.n == 0) {
		buf_done(&c->in);
		return;
	}
	if (stored) {
		memmove(c->in.p, rest.p, rest.n);
		c->in.n = rest.n;
		return;
	}
	buf_str(&c->in, rest);
	if (c->in.failed)
		c->doomed = true;
}

void
h1_input(struct conn *c, struct str in)
{
	bool stored = c->in.n > 0;

	if (stored) {
		buf_str(&c->in, in);
		if (c->in.failed) {
			c->doomed = true;
			return;
		}
		in = buf_view(&c->in);
	}
	keep(c, run(c, in), stored);
}

/* ---- output ---- */

/* The answer to c->x is in `out`: go on with the next request, or close. */
static void
next(struct conn *c, bool close)
{
	c->x = NULL;
	if (close || c->out.failed)
		c->closing = true;
	if (c->out.failed)
		c->doomed = true;
	conn_dirty(c);
}

void
h1_answer(struct exchange *x)
{
	struct conn *c = x->c;
	bool close;

	if (!x->complete)
		x->close = true; /* unread input is not the next request */
	close = x->close;
	conn_lend_out(c);
	respond_h1(&c->out, x, false);
	exchange_free(x);
	timer_set(c->r, &c->timer, T_NONE);
	conn_eager(c);
	next(c, close);
}

void
h1_stream(struct exchange *x)
{
	struct conn *c = x->c;

	if (x->h1.v10)
		x->close = true;
	respond_h1(&c->out, x, true);
	if (x->head_only || !respond_bodied(x)) {
		bool close = x->close;

		exchange_over(x);
		next(c, close);
		return;
	}
	conn_dirty(c);
	h1_pump(x);
}

static void
chunk(struct conn *c, struct exchange *x, size_t n)
{
	if (!buf_room(&c->out, n + CHUNK_HEAD))
		return;
	if (!x->h1.v10)
		buf_fmt(&c->out, "%zx\r\n", n);
	exchange_take(x, c->out.p + c->out.n, n);
	c->out.n += n;
	if (!x->h1.v10)
		buf_c(&c->out, "\r\n");
}

/* Move what was pushed into `out`, unless that is full. */
void
h1_pump(struct exchange *x)
{
	struct conn *c = x->c;
	bool end, close = x->close;
	size_t n;

	if (out_full(c) || c->doomed)
		return;
	n = exchange_waiting(x, &end);
	if (n > 0)
		chunk(c, x, n);
	if (end && !c->out.failed) {
		if (!x->h1.v10)
			buf_c(&c->out, "0\r\n\r\n");
		exchange_over(x);
		next(c, close);
		return;
	}
	if (c->out.failed)
		c->doomed = true;
	conn_dirty(c);
}

/* The peer will send nothing more. */
static void
ended(struct conn *c)
{
	/* a whole request may still be answered; a stream has no listener any
	 * more, and half a request no sender */
	if (c->x == NULL && c->in.n == 0)
		c->closing = true;
	else if (c->x != NULL && c->x->state == X_LENT)
		c->x->close = c->in.n == 0;
	else if (c->x != NULL)
		c->doomed = true;
}

/* Once a turn: more of a stream, or requests that were waiting. */
void
h1_work(struct conn *c)
{
	bool end;

	/* an end that came while `out` was full is left to be written, too */
	if (c->x != NULL && c->x->state == X_STREAM &&
	    (exchange_waiting(c->x, &end) > 0 || end)) {
		h1_pump(c->x);
		c->more = c->x != NULL && out_full(c);
	}
	if (c->in.n > 0 && !out_full(c) &&
	    (c->x == NULL || c->x->state == X_HEAD || c->x->state == X_BODY))
		keep(c, run(c, buf_view(&c->in)), true);
	if (c->eof)
		ended(c);
}

void
h1_timer(struct conn *c)
{
	if (c->x != NULL && (c->x->state == X_HEAD || c->x->state == X_BODY))
		return; /* its deadline holds, whatever else happens */
	if (c->out.n > 0)
		timer_keep(c->r, &c->timer, T_STALL);
	else if (c->x == NULL && !c->fresh)
		timer_keep(c->r, &c->timer, T_IDLE);
	else if (c->timer.list == T_STALL)
		timer_set(c->r, &c->timer, T_NONE);
}

void
h1_timeout(struct conn *c, enum timer_list list)
{
	struct exchange *x = c->x;

	if (list == T_IDLE && x == NULL && c->out.n == 0) {
		c->closing = true; /* in order */
		conn_dirty(c);
	} else if ((list == T_HEAD || list == T_BODY) && x != NULL &&
	    (x->state == X_HEAD || x->state == X_BODY)) {
		exchange_refuse(x, E_TIMEOUT, "");
	} else {
		conn_close(c);
	}
}
