/* happen.c: see fire.h: what may fire triggers, into the outbox. */
#include "base/limits.h"
#include "flow/engine.h"
#include "flow/fire.h"
#include "flow/writer.h"

/* Could one fire?  Its document is canonical JSON: looking for the words is
 * enough to leave nothing out. */
static bool
waited_for(struct call *c, enum trigger_on on)
{
	const struct object *const *o;
	char word[64];
	size_t n;

	o = world_objects(call_world(c), OBJECT_TRIGGER, &n);
	for (size_t i = 0; i < n; i++) {
		const struct trigger_object *t =
		    (const struct trigger_object *)o[i];
		struct buf b;

		if (t->disabled || c->project == NULL ||
		    t->o.project != c->project->o.project)
			continue;
		buf_init_on(&b, c->a, sizeof word);
		buf_fmt(&b, "\"on\":\"%.*s\"", STR_ARG(trigger_on_text(on)));
		if (str_ifind(t->config, buf_view(&b)))
			return true;
	}
	return false;
}

/* {"severity":"sev3"} of {"severity":{"from":"sev3","to":"sev1"}}. */
static err
old_json(struct call *c, struct jw *w, struct str changes)
{
	static const struct json_limits lim = {.depth = LIM_JSON_DEPTH,
	    .members = LIM_JSON_MEMBERS,
	    .values = LIM_JSON_VALUES};
	const struct json *j;

	jw_kobj(w, "old");
	if (changes.n > 0) {
		TRY(json_parse(c->a, changes, &lim, &c->trail, &j));
		for (j = json_first(j); j != NULL; j = j->next) {
			const struct json *from = json_get(j, STR("from"));

			if (from == NULL || str_is(j->name, "security_details"))
				continue;
			jw_name(w, j->name);
			jw_value(w, from);
		}
	}
	jw_obj_end(w);
	return OK;
}

err
fire_put(struct call *c, const struct incident_card *i, struct str doc,
    int64_t due)
{
	struct arena *a = desk_arena(writer_desk(c->lane->writer));
	struct engine *e = desk_engine(c->lane);
	struct happening_row row = {.project = c->project->o.project,
	    .due = due};
	const struct data_key *k;
	struct seal_where w;

	TRY(engine_numbers(c->lane));
	row.seq = ++e->happening_seq;
	w = happening_where(row.project, row.seq);
	if (i != NULL) {
		TRY(keyring_get(c->lane->ring, i->key, &k));
		TRY(seal_close(k, &w, doc, a, &row.sealed));
	} else {
		TRY(lane_seal(c->lane, row.project, SEAL_CLASS_ALERT, &w, doc,
		    a, &row.sealed));
	}
	e->known = false;
	return store_happening_add(c->lane->conn, &row);
}

err
fire_happened(struct call *c, enum trigger_on on, struct incident_card *i,
    struct alert_card *a, struct str changes, enum entry_kind kind,
    struct str text)
{
	struct buf b;
	struct jw w;

	if (!waited_for(c, on))
		return OK;
	buf_init_on(&b, c->a, LIM_RUN_VALUES);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "on", trigger_on_text(on));
	jw_ki64(&w, "at", c->now);
	jw_ki64(&w, "depth", c->run == NULL ? 0 : c->run->depth);
	jw_uuid(&w, "by", &c->actor->id);
	if (i != NULL)
		jw_ki64(&w, "incident", (int64_t)i->row.seq);
	if (a != NULL)
		jw_uuid(&w, "alert", &a->row.id.u);
	if (on == TRIGGER_KEY_EVENT) {
		jw_kobj(&w, "entry");
		jw_kstr(&w, "kind", entry_kind_text(kind));
		jw_kstr(&w, "text", text);
		jw_obj_end(&w);
	}
	TRY(old_json(c, &w, changes));
	jw_obj_end(&w);
	TRY(buf_check(&b));
	return fire_put(c, i, buf_view(&b), c->now);
}
