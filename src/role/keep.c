#include "role/keep.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "role/datadir.h"
#include "role/keep_inner.h"
#include "role/slots.h"
#include "seal/rootseal.h"

enum { MAC = 32, STATE_MAX = 8 + HASH_SIZE + 1 + NOTE_NAME_MAX + MAC };

_Static_assert((int)STATE_MAX <= (int)SLOT_DATA, "the state fits a slot");

/* ---- the state: u64 size, root, u8 n, origin, MAC ---- */

static err
state_mac(const struct secret *seed, const uint8_t *p, size_t n,
    uint8_t ret[MAC])
{
	static const char label[] = "redoubt keeper state 1";
	unsigned char b[sizeof label + STATE_MAX];
	unsigned len = 0;

	memcpy(b, label, sizeof label);
	memcpy(b + sizeof label, p, n);
	if (HMAC(EVP_sha256(), secret_view(seed), SECRET_SIZE, b,
		sizeof label + n, ret, &len) == NULL ||
	    len != MAC)
		return err_of(E_CRYPTO);
	return OK;
}

static err
state_text(const struct secret *seed, const struct checkpoint *c,
    uint8_t ret[STATE_MAX], size_t *ret_n)
{
	size_t name = strlen(c->origin), n = 8 + HASH_SIZE + 1 + name;

	for (size_t i = 0; i < 8; i++)
		ret[i] = (uint8_t)(c->size >> 8 * (7 - i));
	memcpy(ret + 8, c->root.b, HASH_SIZE);
	ret[8 + HASH_SIZE] = (uint8_t)name;
	memcpy(ret + 8 + HASH_SIZE + 1, c->origin, name);
	TRY(state_mac(seed, ret, n, ret + n));
	*ret_n = n + MAC;
	return OK;
}

static err
state_parse(const struct secret *seed, const struct slot *s,
    struct checkpoint *ret)
{
	struct cur c = cur_of(str_of((const char *)s->data, s->n));
	struct checkpoint p = {.size = cur_be64(&c)};
	uint8_t want[MAC];
	struct str name, mac;

	cur_bytes(&c, p.root.b, HASH_SIZE);
	name = cur_view(&c, cur_u8(&c));
	mac = cur_view(&c, MAC);
	if (!cur_end(&c) || name.n == 0 || name.n >= sizeof p.origin)
		return err_of(E_CORRUPT);
	TRY(state_mac(seed, s->data, s->n - MAC, want));
	if (!ct_eq(mac.p, want, MAC))
		return err_of(E_WRONG_KEY);
	memcpy(p.origin, name.p, name.n);
	*ret = p;
	return OK;
}

static err
state_write(struct keep *k, const struct checkpoint *c)
{
	uint8_t b[STATE_MAX];
	size_t n;

	TRY(state_text(k->seed, c, b, &n));
	TRY(slots_write(k->state_fd, &k->state_counter, str_of((char *)b, n)));
	k->last = *c;
	return OK;
}

/* ---- opening ---- */

static err
roots_unseal(struct str file, const struct secret *unlock, struct trail *t,
    struct root_keys **ret)
{
	struct buf b = {.max = SECRET_FILE_MAX};
	struct root_sealed r;
	struct arena a;
	err e;

	if (unlock == NULL) {
		trail_set(t, "the root key file is sealed");
		return err_of(E_SEALED);
	}
	arena_init(&a, LIM_UNLOCK_ARENA);
	e = root_sealed_parse(&a, file, t, &r);
	if (err_ok(e)) {
		e = root_sealed_open(&a, &r, unlock, &b);
		if (err_ok(e))
			e = root_parse(buf_view(&b), t, ret);
		else
			trail_set(t, "root key file: %s", err_text(e));
	}
	buf_wipe(&b);
	arena_done(&a);
	return e;
}

static err
roots_read(int fd, const struct secret *unlock, struct trail *t,
    struct root_keys **ret)
{
	struct buf b;
	err e = fd_read_all(fd, SECRET_FILE_MAX, &b);

	if (!err_ok(e))
		trail_set(t, "root key file: cannot be read");
	else if (root_is_sealed(buf_view(&b)))
		e = roots_unseal(buf_view(&b), unlock, t, ret);
	else
		e = root_parse(buf_view(&b), t, ret);
	buf_wipe(&b);
	return e;
}

/* The newest slot that a key of ours opens: a rotation may have been cut
 * short between the two. */
static err
seed_read(const struct root_keys *roots, int fd, struct secret *seed,
    uint64_t *ret_counter)
{
	struct slot s[2];
	err e;

	TRY(slots_read(fd, s));
	for (size_t i = 0; i < 2; i++) {
		struct stored st = {str_of((char *)s[i].data, s[i].n)};

		if (s[i].counter == 0)
			continue;
		e = root_open_seed(roots, st, secret_bytes(seed));
		if (err_ok(e)) {
			*ret_counter = s[0].counter;
			return OK;
		}
	}
	return e;
}

static err
state_read(struct keep *k, struct trail *t)
{
	struct slot s[2];
	err e = slots_read(k->state_fd, s);

	if (err_ok(e))
		e = state_parse(k->seed, &s[0], &k->last);
	if (!err_ok(e)) {
		trail_set(t, "keeper.state: %s", err_text(e));
		return e;
	}
	k->state_counter = s[0].counter;
	k->torn = s[1].counter == 0;
	if (k->torn || !err_ok(state_parse(k->seed, &s[1], &k->before)))
		k->before.size = 0;
	return OK;
}

static err
opened(struct keep *k, int root_fd, struct trail *t)
{
	err e;

	TRY(roots_read(root_fd, k->unlock, t, &k->roots));
	TRY(secret_new(&k->seed));
	e = seed_read(k->roots, k->audit_fd, k->seed, &k->audit_counter);
	if (!err_ok(e)) {
		trail_set(t, "audit.key: %s", err_text(e));
		return e;
	}
	TRY(state_read(k, t));
	TRY(keep_tasks_open(k));
	return note_key_of(str_c(k->last.origin), secret_view(k->seed),
	    &k->key);
}

/* Exactly the bytes of a key. */
static err
unlock_read(struct keep *k, int fd)
{
	struct buf b;
	err e;

	if (fd < 0)
		return OK;
	TRY(secret_new(&k->unlock));
	e = fd_read_all(fd, SECRET_SIZE, &b);
	if (err_ok(e) && b.n != SECRET_SIZE)
		e = err_of(E_PEER);
	if (err_ok(e))
		memcpy(secret_bytes(k->unlock), b.p, SECRET_SIZE);
	buf_wipe(&b);
	return e;
}

err
keep_open_sealed(struct keep *k, int root_fd, int unlock_fd, int audit_fd,
    int state_fd, struct trail *t)
{
	err e;

	*k = (struct keep){.audit_fd = audit_fd, .state_fd = state_fd};
	e = unlock_read(k, unlock_fd);
	if (err_ok(e))
		e = opened(k, root_fd, t);
	if (!err_ok(e))
		keep_close(k);
	return e;
}

err
keep_open(struct keep *k, int root_fd, int audit_fd, int state_fd,
    struct trail *t)
{
	return keep_open_sealed(k, root_fd, -1, audit_fd, state_fd, t);
}

void
keep_close(struct keep *k)
{
	k->seed = secret_free(k->seed);
	k->task_seed = secret_free(k->task_seed);
	k->ca_seed = secret_free(k->ca_seed);
	k->unlock = secret_free(k->unlock);
	if (k->roots != NULL)
		k->roots = root_free(k->roots);
}

/* ---- making ---- */

static err
seed_write(const struct root_keys *roots, const struct secret *seed, int fd,
    uint64_t *counter)
{
	struct sealed s;
	struct arena a;
	err e;

	arena_init(&a, 65536);
	e = root_seal_seed(roots, secret_view(seed), &a, &s);
	if (err_ok(e) && *counter == 0) {
		e = slots_make(fd, s.bytes);
		*counter = 2;
	} else if (err_ok(e)) {
		/* Both: no copy under the old root key stays. */
		e = slots_write(fd, counter, s.bytes);
		if (err_ok(e))
			e = slots_write(fd, counter, s.bytes);
	}
	arena_done(&a);
	return e;
}

static err
made(struct keep *k, const struct root_keys *roots, struct str origin)
{
	struct checkpoint c = {.size = 0};
	uint8_t b[STATE_MAX];
	size_t n;

	if (origin.n == 0 || origin.n >= sizeof c.origin)
		return err_of(E_INVALID);
	TRY(secret_new(&k->seed));
	rand_bytes(secret_bytes(k->seed), SECRET_SIZE);
	TRY(note_key_of(origin, secret_view(k->seed), &k->key));
	memcpy(c.origin, origin.p, origin.n);
	(void)SHA256(NULL, 0, c.root.b); /* RFC 9162: the empty tree */
	TRY(seed_write(roots, k->seed, k->audit_fd, &k->audit_counter));
	TRY(state_text(k->seed, &c, b, &n));
	return slots_make(k->state_fd, str_of((char *)b, n));
}

err
keep_make(const struct root_keys *roots, struct str origin, int audit_fd,
    int state_fd, struct trail *t)
{
	struct keep k = {.audit_fd = audit_fd, .state_fd = state_fd};
	err e = made(&k, roots, origin);

	if (!err_ok(e))
		trail_set(t, "audit key: %s", err_text(e));
	keep_close(&k);
	return e;
}

/* ---- rotation ---- */

static err
same_seed(const struct keep *k, const struct root_keys *roots)
{
	struct secret *seed = NULL;
	uint64_t counter;
	err e;

	TRY(secret_new(&seed));
	e = seed_read(roots, k->audit_fd, seed, &counter);
	if (err_ok(e) &&
	    !ct_eq(secret_view(seed), secret_view(k->seed), SECRET_SIZE))
		e = err_of(E_WRONG_KEY);
	(void)secret_free(seed);
	return e;
}

err
keep_reload(struct keep *k, int root_fd, struct trail *t)
{
	struct root_keys *roots = NULL;
	err e;

	TRY(roots_read(root_fd, k->unlock, t, &roots));
	e = same_seed(k, roots);
	if (err_ok(e))
		e = seed_write(roots, k->seed, k->audit_fd, &k->audit_counter);
	if (!err_ok(e)) {
		trail_set(t, "root key file refused: %s", err_text(e));
		(void)root_free(roots);
		return e;
	}
	(void)root_free(k->roots);
	k->roots = roots;
	return OK;
}

/* ---- signing ---- */

err
keep_sign(struct keep *k, const struct checkpoint *next,
    const struct hash *proof, size_t n, struct buf *ret_note)
{
	TRY(checkpoint_may_follow(&k->last, next, proof, n));
	if (next->size != k->last.size)
		TRY(state_write(k, next));
	return checkpoint_sign(next, &k->key, secret_view(k->seed), ret_note);
}

err
keep_fork(struct keep *k, const struct checkpoint *next)
{
	struct checkpoint last = k->last;
	struct note_key key;

	TRY(note_key_of(str_c(next->origin), secret_view(k->seed), &key));
	TRY(state_write(k, next));
	k->before = last;
	k->key = key;
	return OK;
}
