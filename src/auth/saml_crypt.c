/*
 * saml_crypt.c: EncryptedAssertion (XML Encryption 1.1): RSA-OAEP for the
 * key, AES-GCM for the assertion.  Every fault is one reason, so nothing can
 * be learned about a ciphertext by asking.  AES-CBC, which such asking breaks
 * (Jager and Somorovsky, CCS 2011), only when the provider is allowed it and
 * the whole response is signed: then there is nobody who could ask.
 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "auth/saml_inner.h"
#include "base/mem.h"

enum { KEY_MAX = 32, GCM_IV = 12, GCM_TAG = 16, BLOCK = 16 };

struct cipher {
	const char *uri, *name;
	size_t key;
	bool gcm;
};

static const struct cipher ciphers[] = {
    {NS_XENC11 "aes128-gcm", "AES-128-GCM", 16, true},
    {NS_XENC11 "aes256-gcm", "AES-256-GCM", 32, true},
    {NS_XENC "aes128-cbc", "AES-128-CBC", 16, false},
    {NS_XENC "aes256-cbc", "AES-256-CBC", 32, false},
};

static const struct {
	const char *uri, *md;
} hashes[] = {
    {NS_DS "sha1", "SHA1"},
    {NS_XENC "sha256", "SHA256"},
    {NS_XENC11 "mgf1sha1", "SHA1"},
    {NS_XENC11 "mgf1sha256", "SHA256"},
};

struct box {
	const struct cipher *cipher;
	const char *oaep, *mgf; /* hashes */
	struct str key, body;	/* encrypted */
};

/* CipherData with a CipherValue; no reference to anywhere. */
static bool
cipher_value(struct verify *v, const xmlNode *n, struct str *ret)
{
	const xmlNode *data = xml_child(n, NS_XENC, "CipherData", NULL);
	const xmlNode *value = xml_child(data, NS_XENC, "CipherValue", NULL);
	struct str text;

	return value != NULL && xml_next(xml_first(data)) == NULL &&
	    xml_text(value, &text) && saml_b64(v->a, text, ret);
}

static const char *
hash_of(const xmlNode *n)
{
	struct str uri = xml_attr(n, "Algorithm");

	for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
		if (str_is(uri, hashes[i].uri))
			return hashes[i].md;
	return NULL;
}

/* RSA-OAEP with its two hashes; SHA-1 is what OAEP began with and is as good
 * as ever there. */
static bool
transport(const xmlNode *key, struct box *b)
{
	const xmlNode *method =
	    xml_child(key, NS_XENC, "EncryptionMethod", NULL);
	struct str uri = xml_attr(method, "Algorithm");
	bool newer = str_is(uri, NS_XENC11 "rsa-oaep");

	if (!newer && !str_is(uri, NS_XENC "rsa-oaep-mgf1p"))
		return false;
	b->oaep = b->mgf = "SHA1";
	for (const xmlNode *c = xml_first(method); c != NULL; c = xml_next(c)) {
		if (xml_is(c, NS_DS, "DigestMethod"))
			b->oaep = hash_of(c);
		else if (newer && xml_is(c, NS_XENC11, "MGF"))
			b->mgf = hash_of(c);
		else
			return false; /* a label, which nobody uses */
	}
	return b->oaep != NULL && b->mgf != NULL;
}

/* EncryptedData, and its key inside its KeyInfo or beside it. */
static bool
read_box(struct verify *v, const xmlNode *encrypted, struct box *b)
{
	const xmlNode *data =
	    xml_child(encrypted, NS_XENC, "EncryptedData", NULL);
	const xmlNode *info = xml_child(data, NS_DS, "KeyInfo", NULL);
	const xmlNode *key = xml_child(info, NS_XENC, "EncryptedKey", NULL);
	const xmlNode *method =
	    xml_child(data, NS_XENC, "EncryptionMethod", NULL);
	struct str uri = xml_attr(method, "Algorithm");

	if (key == NULL)
		key = xml_child(encrypted, NS_XENC, "EncryptedKey", NULL);
	if (data == NULL || key == NULL || method == NULL)
		return false;
	for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++)
		if (str_is(uri, ciphers[i].uri))
			b->cipher = &ciphers[i];
	return b->cipher != NULL && transport(key, b) &&
	    cipher_value(v, key, &b->key) && cipher_value(v, data, &b->body);
}

static bool
unwrap(struct str pkcs8, const struct box *b, unsigned char ret[KEY_MAX])
{
	const unsigned char *p = (const unsigned char *)pkcs8.p;
	unsigned char out[1024];
	size_t n = sizeof out;
	EVP_PKEY *key;
	EVP_PKEY_CTX *ctx;
	bool ok;

	key = d2i_AutoPrivateKey(NULL, &p, (long)pkcs8.n);
	ctx = key == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	ok = ctx != NULL && EVP_PKEY_is_a(key, "RSA") &&
	    EVP_PKEY_get_size(key) <= (int)sizeof out &&
	    EVP_PKEY_decrypt_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, b->oaep, NULL) == 1 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, b->mgf, NULL) == 1 &&
	    EVP_PKEY_decrypt(ctx, out, &n, (const unsigned char *)b->key.p,
		b->key.n) == 1 &&
	    n == b->cipher->key;
	if (ok)
		memcpy(ret, out, n);
	mem_wipe(out, sizeof out);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok;
}

/* ISO 10126 padding: the last byte says how many. */
static bool
unpad(struct str *io)
{
	unsigned char pad = io->n == 0 ? 0 : (unsigned char)io->p[io->n - 1];

	if (pad == 0 || pad > BLOCK || pad > io->n)
		return false;
	io->n -= pad;
	return true;
}

static bool
decipher(struct verify *v, const struct box *b,
    const unsigned char key[KEY_MAX], struct str *ret)
{
	size_t iv_n = b->cipher->gcm ? GCM_IV : BLOCK;
	size_t tag_n = b->cipher->gcm ? GCM_TAG : 0;
	const unsigned char *iv = (const unsigned char *)b->body.p;
	unsigned char *out, tag[GCM_TAG];
	EVP_CIPHER_CTX *ctx;
	EVP_CIPHER *c;
	int n = 0, last = 0;
	size_t body;
	bool ok;

	if (b->body.n <= iv_n + tag_n)
		return false;
	body = b->body.n - iv_n - tag_n;
	if (!b->cipher->gcm && body % BLOCK != 0)
		return false;
	out = arena_raw(v->a, body + BLOCK);
	c = EVP_CIPHER_fetch(NULL, b->cipher->name, NULL);
	ctx = EVP_CIPHER_CTX_new();
	if (tag_n > 0)
		memcpy(tag, iv + iv_n + body, tag_n);
	ok = out != NULL && c != NULL && ctx != NULL &&
	    EVP_DecryptInit_ex2(ctx, c, key, iv, NULL) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	    (tag_n == 0 ||
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, tag) ==
		    1) &&
	    EVP_DecryptUpdate(ctx, out, &n, iv + iv_n, (int)body) == 1 &&
	    EVP_DecryptFinal_ex(ctx, out + n, &last) == 1;
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(c);
	ERR_clear_error();
	if (!ok)
		return false;
	*ret = str_of((const char *)out, (size_t)(n + last));
	return b->cipher->gcm || unpad(ret);
}

bool
crypt_open(struct verify *v, const xmlNode *encrypted, bool signed_response,
    struct str *ret_xml)
{
	unsigned char key[KEY_MAX];
	struct box b = {0};
	bool ok = false;

	if (!read_box(v, encrypted, &b))
		return saml_no(v, SAML_DECRYPT);
	CHECK(v, cbc, b.cipher->gcm || (v->p->cbc && signed_response),
	    SAML_DECRYPT);
	for (size_t i = 0; i < v->p->decrypt_n && !ok; i++)
		ok = unwrap(v->p->decrypt[i], &b, key) &&
		    decipher(v, &b, key, ret_xml);
	mem_wipe(key, sizeof key);
	return ok || saml_no(v, SAML_DECRYPT);
}
