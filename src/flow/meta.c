/* meta.c: the server about itself: health, metrics, whoami, templates. */
#include "auth/session.h"
#include "auth/token.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "domain/map.h"
#include "flow/admin_body.h"
#include "flow/credentials.h"
#include "flow/glass.h"
#include "flow/handlers.h"
#include "flow/line.h"
#include "flow/sessions.h"
#include "flow/writer.h"

/* ---- nothing, and tokens in addresses ---- */

err
route_nothing(struct call *c)
{
	return err_of(c->allow != 0 ? E_METHOD : E_NOT_FOUND);
}

/* Is this the whole, right secret of the token it names? */
static const struct token *
leaked(struct call *c, struct str text)
{
	const struct data_key *mac;
	const struct token *t;
	struct str key_id, secret;
	uint8_t v[32];
	uint32_t id;
	char kind;

	if (!token_parse(text, &kind, &key_id, &secret))
		return NULL;
	t = world_token_key(call_world(c), key_id.p);
	if (t == NULL || t->revoked != 0 ||
	    !err_ok(call_token_key(c, &mac, &id)) ||
	    !err_ok(token_verifier(mac, text, v)) ||
	    !ct_eq(v, t->verifier, sizeof v))
		return NULL;
	return t;
}

err
route_revoke_leaked(struct call *c)
{
	const struct token *t = leaked(c, c->var[0]);
	struct token revoked;

	c->rec.outcome = AUDIT_DENIED;
	c->rec.reason = str_c(err_name(err_of(E_TOKEN_IN_URL)));
	if (t == NULL)
		return err_of(E_TOKEN_IN_URL);
	revoked = *t;
	admin_touch(c, &revoked.o);
	revoked.revoked = c->now;
	TRY(admin_put(c, &revoked.o));
	call_touch(c, "token", &revoked.o.id);
	c->rec.outcome = AUDIT_OK;
	/* the change stands, and the request is refused all the same */
	line_fail(c, err_of(E_TOKEN_IN_URL));
	return OK;
}

/* ---- health ---- */

err
route_healthz(struct call *c)
{
	buf_str(answer(c, 200)->out, STR("{\"status\":\"ok\"}"));
	return OK;
}

err
route_readyz(struct call *c)
{
	if (atomic_load(&c->lane->state->draining))
		return err_of(E_UNAVAILABLE);
	buf_str(answer(c, 200)->out, STR("{\"status\":\"ready\"}"));
	return OK;
}

/* ---- metrics ---- */

static void
metric(struct buf *b, const char *name, const char *type, const char *help,
    unsigned long long v)
{
	buf_fmt(b,
	    "# HELP redoubt_%s %s\n# TYPE redoubt_%s %s\n"
	    "redoubt_%s %llu\n",
	    name, help, name, type, name, v);
}

err
route_metrics(struct call *c)
{
	struct counters *n = &c->lane->state->n;
	struct buf *b = answer(c, 200)->out;

	c->content_type = STR("text/plain; version=0.0.4; charset=utf-8");
	metric(b, "requests_total", "counter", "Requests that arrived",
	    atomic_load(&n->requests));
	metric(b, "errors_total", "counter", "Requests answered with 5xx",
	    atomic_load(&n->errors));
	metric(b, "transactions_total", "counter", "Committed transactions",
	    atomic_load(&n->batches));
	metric(b, "audit_entries_total", "counter",
	    "Audit entries since the start", atomic_load(&n->audit_entries));
	metric(b, "alerts_total", "counter", "Alerts made since the start",
	    atomic_load(&n->alerts));
	metric(b, "incidents_total", "counter",
	    "Incidents made since the start", atomic_load(&n->incidents));
	metric(b, "streams", "gauge", "Open event streams",
	    atomic_load(&n->streams_open));
	return buf_check(b);
}

/* ---- whoami ---- */

static void
token_json(struct jw *w, const struct token *t)
{
	jw_obj(w);
	jw_uuid(w, "id", &t->o.id);
	jw_kstr(w, "name", t->name);
	jw_kstr(w, "key_id", str_of(t->key_id, TOKEN_KEY_ID));
	perms_json(w, "scopes", t->scopes);
	jw_time(w, "expires_at", t->expires);
	jw_obj_end(w);
}

/* The session, and the token its pages need to change anything. */
static err
session_facts(struct call *c, struct jw *w)
{
	char csrf[SESSION_TEXT + 1];
	const struct data_key *mac;
	uint32_t id;

	TRY(call_token_key(c, &mac, &id));
	TRY(session_csrf(mac, c->actor->session, csrf));
	jw_name(w, STR("session"));
	session_json(c, w, c->actor->session);
	jw_kstr(w, "csrf", str_of(csrf, SESSION_TEXT));
	return OK;
}

/* A person's address, and what they have to log in with. */
static err
user_facts(struct call *c, struct jw *w)
{
	const struct user *u = world_user(call_world(c), &c->actor->id);
	const struct credential *const *k;
	unsigned of[CREDENTIAL_RECOVERY + 1] = {0};
	size_t n;

	if (c->actor->kind != PRINCIPAL_USER || u == NULL)
		return OK;
	jw_kstr(w, "email", u->email);
	k = world_credentials_of(call_world(c), &u->o.id, &n);
	for (size_t i = 0; i < n; i++) {
		struct cred_totp t = {.confirmed = true};

		if (k[i]->kind == CREDENTIAL_TOTP)
			TRY(cred_totp_of(c->a, k[i], &t));
		of[k[i]->kind] += t.confirmed;
	}
	jw_kobj(w, "credentials");
	jw_kbool(w, "password", of[CREDENTIAL_PASSWORD] > 0);
	jw_kbool(w, "totp", of[CREDENTIAL_TOTP] > 0);
	jw_ki64(w, "passkeys", of[CREDENTIAL_WEBAUTHN]);
	jw_kbool(w, "recovery_codes", of[CREDENTIAL_RECOVERY] > 0);
	jw_obj_end(w);
	return OK;
}

/* The one that `redoubt init --org` named, for who may see it. */
static void
organization_fact(struct call *c, struct jw *w)
{
	const struct project *p = world_project(call_world(c), 1);
	struct permset set = access_effective(c->actor, 1, c->now);

	jw_name(w, STR("organization"));
	if (p == NULL || !permset_has(&set, PERM_PROJECT_VIEW))
		jw_null(w);
	else
		jw_str(w, p->name);
}

err
route_whoami(struct call *c)
{
	const struct object *const *p;
	struct jw *w = answer(c, 200);
	size_t n;

	jw_obj(w);
	jw_kstr(w, "kind", str_c(principal_kind_text(c->actor->kind)));
	jw_uuid(w, "id", &c->actor->id);
	jw_kstr(w, "name", c->actor->name);
	jw_kobj(w, "principal");
	jw_kstr(w, "kind", str_c(principal_kind_text(c->actor->kind)));
	jw_uuid(w, "id", &c->actor->id);
	jw_obj_end(w);
	TRY(user_facts(c, w));
	organization_fact(c, w);
	jw_kstr(w, "version", str_c(REDOUBT_VERSION));
	if (c->actor->token != NULL) {
		jw_name(w, STR("token"));
		token_json(w, c->actor->token);
	}
	glass_own(c, w);
	if (c->actor->session != NULL)
		TRY(session_facts(c, w));
	perms_json(w, "permissions", access_effective(c->actor, 0, c->now));
	jw_kobj(w, "projects");
	p = world_objects(call_world(c), OBJECT_PROJECT, &n);
	for (size_t i = 0; i < n; i++) {
		const struct project *pr = (const struct project *)p[i];
		struct permset set =
		    access_effective(c->actor, pr->o.project, c->now);

		if (!permset_has(&set, PERM_PROJECT_VIEW))
			continue;
		perms_named(w, pr->slug, set);
	}
	jw_obj_end(w);
	jw_obj_end(w);
	return buf_check(&c->out);
}

/* ---- templates ---- */

static const struct {
	const char *name, *title, *sample, *auth;
} templates[] = {
    {"alertmanager", "Prometheus Alertmanager (webhook v4 and API v2)",
	"{\"version\":\"4\",\"groupKey\":\"{}:{alertname=\\\"DiskFull\\\"}"
	"\",\"status\":\"firing\",\"receiver\":\"redoubt\",\"alerts\":[{"
	"\"status\":\"firing\",\"labels\":{\"alertname\":\"DiskFull\","
	"\"severity\":\"critical\",\"service\":\"db\"},\"annotations\":{"
	"\"summary\":\"Disk is full\"},\"startsAt\":"
	"\"2026-11-25T03:21:34.123Z\",\"endsAt\":\"0001-01-01T00:00:00Z\","
	"\"fingerprint\":\"9a2b3c4d5e6f7081\"}]}",
	"bearer basic mtls"},
    {"grafana", "Grafana alerting (webhook contact point)",
	"{\"receiver\":\"redoubt\",\"status\":\"firing\",\"orgId\":1,"
	"\"alerts\":[{\"status\":\"firing\",\"labels\":{\"alertname\":"
	"\"High latency\",\"severity\":\"error\"},\"annotations\":{"
	"\"summary\":\"p99 over 2 s\"},\"fingerprint\":"
	"\"57c6d9296de2ad39\",\"panelURL\":"
	"\"https://grafana.example/d/1\"}],\"groupKey\":\"{}:{}\"}",
	"hmac:grafana bearer basic mtls"},
    {"pagerduty", "PagerDuty (Events API v2 at /v2/enqueue, v3 webhooks)",
	"{\"event_action\":\"trigger\",\"dedup_key\":\"disk-db-2\","
	"\"payload\":{\"summary\":\"Disk 97 percent on db-2\",\"source\":"
	"\"db-2\",\"severity\":\"critical\",\"component\":\"db\"}}",
	"bearer hmac:pagerduty mtls"},
    {"generic", "JSON with title, severity, status, dedup_key",
	"{\"title\":\"Queue is growing\",\"severity\":\"error\","
	"\"service\":\"mail\",\"dedup_key\":\"mail-queue\","
	"\"message\":\"12,000 waiting\"}",
	"hmac:standard-webhooks hmac:github hmac:slack hmac:sentry "
	"hmac:pagerduty hmac:generic mtls bearer basic url_key"},
};

/* {"kind":"hmac","scheme":"grafana"}, ...: the best first. */
static void
auths_json(struct jw *w, struct str words)
{
	struct str one, kind, scheme;

	jw_karr(w, "auth");
	while (words.n > 0) {
		(void)str_cut(words, ' ', &one, &words);
		jw_obj(w);
		if (str_cut(one, ':', &kind, &scheme)) {
			jw_kstr(w, "kind", kind);
			jw_kstr(w, "scheme", scheme);
		} else {
			jw_kstr(w, "kind", one);
		}
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

err
route_templates(struct call *c)
{
	struct jw *w = list_begin(c);

	for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
		jw_obj(w);
		jw_kstr(w, "name", str_c(templates[i].name));
		jw_kstr(w, "title", str_c(templates[i].title));
		jw_kraw(w, "sample", str_c(templates[i].sample));
		jw_kraw(w, "mapping", STR("{}"));
		auths_json(w, str_c(templates[i].auth));
		jw_obj_end(w);
	}
	return list_end(c, STR_NONE);
}

/* ---- trying a mapping out ---- */

static void
mapped_json(struct jw *w, const struct alert_in *in)
{
	jw_obj(w);
	jw_kstr(w, "title", in->title);
	jw_kstr(w, "message", in->message);
	jw_kstr(w, "severity", alert_severity_text(in->severity));
	jw_kbool(w, "severity_unmapped", in->severity_unmapped);
	jw_kstr(w, "status",
	    in->resolved	   ? STR("resolved")
		: in->acknowledged ? STR("acknowledged")
				   : STR("triggered"));
	jw_kstr(w, "dedup_key", in->dedup_key);
	jw_kstr(w, "group", in->group);
	jw_kstr(w, "service", in->service);
	jw_kstr(w, "environment", in->environment);
	jw_kraw(w, "labels", in->labels);
	jw_kstr(w, "link", in->link);
	jw_obj_end(w);
}

err
route_integration_test(struct call *c)
{
	static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
	    LIM_JSON_VALUES};
	struct map_settings settings = {.now = c->now,
	    .fresh_key = STR("(one of its own)")};
	const struct integration *n;
	struct alert_in *in;
	struct jw *w;
	size_t count;

	TRY(admin_integration(c, &n));
	settings.default_severity = (enum alert_severity)n->default_severity;
	if (!map_kind_parse(n->template, &settings.kind))
		return err_of(E_MAPPING);
	if (n->mapping.n > 0)
		TRY(json_parse(c->a, n->mapping, &lim, &c->trail,
		    &settings.literals));
	TRY(map_delivery(c->a, &settings, json_get(c->body, STR("payload")),
	    &c->trail, &in, &count));
	w = answer(c, 200);
	jw_obj(w);
	jw_karr(w, "alerts");
	for (size_t i = 0; i < count; i++)
		mapped_json(w, &in[i]);
	jw_arr_end(w);
	jw_obj_end(w);
	return buf_check(&c->out);
}
