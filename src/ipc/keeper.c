#include "ipc/keeper.h"

#include "base/mem.h"

/* A keeper that does not answer for this long is broken. */
enum { ANSWER_MS = 10000, ASK_MAX = 4096, ANSWER_MAX = 1024 };

/* One question and its answer; both may hold a key and are wiped. */
struct talk {
	unsigned char ask[ASK_MAX];
	size_t ask_n;
	char answer[ANSWER_MAX];
	struct cur c; /* what is left of the answer */
};

static void
talk_done(struct talk *t)
{
	mem_wipe(t, sizeof *t);
}

static void
ask_bytes(struct talk *t, const void *p, size_t n)
{
	BUG_ON(n > sizeof t->ask - t->ask_n);
	if (n > 0)
		memcpy(t->ask + t->ask_n, p, n);
	t->ask_n += n;
}

static void
ask_be(struct talk *t, uint64_t v, size_t n)
{
	for (size_t i = n; i > 0; i--) {
		unsigned char b = (unsigned char)(v >> 8 * (i - 1));

		ask_bytes(t, &b, 1);
	}
}

/* Send, wait, and take the error code off the answer. */
static err
ask(struct talk *t, const struct ipc_end *e, enum ipc_type q,
    enum ipc_type answer)
{
	struct ipc_msg m;
	uint16_t code;

	TRY(ipc_call(e, q, str_of((char *)t->ask, t->ask_n), answer, ANSWER_MS,
	    t->answer, sizeof t->answer, &m));
	t->c = cur_of(m.body);
	code = cur_be16(&t->c);
	if (t->c.failed || code >= E_MAX_)
		return err_of(E_PEER);
	if (code != E_OK && !cur_end(&t->c))
		return err_of(E_PEER);
	return err_of((enum err_code)code);
}

static err
ended(const struct talk *t)
{
	return err_of(cur_end(&t->c) ? E_OK : E_PEER);
}

err
keeper_key_new(const struct ipc_end *e, uint32_t project, uint32_t version,
    uint8_t ret_key[KEEPER_KEY], struct buf *ret_wrapped)
{
	struct talk t CLEANUP(talk_done) = {0};
	struct str key;

	ask_be(&t, project, 4);
	ask_be(&t, version, 4);
	TRY(ask(&t, e, IPC_KEY_NEW, IPC_KEY_MADE));
	key = cur_view(&t.c, KEEPER_KEY);
	if (t.c.failed || t.c.n == 0)
		return err_of(E_PEER);
	buf_str(ret_wrapped, cur_view(&t.c, t.c.n));
	TRY(buf_check(ret_wrapped));
	memcpy(ret_key, key.p, KEEPER_KEY);
	return OK;
}

err
keeper_key_unwrap(const struct ipc_end *e, uint32_t project, uint32_t version,
    struct str wrapped, uint8_t ret_key[KEEPER_KEY])
{
	struct talk t CLEANUP(talk_done) = {0};
	struct str key;

	if (wrapped.n > sizeof t.ask - 8)
		return err_of(E_CORRUPT);
	ask_be(&t, project, 4);
	ask_be(&t, version, 4);
	ask_bytes(&t, wrapped.p, wrapped.n);
	TRY(ask(&t, e, IPC_KEY_UNWRAP, IPC_KEY_UNWRAPPED));
	key = cur_view(&t.c, KEEPER_KEY);
	TRY(ended(&t));
	memcpy(ret_key, key.p, KEEPER_KEY);
	return OK;
}

err
keeper_key_rewrap(const struct ipc_end *e, uint32_t project, uint32_t version,
    struct str wrapped, struct buf *ret_wrapped)
{
	struct talk t CLEANUP(talk_done) = {0};

	if (wrapped.n > sizeof t.ask - 8)
		return err_of(E_CORRUPT);
	ask_be(&t, project, 4);
	ask_be(&t, version, 4);
	ask_bytes(&t, wrapped.p, wrapped.n);
	TRY(ask(&t, e, IPC_KEY_REWRAP, IPC_KEY_REWRAPPED));
	if (t.c.n == 0)
		return err_of(E_PEER);
	buf_str(ret_wrapped, cur_view(&t.c, t.c.n));
	return buf_check(ret_wrapped);
}

err
keeper_sign(const struct ipc_end *e, uint64_t size,
    const uint8_t root[KEEPER_HASH], const uint8_t (*proof)[KEEPER_HASH],
    size_t n, struct buf *ret_note)
{
	struct talk t CLEANUP(talk_done) = {0};

	if (n > KEEPER_PROOF)
		return err_of(E_INVALID);
	ask_be(&t, size, 8);
	ask_bytes(&t, root, KEEPER_HASH);
	ask_be(&t, n, 1);
	for (size_t i = 0; i < n; i++)
		ask_bytes(&t, proof[i], KEEPER_HASH);
	TRY(ask(&t, e, IPC_SIGN, IPC_SIGNED));
	if (t.c.n == 0)
		return err_of(E_PEER);
	buf_str(ret_note, cur_view(&t.c, t.c.n));
	return buf_check(ret_note);
}

err
keeper_export_sign(const struct ipc_end *e, const uint8_t sha256[KEEPER_HASH],
    uint8_t ret[KEEPER_SIGNATURE])
{
	struct talk t CLEANUP(talk_done) = {0};
	struct str sig;

	ask_bytes(&t, sha256, KEEPER_HASH);
	TRY(ask(&t, e, IPC_EXPORT_SIGN, IPC_EXPORT_SIGNED));
	sig = cur_view(&t.c, KEEPER_SIGNATURE);
	TRY(ended(&t));
	memcpy(ret, sig.p, KEEPER_SIGNATURE);
	return OK;
}

/* A short text: u8 length, printable bytes; NUL-terminated in ret. */
static void
text(struct cur *c, size_t n, char *ret, size_t ret_n)
{
	struct str s = cur_view(c, n);

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			c->failed = true;
	if (c->failed || s.n >= ret_n) {
		c->failed = true;
		return;
	}
	memcpy(ret, s.p, s.n);
	ret[s.n] = '\0';
}

err
keeper_last(const struct ipc_end *e, struct keeper_last *ret)
{
	struct talk t CLEANUP(talk_done) = {0};
	struct keeper_last l = {0};

	TRY(ask(&t, e, IPC_LAST_SIGNED, IPC_LAST));
	l.size = cur_be64(&t.c);
	cur_bytes(&t.c, l.root, sizeof l.root);
	text(&t.c, cur_u8(&t.c), l.origin, sizeof l.origin);
	text(&t.c, cur_u8(&t.c), l.vkey, sizeof l.vkey);
	l.roots = cur_u8(&t.c);
	if (l.roots == 0 || l.roots > sizeof l.root_ids / sizeof *l.root_ids)
		return err_of(E_PEER);
	for (size_t i = 0; i < l.roots; i++)
		text(&t.c, sizeof l.root_ids[i] - 1, l.root_ids[i],
		    sizeof l.root_ids[i]);
	TRY(ended(&t));
	*ret = l;
	return OK;
}

err
keeper_task_sign(const struct ipc_end *e, const struct keeper_task *q,
    uint8_t ret[KEEPER_SIGNATURE])
{
	struct talk t CLEANUP(talk_done) = {0};
	struct str sig;

	ask_bytes(&t, q->task.b, sizeof q->task.b);
	ask_bytes(&t, q->delegate.b, sizeof q->delegate.b);
	ask_be(&t, (uint64_t)q->issued, 8);
	ask_be(&t, (uint64_t)q->expires, 8);
	ask_bytes(&t, q->sha256, sizeof q->sha256);
	TRY(ask(&t, e, IPC_TASK_SIGN, IPC_TASK_SIGNED));
	sig = cur_view(&t.c, KEEPER_SIGNATURE);
	TRY(ended(&t));
	memcpy(ret, sig.p, KEEPER_SIGNATURE);
	return OK;
}

err
keeper_cert_sign(const struct ipc_end *e, const struct keeper_cert *q,
    struct buf *ret_der)
{
	struct talk t CLEANUP(talk_done) = {0};

	ask_bytes(&t, q->delegate.b, sizeof q->delegate.b);
	ask_be(&t, q->epoch, 4);
	ask_bytes(&t, q->key, sizeof q->key);
	ask_be(&t, (uint64_t)q->not_before, 8);
	ask_be(&t, (uint64_t)q->not_after, 8);
	TRY(ask(&t, e, IPC_CERT_SIGN, IPC_CERT_SIGNED));
	if (t.c.n == 0)
		return err_of(E_PEER);
	buf_str(ret_der, cur_view(&t.c, t.c.n));
	return buf_check(ret_der);
}

err
keeper_task_keys(const struct ipc_end *e, struct keeper_task_keys *ret)
{
	struct talk t CLEANUP(talk_done) = {0};
	struct keeper_task_keys k = {.ca_n = 0};

	TRY(ask(&t, e, IPC_TASK_KEYS, IPC_TASK_KEYS_ARE));
	cur_bytes(&t.c, k.task, sizeof k.task);
	if (t.c.failed || t.c.n == 0 || t.c.n > sizeof k.ca)
		return err_of(E_PEER);
	k.ca_n = t.c.n;
	cur_bytes(&t.c, k.ca, k.ca_n);
	*ret = k;
	return OK;
}
