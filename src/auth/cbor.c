#include "auth/cbor.h"

#include "base/limits.h"
#include "base/utf8.h"

/* The number behind the first byte, in its shortest form (RFC 8949 4.2.1). */
static bool
argument(struct cur *in, uint8_t info, uint64_t *ret)
{
	uint64_t min = 0;

	switch (info) {
	case 24:
		*ret = cur_u8(in);
		min = 24;
		break;
	case 25:
		*ret = cur_be16(in);
		min = UINT64_C(1) << 8;
		break;
	case 26:
		*ret = cur_be32(in);
		min = UINT64_C(1) << 16;
		break;
	case 27:
		*ret = cur_be64(in);
		min = UINT64_C(1) << 32;
		break;
	default:
		*ret = info;
		return info < 24; /* 31 is an indefinite length */
	}
	return !in->failed && *ret >= min;
}

/* keys: look for keys that occur twice, which was done when walking again. */
static bool item(struct cur *in, unsigned depth, bool keys, struct cbor *ret);

/* The next key and its value of a map that is known to be good. */
static bool
member(struct cur *in, struct cbor *ret_k, struct cbor *ret_v)
{
	return item(in, LIM_CBOR_DEPTH, false, ret_k) &&
	    item(in, LIM_CBOR_DEPTH, false, ret_v);
}

static bool
same_key(const struct cbor *a, const struct cbor *b)
{
	return a->kind == b->kind &&
	    (a->kind == CBOR_TEXT ? str_eq(a->bytes, b->bytes) : a->n == b->n);
}

static bool
is_key(const struct cbor *k)
{
	return k->kind == CBOR_UINT || k->kind == CBOR_NINT ||
	    k->kind == CBOR_TEXT;
}

/* Does one of the first n members of a map have this key? */
static bool
key_before(struct str map, uint64_t n, const struct cbor *key)
{
	struct cur in = cur_of(map);
	struct cbor k, v;

	for (uint64_t i = 0; i < n; i++) {
		if (!member(&in, &k, &v) || same_key(&k, key))
			return true;
	}
	return false;
}

/* The items of a container.  An item is a byte at least, so a count beyond
 * what is left is refused before anything is walked. */
static bool
inside(struct cur *in, unsigned depth, bool keys, struct cbor *c)
{
	struct str from = str_of((const char *)in->p, in->n);
	struct cbor k, v;

	if (depth == 0 || c->n > in->n ||
	    (c->kind == CBOR_MAP && c->n > LIM_CBOR_MEMBERS))
		return false;
	for (uint64_t i = 0; i < c->n; i++) {
		if (c->kind == CBOR_MAP &&
		    (!item(in, depth - 1, keys, &k) || !is_key(&k) ||
			(keys && key_before(from, i, &k))))
			return false;
		if (!item(in, depth - 1, keys, &v))
			return false;
	}
	c->bytes = str_head(from, from.n - in->n);
	return true;
}

static bool
item(struct cur *in, unsigned depth, bool keys, struct cbor *ret)
{
	uint8_t first = cur_u8(in);
	unsigned major = first >> 5;

	*ret = (struct cbor){.kind = (enum cbor_kind)major, .bytes = STR("")};
	if (in->failed || major == 6)
		return false;
	if (major == 7) {
		ret->kind = CBOR_SIMPLE;
		ret->n = first & 31;
		return ret->n >= 20 && ret->n <= 22;
	}
	if (!argument(in, first & 31, &ret->n))
		return false;
	switch (ret->kind) {
	case CBOR_BYTES:
	case CBOR_TEXT:
		if (ret->n > in->n)
			return false;
		ret->bytes = cur_view(in, (size_t)ret->n);
		return ret->kind == CBOR_BYTES || utf8_valid(ret->bytes);
	case CBOR_ARRAY:
	case CBOR_MAP:
		return inside(in, depth, keys, ret);
	default:
		return true;
	}
}

err
cbor_take(struct cur *in, size_t max, struct cbor *ret)
{
	size_t n = in->n < max ? in->n : max;
	struct cur bounded = {.p = in->p, .n = n, .failed = in->failed};
	struct cbor c;

	if (!item(&bounded, LIM_CBOR_DEPTH, true, &c)) {
		in->failed = true;
		return err_of(E_INVALID);
	}
	(void)cur_view(in, n - bounded.n);
	*ret = c;
	return OK;
}

/* A map that was taken is known to be good. */
static bool
at(const struct cbor *map, const struct cbor *key, struct cbor *ret)
{
	struct cur in = cur_of(map->bytes);
	struct cbor k, v;

	if (map->kind != CBOR_MAP)
		return false;
	for (uint64_t i = 0; i < map->n; i++) {
		if (!member(&in, &k, &v))
			return false;
		if (same_key(&k, key)) {
			*ret = v;
			return true;
		}
	}
	return false;
}

bool
cbor_at_int(const struct cbor *map, int64_t key, struct cbor *ret)
{
	struct cbor k = {.kind = key < 0 ? CBOR_NINT : CBOR_UINT,
	    .n = key < 0 ? (uint64_t)(-1 - key) : (uint64_t)key};

	return at(map, &k, ret);
}

bool
cbor_at_text(const struct cbor *map, struct str key, struct cbor *ret)
{
	struct cbor k = {.kind = CBOR_TEXT, .bytes = key};

	return at(map, &k, ret);
}

bool
cbor_i64(const struct cbor *c, int64_t *ret)
{
	if ((c->kind != CBOR_UINT && c->kind != CBOR_NINT) ||
	    c->n > (uint64_t)INT64_MAX)
		return false;
	*ret = c->kind == CBOR_UINT ? (int64_t)c->n : -1 - (int64_t)c->n;
	return true;
}
