/* What is read as a leaf is written again to the same bytes. */
#include "audit/leaf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str leaf = str_of((const char *)data, size);
	struct audit_entry e;
	struct arena a;
	struct buf b;

	arena_init(&a, 1 << 20);
	buf_init(&b, 1 << 17);
	if (err_ok(audit_leaf_read(&a, leaf, &e))) {
		BUG_ON(!err_ok(audit_leaf_write(&b, &e)));
		BUG_ON(!str_eq(buf_view(&b), leaf));
	}
	buf_done(&b);
	arena_done(&a);
	return 0;
}
