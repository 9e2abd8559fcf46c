/*
 * answer.h: one HTTP/1.1 answer, as much of RFC 9112 as a service needs that
 * is asked one question.  Pure.
 *
 * Taken: a body whose end is known, by Content-Length or by chunked coding
 * without extensions and trailers, or that cannot be (204, 304); 100 and 103
 * before it are skipped.  Refused: every content or transfer coding, both
 * lengths at once, anything twice, bare line feeds, folded lines, control
 * characters, a byte behind the body.  Cookies and all other fields are not
 * looked at.
 */
#ifndef EGRESS_ANSWER_H
#define EGRESS_ANSWER_H

#include "base/buf.h"
#include "base/limits.h"
#include "egress/reach.h"
#include "ipc/idp.h"

struct answer_rules {
	size_t head, body; /* bytes of each, at most */
	/* 200 and application/json or a type that ends in +json, or nothing */
	bool json_only;
	bool no_body; /* HEAD was asked */
};

struct answer {
	int status;	  /* of the status line; 0 until it is there */
	bool json;	  /* so the type says */
	int64_t retry_ms; /* Retry-After in seconds; 0: none */
};

/*
 * in: all that has come.  WEB_OK with *ret_done false: more is needed.
 * body (empty, at most rules->body) is filled when done.
 */
enum web_end answer_take(struct str in, const struct answer_rules *rules,
    struct buf *body, bool *ret_done, struct answer *ret);
/* The most that may come: chunks may cost as much as they carry. */
size_t answer_raw(const struct answer_rules *rules);

/* ---- of an identity provider ---- */

extern const struct answer_rules answer_idp;

enum { ANSWER_RAW = LIM_IDP_HEAD + 2 * LIM_IDP_BODY };

/* answer_take with these rules, and its end as ipc/idp.def has it. */
enum idp_status answer_read(struct str in, struct buf *body, bool *ret_done,
    int *ret_status);
enum idp_status answer_end(enum web_end e);

#endif
