/*
 * connector.h: an approved way to one service.  Pure: a document goes in, a
 * checked struct comes out; nothing here connects.  The server keeps and
 * approves documents, a delegate carries them out; both read them here.
 *
 * The document is one JSON object (doc/connectors.md).  Its canonical text
 * (base/json_canon.h) names every action whole: names of the catalogue are
 * replaced by what they stand for when it is saved, so what was approved does
 * not change with the program.  The display name is no part of it.
 *
 * Hosts, methods and paths are exact: no wildcard, no user information, no
 * address in another spelling, no dot segment.  Addresses of private networks
 * are reached only when allow_cidrs has them.  A document that does not name
 * where it may run (delegates) is refused: it would match nothing.
 */
#ifndef DOMAIN_CONNECTOR_H
#define DOMAIN_CONNECTOR_H

#include "base/json.h"

enum connector_kind {
#define CONNECTOR_KIND(name, text, class, meaning) name,
#include "domain/connector_kinds.def"
#undef CONNECTOR_KIND
	CONNECTOR_KINDS
};
const char *connector_kind_text(enum connector_kind k);
bool connector_kind_parse(struct str s, enum connector_kind *ret);
const char *connector_kind_meaning(enum connector_kind k);
/* Does it reach people? */
bool connector_kind_messages(enum connector_kind k);

enum connector_auth_kind {
	CONNECTOR_AUTH_NONE,
	CONNECTOR_AUTH_BEARER,	/* Authorization: Bearer SECRET */
	CONNECTOR_AUTH_API_KEY, /* header: prefix SECRET */
	CONNECTOR_AUTH_BASIC,	/* username, SECRET */
	CONNECTOR_AUTH_OAUTH2_CLIENT,
	CONNECTOR_AUTH_OAUTH2_REFRESH,
	CONNECTOR_AUTH_MTLS, /* SECRET: certificate and key, PEM */
	CONNECTOR_AUTHS
};
const char *connector_auth_text(enum connector_auth_kind k);
/* Could it be the name of a secret?  ^[a-z0-9][a-z0-9_.-]{0,62}$ */
bool connector_secret_valid(struct str s);

/* What a script that declares the connector gets. */
enum connector_egress {
	CONNECTOR_EGRESS_NONE,	 /* nothing: http steps only */
	CONNECTOR_EGRESS_INJECT, /* HTTP by the relay, which adds the secret */
	CONNECTOR_EGRESS_PASS,	 /* TLS of its own through the relay */
};

enum connector_type {
	CONNECTOR_STRING,
	CONNECTOR_INTEGER,
	CONNECTOR_NUMBER,
	CONNECTOR_BOOLEAN,
	CONNECTOR_ARRAY,
	CONNECTOR_OBJECT,
};

struct connector_param {
	struct str name;
	enum connector_type type;
	bool required;
	uint32_t max_length; /* of a string, bytes; LIM_CONNECTOR_VALUE */
};

/* What an answer gives to the step: /json/pointer into its body. */
struct connector_output {
	struct str name;
	enum connector_type type;
	struct str pointer;
};

/*
 * path is appended to the base's prefix; {name} in it, in texts of query and
 * headers stands for a parameter, {"param":"name"} in query, headers and
 * body too.  query, headers: objects or NULL; body: any value or NULL.
 */
struct connector_action {
	struct str name, method, path;
	const struct json *query, *headers, *body;
	const struct connector_param *params;
	size_t params_n;
	const struct str *scopes; /* the credential must have all of them */
	size_t scopes_n;
	const struct connector_output *outputs;
	size_t outputs_n;
};

/* A host's name in lower-case letters, digits and hyphens, that nobody could
 * take for an address: 127.1, 0x7f.1 and 2130706433 are addresses to some. */
bool host_name_valid(struct str s);

struct connector_host {
	struct str text; /* "host:port", in lower case */
	struct str host; /* an IPv6 address without brackets */
	uint16_t port;
};

struct connector_auth {
	enum connector_auth_kind kind;
	struct str header, prefix; /* of api_key; else empty */
	struct str secret;	   /* name of a secret of the project */
	struct str username;
	struct str token_url;		  /* whole: https://host[:port]/path */
	struct connector_host token_host; /* of token_url */
	struct str client_id, audience;
	const struct str *scopes;
	size_t scopes_n;
};

struct connector_label {
	struct str name, value;
};

struct connector {
	struct str slug;
	enum connector_kind kind;
	struct str base;	      /* as written: https://host[:port]/x */
	struct connector_host origin; /* of base */
	struct str prefix; /* of base's path, without a / at the end */
	const struct connector_host *hosts; /* all it may reach */
	size_t hosts_n;
	const struct connector_action *actions;
	size_t actions_n;
	struct connector_auth auth;
	struct str ca; /* PEM, or empty: the delegate's own authorities */
	const struct str *cidrs;
	size_t cidrs_n;
	bool tls12;			      /* min_tls 1.2; else 1.3 */
	const struct connector_label *labels; /* at least one */
	size_t labels_n;
	int64_t expires; /* ms */
	enum connector_egress egress;
};

/* How deep and large a document may be; for json_parse. */
extern const struct json_limits connector_limits;

/*
 * Check all of it.  E_INVALID, E_MISSING, E_UNKNOWN_MEMBER, E_LIMIT or
 * E_EXISTS, with a trail.  *ret points into doc and the arena.  A member
 * `name` is taken and left alone.  E_INVALID also when auth.scopes lacks what
 * an action needs.
 */
err connector_parse(struct arena *a, const struct json *doc, struct trail *t,
    struct connector *ret) MUST_USE;
/*
 * The canonical text of a document, without its display name and with what
 * names of the catalogue stand for in their place; E_INVALID for a name it
 * does not have.  The result is still to be parsed.
 */
err connector_canon(struct arena *a, const struct json *doc, struct trail *t,
    struct str *ret) MUST_USE;

/* NULL when it has none of that name. */
const struct connector_action *connector_action(const struct connector *c,
    struct str name);
/* Is it one of its hosts, exactly? */
bool connector_reaches(const struct connector *c, struct str host,
    uint16_t port);
/* {"param":"name"} in a body: the parameter as it is, or nothing when not
 * given. */
bool connector_reference(const struct json *j, struct str *ret);
/*
 * May these be the action's parameters?  An object (NULL: none) whose members
 * it names, of their types, the required ones among them.
 */
err connector_check_params(const struct connector_action *act,
    const struct json *params, struct trail *t) MUST_USE;
/* The first scope that the action needs and the credential lacks; empty. */
struct str connector_missing_scope(const struct connector *c,
    const struct connector_action *act);

/* The catalogue: one JSON object, kind: list of actions. */
struct str connector_catalogue(void);

#endif
