#include "seal/seal.h"

#include "base/mem.h"
#include "seal/engine.h"

static void
pk_add(struct seal_where *w, const void *p, size_t n)
{
	BUG_ON(w->pk_n > sizeof w->pk || n > sizeof w->pk - w->pk_n);
	memcpy(w->pk + w->pk_n, p, n);
	w->pk_n = (uint8_t)(w->pk_n + n);
}

void
seal_where_id(struct seal_where *w, const struct uuid *u)
{
	pk_add(w, u->b, sizeof u->b);
}

void
seal_where_num(struct seal_where *w, uint64_t v)
{
	uint8_t b[8];

	for (size_t i = 0; i < sizeof b; i++)
		b[i] = (uint8_t)(v >> (56 - 8 * i));
	pk_add(w, b, sizeof b);
}

uint32_t
data_key_id(const struct data_key *k)
{
	return k->id;
}

static bool
is_mac(const struct data_key *k)
{
	return k->class == SEAL_CLASS_INDEX || k->class == SEAL_CLASS_TOKEN ||
	    k->class == SEAL_CLASS_CURSOR;
}

static err
close_on(const struct data_key *k, const struct blob_where *w, struct str plain,
    struct arena *a, struct sealed *ret)
{
	uint8_t *p;
	err e;

	if (is_mac(k))
		return err_of(E_CRYPTO);
	if (plain.n > BLOB_MAX)
		return err_of(E_TOO_LARGE);
	p = arena_raw(a, plain.n + SEAL_OVERHEAD);
	if (p == NULL)
		return err_of(E_NO_MEMORY);
	if (k->metered)
		TRY(k->meter == NULL ? err_of(E_KEY_USED_UP)
				     : meter_count(k->meter, plain.n));
	e = blob_close(k, w, plain, p);
	if (err_ok(e))
		ret->bytes = str_of((const char *)p, plain.n + SEAL_OVERHEAD);
	return e;
}

static err
open_on(const struct data_key *k, const struct blob_where *w, struct stored s,
    struct arena *a, struct str *ret)
{
	uint32_t id;
	uint8_t *p;
	size_t n;

	if (is_mac(k))
		return err_of(E_CRYPTO);
	TRY(seal_key_id(s, &id));
	n = s.bytes.n - SEAL_OVERHEAD;
	p = arena_raw(a, n + 1); /* never of no bytes */
	if (p == NULL)
		return err_of(E_NO_MEMORY);
	TRY(blob_open(k, w, s, p));
	*ret = str_of((const char *)p, n);
	return OK;
}

err
seal_close(const struct data_key *k, const struct seal_where *w,
    struct str plain, struct arena *a, struct sealed *ret)
{
	struct blob_where b = {.row = w};

	return close_on(k, &b, plain, a, ret);
}

err
seal_open(const struct data_key *k, const struct seal_where *w, struct stored s,
    struct arena *a, struct str *ret)
{
	struct blob_where b = {.row = w};

	return open_on(k, &b, s, a, ret);
}

/*
 * One way to cut a body: every chunk is full but the last, and the last is
 * empty only when the body is.
 */
static bool
chunk_fits(uint32_t number, bool last, size_t n)
{
	if (!last)
		return n == SEAL_CHUNK;
	return n <= SEAL_CHUNK && (n > 0 || number == 0);
}

static struct blob_where
chunk_where(const struct seal_where *w, uint32_t number, bool last)
{
	return (struct blob_where){.row = w,
	    .form = last ? BLOB_LAST_CHUNK : BLOB_CHUNK,
	    .number = number};
}

err
seal_close_chunk(const struct data_key *k, const struct seal_where *w,
    uint32_t number, bool last, struct str plain, struct arena *a,
    struct sealed *ret)
{
	struct blob_where b = chunk_where(w, number, last);

	if (!chunk_fits(number, last, plain.n))
		return err_of(E_INVALID);
	return close_on(k, &b, plain, a, ret);
}

err
seal_open_chunk(const struct data_key *k, const struct seal_where *w,
    uint32_t number, bool last, struct stored s, struct arena *a,
    struct str *ret)
{
	struct blob_where b = chunk_where(w, number, last);

	if (s.bytes.n < SEAL_OVERHEAD ||
	    !chunk_fits(number, last, s.bytes.n - SEAL_OVERHEAD))
		return err_of(E_CORRUPT);
	return open_on(k, &b, s, a, ret);
}

err
seal_mac(const struct data_key *k, const char *label, struct str data,
    uint8_t *ret, size_t n)
{
	uint8_t full[32], head[1 + UINT8_MAX];
	size_t label_n = strlen(label);
	err e;

	BUG_ON(label_n > UINT8_MAX || n > sizeof full);
	if (!is_mac(k))
		return err_of(E_CRYPTO);
	head[0] = (uint8_t)label_n;
	memcpy(head + 1, label, label_n);
	e = hmac_sha256(k, str_of((const char *)head, 1 + label_n), data, full);
	if (err_ok(e))
		memcpy(ret, full, n);
	mem_wipe(full, sizeof full);
	return e;
}
