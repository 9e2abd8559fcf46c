#include "audit/tile_path.h"

#include "base/text.h"

/* Ten digits more than any log will need; and no number overflows. */
enum { GROUPS_MAX = 6, GROUP = 3 };

bool
tile_level_parse(struct str s, unsigned *ret)
{
	uint64_t level;

	if (!str_u64(s, 0, 63, &level))
		return false;
	*ret = (unsigned)level;
	return true;
}

/* Three digits off the front. */
static bool
group(struct str *s, uint64_t *ret)
{
	uint64_t n = 0;

	if (s->n < GROUP)
		return false;
	for (size_t i = 0; i < GROUP; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		n = 10 * n + (uint64_t)(s->p[i] - '0');
	}
	*s = str_skip(*s, GROUP);
	*ret = n;
	return true;
}

/* "x001/x234/067"; the first of several groups is not zero. */
static bool
number(struct str *s, uint64_t *ret)
{
	uint64_t n = 0, part;

	for (size_t i = 0; i < GROUPS_MAX; i++) {
		bool more = s->n > 0 && s->p[0] == 'x';

		if (more)
			*s = str_skip(*s, 1);
		if (!group(s, &part) || (more && i == 0 && part == 0))
			return false;
		n = 1000 * n + part;
		if (!more) {
			*ret = n;
			return true;
		}
		if (s->n == 0 || s->p[0] != '/')
			return false;
		*s = str_skip(*s, 1);
	}
	return false;
}

bool
tile_path_parse(struct str s, struct tile_path *ret)
{
	struct tile_path t = {.width = TILE_WIDTH};
	uint64_t width;

	if (!number(&s, &t.index))
		return false;
	if (s.n > 0) {
		if (!str_starts(s, STR(".p/")) ||
		    !str_u64(str_skip(s, 3), 1, TILE_WIDTH - 1, &width))
			return false;
		t.width = (unsigned)width;
	}
	*ret = t;
	return true;
}

void
tile_path_text(const struct tile_path *t, struct buf *b)
{
	unsigned part[GROUPS_MAX + 1];
	uint64_t rest = t->index;
	size_t n = 0;

	do {
		part[n++] = (unsigned)(rest % 1000);
		rest /= 1000;
	} while (rest > 0 && n <= GROUPS_MAX);
	while (n-- > 1)
		buf_fmt(b, "x%03u/", part[n]);
	buf_fmt(b, "%03u", part[0]);
	if (t->width < TILE_WIDTH)
		buf_fmt(b, ".p/%u", t->width);
}
