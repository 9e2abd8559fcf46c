/*
 * alert.h: what happens to alerts.  Pure.  A delivery is mapped to one or
 * more `struct alert_in` (map.h); each is folded into the alert with the same
 * dedup key.
 */
#ifndef DOMAIN_ALERT_H
#define DOMAIN_ALERT_H

#include "access/access.h"
#include "base/json.h"
#include "domain/words.h"

/* One alert as a sender told it, in our words.  Views into the delivery. */
struct alert_in {
	struct str title;
	struct str message;
	struct str service, environment;
	struct str labels; /* JSON object text; empty = {} */
	struct str link;
	struct str dedup_key; /* never empty after mapping */
	struct str group;     /* alerts of one group share an incident */
	enum alert_severity severity;
	bool severity_unmapped; /* the sender's word was not understood */
	bool resolved;		/* a recovery */
	bool acknowledged;	/* somebody took it, elsewhere */
};

struct alert_head {
	uint8_t status, severity;
	uint32_t version, count;
	int64_t first_seen, last_seen, resolved;
};

enum alert_did {
	ALERT_DID_OPEN,	   /* a new alert */
	ALERT_DID_REPEAT,  /* the same, counted */
	ALERT_DID_CHANGE,  /* the same, with other content or severity */
	ALERT_DID_RESOLVE, /* it recovered */
	ALERT_DID_REOPEN,  /* fired after recovery: a new alert */
	ALERT_DID_CLOSED,  /* recovery of an alert never seen: kept, resolved */
	ALERT_DID_AGAIN,   /* about an alert already resolved: counted */
	ALERT_DID_ACK,	   /* taken elsewhere */
	ALERT_DID_TAKEN,   /* the same of an alert never seen: kept */
};
const char *alert_did_text(enum alert_did d);

/*
 * old NULL: no alert has this key.  same_doc: the document would be the same
 * as the old one.  *ret is the head to store; see alert_did_new.
 */
enum alert_did alert_fold(const struct grant *g, const struct alert_head *old,
    const struct alert_in *in, bool same_doc, int64_t now,
    struct alert_head *ret);

/* Is that a new row? */
bool alert_did_new(enum alert_did d);

/* By hand. E_CONFLICT when it is resolved already. */
err alert_acknowledge(const struct grant *g, struct alert_head *h,
    struct trail *t) MUST_USE;
err alert_resolve(const struct grant *g, struct alert_head *h, int64_t now,
    struct trail *t) MUST_USE;

/* The sealed document: {title, message, dedup_key, service, environment,
 * labels, link, severity_unmapped, group}; source and explain follow.  The
 * answer is where those begin: two documents that start with the same bytes
 * up to there say the same. */
size_t alert_doc(struct buf *b, const struct alert_in *in, struct str source,
    struct str explain);
bool alert_matches(const struct json *doc, struct str q);

/*
 * The one default rule: an alert of severity critical or error opens an
 * incident, or joins the open incident of its group; others are only kept.
 */
enum rule_does { RULE_NOTHING, RULE_OPENS, RULE_JOINS };
enum rule_does rule_default(const struct alert_in *in, enum alert_did did,
    bool attached, bool group_open);
/* {"rules":[{"rule":"default","matched":…,"did":…}]} */
void rule_explain(struct buf *b, const struct alert_in *in,
    enum rule_does does);
/* Severity of an incident an alert opens: critical sev1, error sev2, warning
 * sev3, info sev4. */
enum severity rule_severity(enum alert_severity s);

#endif
