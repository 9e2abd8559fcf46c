/*
 * feed.h: server-sent events, the client's side (WHATWG HTML 9.2.6).  Bytes
 * go in as they come, whole events come out.  One event may hold at most
 * FEED_EVENT bytes; more is E_PEER.
 */
#ifndef CLI_FEED_H
#define CLI_FEED_H

#include "base/buf.h"

enum { FEED_EVENT = 1024 * 1024, FEED_ID = 256 };

struct feed {
	struct buf line;       /* the line being read */
	struct buf data, type; /* of the event being read */
	char id[FEED_ID];      /* of the last whole event */
	size_t id_n;
	char next[FEED_ID]; /* its successor's, until that is whole */
	size_t next_n;
	bool started; /* a byte order mark can only stand at the start */
	bool cr;      /* the last line ended in \r; a \n belongs to it */
	bool given;   /* data and type were handed out */
};

struct feed_event {
	struct str type; /* "message" when the server named none */
	struct str data;
	struct str id; /* last event id, possibly from an earlier event */
};

void feed_start(struct feed *f);
void feed_done(struct feed *f);
/* Begin behind the event of that id; false: it cannot be one. */
bool feed_after(struct feed *f, struct str id);
/* Forget a half-read event (the connection broke), keep the id. */
void feed_restart(struct feed *f);
/*
 * Consume from *in up to the end of one event; *ret_got tells whether there
 * was one.  The views live until the next call.
 */
err feed_next(struct feed *f, struct str *in, struct feed_event *ret,
    bool *ret_got, struct trail *t) MUST_USE;

#endif
