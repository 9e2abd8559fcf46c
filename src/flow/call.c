/* call.c: see call.h: what handlers ask, record and answer with. */
#include "flow/call.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "flow/line.h"

/* ---- asking ---- */

err
call_uuid(struct call *c, size_t i, struct uuid *ret)
{
	return err_of(uuid_parse(c->var[i], ret) ? E_OK : E_NOT_FOUND);
}

static void
refused(struct call *c, err e, const struct decision *d)
{
	c->rec.outcome = AUDIT_DENIED;
	c->rec.reason = str_c(access_rule_text(d->rule));
	c->rec.skip = false;
	(void)e;
}

static err
ask(struct call *c, const struct target *t, const struct grant **ret)
{
	struct decision d;
	err e = access_grant(c->a, c->actor, t, c->now, &d, ret);

	if (err_ok(e) && c->also != NULL) {
		const struct grant *other;

		e = access_grant(c->a, c->also, t, c->now, &d, &other);
	}
	if (err_ok(e))
		permset_add(&c->asked, t->perm);
	else
		refused(c, e, &d);
	if (d.rule == RULE_TOKEN_SCOPE)
		permset_add(&c->short_of, t->perm);
	return e;
}

err
call_ask_about(struct call *c, const struct target *t, const struct grant **ret)
{
	err e = ask(c, t, ret);

	c->narrowed = c->narrowed || (err_ok(e) && t->res != NULL);
	return e;
}

bool
call_holds(struct call *c, const struct resource *r)
{
	struct target t = {.perm = c->route->perm,
	    .project = r->project,
	    .res = r};

	c->narrowed = true;
	return !c->narrow || access_decide(c->actor, &t, c->now).allowed;
}

err
call_ask(struct call *c, enum permission perm, uint32_t project,
    const struct grant **ret)
{
	struct target t = {.perm = perm, .project = project};

	return ask(c, &t, ret);
}

err
call_ask_private(struct call *c, enum permission perm, uint32_t project,
    bool member, const struct grant **ret)
{
	struct target t = {.perm = perm,
	    .project = project,
	    .restricted = true,
	    .member = member};

	return ask(c, &t, ret);
}

bool
call_can(struct call *c, enum permission perm, uint32_t project)
{
	struct target t = {.perm = perm, .project = project};

	if (!access_decide(c->actor, &t, c->now).allowed)
		return false;
	permset_add(&c->asked, perm);
	return true;
}

/* One entity tag, quoted, or "*"; a list holds when one of it does. */
err
call_match(struct call *c, uint32_t version)
{
	struct str h = http_header(c->req, STR("if-match")), one;
	char mine[16];

	if (h.p == NULL || str_is(str_trim(h), "*"))
		return OK;
	(void)snprintf(mine, sizeof mine, "\"%u\"", version);
	while (h.n > 0) {
		(void)str_cut(h, ',', &one, &h);
		if (str_is(str_trim(one), mine))
			return OK;
	}
	trail_set(&c->trail, "the present version is %s", mine);
	return err_of(E_STALE);
}

err
call_bad(struct call *c, enum err_code code, const char *fmt, ...)
{
	char text[sizeof c->trail.detail];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	trail_set(&c->trail, "%s", text);
	return err_of(code);
}

struct str
call_credential(const struct call *c, struct arena *a)
{
	static const struct uuid none;
	const struct actor *who = c->actor;
	const struct uuid *id = NULL;
	char text[UUID_TEXT + 1];

	if (who == NULL)
		return STR_NONE;
	if (c->run != NULL && c->run->hidden)
		return STR_NONE;
	if (c->run != NULL) {
		uuid_text(&c->run->run, text);
		return arena_dup(a, str_of(text, UUID_TEXT));
	}
	if (who->token != NULL)
		return str_of(who->token->key_id, TOKEN_KEY_ID);
	if (who->session != NULL)
		id = &who->session->o.id;
	else if (c->route->auth == ROUTE_INGEST &&
	    !uuid_eq(&c->hook.secret, &none))
		id = &c->hook.secret;
	if (id == NULL)
		return STR_NONE;
	uuid_text(id, text);
	return arena_dup(a, str_of(text, UUID_TEXT));
}

const char *
call_source_kind(const struct call *c)
{
	struct str agent = http_header(c->req, STR("user-agent"));

	if (c->run != NULL)
		return "run";
	if (c->route->auth == ROUTE_INGEST)
		return "webhook";
	if (c->actor->session != NULL)
		return "ui";
	return str_starts(agent, STR("redoubt-cli/")) ? "cli" : "api";
}

void
call_source_json(struct call *c, struct jw *w)
{
	jw_obj(w);
	jw_kstr(w, "kind", str_c(call_source_kind(c)));
	jw_uuid(w, "principal", &c->actor->id);
	jw_name(w, STR("credential"));
	jw_str(w, call_credential(c, c->a));
	jw_kstr(w, "address", c->actor->address);
	jw_obj_end(w);
}

void
call_actor_json(struct call *c, struct jw *w)
{
	jw_obj(w);
	jw_kstr(w, "kind", str_c(principal_kind_text(c->actor->kind)));
	jw_uuid(w, "id", &c->actor->id);
	/* of a user when it is read: person.h */
	if (c->actor->kind != PRINCIPAL_USER)
		jw_kstr(w, "name", c->actor->name);
	jw_obj_end(w);
}

const struct world *
call_world(const struct call *c)
{
	return c->lane->snap->world;
}

err
call_token_key(struct call *c, const struct data_key **ret, uint32_t *ret_id)
{
	uint32_t id = snap_class_key(c->lane->snap, 0, SEAL_CLASS_TOKEN);

	TRY(keyring_get(c->lane->ring, id, ret));
	*ret_id = id;
	return OK;
}

/* ---- recording ---- */

static size_t
touch(struct call *c, const char *type)
{
	size_t i = c->rec.resources;

	if (i == AUDIT_RESOURCES) /* the first ones say enough */
		return AUDIT_RESOURCES - 1;
	c->rec.resources++;
	memset(&c->rec.resource[i], 0, sizeof c->rec.resource[i]);
	c->rec.resource[i].type = type;
	return i;
}

void
call_touch(struct call *c, const char *type, const struct uuid *id)
{
	c->rec.resource[touch(c, type)].id = *id;
}

void
call_touch_hidden(struct call *c, const char *type, const struct uuid *id)
{
	size_t i = touch(c, type);

	c->rec.resource[i].id = *id;
	c->rec.resource[i].hidden = true;
}

void
call_touch_num(struct call *c, const char *type, uint64_t num)
{
	c->rec.resource[touch(c, type)].num = num;
}

/* ---- answering ---- */

struct jw *
answer(struct call *c, int status)
{
	c->status = status;
	c->content_type = STR("application/json");
	buf_init_on(&c->out, c->a, LIM_REPLY);
	jw_init(&c->w, &c->out);
	return &c->w;
}

void
answer_empty(struct call *c, int status)
{
	c->status = status;
	c->content_type = STR("");
	buf_init_on(&c->out, c->a, LIM_REPLY);
}

void
answer_etag(struct call *c, uint32_t version)
{
	struct buf b;

	buf_init_on(&b, c->a, 16);
	buf_fmt(&b, "\"%u\"", version);
	c->etag = buf_view(&b);
}

void
answer_secret(struct call *c, const char *name, struct str secret)
{
	jw_name(&c->w, str_c(name));
	if (c->secret_to == 0)
		c->secret_from = c->out.n;
	jw_str(&c->w, secret);
	c->secret_to = c->out.n;
}

void
answer_location(struct call *c, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < sizeof text)
		c->location = arena_dup(c->a, str_of(text, (size_t)n));
}

void
jw_time(struct jw *w, const char *name, int64_t ms)
{
	char text[TIME_TEXT + 1];

	jw_name(w, str_c(name));
	if (ms == 0) {
		jw_null(w);
		return;
	}
	time_text(ms, text);
	jw_str(w, str_of(text, TIME_TEXT));
}

void
jw_uuid(struct jw *w, const char *name, const struct uuid *u)
{
	char text[UUID_TEXT + 1];

	uuid_text(u, text);
	jw_name(w, str_c(name));
	jw_str(w, str_of(text, UUID_TEXT));
}
