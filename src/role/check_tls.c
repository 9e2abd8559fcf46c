/* check_tls.c: the certificate and its key. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include "role/check.h"
#include "role/plan.h"

enum { PEM_MAX = 262144, SOON_DAYS = 30 };

static BIO *
file_bio(int fd, struct buf *b)
{
	if (!err_ok(fd_read_all(fd, PEM_MAX, b)))
		return NULL;
	return BIO_new_mem_buf(b->p, (int)b->n);
}

static void
dates(struct checking *c, const X509 *x)
{
	time_t now = (time_t)(c->now / 1000);
	int days = 0, seconds = 0;
	ASN1_TIME *at = ASN1_TIME_set(NULL, now);

	if (at == NULL ||
	    ASN1_TIME_diff(&days, &seconds, at, X509_get0_notAfter(x)) != 1)
		days = seconds = -1;
	ASN1_TIME_free(at);
	if (days < 0 || seconds < 0)
		check_say(c, "tls.expiry", false,
		    "put a new certificate in place and send SIGHUP",
		    "the certificate has expired");
	else
		check_say(c, "tls.expiry", true,
		    days < SOON_DAYS
			? "put a new certificate in place and send SIGHUP"
			: NULL,
		    "the certificate is good for %d days", days);
}

/* OpenSSL would ask the terminal. */
static int
no_passphrase(char *b, int n, int writing, void *ctx)
{
	(void)b;
	(void)n;
	(void)writing;
	(void)ctx;
	return -1;
}

static void
pair(struct checking *c, BIO *cert, BIO *key)
{
	X509 *x =
	    cert == NULL ? NULL : PEM_read_bio_X509(cert, NULL, NULL, NULL);
	EVP_PKEY *k = key == NULL
	    ? NULL
	    : PEM_read_bio_PrivateKey(key, NULL, no_passphrase, NULL);

	if (x == NULL || k == NULL)
		check_say(c, "tls.pair", false,
		    "certificate and key are PEM files without a passphrase",
		    "the %s cannot be read", x == NULL ? "certificate" : "key");
	else if (X509_check_private_key(x, k) != 1)
		check_say(c, "tls.pair", false,
		    "put the key of this certificate in place",
		    "the key is not the certificate's");
	else {
		check_say(c, "tls.pair", false, NULL,
		    "certificate and key belong together");
		dates(c, x);
	}
	ERR_clear_error();
	X509_free(x);
	EVP_PKEY_free(k);
}

static err
files(struct checking *c, struct trail *t, int *ret_cert, int *ret_key)
{
	const struct config *f = &c->config;
	struct plan p = {.dir = c->dir};

	p.cert_path = datadir_path(&c->dir, c->a,
	    f->tls_certificate.n > 0 ? f->tls_certificate
				     : STR("tls/cert.pem"));
	p.key_path = datadir_path(&c->dir, c->a,
	    f->tls_key.n > 0 ? f->tls_key : STR("tls/key.pem"));
	TRY(arena_check(c->a));
	return plan_tls(&p, t, ret_cert, ret_key);
}

void
check_tls(struct checking *c)
{
	struct trail t = {{0}};
	struct buf cert = {0}, key = {0};
	BIO *cb, *kb;
	int cfd, kfd;
	err e = files(c, &t, &cfd, &kfd);

	if (!err_ok(e)) {
		check_say(c, "tls.pair", false,
		    "tls.certificate and tls.key in redoubt.conf name them",
		    "%s", t.detail);
		return;
	}
	cb = file_bio(cfd, &cert);
	kb = file_bio(kfd, &key);
	pair(c, cb, kb);
	BIO_free(cb);
	BIO_free(kb);
	buf_done(&cert);
	buf_wipe(&key);
	(void)close(cfd);
	(void)close(kfd);
}
