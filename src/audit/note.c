#include "audit/note.h"

#include "base/text.h"
#include "base/utf8.h"

#include <openssl/evp.h>

enum {
	ED25519 = 0x01,
	COSIGNATURE = 0x04,
	SIGNATURE_SIZE = 64,
	ARENA_MAX = 4 * NOTE_MAX
};

static const struct str dash = {"\xe2\x80\x94 ", 4};

static void
pkey_free(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

static void
md_ctx_free(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

/* White_Space of the Unicode Character Database, past ASCII. */
static bool
is_space(uint32_t c)
{
	return c == 0x85 || c == 0xa0 || c == 0x1680 ||
	    (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	    c == 0x202f || c == 0x205f || c == 0x3000;
}

static bool
name_ok(struct str name)
{
	if (name.n == 0)
		return false;
	while (name.n > 0) {
		uint32_t c = utf8_next(&name);

		if (c == UTF8_BAD || c <= ' ' || c == '+' || c == 0x7f ||
		    is_space(c))
			return false;
	}
	return true;
}

/* The first four bytes of SHA-256(name || newline || type || key). */
static err
key_id(struct str name, uint8_t type, const uint8_t pub[32], uint8_t ret[4])
{
	uint8_t in[NOTE_NAME_MAX + 34], md[32];
	unsigned n = 0;

	if (name.n > NOTE_NAME_MAX || !name_ok(name))
		return err_of(E_INVALID);
	memcpy(in, name.p, name.n);
	in[name.n] = '\n';
	in[name.n + 1] = type;
	memcpy(in + name.n + 2, pub, 32);
	if (EVP_Digest(in, name.n + 34, md, &n, EVP_sha256(), NULL) != 1)
		return err_of(E_CRYPTO);
	memcpy(ret, md, 4);
	return OK;
}

static err
key_make(struct str name, uint8_t type, const uint8_t pub[32],
    struct note_key *ret)
{
	struct note_key k = {.name = "", .type = type};
	uint8_t id[4];

	TRY(key_id(name, type, pub, id));
	memcpy(k.name, name.p, name.n);
	memcpy(k.pub, pub, sizeof k.pub);
	k.hash = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 |
	    (uint32_t)id[2] << 8 | id[3];
	*ret = k;
	return OK;
}

static err
seed_open(const uint8_t seed[SECRET_SIZE], EVP_PKEY **ret, uint8_t pub[32])
{
	size_t n = 32;

	*ret = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
	    SECRET_SIZE);
	if (*ret == NULL || EVP_PKEY_get_raw_public_key(*ret, pub, &n) != 1 ||
	    n != 32)
		return err_of(E_CRYPTO);
	return OK;
}

err
note_key_of(struct str name, const uint8_t seed[SECRET_SIZE],
    struct note_key *ret)
{
	CLEANUP(pkey_free) EVP_PKEY *p = NULL;
	uint8_t pub[32];

	TRY(seed_open(seed, &p, pub));
	return key_make(name, ED25519, pub, ret);
}

err
note_key_named(struct str name, const uint8_t pub[32], struct note_key *ret)
{
	return key_make(name, ED25519, pub, ret);
}

err
note_witness_of(struct str name, const uint8_t pub[32], struct note_key *ret)
{
	return key_make(name, COSIGNATURE, pub, ret);
}

static err
key_parse(struct arena *a, struct str vkey, uint8_t type, struct note_key *ret)
{
	struct str name, hash, key;
	struct note_key k;
	uint8_t want[4];

	if (vkey.n == 0 || !str_cut(vkey, '+', &name, &key) ||
	    !str_cut(key, '+', &hash, &key))
		return err_of(E_INVALID);
	if (!hex_decode(hash, want, sizeof want) || !b64_decode(a, key, &key) ||
	    key.n != 33 || (uint8_t)key.p[0] != type)
		return err_of(E_INVALID);
	TRY(key_make(name, type, (const uint8_t *)key.p + 1, &k));
	for (unsigned i = 0; i < sizeof want; i++)
		if (want[i] != (uint8_t)(k.hash >> (24 - 8 * i)))
			return err_of(E_INVALID);
	*ret = k;
	return OK;
}

err
note_key_parse(struct str vkey, struct note_key *ret)
{
	CLEANUP(arena_done) struct arena a;

	arena_init(&a, ARENA_MAX);
	return key_parse(&a, vkey, ED25519, ret);
}

err
note_witness_parse(struct str vkey, struct note_key *ret)
{
	CLEANUP(arena_done) struct arena a;

	arena_init(&a, ARENA_MAX);
	return key_parse(&a, vkey, COSIGNATURE, ret);
}

void
note_key_text(const struct note_key *k, struct buf *b)
{
	uint8_t key[33] = {k->type};

	memcpy(key + 1, k->pub, sizeof k->pub);
	buf_c(b, k->name);
	buf_fmt(b, "+%08x+", (unsigned)k->hash);
	b64_add(b, str_of((const char *)key, sizeof key));
}

/* No control characters but newline, valid UTF-8, a newline at the end. */
static bool
text_ok(struct str s)
{
	if (s.n == 0 || s.p[s.n - 1] != '\n' || !utf8_valid(s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\n')
			return false;
	return true;
}

static err
sign(struct str text, EVP_PKEY *p, uint8_t sig[SIGNATURE_SIZE])
{
	CLEANUP(md_ctx_free) EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t n = SIGNATURE_SIZE;

	if (c == NULL || EVP_DigestSignInit(c, NULL, NULL, NULL, p) != 1 ||
	    EVP_DigestSign(c, sig, &n, (const uint8_t *)text.p, text.n) != 1 ||
	    n != SIGNATURE_SIZE)
		return err_of(E_CRYPTO);
	return OK;
}

err
note_sign(struct str text, const struct note_key *k,
    const uint8_t seed[SECRET_SIZE], struct buf *b)
{
	CLEANUP(pkey_free) EVP_PKEY *p = NULL;
	uint8_t sig[4 + SIGNATURE_SIZE], pub[32];

	if (!text_ok(text) || text.n > NOTE_MAX / 2)
		return err_of(E_INVALID);
	TRY(seed_open(seed, &p, pub));
	if (memcmp(pub, k->pub, sizeof pub) != 0)
		return err_of(E_WRONG_KEY);
	for (unsigned i = 0; i < 4; i++)
		sig[i] = (uint8_t)(k->hash >> (24 - 8 * i));
	TRY(sign(text, p, sig + 4));
	buf_str(b, text);
	buf_char(b, '\n');
	buf_str(b, dash);
	buf_c(b, k->name);
	buf_char(b, ' ');
	b64_add(b, str_of((const char *)sig, sizeof sig));
	buf_char(b, '\n');
	return buf_check(b);
}

static bool
signature_good(struct str text, const uint8_t pub[32], struct str sig)
{
	CLEANUP(pkey_free)
	EVP_PKEY *p =
	    EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub, 32);
	CLEANUP(md_ctx_free) EVP_MD_CTX *c = EVP_MD_CTX_new();

	return p != NULL && c != NULL && sig.n == SIGNATURE_SIZE &&
	    EVP_DigestVerifyInit(c, NULL, NULL, NULL, p) == 1 &&
	    EVP_DigestVerify(c, (const uint8_t *)sig.p, sig.n,
		(const uint8_t *)text.p, text.n) == 1;
}

bool
note_key_verify(const struct note_key *k, struct str bytes, struct str sig)
{
	return signature_good(bytes, k->pub, sig);
}

/* One signature line: "-- name base64". */
static err
line_parse(struct arena *a, struct str line, struct str *ret_name,
    struct str *ret_sig)
{
	if (!str_starts(line, dash))
		return err_of(E_CORRUPT);
	line = str_skip(line, dash.n);
	if (!str_cut(line, ' ', ret_name, &line) || !name_ok(*ret_name) ||
	    !b64_decode(a, line, ret_sig) || ret_sig->n < 5)
		return err_of(a->failed ? E_NO_MEMORY : E_CORRUPT);
	return OK;
}

static bool
is_key(const struct note_key *k, struct str name, struct str sig)
{
	if (!str_is(name, k->name))
		return false;
	for (unsigned i = 0; i < 4; i++)
		if ((uint8_t)sig.p[i] != (uint8_t)(k->hash >> (24 - 8 * i)))
			return false;
	return true;
}

/*
 * All lines are parsed before a signature is believed, so a malformed note
 * is malformed whatever it is signed with.  A wrong signature of the known
 * key spoils the note even beside a right one.
 */
static err
lines_check(struct arena *a, struct str lines, struct str text,
    const struct note_key *k)
{
	struct str line, name, sig, own[NOTE_SIGNATURES];
	size_t n = 0, mine = 0;

	while (str_cut(lines, '\n', &line, &lines)) {
		if (n++ == NOTE_SIGNATURES)
			return err_of(E_CORRUPT);
		TRY(line_parse(a, line, &name, &sig));
		if (is_key(k, name, sig))
			own[mine++] = str_skip(sig, 4);
	}
	if (n == 0)
		return err_of(E_CORRUPT);
	for (size_t i = 0; i < mine; i++)
		if (!signature_good(text, k->pub, own[i]))
			return err_of(E_BAD_ANSWER);
	return err_of(mine == 0 ? E_BAD_ANSWER : E_OK);
}

/* Cut behind the last empty line. */
static bool
note_cut(struct str note, struct str *ret_text, struct str *ret_lines)
{
	for (size_t i = note.n; i >= 2; i--)
		if (note.p[i - 1] == '\n' && note.p[i - 2] == '\n') {
			*ret_text = str_head(note, i - 1);
			*ret_lines = str_skip(note, i);
			return true;
		}
	return false;
}

err
note_open(struct str note, const struct note_key *k, struct str *ret_text)
{
	CLEANUP(arena_done) struct arena a;
	struct str text, lines;

	arena_init(&a, ARENA_MAX);
	if (note.n > NOTE_MAX || !text_ok(note) ||
	    !note_cut(note, &text, &lines))
		return err_of(E_CORRUPT);
	TRY(lines_check(&a, lines, text, k));
	*ret_text = text;
	return OK;
}

/* ---- cosignatures ---- */

/* What a witness signs. */
static err
cosign_text(struct str text, uint64_t seconds, struct buf *b)
{
	buf_c(b, "cosignature/v1\ntime ");
	buf_u64(b, seconds);
	buf_char(b, '\n');
	buf_str(b, text);
	return buf_check(b);
}

static err
cosign_line(struct str text, struct str name, const uint8_t seed[SECRET_SIZE],
    uint64_t seconds, struct buf *b)
{
	CLEANUP(pkey_free) EVP_PKEY *p = NULL;
	CLEANUP(buf_done) struct buf what;
	uint8_t sig[12 + SIGNATURE_SIZE], pub[32];

	buf_init(&what, NOTE_MAX + 64);
	TRY(seed_open(seed, &p, pub));
	TRY(key_id(name, COSIGNATURE, pub, sig));
	for (unsigned i = 0; i < 8; i++)
		sig[4 + i] = (uint8_t)(seconds >> (56 - 8 * i));
	TRY(cosign_text(text, seconds, &what));
	TRY(sign(buf_view(&what), p, sig + 12));
	buf_str(b, dash);
	buf_str(b, name);
	buf_char(b, ' ');
	b64_add(b, str_of((const char *)sig, sizeof sig));
	buf_char(b, '\n');
	return buf_check(b);
}

err
note_cosign(struct str note, struct str name, const uint8_t seed[SECRET_SIZE],
    uint64_t seconds, struct buf *b)
{
	struct str text, lines;
	size_t n = 0;

	if (note.n > NOTE_MAX || !text_ok(note) ||
	    !note_cut(note, &text, &lines))
		return err_of(E_CORRUPT);
	for (size_t i = 0; i < lines.n; i++)
		n += lines.p[i] == '\n';
	if (n >= NOTE_SIGNATURES)
		return err_of(E_LIMIT);
	buf_str(b, note);
	return cosign_line(text, name, seed, seconds, b);
}

static bool
cosignature_good(struct str text, struct str sig, const uint8_t pub[32],
    uint64_t *ret_seconds)
{
	CLEANUP(buf_done) struct buf what;
	struct cur c = cur_of(str_skip(sig, 4));
	uint64_t seconds = cur_be64(&c);

	buf_init(&what, NOTE_MAX + 64);
	if (c.failed || !err_ok(cosign_text(text, seconds, &what)) ||
	    !signature_good(buf_view(&what), pub, str_skip(sig, 12)))
		return false;
	*ret_seconds = seconds;
	return true;
}

bool
note_cosigned(struct str note, const struct note_key *witness,
    uint64_t *ret_seconds, struct str *ret_line)
{
	CLEANUP(arena_done) struct arena a;
	struct str text, lines, line, who, sig;
	bool good = false;

	arena_init(&a, ARENA_MAX);
	if (note.n > NOTE_MAX || witness->type != COSIGNATURE ||
	    !text_ok(note) || !note_cut(note, &text, &lines))
		return false;
	while (str_cut(lines, '\n', &line, &lines)) {
		if (!err_ok(line_parse(&a, line, &who, &sig)))
			return false;
		if (!is_key(witness, who, sig))
			continue;
		if (!cosignature_good(text, sig, witness->pub, ret_seconds))
			return false;
		*ret_line = str_of(line.p, line.n + 1);
		good = true;
	}
	return good;
}
