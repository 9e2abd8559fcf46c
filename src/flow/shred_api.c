/*
 * shred_api.c: /v1/retention: what would go now, what went, and having it
 * done now.  Who sees one project only sees what is of it.
 */
#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/shredder.h"
#include "store/retention.h"

static bool
sees(struct call *c, uint32_t project)
{
	return call_can(c, PERM_RETENTION_VIEW, project);
}

/* A grant from somewhere: who sees nothing anywhere is refused. */
static err
ask(struct call *c)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_PROJECT, &n);
	for (size_t i = 0; i < n && !sees(c, 0); i++)
		if (sees(c, o[i]->project))
			return OK;
	return call_ask(c, PERM_RETENTION_VIEW, 0, &c->grant);
}

static void
project_json(struct call *c, struct jw *w, uint32_t project)
{
	const struct project *p = world_project(call_world(c), project);

	jw_kstr(w, "project", p == NULL ? STR_NONE : p->slug);
}

/* ---- ahead ---- */

err
route_retention_preview(struct call *c)
{
	struct shred_item *item;
	struct jw *w;
	int64_t last;
	bool busy;
	size_t n;

	TRY(ask(c));
	TRY(shred_preview(c->lane, c->now, c->a, &item, &n));
	w = answer(c, 200);
	jw_obj(w);
	jw_time(w, "time", c->now);
	last = shredder_last(c->lane->state->shredder, &busy);
	jw_time(w, "last_run_at", last);
	jw_kbool(w, "busy", busy);
	jw_karr(w, "items");
	for (size_t i = 0; i < n; i++) {
		if (!sees(c, item[i].project))
			continue;
		jw_obj(w);
		jw_kstr(w, "class", str_c(retention_class_text(item[i].class)));
		project_json(c, w, item[i].project);
		jw_ki64(w, "days", item[i].days);
		jw_ki64(w, "units", (int64_t)item[i].units);
		jw_karr(w, "ids");
		for (size_t k = 0; k < item[i].ids; k++) {
			char text[UUID_TEXT + 1];

			uuid_text(&item[i].id[k], text);
			jw_str(w, str_of(text, UUID_TEXT));
		}
		jw_arr_end(w);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_obj_end(w);
	return buf_check(&c->out);
}

/* ---- afterwards ---- */

static err
row_json(struct call *c, struct jw *w, const struct destruction_row *r)
{
	struct seal_where where = {.table = SEAL_TABLE_DESTRUCTION,
	    .schema = 1};
	struct str text;

	seal_where_num(&where, r->seq);
	TRY(lane_open_sealed(c->lane, &where, r->stored, c->a, &text));
	if (text.n < 32)
		return err_of(E_CORRUPT);
	jw_obj(w);
	jw_ki64(w, "seq", (int64_t)r->seq);
	jw_time(w, "time", r->time);
	jw_kstr(w, "class",
	    str_c(retention_class_text((enum retention_class)r->class)));
	project_json(c, w, r->project);
	jw_ki64(w, "units", (int64_t)r->units);
	jw_name(w, STR("salt"));
	jw_b64(w, str_head(text, 32));
	jw_kstr(w, "value", str_skip(text, 32));
	jw_obj_end(w);
	return OK;
}

static err
position(struct call *c, int64_t *from, uint64_t *after)
{
	struct str at;
	struct cur cur;

	*from = c->query.from;
	*after = 0;
	TRY(cursor_take(c, &at));
	if (at.n == 0)
		return OK;
	cur = cur_of(at);
	*from = (int64_t)cur_be64(&cur);
	*after = cur_be64(&cur);
	return err_of(cur_end(&cur) ? E_OK : E_BAD_CURSOR);
}

err
route_retention_report(struct call *c)
{
	struct destruction_row *row;
	int64_t from;
	uint64_t after;
	struct jw *w;
	struct buf b;
	size_t n, i;

	TRY(ask(c));
	TRY(position(c, &from, &after));
	TRY(store_destructions(c->lane->conn, from, c->query.to, after,
	    (size_t)c->query.limit + 1, c->a, &row, &n));
	w = list_begin(c);
	for (i = 0; i < n && i < c->query.limit; i++) {
		from = row[i].time;
		after = row[i].seq;
		if (sees(c, row[i].project))
			TRY(row_json(c, w, &row[i]));
	}
	buf_init_on(&b, c->a, 16);
	buf_be64(&b, (uint64_t)from);
	buf_be64(&b, after);
	return list_end(c, n > i ? buf_view(&b) : STR_NONE);
}

/* ---- now ---- */

err
route_retention_run(struct call *c)
{
	struct jw *w = answer(c, 202);
	bool busy;
	int64_t last = shredder_last(c->lane->state->shredder, &busy);

	shredder_wake(c->lane->state->shredder);
	jw_obj(w);
	jw_kbool(w, "busy", busy);
	jw_time(w, "last_run_at", last);
	jw_obj_end(w);
	return buf_check(&c->out);
}
