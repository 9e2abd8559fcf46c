#include "delegate/mask_inner.h"

enum { ESC = 0x1b, BEL = 7, LONGEST = 4096 };

static bool
is_space(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Does c, after ESC, begin a text that a terminal does not show? */
static bool
begins_text(unsigned char c)
{
	return c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_';
}

static enum squeeze_state
after_esc(unsigned char c)
{
	if (c == '[')
		return SQ_CSI;
	if (begins_text(c))
		return SQ_OSC;
	return c >= 0x20 && c < 0x30 ? SQ_ESC : SQ_TEXT;
}

/* Is c part of the sequence?  The state becomes the one after it. */
static bool
sequence(struct squeeze *q, unsigned char c)
{
	bool mine = true;

	switch (q->state) {
	case SQ_TEXT:
		mine = false;
		break;
	case SQ_ESC:
		mine = c >= 0x20 && c < 0x7f;
		q->state = mine ? after_esc(c) : SQ_TEXT;
		break;
	case SQ_CSI:
		mine = c >= 0x20 && c < 0x7f;
		if (!mine || c >= 0x40)
			q->state = SQ_TEXT;
		break;
	case SQ_OSC:
		if (c == BEL)
			q->state = SQ_TEXT;
		else if (c == ESC)
			q->state = SQ_OSC_ESC;
		break;
	case SQ_OSC_ESC:
		q->state = c == '\\' ? SQ_TEXT : after_esc(c);
		break;
	}
	if (++q->n > LONGEST)
		q->state = SQ_TEXT;
	return mine;
}

size_t
mask_squeeze(struct squeeze *q, struct str in, uint32_t at, char *out,
    uint32_t *pos)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];

		if (q->state != SQ_TEXT && sequence(q, c))
			continue;
		if (c == ESC) {
			*q = (struct squeeze){SQ_ESC, 1};
			continue;
		}
		/* Written always, kept when it stays: no branch. */
		out[n] = (char)c;
		if (pos != NULL)
			pos[n] = at + (uint32_t)i;
		n += !is_space(c);
	}
	return n;
}
