/*
 * condition.h: COND of runbooks and triggers.  Pure.  Everything that
 * decides goes through cond_eval; another language can take its place there.
 *
 *	{"eq|ne|lt|le|gt|ge": [V, V]}	lt..ge: two numbers or two texts
 *	{"in": [V, [V..]]}		equal to one of them
 *	{"contains": [V, V]}		a text in a text, an item in an array
 *	{"exists": V}			is not null
 *	{"all|any": [COND..]} {"not": COND}
 *	{"changed": "severity"}		triggers: ne of incident and old
 *
 * Numbers compare as numbers, texts by bytes; severities of incidents are
 * texts.  Values of different kinds are not equal, and neither less nor more.
 */
#ifndef DOMAIN_CONDITION_H
#define DOMAIN_CONDITION_H

#include "domain/value.h"

enum cond_kind {
	COND_EQ,
	COND_NE,
	COND_LT,
	COND_LE,
	COND_GT,
	COND_GE,
	COND_IN,
	COND_CONTAINS,
	COND_EXISTS,
	COND_ALL,
	COND_ANY,
	COND_NOT,
};

struct cond {
	enum cond_kind kind;
	const struct value *values; /* EQ..CONTAINS: 2; IN: 1 and the set */
	size_t values_n;
	const struct cond *parts; /* ALL, ANY, NOT */
	size_t parts_n;
};

/* An error is a value that cannot be had (value_eval): the step fails. */
err cond_eval(const struct cond *c, const struct scope *s, struct arena *a,
    struct trail *t, bool *ret) MUST_USE;

#endif
