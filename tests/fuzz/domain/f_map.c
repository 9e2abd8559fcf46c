/*
 * What senders send, mapped by every kind: alerts within their limits, or a
 * refusal with its reason.  The first byte is the kind and the defaults.
 */
#include "base/limits.h"
#include "base/utf8.h"
#include "domain/map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
    LIM_JSON_VALUES};

static size_t
chars(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

/* One line of at most max characters. */
static void
line(struct str s, size_t max)
{
	BUG_ON(!utf8_valid(s) || chars(s) > max);
	for (size_t i = 0; i < s.n; i++)
		BUG_ON((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f);
}

static void
text(struct str s, size_t max)
{
	BUG_ON(!utf8_valid(s) || s.n > max);
}

static void
alert(struct arena *a, const struct alert_in *in)
{
	const struct json *labels;
	struct buf doc;

	line(in->title, LIM_TITLE);
	BUG_ON(in->title.n == 0);
	text(in->message, LIM_TEXT);
	line(in->service, LIM_NAME);
	line(in->environment, LIM_NAME);
	line(in->link, 2048);
	text(in->dedup_key, LIM_DEDUP);
	BUG_ON(in->dedup_key.n == 0);
	text(in->group, 1024);
	BUG_ON(in->severity >= ALERT_SEVERITY_MAX_);
	BUG_ON(!err_ok(json_parse(a, in->labels, &lim, NULL, &labels)));
	BUG_ON(labels->kind != JSON_OBJECT || labels->count > LIM_LABELS);
	buf_init_on(&doc, a, LIM_REPLY);
	(void)alert_doc(&doc, in, STR("{}"), STR("{}"));
	BUG_ON(doc.failed);
	BUG_ON(!err_ok(json_parse(a, buf_view(&doc), &lim, NULL, &labels)));
}

static void
map(struct arena *a, const struct map_settings *s, const struct json *body)
{
	struct trail t = {""};
	struct alert_in *in;
	size_t n;
	err e = map_delivery(a, s, body, &t, &in, &n);

	if (!err_ok(e)) {
		BUG_ON(!err_is(e, E_MAPPING) && !err_is(e, E_NO_MEMORY));
		return;
	}
	BUG_ON(n > LIM_ALERTS);
	for (size_t i = 0; i < n && i < 50; i++)
		alert(a, &in[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json *body, *literals;
	struct map_settings s = {.now = INT64_C(1800000000000)};
	struct arena a;

	if (size == 0)
		return 0;
	arena_init(&a, 4 * LIM_ARENA);
	BUG_ON(!err_ok(json_parse(&a,
	    STR("{\"title\":\"t\",\"service\":\"s\",\"severity\":\"error\"}"),
	    &lim, NULL, &literals)));
	s.kind = (enum map_kind)(data[0] % MAP_KINDS);
	s.fresh_key = STR("k");
	s.default_severity =
	    (enum alert_severity)(data[0] / 16 % ALERT_SEVERITY_MAX_);
	s.literals = (data[0] & 8) != 0 ? literals : NULL;
	if (err_ok(json_parse(&a, str_of((const char *)data + 1, size - 1),
		&lim, NULL, &body)))
		map(&a, &s, body);
	arena_done(&a);
	return 0;
}
