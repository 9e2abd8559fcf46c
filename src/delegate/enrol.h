/*
 * enrol.h: becoming a delegate of a server, and what is kept of it:
 *
 *	delegate.json	where the server is, who we are, the keys of its log
 *			and of its tasks: pinned, never taken again
 *	ca.pem		the authorities given at enrolment
 *	session		key and certificate: 32 bytes, then PEM; replaced
 *			together at each renewal
 */
#ifndef DELEGATE_ENROL_H
#define DELEGATE_ENROL_H

#include "client/http.h"
#include "delegate/answers.h"
#include "delegate/delegate.h"
#include "delegate/home.h"

/* The enrolment of a directory, read back. */
struct enrolment {
	struct str url, name;	      /* of the server; ours */
	struct str delegate, project; /* ids; empty: never joined */
	struct str log_key;
	struct note_key log;
	uint8_t task_key[32];
	struct secret *identity, *sealing, *session;
	uint8_t identity_pk[32], sealing_pk[32];
	struct str certificate; /* PEM; empty: not approved yet */
	int64_t from, until;	/* of it, ms */
	struct str ca;		/* path of ca.pem */
};

/* E_NOT_FOUND: the directory is no delegate's. Texts are in a. */
err enrolment_read(struct arena *a, const char *path, int dir, struct trail *t,
    struct enrolment *ret) MUST_USE;
void enrolment_done(struct enrolment *e);
/* The next session: on the disk, and in e. */
err enrolment_renewed(struct enrolment *e, struct arena *a, int dir,
    const struct secret *key, struct str pem, struct trail *t) MUST_USE;
/* hex(SHA-256(identity || sealing key)) */
void enrolment_fingerprint(const struct enrolment *e, char ret[65]);

/* One request with a JSON body (p NULL: GET); the answer's status and text. */
err ask(struct client *c, const char *method, struct str target,
    struct str body, struct arena *a, struct trail *t, int *ret_status,
    struct str *ret_text) MUST_USE;

#endif
