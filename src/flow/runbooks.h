/*
 * runbooks.h: runbooks and their versions, for whoever runs them.  A version
 * never changes what it says; who approved it, and its state, do.
 */
#ifndef FLOW_RUNBOOKS_H
#define FLOW_RUNBOOKS_H

#include "audit/digest.h"
#include "domain/runbook.h"
#include "flow/call.h"
#include "store/runbook.h"

/* Numbers are stored: only append. */
enum version_state {
	VERSION_DRAFT = 1,
	VERSION_APPROVED = 2,  /* by enough people */
	VERSION_PUBLISHED = 3, /* the one that is run */
	VERSION_SUPERSEDED = 4,
};
const char *version_state_text(unsigned s); /* "draft", ... */

struct version_approval {
	struct uuid by; /* a user */
	int64_t at;
	uint64_t seq; /* of the leaf in the audit log */
};

struct runbook_version {
	struct version_row row;	  /* number, state; its blob is not here */
	struct str document;	  /* canonical text: what was approved */
	const struct runbook *rb; /* the same, read */
	char digest[DIGEST_TEXT + 1];
	const struct version_approval *approvals;
	size_t approvals_n;
	enum principal_kind author_kind, uploader_kind;
	struct uuid author, uploader;
	struct str note;
	int64_t published; /* last; 0: never */
};

/* The runbook of that uuid or slug in the project; NULL. */
const struct runbook_object *runbook_find(const struct world *w,
    uint32_t project, struct str id_or_slug);

/* All in the arena.  E_NOT_FOUND; E_CORRUPT when the document is none. */
err runbook_version_load(struct lane *l, const struct uuid *runbook, uint32_t n,
    struct arena *a, struct runbook_version *ret) MUST_USE;

/*
 * What a run of it may start with now: not archived, published.  E_CONFLICT
 * with a trail otherwise.
 */
err runbook_current(struct lane *l, const struct runbook_object *r,
    struct arena *a, struct trail *t, struct runbook_version *ret) MUST_USE;

/* ---- for the handlers ---- */

/* Writer: v->row gets its seq and id. */
err version_insert(struct lane *l, int64_t now, struct arena *a,
    struct runbook_version *v) MUST_USE;
err version_update(struct lane *l, struct arena *a,
    const struct runbook_version *v) MUST_USE;
/* The runbook of path variable 1; touched. */
err call_runbook(struct call *c, const struct runbook_object **ret) MUST_USE;
/* And the version of path variable 2. */
err call_version(struct call *c, const struct runbook_object **ret_r,
    struct runbook_version *ret) MUST_USE;
/* The document of the body, checked; its canonical text. */
err body_document(struct call *c, const struct runbook **ret,
    struct str *ret_text) MUST_USE;
void version_json(struct call *c, struct jw *w, const struct runbook_version *v,
    bool whole);
/* The first or the next version of r, r->latest, out of the body. */
err version_make(struct call *c, const struct runbook_object *r,
    struct runbook_version *v) MUST_USE;
/* r shows what the document says of it. */
void runbook_show(struct runbook_object *r, const struct runbook *rb);
/* A copy whose texts outlive the world it was found in. */
err runbook_copy(struct call *c, const struct runbook_object *old,
    struct runbook_object *ret) MUST_USE;

#endif
