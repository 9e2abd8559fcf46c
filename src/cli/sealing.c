/* sealing.c: see sealing.h. */
#include "cli/sealing.h"

#include <openssl/evp.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "seal/hpke.h"

enum { TAG = 16, HASH = 32, BOX_MAX = 256 };

/* All that is made of one value. */
struct sealing {
	struct arena *a;
	struct str about; /* associated data, and HPKE's info */
	struct str data;
	uint8_t hash[HASH]; /* of data */
	const uint8_t *key;
};

static bool
sha256(struct str s, uint8_t ret[HASH])
{
	unsigned n = 0;

	return EVP_Digest(s.p, s.n, ret, &n, EVP_sha256(), NULL) == 1 &&
	    n == HASH;
}

void
sealing_wipe(struct str bytes)
{
	/* it was read into an arena or a buffer, which are ours to write */
	mem_wipe((void *)(uintptr_t)bytes.p, bytes.n);
}

static err
about(struct sealing *s, struct str project, struct str name)
{
	struct buf b;

	buf_init_on(&b, s->a, 1024);
	buf_c(&b, "redoubt-secret/1\n");
	buf_str(&b, project);
	buf_char(&b, '\n');
	buf_str(&b, name);
	buf_char(&b, '\n');
	s->about = buf_view(&b);
	return buf_check(&b);
}

static bool
gcm(const struct sealing *s, const uint8_t nonce[SEALING_NONCE],
    struct str plain, uint8_t *out)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	int n = 0, rest = 0;
	bool good;

	good = x != NULL && s->about.n <= 1024 && plain.n <= LIM_SECRET_DATA &&
	    EVP_EncryptInit_ex(x, EVP_aes_256_gcm(), NULL, s->key, nonce) ==
		1 &&
	    EVP_EncryptUpdate(x, NULL, &n, (const uint8_t *)s->about.p,
		(int)s->about.n) == 1 &&
	    EVP_EncryptUpdate(x, out, &n, (const uint8_t *)plain.p,
		(int)plain.n) == 1 &&
	    EVP_EncryptFinal_ex(x, out + n, &rest) == 1 &&
	    (size_t)n == plain.n && rest == 0 &&
	    EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, TAG, out + plain.n) ==
		1;
	EVP_CIPHER_CTX_free(x);
	return good;
}

/* nonce || AES-256-GCM(u32 length || value || zeros to a multiple of 64) */
static err
seal_data(struct sealing *s, const uint8_t nonce[SEALING_NONCE],
    struct str value)
{
	size_t padded =
	    (4 + value.n + SEALING_PAD - 1) / SEALING_PAD * SEALING_PAD;
	uint8_t *plain = arena_get(s->a, padded);
	uint8_t *out = arena_get(s->a, SEALING_NONCE + padded + TAG);
	bool good;

	TRY(arena_check(s->a));
	for (int i = 0; i < 4; i++)
		plain[i] = (uint8_t)(value.n >> (24 - 8 * i));
	memcpy(plain + 4, value.p, value.n);
	memcpy(out, nonce, SEALING_NONCE);
	good = gcm(s, nonce, str_of((const char *)plain, padded),
	    out + SEALING_NONCE);
	mem_wipe(plain, padded);
	s->data = str_of((const char *)out, SEALING_NONCE + padded + TAG);
	return err_of(good && sha256(s->data, s->hash) ? E_OK : E_CRYPTO);
}

static err
public_key(struct arena *a, const struct json *to, const char *name,
    uint8_t ret[HPKE_KEY])
{
	struct str bytes;

	if (!b64_decode(a, json_str_at(to, str_c(name)), &bytes) ||
	    bytes.n != HPKE_KEY)
		return err_of(E_INVALID);
	memcpy(ret, bytes.p, HPKE_KEY);
	return OK;
}

bool
sealing_print_right(struct arena *a, const struct json *recipient)
{
	uint8_t keys[2][HPKE_KEY], hash[HASH];
	struct buf b;

	if (!err_ok(public_key(a, recipient, "identity", keys[0])) ||
	    !err_ok(public_key(a, recipient, "key", keys[1])) ||
	    !sha256(str_of((const char *)keys, sizeof keys), hash))
		return false;
	buf_init_on(&b, a, 2 * HASH);
	hex_add(&b, str_of((const char *)hash, sizeof hash));
	return !b.failed &&
	    str_eq(json_str_at(recipient, STR("fingerprint")), buf_view(&b));
}

static err
seal_box(struct sealing *s, const struct json *to, const uint8_t *ephemeral,
    struct jw *w)
{
	struct str aad = str_of((const char *)s->hash, HASH);
	struct str key = str_of((const char *)s->key, SEALING_KEY);
	uint8_t pk[HPKE_KEY];
	struct buf box, text;

	TRY(public_key(s->a, to, "key", pk));
	buf_init_on(&box, s->a, BOX_MAX);
	if (ephemeral == NULL)
		TRY(hpke_seal(pk, s->about, aad, key, &box));
	else
		TRY(hpke_seal_with(HPKE_AES_256_GCM, ephemeral, pk, s->about,
		    aad, key, &box));
	buf_init_on(&text, s->a, 2 * BOX_MAX);
	b64_add(&text, buf_view(&box));
	jw_obj(w);
	jw_kstr(w, "delegate", json_str_at(to, STR("delegate")));
	jw_kstr(w, "fingerprint", json_str_at(to, STR("fingerprint")));
	jw_kstr(w, "box", buf_view(&text));
	jw_obj_end(w);
	return buf_check(&text);
}

err
sealing_write_with(struct arena *a, struct str project, struct str name,
    struct str value, const struct json *to, const uint8_t key[SEALING_KEY],
    const uint8_t nonce[SEALING_NONCE], const uint8_t (*ephemeral)[SEALING_KEY],
    struct jw *w)
{
	struct sealing s = {.a = a, .key = key};
	struct buf text;
	size_t i = 0;

	TRY(about(&s, project, name));
	TRY(seal_data(&s, nonce, value));
	buf_init_on(&text, a, LIM_SECRET_DATA * 2);
	b64_add(&text, s.data);
	TRY(buf_check(&text));
	jw_kstr(w, "data", buf_view(&text));
	jw_karr(w, "boxes");
	for (to = json_first(to); to != NULL; to = to->next, i++)
		TRY(seal_box(&s, to, ephemeral == NULL ? NULL : ephemeral[i],
		    w));
	jw_arr_end(w);
	return OK;
}

err
sealing_write(struct arena *a, struct str project, struct str name,
    struct str value, const struct json *to, struct jw *w)
{
	uint8_t key[SEALING_KEY], nonce[SEALING_NONCE];
	err e;

	rand_bytes(key, sizeof key);
	rand_bytes(nonce, sizeof nonce);
	e = sealing_write_with(a, project, name, value, to, key, nonce, NULL,
	    w);
	mem_wipe(key, sizeof key);
	return e;
}
