/*
 * lines_verify.c: an export in a format that is for other programs to read.
 * A line is as it was made when the leaf made of it has the hash that stands
 * in it, and gives the line again; the rest the signed manifest says.
 */
#include "audit/export_read.h"

#include <inttypes.h>

#include "base/limits.h"

enum { SHEET_ARENA = 16 * 1024 * 1024 };

struct sheet {
	enum export_format f;
	struct arena a, line;
	struct export_end end;
	struct checkpoint cp;
	uint64_t first, last; /* by the manifest; 0: not known */
	bool whole;	      /* nothing may be left out */
	struct feed feed;
	struct peaks peaks;
	struct marks *marks;
	uint64_t lines; /* read; the names of columns count */
	struct audit_verdict v;
};

static err
bad_line(struct sheet *s, uint64_t seq, const char *what)
{
	uint64_t here = s->feed.next == 0 ? 1 : s->feed.next;

	return finding(&s->v, seq == 0 ? here : seq,
	    "line %" PRIu64 ", entry %" PRIu64 ": %s", s->lines,
	    seq == 0 ? here : seq, what);
}

/* Entries in order; a filter leaves gaps. */
static err
order(struct sheet *s, uint64_t seq)
{
	if ((s->last != 0 && (seq > s->last || seq < s->first)) ||
	    (s->last == 0 && s->end.there && export_end_good(&s->end)))
		return bad_line(s, seq, "it is beyond what the manifest says");
	if (s->whole || seq < s->feed.next)
		return feed_seq(&s->feed, seq, &s->v);
	s->feed.next = seq + 1;
	s->v.last = seq;
	return OK;
}

static err
line_read(struct sheet *s, struct str line)
{
	struct str end = export_line_end(s->f), leaf = STR_NONE;
	struct hash listed = {{0}}, h;
	uint64_t seq;
	struct buf again;

	if (!str_ends(line, end) ||
	    !export_line_read(&s->line, s->f, str_head(line, line.n - end.n),
		&leaf, &listed, &seq))
		return bad_line(s, 0, "it is no entry in this format");
	audit_leaf_hash(leaf, &h);
	if (!hash_eq(&h, &listed))
		return bad_line(s, seq, "it was changed: its hash differs");
	buf_init_on(&again, &s->line, (size_t)8 * LIM_LEAF);
	TRY(export_line(&s->line, s->f, leaf, &h, &again));
	TRY(buf_check(&again));
	if (!str_eq(buf_view(&again), line))
		return bad_line(s, seq, "it was changed: it is written anew");
	TRY(order(s, seq));
	s->v.entries++;
	if (s->marks != NULL)
		marks_add(s->marks, seq, line);
	return s->whole ? peaks_add(&s->peaks, 0, &h) : OK;
}

/* The names of the columns belong to the first block. */
static err
head_read(struct sheet *s, struct str *body)
{
	struct buf b;

	buf_init_on(&b, &s->a, 4096);
	export_head(s->f, &b);
	if (b.n == 0)
		return OK;
	s->lines++;
	if (!str_starts(*body, buf_view(&b)))
		return bad_line(s, 0, "the names of the columns differ");
	if (s->marks != NULL)
		marks_add(s->marks, s->first, buf_view(&b));
	*body = str_skip(*body, b.n);
	return OK;
}

static err
lines_read(struct sheet *s, struct str body)
{
	TRY(head_read(s, &body));
	while (body.n > 0) {
		const char *nl = memchr(body.p, '\n', body.n);
		size_t n = nl == NULL ? body.n : (size_t)(nl + 1 - body.p);

		s->lines++;
		TRY(line_read(s, str_head(body, n)));
		TRY(arena_check(&s->line));
		arena_reset(&s->line);
		body = str_skip(body, n);
	}
	return OK;
}

/* ---- the manifest ---- */

static bool
cover_add(struct peaks *p, uint64_t from, uint64_t to, const struct hash *h,
    size_t n)
{
	size_t i = 0;

	while (from < to && i < n) {
		unsigned k = subtree_height(from, to);

		if (!err_ok(peaks_add(p, k, &h[i++])))
			return false;
		from += UINT64_C(1) << k;
	}
	return from == to && i == n;
}

static err
manifest_take(struct sheet *s, const struct note_key *key)
{
	const struct manifest *m = &s->end.m;
	struct note_key own;
	err e;

	s->v.first = m->first;
	s->v.last = m->first - 1;
	s->first = m->first;
	s->last = m->last;
	s->whole = m->left != NULL;
	feed_init(&s->feed, m->first);
	TRY(marks_new(m->first, m->last, &s->marks));
	TRY(note_key_parse(m->key, &own));
	e = checkpoint_open(m->note, key == NULL ? &own : key, &s->cp);
	if (!err_ok(e) || s->cp.size < m->last ||
	    (s->whole &&
		!cover_add(&s->peaks, 0, m->first - 1, m->left, m->left_n)))
		return finding(&s->v, m->first,
		    "the manifest's checkpoint or proof is not good");
	s->v.signed_size = s->cp.size;
	return OK;
}

static err
root_compare(struct sheet *s)
{
	const struct manifest *m = &s->end.m;
	struct hash root;

	if (!s->whole)
		return OK;
	if (s->feed.next != m->last + 1)
		return finding(&s->v, s->feed.next,
		    "the entries %" PRIu64 " to %" PRIu64 " are missing",
		    s->feed.next, m->last);
	if (!cover_add(&s->peaks, m->last, s->cp.size, m->right, m->right_n))
		return finding(&s->v, m->first,
		    "the manifest's proof is not good");
	peaks_root(&s->peaks, &root);
	if (!hash_eq(&root, &s->cp.root))
		return finding_range(&s->v, m->first,
		    m->last < m->first ? m->first : m->last,
		    "was changed: the signed root differs");
	return OK;
}

static err
whole_compare(struct sheet *s, struct str body)
{
	const struct manifest *m = &s->end.m;
	struct hash h;

	TRY(export_blocks_check(s->marks, m, &s->v,
	    "was changed, added or removed after it was exported"));
	TRY(root_compare(s));
	audit_sha256(body, &h);
	if (m->format != s->f || m->bytes != body.n || !hash_eq(&h, &m->sha256))
		return finding(&s->v, m->first,
		    "the manifest is of another file");
	s->v.first = m->first;
	s->v.last = m->last;
	s->v.hidden = m->last + 1 - m->first - m->entries;
	return OK;
}

static err
sheet_run(struct sheet *s, struct str file, const struct note_key *key)
{
	struct str body = file;

	s->v.first = 1;
	feed_init(&s->feed, 0);
	TRY(export_end_cut(&s->a, s->f, &body, key, &s->end));
	if (s->end.there && export_end_good(&s->end))
		TRY(manifest_take(s, key));
	TRY(lines_read(s, body));
	if (!s->end.there)
		return finding(&s->v, s->feed.next == 0 ? 1 : s->feed.next,
		    "the export is cut off behind line %" PRIu64, s->lines);
	TRY(export_end_check(&s->end, &s->v, s->v.first));
	return whole_compare(s, body);
}

err
lines_verify(enum export_format f, struct str file, const struct note_key *key,
    struct audit_verdict *v)
{
	struct sheet s = {.f = f};
	err e;

	arena_init(&s.a, SHEET_ARENA);
	arena_init(&s.line, SHEET_ARENA);
	e = sheet_run(&s, file, key);
	s.marks = marks_free(s.marks);
	arena_done(&s.line);
	arena_done(&s.a);
	*v = s.v;
	return e;
}
