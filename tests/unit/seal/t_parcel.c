/* A sealed file: what went in comes out, and nothing else ever does. */
#include "seal/parcel.h"
#include "base/mem.h"
#include "base/rand.h"
#include "tests/t.h"

#define DIR "tests/vectors/audit/"

static struct secret *sk;
static uint8_t pk[HPKE_KEY];
static uint8_t *plain;
enum { PLAIN = 3 * PARCEL_CHUNK + 5 };

/* In pieces of odd sizes. */
static void
seal(size_t n, struct buf *b)
{
	struct parcel *p;

	buf_init(b, 1 << 20);
	T_GOOD(parcel_new(pk, b, &p));
	for (size_t at = 0; at < n;) {
		size_t some = n - at < 10007 ? n - at : 10007;

		T_GOOD(parcel_add(p, str_of((char *)plain + at, some), b));
		at += some;
	}
	T_GOOD(parcel_end(p, b));
	T_ERR(parcel_end(p, b), E_INVALID);
	T_ERR(parcel_add(p, STR("x"), b), E_INVALID);
	p = parcel_free(p);
	T_EQ_INT(b->n,
	    PARCEL_HEAD + n +
		HPKE_TAG *
		    (n == 0 ? 1 : (n + PARCEL_CHUNK - 1) / PARCEL_CHUNK));
}

static err
open_all(const uint8_t key[HPKE_KEY], struct str s, size_t *ret_n)
{
	static uint8_t out[PARCEL_CHUNK];
	struct parcel *p;
	size_t n = 0;
	err e = OK;

	TRY(parcel_open(key, str_head(s, PARCEL_HEAD), &p));
	s = str_skip(s, PARCEL_HEAD);
	do {
		struct str piece = str_head(s, PARCEL_PIECE);

		s = str_skip(s, PARCEL_PIECE);
		e = parcel_next(p, piece, s.n == 0, out);
		if (!err_ok(e))
			break;
		T_EQ_MEM(out, plain + n, piece.n - HPKE_TAG);
		n += piece.n - HPKE_TAG;
	} while (s.n > 0);
	p = parcel_free(p);
	*ret_n = n;
	return e;
}

TEST(begin)
{
	plain = mem_new(1, PLAIN);
	rand_bytes(plain, PLAIN);
	T_GOOD(hpke_key_new(&sk, pk));
}

TEST(opens_again)
{
	static const size_t sizes[] = {0, 1, PARCEL_CHUNK - 1, PARCEL_CHUNK,
	    PARCEL_CHUNK + 1, (size_t)2 * PARCEL_CHUNK, PLAIN};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct buf b;
		size_t n;

		seal(sizes[i], &b);
		T_GOOD(open_all(secret_view(sk), buf_view(&b), &n));
		T_EQ_INT(n, sizes[i]);
		buf_done(&b);
	}
}

TEST(what_was_changed_does_not_open)
{
	struct secret *other;
	uint8_t other_pk[HPKE_KEY];
	struct buf b;
	size_t n;

	seal(PLAIN, &b);
	for (size_t i = 0; i < b.n; i += i < 200 ? 1 : 4999) {
		b.p[i] ^= 1;
		T_OK(!err_ok(open_all(secret_view(sk), buf_view(&b), &n)));
		b.p[i] ^= 1;
	}
	for (size_t i = 0; i < b.n; i += i < 200 ? 1 : 997)
		T_OK(!err_ok(
		    open_all(secret_view(sk), str_head(buf_view(&b), i), &n)));
	/* cut exactly between two chunks */
	T_ERR(open_all(secret_view(sk),
		  str_head(buf_view(&b), PARCEL_HEAD + PARCEL_PIECE), &n),
	    E_CORRUPT);
	/* the last chunk gone, the ones before it in another order */
	memmove(b.p + PARCEL_HEAD, b.p + PARCEL_HEAD + PARCEL_PIECE,
	    b.n - PARCEL_HEAD - PARCEL_PIECE);
	T_ERR(open_all(secret_view(sk),
		  str_head(buf_view(&b), b.n - PARCEL_PIECE), &n),
	    E_CORRUPT);
	buf_done(&b);
	seal(10, &b);
	T_GOOD(hpke_key_new(&other, other_pk));
	T_ERR(open_all(secret_view(other), buf_view(&b), &n), E_CORRUPT);
	other = secret_free(other);
	buf_done(&b);
}

TEST(keys_as_texts)
{
	uint8_t got[HPKE_KEY], zero[HPKE_KEY] = {0};
	struct parcel *p;
	struct buf b;

	buf_init(&b, 1024);
	parcel_public_text(pk, &b);
	T_OK(parcel_public_parse(buf_view(&b), got));
	T_EQ_MEM(got, pk, sizeof pk);
	T_OK(!parcel_secret_parse(buf_view(&b), got));
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] ^= 1;
		T_OK(!parcel_public_parse(buf_view(&b), got));
		b.p[i] ^= 1;
		T_OK(!parcel_public_parse(str_head(buf_view(&b), i), got));
	}
	buf_clear(&b);
	parcel_secret_text(secret_view(sk), &b);
	T_OK(parcel_secret_parse(buf_view(&b), got));
	T_EQ_MEM(got, secret_view(sk), sizeof got);
	T_OK(!parcel_public_parse(buf_view(&b), got));
	/* a key of small order is none to seal to */
	buf_clear(&b);
	T_ERR(parcel_new(zero, &b, &p), E_INVALID);
	buf_done(&b);
}

static struct str
read_file(const char *path, char *b, size_t max)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	T_OK(f != NULL);
	n = f == NULL ? 0 : fread(b, 1, max, f);
	if (f != NULL)
		fclose(f);
	return str_of(b, n);
}

/* REDOUBT_WRITE_VECTORS=1: another key, and the file sealed to it. */
static void
write_vector(struct str text)
{
	FILE *key = fopen(DIR "key.txt", "wb");
	FILE *file = fopen(DIR "part.sealed", "wb");
	struct buf b;

	T_REQUIRE(key != NULL && file != NULL);
	memcpy(plain, text.p, text.n);
	seal(text.n, &b);
	T_OK(fwrite(b.p, 1, b.n, file) == b.n);
	buf_clear(&b);
	parcel_secret_text(secret_view(sk), &b);
	fprintf(key, "%.*s\n", STR_ARG(buf_view(&b)));
	buf_done(&b);
	fclose(key);
	fclose(file);
}

/* part.csv of doc/PROTOCOL.audit, sealed to the key of key.txt. */
TEST(vector)
{
	static char key[256], file[65536], want[65536];
	struct str w = read_file(DIR "part.csv", want, sizeof want);
	struct str k, s, rest;
	uint8_t secret[HPKE_KEY];
	size_t n;

	if (getenv("REDOUBT_WRITE_VECTORS") != NULL)
		write_vector(w);
	k = read_file(DIR "key.txt", key, sizeof key);
	s = read_file(DIR "part.sealed", file, sizeof file);
	(void)str_cut(k, '\n', &k, &rest);
	T_OK(parcel_secret_parse(k, secret));
	T_OK(w.n > 0 && w.n < PLAIN);
	memcpy(plain, w.p, w.n);
	T_GOOD(open_all(secret, s, &n));
	T_EQ_INT(n, w.n);
}

TEST(done)
{
	sk = secret_free(sk);
	mem_free(plain);
}

T_MAIN
