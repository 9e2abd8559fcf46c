/*
 * admin_body.h: what the handlers of administrative objects share: reading
 * members of a body that shape.c has checked, rendering what every object
 * has, and the guards that judge the world after a change.
 *
 * Objects of the world live as long as the snapshot they were found in, and
 * admin_put and admin_remove replace the writer's: handlers copy what they
 * change, and look at nothing found before once they have written.
 */
#ifndef FLOW_ADMIN_BODY_H
#define FLOW_ADMIN_BODY_H

#include "flow/incident_view.h"

typedef void (
    *admin_render)(struct call *c, struct jw *w, const struct object *o);

/* ---- bodies ---- */

/* The member's string; `old` when absent, empty when null. */
struct str body_text(const struct call *c, const char *name, struct str old);
/* A list of strings; *ret stays as it is when absent. */
err body_strs(struct call *c, const char *name, const struct str **ret,
    size_t *ret_n) MUST_USE;
bool body_flag(const struct call *c, const char *name, bool old);
/* 0 when absent or null. */
int64_t body_time(const struct call *c, const char *name);
/* A list of permissions; "*" stands for `all`. */
struct permset body_perms(const struct call *c, const char *name,
    struct permset all);
/* {kind,id} */
bool subject_of(const struct json *j, enum principal_kind *ret_kind,
    struct uuid *ret);
/* Does a user, service account or group of that id exist? */
bool subject_exists(const struct world *w, enum principal_kind kind,
    const struct uuid *id);

/* ---- answers ---- */

void perms_json(struct jw *w, const char *name, struct permset set);
void perms_named(struct jw *w, struct str name, struct permset set);
void subject_json(struct jw *w, const char *name, enum principal_kind kind,
    const struct uuid *id);
void strs_json(struct jw *w, const char *name, const struct str *s, size_t n);
/* null when it is NULL or all zero */
void id_or_null(struct jw *w, const char *name, const struct uuid *u);
/* "created_at" and "updated_at" */
void times_json(struct jw *w, const struct object *o);
/* One object: body and ETag. */
err answer_object(struct call *c, int status, const struct object *o,
    admin_render render) MUST_USE;
/* 201 with a Location under that path. */
err answer_created(struct call *c, const char *path, const struct object *o,
    admin_render render) MUST_USE;
/* /v1/projects/{slug} of the call's project, for Location. */
const char *project_path(struct call *c, const char *under);

/* ---- guards ---- */

/* E_LIMIT when the kind has `max` objects already. */
err room_for(struct call *c, enum object_kind kind, size_t max) MUST_USE;
/* Users and service accounts share one limit. */
err room_for_principal(struct call *c) MUST_USE;
/* E_LAST_ADMIN when nobody would administer after the change: o is put, or
 * (NULL) the object of that kind and id removed. */
err keeps_admin(struct call *c, const struct object *o, enum object_kind kind,
    const struct uuid *id) MUST_USE;
/* May the caller hand out everything that is bound to the group, and the
 * sight of every private incident it is a member of? */
err may_join(struct call *c, const struct uuid *group) MUST_USE;
/* May the caller hand out the sight of what these are members of?  Private
 * incidents are hidden from administrators, so these cannot help themselves
 * to them through a group or an account. (writer) */
err may_show(struct call *c, const struct subject *s, size_t n) MUST_USE;

/* ---- finding ---- */

/* The integration of path variable 1, in the project of the call; asked
 * about when the caller may see some only. */
err admin_integration(struct call *c, const struct integration **ret) MUST_USE;

/* ---- cascades (writer) ---- */

/* A user or service account and all that hangs on it; answers 204. */
err principal_remove(struct call *c, const struct object *o) MUST_USE;

/* Remove all bindings of the subject, all tokens of the owner. */
err drop_bindings(struct call *c, const struct uuid *subject) MUST_USE;
err drop_tokens(struct call *c, const struct uuid *owner) MUST_USE;
/* Take the principal out of its groups. */
err leave_groups(struct call *c, const struct uuid *principal) MUST_USE;

#endif
