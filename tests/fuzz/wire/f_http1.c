/*
 * The HTTP/1.1 parser: however the bytes are cut, the reading is the same;
 * and where Debian's http-parser is installed: whatever we take it takes,
 * and reads the same body (its accept-set contains ours).
 */
#include <dlfcn.h>

#include "wire/http1.h"

#if __has_include(<http_parser.h>)
#include <http_parser.h>
#define HAVE_OTHER 1
#else
#define HAVE_OTHER 0
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MAX = 1 << 16 };

struct reading {
	enum http1_result result;
	unsigned error;
	bool head;
	size_t used, body_n;
	char body[MAX];
};

static struct http1 p;

static size_t
next_cut(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return 1 + (*seed >> 24) % 40;
}

static void
read_cut(struct str in, uint32_t seed, struct reading *r)
{
	size_t have = seed == 0 ? in.n : 0, at = 0; /* 0: whole */

	r->head = false;
	r->body_n = 0;
	http1_init(&p);
	do {
		size_t step = next_cut(&seed);
		struct str rest, piece;

		have = in.n - have < step ? in.n : have + step;
		if (!r->head) {
			r->result = http1_head(&p, str_head(in, have));
			if (r->result != HTTP1_DONE)
				continue;
			r->head = true;
			at = p.at;
		}
		rest = str_skip(str_head(in, have), at);
		do {
			r->result = http1_body(&p, &rest, &piece);
			memcpy(r->body + r->body_n, piece.p, piece.n);
			r->body_n += piece.n;
		} while (r->result == HTTP1_MORE && rest.n > 0);
		at = have - rest.n;
	} while (r->result == HTTP1_MORE && have < in.n);
	r->error = r->result == HTTP1_BAD ? p.error : E_OK;
	r->used = r->head ? at : p.at;
}

#if HAVE_OTHER
struct other {
	struct reading *r;
	bool done;
};

static int
other_body(http_parser *q, const char *b, size_t n)
{
	struct other *o = q->data;

	memcpy(o->r->body + o->r->body_n, b, n);
	o->r->body_n += n;
	return 0;
}

static int
other_done(http_parser *q)
{
	struct other *o = q->data;

	o->done = true;
	return 1; /* stop here */
}

/* It takes "Transfer-EncodingX" for Transfer-Encoding. */
static bool
mistaken(struct str in)
{
	struct str name = STR("transfer-encoding");

	for (size_t i = 0; i < p.fields_n; i++) {
		struct http1_span f = p.fields[i].name;

		if (f.n > name.n && str_ieq(str_of(in.p + f.at, name.n), name))
			return true;
	}
	return false;
}

/* We took it: so must the other, and alike. */
static void
compare(struct str in, const struct reading *ours)
{
	static void (*init)(http_parser *, enum http_parser_type);
	static size_t (*execute)(http_parser *, const http_parser_settings *,
	    const char *, size_t);
	static struct reading theirs;
	static bool looked;
	struct other o = {&theirs, false};
	http_parser_settings s = {.on_body = other_body,
	    .on_message_complete = other_done};
	http_parser q;

	if (!looked) {
		void *lib = dlopen("libhttp_parser.so.2.9", RTLD_NOW);

		looked = true;
		if (lib != NULL) {
			*(void **)&init = dlsym(lib, "http_parser_init");
			*(void **)&execute = dlsym(lib, "http_parser_execute");
		}
	}
	/* it knows no other methods, and reads upgrades in its own way */
	if (init == NULL || execute == NULL || in.p[p.target.at] != '/' ||
	    mistaken(in))
		return;
	theirs.body_n = 0;
	init(&q, HTTP_REQUEST);
	q.data = &o;
	execute(&q, &s, in.p, in.n);
	if (HTTP_PARSER_ERRNO(&q) == HPE_INVALID_METHOD || q.upgrade)
		return;
	/* it gives trailers a meaning; we drop them, as RFC 9112 7.1.2 asks */
	if (p.chunked && p.extra > 0 && !o.done)
		return;
	if (!o.done || theirs.body_n != ours->body_n ||
	    memcmp(theirs.body, ours->body, ours->body_n) != 0)
		__builtin_trap();
}
#endif

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct reading whole, cut;
	struct str in;

	if (n < 1 || n > MAX)
		return 0;
	in = str_of((const char *)data + 1, n - 1);
	if (in.n == 0)
		return 0;
	read_cut(in, 1U + data[0], &cut);
	read_cut(in, 0, &whole);
	if (whole.result != cut.result || whole.error != cut.error ||
	    whole.used != cut.used || whole.body_n != cut.body_n ||
	    memcmp(whole.body, cut.body, cut.body_n) != 0)
		__builtin_trap();
#if HAVE_OTHER
	if (whole.result == HTTP1_DONE)
		compare(in, &whole);
#endif
	return 0;
}
