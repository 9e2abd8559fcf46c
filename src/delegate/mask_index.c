#include "delegate/mask_inner.h"

enum { WINDOW = PATTERN_MIN, FAR = WINDOW - BLOCK_MIX + 1 };

static uint32_t
mix3(const char *p, unsigned bits)
{
	uint32_t v = (uint32_t)(uint8_t)p[0] | (uint32_t)(uint8_t)p[1] << 8 |
	    (uint32_t)(uint8_t)p[2] << 16;

	return v * 0x9e3779b1U >> (32 - bits);
}

static uint32_t
mix8(const char *p, unsigned bits)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return (uint32_t)(v * 0x9e3779b97f4a7c15U >> (64 - bits));
}

/* Up to 7 bytes that a text ends with. */
static uint32_t
mix_begin(const char *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	v |= (uint64_t)n << 56;
	return (uint32_t)(v * 0x9e3779b97f4a7c15U >> (64 - BEGIN_BITS));
}

static unsigned
bits_for(size_t n, unsigned least, unsigned most)
{
	unsigned bits = least;

	while (bits < most && (size_t)1 << bits < n)
		bits++;
	return bits;
}

static size_t
round16(size_t n)
{
	return (n + 15) & ~(size_t)15;
}

struct sizes {
	unsigned head_bits, shift_bits;
	size_t pattern, head, shift, begin;
};

/* Where the tables are too full nothing is skipped: 16 for each pattern. */
static struct sizes
sizes(size_t n)
{
	struct sizes s = {.head_bits = bits_for(2 * n, 4, 18),
	    .shift_bits = bits_for(16 * n, 12, 20)};

	s.pattern = round16((n + 1) * sizeof(struct pattern));
	s.head = sizeof(uint32_t) << s.head_bits;
	s.shift = (size_t)1 << s.shift_bits;
	s.begin = ((size_t)1 << BEGIN_BITS) / 8;
	return s;
}

size_t
mask_index_size(size_t patterns)
{
	struct sizes s = sizes(patterns);

	return s.pattern + s.head + s.shift + s.begin;
}

void
mask_index_init(struct mask_index *x, size_t patterns, char *memory)
{
	struct sizes s = sizes(patterns);

	*x = (struct mask_index){.max = patterns,
	    .head_bits = s.head_bits,
	    .shift_bits = s.shift_bits};
	x->pattern = (struct pattern *)(void *)memory;
	x->head = (uint32_t *)(void *)(memory + s.pattern);
	x->shift = (uint8_t *)(memory + s.pattern + s.head);
	x->begin = x->shift + s.shift;
	memset(x->shift, FAR, s.shift);
}

void
mask_index_add(struct mask_index *x, const char *p, size_t n)
{
	uint32_t *head = &x->head[mix8(p, x->head_bits)];

	BUG_ON(x->n == x->max || n < PATTERN_MIN || n > PATTERN_MAX);
	x->pattern[x->n] = (struct pattern){p, *head, (uint32_t)n};
	*head = (uint32_t)++x->n;
	for (size_t i = 0; i < FAR; i++) {
		uint8_t *s = &x->shift[mix3(p + i, x->shift_bits)];
		uint8_t to = (uint8_t)(FAR - 1 - i);

		if (to < *s)
			*s = to;
	}
	for (size_t i = 1; i < WINDOW; i++) {
		uint32_t h = mix_begin(p, i);

		x->begin[h >> 3] |= (uint8_t)(1U << (h & 7));
	}
}

/*
 * The longest pattern at p, where n >= WINDOW bytes are; 0: none.  *ret_more:
 * a longer one may be here when more has come.
 */
static size_t
longest(const struct mask_index *x, const char *p, size_t n, bool *ret_more)
{
	size_t best = 0;

	*ret_more = false;
	for (uint32_t i = x->head[mix8(p, x->head_bits)]; i != 0;
	     i = x->pattern[i - 1].next) {
		const struct pattern *k = &x->pattern[i - 1];

		if (k->n <= best || memcmp(k->p, p, k->n < n ? k->n : n) != 0)
			continue;
		if (k->n > n)
			*ret_more = true;
		else
			best = k->n;
	}
	return best;
}

static bool
may_begin(const struct mask_index *x, const char *p, size_t n)
{
	uint32_t h = mix_begin(p, n);

	return (x->begin[h >> 3] >> (h & 7) & 1) != 0;
}

void
mask_index_scan(const struct mask_index *x, struct str s, bool end, size_t *at,
    void (*found)(void *ctx, size_t from, size_t n), void *ctx)
{
	size_t i = *at;

	while (s.n >= WINDOW && i <= s.n - WINDOW) {
		unsigned far =
		    x->shift[mix3(s.p + i + WINDOW - BLOCK_MIX, x->shift_bits)];
		bool more;
		size_t n;

		if (far > 0) {
			i += far;
			continue;
		}
		n = longest(x, s.p + i, s.n - i, &more);
		if (n > 0)
			found(ctx, i, n);
		if (more && !end) {
			*at = i;
			return;
		}
		i++;
	}
	if (i < *at)
		i = *at;
	while (!end && i < s.n && !may_begin(x, s.p + i, s.n - i))
		i++;
	*at = !end && i < s.n ? i : s.n;
}
