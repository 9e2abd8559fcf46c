/* mask_set.c: from secrets to what is looked for. */
#include "base/mem.h"
#include "delegate/mask_inner.h"

/*
 * The secrets are gone through twice: once to count, so that all that is
 * made of them lies in one piece of memory that is wiped, once to fill it.
 */
struct maker {
	struct mask_index *index; /* NULL: counting */
	size_t patterns[2];	  /* raw, squeezed */
	char *text;
	size_t text_n;
};

static size_t
distinct(struct str s)
{
	bool seen[256] = {false};
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		n += !seen[(unsigned char)s.p[i]];
		seen[(unsigned char)s.p[i]] = true;
	}
	return n;
}

enum { DISTINCT = 4 };

/* Lines of dashes and blanks are everywhere. */
static bool
telling(struct str s)
{
	return s.n >= PATTERN_MIN && distinct(s) >= DISTINCT &&
	    !str_starts(s, STR("-----"));
}

static void
pattern(struct maker *k, int which, struct str s)
{
	if (!telling(s))
		return;
	k->patterns[which]++;
	if (k->index != NULL)
		mask_index_add(&k->index[which], s.p, s.n);
}

/* A form as one pattern, or as pieces of one, the last at its end. */
static void
pieces(struct maker *k, int which, struct str s)
{
	if (s.n <= PATTERN_MAX) {
		pattern(k, which, s);
		return;
	}
	for (size_t at = 0; at < s.n; at += PIECE) {
		if (s.n - at < PIECE)
			at = s.n - PIECE;
		pattern(k, which, str_head(str_skip(s, at), PIECE));
	}
}

/* Every `size` bytes of s that begin at a multiple of step. */
static void
fragments(struct maker *k, int which, struct str s, size_t size, size_t step)
{
	if (s.n < size * 2)
		return;
	for (size_t at = 0; at + size <= s.n; at += step)
		pattern(k, which, str_head(str_skip(s, at), size));
}

static void
lines(struct maker *k, int which, struct str s)
{
	struct str line, rest = s;

	while (rest.n > 0) {
		str_cut(rest, '\n', &line, &rest);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == s.n)
			return;
		pieces(k, which, line);
	}
}

static void
patterns(struct maker *k, int which, size_t form, struct str s)
{
	pieces(k, which, s);
	if (mask_form_is_raw(form)) {
		lines(k, which, s);
		fragments(k, which, s, FRAGMENT, 1);
	} else if (mask_form_is_hex(form)) {
		fragments(k, which, s, (size_t)2 * FRAGMENT, 2);
	}
}

/* Keep a text; while counting, only its length. */
static struct str
keep(struct maker *k, struct str s)
{
	char *to;

	k->text_n += s.n;
	if (k->index == NULL)
		return s;
	to = k->text + (k->text_n - s.n);
	memcpy(to, s.p, s.n);
	return str_of(to, s.n);
}

/* b and tmp have room for any form. */
static void
one_secret(struct maker *k, struct str secret, struct buf *scratch,
    struct buf *b, char *tmp)
{
	for (size_t i = 0; mask_form(i, secret, scratch, b); i++) {
		struct squeeze q = {SQ_TEXT, 0};
		struct str s = buf_view(b);
		size_t n;

		if (i > 0 && str_eq(s, secret)) /* public: both are ours */
			continue;
		s = keep(k, s);
		patterns(k, 0, i, s);
		n = mask_squeeze(&q, s, 0, tmp, NULL);
		patterns(k, 1, i, n == s.n ? s : keep(k, str_of(tmp, n)));
	}
}

static size_t
form_room(const struct str *secrets, size_t n)
{
	size_t most = 0;

	for (size_t i = 0; i < n; i++)
		if (secrets[i].n > most)
			most = secrets[i].n;
	return most * FORM_GROWTH + FORM_EXTRA;
}

/* Go through all forms of all secrets. */
static err
make(struct maker *k, const struct str *secrets, size_t n)
{
	size_t room = form_room(secrets, n);
	char *tmp = mem_new(room, 1);
	struct buf b, scratch;
	err e = OK;

	buf_init(&b, room);
	buf_init(&scratch, room);
	if (tmp == NULL || !buf_room(&b, room) || !buf_room(&scratch, room))
		e = err_of(E_NO_MEMORY);
	for (size_t i = 0; i < n && err_ok(e); i++) {
		one_secret(k, secrets[i], &scratch, &b, tmp);
		BUG_ON(b.failed || scratch.failed);
	}
	if (b.p != NULL)
		mem_wipe(b.p, b.cap);
	if (scratch.p != NULL)
		mem_wipe(scratch.p, scratch.cap);
	if (tmp != NULL)
		mem_wipe(tmp, room);
	buf_done(&b);
	buf_done(&scratch);
	mem_free(tmp);
	return e;
}

static err
check(const struct str *secrets, size_t n, struct trail *t)
{
	if (n > MASK_SECRETS) {
		trail_set(t, "more than %d secrets", MASK_SECRETS);
		return err_of(E_LIMIT);
	}
	for (size_t i = 0; i < n; i++) {
		if (secrets[i].n > MASK_MAX) {
			trail_set(t, "secret %zu is over %d bytes", i + 1,
			    MASK_MAX);
			return err_of(E_LIMIT);
		}
		if (secrets[i].n >= MASK_MIN && telling(secrets[i]))
			continue;
		if (secrets[i].n >= PIECE && distinct(secrets[i]) >= DISTINCT)
			continue;
		trail_set(t, "secret %zu cannot be masked: %s", i + 1,
		    secrets[i].n < MASK_MIN ? "it is under 8 bytes"
					    : "it would hide ordinary text");
		return err_of(E_INVALID);
	}
	return OK;
}

err
mask_set_new(const struct str *secrets, size_t n, struct trail *t,
    struct mask_set **ret)
{
	struct maker k = {0};
	struct mask_set *s;
	size_t first;
	err e;

	TRY(check(secrets, n, t));
	TRY(make(&k, secrets, n));
	s = mem_new(1, sizeof *s);
	if (s == NULL)
		return err_of(E_NO_MEMORY);
	s->empty = n == 0;
	first = mask_index_size(k.patterns[0]);
	s->size = first + mask_index_size(k.patterns[1]) + k.text_n;
	if (s->size > MASK_MEMORY * 3 / 4) {
		mem_free(s);
		trail_set(t, "the secrets are too long to be masked");
		return err_of(E_LIMIT);
	}
	s->memory = mem_pages_new(s->size);
	if (s->memory == NULL) {
		mem_free(s);
		return err_of(E_NO_MEMORY);
	}
	mask_index_init(&s->index[0], k.patterns[0], s->memory);
	mask_index_init(&s->index[1], k.patterns[1], s->memory + first);
	k = (struct maker){.index = s->index,
	    .text = s->memory + s->size - k.text_n};
	e = make(&k, secrets, n);
	if (!err_ok(e))
		s = mask_set_free(s);
	else
		*ret = s;
	return e;
}

struct mask_set *
mask_set_free(struct mask_set *s)
{
	if (s == NULL)
		return NULL;
	mem_wipe(s->memory, s->size);
	mem_pages_free(s->memory, s->size);
	mem_free(s);
	return NULL;
}

size_t
mask_set_memory(const struct mask_set *s)
{
	return s->size + sizeof *s;
}
