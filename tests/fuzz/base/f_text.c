/*
 * Encodings: what decodes encodes back to the same bytes, everything encoded
 * decodes to itself, and what is shown to people and their tools is inert.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "base/text.h"
#include "base/utf8.h"

#define HOLDS(cond)                                                            \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

static struct arena arena;
static struct buf out;

static void
fresh(void)
{
	buf_init_on(&out, &arena, LIM_ARENA);
}

static void
base64(struct str in, bool (*decode)(struct arena *, struct str, struct str *),
    void (*add)(struct buf *, struct str))
{
	struct str s;

	fresh();
	if (decode(&arena, in, &s)) {
		add(&out, s);
		HOLDS(str_eq(buf_view(&out), in));
	}
	fresh();
	add(&out, in);
	HOLDS(!out.failed && decode(&arena, buf_view(&out), &s));
	HOLDS(str_eq(s, in));
}

static void
hex(struct str in)
{
	char *t = arena_get(&arena, in.n);

	HOLDS(t != NULL);
	fresh();
	if (hex_decode(in, t, in.n / 2)) {
		hex_add(&out, str_of(t, in.n / 2));
		HOLDS(str_eq(buf_view(&out), in));
	}
	fresh();
	hex_add(&out, in);
	HOLDS(!out.failed && hex_decode(buf_view(&out), t, in.n));
	HOLDS(str_eq(str_of(t, in.n), in));
}

static void
base62(struct str in)
{
	uint64_t v;

	if (!base62_decode(in, &v))
		return;
	fresh();
	base62_add(&out, v, (unsigned)in.n);
	HOLDS(str_eq(buf_view(&out), in));
}

/* Undo RFC 4180 quoting and the apostrophe; the rest must be `in`. */
static void
csv(struct str in)
{
	struct str s;
	size_t n = 0;
	char *t;

	fresh();
	csv_add(&out, in);
	s = buf_view(&out);
	t = arena_get(&arena, s.n);
	HOLDS(!out.failed && t != NULL);
	if (s.n > 0 && s.p[0] == '"') {
		HOLDS(s.n >= 2 && s.p[s.n - 1] == '"');
		s = str_of(s.p + 1, s.n - 2);
		for (size_t i = 0; i < s.n; i++) {
			t[n++] = s.p[i];
			if (s.p[i] == '"')
				HOLDS(++i < s.n && s.p[i] == '"');
		}
		s = str_of(t, n);
	} else {
		for (size_t i = 0; i < s.n; i++)
			HOLDS(strchr("\",\r\n", s.p[i]) == NULL ||
			    s.p[i] == '\0');
	}
	HOLDS(s.n == 0 || s.p[0] == '\0' || strchr("=+-@\t\r", s.p[0]) == NULL);
	HOLDS(str_eq(s, in) ||
	    (s.n > 0 && s.p[0] == '\'' && str_eq(str_skip(s, 1), in)));
}

static void
log_value(struct str in)
{
	struct str s;
	bool quoted;

	fresh();
	logval_add(&out, in);
	s = buf_view(&out);
	HOLDS(!out.failed && s.n > 0);
	quoted = s.p[0] == '"';
	HOLDS(!quoted || (s.n >= 2 && s.p[s.n - 1] == '"'));
	if (quoted)
		s = str_of(s.p + 1, s.n - 2);
	for (size_t i = 0; i < s.n; i++) {
		HOLDS(s.p[i] >= 0x20 && s.p[i] < 0x7f);
		HOLDS(quoted || strchr(" =\"\\", s.p[i]) == NULL);
		if (s.p[i] == '\\')
			HOLDS(++i < s.n);
		else
			HOLDS(s.p[i] != '"');
	}
}

static void
terminal(struct str in, bool multiline)
{
	struct str s;

	fresh();
	tty_add(&out, in, multiline);
	s = buf_view(&out);
	HOLDS(!out.failed && utf8_valid(s));
	while (s.n > 0) {
		uint32_t c = utf8_next(&s);

		HOLDS(c >= 0x20 || (multiline && (c == '\n' || c == '\t')));
		HOLDS((c < 0x7f || c > 0x9f) && (c < 0x202a || c > 0x202e));
		HOLDS(c < 0x2066 || c > 0x2069);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);

	arena_init(&arena, LIM_ARENA);
	base64(in, b64_decode, b64_add);
	base64(in, b64url_decode, b64url_add);
	hex(in);
	base62(in);
	csv(in);
	log_value(in);
	terminal(in, false);
	terminal(in, true);
	arena_done(&arena);
	return 0;
}
