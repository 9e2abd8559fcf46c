#include "seal/share.h"

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/rand.h"

/* version, set, k, x, y, and four bytes of SHA-256 of them */
enum { BODY = 1 + SHARE_SET + 2 + SECRET_SIZE, SUM = 4, RAW = BODY + SUM };
enum { SYMBOLS = (RAW * 8 + 4) / 5, GROUP = 5, VERSION = 1 };

static const struct str prefix = {"redoubt1-", 9};
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

_Static_assert((int)SHARE_TEXT > 9 + SYMBOLS + SYMBOLS / GROUP, "it fits");

/* ---- GF(2^8) ---- */

static uint8_t
mul(uint8_t a, uint8_t b)
{
	unsigned r = 0, x = a;

	for (unsigned i = 0; i < 8; i++) {
		r ^= x & (0U - ((unsigned)b >> i & 1U));
		x = x << 1 ^ (0x11bU & (0U - (x >> 7 & 1U)));
	}
	return (uint8_t)r;
}

/* a^254; what is inverted here are numbers of shares, which are public. */
static uint8_t
inverse(uint8_t a)
{
	uint8_t r = 1;

	for (unsigned i = 0; i < 7; i++) {
		a = mul(a, a);
		r = mul(r, a);
	}
	return r;
}

err
share_split(const struct secret *key, const uint8_t set[SHARE_SET], unsigned k,
    unsigned n, struct share *ret)
{
	uint8_t c[SHARES_MAX];

	if (k < 2 || k > n || n > SHARES_MAX)
		return err_of(E_INVALID);
	for (unsigned i = 0; i < n; i++) {
		ret[i] = (struct share){.k = (uint8_t)k, .x = (uint8_t)(i + 1)};
		memcpy(ret[i].set, set, SHARE_SET);
	}
	for (size_t b = 0; b < SECRET_SIZE; b++) {
		rand_bytes(c + 1, k - 1);
		c[0] = secret_view(key)[b];
		for (unsigned i = 0; i < n; i++) {
			uint8_t y = 0;

			for (unsigned j = k; j-- > 0;)
				y = mul(y, ret[i].x) ^ c[j];
			ret[i].y[b] = y;
		}
	}
	mem_wipe(c, sizeof c);
	return OK;
}

/* What the share at i counts for at x = 0. */
static uint8_t
weight(const struct share *s, size_t k, size_t i)
{
	uint8_t w = 1;

	for (size_t j = 0; j < k; j++)
		if (j != i)
			w = mul(w, mul(s[j].x, inverse(s[j].x ^ s[i].x)));
	return w;
}

err
share_join(const struct share *s, size_t k, struct secret *ret)
{
	if (k < 2 || k > SHARES_MAX || s[0].k != k)
		return err_of(E_INVALID);
	for (size_t i = 0; i < k; i++) {
		/* public: the set and the numbers of shares */
		if (s[i].x == 0 || s[i].k != s[0].k ||
		    memcmp(s[i].set, s[0].set, SHARE_SET) != 0)
			return err_of(E_INVALID);
		for (size_t j = 0; j < i; j++)
			if (s[j].x == s[i].x)
				return err_of(E_INVALID);
	}
	memset(secret_bytes(ret), 0, SECRET_SIZE);
	for (size_t i = 0; i < k; i++) {
		uint8_t w = weight(s, k, i);

		for (size_t b = 0; b < SECRET_SIZE; b++)
			secret_bytes(ret)[b] ^= mul(w, s[i].y[b]);
	}
	return OK;
}

/* ---- the text ---- */

static bool
digest(const void *p, size_t n, uint8_t ret[32])
{
	return EVP_Q_digest(NULL, "SHA256", NULL, p, n, ret, NULL) == 1;
}

static bool
pack(const struct share *s, uint8_t ret[RAW])
{
	uint8_t sum[32];
	bool good;

	ret[0] = VERSION;
	memcpy(ret + 1, s->set, SHARE_SET);
	ret[1 + SHARE_SET] = s->k;
	ret[2 + SHARE_SET] = s->x;
	memcpy(ret + 3 + SHARE_SET, s->y, SECRET_SIZE);
	good = digest(ret, BODY, sum);
	memcpy(ret + BODY, sum, SUM);
	return good;
}

/* All ones when they are the same. */
static unsigned
same(unsigned a, unsigned b)
{
	return 0U - (((a ^ b) - 1U) >> 31);
}

/* The i-th character as a function of its value, without a table look-up
 * that a cache would remember. */
static char
symbol(unsigned v)
{
	unsigned c = 0;

	for (unsigned i = 0; i < 32; i++)
		c |= (unsigned char)alphabet[i] & same(v, i);
	return (char)c;
}

void
share_write(const struct share *s, char ret[SHARE_TEXT])
{
	uint8_t raw[RAW + 1] = {0};
	size_t n = prefix.n;

	if (!pack(s, raw))
		BUG_ON(true);
	memcpy(ret, prefix.p, n);
	for (size_t i = 0; i < SYMBOLS; i++) {
		size_t bit = 5 * i;
		unsigned two = (unsigned)raw[bit / 8] << 8 | raw[bit / 8 + 1];

		if (i > 0 && i % GROUP == 0)
			ret[n++] = '-';
		ret[n++] = symbol(two >> (11 - bit % 8) & 31U);
	}
	ret[n] = '\0';
	mem_wipe(raw, sizeof raw);
}

/* -1: no symbol. */
static int
value(char c)
{
	unsigned u = (unsigned char)c, r = 0, found = 0;

	u -= (u >= 'a' && u <= 'z') ? 'a' - 'A' : 0;
	u = u == 'O' ? '0' : u == 'I' || u == 'L' ? '1' : u;
	for (unsigned i = 0; i < 32; i++) {
		unsigned hit = same(u, (unsigned char)alphabet[i]);

		r |= i & hit;
		found |= hit;
	}
	return found != 0 ? (int)r : -1;
}

bool
share_like(struct str text)
{
	return text.n >= prefix.n && str_ieq(str_head(text, prefix.n), prefix);
}

/* Bits of the symbols into raw; a word about what is wrong, or NULL. */
static const char *
unpack(struct str text, uint8_t raw[RAW + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		int v = value(text.p[i]);
		unsigned two;

		if (text.p[i] == '-' || text.p[i] == ' ')
			continue;
		if (v < 0)
			return "has a character that no share has";
		if (n == SYMBOLS)
			return "is too long";
		two = (unsigned)v << (11 - 5 * n % 8);
		raw[5 * n / 8] |= (uint8_t)(two >> 8);
		raw[5 * n / 8 + 1] |= (uint8_t)two;
		n++;
	}
	if (n < SYMBOLS)
		return "is too short";
	return raw[RAW] != 0 ? "is damaged: its checksum is wrong" : NULL;
}

static const char *
parse(struct str text, uint8_t raw[RAW + 1], struct share *ret)
{
	const char *why;
	uint8_t sum[32];

	if (!share_like(text))
		return "does not begin with redoubt1-";
	why = unpack(str_skip(text, prefix.n), raw);
	if (why != NULL)
		return why;
	if (!digest(raw, BODY, sum) || !ct_eq(sum, raw + BODY, SUM))
		return "is damaged: its checksum is wrong";
	if (raw[0] != VERSION)
		return "is of a version this program does not know";
	memcpy(ret->set, raw + 1, SHARE_SET);
	ret->k = raw[1 + SHARE_SET];
	ret->x = raw[2 + SHARE_SET];
	memcpy(ret->y, raw + 3 + SHARE_SET, SECRET_SIZE);
	if (ret->k < 2 || ret->k > SHARES_MAX || ret->x == 0 ||
	    ret->x > SHARES_MAX)
		return "has numbers that no share has";
	return NULL;
}

err
share_read(struct str text, struct trail *t, struct share *ret)
{
	uint8_t raw[RAW + 1] = {0};
	struct share s = {.k = 0};
	const char *why = parse(text, raw, &s);

	mem_wipe(raw, sizeof raw);
	if (why == NULL)
		*ret = s;
	else
		trail_set(t, "this share %s", why);
	mem_wipe(&s, sizeof s);
	return err_of(why == NULL ? E_OK : E_INVALID);
}

err
share_check(const struct share *s, uint8_t ret[SHARE_CHECK])
{
	static const char label[] = "redoubt share check";
	enum { N = sizeof label - 1 };
	uint8_t in[N + RAW], out[32];
	bool good;

	memcpy(in, label, N);
	good = pack(s, in + N) && digest(in, sizeof in, out);
	mem_wipe(in, sizeof in);
	if (good)
		memcpy(ret, out, SHARE_CHECK);
	return err_of(good ? E_OK : E_CRYPTO);
}
