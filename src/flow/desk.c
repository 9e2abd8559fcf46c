/* desk.c: see desk.h. */
#include "flow/desk.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "flow/engine.h"
#include "flow/fire.h"
#include "flow/tags.h"
#include "flow/writer.h"

enum {
	DESK_MEMORY = 256 * 1024 * 1024, /* LIM_BATCH requests of 1 MiB */
	DESK_CARDS = 2048,
};

struct desk {
	struct arena arena;
	struct incident_card *incidents;
	struct alert_card *alerts;
	uint64_t incident_seq, alert_seq, delivery_seq;
	uint32_t key_id, key_id_before;
	unsigned cards;
	bool known; /* the numbers above are */
	struct engine engine;
};

static struct desk *
desk_of(struct lane *l)
{
	return writer_desk(l->writer);
}

/* ---- rows and heads ---- */

struct incident_head
incident_head_of(const struct incident_row *r)
{
	return (struct incident_head){
	    .severity = r->severity,
	    .status = r->status,
	    .restricted = r->private != 0,
	    .version = r->version,
	    .alerts = r->alerts,
	    .entries = r->entries,
	    .created = r->created,
	    .updated = r->updated,
	    .acknowledged = r->acknowledged,
	    .mitigated = r->mitigated,
	    .resolved = r->resolved,
	    .closed = r->closed,
	};
}

static void
incident_row_set(struct incident_row *r, const struct incident_head *h)
{
	r->severity = h->severity;
	r->status = h->status;
	r->private = h->restricted;
	r->version = h->version;
	r->alerts = h->alerts;
	r->entries = h->entries;
	r->created = h->created;
	r->updated = h->updated;
	r->acknowledged = h->acknowledged;
	r->mitigated = h->mitigated;
	r->resolved = h->resolved;
	r->closed = h->closed;
}

struct alert_head
alert_head_of(const struct alert_row *r)
{
	return (struct alert_head){
	    .status = r->status,
	    .severity = r->severity,
	    .version = r->version,
	    .count = r->count,
	    .first_seen = r->first_seen,
	    .last_seen = r->last_seen,
	    .resolved = r->resolved,
	};
}

static void
alert_row_set(struct alert_row *r, const struct alert_head *h)
{
	r->status = h->status;
	r->severity = h->severity;
	r->version = h->version;
	r->count = h->count;
	r->first_seen = h->first_seen;
	r->last_seen = h->last_seen;
	r->resolved = h->resolved;
}

struct seal_where
incident_where(const struct incident_row *r)
{
	struct seal_where w = {.table = SEAL_TABLE_INCIDENT,
	    .schema = 1,
	    .project = r->project};

	seal_where_id(&w, &r->id.u);
	return w;
}

struct seal_where
alert_where(const struct alert_row *r)
{
	struct seal_where w = {.table = SEAL_TABLE_ALERT,
	    .schema = 1,
	    .project = r->project};

	seal_where_id(&w, &r->id.u);
	return w;
}

struct seal_where
entry_where(uint32_t project, uint64_t incident, uint32_t n)
{
	struct seal_where w = {.table = SEAL_TABLE_TIMELINE,
	    .schema = 1,
	    .project = project};

	seal_where_num(&w, incident);
	seal_where_num(&w, n);
	return w;
}

struct seal_where
delivery_where(uint32_t project, const struct uuid *id)
{
	struct seal_where w = {.table = SEAL_TABLE_DELIVERY,
	    .schema = 1,
	    .project = project};

	seal_where_id(&w, id);
	return w;
}

/* ---- incidents ---- */

static err
incident_take(struct desk *d, struct incident_row *row,
    struct incident_card **ret)
{
	struct incident_card *i;

	for (i = d->incidents; i != NULL; i = i->next) {
		if (i->row.seq == row->seq) {
			*ret = i;
			return OK;
		}
	}
	i = ARENA_NEW(&d->arena, struct incident_card);
	if (i == NULL)
		return err_of(E_NO_MEMORY);
	i->row = *row;
	i->head = incident_head_of(row);
	TRY(seal_key_id(row->stored, &i->key));
	i->next = d->incidents;
	d->incidents = i;
	d->cards++;
	*ret = i;
	return OK;
}

err
desk_incident_seq(struct lane *l, uint64_t seq, struct incident_card **ret)
{
	struct desk *d = desk_of(l);
	struct incident_row row;

	for (struct incident_card *i = d->incidents; i != NULL; i = i->next) {
		if (i->row.seq == seq) {
			*ret = i;
			return OK;
		}
	}
	TRY(store_incident_by_seq(l->conn, seq, &d->arena, &row));
	return incident_take(d, &row, ret);
}

err
desk_incident_number(struct lane *l, uint32_t project, uint64_t number,
    struct incident_card **ret)
{
	struct desk *d = desk_of(l);
	struct incident_row row;

	for (struct incident_card *i = d->incidents; i != NULL; i = i->next) {
		if (i->row.project == project && i->row.number == number) {
			*ret = i;
			return OK;
		}
	}
	TRY(store_incident_by_number(l->conn, project, number, &d->arena,
	    &row));
	return incident_take(d, &row, ret);
}

err
desk_incident(struct call *c, struct str ref, struct incident_card **ret)
{
	struct desk *d = desk_of(c->lane);
	uint32_t project = c->project->o.project;
	struct incident_row row;
	struct incident_id id;
	uint64_t number;

	if (incident_number_parse(ref, &number))
		return desk_incident_number(c->lane, project, number, ret);
	if (!uuid_parse(ref, &id.u))
		return err_of(E_NOT_FOUND);
	for (struct incident_card *i = d->incidents; i != NULL; i = i->next) {
		if (uuid_eq(&i->row.id.u, &id.u)) {
			*ret = i;
			return err_of(
			    i->row.project == project ? E_OK : E_NOT_FOUND);
		}
	}
	TRY(store_incident_by_id(c->lane->conn, &id, &d->arena, &row));
	if (row.project != project)
		return err_of(E_NOT_FOUND);
	return incident_take(d, &row, ret);
}

err
desk_incident_doc(struct lane *l, struct incident_card *i)
{
	struct seal_where w = incident_where(&i->row);

	if (i->doc.p != NULL)
		return OK;
	return lane_open_sealed(l, &w, i->row.stored, &desk_of(l)->arena,
	    &i->doc);
}

/* The number after the last of the project, on the desk or in the store. */
static err
next_number(struct desk *d, struct lane *l, uint32_t project, uint64_t *ret)
{
	uint64_t seq, number;

	TRY(store_incident_last(l->conn, project, &seq, &number));
	for (struct incident_card *i = d->incidents; i != NULL; i = i->next)
		if (i->row.project == project && i->row.number > number)
			number = i->row.number;
	*ret = number + 1;
	return OK;
}

/* A data key of the incident's own: deleting it destroys the incident. */
static err
incident_key(struct desk *d, struct call *c, struct incident_card *i)
{
	struct lane *l = c->lane;
	struct wrapped_key wrapped;
	const struct data_key *k;
	struct data_key_row row;

	i->key = desk_key_id(d);
	TRY(keyring_make(l->ring, i->key, i->row.project, SEAL_CLASS_INCIDENT,
	    &i->row.id.u, 1, &d->arena, &wrapped, &k));
	row = (struct data_key_row){
	    .id = i->key,
	    .project = i->row.project,
	    .version = wrapped.version,
	    .class = SEAL_CLASS_INCIDENT,
	    .has_subject = true,
	    .subject = i->row.id.u,
	    .term = 1,
	    .wrapped = wrapped.wrapped,
	};
	return store_data_key_put(l->conn, &row);
}

err
desk_incident_new(struct call *c, const struct incident_head *h, struct str doc,
    struct incident_card **ret)
{
	struct desk *d = desk_of(c->lane);
	struct incident_card *i = ARENA_NEW(&d->arena, struct incident_card);

	if (i == NULL)
		return err_of(E_NO_MEMORY);
	c->dirty = true;
	i->row.project = c->project->o.project;
	TRY(next_number(d, c->lane, i->row.project, &i->row.number));
	i->row.seq = ++d->incident_seq;
	i->row.id.u = rand_uuid(c->now);
	i->head = *h;
	i->doc = arena_dup(&d->arena, doc);
	i->fresh = i->dirty = i->doc_dirty = true;
	TRY(incident_key(d, c, i));
	TRY(tags_change(c, i->row.project, i->row.number, STR(""), i->doc));
	i->next = d->incidents;
	d->incidents = i;
	d->cards++;
	atomic_fetch_add_explicit(&c->lane->state->n.incidents, 1,
	    memory_order_relaxed);
	*ret = i;
	TRY(arena_check(&d->arena));
	return fire_happened(c, TRIGGER_INCIDENT_CREATED, i, NULL, STR(""),
	    ENTRY_CREATED, STR(""));
}

err
desk_incident_changed(struct call *c, struct incident_card *i, struct str doc)
{
	struct desk *d = desk_of(c->lane);

	c->dirty = true;
	i->dirty = true;
	if (doc.p == NULL)
		return OK;
	TRY(tags_change(c, i->row.project, i->row.number, i->doc, doc));
	i->doc = arena_dup(&d->arena, doc);
	i->doc_dirty = true;
	return arena_check(&d->arena);
}

err
desk_entry(struct call *c, struct incident_card *i, enum entry_kind kind,
    bool key_event, int64_t occurred, struct str text, struct str data,
    struct str *ret_item)
{
	struct desk *d = desk_of(c->lane);
	struct entry_row row = {
	    .incident = i->row.seq,
	    .kind = (uint8_t)kind,
	    .key_event = key_event,
	    .occurred = occurred != 0 ? occurred : c->now,
	    .recorded = c->now,
	};
	struct seal_where where;
	const struct data_key *k;
	struct buf b;
	struct jw w;

	c->dirty = true;
	i->dirty = true;
	row.n = incident_next_entry(&i->head, c->now);
	where = entry_where(i->row.project, i->row.seq, row.n);
	buf_init_on(&b, &d->arena, LIM_REPLY);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_ki64(&w, "seq", row.n);
	jw_kstr(&w, "kind", entry_kind_text(kind));
	jw_kbool(&w, "key_event", key_event);
	jw_time(&w, "occurred_at", row.occurred);
	jw_time(&w, "recorded_at", row.recorded);
	jw_kstr(&w, "text", text);
	jw_name(&w, STR("actor"));
	call_actor_json(c, &w);
	jw_name(&w, STR("source"));
	call_source_json(c, &w);
	jw_kraw(&w, "data", data.n == 0 ? STR("{}") : data);
	jw_obj_end(&w);
	TRY(buf_check(&b));
	TRY(keyring_get(c->lane->ring, i->key, &k));
	TRY(seal_close(k, &where, buf_view(&b), &d->arena, &row.sealed));
	if (ret_item != NULL)
		*ret_item = buf_view(&b);
	TRY(store_entry_insert(c->lane->conn, &row));
	if (!key_event)
		return OK;
	return fire_happened(c, TRIGGER_KEY_EVENT, i, NULL, STR(""), kind,
	    text);
}

/* ---- alerts ---- */

static err
alert_take(struct desk *d, const struct alert_row *row, struct alert_card **ret)
{
	struct alert_card *a;

	for (a = d->alerts; a != NULL; a = a->next) {
		if (a->row.seq == row->seq) {
			*ret = a;
			return OK;
		}
	}
	a = ARENA_NEW(&d->arena, struct alert_card);
	if (a == NULL)
		return err_of(E_NO_MEMORY);
	a->row = *row;
	a->head = alert_head_of(row);
	a->next = d->alerts;
	d->alerts = a;
	d->cards++;
	*ret = a;
	return OK;
}

err
desk_alert_dedup(struct lane *l, const uint8_t dedup[BLIND_SIZE],
    struct alert_card **ret)
{
	struct desk *d = desk_of(l);
	struct alert_row row;

	/* a reopened alert stands before the one it follows */
	for (struct alert_card *a = d->alerts; a != NULL; a = a->next) {
		if (a->newest && memcmp(a->row.dedup, dedup, BLIND_SIZE) == 0) {
			*ret = a;
			return OK;
		}
	}
	TRY(store_alert_by_dedup(l->conn, dedup, &d->arena, &row));
	TRY(alert_take(d, &row, ret));
	(*ret)->newest = true;
	return OK;
}

err
desk_alert_id(struct lane *l, const struct alert_id *id,
    struct alert_card **ret)
{
	struct desk *d = desk_of(l);
	struct alert_row row;

	for (struct alert_card *a = d->alerts; a != NULL; a = a->next) {
		if (uuid_eq(&a->row.id.u, &id->u)) {
			*ret = a;
			return OK;
		}
	}
	TRY(store_alert_by_id(l->conn, id, &d->arena, &row));
	return alert_take(d, &row, ret);
}

err
desk_alert_doc(struct lane *l, struct alert_card *a)
{
	struct seal_where w = alert_where(&a->row);

	if (a->doc.p != NULL)
		return OK;
	return lane_open_sealed(l, &w, a->row.stored, &desk_of(l)->arena,
	    &a->doc);
}

err
desk_alert_new(struct call *c, uint32_t project,
    const uint8_t dedup[BLIND_SIZE], const struct alert_head *h, struct str doc,
    struct alert_card **ret)
{
	struct desk *d = desk_of(c->lane);
	struct alert_card *a = ARENA_NEW(&d->arena, struct alert_card);

	if (a == NULL)
		return err_of(E_NO_MEMORY);
	c->dirty = true;
	a->row.seq = ++d->alert_seq;
	a->row.id.u = rand_uuid(c->now);
	a->row.project = project;
	memcpy(a->row.dedup, dedup, BLIND_SIZE);
	a->head = *h;
	a->doc = arena_dup(&d->arena, doc);
	a->fresh = a->dirty = a->doc_dirty = a->newest = true;
	a->next = d->alerts;
	d->alerts = a;
	d->cards++;
	atomic_fetch_add_explicit(&c->lane->state->n.alerts, 1,
	    memory_order_relaxed);
	*ret = a;
	return arena_check(&d->arena);
}

void
desk_alert_changed(struct alert_card *a, struct str doc)
{
	a->dirty = true;
	if (doc.p != NULL) {
		a->doc = doc;
		a->doc_dirty = true;
	}
}

bool
desk_in_use(struct lane *l, uint32_t project)
{
	const struct desk *d = desk_of(l);

	for (struct incident_card *i = d->incidents; i != NULL; i = i->next)
		if (i->row.project == project)
			return true;
	for (struct alert_card *a = d->alerts; a != NULL; a = a->next)
		if (a->row.project == project)
			return true;
	return false;
}

/* ---- flushing ---- */

static err
flush_incident(struct desk *d, struct lane *l, struct incident_card *i)
{
	struct seal_where w = incident_where(&i->row);
	const struct data_key *k;

	incident_row_set(&i->row, &i->head);
	i->row.sealed.bytes = STR_NONE;
	if (i->doc_dirty) {
		TRY(keyring_get(l->ring, i->key, &k));
		TRY(seal_close(k, &w, i->doc, &d->arena, &i->row.sealed));
	}
	return i->fresh ? store_incident_insert(l->conn, &i->row)
			: store_incident_update(l->conn, &i->row);
}

/* An alert of the old term that is still told of goes on in the new one: so
 * a term's key goes when that is due which it sealed last. */
static err
into_term(struct lane *l, struct alert_card *a)
{
	uint32_t id;
	err e;

	if (a->fresh || a->doc_dirty)
		return OK;
	TRY(seal_key_id(a->row.stored, &id));
	if (id == snap_class_key(l->snap, a->row.project, SEAL_CLASS_ALERT))
		return OK;
	e = desk_alert_doc(l, a);
	a->doc_dirty = err_ok(e);
	return err_is(e, E_NO_MEMORY) ? e : OK; /* damaged: it stays so */
}

static err
flush_alert(struct desk *d, struct lane *l, struct alert_card *a)
{
	struct seal_where w = alert_where(&a->row);

	TRY(into_term(l, a));
	alert_row_set(&a->row, &a->head);
	a->row.sealed.bytes = STR_NONE;
	if (a->doc_dirty)
		TRY(lane_seal(l, a->row.project, SEAL_CLASS_ALERT, &w, a->doc,
		    &d->arena, &a->row.sealed));
	return a->fresh ? store_alert_insert(l->conn, &a->row)
			: store_alert_update(l->conn, &a->row);
}

err
desk_flush(struct desk *d, struct lane *l)
{
	for (struct incident_card *i = d->incidents; i != NULL; i = i->next)
		if (i->dirty)
			TRY(flush_incident(d, l, i));
	for (struct alert_card *a = d->alerts; a != NULL; a = a->next)
		if (a->dirty)
			TRY(flush_alert(d, l, a));
	return OK;
}

err
desk_begin(struct desk *d, struct lane *l)
{
	uint64_t number;

	if (d->known) {
		d->key_id_before = d->key_id;
		return OK;
	}
	TRY(store_incident_last(l->conn, 0, &d->incident_seq, &number));
	TRY(store_alert_last(l->conn, &d->alert_seq));
	TRY(store_delivery_last(l->conn, &d->delivery_seq));
	TRY(store_data_key_last(l->conn, &d->key_id));
	d->key_id_before = d->key_id;
	d->known = true;
	return OK;
}

void
desk_clear(struct desk *d, struct lane *l, bool undone)
{
	if (undone) {
		/* keys made for what never was */
		while (d->known && d->key_id > d->key_id_before)
			keyring_forget(l->ring, d->key_id--);
		d->known = false;
		d->engine = (struct engine){0};
	}
	BUG_ON(d->engine.first != NULL);
	d->incidents = NULL;
	d->alerts = NULL;
	d->cards = 0;
	arena_reset(&d->arena);
}

err
desk_new(struct desk **ret)
{
	struct desk *d = mem_new(1, sizeof *d);

	if (d == NULL)
		return err_of(E_NO_MEMORY);
	arena_init(&d->arena, DESK_MEMORY);
	*ret = d;
	return OK;
}

struct desk *
desk_free(struct desk *d)
{
	if (d == NULL)
		return NULL;
	arena_done(&d->arena);
	mem_free(d);
	return NULL;
}

bool
desk_full(const struct desk *d)
{
	return d->cards > DESK_CARDS;
}

struct arena *
desk_arena(struct desk *d)
{
	return &d->arena;
}

uint64_t
desk_delivery_seq(struct desk *d)
{
	return ++d->delivery_seq;
}

uint32_t
desk_key_id(struct desk *d)
{
	return ++d->key_id;
}

struct engine *
desk_engine(struct lane *l)
{
	return &desk_of(l)->engine;
}
