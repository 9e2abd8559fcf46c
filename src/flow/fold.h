/*
 * fold.h: alerts into the store: fold into the alert of the same key, ask the
 * rule, open or join an incident.  Used by ingest and by POST /alerts.
 */
#ifndef FLOW_FOLD_H
#define FLOW_FOLD_H

#include "flow/desk.h"

/* One alert with its blind values, made before the writer has it. */
struct fold_in {
	struct alert_in in;
	uint8_t dedup[BLIND_SIZE]; /* sender and key */
	uint8_t group[BLIND_SIZE]; /* sender and group */
};

struct fold_out {
	struct alert_card *alert;
	enum alert_did did;
	struct incident_card *opened; /* or NULL */
};

/* Fill in the blind values. sender: integration or project. */
err fold_blind(struct lane *l, uint32_t project, const struct uuid *sender,
    struct fold_in *f) MUST_USE;
/* Writer lane; c->grant must allow INGEST or ALERT_CREATE. */
err fold_alert(struct call *c, const struct fold_in *f,
    struct fold_out *ret) MUST_USE;
/* Attach an alert to an incident, with a timeline entry. */
err fold_attach(struct call *c, struct alert_card *a,
    struct incident_card *i) MUST_USE;
/* A new incident for an alert. */
err fold_open(struct call *c, const struct grant *g, struct alert_card *a,
    enum severity severity, bool by_rule, struct incident_card **ret) MUST_USE;
/* An entry about an alert on its incident, if it has one. */
err fold_note(struct call *c, struct alert_card *a, enum entry_kind kind,
    struct str text) MUST_USE;
/* The document as this delivery alone would have it; *ret_core: see
 * alert_doc. */
struct str fold_doc(struct call *c, const struct fold_in *f,
    enum rule_does does, size_t *ret_core);
/* Record the alert as touched: hidden when its incident is private. */
err fold_touch(struct call *c, struct alert_card *a) MUST_USE;

/* It was resolved: triggers may wait for that. */
err fold_resolved(struct call *c, struct alert_card *a) MUST_USE;

#endif
