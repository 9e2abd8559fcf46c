/*
 * answer.h: one HTTP/1.1 answer, as much of RFC 9112 as an identity provider
 * needs.  Pure.
 *
 * Taken: status 200; Content-Type application/json or a type that ends in
 * +json; a body whose end is known, by Content-Length or by chunked coding
 * without extensions and trailers.  Refused: every other status (1xx and
 * redirects too), every content or transfer coding, both lengths at once,
 * anything twice, bare line feeds, folded lines, control characters, a byte
 * behind the body.  Cookies and all other fields are not looked at.
 */
#ifndef EGRESS_ANSWER_H
#define EGRESS_ANSWER_H

#include "base/buf.h"
#include "base/limits.h"
#include "ipc/idp.h"

/* What has come so far. More than this is IDP_TOO_BIG: chunks may cost as
 * much as they carry. */
enum { ANSWER_RAW = LIM_IDP_HEAD + 2 * LIM_IDP_BODY };

/*
 * in: all that has come.  IDP_OK with *ret_done false: more is needed.
 * body (empty, at most LIM_IDP_BODY) is filled when done.  ret_status: of the
 * status line, 0 until it is there; for the log.
 */
enum idp_status answer_read(struct str in, struct buf *body, bool *ret_done,
    int *ret_status);

#endif
