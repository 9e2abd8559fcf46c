/*
 * delegate.h: `redoubt delegate`: a host that runs approved steps for a
 * server it does not trust.  doc/PROTOCOL.delegate is the protocol,
 * doc/delegates.md what an owner of such a host needs to know.
 *
 *	main ──── poll: steps, their output, the broker, signals (agent.c)
 *	 ├─ lease    long polls, verification, renewal, witness (lease.c)
 *	 ├─ post     starts, output, results (post.c)
 *	 ├─ zygote   process: makes sandboxes (sandbox.h)
 *	 └─ broker   process: connects to services (broker.h)
 */
#ifndef DELEGATE_DELEGATE_H
#define DELEGATE_DELEGATE_H

#include "base/arena.h"
#include "base/buf.h"

struct enrol_options {
	const char *dir;
	struct str url, name, token;
	const char *ca; /* file; NULL: the system's authorities */
	int wait_s;	/* for approval; 0: does not wait */
};

/*
 * Make keys and join; wait for approval, if told to.  Again with the same
 * directory goes on where it was: the keys stay.  *ret: a JSON object
 * {delegate, project, state, fingerprint, witness}.  E_UNAVAILABLE, E_TIMEOUT,
 * E_UNAUTHENTICATED; a state "pending" is no error.
 */
err delegate_enroll(struct arena *a, const struct enrol_options *o,
    struct trail *t, struct str *ret) MUST_USE;
/* When it has joined and is not approved yet: ask until it is. */
err delegate_await(const char *dir, struct trail *t) MUST_USE;
/* Waits for approval, then runs until SIGTERM; the exit code. */
int delegate_run(const char *dir);
/* A JSON object: enrolment, what the running one last said of itself, and
 * whether it trusts the server. */
err delegate_status(struct arena *a, const char *dir, struct trail *t,
    struct str *ret) MUST_USE;
/*
 * The server's log goes on under another name, says the owner of this host:
 * vkey is its verifier key from now on, the same key under a later epoch's
 * name.  {log, before}.  E_INVALID with a trail; E_LOCKED: it runs.
 */
err delegate_epoch(struct arena *a, const char *dir, struct str vkey,
    struct trail *t, struct str *ret) MUST_USE;

#endif
