#include "role/certs.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "role/datadir.h"

enum { PEM_MAX = 16384, DAYS = 3650 };

/* One certificate in the making. */
struct paper {
	X509 *x;
	EVP_PKEY *key;
};

static void
paper_done(struct paper *p)
{
	X509_free(p->x);
	EVP_PKEY_free(p->key);
}

static bool
serial(X509 *x)
{
	unsigned char b[16];
	BIGNUM *n;
	bool good;

	if (RAND_bytes(b, sizeof b) != 1)
		return false;
	b[0] &= 0x7f; /* positive */
	n = BN_bin2bn(b, sizeof b, NULL);
	good = n != NULL &&
	    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
	BN_free(n);
	return good;
}

static bool
extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	bool good;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	good = e != NULL && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return good;
}

/* Names, times and the public key; issuer NULL: self-signed. */
static bool
frame(struct paper *p, const struct paper *issuer, const char *name, time_t now)
{
	X509_NAME *n;

	p->x = X509_new();
	p->key = EVP_EC_gen("P-256");
	if (p->x == NULL || p->key == NULL ||
	    X509_set_version(p->x, X509_VERSION_3) != 1 || !serial(p->x))
		return false;
	n = X509_get_subject_name(p->x);
	/* An hour back: clocks differ. */
	return X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC,
		   (const unsigned char *)name, -1, -1, 0) == 1 &&
	    X509_set_issuer_name(p->x,
		issuer == NULL ? n : X509_get_subject_name(issuer->x)) == 1 &&
	    X509_time_adj_ex(X509_getm_notBefore(p->x), 0, -3600, &now) !=
	    NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(p->x), DAYS, 0, &now) != NULL &&
	    X509_set_pubkey(p->x, p->key) == 1;
}

static bool
make_ca(struct paper *ca, time_t now)
{
	return frame(ca, NULL, "Redoubt local authority", now) &&
	    extension(ca->x, ca->x, NID_subject_key_identifier, "hash") &&
	    extension(ca->x, ca->x, NID_basic_constraints,
		"critical,CA:TRUE,pathlen:0") &&
	    extension(ca->x, ca->x, NID_key_usage,
		"critical,keyCertSign,cRLSign") &&
	    X509_sign(ca->x, ca->key, EVP_sha256()) > 0;
}

static bool
make_leaf(struct paper *leaf, const struct paper *ca, time_t now)
{
	return frame(leaf, ca, "localhost", now) &&
	    extension(leaf->x, ca->x, NID_subject_key_identifier, "hash") &&
	    extension(leaf->x, ca->x, NID_authority_key_identifier,
		"keyid:always") &&
	    extension(leaf->x, ca->x, NID_basic_constraints,
		"critical,CA:FALSE") &&
	    extension(leaf->x, ca->x, NID_key_usage,
		"critical,digitalSignature") &&
	    extension(leaf->x, ca->x, NID_ext_key_usage, "serverAuth") &&
	    extension(leaf->x, ca->x, NID_subject_alt_name,
		"DNS:localhost,IP:127.0.0.1,IP:::1") &&
	    X509_sign(leaf->x, ca->key, EVP_sha256()) > 0;
}

/* The text of a memory BIO, which is wiped: it may be a key's. */
static bool
bio_take(BIO *bio, bool written, struct buf *ret)
{
	char *p = NULL;
	long n = bio == NULL ? 0 : BIO_get_mem_data(bio, &p);
	bool good = written && n > 0 && buf_room(ret, PEM_MAX);

	if (good)
		buf_add(ret, p, (size_t)n);
	if (p != NULL)
		OPENSSL_cleanse(p, (size_t)n);
	BIO_free(bio);
	return good && !ret->failed;
}

static bool
cert_pem(X509 *x, struct buf *ret)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return bio_take(bio, bio != NULL && PEM_write_bio_X509(bio, x) == 1,
	    ret);
}

static bool
key_pem(EVP_PKEY *k, struct buf *ret)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return bio_take(bio,
	    bio != NULL &&
		PEM_write_bio_PrivateKey(bio, k, NULL, NULL, 0, NULL, NULL) ==
		    1,
	    ret);
}

static bool
fingerprint(const X509 *x, char ret[FINGERPRINT_TEXT + 1])
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char d[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (X509_digest(x, EVP_sha256(), d, &n) != 1 || n != 32)
		return false;
	for (unsigned i = 0; i < n; i++) {
		ret[i * 3] = hex[d[i] >> 4];
		ret[i * 3 + 1] = hex[d[i] & 15];
		ret[i * 3 + 2] = i + 1 < n ? ':' : '\0';
	}
	return true;
}

err
certs_make(int64_t now_ms, struct certs *ret)
{
	struct paper ca CLEANUP(paper_done) = {0};
	struct paper leaf CLEANUP(paper_done) = {0};
	time_t now = (time_t)(now_ms / 1000);

	*ret = (struct certs){0};
	buf_init(&ret->ca, PEM_MAX);
	buf_init(&ret->cert, PEM_MAX);
	buf_init(&ret->key, PEM_MAX);
	if (make_ca(&ca, now) && make_leaf(&leaf, &ca, now) &&
	    cert_pem(ca.x, &ret->ca) && cert_pem(leaf.x, &ret->cert) &&
	    key_pem(leaf.key, &ret->key) &&
	    fingerprint(leaf.x, ret->fingerprint))
		return OK;
	certs_done(ret);
	return err_of(E_CRYPTO);
}

void
certs_done(struct certs *c)
{
	buf_done(&c->ca);
	buf_done(&c->cert);
	buf_wipe(&c->key);
}
