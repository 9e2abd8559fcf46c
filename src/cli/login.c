/*
 * Which server, as whom.  The login file holds a token, so it is ours alone
 * (mode 0600) or it is not read; and its token goes to its own server only.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { FILE_MAX = 16384, SECRET_MAX = 1024, NAME_RANDOM = 12 };

static err
trouble(struct trail *t, const char *what, const char *path)
{
	trail_set(t, "cannot %s %s: %s", what, path, strerrordesc_np(errno));
	return err_of(E_CONFIG);
}

/* ---- reading ---- */

static struct str
environment(const char *name)
{
	const char *v = getenv(name);

	return v == NULL || *v == '\0' ? STR_NONE : str_c(v);
}

err
login_path(struct arena *a, struct trail *t, const char **ret)
{
	struct str base = environment("XDG_CONFIG_HOME");
	struct buf b;

	buf_init_on(&b, a, 4096);
	if (base.n > 0 && base.p[0] == '/') {
		buf_str(&b, base);
	} else {
		base = environment("HOME");
		if (base.n == 0 || base.p[0] != '/') {
			trail_set(t, "neither XDG_CONFIG_HOME nor HOME is set");
			return err_of(E_CONFIG);
		}
		buf_str(&b, base);
		buf_c(&b, "/.config");
	}
	buf_c(&b, "/redoubt/login.json");
	buf_char(&b, '\0');
	TRY(buf_check(&b));
	*ret = b.p;
	return OK;
}

static err
is_ours(int fd, const char *path, struct trail *t)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return trouble(t, "read", path);
	if (S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    (st.st_mode & 077) == 0)
		return OK;
	trail_set(t,
	    "%s must be a file of yours that nobody else can read "
	    "(chmod 600)",
	    path);
	return err_of(E_CONFIG);
}

static err
parse(struct arena *a, struct str text, const char *path, struct trail *t,
    struct login *ret)
{
	static const struct json_limits lim = {4, 16, 32};
	const struct json *j;

	if (!err_ok(json_parse(a, text, &lim, NULL, &j))) {
		trail_set(t, "%s is damaged; use redoubt login", path);
		return err_of(E_CONFIG);
	}
	ret->url = json_str_at(j, STR("url"));
	ret->ca = json_str_at(j, STR("ca"));
	ret->token = json_str_at(j, STR("token"));
	ret->project = json_str_at(j, STR("project"));
	return OK;
}

/* A missing file is an empty login. */
static err
from_file(struct arena *a, struct trail *t, struct login *ret)
{
	struct trail ignored = {0};
	const char *path;
	ssize_t n;
	char *p;
	int fd;
	err e;

	if (!err_ok(login_path(a, &ignored, &path)))
		return OK;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR
		    ? OK
		    : trouble(t, "open", path);
	e = is_ours(fd, path, t);
	p = arena_get(a, FILE_MAX);
	n = err_ok(e) && p != NULL ? read(fd, p, FILE_MAX) : -1;
	close(fd);
	TRY(e);
	TRY(arena_check(a));
	if (n < 0 || n == FILE_MAX)
		return trouble(t, "read", path);
	return parse(a, str_of(p, (size_t)n), path, t, ret);
}

err
login_load(struct arena *a, struct trail *t, struct login *ret)
{
	struct str url = environment("REDOUBT_URL");
	struct str token = environment("REDOUBT_TOKEN");
	struct str ca = environment("REDOUBT_CA");
	struct str project = environment("REDOUBT_PROJECT");
	struct login l = {0};

	/* Everything said: a damaged file must not be in the way. */
	if (url.n == 0 || token.n == 0 || project.n == 0)
		TRY(from_file(a, t, &l));
	if (url.n > 0 && !str_eq(url, l.url))
		l = (struct login){.url = url};
	if (token.n > 0)
		l.token = token;
	if (ca.n > 0)
		l.ca = ca;
	if (project.n > 0)
		l.project = project;
	if (l.project.n == 0)
		l.project = STR("default");
	*ret = l;
	return OK;
}

/* ---- the token, typed or piped ---- */

static volatile sig_atomic_t caught;

static void
on_signal(int sig)
{
	caught = sig;
}

/* Read a line; a signal ends it, after the terminal is itself again. */
static ssize_t
read_line(int fd, char *p, size_t max)
{
	size_t n = 0;

	while (n < max && caught == 0) {
		ssize_t got = read(fd, p + n, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0 || p[n] == '\n')
			break;
		n++;
	}
	return (ssize_t)n;
}

static ssize_t
read_hidden(const char *prompt, char *p, size_t max)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction now = {.sa_handler = on_signal}, was[4];
	struct termios old, quiet;
	ssize_t n;

	if (tcgetattr(STDIN_FILENO, &old) != 0)
		return -1;
	for (size_t i = 0; i < 4; i++)
		(void)sigaction(signals[i], &now, &was[i]);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	(void)dprintf(STDERR_FILENO, "%s: ", prompt);
	n = read_line(STDIN_FILENO, p, max);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	(void)dprintf(STDERR_FILENO, "\n");
	for (size_t i = 0; i < 4; i++)
		(void)sigaction(signals[i], &was[i], NULL);
	if (caught != 0)
		(void)raise(caught);
	return n;
}

err
ask_secret(struct cli *c, const char *prompt, struct str *ret)
{
	char *p = arena_get(c->arena, SECRET_MAX);
	ssize_t n;

	TRY(arena_check(c->arena));
	if (isatty(STDIN_FILENO) == 1)
		n = read_hidden(prompt, p, SECRET_MAX);
	else
		n = read_line(STDIN_FILENO, p, SECRET_MAX);
	if (n <= 0 || n == SECRET_MAX) {
		trail_set(&c->trail, "nothing was read, or too much");
		return err_of(E_INVALID);
	}
	*ret = str_of(p, (size_t)n);
	if (str_ends(*ret, STR("\r")))
		ret->n--;
	return OK;
}

static err
ask_token(struct cli *c, struct str *ret)
{
	TRY(ask_secret(c, "Token", ret));
	*ret = str_trim(*ret);
	if (ret->n > 0 && looks_like_token(*ret))
		return OK;
	trail_set(&c->trail, "what was read is no token");
	return err_of(E_INVALID);
}

/* ---- writing ---- */

/* The directories above path, for the user alone. */
static err
make_parents(struct arena *a, const char *path, struct trail *t)
{
	struct str whole = str_c(path);

	for (size_t i = 1; i < whole.n; i++) {
		const char *dir;

		if (path[i] != '/')
			continue;
		dir = arena_cstr(a, str_head(whole, i));
		if (dir == NULL)
			return err_of(E_NO_MEMORY);
		if (mkdir(dir, 0700) != 0 && errno != EEXIST)
			return trouble(t, "make", dir);
	}
	return OK;
}

err
login_write(struct cli *c, const char *path, struct str text)
{
	char random[NAME_RANDOM];
	struct buf b;
	int fd;
	err e;

	TRY(make_parents(c->arena, path, &c->trail));
	rand_base62(random, sizeof random);
	buf_init_on(&b, c->arena, 8192);
	buf_c(&b, path);
	buf_char(&b, '.');
	buf_add(&b, random, sizeof random);
	buf_char(&b, '\0');
	TRY(buf_check(&b));
	fd = open(b.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0)
		return trouble(&c->trail, "write", b.p);
	e = out_bytes(fd, text, &c->trail);
	if (err_ok(e) && (fsync(fd) != 0 || rename(b.p, path) != 0))
		e = trouble(&c->trail, "write", path);
	close(fd);
	if (!err_ok(e))
		(void)unlink(b.p);
	return e;
}

static err
save(struct cli *c)
{
	const char *path;
	struct buf b;
	struct jw w;
	err e;

	TRY(login_path(c->arena, &c->trail, &path));
	buf_init(&b, FILE_MAX - 1);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "url", c->login.url);
	if (c->login.ca.n > 0)
		jw_kstr(&w, "ca", c->login.ca);
	jw_kstr(&w, "token", c->login.token);
	if (args_has(&c->args, "project"))
		jw_kstr(&w, "project", c->login.project);
	jw_obj_end(&w);
	buf_char(&b, '\n');
	e = buf_check(&b);
	if (err_ok(e))
		e = login_write(c, path, buf_view(&b));
	if (b.p != NULL)
		mem_wipe(b.p, b.n);
	buf_done(&b);
	return e;
}

/* ---- commands ---- */

/* A relative name would mean another file elsewhere. */
static err
absolute(struct cli *c, struct str *path)
{
	const char *name;
	char *real;

	if (path->n == 0)
		return OK;
	name = arena_cstr(c->arena, *path);
	real = arena_get(c->arena, 4097);
	TRY(arena_check(c->arena));
	if (realpath(name, real) == NULL) {
		TRY(trouble(&c->trail, "read", name));
	}
	*path = str_c(real);
	return OK;
}

/* Everything but the token, from flags and the environment. */
static err
where(struct cli *c)
{
	struct str url = args_get(&c->args, "url");
	struct str ca = args_get(&c->args, "ca");
	struct url parsed;

	if (url.p == NULL)
		url = environment("REDOUBT_URL");
	if (url.p == NULL)
		url = STR("https://127.0.0.1:8443");
	if (ca.p == NULL)
		ca = environment("REDOUBT_CA");
	TRY(url_parse(c->arena, url, &c->trail, &parsed));
	TRY(absolute(c, &ca));
	c->login = (struct login){.url = parsed.text,
	    .ca = ca,
	    .project = c->login.project};
	return OK;
}

int
cmd_login(struct cli *c)
{
	struct request r = {.method = "GET",
	    .target = STR("/v1/whoami"),
	    .accept = STR("application/json")};
	struct api x;
	err e = where(c);

	if (err_ok(e))
		e = ask_token(c, &c->login.token);
	if (err_ok(e))
		e = api_ask(c, &r, c->arena, &x);
	if (!err_ok(e))
		return out_error(c, e);
	if (x.head->status >= 300)
		return api_problem(c, &x);
	e = save(c);
	if (!err_ok(e))
		return out_error(c, e);
	return api_show(c, &x);
}

int
cmd_logout(struct cli *c)
{
	const char *path;
	err e = login_path(c->arena, &c->trail, &path);

	if (err_ok(e) && unlink(path) != 0 && errno != ENOENT)
		e = trouble(&c->trail, "remove", path);
	if (!err_ok(e))
		return out_error(c, e);
	return c->json ? out_named(c, "removed", str_c(path)) : EXIT_DONE;
}
