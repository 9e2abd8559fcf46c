/* Tokens, tokens in addresses, address blocks, the Authorization header. */
#include "auth/actor.h"
#include "auth/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
tokens(struct str in)
{
	struct str found, key_id, secret;
	char kind;

	if (token_find(in, &found)) {
		BUG_ON(!token_parse(found, &kind, &key_id, &secret));
		BUG_ON(found.p < in.p ||
		    (size_t)(found.p - in.p) > in.n - found.n);
	}
	if (token_parse(in, &kind, &key_id, &secret)) {
		BUG_ON(!token_find(in, &found) || !str_eq(found, in));
		BUG_ON(key_id.p != in.p + 4 || secret.p != in.p + 14);
	}
}

/* in: a block, a newline, an address. */
static void
blocks(struct str in)
{
	struct str block, address;

	str_cut(in, '\n', &block, &address);
	if (cidr_match(&block, 1, address)) {
		BUG_ON(!cidr_valid(block));
		BUG_ON(
		    !cidr_match(&address, 1, address) && cidr_valid(address));
	}
	if (!cidr_valid(block))
		BUG_ON(cidr_match(&block, 1, address));
}

/* No key: the MAC refuses, so nothing may ever be let in. */
static void
header(struct str in, struct world *w)
{
	struct auth_input input = {.world = w, .now = 1, .authorization = in};
	const struct actor *who = NULL;
	struct uuid id = {{0}};
	struct str found;
	struct hook_proof proof;
	enum auth_reason why;
	struct arena a;

	if (token_find(in, &found))
		return; /* a checksum that is right would ask for the key */
	arena_init(&a, 65536);
	BUG_ON(!err_is(auth_api(&a, &input, &why, &who), E_UNAUTHENTICATED));
	/* AUTH_JWT: there is no issuer, whatever it says */
	BUG_ON(why != AUTH_MISSING && why != AUTH_MALFORMED && why != AUTH_JWT);
	BUG_ON(!err_is(auth_ingest(&a, &input, &id, NULL, &proof, &why, &who),
	    E_UNAUTHENTICATED));
	BUG_ON(who != NULL);
	arena_done(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct world *w;
	struct str in = str_of((const char *)data, n);

	if (w == NULL) {
		struct world_builder *b;

		if (!err_ok(world_builder_new(&b)) ||
		    !err_ok(world_builder_done(b, &w)))
			return 0;
	}
	tokens(in);
	blocks(in);
	header(in, w);
	return 0;
}
