#include "audit/growth.h"

#include "base/text.h"

enum { LINE_ARENA = 4096, HASH_TEXT = 44 };

static bool
hash_read(struct str line, struct hash *ret)
{
	struct arena a;
	struct str raw;
	bool ok;

	if (line.n != HASH_TEXT)
		return false;
	arena_init(&a, LINE_ARENA);
	ok = b64_decode(&a, line, &raw) && raw.n == HASH_SIZE;
	if (ok)
		memcpy(ret->b, raw.p, HASH_SIZE);
	arena_done(&a);
	return ok;
}

err
growth_parse(struct str text, struct growth *ret)
{
	struct growth g = {.n = 0};
	struct str line;

	if (!str_cut(text, '\n', &line, &text) ||
	    !str_starts(line, STR("old ")) ||
	    !str_u64(str_skip(line, 4), 0, TREE_SIZE_MAX, &g.old))
		return err_of(E_CORRUPT);
	for (;;) {
		if (!str_cut(text, '\n', &line, &text))
			return err_of(E_CORRUPT);
		if (line.n == 0)
			break;
		if (g.n == PROOF_MAX || !hash_read(line, &g.proof[g.n]))
			return err_of(E_CORRUPT);
		g.n++;
	}
	g.note = text;
	*ret = g;
	return OK;
}
