/* What is taken from a request line: percent-decoding, numbers, times, ids. */
#include <stdlib.h>

#include "base/id.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
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
percent(struct str in)
{
	struct str s = STR_NONE, again = STR_NONE;
	err e = url_decode(&arena, in, &s);

	HOLDS(err_ok(e) == (s.p != NULL));
	if (err_ok(e)) {
		HOLDS(utf8_valid(s) && memchr(s.p, 0, s.n) == NULL);
		HOLDS(s.n <= in.n);
		fresh();
		url_encode(&out, s);
		HOLDS(err_ok(url_decode(&arena, buf_view(&out), &again)));
		HOLDS(str_eq(s, again));
	}
	fresh();
	url_encode(&out, in);
	if (utf8_valid(in) && (in.n == 0 || memchr(in.p, 0, in.n) == NULL)) {
		HOLDS(err_ok(url_decode(&arena, buf_view(&out), &s)));
		HOLDS(str_eq(s, in));
	}
}

static void
numbers(struct str in)
{
	uint64_t u;
	int64_t v;
	bool is_u = str_u64(in, 0, UINT64_MAX, &u);
	bool is_i = str_i64(in, INT64_MIN, INT64_MAX, &v);

	fresh();
	if (is_u) {
		buf_u64(&out, u);
		HOLDS(str_eq(buf_view(&out), in));
		HOLDS(is_i == (u <= INT64_MAX));
	}
	fresh();
	if (is_i) {
		buf_i64(&out, v);
		HOLDS(str_eq(buf_view(&out), in));
		HOLDS(is_u == (v >= 0));
	}
}

static void
times_and_ids(struct str in)
{
	char t[UUID_TEXT + 1];
	struct uuid u;
	int64_t ms, again;

	if (time_parse(in, &ms)) {
		time_text(ms, t);
		HOLDS(time_parse(str_c(t), &again) && ms == again);
	}
	if (uuid_parse(in, &u)) {
		uuid_text(&u, t);
		HOLDS(str_ieq(in, str_c(t)));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);

	arena_init(&arena, LIM_ARENA);
	percent(in);
	numbers(in);
	times_and_ids(in);
	arena_done(&arena);
	return 0;
}
