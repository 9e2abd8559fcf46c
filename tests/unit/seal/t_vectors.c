/*
 * tests/vectors/seal/v1.txt, which contrib/seal.py made from the document
 * alone: the module opens every one, and a second, plain implementation on
 * libcrypto's one-shot calls (CMAC, AES-256-GCM, HMAC) seals it to the same
 * bytes.
 */
#include <openssl/evp.h>

#include "seal/root.h"
#include "tests/t.h"
#include "tests/unit/seal/help.h"

static struct arena arena;

/* ---- the file: blocks of "name value" lines between empty lines ---- */

struct vector {
	struct str text;
};

static struct str
field(const struct vector *v, const char *name)
{
	struct str rest = v->text, line, key, value;

	while (rest.n > 0) {
		str_cut(rest, '\n', &line, &rest);
		if (str_cut(line, ' ', &key, &value) && str_is(key, name))
			return value;
	}
	return STR_NONE;
}

static struct str
bytes(const struct vector *v, const char *name)
{
	return help_unhex(&arena, field(v, name));
}

static uint64_t
number(const struct vector *v, const char *name)
{
	uint64_t n = 0;

	T_OK(str_u64(field(v, name), 0, UINT32_MAX, &n));
	return n;
}

static bool
next_vector(struct str *rest, struct vector *v)
{
	struct str line;
	const char *from;

	while (rest->n > 0 && (rest->p[0] == '\n' || rest->p[0] == '#'))
		str_cut(*rest, '\n', &line, rest);
	from = rest->p;
	while (rest->n > 0 && rest->p[0] != '\n')
		str_cut(*rest, '\n', &line, rest);
	v->text = str_of(from, (size_t)(rest->p - from));
	return v->text.n > 0;
}

static struct str
file_text(void)
{
	static char text[256 * 1024];
	FILE *f = fopen("tests/vectors/seal/v1.txt", "r");
	size_t n = f == NULL ? 0 : fread(text, 1, sizeof text, f);

	if (f != NULL)
		fclose(f);
	T_OK(n > 0 && n < sizeof text);
	return str_of(text, n);
}

/* ---- the plain implementation ---- */

static void
cmac(struct str key, const void *msg, size_t n, uint8_t out[16])
{
	T_OK(EVP_Q_mac(NULL, "CMAC", NULL, "AES-256-CBC", NULL, key.p, 32, msg,
		 n, out, 16, NULL) != NULL);
}

static void
plain_gcm(const uint8_t *key, const uint8_t *nonce, struct str aad,
    struct str in, uint8_t *out, uint8_t *tag)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	int n;

	T_OK(EVP_EncryptInit_ex(x, EVP_aes_256_gcm(), NULL, key, nonce) == 1);
	T_OK(EVP_EncryptUpdate(x, NULL, &n, (const uint8_t *)aad.p,
		 (int)aad.n) == 1);
	T_OK(EVP_EncryptUpdate(x, out, &n, (const uint8_t *)in.p, (int)in.n) ==
	    1);
	T_OK(EVP_EncryptFinal_ex(x, out + n, &n) == 1);
	T_OK(EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1);
	EVP_CIPHER_CTX_free(x);
}

/* PROTOCOL.seal 2 and 3, line by line; the nonce is given. */
static struct str
plain_aad(const char *head, const struct blob_where *w)
{
	const struct seal_where *r = w->row;
	struct buf aad;

	buf_init_on(&aad, &arena, 1024);
	buf_c(&aad, "redoubt-seal-1");
	buf_add(&aad, head, 8);
	buf_char(&aad, (char)w->form);
	buf_be32(&aad, w->number);
	buf_char(&aad, (char)r->table);
	buf_char(&aad, (char)r->column);
	buf_be16(&aad, r->schema);
	buf_be32(&aad, r->project);
	buf_char(&aad, (char)r->pk_n);
	buf_add(&aad, r->pk, r->pk_n);
	return buf_view(&aad);
}

static void
plain_kx(struct str key, const char *nonce, uint8_t kx[32])
{
	for (uint8_t i = 1; i <= 2; i++) {
		uint8_t m[16] = {0, i, 0x58, 0};

		memcpy(m + 4, nonce, 12);
		cmac(key, m, 16, kx + 16 * (i - 1));
	}
}

static void
plain_commitment(struct str key, const char *nonce, uint8_t kc[32])
{
	for (uint8_t i = 1; i <= 2; i++) {
		uint8_t m[32] = {'X', 'C', 'M', 'T'};

		memcpy(m + 4, nonce, 24);
		memcpy(m + 28, (uint8_t[]){0, 1, 0, i}, 4);
		cmac(key, m, 32, kc + 16 * (i - 1));
	}
}

static struct str
plain_seal(struct str key, uint32_t key_id, const char *nonce,
    const struct blob_where *w, struct str plain)
{
	uint8_t kx[32], kc[32], *out;
	struct buf blob;

	buf_init_on(&blob, &arena, 1 << 20);
	buf_be16(&blob, 0x0101);
	buf_be16(&blob, 0);
	buf_be32(&blob, key_id);
	plain_commitment(key, nonce, kc);
	buf_add(&blob, kc, 32);
	buf_add(&blob, nonce, 24);
	plain_kx(key, nonce, kx);
	out = arena_get(&arena, plain.n + 16);
	plain_gcm(kx, (const uint8_t *)nonce + 12, plain_aad(blob.p, w), plain,
	    out, out + plain.n);
	buf_add(&blob, out, plain.n + 16);
	return buf_view(&blob);
}

/* ---- the vectors ---- */

struct blob_vector {
	struct str key, plain, sealed;
	uint32_t id;
	struct seal_where row;
	struct blob_where w;
};

static struct blob_vector
blob_vector(const struct vector *v)
{
	struct str pk = bytes(v, "pk");
	struct blob_vector b = {.key = bytes(v, "key"),
	    .plain = bytes(v, "plain"),
	    .sealed = bytes(v, "sealed"),
	    .id = (uint32_t)number(v, "key_id"),
	    .row = {.table = (enum seal_table)number(v, "table"),
		.column = (uint8_t)number(v, "column"),
		.schema = (uint16_t)number(v, "schema"),
		.project = (uint32_t)number(v, "project"),
		.pk_n = (uint8_t)pk.n},
	    .w = {.form = (enum blob_form)number(v, "form"),
		.number = (uint32_t)number(v, "number")}};

	memcpy(b.row.pk, pk.p, pk.n);
	return b;
}

static void
check_blob(const struct vector *v)
{
	struct blob_vector b = blob_vector(v);
	struct data_key k = help_key(b.key.p, b.id, SEAL_CLASS_OBJECT);
	struct stored s = {b.sealed};
	struct str back = STR_NONE;

	b.w.row = &b.row;
	if (b.w.form == BLOB_WHOLE)
		T_GOOD(seal_open(&k, &b.row, s, &arena, &back));
	else
		T_GOOD(seal_open_chunk(&k, &b.row, b.w.number,
		    b.w.form == BLOB_LAST_CHUNK, s, &arena, &back));
	T_EQ_STR(back, b.plain);
	T_EQ_STR(plain_seal(b.key, b.id, b.sealed.p + 40, &b.w, b.plain),
	    b.sealed);
	help_done(&k);
}

/* ---- the example in the document ---- */

/* The document without white space. */
static struct str
document(void)
{
	static char text[65536];
	FILE *f = fopen("doc/PROTOCOL.seal", "r");
	size_t n = 0;
	int c;

	while (f != NULL && (c = fgetc(f)) != EOF && n < sizeof text)
		if (c != ' ' && c != '\n')
			text[n++] = (char)c;
	if (f != NULL)
		fclose(f);
	T_OK(n > 0 && n < sizeof text);
	return str_of(text, n);
}

static void
says(struct str doc, const char *name, const void *p, size_t n)
{
	struct buf b;

	buf_init_on(&b, &arena, 65536);
	buf_c(&b, name);
	hex_add(&b, str_of(p, n));
	if (memmem(doc.p, doc.n, b.p, b.n) == NULL)
		T_FAIL("the document does not say %.*s", (int)b.n, b.p);
}

static void
check_example(struct str doc, const struct vector *v)
{
	struct blob_vector b = blob_vector(v);
	struct str aad;
	uint8_t kx[32];

	b.w.row = &b.row;
	aad = plain_aad(b.sealed.p, &b.w);
	plain_kx(b.key, b.sealed.p + 40, kx);
	says(doc, "key", b.key.p, b.key.n);
	says(doc, "pk", b.row.pk, b.row.pk_n);
	says(doc, "nonce", b.sealed.p + 40, 24);
	says(doc, "plaintext", b.plain.p, b.plain.n);
	says(doc, "Kx", kx, sizeof kx);
	says(doc, "commitment", b.sealed.p + 8, 32);
	says(doc, "AAD", aad.p, aad.n);
	says(doc, "sealed", b.sealed.p, b.sealed.n);
}

TEST(the_document_says_so)
{
	struct str rest = file_text(), doc = document();
	struct vector v;
	int n = 0;

	arena_init(&arena, 8 << 20);
	while (next_vector(&rest, &v)) {
		if (str_is(field(&v, "blob"), "last chunk, number 7"))
			n++, check_example(doc, &v);
		if (str_is(field(&v, "mac"), "index/service")) {
			struct str key = bytes(&v, "key");
			struct str value = bytes(&v, "value");

			n++;
			says(doc, "key", key.p, key.n);
			says(doc, "MAC", value.p, value.n);
		}
	}
	T_EQ_INT(n, 2);
	arena_done(&arena);
}

/* And the other way: what the module seals, the plain one seals too. */
TEST(module_and_plain_agree)
{
	struct data_key k = help_key_of(0x5a, 77, SEAL_CLASS_ALERT);
	struct str key = str_of((const char *)secret_view(k.secret), 32);
	struct seal_where row = {.table = SEAL_TABLE_ALERT,
	    .schema = 1,
	    .project = 12};
	struct blob_where w = {.row = &row};
	char text[400];

	arena_init(&arena, 8 << 20);
	memset(text, 'x', sizeof text);
	for (size_t n = 0; n < sizeof text; n++) {
		struct str plain = str_of(text, n);
		struct sealed s = {STR_NONE};

		T_GOOD(seal_close(&k, &row, plain, &arena, &s));
		T_EQ_STR(plain_seal(key, 77, s.bytes.p + 40, &w, plain),
		    s.bytes);
	}
	help_done(&k);
	arena_done(&arena);
}

static void
check_root(const struct vector *v)
{
	struct str plain = bytes(v, "plain");
	struct stored s = {bytes(v, "sealed")};
	struct root_keys *r = NULL;
	uint8_t back[SECRET_SIZE] = {0};

	T_GOOD(root_parse(field(v, "line"), NULL, &r));
	if (str_is(field(v, "root"), "audit seed"))
		T_GOOD(root_open_seed(r, s, back));
	else
		T_GOOD(root_unwrap(r, 5, 2, s, back));
	T_EQ_STR(str_of((char *)back, SECRET_SIZE), plain);
	root_free(r);
}

static void
check_mac(const struct vector *v)
{
	struct str key = bytes(v, "key"), data = bytes(v, "data");
	struct data_key k = help_key(key.p, 1, SEAL_CLASS_INDEX);
	const char *label = arena_cstr(&arena, field(v, "mac"));
	uint8_t got[32];

	T_GOOD(seal_mac(&k, label, data, got, sizeof got));
	T_EQ_STR(str_of((char *)got, 32), bytes(v, "value"));
	help_done(&k);
}

TEST(vectors)
{
	struct str rest = file_text();
	struct vector v;
	int blobs = 0, roots = 0, macs = 0;

	arena_init(&arena, 8 << 20);
	while (next_vector(&rest, &v)) {
		int bad = t_bad;

		if (field(&v, "blob").p != NULL)
			blobs++, check_blob(&v);
		else if (field(&v, "root").p != NULL)
			roots++, check_root(&v);
		else
			macs++, check_mac(&v);
		if (t_bad != bad)
			printf("# in: %.*s\n", STR_ARG(str_head(v.text, 60)));
	}
	T_EQ_INT(blobs, 21);
	T_EQ_INT(roots, 2);
	T_EQ_INT(macs, 3);
	arena_done(&arena);
}

/* The wrapped data keys among them, through the keyring. */
static struct wrapped_key wrapped;

static err
load(void *ctx, uint32_t id, struct arena *a, struct wrapped_key *ret)
{
	(void)ctx;
	(void)id;
	(void)a;
	*ret = wrapped;
	return OK;
}

static void
check_wrapped(const struct vector *v)
{
	struct project_keys *pk = project_keys_new();
	struct str key = bytes(v, "key"), row = bytes(v, "pk");
	const struct data_key *k = NULL;
	struct keyring *r = NULL;

	wrapped = (struct wrapped_key){.project = 5,
	    .version = (uint32_t)number(v, "key_id"),
	    .id = (uint8_t)row.p[3],
	    .class = (uint8_t)row.p[4],
	    .term = (uint8_t)row.p[12],
	    .stored = {bytes(v, "sealed")}};
	memcpy(wrapped.subject.b, row.p + 13, 16);
	T_GOOD(
	    project_keys_add(pk, 5, wrapped.version, (const uint8_t *)key.p));
	T_GOOD(keyring_new(pk, load, NULL, &r));
	T_GOOD(keyring_get(r, wrapped.id, &k));
	if (k != NULL)
		T_EQ_STR(str_of((const char *)secret_view(k->secret), 32),
		    bytes(v, "plain"));
	keyring_free(r);
	project_keys_unref(pk);
}

TEST(wrapped_keys)
{
	struct str rest = file_text();
	struct vector v;
	int n = 0;

	arena_init(&arena, 8 << 20);
	while (next_vector(&rest, &v))
		if (str_starts(field(&v, "blob"), STR("data key")))
			n++, check_wrapped(&v);
	T_EQ_INT(n, 2);
	arena_done(&arena);
}

T_MAIN
