/* backup_serve.c: see backup_wire.h. */
#include "role/backup_wire.h"

#include "base/mem.h"
#include "role/talk.h"

struct serving {
	int fd;
	char out[FRAME_MAX + 4]; /* one frame being filled */
	size_t n;
	struct buf base;
};

static err
flush(struct serving *s)
{
	size_t n = s->n;

	for (size_t i = 0; i < 4; i++)
		s->out[i] = (char)(n >> 8 * (3 - i));
	s->n = 0;
	return talk_put(s->fd, LIM_BACKUP_STALL_MS, str_of(s->out, n + 4));
}

static err
put(void *ctx, struct str bytes)
{
	struct serving *s = ctx;

	while (bytes.n > 0) {
		struct str part = str_head(bytes, FRAME_MAX - s->n);

		memcpy(s->out + 4 + s->n, part.p, part.n);
		s->n += part.n;
		bytes = str_skip(bytes, part.n);
		if (s->n == FRAME_MAX)
			TRY(flush(s));
	}
	return OK;
}

/* What is left, and the frame without anything. */
static err
end(struct serving *s)
{
	if (s->n > 0)
		TRY(flush(s));
	return flush(s);
}

static err
base(struct serving *s, struct str ask, struct backup_job *j)
{
	struct str verb, count;
	uint64_t n;

	if (!str_cut(ask, ' ', &verb, &count) ||
	    !str_u64(count, 0, LIM_BACKUP_LIST, &n) ||
	    (n > 0 && n <= BACKUP_HEAD))
		return err_of(E_INVALID);
	TRY(talk_say(s->fd, TALK_MS, STR("{\"go\":true}")));
	if (!buf_room(&s->base, n + 1))
		return err_of(E_NO_MEMORY);
	TRY(talk_get(s->fd, LIM_BACKUP_STALL_MS, s->base.p, n));
	s->base.n = n;
	j->base_head = str_head(buf_view(&s->base), BACKUP_HEAD);
	j->base_list = str_skip(buf_view(&s->base), BACKUP_HEAD);
	return OK;
}

static err
stream(struct serving *s, struct backup_job *j, struct trail *t,
    struct backup_made *made)
{
	TRY(backup_file(j, t, made));
	TRY(end(s));
	TRY(backup_keys(j, made, t));
	return end(s);
}

static err
whole(struct serving *s, struct str ask, struct backup_job *j, struct trail *t,
    struct buf *b)
{
	struct backup_made made;
	struct buf said;
	err e;

	TRY(base(s, ask, j));
	e = stream(s, j, t, &made);
	if (!err_ok(e)) {
		err_ignore(talk_put(s->fd, TALK_MS, STR("\xff\xff\xff\xff")),
		    "who does not listen has no use for it");
		return e;
	}
	buf_init(&said, TALK_ASK_MAX);
	e = talk_hear(s->fd, -1, &said);
	if (err_ok(e) && !str_is(buf_view(&said), "verified"))
		e = err_of(E_PEER);
	buf_done(&said);
	if (err_ok(e))
		e = backup_verified(j, &made);
	backup_json(b, &made);
	return e;
}

err
backup_serve(struct state *st, int fd, struct str ask, const char *by,
    const atomic_bool *stop, struct trail *t, struct buf *b)
{
	struct serving *s = mem_new(1, sizeof *s);
	struct backup_job j = {.st = st,
	    .put = put,
	    .ctx = s,
	    .stop = stop,
	    .by = by};
	err e;

	if (s == NULL)
		return err_of(E_NO_MEMORY);
	s->fd = fd;
	buf_init(&s->base, (size_t)LIM_BACKUP_LIST + 1);
	e = whole(s, ask, &j, t, b);
	buf_done(&s->base);
	mem_free(s);
	return e;
}
