#include "audit/note.h"

#include "base/text.h"
#include "tests/t.h"

#include <openssl/evp.h>

#define DASH "\xe2\x80\x94 "

/* The published example of Go's sumdb/note: key, text, signature. */
#define PETER                                                                  \
	"PeterNeumann+c74f20a3+"                                               \
	"ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define PETER_SEED                                                             \
	"810a1402d5146c8d84f2443330f54080ebf98ee17d9c74f6252fc5d5c7283173"
#define PETER_TEXT                                                             \
	"If you think cryptography is the answer to your problem,\n"           \
	"then you don't know what your problem is.\n"
#define PETER_SIG                                                              \
	"x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf" \
	"qdngotpRZb6KE6RyyBwJnAM="
#define PETER_NOTE PETER_TEXT "\n" DASH "PeterNeumann " PETER_SIG "\n"

/* reference/audit-sandbox-secrets.md A5: seed SHA-256("irs test key 1"). */
#define ACME "irs.example.com/audit/org_acme/1"
#define ACME_VKEY ACME "+869fd54c+ATLeo+mKG6387FmRgP/0aKzmAO8ve5kdyjRWahwnN/tt"
#define ACME_ROOT "+kdxr8uAcSV7dPX1Z5ykt00yJuo34TXiN9mPuoMiCUE="
#define ACME_SIG                                                               \
	"hp/VTD1MaYKF3QNm5WopAOp1KZQLbG7Xd4ejCVjLEsWzMyK6PWe1zhX51Hgs1zBMRQFs" \
	"m5l+jW2EGClkoypyYZbsOg8="
#define ACME_BODY ACME "\n1000\n" ACME_ROOT "\n"
#define ACME_LINE DASH ACME " " ACME_SIG "\n"
#define ACME_NOTE ACME_BODY "\n" ACME_LINE

static uint8_t acme_seed[SECRET_SIZE], peter_seed[SECRET_SIZE];
static struct note_key acme, peter;

static err
open_c(const char *note, const struct note_key *k, struct checkpoint *ret)
{
	return checkpoint_open(str_c(note), k, ret);
}

TEST(keys)
{
	struct note_key k;
	struct buf b;

	EVP_Digest("irs test key 1", 14, acme_seed, NULL, EVP_sha256(), NULL);
	T_OK(hex_decode(STR(PETER_SEED), peter_seed, sizeof peter_seed));
	T_GOOD(note_key_of(STR(ACME), acme_seed, &acme));
	T_GOOD(note_key_of(STR("PeterNeumann"), peter_seed, &peter));
	buf_init(&b, 1000);
	note_key_text(&acme, &b);
	T_EQ_STR(buf_view(&b), STR(ACME_VKEY));
	buf_clear(&b);
	note_key_text(&peter, &b);
	T_EQ_STR(buf_view(&b), STR(PETER));
	buf_done(&b);
	T_GOOD(note_key_parse(STR(PETER), &k));
	T_EQ_MEM(k.pub, peter.pub, 32);
	T_EQ_INT(k.hash, 0xc74f20a3);
	T_EQ_STR(str_c(k.name), STR("PeterNeumann"));
}

TEST(bad_keys)
{
	static const char *const bad[] = {"", "PeterNeumann",
	    "PeterNeumann+c74f20a3",
	    "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/"
	    "LDE4izWy10TW",
	    "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/"
	    "LDE4izWy10TW",
	    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/"
	    "LDE4izWy10TX",
	    "PeterNeumann+c74f20a3+AhpcQQcUPDhMQegwxbzhKqiBfsVkmqq/"
	    "LDE4izWy10TW",
	    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/"
	    "LDE4izWy10T=",
	    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy",
	    "PeterNeumann+0c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/"
	    "LDE4izWy10TW",
	    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/"
	    "LDE4izWy10TW\n",
	    "peterneumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/"
	    "LDE4izWy10TW",
	    "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"};
	static const char *const name[] = {"", "a b", "a+b", "a\nb", "a\tb",
	    "a\xc2\xa0"
	    "b",
	    "a\xe2\x80\x83"
	    "b",
	    "a\xe3\x80\x80", "\xff", "a\xc2\x85", "\x7f"};
	char longest[NOTE_NAME_MAX + 2];
	struct note_key k;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		T_ERR(note_key_parse(str_c(bad[i]), &k), E_INVALID);
	for (size_t i = 0; i < sizeof name / sizeof name[0]; i++)
		T_ERR(note_key_of(str_c(name[i]), peter_seed, &k), E_INVALID);
	memset(longest, 'n', sizeof longest);
	T_GOOD(note_key_of(str_of(longest, NOTE_NAME_MAX), peter_seed, &k));
	T_ERR(note_key_of(str_of(longest, NOTE_NAME_MAX + 1), peter_seed, &k),
	    E_INVALID);
	T_GOOD(note_key_of(STR("caf\xc3\xa9.example/log"), peter_seed, &k));
}

TEST(go_note)
{
	struct str text;
	struct buf b;

	buf_init(&b, 1000);
	T_GOOD(note_sign(STR(PETER_TEXT), &peter, peter_seed, &b));
	T_EQ_STR(buf_view(&b), STR(PETER_NOTE));
	T_GOOD(note_open(STR(PETER_NOTE), &peter, &text));
	T_EQ_STR(text, STR(PETER_TEXT));
	T_ERR(note_open(STR(PETER_NOTE), &acme, &text), E_BAD_ANSWER);
	/* Text with an empty line: the last one is the border. */
	buf_clear(&b);
	T_GOOD(note_sign(STR("a\n\nb\n"), &peter, peter_seed, &b));
	T_GOOD(note_open(buf_view(&b), &peter, &text));
	T_EQ_STR(text, STR("a\n\nb\n"));
	buf_clear(&b);
	T_ERR(note_sign(STR("no newline"), &peter, peter_seed, &b), E_INVALID);
	T_ERR(note_sign(STR("a\tb\n"), &peter, peter_seed, &b), E_INVALID);
	T_ERR(note_sign(STR("a\xff\n"), &peter, peter_seed, &b), E_INVALID);
	T_ERR(note_sign(STR(""), &peter, peter_seed, &b), E_INVALID);
	T_ERR(note_sign(STR("a\n"), &peter, acme_seed, &b), E_WRONG_KEY);
	T_EQ_INT(b.n, 0);
	buf_done(&b);
}

TEST(checkpoint)
{
	struct checkpoint c = {.size = 7},
			  made = {.origin = ACME, .size = 1000};
	struct arena a;
	struct str root;
	struct buf b;

	T_GOOD(open_c(ACME_NOTE, &acme, &c));
	T_EQ_STR(str_c(c.origin), STR(ACME));
	T_EQ_INT(c.size, 1000);
	arena_init(&a, 1000);
	T_REQUIRE(b64_decode(&a, STR(ACME_ROOT), &root));
	T_EQ_MEM(c.root.b, root.p, HASH_SIZE);
	memcpy(made.root.b, root.p, HASH_SIZE);
	arena_done(&a);
	buf_init(&b, 1000);
	T_GOOD(checkpoint_sign(&made, &acme, acme_seed, &b));
	T_EQ_STR(buf_view(&b), STR(ACME_NOTE));
	buf_clear(&b);
	T_ERR(checkpoint_sign(&made, &peter, peter_seed, &b), E_INVALID);
	made.size = UINT64_MAX;
	T_ERR(checkpoint_sign(&made, &acme, acme_seed, &b), E_INVALID);
	buf_done(&b);
}

/* Not a note, or not a checkpoint: refused before a signature counts. */
TEST(malformed)
{
	static const char *const bad[] = {"", "\n", "\n\n", ACME_BODY,
	    ACME_BODY "\n", ACME_BODY ACME_LINE,
	    ACME_BODY "\n" DASH ACME " " ACME_SIG, ACME_BODY "\n" ACME_LINE "x",
	    ACME_BODY "\n" ACME_LINE "\n", ACME_BODY "\r\n" ACME_LINE,
	    ACME_BODY "\n- " ACME " " ACME_SIG "\n",
	    ACME_BODY "\n" DASH DASH ACME " " ACME_SIG "\n",
	    ACME_BODY "\n" DASH ACME "  " ACME_SIG "\n",
	    ACME_BODY "\n" DASH ACME " " ACME_SIG " \n",
	    ACME_BODY "\n" DASH " " ACME_SIG "\n",
	    ACME_BODY "\n" DASH ACME "+1 " ACME_SIG "\n",
	    ACME_BODY "\n" DASH ACME "\n", ACME_BODY "\n" DASH ACME " \n",
	    ACME_BODY "\n" DASH ACME " hp/VTA==\n",
	    ACME_BODY "\n" DASH ACME " hp/VT\n",
	    ACME_BODY "\n" DASH ACME " hp/VTD1=\n",
	    ACME_BODY "\n" DASH ACME " hp_VTD1M\n",
	    ACME_BODY "\n" ACME_LINE DASH "\n",
	    ACME_BODY "\n" ACME_LINE DASH "a\xc2\xa0z AAAAAAA=\n",
	    "\t" ACME_BODY "\n" ACME_LINE, ACME_BODY "\xff\n\n" ACME_LINE};
	struct checkpoint c;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (!err_is(open_c(bad[i], &acme, &c), E_CORRUPT))
			T_FAIL("note %zu: \"%s\"", i, bad[i]);
	T_ERR(checkpoint_open(STR(ACME "\0" ACME_NOTE), &acme, &c), E_CORRUPT);
}

/* Signed by us, and still no checkpoint. */
TEST(malformed_body)
{
	static const char *const bad[] = {ACME "\n1000\n" ACME_ROOT
					       "\nextension\n",
	    ACME "\n1000\n", ACME "\n01000\n" ACME_ROOT "\n",
	    ACME "\n-1\n" ACME_ROOT "\n", ACME "\n+1\n" ACME_ROOT "\n",
	    ACME "\n\n" ACME_ROOT "\n", ACME "\n1e3\n" ACME_ROOT "\n",
	    ACME "\n 1\n" ACME_ROOT "\n",
	    ACME "\n9223372036854775808\n" ACME_ROOT "\n",
	    ACME "\n99999999999999999999\n" ACME_ROOT "\n",
	    "\n1000\n" ACME_ROOT "\n", ACME "\n1000\nAAAA\n",
	    ACME "\n1000\n" ACME_ROOT "=\n",
	    ACME "\n1000\n+kdxr8uAcSV7dPX1Z5ykt00yJuo34TXiN9mPuoMiCUF=\n",
	    ACME "\n1000\n" ACME_ROOT "\n\n"};
	struct checkpoint c;
	struct buf b;

	buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		buf_clear(&b);
		T_GOOD(note_sign(str_c(bad[i]), &acme, acme_seed, &b));
		if (!err_is(checkpoint_open(buf_view(&b), &acme, &c),
			E_CORRUPT))
			T_FAIL("body %zu: \"%s\"", i, bad[i]);
	}
	/* Another log, signed with the key of this one. */
	buf_clear(&b);
	T_GOOD(note_sign(STR("other.example/log\n1000\n" ACME_ROOT "\n"), &acme,
	    acme_seed, &b));
	T_ERR(checkpoint_open(buf_view(&b), &acme, &c), E_BAD_ANSWER);
	buf_clear(&b);
	T_GOOD(
	    note_sign(STR(ACME "\n0\n" ACME_ROOT "\n"), &acme, acme_seed, &b));
	T_GOOD(checkpoint_open(buf_view(&b), &acme, &c));
	T_EQ_INT(c.size, 0);
	buf_done(&b);
}

#define STRANGER DASH "witness.example/w AAAAAAAAAAA=\n"
#define STRANGER5 STRANGER STRANGER STRANGER STRANGER STRANGER
#define STRANGER15 STRANGER5 STRANGER5 STRANGER5

TEST(signatures)
{
	struct checkpoint c;
	char note[2048];
	size_t at = strlen(ACME_BODY "\n" DASH ACME " hp/VTD1");

	T_GOOD(open_c(ACME_BODY "\n" STRANGER ACME_LINE STRANGER, &acme, &c));
	T_ERR(open_c(ACME_BODY "\n" STRANGER, &acme, &c), E_BAD_ANSWER);
	/* Sixteen signatures are read, seventeen are not. */
	T_GOOD(open_c(ACME_BODY "\n" STRANGER15 ACME_LINE, &acme, &c));
	T_ERR(open_c(ACME_BODY "\n" STRANGER STRANGER15 ACME_LINE, &acme, &c),
	    E_CORRUPT);
	/* The same line twice does no harm, a wrong one beside it does. */
	T_GOOD(open_c(ACME_BODY "\n" ACME_LINE ACME_LINE, &acme, &c));
	strcpy(note, ACME_NOTE);
	note[at] = note[at] == 'M' ? 'N' : 'M';
	T_ERR(open_c(note, &acme, &c), E_BAD_ANSWER);
	strcat(note, ACME_LINE);
	T_ERR(open_c(note, &acme, &c), E_BAD_ANSWER);
	/* Our name with another key's hash is a stranger. */
	T_GOOD(open_c(ACME_BODY "\n" ACME_LINE DASH ACME " AAAAAAAAAAA=\n",
	    &acme, &c));
	/* Our key's hash and a signature of the wrong size. */
	T_ERR(open_c(ACME_BODY "\n" DASH ACME " hp/VTAAA\n", &acme, &c),
	    E_BAD_ANSWER);
}

TEST(each_byte_is_signed)
{
	char note[sizeof ACME_NOTE];
	struct checkpoint c;

	for (size_t i = 0; i + 1 < sizeof note; i++) {
		memcpy(note, ACME_NOTE, sizeof note);
		note[i] ^= 1;
		T_OK(!err_ok(
		    checkpoint_open(str_of(note, sizeof note - 1), &acme, &c)));
		T_OK(!err_ok(checkpoint_open(str_of(note, i), &acme, &c)));
	}
}

TEST(too_large)
{
	static char note[NOTE_MAX + 2];
	struct str text;
	size_t n = sizeof ACME_NOTE - 1;

	memset(note, 'x', sizeof note);
	memcpy(note, ACME_NOTE, n);
	note[NOTE_MAX] = '\n';
	T_ERR(note_open(str_of(note, NOTE_MAX + 1), &acme, &text), E_CORRUPT);
}

/* A log of 8 and what may be signed after what. */
TEST(keeper_rule)
{
	struct checkpoint cp[9], other;
	struct hash_list l;
	struct arena a;
	struct audit_tree *t = NULL;
	struct hash h;

	arena_init(&a, 1 << 20);
	T_GOOD(audit_tree_new(&t));
	for (size_t n = 0; n <= 8; n++) {
		cp[n] = (struct checkpoint){.origin = ACME, .size = n};
		T_GOOD(audit_tree_root(t, &cp[n].root));
		audit_leaf_hash(str_of((const char *)&n, sizeof n), &h);
		T_GOOD(audit_tree_append(t, &h, NULL, NULL));
	}
	for (size_t m = 0; m <= 8; m++)
		for (size_t n = m; n <= 8; n++) {
			T_GOOD(audit_tree_consistency(t, m, n, NULL, NULL, &a,
			    &l));
			T_GOOD(checkpoint_may_follow(&cp[m], &cp[n], l.h, l.n));
			if (m < n)
				T_ERR(checkpoint_may_follow(&cp[n], &cp[m], l.h,
					  l.n),
				    E_BAD_ANSWER);
			T_ERR(checkpoint_may_follow(&cp[m], &cp[n], l.h,
				  l.n + 1),
			    E_BAD_ANSWER);
			other = cp[n];
			other.root.b[0] ^= 1;
			if (m > 0 || n == 0)
				T_ERR(checkpoint_may_follow(&cp[m], &other, l.h,
					  l.n),
				    E_BAD_ANSWER);
			other = cp[n];
			other.origin[0] = 'x';
			T_ERR(checkpoint_may_follow(&cp[m], &other, l.h, l.n),
			    E_BAD_ANSWER);
		}
	/* Rolled back to nothing. */
	T_ERR(checkpoint_may_follow(&cp[8], &cp[0], NULL, 0), E_BAD_ANSWER);
	t = audit_tree_free(t);
	arena_done(&a);
}

T_MAIN
