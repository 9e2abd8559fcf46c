/*
 * A server that was taken over talks to a keeper: any messages, and all the
 * while what was signed last never shrinks and never changes at one size.
 */
#include <sys/socket.h>
#include <unistd.h>

#include <stdlib.h>

#include "base/limits.h"
#include "role/keep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct keep k;
static struct ipc_end srv, kpr;

static int
temp(struct str text)
{
	char path[] = "/tmp/f_keep.XXXXXX";
	int fd = mkstemp(path);

	BUG_ON(fd < 0 || unlink(path) != 0);
	BUG_ON(pwrite(fd, text.p, text.n, 0) != (ssize_t)text.n);
	return fd;
}

static void
install(void)
{
	struct root_keys *roots;
	struct trail t = {{0}};
	struct buf b;
	int root, audit = temp(STR("")), state = temp(STR(""));

	buf_init(&b, 4096);
	BUG_ON(!err_ok(root_generate(&b)));
	root = temp(buf_view(&b));
	BUG_ON(!err_ok(root_parse(buf_view(&b), &t, &roots)));
	BUG_ON(!err_ok(keep_make(roots, STR("fuzz/1"), audit, state, &t)));
	BUG_ON(!err_ok(keep_open(&k, root, audit, state, &t)));
	(void)root_free(roots);
	buf_done(&b);
	(void)close(root);
	BUG_ON(!err_ok(ipc_pair(SERVER, KEEPER, &srv, &kpr)));
}

/* One message: u8 type, u16 length, body. */
static void
message(struct cur *c)
{
	static const enum ipc_type type[] = {IPC_KEY_UNWRAP, IPC_KEY_NEW,
	    IPC_KEY_REWRAP, IPC_SIGN, IPC_LAST_SIGNED, IPC_TASK_SIGN,
	    IPC_CERT_SIGN, IPC_TASK_KEYS};
	static char buf[LIM_IPC];
	struct checkpoint before = k.last;
	struct ipc_msg m = {.type = type[cur_u8(c) % 8]}, answer;
	size_t n = cur_be16(c) % 4096;

	m.body = cur_view(c, n < c->n ? n : c->n);
	k.keys.at_us = k.signs.at_us = k.tasks.at_us = k.certs.at_us =
	    0; /* rations are not the question */
	if (err_ok(keep_answer(&k, &kpr, &m)))
		BUG_ON(!err_ok(ipc_recv(&srv, 0, buf, sizeof buf, &answer)));
	BUG_ON(k.last.size < before.size);
	BUG_ON(k.last.size == before.size &&
	    memcmp(k.last.root.b, before.root.b, HASH_SIZE) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cur c = cur_of(str_of((const char *)data, n));

	if (k.seed == NULL)
		install();
	while (c.n > 3)
		message(&c);
	return 0;
}
