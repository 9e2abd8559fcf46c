#include "role/control.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "role/talk.h"

struct control {
	struct state *st;
	const struct server_boot *boot;
	pthread_t thread;
	int wake; /* eventfd: stop */
	atomic_bool stop;
	pthread_mutex_t lock;
	pthread_cond_t told; /* reload_n has grown, or stop is set */
	unsigned reload_n;   /* answers of the supervisor so far */
	err reload;	     /* the last of them */
	struct trail reload_trail;
};

/* ---- answers ---- */

static void
refuse(int fd, err e, const struct trail *t)
{
	char room[512];
	struct buf b = {.p = room, .cap = sizeof room, .max = sizeof room};
	struct jw w;

	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "error", str_c(err_name(e)));
	jw_kstr(&w, "detail",
	    str_c(t->detail[0] != '\0' ? t->detail : err_text(e)));
	jw_obj_end(&w);
	err_ignore(talk_say(fd, TALK_MS, buf_view(&b)),
	    "who does not listen has no use for it");
}

static err
status(struct buf *b)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	jw_kbool(&w, "online", true);
	jw_obj_end(&w);
	return buf_check(b);
}

static err
answer(struct str verb, struct buf *b)
{
	if (str_is(verb, "status"))
		return status(b);
	return err_of(E_NOT_IMPLEMENTED);
}

/* ---- one caller ---- */

/* The socket's mode says the same; this is what the kernel says. */
static bool
may(int fd, uid_t *ret_uid)
{
	struct ucred c;
	socklen_t n = sizeof c;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n) != 0)
		return false;
	*ret_uid = c.uid;
	return c.uid == 0 || c.uid == geteuid();
}

static void
serve(int fd)
{
	struct buf ask, b;
	struct trail t = {{0}};
	uid_t uid = (uid_t)-1;
	err e = err_of(E_DENIED);

	buf_init(&ask, TALK_ASK_MAX);
	buf_init(&b, TALK_ANSWER_MAX);
	if (may(fd, &uid))
		e = talk_hear(fd, TALK_MS, &ask);
	else
		trail_set(&t, "only root and the server's user may");
	if (err_ok(e))
		e = answer(buf_view(&ask), &b);
	log_event(LOG_CONTROL, KVN("uid", uid), KVE("result", e));
	if (err_ok(e))
		e = talk_say(fd, TALK_MS, buf_view(&b));
	else
		refuse(fd, e, &t);
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
		fd = accept4(
		    c->boot->control, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			continue;
		serve(fd);
		(void)close(fd);
	}
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
control_start(
    struct state *st, const struct server_boot *b, struct control **ret)
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

void
control_root_reloaded(struct control *c, struct str report)
{
	struct trail t = {{0}};
	err told = err_of(E_PEER), e;

	e = report_decode(report, &t, &told);
	(void)pthread_mutex_lock(&c->lock);
	c->reload = err_ok(e) ? told : e;
	c->reload_trail = t;
	c->reload_n++;
	(void)pthread_cond_broadcast(&c->told);
	(void)pthread_mutex_unlock(&c->lock);
}
