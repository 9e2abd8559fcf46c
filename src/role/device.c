#include "role/device.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "ipc/settings.h"
#include "role/device_inner.h"

enum { PIN_MAX = 256, ANSWER = 8192 };

/* Where drivers look for their settings; what they keep lies beside them. */
static const char *const drivers[] = {"SOFTHSM2_CONF", "OPENSC_CONF",
    "YUBIHSM_PKCS11_CONF"};

static err
fail(const struct unlocking *k, enum err_code code, const char *why)
{
	trail_set(k->t, "%s", why);
	return err_of(code);
}

/* ---- the child ---- */

static err
confined(struct trail *t)
{
	const char *writable[sizeof drivers / sizeof *drivers + 1] = {NULL};
	static char dir[sizeof drivers / sizeof *drivers][PATH_MAX];
	size_t n = 0;

	for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
		const char *conf = getenv(drivers[i]), *end;

		end = conf == NULL ? NULL : strrchr(conf, '/');
		if (end == NULL || end == conf || end - conf >= PATH_MAX)
			continue;
		memcpy(dir[i], conf, (size_t)(end - conf));
		writable[n++] = dir[i];
	}
	return confine_device(writable, n, t);
}

static _Noreturn void
child(device_fn *fn, const struct device_job *j, int out)
{
	struct trail t = {{0}};
	char report[REPORT_MAX] = {0};
	struct buf b = {.max = ANSWER};
	size_t n;
	err e;

	(void)prctl(PR_SET_NAME, "redoubt-device", 0, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)signal(SIGALRM, SIG_DFL);
	(void)alarm(LIM_DEVICE_MS / 1000);
	e = confined(&t);
	if (err_ok(e) && !buf_room(&b, ANSWER))
		e = err_of(E_NO_MEMORY);
	if (err_ok(e))
		e = fn(j, &t, &b);
	n = report_encode(report, e, &t);
	if (write(out, report, REPORT_MAX) != REPORT_MAX ||
	    (err_ok(e) && write(out, b.p, b.n) != (ssize_t)b.n))
		_exit(1);
	(void)n;
	_exit(0);
}

/* The rest of what it said is in *ret, which the caller wipes. */
static err
heard(int fd, struct trail *t, struct buf *ret)
{
	struct trail said = {{0}};
	err e = fd_read_all(fd, ANSWER + REPORT_MAX, ret), told;
	size_t n;

	TRY(e);
	if (ret->n < REPORT_MAX) {
		trail_set(t, "its driver failed, or took too long");
		return err_of(E_UNAVAILABLE);
	}
	n = strnlen(ret->p + 2, REPORT_MAX - 2);
	TRY(report_decode(str_head(buf_view(ret), n + 2), &said, &told));
	if (!err_ok(told))
		trail_set(t, "%s",
		    said.detail[0] != '\0' ? said.detail : err_text(told));
	return told;
}

static err
apart(device_fn *fn, const struct device_job *j, struct trail *t,
    struct buf *ret)
{
	int fds[2], status;
	pid_t pid;
	err e;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_of(E_UNAVAILABLE);
	pid = fork();
	if (pid == 0) {
		(void)close(fds[0]);
		child(fn, j, fds[1]);
	}
	(void)close(fds[1]);
	e = pid < 0 ? err_of(E_UNAVAILABLE) : heard(fds[0], t, ret);
	(void)close(fds[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return e;
}

/* ---- PINs ---- */

/* word: "none", "ask", or "@" and where it is. */
static err
pin_of(const struct unlocking *k, struct str word, struct str said,
    struct device_job *j)
{
	struct str path;
	struct buf b;
	int fd;
	err e;

	j->has_pin = !str_is(word, "none");
	j->pin = said;
	if (!j->has_pin || str_is(word, "ask"))
		return OK;
	if (word.n < 2 || word.p[0] != '@' ||
	    !err_ok(url_decode(k->a, str_skip(word, 1), &path)))
		return fail(k, E_CORRUPT, "its line is damaged");
	TRY(root_key_open(k->dir, path, k->t, &fd));
	e = fd_read_all(fd, PIN_MAX, &b);
	(void)close(fd);
	j->pin = arena_dup(k->a, str_trim(buf_view(&b)));
	while (str_ends(j->pin, STR("\n")))
		j->pin.n--;
	buf_wipe(&b);
	return e;
}

static err
pin_word(const struct unlocking *k, const struct unlock_spec *s,
    const struct person *p, struct str *ret_word, struct device_job *j)
{
	struct buf b;

	if (s->ask_pin) {
		*ret_word = STR("ask");
		j->has_pin = true;
		return p->ask(p->ctx, "PIN", true, &j->pin);
	}
	*ret_word = STR("none");
	if (s->pin.n == 0)
		return OK;
	buf_init_on(&b, k->a, 3 * s->pin.n + 2);
	buf_char(&b, '@');
	url_encode(&b, s->pin);
	TRY(buf_check(&b));
	*ret_word = buf_view(&b);
	return pin_of(k, *ret_word, STR(""), j);
}

/* ---- open ---- */

static bool
bytes_of(const struct unlocking *k, struct str word, struct str *ret)
{
	return b64url_decode(k->a, word, ret);
}

static err
job_of(const struct unlocking *k, const struct unlocker *u, struct str said,
    struct device_job *j)
{
	bool p11 = u->kind == UNLOCK_PKCS11;
	bool good = unlocker_word(k->a, u, 0, &j->a) &&
	    unlocker_word(k->a, u, 1, &j->b);

	if (p11)
		good = good && unlocker_word(k->a, u, 2, &j->c) &&
		    bytes_of(k, u->word[4], &j->held[0]);
	else
		good = good && bytes_of(k, u->word[3], &j->held[0]) &&
		    bytes_of(k, u->word[4], &j->held[1]);
	if (!good)
		return fail(k, E_CORRUPT, "its line is damaged");
	return pin_of(k, u->word[p11 ? 3 : 2], said, j);
}

err
device_open(const struct unlocking *k, const struct unlocker *u,
    struct str said, struct secret *ret)
{
	struct device_job j = {.key = NULL};
	struct trail why = {{0}};
	struct buf b = {.max = 0};
	err e;

	TRY(job_of(k, u, said, &j));
	e = apart(u->kind == UNLOCK_PKCS11 ? device_pkcs11 : device_tpm2, &j,
	    &why, &b);
	if (err_ok(e) && b.n != REPORT_MAX + SECRET_SIZE)
		e = err_of(E_CORRUPT);
	if (err_ok(e))
		memcpy(secret_bytes(ret), b.p + REPORT_MAX, SECRET_SIZE);
	else
		trail_set(k->t, "%s %.*s: %s", unlocker_kind_name(u->kind),
		    STR_ARG(u->name), why.detail);
	buf_wipe(&b);
	return e;
}

/* ---- make ---- */

static struct str
b64_word(const struct unlocking *k, struct cur *c)
{
	struct str bytes = cur_view(c, cur_be16(c));
	struct buf b;

	buf_init_on(&b, k->a, 2 * bytes.n + 8);
	b64url_add(&b, bytes);
	return b.failed ? STR_NONE : buf_view(&b);
}

static err
made(const struct unlocking *k, device_fn *fn, const struct device_job *j,
    struct str *ret, size_t n)
{
	struct buf b = {.max = 0};
	struct cur c;
	err e = apart(fn, j, k->t, &b);

	if (err_ok(e)) {
		c = cur_of(str_skip(buf_view(&b), REPORT_MAX));
		for (size_t i = 0; i < n; i++)
			ret[i] = b64_word(k, &c);
		if (!cur_end(&c))
			e = err_of(E_CORRUPT);
	}
	buf_wipe(&b);
	return err_ok(e) ? arena_check(k->a) : e;
}

static err
make_pkcs11(const struct unlocking *k, const struct person *p,
    const struct unlock_spec *s, struct unlocker *u, struct device_job *j)
{
	if (s->module.n == 0 || s->module.p[0] != '/' || s->token.n == 0)
		return fail(k, E_INVALID,
		    "an absolute path of its module and the token's label "
		    "are needed");
	j->a = s->module;
	j->b = s->token;
	j->c = s->key.n > 0 ? s->key : STR("redoubt-root");
	u->word[0] = unlocker_encode(k->a, j->a);
	u->word[1] = unlocker_encode(k->a, j->b);
	u->word[2] = unlocker_encode(k->a, j->c);
	TRY(pin_word(k, s, p, &u->word[3], j));
	return made(k, device_pkcs11, j, &u->word[4], 1);
}

static err
make_tpm2(const struct unlocking *k, const struct person *p,
    const struct unlock_spec *s, struct unlocker *u, struct device_job *j)
{
	j->a = s->tcti.n > 0 ? s->tcti : STR("device:/dev/tpmrm0");
	j->b = s->pcrs.n > 0 ? s->pcrs : STR("-");
	u->word[0] = unlocker_encode(k->a, j->a);
	u->word[1] = unlocker_encode(k->a, j->b);
	TRY(pin_word(k, s, p, &u->word[2], j));
	return made(k, device_tpm2, j, &u->word[3], 2);
}

err
device_make(const struct unlocking *k, const struct person *p,
    const struct unlock_spec *s, struct unlocker *u, struct secret *ret_key)
{
	uint8_t key[SECRET_SIZE];
	struct device_job j = {.key = key};
	err e;

	rand_bytes(key, sizeof key);
	memcpy(secret_bytes(ret_key), key, sizeof key);
	e = u->kind == UNLOCK_PKCS11 ? make_pkcs11(k, p, s, u, &j)
				     : make_tpm2(k, p, s, u, &j);
	mem_wipe(key, sizeof key);
	return e;
}
