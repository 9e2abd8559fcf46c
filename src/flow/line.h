/*
 * line.h: START HERE.  The line every request walks: flow.def in code.
 *
 *	wire hook -> line_request (reactor)
 *		route, auth, access, shape
 *		handle: here, or line_read (reader), or line_write (writer)
 *		record: writer
 *	-> line_answer
 */
#ifndef FLOW_LINE_H
#define FLOW_LINE_H

#include "flow/call.h"

/* A complete request, on the lane of its reactor. */
void line_request(struct lane *l, struct exchange *x);
/* From time to time on the lane of a reactor: what is over is let go, also
 * when nobody asks. */
void line_tick(struct lane *l);
/* E_MEDIA_TYPE unless the body is of that type, in UTF-8, as it is. */
err line_content_type(struct call *c, struct str want) MUST_USE;
/* Body bytes this request may have, judged by its head. */
size_t line_body_cap(const struct http_request *head);

/* Who and may they, once more: by the writer when the world has changed since,
 * so the queued request of a revoked token does nothing. */
err line_recheck(struct call *c) MUST_USE;
/* A change that a run makes, in the writer: body, rights and handler as if it
 * had been asked for; the credential was checked when the run began. */
err line_inside(struct call *c) MUST_USE;
/* The route's handler; an answer that no resource was asked about for is not
 * one for who may see some resources only. */
err line_handle(struct call *c) MUST_USE;
/* Was e a refusal to this caller, so that it must be on record? From here
 * on the record says so, also when a guard and no decision refused. */
bool line_denied(struct call *c, err e);
/* Reader lane: handle, then on to the record step. */
void line_read(struct lane *l, struct call *c);
/* A SLOW route's first half; then on to the writer. */
void line_slow(struct lane *l, struct call *c);
/* The last step: send what was rendered, or the problem. */
void line_answer(struct call *c);
/* A complete request to a server that is sealed: alive, and nothing else. */
void line_sealed(struct exchange *x);
/* The problem document of an error. */
void line_problem(struct buf *b, err e, const struct trail *t,
    const char *request_id);
/* Make the answer of c the problem document of e. */
void line_fail(struct call *c, err e);

#endif
