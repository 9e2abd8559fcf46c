/* check.h: the parts of `redoubt check`. */
#ifndef ROLE_CHECK_H
#define ROLE_CHECK_H

#include "base/config.h"
#include "role/datadir.h"
#include "role/keep.h"
#include "role/role.h"

struct checking {
	struct arena *a;
	struct datadir dir;
	const char *data; /* as it was typed */
	struct config config;
	int64_t now;
	struct check_report *r;
};

/* One line of the report. A fix makes it a finding; NULL: all is well. */
void check_say(struct checking *c, const char *check, bool advice,
    const char *fix, const char *fmt, ...) PRINTF(5, 6);

void check_files(struct checking *c);
void check_idp(struct checking *c);  /* check_files.c */
void check_tls(struct checking *c);  /* check_tls.c */
void check_keys(struct checking *c); /* check.c */
void check_store(struct checking *c);
void check_audit(struct checking *c);
void check_confinement(struct checking *c); /* check_files.c */

#endif
