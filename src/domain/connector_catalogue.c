/*
 * connector_catalogue.c: actions that come with a kind (catalogue.json, part
 * of the binary), and documents with their names resolved.
 */
#include "base/json_canon.h"
#include "domain/connector_inner.h"

__asm__(".pushsection .rodata\n"
	".balign 16\n"
	"connector_actions_begin:\n"
	".incbin \"src/domain/catalogue.json\"\n"
	"connector_actions_end:\n"
	".byte 0\n"
	".popsection\n");
extern const char connector_actions_begin[], connector_actions_end[];
__asm__(".hidden connector_actions_begin\n.hidden connector_actions_end\n"
	".globl connector_actions_begin\n.globl connector_actions_end\n");

struct str
connector_catalogue(void)
{
	/* two symbols to the compiler, one piece of memory to the linker */
	return str_of(connector_actions_begin,
	    (uintptr_t)connector_actions_end -
		(uintptr_t)connector_actions_begin);
}

static const struct json *
in_catalogue(const struct json *all, const struct json *kind, struct str name)
{
	const struct json *j = kind == NULL ? NULL : json_get(all, kind->text);

	for (j = json_first(j); j != NULL; j = j->next)
		if (str_eq(json_str_at(j, STR("name")), name))
			return j;
	return NULL;
}

/* An action of the catalogue without what is for people only. */
static void
put_action(struct jw *w, const struct json *act)
{
	jw_obj(w);
	for (const struct json *j = json_first(act); j != NULL; j = j->next) {
		if (str_is(j->name, "description"))
			continue;
		jw_name(w, j->name);
		jw_value(w, j);
	}
	jw_obj_end(w);
}

static err
put_actions(struct jw *w, const struct json *doc, const struct json *all,
    struct trail *t)
{
	const struct json *j = json_get(doc, STR("actions"));

	jw_arr(w);
	for (j = json_first(j); j != NULL; j = j->next) {
		const struct json *act = j;

		if (j->kind == JSON_STRING)
			act = in_catalogue(all, json_get(doc, STR("kind")),
			    j->text);
		if (act == NULL)
			return REFUSE(t, E_INVALID,
			    "actions: %.*s is not in the catalogue of this "
			    "kind",
			    STR_ARG(j->text));
		if (act == j)
			jw_value(w, j);
		else
			put_action(w, act);
	}
	jw_arr_end(w);
	return OK;
}

err
connector_canon(struct arena *a, const struct json *doc, struct trail *t,
    struct str *ret)
{
	const struct json *all, *whole;
	struct buf b;
	struct jw w;

	TRY(json_parse(a, connector_catalogue(), &connector_limits, t, &all));
	buf_init_on(&b, a, LIM_CONNECTOR_DOC * 2);
	jw_init(&w, &b);
	jw_obj(&w);
	for (const struct json *j = json_first(doc); j != NULL; j = j->next) {
		if (str_is(j->name, "name"))
			continue;
		jw_name(&w, j->name);
		if (str_is(j->name, "actions") && j->kind == JSON_ARRAY)
			TRY(put_actions(&w, doc, all, t));
		else
			jw_value(&w, j);
	}
	jw_obj_end(&w);
	if (b.failed)
		return REFUSE(t, E_TOO_LARGE, "the document is over %d bytes",
		    LIM_CONNECTOR_DOC);
	TRY(json_parse(a, buf_view(&b), &connector_limits, t, &whole));
	return json_canon_text(a, whole, LIM_CONNECTOR_DOC, ret);
}
