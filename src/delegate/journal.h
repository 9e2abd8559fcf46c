/*
 * journal.h: what was started here, for ever (or as long as it matters): a
 * task is begun at most once, whatever a server says and whatever the clock
 * does, through crashes and restarts.
 *
 * One line for each task, "started <task> <fence> <expires>", on the disk
 * before the step begins.  A line that was cut by a crash is of a step that
 * did not begin, and is taken away.  When the journal is full, what expired a
 * day ago makes room: no signature on it is believed any more.
 */
#ifndef DELEGATE_JOURNAL_H
#define DELEGATE_JOURNAL_H

#include "base/id.h"
#include "delegate/reasons.h"

struct journal;

/* E_CORRUPT: it has a line that is none, with a trail; E_IO. */
err journal_open(int dir, int64_t now, struct trail *t,
    struct journal **ret) MUST_USE;
struct journal *journal_close(struct journal *j); /* NULL in, NULL out */

/* May it be begun?  Remembers the fence, in memory. */
enum reason journal_offered(struct journal *j, const struct uuid *task,
    uint64_t fence, int64_t expires, int64_t now);
/* It is to begin now: OK once that is on the disk.  E_EXISTS: it was begun
 * before; E_LIMIT: the journal is full. */
err journal_started(struct journal *j, const struct uuid *task, uint64_t fence,
    int64_t expires, int64_t now) MUST_USE;
size_t journal_size(const struct journal *j); /* tasks it knows */

#endif
