#include "audit/edge.h"
#include "audit/leaf.h"

#include <openssl/evp.h>
#include <pthread.h>

enum { LEAF_USUAL = 1024 }; /* bytes; few leaves are longer */

/*
 * One fetched digest for the process and one context for each thread: a
 * fetch by name costs three times the hash itself.  A process that cannot
 * hash cannot keep a log, so failure here is a bug, not an error.
 */
static EVP_MD *sha256;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local EVP_MD_CTX *mine;

static void
context_free(void *ctx)
{
	EVP_MD_CTX_free(ctx);
}

static void
digest_fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	BUG_ON(sha256 == NULL);
	BUG_ON(pthread_key_create(&key, context_free) != 0);
}

static EVP_MD_CTX *
context_new(void)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	BUG_ON(pthread_once(&once, digest_fetch) != 0);
	BUG_ON(c == NULL || EVP_DigestInit_ex2(c, sha256, NULL) != 1);
	return c;
}

static EVP_MD_CTX *
begin(void)
{
	if (__builtin_expect(mine != NULL, 1)) {
		BUG_ON(EVP_DigestInit_ex2(mine, NULL, NULL) != 1);
		return mine;
	}
	mine = context_new();
	BUG_ON(pthread_setspecific(key, mine) != 0);
	return mine;
}

static void
end(EVP_MD_CTX *c, uint8_t ret[HASH_SIZE])
{
	unsigned n = 0;

	BUG_ON(EVP_DigestFinal_ex(c, ret, &n) != 1 || n != HASH_SIZE);
}

static void
more(EVP_MD_CTX *c, const void *p, size_t n)
{
	BUG_ON(n > 0 && EVP_DigestUpdate(c, p, n) != 1);
}

void
audit_sha256(struct str s, struct hash *ret)
{
	EVP_MD_CTX *c = begin();

	more(c, s.p, s.n);
	end(c, ret->b);
}

/* ---- in pieces ---- */

struct audit_hasher *
audit_hasher_new(void)
{
	return (struct audit_hasher *)context_new();
}

void
audit_hasher_add(struct audit_hasher *h, struct str s)
{
	more((EVP_MD_CTX *)h, s.p, s.n);
}

void
audit_hasher_end(struct audit_hasher *h, struct hash *ret)
{
	EVP_MD_CTX *c = (EVP_MD_CTX *)h;

	end(c, ret->b);
	BUG_ON(EVP_DigestInit_ex2(c, NULL, NULL) != 1);
}

struct audit_hasher *
audit_hasher_free(struct audit_hasher *h)
{
	EVP_MD_CTX_free((EVP_MD_CTX *)h);
	return NULL;
}

/* ---- the tree's ---- */

void
audit_leaf_hash(struct str leaf, struct hash *ret)
{
	EVP_MD_CTX *c = begin();
	static _Thread_local uint8_t in[LEAF_USUAL];

	if (leaf.n < sizeof in) { /* in one piece: blocks are not copied */
		in[0] = 0;
		if (leaf.n > 0)
			memcpy(in + 1, leaf.p, leaf.n);
		more(c, in, leaf.n + 1);
	} else {
		more(c, "\0", 1);
		more(c, leaf.p, leaf.n);
	}
	end(c, ret->b);
}

void
audit_node_hash(const struct hash *l, const struct hash *r, struct hash *ret)
{
	uint8_t in[1 + 2 * HASH_SIZE];
	EVP_MD_CTX *c = begin();

	in[0] = 1;
	memcpy(in + 1, l->b, HASH_SIZE);
	memcpy(in + 1 + HASH_SIZE, r->b, HASH_SIZE);
	more(c, in, sizeof in);
	end(c, ret->b);
}

void
audit_empty_hash(struct hash *ret)
{
	end(begin(), ret->b);
}

void
audit_commit(const uint8_t salt[32], struct str name, struct str value,
    uint8_t ret[COMMITMENT_SIZE])
{
	uint8_t head[1 + 32 + 2], len[4];
	EVP_MD_CTX *c = begin();

	BUG_ON(name.n > UINT16_MAX || value.n > UINT32_MAX);
	head[0] = 2;
	memcpy(head + 1, salt, 32);
	head[33] = (uint8_t)(name.n >> 8);
	head[34] = (uint8_t)name.n;
	for (unsigned i = 0; i < 4; i++)
		len[i] = (uint8_t)(value.n >> (24 - 8 * i));
	more(c, head, sizeof head);
	more(c, name.p, name.n);
	more(c, len, sizeof len);
	more(c, value.p, value.n);
	end(c, ret);
}
