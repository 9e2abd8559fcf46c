/*
 * map.h: what senders send, in our words.  Pure.  Bodies are data: a URL in
 * one is kept as text and never fetched.
 *
 * What cannot be understood as alerts is E_MAPPING with a trail; what is only
 * too long is cut at a character, so no alert is lost for its length.
 */
#ifndef DOMAIN_MAP_H
#define DOMAIN_MAP_H

#include "domain/alert.h"

/* Alertmanager webhook v4 (prometheus.io/docs/alerting/configuration,
 * webhook_config), Alertmanager API v2 POST /api/v2/alerts, Grafana's
 * webhook (which is v4 with more members), plain JSON; and of PagerDuty both
 * an Events API v2 event, as monitors send it, and a v3 webhook, as PagerDuty
 * itself sends it. */
enum map_kind {
	MAP_ALERTMANAGER,
	MAP_ALERTMANAGER_V2,
	MAP_GRAFANA,
	MAP_GENERIC,
	MAP_PAGERDUTY,
	MAP_KINDS
};

struct map_settings {
	enum map_kind kind;
	enum alert_severity default_severity;
	const struct json *literals; /* member: text, over what came; or NULL */
	int64_t now;
	struct str fresh_key; /* for a PagerDuty event that names none */
};

bool map_kind_parse(struct str template_name, enum map_kind *ret);

/* *ret: array of *ret_n alerts in the arena, in order; views into body. */
err map_delivery(struct arena *a, const struct map_settings *s,
    const struct json *body, struct trail *t, struct alert_in **ret,
    size_t *ret_n) MUST_USE;

/*
 * Prometheus' fingerprint of a label set (FNV-1a over sorted names and values
 * with 0xff between, 16 hex digits), so one alert has one key whichever way
 * it came.  E_MAPPING when a value is no string.
 */
err map_fingerprint(struct arena *a, const struct json *labels,
    struct str *ret) MUST_USE;

#endif
