/*
 * route.h: routes.def, fields.def and params.def as tables, and finding the
 * row a request asks for.
 */
#ifndef FLOW_ROUTE_H
#define FLOW_ROUTE_H

#include "access/perm.h"
#include "audit/leaf.h"
#include "wire/wire.h"

enum param {
#define PARAM(name, text, type) PARAM_##name,
#include "flow/params.def"
#undef PARAM
	PARAM_MAX_
};
const char *param_text(enum param p);

enum route_auth {
	ROUTE_OPEN,
	ROUTE_API,
	ROUTE_INGEST,
	ROUTE_LOGIN,
	ROUTE_DELEGATE,
	ROUTE_JOIN
};
enum route_lane {
	ROUTE_REACTOR,
	ROUTE_READER,
	ROUTE_WRITER,
	ROUTE_STREAM,
	ROUTE_SLOW,
	ROUTE_HASH
};
enum route_tier { TIER_READ, TIER_WRITE, TIER_ADMIN, TIER_NEVER };
enum schema {
	SCHEMA_NONE,
	SCHEMA_PROJECT,
	SCHEMA_INCIDENT,
	SCHEMA_TRANSITION,
	SCHEMA_MEMBERS,
	SCHEMA_ENTRY,
	SCHEMA_ALERT,
	SCHEMA_ALERT_ACT,
	SCHEMA_PROMOTE,
	SCHEMA_INTEGRATION,
	SCHEMA_ROTATE,
	SCHEMA_TEST,
	SCHEMA_CONNECTOR,
	SCHEMA_APPROVAL,
	SCHEMA_WITHDRAWAL,
	SCHEMA_SECRET,
	SCHEMA_SECRET_VERSION,
	SCHEMA_USER,
	SCHEMA_SA,
	SCHEMA_GROUP,
	SCHEMA_ROLE,
	SCHEMA_BINDING,
	SCHEMA_RGROUP,
	SCHEMA_TOKEN,
	SCHEMA_TOKEN_ROTATE,
	SCHEMA_TOKEN_NARROW,
	SCHEMA_PREVIEW,
	SCHEMA_POLICY_TESTS,
	SCHEMA_GLASS,
	SCHEMA_GLASS_REVIEW,
	SCHEMA_SCIM, /* of RFC 7643: scim_read.h has its shape */
	SCHEMA_EXPLAIN,
	SCHEMA_EXPORT,
	SCHEMA_AUDIT_FILTER,
	SCHEMA_ANONYMIZE,
	SCHEMA_AUDIT_REVIEW,
	SCHEMA_PREFERENCES,
	SCHEMA_LOGIN,
	SCHEMA_PASSWORD,
	SCHEMA_TOTP,
	SCHEMA_TOTP_CODE,
	SCHEMA_WEBAUTHN,
	SCHEMA_POLICY,
	SCHEMA_IDP,
	SCHEMA_IDENTITY,
	SCHEMA_RUN,
	SCHEMA_RUN_APPROVE,
	SCHEMA_RUN_COMPLETE,
	SCHEMA_RUN_CANCEL,
	SCHEMA_FREEZE,
	SCHEMA_HOLD,
	SCHEMA_RETENTION,
	SCHEMA_HOLD_END,
	SCHEMA_KEY_SEAL,
	SCHEMA_RUNBOOK,
	SCHEMA_RUNBOOK_VERSION,
	SCHEMA_VERSION_APPROVAL,
	SCHEMA_RUNBOOK_PLAN,
	SCHEMA_TRIGGER,
	SCHEMA_DELEGATE,
	SCHEMA_DELEGATE_APPROVAL,
	SCHEMA_JOIN,
	SCHEMA_RENEWAL,
	SCHEMA_LEASE,
	SCHEMA_TASK_START,
	SCHEMA_TASK_LOG,
	SCHEMA_TASK_RESULT,
	SCHEMA_WITNESS,
	SCHEMA_WITNESS_KEY,
	SCHEMA_FORM, /* no fields of its own: form.h, read by the handler */
	SCHEMA_MAX_
};

/* Who may set a member: bits of the `set` column. */
enum { FIELD_C = 1, FIELD_P = 2, FIELD_R = 4, FIELD_N = 8, FIELD_S = 16 };

struct call;
struct route {
	const char *id;
	enum http_method method;
	struct str path;
	enum route_auth auth;
	bool fresh; /* a session must have logged in lately */
	enum permission perm;
	enum route_lane lane;
	enum audit_action audit;
	enum schema schema;
	unsigned set;
	uint64_t params; /* bit per enum param */
	enum route_tier tier;
	err (*handle)(struct call *c) MUST_USE;
};

extern const struct route routes[];
extern const size_t routes_n;

/* What is asked for does not exist: only the known learn that. */
extern const struct route route_none;
/* The address holds a token: it is revoked when it is a good one. */
extern const struct route route_leak;

/* Does its path name a project? {p} is variable 0 then. */
static inline bool
route_in_project(const struct route *r)
{
	return str_starts(r->path, STR("/v1/projects/{"));
}

/* A variable "{x*}": the rest of the path, slashes and all. */
static inline bool
route_tail(struct str segment)
{
	return segment.n > 3 && segment.p[0] == '{' &&
	    segment.p[segment.n - 2] == '*';
}

/* Login endpoints that browsers are sent to: refusals are pages. */
static inline bool
route_for_browsers(const struct route *r)
{
	return r->auth == ROUTE_LOGIN && str_starts(r->path, STR("/auth/"));
}

/* SCIM has its own types of query, body and problem (RFC 7644). */
static inline bool
route_is_scim(const struct route *r)
{
	return r->perm == PERM_SCIM;
}

enum { ROUTE_VARS = 3 };
struct route_match {
	const struct route *route;
	struct str var[ROUTE_VARS]; /* still percent-encoded */
	size_t vars;
	unsigned allow; /* bit per method the path has, for 405 */
};

/* E_NOT_FOUND: no such path; E_METHOD: the path has other methods. HEAD
 * finds the GET row. */
err route_find(enum http_method m, struct str path,
    struct route_match *ret) MUST_USE;

enum field_type {
	FT_NAME,
	FT_TEXT,
	FT_STRING,
	FT_BOOL,
	FT_NUM,
	FT_TIME,
	FT_ID,
	FT_SLUG,
	FT_EMAIL,
	FT_LINK,
	FT_SEVERITY,
	FT_STATUS,
	FT_ASEVERITY,
	FT_NAMES,
	FT_OBJECT,
	FT_RULES,
	FT_LABELS,
	FT_SUBJECT,
	FT_SUBJECTS,
	FT_PERMS,
	FT_CIDRS,
	FT_SLUGS,
	FT_OBJECTS
};
enum field_class { FC_SEALED, FC_INDEX, FC_PUBLIC, FC_NOWHERE };
/* Reading it is recorded; or also needs incident.sensitive. */
enum field_sensitivity { FIELD_OPEN, FIELD_RECORDED, FIELD_GUARDED };
struct field {
	enum schema schema;
	struct str name;
	enum field_type type;
	size_t max;
	unsigned set;
	enum field_class class;
	enum field_sensitivity sensitive;
	const char *meaning;
};
extern const struct field fields[];
extern const size_t fields_n;
const char *schema_name(enum schema s);

#endif
