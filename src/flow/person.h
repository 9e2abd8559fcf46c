/*
 * person.h: a user has a data key of their own (class PERSON).  It seals what
 * is about the person: the user, their identities, credentials and sessions,
 * and what the audit log keeps of changes to them.  Destroying it makes all of
 * that unreadable wherever a copy lies.  Entries of timelines name a user by
 * id; the name is put in when they are read.
 */
#ifndef FLOW_PERSON_H
#define FLOW_PERSON_H

#include "flow/call.h"

/* ---- on the writer's lane ---- */

/* The key an object is to be sealed under, made if it is a user's first. */
err person_object_key(struct lane *l, struct arena *a, const struct object *o,
    uint32_t *ret) MUST_USE;
/* The request's body is about that user: kept under their key. */
err person_body(struct call *c, const struct uuid *user) MUST_USE;
/* The key and its kin, and the bodies they seal, unless a hold covers them;
 * the caller has sealed under others what is to stay. */
err person_forget(struct call *c, const struct uuid *user) MUST_USE;
/* E_HELD while a legal hold is live: what somebody did can be anywhere. */
err person_free(struct call *c) MUST_USE;
/* Users from before persons had keys get one, some at a time. arg: struct
 * uuid, the last one looked at; all ones when there are no more. */
err person_tend(struct lane *l, void *arg) MUST_USE;
bool person_tended(const struct uuid *at);
/* Somebody the retention policy makes nobody now; NULL: none. */
const struct user *person_due(const struct world *w, int64_t now);
/* Do it to one. arg: int64_t, now. */
err person_expire(struct lane *l, void *arg) MUST_USE;

/* ---- anywhere ---- */

/* An item of a timeline with the name its actor has now. */
err person_named(struct call *c, struct str item, struct str *ret) MUST_USE;

#endif
