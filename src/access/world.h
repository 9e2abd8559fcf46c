/*
 * world.h: everything administrative, as one immutable snapshot: projects,
 * principals, groups, roles, bindings, tokens, integrations, identity
 * providers, identities, credentials, sessions, the organization's policy.
 * The writer builds a new world after each administrative commit and swaps
 * it in; requests hold a reference for as long as they run, so nothing is
 * locked and one request sees one world.
 *
 * Objects are stored one sealed JSON text each (object.h).
 */
#ifndef ACCESS_WORLD_H
#define ACCESS_WORLD_H

#include "access/retention.h"
#include "access/perm.h"
#include "base/arena.h"
#include "base/id.h"

/* Numbers are stored: only append. */
enum object_kind {
	OBJECT_PROJECT = 1,
	OBJECT_USER = 2,
	OBJECT_SERVICE_ACCOUNT = 3,
	OBJECT_GROUP = 4,
	OBJECT_ROLE = 5,
	OBJECT_BINDING = 6,
	OBJECT_TOKEN = 7,
	OBJECT_INTEGRATION = 8,
	OBJECT_IDP = 9,
	OBJECT_IDENTITY = 10,
	OBJECT_CREDENTIAL = 11,
	OBJECT_SESSION = 12,
	OBJECT_POLICY = 13,
	OBJECT_RESOURCE_GROUP = 14,
	OBJECT_BREAK_GLASS = 15,
	OBJECT_POLICY_TESTS = 16,
	OBJECT_CONNECTOR = 19,
	OBJECT_SECRET = 20,
	OBJECT_RUNBOOK = 17,
	OBJECT_TRIGGER = 18,
	OBJECT_DELEGATE = 21,
	OBJECT_FREEZE = 22,
	OBJECT_HOLD = 23,
	OBJECT_WITNESS = 26,
	OBJECT_AUDIT_FILTER = 24,
	OBJECT_AUDIT_REVIEW = 25,
	OBJECT_PREFERENCES = 27,
};

enum principal_kind {
	PRINCIPAL_USER = 1,
	PRINCIPAL_SERVICE_ACCOUNT = 2,
	PRINCIPAL_INTEGRATION = 3,
	PRINCIPAL_SYSTEM = 4,
	PRINCIPAL_ANONYMOUS = 5,
	PRINCIPAL_GROUP = 6, /* as a binding's or a member's subject only */
	PRINCIPAL_DELEGATE = 7,
};
const char *principal_kind_text(enum principal_kind k); /* "user", ... */
bool principal_kind_parse(struct str s, enum principal_kind *ret);

/* What every object has. */
struct object {
	enum object_kind kind;
	struct uuid id;
	uint32_t project; /* project number, 0 = organization */
	uint32_t version; /* ETag */
	int64_t created, updated;
};

struct project {
	struct object o; /* o.project is its own number */
	struct str slug, name;
	struct retention_rule retention[RETENTION_CLASSES];
};

struct user {
	struct object o;
	struct str email, name;
	bool disabled;
	bool break_glass; /* may log in locally when the policy says SSO only */
	int64_t anonymized; /* 0: is who they are */
};

struct service_account {
	struct object o;
	struct str name;
	bool disabled;
};

struct group {
	struct object o;
	struct str name;
	const struct principal_id *members;
	size_t members_n;
};

struct role {
	struct object o;
	struct str name;
	struct permset perms;
};

struct binding {
	struct object o; /* o.project: where it holds, 0 = everywhere */
	enum principal_kind subject_kind; /* user, service account, group */
	struct uuid subject;
	struct str role; /* a built-in name or a custom role's name */
	int64_t starts;	 /* does not count before; 0 = from the start */
	int64_t expires; /* 0 = never */
	struct str reason;
	struct principal_id created_by;
	/* All zero, or it allows only on what is in that resource group, or
	 * only on that incident and its alerts; nothing of the organization. */
	struct uuid group, incident;
	struct uuid glass; /* made by that break-glass; all zero: not */
};

enum { TOKEN_KEY_ID = 10, TOKEN_SECRET = 32, TOKEN_TEXT = 52 };

struct token {
	struct object o;
	char kind; /* p s b w */
	char key_id[TOKEN_KEY_ID + 1];
	uint8_t verifier[32];  /* keyed hash of the secret */
	uint32_t verifier_key; /* data key number of the hash key */
	enum principal_kind owner_kind;
	struct principal_id owner;
	struct str name;
	struct permset scopes;
	const uint32_t *projects; /* project numbers; n 0 = not limited */
	size_t projects_n;
	const struct str *cidrs; /* "10.0.0.0/8"; n 0 = not limited */
	size_t cidrs_n;
	int64_t expires;  /* always set */
	int64_t revoked;  /* 0 = live */
	bool bound;	  /* good only beside the client certificate of that */
	uint8_t cert[32]; /* its SHA-256, RFC 8705 3 */
};

struct integration {
	struct object o;
	struct str name;
	struct str template;	  /* alertmanager, grafana, generic */
	struct str auth;	  /* the auth object as JSON, no secret */
	struct str secrets;	  /* auth/hook.h, in clear; or empty */
	struct str mapping;	  /* JSON object or empty */
	uint8_t default_severity; /* enum alert_severity */
	bool disabled;
	struct principal_id created_by;
};

/* An identity provider: who may say that somebody is one of our users. */
struct idp {
	struct object o;
	struct str name;
	struct str kind;   /* saml, oidc-direct, oidc-code, oauth */
	struct str config; /* JSON object, no secret */
	bool disabled;
	struct principal_id created_by;
};

enum { DIGEST_SIZE = 32 };

/*
 * One account at a provider is one of our users.  Found by key, the SHA-256
 * of provider's id, length of issuer, issuer and subject; never by e-mail.
 */
struct identity {
	struct object o;
	struct uuid idp, user;
	uint8_t key[DIGEST_SIZE];
	struct str issuer, subject;
	struct str label; /* what people call it: for showing only */
	/* As SCIM says them: userName and externalId; or empty. */
	struct str user_name, external;
	/* Groups the user is in because the provider said so at the last
	 * login: what the next one may take back. */
	const struct uuid *groups;
	size_t groups_n;
};

/* Numbers are stored: only append. */
enum credential_kind {
	CREDENTIAL_PASSWORD = 1,
	CREDENTIAL_TOTP = 2,
	CREDENTIAL_WEBAUTHN = 3,
	CREDENTIAL_RECOVERY = 4,
};

/* What a user logs in with locally. */
struct credential {
	struct object o;
	struct uuid user;
	enum credential_kind kind;
	struct str name;
	struct str data; /* in the encoding of its kind */
};

/* Somebody who has logged in.  The cookie's secret is not kept. */
struct session {
	struct object o; /* o.created: the login */
	struct uuid user;
	struct uuid idp;		 /* all zero: a local login */
	uint8_t key[DIGEST_SIZE];	 /* SHA-256 of the cookie's secret */
	int64_t auth_time;		 /* when who they are was last shown */
	int64_t expires;		 /* absolute */
	struct str method;		 /* saml, oidc, password+totp, ... */
	struct str address, agent;	 /* of the login */
	struct str idp_session, name_id; /* for the provider's logout */
};

/* What holds until somebody decides otherwise. */
enum {
	POLICY_IDLE_MINUTES = 8 * 60,
	POLICY_ABSOLUTE_HOURS = 24,
	POLICY_STEP_UP_MINUTES = 15,
	POLICY_REVIEW_DAYS = 90,
	POLICY_KEY_DAYS = 90,
	POLICY_WITNESS_QUORUM = 1,
	POLICY_WITNESS_MINUTES = 10,
	POLICY_AUDIT_REVIEW_DAYS = 30,
};

/* The organization's policy; one or none. */
struct policy {
	struct object o;
	bool sso_only;	  /* local logins: break-glass users only */
	bool local_login; /* false: nobody logs in locally */
	uint32_t token_max_days;
	const struct str *ip_allow; /* CIDRs; n 0 = from anywhere */
	size_t ip_allow_n;
	uint32_t session_idle_minutes, session_absolute_hours;
	uint32_t step_up_minutes;   /* sensitive actions: login not older */
	uint32_t review_days;	    /* bindings are looked through */
	uint32_t audit_review_days; /* the audit log is reviewed this often */
	uint32_t key_days;	    /* a class key seals no longer, */
	uint32_t key_seals;	    /* and about so often at most */
	uint32_t witness_quorum;    /* so many cosign the log */
	uint32_t witness_minutes;   /* this often */
	bool messaging; /* connectors that reach people may be approved */
	struct retention_rule retention[RETENTION_CLASSES];
};

/* Kinds of resources a resource group can hold. */
enum resource_type {
	RESOURCE_INCIDENT,
	RESOURCE_ALERT,
	RESOURCE_INTEGRATION,
	RESOURCE_TYPES
};
const char *resource_type_text(enum resource_type t); /* "incident", ... */
bool resource_type_parse(struct str s, enum resource_type *ret);

/*
 * A set of resources of one project, or of all (o.project 0).  A resource is
 * in it when its type is and either its id is named, or every selector that
 * is not empty names something it has.  A group without ids and selectors
 * holds nothing: what selects nothing selects nothing (L13).
 */
struct resource_group {
	struct object o;
	struct str name;
	uint8_t types;	    /* bit per resource type */
	uint8_t severities; /* bit per incident severity */
	const struct str *services, *environments, *kinds;
	size_t services_n, environments_n, kinds_n;
	const struct str *labels; /* "name=value": an alert has all of them */
	size_t labels_n;
	const struct uuid *ids;
	size_t ids_n;
};

/*
 * Somebody took more than they have, for a reason, for minutes: the record
 * beside the binding it made.  Kept after it has ended, to be reviewed.
 */
struct break_glass {
	struct object o; /* o.project: where */
	enum principal_kind user_kind;
	struct uuid user;
	struct uuid binding;
	struct uuid incident; /* all zero: the project */
	bool restricted;      /* that incident was private */
	struct str role, reason;
	int64_t expires;
	int64_t ended;	  /* by somebody; 0 = by itself */
	int64_t reviewed; /* 0 = not yet */
	struct uuid reviewer;
	struct str note;
};

/* A filter of the audit log somebody has kept (flow/audit_query.h). */
struct audit_filter {
	struct object o;
	struct str name;
	struct principal_id owner;
	bool shared;	    /* seen by all who read the log */
	struct str members; /* JSON object */
};

/* How a user likes their pages.  o.id is the user's. */
struct preferences {
	struct object o;
	struct str document; /* JSON object */
};

/* Somebody has looked through these entries of the audit log. */
struct audit_review {
	struct object o; /* o.created: when */
	uint64_t from, through;
	struct principal_id reviewer;
	struct str note;
	uint32_t findings;
};

/* Automation stands still in a project, or everywhere (o.project 0), for as
 * long as this is there. */
struct freeze {
	struct object o;
	struct str reason;
	enum principal_kind by_kind;
	struct principal_id by;
};

/* Who watches the audit log grow, beside the delegates: by its key. */
struct witness_object {
	struct object o;
	struct str name; /* of its key: unique */
	struct str key;	 /* verifier key of C2SP tlog-cosignature */
	struct principal_id created_by;
};

/*
 * A legal hold: while it is live nothing it covers is destroyed: everything
 * (o.project 0), a project, or one incident of it.  A released one stays to
 * be seen.
 */
struct hold {
	struct object o;
	struct str name, reason;
	struct uuid incident; /* all zero: the whole project */
	int64_t until;	      /* 0: until it is released */
	enum principal_kind by_kind;
	struct principal_id by;
	int64_t released; /* 0 = it was not */
	struct str release_reason;
};

/*
 * A runbook: what its versions, which lie in the store, have in common.
 * name, pinned, context and types are those of the published version, or of
 * the first one as long as none is.
 */
struct runbook_object {
	struct object o;
	struct str slug; /* unique in the project, never changes */
	struct str name;
	uint32_t latest;  /* number of the newest version */
	uint32_t current; /* of the published one; 0: none yet */
	bool pinned, archived;
	struct str context;	 /* any, incident, alert, none */
	const struct str *types; /* of incidents; n 0 = all */
	size_t types_n;
	enum principal_kind owner_kind; /* user or group */
	struct uuid owner;
	struct principal_id created_by;
};

/* What starts a runbook by itself: config is domain/trigger.h's document. */
struct trigger_object {
	struct object o;
	struct str name;
	struct uuid runbook;
	struct uuid account; /* service account it runs as */
	struct str config;   /* canonical JSON */
	bool disabled;
	enum principal_kind owner_kind; /* user or group */
	struct uuid owner;
	struct principal_id created_by;
};

/* Sentences about who may do what that changes must not break; one or none. */
struct policy_tests {
	struct object o;
	struct str tests; /* JSON array, checked by flow */
};

/* Numbers are stored: only append. */
enum delegate_state {
	DELEGATE_SLOT,	  /* made; nobody has joined with its token */
	DELEGATE_PENDING, /* its keys are known; nobody has approved them */
	DELEGATE_APPROVED,
	DELEGATE_REVOKED,
	DELEGATE_STATES
};
const char *delegate_state_text(enum delegate_state s); /* "slot", ... */

enum { DELEGATE_KEY = 32 };

/*
 * A process elsewhere that runs what the project's runbooks say.  Its
 * certificates name id and epoch; a revocation makes the epoch another.
 */
struct delegate {
	struct object o;
	struct str name;
	struct str labels; /* JSON object of texts: what it is chosen by */
	uint32_t max_tasks;
	enum delegate_state state;
	uint32_t epoch;
	/* issued_by: who made the last join token */
	struct principal_id created_by, issued_by, approved_by;
	int64_t joined, approved, revoked; /* 0: has not been */

	/* The token it joins with, until that is over. */
	char join_id[TOKEN_KEY_ID + 1]; /* empty: there is none */
	uint8_t join_verifier[32];
	uint32_t join_key; /* data key number of the hash key */
	int64_t join_expires;
	bool join_used; /* good for the keys below only */

	/* Its identity, for ever; to seal to.  Zero in a slot. */
	uint8_t ed25519[DELEGATE_KEY], x25519[DELEGATE_KEY];
	int64_t cert_until; /* end of the last certificate */
	/* What it says of itself; the last is a JSON object. */
	struct str version, host, doctor;
};

/* Numbers are stored: only append. */
enum connector_state {
	CONNECTOR_DRAFT = 0,
	CONNECTOR_PENDING = 1,
	CONNECTOR_APPROVED = 2,
	CONNECTOR_SUSPENDED = 3,
	CONNECTOR_REVOKED = 4,
	CONNECTOR_STATES
};
const char *connector_state_text(enum connector_state s); /* "draft", ... */

/*
 * A way to one service, which others than its editors approve.  What is
 * approved is the document, by its digest; domain/connector.h reads it.
 */
struct connector_object {
	struct object o;
	struct str slug; /* its own in the project */
	struct str name;
	struct str document; /* canonical JSON */
	struct str digest;   /* SHA-256 of it, hex */
	uint32_t number;     /* of the document: 1, 2, ... */
	enum connector_state state;
	/* Of the document: enum connector_kind, its secret's name, its end. */
	uint8_t kind;
	struct str secret;
	int64_t expires;
	/* Who has changed it since it was approved last. */
	const struct uuid *editors;
	size_t editors_n;
	struct principal_id created_by, approved_by;
	int64_t approved;  /* 0: this document never was */
	uint64_t approval; /* number of that entry in the audit log */
	struct str reason; /* of the suspension or revocation */
};

/*
 * The outside of a secret.  Its versions lie in the store, as ciphertext
 * that delegates open (flow/secrets.h).
 */
struct secret_object {
	struct object o;
	struct str name; /* its own in the project */
	struct str description;
	struct str labels;   /* JSON: which delegates it is for */
	struct str external; /* JSON {connector,path,field}; empty: none */
	/* Slugs of those that may use it; n 0: not limited so. */
	const struct str *runbooks, *connectors;
	size_t runbooks_n, connectors_n;
	struct str versions; /* JSON array, newest first; see flow/secrets.c */
	uint32_t last;	     /* number of the newest there ever was */
	int64_t next_end;    /* a version is to be destroyed then; 0: none */
	struct principal_id created_by;
};

struct world; /* opaque, reference counted */

/*
 * Build from decoded objects.  The builder copies everything into the
 * world's own memory.  E_LIMIT past a bound of limits.def; E_CORRUPT when
 * objects contradict each other (two tokens with one key id).
 */
struct world_builder;
err world_builder_new(struct world_builder **ret) MUST_USE;
/* Start from an existing world, to replace or remove single objects. */
err world_builder_from(const struct world *w,
    struct world_builder **ret) MUST_USE;
/* obj points to the struct its kind says; replaces one with the same id. */
err world_builder_put(struct world_builder *b,
    const struct object *obj) MUST_USE;
void world_builder_remove(struct world_builder *b, enum object_kind kind,
    const struct uuid *id);
/* Consumes b. */
err world_builder_done(struct world_builder *b, struct world **ret) MUST_USE;
struct world_builder *world_builder_free(struct world_builder *b);

struct world *world_ref(struct world *w);
struct world *world_unref(struct world *w);
uint64_t world_version(const struct world *w); /* counts up per process */

/* Lookups: NULL when absent. */
const struct project *world_project(const struct world *w, uint32_t number);
const struct project *world_project_slug(const struct world *w, struct str s);
const struct project *world_project_id(const struct world *w,
    const struct uuid *id);
const struct user *world_user(const struct world *w, const struct uuid *id);
const struct user *world_user_email(const struct world *w, struct str email);
const struct service_account *world_service_account(const struct world *w,
    const struct uuid *id);
const struct group *world_group(const struct world *w, const struct uuid *id);
const struct role *world_role(const struct world *w, struct str name);
const struct role *world_role_id(const struct world *w, const struct uuid *id);
const struct binding *world_binding(const struct world *w,
    const struct uuid *id);
const struct token *world_token(const struct world *w, const struct uuid *id);
const struct token *world_token_key(const struct world *w,
    const char key_id[TOKEN_KEY_ID]);
const struct integration *world_integration(const struct world *w,
    const struct uuid *id);
const struct idp *world_idp(const struct world *w, const struct uuid *id);
const struct idp *world_idp_name(const struct world *w, struct str name);
const struct identity *world_identity(const struct world *w,
    const struct uuid *id);
const struct identity *world_identity_key(const struct world *w,
    const uint8_t key[DIGEST_SIZE]);
const struct credential *world_credential(const struct world *w,
    const struct uuid *id);
const struct session *world_session(const struct world *w,
    const struct uuid *id);
const struct session *world_session_key(const struct world *w,
    const uint8_t key[DIGEST_SIZE]);
const struct resource_group *world_resource_group(const struct world *w,
    const struct uuid *id);
const struct resource_group *world_resource_group_name(const struct world *w,
    struct str name);
const struct runbook_object *world_runbook(const struct world *w,
    const struct uuid *id);
/* Walks: runbooks are few.  Of that project. */
const struct runbook_object *world_runbook_slug(const struct world *w,
    uint32_t project, struct str slug);
const struct trigger_object *world_trigger(const struct world *w,
    const struct uuid *id);
const struct break_glass *world_break_glass(const struct world *w,
    const struct uuid *id);
const struct audit_filter *world_audit_filter(const struct world *w,
    const struct uuid *id);
/* Of that user; NULL: none were kept. */
const struct preferences *world_preferences(const struct world *w,
    const struct uuid *user);
/* The last one; NULL when there was none. */
const struct audit_review *world_audit_reviewed(const struct world *w);
const struct delegate *world_delegate(const struct world *w,
    const struct uuid *id);
const struct witness_object *world_witness(const struct world *w,
    const struct uuid *id);
/* Made for this very place (0: everywhere); NULL: there is none. */
const struct freeze *world_freeze(const struct world *w, uint32_t project);
const struct hold *world_hold(const struct world *w, const struct uuid *id);
/* May nothing be started in that project? */
bool world_frozen(const struct world *w, uint32_t project);
const struct connector_object *world_connector(const struct world *w,
    const struct uuid *id);
const struct connector_object *world_connector_slug(const struct world *w,
    uint32_t project, struct str slug);
const struct secret_object *world_secret(const struct world *w,
    const struct uuid *id);
const struct secret_object *world_secret_name(const struct world *w,
    uint32_t project, struct str name);
/* NULL when nobody has made any. */
const struct policy_tests *world_policy_tests(const struct world *w);
/* Never NULL: what holds by default until somebody decides otherwise. */
const struct policy *world_policy(const struct world *w);
/* The display name of a principal: a user's name or e-mail, a service
 * account's or integration's name; empty when unknown. */
struct str world_principal_name(const struct world *w, enum principal_kind kind,
    const struct uuid *id);
bool world_principal_live(const struct world *w, enum principal_kind kind,
    const struct uuid *id); /* exists and is not disabled */

/* All objects of a kind in order of id (creation): array of pointers. */
const struct object *const *world_objects(const struct world *w,
    enum object_kind kind, size_t *ret_n);
/* Groups a principal is in; bindings whose subject is this id. */
const struct group *const *world_groups_of(const struct world *w,
    const struct uuid *principal, size_t *ret_n);
const struct binding *const *world_bindings_of(const struct world *w,
    const struct uuid *subject, size_t *ret_n);
/* What a user has, in order of id (the oldest first). */
const struct identity *const *world_identities_of(const struct world *w,
    const struct uuid *user, size_t *ret_n);
const struct credential *const *world_credentials_of(const struct world *w,
    const struct uuid *user, size_t *ret_n);
const struct session *const *world_sessions_of(const struct world *w,
    const struct uuid *user, size_t *ret_n);
/* Permissions a role name stands for; false for an unknown name. */
bool world_role_perms(const struct world *w, struct str role,
    struct permset *ret);

#endif
