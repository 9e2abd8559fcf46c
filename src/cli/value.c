#include "base/limits.h"
#include "base/time.h"
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static err
bad(struct cli *c, const struct row *r, const char *want)
{
	trail_set(&c->trail, "%s%s must be %s", r->kind == ROW_ARG ? "" : "--",
	    r->name, want);
	return err_of(E_INVALID);
}

/* ---- files and standard input ---- */

static err
read_all(struct cli *c, int fd, size_t max, struct str *ret)
{
	struct buf b;
	ssize_t n;

	buf_init_on(&b, c->arena, max);
	for (;;) {
		char piece[4096];

		n = read(fd, piece, sizeof piece);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf_add(&b, piece, (size_t)n);
		if (b.failed) {
			trail_set(&c->trail, "input of more than %zu bytes",
			    max);
			return err_of(E_TOO_LARGE);
		}
	}
	if (n < 0) {
		trail_set(&c->trail, "cannot read: %s", strerrordesc_np(errno));
		return err_of(E_INVALID);
	}
	*ret = b.n == 0 ? STR("") : buf_view(&b);
	return OK;
}

err
value_file(struct cli *c, struct str path, size_t max, struct str *ret)
{
	const char *name;
	err e;
	int fd;

	if (str_is(path, "-")) {
		if (c->stdin_used) {
			trail_set(&c->trail,
			    "standard input can be read only once");
			return err_of(E_USAGE);
		}
		c->stdin_used = true;
		return read_all(c, STDIN_FILENO, max, ret);
	}
	name = arena_cstr(c->arena, path);
	if (name == NULL)
		return err_of(E_NO_MEMORY);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		trail_set(&c->trail, "cannot open %s: %s", name,
		    strerrordesc_np(errno));
		return err_of(E_INVALID);
	}
	e = read_all(c, fd, max, ret);
	close(fd);
	return e;
}

/* ---- the types of commands.def ---- */

/* 90m, 24h, 7d, 2w, 30s in milliseconds. */
static bool
span(struct str v, int64_t *ret)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000},
	    {'w', 604800000}};
	int64_t n;

	if (v.n < 2 || !str_i64(str_head(v, v.n - 1), 0, 1000000, &n))
		return false;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (units[i].unit == v.p[v.n - 1]) {
			*ret = n * units[i].ms;
			return true;
		}
	return false;
}

static err
time_value(struct cli *c, const struct row *r, struct str v, struct str *ret)
{
	char text[TIME_TEXT + 1];
	int64_t ms;

	if (span(v, &ms)) {
		if (r->type == TYPE_AGO)
			ms = -ms;
		time_text(time_now_ms() + ms, text);
		*ret = arena_dup(c->arena, str_of(text, TIME_TEXT));
		return arena_check(c->arena);
	}
	if (!time_parse(v, &ms))
		return bad(c, r,
		    "a time like 2026-11-25T12:00:00Z, or a span like 24h");
	*ret = v;
	return OK;
}

/* 42 is what people say; INC-42 is what the server takes. */
static err
incident_value(struct cli *c, struct str v, struct str *ret)
{
	struct buf b;
	uint64_t n;

	*ret = v;
	if (!str_u64(v, 1, UINT64_MAX, &n))
		return OK;
	buf_init_on(&b, c->arena, 32);
	buf_c(&b, "INC-");
	buf_str(&b, v);
	*ret = buf_view(&b);
	return buf_check(&b);
}

err
value_text(struct cli *c, const struct row *r, struct str v, struct str *ret)
{
	uint64_t n;

	switch (r->type) {
	case TYPE_AGO:
	case TYPE_UNTIL:
		return time_value(c, r, v, ret);
	case TYPE_INCIDENT:
		return incident_value(c, v, ret);
	case TYPE_NUMBER:
		if (!str_u64(v, 0, INT64_MAX, &n))
			return bad(c, r, "a number");
		break;
	case TYPE_YESNO:
		if (!str_is(v, "true") && !str_is(v, "false"))
			return bad(c, r, "true or false");
		break;
	case TYPE_PROSE:
		if (str_is(v, "-"))
			return value_file(c, v, LIM_BODY, ret);
		break;
	default:
		break;
	}
	*ret = v;
	return OK;
}

static void
list_json(struct str v, struct jw *w)
{
	bool more = v.n > 0;

	jw_arr(w);
	while (more) {
		struct str item;

		more = str_cut(v, ',', &item, &v);
		jw_str(w, str_trim(item));
	}
	jw_arr_end(w);
}

static err
subject_json(struct cli *c, const struct row *r, struct str v, struct jw *w)
{
	struct str kind, id;

	if (!str_cut(v, ':', &kind, &id) || kind.n == 0 || id.n == 0)
		return bad(c, r, "KIND:ID, for example user:ID");
	if (str_is(kind, "service-account"))
		kind = STR("service_account");
	jw_obj(w);
	jw_kstr(w, "kind", kind);
	jw_kstr(w, "id", id);
	jw_obj_end(w);
	return OK;
}

static err
subjects_json(struct cli *c, const struct row *r, struct str v, struct jw *w)
{
	bool more = v.n > 0;

	jw_arr(w);
	while (more) {
		struct str item;

		more = str_cut(v, ',', &item, &v);
		TRY(subject_json(c, r, str_trim(item), w));
	}
	jw_arr_end(w);
	return OK;
}

static err
any_json(struct cli *c, const struct row *r, struct str v, struct jw *w)
{
	static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
	    LIM_JSON_VALUES};
	const struct json *j;
	struct trail t = {0};
	err e;

	if (v.n == 0) {
		jw_null(w);
		return OK;
	}
	if (v.p[0] == '@')
		TRY(value_file(c, str_skip(v, 1), LIM_BODY, &v));
	else if (str_is(v, "-"))
		TRY(value_file(c, v, LIM_BODY, &v));
	e = json_parse(c->arena, v, &lim, &t, &j);
	if (!err_ok(e)) {
		trail_set(&c->trail, "--%s: %s", r->name, t.detail);
		return e;
	}
	jw_value(w, j);
	return OK;
}

/* bearer, hmac:github, or the whole object. */
static err
sender_json(struct cli *c, const struct row *r, struct str v, struct jw *w)
{
	struct str kind, scheme;

	if (v.n > 0 &&
	    (v.p[0] == '{' || v.p[0] == '[' || v.p[0] == '@' || v.p[0] == '-'))
		return any_json(c, r, v, w);
	jw_obj(w);
	if (str_cut(v, ':', &kind, &scheme)) {
		jw_kstr(w, "kind", kind);
		jw_kstr(w, "scheme", scheme);
	} else {
		jw_kstr(w, "kind", v);
	}
	jw_obj_end(w);
	return OK;
}

/* All values of a repeated NAME=VALUE flag as one object. */
static err
pairs_json(struct cli *c, const struct row *r, struct jw *w)
{
	struct str name, value;

	jw_obj(w);
	for (size_t i = 0; i < c->args.n; i++) {
		if (c->args.v[i].row != r)
			continue;
		if (!str_cut(c->args.v[i].value, '=', &name, &value) ||
		    name.n == 0)
			return bad(c, r, "NAME=VALUE");
		jw_name(w, name);
		jw_str(w, value);
	}
	jw_obj_end(w);
	return OK;
}

err
value_json(struct cli *c, const struct row *r, struct str v, struct jw *w)
{
	switch (r->type) {
	case TYPE_SWITCH:
		jw_bool(w, true);
		return OK;
	case TYPE_LIST:
		list_json(v, w);
		return OK;
	case TYPE_SUBJECT:
		return subject_json(c, r, v, w);
	case TYPE_SUBJECTS:
		return subjects_json(c, r, v, w);
	case TYPE_JSON:
		return any_json(c, r, v, w);
	case TYPE_SENDER:
		return sender_json(c, r, v, w);
	case TYPE_PAIR:
		return pairs_json(c, r, w);
	default:
		break;
	}
	if (v.n == 0 && r->type != TYPE_PROSE) {
		jw_null(w);
		return OK;
	}
	TRY(value_text(c, r, v, &v));
	if (!utf8_valid(v)) {
		trail_set(&c->trail, "%s: the input is not UTF-8", r->name);
		return err_of(E_BAD_UTF8);
	}
	if (r->type == TYPE_NUMBER || r->type == TYPE_YESNO)
		jw_raw(w, v);
	else
		jw_str(w, v);
	return OK;
}
