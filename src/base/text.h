/*
 * text.h: encodings.  Decoders are strict: no white space, no missing or
 * extra padding, no non-zero trailing bits; what decodes encodes back to the
 * same bytes.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/arena.h"
#include "base/buf.h"

void hex_add(struct buf *b, struct str bytes); /* lower case */
/* ret gets in.n / 2 bytes; false on odd length or a non-hex digit. */
bool hex_decode(struct str in, void *ret, size_t ret_n);

void b64_add(struct buf *b, struct str bytes);	  /* RFC 4648 4, padded */
void b64url_add(struct buf *b, struct str bytes); /* RFC 4648 5, unpadded */
bool b64_decode(struct arena *a, struct str in, struct str *ret);
bool b64url_decode(struct arena *a, struct str in, struct str *ret);

/* 0-9A-Za-z, most significant first, left padded with '0' to width. */
void base62_add(struct buf *b, uint64_t v, unsigned width);
bool base62_decode(struct str in, uint64_t *ret);
uint32_t crc32_ieee(struct str s);

/* Percent-decoding of one path segment or query value ('+' stays '+'; forms
 * are flow/form.h's).  E_BAD_REQUEST: a broken escape, %00, invalid UTF-8. */
err url_decode(struct arena *a, struct str in, struct str *ret) MUST_USE;
/* Everything but unreserved characters becomes %XX. */
void url_encode(struct buf *b, struct str s);
/* name=value of a form, percent-encoded, behind what is there. */
void form_add(struct buf *b, const char *name, struct str value);

/* Text in HTML, between tags or in a quoted attribute: & < > " ' escaped. */
void html_add(struct buf *b, struct str s);

/* One CSV field: quoted when needed (RFC 4180) and with a ' before it when a
 * spreadsheet would take it for a formula (= + - @ tab CR) or it begins with
 * one, so that who takes one ' away has the value. */
void csv_add(struct buf *b, struct str s);
/* A value of a key=value log line: quoted when needed, controls escaped. */
void logval_add(struct buf *b, struct str s);
/*
 * Text for a terminal: control characters (ESC included), C1 controls and
 * bidirectional overrides and isolates are shown as \u{XXXX}; newline and
 * tab stay only if multiline.
 */
void tty_add(struct buf *b, struct str s, bool multiline);

#endif
