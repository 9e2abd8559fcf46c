#include "auth/delegate_cert.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "base/arena.h"
#include "base/text.h"

enum { PEM_LINE = 64 };

static X509 *
cert_open(struct str der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	X509 *x =
	    der.n == 0 || der.n > 4096 ? NULL : d2i_X509(NULL, &p, (long)der.n);

	if (x != NULL && p != (const unsigned char *)der.p + der.n) {
		X509_free(x);
		return NULL;
	}
	return x;
}

static bool
ed25519_of(X509 *x, uint8_t ret[32])
{
	EVP_PKEY *k = X509_get0_pubkey(x);
	size_t n = 32;

	return k != NULL && EVP_PKEY_get_base_id(k) == EVP_PKEY_ED25519 &&
	    EVP_PKEY_get_raw_public_key(k, ret, &n) == 1 && n == 32;
}

static bool
time_ms(const ASN1_TIME *t, int64_t *ret)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*ret = (int64_t)timegm(&tm) * 1000;
	return true;
}

bool
delegate_urn_parse(struct str s, struct uuid *ret, uint32_t *ret_epoch)
{
	static const struct str prefix = {"urn:redoubt:delegate:", 21};
	struct str id, epoch;
	uint64_t v;

	if (!str_starts(s, prefix) ||
	    !str_cut(str_skip(s, prefix.n), ':', &id, &epoch) ||
	    !uuid_parse(id, ret) || !str_u64(epoch, 0, UINT32_MAX, &v))
		return false;
	*ret_epoch = (uint32_t)v;
	return true;
}

/* Exactly one name, of our form. */
static bool
names_delegate(X509 *x, struct delegate_cert *ret)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	const GENERAL_NAME *g;
	bool ok = false;

	if (names != NULL && sk_GENERAL_NAME_num(names) == 1) {
		g = sk_GENERAL_NAME_value(names, 0);
		ok = g->type == GEN_URI &&
		    delegate_urn_parse(
			str_of((const char *)ASN1_STRING_get0_data(
				   g->d.uniformResourceIdentifier),
			    (size_t)ASN1_STRING_length(
				g->d.uniformResourceIdentifier)),
			&ret->delegate, &ret->epoch);
	}
	GENERAL_NAMES_free(names);
	return ok;
}

static bool
signed_by(X509 *x, const uint8_t ca[32])
{
	EVP_PKEY *k =
	    EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, ca, 32);
	bool ok = k != NULL && X509_verify(x, k) == 1;

	EVP_PKEY_free(k);
	return ok;
}

err
delegate_cert_read(struct str der, const uint8_t ca[32],
    struct delegate_cert *ret)
{
	X509 *x = cert_open(der);
	struct delegate_cert c;
	bool ok = x != NULL && signed_by(x, ca) && ed25519_of(x, c.key) &&
	    X509_check_ca(x) == 0 && names_delegate(x, &c) &&
	    time_ms(X509_get0_notBefore(x), &c.not_before) &&
	    time_ms(X509_get0_notAfter(x), &c.not_after);

	X509_free(x);
	ERR_clear_error();
	if (!ok)
		return err_of(E_UNAUTHENTICATED);
	*ret = c;
	return OK;
}

err
delegate_ca_key(struct str der, uint8_t ret[32])
{
	X509 *x = cert_open(der);
	uint8_t key[32];
	bool ok = x != NULL && ed25519_of(x, key) && signed_by(x, key) &&
	    X509_check_ca(x) == 1;

	X509_free(x);
	ERR_clear_error();
	if (!ok)
		return err_of(E_CORRUPT);
	memcpy(ret, key, sizeof key);
	return OK;
}

void
delegate_cert_pem(struct buf *b, struct str der)
{
	CLEANUP(buf_done) struct buf text;
	struct str left;

	buf_init(&text, 8192);
	b64_add(&text, der);
	if (text.failed)
		b->failed = true;
	buf_c(b, "-----BEGIN CERTIFICATE-----\n");
	for (left = buf_view(&text); left.n > 0;) {
		size_t n = left.n < PEM_LINE ? left.n : PEM_LINE;

		buf_str(b, str_head(left, n));
		buf_char(b, '\n');
		left = str_skip(left, n);
	}
	buf_c(b, "-----END CERTIFICATE-----\n");
}
