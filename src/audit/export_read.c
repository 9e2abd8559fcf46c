/* export_read.c: see export_read.h. */
#include "audit/export_read.h"

#include <stdio.h>

#include "base/time.h"

bool
export_last_line(struct str *file, struct str *ret_line)
{
	const char *nl;
	size_t at = 0;

	if (file->n == 0 || file->p[file->n - 1] != '\n')
		return false;
	nl = memrchr(file->p, '\n', file->n - 1);
	if (nl != NULL)
		at = (size_t)(nl + 1 - file->p);
	*ret_line = str_skip(*file, at);
	*file = str_head(*file, at);
	return true;
}

/* Is the line what this manifest looks like in this format? */
static bool
line_good(struct arena *a, enum export_format f, struct str line,
    struct str json, int64_t time)
{
	struct buf b;

	buf_init_on(&b, a, (size_t)4 * MANIFEST_MAX);
	export_text(f, time, json, &b);
	return !b.failed && str_eq(buf_view(&b), line);
}

err
export_end_cut(struct arena *a, enum export_format f, struct str *file,
    const struct note_key *key, struct export_end *ret)
{
	struct str rest = *file, line, text, json, end = export_line_end(f);

	*ret = (struct export_end){.open = OK};
	if (!export_last_line(&rest, &line))
		return OK;
	text = str_head(line, line.n - (str_ends(line, end) ? end.n : 1));
	if (!export_text_read(a, f, text, &json))
		return arena_check(a);
	ret->there = true;
	ret->key_name = key == NULL ? "the key it names" : key->name;
	ret->open = manifest_open(a, json, key, &ret->m);
	if (a->failed)
		return arena_check(a);
	ret->line =
	    err_ok(ret->open) && line_good(a, f, line, json, ret->m.time);
	*file = rest;
	return OK;
}

err
export_end_check(const struct export_end *e, struct audit_verdict *v,
    uint64_t seq)
{
	char time[TIME_TEXT + 1];

	if (err_is(e->open, E_BAD_ANSWER))
		return finding(v, seq, "the manifest is not signed by %.100s",
		    e->key_name);
	if (!err_ok(e->open) || !e->line)
		return finding(v, seq, "the manifest is malformed");
	time_text(e->m.time, time);
	(void)snprintf(v->by, sizeof v->by, "%.*s %.*s, %s",
	    (int)(e->m.requester_kind.n > 24 ? 24 : e->m.requester_kind.n),
	    e->m.requester_kind.p == NULL ? "" : e->m.requester_kind.p,
	    (int)(e->m.requester_id.n > 40 ? 40 : e->m.requester_id.n),
	    e->m.requester_id.p == NULL ? "" : e->m.requester_id.p, time);
	v->manifest = true;
	return OK;
}

err
export_blocks_check(struct marks *marks, const struct manifest *m,
    struct audit_verdict *v, const char *what)
{
	uint64_t width = manifest_width(m->first, m->last), last;
	struct hash got[MANIFEST_BLOCKS];
	size_t n, i = 0;

	if (marks == NULL)
		return err_of(E_INTERNAL);
	marks_end(marks, got, &n);
	while (i < n && i < m->blocks && hash_eq(&got[i], &m->block[i]))
		i++;
	if (i < n) {
		last = m->first + (i + 1) * width - 1;
		return finding_range(v, m->first + i * width,
		    last < m->last ? last : m->last, what);
	}
	if (n != m->blocks || m->entries != v->entries)
		return finding(v, m->first,
		    "the manifest counts %llu entries, and there are %llu",
		    (unsigned long long)m->entries,
		    (unsigned long long)v->entries);
	return OK;
}
