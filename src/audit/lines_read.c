/* lines_read.c: lines of exports read back.  Not strict on purpose: what was
 * read is rendered again and compared, which is. */
#include "audit/cells.h"

#include "base/json.h"
#include "base/text.h"

#define MANIFEST_ACTION "audit.export.manifest"

enum { PAIRS_MAX = 48 };

struct pair {
	struct str key, value;
};

struct pairs {
	struct pair v[PAIRS_MAX];
	size_t n;
};

static struct str
value_of(const struct pairs *p, struct str key)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->v[i].key, key))
			return p->v[i].value;
	return STR_NONE;
}

/* Without its backslashes, each of which escapes the next byte. */
static struct str
plain(struct arena *a, struct str s)
{
	char *to;
	size_t n = 0;

	if (s.n == 0 || memchr(s.p, '\\', s.n) == NULL)
		return s;
	to = arena_raw(a, s.n);
	for (size_t i = 0; to != NULL && i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		to[n++] = s.p[i];
	}
	return to == NULL ? STR_NONE : str_of(to, n);
}

/* Where c stands first, not escaped; s.n when nowhere. */
static size_t
find(struct str s, char c)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == c)
			return i;
	}
	return s.n;
}

/* ---- CSV ---- */

static bool
csv_field(struct arena *a, struct str *s, struct str *ret)
{
	bool quoted = str_starts(*s, STR("\""));
	char *to = arena_raw(a, s->n + 1);
	size_t i = quoted, n = 0;

	if (to == NULL)
		return false;
	for (; i < s->n; i++) {
		if (s->p[i] == (quoted ? '"' : ',')) {
			i += quoted;
			if (!quoted || i == s->n || s->p[i] != '"')
				break;
		}
		to[n++] = s->p[i];
	}
	*s = str_skip(*s, i);
	*ret = str_of(to, n);
	if (n > 0 && to[0] == '\'')
		*ret = str_skip(*ret, 1);
	if (ret->n == 0)
		*ret = STR_NONE;
	return s->n == 0 || s->p[0] == ',';
}

static bool
csv_read(struct arena *a, struct str line, struct cells *ret)
{
	for (unsigned i = 0; i < CELLS; i++) {
		if (!csv_field(a, &line, &ret->v[i]) ||
		    (i + 1 < CELLS) != (line.n > 0))
			return false;
		line = str_skip(line, line.n > 0);
	}
	return true;
}

/* ---- CEF ---- */

/* key=value key=value: a key is the word before a = that is not escaped. */
static bool
cef_pairs(struct arena *a, struct str s, struct pairs *p)
{
	size_t eq = find(s, '=');

	for (p->n = 0; p->n < PAIRS_MAX && eq < s.n; p->n++) {
		struct str key = str_head(s, eq), value;
		size_t next;

		s = str_skip(s, eq + 1);
		next = find(s, '=');
		value = s;
		if (next < s.n) { /* up to the space before the next key */
			const char *p_end = memrchr(s.p, ' ', next);

			if (p_end == NULL)
				return false;
			value = str_head(s, (size_t)(p_end - s.p));
			s = str_skip(s, value.n + 1);
			next -= value.n + 1;
		}
		p->v[p->n] = (struct pair){key, plain(a, value)};
		eq = next;
	}
	return p->n < PAIRS_MAX;
}

static bool
cef_extension(struct str *line)
{
	if (!str_starts(*line, STR("CEF:0|")))
		return false;
	for (unsigned i = 0; i < 7; i++) {
		size_t n = find(*line, '|');

		if (n == line->n)
			return false;
		*line = str_skip(*line, n + 1);
	}
	return true;
}

static bool
cef_read(struct arena *a, struct str line, struct cells *ret)
{
	static const char *const keys[CELLS] = {
#define COLUMN(id, name, cef, label) cef,
#include "audit/columns.def"
#undef COLUMN
	};
	struct pairs p;

	if (!cef_extension(&line) || !cef_pairs(a, line, &p))
		return false;
	for (unsigned i = 0; i < CELLS; i++)
		ret->v[i] = value_of(&p, str_c(keys[i]));
	if (ret->v[CELL_ADDRESS].p == NULL)
		ret->v[CELL_ADDRESS] = value_of(&p, STR("c6a2"));
	return cells_time(a, ret->v[CELL_TIME], &ret->v[CELL_TIME]);
}

/* ---- RFC 5424 ---- */

/* What is behind <PRI>1 TIME - redoubt - MSGID */
static bool
syslog_body(struct str *line, struct str *ret_time, struct str *ret_id)
{
	struct str skip;

	return str_cut(*line, ' ', &skip, line) &&
	    str_cut(*line, ' ', ret_time, line) &&
	    str_cut(*line, ' ', &skip, line) &&
	    str_cut(*line, ' ', &skip, line) &&
	    str_cut(*line, ' ', &skip, line) &&
	    str_cut(*line, ' ', ret_id, line);
}

static bool
syslog_read(struct arena *a, struct str line, struct cells *ret)
{
	struct pairs p = {.n = 0};
	struct str time, id, skip;

	if (!syslog_body(&line, &time, &id) || !str_starts(line, STR("[")) ||
	    !str_cut(line, ' ', &skip, &line))
		return false;
	while (p.n < PAIRS_MAX) {
		size_t eq = find(line, '='), end;
		struct str key = str_head(line, eq);

		line = str_skip(line, eq);
		if (!str_starts(line, STR("=\"")))
			return false;
		line = str_skip(line, 2);
		end = find(line, '"');
		p.v[p.n++] = (struct pair){key, plain(a, str_head(line, end))};
		line = str_skip(line, end + 1);
		if (str_is(line, "]"))
			break;
		line = str_skip(line, 1);
	}
	for (unsigned i = 0; i < CELLS; i++)
		ret->v[i] = value_of(&p, str_c(cell_names[i]));
	ret->v[CELL_TIME] = time;
	return true;
}

/* ---- any ---- */

bool
export_line_read(struct arena *a, enum export_format f, struct str line,
    struct str *ret_leaf, struct hash *ret_hash, uint64_t *ret_seq)
{
	struct cells c = {{{0}}};
	bool good = f == EXPORT_CSV ? csv_read(a, line, &c)
	    : f == EXPORT_CEF	    ? cef_read(a, line, &c)
	    : f == EXPORT_OCSF	    ? ocsf_read(a, line, &c)
	    : f == EXPORT_SYSLOG    ? syslog_read(a, line, &c)
				    : false;

	*ret_seq = 0;
	(void)str_u64(c.v[CELL_SEQ], 1, LEAF_INT_MAX, ret_seq);
	return good && cells_leaf(a, &c, ret_leaf, ret_hash);
}

static bool
cef_text_read(struct arena *a, struct str line, struct str *ret)
{
	struct pairs p;

	if (!str_starts(line,
		STR("CEF:0|Redoubt|redoubt|1|" MANIFEST_ACTION "|")) ||
	    !cef_extension(&line) || !cef_pairs(a, line, &p))
		return false;
	*ret = value_of(&p, STR("msg"));
	return ret->p != NULL;
}

bool
export_text_read(struct arena *a, enum export_format f, struct str line,
    struct str *ret_json)
{
	struct str time, id, nil;
	struct cells c;

	switch (f) {
	case EXPORT_CSV:
		if (!str_starts(line, STR("manifest,")) ||
		    !csv_read(a, line, &c))
			return false;
		*ret_json = c.v[CELL_RESOURCES];
		return true;
	case EXPORT_CEF:
		return cef_text_read(a, line, ret_json);
	case EXPORT_OCSF:
		return ocsf_text_read(line, ret_json);
	case EXPORT_SYSLOG:
		return syslog_body(&line, &time, &id) &&
		    str_is(id, MANIFEST_ACTION) &&
		    str_cut(line, ' ', &nil, ret_json);
	case EXPORT_NDJSON:
	case EXPORT_FORMATS:
		break;
	}
	*ret_json = line;
	return str_starts(line, STR("{\"manifest\":"));
}

enum export_format
export_format_guess(struct str file)
{
	if (str_starts(file, STR("CEF:")))
		return EXPORT_CEF;
	if (str_starts(file, STR("<")))
		return EXPORT_SYSLOG;
	if (str_starts(file, STR("seq,")))
		return EXPORT_CSV;
	if (str_starts(file, STR("{\"activity_id\":")))
		return EXPORT_OCSF;
	return EXPORT_NDJSON;
}
