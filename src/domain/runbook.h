/*
 * runbook.h: a runbook's document: read, checked as a whole, and as a tree of
 * steps.  Pure.  The schema is doc/runbooks.md; its members are listed in
 * runbook.def.
 *
 * What was accepted needs no second look: ids are unique, references point to
 * inputs that exist and to steps that come before, types fit, no selector is
 * empty, bounds of limits.def hold.  A refusal names where: "steps[3].retry.
 * times: 0 to 10".
 */
#ifndef DOMAIN_RUNBOOK_H
#define DOMAIN_RUNBOOK_H

#include "domain/condition.h"
#include "domain/selector.h"
#include "domain/value.h"

enum runbook_context {
	CONTEXT_ANY, /* with an incident, an alert or neither */
	CONTEXT_INCIDENT,
	CONTEXT_ALERT,
	CONTEXT_NONE,
};
struct str runbook_context_text(enum runbook_context c);

enum step_kind {
	STEP_SCRIPT,
	STEP_HTTP,
	STEP_MANUAL,
	STEP_APPROVAL,
	STEP_INCIDENT,
	STEP_WAIT,
	STEP_CONDITION,
	STEP_PARALLEL,
};
struct str step_kind_text(enum step_kind k);

enum on_failure { FAILURE_STOP, FAILURE_CONTINUE, FAILURE_UNDO };
enum on_limit { LIMIT_QUEUE, LIMIT_REFUSE };

struct input {
	struct str name, description;
	enum value_type type;
	bool required;
	const struct json *fallback;  /* "default"; NULL */
	const struct json *one_of;    /* "enum": array; NULL */
	const struct json *min, *max; /* integers as JSON; NULL */
	int64_t max_length;	      /* bytes of a text, items; 0: none */
};

/* What a step gives, and from where in an http answer. */
struct output {
	struct str name;
	enum value_type type;
	struct str pointer; /* http: JSON pointer */
};

/* An output of the whole run. */
struct result {
	struct str name;
	enum value_type type;
	const struct value *value;
};

struct named_value {
	struct str name;
	const struct value *value;
};

/* "name" or "name@version". */
struct secret_ref {
	struct str name;
	uint32_t version; /* 0: the current one */
};

struct person {
	bool group;    /* else a user */
	struct str id; /* uuid, as written */
};

/* 0: what the delegate's policy says. */
struct step_limits {
	uint32_t wall_s, cpu_s, memory_mb, pids, work_mb, output_kb;
};

struct retry {
	uint32_t times, backoff_s, factor, max_s;
};

struct step;

/* Steps that run one after the other. */
struct block {
	const struct step *const *steps;
	size_t n;
};

struct step_script {
	struct str interpreter, script;
	const struct value *args;
	size_t args_n;
	const struct named_value *env;
	size_t env_n;
	const struct secret_ref *secrets;
	size_t secrets_n;
	const struct str *connectors; /* slugs: where it may connect to */
	size_t connectors_n;
	struct step_limits limits;
};

struct step_http {
	struct str connector, action;
	const struct named_value *params;
	size_t params_n;
};

struct step_manual {
	struct str instructions;
	bool assigned;
	struct person assignee;
};

struct step_approval {
	struct str message;
	uint32_t count, expires_s;
	const struct person *approvers; /* n 0: whoever may approve */
	size_t approvers_n;
};

struct step_incident {
	const struct named_value *set; /* "severity", "fields.x" */
	size_t set_n;
	const struct value *timeline; /* NULL: no entry */
	bool key_event;
	struct str transition; /* empty: none */
};

struct step_condition {
	const struct cond *when;
	struct block then, otherwise;
};

struct step_parallel {
	const struct block *branches;
	size_t branches_n;
	bool fail_first; /* else all */
};

enum { STEP_NONE = 0xffff };

struct step {
	uint16_t index;	 /* in runbook.steps, document order, undo included */
	uint16_t parent; /* the step it stands in; STEP_NONE */
	bool in_undo;	 /* part of an undo block */
	enum step_kind kind;
	struct str id, name;
	struct str path;	    /* "steps[3].then[0]", for messages */
	const struct cond *only_if; /* "if"; NULL: always */
	uint32_t timeout_s;	    /* with the kind's default */
	struct retry retry;
	enum on_failure on_failure;
	struct block undo;
	bool idempotent;
	const struct output *outputs; /* script, http */
	size_t outputs_n;
	bool selects; /* script: always; http: when it says so */
	struct selector delegates;
	union {
		struct step_script script;
		struct step_http http;
		struct step_manual manual;
		struct step_approval approval;
		struct step_incident incident;
		uint32_t wait_s;
		struct step_condition condition;
		struct step_parallel parallel;
	};
};

struct runbook {
	struct str slug, name, description;
	enum runbook_context context;
	const struct str *incident_types;
	size_t incident_types_n;
	bool pinned;
	const struct input *inputs;
	size_t inputs_n;
	const struct result *outputs;
	size_t outputs_n;
	uint32_t approvals; /* needed to publish */
	uint32_t limit;	    /* runs at a time; 0: any number */
	enum on_limit on_limit;
	uint32_t timeout_s;
	struct block main;
	const struct step *const *steps; /* all, by index */
	size_t steps_n;
};

/*
 * Views into doc, which must outlive *ret.  E_UNKNOWN_MEMBER, E_MISSING,
 * E_INVALID, E_TOO_MANY, E_TOO_LARGE, E_NO_MEMORY; the trail begins with the
 * path of what was refused.
 */
err runbook_parse(const struct json *doc, struct arena *a, struct trail *t,
    const struct runbook **ret) MUST_USE;

/* NULL when there is none. */
const struct step *runbook_step(const struct runbook *rb, struct str id);
const struct input *runbook_input(const struct runbook *rb, struct str name);

/* ^[a-z0-9][a-z0-9-]{1,62}$, and no uuid */
bool runbook_slug_valid(struct str s);

/*
 * The inputs of a run: each given one is declared and fits, required ones are
 * there, defaults are filled in.  given may be NULL.  Writes an object.
 */
err runbook_inputs(const struct runbook *rb, const struct json *given,
    struct trail *t, struct buf *out) MUST_USE;

/*
 * What a script or http step is given, as it stands in the task's envelope:
 * {"args":[text..],"env":{name:text}} or {"params":{name:any}}.  A null
 * argument fails, a null variable or parameter is left out.
 */
err step_values(const struct step *s, const struct scope *scope,
    struct arena *a, struct trail *t, struct buf *out) MUST_USE;

/*
 * Could step_values have made these of this document?  Literals are equal,
 * literal pieces of a concat are there in order, inputs keep what the
 * document declares about them, nothing is more and nothing less.
 */
bool step_values_match(const struct runbook *rb, const struct step *s,
    const struct json *values);

/* Does an ended step's {"name":value} have all outputs that the document
 * names, of their types, and no other?  E_INVALID with a trail. */
err step_outputs_check(const struct step *s, const struct json *outputs,
    struct trail *t) MUST_USE;

#endif
