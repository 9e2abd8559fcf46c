/* parcel.c: see parcel.h. */
#include "seal/parcel.h"

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "seal/engine.h"

#define INFO "redoubt parcel 1"
#define PUBLIC "redoubt-recipient-1:"
#define SECRET "redoubt-recipient-secret-1:"

enum { CHECK = 4, COUNTER = XAES_GCM_NONCE - 1 };

struct parcel {
	struct secret *key;
	uint64_t n;  /* chunks so far */
	bool over;   /* the last one was */
	size_t held; /* of chunk */
	uint8_t chunk[PARCEL_CHUNK];
};

struct parcel *
parcel_free(struct parcel *p)
{
	if (p == NULL)
		return NULL;
	p->key = secret_free(p->key);
	mem_wipe(p->chunk, sizeof p->chunk);
	mem_free(p);
	return NULL;
}

static err
make(struct parcel **ret)
{
	struct parcel *p = mem_new(1, sizeof *p);
	err e;

	if (p == NULL)
		return err_of(E_NO_MEMORY);
	e = secret_new(&p->key);
	if (!err_ok(e)) {
		(void)parcel_free(p);
		return e;
	}
	*ret = p;
	return OK;
}

err
parcel_new(const uint8_t pk[HPKE_KEY], struct buf *out, struct parcel **ret)
{
	struct parcel *p;
	err e;

	TRY(make(&p));
	rand_bytes(secret_bytes(p->key), HPKE_KEY);
	buf_c(out, PARCEL_MAGIC);
	e = hpke_seal(pk, STR(INFO), STR(""),
	    str_of((const char *)secret_view(p->key), HPKE_KEY), out);
	if (!err_ok(e)) {
		(void)parcel_free(p);
		return e;
	}
	*ret = p;
	return OK;
}

/* 88 bits of counter, a byte that says whether this is the last. */
static void
chunk_key(const struct parcel *p, bool last, struct gcm_key *ret)
{
	memcpy(ret->key, secret_view(p->key), sizeof ret->key);
	memset(ret->nonce, 0, sizeof ret->nonce);
	for (unsigned i = 0; i < 8; i++)
		ret->nonce[COUNTER - 1 - i] = (uint8_t)(p->n >> 8 * i);
	ret->nonce[COUNTER] = last;
}

static err
chunk_close(struct parcel *p, const uint8_t *plain, size_t n, bool last,
    struct buf *out)
{
	struct gcm_key k;
	uint8_t tag[XAES_TAG];
	err e;

	if (!buf_room(out, n + sizeof tag))
		return buf_check(out);
	chunk_key(p, last, &k);
	e = gcm_close(&k, STR(""), str_of((const char *)plain, n),
	    (uint8_t *)out->p + out->n, tag);
	mem_wipe(&k, sizeof k);
	TRY(e);
	out->n += n;
	buf_add(out, tag, sizeof tag);
	p->n++;
	p->over = last;
	return buf_check(out);
}

/* A chunk is sealed when more comes: only then it is not the last. */
err
parcel_add(struct parcel *p, struct str plain, struct buf *out)
{
	if (p->over)
		return err_of(E_INVALID);
	while (plain.n > 0) {
		size_t n = sizeof p->chunk - p->held;

		if (n == 0) {
			TRY(chunk_close(p, p->chunk, p->held, false, out));
			p->held = 0;
			continue;
		}
		if (n > plain.n)
			n = plain.n;
		memcpy(p->chunk + p->held, plain.p, n);
		p->held += n;
		plain = str_skip(plain, n);
	}
	return OK;
}

err
parcel_end(struct parcel *p, struct buf *out)
{
	return p->over ? err_of(E_INVALID)
		       : chunk_close(p, p->chunk, p->held, true, out);
}

/* ---- opening ---- */

err
parcel_open(const uint8_t sk[HPKE_KEY], struct str head, struct parcel **ret)
{
	struct parcel *p;
	err e;

	if (head.n != PARCEL_HEAD || !str_starts(head, STR(PARCEL_MAGIC)))
		return err_of(E_INVALID);
	TRY(make(&p));
	e = hpke_open(sk, STR(INFO), STR(""),
	    str_skip(head, sizeof PARCEL_MAGIC - 1), secret_bytes(p->key));
	if (!err_ok(e)) {
		(void)parcel_free(p);
		return e;
	}
	*ret = p;
	return OK;
}

/* Only the last chunk is not full; it is empty only when it is the only. */
err
parcel_next(struct parcel *p, struct str piece, bool last, uint8_t *ret)
{
	struct gcm_key k;
	size_t n;
	err e;

	if (p->over || piece.n < XAES_TAG || piece.n > PARCEL_PIECE)
		return err_of(E_CORRUPT);
	n = piece.n - XAES_TAG;
	if ((!last && n != PARCEL_CHUNK) || (last && n == 0 && p->n > 0))
		return err_of(E_CORRUPT);
	chunk_key(p, last, &k);
	e = gcm_open(&k, STR(""), str_head(piece, n),
	    (const uint8_t *)piece.p + n, ret);
	mem_wipe(&k, sizeof k);
	TRY(e);
	p->n++;
	p->over = last;
	return OK;
}

/* ---- keys as texts ---- */

static void
check_of(const char *label, const uint8_t key[HPKE_KEY], uint8_t ret[CHECK])
{
	uint8_t text[64 + HPKE_KEY], d[32];
	size_t n = strlen(label);

	BUG_ON(n > 64);
	memcpy(text, label, n);
	memcpy(text + n, key, HPKE_KEY);
	BUG_ON(
	    EVP_Digest(text, n + HPKE_KEY, d, NULL, EVP_sha256(), NULL) != 1);
	memcpy(ret, d, CHECK);
	mem_wipe(text, sizeof text);
}

static void
key_text(const char *label, const uint8_t key[HPKE_KEY], struct buf *b)
{
	uint8_t all[HPKE_KEY + CHECK];

	memcpy(all, key, HPKE_KEY);
	check_of(label, key, all + HPKE_KEY);
	buf_c(b, label);
	b64_add(b, str_of((const char *)all, sizeof all));
	mem_wipe(all, sizeof all);
}

static bool
key_parse(const char *label, struct str s, uint8_t ret[HPKE_KEY])
{
	uint8_t check[CHECK];
	struct arena a;
	struct str raw;
	bool good;

	if (!str_starts(s, str_c(label)))
		return false;
	arena_init(&a, 65536);
	good = b64_decode(&a, str_skip(s, strlen(label)), &raw) &&
	    raw.n == HPKE_KEY + CHECK;
	if (good) {
		check_of(label, (const uint8_t *)raw.p, check);
		good = memcmp(raw.p + HPKE_KEY, check, CHECK) == 0;
	}
	if (good)
		memcpy(ret, raw.p, HPKE_KEY);
	arena_done(&a);
	return good;
}

void
parcel_public_text(const uint8_t pk[HPKE_KEY], struct buf *b)
{
	key_text(PUBLIC, pk, b);
}

void
parcel_secret_text(const uint8_t sk[HPKE_KEY], struct buf *b)
{
	key_text(SECRET, sk, b);
}

bool
parcel_public_parse(struct str s, uint8_t ret[HPKE_KEY])
{
	return key_parse(PUBLIC, s, ret);
}

bool
parcel_secret_parse(struct str s, uint8_t ret[HPKE_KEY])
{
	return key_parse(SECRET, s, ret);
}
