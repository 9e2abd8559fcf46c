#include "tests/unit/audit/log.h"

static struct log *honest;
static struct buf out;

static uint64_t seed = 88172645463325252;

static uint64_t
any(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

TEST(make)
{
	honest = log_new(1100);
	buf_init(&out, 1U << 28);
}

static void
good(uint64_t first, uint64_t last, uint64_t size, uint64_t hide)
{
	struct audit_verdict v;
	uint64_t shown = last + 1 - first;

	if (hide > 1)
		shown = last / hide - (first - 1) / hide;
	buf_clear(&out);
	log_export(honest, honest->leaf, first, last, size, hide, &out);
	T_GOOD(audit_verify_export(buf_view(&out), &honest->key, &v));
	if (v.what[0] != '\0')
		T_FAIL("%d..%d of %d: %s", (int)first, (int)last, (int)size,
		    v.what);
	T_EQ_INT(v.entries, shown);
	T_EQ_INT(v.hidden, last + 1 - first - shown);
	T_EQ_INT(v.first, first);
	T_EQ_INT(v.last, last);
	T_EQ_INT(v.signed_size, size);
	T_EQ_INT(v.bad_seq, 0);
}

TEST(whole_logs)
{
	static const uint64_t size[] = {1, 2, 3, 255, 256, 257, 511, 512, 513,
	    1023, 1024, 1025, 1100};

	for (size_t i = 0; i < sizeof size / sizeof size[0]; i++) {
		good(1, size[i], size[i], 1);
		good(1, size[i], 1100, 1);
		good(1, size[i], size[i], 5);
	}
}

TEST(ranges)
{
	static const uint64_t edge[] = {1, 2, 255, 256, 257, 258, 512, 513, 514,
	    1024, 1025, 1099, 1100};
	const size_t n = sizeof edge / sizeof edge[0];

	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++) {
			good(edge[i], edge[j], 1100, 1);
			good(edge[i], edge[j], edge[j], 3);
		}
	for (int k = 0; k < 200; k++) {
		uint64_t size = 1 + any(1100), last = 1 + any(size);

		good(1 + any(last), last, size, 1 + any(4));
	}
}

TEST(nothing_covered)
{
	good(1, 0, 0, 1);
	good(1, 0, 1100, 1);
	good(257, 256, 256, 1);
	good(301, 300, 1000, 1);
	good(1101, 1100, 1100, 1);
}

TEST(wide_log)
{
	struct log *small = honest;

	honest = log_new(66000);
	good(1, 66000, 66000, 1);
	good(65000, 65536, 66000, 1);
	good(65536, 65537, 65990, 1);
	good(70, 65999, 66000, 200);
	honest = log_free(honest);
	honest = small;
}

TEST(key_of_the_export)
{
	struct audit_verdict v;
	struct note_key other;
	uint8_t s[SECRET_SIZE] = {7};

	buf_clear(&out);
	log_export(honest, honest->leaf, 1, 300, 300, 1, &out);
	T_GOOD(audit_verify_export(buf_view(&out), NULL, &v));
	T_EQ_INT(v.bad_seq, 0);
	T_OK(strstr(v.what, "not checked") != NULL);
	T_GOOD(note_key_of(STR(LOG_NAME), s, &other));
	T_ERR(audit_verify_export(buf_view(&out), &other, &v), E_BAD_ANSWER);
	T_EQ_INT(v.bad_seq, 1);
	T_OK(strstr(v.what, "not signed by") != NULL);
}

TEST(refused_ranges)
{
	struct buf b;
	struct arena a;

	arena_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
#define TRAILER(first, last, size)                                             \
	audit_export_trailer(1, honest->tree, first, last, STR("x"), size,     \
	    &honest->key, log_tile_get, honest, &a, &b)
	T_ERR(TRAILER(0, 0, 10), E_INVALID);
	T_ERR(TRAILER(5, 3, 10), E_INVALID);
	T_ERR(TRAILER(5, 11, 10), E_INVALID);
	T_ERR(TRAILER(5, 11, 1101), E_INVALID);
	T_ERR(audit_export_hashes(honest->tree, 0, 5, log_tile_get, honest, &b),
	    E_INVALID);
	T_ERR(audit_export_hashes(honest->tree, 6, 5, log_tile_get, honest, &b),
	    E_INVALID);
	T_ERR(audit_export_hashes(honest->tree, 1100, 1101, log_tile_get,
		  honest, &b),
	    E_INVALID);
	buf_done(&b);
	arena_done(&a);
}

/* No bit of an export is without meaning. */
static void
flip(size_t at, unsigned bit)
{
	struct audit_verdict v;

	out.p[at] ^= (char)(1U << bit);
	if (err_ok(audit_verify_export(buf_view(&out), &honest->key, &v)))
		T_FAIL("bit %u of byte %zu (%c) changed nothing", bit, at,
		    out.p[at]);
	else
		T_OK(v.bad_seq != 0 && v.what[0] != '\0');
	out.p[at] ^= (char)(1U << bit);
}

TEST(each_bit_counts)
{
	buf_clear(&out);
	log_export(honest, honest->leaf, 254, 258, 300, 2, &out);
	for (size_t i = 0; i < out.n; i++)
		for (unsigned bit = 0; bit < 8; bit++)
			flip(i, bit);
	buf_clear(&out);
	log_export(honest, honest->leaf, 100, 800, 1100, 1, &out);
	for (int k = 0; k < 300; k++)
		flip(any(out.n), (unsigned)any(8));
}

TEST(each_byte_is_needed)
{
	struct audit_verdict v;

	buf_clear(&out);
	log_export(honest, honest->leaf, 254, 258, 300, 2, &out);
	for (size_t i = 0; i < out.n; i++) {
		T_ERR(audit_verify_export(str_of(out.p, i), &honest->key, &v),
		    E_BAD_ANSWER);
		T_OK(v.bad_seq != 0);
		if (i > 0)
			T_ERR(audit_verify_export(str_of(out.p + i, out.n - i),
				  &honest->key, &v),
			    E_BAD_ANSWER);
	}
}

TEST(done)
{
	buf_done(&out);
	honest = log_free(honest);
}

T_MAIN
