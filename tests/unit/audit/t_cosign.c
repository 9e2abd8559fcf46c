/* Cosignatures: the vector of PROTOCOL.delegate, and what is none. */
#include "audit/note.h"
#include "base/text.h"
#include "tests/t.h"

#define NAME STR("redoubt-delegate/01900000-0000-7000-8000-000000000007")
enum { AT = 1795600000 };

static char file[65536], want[8192];
static struct buf made;

static struct str
vector_of(const char *path, const char *name)
{
	FILE *f = fopen(path, "r");
	size_t n = f == NULL ? 0 : fread(file, 1, sizeof file, f);
	struct str rest = str_of(file, n), line, key;

	if (f != NULL)
		fclose(f);
	while (str_cut(rest, '\n', &line, &rest))
		if (str_cut(line, ' ', &key, &line) && str_is(key, name))
			return line;
	return STR_NONE;
}

static struct str
vector(const char *name)
{
	return vector_of("tests/vectors/delegate/v1.txt", name);
}

/* The vector as it is, and without its last line: the note before. */
static struct str
cosigned(struct str *ret_before)
{
	struct str hex = vector("cosigned");
	size_t n = hex.n / 2, at;

	if (n == 0 || n > sizeof want || !hex_decode(hex, want, n))
		abort();
	for (at = n - 1; want[at - 1] != '\n'; at--)
		;
	*ret_before = str_of(want, at);
	return str_of(want, n);
}

static void
witness(uint8_t seed[32], uint8_t pub[32])
{
	if (!hex_decode(vector("identity"), pub, 32))
		abort();
	for (uint8_t i = 0; i < 32; i++)
		seed[i] = (uint8_t)(32 + i);
}

static bool
by(struct str note, struct str name, const uint8_t pub[32], uint64_t *ret)
{
	struct note_key k;
	struct str line;

	T_GOOD(note_witness_of(name, pub, &k));
	return note_cosigned(note, &k, ret, &line);
}

TEST(the_vector)
{
	struct str before, note = cosigned(&before);
	uint8_t seed[32], pub[32];
	uint64_t at = 0;

	witness(seed, pub);
	buf_init(&made, NOTE_MAX);
	T_GOOD(note_cosign(before, NAME, seed, AT, &made));
	T_EQ_STR(buf_view(&made), note);
	T_OK(by(note, NAME, pub, &at));
	T_EQ_INT(at, AT);
	buf_done(&made);
}

/* PROTOCOL.audit 11: made by another implementation. */
TEST(the_vector_of_the_log)
{
	static const char at[] = "tests/vectors/audit/cosigned.txt";
	static const char name[] = "witness.example/w1";
	static char key[256], line[256], text[4096];
	struct str hex, made_line, before;
	struct note_key k, parsed;
	uint8_t seed[32];
	uint64_t when;
	size_t n;

	T_OK(hex_decode(vector_of(at, "seed"), seed, sizeof seed));
	T_OK(str_is(vector_of(at, "name"), name));
	(void)snprintf(key, sizeof key, "%.*s",
	    STR_ARG(vector_of(at, "witness")));
	(void)snprintf(line, sizeof line, "%.*s\n",
	    STR_ARG(vector_of(at, "line")));
	hex = vector_of(at, "note");
	n = hex.n / 2;
	T_REQUIRE(n > 0 && n < sizeof text && hex_decode(hex, text, n));
	T_GOOD(note_key_of(str_c(name), seed, &k));
	T_GOOD(note_witness_of(str_c(name), k.pub, &k));
	T_GOOD(note_witness_parse(str_c(key), &parsed));
	T_OK(parsed.hash == k.hash && parsed.type == k.type);
	T_OK(!err_ok(note_key_parse(str_c(key), &parsed)));
	T_OK(note_cosigned(str_of(text, n), &k, &when, &made_line));
	T_EQ_INT(when, AT);
	T_EQ_STR(made_line, str_c(line));
	before = str_of(text, n - strlen(line));
	buf_init(&made, NOTE_MAX);
	T_GOOD(note_cosign(before, str_c(name), seed, AT, &made));
	T_EQ_STR(buf_view(&made), str_of(text, n));
	buf_done(&made);
	/* a wrong one beside it spoils it */
	buf_init(&made, NOTE_MAX);
	buf_str(&made, str_of(text, n));
	buf_str(&made, str_head(str_c(line), strlen(line) - 8));
	buf_c(&made, "AAAAA==\n");
	T_OK(!note_cosigned(buf_view(&made), &k, &when, &made_line));
	buf_done(&made);
}

TEST(no_cosignature_of_ours)
{
	struct str before, note = cosigned(&before);
	uint8_t seed[32], pub[32];
	uint64_t at;

	witness(seed, pub);
	T_OK(!by(before, NAME, pub, &at));
	T_OK(!by(note, STR("redoubt-delegate/other"), pub, &at));
	T_OK(!by(note, NAME, seed, &at));
	T_OK(!by(STR("no note"), NAME, pub, &at));
	want[20] ^= 1; /* the origin */
	T_OK(!by(note, NAME, pub, &at));
	want[20] ^= 1;
	T_OK(by(note, NAME, pub, &at));
}

TEST(what_cannot_be_cosigned)
{
	struct str before, note = cosigned(&before);
	uint8_t seed[32], pub[32];

	witness(seed, pub);
	buf_init(&made, NOTE_MAX);
	T_ERR(note_cosign(STR("no note"), NAME, seed, AT, &made), E_CORRUPT);
	T_ERR(note_cosign(note, STR("a b"), seed, AT, &made), E_INVALID);
	buf_clear(&made);
	buf_str(&made, note);
	for (unsigned i = 2; i < NOTE_SIGNATURES; i++) {
		struct buf next;

		buf_init(&next, NOTE_MAX);
		T_GOOD(note_cosign(buf_view(&made), NAME, seed, AT, &next));
		buf_done(&made);
		made = next;
	}
	T_ERR(note_cosign(buf_view(&made), NAME, seed, AT, &made), E_LIMIT);
	buf_done(&made);
}

T_MAIN
