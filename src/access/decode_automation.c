/* decode_automation.c: runbooks, triggers, connectors, secrets, delegates,
 * freezes. */
#include "access/decode_read.h"

static const struct object *
get_freeze(struct reader *r, const struct object *head)
{
	struct freeze *f = ARENA_NEW(r->a, struct freeze);

	if (f == NULL)
		return NULL;
	f->o = *head;
	f->reason = get_str(r, STR("reason"));
	f->by_kind = get_kind(r, STR("by_kind"));
	f->by.u = get_uuid(r, STR("by"));
	return &f->o;
}

static const struct object *
get_hold(struct reader *r, const struct object *head)
{
	struct hold *h = ARENA_NEW(r->a, struct hold);

	if (h == NULL)
		return NULL;
	h->o = *head;
	h->name = get_str(r, STR("name"));
	h->reason = get_str(r, STR("reason"));
	h->incident = get_uuid(r, STR("incident"));
	h->until = get_num(r, STR("until"), 0, INT64_MAX);
	h->by_kind = get_kind(r, STR("by_kind"));
	h->by.u = get_uuid(r, STR("by"));
	h->released = get_num(r, STR("released"), 0, INT64_MAX);
	h->release_reason = get_str(r, STR("release_reason"));
	return &h->o;
}

static const struct object *
get_runbook(struct reader *r, const struct object *head)
{
	struct runbook_object *b = ARENA_NEW(r->a, struct runbook_object);

	if (b == NULL)
		return NULL;
	b->o = *head;
	b->slug = get_str(r, STR("slug"));
	b->name = get_str(r, STR("name"));
	b->latest = get_u32(r, STR("latest"));
	b->current = get_u32(r, STR("current"));
	b->pinned = get_bool(r, STR("pinned"));
	b->archived = get_bool(r, STR("archived"));
	b->context = get_str(r, STR("context"));
	b->types = get_strs(r, STR("types"), &b->types_n);
	b->owner_kind = get_kind(r, STR("owner_kind"));
	b->owner = get_uuid(r, STR("owner"));
	b->created_by.u = get_uuid(r, STR("created_by"));
	return &b->o;
}

static const struct object *
get_trigger(struct reader *r, const struct object *head)
{
	struct trigger_object *t = ARENA_NEW(r->a, struct trigger_object);

	if (t == NULL)
		return NULL;
	t->o = *head;
	t->name = get_str(r, STR("name"));
	t->runbook = get_uuid(r, STR("runbook"));
	t->account = get_uuid(r, STR("account"));
	t->config = get_str(r, STR("config"));
	t->disabled = get_bool(r, STR("disabled"));
	t->owner_kind = get_kind(r, STR("owner_kind"));
	t->owner = get_uuid(r, STR("owner"));
	t->created_by.u = get_uuid(r, STR("created_by"));
	return &t->o;
}

static const struct object *
get_connector(struct reader *r, const struct object *head)
{
	struct connector_object *c = ARENA_NEW(r->a, struct connector_object);

	if (c == NULL)
		return NULL;
	c->o = *head;
	c->slug = get_str(r, STR("slug"));
	c->name = get_str(r, STR("name"));
	c->document = get_str(r, STR("document"));
	c->digest = get_str(r, STR("digest"));
	c->number = get_u32(r, STR("number"));
	c->state = (enum connector_state)get_num(r, STR("state"), 0,
	    CONNECTOR_STATES - 1);
	c->kind = (uint8_t)get_num(r, STR("kind"), 0, UINT8_MAX);
	c->secret = get_str(r, STR("secret"));
	c->expires = get_num(r, STR("expires"), 0, INT64_MAX);
	c->editors = get_uuids(r, STR("editors"), &c->editors_n);
	c->created_by.u = get_uuid(r, STR("created_by"));
	c->approved_by.u = get_uuid(r, STR("approved_by"));
	c->approved = get_num(r, STR("approved"), 0, INT64_MAX);
	c->approval = (uint64_t)get_num(r, STR("approval"), 0, INT64_MAX);
	c->reason = get_str(r, STR("reason"));
	return &c->o;
}

static const struct object *
get_secret_object(struct reader *r, const struct object *head)
{
	struct secret_object *s = ARENA_NEW(r->a, struct secret_object);

	if (s == NULL)
		return NULL;
	s->o = *head;
	s->name = get_str(r, STR("name"));
	s->description = get_str(r, STR("description"));
	s->labels = get_str(r, STR("labels"));
	s->external = get_str(r, STR("external"));
	s->runbooks = get_strs(r, STR("runbooks"), &s->runbooks_n);
	s->connectors = get_strs(r, STR("connectors"), &s->connectors_n);
	s->versions = get_str(r, STR("versions"));
	s->last = get_u32(r, STR("last"));
	s->next_end = get_num(r, STR("next_end"), 0, INT64_MAX);
	s->created_by.u = get_uuid(r, STR("created_by"));
	return &s->o;
}

static void
get_join(struct reader *r, struct delegate *d)
{
	struct str id = get_str(r, STR("join_id"));

	if (id.n != 0 && id.n != TOKEN_KEY_ID)
		r->bad = true;
	else if (id.n > 0)
		memcpy(d->join_id, id.p, id.n);
	get_digest(r, STR("join_verifier"), d->join_verifier);
	d->join_key = get_u32(r, STR("join_key"));
	d->join_used = get_bool(r, STR("join_used"));
	d->join_expires = get_num(r, STR("join_expires"), 0, INT64_MAX);
}

static void
get_delegate_keys(struct reader *r, struct delegate *d)
{
	get_digest(r, STR("ed25519"), d->ed25519);
	get_digest(r, STR("x25519"), d->x25519);
	d->cert_until = get_num(r, STR("cert_until"), 0, INT64_MAX);
}

static const struct object *
get_delegate(struct reader *r, const struct object *head)
{
	struct delegate *d = ARENA_NEW(r->a, struct delegate);

	if (d == NULL)
		return NULL;
	d->o = *head;
	d->name = get_str(r, STR("name"));
	d->labels = get_str(r, STR("labels"));
	d->max_tasks = get_u32(r, STR("max_tasks"));
	d->state = (enum delegate_state)get_num(r, STR("state"), 0,
	    DELEGATE_STATES - 1);
	d->epoch = get_u32(r, STR("epoch"));
	d->created_by.u = get_uuid(r, STR("created_by"));
	d->issued_by.u = get_uuid(r, STR("issued_by"));
	d->approved_by.u = get_uuid(r, STR("approved_by"));
	d->joined = get_num(r, STR("joined"), 0, INT64_MAX);
	d->approved = get_num(r, STR("approved"), 0, INT64_MAX);
	d->revoked = get_num(r, STR("revoked"), 0, INT64_MAX);
	get_join(r, d);
	get_delegate_keys(r, d);
	d->version = get_str(r, STR("version"));
	d->host = get_str(r, STR("host"));
	d->doctor = get_str(r, STR("doctor"));
	return &d->o;
}

const struct object *
decode_automation(struct reader *r, const struct object *head)
{
	switch (head->kind) {
	case OBJECT_RUNBOOK:
		return get_runbook(r, head);
	case OBJECT_TRIGGER:
		return get_trigger(r, head);
	case OBJECT_CONNECTOR:
		return get_connector(r, head);
	case OBJECT_SECRET:
		return get_secret_object(r, head);
	case OBJECT_DELEGATE:
		return get_delegate(r, head);
	case OBJECT_FREEZE:
		return get_freeze(r, head);
	case OBJECT_HOLD:
		return get_hold(r, head);
	default:
		break;
	}
	r->bad = true;
	return NULL;
}
