/*
 * settings.h: what the supervisor tells its children when it starts them:
 * the bodies of IPC_CONFIG, IPC_KEEPER_CONFIG and IPC_IDP_CONFIG.
 * Big-endian fields in the order below, text as u16 length and bytes; read by
 * exact consumption.
 */
#ifndef IPC_SETTINGS_H
#define IPC_SETTINGS_H

#include "base/buf.h"

enum {
	SETTINGS_MAX = 16384,
	SETTINGS_LISTEN = 8,
	SETTINGS_PROXIES = 8,
	SETTINGS_SOURCES = 128,
};

/*
 * Descriptors that come with it, in this order: listen_n listening sockets,
 * certificate chain, private key, lock of the directory, control socket,
 * IDP_LINKS links to the idp role (idp.h).  A sealed server gets neither of
 * the last two, and has no store.
 */
struct server_settings {
	uint32_t uid, gid; /* to become when started by root; 0 = stay */
	uint32_t reactors; /* 1 .. 64 */
	uint32_t readers;  /* 1 .. 64 */
	bool log_requests;
	bool root_near; /* the root key file is open, on the store's disk */
	bool sealed;	/* there is no key: refuse everything */
	const char *store_dir; /* absolute: DIR/db, all the server may touch */
	struct str url;	       /* "https://127.0.0.1:8443", as printed */
	struct str sources;    /* kinds that open the root key file; "plain" */
	struct str public_url; /* what clients use; same as url if not set */
	size_t listen_n;       /* 1 .. SETTINGS_LISTEN */
	struct str listen[SETTINGS_LISTEN]; /* "127.0.0.1:8443", as bound */
	bool last_certs; /* the last one demands client certificates */
	size_t proxies_n;
	struct str proxies[SETTINGS_PROXIES]; /* CIDR blocks */
};

enum { SETTINGS_THREADS = 64 };

void server_settings_encode(struct buf *b, const struct server_settings *s);
/* E_PEER unless the text is exactly what encode writes.  Copies into a. */
err server_settings_decode(struct arena *a, struct str in,
    struct server_settings *ret) MUST_USE;

/* Descriptors: root key file, audit key file, state file. */
struct keeper_settings {
	uint32_t uid, gid;
};

void keeper_settings_encode(struct buf *b, const struct keeper_settings *s);
err keeper_settings_decode(struct str in, struct keeper_settings *ret) MUST_USE;

/* Descriptors: the server's links for documents. */
struct idp_settings {
	uint32_t uid, gid;
	bool egress; /* there is an idp.conf: somebody may connect */
};

void idp_settings_encode(struct buf *b, const struct idp_settings *s);
err idp_settings_decode(struct str in, struct idp_settings *ret) MUST_USE;

/*
 * An error and one sentence about it: IPC_KEEPER_READY, IPC_ROOT_RELOADED,
 * IPC_ROOT_RELOAD_DONE, IPC_IDP_READY, IPC_EGRESS_READY.  u16 code, then the
 * text of the trail.
 */
enum { REPORT_MAX = 2 + sizeof(struct trail) };
size_t report_encode(char ret[REPORT_MAX], err e, const struct trail *t);
err report_decode(struct str in, struct trail *ret_t, err *ret) MUST_USE;

#endif
