/* idp.c: the process that starts what reads documents and what connects. */
#include "role/idp.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/idpwire.h"
#include "ipc/settings.h"
#include "role/child.h"
#include "role/datadir.h"
#include "role/role.h"

/* One link: a document that comes, then the child that reads it. */
struct slot {
	struct ipc_end server; /* fd -1: gone */
	struct buf text;
	uint32_t seq;
	pid_t pid; /* 0: none */
	int from;  /* what the child says */
};

struct idp {
	struct ipc_end supervisor;
	int signals;
	bool egress;
	struct confinement confined;
	struct slot slot[IDP_LINKS];
	pid_t spare; /* one that waits; 0: none */
};

static char buf[LIM_IPC];

/* ---- starting ---- */

/* Children are reaped when the loop reads of it. */
static err
signals_open(struct idp *p)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return err_of(E_UNAVAILABLE);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return err_of(p->signals >= 0 ? E_OK : E_UNAVAILABLE);
}

static err
boot(struct idp *p, struct trail *t)
{
	struct confine_plan plan = {.role = CONFINE_IDP};
	struct timeval patience = {.tv_usec = 100 * 1000};
	int keep[IDP_LINKS + 2];
	struct idp_settings s;
	struct ipc_msg m;

	TRY(ipc_recv(&p->supervisor, CHILD_BOOT_MS, buf, sizeof buf, &m));
	if (m.type != IPC_IDP_CONFIG || m.fds_n != IDP_LINKS)
		return err_of(E_PEER);
	TRY(idp_settings_decode(m.body, &s));
	for (size_t i = 0; i < IDP_LINKS; i++) {
		/* A server that does not listen holds up nobody. */
		(void)setsockopt(m.fds[i], SOL_SOCKET, SO_SNDTIMEO, &patience,
		    sizeof patience);
		p->slot[i].server = (struct ipc_end){m.fds[i], IDP, SERVER};
		p->slot[i].from = -1;
		buf_init(&p->slot[i].text, IDP_SAML_TEXT);
	}
	TRY(signals_open(p));
	memcpy(keep, m.fds, sizeof(int) * IDP_LINKS);
	keep[IDP_LINKS] = p->supervisor.fd;
	keep[IDP_LINKS + 1] = p->signals;
	plan.uid = s.uid;
	plan.gid = s.gid;
	plan.egress = p->egress = s.egress;
	plan.keep = keep;
	plan.keep_n = IDP_LINKS + 2;
	document_warm();
	TRY(confine(&plan, t, &p->confined));
	role_confined(&p->confined, s.egress);
	return OK;
}

/* ---- documents ---- */

static void
slot_clear(struct slot *s)
{
	buf_wipe(&s->text);
	buf_init(&s->text, IDP_SAML_TEXT);
}

/* In the child: others' documents are none of its business. */
static _Noreturn void
read_document(struct idp *p, struct slot *s, int to)
{
	(void)prctl(PR_SET_NAME, "redoubt-saml", 0, 0, 0);
	for (size_t i = 0; i < IDP_LINKS; i++)
		if (&p->slot[i] != s)
			slot_clear(&p->slot[i]);
	mem_wipe(buf, sizeof buf);
	/* Not a word in the log from there. */
	if (dup2(0, 2) != 2)
		_exit(1);
	document_run(buf_view(&s->text), to, &p->confined);
}

static bool
child_start_for(struct idp *p, struct slot *s)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	s->pid = fork();
	if (s->pid == 0)
		read_document(p, s, fd[1]);
	(void)close(fd[1]);
	s->from = fd[0];
	if (s->pid > 0)
		return true;
	(void)close(fd[0]);
	s->from = -1;
	s->pid = 0;
	return false;
}

/* text: an encoded verdict, or empty: the child did not make one. */
static err
answer(struct slot *s, struct str text)
{
	struct idp_answer a = {s->seq, text.n > 0 ? IDP_OK : IDP_SAML_CHILD,
	    text};
	struct buf b;
	err e;

	buf_init(&b, IDP_ANSWER + IDP_ANSWER_HEAD);
	idp_answer_encode(&b, &a);
	e = buf_check(&b);
	if (err_ok(e))
		e = ipc_send(&s->server, IPC_SAML_VERDICT, buf_view(&b), NULL,
		    0);
	buf_wipe(&b);
	return err_is(e, E_UNAVAILABLE) ? OK : e; /* nobody waits any more */
}

static err
take_part(struct slot *s, struct str part)
{
	if (!buf_room(&s->text, s->text.n == 0 ? IDP_SAML_TEXT : part.n))
		return err_of(E_PEER);
	buf_str(&s->text, part);
	return err_of(s->text.failed ? E_PEER : E_OK);
}

static err
from_server(struct idp *p, struct slot *s)
{
	struct ipc_msg m;
	struct cur c;
	err e = ipc_recv(&s->server, 0, buf, sizeof buf, &m);

	if (err_is(e, E_TIMEOUT))
		return OK;
	if (err_is(e, E_UNAVAILABLE)) {
		(void)close(s->server.fd);
		s->server.fd = -1;
		return OK;
	}
	TRY(e);
	if (m.type == IPC_SAML_PART)
		return take_part(s, m.body);
	c = cur_of(m.body);
	s->seq = cur_be32(&c);
	if (cur_be32(&c) != s->text.n || !cur_end(&c) || s->text.n == 0)
		return err_of(E_PEER);
	if (child_start_for(p, s))
		return OK;
	slot_clear(s);
	return answer(s, STR(""));
}

/* ---- what has ended ---- */

static err
verdict(struct slot *s, int status)
{
	static char said[IDP_ANSWER + 1];
	bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	size_t n = 0;
	ssize_t k;
	err e;

	/* Nobody can write any more, so this ends. */
	while (n < sizeof said &&
	    (k = read(s->from, said + n, sizeof said - n)) > 0)
		n += (size_t)k;
	(void)close(s->from);
	s->from = -1;
	s->pid = 0;
	slot_clear(s);
	good = good && n > 0 && n <= IDP_ANSWER;
	if (!good)
		log_event(LOG_IDP_DOCUMENT,
		    KVC("reason", idp_reason(IDP_SAML_CHILD)),
		    KVN("code", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
		    KVC("signal",
			WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status))
					    : "none"));
	e = answer(s, str_of(said, good ? n : 0));
	mem_wipe(said, sizeof said);
	return e;
}

static err
egress_ended(struct idp *p, int status)
{
	unsigned char b[4];

	for (size_t i = 0; i < 4; i++)
		b[i] = (unsigned char)((unsigned)status >> 8 * (3 - i));
	return ipc_send(&p->supervisor, IPC_EGRESS_ENDED,
	    str_of((char *)b, sizeof b), NULL, 0);
}

static err
reap(struct idp *p)
{
	struct signalfd_siginfo i;
	int status;
	pid_t pid;

	while (read(p->signals, &i, sizeof i) == sizeof i)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct slot *s = NULL;

		for (size_t k = 0; k < IDP_LINKS; k++)
			if (p->slot[k].pid == pid)
				s = &p->slot[k];
		if (pid == p->spare) {
			p->spare = 0; /* the supervisor sees its end close */
			continue;
		}
		TRY(s != NULL ? verdict(s, status) : egress_ended(p, status));
	}
	return OK;
}

/* ---- what may connect ---- */

enum { ENDS = IDP_LINKS + 1 };

static void
ends_close(const struct ipc_end *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)close(e[i].fd);
}

static err
egress_fork(struct idp *p)
{
	struct ipc_end theirs[ENDS], ours[ENDS];
	int fds[ENDS];
	pid_t pid;
	err e = OK;
	size_t n = 0;

	for (; n < ENDS && err_ok(e); n += err_ok(e))
		e = ipc_pair(n == 0 ? SUPERVISOR : SERVER, EGRESS, &theirs[n],
		    &ours[n]);
	pid = err_ok(e) ? fork() : -1;
	if (pid == 0) {
		ends_close(theirs, ENDS);
		for (size_t i = 0; i < IDP_LINKS; i++)
			slot_clear(&p->slot[i]);
		egress_run(ours[0], ours + 1, &p->confined);
	}
	ends_close(ours, n);
	for (size_t i = 0; i < n; i++)
		fds[i] = theirs[i].fd;
	e = pid > 0
	    ? ipc_send(&p->supervisor, IPC_EGRESS_FORKED, STR(""), fds, ENDS)
	    : err_of(E_UNAVAILABLE);
	ends_close(theirs, n);
	return e;
}

/* ---- one that waits ---- */

/*
 * Nobody can start this role anew: the supervisor has given up fork and exec.
 * So it keeps one of itself, as confined, that waits with links of its own
 * until the supervisor says that it is the role now.
 */

/* Its parent has ended, or soon will: then it ends with the supervisor, who
 * takes orphans. */
static void
die_with_the_supervisor(pid_t parent)
{
	struct timespec nap = {.tv_nsec = 1000 * 1000};

	for (int i = 0; i < 2000 && getppid() == parent; i++)
		(void)nanosleep(&nap, NULL);
	if (getppid() != parent)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

/* In the child: what the role had is none of its business. */
static err
spare_wait(struct idp *p, const struct ipc_end mine[ENDS], pid_t parent)
{
	struct timeval patience = {.tv_usec = 100 * 1000};
	struct ipc_msg m;

	(void)prctl(PR_SET_NAME, "redoubt-spare", 0, 0, 0);
	(void)close(p->supervisor.fd);
	p->supervisor = mine[0];
	for (size_t i = 0; i < IDP_LINKS; i++) {
		struct slot *s = &p->slot[i];

		if (s->server.fd >= 0)
			(void)close(s->server.fd);
		if (s->from >= 0)
			(void)close(s->from);
		slot_clear(s);
		*s = (struct slot){.server = mine[1 + i],
		    .from = -1,
		    .text = s->text};
		(void)setsockopt(s->server.fd, SOL_SOCKET, SO_SNDTIMEO,
		    &patience, sizeof patience);
	}
	p->spare = 0;
	mem_wipe(buf, sizeof buf);
	TRY(ipc_recv(&p->supervisor, -1, buf, sizeof buf, &m));
	if (m.type != IPC_IDP_GO || m.body.n != 0)
		return err_of(E_PEER);
	die_with_the_supervisor(parent);
	(void)prctl(PR_SET_NAME, "redoubt-idp", 0, 0, 0);
	return OK;
}

static err
spare_fork(struct idp *p)
{
	struct ipc_end theirs[ENDS], ours[ENDS];
	pid_t pid, parent = getpid();
	int fds[ENDS];
	err e = OK;
	size_t n = 0;

	for (; n < ENDS && err_ok(e); n += err_ok(e))
		e = ipc_pair(n == 0 ? SUPERVISOR : SERVER, IDP, &theirs[n],
		    &ours[n]);
	pid = err_ok(e) ? fork() : -1;
	if (pid == 0) {
		ends_close(theirs, ENDS);
		return spare_wait(p, ours, parent);
	}
	p->spare = pid > 0 ? pid : 0;
	ends_close(ours, n);
	for (size_t i = 0; i < n; i++)
		fds[i] = theirs[i].fd;
	e = pid > 0
	    ? ipc_send(&p->supervisor, IPC_IDP_SPARED, STR(""), fds, ENDS)
	    : err_of(E_UNAVAILABLE);
	ends_close(theirs, n);
	return e;
}

/* ---- the loop ---- */

static err
from_supervisor(struct idp *p)
{
	struct ipc_msg m;

	TRY(ipc_recv(&p->supervisor, 0, buf, sizeof buf, &m));
	if (m.type == IPC_IDP_SPARE && m.body.n == 0)
		return spare_fork(p);
	if (m.type != IPC_EGRESS_FORK || m.body.n != 0 || !p->egress)
		return err_of(E_PEER);
	return egress_fork(p);
}

static err
serve(struct idp *p)
{
	for (;;) {
		struct pollfd w[IDP_LINKS + 2] = {{.fd = p->supervisor.fd,
						      .events = POLLIN},
		    {.fd = p->signals, .events = POLLIN}};

		/* A link is not listened to while its child works. */
		for (size_t i = 0; i < IDP_LINKS; i++) {
			const struct slot *s = &p->slot[i];

			w[2 + i].fd = s->pid == 0 ? s->server.fd : -1;
			w[2 + i].events = POLLIN;
		}
		if (poll(w, IDP_LINKS + 2, -1) < 0)
			continue;
		if (w[0].revents != 0)
			TRY(from_supervisor(p));
		if (w[1].revents != 0)
			TRY(reap(p));
		for (size_t i = 0; i < IDP_LINKS; i++)
			if (w[2 + i].revents != 0)
				TRY(from_server(p, &p->slot[i]));
	}
}

int
role_idp(void)
{
	static struct idp p = {
	    .supervisor = {CHILD_SUPERVISOR_FD, IDP, SUPERVISOR}};
	struct trail t = {{0}};
	char b[REPORT_MAX];
	err e, sent;

	/* No file of the system has a say in this process. */
	(void)OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG |
		OPENSSL_INIT_LOAD_SSL_STRINGS |
		OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
	    NULL);
	e = boot(&p, &t);
	sent = ipc_send(&p.supervisor, IPC_IDP_READY,
	    str_of(b, report_encode(b, e, &t)), NULL, 0);
	if (!err_ok(e))
		return err_exit(e);
	if (err_ok(sent))
		e = serve(&p);
	if (err_is(e, E_UNAVAILABLE))
		return 0;
	log_event(LOG_IPC, KVE("error", e));
	return err_exit(e);
}
