/*
 * token_care.c: keeping tokens small and fresh: what a token holds against
 * what it used, narrowing it to that in one step, and rotation, where the old
 * secret stays good for a while.
 */
#include "auth/token.h"
#include "base/limits.h"
#include "base/mem.h"
#include "flow/admin_body.h"
#include "flow/admin_tokens.h"
#include "flow/handlers.h"
#include "flow/writer.h"

enum { DAY_MS = 86400000, OVERLAP_S = 3600, CARE_DAYS = 30 };

/* ---- held against used ---- */

/* How far back to look: ?days= or CARE_DAYS; body or query. */
static err
days_asked(struct call *c, const struct json *j, int64_t *ret)
{
	*ret = CARE_DAYS;
	if (j != NULL && j->kind != JSON_NULL &&
	    !json_i64(j, 1, LIM_TOKEN_DAYS, ret))
		return call_bad(c, E_INVALID, "days: 1 to %d", LIM_TOKEN_DAYS);
	return OK;
}

/* Which of its scopes the token used since; the day counts as a whole. */
static struct permset
used_since(const struct token *t, const int64_t last[PERM_MAX_], int64_t since)
{
	struct permset s = {{0}};

	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (last[p] + DAY_MS > since && last[p] != 0 &&
		    permset_has(&t->scopes, (enum permission)p))
			permset_add(&s, (enum permission)p);
	return s;
}

static void
used_json(struct jw *w, const struct token *t, const int64_t last[PERM_MAX_])
{
	jw_karr(w, "used");
	for (unsigned p = 0; p < PERM_MAX_; p++) {
		if (last[p] == 0 ||
		    !permset_has(&t->scopes, (enum permission)p))
			continue;
		jw_obj(w);
		jw_kstr(w, "permission", str_c(perm_text((enum permission)p)));
		jw_time(w, "last_used", last[p]);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static struct permset
permset_minus(struct permset a, struct permset b)
{
	return (struct permset){{a.w[0] & ~b.w[0], a.w[1] & ~b.w[1]}};
}

/*
 * One token's report.  Rights that only looked, but decided what was shown
 * (a list of everybody's tokens, say), count as used: narrowing changes no
 * answer that was given.
 */
static void
usage_json(struct call *c, struct jw *w, const struct token *t, int64_t days)
{
	int64_t last[PERM_MAX_] = {0}, since = c->now - days * DAY_MS;
	struct writer *writer = c->lane->state->writer;
	struct permset used;

	if (writer != NULL)
		writer_token_rights(writer, &t->o.id, last);
	used = used_since(t, last, since);
	jw_obj(w);
	token_json(c, w, t);
	jw_ki64(w, "days", days);
	used_json(w, t, last);
	perms_json(w, "unused", permset_minus(t->scopes, used));
	jw_kbool(w, "dormant", used.w[0] == 0 && used.w[1] == 0);
	perms_json(w, "suggested_scopes", used);
	jw_obj_end(w);
}

err
route_token_usage(struct call *c)
{
	const struct token *t;

	TRY(token_seen(c, &t));
	usage_json(c, answer(c, 200), t, CARE_DAYS);
	answer_etag(c, t->o.version);
	return buf_check(&c->out);
}

/* Live tokens of the API that hold what they did not use. */
static bool
wide(struct call *c, const struct object *o)
{
	const struct token *t = (const struct token *)o;
	int64_t last[PERM_MAX_] = {0},
		since = c->now - CARE_DAYS * (int64_t)DAY_MS;

	if (!token_live(t, c->now) || t->kind == 'w' ||
	    c->lane->state->writer == NULL)
		return false;
	writer_token_rights(c->lane->state->writer, &t->o.id, last);
	return !permset_within(t->scopes, used_since(t, last, since));
}

size_t
tokens_too_wide(struct call *c)
{
	const struct object *const *o;
	size_t n, some = 0;

	o = world_objects(call_world(c), OBJECT_TOKEN, &n);
	for (size_t i = 0; i < n; i++)
		some += wide(c, o[i]);
	return some;
}

static void
render_usage(struct call *c, struct jw *w, const struct object *o)
{
	usage_json(c, w, (const struct token *)o, CARE_DAYS);
}

err
route_least_privilege(struct call *c)
{
	return list_objects(c, OBJECT_TOKEN, wide, render_usage);
}

/* ---- narrowing ---- */

/* What is left: the scopes named, or those used. */
static err
narrower(struct call *c, const struct token *t, struct permset *ret)
{
	const struct json *j = json_get(c->body, STR("scopes"));
	int64_t last[PERM_MAX_] = {0}, days;

	TRY(days_asked(c, json_get(c->body, STR("days")), &days));
	if (j != NULL && j->kind != JSON_NULL) {
		*ret = body_perms(c, "scopes", t->scopes);
		if (!permset_within(*ret, t->scopes))
			return call_bad(c, E_INVALID,
			    "scopes: only what the token has; to widen it "
			    "make another");
		return OK;
	}
	if (c->lane->state->writer != NULL)
		writer_token_rights(c->lane->state->writer, &t->o.id, last);
	*ret = used_since(t, last, c->now - days * DAY_MS);
	if (ret->w[0] == 0 && ret->w[1] == 0)
		return call_bad(c, E_CONFLICT,
		    "it used none of its scopes in %d days: revoke it",
		    (int)days);
	return OK;
}

err
route_token_narrow(struct call *c)
{
	const struct token *old;
	struct token t;
	struct jw *w;

	TRY(token_seen(c, &old));
	TRY(call_match(c, old->o.version));
	if (!token_live(old, c->now))
		return call_bad(c, E_CONFLICT, "the token is not live");
	TRY(token_copy(c, old, &t));
	TRY(narrower(c, old, &t.scopes));
	admin_touch(c, &t.o);
	TRY(admin_put(c, &t.o));
	c->rec.body = c->req->body;
	w = answer(c, 200);
	jw_obj(w);
	token_json(c, w, &t);
	jw_obj_end(w);
	answer_etag(c, t.o.version);
	return buf_check(&c->out);
}

/* ---- rotation ---- */

static err
read_overlap(struct call *c, int64_t *ret)
{
	const struct json *j = json_get(c->body, STR("overlap_s"));

	*ret = OVERLAP_S;
	if (j != NULL && j->kind != JSON_NULL &&
	    !json_i64(j, 0, LIM_OVERLAP_S, ret))
		return call_bad(c, E_INVALID, "overlap_s: 0 to %d",
		    LIM_OVERLAP_S);
	return OK;
}

/* The same token with another secret, by one who could make it. */
static err
successor(struct call *c, const struct token *old, struct token *ret)
{
	bool self = uuid_eq(&old->owner.u, &c->actor->id);
	const struct token *own = c->actor->token;

	if (old->kind != 'p' && old->kind != 's')
		return call_bad(c, E_CONFLICT,
		    "only tokens of users and service accounts are rotated "
		    "here");
	if (!token_live(old, c->now))
		return call_bad(c, E_CONFLICT, "the token is not live");
	TRY(call_ask(c, self ? PERM_TOKEN_CREATE : PERM_TOKEN_ADMIN, 0,
	    &c->grant));
	TRY(token_copy(c, old, ret));
	TRY(token_allowed(c, ret, self));
	for (size_t i = 0; own != NULL && own->cidrs_n > 0 && i < ret->cidrs_n;
	     i++)
		if (!cidr_within(own->cidrs, own->cidrs_n, ret->cidrs[i]))
			return err_of(E_FORBIDDEN);
	if (own != NULL && own->cidrs_n > 0 && ret->cidrs_n == 0)
		return call_bad(c, E_FORBIDDEN,
		    "it is bound to fewer addresses than the token you use");
	if (own != NULL && own->bound &&
	    (!ret->bound || memcmp(own->cert, ret->cert, 32) != 0))
		return call_bad(c, E_FORBIDDEN,
		    "it is not bound to the certificate of the token you use");
	ret->expires = c->now + (old->expires - old->o.created);
	return token_room(c, &old->owner.u);
}

err
route_token_rotate(struct call *c)
{
	char text[TOKEN_TEXT + 1];
	const struct token *seen;
	struct token old, t;
	struct jw *w;
	int64_t overlap;

	TRY(token_seen(c, &seen));
	TRY(call_match(c, seen->o.version));
	TRY(read_overlap(c, &overlap));
	TRY(successor(c, seen, &t));
	TRY(token_copy(c, seen, &old));
	if (old.expires > c->now + overlap * 1000)
		old.expires = c->now + overlap * 1000;
	admin_touch(c, &old.o);
	TRY(admin_put(c, &old.o));
	TRY(token_issue(c, &t, text));
	call_touch(c, "token", &t.o.id);
	w = answer(c, 201);
	jw_obj(w);
	token_json(c, w, &t);
	jw_uuid(w, "rotated_from", &old.o.id);
	jw_time(w, "old_expires_at", old.expires);
	answer_secret(c, "token", str_of(text, TOKEN_TEXT));
	jw_obj_end(w);
	mem_wipe(text, sizeof text);
	answer_etag(c, t.o.version);
	uuid_text(&t.o.id, text);
	answer_location(c, "/v1/tokens/%s", text);
	return buf_check(&c->out);
}
