/*
 * cidr.c: see cidr.h.  A block with bits set behind its prefix is refused: it
 * would not mean what it seems to.
 */
#include "base/cidr.h"

#include <arpa/inet.h>

struct address {
	uint8_t b[16];
	unsigned bits; /* 32 or 128 */
};

static bool
address_parse(struct str s, struct address *ret)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
	    0xff};
	char t[INET6_ADDRSTRLEN + 1] = {0};

	*ret = (struct address){.bits = 32};
	if (s.n == 0 || s.n >= sizeof t || memchr(s.p, '\0', s.n) != NULL)
		return false;
	memcpy(t, s.p, s.n);
	if (inet_pton(AF_INET, t, ret->b) == 1)
		return true;
	ret->bits = 128;
	if (inet_pton(AF_INET6, t, ret->b) != 1)
		return false;
	if (memcmp(ret->b, mapped, sizeof mapped) == 0) {
		memmove(ret->b, ret->b + sizeof mapped, 4);
		memset(ret->b + 4, 0, sizeof ret->b - 4);
		ret->bits = 32;
	}
	return true;
}

static bool
bit(const struct address *a, unsigned i)
{
	return (a->b[i / 8] >> (7 - i % 8) & 1) != 0;
}

static bool
cidr_parse(struct str s, struct address *ret, unsigned *ret_prefix)
{
	struct str head, rest;
	unsigned written;
	uint64_t prefix;
	bool slash;

	if (s.n == 0)
		return false;
	slash = str_cut(s, '/', &head, &rest);
	written = memchr(head.p, ':', head.n) != NULL ? 128 : 32;
	prefix = written;
	if (slash && !str_u64(rest, 0, written, &prefix))
		return false;
	if (!address_parse(head, ret))
		return false;
	if (ret->bits != written) { /* IPv4-mapped */
		if (prefix < 96)
			return false;
		prefix -= 96;
	}
	for (unsigned i = (unsigned)prefix; i < ret->bits; i++)
		if (bit(ret, i))
			return false;
	*ret_prefix = (unsigned)prefix;
	return true;
}

_Static_assert(ADDRESS_TEXT >= INET6_ADDRSTRLEN, "the longest address fits");

bool
address_text(struct str s, char ret[ADDRESS_TEXT])
{
	struct address a;

	return address_parse(s, &a) &&
	    inet_ntop(a.bits == 32 ? AF_INET : AF_INET6, a.b, ret,
		ADDRESS_TEXT) != NULL;
}

bool
cidr_valid(struct str cidr)
{
	struct address a;
	unsigned prefix;

	return cidr_parse(cidr, &a, &prefix);
}

bool
cidr_width(struct str cidr, unsigned *ret_bits, unsigned *ret_prefix)
{
	struct address a;

	if (!cidr_parse(cidr, &a, ret_prefix))
		return false;
	*ret_bits = a.bits;
	return true;
}

/* Do all addresses that share a's first `known` bits lie in the block? */
static bool
inside(struct str cidr, const struct address *a, unsigned known)
{
	struct address block;
	unsigned prefix;

	if (!cidr_parse(cidr, &block, &prefix) || block.bits != a->bits ||
	    prefix > known)
		return false;
	for (unsigned i = 0; i < prefix; i++)
		if (bit(&block, i) != bit(a, i))
			return false;
	return true;
}

bool
cidr_match(const struct str *cidrs, size_t n, struct str address)
{
	struct address a;

	if (!address_parse(address, &a))
		return false;
	for (size_t i = 0; i < n; i++)
		if (inside(cidrs[i], &a, a.bits))
			return true;
	return false;
}

bool
cidr_within(const struct str *cidrs, size_t n, struct str inner)
{
	struct address a;
	unsigned prefix;

	if (!cidr_parse(inner, &a, &prefix))
		return false;
	for (size_t i = 0; i < n; i++)
		if (inside(cidrs[i], &a, prefix))
			return true;
	return false;
}
