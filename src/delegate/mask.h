/*
 * mask.h: secrets out of a step's output, before anybody keeps it.
 *
 * Every secret is looked for as it is and in the spellings programs give it
 * (mask_forms.def: base64 at each alignment, hex, percent, JSON, HTML, shell,
 * UTF-16, reversed and so on), across every way to cut the stream into
 * writes, and once more with white space and terminal sequences taken out.
 * Of secrets of 24 bytes or more any 12 bytes in a row are enough.  What is
 * found becomes ***.
 *
 * This guards against accidents.  A hostile step can always invent a
 * spelling nobody looks for (compression, a cipher); against it helps only
 * that it never gets the secret (broker.h).
 *
 * A secret under MASK_MIN bytes cannot be masked, for it would hide ordinary
 * text: it is refused, and so is a step that wants one.  So is one that is
 * mostly one byte.
 */
#ifndef DELEGATE_MASK_H
#define DELEGATE_MASK_H

#include "base/buf.h"

enum {
	MASK_MIN = 8,
	MASK_MAX = 16384,	       /* bytes of one secret */
	MASK_SECRETS = 64,	       /* of one set */
	MASK_MEMORY = 16 * 1024 * 1024 /* one set, with a stream of it */
};

/* The secrets of one step, made ready to be looked for. */
struct mask_set;

/* E_INVALID: one cannot be masked (the trail says which by number, from 1,
 * and why); E_LIMIT: they are too many or too long. */
err mask_set_new(const struct str *secrets, size_t n, struct trail *t,
    struct mask_set **ret) MUST_USE;
struct mask_set *mask_set_free(struct mask_set *s); /* wipes */
size_t mask_set_memory(const struct mask_set *s);   /* bytes it takes */

/* One stream of output. */
struct masker;

/* set lives longer than it. */
err masker_new(const struct mask_set *set, struct masker **ret) MUST_USE;
struct masker *masker_free(struct masker *m); /* wipes */
/*
 * in, masked, is added to out: as much of all input so far as is sure; what
 * may be the beginning of a secret waits for the next call.
 */
void mask_add(struct masker *m, struct str in, struct buf *out);
/* There is no more: the rest is added. */
void mask_end(struct masker *m, struct buf *out);

/* One text that is all there. */
err mask_text(const struct mask_set *set, struct str in,
    struct buf *out) MUST_USE;

#endif
