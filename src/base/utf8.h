/*
 * utf8.h: UTF-8 as RFC 3629 has it: no overlong forms, no surrogates,
 * nothing above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/str.h"

/* The replacement character and what utf8_next says of a bad byte. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"
#define UTF8_BAD UINT32_MAX

/* Is all of s valid UTF-8 (no overlong forms, no surrogates, <= 10FFFF)? */
bool utf8_valid(struct str s);
/* Bytes of the valid character s starts with; 0 when there is none. */
size_t utf8_char(struct str s);
/* How many characters a valid s has. */
size_t utf8_count(struct str s);
/* Take the first character off a non-empty s; UTF8_BAD takes one byte. */
uint32_t utf8_next(struct str *s);

/*
 * Bytes s starts with that are printable ASCII (0x20 to 0x7f, DEL counted)
 * other than " and \: what JSON copies as it is.  Eight bytes at a time.
 */
size_t utf8_plain(struct str s);

#endif
