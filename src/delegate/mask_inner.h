/* mask_inner.h: between the files of the masker. */
#ifndef DELEGATE_MASK_INNER_H
#define DELEGATE_MASK_INNER_H

#include "delegate/mask.h"

enum {
	FORM_GROWTH = 8, /* a form's bytes for one of the secret, at most */
	FORM_EXTRA = 64, /* and on top */
	PATTERN_MIN = 8, /* shorter ones hide ordinary text */
	PATTERN_MAX = 127,
	PIECE = 64,	  /* longer forms are looked for in such pieces */
	FRAGMENT = 12,	  /* bytes of a secret that are enough ... */
	FRAGMENT_OF = 24, /* ... when it has so many */
	BLOCK_MIX = 3,
};

/* mask_form.c: spelling i of s, into b (emptied first); false: no more. */
bool mask_form(size_t i, struct str s, struct buf *scratch, struct buf *b);
bool mask_form_is_raw(size_t i);
bool mask_form_is_hex(size_t i); /* two digits a byte, nothing between */

/* ---- mask_squeeze.c: without white space and terminal sequences ---- */

enum squeeze_state { SQ_TEXT, SQ_ESC, SQ_CSI, SQ_OSC, SQ_OSC_ESC };

struct squeeze {
	enum squeeze_state state;
	unsigned n; /* bytes of the sequence so far */
};

/*
 * Copy what stays of in to out, and where it stood (counted from at) to pos.
 * Room for in.n of both; pos may be NULL.  Returns how much stays.
 */
size_t mask_squeeze(struct squeeze *q, struct str in, uint32_t at, char *out,
    uint32_t *pos);

/* ---- mask_index.c: many patterns, looked for at once ---- */

struct pattern {
	const char *p;
	uint32_t next; /* with the same first 8 bytes, + 1 */
	uint32_t n;
};

/*
 * Wu and Manber's: a table says how far the next pattern cannot begin, by the
 * three bytes that end a window of eight; where it says nothing, patterns
 * with the same eight bytes are compared.
 */
struct mask_index {
	struct pattern *pattern;
	size_t n, max;
	uint32_t *head; /* by the first 8 bytes, + 1 */
	uint8_t *shift; /* by 3 bytes */
	uint8_t *begin; /* bits: may these 1 to 7 bytes begin a pattern? */
	unsigned head_bits, shift_bits;
};

enum { BEGIN_BITS = 17 };

/* Bytes of memory an index of so many patterns needs, and making it there
 * (zeroed). */
size_t mask_index_size(size_t patterns);
void mask_index_init(struct mask_index *x, size_t patterns, char *memory);
void mask_index_add(struct mask_index *x, const char *p, size_t n);

/*
 * Patterns in s from *at on.  found is called for each (of several at one
 * place, for the longest).  *at is left where a pattern may begin that s does
 * not show whole, or at the end of s; when s is the end, there.
 */
void mask_index_scan(const struct mask_index *x, struct str s, bool end,
    size_t *at, void (*found)(void *ctx, size_t from, size_t n), void *ctx);

/* ---- mask_set.c ---- */

struct mask_set {
	struct mask_index index[2]; /* of the text, of what is squeezed */
	char *memory;
	size_t size;
	bool empty;
};

#endif
