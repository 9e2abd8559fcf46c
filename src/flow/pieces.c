/* pieces.c: see pieces.h. */
#include "flow/pieces.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/time.h"
#include "flow/writer.h"

enum {
	PIECE_MEMORY = 96 * 1024 * 1024,
	TIRED_MS = 250,
	NAP_MS = 50,
	YIELD_US = 100000
};

void
pieces_init(struct pieces *p, const struct rotation *r, struct trail *t)
{
	*p = (struct pieces){.r = r, .t = t};
	arena_init(&p->a, PIECE_MEMORY);
}

void
pieces_done(struct pieces *p)
{
	arena_done(&p->a);
}

static bool
stopped(const struct pieces *p)
{
	return p->r->stop != NULL && atomic_load(p->r->stop);
}

err
pieces_go_on(struct pieces *p)
{
	if (!stopped(p))
		return OK;
	trail_set(p->t, "the server stops; run it again to finish");
	return err_of(E_UNAVAILABLE);
}

err
pieces_next(struct pieces *p)
{
	arena_reset(&p->a);
	return pieces_go_on(p);
}

void
pieces_yield(const struct pieces *p, int64_t since)
{
	int64_t us = time_mono_us() - since;
	struct timespec t;

	if (p->r->tend != NULL) /* nobody else is here */
		return;
	if (us > YIELD_US)
		us = YIELD_US;
	t = (struct timespec){.tv_nsec = us * 1000};
	(void)nanosleep(&t, NULL);
}

void
pieces_rest(struct pieces *p, int ms)
{
	for (; ms > 0 && !stopped(p); ms -= NAP_MS)
		(void)poll(NULL, 0, ms < NAP_MS ? ms : NAP_MS);
}

err
pieces_do(struct pieces *p, err (*fn)(struct lane *l, void *arg), void *arg)
{
	for (;;) {
		err e;

		TRY(pieces_go_on(p));
		e = writer_do(p->r->st->writer, fn, arg);
		if (!err_is(e, E_RATE)) {
			if (p->r->tend != NULL)
				p->r->tend(p->r->ctx);
			return e;
		}
		pieces_rest(p, TIRED_MS);
	}
}

err
pieces_record(struct pieces *p, struct lane *l, enum audit_action action,
    const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n;

	(void)p;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof text)
		return err_of(E_INTERNAL);
	return ledger_system(writer_ledger(l->writer), l,
	    desk_arena(writer_desk(l->writer)), action, str_c(text),
	    time_now_ms());
}

err
pieces_see(struct lane *l, struct project_keys *keys,
    const struct class_key *ck, size_t n)
{
	struct snap *s;

	TRY(snap_new(l->snap->version + 1, l->snap->world, keys, ck, n, &s));
	writer_snap(l->writer, s);
	return OK;
}

/* ---- old keys ---- */

static int
by_id(const void *a, const void *b)
{
	const struct old_key *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

err
old_keys_list(const struct snap *s, struct arena *a, struct old_keys *ret)
{
	ret->n = 0;
	ret->key = arena_array(a, s->class_keys_n + 1, sizeof *ret->key);
	TRY(arena_check(a));
	for (size_t i = 0; i < s->class_keys_n; i++) {
		const struct class_key *k = &s->class_keys[i];
		uint32_t newest = snap_class_key(s, k->project, k->class);

		if (rotate_class(k->class) && newest != k->id)
			ret->key[ret->n++] = (struct old_key){k->id, newest, 0};
	}
	qsort(ret->key, ret->n, sizeof *ret->key, by_id);
	return OK;
}

struct old_key *
old_keys_find(const struct old_keys *o, uint32_t id)
{
	struct old_key want = {.id = id};

	return bsearch(&want, o->key, o->n, sizeof want, by_id);
}
