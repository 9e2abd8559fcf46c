/* lines.c: see lines.h.  Values of leaves are graphic ASCII without " and \
 * (PROTOCOL.audit 1(b)), so few characters are left to escape. */
#include "audit/cells.h"

#include <stdio.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

static const struct {
	const char *name, *type, *file;
} formats[] = {
#define FORMAT(id, name, type, file, text) {name, type, file},
#include "audit/formats.def"
#undef FORMAT
};

static const struct {
	const char *key, *label;
} cef_keys[CELLS] = {
#define COLUMN(id, name, cef, label) {cef, label},
#include "audit/columns.def"
#undef COLUMN
};

#define MANIFEST_ACTION "audit.export.manifest"

const char *
export_format_name(enum export_format f)
{
	return formats[f].name;
}

const char *
export_format_type(enum export_format f)
{
	return formats[f].type;
}

const char *
export_format_file(enum export_format f)
{
	return formats[f].file;
}

bool
export_format_parse(struct str name, enum export_format *ret)
{
	for (unsigned f = 0; f < EXPORT_FORMATS; f++)
		if (str_is(name, formats[f].name)) {
			*ret = (enum export_format)f;
			return true;
		}
	return false;
}

struct str
export_line_end(enum export_format f)
{
	return f == EXPORT_CSV ? STR("\r\n") : STR("\n");
}

/* ---- CSV ---- */

static void
csv_line(const struct cells *c, struct buf *b)
{
	for (unsigned i = 0; i < CELLS; i++) {
		if (i > 0)
			buf_char(b, ',');
		csv_add(b, c->v[i]);
	}
}

void
export_head(enum export_format f, struct buf *b)
{
	struct cells c;

	if (f != EXPORT_CSV)
		return;
	for (unsigned i = 0; i < CELLS; i++)
		c.v[i] = str_c(cell_names[i]);
	csv_line(&c, b);
	buf_str(b, export_line_end(f));
}

/* ---- CEF ---- */

/* Values of the extension: \ and = are escaped; nothing else can occur. */
static void
cef_value(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' || s.p[i] == '=')
			buf_char(b, '\\');
		buf_char(b, s.p[i]);
	}
}

static void
cef_pair(struct buf *b, const char *key, const char *label, struct str value)
{
	if (label != NULL)
		buf_fmt(b, " %sLabel=%s", key, label);
	buf_char(b, ' ');
	buf_c(b, key);
	buf_char(b, '=');
	cef_value(b, value);
}

static void
cef_head(struct buf *b, struct str action, unsigned severity)
{
	buf_c(b, "CEF:0|Redoubt|redoubt|1|");
	buf_str(b, action);
	buf_char(b, '|');
	buf_str(b, action);
	buf_fmt(b, "|%u|", severity);
}

static void
cef_line(const struct leaf_parts *p, const struct cells *c, struct buf *b)
{
	static const unsigned severity[] = {1, 5, 4, 1}; /* by outcome */
	char ms[24];

	cef_head(b, p->action, severity[p->e.outcome]);
	(void)snprintf(ms, sizeof ms, "rt=%lld", (long long)p->e.time);
	buf_c(b, ms);
	for (unsigned i = 0; i < CELLS; i++) {
		struct str v = c->v[i];

		if (v.p == NULL || i == CELL_TIME)
			continue;
		if (i == CELL_ADDRESS && memchr(v.p, ':', v.n) != NULL)
			cef_pair(b, "c6a2", "Source IPv6 Address", v);
		else
			cef_pair(b, cef_keys[i].key, cef_keys[i].label, v);
	}
}

/* ---- RFC 5424 ---- */

enum { FACILITY = 13 /* log audit */, MSGID_MAX = 32 };

static void
syslog_head(struct buf *b, unsigned severity, struct str time,
    struct str action)
{
	buf_fmt(b, "<%u>1 ", FACILITY * 8 + severity);
	buf_str(b, time);
	buf_c(b, " - redoubt - ");
	buf_str(b, str_head(action, MSGID_MAX));
	buf_char(b, ' ');
}

static void
syslog_line(const struct leaf_parts *p, const struct cells *c, struct buf *b)
{
	static const unsigned severity[] = {6, 4, 3, 6}; /* by outcome */

	syslog_head(b, severity[p->e.outcome], c->v[CELL_TIME], p->action);
	buf_c(b, "[redoubt@32473");
	for (unsigned i = 0; i < CELLS; i++) {
		struct str v = c->v[i];

		if (v.p == NULL || i == CELL_TIME)
			continue;
		buf_char(b, ' ');
		buf_c(b, cell_names[i]);
		buf_c(b, "=\"");
		for (size_t k = 0; k < v.n; k++) {
			if (v.p[k] == ']' || v.p[k] == '"' || v.p[k] == '\\')
				buf_char(b, '\\');
			buf_char(b, v.p[k]);
		}
		buf_char(b, '"');
	}
	buf_char(b, ']');
}

/* ---- any ---- */

err
export_line(struct arena *a, enum export_format f, struct str leaf,
    const struct hash *h, struct buf *b)
{
	struct leaf_parts p;
	struct cells c;

	if (f == EXPORT_NDJSON) {
		buf_str(b, leaf);
		buf_char(b, '\n');
		return OK;
	}
	if (!leaf_scan(leaf, &p))
		return err_of(E_CORRUPT);
	TRY(cells_of(a, &p, h, &c));
	switch (f) {
	case EXPORT_CSV:
		csv_line(&c, b);
		break;
	case EXPORT_CEF:
		cef_line(&p, &c, b);
		break;
	case EXPORT_OCSF:
		ocsf_line(&p, &c, b);
		break;
	case EXPORT_SYSLOG:
		syslog_line(&p, &c, b);
		break;
	case EXPORT_NDJSON:
	case EXPORT_FORMATS:
		return err_of(E_INVALID);
	}
	buf_str(b, export_line_end(f));
	return OK;
}

void
export_text(enum export_format f, int64_t time, struct str json, struct buf *b)
{
	struct cells c = {
	    .v = {[CELL_SEQ] = STR("manifest"), [CELL_RESOURCES] = json}};
	char at[TIME_TEXT + 1];

	time_text(time, at);
	switch (f) {
	case EXPORT_CSV:
		csv_line(&c, b);
		break;
	case EXPORT_CEF:
		cef_head(b, STR(MANIFEST_ACTION), 0);
		buf_fmt(b, "rt=%lld", (long long)time);
		cef_pair(b, "msg", NULL, json);
		break;
	case EXPORT_OCSF:
		ocsf_text(time, json, b);
		break;
	case EXPORT_SYSLOG:
		syslog_head(b, 6, str_of(at, TIME_TEXT), STR(MANIFEST_ACTION));
		buf_c(b, "- ");
		buf_str(b, json);
		break;
	case EXPORT_NDJSON:
	case EXPORT_FORMATS:
		buf_str(b, json);
		break;
	}
	buf_str(b, export_line_end(f));
}
