/* secret_body.c: see secret_body.h. */
#include "flow/secret_body.h"

#include "base/json_canon.h"
#include "base/text.h"
#include "domain/connector.h"
#include "domain/selector.h"
#include "flow/admin_body.h"
#include "flow/delegates.h"

enum {
	BOX = 32 + 32 + 16,  /* HPKE: encapsulated key, sealed key, tag */
	DATA_OVER = 12 + 16, /* nonce and tag */
	DATA_PAD = 64,
	FIELD = 128,
	PATH = 512,
};

static const struct json_limits labels_limits = {
    .depth = 4,
    .members = 64,
    .values = 256,
};

/* ---- for whom ---- */

bool
secret_is_for(struct arena *a, const struct secret_object *s,
    const struct delegate *d)
{
	const struct json *j, *labels;
	struct trail t = {{0}};
	struct selector sel;

	return d->state == DELEGATE_APPROVED && d->o.project == s->o.project &&
	    s->labels.n > 0 &&
	    err_ok(json_parse(a, s->labels, &labels_limits, &t, &j)) &&
	    err_ok(selector_parse(a, j, "delegates", &t, &sel)) &&
	    err_ok(json_parse(a, d->labels, &labels_limits, &t, &labels)) &&
	    selector_matches(&sel, labels);
}

err
secret_read_labels(struct call *c, struct secret_object *s)
{
	const struct json *j = json_get(c->body, STR("delegates"));
	struct selector sel;

	if (j == NULL)
		return OK;
	TRY(selector_parse(c->a, j, "delegates", &c->trail, &sel));
	return json_canon_text(c->a, j, LIM_TEXT, &s->labels);
}

/* ---- by whom ---- */

err
secret_read_lists(struct call *c, struct secret_object *s)
{
	TRY(body_strs(c, "runbooks", &s->runbooks, &s->runbooks_n));
	return body_strs(c, "connectors", &s->connectors, &s->connectors_n);
}

/* ---- elsewhere ---- */

static bool
path_good(struct str s, bool slashes, size_t max)
{
	struct str segment, rest = s;

	if (s.n == 0 || s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
			(ch >= '0' && ch <= '9') || ch == '-' || ch == '_' ||
			ch == '.' || (slashes && ch == '/')))
			return false;
	}
	for (bool more = true; more;) {
		more = str_cut(rest, '/', &segment, &rest);
		if (segment.n == 0 || str_is(segment, ".") ||
		    str_is(segment, ".."))
			return false;
	}
	return true;
}

/* A manager whose own credential lay in a manager would never be opened. */
static err
check_manager(struct call *c, struct str slug, struct str self)
{
	const struct connector_object *k =
	    world_connector_slug(call_world(c), c->project->o.project, slug);
	const struct secret_object *own;

	if (k == NULL || k->kind != CONNECTOR_VAULT)
		return call_bad(c, E_INVALID,
		    "external: connector: a connector of kind vault");
	own =
	    world_secret_name(call_world(c), c->project->o.project, k->secret);
	if (str_eq(k->secret, self) || /* public: a name */
	    (own != NULL && own->external.n > 0))
		return call_bad(c, E_INVALID,
		    "external: the credential of %.*s must lie here",
		    STR_ARG(slug));
	return OK;
}

err
secret_read_external(struct call *c, struct secret_object *s)
{
	const struct json *j = json_get(c->body, STR("external"));
	struct str slug = json_str_at(j, STR("connector"));
	struct str path = json_str_at(j, STR("path"));
	struct str field = json_str_at(j, STR("field"));

	if (j->kind != JSON_OBJECT || j->count != 3 || slug.n == 0 ||
	    !path_good(path, true, PATH) || !path_good(field, false, FIELD))
		return call_bad(c, E_INVALID,
		    "external: {connector, path, field}; path and field: "
		    "letters, digits, -, _, . and, in the path, /");
	TRY(check_manager(c, slug, s->name));
	return json_canon_text(c->a, j, LIM_TEXT, &s->external);
}

/* ---- a value ---- */

static err
check_data(struct call *c, struct str *ret)
{
	struct str data;

	*ret = json_str_at(c->body, STR("data"));
	if (ret->p == NULL)
		return call_bad(c, E_MISSING, "data is missing");
	if (b64_decode(c->a, *ret, &data) && data.n >= DATA_OVER + DATA_PAD &&
	    data.n <= LIM_SECRET_DATA && (data.n - DATA_OVER) % DATA_PAD == 0)
		return OK;
	return call_bad(c, E_INVALID,
	    "data: base64 of a value sealed as doc/PROTOCOL.secret has it, at "
	    "most %d bytes",
	    LIM_SECRET_DATA);
}

/* One box: for a delegate it may be for, made with the key it has now. */
static err
check_box(struct call *c, const struct secret_object *s, const struct json *j,
    struct uuid *ret)
{
	char print[FINGERPRINT + 1];
	const struct delegate *d;
	struct str box;

	if (j->count != 3 || !uuid_parse(json_str_at(j, STR("delegate")), ret))
		return call_bad(c, E_INVALID,
		    "boxes: {delegate, fingerprint, box}");
	d = world_delegate(call_world(c), ret);
	if (d == NULL || !secret_is_for(c->a, s, d))
		return call_bad(c, E_INVALID,
		    "boxes: that is no approved delegate of the selector");
	delegate_fingerprint(d, print);
	if (!str_is(json_str_at(j, STR("fingerprint")), print))
		return call_bad(c, E_CONFLICT,
		    "boxes: %.*s has another key now; ask for recipients again",
		    STR_ARG(d->name));
	if (!b64_decode(c->a, json_str_at(j, STR("box")), &box) || box.n != BOX)
		return call_bad(c, E_INVALID, "boxes: box: base64 of %d bytes",
		    BOX);
	return OK;
}

static err
check_boxes(struct call *c, const struct secret_object *s,
    const struct json *list, struct secret_text *ret)
{
	struct uuid *to;

	if (list == NULL || list->count == 0)
		return call_bad(c, E_MISSING,
		    "boxes: one for each delegate that is to open it");
	to = arena_array(c->a, list->count, sizeof *to);
	TRY(arena_check(c->a));
	ret->to = to;
	ret->to_n = 0;
	for (const struct json *j = json_first(list); j != NULL; j = j->next) {
		TRY(check_box(c, s, j, &to[ret->to_n]));
		for (size_t i = 0; i < ret->to_n; i++)
			if (uuid_eq(&to[i], &to[ret->to_n]))
				return call_bad(c, E_EXISTS,
				    "boxes: two for one delegate");
		ret->to_n++;
	}
	return OK;
}

err
secret_read_text(struct call *c, const struct secret_object *s,
    struct secret_text *ret)
{
	struct secret_object here = *s;
	const struct json *list = json_get(c->body, STR("boxes"));
	struct str data;
	struct buf b;
	struct jw w;

	here.o.project = c->project->o.project; /* also before it is made */
	TRY(check_data(c, &data));
	TRY(check_boxes(c, &here, list, ret));
	buf_init_on(&b, c->a, LIM_BODY);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "data", data);
	jw_karr(&w, "boxes");
	for (const struct json *j = json_first(list); j != NULL; j = j->next) {
		jw_obj(&w);
		jw_kstr(&w, "delegate", json_str_at(j, STR("delegate")));
		jw_kstr(&w, "box", json_str_at(j, STR("box")));
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	jw_obj_end(&w);
	ret->json = buf_view(&b);
	return buf_check(&b);
}

err
secret_record(struct call *c, const struct secret_object *s,
    const struct secret_text *t)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, c->a, LIM_BODY);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "name", s->name);
	jw_kstr(&w, "description", s->description);
	if (s->labels.n > 0)
		jw_kraw(&w, "delegates", s->labels);
	if (s->external.n > 0)
		jw_kraw(&w, "external", s->external);
	jw_ki64(&w, "version", s->last);
	jw_karr(&w, "recipients");
	for (size_t i = 0; t != NULL && i < t->to_n; i++) {
		char id[UUID_TEXT + 1];

		uuid_text(&t->to[i], id);
		jw_str(&w, str_of(id, UUID_TEXT));
	}
	jw_arr_end(&w);
	jw_karr(&w, "runbooks");
	for (size_t i = 0; i < s->runbooks_n; i++)
		jw_str(&w, s->runbooks[i]);
	jw_arr_end(&w);
	jw_karr(&w, "connectors");
	for (size_t i = 0; i < s->connectors_n; i++)
		jw_str(&w, s->connectors[i]);
	jw_arr_end(&w);
	jw_obj_end(&w);
	c->rec.body = buf_view(&b);
	return buf_check(&b);
}
