/* ingest.c: see ingest.h. */
#include "flow/ingest.h"

#include "audit/tree.h"
#include "base/limits.h"
#include "base/rand.h"
#include "base/text.h"
#include "domain/map.h"
#include "flow/fold.h"
#include "flow/handlers.h"
#include "flow/line.h"
#include "flow/writer.h"

/* What the reactor made ready. */
struct prepared {
	struct fold_in *in;
	size_t n;
	struct delivery_row delivery; /* sealed; seq comes from the writer */
	struct hash sha256;	      /* of the body */
	uint8_t commitment[COMMITMENT_SIZE];
	struct trail why; /* of a dead letter */
};

static const struct json_limits literal_limits = {
    .depth = LIM_JSON_DEPTH,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES,
};

/* 32 hex digits, as PagerDuty makes them. */
static err
fresh_key(struct call *c, struct str *ret)
{
	uint8_t bytes[16];
	struct buf b;

	rand_bytes(bytes, sizeof bytes);
	buf_init_on(&b, c->a, 2 * sizeof bytes);
	hex_add(&b, str_of((const char *)bytes, sizeof bytes));
	*ret = buf_view(&b);
	return buf_check(&b);
}

static err
settings_of(struct call *c, struct map_settings *ret)
{
	const struct integration *n =
	    world_integration(call_world(c), &c->actor->id);

	if (n == NULL)
		return err_of(E_UNAUTHENTICATED);
	*ret = (struct map_settings){
	    .default_severity = (enum alert_severity)n->default_severity,
	    .now = c->now,
	};
	if (!map_kind_parse(n->template, &ret->kind))
		return err_of(E_MAPPING);
	if (c->route->handle == route_ingest_am2)
		ret->kind = MAP_ALERTMANAGER_V2;
	if (c->route->handle == route_ingest_enqueue)
		ret->kind = MAP_PAGERDUTY;
	if (ret->kind == MAP_PAGERDUTY)
		TRY(fresh_key(c, &ret->fresh_key));
	if (n->mapping.n > 0)
		TRY(json_parse(c->a, n->mapping, &literal_limits, &c->trail,
		    &ret->literals));
	return OK;
}

static err
map(struct call *c, struct prepared *p)
{
	struct map_settings settings;
	struct alert_in *in;

	TRY(settings_of(c, &settings));
	TRY(map_delivery(c->a, &settings, c->body, &c->trail, &in, &p->n));
	p->in = arena_array(c->a, p->n + 1, sizeof *p->in);
	TRY(arena_check(c->a));
	for (size_t i = 0; i < p->n; i++) {
		p->in[i].in = in[i];
		TRY(fold_blind(c->lane, c->project->o.project, &c->actor->id,
		    &p->in[i]));
	}
	return OK;
}

/* The blob: salt[32] of the commitment, then what is kept of the body. */
static err
seal_payload(struct call *c, struct prepared *p)
{
	struct delivery_row *d = &p->delivery;
	uint32_t project = c->project->o.project;
	struct seal_where where;
	uint8_t salt[32];
	struct buf b;

	d->id.u = rand_uuid(c->now);
	d->project = project;
	d->integration.u = c->actor->id;
	d->received = c->now;
	d->alerts = (uint32_t)p->n;
	d->bytes = (uint32_t)c->req->body.n;
	rand_bytes(salt, sizeof salt);
	audit_sha256(c->req->body, &p->sha256);
	audit_commit(salt, STR("payload"), c->payload, p->commitment);
	buf_init_on(&b, c->a, LIM_INGEST_BODY + sizeof salt);
	if (!buf_room(&b, sizeof salt + c->payload.n))
		return err_of(E_NO_MEMORY);
	buf_add(&b, salt, sizeof salt);
	buf_str(&b, c->payload);
	where = delivery_where(project, &d->id.u);
	return lane_seal(c->lane, project, SEAL_CLASS_PAYLOAD, &where,
	    buf_view(&b), c->a, &d->sealed);
}

err
ingest_prepare(struct call *c)
{
	struct prepared *p = ARENA_NEW(c->a, struct prepared);
	err e;

	if (p == NULL)
		return err_of(E_NO_MEMORY);
	if (c->payload.p == NULL)
		c->payload = c->req->body;
	e = map(c, p);
	if (!err_ok(e) && !err_is(e, E_MAPPING))
		return e;
	p->delivery.status = DELIVERY_ACCEPTED;
	if (!err_ok(e)) {
		p->delivery.status = DELIVERY_DEAD;
		p->why = c->trail;
		p->n = 0;
	}
	c->prepared = p;
	return seal_payload(c, p);
}

/*
 * The payload was sealed before it queued.  If its key is not the one that
 * seals now, a rotation went by: nothing may be stored under an old key any
 * more, since the key is deleted when no row names it.
 */
static err
seal_anew(struct call *c, struct prepared *p)
{
	struct stored s = {p->delivery.sealed.bytes};
	uint32_t id;

	TRY(seal_key_id(s, &id));
	if (id ==
	    snap_class_key(c->lane->snap, p->delivery.project,
		SEAL_CLASS_PAYLOAD))
		return OK;
	return seal_payload(c, p);
}

static void
receipt(struct call *c, const struct prepared *p, struct fold_out *out,
    uint64_t seq, int status)
{
	struct jw *w = answer(c, status);
	struct buf hex;

	buf_init_on(&hex, c->a, 64);
	hex_add(&hex, str_of((const char *)p->sha256.b, HASH_SIZE));
	jw_obj(w);
	jw_kobj(w, "receipt");
	jw_uuid(w, "delivery", &p->delivery.id.u);
	jw_kstr(w, "sha256", buf_view(&hex));
	jw_ki64(w, "seq", (int64_t)seq);
	jw_karr(w, "alerts");
	for (size_t i = 0; i < p->n; i++) {
		jw_obj(w);
		jw_uuid(w, "id", &out[i].alert->row.id.u);
		jw_kstr(w, "status",
		    alert_status_text(out[i].alert->head.status));
		jw_kbool(w, "deduplicated", !alert_did_new(out[i].did));
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_obj_end(w);
	jw_obj_end(w);
}

/* Kept, sealed, for a replay; the sender learns what was missing. */
static err
dead_letter(struct call *c)
{
	c->rec.outcome = AUDIT_ERROR;
	c->rec.reason = str_c(err_name(err_of(E_MAPPING)));
	if (c->trail.detail[0] == '\0')
		trail_set(&c->trail, "no alert could be made of the payload");
	line_fail(c, err_of(E_MAPPING));
	return OK;
}

/* What folding needs on the way is freed at once: a delivery of many alerts
 * may need far more of it than a request may hold. */
static err
fold_one(struct call *c, const struct fold_in *in, struct fold_out *ret)
{
	struct scratch s;
	err e;

	scratch_begin(c, &s);
	e = fold_alert(c, in, ret);
	scratch_end(c, &s);
	return e;
}

/* What PagerDuty answers, so that its senders go on. */
static void
enqueued(struct call *c, const struct prepared *p)
{
	struct jw *w = answer(c, 202);

	jw_obj(w);
	jw_kstr(w, "status", STR("success"));
	jw_kstr(w, "message", STR("Event processed"));
	jw_kstr(w, "dedup_key", p->in[0].in.dedup_key);
	jw_obj_end(w);
}

static err
take_in(struct call *c, int status)
{
	struct prepared *p = c->prepared;
	struct fold_out *out = arena_array(c->a, p->n + 1, sizeof *out);

	if (out == NULL)
		return err_of(E_NO_MEMORY);
	TRY(seal_anew(c, p));
	c->dirty = true;
	p->delivery.seq = desk_delivery_seq(writer_desk(c->lane->writer));
	TRY(store_delivery_insert(c->lane->conn, &p->delivery));
	call_touch(c, "delivery", &p->delivery.id.u);
	c->rec.commitment = p->commitment;
	if (p->delivery.status == DELIVERY_DEAD) {
		c->trail = p->why;
		return dead_letter(c);
	}
	for (size_t i = 0; i < p->n; i++) {
		TRY(fold_one(c, &p->in[i], &out[i]));
		if (i < AUDIT_RESOURCES - 1)
			TRY(fold_touch(c, out[i].alert));
	}
	if (c->route->handle == route_ingest_enqueue)
		enqueued(c, p);
	else
		receipt(c, p, out, ledger_next(writer_ledger(c->lane->writer)),
		    status);
	return OK;
}

err
route_ingest(struct call *c)
{
	return take_in(c, 202);
}

/* Senders of the Alertmanager API expect its 200. */
err
route_ingest_am2(struct call *c)
{
	return take_in(c, 200);
}

err
route_ingest_enqueue(struct call *c)
{
	return take_in(c, 202);
}
