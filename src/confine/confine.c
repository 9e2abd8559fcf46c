#include "confine/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "confine/inner.h"

enum { KEEP_MAX = 32, FD_GUESS = 65536 };

static err
failed(struct trail *t, const char *what)
{
	trail_set(t, "%s: %s", what, strerror(errno));
	return err_of(E_DENIED);
}

/*
 * Should somebody have a core made all the same (root can raise both of the
 * below from outside): none of our memory is in it, be it a request's text or
 * a key that libcrypto has expanded.  Before we are not dumpable: then the
 * file is root's.  Without /proc the two below have to do.
 */
static void
no_pages(void)
{
	int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "0", 1) != 1)
		errno = 0;
	(void)close(fd);
}

static err
no_dumps(struct trail *t)
{
	struct rlimit none = {0, 0};

	no_pages();
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return failed(t, "RLIMIT_CORE");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return failed(t, "PR_SET_DUMPABLE");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failed(t, "PR_SET_NO_NEW_PRIVS");
	return OK;
}

/* Many connections are the server's trade; the hard limit bounds them. */
static void
many_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
}

static void
close_between(int first, int last)
{
	if (first > last ||
	    close_range((unsigned)first, (unsigned)last, 0) == 0)
		return;
	/* A kernel before 5.9. */
	for (int fd = first; fd <= last && fd < FD_GUESS; fd++)
		(void)close(fd);
}

static err
close_others(const struct confine_plan *p, struct trail *t)
{
	int from = 3;

	if (p->keep_n > KEEP_MAX) {
		trail_set(t, "too many descriptors to keep");
		return err_of(E_DENIED);
	}
	for (;;) {
		int next = -1;

		/* The lowest one to keep that is not behind us. */
		for (size_t i = 0; i < p->keep_n; i++)
			if (p->keep[i] >= from &&
			    (next < 0 || p->keep[i] < next))
				next = p->keep[i];
		if (next < 0)
			break;
		close_between(from, next - 1);
		from = next + 1;
	}
	close_between(from, INT32_MAX);
	return OK;
}

/* A child does not outlive the supervisor.  A change of user forgets this,
 * so it comes after. */
static err
die_with_parent(const struct confine_plan *p, struct trail *t)
{
	if (p->role == CONFINE_SUPERVISOR)
		return OK;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return failed(t, "PR_SET_PDEATHSIG");
	return OK;
}

err
confine(const struct confine_plan *p, struct trail *t, struct confinement *ret)
{
	struct confinement c = {0};

	if (!p->egress)
		c.netns = netns_enter();
	TRY(user_drop(p, t, &c));
	if (!p->egress && !c.netns)
		c.netns = netns_enter(); /* as the new user, perhaps */
	TRY(die_with_parent(p, t));
	if (p->role == CONFINE_SERVER || p->role == CONFINE_BROKER)
		many_files();
	TRY(no_dumps(t));
	c.no_core = true;
	TRY(caps_drop(p, t, &c));
	TRY(close_others(p, t));
	TRY(landlock_enter(p, t, &c));
	TRY(seccomp_enter(p, t, &c));
	TRY(prove(p, &c, t));
	*ret = c;
	return OK;
}

static err
limit(int what, rlim_t most, const char *name, struct trail *t)
{
	struct rlimit r = {most, most};

	return setrlimit((__rlimit_resource_t)what, &r) == 0 ? OK
							     : failed(t, name);
}

/* One document is read in milliseconds, in a few megabytes. */
static err
short_life(struct trail *t)
{
	struct itimerval end = {.it_value = {CONFINE_WALL_S, 0}};

	if (setitimer(ITIMER_REAL, &end, NULL) != 0)
		return failed(t, "setitimer");
	TRY(limit(RLIMIT_CPU, CONFINE_CPU_S, "RLIMIT_CPU", t));
	if (confine_relaxed) /* shadow memory */
		return OK;
	return limit(RLIMIT_DATA, CONFINE_DATA, "RLIMIT_DATA", t);
}

err
confine_child(const struct confine_plan *p, const struct confinement *parent,
    struct trail *t, struct confinement *ret)
{
	struct confinement c = *parent;

	TRY(die_with_parent(p, t));
	TRY(close_others(p, t));
	if (p->role == CONFINE_SAML)
		TRY(short_life(t));
	else
		TRY(limit(RLIMIT_NOFILE, CONFINE_FILES, "RLIMIT_NOFILE", t));
	if (p->role == CONFINE_EGRESS)
		TRY(landlock_enter(p, t, &c));
	TRY(seccomp_enter(p, t, &c));
	TRY(prove(p, &c, t));
	*ret = c;
	return OK;
}

err
confine_light(struct trail *t)
{
	return no_dumps(t);
}
