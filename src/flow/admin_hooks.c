/* admin_hooks.c: see admin_hooks.h. */
#include "flow/admin_hooks.h"

#include "auth/hook_jwe.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "flow/admin_tokens.h"
#include "flow/writer.h"

/* A webhook does not renew its credential, so this one does not run out in
 * an administrator's time; what ends it is rotation. */
#define CREDENTIAL_MS (INT64_C(10) * 365 * 86400000)

/* ---- rules ---- */

err
hook_read_auth(struct call *c, struct integration *n, struct hook_auth *ret)
{
	struct buf b;
	struct jw w;

	TRY(hook_auth_parse(c->a, json_get(c->body, STR("auth")), &c->trail,
	    ret));
	buf_init_on(&b, c->a, 2 * LIM_HOOK_AUTH);
	jw_init(&w, &b);
	hook_auth_write(&w, ret);
	n->auth = buf_view(&b);
	return buf_check(&b);
}

err
hook_stored_auth(struct call *c, const struct integration *n,
    struct hook_auth *ret)
{
	static const struct json_limits limits = {
	    .depth = LIM_JSON_DEPTH,
	    .members = LIM_JSON_MEMBERS,
	    .values = LIM_JSON_VALUES,
	};
	const struct json *j;
	struct trail t;

	TRY(json_parse(c->a, n->auth, &limits, NULL, &j));
	return hook_auth_parse(c->a, j, &t, ret);
}

err
hook_prepare(struct call *c, const struct hook_auth *h)
{
	const struct hook_rule *r = hook_rule_of(h, HOOK_JWE);
	struct str *text;

	if (r == NULL || !r->rsa)
		return OK;
	text = ARENA_NEW(c->a, struct str);
	if (text == NULL)
		return err_of(E_NO_MEMORY);
	TRY(hook_jwe_make(c->a, r, text));
	c->prepared = text;
	return OK;
}

struct str
hook_body(struct call *c, const struct hook_auth *h,
    const struct integration *n)
{
	const struct json *j;
	struct buf b;
	struct jw w;

	if (h->given.n == 0)
		return c->req->body;
	buf_init_on(&b, c->a, LIM_BODY + 2 * LIM_HOOK_AUTH);
	jw_init(&w, &b);
	jw_obj(&w);
	for (j = json_first(c->body); j != NULL; j = j->next) {
		jw_name(&w, j->name);
		if (str_is(j->name, "auth"))
			jw_raw(&w, n->auth);
		else
			jw_value(&w, j);
	}
	jw_obj_end(&w);
	return buf_view(&b);
}

/* ---- tokens ---- */

static err
issue(struct call *c, const struct uuid *integration, char text[TOKEN_TEXT + 1])
{
	struct token t = {
	    .kind = 'w',
	    .owner_kind = PRINCIPAL_INTEGRATION,
	    .owner = {*integration},
	    .name = STR("webhook"),
	    .expires = c->now + CREDENTIAL_MS,
	};

	permset_add(&t.scopes, PERM_INGEST);
	TRY(token_issue(c, &t, text));
	call_touch(c, "token", &t.o.id);
	return OK;
}

static bool
live(const struct token *t, int64_t now)
{
	return t->revoked == 0 && t->expires > now;
}

/* A live token of the integration other than `but`; the oldest. */
static const struct token *
live_token(struct call *c, const struct uuid *integration,
    const struct uuid *but)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_TOKEN, &n);
	for (size_t i = 0; i < n; i++) {
		const struct token *t = (const struct token *)o[i];

		if (uuid_eq(&t->owner.u, integration) && live(t, c->now) &&
		    !uuid_eq(&t->o.id, but))
			return t;
	}
	return NULL;
}

/* Of those there are, only the newest stays, and until then. */
static err
retire_tokens(struct call *c, const struct uuid *integration, int64_t until)
{
	static const struct uuid none;
	const struct token *t, *next;
	struct token last;

	for (;;) {
		t = live_token(c, integration, &none);
		if (t == NULL)
			return OK;
		next = live_token(c, integration, &t->o.id);
		if (next == NULL)
			break;
		TRY(token_revoke(c, t));
	}
	if (until <= c->now)
		return token_revoke(c, t);
	if (t->expires <= until)
		return OK;
	TRY(token_copy(c, t, &last));
	last.expires = until;
	admin_touch(c, &last.o);
	return admin_put(c, &last.o);
}

/* ---- secrets ---- */

static err
write_secrets(struct call *c, struct integration *n,
    const struct hook_secrets *s)
{
	struct buf b;
	struct jw w;

	n->secrets = STR("");
	if (s->n == 0)
		return OK;
	buf_init_on(&b, c->a, LIM_BODY);
	jw_init(&w, &b);
	hook_secrets_write(&w, s);
	n->secrets = buf_view(&b);
	return buf_check(&b);
}

static err
forget(struct call *c, const struct hook_secret *s)
{
	struct token_id id = {s->id};

	return store_token_used_delete(c->lane->conn, &id);
}

/* Those of the kind that pass `keep`, and all of other kinds. */
static err
sift(struct call *c, struct hook_secrets *s, enum hook_kind kind,
    bool (*keep)(const struct hook_secret *s, int64_t now))
{
	size_t left = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->s[i].kind != kind || keep(&s->s[i], c->now))
			s->s[left++] = s->s[i];
		else
			TRY(forget(c, &s->s[i]));
	}
	s->n = left;
	return OK;
}

static bool
keep_none(const struct hook_secret *s, int64_t now)
{
	(void)s;
	(void)now;
	return false;
}

/* The one that has no successor yet. */
static bool
keep_newest(const struct hook_secret *s, int64_t now)
{
	(void)now;
	return s->expires == 0;
}

static struct hook_secret *
secret_of(struct hook_secrets *s, enum hook_kind kind)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->s[i].kind == kind && s->s[i].expires == 0)
			return &s->s[i];
	return NULL;
}

static err
add_secret(struct call *c, struct hook_secrets *s, const struct hook_rule *r,
    struct str given, struct hook_shown *ret)
{
	uint8_t bytes[SECRET_SIZE];
	struct hook_secret *k;

	if (s->n == HOOK_SECRETS)
		return err_of(E_LIMIT);
	k = &s->s[s->n++];
	*k = (struct hook_secret){
	    .id = rand_uuid(c->now),
	    .kind = r->kind,
	    .text = given,
	    .created = c->now,
	};
	if (r->kind == HOOK_JWE && r->rsa && c->prepared != NULL) {
		k->text = *(const struct str *)c->prepared;
	} else if (r->kind == HOOK_JWE) {
		TRY(hook_jwe_make(c->a, r, &k->text));
	} else if (given.n == 0) {
		rand_bytes(bytes, sizeof bytes);
		k->text = hook_secret_make(c->a, r, bytes);
		mem_wipe(bytes, sizeof bytes);
		ret->secret = k->text;
	}
	ret->made |= r->kind != HOOK_JWE;
	return arena_check(c->a);
}

/* The encryption key that the rules ask for, of the kind they ask for. */
static err
equip_jwe(struct call *c, struct hook_secrets *s, const struct hook_auth *old,
    const struct hook_auth *h, struct hook_shown *shown)
{
	const struct hook_rule *r = hook_rule_of(h, HOOK_JWE);
	const struct hook_rule *was =
	    old == NULL ? NULL : hook_rule_of(old, HOOK_JWE);

	if (r == NULL || (was != NULL && was->rsa != r->rsa))
		TRY(sift(c, s, HOOK_JWE, keep_none));
	if (r == NULL || secret_of(s, HOOK_JWE) != NULL)
		return OK;
	return add_secret(c, s, r, STR(""), shown);
}

err
hook_equip(struct call *c, struct integration *n, const struct hook_auth *old,
    const struct hook_auth *h, struct hook_shown *ret)
{
	static const struct uuid none;
	struct hook_shown shown = {.made = false};
	struct hook_secrets s;
	enum hook_kind kind;
	bool wanted;

	TRY(hook_secrets_parse(c->a, n->secrets, &s));
	wanted = hook_wants_secret(h, &kind);
	for (unsigned k = 0; k < HOOK_KINDS; k++)
		if (k != HOOK_JWE && (!wanted || k != (unsigned)kind))
			TRY(sift(c, &s, (enum hook_kind)k, keep_none));
	if (wanted && h->given.n > 0)
		TRY(sift(c, &s, kind, keep_none));
	if (wanted && secret_of(&s, kind) == NULL)
		TRY(add_secret(c, &s, hook_rule_of(h, kind), h->given, &shown));
	TRY(equip_jwe(c, &s, old, h, &shown));
	TRY(write_secrets(c, n, &s));
	if (!hook_wants_token(h)) {
		TRY(retire_tokens(c, &n->o.id, 0));
	} else if (live_token(c, &n->o.id, &none) == NULL) {
		TRY(issue(c, &n->o.id, shown.token));
		shown.made = true;
	}
	*ret = shown;
	return OK;
}

/* The newest of the kind stays until then; all before it goes. */
static err
retire_secrets(struct call *c, struct hook_secrets *s, enum hook_kind kind,
    int64_t until)
{
	struct hook_secret *last;

	TRY(sift(c, s, kind, keep_newest));
	last = secret_of(s, kind);
	if (last != NULL)
		last->expires = until;
	return sift(c, s, kind, hook_secret_live);
}

static err
drop_old(struct call *c, struct integration *n)
{
	static const struct uuid none;
	const struct token *t, *next;
	struct hook_secrets s;

	TRY(hook_secrets_parse(c->a, n->secrets, &s));
	for (unsigned k = 0; k < HOOK_KINDS; k++)
		TRY(sift(c, &s, (enum hook_kind)k, keep_newest));
	TRY(write_secrets(c, n, &s));
	for (;;) {
		t = live_token(c, &n->o.id, &none);
		next = t == NULL ? NULL : live_token(c, &n->o.id, &t->o.id);
		if (next == NULL)
			return OK;
		TRY(token_revoke(c, t));
	}
}

static err
rotate_jwe(struct call *c, struct integration *n, const struct hook_auth *h,
    const struct hook_rotation *r, struct hook_secrets *s)
{
	const struct hook_rule *rule = hook_rule_of(h, HOOK_JWE);
	struct hook_shown none = {.made = false};

	if (rule == NULL)
		return call_bad(c, E_INVALID, "jwe: it has no encryption key");
	TRY(retire_secrets(c, s, HOOK_JWE, r->until));
	TRY(add_secret(c, s, rule, STR(""), &none));
	return write_secrets(c, n, s);
}

err
hook_rotate(struct call *c, struct integration *n, const struct hook_auth *h,
    const struct hook_rotation *r, struct hook_shown *ret)
{
	struct hook_shown shown = {.made = false};
	struct hook_secrets s;
	enum hook_kind kind;

	*ret = shown;
	if (r->drop)
		return drop_old(c, n);
	TRY(hook_secrets_parse(c->a, n->secrets, &s));
	if (r->jwe)
		return rotate_jwe(c, n, h, r, &s);
	if (hook_wants_secret(h, &kind)) {
		TRY(retire_secrets(c, &s, kind, r->until));
		TRY(add_secret(c, &s, hook_rule_of(h, kind), r->given, &shown));
		TRY(write_secrets(c, n, &s));
	}
	if (hook_wants_token(h)) {
		TRY(retire_tokens(c, &n->o.id, r->until));
		TRY(issue(c, &n->o.id, shown.token));
		shown.made = true;
	}
	*ret = shown;
	if (shown.made)
		return OK;
	return call_bad(c, E_INVALID,
	    "its senders prove themselves without a secret of ours");
}

err
hook_forget(struct call *c, const struct integration *n)
{
	struct hook_secrets s;

	TRY(hook_secrets_parse(c->a, n->secrets, &s));
	for (size_t i = 0; i < s.n; i++)
		TRY(forget(c, &s.s[i]));
	return OK;
}

/* ---- answers ---- */

void
hook_shown_json(struct call *c, struct hook_shown *s)
{
	struct str token = str_c(s->token);

	answer_secret(c, "secret",
	    s->secret.n > 0   ? s->secret
		: token.n > 0 ? token
			      : STR_NONE);
	if (s->secret.n > 0 && token.n > 0)
		answer_secret(c, "token", token);
	mem_wipe(s->token, sizeof s->token);
}

static void
credential_json(struct call *c, struct jw *w, const struct uuid *id,
    const char *kind, int64_t created, int64_t expires)
{
	struct writer *writer = c->lane->state->writer;

	jw_obj(w);
	jw_uuid(w, "id", id);
	jw_kstr(w, "kind", str_c(kind));
	jw_time(w, "created_at", created);
	jw_time(w, "expires_at", expires);
	jw_time(w, "last_used", writer == NULL ? 0 : writer_used(writer, id));
	jw_obj_end(w);
}

/* What senders encrypt to. */
void
hook_jwks_json(struct call *c, struct jw *w, const struct integration *n)
{
	struct hook_secrets s;

	if (!err_ok(hook_secrets_parse(c->a, n->secrets, &s)) ||
	    secret_of(&s, HOOK_JWE) == NULL)
		return;
	if (!err_ok(hook_jwe_public(c->a, &s, c->now, w)))
		c->out.failed = true; /* no half of an answer */
}

void
hook_credentials_json(struct call *c, struct jw *w, const struct integration *n)
{
	const struct object *const *o;
	struct hook_secrets s;
	size_t tokens;

	jw_karr(w, "credentials");
	o = world_objects(call_world(c), OBJECT_TOKEN, &tokens);
	for (size_t i = 0; i < tokens; i++) {
		const struct token *t = (const struct token *)o[i];

		if (uuid_eq(&t->owner.u, &n->o.id) && live(t, c->now))
			credential_json(c, w, &t->o.id, "token", t->o.created,
			    t->expires);
	}
	if (!err_ok(hook_secrets_parse(c->a, n->secrets, &s)))
		s.n = 0;
	for (size_t i = 0; i < s.n; i++)
		if (hook_secret_live(&s.s[i], c->now))
			credential_json(c, w, &s.s[i].id,
			    hook_kind_text(s.s[i].kind), s.s[i].created,
			    s.s[i].expires);
	jw_arr_end(w);
}
