/*
 * plan.h: everything the supervisor works out and opens before anything is
 * started, so that what can be wrong is told before it matters.
 */
#ifndef ROLE_PLAN_H
#define ROLE_PLAN_H

#include "base/config.h"
#include "egress/provider.h"
#include "role/datadir.h"
#include "role/role.h"
#include "role/sockets.h"

struct plan {
	struct arena arena;
	struct config config;
	struct datadir dir;
	struct server_settings server;
	struct keeper_settings keeper;
	struct idp_settings idp;
	const char *cert_path, *key_path;
	int lock;
	int listen[SETTINGS_LISTEN];
	char bound[SETTINGS_LISTEN][BOUND_MAX];
	char url[BOUND_MAX + 8];
	int cert, key, control;
	int notify; /* the service manager; -1: there is none */
	int root, audit, state;
	bool root_sealed;		     /* the root key file is */
	char root_sources[SETTINGS_SOURCES]; /* what opens it */
};

/* Who is to blame stands in the trail.  All but plan_files. */
err plan_make(struct plan *p, const struct serve_options *o,
    struct trail *t) MUST_USE;
/* Certificate, key and the keeper's files, as they are now; closed again by
 * whoever does not hand them over. */
err plan_files(struct plan *p, struct trail *t) MUST_USE;
void plan_files_close(struct plan *p);
/* Certificate and key, for the start and for a reload. */
err plan_tls(const struct plan *p, struct trail *t, int *ret_cert,
    int *ret_key) MUST_USE;
/* DIR/idp.conf and what it names. */
struct idp_plan {
	bool given; /* the file exists */
	struct arena arena;
	struct provider_conf conf;
	int ca[IDP_PROVIDERS], credential[IDP_PROVIDERS]; /* -1: none */
};

/* Read it anew.  Without the file: *ret says so.  E_CONFIG and others, with
 * a trail; nothing is left open then. */
err plan_idp(const struct plan *p, struct trail *t,
    struct idp_plan *ret) MUST_USE;
err plan_idp_of(const struct datadir *d, struct trail *t,
    struct idp_plan *ret) MUST_USE;
void idp_plan_close(struct idp_plan *p); /* given stays */
/* redoubt.conf over the defaults; path NULL: DIR/redoubt.conf if it is
 * there. */
err plan_config(const struct datadir *d, const char *path, struct arena *a,
    struct trail *t, struct config *ret) MUST_USE;
/* Close what was handed over. */
void plan_given(struct plan *p);

#endif
