#include "seal/rootseal.h"

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "seal/key.h"
#include "seal/root.h"

enum asks { NO, YES, MAYBE };

static const struct {
	const char *name;
	size_t words;
	enum asks asks;
} kinds[UNLOCK_KINDS] = {
#define UNLOCKER(id, name, words, person, meaning) {name, words, person},
#include "seal/unlockers.def"
#undef UNLOCKER
};

enum { COLUMN_TEXT = 0, COLUMN_KEY = 1, PIN_WORD = 3, TPM_PIN_WORD = 2 };

static const struct str magic = {"redoubt-root-sealed-1", 21};

/* ---- unlockers ---- */

const char *
unlocker_kind_name(enum unlocker_kind k)
{
	return kinds[k].name;
}

size_t
unlocker_words(enum unlocker_kind k)
{
	return kinds[k].words;
}

bool
unlocker_asks(const struct unlocker *u)
{
	if (kinds[u->kind].asks != MAYBE)
		return kinds[u->kind].asks == YES;
	/* a PIN that somebody has to type */
	return str_is(u->word[u->kind == UNLOCK_PKCS11 ? PIN_WORD
						       : TPM_PIN_WORD],
	    "ask");
}

static bool
word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	    c == '_' || c == '.';
}

bool
unlocker_name_valid(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!word_char(name.p[i]))
			return false;
	return name.n > 0 && name.n <= UNLOCKER_NAME;
}

bool
unlocker_word(struct arena *a, const struct unlocker *u, size_t i,
    struct str *ret)
{
	return i < kinds[u->kind].words &&
	    err_ok(url_decode(a, u->word[i], ret));
}

struct str
unlocker_encode(struct arena *a, struct str s)
{
	struct buf b;

	buf_init_on(&b, a, 3 * s.n + 1);
	url_encode(&b, s);
	return b.failed ? STR_NONE : buf_view(&b);
}

/* ---- the text ---- */

bool
root_is_sealed(struct str file)
{
	return str_starts(file, magic);
}

/* Printable, without spaces: whatever a kind makes of it. */
static bool
is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0;
}

static bool
kind_of(struct str name, enum unlocker_kind *ret)
{
	for (unsigned i = 0; i < UNLOCK_KINDS; i++)
		if (str_is(name, kinds[i].name)) {
			*ret = (enum unlocker_kind)i;
			return true;
		}
	return false;
}

static bool
unlocker_parse(struct str line, struct root_sealed *r)
{
	struct unlocker u = {.kind = UNLOCK_FILE};
	struct str word;

	(void)str_cut(line, ' ', &word, &line);
	if (r->n == UNLOCKERS_MAX || !kind_of(word, &u.kind))
		return false;
	(void)str_cut(line, ' ', &u.name, &line);
	if (!unlocker_name_valid(u.name))
		return false;
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->unlocker[i].name, u.name))
			return false;
	for (size_t i = 0; i < kinds[u.kind].words; i++) {
		if (!str_cut(line, ' ', &u.word[i], &line) ||
		    !is_word(u.word[i]))
			return false;
	}
	u.wrapped = line;
	if (!is_word(line))
		return false;
	r->unlocker[r->n++] = u;
	return true;
}

static bool
head_parse(struct str line, struct root_sealed *r)
{
	struct str first, id;

	return str_cut(line, ' ', &first, &id) && str_eq(first, magic) &&
	    id.n == (size_t)2 * UNLOCK_ID &&
	    hex_decode(id, r->id, sizeof r->id);
}

err
root_sealed_parse(struct arena *a, struct str file, struct trail *t,
    struct root_sealed *ret)
{
	struct root_sealed r = {.n = 0};
	unsigned number = 0;
	struct str rest = arena_dup(a, file);
	bool good = true;

	TRY(arena_check(a));
	if (file.n > ROOT_SEALED_MAX) {
		trail_set(t, "the root key file is too large");
		return err_of(E_WRONG_KEY);
	}
	while (good && rest.n > 0 && r.blob.n == 0) {
		struct str line;

		(void)str_cut(rest, '\n', &line, &rest);
		number++;
		if (number == 1)
			good = head_parse(line, &r);
		else if (str_starts(line, STR("text "))) {
			r.blob = str_skip(line, 5);
			good = is_word(r.blob);
		} else {
			good = unlocker_parse(line, &r);
		}
	}
	if (!good || rest.n > 0 || r.blob.n == 0 || r.n == 0) {
		trail_set(t, "line %u of the sealed root key file is damaged",
		    number + (good ? 1 : 0));
		return err_of(E_WRONG_KEY);
	}
	*ret = r;
	return OK;
}

static void
unlocker_head(struct buf *b, const struct unlocker *u)
{
	buf_c(b, kinds[u->kind].name);
	buf_char(b, ' ');
	buf_str(b, u->name);
	buf_char(b, ' ');
	for (size_t i = 0; i < kinds[u->kind].words; i++) {
		buf_str(b, u->word[i]);
		buf_char(b, ' ');
	}
}

void
root_sealed_write(const struct root_sealed *r, struct buf *b)
{
	buf_str(b, magic);
	buf_char(b, ' ');
	hex_add(b, str_of((const char *)r->id, UNLOCK_ID));
	buf_char(b, '\n');
	for (size_t i = 0; i < r->n; i++) {
		unlocker_head(b, &r->unlocker[i]);
		buf_str(b, r->unlocker[i].wrapped);
		buf_char(b, '\n');
	}
	buf_c(b, "text ");
	buf_str(b, r->blob);
	buf_char(b, '\n');
}

/* ---- U ---- */

static err
id_of(const struct secret *u, uint8_t ret[UNLOCK_ID])
{
	static const char label[] = "redoubt unlock id";
	enum { N = sizeof label - 1 };
	uint8_t in[N + SECRET_SIZE], out[32];
	int ok;

	memcpy(in, label, N);
	memcpy(in + N, secret_view(u), SECRET_SIZE);
	ok = EVP_Q_digest(NULL, "SHA256", NULL, in, sizeof in, out, NULL);
	mem_wipe(in, sizeof in);
	if (ok != 1)
		return err_of(E_CRYPTO);
	memcpy(ret, out, UNLOCK_ID);
	return OK;
}

err
root_sealed_make(struct root_sealed *ret, struct secret *ret_u)
{
	*ret = (struct root_sealed){.n = 0};
	rand_bytes(secret_bytes(ret_u), SECRET_SIZE);
	return id_of(ret_u, ret->id);
}

static struct data_key
key_with(const struct root_sealed *r, const struct secret *s)
{
	struct cur c = cur_of(str_of((const char *)r->id, UNLOCK_ID));

	/* blobs read it only */
	return (struct data_key){.secret = (struct secret *)(uintptr_t)s,
	    .id = cur_be32(&c),
	    .class = KEY_CLASS_WRAP};
}

static const struct seal_where text_row = {.table = SEAL_TABLE_ROOT_FILE,
    .column = COLUMN_TEXT,
    .schema = 1};
static const struct blob_where text_where = {.row = &text_row,
    .form = BLOB_WHOLE};

static struct str
b64_of(struct arena *a, struct str bytes)
{
	struct buf b;

	buf_init_on(&b, a, 2 * bytes.n + 8);
	b64_add(&b, bytes);
	return b.failed ? STR_NONE : buf_view(&b);
}

err
root_sealed_close(struct arena *a, struct root_sealed *r,
    const struct secret *u, struct str text)
{
	struct data_key k = key_with(r, u);
	uint8_t *out = arena_get(a, text.n + SEAL_OVERHEAD);

	TRY(arena_check(a));
	TRY(blob_close(&k, &text_where, text, out));
	r->blob = b64_of(a, str_of((char *)out, text.n + SEAL_OVERHEAD));
	return arena_check(a);
}

err
root_sealed_open(struct arena *a, const struct root_sealed *r,
    const struct secret *u, struct buf *ret)
{
	struct data_key k = key_with(r, u);
	uint8_t id[UNLOCK_ID];
	struct stored s;
	size_t n;

	TRY(id_of(u, id));
	if (!ct_eq(id, r->id, UNLOCK_ID))
		return err_of(E_WRONG_KEY);
	if (!b64_decode(a, r->blob, &s.bytes) || s.bytes.n < SEAL_OVERHEAD)
		return err_of(
		    arena_check(a).code == E_OK ? E_CORRUPT : E_NO_MEMORY);
	n = s.bytes.n - SEAL_OVERHEAD;
	if (!buf_room(ret, n))
		return buf_check(ret);
	TRY(blob_open(&k, &text_where, s, (uint8_t *)ret->p + ret->n));
	ret->n += n;
	return OK;
}

/* The line before the wrapped key is what it is bound to. */
static err
key_row(struct arena *a, const struct unlocker *u, struct seal_where *ret)
{
	struct buf b;

	*ret = (struct seal_where){.table = SEAL_TABLE_ROOT_FILE,
	    .column = COLUMN_KEY,
	    .schema = 1,
	    .pk_n = 32};
	buf_init_on(&b, a, ROOT_SEALED_MAX);
	unlocker_head(&b, u);
	TRY(buf_check(&b));
	return err_of(
	    EVP_Q_digest(NULL, "SHA256", NULL, b.p, b.n, ret->pk, NULL) == 1
		? E_OK
		: E_CRYPTO);
}

err
unlocker_close(struct arena *a, const struct root_sealed *r, struct unlocker *k,
    const struct secret *key, const struct secret *u)
{
	struct data_key wrap = key_with(r, key);
	struct seal_where row;
	struct sealed s;

	TRY(key_row(a, k, &row));
	TRY(blob_close_key(&wrap, &row, secret_view(u), a, &s));
	k->wrapped = b64_of(a, s.bytes);
	return arena_check(a);
}

err
unlocker_open(struct arena *a, const struct root_sealed *r,
    const struct unlocker *k, const struct secret *key, struct secret *ret_u)
{
	struct data_key wrap = key_with(r, key);
	uint8_t id[UNLOCK_ID];
	struct seal_where row;
	struct stored s;

	TRY(key_row(a, k, &row));
	if (!b64_decode(a, k->wrapped, &s.bytes))
		return err_of(E_CORRUPT);
	TRY(blob_open_key(&wrap, &row, s, secret_bytes(ret_u)));
	TRY(id_of(ret_u, id));
	return err_of(ct_eq(id, r->id, UNLOCK_ID) ? E_OK : E_WRONG_KEY);
}
