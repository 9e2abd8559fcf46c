/* keeper.c: the process that holds the root key and the signing seed. */
#include <openssl/crypto.h>
#include <poll.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "role/child.h"
#include "role/keep.h"

/* The last one only for a sealed root key file. */
enum { ROOT_FD, AUDIT_FD, STATE_FD, UNLOCK_FD, FILES };

static char buf[LIM_IPC];

static err
boot(struct keep *k, const struct ipc_end *supervisor,
    const struct ipc_end *server, struct trail *t)
{
	struct confine_plan plan = {.role = CONFINE_KEEPER};
	struct keeper_settings s;
	struct confinement c;
	struct ipc_msg m;
	int keep[FILES + 2];

	TRY(ipc_recv(supervisor, CHILD_BOOT_MS, buf, sizeof buf, &m));
	if (m.type != IPC_KEEPER_CONFIG ||
	    (m.fds_n != FILES && m.fds_n != UNLOCK_FD))
		return err_of(E_PEER);
	if (m.fds_n == UNLOCK_FD)
		m.fds[UNLOCK_FD] = -1;
	TRY(keeper_settings_decode(m.body, &s));
	memcpy(keep, m.fds, sizeof(int) * FILES);
	keep[FILES] = supervisor->fd;
	keep[FILES + 1] = server->fd;
	plan.uid = s.uid;
	plan.gid = s.gid;
	plan.keep = keep;
	plan.keep_n = FILES + 2;
	TRY(confine(&plan, t, &c));
	role_confined(&c, false);
	TRY(keep_open_sealed(k, m.fds[ROOT_FD], m.fds[UNLOCK_FD],
	    m.fds[AUDIT_FD], m.fds[STATE_FD], t));
	(void)close(m.fds[ROOT_FD]);
	if (m.fds[UNLOCK_FD] >= 0)
		(void)close(m.fds[UNLOCK_FD]);
	if (k->torn)
		log_event(LOG_KEYS, KVC("keeper_state", "one slot was torn"));
	return OK;
}

static err
report(const struct ipc_end *to, enum ipc_type type, err e,
    const struct trail *t)
{
	char b[REPORT_MAX];
	size_t n = report_encode(b, e, t);

	return ipc_send(to, type, str_of(b, n), NULL, 0);
}

static err
from_supervisor(struct keep *k, const struct ipc_end *supervisor)
{
	struct trail t = {{0}};
	struct ipc_msg m;
	err e;

	TRY(ipc_recv(supervisor, 0, buf, sizeof buf, &m));
	if (m.type != IPC_ROOT_RELOAD || m.fds_n != 1 || m.body.n != 0) {
		ipc_msg_drop(&m);
		return err_of(E_PEER);
	}
	e = keep_reload(k, m.fds[0], &t);
	ipc_msg_drop(&m);
	return report(supervisor, IPC_ROOT_RELOADED, e, &t);
}

static err
from_server(struct keep *k, const struct ipc_end *server)
{
	struct ipc_msg m;
	err e;

	TRY(ipc_recv(server, 0, buf, sizeof buf, &m));
	e = keep_answer(k, server, &m);
	ipc_msg_drop(&m);
	return e;
}

/* Until either end is gone. */
static err
serve(struct keep *k, const struct ipc_end *supervisor,
    const struct ipc_end *server)
{
	struct pollfd p[2] = {{.fd = supervisor->fd, .events = POLLIN},
	    {.fd = server->fd, .events = POLLIN}};

	for (;;) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[0].revents != 0)
			TRY(from_supervisor(k, supervisor));
		if (p[1].revents != 0)
			TRY(from_server(k, server));
	}
}

int
role_keeper(void)
{
	struct ipc_end supervisor = {CHILD_SUPERVISOR_FD, KEEPER, SUPERVISOR};
	struct ipc_end server = {CHILD_PEER_FD, KEEPER, SERVER};
	struct trail t = {{0}};
	struct keep k;
	err e, sent;

	/* No file of the system has a say in this process. */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	e = boot(&k, &supervisor, &server, &t);
	sent = report(&supervisor, IPC_KEEPER_READY, e, &t);
	if (!err_ok(e))
		return err_exit(e);
	if (err_ok(sent))
		e = serve(&k, &supervisor, &server);
	keep_close(&k);
	if (err_is(e, E_UNAVAILABLE))
		return 0;
	log_event(LOG_IPC, KVE("error", e));
	return err_exit(e);
}
