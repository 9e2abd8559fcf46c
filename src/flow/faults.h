/*
 * faults.h: which members of a request are wrong, for errors[] of a problem.
 *
 * What fields.def knows is looked through whole, so a form learns of all its
 * fields at once.  What a handler refuses it says in one sentence, and the
 * sentence begins with the member it is about: "name: ...", "name is ...",
 * "config.jwks: ...", "steps[2].with: ...", "tests: item 3: as: ...".  That
 * the member exists is looked up before the pointer is told.
 */
#ifndef FLOW_FAULTS_H
#define FLOW_FAULTS_H

#include "base/json.h"
#include "flow/route.h"

enum { FAULT_POINTER = 256 };
struct fault {
	char pointer[FAULT_POINTER]; /* RFC 6901, or ?name of a parameter */
	char detail[192];
	const char *code; /* static */
	enum err_code err;
};

/* The members of a body that are not as fields.def has them, in its order and
 * then those that are missing; at most `max` of them. */
size_t faults_of_body(enum schema s, unsigned set, const struct json *body,
    struct fault *ret, size_t max);

/* What a sentence is about; false: no member of this request. */
bool fault_of_sentence(const struct route *r, const struct json *body, err e,
    const char *sentence, struct fault *ret);

/* "errors":[...], as a member of an open object; nothing when n is 0. */
void faults_json(struct jw *w, const struct fault *f, size_t n);

#endif
