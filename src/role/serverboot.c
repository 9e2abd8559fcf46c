#include "role/serverboot.h"

#include <openssl/ssl.h>

#include "base/limits.h"
#include "role/child.h"
#include "store/store.h"

static char buf[LIM_IPC];

/* What libraries read from the system once, they read before the doors
 * close: SQLite its seed, OpenSSL nothing. */
static void
warm(void)
{
	(void)OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG |
		OPENSSL_INIT_LOAD_SSL_STRINGS |
		OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
	    NULL);
	store_warm();
}

static err
received(struct server_boot *b)
{
	struct ipc_msg m;
	size_t n;

	TRY(ipc_recv(&b->supervisor, CHILD_BOOT_MS, buf, sizeof buf, &m));
	if (m.type != IPC_CONFIG)
		return err_of(E_PEER);
	TRY(server_settings_decode(&b->arena, m.body, &b->settings));
	n = b->settings.listen_n;
	if (m.fds_n != n + 3 + (b->settings.sealed ? 0 : 1 + IDP_LINKS))
		return err_of(E_PEER);
	memcpy(b->listen, m.fds, sizeof(int) * n);
	b->listen_n = n;
	b->tls_cert = m.fds[n];
	b->tls_key = m.fds[n + 1];
	b->lock = m.fds[n + 2];
	b->control = -1;
	if (b->settings.sealed)
		return OK;
	b->control = m.fds[n + 3];
	memcpy(b->idp, m.fds + n + 4, sizeof b->idp);
	return OK;
}

static err
confined(struct server_boot *b, struct trail *t)
{
	int keep[SETTINGS_LISTEN + 6 + IDP_LINKS];
	size_t n = b->listen_n;
	struct confine_plan plan = {
	    .role = CONFINE_SERVER,
	    .uid = b->settings.uid,
	    .gid = b->settings.gid,
	    .data_dir = b->settings.sealed ? NULL : b->settings.store_dir,
	    .keep = keep,
	    .keep_n = n + 5,
	};

	memcpy(keep, b->listen, sizeof(int) * n);
	keep[n++] = b->tls_cert;
	keep[n++] = b->tls_key;
	keep[n++] = b->lock;
	keep[n++] = b->supervisor.fd;
	keep[n++] = b->keeper.fd;
	if (!b->settings.sealed) {
		keep[n++] = b->control;
		memcpy(keep + n, b->idp, sizeof b->idp);
		plan.keep_n += 1 + IDP_LINKS;
	}
	return confine(&plan, t, &b->confined);
}

err
server_boot(struct server_boot *ret, struct trail *t)
{
	struct server_boot b = {
	    .supervisor = {CHILD_SUPERVISOR_FD, SERVER, SUPERVISOR},
	    .keeper = {CHILD_PEER_FD, SERVER, KEEPER},
	};

	arena_init(&b.arena, 65536);
	warm();
	TRY(received(&b));
	TRY(confined(&b, t));
	role_confined(&b.confined, false);
	*ret = b;
	return OK;
}

err
server_told(const struct server_boot *b, struct ipc_msg *ret)
{
	return ipc_recv(&b->supervisor, 0, buf, sizeof buf, ret);
}

err
server_ready(const struct server_boot *b)
{
	return ipc_send(&b->supervisor, IPC_READY, STR(""), NULL, 0);
}
