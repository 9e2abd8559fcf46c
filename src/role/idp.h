/*
 * idp.h: the idp role: one process that the supervisor starts, which reads
 * nothing itself and forks two kinds of others.
 *
 *	supervisor ── fd 3 ── idp ──── saml	one for each document, thrown
 *	    │		     │  ╲		away
 *	    └─ a pair ── egress  4 links	may connect; ended and started
 *			     ╲   ╲		anew when idp.conf changes
 *			      ── server
 *
 * Documents come over IDP_LINKS links from the server; they are passed on
 * unread.  The child that reads one has read(2), write(2) and memory, and
 * answers into a pipe; what it says counts only when it ended well.  The
 * egress gets idp.conf from the supervisor over a pair of its own, so that
 * no credential is ever in this process or in a child that reads documents.
 */
#ifndef ROLE_IDP_H
#define ROLE_IDP_H

#include "confine/confine.h"
#include "ipc/idp.h"

int role_idp(void);

/* idp_egress.c: never returns. link: the ends to the server. */
_Noreturn void egress_run(struct ipc_end supervisor,
    const struct ipc_end link[IDP_LINKS], const struct confinement *parent);

/* idp_saml.c: never returns. text: what idpwire.h calls all parts of a
 * document. The answer is written to `to`. */
_Noreturn void document_run(struct str text, int to,
    const struct confinement *parent);
/* What libraries set up once, before they are forked. */
void document_warm(void);

#endif
