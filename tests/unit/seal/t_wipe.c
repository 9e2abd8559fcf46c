/*
 * Where keys are: this process reads all of its own writable memory and
 * counts copies of a key outside struct secret.  Root and project keys: none
 * at any time.  Data keys: none once forgotten, and while in use no more
 * than the one expanded in the thread's engine.
 */
#include <stdint.h>
#include <unistd.h>

#include "base/mem.h"
#include "seal/root.h"
#include "tests/t.h"
#include "tests/unit/seal/help.h"

enum { MASK = 0x5a };

/* A key as it may be kept here: masked. */
struct masked {
	uint8_t b[SECRET_SIZE];
};

static struct masked
mask(const uint8_t *key)
{
	struct masked m;

	for (size_t i = 0; i < SECRET_SIZE; i++)
		m.b[i] = key[i] ^ MASK;
	return m;
}

static void
unmask(const struct masked *m, uint8_t *ret)
{
	for (size_t i = 0; i < SECRET_SIZE; i++)
		ret[i] = m->b[i] ^ MASK;
}

static int
copies_in(const uint8_t *p, size_t n, const struct masked *m)
{
	int found = 0;

	while (n >= SECRET_SIZE) {
		const uint8_t *at =
		    memchr(p, m->b[0] ^ MASK, n - SECRET_SIZE + 1);
		size_t i = 1;

		if (at == NULL)
			break;
		while (i < SECRET_SIZE && (at[i] ^ MASK) == m->b[i])
			i++;
		found += i == SECRET_SIZE;
		n -= (size_t)(at + 1 - p);
		p = at + 1;
	}
	return found;
}

/* In every writable mapping; memfd_secret's are not looked into. */
static int
copies(const struct masked *m)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long from, to;
	char line[512], perms[5];
	int found = 0;

	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, "%lx-%lx %4s", &from, &to, perms) != 3 ||
		    strncmp(perms, "rw", 2) != 0 ||
		    strstr(line, "secretmem") != NULL)
			continue;
		found += copies_in((const uint8_t *)from, to - from, m);
	}
	if (f != NULL)
		fclose(f);
	return found;
}

/* Without memfd_secret the secrets themselves are found, too. */
static bool
can_tell(void)
{
#ifdef REDOUBT_SANITIZED
	return false; /* shadow memory is too large to be read */
#else
	return strcmp(secret_memory(), "memfd_secret") == 0;
#endif
}

TEST(control)
{
	uint8_t key[SECRET_SIZE];
	struct masked m;

	if (!can_tell())
		return;
	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)(i * 37 + 11);
	m = mask(key);
	T_OK(copies(&m) >= 1);
	mem_wipe(key, sizeof key);
	T_EQ_INT(copies(&m), 0);
}

static struct masked
masked_of(uint8_t seed)
{
	struct masked m;

	for (size_t i = 0; i < SECRET_SIZE; i++)
		m.b[i] = (uint8_t)((uint8_t)(i * seed) + 7 * i * i);
	return m;
}

/* A line with a wrong id, made without leaving the key anywhere. */
static void
refused_root(const struct masked *m)
{
	uint8_t key[SECRET_SIZE];
	struct root_keys *r = NULL;
	struct buf b;

	buf_init(&b, 4096);
	unmask(m, key);
	buf_c(&b, "redoubt-root-1 0000000000000000 ");
	b64_add(&b, str_of((const char *)key, sizeof key));
	mem_wipe(key, sizeof key);
	T_ERR(root_parse(buf_view(&b), NULL, &r), E_WRONG_KEY);
	mem_wipe(b.p, b.cap);
	buf_done(&b);
	T_OK(r == NULL);
}

TEST(a_refused_root_key_is_wiped)
{
	struct masked m = masked_of(29);

	if (!can_tell())
		return;
	refused_root(&m);
	T_EQ_INT(copies(&m), 0);
}

TEST(root_and_project_keys)
{
	struct root_keys *r = NULL;
	struct masked root, project = masked_of(31);
	uint8_t key[SECRET_SIZE];
	struct sealed s = {STR_NONE};
	struct str raw = STR_NONE;
	struct arena a;
	struct buf b;

	if (!can_tell())
		return;
	arena_init(&a, 65536);
	buf_init(&b, 4096);
	T_GOOD(root_generate(&b));
	T_GOOD(root_parse(buf_view(&b), NULL, &r));
	T_OK(b64_decode(&a, str_of(b.p + 32, 44), &raw));
	root = mask((const uint8_t *)raw.p);
	mem_wipe((void *)(uintptr_t)raw.p, raw.n);
	T_EQ_INT(copies(&root), 0);

	unmask(&project, key);
	T_GOOD(root_wrap(r, 1, 1, key, &a, &s));
	mem_wipe(key, sizeof key);
	T_EQ_INT(copies(&root), 0);
	T_EQ_INT(copies(&project), 0);
	T_GOOD(root_unwrap(r, 1, 1, help_stored(s), key));
	T_EQ_INT(copies(&project), 1);
	mem_wipe(key, sizeof key);
	T_EQ_INT(copies(&project), 0);
	T_EQ_INT(copies(&root), 0);
	root_free(r);
	mem_wipe(b.p, b.cap);
	buf_done(&b);
	arena_done(&a);
}

static struct wrapped_key kept;

static err
load(void *ctx, uint32_t id, struct arena *a, struct wrapped_key *ret)
{
	(void)ctx;
	(void)id;
	(void)a;
	*ret = kept;
	return OK;
}

static void data_key_of(enum seal_class class)
{
	struct masked kek = masked_of(41), m;
	struct project_keys *pk = project_keys_new();
	const struct data_key *k = NULL;
	struct keyring *r = NULL;
	struct seal_where w = {.table = SEAL_TABLE_ALERT, .schema = 1};
	uint8_t key[SECRET_SIZE];
	struct sealed s;
	struct arena a;

	arena_init(&a, 65536);
	unmask(&kek, key);
	T_GOOD(project_keys_add(pk, 1, 1, key));
	mem_wipe(key, sizeof key);
	T_GOOD(keyring_new(pk, load, NULL, &r));
	T_GOOD(keyring_make(r, 1, 1, class, NULL, 1, &a, &kept, &k));
	m = mask(secret_view(k->secret));
	T_EQ_INT(copies(&m), 0); /* not used yet */
	if (class == SEAL_CLASS_ALERT)
		T_GOOD(seal_close(k, &w, STR("text"), &a, &s));
	else
		T_GOOD(seal_mac(k, "label", STR("text"), key, sizeof key));
	T_EQ_INT(copies(&m), 1); /* in the engine */
	keyring_forget(r, 1);
	T_EQ_INT(copies(&m), 0);
	T_GOOD(keyring_get(r, 1, &k));
	T_EQ_INT(copies(&m), 0);
	T_OK(ct_eq(mask(secret_view(k->secret)).b, m.b, sizeof m.b));
	T_EQ_INT(copies(&kek), 0);
	keyring_free(r);
	T_EQ_INT(copies(&m), 0);
	project_keys_unref(pk);
	arena_done(&a);
}

TEST(data_key)
{
	if (can_tell())
		data_key_of(SEAL_CLASS_ALERT);
}

TEST(mac_key)
{
	if (can_tell())
		data_key_of(SEAL_CLASS_INDEX);
}

T_MAIN
