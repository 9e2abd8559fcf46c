/* map.c: see map.h.  One small mapping each, over one table of helpers. */
#include "domain/map.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"

enum { GROUP_MAX = 1024 };

bool
map_kind_parse(struct str template_name, enum map_kind *ret)
{
	static const struct str names[] = {{"alertmanager", 12}, {NULL, 0},
	    {"grafana", 7}, {"generic", 7}, {"pagerduty", 9}};

	for (unsigned i = 0; i < MAP_KINDS; i++) {
		if (names[i].p != NULL && str_eq(template_name, names[i])) {
			*ret = (enum map_kind)i;
			return true;
		}
	}
	return false;
}

/* The first n bytes at most, not inside a character. */
static struct str
cut(struct str s, size_t n)
{
	if (s.n <= n)
		return s;
	while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return str_head(s, n);
}

/* A line of text: cut at the first control character. */
static struct str
line(struct str s, size_t n)
{
	size_t i = 0;

	s = cut(str_trim(s), n);
	while (i < s.n && (unsigned char)s.p[i] >= 0x20 && s.p[i] != 0x7f)
		i++;
	return str_head(s, i);
}

/* The first of these members that is a string with something in it. */
static struct str
first_of(const struct json *obj, const char *const *names)
{
	for (; *names != NULL; names++) {
		struct str s = json_str_at(obj, str_c(*names));

		if (s.n > 0)
			return s;
	}
	return STR("");
}
#define FIRST(obj, ...)                                                        \
	first_of((obj), (const char *const[]){__VA_ARGS__, NULL})

static int
by_name(const void *a, const void *b)
{
	const struct json *const *x = a, *const *y = b;

	return str_cmp((*x)->name, (*y)->name);
}

static uint64_t
fnv1a(uint64_t h, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
	return (h ^ 0xff) * UINT64_C(1099511628211);
}

err
map_fingerprint(struct arena *a, const struct json *labels, struct str *ret)
{
	const struct json **sorted;
	uint64_t h = UINT64_C(14695981039346656037);
	size_t n = 0;
	struct buf b;

	if (labels == NULL || labels->kind != JSON_OBJECT)
		return err_of(E_MAPPING);
	sorted = arena_array(a, labels->count + 1, sizeof *sorted);
	if (sorted == NULL)
		return err_of(E_NO_MEMORY);
	for (const struct json *j = labels->child; j != NULL; j = j->next) {
		if (j->kind != JSON_STRING)
			return err_of(E_MAPPING);
		if (j->text.n > 0) /* an empty label is no label */
			sorted[n++] = j;
	}
	qsort(sorted, n, sizeof(const struct json *), by_name);
	for (size_t i = 0; i < n; i++)
		h = fnv1a(fnv1a(h, sorted[i]->name), sorted[i]->text);
	buf_init_on(&b, a, 16);
	buf_fmt(&b, "%016llx", (unsigned long long)h);
	*ret = buf_view(&b);
	return buf_check(&b);
}

static void
severity_of(const struct map_settings *s, struct str word, struct alert_in *ret)
{
	ret->severity = s->default_severity;
	ret->severity_unmapped = false;
	if (!alert_severity_guess(str_trim(word), &ret->severity))
		ret->severity_unmapped = true;
}

/* Is every value a string, and are there not too many? */
static bool
labels_ok(const struct json *labels)
{
	if (labels == NULL || labels->kind != JSON_OBJECT ||
	    labels->count > LIM_LABELS)
		return false;
	for (const struct json *j = labels->child; j != NULL; j = j->next)
		if (j->kind != JSON_STRING)
			return false;
	return true;
}

/* What an Alertmanager alert says, v4, v2 and Grafana alike. */
static err
prometheus_alert(struct arena *a, const struct map_settings *s,
    const struct json *alert, struct trail *t, struct alert_in *ret)
{
	const struct json *labels = json_get(alert, STR("labels"));
	const struct json *notes = json_get(alert, STR("annotations"));
	struct str status = json_str_at(alert, STR("status"));
	struct str name;
	int64_t ends;

	if (!labels_ok(labels)) {
		trail_set(t, "labels must be an object of at most %d strings",
		    LIM_LABELS);
		return err_of(E_MAPPING);
	}
	name = FIRST(labels, "alertname");
	ret->title = line(FIRST(notes, "summary", "title"), LIM_TITLE);
	if (ret->title.n == 0)
		ret->title = line(name, LIM_TITLE);
	if (ret->title.n == 0)
		ret->title = STR("(alert without a name)");
	ret->message = cut(FIRST(notes, "description", "message"), LIM_TEXT);
	ret->service = line(FIRST(labels, "service", "app", "job"), LIM_NAME);
	ret->environment = line(FIRST(labels, "environment", "env"), LIM_NAME);
	ret->labels = labels->raw;
	ret->link = line(FIRST(alert, "panelURL", "generatorURL"), 2048);
	severity_of(s, FIRST(labels, "severity", "priority"), ret);
	ret->resolved = str_is(status, "resolved");
	if (status.p == NULL &&
	    time_parse(json_str_at(alert, STR("endsAt")), &ends))
		ret->resolved = ends > 0 && ends <= s->now;
	ret->dedup_key = line(json_str_at(alert, STR("fingerprint")), 64);
	if (ret->dedup_key.n == 0 || s->kind == MAP_ALERTMANAGER_V2)
		TRY(map_fingerprint(a, labels, &ret->dedup_key));
	ret->group = cut(name, GROUP_MAX);
	return OK;
}

static err
prometheus(struct arena *a, const struct map_settings *s,
    const struct json *list, struct str group, struct trail *t,
    struct alert_in *ret)
{
	const struct json *j = json_first(list);

	for (size_t i = 0; j != NULL; j = j->next, i++) {
		TRY(prometheus_alert(a, s, j, t, &ret[i]));
		if (group.n > 0)
			ret[i].group = group;
	}
	return OK;
}

static err
generic_alert(struct arena *a, const struct map_settings *s,
    const struct json *j, struct trail *t, struct alert_in *ret)
{
	const struct json *labels = json_get(j, STR("labels"));
	struct str status = FIRST(j, "status", "state", "event_action");
	struct str key;

	(void)a;
	if (j->kind != JSON_OBJECT) {
		trail_set(t, "an alert must be a JSON object");
		return err_of(E_MAPPING);
	}
	ret->title = line(FIRST(j, "title", "name", "summary", "subject",
			      "alertname", "message"),
	    LIM_TITLE);
	if (ret->title.n == 0) {
		trail_set(t, "no title, name, summary, subject or message");
		return err_of(E_MAPPING);
	}
	ret->message =
	    cut(FIRST(j, "message", "description", "body", "text"), LIM_TEXT);
	ret->service = line(FIRST(j, "service", "component", "host"), LIM_NAME);
	ret->environment = line(FIRST(j, "environment", "env"), LIM_NAME);
	if (labels != NULL && !labels_ok(labels)) {
		trail_set(t, "labels must be an object of at most %d strings",
		    LIM_LABELS);
		return err_of(E_MAPPING);
	}
	ret->labels = labels == NULL ? STR("{}") : labels->raw;
	ret->link = line(FIRST(j, "link", "url"), 2048);
	severity_of(s, FIRST(j, "severity", "priority", "level"), ret);
	ret->resolved = str_ieq(status, STR("resolved")) ||
	    str_ieq(status, STR("resolve")) || str_ieq(status, STR("ok")) ||
	    str_ieq(status, STR("recovered")) || str_ieq(status, STR("closed"));
	key = FIRST(j, "dedup_key", "dedupKey", "alias", "fingerprint", "id");
	ret->dedup_key = cut(key.n > 0 ? key : ret->title, LIM_DEDUP);
	ret->group = cut(FIRST(j, "group", "group_key"), GROUP_MAX);
	if (ret->group.n == 0)
		ret->group = ret->dedup_key;
	return OK;
}

/* Those of obj's members that are strings, as labels. */
static struct str
labels_of(struct arena *a, const struct json *obj, const char *const *names)
{
	struct str s;
	struct buf b;
	struct jw w;

	buf_init_on(&b, a, LIM_TEXT);
	jw_init(&w, &b);
	jw_obj(&w);
	for (; *names != NULL; names++) {
		s = line(json_str_at(obj, str_c(*names)), 1024);
		if (s.n == 0)
			continue;
		jw_name(&w, str_c(*names));
		jw_str(&w, s);
	}
	jw_obj_end(&w);
	return b.failed ? STR("{}") : buf_view(&b);
}

/* PagerDuty Events API v2, "Send an event". */
static err
pagerduty_event(struct arena *a, const struct map_settings *s,
    const struct json *j, struct trail *t, struct alert_in *ret)
{
	static const char *const names[] = {"source", "component", "group",
	    "class", NULL};
	const struct json *p = json_get(j, STR("payload"));
	const struct json *details = json_get(p, STR("custom_details"));
	struct str action = json_str_at(j, STR("event_action"));
	bool trigger = str_is(action, "trigger");

	ret->resolved = str_is(action, "resolve");
	ret->acknowledged = str_is(action, "acknowledge");
	if (!trigger && !ret->resolved && !ret->acknowledged) {
		trail_set(t, "event_action: trigger, acknowledge or resolve");
		return err_of(E_MAPPING);
	}
	ret->title = line(json_str_at(p, STR("summary")), LIM_TITLE);
	ret->dedup_key = cut(json_str_at(j, STR("dedup_key")), LIM_DEDUP);
	if (trigger && ret->title.n == 0) {
		trail_set(t, "payload.summary is required");
		return err_of(E_MAPPING);
	}
	if (!trigger && ret->dedup_key.n == 0) {
		trail_set(t, "dedup_key is required");
		return err_of(E_MAPPING);
	}
	if (ret->title.n == 0)
		ret->title = STR("(event without a summary)");
	if (ret->dedup_key.n == 0)
		ret->dedup_key = s->fresh_key;
	if (details != NULL)
		ret->message = cut(details->kind == JSON_STRING ? details->text
								: details->raw,
		    LIM_TEXT);
	ret->service = line(FIRST(p, "component", "source"), LIM_NAME);
	ret->labels = labels_of(a, p, names);
	ret->link =
	    line(FIRST(json_first(json_get(j, STR("links"))), "href"), 2048);
	if (ret->link.n == 0)
		ret->link = line(json_str_at(j, STR("client_url")), 2048);
	severity_of(s, json_str_at(p, STR("severity")), ret);
	ret->group = cut(json_str_at(p, STR("group")), GROUP_MAX);
	if (ret->group.n == 0)
		ret->group = ret->dedup_key;
	return OK;
}

/* PagerDuty v3 webhook: what became of an incident there. */
static err
pagerduty_webhook(struct arena *a, const struct map_settings *s,
    const struct json *event, struct trail *t, struct alert_in *ret)
{
	static const char *const names[] = {"event_type", "resource_type",
	    NULL};
	const struct json *d = json_get(event, STR("data"));
	struct str status = json_str_at(d, STR("status"));

	ret->title = line(FIRST(d, "title", "summary", "message"), LIM_TITLE);
	ret->dedup_key = cut(FIRST(d, "id"), LIM_DEDUP);
	if (ret->dedup_key.n == 0)
		ret->dedup_key = cut(FIRST(event, "id"), LIM_DEDUP);
	if (ret->title.n == 0 || ret->dedup_key.n == 0) {
		trail_set(t, "event.data has no title or id");
		return err_of(E_MAPPING);
	}
	ret->service =
	    line(json_str_at(json_get(d, STR("service")), STR("summary")),
		LIM_NAME);
	ret->labels = labels_of(a, event, names);
	ret->link = line(json_str_at(d, STR("html_url")), 2048);
	ret->resolved = str_is(status, "resolved");
	ret->acknowledged = str_is(status, "acknowledged");
	severity_of(s,
	    json_str_at(json_get(d, STR("priority")), STR("summary")), ret);
	if (ret->severity_unmapped)
		severity_of(s, json_str_at(d, STR("urgency")), ret);
	ret->group = ret->dedup_key;
	return OK;
}

static err
pagerduty(struct arena *a, const struct map_settings *s, const struct json *j,
    struct trail *t, struct alert_in *ret)
{
	const struct json *event = json_get(j, STR("event"));

	if (event != NULL && event->kind == JSON_OBJECT)
		return pagerduty_webhook(a, s, event, t, ret);
	return pagerduty_event(a, s, j, t, ret);
}

/* Literals of the integration replace what came. */
static void
literals(const struct json *lit, struct alert_in *in)
{
	struct str s;

	if ((s = line(json_str_at(lit, STR("title")), LIM_TITLE)).n > 0)
		in->title = s;
	if ((s = line(json_str_at(lit, STR("service")), LIM_NAME)).n > 0)
		in->service = s;
	if ((s = line(json_str_at(lit, STR("environment")), LIM_NAME)).n > 0)
		in->environment = s;
	if ((s = json_str_at(lit, STR("severity"))).n > 0 &&
	    alert_severity_parse(s, &in->severity))
		in->severity_unmapped = false;
}

/* The list of alerts in a body, by its kind; NULL when there is none. */
static const struct json *
alerts_of(const struct map_settings *s, const struct json *body)
{
	const struct json *list = json_get(body, STR("alerts"));

	if (s->kind == MAP_PAGERDUTY)
		return NULL;
	if (s->kind == MAP_ALERTMANAGER_V2 ||
	    (s->kind == MAP_GENERIC && body->kind == JSON_ARRAY))
		list = body;
	if (list == NULL || list->kind != JSON_ARRAY)
		return NULL;
	return list;
}

err
map_delivery(struct arena *a, const struct map_settings *s,
    const struct json *body, struct trail *t, struct alert_in **ret,
    size_t *ret_n)
{
	const struct json *list = alerts_of(s, body);
	size_t n = list == NULL ? 1 : list->count;
	struct alert_in *in;

	if (list == NULL && s->kind != MAP_GENERIC &&
	    s->kind != MAP_PAGERDUTY) {
		trail_set(t, "no list of alerts");
		return err_of(E_MAPPING);
	}
	if (n > LIM_ALERTS) {
		trail_set(t, "more than %d alerts", LIM_ALERTS);
		return err_of(E_MAPPING);
	}
	in = arena_array(a, n + 1, sizeof *in);
	if (in == NULL)
		return err_of(E_NO_MEMORY);
	if (s->kind == MAP_PAGERDUTY) {
		TRY(pagerduty(a, s, body, t, in));
	} else if (s->kind == MAP_GENERIC && list == NULL) {
		TRY(generic_alert(a, s, body, t, in));
	} else if (s->kind == MAP_GENERIC) {
		const struct json *j = json_first(list);

		for (size_t i = 0; j != NULL; j = j->next, i++)
			TRY(generic_alert(a, s, j, t, &in[i]));
	} else {
		struct str group = json_str_at(body, STR("groupKey"));

		TRY(prometheus(a, s, list, cut(group, GROUP_MAX), t, in));
	}
	for (size_t i = 0; s->literals != NULL && i < n; i++)
		literals(s->literals, &in[i]);
	*ret = in;
	*ret_n = n;
	return OK;
}
