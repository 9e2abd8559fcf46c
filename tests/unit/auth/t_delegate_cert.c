/*
 * Certificates of delegates: read back by who believes one key, and by nobody
 * when a bit of them is another.  Made by tests/unit/role/t_keep.c's keeper
 * too; here by OpenSSL, so that the reader is tested against another maker.
 */
#include "auth/delegate_cert.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/text.h"
#include "tests/t.h"

#define ID "0190a000-0000-7000-8000-000000000001"

struct made {
	EVP_PKEY *ca, *key;
	uint8_t ca_key[32], own_key[32];
	unsigned char *der;
	int n;
};

static EVP_PKEY *
fresh_key(uint8_t ret[32])
{
	EVP_PKEY *k = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	size_t n = 32;

	BUG_ON(k == NULL || EVP_PKEY_get_raw_public_key(k, ret, &n) != 1);
	return k;
}

static void
extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	BUG_ON(e == NULL || X509_add_ext(x, e, -1) != 1);
	X509_EXTENSION_free(e);
}

/* ca: it is an authority's; san NULL: none. */
static void
make(struct made *m, const char *san, bool ca)
{
	X509 *x = X509_new();

	m->ca = fresh_key(m->ca_key);
	m->key = fresh_key(m->own_key);
	BUG_ON(x == NULL || X509_set_version(x, 2) != 1);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	(void)X509_gmtime_adj(X509_getm_notBefore(x), 0);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	(void)X509_set_pubkey(x, m->key);
	if (ca)
		extend(x, NID_basic_constraints, "critical,CA:TRUE");
	if (san != NULL)
		extend(x, NID_subject_alt_name, san);
	BUG_ON(X509_sign(x, m->ca, NULL) == 0);
	m->der = NULL;
	m->n = i2d_X509(x, &m->der);
	BUG_ON(m->n <= 0);
	X509_free(x);
}

static void
unmake(struct made *m)
{
	EVP_PKEY_free(m->ca);
	EVP_PKEY_free(m->key);
	OPENSSL_free(m->der);
}

static err
take(const struct made *m, struct delegate_cert *ret)
{
	return delegate_cert_read(str_of((const char *)m->der, (size_t)m->n),
	    m->ca_key, ret);
}

TEST(what_the_authority_signed_is_read)
{
	char id[UUID_TEXT + 1];
	struct delegate_cert c;
	struct made m;

	make(&m, "URI:urn:redoubt:delegate:" ID ":42", false);
	T_GOOD(take(&m, &c));
	uuid_text(&c.delegate, id);
	T_EQ_STR(str_c(id), STR(ID));
	T_EQ_INT(c.epoch, 42);
	T_EQ_MEM(c.key, m.own_key, 32);
	T_EQ_INT(c.not_after - c.not_before, 3600000);
	T_OK(llabs(c.not_before / 1000 - time(NULL)) < 10);
	/* of another authority */
	m.ca_key[0] ^= 1;
	T_ERR(take(&m, &c), E_UNAUTHENTICATED);
	unmake(&m);
}

TEST(no_other_bit_of_it_is_taken)
{
	struct delegate_cert c;
	struct made m;

	make(&m, "URI:urn:redoubt:delegate:" ID ":42", false);
	for (int i = 0; i < m.n; i++)
		for (unsigned bit = 0; bit < 8; bit += 7) {
			m.der[i] ^= (unsigned char)(1U << bit);
			T_ERR(take(&m, &c), E_UNAUTHENTICATED);
			m.der[i] ^= (unsigned char)(1U << bit);
		}
	T_GOOD(take(&m, &c));
	for (int n = m.n; m.n > 0; m.n -= 11)
		if (m.n != n)
			T_ERR(take(&m, &c), E_UNAUTHENTICATED);
	unmake(&m);
}

TEST(names_of_another_form_are_refused)
{
	static const char *const san[] = {NULL, "URI:urn:redoubt:delegate:" ID,
	    "URI:urn:redoubt:delegate:" ID ":-1",
	    "URI:urn:redoubt:delegate:" ID ":4294967296",
	    "URI:urn:redoubt:delegate:" ID ":1:2",
	    "URI:urn:redoubt:user:" ID ":1", "DNS:urn.redoubt.delegate",
	    "URI:urn:redoubt:delegate:0190a000:1",
	    "URI:urn:redoubt:delegate:" ID ":1,URI:urn:redoubt:delegate:" ID
	    ":2"};
	struct delegate_cert c;
	struct made m;

	for (size_t i = 0; i < sizeof san / sizeof *san; i++) {
		make(&m, san[i], false);
		T_ERR(take(&m, &c), E_UNAUTHENTICATED);
		unmake(&m);
	}
	/* nor does an authority's certificate make its holder a delegate */
	make(&m, "URI:urn:redoubt:delegate:" ID ":42", true);
	T_ERR(take(&m, &c), E_UNAUTHENTICATED);
	unmake(&m);
}

TEST(the_text_is_that_of_rfc_7468)
{
	struct delegate_cert c;
	struct str s, line, all = STR("");
	struct arena a;
	struct made m;
	struct buf b;

	make(&m, "URI:urn:redoubt:delegate:" ID ":42", false);
	buf_init(&b, 4096);
	arena_init(&a, 65536);
	delegate_cert_pem(&b, str_of((const char *)m.der, (size_t)m.n));
	s = buf_view(&b);
	T_OK(str_starts(s, STR("-----BEGIN CERTIFICATE-----\n")));
	T_OK(str_ends(s, STR("\n-----END CERTIFICATE-----\n")));
	s = str_skip(s, 28);
	s.n -= 26;
	while (str_cut(s, '\n', &line, &s) || line.n > 0) {
		struct buf more;

		T_OK(line.n <= 64);
		buf_init_on(&more, &a, 4096);
		buf_str(&more, all);
		buf_str(&more, line);
		all = buf_view(&more);
		if (s.n == 0)
			break;
	}
	T_REQUIRE(b64_decode(&a, all, &s));
	T_EQ_INT(s.n, m.n);
	T_GOOD(delegate_cert_read(s, m.ca_key, &c));
	arena_done(&a);
	buf_done(&b);
	unmake(&m);
}

T_MAIN
