#include "role/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "confine/confine.h"

struct serving {
	struct plan plan;
	sigset_t wanted;
	pid_t child;
	bool told; /* somebody wants us to end */
};

/* ---- the mark ---- */

err
sealed_mark(int dir)
{
	int fd = openat(dir, SEALED_MARK,
	    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool good = fd >= 0 && fsync(fd) == 0 && fsync(dir) == 0;

	if (fd >= 0)
		(void)close(fd);
	return err_of(good ? E_OK : E_IO);
}

static int
db_open(const struct plan *p)
{
	return openat(p->dir.fd, "db",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static bool
marked(const struct plan *p)
{
	int fd = db_open(p);
	bool is = fd >= 0 &&
	    faccessat(fd, SEALED_MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	if (fd >= 0)
		(void)close(fd);
	return is;
}

static err
mark(const struct plan *p, bool on)
{
	int fd = db_open(p);
	err e = err_of(E_IO);

	if (fd >= 0 && on)
		e = sealed_mark(fd);
	else if (fd >= 0 &&
	    (unlinkat(fd, SEALED_MARK, 0) == 0 || errno == ENOENT) &&
	    fsync(fd) == 0)
		e = OK;
	if (fd >= 0)
		(void)close(fd);
	return e;
}

/* ---- one supervisor ---- */

/* What asks us to do something asks the supervisor; one that has ended says
 * so with SIGCHLD. */
static int
wait_for(struct serving *s)
{
	int status = 0;

	while (waitpid(s->child, &status, WNOHANG) == 0) {
		siginfo_t i;
		int sig = sigwaitinfo(&s->wanted, &i);

		if (sig < 0 || sig == SIGCHLD)
			continue;
		s->told = s->told || sig != SIGHUP;
		(void)kill(s->child, sig);
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	log_event(LOG_CHILD_EXIT, KVC("child", "supervisor"),
	    KVC("signal", sigabbrev_np(WTERMSIG(status))));
	return 1;
}

static int
run(struct serving *s, bool sealed, int unlock)
{
	const struct phase p = {&s->plan, sealed, unlock};
	pid_t parent = getpid();

	s->child = fork();
	if (s->child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		_exit(getppid() == parent ? supervise(&p) : 1);
	}
	return s->child < 0 ? 1 : wait_for(s);
}

static int
failed(err e, const struct trail *t)
{
	log_event(err_is(e, E_WRONG_KEY) ? LOG_KEYS_BAD : LOG_CONFIG,
	    KVE("error", e),
	    KVC("detail", t->detail[0] ? t->detail : err_text(e)));
	log_event(LOG_STOP, KVN("code", err_exit(e)));
	return err_exit(e);
}

/* ---- sealed, then not ---- */

/* *ret_unlock: for the keeper. Anything but SERVE_UNSEALED is the end. */
static int
sealed(struct serving *s, int *ret_unlock)
{
	int p[2] = {-1, -1};
	int code;

	if (s->plan.root_sealed && pipe2(p, O_CLOEXEC) != 0)
		return 1;
	code = run(s, true, p[1]);
	if (p[1] >= 0)
		(void)close(p[1]);
	*ret_unlock = p[0];
	if (code == SERVE_UNSEALED && err_ok(mark(&s->plan, false)))
		return code;
	if (p[0] >= 0)
		(void)close(p[0]);
	return code == SERVE_UNSEALED ? 1 : code;
}

/* Whoever need not ask anybody opens it now. */
static bool
opens_alone(struct serving *s, int *ret_unlock)
{
	struct trail t = {{0}};
	err e;

	*ret_unlock = -1;
	if (marked(&s->plan)) {
		log_event(LOG_SEALED, KVC("by", "the mark of key seal"));
		return false;
	}
	if (!s->plan.root_sealed)
		return true;
	e = unseal_alone(&s->plan, &t, ret_unlock);
	if (!err_ok(e))
		log_event(LOG_SEALED, KVE("error", e), KVC("detail", t.detail));
	return err_ok(e);
}

/* Once sealed, once open; SERVE_SEAL: again. */
static int
round_of(struct serving *s, struct trail *t)
{
	int unlock = -1, code;
	err e = plan_files(&s->plan, t);

	if (!err_ok(e))
		return failed(e, t);
	if (!opens_alone(s, &unlock)) {
		code = sealed(s, &unlock);
		if (code != SERVE_UNSEALED)
			return code;
		/* What was changed meanwhile counts. */
		plan_files_close(&s->plan);
		e = plan_files(&s->plan, t);
		if (!err_ok(e))
			return failed(e, t);
		log_event(LOG_UNSEALED, KVC("url", s->plan.url));
	}
	code = run(s, false, unlock);
	if (unlock >= 0)
		(void)close(unlock);
	plan_files_close(&s->plan);
	/* The server has set the mark; if it could not, we do. */
	if (code == SERVE_SEAL && !err_ok(mark(&s->plan, true)))
		log_event(LOG_SEALED,
		    KVC("detail",
			"cannot write db/" SEALED_MARK ": a restart unseals"));
	return code;
}

static void
signals(struct serving *s)
{
	static const int all[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&s->wanted);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		(void)sigaddset(&s->wanted, all[i]);
	(void)sigprocmask(SIG_BLOCK, &s->wanted, NULL);
}

int
role_supervise(const struct serve_options *o)
{
	struct serving s = {.child = 0};
	struct trail t = {{0}};
	int code;
	err e;

	log_role("supervisor");
	(void)umask(077);
	log_event(LOG_START, KVC("version", REDOUBT_VERSION),
	    KVC("data", o->data));
	e = confine_light(&t);
	if (err_ok(e))
		e = plan_make(&s.plan, o, &t);
	/* Only what asks identity providers may connect, and only then. */
	if (err_ok(e) && !s.plan.idp.egress)
		e = confine_first(&t);
	code = err_ok(e) ? SERVE_SEAL : failed(e, &t);
	signals(&s);
	while (code == SERVE_SEAL && !s.told)
		code = round_of(&s, &t);
	arena_done(&s.plan.arena);
	return code == SERVE_SEAL ? 0 : code;
}
