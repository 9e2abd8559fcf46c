/* Tiles by their names, and what is in them: all of it and a part. */
#include "audit/edge.h"
#include "audit/tile_path.h"
#include "tests/unit/audit/log.h"

static bool
parsed(const char *s, uint64_t index, unsigned width)
{
	struct tile_path t;
	char text[80];
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};

	if (!tile_path_parse(str_c(s), &t) || t.index != index ||
	    t.width != width)
		return false;
	tile_path_text(&t, &b);
	return str_is(buf_view(&b), s);
}

TEST(names)
{
	T_OK(parsed("000", 0, 256));
	T_OK(parsed("067", 67, 256));
	T_OK(parsed("x001/000", 1000, 256));
	T_OK(parsed("x001/x234/067", 1234067, 256));
	T_OK(parsed("x001/x234/067.p/1", 1234067, 1));
	T_OK(parsed("999.p/255", 999, 255));
	T_OK(parsed("x999/x999/x999/x999/x999/999", 999999999999999999, 256));
}

TEST(one_name_each)
{
	static const char *const bad[] = {"", "0", "00", "0000", "x000",
	    "x000/000", "x000/001", "001/002", "x001", "x001/", "x001/x002",
	    "/001", "001/", "001.p", "001.p/", "001.p/0", "001.p/01",
	    "001.p/256", "001.p/-1", "001.p/+1", "001.p/1/", "001.q/1",
	    "x001/x000/00", "X001/000", "x1/000", "-01", " 01", "x001//000",
	    "..", "0x1", "x001/x001/x001/x001/x001/x001/001", "001.p/1.p/1",
	    "001.p/99999"};
	struct tile_path t;
	unsigned level;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (tile_path_parse(str_c(bad[i]), &t))
			T_FAIL("taken: %s", bad[i]);
	T_OK(tile_level_parse(STR("0"), &level) && level == 0);
	T_OK(tile_level_parse(STR("63"), &level) && level == 63);
	T_OK(!tile_level_parse(STR("64"), &level));
	T_OK(!tile_level_parse(STR("00"), &level));
	T_OK(!tile_level_parse(STR(""), &level));
	T_OK(!tile_level_parse(STR("data"), &level));
}

/* What the definition says: hash i of the tile is the root of its leaves. */
static bool
is_tile(struct log *l, uint64_t size, unsigned level, uint64_t index,
    unsigned width)
{
	struct hash got[TILE_WIDTH];
	uint64_t span = UINT64_C(1) << (8 * level);

	if (!err_ok(audit_tree_tile(l->tree, size, level, index, width,
		log_tile_get, l, got)))
		return false;
	for (unsigned i = 0; i < width; i++) {
		uint64_t from = (index * TILE_WIDTH + i) * span;
		struct peaks p = {.size = 0};
		struct hash h;

		for (uint64_t n = 0; n < span; n++) {
			audit_leaf_hash(l->leaf[from + n], &h);
			T_GOOD(peaks_add(&p, 0, &h));
		}
		peaks_root(&p, &h);
		if (!hash_eq(&h, &got[i]))
			return false;
	}
	return true;
}

static enum err_code
refused(struct log *l, uint64_t size, unsigned level, uint64_t index,
    unsigned width)
{
	struct hash got[TILE_WIDTH];

	return audit_tree_tile(l->tree, size, level, index, width, log_tile_get,
	    l, got)
	    .code;
}

TEST(tiles)
{
	struct log *l = log_new(70000);

	T_OK(is_tile(l, 70000, 0, 0, 256));
	T_OK(is_tile(l, 70000, 0, 0, 3));
	T_OK(is_tile(l, 70000, 0, 273, 112)); /* at the edge */
	T_OK(is_tile(l, 70000, 0, 273, 1));
	T_OK(is_tile(l, 69999, 0, 273, 111)); /* of an older checkpoint */
	T_OK(is_tile(l, 70000, 1, 0, 256));
	T_OK(is_tile(l, 70000, 1, 1, 17));
	T_OK(is_tile(l, 70000, 2, 0, 1));
	/* what a checkpoint of that size does not cover is not there */
	T_EQ_INT(refused(l, 69999, 0, 273, 112), E_NOT_FOUND);
	T_EQ_INT(refused(l, 70000, 0, 273, 113), E_NOT_FOUND);
	T_EQ_INT(refused(l, 70000, 0, 273, 256), E_NOT_FOUND);
	T_EQ_INT(refused(l, 70000, 0, 274, 1), E_NOT_FOUND);
	T_EQ_INT(refused(l, 70000, 1, 1, 18), E_NOT_FOUND);
	T_EQ_INT(refused(l, 70000, 2, 0, 2), E_NOT_FOUND);
	T_EQ_INT(refused(l, 70000, 3, 0, 1), E_NOT_FOUND);
	T_EQ_INT(refused(l, 70000, 63, 0, 1), E_NOT_FOUND);
	T_EQ_INT(refused(l, 70000, 0, UINT64_MAX / 256, 1), E_NOT_FOUND);
	T_EQ_INT(refused(l, 0, 0, 0, 1), E_NOT_FOUND);
	T_EQ_INT(refused(l, 70001, 0, 0, 1), E_INVALID);
	T_EQ_INT(refused(l, 70000, 0, 0, 0), E_INVALID);
	T_EQ_INT(refused(l, 70000, 0, 0, 257), E_INVALID);
	(void)log_free(l);
}

T_MAIN
