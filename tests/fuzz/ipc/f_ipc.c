/*
 * A hostile peer: the first byte chooses the pair of roles, the rest is sent
 * raw to ipc_recv, then read as an answer by each of the keeper's verbs.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "ipc/keeper.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char buf[LIM_IPC];

static void
verbs(const struct ipc_end *e, unsigned which)
{
	uint8_t key[KEEPER_KEY], hash[1][KEEPER_HASH] = {{0}};
	struct keeper_last last;
	struct buf b;

	buf_init(&b, 1024);
	switch (which % 5) {
	case 0:
		err_ignore(keeper_key_new(e, 1, 1, key, &b), "fuzzed");
		break;
	case 1:
		err_ignore(keeper_key_unwrap(e, 1, 1, STR("w"), key), "fuzzed");
		break;
	case 2:
		err_ignore(keeper_key_rewrap(e, 1, 1, STR("w"), &b), "fuzzed");
		break;
	case 3:
		err_ignore(keeper_sign(e, 1, hash[0],
			       (const uint8_t(*)[KEEPER_HASH])hash, 1, &b),
		    "fuzzed");
		break;
	default:
		if (err_ok(keeper_last(e, &last)))
			BUG_ON(strlen(last.origin) >= sizeof last.origin ||
			    last.roots > 8);
	}
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct ipc_end a, b;
	struct ipc_msg m;
	unsigned how;

	if (n < 2 || n > LIM_IPC)
		return 0;
	how = data[0];
	if (!err_ok(ipc_pair((enum ipc_role)(how % IPC_ROLES),
		(enum ipc_role)(how / IPC_ROLES % IPC_ROLES), &a, &b)))
		return 0;
	(void)send(b.fd, data + 1, n - 1, MSG_NOSIGNAL);
	if (how < 128 && err_ok(ipc_recv(&a, 0, buf, sizeof buf, &m))) {
		BUG_ON(m.fds_n != 0 || m.body.n != n - 1 - 4);
		ipc_msg_drop(&m);
	} else if (how >= 128) {
		/* No wait for an answer that never comes. */
		(void)shutdown(b.fd, SHUT_WR);
		a.self = SERVER;
		a.peer = KEEPER;
		verbs(&a, how);
	}
	(void)close(a.fd);
	(void)close(b.fd);
	return 0;
}
