/*
 * policy.h: what the owner of a delegate's host allows: policy.conf in its
 * directory, which the server never sees and cannot change.  No file, or one
 * that others can write, or one with a mistake in it, allows nothing.
 *
 * Everything in it is a list of what is allowed; what is not there is not.
 */
#ifndef DELEGATE_POLICY_H
#define DELEGATE_POLICY_H

#include "base/arena.h"
#include "base/buf.h"
#include "delegate/reasons.h"
#include "delegate/sandbox.h"

enum { POLICY_WORDS = 256, POLICY_INTERPRETERS = 32 };

struct words {
	struct str *word;
	size_t n;
	bool all; /* "*" */
};

struct policy_label {
	struct str name, value;
};

struct policy_labels {
	struct policy_label *label;
	size_t n;
};

struct interpreter {
	struct str name, path;
	enum sandbox_profile profile;
	struct words args; /* before the script's path */
};

struct policy {
	enum reason why; /* REASON_NONE, or why nothing is allowed */
#define POLICY(section, name, type, def, meaning)                              \
	POLICY_MEMBER_##type section##_##name;
#define POLICY_MEMBER_WORDS struct words
#define POLICY_MEMBER_LABELS struct policy_labels
#define POLICY_MEMBER_NUM int64_t
#define POLICY_MEMBER_STR struct str
#include "delegate/policy.def"
#undef POLICY
	struct interpreter interpreter[POLICY_INTERPRETERS];
	size_t interpreters;
};

/* Pure.  E_CONFIG with a trail that names the line.  Texts are in a. */
err policy_parse(struct arena *a, struct str text, struct trail *t,
    struct policy *ret) MUST_USE;
/* policy.conf of the directory.  Always writes *ret; what is wrong is in
 * ret->why and the trail. */
void policy_load(struct arena *a, int dir, struct trail *t, struct policy *ret);
/* A policy.conf with every setting explained, that allows nothing. */
void policy_template(struct buf *b);

bool words_have(const struct words *w, struct str word);
bool policy_has_label(const struct policy *p, struct str name,
    struct str value);
const struct interpreter *policy_interpreter(const struct policy *p,
    struct str name); /* NULL: none */
bool policy_runs(const struct policy *p, const char *kind);

#endif
