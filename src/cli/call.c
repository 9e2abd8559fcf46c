/* Commands that are a request and its answer. */
#include "base/limits.h"
#include "base/text.h"
#include "cli/view.h"
#include "cli/cli.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	ANSWER_MAX = 2 * LIM_REPLY,
	ANSWER_DEPTH = 64,
	ANSWER_MEMBERS = 10000,
	ANSWER_VALUES = 400000,
	PAGE_ARENA = 128 * 1024 * 1024, /* an answer and its values */
	ALL_MAX = 256 * 1024 * 1024,	/* --all --json, one document */
	SHOW_MAX = 64 * 1024 * 1024,
};

err
answer_parse(struct arena *a, struct str text, struct trail *t,
    const struct json **ret)
{
	static const struct json_limits lim = {ANSWER_DEPTH, ANSWER_MEMBERS,
	    ANSWER_VALUES};
	struct trail why = {0};

	if (err_ok(json_parse(a, text, &lim, &why, ret)))
		return OK;
	trail_set(t, "the server's answer is not JSON: %s", why.detail);
	return err_of(E_PEER);
}

static err
connect_to(struct cli *c)
{
	struct client_config conf = {.agent = "redoubt-cli",
	    .ca_file = c->login.ca,
	    .token = c->login.token,
	    .timeout_ms = c->timeout_ms};

	if (c->client != NULL)
		return OK;
	if (c->login.url.n == 0) {
		trail_set(&c->trail,
		    "not logged in: use redoubt login, or "
		    "set REDOUBT_URL and REDOUBT_TOKEN");
		return err_of(E_UNAUTHENTICATED);
	}
	TRY(url_parse(c->arena, c->login.url, &c->trail, &conf.url));
	return client_new(c->arena, &conf, &c->trail, &c->client);
}

err
api_open(struct cli *c, const struct request *r, struct arena *a,
    const struct response **ret)
{
	TRY(connect_to(c));
	if (c->verbose)
		out_note(c, "%s %.*s", r->method, STR_ARG(r->target));
	TRY(client_send(c->client, r, a, &c->trail, ret));
	if (c->verbose)
		out_note(c, "%d%s%.*s%s%.*s", (*ret)->status,
		    (*ret)->request_id.n > 0 ? " request " : "",
		    STR_ARG((*ret)->request_id),
		    (*ret)->etag.n > 0 ? " etag " : "", STR_ARG((*ret)->etag));
	return OK;
}

static bool
is_json_type(struct str type)
{
	return str_is(type, "application/json") ||
	    str_is(type, "application/problem+json");
}

static err
read_answer(struct cli *c, const struct response *head, struct arena *a,
    struct api *ret)
{
	struct buf b;
	err e;

	buf_init_on(&b, a, ANSWER_MAX);
	TRY(client_body(c->client, &c->trail, &b));
	*ret = (struct api){.head = head, .body = buf_view(&b)};
	if (b.n == 0 && (head->status == 204 || head->status >= 300))
		return OK;
	if (!is_json_type(head->type)) {
		if (head->status >= 300)
			return OK;
		trail_set(&c->trail, "the server's answer is not JSON but %.*s",
		    STR_ARG(str_head(head->type, 64)));
		return err_of(E_PEER);
	}
	e = answer_parse(a, ret->body, &c->trail, &ret->json);
	if (!err_ok(e) && head->status >= 300) {
		c->trail.detail[0] = '\0'; /* the status tells enough */
		return OK;
	}
	return e;
}

err
api_ask(struct cli *c, const struct request *r, struct arena *a,
    struct api *ret)
{
	const struct response *head;

	TRY(api_open(c, r, a, &head));
	return read_answer(c, head, a, ret);
}

/* ---- problems ---- */

static void
problem_text(struct buf *b, const struct api *x)
{
	struct str title = json_str_at(x->json, STR("title"));
	struct str detail = json_str_at(x->json, STR("detail"));
	struct str code = json_str_at(x->json, STR("code"));
	struct str id = json_str_at(x->json, STR("request_id"));

	if (id.p == NULL)
		id = x->head->request_id;
	if (title.n > 0)
		tty_add(b, str_head(title, 512), false);
	else
		buf_fmt(b, "the server answered %d", x->head->status);
	if (detail.n > 0) {
		buf_c(b, ": ");
		tty_add(b, str_head(detail, 2048), false);
	}
	buf_c(b, " (");
	if (code.n > 0)
		tty_add(b, str_head(code, 64), false);
	else
		buf_fmt(b, "status %d", x->head->status);
	if (id.n > 0) {
		buf_c(b, ", request ");
		tty_add(b, str_head(id, 64), false);
	}
	buf_char(b, ')');
	if (x->head->retry_after.n > 0) {
		buf_c(b, "; try again in ");
		tty_add(b, str_head(x->head->retry_after, 32), false);
		buf_c(b, " s");
	}
}

/* Which members were wrong, a line each, when the sentence above did not say
 * it all. */
static void
faults_text(struct buf *b, const struct json *list)
{
	size_t n = 0;

	if (list == NULL || list->kind != JSON_ARRAY || list->count < 2)
		return;
	for (const struct json *j = json_first(list);
	     j != NULL && n < LIM_FAULTS; j = j->next, n++) {
		buf_c(b, "\n  ");
		tty_add(b, str_head(json_str_at(j, STR("pointer")), 256),
		    false);
		buf_c(b, ": ");
		tty_add(b, str_head(json_str_at(j, STR("detail")), 256), false);
	}
}

int
api_problem(struct cli *c, const struct api *x)
{
	struct trail ignored = {0};
	struct buf b;

	(void)c;
	buf_init(&b, LIM_PROBLEM);
	buf_c(&b, "redoubt: ");
	problem_text(&b, x);
	faults_text(&b, json_get(x->json, STR("errors")));
	buf_char(&b, '\n');
	err_ignore(out_bytes(STDERR_FILENO, buf_view(&b), &ignored),
	    "there is nowhere left to tell it");
	buf_done(&b);
	return exit_of_status(x->head->status);
}

int
api_refused(struct cli *c, const struct response *head)
{
	struct api x;
	err e = read_answer(c, head, c->arena, &x);

	return err_ok(e) ? api_problem(c, &x) : out_error(c, e);
}

/* ---- good answers ---- */

int
api_show(struct cli *c, const struct api *x)
{
	struct buf b;
	int rc;

	buf_init(&b, SHOW_MAX);
	if (c->json) {
		if (x->json != NULL)
			json_show(&b, x->json, 0);
		else
			buf_c(&b, "{}");
		buf_char(&b, '\n');
	} else if (x->json != NULL) {
		detail_show(&b, x->json);
		if (x->head->etag.n > 0) {
			buf_c(&b, "etag: ");
			tty_add(&b, x->head->etag, false);
			buf_char(&b, '\n');
		}
	}
	rc = out_text(c, &b);
	buf_done(&b);
	return rc;
}

/* Columns of the terminal we write to; 0 when it is none. */
static size_t
terminal_width(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) != 1)
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

/* ---- lists ---- */

struct listing {
	struct cli *c;
	struct request request;
	struct arena arena; /* of the page */
	struct table table;
	struct buf out;
	struct buf target; /* of the next page */
	bool all, some;
	struct str next; /* cursor; p NULL at the end */
};

static err
page_items(struct listing *l, const struct api *x, const struct json **ret)
{
	const struct json *items = json_get(x->json, STR("items"));
	const struct json *next = json_get(x->json, STR("next"));

	/* members and the like are one list without pages */
	if (items == NULL && x->json != NULL && x->json->kind == JSON_OBJECT &&
	    x->json->count == 1 && x->json->child->kind == JSON_ARRAY)
		items = x->json->child;
	if (items == NULL || items->kind != JSON_ARRAY) {
		trail_set(&l->c->trail, "the server's answer is no list");
		return err_of(E_PEER);
	}
	l->next =
	    next != NULL && next->kind == JSON_STRING ? next->text : STR_NONE;
	*ret = items;
	return OK;
}

/* The request for the page behind this one.  A cursor that leads to itself
 * would never end. */
static err
next_page(struct listing *l, struct str base)
{
	struct str last = arena_dup(l->c->arena, l->request.target);

	TRY(arena_check(l->c->arena));
	buf_clear(&l->target);
	buf_str(&l->target, base);
	buf_char(&l->target, memchr(base.p, '?', base.n) == NULL ? '?' : '&');
	buf_c(&l->target, "cursor=");
	url_encode(&l->target, l->next);
	if (l->target.failed) {
		trail_set(&l->c->trail, "the server's cursor is too long");
		return err_of(E_PEER);
	}
	l->request.target = buf_view(&l->target);
	if (!str_eq(l->request.target, last))
		return OK;
	trail_set(&l->c->trail, "the server's list goes in circles");
	return err_of(E_PEER);
}

static int
page_text(struct listing *l, const struct json *items)
{
	int rc;

	table_add(&l->out, &l->table, items);
	rc = out_text(l->c, &l->out);
	buf_clear(&l->out);
	if (rc == EXIT_DONE && l->next.p != NULL && !l->all)
		out_note(l->c, "there is more: --cursor %.*s, or --all",
		    STR_ARG(str_head(l->next, 512)));
	return rc;
}

/* With --all the pages become one document; else it is the server's. */
static void
page_json(struct listing *l, const struct api *x, const struct json *items)
{
	if (!l->all) {
		json_show(&l->out, x->json, 0);
		buf_char(&l->out, '\n');
		return;
	}
	for (const struct json *j = json_first(items); j != NULL; j = j->next) {
		buf_c(&l->out, l->some ? ",\n    " : "\n    ");
		json_show(&l->out, j, 2);
		l->some = true;
	}
}

/* One page; *ret_rc when it is not E_OK's business. */
static err
page(struct listing *l, int *ret_rc)
{
	const struct json *items;
	struct api x;

	arena_reset(&l->arena);
	TRY(api_ask(l->c, &l->request, &l->arena, &x));
	if (x.head->status >= 300) {
		*ret_rc = api_problem(l->c, &x);
		return OK;
	}
	TRY(page_items(l, &x, &items));
	if (!l->c->json) {
		*ret_rc = page_text(l, items);
		return OK;
	}
	page_json(l, &x, items);
	if (l->out.failed) {
		trail_set(&l->c->trail,
		    "the list is too long for one document");
		return err_of(E_NO_MEMORY);
	}
	return OK;
}

static int
pages(struct listing *l)
{
	struct str base = l->request.target;
	int rc = EXIT_DONE;
	err e = OK;

	if (l->c->json && l->all)
		buf_c(&l->out, "{\n  \"items\": [");
	do {
		e = page(l, &rc);
		if (err_ok(e) && rc == EXIT_DONE && l->next.p != NULL && l->all)
			e = next_page(l, base);
	} while (err_ok(e) && rc == EXIT_DONE && l->all && l->next.p != NULL);
	if (!err_ok(e))
		return out_error(l->c, e);
	if (rc != EXIT_DONE || !l->c->json)
		return rc;
	if (l->all)
		buf_c(&l->out,
		    l->some ? "\n  ],\n  \"next\": null\n}\n"
			    : "],\n  \"next\": null\n}\n");
	return out_text(l->c, &l->out);
}

static int
list(struct cli *c, const struct request *r)
{
	struct listing l = {.c = c,
	    .request = *r,
	    .all = args_has(&c->args, "all"),
	    .table = {.view = c->args.command->view,
		.width = terminal_width()}};
	int rc;

	if (l.all && args_has(&c->args, "cursor")) {
		trail_set(&c->trail, "--all and --cursor exclude each other");
		return out_error(c, err_of(E_USAGE));
	}
	arena_init(&l.arena, PAGE_ARENA);
	buf_init(&l.out, ALL_MAX);
	buf_init(&l.target, LIM_TARGET);
	rc = pages(&l);
	buf_done(&l.target);
	buf_done(&l.out);
	arena_done(&l.arena);
	return rc;
}

static int
once(struct cli *c, enum cli_route route)
{
	struct request r;
	struct api x;
	err e = request_make(c, route, &r);

	if (err_ok(e))
		e = api_ask(c, &r, c->arena, &x);
	if (!err_ok(e))
		return out_error(c, e);
	return x.head->status < 300 ? api_show(c, &x) : api_problem(c, &x);
}

int
cmd_call(struct cli *c)
{
	const struct row *command = c->args.command;
	struct request r;
	err e;

	if (command->view == VIEW_NONE)
		return once(c, command->route);
	e = request_make(c, command->route, &r);
	return err_ok(e) ? list(c, &r) : out_error(c, e);
}

/* Reading and setting are two methods of one path. */
int
cmd_members(struct cli *c)
{
	if (!args_has(&c->args, "set"))
		return cmd_call(c);
	return once(c, CLI_ROUTE_members_put);
}

/* What is not followed, and what to do about it. */
static void
fixes(struct buf *b, const struct json *items, bool *ret_good)
{
	*ret_good = true;
	for (const struct json *j = json_first(items); j != NULL; j = j->next) {
		bool ok = false;

		if (json_bool(json_get(j, STR("ok")), &ok) && ok)
			continue;
		buf_c(b, *ret_good ? "\nTo do:\n  " : "  ");
		value_line(b, json_get(j, STR("check")));
		buf_c(b, ": ");
		value_line(b, json_get(j, STR("fix")));
		buf_char(b, '\n');
		*ret_good = false;
	}
}

/* The list, and with --strict a verdict about it. */
int
cmd_posture(struct cli *c)
{
	struct table t = {.view = VIEW_POSTURE, .width = terminal_width()};
	const struct json *items;
	struct request r;
	struct api x;
	struct buf b;
	bool good;
	int rc;
	err e = request_make(c, CLI_ROUTE_posture, &r);

	if (err_ok(e))
		e = api_ask(c, &r, c->arena, &x);
	if (!err_ok(e))
		return out_error(c, e);
	if (x.head->status >= 300)
		return api_problem(c, &x);
	items = json_get(x.json, STR("items"));
	buf_init(&b, SHOW_MAX);
	table_add(&b, &t, items);
	fixes(&b, items, &good);
	rc = c->json ? api_show(c, &x) : out_text(c, &b);
	buf_done(&b);
	if (rc == EXIT_DONE && !good && args_has(&c->args, "strict"))
		rc = EXIT_BAD;
	return rc;
}
