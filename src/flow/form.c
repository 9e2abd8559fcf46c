/* form.c: see form.h. */
#include "flow/form.h"

#include "base/text.h"

/* What a serializer leaves as it is, besides letters and digits: WHATWG has
 * "*-._", others follow RFC 3986 and keep "~" or sub-delimiters, too. */
static bool
plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}#", c) != NULL)
			return false;
	}
	return true;
}

static bool
tame(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') ||
		    c == 0x7f)
			return false;
	}
	return true;
}

static err
decode(struct arena *a, struct str in, struct str *ret)
{
	char *copy = arena_raw(a, in.n + 1);

	if (copy == NULL)
		return err_of(E_NO_MEMORY);
	if (!plain(in))
		return err_of(E_BAD_REQUEST);
	for (size_t i = 0; i < in.n; i++)
		copy[i] = (char)(in.p[i] == '+' ? ' ' : in.p[i]);
	TRY(url_decode(a, str_of(copy, in.n), ret));
	return err_of(tame(*ret) ? E_OK : E_BAD_REQUEST);
}

static err
add(struct arena *a, struct str pair, struct form *f)
{
	struct form_field *to = &f->field[f->n];
	struct str name, value;

	if (f->n == LIM_FORM_FIELDS)
		return err_of(E_TOO_MANY);
	if (!str_cut(pair, '=', &name, &value))
		value = STR("");
	TRY(decode(a, name, &to->name));
	TRY(decode(a, value, &to->value));
	if (to->name.n == 0)
		return err_of(E_BAD_REQUEST);
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->field[i].name, to->name))
			return err_of(E_BAD_REQUEST);
	f->n++;
	return OK;
}

err
form_parse(struct arena *a, struct str body, struct form *ret)
{
	struct str pair;

	ret->n = 0;
	if (body.n > 0 && body.p[body.n - 1] == '&')
		return err_of(E_BAD_REQUEST);
	while (body.n > 0) {
		(void)str_cut(body, '&', &pair, &body);
		TRY(add(a, pair, ret));
	}
	return OK;
}

struct str
form_get(const struct form *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_is(f->field[i].name, name))
			return f->field[i].value;
	return STR_NONE;
}
