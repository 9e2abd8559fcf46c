/* unseal.c: the process that waits for somebody to unseal the server, and
 * the one that does it alone. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "role/keyjson.h"
#include "role/serve.h"
#include "role/talk.h"
#include "role/unlock.h"

enum { WAIT_MS = 60000, FDS = 4096 };

struct unsealing {
	const struct plan *plan;
	int out; /* the unlock key goes there; -1: there is none */
	struct arena a;
};

/* Of the supervisor's, only what this one needs. */
static void
close_rest(const struct plan *p, int out)
{
	for (int fd = 3; fd < FDS; fd++)
		if (fd != p->dir.fd && fd != p->root && fd != p->control &&
		    fd != out)
			(void)close(fd);
}

static err
alone(const char *name, struct trail *t)
{
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	log_role("unseal");
	return confine_light(t);
}

/* ---- the key ---- */

static err
give(const struct unsealing *u, const struct secret *key)
{
	return err_of(
	    write(u->out, secret_view(key), SECRET_SIZE) == SECRET_SIZE ? E_OK
									: E_IO);
}

/* l NULL: without anybody. */
static err
opened(struct unsealing *u, const struct unlock_lines *l, struct trail *t)
{
	struct root_sealed r;
	struct unlocking k = {&u->a, &u->plan->dir, t, &r};
	struct secret *key = NULL;
	struct buf b;
	err e;

	if (u->out < 0)
		return OK; /* the file is plain: it takes but the wish */
	e = fd_read_all(u->plan->root, ROOT_SEALED_MAX, &b);
	if (err_ok(e))
		e = root_sealed_parse(&u->a, buf_view(&b), t, &r);
	buf_wipe(&b);
	TRY(e);
	TRY(secret_new(&key));
	e = l == NULL || (l->n == 0 && l->source.n == 0)
	    ? unlock_auto(&k, key)
	    : unlock_by(&k, l, key);
	if (err_ok(e))
		e = give(u, key);
	(void)secret_free(key);
	return e;
}

/* ---- alone ---- */

static _Noreturn void
try_alone(const struct plan *p, int out)
{
	struct unsealing u = {.plan = p, .out = out};
	struct trail t = {{0}};
	char report[REPORT_MAX];
	size_t n;
	err e = alone("redoubt-unseal", &t);

	close_rest(p, out);
	arena_init(&u.a, LIM_UNLOCK_ARENA);
	if (err_ok(e))
		e = opened(&u, NULL, &t);
	if (!err_ok(e)) { /* whoever waits reads that instead */
		n = report_encode(report, e, &t);
		if (write(out, report, n) != (ssize_t)n)
			_exit(2);
	}
	_exit(err_ok(e) ? 0 : 1);
}

/* Why it did not open. */
static err
told(int fd, struct trail *t)
{
	struct buf b;
	err e = fd_read_all(fd, REPORT_MAX, &b), said = err_of(E_PEER);

	if (err_ok(e))
		e = report_decode(buf_view(&b), t, &said);
	buf_wipe(&b);
	return err_ok(e) && !err_ok(said) ? said : err_of(E_SEALED);
}

err
unseal_alone(const struct plan *p, struct trail *t, int *ret)
{
	int fds[2], status = -1;
	pid_t pid;
	err e;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_of(E_UNAVAILABLE);
	pid = fork();
	if (pid == 0)
		try_alone(p, fds[1]);
	(void)close(fds[1]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		*ret = fds[0];
		return OK;
	}
	e = told(fds[0], t);
	(void)close(fds[0]);
	return e;
}

/* ---- asked ---- */

static bool
lines_of(const struct json *j, struct unlock_lines *l)
{
	l->source = json_str_at(j, STR("source"));
	j = json_get(j, STR("lines"));
	if (j == NULL || j->kind != JSON_ARRAY || j->count > SHARES_MAX)
		return false;
	for (j = json_first(j); j != NULL; j = j->next) {
		if (j->kind != JSON_STRING)
			return false;
		l->line[l->n++] = j->text;
	}
	return true;
}

static err
unseal(struct unsealing *u, struct str ask, struct trail *t)
{
	static const struct json_limits lim = {4, 100, UNSEAL_ASK_MAX};
	struct unlock_lines l = {.n = 0};
	const struct json *j;

	if (!str_starts(ask, STR("unseal ")))
		return err_of(E_SEALED);
	TRY(json_parse(&u->a, str_skip(ask, 7), &lim, t, &j));
	if (!lines_of(j, &l)) {
		trail_set(t, "that is no unseal");
		return err_of(E_INVALID);
	}
	return opened(u, &l, t);
}

static err
answered(struct unsealing *u, int fd, uid_t *ret_uid)
{
	struct trail t = {{0}};
	struct buf ask;
	err e = err_of(E_DENIED);

	buf_init(&ask, UNSEAL_ASK_MAX);
	if (!buf_room(&ask, UNSEAL_ASK_MAX))
		return err_of(E_NO_MEMORY);
	if (talk_may(fd, ret_uid))
		e = talk_hear(fd, TALK_MS, &ask);
	else
		trail_set(&t, "only root and the server's user may");
	if (err_ok(e))
		e = unseal(u, buf_view(&ask), &t);
	mem_wipe(ask.p, ask.cap);
	buf_done(&ask);
	if (err_ok(e))
		err_ignore(talk_say(fd, TALK_MS, STR("{\"sealed\":false}")),
		    "it is done all the same");
	else
		talk_refuse(fd, e, &t);
	return e;
}

/* What was said is gone with the process that heard it. */
static bool
one(const struct phase *p, int fd)
{
	struct unsealing u = {.plan = p->plan, .out = p->unlock};
	int status = -1;
	pid_t pid = fork();
	uid_t uid = (uid_t)-1;
	err e;

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		(void)alarm(WAIT_MS / 1000);
		arena_init(&u.a, LIM_UNLOCK_ARENA);
		e = answered(&u, fd, &uid);
		log_event(LOG_CONTROL, KVN("uid", uid), KVC("asked", "unseal"),
		    KVE("result", e));
		_exit(err_ok(e) ? 0 : 1);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int
unseal_serve(const struct phase *p)
{
	struct pollfd wait = {.fd = p->plan->control, .events = POLLIN};
	struct trail t = {{0}};
	sigset_t none;

	(void)sigemptyset(&none);
	if (!err_ok(alone("redoubt-unseal", &t)))
		return 1;
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	close_rest(p->plan, p->unlock);
	for (;;) {
		bool done = false;
		int fd;

		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			return 1;
		fd = accept4(wait.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			continue;
		done = one(p, fd);
		(void)close(fd);
		if (done)
			return 0;
	}
}
