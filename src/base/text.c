#include "base/text.h"

#include "base/utf8.h"

static const char hex_digit[] = "0123456789abcdef";

void
hex_add(struct buf *b, struct str bytes)
{
	if (bytes.n > b->max / 2 || !buf_room(b, bytes.n * 2)) {
		b->failed = true;
		return;
	}
	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];

		b->p[b->n++] = hex_digit[c >> 4];
		b->p[b->n++] = hex_digit[c & 15];
	}
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool
hex_decode(struct str in, void *ret, size_t ret_n)
{
	uint8_t *out = ret;

	if (in.n % 2 != 0 || in.n / 2 != ret_n)
		return false;
	for (size_t i = 0; i < in.n; i++)
		if (nibble(in.p[i]) < 0)
			return false;
	for (size_t i = 0; i < ret_n; i++)
		out[i] = (uint8_t)(nibble(in.p[2 * i]) << 4 |
		    nibble(in.p[2 * i + 1]));
	return true;
}

#define ALNUM                                                                  \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"                                           \
	"abcdefghijklmnopqrstuvwxyz0123456789"

static const char std_digit[] = ALNUM "+/";
static const char url_digit[] = ALNUM "-_";

static void
b64_write(struct buf *b, struct str s, const char *digit, bool pad)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t tail = s.n % 3 == 0 ? 0 : pad ? 4 : s.n % 3 + 1;

	if (s.n / 3 > b->max / 4 || !buf_room(b, s.n / 3 * 4 + tail)) {
		b->failed = true;
		return;
	}
	for (; s.n >= 3; s.n -= 3, p += 3) {
		b->p[b->n++] = digit[p[0] >> 2];
		b->p[b->n++] = digit[(p[0] & 3) << 4 | p[1] >> 4];
		b->p[b->n++] = digit[(p[1] & 15) << 2 | p[2] >> 6];
		b->p[b->n++] = digit[p[2] & 63];
	}
	if (s.n == 0)
		return;
	b->p[b->n++] = digit[p[0] >> 2];
	if (s.n == 1) {
		b->p[b->n++] = digit[(p[0] & 3) << 4];
	} else {
		b->p[b->n++] = digit[(p[0] & 3) << 4 | p[1] >> 4];
		b->p[b->n++] = digit[(p[1] & 15) << 2];
	}
	for (size_t i = s.n; pad && i < 3; i++)
		b->p[b->n++] = '=';
}

void
b64_add(struct buf *b, struct str bytes)
{
	b64_write(b, bytes, std_digit, true);
}

void
b64url_add(struct buf *b, struct str bytes)
{
	b64_write(b, bytes, url_digit, false);
}

static int
sextet(char c, char c62, char c63)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == c62 ? 62 : c == c63 ? 63 : -1;
}

/* Digits only; the padding is off already. */
static bool
b64_read(struct arena *a, struct str in, char c62, char c63, struct str *ret)
{
	size_t n = in.n / 4 * 3 + (in.n % 4 == 0 ? 0 : in.n % 4 - 1);
	uint32_t bits = 0;
	unsigned have = 0;
	char *out, *at;

	if (in.n % 4 == 1)
		return false;
	out = at = arena_raw(a, n);
	if (out == NULL)
		return false;
	for (size_t i = 0; i < in.n; i++) {
		int v = sextet(in.p[i], c62, c63);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			*at++ = (char)(bits >> have & 0xff);
		}
	}
	if ((bits & ((1u << have) - 1)) != 0)
		return false;
	*ret = str_of(out, n);
	return true;
}

bool
b64_decode(struct arena *a, struct str in, struct str *ret)
{
	if (in.n % 4 != 0)
		return false;
	for (int i = 0; i < 2; i++)
		if (in.n > 0 && in.p[in.n - 1] == '=')
			in.n--;
	return b64_read(a, in, '+', '/', ret);
}

bool
b64url_decode(struct arena *a, struct str in, struct str *ret)
{
	return b64_read(a, in, '-', '_', ret);
}

void
base62_add(struct buf *b, uint64_t v, unsigned width)
{
	static const char digit[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz";
	char t[11]; /* 62^11 > 2^64 */
	size_t i = sizeof t;

	do {
		t[--i] = digit[v % 62];
		v /= 62;
	} while (v != 0);
	for (size_t n = sizeof t - i; n < width; n++)
		buf_char(b, '0');
	buf_add(b, t + i, sizeof t - i);
}

static unsigned
base62_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A' + 10);
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a' + 36);
	return 62;
}

bool
base62_decode(struct str in, uint64_t *ret)
{
	uint64_t v = 0;

	if (in.n == 0)
		return false;
	for (size_t i = 0; i < in.n; i++) {
		unsigned d = base62_digit(in.p[i]);

		if (d > 61 || v > (UINT64_MAX - d) / 62)
			return false;
		v = v * 62 + d;
	}
	*ret = v;
	return true;
}

/* Four bits at a time: the table fits a cache line, tokens are short. */
uint32_t
crc32_ieee(struct str s)
{
	static const uint32_t row[16] = {0x00000000, 0x1db71064, 0x3b6e20c8,
	    0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
	    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0,
	    0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < s.n; i++) {
		crc ^= (unsigned char)s.p[i];
		crc = crc >> 4 ^ row[crc & 15];
		crc = crc >> 4 ^ row[crc & 15];
	}
	return ~crc;
}

static int
url_nibble(char c)
{
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : nibble(c);
}

err
url_decode(struct arena *a, struct str in, struct str *ret)
{
	char *out = arena_raw(a, in.n), *at = out;
	struct str done;

	if (out == NULL)
		return err_of(E_NO_MEMORY);
	for (size_t i = 0; i < in.n; i++) {
		int hi, lo;

		if (in.p[i] != '%') {
			*at++ = in.p[i];
			continue;
		}
		if (in.n - i < 3)
			return err_of(E_BAD_REQUEST);
		hi = url_nibble(in.p[i + 1]);
		lo = url_nibble(in.p[i + 2]);
		if (hi < 0 || lo < 0)
			return err_of(E_BAD_REQUEST);
		*at++ = (char)(hi << 4 | lo);
		i += 2;
	}
	done = str_of(out, (size_t)(at - out));
	if (memchr(out, '\0', done.n) != NULL || !utf8_valid(done))
		return err_of(E_BAD_REQUEST);
	*ret = done;
	return OK;
}

static bool
unreserved(char c)
{
	return base62_digit(c) < 62 || c == '-' || c == '.' || c == '_' ||
	    c == '~';
}

void
url_encode(struct buf *b, struct str s)
{
	static const char digit[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		char t[3] = {'%', digit[c >> 4], digit[c & 15]};

		if (unreserved(s.p[i]))
			buf_char(b, s.p[i]);
		else
			buf_add(b, t, sizeof t);
	}
}

void
form_add(struct buf *b, const char *name, struct str value)
{
	if (b->n > 0)
		buf_char(b, '&');
	buf_c(b, name);
	buf_char(b, '=');
	url_encode(b, value);
}
