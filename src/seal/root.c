#include "seal/root.h"

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "seal/key.h"

enum { ID = 8, KEY_TEXT = 44 };

static const struct str prefix = {"redoubt-root-1 ", 15};

struct root_keys {
	size_t n;
	struct {
		struct secret *secret;
		uint8_t id[ID];
	} key[ROOT_KEYS_MAX];
};

struct root_keys *
root_free(struct root_keys *r)
{
	if (r == NULL)
		return NULL;
	for (size_t i = 0; i < ROOT_KEYS_MAX; i++)
		secret_free(r->key[i].secret);
	mem_free(r);
	return NULL;
}

static err
id_of(const uint8_t key[SECRET_SIZE], uint8_t ret[ID])
{
	static const char label[] = "redoubt root id";
	enum { N = sizeof label - 1 };
	uint8_t in[N + SECRET_SIZE], out[32];
	int ok;

	memcpy(in, label, N);
	memcpy(in + N, key, SECRET_SIZE);
	ok = EVP_Q_digest(NULL, "SHA256", NULL, in, sizeof in, out, NULL);
	mem_wipe(in, sizeof in);
	if (ok != 1)
		return err_of(E_CRYPTO);
	memcpy(ret, out, ID);
	return OK;
}

/* The number by which blobs name the key. */
static uint32_t
blob_id(const uint8_t id[ID])
{
	struct cur c = cur_of(str_of((const char *)id, ID));

	return cur_be32(&c);
}

static struct data_key
wrapping_key(const struct root_keys *r, size_t i)
{
	return (struct data_key){.secret = r->key[i].secret,
	    .id = blob_id(r->key[i].id),
	    .class = KEY_CLASS_WRAP};
}

/* ---- the file ---- */

/*
 * Strict by writing it anew: what was decoded must encode to the same text.
 * Not base/text.h, because no copy of the key may stay behind.
 */
static bool
key_decode(struct str text, uint8_t ret[SECRET_SIZE])
{
	uint8_t raw[KEY_TEXT], again[KEY_TEXT + 1];
	bool ok;

	ok = text.n == KEY_TEXT &&
	    EVP_DecodeBlock(raw, (const uint8_t *)text.p, KEY_TEXT) > 0 &&
	    EVP_EncodeBlock(again, raw, SECRET_SIZE) == KEY_TEXT &&
	    ct_eq(again, text.p, KEY_TEXT);
	if (ok)
		memcpy(ret, raw, SECRET_SIZE);
	mem_wipe(raw, sizeof raw);
	mem_wipe(again, sizeof again);
	return ok;
}

static bool
known_id(const struct root_keys *r, const uint8_t id[ID])
{
	for (size_t i = 0; i < r->n; i++)
		if (blob_id(r->key[i].id) == blob_id(id))
			return true;
	return false;
}

/*
 * One line without its end.  Says what is wrong in words that contain
 * nothing of the line.
 */
static err
line_parse(struct root_keys *r, struct str line, const char **ret_why)
{
	struct str said_text, key_text;
	uint8_t said[ID], id[ID];
	struct secret *s;

	*ret_why = "is not \"redoubt-root-1 ID KEY\"";
	if (!str_starts(line, prefix) ||
	    !str_cut(str_skip(line, prefix.n), ' ', &said_text, &key_text) ||
	    !hex_decode(said_text, said, sizeof said))
		return err_of(E_WRONG_KEY);
	*ret_why = "is one key too many";
	if (r->n == ROOT_KEYS_MAX)
		return err_of(E_WRONG_KEY);
	TRY(secret_new(&s));
	r->key[r->n].secret = s; /* root_free finds it there */
	*ret_why = "has a key that is not 32 bytes in base64";
	if (!key_decode(key_text, secret_bytes(s)))
		return err_of(E_WRONG_KEY);
	TRY(id_of(secret_view(s), id));
	*ret_why = "has an id that is not that of its key";
	if (memcmp(id, said, ID) != 0)
		return err_of(E_WRONG_KEY);
	*ret_why = "has the id of a line before it";
	if (known_id(r, id))
		return err_of(E_WRONG_KEY);
	memcpy(r->key[r->n].id, id, ID);
	r->n++;
	return OK;
}

err
root_parse(struct str file, struct trail *t, struct root_keys **ret)
{
	struct root_keys *r = mem_new(1, sizeof *r);
	const char *why = "";
	unsigned number = 0;
	err e = OK;

	if (r == NULL)
		return err_of(E_NO_MEMORY);
	while (err_ok(e) && file.n > 0) {
		struct str line;

		str_cut(file, '\n', &line, &file);
		number++;
		e = line_parse(r, line, &why);
	}
	if (err_ok(e) && r->n == 0) {
		e = err_of(E_WRONG_KEY);
		trail_set(t, "the root key file is empty");
	}
	if (!err_ok(e)) {
		if (err_is(e, E_WRONG_KEY))
			trail_set(t, "line %u of the root key file %s", number,
			    why);
		root_free(r);
		return e;
	}
	*ret = r;
	return OK;
}

static err
line_add(const uint8_t key[SECRET_SIZE], struct buf *ret_line)
{
	uint8_t id[ID];

	TRY(id_of(key, id));
	/* All at once: a buf that grows would leave a copy behind. */
	if (!buf_room(ret_line, ROOT_LINE))
		return buf_check(ret_line);
	buf_str(ret_line, prefix);
	hex_add(ret_line, str_of((const char *)id, ID));
	buf_char(ret_line, ' ');
	b64_add(ret_line, str_of((const char *)key, SECRET_SIZE));
	buf_char(ret_line, '\n');
	return buf_check(ret_line);
}

err
root_generate(struct buf *ret_line)
{
	struct secret *s;
	err e;

	TRY(secret_new(&s));
	rand_bytes(secret_bytes(s), SECRET_SIZE);
	e = line_add(secret_view(s), ret_line);
	secret_free(s);
	return e;
}

err
root_line(const struct root_keys *r, size_t i, struct buf *ret_line)
{
	BUG_ON(i >= r->n);
	return line_add(secret_view(r->key[i].secret), ret_line);
}

size_t
root_count(const struct root_keys *r)
{
	return r->n;
}

void
root_id(const struct root_keys *r, size_t i, char ret[ROOT_ID_TEXT + 1])
{
	static const char digit[] = "0123456789abcdef";

	BUG_ON(i >= r->n);
	for (size_t j = 0; j < ID; j++) {
		ret[2 * j] = digit[r->key[i].id[j] >> 4];
		ret[2 * j + 1] = digit[r->key[i].id[j] & 15];
	}
	ret[ROOT_ID_TEXT] = '\0';
}

const struct secret *
root_secret(const struct root_keys *r, size_t i)
{
	BUG_ON(i >= r->n);
	return r->key[i].secret;
}

/* ---- wrapping ---- */

err
root_which(const struct root_keys *r, struct stored s, size_t *ret)
{
	uint32_t id;

	TRY(seal_key_id(s, &id));
	for (size_t i = 0; i < r->n; i++) {
		struct data_key k = wrapping_key(r, i);

		if (k.id != id)
			continue;
		TRY(blob_is_under(&k, s));
		*ret = i;
		return OK;
	}
	return err_of(E_WRONG_KEY);
}

static err
close_primary(const struct root_keys *r, const struct seal_where *row,
    const uint8_t key[SECRET_SIZE], struct arena *a, struct sealed *ret)
{
	struct data_key k = wrapping_key(r, 0);

	return blob_close_key(&k, row, key, a, ret);
}

static err
open_any(const struct root_keys *r, const struct seal_where *row,
    struct stored s, uint8_t ret_key[SECRET_SIZE])
{
	struct data_key k;
	size_t i;

	TRY(root_which(r, s, &i));
	k = wrapping_key(r, i);
	return blob_open_key(&k, row, s, ret_key);
}

static struct seal_where
project_row(uint32_t project, uint32_t version)
{
	struct seal_where w = {.table = SEAL_TABLE_PROJECT_KEY,
	    .schema = 1,
	    .project = project};

	seal_where_num(&w, version);
	return w;
}

err
root_wrap(const struct root_keys *r, uint32_t project, uint32_t version,
    const uint8_t key[SECRET_SIZE], struct arena *a, struct sealed *ret)
{
	struct seal_where w = project_row(project, version);

	return close_primary(r, &w, key, a, ret);
}

err
root_unwrap(const struct root_keys *r, uint32_t project, uint32_t version,
    struct stored s, uint8_t ret_key[SECRET_SIZE])
{
	struct seal_where w = project_row(project, version);

	return open_any(r, &w, s, ret_key);
}

static const struct seal_where seed_row = {.table = SEAL_TABLE_AUDIT_SEED,
    .schema = 1};

err
root_seal_seed(const struct root_keys *r, const uint8_t seed[SECRET_SIZE],
    struct arena *a, struct sealed *ret)
{
	return close_primary(r, &seed_row, seed, a, ret);
}

err
root_open_seed(const struct root_keys *r, struct stored s,
    uint8_t ret_seed[SECRET_SIZE])
{
	return open_any(r, &seed_row, s, ret_seed);
}
