/* From arguments to a request: path, query, body and fields. */
#include "base/limits.h"
#include "base/rand.h"
#include "base/text.h"
#include "cli/cli.h"

enum { KEY_LENGTH = 32 };

/* The value of path variable `name`: an argument, or the project. */
static err
path_value(struct cli *c, struct str name, struct str *ret)
{
	const struct row *r = c->args.command + 1;

	for (; row_of_command(r); r++)
		if (r->place == IN_PATH && str_is(name, r->member)) {
			TRY(value_text(c, r, args_row(&c->args, r), ret));
			break;
		}
	if (!row_of_command(r)) {
		BUG_ON(!str_is(name, "p"));
		*ret = c->login.project;
	}
	/* They would name another resource than the one meant. */
	if (ret->n == 0 || str_is(*ret, ".") || str_is(*ret, "..")) {
		trail_set(&c->trail, "%s must not be empty or dots",
		    row_of_command(r) ? r->name : "the project");
		return err_of(E_INVALID);
	}
	return OK;
}

static err
path(struct cli *c, struct str form, struct buf *b)
{
	struct str part, name, value;

	while (str_cut(form, '{', &part, &form)) {
		buf_str(b, part);
		BUG_ON(!str_cut(form, '}', &name, &form));
		TRY(path_value(c, name, &value));
		url_encode(b, value);
	}
	buf_str(b, part);
	return OK;
}

static err
query(struct cli *c, struct buf *b)
{
	const struct row *r = c->args.command + 1;
	char sign = '?';

	for (; row_of_command(r); r++) {
		struct str v = args_row(&c->args, r);

		if (r->place != IN_QUERY || v.p == NULL)
			continue;
		TRY(value_text(c, r, v, &v));
		buf_char(b, sign);
		buf_c(b, r->member);
		buf_char(b, '=');
		url_encode(b, v);
		sign = '&';
	}
	return OK;
}

/* "filter.action" opens the object filter until a member is not in it. */
static void
enter(struct jw *w, struct str *open, struct str object)
{
	if (str_eq(*open, object))
		return;
	if (open->n > 0)
		jw_obj_end(w);
	if (object.n > 0) {
		jw_name(w, object);
		jw_obj(w);
	}
	*open = object;
}

static err
body(struct cli *c, struct buf *b, size_t *ret_members)
{
	const struct row *r = c->args.command + 1;
	struct str open = STR("");
	struct jw w;

	*ret_members = 0;
	jw_init(&w, b);
	jw_obj(&w);
	for (; row_of_command(r); r++) {
		struct str v = args_row(&c->args, r), object, member;

		if (r->place != IN_BODY || v.p == NULL)
			continue;
		if (!str_cut(str_c(r->member), '.', &object, &member)) {
			member = object;
			object = STR("");
		}
		enter(&w, &open, object);
		jw_name(&w, member);
		TRY(value_json(c, r, v, &w));
		++*ret_members;
	}
	enter(&w, &open, STR(""));
	jw_obj_end(&w);
	return buf_check(b);
}

static err
fields(struct cli *c, struct request *q)
{
	char *key = arena_get(c->arena, KEY_LENGTH);

	if (key == NULL)
		return err_of(E_NO_MEMORY);
	q->etag = args_get(&c->args, "etag");
	q->idempotency_key = args_get(&c->args, "idempotency-key");
	if (q->idempotency_key.p != NULL || strcmp(q->method, "POST") != 0)
		return OK;
	rand_base62(key, KEY_LENGTH);
	q->idempotency_key = str_of(key, KEY_LENGTH);
	return OK;
}

err
request_make(struct cli *c, enum cli_route route, struct request *ret)
{
	struct request q = {.method = route_method(route),
	    .accept = STR("application/json, application/problem+json")};
	struct buf target, text;
	size_t members;

	buf_init_on(&target, c->arena, LIM_TARGET);
	buf_init_on(&text, c->arena, LIM_INGEST_BODY);
	TRY(path(c, str_c(route_path(route)), &target));
	TRY(query(c, &target));
	if (target.failed) {
		trail_set(&c->trail, "the arguments are too long");
		return err_of(E_INVALID);
	}
	q.target = buf_view(&target);
	if (route_has_body(route)) {
		TRY(body(c, &text, &members));
		q.body = buf_view(&text);
		if (members == 0 && strcmp(q.method, "PATCH") == 0) {
			trail_set(&c->trail, "nothing to change was given");
			return err_of(E_USAGE);
		}
	}
	TRY(fields(c, &q));
	*ret = q;
	return OK;
}
