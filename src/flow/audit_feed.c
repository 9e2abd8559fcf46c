/* audit_feed.c: see audit_feed.h. */
#include "flow/audit_feed.h"

#include "base/limits.h"
#include "flow/handlers.h"

enum { WAIT_MAX_S = 60 };

err
audit_feed_may(struct call *c)
{
	const struct object *const *o;
	const struct grant *g;
	size_t n;

	if (call_can(c, PERM_AUDIT_VIEW, 0))
		return OK;
	o = world_objects(call_world(c), OBJECT_PROJECT, &n);
	for (size_t i = 0; i < n; i++)
		if (access_part(c->actor, PERM_AUDIT_VIEW, o[i]->project,
			c->now))
			return OK;
	return call_ask(c, PERM_AUDIT_VIEW, 0, &g); /* no, on record */
}

static err
after_of(struct call *c, struct audit_feed *f)
{
	struct str s = c->query.raw[PARAM_AFTER];
	struct str last = http_header(c->req, STR("last-event-id"));

	f->after = UINT64_MAX;
	if (last.p != NULL && !str_u64(last, 0, INT64_MAX, &f->after))
		return call_bad(c, E_INVALID,
		    "Last-Event-ID is not one of this stream");
	if (last.p == NULL && s.p != NULL &&
	    !str_u64(s, 0, INT64_MAX, &f->after))
		return call_bad(c, E_INVALID,
		    "after: the number of an entry, 0 for the first one");
	return OK;
}

err
route_audit_stream(struct call *c)
{
	struct audit_feed *f = ARENA_NEW(c->a, struct audit_feed);
	struct str format = c->query.raw[PARAM_FORMAT];
	struct str wait = c->query.raw[PARAM_WAIT];
	uint64_t seconds = 0;

	TRY(arena_check(c->a));
	TRY(audit_feed_may(c));
	TRY(audit_query_params(c, &f->q));
	TRY(after_of(c, f));
	f->format = EXPORT_NDJSON;
	if (format.p != NULL &&
	    (!export_format_parse(format, &f->format) ||
		f->format == EXPORT_CSV))
		return call_bad(c, E_INVALID,
		    "format: ndjson, cef, ocsf or syslog");
	f->poll = wait.p != NULL;
	if (f->poll && !str_u64(wait, 0, WAIT_MAX_S, &seconds))
		return call_bad(c, E_INVALID, "wait: 0 to %d seconds",
		    WAIT_MAX_S);
	f->until = c->now + (int64_t)seconds * 1000;
	c->prepared = f;
	return OK; /* opened by streams_open, once it is on record */
}

static bool
may_see(struct call *c, const struct audit_entry *e)
{
	const struct project *p;
	struct uuid id;

	if (call_can(c, PERM_AUDIT_VIEW, 0))
		return true;
	if (e->project.n == 0 || !uuid_parse(e->project, &id))
		return false;
	p = world_project_id(call_world(c), &id);
	return p != NULL &&
	    access_part(c->actor, PERM_AUDIT_VIEW, p->o.project, c->now);
}

/* A poll is on record, and does not answer itself. */
static bool
own_poll(struct call *c, const struct audit_entry *e)
{
	char id[UUID_TEXT + 1];

	uuid_text(&c->actor->id, id);
	return e->action == AUDIT_AUDIT_STREAM && str_is(e->principal_id, id);
}

void
audit_feed_add(struct call *c, struct arena *a, struct str leaf,
    struct buf *event)
{
	struct audit_feed *f = audit_feed(c);
	struct buf *b = f->poll ? &c->out : event;
	size_t before = b->n;
	struct audit_entry e;
	struct hash h;

	if (!audit_query_may(&f->q, leaf) ||
	    !err_ok(audit_leaf_read(a, leaf, &e)) ||
	    !audit_query_match(&f->q, &e) || !may_see(c, &e))
		return;
	if (!f->poll)
		buf_fmt(b, "id: %llu\nevent: audit\ndata: ",
		    (unsigned long long)e.seq);
	audit_leaf_hash(leaf, &h);
	if (!err_ok(export_line(a, f->format, leaf, &h, b))) {
		b->n = before; /* what is no leaf is for verify to name */
		return;
	}
	if (!f->poll)
		buf_char(b, '\n');
	f->lines++;
	f->news |= !own_poll(c, &e);
}

bool
audit_feed_full(const struct call *c)
{
	const struct audit_feed *f = audit_feed(c);

	return f->lines >= c->query.limit || c->out.n > PAGE_BYTES;
}

bool
audit_feed_due(const struct call *c)
{
	return audit_feed(c)->news || audit_feed_full(c) ||
	    c->now >= audit_feed(c)->until;
}

void
audit_feed_answer(struct call *c, uint64_t after)
{
	struct buf b;

	buf_init_on(&b, c->a, 24);
	buf_u64(&b, after);
	c->status = 200;
	c->content_type = str_c(export_format_type(audit_feed(c)->format));
	c->after = buf_view(&b);
}
