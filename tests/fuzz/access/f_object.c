/* What decodes encodes, decodes again and encodes to the same text; it fits
 * a world, or the world says why not. The first byte is the kind. */
#include "access/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
into_world(const struct object *o)
{
	struct world_builder *b;
	struct world *w;

	if (!err_ok(world_builder_new(&b)))
		return;
	if (!err_ok(world_builder_put(b, o))) {
		world_builder_free(b);
		return;
	}
	if (err_ok(world_builder_done(b, &w)))
		world_unref(w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct object *one = NULL, *two = NULL;
	struct object head = {.version = 1};
	struct buf b, c;
	struct arena a;

	if (n == 0)
		return 0;
	head.kind = (enum object_kind)(data[0] % 10);
	head.project = data[0] / 10;
	arena_init(&a, 32 << 20);
	if (err_ok(object_decode(&a, &head,
		str_of((const char *)data + 1, n - 1), &one))) {
		buf_init_on(&b, &a, 8 << 20);
		buf_init_on(&c, &a, 8 << 20);
		object_encode(&b, one);
		BUG_ON(!err_ok(buf_check(&b)));
		BUG_ON(!err_ok(object_decode(&a, &head, buf_view(&b), &two)));
		object_encode(&c, two);
		BUG_ON(!str_eq(buf_view(&b), buf_view(&c)));
		into_world(one);
	}
	arena_done(&a);
	return 0;
}
