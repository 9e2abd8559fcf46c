/* secret_reads.c: whom a secret is to be sealed to, and who has used it. */
#include "base/text.h"
#include "domain/selector.h"
#include "flow/audit_page.h"
#include "flow/delegates.h"
#include "flow/handlers.h"
#include "flow/secret_body.h"

/* ---- recipients ---- */

/* labels=site=fra,os=linux as the text of a selector. */
static err
labels_param(struct call *c, struct secret_object *like)
{
	struct str rest = c->query.raw[PARAM_LABELS], pair, name, value;
	struct selector sel;
	const struct json *j;
	bool more = true;
	struct buf b;
	struct jw w;

	buf_init_on(&b, c->a, LIM_TEXT);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kobj(&w, "labels");
	while (more && rest.n > 0) {
		more = str_cut(rest, ',', &pair, &rest);
		if (!str_cut(pair, '=', &name, &value))
			return call_bad(c, E_INVALID,
			    "labels: name=value, separated by commas");
		jw_name(&w, name);
		jw_str(&w, value);
	}
	jw_obj_end(&w);
	jw_obj_end(&w);
	TRY(buf_check(&b));
	like->labels = buf_view(&b);
	like->o.project = c->project->o.project;
	TRY(json_parse(c->a, like->labels,
	    &(struct json_limits){.depth = 3, .members = 64, .values = 128},
	    &c->trail, &j));
	return selector_parse(c->a, j, "labels", &c->trail, &sel);
}

static void
recipient_json(struct jw *w, const struct delegate *d)
{
	char print[FINGERPRINT + 1];

	delegate_fingerprint(d, print);
	jw_obj(w);
	jw_uuid(w, "delegate", &d->o.id);
	jw_kstr(w, "name", d->name);
	delegate_key_json(w, "identity", d->ed25519);
	delegate_key_json(w, "key", d->x25519);
	jw_kstr(w, "fingerprint", str_c(print));
	jw_obj_end(w);
}

err
route_secret_recipients(struct call *c)
{
	struct secret_object like = {.last = 0};
	const struct object *const *o;
	size_t n, shown = 0;
	struct jw *w;

	TRY(labels_param(c, &like));
	w = list_begin(c);
	o = world_objects(call_world(c), OBJECT_DELEGATE, &n);
	for (size_t i = 0; i < n; i++) {
		const struct delegate *d = (const struct delegate *)o[i];

		if (!secret_is_for(c->a, &like, d))
			continue;
		if (++shown > LIM_SECRET_BOXES)
			return call_bad(c, E_LIMIT,
			    "more than %d delegates match: name more labels",
			    LIM_SECRET_BOXES);
		recipient_json(w, d);
	}
	return list_end(c, STR_NONE);
}

/* ---- uses ---- */

static void
use_json(struct jw *w, const struct audit_entry *e, struct str leaf)
{
	(void)leaf;
	jw_obj(w);
	jw_ki64(w, "seq", (int64_t)e->seq);
	jw_time(w, "time", e->time);
	for (size_t i = 0; i < e->resources; i++) {
		jw_name(w, e->resource[i].type);
		jw_str(w, e->resource[i].id);
	}
	jw_obj_end(w);
}

err
route_secret_uses(struct call *c)
{
	struct audit_query q = {.action = STR("secret.use"), .down = true};
	const struct secret_object *s;
	char id[UUID_TEXT + 1];
	struct buf b;

	TRY(secret_in_path(c, &s));
	uuid_text(&s->o.id, id);
	buf_init_on(&b, c->a, 64);
	buf_fmt(&b, "secret:%s", id);
	q.resource = buf_view(&b);
	return audit_page(c, &q, use_json);
}
