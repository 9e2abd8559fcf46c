/*
 * project.c: project keys, sorted by project and version.
 */
#include <stdatomic.h>

#include "base/limits.h"
#include "base/mem.h"
#include "seal/key.h"

struct project_key {
	uint32_t project;
	uint32_t version;
	struct secret *secret;
};

struct project_keys {
	atomic_uint refs;
	size_t n, room;
	struct project_key *key;
};

/* Every project with a few versions, while a rotation is under way. */
enum { PROJECT_KEYS_MAX = LIM_PROJECTS * 16, FIRST_ROOM = 16 };
_Static_assert(PROJECT_KEYS_MAX * 2 <= LIM_SECRETS, "two snapshots fit");

struct project_keys *
project_keys_new(void)
{
	struct project_keys *pk = mem_new(1, sizeof *pk);

	if (pk != NULL)
		atomic_init(&pk->refs, 1);
	return pk;
}

struct project_keys *
project_keys_ref(struct project_keys *pk)
{
	atomic_fetch_add_explicit(&pk->refs, 1, memory_order_relaxed);
	return pk;
}

struct project_keys *
project_keys_unref(struct project_keys *pk)
{
	if (pk == NULL ||
	    atomic_fetch_sub_explicit(&pk->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	for (size_t i = 0; i < pk->n; i++)
		secret_free(pk->key[i].secret);
	mem_free(pk->key);
	mem_free(pk);
	return NULL;
}

/* The first place not before (project, version). */
static size_t
place(const struct project_keys *pk, uint32_t project, uint32_t version)
{
	size_t lo = 0, hi = pk->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct project_key *k = &pk->key[mid];

		if (k->project < project ||
		    (k->project == project && k->version < version))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
is_at(const struct project_keys *pk, size_t i, uint32_t project,
    uint32_t version)
{
	return i < pk->n && pk->key[i].project == project &&
	    pk->key[i].version == version;
}

static err
make_room(struct project_keys *pk)
{
	size_t room = pk->room == 0 ? FIRST_ROOM : pk->room * 2;
	void *p;

	if (pk->n >= PROJECT_KEYS_MAX)
		return err_of(E_LIMIT);
	if (pk->n < pk->room)
		return OK;
	p = mem_grow(pk->key, room, sizeof *pk->key);
	if (p == NULL)
		return err_of(E_NO_MEMORY);
	pk->key = p;
	pk->room = room;
	return OK;
}

err
project_keys_add(struct project_keys *pk, uint32_t project, uint32_t version,
    const uint8_t key[SECRET_SIZE])
{
	size_t i = place(pk, project, version);
	struct secret *s;

	BUG_ON(version == 0);
	if (is_at(pk, i, project, version))
		return err_of(E_EXISTS);
	TRY(make_room(pk));
	TRY(secret_new(&s));
	memcpy(secret_bytes(s), key, SECRET_SIZE);
	memmove(pk->key + i + 1, pk->key + i, (pk->n - i) * sizeof *pk->key);
	pk->key[i] = (struct project_key){project, version, s};
	pk->n++;
	return OK;
}

void
project_keys_remove(struct project_keys *pk, uint32_t project, uint32_t version)
{
	size_t i = place(pk, project, version);

	if (!is_at(pk, i, project, version))
		return;
	secret_free(pk->key[i].secret);
	pk->n--;
	memmove(pk->key + i, pk->key + i + 1, (pk->n - i) * sizeof *pk->key);
}

struct project_keys *
project_keys_clone(const struct project_keys *pk)
{
	struct project_keys *c = project_keys_new();

	for (size_t i = 0; c != NULL && i < pk->n; i++) {
		const struct project_key *k = &pk->key[i];

		if (!err_ok(project_keys_add(c, k->project, k->version,
			secret_view(k->secret))))
			c = project_keys_unref(c);
	}
	return c;
}

uint32_t
project_keys_latest(const struct project_keys *pk, uint32_t project)
{
	size_t i = place(pk, project, UINT32_MAX);

	if (is_at(pk, i, project, UINT32_MAX))
		return UINT32_MAX;
	if (i == 0 || pk->key[i - 1].project != project)
		return 0;
	return pk->key[i - 1].version;
}

struct secret *
project_keys_find(const struct project_keys *pk, uint32_t project,
    uint32_t version)
{
	size_t i = place(pk, project, version);

	return is_at(pk, i, project, version) ? pk->key[i].secret : NULL;
}
