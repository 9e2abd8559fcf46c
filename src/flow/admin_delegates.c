/*
 * admin_delegates.c: /v1/projects/{p}/delegates.  Somebody makes a place and
 * gets a token to join with, once; the delegate joins with keys of its own;
 * somebody else compares fingerprints and approves it.  Revoking makes the
 * epoch another, so every certificate there is ends with it.
 */
#include "auth/mac.h"
#include "auth/token.h"
#include "base/limits.h"
#include "base/text.h"
#include "domain/selector.h"
#include "flow/admin_body.h"
#include "flow/delegates.h"
#include "flow/handlers.h"
#include "flow/task_job.h"
#include "flow/writer.h"
#include "store/cosignature.h"

enum { TASKS_DEFAULT = 16 };

bool
delegate_joined(const struct delegate *d)
{
	return d->joined != 0;
}

void
delegate_fingerprint(const struct delegate *d, char ret[FINGERPRINT + 1])
{
	struct buf b = {.p = ret, .cap = FINGERPRINT, .max = FINGERPRINT};
	struct str keys[] = {{(const char *)d->ed25519, DELEGATE_KEY},
	    {(const char *)d->x25519, DELEGATE_KEY}};
	uint8_t sum[32] = {0};

	err_ignore(mac_sha256(keys, 2, sum), "then it fits nobody's keys");
	hex_add(&b, str_of((const char *)sum, sizeof sum));
	ret[FINGERPRINT] = '\0';
}

/* ---- answers ---- */

void
delegate_key_json(struct jw *w, const char *name,
    const uint8_t key[DELEGATE_KEY])
{
	char text[64];
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};

	b64_add(&b, str_of((const char *)key, DELEGATE_KEY));
	jw_name(w, str_c(name));
	jw_str(w, buf_view(&b));
}

static void
keys_json(struct jw *w, const struct delegate *d)
{
	char print[FINGERPRINT + 1];

	if (!delegate_joined(d)) {
		jw_kstr(w, "fingerprint", STR_NONE);
		jw_kstr(w, "identity", STR_NONE);
		jw_kstr(w, "key", STR_NONE);
		return;
	}
	delegate_fingerprint(d, print);
	jw_kstr(w, "fingerprint", str_c(print));
	delegate_key_json(w, "identity", d->ed25519);
	delegate_key_json(w, "key", d->x25519);
}

static void
members_json(struct call *c, struct jw *w, const struct delegate *d)
{
	struct writer *writer = c->lane->state->writer;

	jw_uuid(w, "id", &d->o.id);
	jw_kstr(w, "name", d->name);
	jw_kraw(w, "labels", d->labels);
	jw_ki64(w, "max_tasks", d->max_tasks);
	jw_kstr(w, "state", str_c(delegate_state_text(d->state)));
	jw_ki64(w, "epoch", d->epoch);
	keys_json(w, d);
	jw_kstr(w, "version", d->version);
	jw_kstr(w, "host", d->host);
	id_or_null(w, "created_by", &d->created_by.u);
	id_or_null(w, "issued_by", &d->issued_by.u);
	id_or_null(w, "approved_by", &d->approved_by.u);
	jw_time(w, "joined_at", d->joined);
	jw_time(w, "approved_at", d->approved);
	jw_time(w, "revoked_at", d->revoked);
	jw_time(w, "certificate_expires_at", d->cert_until);
	jw_time(w, "last_seen_at",
	    writer == NULL ? 0 : writer_used(writer, &d->o.id));
	jw_time(w, "token_expires_at", d->join_expires);
	times_json(w, &d->o);
}

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	jw_obj(w);
	members_json(c, w, (const struct delegate *)o);
	jw_obj_end(w);
}

/* The last checkpoint of the log it has seen, and when. */
static void
witness_json(struct call *c, struct jw *w, const struct delegate *d)
{
	struct cosignature_row r;
	struct buf b;
	struct str note;
	uint64_t size;

	jw_name(w, STR("witness"));
	if (!err_ok(
		store_cosignature_last(c->lane->conn, &d->o.id, c->a, &r)) ||
	    !err_ok(store_checkpoint_get(c->lane->conn, r.size, c->a, &size,
		&note))) {
		jw_null(w);
		return;
	}
	jw_obj(w);
	jw_ki64(w, "size", (int64_t)r.size);
	jw_time(w, "time", r.time);
	buf_init_on(&b, c->a, NOTE_MAX);
	buf_str(&b, note);
	buf_str(&b, r.line);
	jw_kstr(w, "checkpoint", buf_view(&b));
	jw_obj_end(w);
}

/* One, with what it says of its host. */
static void
render_one(struct call *c, struct jw *w, const struct object *o)
{
	const struct delegate *d = (const struct delegate *)o;

	jw_obj(w);
	members_json(c, w, d);
	jw_kraw(w, "doctor", d->doctor.n == 0 ? STR("null") : d->doctor);
	witness_json(c, w, d);
	jw_obj_end(w);
}

/* ---- seeing ---- */

static bool
wanted(struct call *c, const struct object *o)
{
	return o->project == c->project->o.project;
}

err
route_delegate_list(struct call *c)
{
	return list_objects(c, OBJECT_DELEGATE, wanted, render);
}

static err
find(struct call *c, const struct delegate **ret)
{
	struct uuid id;

	TRY(call_uuid(c, 1, &id));
	*ret = world_delegate(call_world(c), &id);
	if (*ret == NULL || (*ret)->o.project != c->project->o.project)
		return err_of(E_NOT_FOUND);
	call_touch(c, "delegate", &id);
	return OK;
}

err
route_delegate_get(struct call *c)
{
	const struct delegate *d;

	TRY(find(c, &d));
	return answer_object(c, 200, &d->o, render_one);
}

/* ---- making and changing ---- */

static err
read_labels(struct call *c, struct delegate *d)
{
	const struct json *j = json_get(c->body, STR("labels")), *l;
	struct buf b;
	struct jw w;

	if (j == NULL)
		return OK;
	for (l = json_first(j); l != NULL; l = l->next)
		if (!label_name_valid(l->name) || !label_value_valid(l->text))
			return call_bad(c, E_INVALID,
			    "labels: a name is a-z and then a-z 0-9 _ . -, a "
			    "value A-Z a-z 0-9 _ . -, 63 at most");
	buf_init_on(&b, c->a, LIM_BODY);
	jw_init(&w, &b);
	jw_value(&w, j);
	d->labels = buf_view(&b);
	return buf_check(&b);
}

/* A name is one delegate's in the project. */
static err
read_name(struct call *c, struct delegate *d)
{
	const struct object *const *o;
	size_t n;

	d->name = body_text(c, "name", d->name);
	o = world_objects(call_world(c), OBJECT_DELEGATE, &n);
	for (size_t i = 0; i < n; i++)
		if (o[i]->project == c->project->o.project &&
		    !uuid_eq(&o[i]->id, &d->o.id) &&
		    str_eq(((const struct delegate *)o[i])->name, d->name))
			return call_bad(c, E_EXISTS,
			    "a delegate of that name is there already");
	return OK;
}

static err
read_members(struct call *c, struct delegate *d)
{
	const struct json *j = json_get(c->body, STR("max_tasks"));
	int64_t n = d->max_tasks;

	TRY(read_name(c, d));
	TRY(read_labels(c, d));
	if (j != NULL && !json_i64(j, 1, LIM_DELEGATE_HOLDS, &n))
		return call_bad(c, E_INVALID, "max_tasks: 1 to %d",
		    LIM_DELEGATE_HOLDS);
	d->max_tasks = (uint32_t)n;
	return OK;
}

/* A token to join with; the one before is over. */
static err
new_token(struct call *c, struct delegate *d, char text[TOKEN_TEXT + 1])
{
	const struct data_key *mac;

	token_make('d', text, d->join_id);
	TRY(call_token_key(c, &mac, &d->join_key));
	TRY(token_verifier(mac, str_of(text, TOKEN_TEXT), d->join_verifier));
	d->join_expires = c->now + LIM_JOIN_MS;
	d->join_used = false;
	d->issued_by.u = c->actor->id;
	return OK;
}

static err
answer_with_token(struct call *c, int status, const struct delegate *d,
    const char *text)
{
	struct jw *w = answer(c, status);

	jw_obj(w);
	members_json(c, w, d);
	answer_secret(c, "token", str_of(text, TOKEN_TEXT));
	jw_obj_end(w);
	answer_etag(c, d->o.version);
	return buf_check(&c->out);
}

err
route_delegate_create(struct call *c)
{
	struct delegate d = {.max_tasks = TASKS_DEFAULT,
	    .labels = STR("{}"),
	    .epoch = 1};
	char text[TOKEN_TEXT + 1], id[UUID_TEXT + 1];

	TRY(read_members(c, &d));
	TRY(room_for(c, OBJECT_DELEGATE, LIM_DELEGATES));
	admin_new(c, OBJECT_DELEGATE, c->project->o.project, &d.o);
	d.created_by.u = c->actor->id;
	TRY(new_token(c, &d, text));
	c->rec.body = c->req->body;
	call_touch(c, "delegate", &d.o.id);
	TRY(admin_put(c, &d.o));
	uuid_text(&d.o.id, id);
	answer_location(c, "%s/%s", project_path(c, "/delegates"), id);
	return answer_with_token(c, 201, &d, text);
}

err
delegate_copy(struct call *c, const struct delegate *old, struct delegate *ret)
{
	*ret = *old;
	ret->name = arena_dup(c->a, old->name);
	ret->labels = arena_dup(c->a, old->labels);
	ret->version = arena_dup(c->a, old->version);
	ret->host = arena_dup(c->a, old->host);
	ret->doctor = arena_dup(c->a, old->doctor);
	return arena_check(c->a);
}

/* The one of the path, as a copy to be changed. */
static err
to_change(struct call *c, struct delegate *ret)
{
	const struct delegate *old;

	TRY(find(c, &old));
	TRY(call_match(c, old->o.version));
	return delegate_copy(c, old, ret);
}

static err
changed(struct call *c, struct delegate *d)
{
	admin_touch(c, &d->o);
	TRY(admin_put(c, &d->o));
	return answer_object(c, 200, &d->o, render_one);
}

err
route_delegate_patch(struct call *c)
{
	struct delegate d;

	TRY(to_change(c, &d));
	TRY(read_members(c, &d));
	c->rec.body = c->req->body;
	return changed(c, &d);
}

err
route_delegate_delete(struct call *c)
{
	struct delegate d;

	TRY(to_change(c, &d));
	TRY(tasks_drop(c->lane, &d.o.id, c->now, c->a));
	TRY(store_cosignature_forget(c->lane->conn, &d.o.id));
	TRY(admin_remove(c, OBJECT_DELEGATE, &d.o.id));
	answer_empty(c, 204);
	return OK;
}

err
route_delegate_token(struct call *c)
{
	char text[TOKEN_TEXT + 1];
	struct delegate d;

	TRY(to_change(c, &d));
	TRY(new_token(c, &d, text));
	admin_touch(c, &d.o);
	TRY(admin_put(c, &d.o));
	return answer_with_token(c, 201, &d, text);
}

/* ---- approving and revoking ---- */

/* Four eyes: a person, who neither made the place nor the token. */
static err
may_approve(struct call *c, const struct delegate *d)
{
	if (c->actor->kind != PRINCIPAL_USER)
		return call_bad(c, E_FORBIDDEN,
		    "a delegate is approved by a person");
	if (uuid_eq(&c->actor->id, &d->created_by.u) ||
	    uuid_eq(&c->actor->id, &d->issued_by.u))
		return call_bad(c, E_FORBIDDEN,
		    "somebody else must approve what you made");
	return OK;
}

err
route_delegate_approve(struct call *c)
{
	struct str given = body_text(c, "fingerprint", STR(""));
	char print[FINGERPRINT + 1];
	struct delegate d;

	TRY(to_change(c, &d));
	TRY(may_approve(c, &d));
	if (d.state != DELEGATE_PENDING)
		return call_bad(c, E_CONFLICT,
		    "it is %s, and only what is pending is approved",
		    delegate_state_text(d.state));
	delegate_fingerprint(&d, print);
	if (given.n > 0 && !str_is(given, print))
		return call_bad(c, E_CONFLICT,
		    "that is not its fingerprint: do not approve it");
	d.state = DELEGATE_APPROVED;
	d.approved_by.u = c->actor->id;
	d.approved = c->now;
	d.revoked = 0;
	c->rec.body = arena_dup(c->a, str_c(print));
	return changed(c, &d);
}

err
route_delegate_revoke(struct call *c)
{
	struct delegate d;

	TRY(to_change(c, &d));
	if (d.state == DELEGATE_REVOKED)
		return call_bad(c, E_CONFLICT, "it is revoked");
	d.state = DELEGATE_REVOKED;
	d.epoch++;
	d.revoked = c->now;
	d.join_id[0] = '\0';
	d.join_expires = 0;
	TRY(tasks_drop(c->lane, &d.o.id, c->now, c->a));
	return changed(c, &d);
}
