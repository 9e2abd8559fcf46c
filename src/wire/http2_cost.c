/*
 * What an HTTP/2 peer may cost: token buckets for frames that carry nothing
 * and for what makes us reset streams.  An empty bucket ends the connection
 * with ENHANCE_YOUR_CALM.
 */
#include "wire/http2.h"

static void
calm(struct conn *c)
{
	if (c->closing)
		return;
	nghttp2_session_terminate_session(c->h2->s, NGHTTP2_ENHANCE_YOUR_CALM);
	c->closing = true;
	conn_dirty(c);
}

static void
spend(struct conn *c, struct bucket *b, int64_t burst, int64_t a_second)
{
	int64_t more = (c->r->now_us - b->at_us) * a_second / 1000000;

	if (more > 0) {
		b->left = b->left + more > burst ? burst : b->left + more;
		b->at_us = c->r->now_us;
	}
	if (b->left-- <= 0)
		calm(c);
}

void
h2_spend_control(struct conn *c)
{
	spend(c, &c->h2->control, CONTROL_BURST, CONTROL_A_SECOND);
}

void
h2_spend_glitch(struct conn *c)
{
	spend(c, &c->h2->glitches, GLITCH_BURST, GLITCH_A_SECOND);
}

void
h2_earn(struct conn *c, int64_t n)
{
	struct bucket *b = &c->h2->control;

	b->left = b->left + n > CONTROL_BURST ? CONTROL_BURST : b->left + n;
}
