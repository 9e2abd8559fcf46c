/*
 * runbook_read.h: the reader of runbook.h, for its own files.
 */
#ifndef DOMAIN_RUNBOOK_READ_H
#define DOMAIN_RUNBOOK_READ_H

#include "base/limits.h"
#include "domain/document.h"
#include "domain/runbook.h"

struct runbook_reader {
	struct document d; /* ctx is this reader */
	struct runbook *rb;
	struct step **steps; /* read so far, LIM_RUNBOOK_STEPS of room */
	size_t n;
	/* Steps whose outputs exist where we are. */
	bool before[LIM_RUNBOOK_STEPS];
	unsigned depth;
	uint16_t parent;
	bool in_undo;
};

/* Objects whose members runbook.def lists. */
enum owner {
	OWN_RUNBOOK,
	OWN_INPUT,
	OWN_RESULT,
	OWN_APPROVALS,
	OWN_CONCURRENCY,
	OWN_STEP,
	OWN_RETRY,
	OWN_SCRIPT,
	OWN_LIMITS,
	OWN_OUTPUT,
	OWN_POINTED,
	OWN_HTTP,
	OWN_MANUAL,
	OWN_APPROVAL,
	OWN_PERSON,
	OWN_INCIDENT,
	OWN_WAIT,
	OWN_CONDITION,
	OWN_PARALLEL,
	OWN_TRIGGER,
	OWN_GUARD,
	OWN_NOTHING,
};

/* Is j an object with the members of `owner` (and of `also`), each of its
 * shape, none unknown, none missing? */
err members_check(struct document *d, const struct at *at, const struct json *j,
    enum owner owner, enum owner also) MUST_USE;

/* After members_check: what is there, or what stands for absence. */
uint32_t member_u32(const struct json *j, const char *name, uint32_t absent);
bool member_bool(const struct json *j, const char *name, bool absent);
struct str member_str(const struct json *j, const char *name);

/* ^[a-z][a-z0-9_]{0,62}$ */
bool ident_valid(struct str s);

/* The list at `name` of j, which may be absent. */
err block_parse(struct runbook_reader *r, const struct at *at,
    const struct json *list, struct block *ret) MUST_USE;
/* script, http, manual, approval, incident, wait; members are checked. */
err step_parse_leaf(struct runbook_reader *r, const struct at *at,
    const struct json *j, struct step *s) MUST_USE;
/* An output's name and type. */
err output_head(struct document *d, const struct at *at, const struct json *j,
    struct str *ret_name, enum value_type *ret_type) MUST_USE;
/* Does j fit what the document declares about the input? */
err input_check(const struct input *in, const struct json *j,
    const char **why) MUST_USE;

#endif
