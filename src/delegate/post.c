/*
 * post.c: the thread that tells the server: a start, pieces of output, a
 * result.  Each is sent until there is an answer; what the server does not
 * want any more is dropped.
 */
#include <unistd.h>

#include "base/json_canon.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "delegate/agent.h"
#include "seal/ed25519.h"

enum {
	PIECE = 256 * 1024,
	ASK_MS = 15000,
	AGAIN_US = 1000000,
	START_US = 25000000, /* a lease lasts 30 s */
	IDLE_NS = 200000000,
};

struct posting {
	struct agent *g;
	struct asker k;
	struct arena a; /* of one request */
	struct trail t;
};

/* ---- one request about one task ---- */

static err
post(struct posting *p, const struct job *j, const char *what, struct str body,
    int *ret_status, struct str *ret_text)
{
	struct buf path;

	buf_init_on(&path, &p->a, 256);
	buf_c(&path, "/v1/delegate/tasks/");
	buf_c(&path, j->id_text);
	buf_c(&path, what);
	TRY(buf_check(&path));
	p->k.timeout_ms = ASK_MS;
	TRY(asker_ready(p->g, &p->k, &p->t));
	return ask(p->k.client, "POST", buf_view(&path), body, &p->a, &p->t,
	    ret_status, ret_text);
}

/* The server does not know it, or does not want it from us. */
static bool
is_unwanted(int status)
{
	return status == 404 || status == 409 || status == 403;
}

static void
later(struct posting *p, struct job *j, err e, int status)
{
	log_event(LOG_DELEGATE_SERVER, KVC("task", j->id_text),
	    KVE("result", e), KVN("status", status),
	    KVC("detail", p->t.detail));
	j->again_us = time_mono_us() + AGAIN_US;
	if (!err_ok(e))
		asker_done(&p->k);
}

/* ---- the three of them; called and returning with the lock ---- */

static void
post_start(struct posting *p, struct job *j)
{
	struct agent *g = p->g;
	int status = 0;
	struct str text;
	struct buf body;
	err e;

	buf_init_on(&body, &p->a, 64);
	buf_fmt(&body, "{\"fence\":%llu}", (unsigned long long)j->fence);
	pthread_mutex_unlock(&g->lock);
	e = post(p, j, "/start", buf_view(&body), &status, &text);
	pthread_mutex_lock(&g->lock);
	if (err_ok(e) && status >= 200 && status < 300)
		j->state = JOB_GRANTED;
	else if ((err_ok(e) && is_unwanted(status)) ||
	    time_mono_us() - j->offered_us > START_US)
		j->state = JOB_GONE; /* its lease is over, or another's */
	else
		later(p, j, e, status);
	agent_wake(g);
}

static bool
piece(struct posting *p, const struct job *j, struct buf *body)
{
	char *raw = arena_raw(&p->a, PIECE);
	uint64_t left = j->spool.size - j->sent;
	size_t n = left < PIECE ? (size_t)left : PIECE;
	ssize_t got =
	    raw == NULL ? -1 : pread(j->spool.fd, raw, n, (off_t)j->sent);

	if (got <= 0)
		return false;
	buf_fmt(body, "{\"fence\":%llu,\"data\":\"",
	    (unsigned long long)j->fence);
	b64_add(body, str_of(raw, (size_t)got));
	buf_c(body, "\"}");
	return err_ok(buf_check(body));
}

static void
post_log(struct posting *p, struct job *j)
{
	struct agent *g = p->g;
	char what[64];
	struct buf b = {.p = what, .cap = sizeof what, .max = sizeof what};
	struct buf body;
	struct str text;
	uint64_t next = 0;
	int status = 0;
	err e;

	buf_fmt(&b, "/log?offset=%llu%c", (unsigned long long)j->sent, 0);
	buf_init_on(&body, &p->a, 2 * PIECE);
	if (!piece(p, j, &body)) {
		/* The disk has lost it: the result is worth more. */
		j->sent = j->spool.size;
		return;
	}
	pthread_mutex_unlock(&g->lock);
	e = post(p, j, what, buf_view(&body), &status, &text);
	if (err_ok(e) && status == 200)
		e = answer_next(&p->a, text, &p->t, &next);
	pthread_mutex_lock(&g->lock);
	if (err_ok(e) && status == 200)
		j->sent = next < j->spool.size ? next : j->spool.size;
	else if (err_ok(e) && (status == 413 || status == 422))
		j->sent = j->spool.size; /* the run's log is full */
	else if (err_ok(e) && is_unwanted(status))
		j->sent = j->spool.size;
	else
		later(p, j, e, status);
}

static err
result_sign(const struct agent *g, const struct job *j, struct arena *a,
    struct buf *body)
{
	const struct ending *r = &j->result;
	uint8_t sig[ED25519_SIG];
	struct buf b;

	buf_init_on(&b, a, 1024);
	buf_c(&b, "redoubt-result/1\n");
	buf_c(&b, j->id_text);
	buf_char(&b, '\n');
	buf_u64(&b, j->fence);
	buf_char(&b, '\n');
	buf_str(&b, r->outcome);
	buf_char(&b, '\n');
	buf_i64(&b, r->exit);
	buf_char(&b, '\n');
	buf_str(&b, task_digest(a, r->outputs));
	buf_char(&b, '\n');
	buf_u64(&b, r->log_bytes);
	buf_char(&b, '\n');
	buf_c(&b, r->log_sha);
	buf_char(&b, '\n');
	TRY(buf_check(&b));
	TRY(ed25519_sign(secret_view(g->e.session), buf_view(&b), sig));
	TRY(result_write(j, body));
	body->n--; /* the closing brace */
	buf_c(body, ",\"sig\":\"");
	b64_add(body, str_of((const char *)sig, sizeof sig));
	buf_c(body, "\"}");
	return buf_check(body);
}

static void
post_result(struct posting *p, struct job *j)
{
	struct agent *g = p->g;
	struct buf body;
	struct str text;
	int status = 0;
	err e;

	buf_init_on(&body, &p->a, LIM_BODY);
	e = result_sign(g, j, &p->a, &body);
	pthread_mutex_unlock(&g->lock);
	if (err_ok(e))
		e = post(p, j, "/result", buf_view(&body), &status, &text);
	pthread_mutex_lock(&g->lock);
	if (err_ok(e) &&
	    ((status >= 200 && status < 300) || is_unwanted(status) ||
		status == 400)) {
		log_event(LOG_DELEGATE_RESULT, KVC("task", j->id_text),
		    KV("outcome", j->result.outcome), KVN("status", status));
		j->state = JOB_GONE;
		agent_wake(g);
	} else {
		later(p, j, e, status);
	}
}

/* ---- the thread ---- */

static bool
has_log(const struct job *j)
{
	return (j->state == JOB_RUNNING || j->state == JOB_ENDED) &&
	    j->spool.fd >= 0 && j->sent < j->spool.size;
}

/* False: there is nothing to say about it now. */
static bool
post_one(struct posting *p, struct job *j)
{
	void (*what)(struct posting *, struct job *);

	if (j->again_us > time_mono_us())
		return false;
	if (j->state == JOB_OFFERED && !j->cancelled)
		what = post_start;
	else if (has_log(j))
		what = post_log;
	else if (j->state == JOB_ENDED)
		what = post_result;
	else
		return false;
	arena_init(&p->a, LIM_ARENA);
	p->t = (struct trail){{0}};
	j->busy = true;
	what(p, j);
	j->busy = false;
	arena_done(&p->a);
	return true;
}

void *
post_main(void *agent)
{
	struct agent *g = agent;
	struct posting p = {.g = g};

	pthread_mutex_lock(&g->lock);
	for (;;) {
		bool some = false;
		struct timespec until;

		for (size_t i = 0; i < LIM_DELEGATE_TASKS; i++)
			some |= post_one(&p, &g->job[i]);
		if (some)
			continue;
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += IDLE_NS;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		(void)pthread_cond_timedwait(&g->work, &g->lock, &until);
	}
}
