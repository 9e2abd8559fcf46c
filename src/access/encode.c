#include "access/object.h"

#include "base/text.h"

static void
put_uuid(struct jw *w, const struct uuid *u)
{
	char t[UUID_TEXT + 1];

	uuid_text(u, t);
	jw_str(w, str_of(t, UUID_TEXT));
}

static void
put_id(struct jw *w, struct str name, const struct uuid *u)
{
	jw_name(w, name);
	put_uuid(w, u);
}

static void
put_kind(struct jw *w, struct str name, enum principal_kind k)
{
	jw_name(w, name);
	jw_str(w, str_c(principal_kind_text(k)));
}

static void
put_perms(struct jw *w, struct str name, const struct permset *s)
{
	jw_name(w, name);
	jw_arr(w);
	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (permset_has(s, (enum permission)p))
			jw_str(w, str_c(perm_text((enum permission)p)));
	jw_arr_end(w);
}

static void
put_group(struct jw *w, const struct group *g)
{
	jw_kstr(w, "name", g->name);
	jw_karr(w, "members");
	for (size_t i = 0; i < g->members_n; i++)
		put_uuid(w, &g->members[i].u);
	jw_arr_end(w);
}

static void
put_binding(struct jw *w, const struct binding *b)
{
	put_kind(w, STR("subject_kind"), b->subject_kind);
	put_id(w, STR("subject"), &b->subject);
	jw_kstr(w, "role", b->role);
	jw_ki64(w, "starts", b->starts);
	jw_ki64(w, "expires", b->expires);
	jw_kstr(w, "reason", b->reason);
	put_id(w, STR("created_by"), &b->created_by.u);
	put_id(w, STR("group"), &b->group);
	put_id(w, STR("incident"), &b->incident);
	put_id(w, STR("glass"), &b->glass);
}

static void
put_digest(struct jw *w, struct str name, const uint8_t d[DIGEST_SIZE])
{
	char hex[2 * DIGEST_SIZE];
	struct buf b = {.p = hex, .cap = sizeof hex, .max = sizeof hex};

	hex_add(&b, str_of((const char *)d, DIGEST_SIZE));
	jw_name(w, name);
	jw_str(w, buf_view(&b));
}

static void
put_strs(struct jw *w, struct str name, const struct str *list, size_t n)
{
	jw_name(w, name);
	jw_arr(w);
	for (size_t i = 0; i < n; i++)
		jw_str(w, list[i]);
	jw_arr_end(w);
}

static void
put_token(struct jw *w, const struct token *t)
{
	jw_kstr(w, "kind", str_of(&t->kind, 1));
	jw_kstr(w, "key_id", str_of(t->key_id, TOKEN_KEY_ID));
	put_digest(w, STR("verifier"), t->verifier);
	jw_ki64(w, "verifier_key", t->verifier_key);
	put_kind(w, STR("owner_kind"), t->owner_kind);
	put_id(w, STR("owner"), &t->owner.u);
	jw_kstr(w, "name", t->name);
	put_perms(w, STR("scopes"), &t->scopes);
	jw_karr(w, "projects");
	for (size_t i = 0; i < t->projects_n; i++)
		jw_i64(w, t->projects[i]);
	jw_arr_end(w);
	put_strs(w, STR("cidrs"), t->cidrs, t->cidrs_n);
	jw_ki64(w, "expires", t->expires);
	jw_ki64(w, "revoked", t->revoked);
	if (t->bound)
		put_digest(w, STR("cert"), t->cert);
}

/* auth and mapping are JSON already, but kept as strings: what a person sent
 * comes back to the byte. */
static void
put_integration(struct jw *w, const struct integration *i)
{
	jw_kstr(w, "name", i->name);
	jw_kstr(w, "template", i->template);
	jw_kstr(w, "auth", i->auth);
	jw_kstr(w, "secrets", i->secrets);
	jw_kstr(w, "mapping", i->mapping);
	jw_ki64(w, "default_severity", i->default_severity);
	jw_kbool(w, "disabled", i->disabled);
	put_id(w, STR("created_by"), &i->created_by.u);
}

static void
put_user(struct jw *w, const struct user *u)
{
	jw_kstr(w, "email", u->email);
	jw_kstr(w, "name", u->name);
	jw_kbool(w, "disabled", u->disabled);
	jw_kbool(w, "break_glass", u->break_glass);
	jw_ki64(w, "anonymized", u->anonymized);
}

static void
put_idp(struct jw *w, const struct idp *i)
{
	jw_kstr(w, "name", i->name);
	jw_kstr(w, "kind", i->kind);
	jw_kstr(w, "config", i->config);
	jw_kbool(w, "disabled", i->disabled);
	put_id(w, STR("created_by"), &i->created_by.u);
}

static void
put_identity(struct jw *w, const struct identity *i)
{
	put_id(w, STR("idp"), &i->idp);
	put_id(w, STR("user"), &i->user);
	put_digest(w, STR("key"), i->key);
	jw_kstr(w, "issuer", i->issuer);
	jw_kstr(w, "subject", i->subject);
	jw_kstr(w, "label", i->label);
	jw_kstr(w, "user_name", i->user_name);
	jw_kstr(w, "external", i->external);
	jw_karr(w, "groups");
	for (size_t n = 0; n < i->groups_n; n++)
		put_uuid(w, &i->groups[n]);
	jw_arr_end(w);
}

static void
put_credential(struct jw *w, const struct credential *c)
{
	put_id(w, STR("user"), &c->user);
	jw_ki64(w, "kind", c->kind);
	jw_kstr(w, "name", c->name);
	jw_kstr(w, "data", c->data);
}

static void
put_session(struct jw *w, const struct session *s)
{
	put_id(w, STR("user"), &s->user);
	put_id(w, STR("idp"), &s->idp);
	put_digest(w, STR("key"), s->key);
	jw_ki64(w, "auth_time", s->auth_time);
	jw_ki64(w, "expires", s->expires);
	jw_kstr(w, "method", s->method);
	jw_kstr(w, "address", s->address);
	jw_kstr(w, "agent", s->agent);
	jw_kstr(w, "idp_session", s->idp_session);
	jw_kstr(w, "name_id", s->name_id);
}

/* Only what is set; a class by its name. */
static void
put_retention(struct jw *w, const struct retention_rule *r)
{
	jw_kobj(w, "retention");
	for (unsigned k = 0; k < RETENTION_CLASSES; k++) {
		if (!r[k].set)
			continue;
		jw_name(w,
		    str_c(retention_class_text((enum retention_class)k)));
		jw_obj(w);
		jw_ki64(w, "days", r[k].days);
		jw_ki64(w, "min_days", r[k].min_days);
		jw_ki64(w, "locked", r[k].locked);
		jw_obj_end(w);
	}
	jw_obj_end(w);
}

static void
put_policy(struct jw *w, const struct policy *p)
{
	jw_kbool(w, "sso_only", p->sso_only);
	jw_kbool(w, "local_login", p->local_login);
	jw_ki64(w, "token_max_days", p->token_max_days);
	put_strs(w, STR("ip_allow"), p->ip_allow, p->ip_allow_n);
	jw_ki64(w, "session_idle_minutes", p->session_idle_minutes);
	jw_ki64(w, "session_absolute_hours", p->session_absolute_hours);
	jw_ki64(w, "step_up_minutes", p->step_up_minutes);
	jw_ki64(w, "review_days", p->review_days);
	jw_ki64(w, "key_days", p->key_days);
	jw_ki64(w, "audit_review_days", p->audit_review_days);
	jw_ki64(w, "key_seals", p->key_seals);
	jw_ki64(w, "witness_quorum", p->witness_quorum);
	jw_ki64(w, "witness_minutes", p->witness_minutes);
	jw_kbool(w, "messaging", p->messaging);
	put_retention(w, p->retention);
}

static void
put_resource_group(struct jw *w, const struct resource_group *g)
{
	jw_kstr(w, "name", g->name);
	jw_ki64(w, "types", g->types);
	jw_ki64(w, "severities", g->severities);
	put_strs(w, STR("services"), g->services, g->services_n);
	put_strs(w, STR("environments"), g->environments, g->environments_n);
	put_strs(w, STR("kinds"), g->kinds, g->kinds_n);
	put_strs(w, STR("labels"), g->labels, g->labels_n);
	jw_karr(w, "ids");
	for (size_t i = 0; i < g->ids_n; i++)
		put_uuid(w, &g->ids[i]);
	jw_arr_end(w);
}

static void
put_break_glass(struct jw *w, const struct break_glass *g)
{
	put_kind(w, STR("user_kind"), g->user_kind);
	put_id(w, STR("user"), &g->user);
	put_id(w, STR("binding"), &g->binding);
	put_id(w, STR("incident"), &g->incident);
	jw_kbool(w, "restricted", g->restricted);
	jw_kstr(w, "role", g->role);
	jw_kstr(w, "reason", g->reason);
	jw_ki64(w, "expires", g->expires);
	jw_ki64(w, "ended", g->ended);
	jw_ki64(w, "reviewed", g->reviewed);
	put_id(w, STR("reviewer"), &g->reviewer);
	jw_kstr(w, "note", g->note);
}

static void
put_runbook(struct jw *w, const struct runbook_object *r)
{
	jw_kstr(w, "slug", r->slug);
	jw_kstr(w, "name", r->name);
	jw_ki64(w, "latest", r->latest);
	jw_ki64(w, "current", r->current);
	jw_kbool(w, "pinned", r->pinned);
	jw_kbool(w, "archived", r->archived);
	jw_kstr(w, "context", r->context);
	put_strs(w, STR("types"), r->types, r->types_n);
	put_kind(w, STR("owner_kind"), r->owner_kind);
	put_id(w, STR("owner"), &r->owner);
	put_id(w, STR("created_by"), &r->created_by.u);
}

static void
put_trigger(struct jw *w, const struct trigger_object *t)
{
	jw_kstr(w, "name", t->name);
	put_id(w, STR("runbook"), &t->runbook);
	put_id(w, STR("account"), &t->account);
	jw_kstr(w, "config", t->config);
	jw_kbool(w, "disabled", t->disabled);
	put_kind(w, STR("owner_kind"), t->owner_kind);
	put_id(w, STR("owner"), &t->owner);
	put_id(w, STR("created_by"), &t->created_by.u);
}

static void
put_freeze(struct jw *w, const struct freeze *f)
{
	jw_kstr(w, "reason", f->reason);
	put_kind(w, STR("by_kind"), f->by_kind);
	put_id(w, STR("by"), &f->by.u);
}

static void
put_hold(struct jw *w, const struct hold *h)
{
	jw_kstr(w, "name", h->name);
	jw_kstr(w, "reason", h->reason);
	put_id(w, STR("incident"), &h->incident);
	jw_ki64(w, "until", h->until);
	put_kind(w, STR("by_kind"), h->by_kind);
	put_id(w, STR("by"), &h->by.u);
	jw_ki64(w, "released", h->released);
	jw_kstr(w, "release_reason", h->release_reason);
}

static void
put_audit_filter(struct jw *w, const struct audit_filter *f)
{
	jw_kstr(w, "name", f->name);
	put_id(w, STR("owner"), &f->owner.u);
	jw_kbool(w, "shared", f->shared);
	jw_kstr(w, "members", f->members);
}

static void
put_audit_review(struct jw *w, const struct audit_review *r)
{
	jw_ki64(w, "from", (int64_t)r->from);
	jw_ki64(w, "through", (int64_t)r->through);
	put_id(w, STR("reviewer"), &r->reviewer.u);
	jw_kstr(w, "note", r->note);
	jw_ki64(w, "findings", r->findings);
}

static void
put_delegate(struct jw *w, const struct delegate *d)
{
	jw_kstr(w, "name", d->name);
	jw_kstr(w, "labels", d->labels);
	jw_ki64(w, "max_tasks", d->max_tasks);
	jw_ki64(w, "state", d->state);
	jw_ki64(w, "epoch", d->epoch);
	put_id(w, STR("created_by"), &d->created_by.u);
	put_id(w, STR("issued_by"), &d->issued_by.u);
	put_id(w, STR("approved_by"), &d->approved_by.u);
	jw_ki64(w, "joined", d->joined);
	jw_ki64(w, "approved", d->approved);
	jw_ki64(w, "revoked", d->revoked);
	jw_kstr(w, "join_id", str_c(d->join_id));
	put_digest(w, STR("join_verifier"), d->join_verifier);
	jw_ki64(w, "join_key", d->join_key);
	jw_ki64(w, "join_expires", d->join_expires);
	jw_kbool(w, "join_used", d->join_used);
	put_digest(w, STR("ed25519"), d->ed25519);
	put_digest(w, STR("x25519"), d->x25519);
	jw_ki64(w, "cert_until", d->cert_until);
	jw_kstr(w, "version", d->version);
	jw_kstr(w, "host", d->host);
	jw_kstr(w, "doctor", d->doctor);
}

static void
put_connector(struct jw *w, const struct connector_object *c)
{
	jw_kstr(w, "slug", c->slug);
	jw_kstr(w, "name", c->name);
	jw_kstr(w, "document", c->document);
	jw_kstr(w, "digest", c->digest);
	jw_ki64(w, "number", c->number);
	jw_ki64(w, "state", c->state);
	jw_ki64(w, "kind", c->kind);
	jw_kstr(w, "secret", c->secret);
	jw_ki64(w, "expires", c->expires);
	jw_karr(w, "editors");
	for (size_t i = 0; i < c->editors_n; i++)
		put_uuid(w, &c->editors[i]);
	jw_arr_end(w);
	put_id(w, STR("created_by"), &c->created_by.u);
	put_id(w, STR("approved_by"), &c->approved_by.u);
	jw_ki64(w, "approved", c->approved);
	jw_ki64(w, "approval", (int64_t)c->approval);
	jw_kstr(w, "reason", c->reason);
}

static void
put_secret(struct jw *w, const struct secret_object *s)
{
	jw_kstr(w, "name", s->name);
	jw_kstr(w, "description", s->description);
	jw_kstr(w, "labels", s->labels);
	jw_kstr(w, "external", s->external);
	put_strs(w, STR("runbooks"), s->runbooks, s->runbooks_n);
	put_strs(w, STR("connectors"), s->connectors, s->connectors_n);
	jw_kstr(w, "versions", s->versions);
	jw_ki64(w, "last", s->last);
	jw_ki64(w, "next_end", s->next_end);
	put_id(w, STR("created_by"), &s->created_by.u);
}

static void
put_witness(struct jw *w, const struct witness_object *x)
{
	jw_kstr(w, "name", x->name);
	jw_kstr(w, "key", x->key);
	put_id(w, STR("created_by"), &x->created_by.u);
}

static void
put_account(struct jw *w, const struct service_account *s)
{
	jw_kstr(w, "name", s->name);
	jw_kbool(w, "disabled", s->disabled);
}

static void
put_role(struct jw *w, const struct role *r)
{
	jw_kstr(w, "name", r->name);
	put_perms(w, STR("permissions"), &r->perms);
}

/* What somebody keeps for those who read the audit log, or for themselves. */
static void
put_kept(struct jw *w, const struct object *o)
{
	if (o->kind == OBJECT_WITNESS)
		put_witness(w, (const struct witness_object *)o);
	else if (o->kind == OBJECT_PREFERENCES)
		jw_kstr(w, "document",
		    ((const struct preferences *)o)->document);
	else if (o->kind == OBJECT_AUDIT_FILTER)
		put_audit_filter(w, (const struct audit_filter *)o);
	else
		put_audit_review(w, (const struct audit_review *)o);
}

static void
put_members(struct jw *w, const struct object *o)
{
	switch (o->kind) {
	case OBJECT_PROJECT:
		jw_kstr(w, "slug", ((const struct project *)o)->slug);
		jw_kstr(w, "name", ((const struct project *)o)->name);
		put_retention(w, ((const struct project *)o)->retention);
		break;
	case OBJECT_USER:
		put_user(w, (const struct user *)o);
		break;
	case OBJECT_SERVICE_ACCOUNT:
		put_account(w, (const struct service_account *)o);
		break;
	case OBJECT_GROUP:
		put_group(w, (const struct group *)o);
		break;
	case OBJECT_ROLE:
		put_role(w, (const struct role *)o);
		break;
	case OBJECT_BINDING:
		put_binding(w, (const struct binding *)o);
		break;
	case OBJECT_TOKEN:
		put_token(w, (const struct token *)o);
		break;
	case OBJECT_INTEGRATION:
		put_integration(w, (const struct integration *)o);
		break;
	case OBJECT_IDP:
		put_idp(w, (const struct idp *)o);
		break;
	case OBJECT_IDENTITY:
		put_identity(w, (const struct identity *)o);
		break;
	case OBJECT_CREDENTIAL:
		put_credential(w, (const struct credential *)o);
		break;
	case OBJECT_SESSION:
		put_session(w, (const struct session *)o);
		break;
	case OBJECT_POLICY:
		put_policy(w, (const struct policy *)o);
		break;
	case OBJECT_RESOURCE_GROUP:
		put_resource_group(w, (const struct resource_group *)o);
		break;
	case OBJECT_BREAK_GLASS:
		put_break_glass(w, (const struct break_glass *)o);
		break;
	case OBJECT_POLICY_TESTS:
		jw_kstr(w, "tests", ((const struct policy_tests *)o)->tests);
		break;
	case OBJECT_CONNECTOR:
		put_connector(w, (const struct connector_object *)o);
		break;
	case OBJECT_SECRET:
		put_secret(w, (const struct secret_object *)o);
		break;
	case OBJECT_RUNBOOK:
		put_runbook(w, (const struct runbook_object *)o);
		break;
	case OBJECT_TRIGGER:
		put_trigger(w, (const struct trigger_object *)o);
		break;
	case OBJECT_DELEGATE:
		put_delegate(w, (const struct delegate *)o);
		break;
	case OBJECT_FREEZE:
		put_freeze(w, (const struct freeze *)o);
		break;
	case OBJECT_WITNESS:
	case OBJECT_AUDIT_FILTER:
	case OBJECT_AUDIT_REVIEW:
	case OBJECT_PREFERENCES:
		put_kept(w, o);
		break;
	case OBJECT_HOLD:
		put_hold(w, (const struct hold *)o);
		break;
	}
}

void
object_encode(struct buf *b, const struct object *o)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	put_members(&w, o);
	jw_obj_end(&w);
}
