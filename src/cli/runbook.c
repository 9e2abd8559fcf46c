/*
 * runbook.c: runbooks as files.  A file is YAML or JSON of the API's schema;
 * it is checked here, by what the server checks it with, before it is sent.
 */
#include <stdio.h>

#include "base/json_canon.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/view.h"
#include "cli/runbook_check.h"
#include "cli/yaml.h"

enum { DIFF_MAX = 8 * 1024 * 1024 };

struct file {
	const struct json *doc;
	struct runbook_facts rb;
	struct str text; /* canonical */
};

static bool
is_json(struct str s)
{
	while (s.n > 0 && strchr(" \t\r\n", s.p[0]) != NULL)
		s = str_skip(s, 1);
	return s.n > 0 && s.p[0] == '{';
}

static err
parse_text(struct cli *c, struct str text, const struct json **ret)
{
	static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
	    LIM_JSON_VALUES};
	struct str json = text;
	err e;

	if (!is_json(text))
		TRY(yaml_json(text, c->arena, &c->trail, &json));
	e = json_parse(c->arena, json, &lim, &c->trail, ret);
	if (err_is(e, E_DUPLICATE_KEY) && !is_json(text))
		c->trail.detail[0] = '\0'; /* bytes of no file of theirs */
	return e;
}

static err
read_file(struct cli *c, struct str path, struct file *ret)
{
	struct str text;

	TRY(value_file(c, path, LIM_BODY, &text));
	TRY(parse_text(c, text, &ret->doc));
	TRY(runbook_check(ret->doc, c->arena, &c->trail, &ret->rb));
	return json_canon_text(c->arena, ret->doc, LIM_RUNBOOK, &ret->text);
}

/* ---- lint ---- */

int
cmd_runbook_lint(struct cli *c)
{
	struct file f;
	err e = read_file(c, args_get(&c->args, "file"), &f);
	struct buf b;
	struct jw w;

	if (!err_ok(e))
		return out_error(c, e);
	if (!c->json)
		return EXIT_DONE;
	buf_init_on(&b, c->arena, LIM_REPLY);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "slug", f.rb.slug);
	jw_ki64(&w, "steps", (int64_t)f.rb.steps);
	jw_kraw(&w, "document", f.text);
	jw_obj_end(&w);
	buf_char(&b, '\n');
	return out_text(c, &b);
}

/* ---- asking the server ---- */

static err
ask(struct cli *c, const char *method, struct str slug, const char *rest,
    struct str body, struct api *ret)
{
	struct request r = {.method = method,
	    .accept = STR("application/json, application/problem+json"),
	    .body = body};
	struct buf b;

	if (c->login.project.n == 0) {
		trail_set(&c->trail, "which project? use --project");
		return err_of(E_USAGE);
	}
	buf_init_on(&b, c->arena, LIM_TARGET);
	buf_c(&b, "/v1/projects/");
	url_encode(&b, c->login.project);
	buf_c(&b, "/runbooks");
	if (slug.n > 0) {
		buf_char(&b, '/');
		buf_str(&b, slug); /* the check left a-z 0-9 - */
	}
	buf_c(&b, rest);
	TRY(buf_check(&b));
	r.target = buf_view(&b);
	return api_ask(c, &r, c->arena, ret);
}

static err
body_of(struct cli *c, const struct file *f, struct str *ret)
{
	struct str note = args_get(&c->args, "note");
	struct buf b;
	struct jw w;

	buf_init_on(&b, c->arena, LIM_BODY);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kraw(&w, "document", f->text);
	if (note.p != NULL)
		jw_kstr(&w, "note", note);
	jw_obj_end(&w);
	*ret = buf_view(&b);
	return buf_check(&b);
}

/* The newest version the server has; doc NULL: no such runbook. */
static err
newest(struct cli *c, const struct file *f, struct api *ret,
    const struct json **ret_doc)
{
	char rest[64];
	int64_t n;

	*ret_doc = NULL;
	TRY(ask(c, "GET", f->rb.slug, "", STR_NONE, ret));
	if (ret->head->status >= 300 ||
	    !json_i64(json_get(ret->json, STR("latest")), 1, UINT32_MAX, &n))
		return OK;
	(void)snprintf(rest, sizeof rest, "/versions/%lld", (long long)n);
	TRY(ask(c, "GET", f->rb.slug, rest, STR_NONE, ret));
	if (ret->head->status < 300)
		*ret_doc = json_get(ret->json, STR("document"));
	return OK;
}

/* ---- apply ---- */

static int
apply(struct cli *c, const struct file *f)
{
	const struct json *doc;
	struct str body;
	struct api x;
	err e = newest(c, f, &x, &doc);

	if (err_ok(e) && doc != NULL && json_same(doc, f->doc)) {
		if (!c->json)
			out_note(c, "unchanged");
		return api_show(c, &x);
	}
	if (err_ok(e) && doc == NULL && x.head->status != 404)
		return api_problem(c, &x);
	if (err_ok(e))
		e = body_of(c, f, &body);
	if (err_ok(e))
		e = ask(c, "POST", doc == NULL ? STR("") : f->rb.slug,
		    doc == NULL ? "" : "/versions", body, &x);
	if (!err_ok(e))
		return out_error(c, e);
	return x.head->status >= 300 ? api_problem(c, &x) : api_show(c, &x);
}

int
cmd_runbook_apply(struct cli *c)
{
	struct file f;
	err e = read_file(c, args_get(&c->args, "file"), &f);

	return err_ok(e) ? apply(c, &f) : out_error(c, e);
}

/* ---- diff ---- */

struct diff {
	struct cli *c;
	struct buf *out;
	size_t n;
};

static void
line(struct diff *d, const char *sign, struct str path, const struct json *j)
{
	struct str text = STR("?");

	d->n++;
	err_ignore(json_canon_text(d->c->arena, j, DIFF_MAX, &text),
	    "an unreadable one is shown as ?");
	buf_c(d->out, sign);
	tty_add(d->out, path, false);
	buf_c(d->out, ": ");
	tty_add(d->out, text, false);
	buf_char(d->out, '\n');
}

/* The path of a member, or (name STR_NONE) of item i. */
static struct str
below(struct diff *d, struct str path, struct str name, size_t i)
{
	struct buf b;

	buf_init_on(&b, d->c->arena, 65536);
	buf_str(&b, path);
	if (name.p == NULL)
		buf_fmt(&b, "[%zu]", i);
	else if (path.n > 0)
		buf_char(&b, '.');
	buf_str(&b, name);
	return buf_view(&b);
}

static void compare(struct diff *d, struct str path, const struct json *a,
    const struct json *b);

static void
compare_items(struct diff *d, struct str path, const struct json *a,
    const struct json *b)
{
	a = json_first(a);
	b = json_first(b);
	for (size_t i = 0; a != NULL || b != NULL; i++) {
		compare(d, below(d, path, STR_NONE, i), a, b);
		a = a == NULL ? NULL : a->next;
		b = b == NULL ? NULL : b->next;
	}
}

static void
compare_members(struct diff *d, struct str path, const struct json *a,
    const struct json *b)
{
	for (const struct json *x = json_first(a); x != NULL; x = x->next)
		compare(d, below(d, path, x->name, 0), x, json_get(b, x->name));
	for (const struct json *x = json_first(b); x != NULL; x = x->next)
		if (json_get(a, x->name) == NULL)
			compare(d, below(d, path, x->name, 0), NULL, x);
}

/* Recursion is bounded by the readers that made a and b. */
static void
compare(struct diff *d, struct str path, const struct json *a,
    const struct json *b)
{
	if (a != NULL && b != NULL && json_same(a, b))
		return;
	if (a != NULL && b != NULL && a->kind == b->kind &&
	    a->kind == JSON_OBJECT) {
		compare_members(d, path, a, b);
		return;
	}
	if (a != NULL && b != NULL && a->kind == b->kind &&
	    a->kind == JSON_ARRAY) {
		compare_items(d, path, a, b);
		return;
	}
	if (a != NULL)
		line(d, "- ", path, a);
	if (b != NULL)
		line(d, "+ ", path, b);
}

int
cmd_runbook_diff(struct cli *c)
{
	const struct json *doc;
	struct diff d = {.c = c};
	struct file f;
	struct api x;
	struct buf b;
	int rc;
	err e = read_file(c, args_get(&c->args, "file"), &f);

	if (err_ok(e))
		e = newest(c, &f, &x, &doc);
	if (!err_ok(e))
		return out_error(c, e);
	if (doc == NULL)
		return api_problem(c, &x);
	buf_init(&b, DIFF_MAX);
	d.out = &b;
	compare(&d, STR(""), doc, f.doc);
	rc = c->json ? out_named(c, "diff", b.n == 0 ? STR("") : buf_view(&b))
		     : out_text(c, &b);
	buf_done(&b);
	return rc == EXIT_DONE && d.n > 0 ? EXIT_BAD : rc;
}
