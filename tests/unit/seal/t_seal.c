#include "tests/t.h"
#include "tests/unit/seal/help.h"

static struct arena arena;

static struct seal_where
row(void)
{
	struct seal_where w = {.table = SEAL_TABLE_TIMELINE,
	    .column = 1,
	    .schema = 1,
	    .project = 0x01020304};
	struct uuid u = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

	seal_where_id(&w, &u);
	seal_where_num(&w, 0x1122334455667788);
	return w;
}

static struct stored
sealed_text(const struct data_key *k, const struct seal_where *w,
    struct str text)
{
	struct sealed s = {STR_NONE};

	T_GOOD(seal_close(k, w, text, &arena, &s));
	T_EQ_INT(s.bytes.n, text.n + SEAL_OVERHEAD);
	return help_stored(s);
}

/* A private copy, to be changed. */
static struct stored
copy(struct stored s)
{
	return (struct stored){arena_dup(&arena, s.bytes)};
}

static uint8_t *
bytes(struct stored s)
{
	return (uint8_t *)(uintptr_t)s.bytes.p;
}

static struct data_key
begin(void)
{
	arena_init(&arena, 64 << 20);
	return help_key_of(7, 0xa1b2c3d4, SEAL_CLASS_OBJECT);
}

static void
finish(struct data_key *k)
{
	help_done(k);
	arena_done(&arena);
}

TEST(pk_is_appended)
{
	struct seal_where w = row();

	T_EQ_INT(w.pk_n, 24);
	T_EQ_MEM(w.pk, "\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\0", 16);
	T_EQ_MEM(w.pk + 16, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
}

TEST(round_trip_of_all_sizes)
{
	struct data_key k = begin();
	struct seal_where w = row();
	char text[2000];

	for (size_t n = 0; n < sizeof text; n++)
		text[n] = (char)(n * 7 + n / 256);
	for (size_t n = 0; n < sizeof text; n += n < 70 ? 1 : 97) {
		struct stored s = sealed_text(&k, &w, str_of(text, n));
		struct str back = STR("untouched");

		T_GOOD(seal_open(&k, &w, s, &arena, &back));
		T_EQ_STR(back, str_of(text, n));
	}
	finish(&k);
}

TEST(first_use_of_an_arena)
{
	struct data_key k = begin();
	struct seal_where w = row();
	struct stored s = sealed_text(&k, &w, STR(""));
	struct str back = STR("untouched");
	struct arena fresh;

	arena_init(&fresh, 65536);
	T_GOOD(seal_open(&k, &w, s, &fresh, &back));
	T_EQ_INT(back.n, 0);
	arena_done(&fresh);
	finish(&k);
}

TEST(header_as_documented)
{
	struct data_key k = begin();
	struct seal_where w = row();
	struct stored s = sealed_text(&k, &w, STR("x"));
	uint32_t id = 0;

	T_EQ_MEM(s.bytes.p, "\1\1\0\0\xa1\xb2\xc3\xd4", 8);
	T_GOOD(seal_key_id(s, &id));
	T_EQ_INT(id, 0xa1b2c3d4);
	T_EQ_INT(data_key_id(&k), 0xa1b2c3d4);
	finish(&k);
}

TEST(foreign_headers)
{
	struct data_key k = begin();
	struct seal_where w = row();
	struct stored s = sealed_text(&k, &w, STR("x"));
	uint32_t id = 5;

	for (size_t bit = 0; bit < 32; bit++) {
		struct stored t = copy(s);

		bytes(t)[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		T_ERR(seal_key_id(t, &id), E_CORRUPT);
	}
	T_EQ_INT(id, 5);
	finish(&k);
}

/* 80 + 20 bytes: each of 800 bits, alone, makes it another blob. */
TEST(every_bit_counts)
{
	struct data_key k = begin();
	struct seal_where w = row();
	struct stored s = sealed_text(&k, &w, STR("twenty bytes of text"));

	for (size_t bit = 0; bit < s.bytes.n * 8; bit++) {
		struct stored t = copy(s);
		struct str back = STR("untouched");
		size_t at = bit / 8;
		err e;

		bytes(t)[at] ^= (uint8_t)(1u << (bit % 8));
		e = seal_open(&k, &w, t, &arena, &back);
		/* key id, commitment, nonce: another key; else damage */
		if (at >= 4 && at < 64)
			T_ERR(e, E_WRONG_KEY);
		else
			T_ERR(e, E_CORRUPT);
		T_EQ_STR(back, STR("untouched"));
	}
	finish(&k);
}

TEST(truncated_and_extended)
{
	struct data_key k = begin();
	struct seal_where w = row();
	struct stored s = sealed_text(&k, &w, STR("twenty bytes of text"));
	char more[200] = {0};
	struct str back;
	uint32_t id;

	for (size_t n = 0; n < s.bytes.n; n++) {
		struct stored t = {str_head(s.bytes, n)};

		T_ERR(seal_open(&k, &w, t, &arena, &back), E_CORRUPT);
		if (n < SEAL_OVERHEAD)
			T_ERR(seal_key_id(t, &id), E_CORRUPT);
	}
	memcpy(more, s.bytes.p, s.bytes.n);
	for (size_t n = s.bytes.n + 1; n < sizeof more; n += 7) {
		struct stored t = {str_of(more, n)};

		T_ERR(seal_open(&k, &w, t, &arena, &back), E_CORRUPT);
	}
	T_ERR(seal_open(&k, &w, (struct stored){STR_NONE}, &arena, &back),
	    E_CORRUPT);
	finish(&k);
}

static void
elsewhere(const struct data_key *k, struct stored s,
    const struct seal_where *other)
{
	struct str back = STR("untouched");

	T_ERR(seal_open(k, other, s, &arena, &back), E_CORRUPT);
	T_EQ_STR(back, STR("untouched"));
}

#define MOVED(change)                                                          \
	do {                                                                   \
		struct seal_where o = w;                                       \
		change;                                                        \
		elsewhere(&k, s, &o);                                          \
	} while (0)

TEST(every_field_of_the_row_counts)
{
	struct data_key k = begin();
	struct seal_where w = row();
	struct stored s = sealed_text(&k, &w, STR("text"));

	MOVED(o.table = SEAL_TABLE_INCIDENT);
	MOVED(o.column = 0);
	MOVED(o.schema = 2);
	MOVED(o.schema = 0x0100);
	MOVED(o.project ^= 1);
	MOVED(o.project ^= 0x01000000);
	MOVED(o.pk_n--);
	MOVED(o.pk_n++);
	MOVED(o.pk_n = 0);
	for (uint8_t i = 0; i < w.pk_n; i++)
		MOVED(o.pk[i] ^= 1);
	finish(&k);
}

/* What stands behind pk_n is no part of the identity. */
TEST(unused_pk_bytes_do_not_count)
{
	struct data_key k = begin();
	struct seal_where w = row(), o = w;
	struct stored s = sealed_text(&k, &w, STR("text"));
	struct str back;

	memset(o.pk + o.pk_n, 0xff, sizeof o.pk - o.pk_n);
	T_GOOD(seal_open(&k, &o, s, &arena, &back));
	finish(&k);
}

TEST(wrong_key)
{
	struct data_key k = begin();
	struct seal_where w = row();
	struct stored s = sealed_text(&k, &w, STR("text"));
	/* the same bytes under another number; the same number */
	struct data_key renamed = help_key_of(7, 1, SEAL_CLASS_OBJECT);
	struct data_key other = help_key_of(8, k.id, SEAL_CLASS_OBJECT);
	struct str back = STR("untouched");

	T_ERR(seal_open(&renamed, &w, s, &arena, &back), E_WRONG_KEY);
	T_ERR(seal_open(&other, &w, s, &arena, &back), E_WRONG_KEY);
	T_EQ_STR(back, STR("untouched"));
	help_done(&renamed);
	help_done(&other);
	finish(&k);
}

static int
by_nonce(const void *a, const void *b)
{
	return memcmp(a, b, 24);
}

TEST(nonces_differ)
{
	enum { N = 20000 };
	struct data_key k = begin();
	struct seal_where w = row();
	uint8_t(*nonce)[24] = malloc(N * sizeof *nonce);
	struct arena a;
	int same = 0;

	arena_init(&a, 65536);
	for (int i = 0; i < N; i++) {
		struct sealed s = {STR_NONE};

		T_GOOD(seal_close(&k, &w, STR("same"), &a, &s));
		memcpy(nonce[i], s.bytes.p + 40, 24);
		arena_reset(&a);
	}
	qsort(nonce, N, sizeof *nonce, by_nonce);
	for (int i = 1; i < N; i++)
		same += memcmp(nonce[i], nonce[i - 1], 24) == 0;
	T_EQ_INT(same, 0);
	free(nonce);
	arena_done(&a);
	finish(&k);
}

TEST(no_memory)
{
	struct data_key k = begin();
	struct seal_where w = row();
	struct stored s = sealed_text(&k, &w, STR("0123456789abcdefg"));
	struct sealed out = {STR("untouched")};
	struct str back = STR("untouched");
	struct arena tiny;

	arena_init(&tiny, 16);
	T_ERR(seal_close(&k, &w, STR("x"), &tiny, &out), E_NO_MEMORY);
	arena_reset(&tiny);
	T_ERR(seal_open(&k, &w, s, &tiny, &back), E_NO_MEMORY);
	T_EQ_STR(out.bytes, STR("untouched"));
	T_EQ_STR(back, STR("untouched"));
	T_ERR(seal_close(&k, &w, str_of("", (size_t)BLOB_MAX + 1), &arena,
		  &out),
	    E_TOO_LARGE);
	arena_done(&tiny);
	finish(&k);
}

/* ---- chunks ---- */

enum { CHUNKS = 3 };

static char body[2 * SEAL_CHUNK + 100];

static struct str
piece(size_t i)
{
	return str_head(str_skip(str_of(body, sizeof body), i * SEAL_CHUNK),
	    SEAL_CHUNK);
}

static void
seal_body(const struct data_key *k, const struct seal_where *w,
    struct stored ret[CHUNKS])
{
	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (char)(i % 251);
	for (uint32_t i = 0; i < CHUNKS; i++) {
		struct sealed s = {STR_NONE};

		T_GOOD(seal_close_chunk(k, w, i, i == CHUNKS - 1, piece(i),
		    &arena, &s));
		ret[i] = help_stored(s);
	}
}

/* As a reader does: numbers count up, the last it has is the last. */
static err
read_body(const struct data_key *k, const struct seal_where *w,
    const struct stored *c, size_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct str back;

		TRY(seal_open_chunk(k, w, i, i == n - 1, c[i], &arena, &back));
		if (i < CHUNKS)
			T_EQ_STR(back, piece(i));
	}
	return OK;
}

TEST(chunks)
{
	struct data_key k = begin();
	struct seal_where w = row();
	struct stored c[CHUNKS], d[CHUNKS], e[CHUNKS + 1];

	seal_body(&k, &w, c);
	T_GOOD(read_body(&k, &w, c, CHUNKS));
	T_ERR(read_body(&k, &w, c, 2), E_CORRUPT);     /* last dropped */
	T_ERR(read_body(&k, &w, c, 1), E_CORRUPT);     /* two dropped */
	T_ERR(read_body(&k, &w, c + 1, 2), E_CORRUPT); /* first dropped */
	d[0] = c[1], d[1] = c[0], d[2] = c[2];
	T_ERR(read_body(&k, &w, d, CHUNKS), E_CORRUPT); /* reordered */
	d[0] = c[0], d[1] = c[2];
	T_ERR(read_body(&k, &w, d, 2), E_CORRUPT); /* middle dropped */
	d[0] = c[0], d[1] = c[0], d[2] = c[2];
	T_ERR(read_body(&k, &w, d, CHUNKS), E_CORRUPT); /* repeated */
	memcpy(e, c, sizeof c);
	e[CHUNKS] = c[CHUNKS - 1];
	T_ERR(read_body(&k, &w, e, CHUNKS + 1), E_CORRUPT); /* added */
	seal_body(&k, &w, d);
	/* Sealing says where a chunk belongs, not when: PROTOCOL.seal 7. */
	d[1] = c[1];
	T_GOOD(read_body(&k, &w, d, CHUNKS));
	finish(&k);
}

TEST(chunks_are_not_rows)
{
	struct data_key k = begin();
	struct seal_where w = row();
	struct stored whole = sealed_text(&k, &w, STR("text"));
	struct sealed only = {STR_NONE};
	struct str back;

	T_GOOD(seal_close_chunk(&k, &w, 0, true, STR("text"), &arena, &only));
	T_ERR(seal_open_chunk(&k, &w, 0, true, whole, &arena, &back),
	    E_CORRUPT);
	T_ERR(seal_open(&k, &w, help_stored(only), &arena, &back), E_CORRUPT);
	T_GOOD(
	    seal_open_chunk(&k, &w, 0, true, help_stored(only), &arena, &back));
	finish(&k);
}

TEST(chunk_sizes)
{
	struct data_key k = begin();
	struct seal_where w = row();
	struct str full = str_of(body, SEAL_CHUNK);
	struct str over = str_of(body, SEAL_CHUNK + 1);
	struct sealed s;
	struct str back;

	T_GOOD(seal_close_chunk(&k, &w, 0, true, STR(""), &arena, &s));
	T_GOOD(seal_open_chunk(&k, &w, 0, true, help_stored(s), &arena, &back));
	T_GOOD(seal_close_chunk(&k, &w, 5, true, full, &arena, &s));
	T_GOOD(seal_close_chunk(&k, &w, 5, false, full, &arena, &s));
	T_ERR(seal_close_chunk(&k, &w, 5, true, STR(""), &arena, &s),
	    E_INVALID);
	T_ERR(seal_close_chunk(&k, &w, 0, false, STR(""), &arena, &s),
	    E_INVALID);
	T_ERR(seal_close_chunk(&k, &w, 0, false, str_head(full, 65535), &arena,
		  &s),
	    E_INVALID);
	T_ERR(seal_close_chunk(&k, &w, 0, true, over, &arena, &s), E_INVALID);
	T_ERR(seal_close_chunk(&k, &w, 0, false, over, &arena, &s), E_INVALID);
	T_ERR(seal_open_chunk(&k, &w, 0, false, (struct stored){STR("short")},
		  &arena, &back),
	    E_CORRUPT);
	finish(&k);
}

/* ---- MACs ---- */

TEST(mac_separates_labels)
{
	struct data_key k = help_key_of(1, 1, SEAL_CLASS_INDEX);
	uint8_t a[32], b[32], c[32], d[4] = {0};

	T_GOOD(seal_mac(&k, "ab", STR("c"), a, 32));
	T_GOOD(seal_mac(&k, "a", STR("bc"), b, 32));
	T_GOOD(seal_mac(&k, "ab", STR("c"), c, 32));
	T_OK(memcmp(a, b, 32) != 0);
	T_EQ_MEM(a, c, 32);
	T_GOOD(seal_mac(&k, "ab", STR("c"), d, 4));
	T_EQ_MEM(a, d, 4);
	T_GOOD(seal_mac(&k, "", STR_NONE, a, 32));
	help_done(&k);
}

TEST(keys_do_one_thing)
{
	struct data_key seals = begin();
	struct seal_where w = row();
	struct stored s = sealed_text(&seals, &w, STR("text"));
	struct str back;
	uint8_t out[32];

	for (uint8_t c = 1; c <= 10; c++) {
		struct data_key k = help_key_of(7, seals.id, c);
		bool is_mac = c >= SEAL_CLASS_INDEX;
		struct sealed t;

		if (is_mac) {
			T_GOOD(seal_mac(&k, "l", STR("d"), out, 32));
			T_ERR(seal_close(&k, &w, STR("x"), &arena, &t),
			    E_CRYPTO);
			T_ERR(seal_open(&k, &w, s, &arena, &back), E_CRYPTO);
		} else {
			T_ERR(seal_mac(&k, "l", STR("d"), out, 32), E_CRYPTO);
			T_GOOD(seal_close(&k, &w, STR("x"), &arena, &t));
			T_GOOD(seal_open(&k, &w, s, &arena, &back));
		}
		help_done(&k);
	}
	finish(&seals);
}

T_MAIN
