/*
 * sheet.h: an export as lines, each free to be changed, and the table of
 * what is done to it: t_tamper asks our verifier, t_python the stranger's.
 */
#ifndef TESTS_UNIT_AUDIT_SHEET_H
#define TESTS_UNIT_AUDIT_SHEET_H

#include "tests/unit/audit/log.h"

#include "base/text.h"

enum { LOG_N = 700 };
static struct log *honest;

enum { LINES = 1024 };

/* [first, last] of the log under the checkpoint of 690. */
struct sheet {
	struct str line[LINES];
	size_t n;
	struct buf file, made;
};

static void
sheet_fill(struct sheet *x, uint64_t first, uint64_t last)
{
	struct str rest, line;

	buf_init(&x->file, 1 << 22);
	buf_init(&x->made, 1 << 22);
	buf_room(&x->made, 1 << 21);
	log_export(honest, honest->leaf, first, last, 690, 1, &x->file);
	x->n = 0;
	rest = buf_view(&x->file);
	while (str_cut(rest, '\n', &line, &rest))
		x->line[x->n++] = line;
}

static void
sheet_text(const struct sheet *x, struct buf *b)
{
	for (size_t i = 0; i < x->n; i++) {
		buf_str(b, x->line[i]);
		buf_char(b, '\n');
	}
}

static void
sheet_done(struct sheet *x)
{
	buf_done(&x->file);
	buf_done(&x->made);
}

/* The line of entry seq in an export from entry 1. */
static struct str *
at(struct sheet *x, uint64_t seq)
{
	return &x->line[seq - 1 + (seq - 1) / TILE_WIDTH];
}

static struct str
reworked(struct sheet *x, struct str s, size_t place, const void *p, size_t n)
{
	char *to = x->made.p + x->made.n;

	T_OK(s.n <= x->made.cap - x->made.n && place + n <= s.n);
	memcpy(to, s.p, s.n);
	memcpy(to + place, p, n);
	x->made.n += s.n;
	return str_of(to, s.n);
}

static struct str
forged_line(struct sheet *x, uint64_t seq)
{
	size_t from = x->made.n;

	log_leaf(&x->made, seq, 99);
	return str_of(x->made.p + from, x->made.n - from);
}

static void
line_cut(struct sheet *x, size_t i, size_t n)
{
	memmove(&x->line[i], &x->line[i + n],
	    (x->n - i - n) * sizeof x->line[0]);
	x->n -= n;
}

/* Make the list of hashes of a tile fit the leaves again. */
static void
relist(struct sheet *x, size_t tile)
{
	struct buf b;
	struct hash h[TILE_WIDTH];
	size_t from = x->made.n, n = 0;

	for (size_t i = tile * (TILE_WIDTH + 1); n < TILE_WIDTH; i++)
		audit_leaf_hash(x->line[i], &h[n++]);
	buf_init(&b, 1 << 20);
	buf_c(&b, "{\"hashes\":\"");
	b64_add(&b, str_of((const char *)h, sizeof h));
	buf_fmt(&b, "\",\"tile\":%zu}", tile);
	buf_str(&x->made, buf_view(&b));
	buf_done(&b);
	x->line[tile * (TILE_WIDTH + 1) + TILE_WIDTH] =
	    str_of(x->made.p + from, x->made.n - from);
}

static size_t
find(struct str s, const char *word)
{
	const char *p = memmem(s.p, s.n, word, strlen(word));

	T_OK(p != NULL);
	return p == NULL ? 0 : (size_t)(p - s.p) + strlen(word);
}

static struct str *
trailer(struct sheet *x)
{
	return &x->line[x->n - 1];
}

static void
x_nothing(struct sheet *x)
{
	(void)x;
}

static void
x_edit(struct sheet *x)
{
	*at(x, 300) = forged_line(x, 300);
}

static void
x_edit_two(struct sheet *x)
{
	*at(x, 400) = forged_line(x, 400);
	*at(x, 40) = forged_line(x, 40);
}

static void
x_edit_tail(struct sheet *x)
{
	*at(x, 650) = forged_line(x, 650);
}

static void
x_edit_listed(struct sheet *x)
{
	*at(x, 300) = forged_line(x, 300);
	relist(x, 1);
}

/* Leaf, list and the root in the trailer: only the signature is left. */
static void
x_edit_all(struct sheet *x)
{
	struct str t = *trailer(x);

	x_edit_listed(x);
	*trailer(x) = reworked(x, t, find(t, "\"tiles\":[\""), "AAAA", 4);
	t = *trailer(x);
	*trailer(x) = reworked(x, t, find(t, "\"tiles\":[\"") + 47, "AAAA", 4);
}

static void
x_list_only(struct sheet *x)
{
	struct str *l = &x->line[256];

	*l = reworked(x, *l, 11 + 4 * 32, "AAAA", 4);
}

static void
x_root_only(struct sheet *x)
{
	struct str t = *trailer(x);

	*trailer(x) = reworked(x, t, find(t, "\"tiles\":[\"") + 47, "AAAA", 4);
}

static void
x_tail(struct sheet *x)
{
	line_cut(x, x->n - 4, 3);
}

static void
x_tail_and_trailer(struct sheet *x)
{
	x->n -= 4;
}

static void
x_stream(struct sheet *x)
{
	x->n = 0;
}

static void
x_only_trailer(struct sheet *x)
{
	x->line[0] = *trailer(x);
	x->n = 1;
}

static void
x_middle(struct sheet *x)
{
	line_cut(x, 100, 1);
}

static void
x_first(struct sheet *x)
{
	line_cut(x, 0, 1);
}

static void
x_tile(struct sheet *x)
{
	line_cut(x, 257, 257);
}

static void
x_swap(struct sheet *x)
{
	struct str t = *at(x, 11);

	*at(x, 11) = *at(x, 12);
	*at(x, 12) = t;
}

static void
x_double(struct sheet *x)
{
	*at(x, 21) = *at(x, 20);
}

static void
x_list_gone(struct sheet *x)
{
	line_cut(x, 256, 1);
}

static void
x_last_list_gone(struct sheet *x)
{
	line_cut(x, x->n - 2, 1);
}

static void
x_lists_swapped(struct sheet *x)
{
	struct str t = x->line[256];

	x->line[256] = x->line[513];
	x->line[513] = t;
}

static void
x_stub_wrong(struct sheet *x)
{
	size_t from = x->made.n;
	struct hash h = {{1}};

	audit_export_stub(&x->made, 33, &h);
	*at(x, 33) = str_of(x->made.p + from, x->made.n - from - 1);
}

static void
x_stub_number(struct sheet *x)
{
	size_t from = x->made.n;
	struct hash h;

	audit_leaf_hash(*at(x, 33), &h);
	audit_export_stub(&x->made, 34, &h);
	*at(x, 33) = str_of(x->made.p + from, x->made.n - from - 1);
}

static void
x_stub_malformed(struct sheet *x)
{
	*at(x, 33) = STR("{\"h\":\"AAAA\",\"seq\":33}");
}

static void
x_spaced(struct sheet *x)
{
	struct str *l = at(x, 9);

	*l = reworked(x, *l, 0, "{ ", 2);
}

static void
x_blank(struct sheet *x)
{
	*at(x, 9) = STR("");
}

static void
x_trailer_gone(struct sheet *x)
{
	x->n--;
}

static void
x_trailer_twice(struct sheet *x)
{
	x->line[x->n] = *trailer(x);
	x->n++;
}

static void
x_trailer_malformed(struct sheet *x)
{
	struct str t = *trailer(x);

	*trailer(x) = reworked(x, t, find(t, "\"left\""), "=", 1);
}

static void
x_signature(struct sheet *x)
{
	struct str t = *trailer(x);
	size_t i = find(t, LOG_NAME " ") + 20;

	*trailer(x) = reworked(x, t, i, t.p[i] == 'A' ? "B" : "A", 1);
}

static void
x_range_short(struct sheet *x)
{
	struct str t = *trailer(x);

	*trailer(x) = reworked(x, t, find(t, "\"last\":"), "679", 3);
}

static void
x_range_long(struct sheet *x)
{
	struct str t = *trailer(x);

	*trailer(x) = reworked(x, t, find(t, "\"last\":"), "695", 3);
}

static void
x_proof(struct sheet *x)
{
	struct str t = *trailer(x);

	*trailer(x) = reworked(x, t, find(t, "\"right\":[\""), "AAAA", 4);
}

static void
trailer_insert(struct sheet *x, size_t i, const char *text)
{
	struct str t = *trailer(x);
	size_t from = x->made.n;

	buf_add(&x->made, t.p, i);
	buf_c(&x->made, text);
	buf_add(&x->made, t.p + i, t.n - i);
	*trailer(x) = str_of(x->made.p + from, x->made.n - from);
}

#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void
x_more_left(struct sheet *x)
{
	trailer_insert(x, find(*trailer(x), "\"left\":["), "\"" ZEROS "\"");
}

static void
x_more_right(struct sheet *x)
{
	trailer_insert(x, find(*trailer(x), "\"right\":["), "\"" ZEROS "\",");
}

static void
x_more_tiles(struct sheet *x)
{
	size_t i = find(*trailer(x), "],\"v\"") - strlen("],\"v\"");

	trailer_insert(x, i, ",\"" ZEROS "\"");
}

static void
x_member(struct sheet *x)
{
	trailer_insert(x, find(*trailer(x), "\"v\":1"), ",\"w\":1");
}

static void
x_version(struct sheet *x)
{
	struct str t = *trailer(x);

	*trailer(x) = reworked(x, t, find(t, "\"v\":"), "2", 1);
}

static const struct {
	const char *name;
	void (*change)(struct sheet *x);
	uint64_t bad;
	const char *what;
} sheet_rows[] = {
    {"nothing", x_nothing, 0, ""},
    {"an entry edited", x_edit, 300, "entry 300 was changed: the signed"},
    {"two edited", x_edit_two, 40, "entry 40 was changed: the signed root"},
    {"an entry behind the last tile", x_edit_tail, 650,
	"entry 650 was changed: the signed root"},
    {"an entry and its list", x_edit_listed, 257,
	"one of the entries 257 to 512 was changed: the signed root"},
    {"an entry, its list and its root", x_edit_all, 1, "signed root differs"},
    {"a list", x_list_only, 4, "is as signed, but the hash listed"},
    {"a listed root", x_root_only, 257, "257 to 512 is as signed, but"},
    {"tail deleted", x_tail, 679, "the entries 679 to 680 are missing"},
    {"tail and trailer deleted", x_tail_and_trailer, 679, "cut off"},
    {"all deleted", x_stream, 1, "cut off"},
    {"all entries deleted", x_only_trailer, 1, "1 to 680 are missing"},
    {"middle deleted", x_middle, 101, "entry 101 is missing"},
    {"first deleted", x_first, 1, "entry 1 is missing"},
    {"a tile deleted", x_tile, 257, "entry 257 is missing"},
    {"two swapped", x_swap, 11, "entry 11 is missing: entry 12 stands"},
    {"one doubled", x_double, 21, "entry 20 stands again"},
    {"a list deleted", x_list_gone, 1, "list of hashes behind entry 256"},
    {"the last list deleted", x_last_list_gone, 513,
	"list of hashes behind entry 680"},
    {"lists swapped", x_lists_swapped, 1, "list of hashes behind entry 256"},
    {"a stub with another hash", x_stub_wrong, 33, "entry 33 was changed"},
    {"a stub of another entry", x_stub_number, 33, "entry 33 is missing"},
    {"a malformed stub", x_stub_malformed, 33, "malformed stub"},
    {"white space", x_spaced, 9, "entry 9 is not a leaf"},
    {"an empty line", x_blank, 9, "entry 9 is not a leaf"},
    {"trailer deleted", x_trailer_gone, 681, "cut off behind entry 680"},
    {"trailer twice", x_trailer_twice, 681, "entry 681 is beyond"},
    {"trailer malformed", x_trailer_malformed, 1, "trailer is malformed"},
    {"signature changed", x_signature, 1, "is not signed by"},
    {"range shortened", x_range_short, 680, "beyond the range"},
    {"range beyond the checkpoint", x_range_long, 691, "beyond the signed"},
    {"proof longer on the left", x_more_left, 1, "what is before entry 1"},
    {"proof longer on the right", x_more_right, 1, "behind entry 680"},
    {"one root too many", x_more_tiles, 1, "behind entry 680"},
    {"unknown member", x_member, 1, "trailer is malformed"},
    {"another version", x_version, 1, "are not of one export"},
    {"proof changed", x_proof, 1, "or the proof was changed"},
};

#endif
