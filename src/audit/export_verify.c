#include "audit/epoch.h"
#include "audit/export_read.h"

#include "base/json.h"
#include "base/text.h"

#include <inttypes.h>

enum { TRAILER_MEMBERS = 8, TRAILER_ARENA = 64 * 1024 * 1024 };

static const char unchecked[] =
    "the key was taken from the export: whose it is was not checked";

/* The last line, read. */
struct trailer {
	struct str line; /* with its end */
	struct str note, key;
	uint64_t first, last, version;
	const struct json *left, *right, *tiles;
	struct checkpoint cp;
};

/*
 * `high` has the whole tiles before the one at hand, `low` the part of that
 * tile that came already; `start` is `low` before its first entry came,
 * which is not empty when the export begins inside a tile.
 */
struct run {
	struct arena *a;   /* the trailer lives here */
	struct arena line; /* what one line needs */
	struct trailer *t; /* &own; NULL: the export has none */
	struct trailer own;
	const struct json *tile; /* root listed for the tile at hand */
	struct feed feed;
	struct peaks high, low, start;
	struct hash h[TILE_WIDTH]; /* of the entries of the tile at hand */
	size_t n;
	uint64_t bad_first, bad_last; /* first suspects; 0: none */
	struct export_end end;
	struct str known;    /* the name that is trusted, when it is another */
	struct buf again;    /* the list that is expected */
	struct marks *marks; /* NULL: no manifest that could be compared */
	struct audit_verdict v;
};

static bool
hash_parse(struct arena *a, struct str text, struct hash *ret)
{
	struct str h;

	if (!b64_decode(a, text, &h) || h.n != HASH_SIZE)
		return false;
	memcpy(ret->b, h.p, HASH_SIZE);
	return true;
}

static bool
json_hash(struct run *r, const struct json *j, struct hash *ret)
{
	struct str text;

	return json_str(j, &text) && hash_parse(&r->line, text, ret);
}

static bool
uint_of(const struct json *obj, struct str name, uint64_t *ret)
{
	int64_t v;

	if (!json_i64(json_get(obj, name), 0, (INT64_C(1) << 53) - 1, &v))
		return false;
	*ret = (uint64_t)v;
	return true;
}

static const struct json *
array_of(const struct json *obj, struct str name)
{
	const struct json *j = json_get(obj, name);

	return j != NULL && j->kind == JSON_ARRAY ? j : NULL;
}

static bool
trailer_parse(struct arena *a, struct str line, struct trailer *t)
{
	static const struct json_limits lim = {2, TRAILER_MEMBERS, 1U << 20};
	const struct json *j;
	struct trail trail = {""};

	if (!err_ok(json_parse(a, line, &lim, &trail, &j)) ||
	    j->kind != JSON_OBJECT || j->count != TRAILER_MEMBERS)
		return false;
	t->left = array_of(j, STR("left"));
	t->right = array_of(j, STR("right"));
	t->tiles = array_of(j, STR("tiles"));
	return t->left != NULL && t->right != NULL && t->tiles != NULL &&
	    json_str(json_get(j, STR("checkpoint")), &t->note) &&
	    json_str(json_get(j, STR("key")), &t->key) &&
	    uint_of(j, STR("first"), &t->first) &&
	    uint_of(j, STR("last"), &t->last) &&
	    uint_of(j, STR("v"), &t->version) && t->version > 0 &&
	    t->version <= 2 && t->first > 0 && t->last >= t->first - 1;
}

/*
 * Add the listed subtrees that cover [from, to) to p, as long as they are
 * not lower than `least`; *from and *list tell where it stopped.
 */
static bool
cover_take(struct run *r, struct peaks *p, uint64_t *from, uint64_t to,
    unsigned least, const struct json **list)
{
	struct hash h;

	while (*from < to) {
		unsigned k = subtree_height(*from, to);

		if (k < least)
			return true;
		if (!json_hash(r, *list, &h) || !err_ok(peaks_add(p, k, &h)))
			return false;
		*list = (*list)->next;
		*from += UINT64_C(1) << k;
	}
	return true;
}

/* Everything before the first entry: whole tiles, then part of one. */
static bool
left_take(struct run *r)
{
	const struct json *list = json_first(r->t->left);
	uint64_t from = 0, to = r->t->first - 1;

	r->high.size = r->low.size = 0;
	if (!cover_take(r, &r->high, &from, to, 8, &list) ||
	    !cover_take(r, &r->low, &from, to, 0, &list))
		return false;
	r->start = r->low;
	return list == NULL;
}

/* The tile at hand, then everything behind the last entry. */
static bool
right_take(struct run *r, struct hash *ret_root)
{
	const struct json *list = json_first(r->t->right);
	uint64_t from = r->t->last;

	for (unsigned i = 8; i-- > 0;)
		if ((r->low.size >> i & 1) != 0 &&
		    !err_ok(peaks_add(&r->high, i, &r->low.h[i])))
			return false;
	if (!cover_take(r, &r->high, &from, r->t->cp.size, 0, &list))
		return false;
	peaks_root(&r->high, ret_root);
	return list == NULL;
}

/* The number of the entry the next line should be about. */
static uint64_t
here(const struct run *r)
{
	return r->feed.next == 0 ? 1 : r->feed.next;
}

static void
suspect(struct run *r, uint64_t first, uint64_t last)
{
	if (r->bad_first != 0)
		return;
	r->bad_first = first;
	r->bad_last = last;
}

/* Would these hashes give that root for the tile at hand? */
static bool
gives(const struct run *r, const struct hash *h, const struct hash *root)
{
	struct peaks p = r->start;

	for (size_t i = 0; i < r->n; i++)
		if (!err_ok(peaks_add(&p, 0, &h[i])))
			return false;
	return p.size == TILE_WIDTH && hash_eq(&p.h[8], root);
}

/*
 * The tile is full: does it have the root the trailer lists?  If not, and
 * the stored hashes do, they name the entry; otherwise it is one of the tile.
 */
static err
tile_end(struct run *r, const struct hash *stored, size_t differs)
{
	uint64_t first = r->feed.next - r->n, last = r->feed.next - 1;
	struct hash want;

	TRY(peaks_add(&r->high, 8, &r->low.h[8]));
	if (r->t == NULL) {
		if (differs < r->n)
			suspect(r, first + differs, first + differs);
		return OK;
	}
	if (!json_hash(r, r->tile, &want))
		return finding(&r->v, first,
		    "the trailer has no root for the tile of entry %" PRIu64,
		    first);
	r->tile = r->tile->next;
	if (differs < r->n &&
	    (hash_eq(&want, &r->low.h[8]) || gives(r, stored, &want)))
		suspect(r, first + differs, first + differs);
	else if (!hash_eq(&want, &r->low.h[8]))
		suspect(r, first, last);
	return OK;
}

static bool
list_due(const struct run *r)
{
	return r->low.size == TILE_WIDTH || r->t == NULL ||
	    r->feed.next - 1 == r->t->last;
}

/* Is this the list of the hashes at hand?  It mostly is, and writing it is
 * cheaper than reading it. */
static bool
listed(struct run *r, struct str text)
{
	buf_clear(&r->again);
	b64_add(&r->again, str_of((const char *)r->h, r->n * sizeof r->h[0]));
	return str_eq(buf_view(&r->again), text);
}

static err
list_line(struct run *r, struct str line)
{
	uint64_t first = here(r) - r->n, tile;
	struct hash stored[TILE_WIDTH];
	struct str text, h;
	size_t i = 0;
	bool right;

	if (!list_due(r))
		return finding(&r->v, here(r),
		    "entry %" PRIu64
		    " is missing: a list of hashes stands in its place",
		    here(r));
	if (!str_cut(str_skip(line, STR("{\"hashes\":\"").n), '"', &text,
		&line) ||
	    !str_starts(line, STR(",\"tile\":")) || !str_ends(line, STR("}")) ||
	    !str_u64(str_head(str_skip(line, 8), line.n - 9), 0, TREE_SIZE_MAX,
		&tile) ||
	    r->n == 0 || tile != (first - 1) / TILE_WIDTH)
		return finding(&r->v, first,
		    "the list of hashes behind entry %" PRIu64
		    " is not the one of its tile",
		    here(r) - 1);
	right = listed(r, text);
	if (!right &&
	    (!b64_decode(&r->line, text, &h) || h.n != r->n * HASH_SIZE))
		return finding(&r->v, first,
		    "the list of hashes behind entry %" PRIu64
		    " is not the one of its tile",
		    here(r) - 1);
	memcpy(stored, right ? (char *)r->h : h.p, r->n * HASH_SIZE);
	while (i < r->n && hash_eq(&stored[i], &r->h[i]))
		i++;
	if (r->low.size == TILE_WIDTH) {
		TRY(tile_end(r, stored, i));
		r->low.size = r->start.size = 0;
	} else if (i < r->n) {
		suspect(r, first + i, first + i);
	}
	r->n = 0;
	return OK;
}

static err
stub_line(struct run *r, struct str line, struct hash *ret)
{
	const size_t at = STR("{\"h\":\"").n, text = 44;
	uint64_t seq;

	/* {"h":"44 characters","seq":n} */
	if (line.n < at + text + 9 ||
	    !hash_parse(&r->line, str_head(str_skip(line, at), text), ret) ||
	    !str_starts(str_skip(line, at + text), STR("\",\"seq\":")) ||
	    !str_ends(line, STR("}")) ||
	    !str_u64(str_head(str_skip(line, at + text + 8),
			 line.n - (at + text + 9)),
		1, TREE_SIZE_MAX, &seq))
		return finding(&r->v, here(r),
		    "entry %" PRIu64 " is a malformed stub", here(r));
	TRY(feed_seq(&r->feed, seq, &r->v));
	r->v.hidden++;
	return OK;
}

static err
entry_line(struct run *r, struct str line)
{
	struct hash h;

	if (r->low.size == TILE_WIDTH)
		return finding(&r->v, r->feed.next - r->n,
		    "the list of hashes behind entry %" PRIu64 " is missing",
		    r->feed.next - 1);
	if (r->t != NULL && r->feed.next > r->t->last)
		return finding(&r->v, r->feed.next,
		    "entry %" PRIu64 " is beyond the range of the trailer",
		    r->feed.next);
	if (str_starts(line, STR("{\"h\":\"")))
		TRY(stub_line(r, line, &h));
	else
		TRY(feed_leaf(&r->feed, line, &h, &r->v));
	/* Without a trailer nobody says what stood before the first entry. */
	if (r->t == NULL && r->v.entries + r->v.hidden == 1)
		r->low.size = (r->feed.next - 2) % TILE_WIDTH;
	if (r->marks != NULL)
		marks_entry(r->marks, r->feed.next - 1, &h,
		    !str_starts(line, STR("{\"h\":\"")));
	r->h[r->n++] = h;
	return peaks_add(&r->low, 0, &h);
}

static err
lines_read(struct run *r, struct str file)
{
	struct str line;

	while (file.n > 0 && str_cut(file, '\n', &line, &file)) {
		if (str_starts(line, STR("{\"hashes\":\"")))
			TRY(list_line(r, line));
		else
			TRY(entry_line(r, line));
		arena_reset(&r->line);
	}
	return OK;
}

/* The same key under the name of another epoch: then an entry has to lead
 * there from the name that is known. */
static bool
epoch_of(struct run *r, const struct note_key *known,
    const struct note_key *own)
{
	struct epoch a, b;

	if (strcmp(known->name, own->name) == 0 ||
	    memcmp(known->pub, own->pub, sizeof own->pub) != 0 ||
	    !epoch_parse(str_c(known->name), &a) ||
	    !epoch_parse(str_c(own->name), &b) || !str_eq(a.log, b.log))
		return false;
	r->known = str_c(known->name);
	return true;
}

static err
trailer_open(struct run *r, const struct note_key *key)
{
	struct trailer *t = r->t;
	struct note_key own;
	err e;

	if (!err_ok(note_key_parse(t->key, &own)))
		return finding(&r->v, t->first,
		    "the key in the trailer is malformed");
	if (key == NULL || epoch_of(r, key, &own))
		key = &own;
	e = checkpoint_open(t->note, key, &t->cp);
	if (err_is(e, E_CORRUPT))
		return finding(&r->v, t->first,
		    "the checkpoint in the trailer is malformed");
	if (err_is(e, E_BAD_ANSWER))
		return finding(&r->v, t->first,
		    "the checkpoint in the trailer is not signed by %.80s",
		    key->name);
	TRY(e);
	r->v.signed_size = t->cp.size;
	if (t->cp.size < t->last)
		return finding(&r->v, t->cp.size + 1,
		    "entry %" PRIu64 " is beyond the signed checkpoint",
		    t->cp.size + 1);
	if (!left_take(r))
		return finding(&r->v, t->first,
		    "the trailer does not prove what is before entry %" PRIu64,
		    t->first);
	return OK;
}

static err
untold(struct run *r, bool malformed)
{
	if (r->bad_first != 0)
		return finding_range(&r->v, r->bad_first, r->bad_last,
		    "was changed, and the trailer is missing");
	if (malformed)
		return finding(&r->v, r->v.first,
		    "the trailer is malformed: nothing vouches for the "
		    "entries");
	return finding(&r->v, here(r),
	    "the export is cut off behind entry %" PRIu64, here(r) - 1);
}

static err
root_compare(struct run *r)
{
	const struct trailer *t = r->t;
	struct hash root;

	if (r->feed.next - 1 < t->last)
		return finding(&r->v, r->feed.next,
		    "the entries %" PRIu64 " to %" PRIu64 " are missing",
		    r->feed.next, t->last);
	if (r->n > 0)
		return finding(&r->v, r->feed.next - r->n,
		    "the list of hashes behind entry %" PRIu64 " is missing",
		    r->feed.next - 1);
	if (r->tile != NULL || !right_take(r, &root))
		return finding(&r->v, t->first,
		    "the trailer does not prove what is behind entry %" PRIu64,
		    t->last);
	if (hash_eq(&root, &t->cp.root) && r->bad_first == 0)
		return OK;
	if (hash_eq(&root, &t->cp.root))
		return finding_range(&r->v, r->bad_first, r->bad_last,
		    "is as signed, but the hash listed for it was changed");
	if (r->bad_first != 0)
		return finding_range(&r->v, r->bad_first, r->bad_last,
		    "was changed: the signed root differs");
	return finding_range(&r->v, t->first,
	    t->last < t->first ? t->first : t->last,
	    "or the proof was changed: the signed root differs");
}

/* The trailer's line; *file keeps what is before it. */
static struct str
trailer_line(struct str *file)
{
	struct str rest = *file, line;

	if (!export_last_line(&rest, &line) ||
	    !str_starts(line, STR("{\"checkpoint\":")))
		return STR_NONE;
	*file = rest;
	return line;
}

/* The entries are as signed: is the file as it was made, too? */
static err
manifest_compare(struct run *r, struct str body)
{
	const struct manifest *m = &r->end.m;
	const struct trailer *t = r->t;
	struct hash trailer;

	if (t->version == 1 && !r->end.there)
		return OK;
	if (t->version == 1 || !r->end.there)
		return finding(&r->v, t->first,
		    "the trailer and the manifest are not of one export");
	TRY(export_end_check(&r->end, &r->v, t->first));
	audit_sha256(t->line, &trailer);
	if (m->format != EXPORT_NDJSON || m->first != t->first ||
	    m->last != t->last || m->bytes != body.n ||
	    !str_eq(m->note, t->note) || !str_eq(m->key, t->key) ||
	    !hash_eq(&m->trailer, &trailer))
		return finding(&r->v, t->first,
		    "the trailer is not the one the manifest was made for");
	return export_blocks_check(r->marks, m, &r->v,
	    "was hidden or shown after it was exported");
}

static err
export_run(struct run *r, struct str file, const struct note_key *key)
{
	struct str body, line;
	struct trailer *t = &r->own;

	r->v.first = 1;
	TRY(export_end_cut(r->a, EXPORT_NDJSON, &file, key, &r->end));
	body = file;
	line = trailer_line(&file);
	if (line.n > 0 && trailer_parse(r->a, str_head(line, line.n - 1), t)) {
		t->line = line;
		r->t = t;
		r->v.first = t->first;
		r->v.last = t->first - 1;
		r->tile = json_first(t->tiles);
		TRY(trailer_open(r, key));
	}
	TRY(arena_check(r->a));
	feed_init(&r->feed, r->t == NULL ? 0 : t->first);
	r->feed.known = r->known;
	if (r->t != NULL && export_end_good(&r->end) &&
	    r->end.m.first == t->first && r->end.m.last == t->last)
		TRY(marks_new(t->first, t->last, &r->marks));
	TRY(lines_read(r, file));
	if (r->t == NULL)
		return untold(r, line.n > 0);
	TRY(root_compare(r));
	TRY(feed_origin(&r->feed, str_c(t->cp.origin), &r->v));
	return manifest_compare(r, body);
}

static err
ndjson_verify(struct str file, const struct note_key *key,
    struct audit_verdict *v)
{
	struct arena a;
	struct run r = {.a = &a};
	err e;

	arena_init(&a, TRAILER_ARENA);
	arena_init(&r.line, TRAILER_ARENA);
	buf_init(&r.again, (size_t)2 * TILE_WIDTH * HASH_SIZE);
	e = export_run(&r, file, key);
	buf_done(&r.again);
	r.marks = marks_free(r.marks);
	arena_done(&r.line);
	arena_done(&a);
	*v = r.v;
	return e;
}

err
audit_verify_export(struct str file, const struct note_key *key,
    struct audit_verdict *v)
{
	enum export_format f = export_format_guess(file);
	err e = f == EXPORT_NDJSON ? ndjson_verify(file, key, v)
				   : lines_verify(f, file, key, v);

	v->format = f;
	if (err_ok(e) && key == NULL)
		memcpy(v->what, unchecked, sizeof unchecked);
	return e;
}
