/*
 * page.h: the web UI's files (ui/ui.h), which anybody may have: no data of
 * anybody is in them, so nobody is asked and nothing is recorded (ADR 0044).
 * They need no keys, no store and no other thread.
 */
#ifndef FLOW_PAGE_H
#define FLOW_PAGE_H

#include "wire/wire.h"

/* Answer x, if it asks (GET or HEAD) for a file or a page of the UI: true.
 * A request with a token in its address is not answered here: the line
 * revokes it. */
bool page_answer(struct exchange *x);

#endif
