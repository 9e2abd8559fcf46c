/*
 * value.h: VALUE of a runbook: a literal, or where the value comes from when
 * the step runs.  Pure.  Nothing of it is ever text of a shell: an argument
 * is one entry of argv, whatever is in it.
 *
 *	"text" 12 true null ["a", 2]	itself; arrays of scalars only
 *	{"literal": any}		any JSON, itself
 *	{"input": "n"}			an input of the run
 *	{"step": "id", "output": "n"}	an output of a step before
 *	{"incident": "severity"}	a member of the run's incident
 *	{"alert": "labels.host"}	a member of the run's alert
 *	{"run": "id"}			id, started_at, requester
 *	{"old": "severity"}		triggers: the incident's member before
 *	{"entry": "text"}		triggers: the new timeline entry
 *	{"concat": [VALUE..]}		texts one behind the other
 *
 * What is not there when it is asked for is null: an input not given, the
 * output of a step that did not run, a label the alert does not have.
 */
#ifndef DOMAIN_VALUE_H
#define DOMAIN_VALUE_H

#include "base/arena.h"
#include "base/json.h"

enum value_type {
	TYPE_STRING,
	TYPE_INTEGER,
	TYPE_NUMBER,
	TYPE_BOOLEAN,
	TYPE_ARRAY,
	TYPE_OBJECT,
	TYPE_ANY, /* not known before the run; in no document */
};
/* "string", ...; false for "any". */
bool value_type_parse(struct str s, enum value_type *ret);
struct str value_type_text(enum value_type t);
/* null is of no type. */
bool value_type_holds(enum value_type t, const struct json *j);

enum value_kind {
	VALUE_LITERAL,
	VALUE_INPUT,
	VALUE_STEP,
	VALUE_INCIDENT,
	VALUE_ALERT,
	VALUE_RUN,
	VALUE_OLD,
	VALUE_ENTRY,
	VALUE_CONCAT,
	VALUE_KINDS,
};

struct value {
	enum value_kind kind;
	enum value_type type;	    /* as far as the document tells */
	const struct json *literal; /* LITERAL */
	struct str name;	    /* of the input, output, member */
	struct str step;	    /* STEP: its id */
	const struct value *items;  /* CONCAT */
	size_t items_n;
};

/*
 * What a run knows, as JSON objects; NULL is empty.  steps: {"id":{"output":
 * value,..},..}.  alert: its document, labels an object.
 */
struct scope {
	const struct json *inputs, *steps, *incident, *alert, *run;
	const struct json *old, *entry; /* triggers */
};

/*
 * *ret is never NULL on success: a value of JSON null when what is asked for
 * is absent.  E_INVALID when a concat meets null or a container, with a trail.
 */
err value_eval(const struct value *v, const struct scope *s, struct arena *a,
    struct trail *t, const struct json **ret) MUST_USE;

/* A value as one argument: a text as it is, numbers and booleans as in JSON,
 * containers as canonical JSON.  E_INVALID for null and for a NUL byte. */
err value_as_text(struct arena *a, const struct json *j,
    struct str *ret) MUST_USE;

/* Does the document alone tell what this will be? */
bool value_fixed(const struct value *v);

#endif
