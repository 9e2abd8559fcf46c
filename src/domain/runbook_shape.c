/* runbook_shape.c: members of a runbook's objects, by runbook.def. */
#include "base/json_canon.h"
#include "domain/runbook_read.h"

enum shape { LINE, TEXT, WORD, INT, BOOL, LIST, OBJECT, ANY };
enum { MAY, MUST };

static const struct row {
	enum owner owner;
	struct str name;
	enum shape shape;
	int need;
	int64_t low, high;
} rows[] = {
#define MEMBER(owner, name, shape, need, low, high)                            \
	{owner, {name, sizeof name - 1}, shape, need, low, high},
#include "domain/runbook.def"
#undef MEMBER
};
enum { ROWS = sizeof rows / sizeof *rows };

static bool
line_valid(struct str s, int64_t low, int64_t high)
{
	int64_t chars = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f)
			return false;
		chars += (c & 0xc0) != 0x80;
	}
	return chars >= low && chars <= high && str_trim(s).n == s.n;
}

static bool
text_valid(struct str s, int64_t low, int64_t high)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && c != '\n' && c != '\t' && c != '\r') ||
		    c == 0x7f)
			return false;
	}
	return (int64_t)s.n >= low && (int64_t)s.n <= high;
}

static err
text_check(struct document *d, const struct at *at, const struct row *r,
    const struct json *j)
{
	struct str s;

	if (!json_str(j, &s))
		return refuse(d, at, E_INVALID, "a text");
	if (r->shape == LINE && !line_valid(s, r->low, r->high))
		return refuse(d, at, E_INVALID,
		    "one line of %lld to %lld characters", (long long)r->low,
		    (long long)r->high);
	if (r->shape == TEXT && !text_valid(s, r->low, r->high))
		return refuse(d, at, E_INVALID,
		    "%lld to %lld bytes of text, no control characters",
		    (long long)r->low, (long long)r->high);
	return OK;
}

static err
count_check(struct document *d, const struct at *at, const struct row *r,
    const struct json *j)
{
	bool list = r->shape == LIST;

	if (j->kind != (list ? JSON_ARRAY : JSON_OBJECT))
		return refuse(d, at, E_INVALID, "%s",
		    list ? "an array" : "an object");
	if (j->count >= r->low && j->count <= r->high)
		return OK;
	return refuse(d, at, j->count > r->high ? E_TOO_MANY : E_INVALID,
	    "%lld to %lld %s", (long long)r->low, (long long)r->high,
	    list ? "items" : "members");
}

static err
shape_check(struct document *d, const struct at *at, const struct row *r,
    const struct json *j)
{
	int64_t n;
	bool b;

	switch (r->shape) {
	case LINE:
	case TEXT:
	case WORD:
		return text_check(d, at, r, j);
	case LIST:
	case OBJECT:
		return count_check(d, at, r, j);
	case INT:
		if (json_i64(j, r->low, r->high, &n))
			return OK;
		return refuse(d, at, E_INVALID, "an integer, %lld to %lld",
		    (long long)r->low, (long long)r->high);
	case BOOL:
		if (json_bool(j, &b))
			return OK;
		return refuse(d, at, E_INVALID, "true or false");
	case ANY:
		break;
	}
	return OK;
}

static const struct row *
row_of(struct str name, enum owner a, enum owner b)
{
	for (size_t i = 0; i < ROWS; i++)
		if ((rows[i].owner == a || rows[i].owner == b) &&
		    str_eq(rows[i].name, name))
			return &rows[i];
	return NULL;
}

err
members_check(struct document *d, const struct at *at, const struct json *j,
    enum owner owner, enum owner also)
{
	if (j->kind != JSON_OBJECT)
		return refuse(d, at, E_INVALID, "an object");
	for (const struct json *c = json_first(j); c != NULL; c = c->next) {
		struct at here = at_member(at, c->name);
		const struct row *r = row_of(c->name, owner, also);

		if (r == NULL)
			return refuse(d, &here, E_UNKNOWN_MEMBER,
			    "there is no such member here");
		TRY(shape_check(d, &here, r, c));
	}
	for (size_t i = 0; i < ROWS; i++) {
		struct at here = at_member(at, rows[i].name);

		if (rows[i].need == MUST &&
		    (rows[i].owner == owner || rows[i].owner == also) &&
		    json_get(j, rows[i].name) == NULL)
			return refuse(d, &here, E_MISSING, "is missing");
	}
	return OK;
}

uint32_t
member_u32(const struct json *j, const char *name, uint32_t absent)
{
	int64_t v;

	return json_i64(json_get(j, str_c(name)), 0, UINT32_MAX, &v)
	    ? (uint32_t)v
	    : absent;
}

bool
member_bool(const struct json *j, const char *name, bool absent)
{
	bool v;

	return json_bool(json_get(j, str_c(name)), &v) ? v : absent;
}

struct str
member_str(const struct json *j, const char *name)
{
	struct str s = json_str_at(j, str_c(name));

	return s.p == NULL ? STR("") : s;
}
