/*
 * ocsf.c: an entry as an event of OCSF 1.6.0: Authentication [3002] for
 * logins and logouts, API Activity [6003] for the rest.
 */
#include "audit/cells.h"

#include <stdio.h>

#include "base/json.h"
#include "base/time.h"

enum { AUTHENTICATION = 3002, API_ACTIVITY = 6003, OTHER = 99 };

static const struct {
	const char *word; /* the last one of an action */
	unsigned activity;
} verbs[] = {
    {"create", 1},
    {"add", 1},
    {"enrol", 1},
    {"join", 1},
    {"read", 2},
    {"list", 2},
    {"stream", 2},
    {"export", 2},
    {"checkpoint", 2},
    {"proof", 2},
    {"log", 2},
    {"update", 3},
    {"transition", 3},
    {"rotate", 3},
    {"approve", 3},
    {"delete", 4},
    {"revoke", 4},
    {"destroy", 4},
};

static unsigned
class_of(struct str action, unsigned *ret_activity)
{
	struct str rest = action, word;

	if (str_is(action, "auth.failed") || str_ends(action, STR(".login"))) {
		*ret_activity = 1;
		return AUTHENTICATION;
	}
	if (str_ends(action, STR(".logout"))) {
		*ret_activity = 2;
		return AUTHENTICATION;
	}
	while (str_cut(rest, '.', &word, &rest))
		continue;
	*ret_activity = OTHER;
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (str_is(word, verbs[i].word))
			*ret_activity = verbs[i].activity;
	return API_ACTIVITY;
}

static void
text(struct buf *b, const char *start, struct str v, const char *end)
{
	if (v.p == NULL)
		return;
	buf_c(b, start);
	buf_str(b, v);
	buf_c(b, end);
}

static void
user(const struct leaf_parts *p, const struct cells *c, struct buf *b)
{
	unsigned type = str_is(p->e.principal_kind, "user") ? 1
	    : str_is(p->e.principal_kind, "system")	    ? 3
	    : str_is(p->e.principal_kind, "anonymous")	    ? 0
							    : OTHER;

	text(b, "{\"credential_uid\":\"", c->v[CELL_CREDENTIAL], "\",");
	if (c->v[CELL_CREDENTIAL].p == NULL)
		buf_char(b, '{');
	text(b, "\"type\":\"", c->v[CELL_KIND], "\",");
	buf_fmt(b, "\"type_id\":%u", type);
	text(b, ",\"uid\":\"", c->v[CELL_PRINCIPAL], "\"");
	buf_char(b, '}');
}

static void
head(struct buf *b, struct str operation, struct str request)
{
	text(b, ",\"api\":{\"operation\":\"", operation, "\"");
	text(b, ",\"request\":{\"uid\":\"", request, "\"}");
	buf_char(b, '}');
}

static void
metadata(struct buf *b, struct str seq)
{
	buf_c(b,
	    ",\"metadata\":{\"product\":{\"name\":\"Redoubt\","
	    "\"vendor_name\":\"Redoubt\"}");
	text(b, ",\"sequence\":", seq, "");
	buf_c(b, ",\"version\":\"" OCSF_VERSION "\"}");
}

static void
resources(const struct audit_entry *e, struct buf *b)
{
	if (e->resources == 0)
		return;
	buf_c(b, ",\"resources\":[");
	for (size_t i = 0; i < e->resources; i++) {
		if (i > 0)
			buf_char(b, ',');
		text(b, "{\"type\":\"", e->resource[i].type, "\"");
		if (e->resource[i].id.n > 0)
			text(b, ",\"uid\":\"", e->resource[i].id, "\"");
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void
tail(const struct leaf_parts *p, const struct cells *c, unsigned class,
    unsigned activity, struct buf *b)
{
	static const unsigned severity[] = {1, 3, 2, 1}; /* by outcome */
	static const unsigned status[] = {1, 2, 2, OTHER};

	buf_fmt(b, ",\"severity_id\":%u", severity[p->e.outcome]);
	if (p->e.address.n > 0)
		text(b, ",\"src_endpoint\":{\"ip\":\"", p->e.address, "\"}");
	else
		buf_c(b, ",\"src_endpoint\":{\"name\":\"redoubt\"}");
	text(b, ",\"status\":\"", c->v[CELL_OUTCOME], "\"");
	text(b, ",\"status_detail\":\"", c->v[CELL_REASON], "\"");
	buf_fmt(b, ",\"status_id\":%u,\"time\":%lld,\"type_uid\":%u",
	    status[p->e.outcome], (long long)p->e.time, class * 100 + activity);
	text(b, ",\"unmapped\":{\"leaf_hash\":\"", c->v[CELL_HASH], "\"");
	text(b, ",\"commitment\":\"", c->v[CELL_COMMITMENT], "\"");
	text(b, ",\"project\":\"", c->v[CELL_PROJECT], "\"");
	text(b, ",\"time\":\"", c->v[CELL_TIME], "\"");
	buf_c(b, "}}");
}

void
ocsf_line(const struct leaf_parts *p, const struct cells *c, struct buf *b)
{
	unsigned activity, class = class_of(p->action, &activity);

	buf_fmt(b, "{\"activity_id\":%u,\"actor\":{\"user\":", activity);
	user(p, c, b);
	buf_char(b, '}');
	head(b, p->action, c->v[CELL_REQUEST]);
	buf_fmt(b, ",\"category_uid\":%u,\"class_uid\":%u", class / 1000,
	    class);
	text(b, ",\"count\":", c->v[CELL_COUNT], "");
	metadata(b, c->v[CELL_SEQ]);
	resources(&p->e, b);
	tail(p, c, class, activity, b);
	if (class != AUTHENTICATION)
		return;
	b->n -= !b->failed; /* one more member: the class demands it */
	buf_c(b, ",\"user\":");
	user(p, c, b);
	buf_char(b, '}');
}

/* ---- back ---- */

static const struct json *
at(const struct json *j, const char *path)
{
	struct str rest = str_c(path), name;

	while (str_cut(rest, '.', &name, &rest))
		j = json_get(j, name);
	return json_get(j, name);
}

static struct str
text_at(const struct json *j, const char *path)
{
	const struct json *v = at(j, path);

	if (v == NULL || (v->kind != JSON_STRING && v->kind != JSON_NUMBER))
		return STR_NONE;
	return v->text;
}

/* As cells have them. */
static struct str
resources_at(struct arena *a, const struct json *j)
{
	const struct json *list = json_get(j, STR("resources"));
	struct buf b;

	if (list == NULL || list->kind != JSON_ARRAY)
		return STR_NONE;
	buf_init_on(&b, a, (size_t)4 * 65536);
	for (const struct json *r = json_first(list); r != NULL; r = r->next)
		cells_resource(&b, json_str_at(r, STR("type")),
		    json_str_at(r, STR("uid")));
	return b.failed ? STR_NONE : buf_view(&b);
}

bool
ocsf_read(struct arena *a, struct str line, struct cells *ret)
{
	static const struct json_limits lim = {4, 32, 128};
	struct trail t = {""};
	const struct json *j;

	if (!err_ok(json_parse(a, line, &lim, &t, &j)))
		return false;
	*ret = (struct cells){{
	    [CELL_SEQ] = text_at(j, "metadata.sequence"),
	    [CELL_TIME] = text_at(j, "unmapped.time"),
	    [CELL_ACTION] = text_at(j, "api.operation"),
	    [CELL_OUTCOME] = text_at(j, "status"),
	    [CELL_REASON] = text_at(j, "status_detail"),
	    [CELL_KIND] = text_at(j, "actor.user.type"),
	    [CELL_PRINCIPAL] = text_at(j, "actor.user.uid"),
	    [CELL_CREDENTIAL] = text_at(j, "actor.user.credential_uid"),
	    [CELL_ADDRESS] = text_at(j, "src_endpoint.ip"),
	    [CELL_PROJECT] = text_at(j, "unmapped.project"),
	    [CELL_REQUEST] = text_at(j, "api.request.uid"),
	    [CELL_COUNT] = text_at(j, "count"),
	    [CELL_RESOURCES] = resources_at(a, j),
	    [CELL_COMMITMENT] = text_at(j, "unmapped.commitment"),
	    [CELL_HASH] = text_at(j, "unmapped.leaf_hash"),
	}};
	return true;
}

/* ---- the manifest ---- */

#define TEXT_START "\"unmapped\":"

void
ocsf_text(int64_t time, struct str json, struct buf *b)
{
	buf_c(b,
	    "{\"activity_id\":99,\"actor\":{\"user\":{\"type\":\"system\","
	    "\"type_id\":3}}");
	head(b, STR("audit.export.manifest"), STR_NONE);
	buf_c(b, ",\"category_uid\":6,\"class_uid\":6003");
	metadata(b, STR_NONE);
	buf_fmt(b,
	    ",\"severity_id\":1,\"src_endpoint\":{\"name\":\"redoubt\"},"
	    "\"status\":\"ok\",\"status_id\":1,\"time\":%lld,"
	    "\"type_uid\":600399," TEXT_START,
	    (long long)time);
	buf_str(b, json);
	buf_char(b, '}');
}

bool
ocsf_text_read(struct str line, struct str *ret_json)
{
	const char *p;

	if (memmem(line.p, line.n, "\"audit.export.manifest\"", 23) == NULL ||
	    !str_ends(line, STR("}")))
		return false;
	p = memmem(line.p, line.n, TEXT_START, strlen(TEXT_START));
	if (p == NULL)
		return false;
	line = str_skip(line, (size_t)(p - line.p) + strlen(TEXT_START));
	*ret_json = str_head(line, line.n - 1);
	return true;
}
