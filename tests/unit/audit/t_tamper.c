/*
 * L19: whatever is done to a log or to an export behind the server's back is
 * found and its first bad entry named.  Each row of the two tables is one
 * manipulation and the finding it must give.
 */
#include "tests/unit/audit/sheet.h"

enum { N = LOG_N, NOTES = 3 };
static const uint64_t note_at[NOTES] = {300, 600, 690};

/* ---- a store: rows, tiles and checkpoints, each free to be changed ---- */

struct store {
	struct str leaf[N + 8];
	size_t n;
	struct audit_tile tile[4];
	size_t tiles;
	struct buf note[NOTES + 1];
	uint64_t note_size[NOTES + 1];
	size_t notes;
	struct buf kept; /* what the keeper signed last; read at the end */
	uint64_t kept_size;
	struct buf made; /* leaves made by the manipulation */
};

static void
store_fill(struct store *s)
{
	*s = (struct store){
	    .n = honest->n,
	    .tiles = honest->tiles,
	    .kept_size = note_at[NOTES - 1],
	};
	memcpy(s->leaf, honest->leaf, honest->n * sizeof s->leaf[0]);
	memcpy(s->tile, honest->tile, honest->tiles * sizeof s->tile[0]);
	for (size_t i = 0; i < NOTES; i++) {
		buf_init(&s->note[i], NOTE_MAX);
		s->note_size[i] = note_at[i];
		log_note(honest, note_at[i], &s->note[i]);
	}
	s->notes = NOTES;
	buf_init(&s->note[NOTES], NOTE_MAX);
	buf_init(&s->kept, NOTE_MAX);
	buf_init(&s->made, 1 << 20);
	buf_room(&s->made, 1 << 20);
}

static void
store_done(struct store *s)
{
	for (size_t i = 0; i <= NOTES; i++)
		buf_done(&s->note[i]);
	buf_done(&s->kept);
	buf_done(&s->made);
}

/* What `audit verify --data` does: leaves, the tiles they fill, notes. */
static err
store_verify(const struct store *s, struct audit_verdict *v)
{
	struct audit_check *c = NULL;
	size_t note = 0, tile = 0;
	err e;

	T_GOOD(audit_check_new(&c));
	e = OK;
	for (size_t i = 0; i < s->n && err_ok(e); i++) {
		e = audit_check_leaf(c, s->leaf[i], v);
		if (err_ok(e) && (i + 1) % TILE_WIDTH == 0 && tile < s->tiles)
			e = audit_check_tile(c, &s->tile[tile++], v);
		if ((i + 1) % TILE_WIDTH != 0 && i + 1 != s->n)
			continue;
		for (; err_ok(e) && note < s->notes &&
		     s->note_size[note] <= i + 1;
		     note++)
			e = audit_check_note(c, s->note_size[note],
			    buf_view(&s->note[note]), &honest->key, v);
	}
	if (err_ok(e) && s->kept.n > 0)
		e = audit_check_note(c, s->kept_size, buf_view(&s->kept),
		    &honest->key, v);
	if (err_ok(e))
		e = audit_check_end(c, v);
	c = audit_check_free(c);
	return e;
}

/* Append a leaf like entry seq, but another one. */
static struct str
forged(struct store *s, uint64_t seq)
{
	size_t at = s->made.n;

	log_leaf(&s->made, seq, 99);
	return str_of(s->made.p + at, s->made.n - at);
}

static struct str
edited(struct store *s, struct str leaf, const char *from, const char *to)
{
	size_t at = s->made.n;
	const char *p = memmem(leaf.p, leaf.n, from, strlen(from));

	T_OK(p != NULL);
	if (p == NULL)
		return leaf;
	buf_add(&s->made, leaf.p, (size_t)(p - leaf.p));
	buf_c(&s->made, to);
	p += strlen(from);
	buf_add(&s->made, p, leaf.n - (size_t)(p - leaf.p));
	return str_of(s->made.p + at, s->made.n - at);
}

static void
cut(struct store *s, size_t at, size_t n)
{
	memmove(&s->leaf[at], &s->leaf[at + n],
	    (s->n - at - n) * sizeof s->leaf[0]);
	s->n -= n;
}

static void
nothing(struct store *s)
{
	(void)s;
}

static void
edit_in_tile(struct store *s)
{
	s->leaf[99] = forged(s, 100);
}

static void
edit_in_tail(struct store *s)
{
	s->leaf[649] = forged(s, 650);
}

static void
edit_one_bit(struct store *s)
{
	s->leaf[399] = edited(s, s->leaf[399], "192.0.2.7", "192.0.2.6");
}

static void
edit_with_tile(struct store *s)
{
	s->leaf[99] = forged(s, 100);
	audit_leaf_hash(s->leaf[99], &s->tile[0].hash[99]);
}

static void
flip_tile(struct store *s)
{
	s->tile[1].hash[200].b[31] ^= 1;
}

static void
denial_to_ok(struct store *s)
{
	s->leaf[6] = edited(s, s->leaf[6], "\"denied\"", "\"ok\"");
}

static void
tail_1(struct store *s)
{
	s->n = 689;
}

static void
tail_255(struct store *s)
{
	s->n = 690 - 255;
}

static void
tail_256(struct store *s)
{
	s->n = 690 - 256;
}

static void
tail_257(struct store *s)
{
	s->n = 690 - 257;
}

static void
tail_all(struct store *s)
{
	s->n = 0;
}

/* The store has no checkpoint any more that would tell; the keeper does. */
static void
tail_and_note(struct store *s)
{
	s->n = 650;
	s->notes = 2;
	buf_str(&s->kept, buf_view(&s->note[2]));
}

static void
rolled_back(struct store *s)
{
	s->n = 300;
	s->tiles = 1;
	s->notes = 1;
	buf_str(&s->kept, buf_view(&s->note[2]));
}

static void
middle_gone(struct store *s)
{
	cut(s, 399, 1);
}

static void
middle_gone_renumbered(struct store *s)
{
	cut(s, 399, 1);
	for (size_t i = 399; i < s->n; i++)
		s->leaf[i] = forged(s, i + 1);
}

static void
first_gone(struct store *s)
{
	cut(s, 0, 1);
}

static void
swapped(struct store *s)
{
	struct str t = s->leaf[10];

	s->leaf[10] = s->leaf[11];
	s->leaf[11] = t;
}

static void
swapped_renumbered(struct store *s)
{
	s->leaf[11] = edited(s, honest->leaf[12], "\"seq\":13", "\"seq\":12");
	s->leaf[12] = edited(s, honest->leaf[11], "\"seq\":12", "\"seq\":13");
}

static void
swapped_in_time(struct store *s)
{
	s->leaf[10] = edited(s, honest->leaf[11], "\"seq\":12", "\"seq\":11");
	s->leaf[11] = edited(s, honest->leaf[10], "\"seq\":11", "\"seq\":12");
}

static void
doubled(struct store *s)
{
	memmove(&s->leaf[20], &s->leaf[19], (s->n - 20) * sizeof s->leaf[0]);
}

static void
inserted(struct store *s)
{
	memmove(&s->leaf[21], &s->leaf[20], (s->n - 20) * sizeof s->leaf[0]);
	s->leaf[20] = forged(s, 21);
	s->n++;
}

static void
older(struct store *s)
{
	s->leaf[299] =
	    edited(s, s->leaf[299], "\"time\":\"2026", "\"time\":\"2025");
}

static void
spaced(struct store *s)
{
	s->leaf[4] = edited(s, s->leaf[4], ",\"seq\"", ", \"seq\"");
}

static void
resorted(struct store *s)
{
	s->leaf[4] = edited(s, s->leaf[4], "\"seq\":5,", "");
	s->leaf[4] = edited(s, s->leaf[4], ",\"time\"", ",\"seq\":5,\"time\"");
	s->leaf[4] = edited(s, s->leaf[4], "\"v\":1", "\"v\":1");
	s->leaf[4] =
	    edited(s, s->leaf[4], "{\"action\"", "{\"v\":1,\"action\"");
	s->leaf[4] = edited(s, s->leaf[4], ",\"v\":1}", "}");
}

static void
emptied(struct store *s)
{
	s->leaf[4] = STR("");
}

/* 65 bytes that hash as a node when read as one. */
static void
node_as_leaf(struct store *s)
{
	size_t at = s->made.n;

	buf_char(&s->made, 1);
	buf_add(&s->made, s->tile[0].hash, 64);
	s->leaf[0] = str_of(s->made.p + at, 65);
}

static void
too_large(struct store *s)
{
	size_t at = s->made.n;

	buf_c(&s->made, "{\"action\":\"");
	for (int i = 0; i < 65536; i++)
		buf_char(&s->made, 'a');
	s->leaf[3] = str_of(s->made.p + at, s->made.n - at);
}

static void
note_flipped(struct store *s)
{
	s->note[1].p[s->note[1].n - 10] ^= 1;
}

static void
note_malformed(struct store *s)
{
	s->note[1].p[0] = '\t';
}

static void
note_of_stranger(struct store *s)
{
	uint8_t seed[SECRET_SIZE] = {1};
	struct note_key k;
	struct checkpoint c;

	T_GOOD(checkpoint_open(buf_view(&s->note[1]), &honest->key, &c));
	T_GOOD(note_key_of(STR(LOG_NAME), seed, &k));
	buf_clear(&s->note[1]);
	T_GOOD(checkpoint_sign(&c, &k, seed, &s->note[1]));
}

static void
note_of_other_size(struct store *s)
{
	s->note_size[1] = 500;
}

static void
notes_swapped(struct store *s)
{
	struct buf b = s->note[1];

	s->note[1] = s->note[2];
	s->note[2] = b;
}

/* Who stole the key signs the rewritten log: the kept note tells. */
static void
signed_again(struct store *s)
{
	struct checkpoint c = {.origin = LOG_NAME, .size = N};
	struct audit_tree *t = NULL;
	struct hash h;

	T_GOOD(audit_tree_new(&t));
	s->leaf[650] = forged(s, 651);
	s->tiles = 0;
	for (size_t i = 0; i < N; i++) {
		audit_leaf_hash(s->leaf[i], &h);
		T_GOOD(audit_tree_append(t, &h, NULL, NULL));
	}
	T_GOOD(audit_tree_root(t, &c.root));
	s->notes = 1;
	s->note_size[0] = N;
	buf_clear(&s->note[0]);
	T_GOOD(checkpoint_sign(&c, &honest->key, honest->seed, &s->note[0]));
	log_note(honest, N, &s->kept);
	s->kept_size = N;
	t = audit_tree_free(t);
}

static void
notes_gone(struct store *s)
{
	s->notes = 0;
}

static const struct {
	const char *name;
	void (*change)(struct store *s);
	uint64_t bad;
	const char *what;
} store_rows[] = {
    {"nothing", nothing, 0, ""},
    {"an entry edited", edit_in_tile, 100, "entry 100 was changed"},
    {"an entry behind the last tile", edit_in_tail, 601,
	"one of the entries 601 to 690 was changed after it was signed"},
    {"a digit of an address", edit_one_bit, 400, "entry 400 was changed"},
    {"a denial made a success", denial_to_ok, 7, "entry 7 was changed"},
    {"an entry and its tile", edit_with_tile, 1,
	"one of the entries 1 to 300 was changed after it was signed"},
    {"a bit of a tile", flip_tile, 457, "entry 457 was changed"},
    {"tail of 1 deleted", tail_1, 690, "690 are missing"},
    {"tail of 255 deleted", tail_255, 436, "436 to 690 are missing"},
    {"tail of 256 deleted", tail_256, 435, "435 to 690 are missing"},
    {"tail of 257 deleted", tail_257, 434, "434 to 690 are missing"},
    {"all deleted", tail_all, 1, "1 to 690 are missing"},
    {"tail and checkpoint deleted", tail_and_note, 651,
	"651 to 690 are missing"},
    {"rolled back", rolled_back, 301, "301 to 690 are missing"},
    {"middle deleted", middle_gone, 400, "entry 400 is missing"},
    {"middle deleted, renumbered", middle_gone_renumbered, 400,
	"entry 400 was changed"},
    {"first deleted", first_gone, 1, "entry 1 is missing"},
    {"two swapped", swapped, 11, "entry 11 is missing: entry 12 stands"},
    {"two swapped, renumbered", swapped_renumbered, 12, "entry 12 was changed"},
    {"two swapped in time, renumbered", swapped_in_time, 12,
	"entry 12 is dated before entry 11"},
    {"one doubled", doubled, 21, "entry 20 stands again"},
    {"one inserted", inserted, 22, "entry 21 stands again"},
    {"time goes back", older, 300, "entry 300 is dated before entry 299"},
    {"white space", spaced, 5, "entry 5 is not a leaf"},
    {"other order", resorted, 5, "entry 5 is not a leaf"},
    {"an empty leaf", emptied, 5, "entry 5 is not a leaf"},
    {"a node as a leaf", node_as_leaf, 1, "entry 1 is not a leaf"},
    {"a leaf too large", too_large, 4, "entry 4 is not a leaf"},
    {"signature changed", note_flipped, 301, "is not signed by"},
    {"checkpoint malformed", note_malformed, 301, "is malformed"},
    {"signed by a stranger", note_of_stranger, 301, "is not signed by"},
    {"checkpoint too early", note_of_other_size, 301,
	"checkpoint 500 is that of size 600"},
    {"two checkpoints swapped", notes_swapped, 301,
	"checkpoint 600 is that of size 690"},
    {"rewritten and signed again", signed_again, 1,
	"two signed checkpoints of size 700 differ"},
    {"no checkpoint", notes_gone, 1, "no signed checkpoint"},
};

TEST(make)
{
	honest = log_new(LOG_N);
}

static void
expect(const char *name, err e, const struct audit_verdict *v, uint64_t bad,
    const char *what)
{
	bool good = bad == 0 ? err_ok(e) && v->what[0] == '\0'
			     : err_is(e, E_BAD_ANSWER);

	if (!good || v->bad_seq != bad || strstr(v->what, what) == NULL)
		T_FAIL("%s: %s, entry %" PRIu64 ": %s", name, err_name(e),
		    v->bad_seq, v->what);
}

TEST(L19_store)
{
	static struct store s;

	for (size_t i = 0; i < sizeof store_rows / sizeof store_rows[0]; i++) {
		struct audit_verdict v = {0};
		err e;

		store_fill(&s);
		store_rows[i].change(&s);
		T_OK(!s.made.failed);
		/* Tails: the last checkpoint of the store is still there. */
		if (s.n < 690 && s.kept.n == 0)
			buf_str(&s.kept, buf_view(&s.note[NOTES - 1]));
		e = store_verify(&s, &v);
		expect(store_rows[i].name, e, &v, store_rows[i].bad,
		    store_rows[i].what);
		store_done(&s);
	}
}

/* Each single leaf, edited, deleted or swapped with the next. */
TEST(L19_every_entry)
{
	static struct store s;
	struct audit_verdict v;

	for (size_t i = 0; i < 690; i += 3) {
		uint64_t seq = i + 1, unsigned_from = seq <= 600 ? 301 : 601;

		store_fill(&s);
		s.leaf[i] = forged(&s, seq);
		T_ERR(store_verify(&s, &v), E_BAD_ANSWER);
		T_EQ_INT(v.bad_seq, seq <= 512 ? seq : unsigned_from);
		memcpy(s.leaf, honest->leaf, N * sizeof s.leaf[0]);
		cut(&s, i, 1);
		T_ERR(store_verify(&s, &v), E_BAD_ANSWER);
		T_EQ_INT(v.bad_seq, seq);
		store_done(&s);
	}
}

TEST(first_finding_stays)
{
	struct audit_check *c = NULL;
	struct audit_verdict v;
	struct buf note;

	T_GOOD(audit_check_new(&c));
	T_ERR(audit_check_leaf(c, honest->leaf[1], &v), E_BAD_ANSWER);
	T_ERR(audit_check_leaf(c, honest->leaf[0], &v), E_BAD_ANSWER);
	T_ERR(audit_check_tile(c, honest->tile, &v), E_BAD_ANSWER);
	buf_init(&note, NOTE_MAX);
	log_note(honest, 0, &note);
	T_ERR(audit_check_note(c, 0, buf_view(&note), &honest->key, &v),
	    E_BAD_ANSWER);
	T_ERR(audit_check_end(c, &v), E_BAD_ANSWER);
	T_EQ_INT(v.bad_seq, 1);
	c = audit_check_free(c);
	/* Calls out of order are the caller's mistake, not a finding. */
	T_GOOD(audit_check_new(&c));
	T_GOOD(audit_check_end(c, &v));
	T_GOOD(audit_check_note(c, 0, buf_view(&note), &honest->key, &v));
	T_GOOD(audit_check_leaf(c, honest->leaf[0], &v));
	T_ERR(audit_check_tile(c, honest->tile, &v), E_INVALID);
	for (size_t i = 1; i < 257; i++)
		T_GOOD(audit_check_leaf(c, honest->leaf[i], &v));
	T_ERR(audit_check_tile(c, honest->tile, &v), E_INVALID);
	buf_clear(&note);
	log_note(honest, 255, &note);
	T_ERR(audit_check_note(c, 255, buf_view(&note), &honest->key, &v),
	    E_INVALID);
	T_EQ_INT(v.bad_seq, 0);
	c = audit_check_free(c);
	buf_done(&note);
}

/* ---- an export: the rows stand in sheet.h ---- */

static err
sheet_verify(const struct sheet *x, struct audit_verdict *v)
{
	struct buf b;
	err e;

	buf_init(&b, 1 << 22);
	sheet_text(x, &b);
	e = audit_verify_export(buf_view(&b), &honest->key, v);
	buf_done(&b);
	return e;
}

TEST(L19_export)
{
	static struct sheet x;

	for (size_t i = 0; i < sizeof sheet_rows / sizeof sheet_rows[0]; i++) {
		struct audit_verdict v = {0};
		err e;

		sheet_fill(&x, 1, 680);
		sheet_rows[i].change(&x);
		T_OK(!x.made.failed);
		e = sheet_verify(&x, &v);
		expect(sheet_rows[i].name, e, &v, sheet_rows[i].bad,
		    sheet_rows[i].what);
		sheet_done(&x);
	}
}

/* Each entry of an export that begins and ends inside tiles. */
TEST(L19_every_line)
{
	static struct sheet x;
	struct audit_verdict v;

	sheet_fill(&x, 200, 600);
	for (uint64_t seq = 200; seq <= 600; seq++) {
		size_t i = seq - 200 + (seq - 1) / TILE_WIDTH;
		struct str keep = x.line[i], all[LINES];
		size_t n = x.n;

		x.line[i] = forged_line(&x, seq);
		T_ERR(sheet_verify(&x, &v), E_BAD_ANSWER);
		T_EQ_INT(v.bad_seq, seq);
		x.line[i] = keep;
		memcpy(all, x.line, n * sizeof all[0]);
		line_cut(&x, i, 1);
		T_ERR(sheet_verify(&x, &v), E_BAD_ANSWER);
		T_EQ_INT(v.bad_seq, seq);
		memcpy(x.line, all, n * sizeof all[0]);
		x.n = n;
	}
	sheet_done(&x);
}

/* The store was edited first and exported then: the tiles still name it. */
TEST(L19_export_of_edited_store)
{
	struct str seen[N];
	struct audit_verdict v;
	struct buf b, made;

	buf_init(&b, 1 << 22);
	buf_init(&made, 4096);
	memcpy(seen, honest->leaf, sizeof seen);
	log_leaf(&made, 222, 99);
	seen[221] = buf_view(&made);
	log_export(honest, seen, 1, 680, 690, 1, &b);
	T_ERR(audit_verify_export(buf_view(&b), &honest->key, &v),
	    E_BAD_ANSWER);
	T_EQ_INT(v.bad_seq, 222);
	buf_done(&b);
	buf_done(&made);
}

TEST(done)
{
	honest = log_free(honest);
}

T_MAIN
