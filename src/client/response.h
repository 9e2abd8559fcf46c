/*
 * response.h: a reader of one HTTP/1.1 response (RFC 9112), fed in pieces.
 *
 * It refuses what proxies and clients disagree about: bare line feeds, folded
 * or repeated framing fields, a length together with chunks, codings it did
 * not ask for.  It holds at most LIM_HEAD bytes; body bytes are handed on as
 * views of what was fed, never stored.
 */
#ifndef CLIENT_RESPONSE_H
#define CLIENT_RESPONSE_H

#include "base/arena.h"
#include "base/buf.h"

enum response_state {
	RESPONSE_IN_HEAD,
	RESPONSE_IN_BODY,  /* `left` bytes follow */
	RESPONSE_IN_CLOSE, /* body ends with the connection */
	RESPONSE_IN_SIZE,  /* line with a chunk's size */
	RESPONSE_IN_CHUNK, /* `left` bytes of a chunk follow */
	RESPONSE_IN_CRLF,  /* line end behind a chunk */
	RESPONSE_IN_TRAILER,
	RESPONSE_IN_END,
};

struct response {
	enum response_state state;
	struct arena *arena;
	struct buf line;  /* head, or one line of the chunked framing */
	uint64_t left;	  /* bytes that must still come */
	size_t trailer;	  /* bytes of trailer seen */
	unsigned interim; /* 1xx answers skipped */
	int status;
	bool keep;	 /* the connection can be used again */
	struct str type; /* content-type, without parameters, lower case */
	struct str etag;
	struct str request_id;
	struct str retry_after;
};

void response_init(struct response *w, struct arena *a);

enum response_step {
	RESPONSE_MORE,	/* everything consumed, feed again */
	RESPONSE_HEAD,	/* status and fields are there now */
	RESPONSE_PIECE, /* *ret_piece holds body bytes */
	RESPONSE_END,	/* complete; *in may hold bytes behind it */
};
/*
 * Consume from *in and say what was reached.  E_PEER with a trail when the
 * answer is not one.  Call until RESPONSE_MORE or RESPONSE_END.
 */
err response_step(struct response *w, struct str *in, struct str *ret_piece,
    enum response_step *ret, struct trail *t) MUST_USE;
/*
 * The peer closed the connection, properly (close_notify) or not.  OK when
 * that completes the answer, else E_UNAVAILABLE.
 */
err response_close(struct response *w, bool proper, struct trail *t) MUST_USE;

#endif
