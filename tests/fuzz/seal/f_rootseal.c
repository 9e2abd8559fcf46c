/* A sealed root key file, or a share, from anywhere: what parses is written
 * as it was read. */
#include "seal/rootseal.h"
#include "seal/share.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
share(struct str in)
{
	struct trail t = {{0}};
	char text[SHARE_TEXT];
	struct share s, back;

	if (!err_ok(share_read(in, &t, &s)))
		return;
	share_write(&s, text);
	BUG_ON(!err_ok(share_read(str_c(text), &t, &back)));
	BUG_ON(memcmp(&s, &back, sizeof s) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size), v;
	struct trail t = {{0}};
	struct root_sealed r;
	struct arena a;
	struct buf b;

	share(in);
	arena_init(&a, 1 << 20);
	if (err_ok(root_sealed_parse(&a, in, &t, &r))) {
		BUG_ON(!root_is_sealed(in) || r.n == 0 || r.n > UNLOCKERS_MAX);
		for (size_t i = 0; i < r.n; i++)
			for (size_t w = 0; w < UNLOCKER_WORDS; w++)
				(void)unlocker_word(&a, &r.unlocker[i], w, &v);
		buf_init(&b, (size_t)2 * ROOT_SEALED_MAX);
		root_sealed_write(&r, &b);
		/* the id may have been in capitals, the last line feed away */
		BUG_ON(b.n != in.n && b.n != in.n + 1);
		buf_done(&b);
	}
	arena_done(&a);
	return 0;
}
