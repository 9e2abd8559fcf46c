/* What is taken as the name of a tile is its only name. */
#include "audit/tile_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_of((const char *)data, size);
	struct tile_path t;
	struct buf b;
	unsigned level;

	if (tile_level_parse(s, &level))
		BUG_ON(level > 63 || size > 2);
	if (!tile_path_parse(s, &t))
		return 0;
	BUG_ON(t.width == 0 || t.width > TILE_WIDTH);
	buf_init(&b, 256);
	tile_path_text(&t, &b);
	BUG_ON(!str_eq(buf_view(&b), s));
	buf_done(&b);
	return 0;
}
