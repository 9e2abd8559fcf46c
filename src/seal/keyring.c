#include "seal/keyring.h"

#include "base/mem.h"
#include "base/rand.h"
#include "seal/cache.h"

/* What loading one wrapped key may take. */
enum { LOAD_MEMORY = 64 * 1024 };

struct keyring {
	struct project_keys *pk;
	keyring_load load;
	void *ctx;
	struct meters *meters; /* or NULL */
	struct arena arena;    /* of one load */
	struct key_cache cache;
};

err
keyring_new(struct project_keys *pk, keyring_load load, void *ctx,
    struct keyring **ret)
{
	struct keyring *r = mem_new(1, sizeof *r);

	if (r == NULL)
		return err_of(E_NO_MEMORY);
	r->pk = project_keys_ref(pk);
	r->load = load;
	r->ctx = ctx;
	arena_init(&r->arena, LOAD_MEMORY);
	cache_init(&r->cache);
	*ret = r;
	return OK;
}

struct keyring *
keyring_free(struct keyring *r)
{
	if (r == NULL)
		return NULL;
	cache_done(&r->cache);
	arena_done(&r->arena);
	project_keys_unref(r->pk);
	mem_free(r);
	return NULL;
}

void
keyring_rekey(struct keyring *r, struct project_keys *pk)
{
	struct project_keys *old = r->pk;

	r->pk = project_keys_ref(pk);
	project_keys_unref(old);
}

void
keyring_clear(struct keyring *r)
{
	cache_done(&r->cache);
}

void
keyring_forget(struct keyring *r, uint32_t id)
{
	cache_drop(&r->cache, id);
}

void
keyring_meter(struct keyring *r, struct meters *m)
{
	r->meters = m;
}

struct meters *
keyring_meters(const struct keyring *r)
{
	return r->meters;
}

/* MACs need no count (doc/PROTOCOL.seal, 8); what a subject's key seals is
 * bounded by what the log can say of it. */
static bool
metered(const struct keyring *r, const struct wrapped_key *k)
{
	return r->meters != NULL && uuid_is_zero(&k->subject) &&
	    k->class != SEAL_CLASS_INDEX && k->class != SEAL_CLASS_TOKEN &&
	    k->class != SEAL_CLASS_CURSOR;
}

static const struct data_key *
keep(struct keyring *r, const struct wrapped_key *k, struct secret *s)
{
	struct data_key key = {.id = k->id,
	    .class = k->class,
	    .secret = s,
	    .metered = metered(r, k)};

	if (key.metered)
		key.meter = meters_find(r->meters, k->id);
	return cache_add(&r->cache, &key);
}

/* ---- wrapping ---- */

/*
 * The whole identity of a data key is in its row's pk, so a wrapped key
 * cannot be given another number, class, term or subject.
 */
static void
key_row(const struct wrapped_key *k, struct seal_where *ret)
{
	uint8_t *p = ret->pk;

	*ret = (struct seal_where){.table = SEAL_TABLE_DATA_KEY,
	    .schema = 1,
	    .project = k->project};
	for (size_t i = 0; i < 4; i++)
		*p++ = (uint8_t)(k->id >> (24 - 8 * i));
	*p++ = k->class;
	for (size_t i = 0; i < 8; i++)
		*p++ = (uint8_t)(k->term >> (56 - 8 * i));
	memcpy(p, k->subject.b, sizeof k->subject.b);
	ret->pk_n = (uint8_t)(p + sizeof k->subject.b - ret->pk);
}

static err
wrapping_key(const struct keyring *r, uint32_t project, uint32_t version,
    struct data_key *ret)
{
	struct secret *s = project_keys_find(r->pk, project, version);

	if (s == NULL)
		return err_of(E_SEALED);
	*ret = (struct data_key){.secret = s,
	    .id = version,
	    .class = KEY_CLASS_WRAP};
	return OK;
}

/* Sets version and wrapped of k from the project's newest key. */
static err
wrap(const struct keyring *r, const uint8_t key[SECRET_SIZE], struct arena *a,
    struct wrapped_key *k)
{
	struct data_key with;
	struct seal_where row;

	k->version = project_keys_latest(r->pk, k->project);
	TRY(wrapping_key(r, k->project, k->version, &with));
	key_row(k, &row);
	k->stored.bytes = STR_NONE;
	return blob_close_key(&with, &row, key, a, &k->wrapped);
}

static err
unwrap(const struct keyring *r, const struct wrapped_key *k,
    struct secret **ret)
{
	struct stored blob = k->stored;
	struct data_key with;
	struct seal_where row;
	struct secret *s;
	err e;

	if (blob.bytes.p == NULL)
		blob.bytes = k->wrapped.bytes;
	TRY(wrapping_key(r, k->project, k->version, &with));
	key_row(k, &row);
	TRY(secret_new(&s));
	e = blob_open_key(&with, &row, blob, secret_bytes(s));
	if (!err_ok(e)) {
		secret_free(s);
		return e;
	}
	*ret = s;
	return OK;
}

/* ---- the verbs ---- */

err
keyring_make(struct keyring *r, uint32_t id, uint32_t project,
    enum seal_class class, const struct uuid *subject, uint64_t term,
    struct arena *a, struct wrapped_key *ret_wrapped,
    const struct data_key **ret)
{
	struct wrapped_key k = {.id = id,
	    .project = project,
	    .class = (uint8_t) class,
	    .term = term};
	struct secret *s;
	err e;

	if (id == 0) /* all numbers were given */
		return err_of(E_LIMIT);
	if (cache_find(&r->cache, id) != NULL)
		return err_of(E_EXISTS);
	if (subject != NULL)
		k.subject = *subject;
	TRY(secret_new(&s));
	rand_bytes(secret_bytes(s), SECRET_SIZE);
	e = wrap(r, secret_view(s), a, &k);
	if (!err_ok(e)) {
		secret_free(s);
		return e;
	}
	*ret_wrapped = k;
	*ret = keep(r, &k, s);
	return OK;
}

static err
load(struct keyring *r, uint32_t id, const struct data_key **ret)
{
	struct wrapped_key k = {.id = 0};
	struct secret *s;
	err e;

	arena_reset(&r->arena);
	e = r->load(r->ctx, id, &r->arena, &k);
	if (err_ok(e) && k.id != id)
		e = err_of(E_CORRUPT);
	if (err_ok(e))
		e = unwrap(r, &k, &s);
	if (err_ok(e))
		*ret = keep(r, &k, s);
	return e;
}

err
keyring_get(struct keyring *r, uint32_t id, const struct data_key **ret)
{
	const struct data_key *k = cache_find(&r->cache, id);

	if (k == NULL)
		TRY(load(r, id, &k));
	*ret = k;
	return OK;
}

err
keyring_rewrap(struct keyring *r, const struct wrapped_key *old,
    struct arena *a, struct wrapped_key *ret)
{
	struct wrapped_key k = *old;
	struct secret *s;
	err e;

	TRY(unwrap(r, old, &s));
	e = wrap(r, secret_view(s), a, &k);
	secret_free(s);
	if (err_ok(e))
		*ret = k;
	return e;
}

err
keyring_open(struct keyring *r, const struct seal_where *w, struct stored s,
    struct arena *a, struct str *ret)
{
	const struct data_key *k;
	uint32_t id;

	TRY(seal_key_id(s, &id));
	TRY(keyring_get(r, id, &k));
	return seal_open(k, w, s, a, ret);
}
