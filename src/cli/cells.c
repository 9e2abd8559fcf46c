#include "base/utf8.h"
#include "cli/view.h"

/*
 * How wide a character is on a terminal: the big blocks of Unicode Standard
 * Annex 11 are enough to keep columns straight; nothing depends on it.
 */
static size_t
width(uint32_t c)
{
	static const struct {
		uint32_t first, last;
		size_t width;
	} blocks[] = {
	    {0x0300, 0x036f, 0},   /* combining marks */
	    {0x1100, 0x115f, 2},   /* Hangul Jamo */
	    {0x200b, 0x200f, 0},   /* zero width, marks */
	    {0x20d0, 0x20ff, 0},   /* combining marks for symbols */
	    {0x2e80, 0x303e, 2},   /* CJK radicals, punctuation */
	    {0x3041, 0xa4cf, 2},   /* kana, CJK, Yi */
	    {0xac00, 0xd7a3, 2},   /* Hangul */
	    {0xf900, 0xfaff, 2},   /* CJK compatibility */
	    {0xfe00, 0xfe0f, 0},   /* variation selectors */
	    {0xfe30, 0xfe6f, 2},   /* CJK forms */
	    {0xff00, 0xff60, 2},   /* full width forms */
	    {0x1f300, 0x1f64f, 2}, /* pictographs */
	    {0x1f680, 0x1f6ff, 2}, /* transport */
	    {0x1f900, 0x1f9ff, 2}, /* more pictographs */
	    {0x20000, 0x3fffd, 2}, /* CJK extensions */
	};

	for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
		if (c >= blocks[i].first && c <= blocks[i].last)
			return blocks[i].width;
	return 1;
}

size_t
cells(struct str s)
{
	size_t n = 0;

	while (s.n > 0)
		n += width(utf8_next(&s));
	return n;
}

struct str
cells_head(struct str s, size_t n)
{
	struct str rest = s;

	while (rest.n > 0) {
		struct str next = rest;
		size_t w = width(utf8_next(&next));

		if (w > n)
			break;
		n -= w;
		rest = next;
	}
	return str_head(s, s.n - rest.n);
}
