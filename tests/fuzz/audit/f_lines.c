/* A line of an export from anywhere, its format first: it is a leaf's, or a
 * manifest's, or nothing. */
#include "audit/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
entry(struct arena *a, enum export_format f, struct str line)
{
	struct hash listed, h;
	struct str leaf, again;
	uint64_t seq, seq2;
	struct buf b;

	if (!export_line_read(a, f, line, &leaf, &listed, &seq))
		return;
	audit_leaf_hash(leaf, &h);
	buf_init_on(&b, a, 1 << 20);
	if (!err_ok(export_line(a, f, leaf, &h, &b)))
		return;
	/* what is written is read, to the same leaf */
	BUG_ON(!export_line_read(a, f,
	    str_head(buf_view(&b), b.n - export_line_end(f).n), &again, &listed,
	    &seq2));
	BUG_ON(!str_eq(again, leaf) || seq != seq2);
	BUG_ON(memcmp(&h, &listed, sizeof h) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str line, json;
	enum export_format f;
	struct manifest m;
	struct arena a;

	if (size == 0)
		return 0;
	f = (enum export_format)(data[0] % EXPORT_FORMATS);
	line = str_of((const char *)data + 1, size - 1);
	arena_init(&a, 64 << 20);
	entry(&a, f, line);
	if (export_text_read(&a, f, line, &json) &&
	    err_ok(manifest_open(&a, json, NULL, &m)))
		BUG_ON(m.first == 0 || m.blocks > MANIFEST_BLOCKS);
	if (err_ok(manifest_open(&a, line, NULL, &m)))
		BUG_ON(m.last + 1 < m.first);
	arena_done(&a);
	return 0;
}
