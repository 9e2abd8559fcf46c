/* keep_verbs.c: the questions of ipc.def, one function each. */
#include "audit/manifest.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/time.h"
#include "ipc/keeper.h"
#include "role/keep_inner.h"

/*
 * An honest server unwraps every project key once at its start and signs a
 * few times a second; a server that was taken over is no faster.
 */
enum {
	KEYS_BURST = 4 * LIM_PROJECTS,
	KEYS_SECOND = 200,
	SIGNS_BURST = 200,
	SIGNS_SECOND = 100,
	EXPORTS_BURST = 60,
	EXPORTS_SECOND = 4,
};

static void
answer_done(struct answer *a)
{
	arena_done(&a->arena);
	mem_wipe(a->b, sizeof a->b);
}

void
answer_add(struct answer *a, const void *p, size_t n)
{
	BUG_ON(n > sizeof a->b - a->n);
	if (n > 0)
		memcpy(a->b + a->n, p, n);
	a->n += n;
}

static void
add_u8(struct answer *a, size_t v)
{
	uint8_t b = (uint8_t)v;

	BUG_ON(v > UINT8_MAX);
	answer_add(a, &b, 1);
}

err
keep_reply(const struct ipc_end *to, enum ipc_type type, err e,
    struct answer *a)
{
	char b[KEEP_ANSWER + 2] = {(char)(e.code >> 8), (char)e.code};
	size_t n = err_ok(e) ? a->n : 0;
	err sent;

	if (n > 0)
		memcpy(b + 2, a->b, n);
	sent = ipc_send(to, type, str_of(b, n + 2), NULL, 0);
	mem_wipe(b, sizeof b);
	return sent;
}

err
keep_take(struct bucket *b, double burst, double second)
{
	int64_t now = time_mono_us();

	if (b->at_us == 0)
		b->left = burst;
	else
		b->left += (double)(now - b->at_us) * second / 1e6;
	if (b->left > burst)
		b->left = burst;
	b->at_us = now;
	if (b->left < 1)
		return err_of(E_RATE);
	b->left -= 1;
	return OK;
}

/* ---- project keys ---- */

struct key_ask {
	uint32_t project, version;
	struct stored wrapped;
};

static bool
key_ask(struct str body, bool with_wrapped, struct key_ask *ret)
{
	struct cur c = cur_of(body);

	ret->project = cur_be32(&c);
	ret->version = cur_be32(&c);
	ret->wrapped.bytes = cur_view(&c, with_wrapped ? c.n : 0);
	return cur_end(&c) && (ret->wrapped.bytes.n > 0) == with_wrapped;
}

static err
wrapped_add(struct keep *k, const struct key_ask *q,
    const uint8_t key[KEEPER_KEY], struct answer *a)
{
	struct sealed s;

	TRY(root_wrap(k->roots, q->project, q->version, key, &a->arena, &s));
	if (s.bytes.n > KEEP_ANSWER - a->n)
		return err_of(E_INTERNAL);
	answer_add(a, s.bytes.p, s.bytes.n);
	return OK;
}

static err
key_unwrap(struct keep *k, const struct key_ask *q, struct answer *a)
{
	uint8_t key[KEEPER_KEY];

	TRY(keep_take(&k->keys, KEYS_BURST, KEYS_SECOND));
	TRY(root_unwrap(k->roots, q->project, q->version, q->wrapped, key));
	answer_add(a, key, sizeof key);
	mem_wipe(key, sizeof key);
	return OK;
}

static err
key_new(struct keep *k, const struct key_ask *q, struct answer *a)
{
	struct secret *key = NULL;
	err e;

	TRY(keep_take(&k->keys, KEYS_BURST, KEYS_SECOND));
	TRY(secret_new(&key));
	rand_bytes(secret_bytes(key), SECRET_SIZE);
	answer_add(a, secret_view(key), SECRET_SIZE);
	e = wrapped_add(k, q, secret_view(key), a);
	(void)secret_free(key);
	return e;
}

static err
key_rewrap(struct keep *k, const struct key_ask *q, struct answer *a)
{
	uint8_t key[KEEPER_KEY];
	err e;

	TRY(keep_take(&k->keys, KEYS_BURST, KEYS_SECOND));
	TRY(root_unwrap(k->roots, q->project, q->version, q->wrapped, key));
	e = wrapped_add(k, q, key, a);
	mem_wipe(key, sizeof key);
	return e;
}

/* ---- checkpoints ---- */

struct sign_ask {
	struct checkpoint next;
	struct hash proof[KEEPER_PROOF];
	size_t n;
};

static bool
sign_ask(struct str body, struct sign_ask *ret)
{
	struct cur c = cur_of(body);

	ret->next.size = cur_be64(&c);
	cur_bytes(&c, ret->next.root.b, HASH_SIZE);
	ret->n = cur_u8(&c);
	if (ret->n > KEEPER_PROOF)
		return false;
	for (size_t i = 0; i < ret->n; i++)
		cur_bytes(&c, ret->proof[i].b, HASH_SIZE);
	return cur_end(&c);
}

/* The origin is ours to say. */
static err
sign(struct keep *k, struct sign_ask *q, struct answer *a)
{
	struct buf note;

	TRY(keep_take(&k->signs, SIGNS_BURST, SIGNS_SECOND));
	memcpy(q->next.origin, k->last.origin, sizeof q->next.origin);
	buf_init_on(&note, &a->arena, KEEP_ANSWER - 2);
	TRY(keep_sign(k, &q->next, q->proof, q->n, &note));
	TRY(buf_check(&note));
	answer_add(a, note.p, note.n);
	return OK;
}

static err
last(struct keep *k, struct answer *a)
{
	size_t name = strlen(k->last.origin), n = root_count(k->roots);
	uint8_t size[8];
	struct buf vkey;

	for (size_t i = 0; i < 8; i++)
		size[i] = (uint8_t)(k->last.size >> 8 * (7 - i));
	answer_add(a, size, sizeof size);
	answer_add(a, k->last.root.b, HASH_SIZE);
	add_u8(a, name);
	answer_add(a, k->last.origin, name);
	buf_init_on(&vkey, &a->arena, UINT8_MAX);
	note_key_text(&k->key, &vkey);
	TRY(buf_check(&vkey));
	add_u8(a, vkey.n);
	answer_add(a, vkey.p, vkey.n);
	add_u8(a, n);
	for (size_t i = 0; i < n; i++) {
		char id[ROOT_ID_TEXT + 1];

		root_id(k->roots, i, id);
		answer_add(a, id, ROOT_ID_TEXT);
	}
	return OK;
}

/*
 * The keeper knows nothing of the export: it says that the server it serves
 * made this manifest.  What stands before the digest makes it no checkpoint,
 * no task and no certificate.
 */
static err
export_sign(struct keep *k, struct str body, struct answer *a)
{
	uint8_t statement[MANIFEST_STATEMENT], sig[MANIFEST_SIG];
	struct hash digest;

	TRY(keep_take(&k->exports, EXPORTS_BURST, EXPORTS_SECOND));
	memcpy(digest.b, body.p, sizeof digest.b);
	manifest_statement(&digest, statement);
	TRY(keep_ed25519(secret_view(k->seed), statement, sizeof statement,
	    sig));
	answer_add(a, sig, sizeof sig);
	return OK;
}

/* ---- the questions ---- */

static err
answer_sign(struct keep *k, const struct ipc_end *to, struct str body,
    struct answer *a)
{
	struct sign_ask q = {0};

	if (!sign_ask(body, &q))
		return err_of(E_PEER);
	return keep_reply(to, IPC_SIGNED, sign(k, &q, a), a);
}

static err
answer(struct keep *k, const struct ipc_end *to, const struct ipc_msg *m,
    struct answer *a)
{
	bool with = m->type == IPC_KEY_UNWRAP || m->type == IPC_KEY_REWRAP;
	struct key_ask q;

	if (m->type == IPC_TASK_SIGN || m->type == IPC_CERT_SIGN ||
	    m->type == IPC_TASK_KEYS)
		return keep_answer_task(k, to, m, a);
	if (m->type == IPC_SIGN)
		return answer_sign(k, to, m->body, a);
	if (m->type == IPC_EXPORT_SIGN)
		return m->body.n != HASH_SIZE
		    ? err_of(E_PEER)
		    : keep_reply(to, IPC_EXPORT_SIGNED,
			  export_sign(k, m->body, a), a);
	if (m->type == IPC_LAST_SIGNED)
		return m->body.n != 0 ? err_of(E_PEER)
				      : keep_reply(to, IPC_LAST, last(k, a), a);
	if (!key_ask(m->body, with, &q))
		return err_of(E_PEER);
	switch (m->type) {
	case IPC_KEY_UNWRAP:
		return keep_reply(to, IPC_KEY_UNWRAPPED, key_unwrap(k, &q, a),
		    a);
	case IPC_KEY_NEW:
		return keep_reply(to, IPC_KEY_MADE, key_new(k, &q, a), a);
	case IPC_KEY_REWRAP:
		return keep_reply(to, IPC_KEY_REWRAPPED, key_rewrap(k, &q, a),
		    a);
	default:
		return err_of(E_PEER);
	}
}

err
keep_answer(struct keep *k, const struct ipc_end *server,
    const struct ipc_msg *m)
{
	struct answer a CLEANUP(answer_done) = {.n = 0};

	arena_init(&a.arena, 65536);
	return answer(k, server, m, &a);
}
