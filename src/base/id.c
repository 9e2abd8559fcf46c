#include "base/id.h"

struct uuid
uuid_v7(int64_t now_ms, const uint8_t rnd[10])
{
	uint64_t ms = now_ms < 0 ? 0 : (uint64_t)now_ms;
	struct uuid u;

	for (size_t i = 0; i < 6; i++)
		u.b[i] = (uint8_t)(ms >> (40 - 8 * i));
	memcpy(u.b + 6, rnd, 10);
	u.b[6] = (uint8_t)(0x70 | (u.b[6] & 0x0f));
	u.b[8] = (uint8_t)(0x80 | (u.b[8] & 0x3f));
	return u;
}

/* Is byte i of the binary form written behind a dash? */
static bool
dash_before(size_t i)
{
	return i == 4 || i == 6 || i == 8 || i == 10;
}

void
uuid_text(const struct uuid *u, char ret[UUID_TEXT + 1])
{
	static const char digit[] = "0123456789abcdef";
	char *p = ret;

	for (size_t i = 0; i < sizeof u->b; i++) {
		if (dash_before(i))
			*p++ = '-';
		*p++ = digit[u->b[i] >> 4];
		*p++ = digit[u->b[i] & 15];
	}
	*p = '\0';
}

struct str
uuid_dup(struct arena *a, const struct uuid *u)
{
	char text[UUID_TEXT + 1];

	uuid_text(u, text);
	return arena_dup(a, str_of(text, UUID_TEXT));
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
uuid_parse(struct str s, struct uuid *ret)
{
	const char *p = s.p;
	struct uuid u;

	if (s.n != UUID_TEXT)
		return false;
	for (size_t i = 0; i < sizeof u.b; i++) {
		int hi, lo;

		if (dash_before(i) && *p++ != '-')
			return false;
		hi = nibble(*p++);
		lo = nibble(*p++);
		if (hi < 0 || lo < 0)
			return false;
		u.b[i] = (uint8_t)(hi << 4 | lo);
	}
	*ret = u;
	return true;
}
