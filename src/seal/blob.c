/*
 * blob.c: the sealed format, doc/PROTOCOL.seal 2 and 3.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "base/rand.h"
#include "seal/engine.h"

/* The fixed offsets of a blob. */
enum {
	VERSION = 1,
	ALGORITHM = 1, /* KC-XAES-256-GCM */
	HEAD = 8,      /* version, algorithm, flags, key id */
	AT_COMMIT = HEAD,
	AT_NONCE = AT_COMMIT + XAES_COMMIT,
	AT_DATA = AT_NONCE + XAES_NONCE,
};
_Static_assert(AT_DATA + XAES_TAG == SEAL_OVERHEAD, "80 bytes");

static const char label[] = "redoubt-seal-1";
enum { LABEL = sizeof label - 1, PK_MAX = 32, AAD_MAX = 36 + PK_MAX };
_Static_assert(sizeof((struct seal_where *)0)->pk == PK_MAX, "a whole pk");

struct aad {
	uint8_t b[AAD_MAX];
	size_t n;
};

static inline void
put(struct aad *a, const void *p, size_t n)
{
	memcpy(a->b + a->n, p, n);
	a->n += n;
}

static inline void
put_number(struct aad *a, uint64_t v, size_t bytes)
{
	while (bytes-- > 0)
		a->b[a->n++] = (uint8_t)(v >> (8 * bytes));
}

/*
 * Everything before the pk has a fixed width and the pk has its length, so
 * no two rows have the same associated data.
 */
static void
aad_build(struct aad *a, const uint8_t *head, const struct blob_where *w)
{
	const struct seal_where *row = w->row;

	BUG_ON(row->pk_n > PK_MAX);
	BUG_ON((unsigned)row->table > UINT8_MAX);
	a->n = 0;
	put(a, label, LABEL);
	put(a, head, HEAD);
	put_number(a, (uint64_t)w->form, 1);
	put_number(a, w->number, 4);
	put_number(a, (uint64_t)row->table, 1);
	put_number(a, row->column, 1);
	put_number(a, row->schema, 2);
	put_number(a, row->project, 4);
	put_number(a, row->pk_n, 1);
	put(a, row->pk, row->pk_n);
}

static inline struct str
aad_view(const struct aad *a)
{
	return (struct str){(const char *)a->b, a->n};
}

static void
head_write(uint8_t *p, uint32_t id)
{
	p[0] = VERSION;
	p[1] = ALGORITHM;
	p[2] = p[3] = 0;
	for (size_t i = 0; i < 4; i++)
		p[4 + i] = (uint8_t)(id >> (24 - 8 * i));
}

static err
head_read(struct stored s, uint32_t *ret_id)
{
	struct cur c = cur_of(s.bytes);
	uint8_t version = cur_u8(&c), algorithm = cur_u8(&c);
	uint16_t flags = cur_be16(&c);
	uint32_t id = cur_be32(&c);

	if (c.failed || s.bytes.n < SEAL_OVERHEAD)
		return err_of(E_CORRUPT);
	if (version != VERSION || algorithm != ALGORITHM || flags != 0)
		return err_of(E_CORRUPT);
	if (s.bytes.n - SEAL_OVERHEAD > BLOB_MAX)
		return err_of(E_CORRUPT);
	*ret_id = id;
	return OK;
}

err
blob_close(const struct data_key *k, const struct blob_where *w,
    struct str plain, uint8_t *ret)
{
	struct aad a;

	if (plain.n > BLOB_MAX)
		return err_of(E_TOO_LARGE);
	head_write(ret, k->id);
	aad_build(&a, ret, w);
	rand_bytes(ret + AT_NONCE, XAES_NONCE);
	return xaes_close(k, ret + AT_NONCE, aad_view(&a), plain,
	    ret + AT_COMMIT, ret + AT_DATA, ret + AT_DATA + plain.n);
}

err
blob_open(const struct data_key *k, const struct blob_where *w, struct stored s,
    uint8_t *ret)
{
	const uint8_t *p = (const uint8_t *)s.bytes.p;
	struct str ct;
	struct aad a;
	uint32_t id;

	TRY(head_read(s, &id));
	if (id != k->id)
		return err_of(E_WRONG_KEY);
	aad_build(&a, p, w);
	ct = str_of(s.bytes.p + AT_DATA, s.bytes.n - SEAL_OVERHEAD);
	return xaes_open(k, p + AT_NONCE, p + AT_COMMIT, aad_view(&a), ct,
	    p + AT_DATA + ct.n, ret);
}

err
blob_is_under(const struct data_key *k, struct stored s)
{
	const uint8_t *p = (const uint8_t *)s.bytes.p;
	uint32_t id;

	TRY(head_read(s, &id));
	if (id != k->id)
		return err_of(E_WRONG_KEY);
	return xaes_check(k, p + AT_NONCE, p + AT_COMMIT);
}

err
blob_close_key(const struct data_key *k, const struct seal_where *row,
    const uint8_t key[SECRET_SIZE], struct arena *a, struct sealed *ret)
{
	struct blob_where w = {.row = row};
	uint8_t *p = arena_get(a, BLOB_KEY);

	if (p == NULL)
		return err_of(E_NO_MEMORY);
	TRY(blob_close(k, &w, str_of((const char *)key, SECRET_SIZE), p));
	ret->bytes = str_of((const char *)p, BLOB_KEY);
	return OK;
}

err
blob_open_key(const struct data_key *k, const struct seal_where *row,
    struct stored s, uint8_t ret_key[SECRET_SIZE])
{
	struct blob_where w = {.row = row};

	if (s.bytes.n != BLOB_KEY)
		return err_of(E_CORRUPT);
	return blob_open(k, &w, s, ret_key);
}

err
seal_key_id(struct stored s, uint32_t *ret)
{
	return head_read(s, ret);
}
