/* mask_form.c: how programs write a text (mask_forms.def). */
#include "base/text.h"
#include "base/utf8.h"
#include "delegate/mask_inner.h"

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

static bool
in_set(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static void
hex2(struct buf *b, unsigned char c, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	buf_char(b, digits[c >> 4]);
	buf_char(b, digits[c & 15]);
}

static void
hex4(struct buf *b, unsigned v, bool upper)
{
	hex2(b, (unsigned char)(v >> 8), upper);
	hex2(b, (unsigned char)v, upper);
}

static void
form_raw(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	(void)how;
	(void)scratch;
	buf_str(b, s);
}

/* ---- digits that do not end where bytes do ---- */

/*
 * Digits of `bits` bits of a text in which s begins `skip` bytes after the
 * start of a group: those that s decides alone.
 */
static void
radix(struct buf *b, struct str s, unsigned skip, unsigned bits,
    const char *digits)
{
	uint32_t acc = 0;
	unsigned have = 0;
	size_t at = 0, first = (size_t)skip * 8;

	for (size_t i = 0; i < s.n + skip; i++) {
		uint8_t c = i < skip ? 0 : (uint8_t)s.p[i - skip];

		acc = (acc << 8 | c) & 0xffff;
		have += 8;
		while (have >= bits) {
			have -= bits;
			if (at >= first)
				buf_char(b,
				    digits[acc >> have & ((1U << bits) - 1)]);
			at += bits;
		}
	}
}

static const char base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void
form_base64(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	(void)scratch;
	radix(b, s, how & 15, 6, how >= 16 ? base64url : base64);
}

static void
form_whole(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	(void)scratch;
	if (how == 0)
		b64_add(b, s);
	else
		b64url_add(b, s);
}

static void
form_twice(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	radix(scratch, s, how >> 4, 6, base64);
	radix(b, buf_view(scratch), how & 15, 6, base64);
}

static void
form_padded(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	b64_add(scratch, s);
	radix(b, buf_view(scratch), how, 6, base64);
}

static void
form_base32(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	(void)scratch;
	radix(b, s, how & 15, 5,
	    how >= 16 ? "abcdefghijklmnopqrstuvwxyz234567"
		      : "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
}

/* ---- byte for byte ---- */

static void
form_hex(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	static const struct {
		const char *before, *between, *after;
	} marks[] = {{"", "", ""}, {"", ":", ""}, {"", "-", ""}, {"", " ", ""},
	    {"0x", ", ", ""}, {"0x", " ", ""}, {"\\x", "", ""}, {"%", "", ""},
	    {"\\u00", "", ""}, {"", ",", ""}, {"&#x", "", ";"}};
	unsigned m = how & 15;

	(void)scratch;
	for (size_t i = 0; i < s.n; i++) {
		if (i > 0)
			buf_c(b, marks[m].between);
		buf_c(b, marks[m].before);
		hex2(b, (unsigned char)s.p[i], how >= 16);
		buf_c(b, marks[m].after);
	}
}

static void
form_decimal(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	static const char *const between[] = {", ", ",", " ", ""};

	(void)scratch;
	for (size_t i = 0; i < s.n; i++) {
		if (i > 0)
			buf_c(b, between[how]);
		if (how == 3)
			buf_c(b, "&#");
		buf_u64(b, (unsigned char)s.p[i]);
		if (how == 3)
			buf_char(b, ';');
	}
}

static void
octal(struct buf *b, unsigned char c)
{
	buf_char(b, (char)('0' + (c >> 6)));
	buf_char(b, (char)('0' + (c >> 3 & 7)));
	buf_char(b, (char)('0' + (c & 7)));
}

static void
form_octal(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	(void)scratch;
	for (size_t i = 0; i < s.n; i++) {
		if (how == 0)
			buf_char(b, '\\');
		else if (i > 0)
			buf_char(b, ' ');
		octal(b, (unsigned char)s.p[i]);
	}
}

static void
form_url(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	static const char *const stay[] = {"-._~", "-._~", "-._*", "-._~!*'()",
	    "-._~!*'();/?:@&=+$,#"};

	(void)scratch;
	for (size_t i = 0; i < s.n; i++) {
		if (is_alnum(s.p[i]) || in_set(s.p[i], stay[how])) {
			buf_char(b, s.p[i]);
		} else if (how == 2 && s.p[i] == ' ') {
			buf_char(b, '+');
		} else {
			buf_char(b, '%');
			hex2(b, (unsigned char)s.p[i], how != 1);
		}
	}
}

static void
form_url2(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	form_url(scratch, s, how == 0 ? 0 : 2, NULL);
	form_url(b, buf_view(scratch), 0, NULL);
}

/* ---- JSON ---- */

enum { J_SLASH = 1, J_ASCII = 2, J_ASCII_UPPER = 3, J_HTML = 4, J_HTML2 = 5 };

static void
json_char(struct buf *b, uint32_t c, struct str as, unsigned how)
{
	static const char two[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	const char *at =
	    c < 0x80 && c != 0 ? strchr(two, (int)(unsigned char)c) : NULL;
	bool ascii = how == J_ASCII || how == J_ASCII_UPPER;
	bool upper = how == J_ASCII_UPPER || how == J_HTML2;

	if (at != NULL && *at != '\0') {
		buf_char(b, '\\');
		buf_char(b, letter[at - two]);
	} else if (c == '/' && how == J_SLASH) {
		buf_c(b, "\\/");
	} else if (c < 0x20 || (ascii && c >= 0x7f && c < 0x10000) ||
	    (how >= J_HTML && (c == '<' || c == '>' || c == '&')) ||
	    (how == J_HTML2 && c == '\'')) {
		buf_c(b, "\\u");
		hex4(b, c, upper);
	} else if (ascii && c >= 0x10000 && c != UTF8_BAD) {
		buf_c(b, "\\u");
		hex4(b, 0xd800 + ((c - 0x10000) >> 10), upper);
		buf_c(b, "\\u");
		hex4(b, 0xdc00 + ((c - 0x10000) & 0x3ff), upper);
	} else {
		buf_str(b, as);
	}
}

static void
form_json(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	(void)scratch;
	while (s.n > 0) {
		struct str before = s;
		uint32_t c = utf8_next(&s);

		json_char(b, c, str_head(before, before.n - s.n), how);
	}
}

static void
form_json2(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	form_json(scratch, s, how, NULL);
	form_json(b, buf_view(scratch), how, NULL);
}

/* ---- the rest ---- */

static void
form_html(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	static const char *const apostrophe[] = {"&#39;", "&apos;", "&#x27;",
	    "'", "&#39;", "&#x27;"};
	static const char *const quote[] = {"&quot;", "&quot;", "&#x22;", "\"",
	    "&#34;", "&quot;"};

	(void)scratch;
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
			buf_c(b, quote[how]);
			break;
		case '\'':
			buf_c(b, apostrophe[how]);
			break;
		default:
			buf_char(b, s.p[i]);
		}
	}
}

/* \n and the like; false: c is none of them. */
static bool
c_escape(struct buf *b, char c)
{
	static const char two[] = "\n\r\t", letter[] = "nrt";
	const char *at = c == '\0' ? NULL : strchr(two, c);

	if (at == NULL)
		return false;
	buf_char(b, '\\');
	buf_char(b, letter[at - two]);
	return true;
}

static void
shell_char(struct buf *b, char c, unsigned how)
{
	bool odd = (unsigned char)c < 0x20 || (unsigned char)c >= 0x7f;

	if (how == 0 && c == '\'') {
		buf_c(b, "'\\''");
	} else if (how == 1 && c == '\'') {
		buf_c(b, "'\"'\"'");
	} else if (how == 4 && odd) {
		if (!c_escape(b, c)) {
			buf_char(b, '\\');
			octal(b, (unsigned char)c);
		}
	} else {
		if ((how == 2 && !odd && !is_alnum(c) &&
			!in_set(c, "-_./:=@%+,")) ||
		    (how == 3 && in_set(c, "\"\\$`")) ||
		    (how == 4 && in_set(c, "'\\")))
			buf_char(b, '\\');
		buf_char(b, c);
	}
}

static void
form_shell(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	(void)scratch;
	for (size_t i = 0; i < s.n; i++)
		shell_char(b, s.p[i], how);
}

static void
form_python(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	(void)scratch;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '\\' || (c == '\'' && how != 2) ||
		    (c == '"' && how == 2)) {
			buf_char(b, '\\');
			buf_char(b, s.p[i]);
		} else if (c_escape(b, s.p[i])) {
			continue;
		} else if (c < 0x20 || c == 0x7f || (c > 0x7f && how > 0)) {
			buf_c(b, "\\x");
			hex2(b, c, false);
		} else {
			buf_char(b, s.p[i]);
		}
	}
}

static void
unit16(struct buf *b, unsigned v, bool high_first)
{
	char high = (char)(v >> 8), low = (char)v;

	buf_char(b, high_first ? high : low);
	buf_char(b, high_first ? low : high);
}

static void
form_utf16(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	(void)scratch;
	while (s.n > 0) {
		unsigned char byte = (unsigned char)s.p[0];
		uint32_t c = utf8_next(&s);

		if (c == UTF8_BAD) /* then it is read as Latin-1 */
			c = byte;
		if (c < 0x10000) {
			unit16(b, c, how == 1);
		} else {
			unit16(b, 0xd800 + ((c - 0x10000) >> 10), how == 1);
			unit16(b, 0xdc00 + ((c - 0x10000) & 0x3ff), how == 1);
		}
	}
}

static void
form_turned(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	(void)how;
	(void)scratch;
	for (size_t i = s.n; i > 0; i--)
		buf_char(b, s.p[i - 1]);
}

static void
form_case(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	char from = how == 0 ? 'a' : 'A', to = how == 0 ? 'z' : 'Z';

	(void)scratch;
	for (size_t i = 0; i < s.n; i++)
		buf_char(b,
		    s.p[i] >= from && s.p[i] <= to ? (char)(s.p[i] ^ 0x20)
						   : s.p[i]);
}

static void
form_rot13(struct buf *b, struct str s, unsigned how, struct buf *scratch)
{
	(void)how;
	(void)scratch;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i], low = (char)(c | 0x20);

		if (low >= 'a' && low <= 'z')
			c = (char)(low <= 'm' ? c + 13 : c - 13);
		buf_char(b, c);
	}
}

static const struct {
	void (*make)(struct buf *, struct str, unsigned, struct buf *);
	unsigned how;
} forms[] = {
#define FORM(fn, how, what) {fn, how},
#include "delegate/mask_forms.def"
#undef FORM
};

bool
mask_form(size_t i, struct str s, struct buf *scratch, struct buf *b)
{
	if (i >= sizeof forms / sizeof *forms)
		return false;
	buf_clear(b);
	buf_clear(scratch);
	forms[i].make(b, s, forms[i].how, scratch);
	return true;
}

bool
mask_form_is_raw(size_t i)
{
	return forms[i].make == form_raw;
}

bool
mask_form_is_hex(size_t i)
{
	return forms[i].make == form_hex && (forms[i].how & 15) == 0;
}
