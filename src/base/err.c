#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *name;
	const char *text;
	int status;
	int exit_code;
} rows[] = {
#define ERR(name, code, status, exit_code, text)                               \
	{code, text, status, exit_code},
#include "base/errors.def"
#undef ERR
};

const char *
err_name(err e)
{
	return e.code < E_MAX_ ? rows[e.code].name : rows[E_INTERNAL].name;
}

const char *
err_text(err e)
{
	return e.code < E_MAX_ ? rows[e.code].text : rows[E_INTERNAL].text;
}

int
err_status(err e)
{
	return e.code < E_MAX_ ? rows[e.code].status : 500;
}

int
err_exit(err e)
{
	return e.code < E_MAX_ ? rows[e.code].exit_code : 1;
}

void
trail_set(struct trail *t, const char *fmt, ...)
{
	va_list ap;

	if (t == NULL || t->detail[0] != '\0')
		return;
	va_start(ap, fmt);
	if (vsnprintf(t->detail, sizeof t->detail, fmt, ap) < 0)
		t->detail[0] = '\0';
	va_end(ap);
	for (char *c = t->detail; *c != '\0'; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
}

void
bug(const char *file, int line, const char *what)
{
	fprintf(stderr, "bug at=%s:%d what=\"%s\"\n", file, line, what);
	abort();
}
