#include "role/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "flow/writer.h"
#include "role/backup_wire.h"
#include "role/keyjson.h"
#include "role/talk.h"

enum { RELOAD_MS = 15000, BY_MAX = 32 };

/* One question that takes its time, on a thread of its own: others can ask
 * for the status meanwhile. */
struct job {
	struct control *control;
	int fd;
	char ask[TALK_ASK_MAX + 1];
	char by[BY_MAX];
	pthread_t thread;
	bool started; /* to be joined */
	atomic_bool done;
};

struct control {
	struct state *st;
	const struct server_boot *boot;
	pthread_t thread;
	int wake; /* eventfd: stop */
	atomic_bool stop;
	struct job job;
	pthread_mutex_t lock;
	pthread_cond_t told; /* reloaded has grown, or stop is set */
	unsigned asked;	     /* reloads of the root key file */
	unsigned reloaded;   /* answers so far */
	err reload;	     /* the last of them */
	struct trail reload_trail;
};

/* ---- answers ---- */

static void
reply(int fd, err e, const struct trail *t, const struct buf *b)
{
	if (err_ok(e))
		e = buf_check(b);
	if (err_ok(e))
		err_ignore(talk_say(fd, TALK_MS, buf_view(b)),
		    "it is in the audit log");
	else
		talk_refuse(fd, e, t);
}

/* ---- the root key file ---- */

static err
wait_reloaded(struct control *c)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += RELOAD_MS / 1000;
	while (c->reloaded != c->asked && !atomic_load(&c->stop))
		if (pthread_cond_timedwait(&c->told, &c->lock, &until) != 0)
			return err_of(E_TIMEOUT);
	return c->reloaded == c->asked ? c->reload : err_of(E_UNAVAILABLE);
}

/* One at a time: an answer that comes late must not be taken for another. */
static err
reload(void *ctx, struct trail *t)
{
	struct control *c = ctx;
	err e;

	(void)pthread_mutex_lock(&c->lock);
	if (c->asked != c->reloaded) {
		trail_set(t, "the keeper has not answered the last time");
		e = err_of(E_UNAVAILABLE);
	} else {
		e = ipc_send(&c->boot->supervisor, IPC_ROOT_RELOAD_ASK, STR(""),
		    NULL, 0);
		if (err_ok(e)) {
			c->asked++;
			e = wait_reloaded(c);
			if (c->reloaded == c->asked)
				*t = c->reload_trail;
		}
	}
	(void)pthread_mutex_unlock(&c->lock);
	return e;
}

void
control_root_reloaded(struct control *c, struct str report)
{
	struct trail t = {{0}};
	err told = err_of(E_PEER), e;

	e = report_decode(report, &t, &told);
	(void)pthread_mutex_lock(&c->lock);
	c->reload = err_ok(e) ? told : e;
	c->reload_trail = t;
	c->reloaded++;
	(void)pthread_cond_broadcast(&c->told);
	(void)pthread_mutex_unlock(&c->lock);
}

/* ---- what takes its time ---- */

static bool
is_backup(struct str ask)
{
	return str_starts(ask, STR("backup "));
}

static bool
is_long(struct str ask)
{
	return str_starts(ask, STR("rotate ")) || str_is(ask, "rewrap") ||
	    str_is(ask, "reencrypt") || str_starts(ask, STR("dropped ")) ||
	    is_backup(ask);
}

static err
root_id_of(struct str ask, struct trail *t, char ret[ROOT_TEXT + 1])
{
	struct str verb, id;

	if (!str_cut(ask, ' ', &verb, &id) || id.n != ROOT_TEXT) {
		trail_set(t, "that is no id of a root key");
		return err_of(E_INVALID);
	}
	memcpy(ret, id.p, ROOT_TEXT);
	ret[ROOT_TEXT] = '\0';
	return OK;
}

static err
work_of(struct job *j, struct trail *t, struct buf *b)
{
	struct rotation r = {.st = j->control->st,
	    .reload = reload,
	    .ctx = j->control,
	    .stop = &j->control->stop,
	    .by = j->by};
	char root[ROOT_TEXT + 1];
	struct rewrapped wrapped;
	struct rotated rotated;
	struct str ask = str_c(j->ask);

	if (is_backup(ask))
		return backup_serve(j->control->st, j->fd, ask, j->by,
		    &j->control->stop, t, b);
	if (str_is(ask, "rewrap")) {
		TRY(rotate_rewrap(&r, t, &wrapped));
		key_rewrapped_json(b, &wrapped);
		return OK;
	}
	if (str_is(ask, "reencrypt")) {
		TRY(rotate_reencrypt(&r, t, &wrapped));
		key_rewrapped_json(b, &wrapped);
		return OK;
	}
	TRY(root_id_of(ask, t, root));
	if (str_starts(ask, STR("dropped "))) {
		TRY(rotate_dropped(&r, root, t));
		buf_c(b, "{}");
		return OK;
	}
	TRY(rotate_keys(&r, root, t, &rotated));
	key_rotated_json(b, &rotated);
	return OK;
}

static void *
work_long(void *arg)
{
	struct job *j = arg;
	struct trail t = {{0}};
	struct buf b;
	err e;

	buf_init(&b, TALK_ANSWER_MAX);
	e = work_of(j, &t, &b);
	log_event(LOG_KEYS, KVC("asked", j->ask), KVE("result", e),
	    KVC("detail", t.detail));
	/* Whoever has the answer may ask the next thing. */
	atomic_store(&j->done, true);
	reply(j->fd, e, &t, &b);
	(void)close(j->fd);
	buf_done(&b);
	return NULL;
}

static void
job_join(struct job *j)
{
	if (j->started)
		(void)pthread_join(j->thread, NULL);
	j->started = false;
}

/* Takes fd when it is OK. */
static err
job_start(struct control *c, int fd, uid_t uid, struct str ask, struct trail *t)
{
	struct job *j = &c->job;

	if (j->started && !atomic_load(&j->done)) {
		trail_set(t, "it is at work on keys or a backup already");
		return err_of(E_LOCKED);
	}
	job_join(j);
	j->control = c;
	j->fd = fd;
	memcpy(j->ask, ask.p, ask.n);
	j->ask[ask.n] = '\0';
	(void)snprintf(j->by, sizeof j->by, "uid:%u", (unsigned)uid);
	atomic_store(&j->done, false);
	j->started = pthread_create(&j->thread, NULL, work_long, j) == 0;
	return err_of(j->started ? E_OK : E_NO_MEMORY);
}

/* ---- what does not ---- */

static err
status(struct control *c, struct buf *b)
{
	const struct job *j = &c->job;

	return key_status_json(c->st,
	    j->started && !atomic_load(&j->done) ? j->ask : NULL, b);
}

struct sealing {
	struct str reason;
	char by[BY_MAX];
};

/* Why is for those who may read it: sealed beside the leaf. */
static err
note_seal(struct lane *l, void *arg)
{
	const struct sealing *s = arg;
	struct arena *a = desk_arena(writer_desk(l->writer));
	struct call c = {.lane = l,
	    .a = a,
	    .now = time_now_ms(),
	    .rec = {.action = AUDIT_KEY_SEAL,
		.outcome = AUDIT_OK,
		.reason = str_c(s->by)}};
	struct buf b;
	struct jw w;

	buf_init_on(&b, a, (size_t)TALK_ASK_MAX * 8);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "reason", s->reason);
	jw_obj_end(&w);
	TRY(buf_check(&b));
	c.rec.body = buf_view(&b);
	return ledger_add(writer_ledger(l->writer), l, a, &c);
}

/* On record first. */
static err
seal(struct control *c, uid_t uid, struct str reason, struct buf *b)
{
	struct sealing s = {.reason = reason};

	(void)snprintf(s.by, sizeof s.by, "uid:%u", (unsigned)uid);
	TRY(writer_do(c->st->writer, note_seal, &s));
	atomic_store(&c->st->sealing, true);
	buf_c(b, "{\"sealed\":true}");
	return OK;
}

/* ---- one caller ---- */

/* true: somebody else has fd now. */
static bool
answered(struct control *c, int fd, struct buf *ask, struct buf *b)
{
	struct trail t = {{0}};
	uid_t uid = (uid_t)-1;
	err e = err_of(E_DENIED);
	bool taken = false;

	if (talk_may(fd, &uid))
		e = talk_hear(fd, TALK_MS, ask);
	else
		trail_set(&t, "only root and the server's user may");
	if (err_ok(e) && is_long(buf_view(ask))) {
		e = job_start(c, fd, uid, buf_view(ask), &t);
		taken = err_ok(e);
	} else if (err_ok(e) && str_is(buf_view(ask), "status")) {
		e = status(c, b);
	} else if (err_ok(e) && str_starts(buf_view(ask), STR("seal "))) {
		e = seal(c, uid, str_skip(buf_view(ask), 5), b);
	} else if (err_ok(e) && str_starts(buf_view(ask), STR("unseal "))) {
		trail_set(&t, "the server is not sealed");
		e = err_of(E_CONFLICT);
	} else if (err_ok(e)) {
		e = err_of(E_NOT_IMPLEMENTED);
	}
	log_event(LOG_CONTROL, KVN("uid", uid), KVE("result", e));
	if (!taken)
		reply(fd, e, &t, b);
	return taken;
}

static void
serve(struct control *c, int fd)
{
	struct buf ask, b;

	buf_init(&ask, TALK_ASK_MAX);
	buf_init(&b, TALK_ANSWER_MAX);
	if (!answered(c, fd, &ask, &b))
		(void)close(fd);
	buf_done(&ask);
	buf_done(&b);
}

static void *
work(void *arg)
{
	struct control *c = arg;
	struct pollfd p[2] = {{.fd = c->boot->control, .events = POLLIN},
	    {.fd = c->wake, .events = POLLIN}};

	while (!atomic_load(&c->stop)) {
		int fd;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[0].revents == 0)
			continue;
		fd = accept4(c->boot->control, NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0)
			serve(c, fd);
	}
	job_join(&c->job);
	return NULL;
}

/* ---- start and stop ---- */

static struct control *
control_free(struct control *c)
{
	if (c->wake >= 0)
		(void)close(c->wake);
	(void)pthread_cond_destroy(&c->told);
	(void)pthread_mutex_destroy(&c->lock);
	mem_free(c);
	return NULL;
}

err
control_start(struct state *st, const struct server_boot *b,
    struct control **ret)
{
	struct control *c = mem_new(1, sizeof *c);

	if (c == NULL)
		return err_of(E_NO_MEMORY);
	c->st = st;
	c->boot = b;
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_cond_init(&c->told, NULL);
	c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->wake < 0 || pthread_create(&c->thread, NULL, work, c) != 0) {
		(void)control_free(c);
		return err_of(E_UNAVAILABLE);
	}
	*ret = c;
	return OK;
}

struct control *
control_stop(struct control *c)
{
	uint64_t one = 1;

	if (c == NULL)
		return NULL;
	atomic_store(&c->stop, true);
	(void)pthread_mutex_lock(&c->lock);
	(void)pthread_cond_broadcast(&c->told);
	(void)pthread_mutex_unlock(&c->lock);
	if (write(c->wake, &one, sizeof one) != sizeof one)
		log_event(LOG_CONTROL, KVC("stop", "not heard"));
	(void)pthread_join(c->thread, NULL);
	return control_free(c);
}
