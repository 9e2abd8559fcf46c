#include "base/str.h"

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool
str_cut(struct str s, char sep, struct str *ret_head, struct str *rest)
{
	const char *at = s.n == 0 ? NULL : memchr(s.p, sep, s.n);
	size_t n;

	if (at == NULL) {
		*rest = str_skip(s, s.n);
		*ret_head = s;
		return false;
	}
	n = (size_t)(at - s.p);
	*rest = str_skip(s, n + 1);
	*ret_head = str_head(s, n);
	return true;
}

bool
str_ieq(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

int
str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (c != 0)
		return c < 0 ? -1 : 1;
	return a.n < b.n ? -1 : a.n > b.n;
}

bool
str_find(struct str s, struct str needle)
{
	return needle.n == 0 ||
	    (s.n > 0 && memmem(s.p, s.n, needle.p, needle.n) != NULL);
}

bool
str_ifind(struct str s, struct str needle)
{
	for (; s.n >= needle.n; s = str_skip(s, 1)) {
		if (str_ieq(str_head(s, needle.n), needle))
			return true;
		if (s.n == 0)
			break;
	}
	return false;
}

struct str
str_trim(struct str s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = str_skip(s, 1);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool
str_u64(struct str s, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 20 || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = (unsigned)((unsigned char)s.p[i] - '0');

		if (d > 9 || v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	if (v < min || v > max)
		return false;
	*ret = v;
	return true;
}

bool
str_i64(struct str s, int64_t min, int64_t max, int64_t *ret)
{
	bool neg = s.n > 0 && s.p[0] == '-';
	uint64_t u, most = (uint64_t)INT64_MAX + neg;
	int64_t v;

	if (!str_u64(neg ? str_skip(s, 1) : s, neg, most, &u))
		return false;
	v = neg ? -1 - (int64_t)(u - 1) : (int64_t)u;
	if (v < min || v > max)
		return false;
	*ret = v;
	return true;
}
