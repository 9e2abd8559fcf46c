#include "base/utf8.h"

static bool
tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* The second byte is where overlong forms and surrogates show (RFC 3629 4) */
static bool
second_ok(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed:
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4:
		return second >= 0x80 && second <= 0x8f;
	default:
		return tail(second);
	}
}

size_t
utf8_char(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (s.n < n || !second_ok(p[0], p[1]))
		return 0;
	for (size_t i = 2; i < n; i++)
		if (!tail(p[i]))
			return 0;
	return n;
}

uint32_t
utf8_next(struct str *s)
{
	size_t n = utf8_char(*s);
	const unsigned char *p = (const unsigned char *)s->p;
	uint32_t c = UTF8_BAD;

	switch (n) {
	case 1:
		c = p[0];
		break;
	case 2:
		c = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
		break;
	case 3:
		c = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
		break;
	case 4:
		c = (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 |
		    (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
		break;
	default:
		n = 1;
	}
	*s = str_skip(*s, n);
	return c;
}

#define ONES UINT64_C(0x0101010101010101)
#define HIGH (ONES * 0x80)

static uint64_t
load8(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof w);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	return w;
}

bool
utf8_valid(struct str s)
{
	while (s.n > 0) {
		size_t n;

		while (s.n >= 8 && (load8(s.p) & HIGH) == 0)
			s = str_skip(s, 8);
		if (s.n == 0)
			break;
		n = utf8_char(s);
		if (n == 0)
			return false;
		s = str_skip(s, n);
	}
	return true;
}

static bool
plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

size_t
utf8_count(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += !tail((unsigned char)s.p[i]);
	return n;
}

size_t
utf8_plain(struct str s)
{
	size_t i = 0;

	for (; s.n - i >= 8; i += 8) {
		uint64_t w = load8(s.p + i);
		uint64_t q = w ^ (ONES * '"'), b = w ^ (ONES * '\\');
		/* A borrow can mark wrongly only above a right mark. */
		uint64_t hit = (((q - ONES) & ~q) | ((b - ONES) & ~b) |
				   ((w - ONES * 0x20) & ~w) | w) &
		    HIGH;

		if (hit != 0)
			return i + (size_t)__builtin_ctzll(hit) / 8;
	}
	while (i < s.n && plain((unsigned char)s.p[i]))
		i++;
	return i;
}
