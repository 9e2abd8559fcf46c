/* tags.c: see tags.h. */
#include "flow/tags.h"

#include "base/limits.h"

static const struct json_limits doc_limits = {
    .depth = LIM_JSON_DEPTH + 4,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES,
};

err
tag_blind(struct lane *l, uint32_t project, enum tag_kind kind,
    struct str value, uint8_t ret[BLIND_SIZE])
{
	static const char *const label[] = {
	    [TAG_SERVICE] = "service",
	    [TAG_TYPE] = "type",
	    [TAG_GROUP] = "group",
	};

	return lane_blind(l, project, label[kind], value, ret);
}

static err
one(struct call *c, uint32_t project, uint64_t number, enum tag_kind kind,
    const struct json *j, bool add)
{
	uint8_t blind[BLIND_SIZE];

	if (j == NULL || j->kind != JSON_STRING)
		return OK;
	TRY(tag_blind(c->lane, project, kind, j->text, blind));
	if (add)
		return store_tag_add(c->lane->conn, project, kind, blind,
		    number);
	return store_tag_delete(c->lane->conn, project, kind, blind, number);
}

static err
all(struct call *c, uint32_t project, uint64_t number, struct str doc, bool add)
{
	const struct json *j, *s;

	if (doc.n == 0)
		return OK;
	TRY(json_parse(c->a, doc, &doc_limits, &c->trail, &j));
	TRY(one(c, project, number, TAG_TYPE, json_get(j, STR("type")), add));
	s = json_first(json_get(j, STR("services")));
	for (; s != NULL; s = s->next)
		TRY(one(c, project, number, TAG_SERVICE, s, add));
	return OK;
}

err
tags_change(struct call *c, uint32_t project, uint64_t number,
    struct str old_doc, struct str new_doc)
{
	TRY(all(c, project, number, old_doc, false));
	return all(c, project, number, new_doc, true);
}
