/* The encoders of text.h for a person's tools: CSV, log lines, terminals. */
#include "base/text.h"
#include "base/utf8.h"

static bool
has_any(struct str s, const char *set)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\0' && strchr(set, s.p[i]) != NULL)
			return true;
	return false;
}

void
html_add(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '&':
			buf_c(b, "&amp;");
			break;
		case '<':
			buf_c(b, "&lt;");
			break;
		case '>':
			buf_c(b, "&gt;");
			break;
		case '"':
			buf_c(b, "&quot;");
			break;
		case '\'':
			buf_c(b, "&#39;");
			break;
		default:
			buf_char(b, s.p[i]);
		}
	}
}

void
csv_add(struct buf *b, struct str s)
{
	bool quote = has_any(s, "\",\r\n");

	if (quote)
		buf_char(b, '"');
	if (has_any(str_head(s, 1), "=+-@\t\r'"))
		buf_char(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_char(b, '"');
		buf_char(b, s.p[i]);
	}
	if (quote)
		buf_char(b, '"');
}

/* Graphic ASCII that means nothing in a key=value line. */
static bool
log_plain(char c)
{
	return c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

static void
log_char(struct buf *b, char c)
{
	if (c == '"' || c == '\\') {
		buf_char(b, '\\');
		buf_char(b, c);
	} else if (c == ' ' || c == '=' || log_plain(c)) {
		buf_char(b, c);
	} else if (c == '\n') {
		buf_c(b, "\\n");
	} else if (c == '\t') {
		buf_c(b, "\\t");
	} else {
		buf_c(b, "\\x");
		hex_add(b, str_of(&c, 1));
	}
}

/* What is not ASCII is escaped, too: a log may be read on any terminal. */
void
logval_add(struct buf *b, struct str s)
{
	size_t i = 0;

	while (i < s.n && log_plain(s.p[i]))
		i++;
	if (i == s.n && s.n > 0) {
		buf_str(b, s);
		return;
	}
	buf_char(b, '"');
	for (i = 0; i < s.n; i++)
		log_char(b, s.p[i]);
	buf_char(b, '"');
}

/*
 * Controls, line and paragraph separators, and the characters of UAX 9 that
 * reorder what stands around them ("Trojan Source", CVE-2021-42574).
 */
static bool
tty_unsafe(uint32_t c, bool multiline)
{
	if (c == '\n' || c == '\t')
		return !multiline;
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void
tty_add(struct buf *b, struct str s, bool multiline)
{
	while (s.n > 0) {
		const char *at = s.p;
		uint32_t c = utf8_next(&s);

		if (c == UTF8_BAD)
			buf_c(b, UTF8_REPLACEMENT);
		else if (tty_unsafe(c, multiline))
			buf_fmt(b, "\\u{%04X}", c);
		else
			buf_add(b, at, (size_t)(s.p - at));
	}
}
