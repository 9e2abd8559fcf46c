/*
 * keep_cert.c: see keep_cert.h.  DER is written from its end to its front, so
 * that what a length counts is there before the length.
 */
#include "role/keep_cert.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "base/rand.h"
#include "base/time.h"

enum {
	SEQUENCE = 0x30,
	SET = 0x31,
	INTEGER = 0x02,
	BOOLEAN = 0x01,
	BITS = 0x03,
	OCTETS = 0x04,
	UTF8 = 0x0c,
	UTC_TIME = 0x17,
	GENERAL_TIME = 0x18,
	VERSION = 0xa0,
	EXTENSIONS = 0xa3,
	NAME_URI = 0x86,
	SERIAL = 16,
};

struct der {
	uint8_t b[CERT_DER_MAX];
	size_t at; /* what is written begins here */
};

static void
put(struct der *d, const void *p, size_t n)
{
	BUG_ON(n > d->at);
	d->at -= n;
	memcpy(d->b + d->at, p, n);
}

static void
put_u8(struct der *d, unsigned v)
{
	uint8_t b = (uint8_t)v;

	put(d, &b, 1);
}

/* All since `end` becomes the content of a value with that tag. */
static void
wrap(struct der *d, unsigned tag, size_t end)
{
	size_t n = end - d->at;

	BUG_ON(n > UINT16_MAX);
	if (n >= 0x80) {
		put_u8(d, n & 0xff);
		if (n > UINT8_MAX)
			put_u8(d, (unsigned)(n >> 8));
		put_u8(d, n > UINT8_MAX ? 0x82 : 0x81);
	} else {
		put_u8(d, (unsigned)n);
	}
	put_u8(d, tag);
}

static void
value(struct der *d, unsigned tag, const void *p, size_t n)
{
	size_t end = d->at;

	put(d, p, n);
	wrap(d, tag, end);
}

/* SEQUENCE { OID id-Ed25519 }, RFC 8410 3 */
static void
algorithm(struct der *d)
{
	static const uint8_t a[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};

	put(d, a, sizeof a);
}

static void
bits(struct der *d, const void *p, size_t n, unsigned unused)
{
	size_t end = d->at;

	put(d, p, n);
	put_u8(d, unused);
	wrap(d, BITS, end);
}

/* A Name of one commonName. */
static void
name(struct der *d, struct str cn)
{
	static const uint8_t oid[] = {0x06, 0x03, 0x55, 0x04, 0x03};
	size_t end = d->at;

	value(d, UTF8, cn.p, cn.n);
	put(d, oid, sizeof oid);
	wrap(d, SEQUENCE, end);
	wrap(d, SET, end);
	wrap(d, SEQUENCE, end);
}

/* YYYYMMDDHHMMSSZ of "YYYY-MM-DDTHH:MM:SS.mmmZ". */
static void
moment(struct der *d, int64_t ms)
{
	static const uint8_t from[] = {0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15,
	    17, 18};
	char text[TIME_TEXT + 1], t[sizeof from + 1];
	bool utc = ms < 2524608000000; /* 2050: RFC 5280 4.1.2.5.1 */

	time_text(ms, text);
	for (size_t i = 0; i < sizeof from; i++)
		t[i] = text[from[i]];
	t[sizeof from] = 'Z';
	if (utc)
		value(d, UTC_TIME, t + 2, sizeof t - 2);
	else
		value(d, GENERAL_TIME, t, sizeof t);
}

/* One extension; p: its value as DER. */
static void
extension(struct der *d, unsigned last, bool critical, const void *p, size_t n)
{
	uint8_t oid[] = {0x06, 0x03, 0x55, 0x1d, (uint8_t)last};
	static const uint8_t yes[] = {BOOLEAN, 1, 0xff};
	size_t end = d->at;

	value(d, OCTETS, p, n);
	if (critical)
		put(d, yes, sizeof yes);
	put(d, oid, sizeof oid);
	wrap(d, SEQUENCE, end);
}

static void
alternative_name(struct der *d, const struct cert_ask *q)
{
	struct der in = {.at = sizeof in.b};
	char id[UUID_TEXT + 1], uri[128];
	int n;

	uuid_text(&q->delegate, id);
	n = snprintf(uri, sizeof uri, "urn:redoubt:delegate:%s:%u", id,
	    q->epoch);
	BUG_ON(n < 0 || (size_t)n >= sizeof uri);
	value(&in, NAME_URI, uri, (size_t)n);
	wrap(&in, SEQUENCE, sizeof in.b);
	extension(d, 17, false, in.b + in.at, sizeof in.b - in.at);
}

/* 19 basicConstraints, 15 keyUsage, 37 extKeyUsage, 17 subjectAltName */
static void
extensions(struct der *d, const struct cert_ask *q)
{
	static const uint8_t ca[] = {0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01,
	    0x00};
	static const uint8_t end_entity[] = {0x30, 0x00};
	static const uint8_t signs_certs[] = {BITS, 2, 2, 0x04};
	static const uint8_t signs[] = {BITS, 2, 7, 0x80};
	static const uint8_t client[] = {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
	    0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
	size_t end = d->at;

	if (q != NULL) {
		alternative_name(d, q);
		extension(d, 37, true, client, sizeof client);
		extension(d, 15, true, signs, sizeof signs);
		extension(d, 19, true, end_entity, sizeof end_entity);
	} else {
		extension(d, 15, true, signs_certs, sizeof signs_certs);
		extension(d, 19, true, ca, sizeof ca);
	}
	wrap(d, SEQUENCE, end);
	wrap(d, EXTENSIONS, end);
}

/* q NULL: of the authority. */
static void
to_be_signed(struct der *d, const struct cert_ask *q, const uint8_t key[32],
    const uint8_t serial[SERIAL])
{
	static const uint8_t v3[] = {INTEGER, 1, 2};
	static const struct str issuer = {"redoubt delegates", 17};
	char id[UUID_TEXT + 1];
	size_t whole = d->at, end;

	extensions(d, q);
	end = d->at;
	bits(d, key, CERT_KEY, 0);
	algorithm(d);
	wrap(d, SEQUENCE, end);
	if (q != NULL)
		uuid_text(&q->delegate, id);
	name(d, q == NULL ? issuer : str_of(id, UUID_TEXT));
	end = d->at;
	/* RFC 5280 4.1.2.5: 99991231235959Z says that it has no good end */
	moment(d, q == NULL ? 253402300799000 : q->not_after);
	moment(d, q == NULL ? 1767225600000 : q->not_before);
	wrap(d, SEQUENCE, end);
	name(d, issuer);
	algorithm(d);
	value(d, INTEGER, serial, SERIAL);
	end = d->at;
	put(d, v3, sizeof v3);
	wrap(d, VERSION, end);
	wrap(d, SEQUENCE, whole);
}

err
keep_ed25519(const uint8_t seed[SECRET_SIZE], const void *p, size_t n,
    uint8_t ret[64])
{
	EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
	    SECRET_SIZE);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t got = 64;
	bool ok = k != NULL && c != NULL &&
	    EVP_DigestSignInit(c, NULL, NULL, NULL, k) == 1 &&
	    EVP_DigestSign(c, ret, &got, p, n) == 1 && got == 64;

	EVP_MD_CTX_free(c);
	EVP_PKEY_free(k);
	return err_of(ok ? E_OK : E_CRYPTO);
}

err
keep_ed25519_public(const uint8_t seed[SECRET_SIZE], uint8_t ret[CERT_KEY])
{
	EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
	    SECRET_SIZE);
	size_t n = CERT_KEY;
	bool ok = k != NULL && EVP_PKEY_get_raw_public_key(k, ret, &n) == 1 &&
	    n == CERT_KEY;

	EVP_PKEY_free(k);
	return err_of(ok ? E_OK : E_CRYPTO);
}

static err
make(const uint8_t seed[SECRET_SIZE], const struct cert_ask *q,
    const uint8_t key[CERT_KEY], const uint8_t serial[SERIAL], struct buf *ret)
{
	struct der tbs = {.at = sizeof tbs.b}, d = {.at = sizeof d.b};
	uint8_t sig[64];

	to_be_signed(&tbs, q, key, serial);
	TRY(keep_ed25519(seed, tbs.b + tbs.at, sizeof tbs.b - tbs.at, sig));
	bits(&d, sig, sizeof sig, 0);
	algorithm(&d);
	put(&d, tbs.b + tbs.at, sizeof tbs.b - tbs.at);
	wrap(&d, SEQUENCE, sizeof d.b);
	buf_add(ret, d.b + d.at, sizeof d.b - d.at);
	return buf_check(ret);
}

err
keep_cert_ca(const uint8_t seed[SECRET_SIZE], struct buf *ret)
{
	static const uint8_t serial[SERIAL] = {1};
	uint8_t key[CERT_KEY];

	TRY(keep_ed25519_public(seed, key));
	return make(seed, NULL, key, serial, ret);
}

err
keep_cert_delegate(const uint8_t seed[SECRET_SIZE], const struct cert_ask *q,
    struct buf *ret)
{
	uint8_t serial[SERIAL];

	rand_bytes(serial, sizeof serial);
	/* positive, and no byte too many: X.690 8.3.2 */
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
	return make(seed, q, q->key, serial, ret);
}
