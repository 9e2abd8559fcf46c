/*
 * Shares and the sealed root key file, against tests/vectors/seal/root1.txt,
 * which contrib/seal.py made.
 */
#include "seal/share.h"

#include "base/rand.h"
#include "base/text.h"
#include "seal/rootseal.h"
#include "tests/t.h"
#include "tests/unit/seal/help.h"

static struct arena arena;
static char file[16384];
static struct str sealed, shares[3], root; /* of it */

static void
load(void)
{
	struct str all, line;
	size_t n = 0;
	FILE *f;

	if (root.n > 0)
		return;
	f = fopen("tests/vectors/seal/root1.txt", "r");
	if (f == NULL)
		abort();
	all = str_of(file, fread(file, 1, sizeof file, f));
	(void)fclose(f);
	arena_init(&arena, 1 << 20);
	while (all.n > 0) {
		(void)str_cut(all, '\n', &line, &all);
		if (str_starts(line, STR("text ")))
			sealed =
			    str_of(file, (size_t)(line.p + line.n + 1 - file));
		if (str_starts(line, STR("redoubt1-")) && n < 3)
			shares[n++] = line;
		if (str_starts(line, STR("redoubt-root-1 ")))
			root = str_of(line.p, line.n + 1); /* with its end */
	}
	T_EQ_INT(n, 3);
}

static struct secret *
secret(void)
{
	struct secret *s = NULL;

	T_GOOD(secret_new(&s));
	return s;
}

TEST(any_k_of_n_and_no_fewer)
{
	static const uint8_t set[SHARE_SET] = {1, 2, 3, 4};
	struct secret *key = secret(), *back = secret();
	struct share s[SHARES_MAX], some[SHARES_MAX];

	for (unsigned n = 2; n <= SHARES_MAX; n++) {
		for (unsigned k = 2; k <= n; k++) {
			rand_bytes(secret_bytes(key), SECRET_SIZE);
			T_GOOD(share_split(key, set, k, n, s));
			for (unsigned i = 0; i < k; i++)
				some[i] = s[n - 1 - i];
			T_GOOD(share_join(some, k, back));
			T_OK(memcmp(secret_view(key), secret_view(back),
				 SECRET_SIZE) == 0);
			some[0].y[5] ^= 1;
			T_GOOD(share_join(some, k, back));
			T_OK(memcmp(secret_view(key), secret_view(back),
				 SECRET_SIZE) != 0);
			T_ERR(share_join(some, k - 1, back), E_INVALID);
		}
	}
	secret_free(key);
	secret_free(back);
}

TEST(one_share_of_two_says_nothing)
{
	static const uint8_t set[SHARE_SET] = {0};
	struct secret *key = secret();
	unsigned seen[256] = {0}, most = 0;
	struct share s[2];

	memset(secret_bytes(key), 0x5a, SECRET_SIZE);
	for (unsigned i = 0; i < 2000; i++) {
		T_GOOD(share_split(key, set, 2, 2, s));
		for (size_t b = 0; b < SECRET_SIZE; b++)
			seen[s[1].y[b]]++;
	}
	for (unsigned i = 0; i < 256; i++)
		most = seen[i] > most ? seen[i] : most;
	/* 64000 bytes, 250 each; eleven standard deviations */
	T_OK(most < 425);
	secret_free(key);
}

TEST(what_does_not_belong_together)
{
	static const uint8_t set[SHARE_SET] = {1, 2, 3, 4}, other[SHARE_SET];
	struct secret *key = secret(), *back = secret();
	struct share a[3], b[3], mix[2];

	rand_bytes(secret_bytes(key), SECRET_SIZE);
	T_GOOD(share_split(key, set, 2, 3, a));
	T_GOOD(share_split(key, other, 2, 3, b));
	mix[0] = a[0];
	mix[1] = b[1];
	T_ERR(share_join(mix, 2, back), E_INVALID);
	mix[1] = a[0];
	T_ERR(share_join(mix, 2, back), E_INVALID);
	mix[1] = a[1];
	mix[1].k = 3;
	T_ERR(share_join(mix, 2, back), E_INVALID);
	mix[1] = a[1];
	mix[1].x = 0;
	T_ERR(share_join(mix, 2, back), E_INVALID);
	T_ERR(share_split(key, set, 1, 3, a), E_INVALID);
	T_ERR(share_split(key, set, 4, 3, a), E_INVALID);
	T_ERR(share_split(key, set, 2, SHARES_MAX + 1, a), E_INVALID);
	secret_free(key);
	secret_free(back);
}

TEST(text_there_and_back)
{
	struct trail t = {{0}};
	struct share s, back;
	char text[SHARE_TEXT], bad[SHARE_TEXT];

	for (unsigned i = 0; i < 200; i++) {
		rand_bytes(&s, sizeof s);
		s.k = (uint8_t)(2 + s.k % (SHARES_MAX - 1));
		s.x = (uint8_t)(1 + s.x % SHARES_MAX);
		share_write(&s, text);
		T_GOOD(share_read(str_c(text), &t, &back));
		T_OK(memcmp(&s, &back, sizeof s) == 0);
	}
	/* every other character in every place is noticed */
	for (size_t at = 9; text[at] != '\0'; at++) {
		memcpy(bad, text, sizeof bad);
		bad[at] = bad[at] == '7' ? '8' : '7';
		t.detail[0] = '\0';
		T_ERR(share_read(str_c(bad), &t, &back), E_INVALID);
		T_OK(t.detail[0] != '\0');
	}
	T_ERR(share_read(STR(""), &t, &back), E_INVALID);
	T_ERR(share_read(STR("redoubt1-"), &t, &back), E_INVALID);
}

/* ---- the vectors ---- */

static void
opens(const struct root_sealed *r, const struct unlocker *k,
    const struct secret *key)
{
	struct secret *u = secret();
	struct buf b;

	buf_init(&b, 4096);
	T_GOOD(unlocker_open(&arena, r, k, key, u));
	T_GOOD(root_sealed_open(&arena, r, u, &b));
	T_EQ_STR(buf_view(&b), root);
	buf_done(&b);
	secret_free(u);
}

TEST(the_vectors_open)
{
	struct secret *key = secret(), *u = secret();
	struct trail t = {{0}};
	struct root_sealed r;
	struct share s[3];
	uint8_t check[SHARE_CHECK];
	char hex[2 * SHARE_CHECK * 3 + 1], text[SHARE_TEXT];
	struct buf b = {.p = hex, .cap = sizeof hex, .max = sizeof hex};

	load();
	T_GOOD(root_sealed_parse(&arena, sealed, &t, &r));
	T_EQ_INT(r.n, 2);
	for (size_t i = 0; i < 3; i++) {
		T_GOOD(share_read(shares[i], &t, &s[i]));
		share_write(&s[i], text);
		T_EQ_STR(str_c(text), shares[i]);
		T_GOOD(share_check(&s[i], check));
		hex_add(&b, str_of((char *)check, sizeof check));
	}
	T_EQ_STR(buf_view(&b), r.unlocker[1].word[3]);
	for (size_t i = 0; i < 3; i++) {
		struct share two[2] = {s[i], s[(i + 1) % 3]};

		T_GOOD(share_join(two, 2, key));
		opens(&r, &r.unlocker[1], key);
	}
	T_ERR(unlocker_open(&arena, &r, &r.unlocker[0], key, u), E_WRONG_KEY);
	secret_bytes(key)[0] ^= 1;
	T_ERR(unlocker_open(&arena, &r, &r.unlocker[1], key, u), E_WRONG_KEY);
	secret_free(key);
	secret_free(u);
}

TEST(what_is_written_is_what_was_read)
{
	struct trail t = {{0}};
	struct root_sealed r;
	struct buf b;

	load();
	T_GOOD(root_sealed_parse(&arena, sealed, &t, &r));
	buf_init(&b, ROOT_SEALED_MAX);
	root_sealed_write(&r, &b);
	T_EQ_STR(buf_view(&b), sealed);
	buf_done(&b);
}

/* A bit anywhere: no line, or nothing opens. */
TEST(every_flipped_bit_shows)
{
	struct secret *key = secret(), *u = secret();
	struct root_sealed r;
	struct share s[3];
	static char bad[sizeof file];
	struct trail t = {{0}};
	struct buf b;

	load();
	for (size_t i = 0; i < 2; i++)
		T_GOOD(share_read(shares[i], &t, &s[i]));
	T_GOOD(share_join(s, 2, key));
	for (size_t bit = 0; bit < sealed.n * 8; bit += 3) {
		struct arena a;
		err e;

		memcpy(bad, sealed.p, sealed.n);
		bad[bit / 8] = (char)(bad[bit / 8] ^ 1 << bit % 8);
		arena_init(&a, 1 << 20);
		buf_init(&b, 4096);
		t.detail[0] = '\0';
		e = root_sealed_parse(&a, str_of(bad, sealed.n), &t, &r);
		if (err_ok(e) && r.n == 2)
			e = unlocker_open(&a, &r, &r.unlocker[1], key, u);
		if (err_ok(e))
			e = root_sealed_open(&a, &r, u, &b);
		/* the other unlocker's line, or a line's end alone, may be
		 * spoilt: then it opens, to the same */
		if (err_ok(e))
			T_EQ_STR(buf_view(&b), root);
		else
			T_OK(err_is(e, E_WRONG_KEY) || err_is(e, E_CORRUPT));
		buf_done(&b);
		arena_done(&a);
	}
	secret_free(key);
	secret_free(u);
}

TEST(made_here_and_changed)
{
	struct secret *u = secret(), *key = secret(), *back = secret();
	struct root_sealed r, again;
	struct unlocker k = {.kind = UNLOCK_FILE,
	    .name = STR("x"),
	    .word = {STR("%2Fetc%2Fkek")}};
	struct trail t = {{0}};
	struct str path;
	struct buf b;

	load();
	T_GOOD(root_sealed_make(&r, u));
	rand_bytes(secret_bytes(key), SECRET_SIZE);
	T_GOOD(unlocker_close(&arena, &r, &k, key, u));
	r.unlocker[r.n++] = k;
	T_GOOD(root_sealed_close(&arena, &r, u, root));
	buf_init(&b, ROOT_SEALED_MAX);
	root_sealed_write(&r, &b);
	T_GOOD(root_sealed_parse(&arena, buf_view(&b), &t, &again));
	opens(&again, &again.unlocker[0], key);
	T_OK(unlocker_word(&arena, &again.unlocker[0], 0, &path));
	T_EQ_STR(path, STR("/etc/kek"));
	/* its parameters are bound to it, and its file */
	again.unlocker[0].word[0] = STR("%2Fetc%2Fkeq");
	T_ERR(unlocker_open(&arena, &again, &again.unlocker[0], key, back),
	    E_CORRUPT);
	again.unlocker[0].word[0] = STR("%2Fetc%2Fkek");
	again.id[6] ^= 1;
	T_ERR(unlocker_open(&arena, &again, &again.unlocker[0], key, back),
	    E_WRONG_KEY);
	buf_done(&b);
	secret_free(u);
	secret_free(key);
	secret_free(back);
}

T_MAIN
