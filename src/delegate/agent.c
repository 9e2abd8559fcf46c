/*
 * agent.c: `redoubt delegate run`: the order of starting (processes first,
 * then what they must not have), the loop, and the end.
 */
#include "delegate/agent.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"

enum {
	TICK_MS = 500,
	STATUS_MS = 2000,
	POLLS = 3 + 3 * LIM_DELEGATE_TASKS,
	LAST_MS = 3000, /* for results, after the steps have ended */
};

/* ---- starting ---- */

static void
zygote_open(struct agent *g)
{
	const char *paths[SANDBOX_PATHS];
	struct zygote_conf z = {.paths = paths,
	    .steps = (unsigned)g->policy.delegate_tasks};
	const struct words *w = &g->policy.sandbox_paths;

	for (size_t i = 0; i < w->n && i < SANDBOX_PATHS; i++)
		paths[z.paths_n++] = arena_cstr(&g->lasting, w->word[i]);
	if (err_ok(zygote_start(&z, &g->no_sandbox, &g->zygote)))
		return;
	g->zygote = NULL;
	log_event(LOG_DELEGATE_SANDBOX, KVC("detail", g->no_sandbox.detail));
}

/* Root's broker is somebody else: whom the policy names, or redoubt-broker
 * when there is one.  E_CONFIG: the one it names is not there. */
static err
broker_user(struct agent *g, struct broker_conf *b, struct trail *t)
{
	struct str name = g->policy.broker_user;
	const struct passwd *pw;
	const char *user =
	    name.n > 0 ? arena_cstr(&g->lasting, name) : "redoubt-broker";

	if (geteuid() != 0 || user == NULL)
		return OK;
	pw = getpwnam(user);
	if (pw == NULL && name.n == 0)
		return OK;
	if (pw == NULL || pw->pw_uid == 0) {
		trail_set(t, "broker.user: no such user, or root");
		return err_of(E_CONFIG);
	}
	b->uid = pw->pw_uid;
	b->gid = pw->pw_gid;
	return OK;
}

static void
broker_open(struct agent *g)
{
	struct broker_conf b = {.authorities = g->policy.broker_authorities};
	const struct words *w = &g->policy.broker_resolvers;
	struct trail t = {0};
	err e = broker_user(g, &b, &t);

	for (size_t i = 0; i < w->n && i < BROKER_RESOLVERS; i++)
		b.resolver[b.resolver_n++] = w->word[i];
	if (err_ok(e))
		e = broker_start(&b, &t, &g->broker);
	if (err_ok(e))
		return;
	g->broker = NULL;
	log_event(LOG_DELEGATE_BROKER, KVE("error", e),
	    KVC("detail", t.detail));
}

/* The authorities' file, read before anything is confined. */
static err
authorities_read(struct agent *g, struct trail *t)
{
	struct str *a = &g->policy.broker_authorities;
	const char *path;
	char piece[8192];
	struct buf b;
	FILE *f;
	size_t n;

	if (a->n == 0)
		return OK;
	path = arena_cstr(&g->lasting, *a);
	f = path == NULL ? NULL : fopen(path, "re");
	if (f == NULL) {
		trail_set(t, "broker.authorities: it cannot be read");
		return err_of(E_CONFIG);
	}
	buf_init_on(&b, &g->lasting, BROKER_AUTHORITIES);
	while ((n = fread(piece, 1, sizeof piece, f)) > 0)
		buf_add(&b, piece, n);
	(void)fclose(f);
	*a = buf_view(&b);
	return buf_check(&b);
}

static err
policy_open(struct agent *g)
{
	struct trail t = {0};

	policy_load(&g->lasting, g->dir, &t, &g->policy);
	if (g->policy.why == REASON_NONE)
		return authorities_read(g, &t);
	log_event(LOG_DELEGATE_POLICY, KV("reason", reason_code(g->policy.why)),
	    KVC("detail", t.detail));
	return OK;
}

static err
enrolment_open(struct agent *g, struct trail *t)
{
	TRY(enrolment_read(&g->lasting, g->path, g->dir, t, &g->e));
	if (g->e.certificate.n == 0 || g->e.delegate.n == 0) {
		trail_set(t, "it is not approved yet: enrol again");
		return err_of(E_UNAUTHENTICATED);
	}
	g->pinned = (struct pinned){.delegate = g->e.delegate,
	    .project = g->e.project,
	    .log = g->e.log,
	    .sealing = g->e.sealing};
	memcpy(g->pinned.task_key, g->e.task_key, 32);
	return OK;
}

static err
memory_open(struct agent *g, struct trail *t)
{
	g->job = mem_new(LIM_DELEGATE_TASKS, sizeof *g->job);
	g->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->job == NULL || g->wake < 0)
		return err_of(E_NO_MEMORY);
	TRY(journal_open(g->dir, time_now_ms(), t, &g->journal));
	TRY(witness_open(g->dir, &g->e.log, t, &g->witness));
	if (g->witness.distrust != REASON_NONE)
		log_event(LOG_DELEGATE_DISTRUST,
		    KV("reason", reason_code(g->witness.distrust)),
		    KVN("size", g->witness.last.size));
	return jobs_recover(g);
}

static err
agent_open(struct agent *g, const char *path, struct trail *t)
{
	g->path = path;
	g->wake = -1;
	arena_init(&g->lasting, 32 << 20);
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->work, NULL);
	TRY(home_open(path, false, t, &g->dir));
	TRY(home_lock(g->dir, t));
	TRY(policy_open(g));
	/* The zygote first: before threads, keys and a large heap. */
	zygote_open(g);
	broker_open(g);
	TRY(enrolment_open(g, t));
	TRY(memory_open(g, t));
	return agent_shut(g, t);
}

static err
threads_start(struct agent *g)
{
	pthread_t lease, post;

	if (pthread_create(&post, NULL, post_main, g) != 0 ||
	    pthread_create(&lease, NULL, lease_main, g) != 0)
		return err_of(E_NO_MEMORY);
	(void)pthread_detach(post);
	(void)pthread_detach(lease);
	return OK;
}

/* ---- the loop ---- */

struct polls {
	struct pollfd p[POLLS];
	nfds_t n;
};

static void
want(struct polls *p, int fd)
{
	p->p[p->n++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void
polls_make(struct agent *g, int signals, struct polls *p)
{
	p->n = 0;
	want(p, signals);
	want(p, g->wake);
	want(p, g->broker == NULL ? -1 : broker_fd(g->broker));
	for (size_t i = 0; i < LIM_DELEGATE_TASKS; i++) {
		const struct job *j = &g->job[i];

		if (j->state != JOB_RUNNING || !j->boxed)
			continue;
		want(p, j->box.control);
		want(p, j->out_open ? j->box.out : -1);
		want(p, j->err_open ? j->box.err : -1);
	}
}

static void
broker_listen(struct agent *g)
{
	struct broker_event ev;
	struct arena a;
	err e;

	if (g->broker == NULL)
		return;
	for (;;) {
		arena_init(&a, LIM_ARENA);
		e = broker_next(g->broker, 0, &a, &ev);
		if (err_ok(e)) {
			work_broker(g, &ev);
			if (ev.value.n > 0)
				mem_wipe((char *)(uintptr_t)ev.value.p,
				    ev.value.n);
		}
		arena_done(&a);
		if (!err_ok(e))
			break;
	}
	if (!err_is(e, E_UNAVAILABLE))
		return;
	log_event(LOG_DELEGATE_BROKER, KVC("detail", "it is gone"));
	g->broker = broker_stop(g->broker);
	for (size_t i = 0; i < LIM_DELEGATE_TASKS; i++)
		if (g->job[i].ask != 0) {
			job_outcome(&g->job[i], "failed",
			    reason_code(REASON_BROKER));
			work_end(g, &g->job[i]);
		}
}

static void
jobs_step(struct agent *g)
{
	for (size_t i = 0; i < LIM_DELEGATE_TASKS; i++) {
		struct job *j = &g->job[i];

		if (j->cancelled && j->state != JOB_ENDED &&
		    j->state != JOB_GONE && j->state != JOB_FREE)
			work_cancel(g, j, false);
		if (j->state == JOB_GRANTED && !j->busy)
			work_begin(g, j);
		if (j->state == JOB_RUNNING)
			work_poll(g, j);
		if (j->state == JOB_GONE && !j->busy)
			job_free(g, j);
	}
}

/* ---- what others may know ---- */

static void
status_write(struct agent *g)
{
	char store[4096];
	struct buf b = {.p = store, .cap = sizeof store, .max = sizeof store};
	struct jw w;

	jw_init(&w, &b);
	jw_obj(&w);
	jw_ki64(&w, "pid", getpid());
	jw_ki64(&w, "updated", time_now_ms());
	jw_ki64(&w, "heard", g->heard_ms);
	jw_ki64(&w, "tasks", (int64_t)jobs_active(g));
	jw_kbool(&w, "stopping", g->stopping);
	jw_kbool(&w, "frozen", g->frozen);
	jw_kbool(&w, "revoked", g->revoked);
	jw_ki64(&w, "log_size", (int64_t)g->witness.last.size);
	jw_kstr(&w, "distrust", reason_code(g->witness.distrust));
	jw_kstr(&w, "policy", reason_code(g->policy.why));
	jw_kbool(&w, "sandbox", g->zygote != NULL);
	jw_kstr(&w, "sandbox_detail", str_c(g->no_sandbox.detail));
	jw_kbool(&w, "broker", g->broker != NULL);
	jw_obj_end(&w);
	if (err_ok(buf_check(&b)))
		err_ignore(home_write(g->dir, "status.json", 0600,
			       buf_view(&b)),
		    "it is for looking at");
}

/* ---- the end ---- */

struct ending_of {
	unsigned asked; /* signals */
	int64_t until_us, last_us;
};

static void
stop_asked(struct agent *g, struct ending_of *s)
{
	s->asked++;
	g->stopping = true;
	s->until_us = time_mono_us();
	if (s->asked == 1)
		s->until_us += g->policy.delegate_drain_s * 1000000;
	log_event(LOG_STOP, KVN("tasks", jobs_active(g)));
}

/* True: it is over. */
static bool
stopped(struct agent *g, struct ending_of *s)
{
	size_t running = 0;

	if (!g->stopping)
		return false;
	if (time_mono_us() >= s->until_us)
		for (size_t i = 0; i < LIM_DELEGATE_TASKS; i++)
			if (g->job[i].state != JOB_FREE &&
			    g->job[i].state != JOB_ENDED &&
			    g->job[i].state != JOB_GONE)
				g->job[i].cancelled = true;
	for (size_t i = 0; i < LIM_DELEGATE_TASKS; i++)
		running +=
		    g->job[i].state != JOB_FREE && g->job[i].state != JOB_ENDED;
	if (running > 0)
		return false;
	if (jobs_active(g) == 0)
		return true;
	if (s->last_us == 0)
		s->last_us = time_mono_us() + LAST_MS * 1000;
	return time_mono_us() >= s->last_us; /* the next start sends them */
}

static int
signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
loop(struct agent *g, int signals)
{
	static struct polls p;
	struct ending_of s = {.asked = 0};
	struct signalfd_siginfo info;
	int64_t told = 0;
	uint64_t n;

	for (;;) {
		pthread_mutex_lock(&g->lock);
		jobs_step(g);
		broker_listen(g);
		if (time_now_ms() - told > STATUS_MS) {
			status_write(g);
			told = time_now_ms();
		}
		if (stopped(g, &s)) {
			status_write(g);
			return; /* with the lock: nobody else goes on */
		}
		polls_make(g, signals, &p);
		pthread_mutex_unlock(&g->lock);
		(void)poll(p.p, p.n, TICK_MS);
		if (read(g->wake, &n, sizeof n) < 0)
			errno = 0;
		pthread_mutex_lock(&g->lock);
		while (
		    read(signals, &info, sizeof info) == (ssize_t)sizeof info)
			stop_asked(g, &s);
		pthread_mutex_unlock(&g->lock);
	}
}

int
delegate_run(const char *dir)
{
	static struct agent g;
	struct rlimit no_core = {0, 0};
	struct trail t = {0};
	int signals;
	err e;

	log_role("delegate");
	(void)setrlimit(RLIMIT_CORE, &no_core);
	log_event(LOG_START, KVC("version", REDOUBT_VERSION));
	e = delegate_await(dir, &t);
	if (err_ok(e))
		e = agent_open(&g, dir, &t);
	signals = signals_open();
	if (err_ok(e) && signals < 0)
		e = err_of(E_NO_MEMORY);
	if (err_ok(e))
		e = threads_start(&g);
	if (!err_ok(e)) {
		log_event(LOG_CONFIG, KVE("error", e), KVC("detail", t.detail));
		zygote_stop(g.zygote);
		broker_stop(g.broker);
		return err_exit(e);
	}
	log_event(LOG_READY, KV("delegate", g.e.delegate),
	    KV("server", g.e.url), KVN("tasks", g.policy.delegate_tasks));
	loop(&g, signals);
	zygote_stop(g.zygote);
	broker_stop(g.broker);
	enrolment_done(&g.e);
	return 0;
}

/* ---- looking at it from outside ---- */

static void
status_json(const struct enrolment *e, struct str running, struct str why,
    struct buf *b)
{
	char print[65];
	struct jw w;

	enrolment_fingerprint(e, print);
	jw_init(&w, b);
	jw_obj(&w);
	jw_kstr(&w, "url", e->url);
	jw_kstr(&w, "name", e->name);
	jw_kstr(&w, "delegate", e->delegate);
	jw_kstr(&w, "project", e->project);
	jw_kstr(&w, "fingerprint", str_of(print, 64));
	jw_kstr(&w, "log", e->log_key);
	jw_kstr(&w, "state",
	    e->certificate.n > 0 ? STR("enrolled") : STR("pending"));
	jw_ki64(&w, "certificate_until", e->until);
	jw_kstr(&w, "policy", why);
	if (running.n > 0)
		jw_kraw(&w, "running", running);
	jw_obj_end(&w);
}

err
delegate_status(struct arena *a, const char *dir, struct trail *t,
    struct str *ret)
{
	struct enrolment e;
	struct policy p;
	struct trail ignored = {0};
	const struct json *j;
	struct str running = STR_NONE;
	struct buf b, s;
	int fd;
	err r;

	TRY(home_open(dir, false, t, &fd));
	r = enrolment_read(a, dir, fd, t, &e);
	if (err_ok(r)) {
		static const struct json_limits few = {4, 64, 256};

		policy_load(a, fd, &ignored, &p);
		buf_init_on(&s, a, 8192);
		if (err_ok(home_read(fd, "status.json", &s)) &&
		    err_ok(json_parse(a, buf_view(&s), &few, &ignored, &j)))
			running = buf_view(&s);
		buf_init_on(&b, a, 65536);
		status_json(&e, running, reason_code(p.why), &b);
		*ret = buf_view(&b);
		r = buf_check(&b);
		enrolment_done(&e);
	}
	(void)close(fd);
	return r;
}
