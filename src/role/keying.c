/* keying.c: see keying.h. */
#include "role/keying.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "role/talk.h"

/* ---- is there a server? ---- */

err
keying_connect(struct keying *k, int *ret)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* Through /proc, because a socket's path is at most 107 bytes. */
	(void)snprintf(to.sun_path, sizeof to.sun_path,
	    "/proc/self/fd/%d/control.sock", k->dir.fd);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0) {
		*ret = fd;
		return OK;
	}
	trail_set(k->t, "%s is in use, but no server answers: %s", k->dir.path,
	    strerrordesc_np(errno));
	if (fd >= 0)
		(void)close(fd);
	return err_of(E_LOCKED);
}

/* Only one may change the root key file. */
static err
take_keys(struct keying *k)
{
	k->only_us =
	    openat(k->dir.fd, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (k->only_us < 0) {
		trail_set(k->t, "%s/keys: %s", k->dir.path,
		    strerrordesc_np(errno));
		return err_of(errno == ENOENT ? E_NOT_FOUND : E_DENIED);
	}
	if (flock(k->only_us, LOCK_EX | LOCK_NB) == 0)
		return OK;
	trail_set(k->t, "another redoubt key is at work on %s", k->dir.path);
	return err_of(E_LOCKED);
}

err
keying_local(struct keying *k)
{
	struct local *l = mem_new(1, sizeof *l);
	err e;

	if (l == NULL)
		return err_of(E_NO_MEMORY);
	e = local_open(l, &k->dir, &k->config, k->a, k->t);
	if (err_ok(e))
		k->local = l;
	else
		mem_free(l);
	return e;
}

err
keying_begin(struct keying *k, const char *dir, bool changes)
{
	struct trail quiet = {{0}};
	err e;

	TRY(confine_light(k->t));
	TRY(datadir_open(dir, k->t, &k->dir));
	TRY(plan_config(&k->dir, NULL, k->a, k->t, &k->config));
	if (changes)
		TRY(take_keys(k));
	e = datadir_lock(&k->dir, 0, &quiet, &k->lock);
	if (err_ok(e))
		return OK;
	if (!err_is(e, E_LOCKED)) {
		*k->t = quiet;
		return e;
	}
	k->online = true;
	return OK;
}

void
keying_end(struct keying *k)
{
	if (k->local != NULL)
		local_close(k->local);
	mem_free(k->local);
	if (k->lock >= 0)
		(void)close(k->lock);
	if (k->only_us >= 0)
		(void)close(k->only_us);
	datadir_close(&k->dir);
}

err
keying_run(struct arena *a, const char *dir, struct trail *t, bool changes,
    err (*fn)(struct keying *k, struct str *ret), const void *arg,
    struct str *ret)
{
	struct keying k = {.a = a,
	    .t = t,
	    .dir = {.fd = -1},
	    .lock = -1,
	    .only_us = -1,
	    .arg = arg};
	err e = keying_begin(&k, dir, changes);

	if (err_ok(e))
		e = fn(&k, ret);
	keying_end(&k);
	return e;
}

/* ---- asking it ---- */

static err
err_named(struct str name)
{
	for (unsigned i = 0; i < E_MAX_; i++)
		if (str_is(name, err_name(err_of((enum err_code)i))))
			return err_of((enum err_code)i);
	return err_of(E_INTERNAL);
}

/* Its own error, when it answers one. */
err
keying_understand(struct keying *k, struct str text, const struct json **ret)
{
	static const struct json_limits lim = {16, 1000, 100000};
	struct str name, detail;

	TRY(json_parse(k->a, text, &lim, k->t, ret));
	name = json_str_at(*ret, STR("error"));
	if (name.p == NULL)
		return err_of((*ret)->kind == JSON_OBJECT ? E_OK : E_PEER);
	detail = json_str_at(*ret, STR("detail"));
	trail_set(k->t, "%.*s", STR_ARG(str_head(detail, 190)));
	return err_named(name);
}

err
keying_ask(struct keying *k, const char *what, const char *arg, int ms,
    struct str *ret)
{
	const struct json *j;
	struct buf ask, b;
	int fd;
	err e;

	buf_init_on(&ask, k->a, TALK_ASK_MAX);
	buf_c(&ask, what);
	buf_c(&ask, arg);
	TRY(buf_check(&ask));
	TRY(keying_connect(k, &fd));
	buf_init_on(&b, k->a, TALK_ANSWER_MAX);
	e = talk_say(fd, TALK_MS, buf_view(&ask));
	if (err_ok(e))
		e = talk_hear(fd, ms, &b);
	(void)close(fd);
	if (err_is(e, E_UNAVAILABLE))
		trail_set(k->t,
		    "the server went away; what was done so far "
		    "stays, do it again to finish");
	if (err_is(e, E_TIMEOUT))
		trail_set(k->t, "the server does not answer");
	TRY(e);
	*ret = buf_view(&b);
	return keying_understand(k, *ret, &j);
}
