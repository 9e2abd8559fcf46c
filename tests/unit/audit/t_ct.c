/* Known answers: the vectors of the Certificate Transparency code. */
#include "audit/tree.h"

#include "base/text.h"
#include "tests/t.h"

static struct hash
from_hex(const char *hex)
{
	struct hash h = {{0}};

	T_OK(hex_decode(str_c(hex), h.b, sizeof h.b));
	return h;
}

static bool
same(struct hash a, struct hash b)
{
	return memcmp(a.b, b.b, sizeof a.b) == 0;
}

/* The inputs and roots the Certificate Transparency code was tested with. */
static const struct {
	const char *leaf, *root;
} ct[] = {
    {"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"2021",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"3031",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {"40414243",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {"5051525354555657",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {"606162636465666768696a6b6c6d6e6f",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

static struct audit_tree *
ct_tree(size_t n)
{
	struct audit_tree *t = NULL;

	T_GOOD(audit_tree_new(&t));
	for (size_t i = 0; t != NULL && i < n; i++) {
		size_t k = strlen(ct[i].leaf) / 2;
		uint8_t raw[16];
		struct hash h;

		T_OK(hex_decode(str_c(ct[i].leaf), raw, k));
		audit_leaf_hash(str_of((const char *)raw, k), &h);
		T_GOOD(audit_tree_append(t, &h, NULL, NULL));
	}
	return t;
}

TEST(ct_roots)
{
	struct audit_tree *t = ct_tree(0);
	struct hash h;

	T_GOOD(audit_tree_root(t, &h));
	T_OK(same(h,
	    from_hex("e3b0c44298fc1c149afbf4c8996fb924"
		     "27ae41e4649b934ca495991b7852b855")));
	t = audit_tree_free(t);
	for (size_t n = 1; n <= 8; n++) {
		t = ct_tree(n);
		T_GOOD(audit_tree_root(t, &h));
		T_OK(same(h, from_hex(ct[n - 1].root)));
		for (size_t m = 1; m <= n; m++) {
			T_GOOD(audit_tree_root_at(t, m, NULL, NULL, &h));
			T_OK(same(h, from_hex(ct[m - 1].root)));
		}
		t = audit_tree_free(t);
	}
}

struct ct_proof {
	uint64_t a, b;
	size_t n;
	const char *h[3];
};

static void
ct_compare(const struct ct_proof *want, const struct hash_list *got)
{
	T_EQ_INT(got->n, want->n);
	for (size_t i = 0; i < want->n && i < got->n; i++)
		T_OK(same(got->h[i], from_hex(want->h[i])));
}

/* Paths and proofs of the same reference; leaf numbers from 0. */
TEST(ct_proofs)
{
	static const struct ct_proof path[] = {
	    {0, 1, 0, {0}},
	    {0, 8, 3,
		{"96a296d224f285c67bee93c30f8a3091"
		 "57f0daa35dc5b87e410b78630a09cfc7",
		    "5f083f0a1a33ca076a95279832580db3"
		    "e0ef4584bdff1f54c8a360f50de3031e",
		    "6b47aaf29ee3c2af9af889bc1fb9254d"
		    "abd31177f16232dd6aab035ca39bf6e4"}},
	    {5, 8, 3,
		{"bc1a0643b12e4d2d7c77918f44e0f4f7"
		 "9a838b6cf9ec5b5c283e1f4d88599e6b",
		    "ca854ea128ed050b41b35ffc1b87b8eb"
		    "2bde461e9e3b5596ece6b9d5975a0ae0",
		    "d37ee418976dd95753c1c73862b9398f"
		    "a2a2cf9b4ff0fdfe8b30cd95209614b7"}},
	    {2, 3, 1,
		{"fac54203e7cc696cf0dfcb42c92a1d9d"
		 "baf70ad9e621f4bd8d98662f00e3c125"}},
	    {1, 5, 3,
		{"6e340b9cffb37a989ca544e6bb780a2c"
		 "78901d3fb33738768511a30617afa01d",
		    "5f083f0a1a33ca076a95279832580db3"
		    "e0ef4584bdff1f54c8a360f50de3031e",
		    "bc1a0643b12e4d2d7c77918f44e0f4f7"
		    "9a838b6cf9ec5b5c283e1f4d88599e6b"}},
	};
	static const struct ct_proof grow[] = {
	    {1, 1, 0, {0}},
	    {1, 8, 3,
		{"96a296d224f285c67bee93c30f8a3091"
		 "57f0daa35dc5b87e410b78630a09cfc7",
		    "5f083f0a1a33ca076a95279832580db3"
		    "e0ef4584bdff1f54c8a360f50de3031e",
		    "6b47aaf29ee3c2af9af889bc1fb9254d"
		    "abd31177f16232dd6aab035ca39bf6e4"}},
	    {6, 8, 3,
		{"0ebc5d3437fbe2db158b9f126a1d118e"
		 "308181031d0a949f8dededebc558ef6a",
		    "ca854ea128ed050b41b35ffc1b87b8eb"
		    "2bde461e9e3b5596ece6b9d5975a0ae0",
		    "d37ee418976dd95753c1c73862b9398f"
		    "a2a2cf9b4ff0fdfe8b30cd95209614b7"}},
	    {2, 5, 2,
		{"5f083f0a1a33ca076a95279832580db3"
		 "e0ef4584bdff1f54c8a360f50de3031e",
		    "bc1a0643b12e4d2d7c77918f44e0f4f7"
		    "9a838b6cf9ec5b5c283e1f4d88599e6b"}},
	};
	struct audit_tree *t = ct_tree(8);
	struct arena a;
	struct hash_list l;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
		T_GOOD(audit_tree_inclusion(t, path[i].a, path[i].b, NULL, NULL,
		    &a, &l));
		ct_compare(&path[i], &l);
	}
	for (size_t i = 0; i < sizeof grow / sizeof grow[0]; i++) {
		T_GOOD(audit_tree_consistency(t, grow[i].a, grow[i].b, NULL,
		    NULL, &a, &l));
		ct_compare(&grow[i], &l);
	}
	arena_done(&a);
	t = audit_tree_free(t);
}

T_MAIN
