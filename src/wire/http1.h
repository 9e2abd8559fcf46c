/*
 * http1.h: a strict HTTP/1.1 request parser (RFC 9112): bytes in, spans and
 * body pieces out.  It does no I/O, takes no memory and reads no clock.
 *
 * One message has one reading or none: a line ends with CRLF and nothing
 * else, no line folds, no space stands before a colon, a length is given
 * once and in one way, Host is there exactly once.  What is refused is
 * refused at the first byte that makes it wrong, so how the bytes were cut
 * into reads never changes the answer.
 */
#ifndef WIRE_HTTP1_H
#define WIRE_HTTP1_H

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

struct http1_span {
	uint16_t at, n;
};

struct http1_field {
	struct http1_span name, value;
};

enum http1_result {
	HTTP1_MORE, /* nothing wrong, not at the end */
	HTTP1_DONE,
	HTTP1_BAD, /* see error and why; there is no way to go on */
};

struct http1 {
	uint8_t state;
	uint8_t matched; /* bytes of "HTTP/1." seen, or of a chunk size */
	bool v10;	 /* HTTP/1.0 */
	bool close;	 /* Connection: close, or 1.0 */
	bool expect;	 /* Expect: 100-continue */
	bool chunked;
	bool has_length;
	bool tabs; /* a value holds a tab */
	bool has_host;
	uint16_t at;   /* bytes of the head read so far */
	uint16_t mark; /* where the element being read began */
	uint16_t fields_n;
	uint16_t error; /* enum err_code */
	uint16_t extra; /* bytes of chunk extensions and trailers */
	const char *why;
	struct http1_span method, target, host;
	uint64_t left; /* of the body, or of the chunk */
	struct http1_field fields[LIM_HEADERS];
};

void http1_init(struct http1 *p);
/*
 * Read on in the head.  `in` is everything received since its first byte,
 * also what was passed before.  On HTTP1_DONE p->at bytes are the head.
 */
enum http1_result http1_head(struct http1 *p, struct str in);
/* After the head: does a body follow? */
static inline bool
http1_has_body(const struct http1 *p)
{
	return p->chunked || p->left > 0;
}
/*
 * Take body bytes from the front of *in; *ret_piece is what of them is
 * content (it may be empty) until HTTP1_DONE.  Call until *in is empty or
 * the result is not HTTP1_MORE.
 */
enum http1_result http1_body(struct http1 *p, struct str *in,
    struct str *ret_piece);

/* Character classes shared with HTTP/2. */
bool http_token(struct str s);	/* RFC 9110 5.6.2, not empty */
bool http_host(struct str s);	/* RFC 9110 7.2: host and optional port */
bool http_target(struct str s); /* characters of a request target */

#endif
