#include "audit/sha.h"

#include <openssl/evp.h>

#include "base/mem.h"

struct sha {
	EVP_MD_CTX *c, *end;
};

err
sha_new(struct sha **ret)
{
	struct sha *s = mem_new(1, sizeof *s);

	if (s == NULL)
		return err_of(E_NO_MEMORY);
	s->c = EVP_MD_CTX_new();
	s->end = EVP_MD_CTX_new();
	if (s->c == NULL || s->end == NULL ||
	    EVP_DigestInit_ex(s->c, EVP_sha256(), NULL) != 1) {
		(void)sha_free(s);
		return err_of(E_CRYPTO);
	}
	*ret = s;
	return OK;
}

void
sha_add(struct sha *s, struct str bytes)
{
	BUG_ON(EVP_DigestUpdate(s->c, bytes.p, bytes.n) != 1);
}

void
sha_get(const struct sha *s, uint8_t ret[32])
{
	unsigned n = 0;

	BUG_ON(EVP_MD_CTX_copy_ex(s->end, s->c) != 1 ||
	    EVP_DigestFinal_ex(s->end, ret, &n) != 1 || n != 32);
}

struct sha *
sha_free(struct sha *s)
{
	if (s != NULL) {
		EVP_MD_CTX_free(s->c);
		EVP_MD_CTX_free(s->end);
	}
	mem_free(s);
	return NULL;
}
