/*
 * supervisor.c: starts the others, hands them what they need, and waits.
 * It reads nothing from the network and nothing of a child's but the fixed
 * messages of ipc.def.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "role/child.h"
#include "role/idp_watch.h"
#include "role/serve.h"

enum {
	DRAIN_MS = LIM_DRAIN_MS + 5000, /* after SIGTERM */
	FAIL_MS = 3000,			/* after a child has failed */
	KEEPER_MS = 2000,		/* when the server is gone */
	AGAIN_MS = 500,			/* then it is a second SIGTERM */
	SEAL_MS = 700,			/* to seal: its answer leaves */
	FACE_MS = 100,			/* what a sealed server has to say */
};

struct supervisor {
	struct plan *plan;
	const struct phase *phase;
	struct child server;
	struct child keeper; /* while it is sealed: who unseals it */
	struct idp_watch idp;
	int links[IDP_LINKS]; /* for documents, the server's ends */
	bool served;	      /* the server is ready */
	bool told;	      /* and those who wait know it */
	int signals;
	int64_t asked; /* ms: when somebody wanted us to stop; 0: not yet */
	bool stopping;
	bool lost;	 /* a child went in peace, unasked */
	int64_t kill_at; /* ms of the monotonic clock; 0 = not set */
	int exit_code;
	bool reloading; /* the keeper is reading the root key anew */
};

static char buf[LIM_IPC];

static int64_t
mono_ms(void)
{
	return time_mono_us() / 1000;
}

/* ---- starting ---- */

static err
signals_open(struct supervisor *s)
{
	static const int wanted[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		(void)sigaddset(&set, wanted[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return err_of(E_UNAVAILABLE);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return err_of(s->signals >= 0 ? E_OK : E_UNAVAILABLE);
}

static err
give_server(struct supervisor *s)
{
	struct plan *p = s->plan;
	int fds[IPC_FDS];
	size_t n = p->server.listen_n;
	struct buf b;
	err e;

	memcpy(fds, p->listen, sizeof(int) * n);
	fds[n] = p->cert;
	fds[n + 1] = p->key;
	fds[n + 2] = p->lock;
	fds[n + 3] = p->control;
	memcpy(fds + n + 4, s->links, sizeof s->links);
	n += s->phase->sealed ? 3 : 4 + IDP_LINKS;
	p->server.sealed = s->phase->sealed;
	buf_init(&b, SETTINGS_MAX);
	server_settings_encode(&b, &p->server);
	e = buf_check(&b);
	if (err_ok(e))
		e = ipc_send(&s->server.end, IPC_CONFIG, buf_view(&b), fds, n);
	buf_done(&b);
	for (size_t i = 0; !s->phase->sealed && i < IDP_LINKS; i++)
		(void)close(s->links[i]);
	return e;
}

static err
give_keeper(struct supervisor *s)
{
	int fds[4] = {s->plan->root, s->plan->audit, s->plan->state,
	    s->phase->unlock};
	struct buf b;
	err e;

	buf_init(&b, 64);
	keeper_settings_encode(&b, &s->plan->keeper);
	e = ipc_send(&s->keeper.end, IPC_KEEPER_CONFIG, buf_view(&b), fds,
	    s->phase->unlock < 0 ? 3 : 4);
	buf_done(&b);
	return e;
}

static err
start(struct supervisor *s, struct trail *t)
{
	struct ipc_end srv, kpr, srv_peer, kpr_peer;

	TRY(ipc_pair(SUPERVISOR, SERVER, &s->server.end, &srv));
	TRY(ipc_pair(SUPERVISOR, KEEPER, &s->keeper.end, &kpr));
	TRY(ipc_pair(SERVER, KEEPER, &srv_peer, &kpr_peer));
	TRY(child_start(&s->keeper, kpr.fd, kpr_peer.fd, t));
	TRY(child_start(&s->server, srv.fd, srv_peer.fd, t));
	TRY(idp_watch_start(&s->idp, mono_ms(), s->links, t));
	(void)close(srv.fd);
	(void)close(kpr.fd);
	(void)close(srv_peer.fd);
	(void)close(kpr_peer.fd);
	TRY(give_keeper(s));
	return give_server(s);
}

/* No keeper, and nobody who could connect to anything. */
static err
start_sealed(struct supervisor *s, struct trail *t)
{
	struct ipc_end srv, srv_peer, nobody;

	TRY(ipc_pair(SUPERVISOR, SERVER, &s->server.end, &srv));
	TRY(ipc_pair(SERVER, KEEPER, &srv_peer, &nobody));
	(void)close(nobody.fd);
	TRY(child_start(&s->server, srv.fd, srv_peer.fd, t));
	(void)close(srv.fd);
	(void)close(srv_peer.fd);
	s->keeper.name = "unseal";
	s->keeper.pid = fork();
	if (s->keeper.pid == 0)
		_exit(unseal_serve(s->phase));
	if (s->keeper.pid < 0)
		return err_of(E_UNAVAILABLE);
	s->idp.settled = true;
	return give_server(s);
}

static err
confine_self(struct supervisor *s, struct trail *t)
{
	int keep[6] = {s->signals, s->server.end.fd, s->keeper.end.fd,
	    s->idp.role.end.fd, s->plan->dir.fd, s->plan->lock};
	int all[7];
	struct confine_plan plan = {.role = CONFINE_SUPERVISOR,
	    .keep = all,
	    .keep_n = 6};
	struct confinement c;

	memcpy(all, keep, sizeof keep);
	if (s->plan->notify >= 0)
		all[plan.keep_n++] = s->plan->notify;
	TRY(confine(&plan, t, &c));
	role_confined(&c, false);
	return OK;
}

static err
boot(struct supervisor *s, struct trail *t)
{
	TRY(signals_open(s));
	/* Who follows the idp role is forked by it. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	TRY(s->phase->sealed ? start_sealed(s, t) : start(s, t));
	plan_given(s->plan);
	return confine_self(s, t);
}

/* ---- stopping ---- */

static void
stop(struct supervisor *s, int exit_code, int ms)
{
	int64_t at = mono_ms() + ms;

	if (s->kill_at == 0 || at < s->kill_at)
		s->kill_at = at;
	if (s->exit_code == 0)
		s->exit_code = exit_code;
	if (s->stopping)
		return;
	s->stopping = true;
	s->idp.stopping = true;
	if (s->exit_code < SERVE_SEAL)
		notify_say(s->plan->notify, "STOPPING=1");
	if (s->phase->sealed && s->keeper.pid != 0)
		(void)kill(s->keeper.pid, SIGKILL);
	/* A server that does not hear it is killed when its time is up. */
	if (s->server.pid != 0)
		err_ignore(ipc_send(&s->server.end, IPC_DRAIN, STR(""), NULL,
			       0),
		    "it is gone or will be");
}

static void
end_close(struct child *c)
{
	if (c->end.fd >= 0)
		(void)close(c->end.fd);
	c->end.fd = -1;
}

static void
child_ended(struct supervisor *s, struct child *c)
{
	bool clean = WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0;

	c->pid = 0;
	if (c == &s->idp.role)
		idp_watch_ended(&s->idp, mono_ms());
	else
		end_close(c);
	if ((!clean || !s->stopping) && s->exit_code < SERVE_SEAL)
		log_event(LOG_CHILD_EXIT, KVC("child", c->name),
		    KVN("code",
			WIFEXITED(c->status) ? WEXITSTATUS(c->status) : -1),
		    KVC("signal",
			WIFSIGNALED(c->status)
			    ? sigabbrev_np(WTERMSIG(c->status))
			    : "none"));
	if (c == &s->idp.role)
		return;
	if (s->phase->sealed && c == &s->keeper) {
		if (!s->stopping) /* else it was told to */
			stop(s, clean ? SERVE_UNSEALED : 1, FACE_MS);
		return;
	}
	/* The keeper may be seen to end before the server it ends with, and
	 * knows no reason: the server's counts. */
	if (clean && !s->stopping) {
		s->lost = true;
		stop(s, 0, FAIL_MS);
	} else if (!clean) {
		stop(s, child_exit_code(c), FAIL_MS);
	}
	/* The keeper serves the server to its last checkpoint, then goes. */
	if (c == &s->server && s->keeper.pid != 0 && !s->phase->sealed) {
		end_close(&s->keeper);
		s->kill_at = mono_ms() + KEEPER_MS;
		s->stopping = true;
	}
	if (c == &s->server)
		idp_watch_close(&s->idp);
}

/* Ours, and what the idp role left behind. */
static void
reap(struct supervisor *s)
{
	struct child *const all[] = {&s->server, &s->keeper, &s->idp.role};

	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < sizeof all / sizeof *all; i++)
			if (all[i]->pid == pid) {
				all[i]->status = status;
				child_ended(s, all[i]);
				break;
			}
}

static void
kill_all(struct supervisor *s)
{
	struct child *const all[] = {&s->server, &s->keeper, &s->idp.role};

	s->kill_at = mono_ms() + KEEPER_MS;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i]->pid != 0) {
			/* To be sealed or unsealed nobody is waited for. */
			if (s->exit_code < SERVE_SEAL)
				log_event(LOG_CHILD_EXIT,
				    KVC("child", all[i]->name),
				    KVC("killed", "it did not stop in time"));
			(void)kill(all[i]->pid, SIGKILL);
			if (s->exit_code == 0)
				s->exit_code = 1;
		}
}

/* ---- reloading ---- */

static void
tls_reload(struct supervisor *s)
{
	struct trail t = {{0}};
	int fds[2];
	err e = plan_tls(s->plan, &t, &fds[0], &fds[1]);

	if (err_ok(e)) {
		e = ipc_send(&s->server.end, IPC_TLS_RELOAD, STR(""), fds, 2);
		(void)close(fds[0]);
		(void)close(fds[1]);
	}
	if (!err_ok(e))
		log_event(LOG_TLS_RELOAD_BAD, KVE("error", e),
		    KVC("detail", t.detail));
}

static err
reload_done(struct supervisor *s, err e, const struct trail *t)
{
	char b[REPORT_MAX];
	size_t n = report_encode(b, e, t);

	return ipc_send(&s->server.end, IPC_ROOT_RELOAD_DONE, str_of(b, n),
	    NULL, 0);
}

static err
root_reload(struct supervisor *s)
{
	struct trail t = {{0}};
	int fd = -1;
	err e;

	if (s->reloading)
		return err_of(E_PEER);
	e = root_key_open(&s->plan->dir, s->plan->config.keys_root, &t, &fd);
	if (!err_ok(e))
		return reload_done(s, e, &t);
	e = ipc_send(&s->keeper.end, IPC_ROOT_RELOAD, STR(""), &fd, 1);
	(void)close(fd);
	s->reloading = err_ok(e);
	return e;
}

/* ---- messages ---- */

static void
sealed_ready(const struct supervisor *s)
{
	log_event(LOG_SEALED, KVC("url", s->plan->url));
	notify_say(s->plan->notify,
	    "READY=1\nSTATUS=sealed: redoubt key unseal");
	if (printf("sealed %s\n", s->plan->url) < 0 || fflush(stdout) != 0)
		return; /* nobody reads it: no reason not to serve */
}

/* When the server serves and it is clear whether anybody may connect. */
static void
ready(struct supervisor *s)
{
	const struct server_settings *p = &s->plan->server;

	if (!s->served || s->told || !s->idp.settled || s->stopping)
		return;
	s->told = true;
	if (s->phase->sealed) {
		sealed_ready(s);
		return;
	}
	log_event(LOG_READY, KVC("url", s->plan->url));
	if (p->last_certs)
		log_event(LOG_READY, KV("mtls", p->listen[p->listen_n - 1]));
	notify_say(s->plan->notify, "READY=1\nSTATUS=serving");
	if (printf("ready %s\n", s->plan->url) < 0 || fflush(stdout) != 0)
		return; /* nobody reads it: no reason not to serve */
}

static err
from_server(struct supervisor *s, const struct ipc_msg *m)
{
	if (m->body.n != 0)
		return err_of(E_PEER);
	if (m->type == IPC_SEAL) {
		log_event(LOG_SEALED, KVC("by", "key seal"));
		stop(s, SERVE_SEAL, SEAL_MS);
		return OK;
	}
	if (m->type != IPC_READY)
		return root_reload(s);
	s->served = true;
	return OK;
}

static err
from_keeper(struct supervisor *s, const struct ipc_msg *m)
{
	struct trail t;
	err told;

	TRY(report_decode(m->body, &t, &told));
	if (m->type == IPC_ROOT_RELOADED) {
		if (!s->reloading)
			return err_of(E_PEER);
		s->reloading = false;
		return reload_done(s, told, &t);
	}
	if (err_ok(told)) {
		log_event(LOG_KEYS, KVC("keeper", "open"));
		return OK;
	}
	log_event(LOG_KEYS_BAD, KVE("error", told), KVC("detail", t.detail));
	stop(s, err_exit(told), FAIL_MS);
	return OK;
}

static void
from_child(struct supervisor *s, struct child *c)
{
	struct ipc_msg m;
	err e;

	if (c->end.fd < 0)
		return;
	e = ipc_recv(&c->end, 0, buf, sizeof buf, &m);
	if (err_ok(e)) {
		e = c == &s->server ? from_server(s, &m) : from_keeper(s, &m);
		ipc_msg_drop(&m);
	}
	if (err_ok(e) || err_is(e, E_TIMEOUT))
		return;
	/* Its end says more; SIGCHLD follows. */
	end_close(c);
	if (!err_is(e, E_UNAVAILABLE)) {
		log_event(LOG_IPC, KVC("child", c->name), KVE("error", e));
		stop(s, 1, FAIL_MS);
	} else if (s->kill_at == 0) {
		s->kill_at = mono_ms() + FAIL_MS;
	}
}

/* ---- the loop ---- */

/* Asked twice: at once.  What a terminal tells the whole group, or a service
 * manager the whole cgroup, comes from the first process too: that is one. */
static void
asked(struct supervisor *s)
{
	int64_t now = mono_ms();

	if (s->asked != 0 && now - s->asked < AGAIN_MS)
		return;
	stop(s, 0, s->asked != 0 ? 0 : DRAIN_MS);
	s->asked = now;
}

static void
from_signals(struct supervisor *s)
{
	struct signalfd_siginfo i;

	while (read(s->signals, &i, sizeof i) == sizeof i) {
		switch (i.ssi_signo) {
		case SIGCHLD:
			reap(s);
			break;
		case SIGHUP:
			if (s->stopping)
				break;
			tls_reload(s);
			if (!s->phase->sealed)
				idp_watch_reload(&s->idp);
			break;
		default:
			asked(s);
		}
	}
}

static int
patience(const struct supervisor *s)
{
	int64_t at = s->kill_at, idp = idp_watch_next(&s->idp), left;

	if (idp != 0 && (at == 0 || idp < at))
		at = idp;
	if (at == 0)
		return -1;
	left = at - mono_ms();
	return left < 0 ? 0 : (int)left;
}

static bool
anybody(const struct supervisor *s)
{
	return s->server.pid != 0 || s->keeper.pid != 0 || s->idp.role.pid != 0;
}

static void
loop(struct supervisor *s)
{
	while (anybody(s)) {
		struct pollfd p[] = {{.fd = s->signals, .events = POLLIN},
		    {.fd = s->server.end.fd, .events = POLLIN},
		    {.fd = s->keeper.end.fd, .events = POLLIN},
		    {.fd = s->idp.role.end.fd, .events = POLLIN},
		    {.fd = s->idp.fresh.fd, .events = POLLIN},
		    {.fd = s->idp.egress.fd, .events = POLLIN},
		    {.fd = s->idp.spare.fd, .events = POLLIN}};
		int64_t now;

		if (poll(p, sizeof p / sizeof *p, patience(s)) < 0 &&
		    errno != EINTR)
			return;
		now = mono_ms();
		if (s->kill_at != 0 && now >= s->kill_at)
			kill_all(s);
		/* Messages first: they say why a child is about to end. */
		if (p[2].revents != 0)
			from_child(s, &s->keeper);
		if (p[1].revents != 0)
			from_child(s, &s->server);
		if (p[3].revents != 0)
			idp_watch_role(&s->idp, now);
		if (p[4].revents != 0 && p[4].fd == s->idp.fresh.fd)
			idp_watch_fresh(&s->idp, now);
		if (p[5].revents != 0 && p[5].fd == s->idp.egress.fd)
			idp_watch_egress(&s->idp, now);
		if (p[6].revents != 0 && p[6].fd == s->idp.spare.fd)
			idp_watch_spare(&s->idp);
		if (p[0].revents != 0)
			from_signals(s);
		if (!s->phase->sealed)
			idp_watch_tick(&s->idp, now);
		ready(s);
	}
}

static enum log_event
event_of(err e)
{
	return err_is(e, E_WRONG_KEY) ? LOG_KEYS_BAD
	    : err_is(e, E_PEER)	      ? LOG_IPC
				      : LOG_CONFIG;
}

int
supervise(const struct phase *p)
{
	struct supervisor s = {
	    .plan = p->plan,
	    .phase = p,
	    .server = {.name = "server", .end = {.fd = -1}},
	    .keeper = {.name = "keeper", .end = {.fd = -1}},
	};
	struct trail t = {{0}};
	err e;

	idp_watch_init(&s.idp, s.plan, &s.server.end);
	e = boot(&s, &t);
	if (!err_ok(e)) {
		log_event(event_of(e), KVE("error", e),
		    KVC("detail", t.detail[0] ? t.detail : err_text(e)));
		stop(&s, err_exit(e), FAIL_MS);
		end_close(&s.server);
		end_close(&s.keeper);
		idp_watch_close(&s.idp);
	}
	loop(&s);
	if (s.exit_code == 0 && s.lost)
		s.exit_code = 1;
	if (s.exit_code < SERVE_SEAL)
		log_event(LOG_STOP, KVN("code", s.exit_code));
	return s.exit_code;
}
