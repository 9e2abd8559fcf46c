/*
 * admin_tokens.c: /v1/tokens.  Everybody makes and revokes their own; who
 * administers tokens sees all and makes those of service accounts.  A token
 * is never wider than who made it, and so never than the token that asked.
 */
#include "auth/token.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/admin_body.h"
#include "flow/admin_tokens.h"
#include "flow/handlers.h"
#include "flow/writer.h"

enum { DAY_MS = 86400000 };

/* ---- answers ---- */

static void
projects_json(struct call *c, struct jw *w, const struct token *t)
{
	jw_name(w, STR("projects"));
	if (t->projects_n == 0) {
		jw_null(w);
		return;
	}
	jw_arr(w);
	for (size_t i = 0; i < t->projects_n; i++) {
		const struct project *p =
		    world_project(call_world(c), t->projects[i]);

		if (p != NULL)
			jw_str(w, p->slug);
	}
	jw_arr_end(w);
}

static void
cidrs_json(struct jw *w, const struct token *t)
{
	jw_name(w, STR("ip_allow"));
	if (t->cidrs_n == 0) {
		jw_null(w);
		return;
	}
	jw_arr(w);
	for (size_t i = 0; i < t->cidrs_n; i++)
		jw_str(w, t->cidrs[i]);
	jw_arr_end(w);
}

/* As RFC 8705 3.1 writes x5t#S256. */
static void
cert_json(struct jw *w, const struct token *t)
{
	char text[44];
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};

	jw_name(w, STR("mtls"));
	if (!t->bound) {
		jw_null(w);
		return;
	}
	b64url_add(&b, str_of((const char *)t->cert, sizeof t->cert));
	jw_str(w, buf_view(&b));
}

static const char *
kind_text(char kind)
{
	switch (kind) {
	case 'p':
		return "personal";
	case 's':
		return "service_account";
	case 'w':
		return "webhook";
	case 'b':
		return "bootstrap";
	case 'o':
		return "access";
	default:
		return "delegate";
	}
}

void
token_json(struct call *c, struct jw *w, const struct token *t)
{
	struct writer *writer = c->lane->state->writer;

	jw_uuid(w, "id", &t->o.id);
	jw_kstr(w, "name", t->name);
	jw_kstr(w, "kind", str_c(kind_text(t->kind)));
	jw_kstr(w, "key_id", str_of(t->key_id, TOKEN_KEY_ID));
	jw_uuid(w, "owner", &t->owner.u);
	jw_kstr(w, "owner_kind", str_c(principal_kind_text(t->owner_kind)));
	perms_json(w, "scopes", t->scopes);
	projects_json(c, w, t);
	cidrs_json(w, t);
	cert_json(w, t);
	jw_time(w, "expires_at", t->expires);
	jw_time(w, "last_used",
	    writer == NULL ? 0 : writer_used(writer, &t->o.id));
	jw_time(w, "revoked_at", t->revoked);
	times_json(w, &t->o);
}

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	jw_obj(w);
	token_json(c, w, (const struct token *)o);
	jw_obj_end(w);
}

/* ---- seeing ---- */

static bool
visible(struct call *c, const struct object *o)
{
	return uuid_eq(&((const struct token *)o)->owner.u, &c->actor->id) ||
	    call_can(c, PERM_TOKEN_ADMIN, 0);
}

/* Whose tokens a list shows: decided once, since there may be many. */
struct whose {
	struct uuid asked, own;
	bool one, all; /* asked for one owner's; may see all */
};

static bool
wanted(struct call *c, const struct object *o)
{
	const struct uuid *owner = &((const struct token *)o)->owner.u;
	const struct whose *w = c->prepared;

	return (!w->one || uuid_eq(owner, &w->asked)) &&
	    (w->all || uuid_eq(owner, &w->own));
}

err
route_token_list(struct call *c)
{
	struct str s = c->query.raw[PARAM_OWNER];
	struct whose w = {.own = c->actor->id,
	    .one = s.p != NULL,
	    .all = call_can(c, PERM_TOKEN_ADMIN, 0)};
	err e;

	if (s.p != NULL && !uuid_parse(s, &w.asked))
		return call_bad(c, E_INVALID, "owner: an id");
	c->prepared = &w;
	e = list_objects(c, OBJECT_TOKEN, wanted, render);
	c->prepared = NULL;
	return e;
}

err
token_seen(struct call *c, const struct token **ret)
{
	struct uuid id;

	TRY(call_uuid(c, 0, &id));
	*ret = world_token(call_world(c), &id);
	if (*ret == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "token", &id);
	if (visible(c, &(*ret)->o))
		return OK;
	/* on record, but to the caller as if it were not there */
	err_ignore(call_ask(c, PERM_TOKEN_ADMIN, 0, &c->grant), "it says no");
	return err_of(E_NOT_FOUND);
}

err
route_token_get(struct call *c)
{
	const struct token *t;

	TRY(token_seen(c, &t));
	return answer_object(c, 200, &t->o, render);
}

/* ---- making ---- */

/* Oneself, or a service account: then for who administers tokens. */
static err
read_owner(struct call *c, struct token *t, bool *ret_self)
{
	struct str s = json_str_at(c->body, STR("owner"));
	struct uuid id = c->actor->id;

	if (s.p != NULL && !uuid_parse(s, &id))
		return err_of(E_INVALID);
	*ret_self = uuid_eq(&id, &c->actor->id);
	t->owner.u = id;
	t->owner_kind = *ret_self ? c->actor->kind : PRINCIPAL_SERVICE_ACCOUNT;
	t->kind = t->owner_kind == PRINCIPAL_USER ? 'p' : 's';
	if (*ret_self)
		return OK;
	TRY(call_ask(c, PERM_TOKEN_ADMIN, 0, &c->grant));
	if (world_service_account(call_world(c), &id) == NULL)
		return call_bad(c, E_INVALID,
		    "owner: yourself or a service account");
	return OK;
}

static err
read_projects(struct call *c, struct token *t)
{
	const struct json *j = json_get(c->body, STR("projects"));
	uint32_t *number;

	if (j == NULL || j->kind == JSON_NULL)
		return OK;
	if (j->count == 0)
		return call_bad(c, E_INVALID, "projects: names none");
	number = arena_array(c->a, j->count, sizeof *number);
	TRY(arena_check(c->a));
	t->projects = number;
	for (j = json_first(j); j != NULL; j = j->next) {
		const struct project *p =
		    world_project_slug(call_world(c), j->text);

		if (p == NULL || !call_can(c, PERM_PROJECT_VIEW, p->o.project))
			return call_bad(c, E_INVALID,
			    "projects: there is no %.*s", STR_ARG(j->text));
		number[t->projects_n++] = p->o.project;
	}
	return OK;
}

static err
copy_cidrs(struct call *c, const struct token *own, struct token *t)
{
	struct str *cidr = arena_array(c->a, own->cidrs_n + 1, sizeof *cidr);

	TRY(arena_check(c->a));
	for (size_t i = 0; i < own->cidrs_n; i++)
		cidr[i] = arena_dup(c->a, own->cidrs[i]);
	t->cidrs = cidr;
	t->cidrs_n = own->cidrs_n;
	return arena_check(c->a);
}

/* What asks through a token that is bound to addresses makes none that is
 * bound to others. */
static err
read_cidrs(struct call *c, struct token *t)
{
	const struct json *j = json_get(c->body, STR("ip_allow"));
	const struct token *own = c->actor->token;
	struct str *cidr;

	if (j == NULL || j->kind == JSON_NULL) {
		return own == NULL ? OK : copy_cidrs(c, own, t);
	}
	if (j->count == 0)
		return call_bad(c, E_INVALID, "ip_allow: names none");
	cidr = arena_array(c->a, j->count, sizeof *cidr);
	TRY(arena_check(c->a));
	t->cidrs = cidr;
	for (j = json_first(j); j != NULL; j = j->next) {
		if (own != NULL && own->cidrs_n > 0 &&
		    !cidr_within(own->cidrs, own->cidrs_n, j->text))
			return call_bad(c, E_FORBIDDEN,
			    "ip_allow: wider than "
			    "that of the token you use");
		cidr[t->cidrs_n++] = j->text;
	}
	return OK;
}

/* What asks through a token that is bound to a certificate makes none that is
 * good without it. */
static err
read_cert(struct call *c, struct token *t)
{
	struct str s = json_str_at(c->body, STR("mtls")), raw;
	const struct token *own = c->actor->token;

	if (own != NULL && own->bound) {
		t->bound = true;
		memcpy(t->cert, own->cert, sizeof t->cert);
	}
	if (s.n == 0)
		return OK;
	if (!b64url_decode(c->a, s, &raw) || raw.n != sizeof t->cert)
		return call_bad(c, E_INVALID,
		    "mtls: base64url of the certificate's SHA-256");
	if (t->bound && memcmp(t->cert, raw.p, raw.n) != 0)
		return call_bad(c, E_FORBIDDEN,
		    "mtls: not the certificate of the token you use");
	t->bound = true;
	memcpy(t->cert, raw.p, raw.n);
	return OK;
}

/* All that the caller holds somewhere. */
static struct permset
held(struct call *c)
{
	struct permset s = {{0, 0}};

	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (access_anywhere(c->actor, (enum permission)p, c->now))
			permset_add(&s, (enum permission)p);
	return s;
}

/*
 * A token of one's own is bounded by one's rights whenever it is used, so it
 * is enough that its scopes are held somewhere.  A service account has rights
 * of its own: there the caller must hold them wherever the token would.
 */
static struct permset
may_give(struct call *c, const struct token *t, bool self)
{
	struct permset own = held(c);

	if (!self) {
		own = access_own(c->actor,
		    t->projects_n == 0 ? 0 : t->projects[0], c->now);
		for (size_t i = 1; i < t->projects_n; i++)
			own = permset_and(own,
			    access_own(c->actor, t->projects[i], c->now));
	}
	return own;
}

static err
scopes_held(struct call *c, const struct token *t, bool self)
{
	struct permset own = may_give(c, t, self);

	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (permset_has(&t->scopes, (enum permission)p) &&
		    !permset_has(&own, (enum permission)p))
			return call_bad(c, E_FORBIDDEN,
			    "scopes: you do not "
			    "have %s%s",
			    perm_text((enum permission)p),
			    self ? "" : " everywhere the token would");
	return OK;
}

/* What an account sees of private incidents, the caller must see. */
static err
may_see(struct call *c, const struct token *t)
{
	struct access_subject as[SUBJECTS_MAX];
	struct subject s[SUBJECTS_MAX];
	const struct actor *account;
	bool looks = false;
	size_t n;

	for (unsigned p = 0; p < PERM_MAX_; p++) {
		struct str name = str_c(perm_text((enum permission)p));

		looks |= permset_has(&t->scopes, (enum permission)p) &&
		    (str_starts(name, STR("incident.")) ||
			str_starts(name, STR("alert.")));
	}
	if (!looks)
		return OK;
	account =
	    auth_supposed(c->a, call_world(c), t->owner_kind, &t->owner.u);
	if (account == NULL)
		return err_of(E_NO_MEMORY);
	n = access_subjects(account, c->now, as, SUBJECTS_MAX);
	for (size_t i = 0; i < n; i++)
		s[i] = (struct subject){as[i].kind, as[i].id};
	return may_show(c, s, n);
}

err
token_allowed(struct call *c, const struct token *t, bool self)
{
	TRY(scopes_held(c, t, self));
	return self ? OK : may_see(c, t);
}

static err
read_expiry(struct call *c, struct token *t)
{
	int64_t days = world_policy(call_world(c))->token_max_days;

	t->expires = body_time(c, "expires_at");
	if (t->expires <= c->now)
		return call_bad(c, E_INVALID, "expires_at: is past");
	if (t->expires - c->now > days * DAY_MS)
		return call_bad(c, E_INVALID,
		    "expires_at: at most %lld days from now", (long long)days);
	return OK;
}

bool
token_live(const struct token *t, int64_t now)
{
	return t->revoked == 0 && t->expires > now;
}

err
token_room(struct call *c, const struct uuid *owner)
{
	const struct object *const *o;
	size_t n, mine = 0;

	o = world_objects(call_world(c), OBJECT_TOKEN, &n);
	for (size_t i = 0; i < n; i++) {
		const struct token *t = (const struct token *)o[i];

		mine += uuid_eq(&t->owner.u, owner) && token_live(t, c->now);
	}
	if (mine < LIM_TOKENS)
		return OK;
	return call_bad(c, E_LIMIT, "the owner has %zu live tokens", mine);
}

err
token_issue(struct call *c, struct token *t, char text[TOKEN_TEXT + 1])
{
	const struct data_key *mac;

	admin_new(c, OBJECT_TOKEN, 0, &t->o);
	token_make(t->kind, text, t->key_id);
	TRY(call_token_key(c, &mac, &t->verifier_key));
	TRY(token_verifier(mac, str_of(text, TOKEN_TEXT), t->verifier));
	return admin_put(c, &t->o);
}

err
route_token_create(struct call *c)
{
	char text[TOKEN_TEXT + 1];
	struct token t = {0};
	struct jw *w;
	bool self;

	t.name = body_text(c, "name", STR(""));
	TRY(read_owner(c, &t, &self));
	TRY(read_expiry(c, &t));
	TRY(read_projects(c, &t));
	t.scopes = body_perms(c, "scopes", may_give(c, &t, self));
	TRY(token_allowed(c, &t, self));
	TRY(read_cidrs(c, &t));
	TRY(read_cert(c, &t));
	TRY(token_room(c, &t.owner.u));
	TRY(token_issue(c, &t, text));
	c->rec.body = c->req->body;
	call_touch(c, "token", &t.o.id);
	call_touch(c, principal_kind_text(t.owner_kind), &t.owner.u);
	w = answer(c, 201);
	jw_obj(w);
	token_json(c, w, &t);
	answer_secret(c, "token", str_of(text, TOKEN_TEXT));
	jw_obj_end(w);
	mem_wipe(text, sizeof text);
	answer_etag(c, t.o.version);
	uuid_text(&t.o.id, text);
	answer_location(c, "/v1/tokens/%s", text);
	return buf_check(&c->out);
}

err
token_copy(struct call *c, const struct token *old, struct token *ret)
{
	uint32_t *number;

	*ret = *old;
	ret->name = arena_dup(c->a, old->name);
	number = arena_array(c->a, old->projects_n + 1, sizeof *number);
	TRY(arena_check(c->a));
	for (size_t i = 0; i < old->projects_n; i++)
		number[i] = old->projects[i];
	ret->projects = number;
	return copy_cidrs(c, old, ret);
}

err
token_revoke(struct call *c, const struct token *old)
{
	struct token t;

	if (old->revoked != 0)
		return OK;
	TRY(token_copy(c, old, &t));
	admin_touch(c, &t.o);
	t.revoked = c->now;
	return admin_put(c, &t.o);
}

err
route_token_delete(struct call *c)
{
	const struct token *t;

	TRY(token_seen(c, &t));
	TRY(call_match(c, t->o.version));
	TRY(token_revoke(c, t));
	answer_empty(c, 204);
	return OK;
}
