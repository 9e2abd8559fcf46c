/*
 * envelope.h: the text of a task as the keeper signs it and a delegate
 * verifies it: doc/PROTOCOL.delegate 5.
 */
#ifndef FLOW_ENVELOPE_H
#define FLOW_ENVELOPE_H

#include "audit/tree.h"
#include "flow/secrets.h"
#include "flow/task_job.h"

struct envelope_connector {
	struct uuid id;
	uint32_t version;
	struct str slug, digest, document;
};

struct envelope_approval {
	uint64_t seq;
	struct str leaf;
	struct hash_list proof;
};

struct envelope {
	struct str log; /* origin */
	const struct task_row *task;
	const struct task_job *job;
	struct uuid project;
	struct str project_slug;
	int64_t issued, expires;
	struct str digest, document; /* of the runbook's version */
	const struct envelope_connector *connectors;
	size_t connectors_n;
	const struct secret_use *secrets;
	size_t secrets_n;
	const struct envelope_approval *approvals;
	size_t approvals_n;
	struct str checkpoint;
};

/* Canonical JSON; task->delegate and task->fence are of this lease. */
err envelope_text(const struct envelope *e, struct buf *b) MUST_USE;
/* Signed by the keeper and sealed to the delegate. */
err envelope_seal(struct lane *l, const struct envelope *e,
    const struct delegate *to, struct arena *a, struct buf *ret) MUST_USE;

/*
 * All of it for one queued task, from what is approved now.  E_UNAVAILABLE:
 * an approval is in no checkpoint yet; one is asked for.  E_NOT_FOUND,
 * E_CONNECTOR, E_SECRET, E_INVALID: what it needs is not there or may not be
 * used, the trail says what.
 */
err envelope_build(struct lane *l, const struct task_row *r,
    const struct delegate *to, int64_t now, struct arena *a, struct trail *t,
    struct buf *ret) MUST_USE;

#endif
