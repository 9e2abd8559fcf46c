/*
 * desk.h: rows the writer has on its desk during one batch.  A row that many
 * requests of the batch change is read once and written once; all of it is
 * dropped when the batch is undone.
 */
#ifndef FLOW_DESK_H
#define FLOW_DESK_H

#include "domain/alert.h"
#include "domain/incident.h"
#include "flow/call.h"

struct incident_card {
	struct incident_row row; /* as stored; `head` is what counts */
	struct incident_head head;
	struct str doc; /* plaintext JSON; set when loaded or changed */
	uint32_t key;	/* data key that seals it and its timeline */
	bool fresh;	/* not in the store yet */
	bool dirty, doc_dirty;
	struct incident_card *next;
};

struct alert_card {
	struct alert_row row;
	struct alert_head head;
	struct str doc;
	bool fresh, dirty, doc_dirty;
	bool newest; /* of its key; else it was asked for by id */
	struct alert_card *next;
};

/* ---- incidents ---- */

/* By "INC-42", "42" or id, in the project. E_NOT_FOUND. Says nothing about
 * who may see it. */
err desk_incident(struct call *c, struct str ref,
    struct incident_card **ret) MUST_USE;
err desk_incident_seq(struct lane *l, uint64_t seq,
    struct incident_card **ret) MUST_USE;
err desk_incident_number(struct lane *l, uint32_t project, uint64_t number,
    struct incident_card **ret) MUST_USE;
/* Its document, opened once. */
err desk_incident_doc(struct lane *l, struct incident_card *i) MUST_USE;
/* A new one with a data key of its own, the next number, tags. */
err desk_incident_new(struct call *c, const struct incident_head *h,
    struct str doc, struct incident_card **ret) MUST_USE;
/* doc.p NULL: only the head changed. Tags follow the document. */
err desk_incident_changed(struct call *c, struct incident_card *i,
    struct str doc) MUST_USE;
/*
 * Append to the timeline: data is JSON object text or empty. occurred 0: now.
 * An entry never changes, so what is sealed is the JSON item as it will be
 * answered; *ret_item is it (may be NULL).
 */
err desk_entry(struct call *c, struct incident_card *i, enum entry_kind kind,
    bool key_event, int64_t occurred, struct str text, struct str data,
    struct str *ret_item) MUST_USE;

/* ---- alerts ---- */

/* The newest one of that key. */
err desk_alert_dedup(struct lane *l, const uint8_t dedup[BLIND_SIZE],
    struct alert_card **ret) MUST_USE;
err desk_alert_id(struct lane *l, const struct alert_id *id,
    struct alert_card **ret) MUST_USE;
err desk_alert_doc(struct lane *l, struct alert_card *a) MUST_USE;
err desk_alert_new(struct call *c, uint32_t project,
    const uint8_t dedup[BLIND_SIZE], const struct alert_head *h, struct str doc,
    struct alert_card **ret) MUST_USE;
void desk_alert_changed(struct alert_card *a, struct str doc);

/* Has the project incidents or alerts the store does not know yet? */
bool desk_in_use(struct lane *l, uint32_t project);

/* Heads from rows, for readers too. */
struct incident_head incident_head_of(const struct incident_row *r);
struct alert_head alert_head_of(const struct alert_row *r);
/* Where their blobs lie. */
struct seal_where incident_where(const struct incident_row *r);
struct seal_where alert_where(const struct alert_row *r);
struct seal_where entry_where(uint32_t project, uint64_t incident, uint32_t n);
struct seal_where delivery_where(uint32_t project, const struct uuid *id);

/* ---- for the writer ---- */
struct desk;
err desk_new(struct desk **ret) MUST_USE;
struct desk *desk_free(struct desk *d);
/* Numbers the store ended with; once, and after an undo. */
err desk_begin(struct desk *d, struct lane *l) MUST_USE;
/* Seal and write what is dirty. */
err desk_flush(struct desk *d, struct lane *l) MUST_USE;
/* Forget the rows; undone: the numbers too. */
void desk_clear(struct desk *d, struct lane *l, bool undone);
/* So many rows that the batch should end here: looking one up walks all. */
bool desk_full(const struct desk *d);
/* Memory that lives as long as the batch. */
struct arena *desk_arena(struct desk *d);
uint64_t desk_delivery_seq(struct desk *d);
uint32_t desk_key_id(struct desk *d);
/* What the engine of runs has in mind (engine.h); forgotten with the rest. */
struct engine;
struct engine *desk_engine(struct lane *l);

#endif
