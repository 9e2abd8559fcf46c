/*
 * keep_tasks.c: the keeper's part in automation: a signature under a task, a
 * certificate for a delegate, the public halves of both keys.  The two keys
 * are derived from the audit seed, each under a label of its own, so they
 * need no file, and a signature of one means nothing as one of another.
 *
 * What is signed has a fixed form, is about now and ends soon: a server that
 * was taken over can get signatures while it is, and none to keep.
 */
#include "base/text.h"
#include "base/time.h"
#include "role/keep_inner.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum {
	TASKS_BURST = 1000,
	TASKS_SECOND = 200,
	CERTS_BURST = 1100, /* every delegate at once after an outage */
	CERTS_SECOND = 5,
	TASK_LIFE_MS = 600000,
	CERT_LIFE_MS = 86400000,
	NOW_MS = 300000, /* how far from now a time may be */
	SHA = 32,
};

/* RFC 5869 with SHA-256, no salt, one block. */
static err
derive(const struct secret *seed, const char *label, struct secret **ret)
{
	static const uint8_t salt[SHA];
	uint8_t prk[SHA], info[64];
	size_t n = strlen(label);
	unsigned got = 0;
	bool ok;

	BUG_ON(n >= sizeof info);
	memcpy(info, label, n);
	info[n] = 1;
	TRY(secret_new(ret));
	ok = HMAC(EVP_sha256(), salt, sizeof salt, secret_view(seed),
		 SECRET_SIZE, prk, &got) != NULL &&
	    got == SHA &&
	    HMAC(EVP_sha256(), prk, sizeof prk, info, n + 1, secret_bytes(*ret),
		&got) != NULL &&
	    got == SECRET_SIZE;
	mem_wipe(prk, sizeof prk);
	return err_of(ok ? E_OK : E_CRYPTO);
}

err
keep_tasks_open(struct keep *k)
{
	TRY(derive(k->seed, "redoubt task key 1", &k->task_seed));
	return derive(k->seed, "redoubt delegate ca 1", &k->ca_seed);
}

static bool
about_now(int64_t ms)
{
	int64_t now = time_now_ms();

	return ms >= now - NOW_MS && ms <= now + NOW_MS;
}

/* ---- tasks ---- */

struct task_ask {
	struct uuid task, delegate;
	int64_t issued, expires;
	uint8_t sha256[SHA];
};

static bool
task_ask(struct str body, struct task_ask *ret)
{
	struct cur c = cur_of(body);
	uint64_t issued, expires;

	cur_bytes(&c, ret->task.b, sizeof ret->task.b);
	cur_bytes(&c, ret->delegate.b, sizeof ret->delegate.b);
	issued = cur_be64(&c);
	expires = cur_be64(&c);
	cur_bytes(&c, ret->sha256, SHA);
	if (!cur_end(&c) || issued > INT64_MAX || expires > INT64_MAX)
		return false;
	ret->issued = (int64_t)issued;
	ret->expires = (int64_t)expires;
	return true;
}

static err
task_sign(struct keep *k, const struct task_ask *q, struct answer *a)
{
	char task[UUID_TEXT + 1], delegate[UUID_TEXT + 1];
	uint8_t sig[64];
	struct buf b;

	if (!about_now(q->issued) || q->expires <= q->issued ||
	    q->expires - q->issued > TASK_LIFE_MS)
		return err_of(E_INVALID);
	TRY(keep_take(&k->tasks, TASKS_BURST, TASKS_SECOND));
	uuid_text(&q->task, task);
	uuid_text(&q->delegate, delegate);
	buf_init_on(&b, &a->arena, 1024);
	buf_fmt(&b, "redoubt-task/1\n%s\n%s\n%s\n%lld\n%lld\n", k->last.origin,
	    task, delegate, (long long)q->issued, (long long)q->expires);
	hex_add(&b, str_of((const char *)q->sha256, SHA));
	buf_char(&b, '\n');
	TRY(buf_check(&b));
	TRY(keep_ed25519(secret_view(k->task_seed), b.p, b.n, sig));
	answer_add(a, sig, sizeof sig);
	return OK;
}

/* ---- certificates ---- */

static bool
cert_ask(struct str body, struct cert_ask *ret)
{
	struct cur c = cur_of(body);
	uint64_t before, after;

	cur_bytes(&c, ret->delegate.b, sizeof ret->delegate.b);
	ret->epoch = cur_be32(&c);
	cur_bytes(&c, ret->key, CERT_KEY);
	before = cur_be64(&c);
	after = cur_be64(&c);
	if (!cur_end(&c) || before > INT64_MAX || after > INT64_MAX)
		return false;
	ret->not_before = (int64_t)before;
	ret->not_after = (int64_t)after;
	return true;
}

static err
cert_sign(struct keep *k, const struct cert_ask *q, struct answer *a)
{
	struct buf der;

	if (!about_now(q->not_before) || q->not_after <= q->not_before ||
	    q->not_after - q->not_before > CERT_LIFE_MS)
		return err_of(E_INVALID);
	TRY(keep_take(&k->certs, CERTS_BURST, CERTS_SECOND));
	buf_init_on(&der, &a->arena, CERT_DER_MAX);
	TRY(keep_cert_delegate(secret_view(k->ca_seed), q, &der));
	answer_add(a, der.p, der.n);
	return OK;
}

static err
keys(struct keep *k, struct answer *a)
{
	uint8_t pub[CERT_KEY];
	struct buf der;

	TRY(keep_ed25519_public(secret_view(k->task_seed), pub));
	buf_init_on(&der, &a->arena, CERT_DER_MAX);
	TRY(keep_cert_ca(secret_view(k->ca_seed), &der));
	answer_add(a, pub, sizeof pub);
	answer_add(a, der.p, der.n);
	return OK;
}

err
keep_answer_task(struct keep *k, const struct ipc_end *to,
    const struct ipc_msg *m, struct answer *a)
{
	struct task_ask t;
	struct cert_ask c;

	switch ((int)m->type) {
	case IPC_TASK_SIGN:
		return task_ask(m->body, &t)
		    ? keep_reply(to, IPC_TASK_SIGNED, task_sign(k, &t, a), a)
		    : err_of(E_PEER);
	case IPC_CERT_SIGN:
		return cert_ask(m->body, &c)
		    ? keep_reply(to, IPC_CERT_SIGNED, cert_sign(k, &c, a), a)
		    : err_of(E_PEER);
	default:
		return m->body.n == 0
		    ? keep_reply(to, IPC_TASK_KEYS_ARE, keys(k, a), a)
		    : err_of(E_PEER);
	}
}
