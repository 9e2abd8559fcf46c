/*
 * envelope.h: a task, from sealed bytes to something that may be run.  All of
 * PROTOCOL.delegate 6 is here, in that order; the server is not believed in
 * anything.  Pure but for the witness's and the journal's memory: nothing is
 * started and nothing is sent.
 *
 *	envelope_open	 sealed to us, signed by the keeper, for us, fresh
 *	envelope_check	 approved in the log, as approved, allowed here
 *	envelope_secrets opened, just before the step begins
 */
#ifndef DELEGATE_ENVELOPE_H
#define DELEGATE_ENVELOPE_H

#include "audit/note.h"
#include "base/id.h"
#include "base/json.h"
#include "delegate/journal.h"
#include "delegate/policy.h"
#include "domain/connector.h"
#include "domain/runbook.h"

/* How far a clock may be behind the server's, and how long a task is good. */
enum { TASK_SKEW_MS = 60000, TASK_LIFE_MS = 600000 };

/* What was pinned when the delegate was enrolled. */
struct pinned {
	struct str delegate, project; /* ids, as text */
	struct note_key log;
	uint8_t task_key[32];
	const struct secret *sealing;
};

/* What the lease answer says, before anything of it is believed. */
struct offer {
	struct str task; /* id, as text */
	uint64_t fence;
	struct str sealed;
	struct checkpoint point; /* of the answer; it was witnessed */
};

struct task_connector {
	struct str id, slug, document;
	struct connector c;
	bool of_step; /* the step names it; else a secret needs it */
};

struct task_secret {
	struct str name;
	struct str data, box; /* sealed; empty when external */
	bool external;
	struct str connector, path, field; /* external */
	bool of_step;	  /* the script reads it; else a connector needs it */
	struct str value; /* envelope_secrets; wiped with the arena's owner */
};

enum { TASK_CONNECTORS = 32, TASK_SECRETS = 64 };

/* Views into the arena it was opened in. */
struct task {
	struct arena *arena;
	struct uuid id;
	struct str id_text, run, project_slug, step_id;
	uint64_t fence, attempt;
	int64_t issued, expires;
	const struct json *json; /* the envelope */
	struct str digest;	 /* of the runbook's document */
	const struct runbook *runbook;
	const struct step *step;
	const struct json *values, *inputs; /* inputs may be NULL */
	struct task_connector connector[TASK_CONNECTORS];
	size_t connectors;
	struct task_secret secret[TASK_SECRETS];
	size_t secrets;
};

/* Steps 1 to 4. */
enum reason envelope_open(const struct pinned *p, const struct offer *o,
    int64_t now, struct arena *a, struct task *ret);
/* The rest but the journal and the secrets.  The trail says more than the
 * reason, for the log. */
enum reason envelope_check(const struct pinned *p, const struct offer *o,
    const struct policy *policy, int64_t now, struct task *t,
    struct trail *trail);
/*
 * The values of the secrets that are not external, in pages of their own
 * (mem_pages_new) that the caller gives back.  *ret_pages may be NULL.
 */
enum reason envelope_secrets(const struct pinned *p, struct task *t,
    void **ret_pages, size_t *ret_n);

/* The parts of envelope_check, one noun each. */
enum reason task_approvals(const struct pinned *p, const struct offer *o,
    struct task *t, struct trail *trail);
enum reason task_connectors(struct task *t, const struct policy *policy,
    int64_t now, struct trail *trail);
enum reason task_secrets(struct task *t, struct trail *trail);
enum reason task_values(const struct task *t);
enum reason task_selector(const struct task *t, const struct policy *policy);
enum reason task_policy(const struct task *t, const struct policy *policy,
    struct trail *trail);

/* hex(SHA-256(s)), 64 characters in the arena. */
struct str task_digest(struct arena *a, struct str s);
const struct task_connector *task_connector(const struct task *t,
    struct str slug);

#endif
