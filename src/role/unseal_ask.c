/* unseal_ask.c: `redoubt key seal` and `unseal`: the side that asks. */
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "role/keying.h"
#include "role/serve.h"
#include "role/talk.h"
#include "role/unlock.h"

enum { OPEN_MS = 120000, SEAL_WAIT_MS = 30000 };

static err
done_json(struct keying *k, bool sealed, int64_t start, struct str *ret)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, k->a, 256);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kbool(&w, "online", k->online);
	jw_kbool(&w, "sealed", sealed);
	jw_name(&w, STR("ms"));
	jw_i64(&w, (time_mono_us() - start) / 1000);
	jw_obj_end(&w);
	*ret = buf_view(&b);
	return buf_check(&b);
}

/* ---- unseal ---- */

static err
ask_text(const struct unlock_lines *l, struct buf *b)
{
	struct jw w;

	/* At its full size at once: a buf that grows leaves copies. */
	if (!buf_room(b, UNSEAL_ASK_MAX))
		return err_of(E_NO_MEMORY);
	buf_c(b, "unseal ");
	jw_init(&w, b);
	jw_obj(&w);
	jw_kstr(&w, "source", l->source);
	jw_name(&w, STR("lines"));
	jw_arr(&w);
	for (size_t i = 0; i < l->n; i++)
		jw_str(&w, l->line[i]);
	jw_arr_end(&w);
	jw_obj_end(&w);
	return err_of(b->failed ? E_TOO_LARGE : E_OK);
}

static err
say(struct keying *k, const struct unlock_lines *l)
{
	struct buf ask = {.max = UNSEAL_ASK_MAX}, b;
	const struct json *j;
	int fd;
	err e;

	k->t->detail[0] = '\0';
	TRY(keying_connect(k, &fd));
	buf_init_on(&b, k->a, TALK_ANSWER_MAX);
	e = ask_text(l, &ask);
	if (err_ok(e))
		e = talk_say(fd, TALK_MS, buf_view(&ask));
	if (ask.p != NULL)
		mem_wipe(ask.p, ask.cap);
	buf_done(&ask);
	if (err_ok(e))
		e = talk_hear(fd, OPEN_MS, &b);
	(void)close(fd);
	TRY(e);
	return keying_understand(k, buf_view(&b), &j);
}

/* The server that starts now answers when it has opened everything. */
static err
serves(struct keying *k)
{
	struct str ignored;

	return keying_ask(k, "status", "", OPEN_MS, &ignored);
}

static err
online(struct keying *k)
{
	struct unlock_lines l = {.source = *(const struct str *)k->arg};
	err e = OK;

	if (l.source.n == 0)
		e = say(k, &l); /* it may need nobody */
	if (l.source.n == 0 && !err_is(e, E_SEALED))
		return e;
	k->t->detail[0] = '\0';
	TRY(unlock_collect(k->a, role_person(), "Passphrase or share", k->t,
	    &l));
	return say(k, &l);
}

/* No server: what keeps the next one sealed is taken away. */
static err
offline(struct keying *k)
{
	bool was = unlinkat(k->dir.fd, "db/" SEALED_MARK, 0) == 0;

	if (was)
		return OK;
	trail_set(k->t, "no server runs on %s; start it, then unseal it",
	    k->dir.path);
	return err_of(E_UNAVAILABLE);
}

static err
unseal(struct keying *k, struct str *ret)
{
	int64_t start = time_mono_us();

	if (!k->online) {
		TRY(offline(k));
		return done_json(k, false, start, ret);
	}
	TRY(online(k));
	TRY(serves(k));
	return done_json(k, false, start, ret);
}

/* ---- seal ---- */

static err
seal(struct keying *k, struct str *ret)
{
	const struct str *reason = k->arg;
	const char *text = arena_cstr(k->a, *reason);
	int64_t start = time_mono_us();
	struct str ignored;
	err e;
	int fd;

	if (reason->n == 0 || text == NULL) {
		trail_set(k->t, "a reason is needed");
		return err_of(E_INVALID);
	}
	if (k->online) {
		TRY(keying_ask(k, "seal ", text, SEAL_WAIT_MS, &ignored));
		return done_json(k, true, start, ret);
	}
	fd = openat(k->dir.fd, "db", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	e = fd < 0 ? err_of(E_NOT_FOUND) : sealed_mark(fd);
	if (fd >= 0)
		(void)close(fd);
	TRY(e);
	return done_json(k, true, start, ret);
}

err
role_key_seal(struct arena *a, const char *dir, struct str reason,
    struct trail *t, struct str *ret)
{
	return keying_run(a, dir, t, false, seal, &reason, ret);
}

err
role_key_unseal(struct arena *a, const char *dir, struct str source,
    struct trail *t, struct str *ret)
{
	return keying_run(a, dir, t, false, unseal, &source, ret);
}
