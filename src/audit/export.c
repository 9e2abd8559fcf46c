#include "audit/edge.h"
#include "audit/verify.h"

#include "base/json.h"
#include "base/text.h"

static void
hash_add(struct buf *b, const struct hash *h)
{
	b64_add(b, str_of((const char *)h->b, HASH_SIZE));
}

void
audit_export_stub(struct buf *b, uint64_t seq, const struct hash *h)
{
	buf_str(b, STR("{\"h\":\""));
	hash_add(b, h);
	buf_str(b, STR("\",\"seq\":"));
	buf_u64(b, seq);
	buf_str(b, STR("}\n"));
}

err
audit_export_hashes(const struct audit_tree *t, uint64_t first, uint64_t seq,
    tile_load load, void *ctx, struct buf *b)
{
	struct tree_reader r = {.t = t, .load = load, .ctx = ctx};
	struct hash h[TILE_WIDTH];
	uint64_t tile, at;
	size_t n = 0;

	if (first == 0 || seq < first || seq > t->peaks.size)
		return err_of(E_INVALID);
	tile = (seq - 1) / TILE_WIDTH;
	at = tile * TILE_WIDTH;
	for (at = at < first - 1 ? first - 1 : at; at < seq; at++)
		TRY(tree_subtree(&r, 0, at, &h[n++]));
	buf_str(b, STR("{\"hashes\":\""));
	b64_add(b, str_of((const char *)h, n * sizeof h[0]));
	buf_str(b, STR("\",\"tile\":"));
	buf_u64(b, tile);
	buf_str(b, STR("}\n"));
	return buf_check(b);
}

err
audit_export_cover(const struct audit_tree *t, uint64_t from, uint64_t to,
    tile_load load, void *ctx, struct arena *a, struct hash_list *ret)
{
	struct tree_reader r = {.t = t, .load = load, .ctx = ctx};

	ret->n = 0;
	ret->h = arena_array(a, (size_t)2 * PROOF_MAX, sizeof *ret->h);
	TRY(arena_check(a));
	while (from < to) {
		unsigned k = subtree_height(from, to);

		TRY(tree_subtree(&r, k, from >> k, &ret->h[ret->n++]));
		from += UINT64_C(1) << k;
	}
	return OK;
}

err
audit_export_tile(const struct audit_tree *t, uint64_t tile, tile_load load,
    void *ctx, struct audit_tile *ret)
{
	struct tree_reader r = {.t = t, .load = load, .ctx = ctx};
	uint64_t at = tile * TILE_WIDTH, end = at + TILE_WIDTH;

	ret->level = 0;
	ret->index = tile;
	if (end > t->peaks.size)
		end = t->peaks.size;
	for (; at < end; at++)
		TRY(tree_subtree(&r, 0, at, &ret->hash[at % TILE_WIDTH]));
	return OK;
}

/* "name":[hashes of the fewest subtrees that cover [from, to)], */
static err
cover_add(struct tree_reader *r, struct arena *a, struct buf *b,
    struct str name, uint64_t from, uint64_t to)
{
	struct hash_list l;

	TRY(audit_export_cover(r->t, from, to, r->load, r->ctx, a, &l));
	buf_str(b, name);
	for (size_t i = 0; i < l.n; i++) {
		buf_str(b, i > 0 ? STR(",\"") : STR("\""));
		hash_add(b, &l.h[i]);
		buf_char(b, '"');
	}
	buf_str(b, STR("],"));
	return OK;
}

/* The roots of the tiles that end in the range. */
static err
tiles_add(struct tree_reader *r, struct buf *b, uint64_t from, uint64_t to)
{
	struct hash h;

	buf_str(b, STR("\"tiles\":["));
	for (uint64_t i = from; i < to; i++) {
		TRY(tree_subtree(r, 8, i, &h));
		buf_str(b, i > from ? STR(",\"") : STR("\""));
		hash_add(b, &h);
		buf_char(b, '"');
	}
	buf_str(b, STR("],"));
	return OK;
}

err
audit_export_trailer(unsigned version, const struct audit_tree *t,
    uint64_t first, uint64_t last, struct str note, uint64_t note_size,
    const struct note_key *key, tile_load load, void *ctx, struct arena *a,
    struct buf *b)
{
	struct tree_reader r = {.t = t, .load = load, .ctx = ctx};
	struct buf text;
	struct jw w;

	if (version == 0 || version > 2 || first == 0 || last < first - 1 ||
	    note_size < last || note_size > t->peaks.size)
		return err_of(E_INVALID);
	buf_init_on(&text, a, (size_t)2 * NOTE_NAME_MAX);
	note_key_text(key, &text);
	TRY(buf_check(&text));
	jw_init(&w, b);
	buf_str(b, STR("{\"checkpoint\":"));
	jw_str(&w, note);
	buf_str(b, STR(",\"first\":"));
	buf_u64(b, first);
	buf_str(b, STR(",\"key\":"));
	jw_str(&w, buf_view(&text));
	buf_str(b, STR(",\"last\":"));
	buf_u64(b, last);
	TRY(cover_add(&r, a, b, STR(",\"left\":["), 0, first - 1));
	TRY(cover_add(&r, a, b, STR("\"right\":["), last, note_size));
	TRY(tiles_add(&r, b, (first - 1) / TILE_WIDTH, last / TILE_WIDTH));
	buf_fmt(b, "\"v\":%u}\n", version);
	return buf_check(b);
}
