#include "delegate/mask.h"

#include "base/mem.h"
#include "delegate/mask_inner.h"

/*
 * The window holds what has come and has not gone.  Marks say which bytes of
 * it are secret.  A byte goes when no pattern that is still open can begin
 * at or before it; only a pattern stretched by white space or sequences can
 * stay open for long, and HOLD ends that.
 */
enum {
	SLICE = 32 * 1024,
	HOLD = 32 * 1024,
	WINDOW = SLICE + HOLD + PATTERN_MAX,
	LINE_END = 4,
};

struct masker {
	const struct mask_set *set;
	size_t n;  /* bytes of text */
	size_t at; /* of text: looked through to here */
	size_t squeezed_n, squeezed_at;
	struct squeeze squeeze;
	bool masking; /* the last byte that went was secret */
	bool marked;  /* there are marks */
	char text[WINDOW];
	char mark[WINDOW];
	char squeezed[WINDOW];
	uint32_t pos[WINDOW]; /* of squeezed, in text */
};

err
masker_new(const struct mask_set *set, struct masker **ret)
{
	struct masker *m = mem_pages_new(sizeof *m);

	_Static_assert(sizeof *m < MASK_MEMORY / 4, "both fit");
	if (m == NULL)
		return err_of(E_NO_MEMORY);
	m->set = set;
	*ret = m;
	return OK;
}

struct masker *
masker_free(struct masker *m)
{
	if (m == NULL)
		return NULL;
	mem_wipe(m, sizeof *m);
	mem_pages_free(m, sizeof *m);
	return NULL;
}

static void
found(void *ctx, size_t from, size_t n)
{
	struct masker *m = ctx;

	memset(m->mark + from, 1, n);
	m->marked = true;
}

static void
found_squeezed(void *ctx, size_t from, size_t n)
{
	struct masker *m = ctx;
	uint32_t first = m->pos[from], last = m->pos[from + n - 1];

	found(m, first, (size_t)(last - first) + 1);
}

/*
 * A line that ends with one to three bytes that could begin a wrapped secret
 * is not waited for: nearly every line does.
 */
static bool
not_worth_waiting(const struct masker *m)
{
	return m->squeezed_n - m->squeezed_at < LINE_END && m->n > 0 &&
	    m->text[m->n - 1] == '\n';
}

static void
look(struct masker *m, bool end)
{
	const struct mask_set *s = m->set;

	mask_index_scan(&s->index[0], str_of(m->text, m->n), end, &m->at, found,
	    m);
	for (;;) {
		mask_index_scan(&s->index[1],
		    str_of(m->squeezed, m->squeezed_n), end, &m->squeezed_at,
		    found_squeezed, m);
		if (m->squeezed_at == m->squeezed_n ||
		    m->n - m->pos[m->squeezed_at] <= HOLD)
			return;
		m->squeezed_at++; /* open for too long */
	}
}

/* How much of the text can go. */
static size_t
sure(const struct masker *m)
{
	size_t n = m->at;

	if (m->squeezed_at < m->squeezed_n && m->pos[m->squeezed_at] < n)
		n = m->pos[m->squeezed_at];
	return n;
}

static void
write_marked(struct masker *m, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n;) {
		char is = m->mark[i];
		const char *end = memchr(m->mark + i, is == 0 ? 1 : 0, n - i);
		size_t k = end == NULL ? n - i : (size_t)(end - m->mark) - i;

		if (is == 0)
			buf_add(out, m->text + i, k);
		else if (!m->masking)
			buf_c(out, "***");
		m->masking = is != 0;
		i += k;
	}
}

/* The first n bytes go. */
static void
emit(struct masker *m, size_t n, struct buf *out)
{
	size_t left = m->n - n, squeezed = m->squeezed_n - m->squeezed_at;

	if (n == 0)
		return;
	if (m->marked) {
		write_marked(m, n, out);
	} else {
		buf_add(out, m->text, n);
		m->masking = false;
	}
	memmove(m->text, m->text + n, left);
	if (m->marked) {
		memmove(m->mark, m->mark + n, left);
		memset(m->mark + left, 0, n);
		m->marked = memchr(m->mark, 1, left) != NULL;
	}
	memmove(m->squeezed, m->squeezed + m->squeezed_at, squeezed);
	for (size_t i = 0; i < squeezed; i++)
		m->pos[i] = m->pos[m->squeezed_at + i] - (uint32_t)n;
	m->n = left;
	m->at -= n;
	m->squeezed_n = squeezed;
	m->squeezed_at = 0;
}

void
mask_add(struct masker *m, struct str in, struct buf *out)
{
	if (m->set->empty) {
		buf_str(out, in);
		return;
	}
	while (in.n > 0) {
		struct str some = str_head(in, SLICE);

		memcpy(m->text + m->n, some.p, some.n);
		m->squeezed_n += mask_squeeze(&m->squeeze, some, (uint32_t)m->n,
		    m->squeezed + m->squeezed_n, m->pos + m->squeezed_n);
		m->n += some.n;
		look(m, false);
		in = str_skip(in, some.n);
		if (in.n == 0 && not_worth_waiting(m))
			m->squeezed_at = m->squeezed_n;
		emit(m, sure(m), out);
	}
}

void
mask_end(struct masker *m, struct buf *out)
{
	look(m, true);
	emit(m, m->n, out);
	m->at = m->squeezed_n = m->squeezed_at = 0;
	m->squeeze = (struct squeeze){SQ_TEXT, 0};
	m->masking = false;
}

err
mask_text(const struct mask_set *set, struct str in, struct buf *out)
{
	struct masker *m;

	TRY(masker_new(set, &m));
	mask_add(m, in, out);
	mask_end(m, out);
	m = masker_free(m);
	return buf_check(out);
}
