/*
 * HTTP/2 (RFC 9113) over a connection: nghttp2 reads and writes the frames,
 * here stand the requests and what a peer may cost us.
 *
 * nghttp2 bounds resets by the peer, CONTINUATION, SETTINGS and queued
 * acknowledgements itself.  Two buckets bound the rest: `control` the frames
 * that carry nothing, `glitches` what makes us reset streams.  Work in hand
 * is counted until the answer comes, not until the stream ends, so opening
 * and resetting streams buys a peer nothing.
 */
#include "base/mem.h"
#include "wire/conn.h"
#include "wire/http2.h"

enum {
	CONNECTION_WINDOW = 256 * 1024,
	STREAM_WINDOW = 64 * 1024,
	TINY_DATA = 64,
	XS_MAX = 2 * LIM_H2_STREAMS, /* closed ones still worked on included */
	RESET_BURST = 200,
	RESET_A_SECOND = 20,
	CONTINUATIONS = 4,
	SETTINGS_ENTRIES = 16,
	OUTBOUND_ACKS = 100,
};

/* ---- streams and exchanges ---- */

static struct exchange *
exchange_of(struct conn *c, int32_t stream)
{
	return nghttp2_session_get_stream_user_data(c->h2->s, stream);
}

/* nghttp2 must not name x any more. */
static void
forget(struct exchange *x)
{
	if (x->stream_id != 0)
		nghttp2_session_set_stream_user_data(x->c->h2->s, x->stream_id,
		    NULL);
	x->stream_id = 0;
}

static void
wait_add(struct exchange *x)
{
	struct h2 *h = x->c->h2;

	x->state = X_WAIT;
	x->wait_next = NULL;
	*h->wait_last = x;
	h->wait_last = &x->wait_next;
}

static void
wait_remove(struct exchange *x)
{
	struct h2 *h = x->c->h2;
	struct exchange **at = &h->wait;

	while (*at != x)
		at = &(*at)->wait_next;
	*at = x->wait_next;
	if (h->wait_last == &x->wait_next)
		h->wait_last = at;
}

static void
start(struct exchange *x)
{
	x->job = true;
	x->c->h2->jobs++;
	exchange_lend(x);
}

static void
job_done(struct exchange *x)
{
	if (!x->job)
		return;
	x->job = false;
	x->c->h2->jobs--;
	conn_dirty(x->c);
}

static void
ready(struct exchange *x)
{
	struct h2 *h = x->c->h2;

	timer_set(x->r, &x->timer, T_NONE);
	x->complete = true;
	if (h->jobs < LIM_H2_JOBS && h->wait == NULL)
		start(x);
	else
		wait_add(x);
}

/* ---- the head ---- */

static void
continue_100(struct exchange *x)
{
	static uint8_t name[] = ":status", value[] = "100";
	nghttp2_nv nv = {name, value, sizeof name - 1, sizeof value - 1,
	    NGHTTP2_NV_FLAG_NONE};

	if (str_ieq(http_header(&x->req, STR("expect")), STR("100-continue")))
		nghttp2_submit_headers(x->c->h2->s, NGHTTP2_FLAG_NONE,
		    x->stream_id, NULL, &nv, 1, NULL);
}

static void
head_done(struct exchange *x, bool end)
{
	struct str length;
	uint64_t n;

	timer_set(x->r, &x->timer, T_NONE);
	x->complete = end;
	if (!h2_head_check(x))
		return;
	if (end) {
		ready(x);
		return;
	}
	x->state = X_BODY;
	timer_set(x->r, &x->timer, T_BODY);
	/* that it is one right number was checked by nghttp2 */
	length = http_header(&x->req, STR("content-length"));
	if (!str_u64(length, 0, INT64_MAX, &n))
		n = UINT64_MAX;
	if (request_body_begin(x, (int64_t)n))
		continue_100(x);
}

/* ---- callbacks of nghttp2 ---- */

static int
on_begin_headers(nghttp2_session *s, const nghttp2_frame *f, void *user)
{
	struct conn *c = user;
	struct exchange *x;

	if (f->hd.type != NGHTTP2_HEADERS ||
	    f->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	h2_earn(c, 4);
	c->fresh = false;
	if (!c->h2->notice)
		timer_set(c->r, &c->timer, T_NONE);
	x = c->xs_n < XS_MAX ? exchange_new(c) : NULL;
	if (x == NULL)
		return nghttp2_submit_rst_stream(s, NGHTTP2_FLAG_NONE,
		    f->hd.stream_id, NGHTTP2_REFUSED_STREAM);
	x->stream_id = f->hd.stream_id;
	timer_set(c->r, &x->timer, T_HEAD);
	return nghttp2_session_set_stream_user_data(s, f->hd.stream_id, x);
}

static int
on_header(nghttp2_session *s, const nghttp2_frame *f, const uint8_t *name,
    size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags,
    void *user)
{
	struct exchange *x = exchange_of(user, f->hd.stream_id);

	(void)s;
	(void)flags;
	if (x != NULL && x->state == X_HEAD && x->head_why == NULL)
		h2_field_add(x, str_of((const char *)name, name_n),
		    str_of((const char *)value, value_n));
	return 0;
}

/* Not dropped in silence: a field one side sees and another does not. */
static int
on_invalid_header(nghttp2_session *s, const nghttp2_frame *f,
    const uint8_t *name, size_t name_n, const uint8_t *value, size_t value_n,
    uint8_t flags, void *user)
{
	(void)s;
	(void)f;
	(void)name;
	(void)name_n;
	(void)value;
	(void)value_n;
	(void)flags;
	(void)user;
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int
on_begin_frame(nghttp2_session *s, const nghttp2_frame_hd *hd, void *user)
{
	(void)s;
	switch (hd->type) {
	case NGHTTP2_HEADERS:
	case NGHTTP2_CONTINUATION:
		break;
	case NGHTTP2_DATA:
		if (hd->length < TINY_DATA &&
		    (hd->flags & NGHTTP2_FLAG_END_STREAM) == 0)
			h2_spend_control(user);
		break;
	default:
		h2_spend_control(user);
		break;
	}
	return 0;
}

static int
on_frame_recv(nghttp2_session *s, const nghttp2_frame *f, void *user)
{
	bool end = (f->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
	struct exchange *x;

	(void)s;
	if (f->hd.type != NGHTTP2_HEADERS && f->hd.type != NGHTTP2_DATA)
		return 0;
	x = exchange_of(user, f->hd.stream_id);
	if (x == NULL)
		return 0;
	if (x->state == X_HEAD)
		head_done(x, end);
	else if (x->state == X_BODY && end)
		ready(x);
	return 0;
}

static int
on_data_chunk(nghttp2_session *s, uint8_t flags, int32_t stream,
    const uint8_t *data, size_t n, void *user)
{
	struct exchange *x = exchange_of(user, stream);

	(void)flags;
	if (x != NULL && x->state == X_BODY)
		request_body_add(x, str_of((const char *)data, n));
	/* taken or dropped, the window is given back */
	return nghttp2_session_consume(s, stream, n);
}

static int
on_stream_close(nghttp2_session *s, int32_t stream, uint32_t code, void *user)
{
	struct exchange *x = exchange_of(user, stream);

	(void)s;
	(void)code;
	if (x == NULL)
		return 0;
	x->stream_id = 0;
	atomic_store(&x->gone, true);
	switch (x->state) {
	case X_LENT: /* a job until it is answered */
		break;
	case X_STREAM:
		exchange_over(x);
		break;
	case X_WAIT:
		wait_remove(x);
		exchange_free(x);
		break;
	default:
		exchange_free(x);
		break;
	}
	return 0;
}

static int
on_invalid_frame(nghttp2_session *s, const nghttp2_frame *f, int code,
    void *user)
{
	(void)s;
	(void)f;
	(void)code;
	h2_spend_glitch(user);
	return 0;
}

static int
on_frame_send(nghttp2_session *s, const nghttp2_frame *f, void *user)
{
	struct conn *c = user;

	if (f->hd.type == NGHTTP2_RST_STREAM) {
		if (f->rst_stream.error_code == NGHTTP2_REFUSED_STREAM)
			h2_spend_control(c);
		else if (f->rst_stream.error_code != NGHTTP2_NO_ERROR)
			h2_spend_glitch(c);
		return 0;
	}
	if (f->hd.type == NGHTTP2_DATA)
		h2_earn(c, 2);
	/* RFC 9113 8.1: answered before the request was complete */
	if ((f->hd.type == NGHTTP2_DATA || f->hd.type == NGHTTP2_HEADERS) &&
	    (f->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
	    nghttp2_session_get_stream_remote_close(s, f->hd.stream_id) == 0)
		return nghttp2_submit_rst_stream(s, NGHTTP2_FLAG_NONE,
		    f->hd.stream_id, NGHTTP2_NO_ERROR);
	return 0;
}

/* ---- answers ---- */

static ssize_t
read_body(struct exchange *x, uint8_t *p, size_t room, uint32_t *flags)
{
	size_t left = x->reply.body.n - x->sent;
	size_t n = left < room ? left : room;

	memcpy(p, x->reply.body.p + x->sent, n);
	x->sent += n;
	if (n < left) {
		timer_set(x->r, &x->timer, T_STALL);
		return (ssize_t)n;
	}
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	forget(x);
	exchange_free(x);
	return (ssize_t)n;
}

static ssize_t
read_stream(struct exchange *x, uint8_t *p, size_t room, uint32_t *flags)
{
	bool end;
	size_t waiting = exchange_waiting(x, &end);
	size_t n = waiting < room ? waiting : room;

	if (n == 0 && !end) {
		x->deferred = true;
		timer_set(x->r, &x->timer, T_NONE);
		return NGHTTP2_ERR_DEFERRED;
	}
	if (n > 0)
		exchange_take(x, p, n);
	if (n < waiting || !end) {
		timer_set(x->r, &x->timer, T_STALL);
		return (ssize_t)n;
	}
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	forget(x);
	exchange_over(x);
	return (ssize_t)n;
}

static ssize_t
on_read(nghttp2_session *s, int32_t stream, uint8_t *p, size_t room,
    uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct exchange *x = source->ptr;

	(void)s;
	(void)stream;
	(void)user;
	if (x->state == X_STREAM)
		return read_stream(x, p, room, flags);
	return read_body(x, p, room, flags);
}

/* nghttp2 takes names and values as bytes it promises not to change. */
static uint8_t *
bytes(struct str s)
{
	return (uint8_t *)(uintptr_t)(s.p == NULL ? "" : s.p);
}

static size_t
fields_to_nv(const struct field *f, size_t n, nghttp2_nv *nv)
{
	for (size_t i = 0; i < n; i++) {
		nv[i] = (nghttp2_nv){bytes(f[i].name), bytes(f[i].value),
		    f[i].name.n, f[i].value.n, NGHTTP2_NV_FLAG_NONE};
		if (f[i].is_static)
			nv[i].flags = NGHTTP2_NV_FLAG_NO_COPY_NAME |
			    NGHTTP2_NV_FLAG_NO_COPY_VALUE;
		else if (str_is(f[i].name, "set-cookie"))
			nv[i].flags = NGHTTP2_NV_FLAG_NO_INDEX;
	}
	return n;
}

static bool
submit(struct exchange *x, bool stream, bool body)
{
	struct field f[FIELDS_MAX];
	nghttp2_nv nv[FIELDS_MAX + 1];
	nghttp2_data_provider data = {.source.ptr = x,
	    .read_callback = on_read};
	char digits[24], status[4] = "500";
	size_t n = respond_fields(x, stream, f, digits);
	int code = x->reply.status;

	if (code >= 200 && code <= 599) {
		status[0] = (char)('0' + code / 100);
		status[1] = (char)('0' + code / 10 % 10);
		status[2] = (char)('0' + code % 10);
	}
	nv[0] = (nghttp2_nv){bytes(STR(":status")), bytes(str_of(status, 3)), 7,
	    3, NGHTTP2_NV_FLAG_NO_COPY_NAME};
	n = 1 + fields_to_nv(f, n, nv + 1);
	return nghttp2_submit_response(x->c->h2->s, x->stream_id, nv, n,
		   body ? &data : NULL) == 0;
}

void
h2_answer(struct exchange *x)
{
	struct conn *c = x->c;
	bool body = respond_bodied(x) && !x->head_only &&
	    x->reply.content_type.n > 0 && x->reply.body.n > 0;

	job_done(x);
	if (x->stream_id == 0) {
		exchange_free(x);
		return;
	}
	x->state = X_SENDING;
	conn_dirty(c);
	if (!submit(x, false, body)) {
		c->doomed = true;
		return;
	}
	if (body) {
		timer_set(x->r, &x->timer, T_STALL);
		return;
	}
	forget(x);
	exchange_free(x);
}

void
h2_stream(struct exchange *x)
{
	struct conn *c = x->c;
	bool body = respond_bodied(x) && !x->head_only;

	job_done(x);
	if (x->stream_id == 0) {
		exchange_over(x);
		return;
	}
	conn_dirty(c);
	if (!submit(x, true, body)) {
		c->doomed = true;
		return;
	}
	if (body)
		return;
	forget(x);
	exchange_over(x);
}

void
h2_pump(struct exchange *x)
{
	bool end;

	if (!x->deferred || (exchange_waiting(x, &end) == 0 && !end))
		return;
	x->deferred = false;
	timer_set(x->r, &x->timer, T_STALL);
	nghttp2_session_resume_data(x->c->h2->s, x->stream_id);
	conn_dirty(x->c);
}

/* ---- the connection ---- */

static nghttp2_session_callbacks *
callbacks(void)
{
	nghttp2_session_callbacks *cb;

	if (nghttp2_session_callbacks_new(&cb) != 0)
		return NULL;
	nghttp2_session_callbacks_set_on_begin_headers_callback(cb,
	    on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_invalid_header_callback(cb,
	    on_invalid_header);
	nghttp2_session_callbacks_set_on_begin_frame_callback(cb,
	    on_begin_frame);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb,
	    on_data_chunk);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb,
	    on_stream_close);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(cb,
	    on_invalid_frame);
	nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_send);
	return cb;
}

static nghttp2_option *
options(void)
{
	nghttp2_option *o;

	if (nghttp2_option_new(&o) != 0)
		return NULL;
	nghttp2_option_set_no_auto_window_update(o, 1);
	nghttp2_option_set_no_closed_streams(o, 1);
	nghttp2_option_set_stream_reset_rate_limit(o, RESET_BURST,
	    RESET_A_SECOND);
	nghttp2_option_set_max_continuations(o, CONTINUATIONS);
	nghttp2_option_set_max_settings(o, SETTINGS_ENTRIES);
	nghttp2_option_set_max_outbound_ack(o, OUTBOUND_ACKS);
	return o;
}

static bool
greet(nghttp2_session *s)
{
	const nghttp2_settings_entry settings[] = {
	    {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, LIM_H2_STREAMS},
	    {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
	    {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, LIM_HEAD},
	    {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
	};

	return nghttp2_submit_settings(s, NGHTTP2_FLAG_NONE, settings,
		   sizeof settings / sizeof settings[0]) == 0 &&
	    nghttp2_session_set_local_window_size(s, NGHTTP2_FLAG_NONE, 0,
		CONNECTION_WINDOW) == 0;
}

bool
h2_begin(struct conn *c)
{
	nghttp2_session_callbacks *cb = callbacks();
	nghttp2_option *o = options();
	struct h2 *h = mem_new(1, sizeof *h);
	bool ok = cb != NULL && o != NULL && h != NULL;

	if (ok && nghttp2_session_server_new2(&h->s, cb, c, o) != 0)
		h->s = NULL;
	nghttp2_session_callbacks_del(cb);
	nghttp2_option_del(o);
	c->h2 = h;
	if (!ok || h->s == NULL || !greet(h->s))
		return false;
	h->wait_last = &h->wait;
	h->control = (struct bucket){CONTROL_BURST, c->r->now_us};
	h->glitches = (struct bucket){GLITCH_BURST, c->r->now_us};
	if (c->r->drain_us != 0)
		h2_drain(c);
	return true;
}

void
h2_end(struct conn *c)
{
	if (c->h2 == NULL)
		return;
	nghttp2_session_del(c->h2->s);
	mem_free(c->h2);
	c->h2 = NULL;
}

void
h2_input(struct conn *c, struct str in)
{
	ssize_t n =
	    nghttp2_session_mem_recv(c->h2->s, (const uint8_t *)in.p, in.n);

	/* what the peer did wrong inside of HTTP/2 was answered with GOAWAY;
	 * this is a flood, a wrong preface or no memory */
	if (n < 0)
		c->doomed = true;
}

void
h2_work(struct conn *c)
{
	struct h2 *h = c->h2;
	const uint8_t *p;
	ssize_t n = 0;

	while (h->wait != NULL && h->jobs < LIM_H2_JOBS && !c->closing) {
		struct exchange *x = h->wait;

		wait_remove(x);
		start(x);
	}
	while (c->out.n - c->out_at < OUT_MORE &&
	    (n = nghttp2_session_mem_send(h->s, &p)) > 0)
		buf_add(&c->out, p, (size_t)n);
	if (n < 0 || c->out.failed)
		c->doomed = true;
	c->more = n > 0;
	if (n == 0 && nghttp2_session_want_read(h->s) == 0 &&
	    nghttp2_session_want_write(h->s) == 0)
		c->closing = true;
	if (h->ending && c->xs_n == 0 && n == 0)
		c->closing = true;
}

/*
 * Draining (RFC 9113 6.8): first a GOAWAY that only says so, and when what
 * was already on its way has had time to arrive, the one that counts.
 */
void
h2_drain(struct conn *c)
{
	struct exchange *x, *next;

	nghttp2_submit_shutdown_notice(c->h2->s);
	c->h2->notice = true;
	timer_set(c->r, &c->timer, T_NOTICE);
	for (x = c->xs; x != NULL; x = next) {
		next = x->next;
		exchange_drain(x);
	}
	conn_dirty(c);
}

static void
farewell(struct conn *c)
{
	nghttp2_session *s = c->h2->s;

	c->h2->ending = true;
	nghttp2_submit_goaway(s, NGHTTP2_FLAG_NONE,
	    nghttp2_session_get_last_proc_stream_id(s), NGHTTP2_NO_ERROR, NULL,
	    0);
	conn_dirty(c);
}

void
h2_timer(struct conn *c)
{
	if (c->h2->notice && !c->h2->ending)
		return;
	if (c->out.n > 0)
		timer_keep(c->r, &c->timer, T_STALL);
	else if (c->xs_n > 0)
		timer_set(c->r, &c->timer, T_NONE);
	else if (!c->fresh)
		timer_keep(c->r, &c->timer, T_IDLE);
}

void
h2_conn_timeout(struct conn *c, enum timer_list list)
{
	if (list == T_STALL)
		conn_close(c);
	else
		farewell(c);
}

void
h2_timeout(struct exchange *x, enum timer_list list)
{
	struct conn *c = x->c;

	if (list == T_BODY) {
		exchange_refuse(x, E_TIMEOUT, "");
	} else if (list == T_STALL) {
		nghttp2_submit_rst_stream(c->h2->s, NGHTTP2_FLAG_NONE,
		    x->stream_id, NGHTTP2_CANCEL);
		conn_dirty(c);
	} else {
		/* in the middle of a header block nothing else can be said */
		nghttp2_session_terminate_session(c->h2->s,
		    NGHTTP2_PROTOCOL_ERROR);
		c->closing = true;
		conn_dirty(c);
	}
}
