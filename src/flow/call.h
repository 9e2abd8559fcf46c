/*
 * call.h: one request on its way along the line, and what a handler may use.
 *
 * A handler is `err route_X(struct call *c)`.  When it runs, the request is
 * authenticated, its query and body have the shape routes.def and fields.def
 * promise, and its permission was granted (c->grant).  It asks for the rest
 * (objects, private incidents) with call_ask, changes rows only in the writer
 * lane, and renders its answer into c->w.  It returns the error to answer.
 *
 * A handler of a SLOW or HASH route runs twice: first with c->slow on a thread
 * that may take long (a password's hash, an answer from elsewhere) and writes
 * nothing, then in the writer.  What the first one found out it leaves in
 * c->prepared.  When it sets a status, that is the answer, and the second one
 * does not run.
 *
 * Order inside a changing handler: read, check, decide; then write.  An error
 * after the first write makes the writer undo the transaction and run the
 * other requests in it again, so a handler must not remember anything outside
 * the call, the store and the writer's caches.
 */
#ifndef FLOW_CALL_H
#define FLOW_CALL_H

#include "access/access.h"
#include "auth/actor.h"
#include "base/json.h"
#include "base/limits.h"
#include "flow/route.h"
#include "flow/state.h"

struct query {
	struct str raw[PARAM_MAX_]; /* decoded; p NULL when absent */
	uint32_t limit;		    /* LIM_PAGE_DEFAULT when absent */
	int64_t from, to;	    /* 0 when absent */
};

/* What the audit entry of this call will say. */
struct record {
	enum audit_action action;
	enum audit_outcome outcome;
	uint32_t project; /* number, 0 = organization */
	struct {
		const char *type; /* static */
		struct uuid id;
		uint64_t num;	/* used when id is zero */
		struct str ref; /* used when neither: public, ours */
		bool hidden;	/* of a private incident: a blind reference */
	} resource[AUDIT_RESOURCES];
	size_t resources;
	struct str reason; /* static; code of the refusal */
	struct str body;   /* kept sealed beside the leaf, committed to */
	uint32_t body_key; /* data key for it; 0 = the AUDIT class key */
	const uint8_t *commitment; /* given: the body is kept elsewhere */
	bool skip;		   /* nothing to record */
};

enum { CALL_COOKIES = 3 };

/* Which run does what a call does, and how many runs stand behind it. */
struct run_origin {
	struct uuid run;
	uint32_t depth;
	bool hidden; /* of a private incident */
};

struct call {
	struct lane *lane;  /* of the thread at work now */
	struct exchange *x; /* NULL in unit tests */
	const struct http_request *req;
	struct arena *a;
	struct trail trail;
	int64_t now;
	struct str address; /* of who asks: a proxy's word, if it is ours */
	struct uuid request_id;
	char request_id_text[UUID_TEXT + 1];

	struct snap *snap; /* the call's own reference */
	const struct route *route;
	struct str var[ROUTE_VARS]; /* decoded path variables, {p} first */
	const struct actor *actor;
	/* Of runs: who else must be permitted, or NULL; and which run. */
	const struct actor *also;
	const struct run_origin *run;
	enum auth_reason why;
	struct hook_proof hook;	   /* of a sender */
	struct delegate_cert cert; /* of a delegate */
	struct query query;
	const struct json *body; /* parsed and checked; NULL without schema */
	struct str payload;	 /* what is kept of a delivery */
	const struct form *form; /* of a route with SCHEMA_FORM */
	const struct project *project; /* of {p} */
	uint64_t stamp; /* on a reactor: the store's, before it was read */
	const struct grant *grant;
	struct permset asked; /* and granted, all that was needed on the way */
	struct permset short_of; /* refused because no scope names it */
	/* The grant holds for some resources only: each one is asked about
	 * before it is shown or changed, and the line lets no answer out when
	 * none was. */
	bool narrow, narrowed;

	struct record rec;

	int status; /* 200 unless the handler says otherwise */
	struct buf out;
	struct jw w; /* writes into out */
	struct str content_type;
	struct str location;
	struct str etag;
	struct str content_range;
	struct str after; /* x-redoubt-after: where the next poll goes on */
	bool immutable;	  /* the answer is the same for ever: may be cached */
	size_t secret_from, secret_to;	 /* see answer_secret */
	struct str cookie[CALL_COOKIES]; /* see browser.h */
	size_t cookies_n;
	bool cookie_lost;     /* one was too long: no answer at all */
	bool stale_login;     /* refused with E_STEP_UP */
	unsigned retry_after; /* seconds, with 429 and 503; 0: one */
	unsigned allow;	      /* for 405: bit per method */
	bool slow;	      /* on a thread that may take long */
	bool handled;	      /* only the record step is left */
	bool dirty;	      /* the handler has written something */
	bool over;	      /* it has ended its own session */
	bool seals;	      /* the server, once this is answered */
	bool park;	      /* it waits in the writer: park.h */
	unsigned parks;	      /* how often it did */
	int64_t park_until;

	void *prepared;	   /* what the reactor made for the writer (ingest) */
	struct call *next; /* queues */
};

/* ---- asking ---- */

/* Path variable i (0 = first) as a UUID; E_NOT_FOUND when it is none. */
err call_uuid(struct call *c, size_t i, struct uuid *ret) MUST_USE;
/* Another decision; a refusal is what the audit entry will say. */
err call_ask(struct call *c, enum permission perm, uint32_t project,
    const struct grant **ret) MUST_USE;
/* Like call_ask about a private incident. */
err call_ask_private(struct call *c, enum permission perm, uint32_t project,
    bool member, const struct grant **ret) MUST_USE;
/* Like call_ask about anything: the target as it is. */
err call_ask_about(struct call *c, const struct target *t,
    const struct grant **ret) MUST_USE;
/* Does the route's permission hold for it?  For rows of a list, which is
 * narrowed by it; not recorded. Always true for what is not narrow. */
bool call_holds(struct call *c, const struct resource *r);
/* Would it be allowed? Not recorded. */
bool call_can(struct call *c, enum permission perm, uint32_t project);
/* The login must be young enough for what is asked: E_STEP_UP.  For handlers
 * of routes that are not FRESH as a whole. */
err call_fresh(struct call *c) MUST_USE;
/* If-Match against the version: E_STALE. Without the header all is well. */
err call_match(struct call *c, uint32_t version) MUST_USE;
/* A refusal with its sentence: return call_bad(c, E_INVALID, "name: ...").  It
 * begins with the member or parameter it is about: faults.h makes errors[] of
 * that. */
err call_bad(struct call *c, enum err_code code, const char *fmt, ...)
    PRINTF(3, 4) MUST_USE;
/* The public name of the credential: a token's key id, the id of a session or
 * of a sender's secret; empty for none.  In the arena. */
struct str call_credential(const struct call *c, struct arena *a);
/* How it came: "ui", "api", "cli", "webhook" or "run", for `source`. */
const char *call_source_kind(const struct call *c);
/* {"kind":…,"principal":…,"credential":…,"address":…} */
void call_source_json(struct call *c, struct jw *w);
/* {"kind":…,"id":…,"name":…} of the actor; a user without name, which is put
 * in when it is read (person.h). */
void call_actor_json(struct call *c, struct jw *w);

/* ---- recording ---- */
void call_touch(struct call *c, const char *type, const struct uuid *id);
void call_touch_hidden(struct call *c, const char *type, const struct uuid *id);
void call_touch_num(struct call *c, const char *type, uint64_t num);

/* ---- answering ---- */
/* Start a JSON answer with that status. */
struct jw *answer(struct call *c, int status);
void answer_empty(struct call *c, int status); /* 204 */
void answer_etag(struct call *c, uint32_t version);
/* A member that is shown this once: it is not kept for Idempotency-Key, where
 * a repeated request gets null for it, and nothing for others that follow at
 * once. */
void answer_secret(struct call *c, const char *name, struct str secret);
/* Location: /v1/... */
void answer_location(struct call *c, const char *fmt, ...) PRINTF(2, 3);
/* Members that every object has; for rendering. */
void jw_time(struct jw *w, const char *name, int64_t ms); /* 0 = null */
void jw_uuid(struct jw *w, const char *name, const struct uuid *u);

/* ---- lists and cursors ---- */
/*
 * A cursor is the position (bytes of the handler's own choice, at most 64)
 * sealed with a MAC over route, principal and filters, so a cursor of
 * another list, person or server is E_BAD_CURSOR.
 */
enum { CURSOR_MAX = 64 };
err cursor_take(struct call *c, struct str *ret) MUST_USE; /* n 0: start */
err cursor_make(struct call *c, struct str position, struct str *ret) MUST_USE;
/* Start {"items":[ ; end ],"next":...} with a position or STR_NONE. */
struct jw *list_begin(struct call *c);
err list_end(struct call *c, struct str position) MUST_USE;

/*
 * Rows of a page are read in pieces of PIECE into the lane's own memory, so a
 * page of large rows does not exceed the request's; a page ends early when
 * PAGE_BYTES are rendered, and its cursor goes on from there.  A search that
 * opens rows to look into them counts one more for every SCAN_BYTES of a row.
 */
enum { PIECE = 32, PAGE_BYTES = LIM_REPLY / 2, SCAN_BYTES = 4096 };
struct scratch {
	struct arena *real;
};
/* c->a is the scratch from here on; reset frees what is in it. */
void scratch_begin(struct call *c, struct scratch *s);
void scratch_end(struct call *c, struct scratch *s);

/*
 * A list of in-memory objects in order of id: those `wanted` says yes to,
 * rendered by `render`; limit and cursor are handled here.
 */
err list_objects(struct call *c, enum object_kind kind,
    bool (*wanted)(struct call *c, const struct object *o),
    void (*render)(struct call *c, struct jw *w,
	const struct object *o)) MUST_USE;

/* ---- administrative objects (writer lane) ---- */
/* Fill in kind, a fresh id, project, version 1 and the times. */
void admin_new(struct call *c, enum object_kind kind, uint32_t project,
    struct object *ret);
/* A copy's version and time go up: for changing an object. */
void admin_touch(struct call *c, struct object *o);
/* A copy of an object in c->a, which outlives every world. */
err admin_copy(struct call *c, const struct object *o,
    const struct object **ret) MUST_USE;
/* Seal and store o, and let everybody see it once the batch is durable;
 * later requests of the batch see it at once. o may live in c->a. */
err admin_put(struct call *c, const struct object *o) MUST_USE;
err admin_remove(struct call *c, enum object_kind kind,
    const struct uuid *id) MUST_USE;
/* Many of one kind, in one new world; ids that do not lie in the world. */
err admin_remove_all(struct call *c, enum object_kind kind,
    const struct uuid *id, size_t n) MUST_USE;
/* The same by the server itself. */
err lane_put(struct lane *l, struct arena *a, const struct object *o) MUST_USE;
err lane_remove_all(struct lane *l, enum object_kind kind,
    const struct uuid *id, size_t n) MUST_USE;
/* The world a request sees now; in the writer, with this batch's changes. */
const struct world *call_world(const struct call *c);
/* The world as it would be after put/remove of one object, for guards that
 * judge the result (access_has_admin). Unref it. */
err admin_preview(struct call *c, const struct object *put,
    enum object_kind remove_kind, const struct uuid *remove,
    struct world **ret) MUST_USE;
/* Keys of a new project: a project key from the keeper, class keys. */
err admin_project_keys(struct call *c, uint32_t project) MUST_USE;
/* The next unused project number. */
err admin_project_number(struct call *c, uint32_t *ret) MUST_USE;
/* The MAC key of token verifiers, and its number. */
err call_token_key(struct call *c, const struct data_key **ret,
    uint32_t *ret_id) MUST_USE;

#endif
