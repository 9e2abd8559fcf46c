#include "role/unlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "auth/password.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "role/device.h"
#include "seal/root.h"

enum { UNLOCK_KIB = 128 * 1024, UNLOCK_PASSES = 3, KEK_FILE = 128 };

static const struct str kek_magic = {"redoubt-unlock-1 ", 17};

static err
fail(const struct unlocking *k, enum err_code code, const struct unlocker *u,
    const char *why)
{
	trail_set(k->t, "%s %.*s: %s", unlocker_kind_name(u->kind),
	    STR_ARG(u->name), why);
	return err_of(code);
}

const struct unlocker *
unlocker_find(const struct root_sealed *r, enum unlocker_kind kind,
    struct str name)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->unlocker[i].kind == kind &&
		    (name.n == 0 || str_eq(r->unlocker[i].name, name)))
			return &r->unlocker[i];
	return NULL;
}

/* ---- a passphrase ---- */

static bool
number(struct str s, uint64_t max, uint32_t *ret)
{
	uint64_t v;

	if (!str_u64(s, 1, max, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

static err
passphrase_key(const struct unlocking *k, const struct unlocker *u,
    struct str said, struct secret *ret)
{
	uint8_t salt[PASSWORD_SALT];
	uint32_t kib, passes;

	if (!number(u->word[0], PASSWORD_KIB_MAX, &kib) ||
	    !number(u->word[1], PASSWORD_PASSES_MAX, &passes) ||
	    u->word[2].n != sizeof salt * 2 ||
	    !hex_decode(u->word[2], salt, sizeof salt))
		return fail(k, E_CORRUPT, u, "its line is damaged");
	return password_key(said, salt, kib, passes, ret);
}

static err
passphrase_make(const struct unlocking *k, const struct person *p,
    struct unlocker *u, struct secret *ret_key)
{
	uint8_t salt[PASSWORD_SALT];
	struct buf hex;
	struct str said;

	rand_bytes(salt, sizeof salt);
	buf_init_on(&hex, k->a, 2 * sizeof salt);
	hex_add(&hex, str_of((char *)salt, sizeof salt));
	u->word[0] = STR("131072");
	u->word[1] = STR("3");
	u->word[2] = buf_view(&hex);
	_Static_assert(UNLOCK_KIB == 131072 && UNLOCK_PASSES == 3,
	    "as written");
	TRY(buf_check(&hex));
	TRY(p->ask(p->ctx, "New passphrase", true, &said));
	TRY(password_fits(said, NULL, 0, k->t));
	return passphrase_key(k, u, said, ret_key);
}

/* ---- a file, a credential ---- */

static err
kek_parse(struct str text, struct secret *ret)
{
	struct arena a;
	struct str key;
	bool good;

	if (str_ends(text, STR("\n")))
		text.n--;
	arena_init(&a, 4096);
	good = str_starts(text, kek_magic) &&
	    b64_decode(&a, str_skip(text, kek_magic.n), &key) &&
	    key.n == SECRET_SIZE;
	if (good) {
		memcpy(secret_bytes(ret), key.p, SECRET_SIZE);
		mem_wipe((void *)(uintptr_t)key.p, key.n);
	}
	arena_done(&a);
	return err_of(good ? E_OK : E_CONFIG);
}

static err
file_key(const struct unlocking *k, const struct unlocker *u,
    struct secret *ret)
{
	struct trail why = {{0}};
	struct str path;
	struct buf b;
	int fd;
	err e;

	if (!unlocker_word(k->a, u, 0, &path) || path.n == 0)
		return fail(k, E_CORRUPT, u, "its line is damaged");
	e = root_key_open(k->dir, path, &why, &fd);
	if (!err_ok(e)) {
		(void)fail(k, e.code, u, why.detail);
		return e;
	}
	e = fd_read_all(fd, KEK_FILE, &b);
	(void)close(fd);
	if (err_ok(e))
		e = kek_parse(buf_view(&b), ret);
	buf_wipe(&b);
	if (!err_ok(e))
		return fail(k, E_CONFIG, u, "that is no unlock key file");
	return OK;
}

/* A new file of that name with a new key; one that exists is used. */
static err
kek_write(const struct unlocking *k, struct str path, struct unlocker *u)
{
	char text[KEK_FILE];
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};
	uint8_t key[SECRET_SIZE];
	const char *name = datadir_path(k->dir, k->a, path);
	int fd = name == NULL
	    ? -1
	    : open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  0400);
	bool good;

	if (fd < 0 && name != NULL && errno == EEXIST)
		return OK;
	rand_bytes(key, sizeof key);
	buf_str(&b, kek_magic);
	b64_add(&b, str_of((char *)key, sizeof key));
	buf_char(&b, '\n');
	good = fd >= 0 && !b.failed && write(fd, text, b.n) == (ssize_t)b.n &&
	    fsync(fd) == 0;
	mem_wipe(key, sizeof key);
	mem_wipe(text, sizeof text);
	if (fd >= 0)
		(void)close(fd);
	if (!good && fd >= 0)
		(void)unlink(name);
	return good ? OK : fail(k, E_IO, u, "cannot write the key file");
}

static err
file_make(const struct unlocking *k, const struct unlock_spec *s,
    struct unlocker *u, struct secret *ret_key)
{
	if (s->path.n == 0) {
		trail_set(k->t, "a path or the name of a credential is needed");
		return err_of(E_INVALID);
	}
	u->word[0] = unlocker_encode(k->a, s->path);
	TRY(arena_check(k->a));
	if (memchr(s->path.p, '/', s->path.n) != NULL)
		TRY(kek_write(k, s->path, u));
	return file_key(k, u, ret_key);
}

/* ---- shares ---- */

static err
shares_parse(const struct unlocking *k, const struct unlocker *u,
    uint32_t *ret_k, uint32_t *ret_n, uint8_t set[SHARE_SET],
    uint8_t checks[SHARES_MAX * SHARE_CHECK])
{
	if (!number(u->word[0], SHARES_MAX, ret_k) ||
	    !number(u->word[1], SHARES_MAX, ret_n) || *ret_k > *ret_n ||
	    u->word[2].n != (size_t)2 * SHARE_SET ||
	    !hex_decode(u->word[2], set, SHARE_SET) ||
	    u->word[3].n != (size_t)2 * SHARE_CHECK * *ret_n ||
	    !hex_decode(u->word[3], checks, (size_t)SHARE_CHECK * *ret_n))
		return fail(k, E_CORRUPT, u, "its line is damaged");
	return OK;
}

err
unlock_share_of(const struct unlocking *k, const struct unlocker *u,
    const struct share *s)
{
	uint8_t set[SHARE_SET], checks[SHARES_MAX * SHARE_CHECK];
	uint8_t check[SHARE_CHECK];
	uint32_t needed, n;

	TRY(shares_parse(k, u, &needed, &n, set, checks));
	if (memcmp(s->set, set, SHARE_SET) != 0) { /* public: set ids */
		trail_set(k->t,
		    "share %u is of another set, %02x%02x%02x%02x, not "
		    "%02x%02x%02x%02x",
		    s->x, s->set[0], s->set[1], s->set[2], s->set[3], set[0],
		    set[1], set[2], set[3]);
		return err_of(E_INVALID);
	}
	TRY(share_check(s, check));
	if (s->k == needed && s->x <= n &&
	    ct_eq(check, checks + (size_t)SHARE_CHECK * (s->x - 1U),
		SHARE_CHECK))
		return OK;
	trail_set(k->t, "share %u is wrong: it is none that was given out",
	    s->x);
	return err_of(E_INVALID);
}

/* Line i as a share that none before it was. */
static err
share_line(const struct unlocking *k, const struct unlock_lines *l, size_t i,
    struct share *s)
{
	struct trail why = {{0}};
	err e = share_read(l->line[i], &why, &s[i]);

	if (!err_ok(e)) {
		trail_set(k->t, "line %zu: %s", i + 1, why.detail);
		return e;
	}
	for (size_t j = 0; j < i; j++)
		if (s[j].x == s[i].x &&
		    memcmp(s[j].set, s[i].set, SHARE_SET) == 0) { /* public */
			trail_set(k->t, "share %u was given twice", s[i].x);
			return err_of(E_INVALID);
		}
	return OK;
}

static err
shares_join(const struct unlocking *k, const struct unlocker *u,
    const struct unlock_lines *l, struct share *s, struct secret *ret)
{
	for (size_t i = 0; i < l->n; i++)
		TRY(share_line(k, l, i, s));
	for (size_t i = 0; i < l->n; i++)
		TRY(unlock_share_of(k, u, &s[i]));
	if (l->n < s[0].k) {
		trail_set(k->t, "%u shares are needed, %zu were given", s[0].k,
		    l->n);
		return err_of(E_INVALID);
	}
	return share_join(s, s[0].k, ret);
}

static err
shares_key(const struct unlocking *k, const struct unlocker *u,
    const struct unlock_lines *l, struct secret *ret)
{
	struct share s[SHARES_MAX] = {{.k = 0}};
	err e = shares_join(k, u, l, s, ret);

	mem_wipe(s, sizeof s);
	return e;
}

err
unlock_make_shares(const struct unlocking *k, struct str name, unsigned needed,
    unsigned n, struct unlocker *ret, struct secret *ret_key,
    struct share ret_shares[SHARES_MAX])
{
	uint8_t set[SHARE_SET], check[SHARE_CHECK];
	struct buf b, hex, all;

	if (needed < 2 || needed > n || n > SHARES_MAX) {
		trail_set(k->t, "2 <= threshold <= shares <= %d", SHARES_MAX);
		return err_of(E_INVALID);
	}
	*ret = (struct unlocker){.kind = UNLOCK_SHARES, .name = name};
	rand_bytes(set, sizeof set);
	rand_bytes(secret_bytes(ret_key), SECRET_SIZE);
	TRY(share_split(ret_key, set, needed, n, ret_shares));
	buf_init_on(&hex, k->a, 2 * SHARE_SET);
	hex_add(&hex, str_of((char *)set, sizeof set));
	buf_init_on(&all, k->a, (size_t)2 * SHARE_CHECK * SHARES_MAX);
	for (unsigned i = 0; i < n; i++) {
		TRY(share_check(&ret_shares[i], check));
		hex_add(&all, str_of((char *)check, sizeof check));
	}
	buf_init_on(&b, k->a, 8);
	buf_fmt(&b, "%u %u", needed, n);
	TRY(buf_check(&b));
	(void)str_cut(buf_view(&b), ' ', &ret->word[0], &ret->word[1]);
	ret->word[2] = buf_view(&hex);
	ret->word[3] = buf_view(&all);
	return arena_check(k->a);
}

/* ---- which ---- */

/* The key of one unlocker; said: what a person said, if it asks one. */
static err
key_of(const struct unlocking *k, const struct unlocker *u,
    const struct unlock_lines *l, struct secret *ret)
{
	struct str said = l == NULL || l->n == 0 ? STR("") : l->line[0];

	switch (u->kind) {
	case UNLOCK_PASSPHRASE:
		return passphrase_key(k, u, said, ret);
	case UNLOCK_FILE:
		return file_key(k, u, ret);
	case UNLOCK_SHARES:
		return l == NULL ? fail(k, E_SEALED, u, "no share was given")
				 : shares_key(k, u, l, ret);
	case UNLOCK_PKCS11:
	case UNLOCK_TPM2:
		return device_open(k, u, said, ret);
	default:
		return fail(k, E_SEALED, u, "the root key opens only a copy");
	}
}

static err
open_with(const struct unlocking *k, const struct unlocker *u,
    const struct unlock_lines *l, struct secret *ret_u)
{
	struct secret *key = NULL;
	err e = secret_new(&key);

	TRY(e);
	e = key_of(k, u, l, key);
	if (err_ok(e)) {
		e = unlocker_open(k->a, k->sealed, u, key, ret_u);
		if (!err_ok(e))
			(void)fail(k, e.code, u,
			    err_is(e, E_WRONG_KEY)
				? (u->kind == UNLOCK_PASSPHRASE
					  ? "the passphrase is wrong"
					  : "it gave another key")
				: "its line is damaged");
	}
	(void)secret_free(key);
	return e;
}

/* A trail keeps the first word; here the last one counts. */
static void
forget(const struct unlocking *k)
{
	k->t->detail[0] = '\0';
}

err
unlock_auto(const struct unlocking *k, struct secret *ret_u)
{
	err e = err_of(E_SEALED);
	bool tried = false, person = false;

	for (size_t i = 0; i < k->sealed->n; i++) {
		const struct unlocker *u = &k->sealed->unlocker[i];

		person = person || unlocker_asks(u);
		if (unlocker_asks(u) || u->kind == UNLOCK_ROOT)
			continue;
		tried = true;
		forget(k);
		e = open_with(k, u, NULL, ret_u);
		if (err_ok(e))
			return e;
	}
	if (!tried)
		trail_set(k->t, "only a person can open the root key file");
	return person ? err_of(E_SEALED) : e;
}

static bool
fits(const struct unlocker *u, const struct unlock_lines *l, bool share)
{
	if (l->source.n > 0)
		return str_eq(u->name, l->source);
	if (!unlocker_asks(u))
		return false;
	return (u->kind == UNLOCK_SHARES) == share;
}

err
unlock_by(const struct unlocking *k, const struct unlock_lines *l,
    struct secret *ret_u)
{
	bool share = l->n > 0 && share_like(l->line[0]);
	err e = err_of(E_INVALID);
	bool tried = false;

	for (size_t i = 0; i < k->sealed->n; i++) {
		if (!fits(&k->sealed->unlocker[i], l, share))
			continue;
		tried = true;
		forget(k);
		e = open_with(k, &k->sealed->unlocker[i], l, ret_u);
		if (err_ok(e))
			return e;
	}
	if (tried)
		return e;
	forget(k);
	if (l->source.n > 0)
		trail_set(k->t, "there is no source %.*s",
		    STR_ARG(str_head(l->source, 40)));
	else
		trail_set(k->t, "no source takes %s",
		    share ? "shares" : "a passphrase or PIN");
	return e;
}

/* ---- asking ---- */

err
unlock_collect(struct arena *a, const struct person *p, const char *what,
    struct trail *t, struct unlock_lines *ret)
{
	struct share s = {.k = 1};
	struct trail why = {{0}};
	char prompt[64];
	size_t k = 0;

	if (p == NULL || p->ask == NULL)
		return err_of(E_SEALED);
	TRY(p->ask(p->ctx, what, false, &ret->line[0]));
	ret->n = 1;
	if (!share_like(ret->line[0]))
		return OK;
	for (;;) {
		err e = share_read(ret->line[ret->n - 1], &why, &s);

		k = ret->n == 1 ? s.k : k; /* as the first one says */
		mem_wipe(&s, sizeof s);
		if (!err_ok(e)) {
			trail_set(t, "line %zu: %s", ret->n, why.detail);
			return e;
		}
		if (ret->n >= k || ret->n == SHARES_MAX)
			return arena_check(a);
		(void)snprintf(prompt, sizeof prompt, "Share %zu of %zu",
		    ret->n + 1, k);
		e = p->ask(p->ctx, prompt, false, &ret->line[ret->n]);
		if (!err_ok(e)) {
			t->detail[0] = '\0';
			trail_set(t, "%zu shares are needed, %zu were given", k,
			    ret->n);
			return err_of(E_INVALID);
		}
		ret->n++;
	}
}

/* U of the file this command has opened already. */
static struct {
	struct secret *u;
	uint8_t id[UNLOCK_ID];
} kept;

static bool
kept_is(const struct unlocking *k, struct secret *ret_u)
{
	if (kept.u == NULL || !ct_eq(kept.id, k->sealed->id, UNLOCK_ID))
		return false;
	memcpy(secret_bytes(ret_u), secret_view(kept.u), SECRET_SIZE);
	return true;
}

static err
keep(const struct unlocking *k, const struct secret *u)
{
	if (kept.u == NULL)
		TRY(secret_new(&kept.u));
	memcpy(secret_bytes(kept.u), secret_view(u), SECRET_SIZE);
	memcpy(kept.id, k->sealed->id, UNLOCK_ID);
	return OK;
}

err
unlock_ask(const struct unlocking *k, const struct person *p, struct str source,
    struct secret *ret_u)
{
	struct unlock_lines l = {.source = source};
	const struct unlocker *u = NULL;
	err e = err_of(E_SEALED);

	for (size_t i = 0; i < k->sealed->n && source.n > 0; i++)
		if (str_eq(k->sealed->unlocker[i].name, source))
			u = &k->sealed->unlocker[i];
	if (source.n == 0 && kept_is(k, ret_u))
		return OK;
	if (source.n == 0)
		e = unlock_auto(k, ret_u);
	else if (u == NULL || !unlocker_asks(u))
		return unlock_by(k, &l, ret_u);
	if (err_ok(e))
		return keep(k, ret_u);
	if (!err_is(e, E_SEALED) || p == NULL)
		return e;
	forget(k);
	TRY(unlock_collect(k->a, p,
	    u == NULL			       ? "Passphrase or share"
		: u->kind == UNLOCK_SHARES     ? "Share"
		: u->kind == UNLOCK_PASSPHRASE ? "Passphrase"
					       : "PIN",
	    k->t, &l));
	TRY(unlock_by(k, &l, ret_u));
	return source.n == 0 ? keep(k, ret_u) : OK;
}

/* ---- making ---- */

static err
kind_of(const struct unlocking *k, struct str name, enum unlocker_kind *ret)
{
	for (unsigned i = 0; i < UNLOCK_SHARES; i++)
		if (str_is(name, unlocker_kind_name((enum unlocker_kind)i))) {
			*ret = (enum unlocker_kind)i;
			return OK;
		}
	trail_set(k->t,
	    "passphrase, file, pkcs11 or tpm2; for shares there is "
	    "key split");
	return err_of(E_INVALID);
}

err
unlock_make(const struct unlocking *k, const struct person *p,
    const struct unlock_spec *s, struct unlocker *ret, struct secret *ret_key)
{
	struct unlocker u = {.name = s->name};

	TRY(kind_of(k, s->kind, &u.kind));
	if (u.name.n == 0)
		u.name = s->kind;
	if (!unlocker_name_valid(u.name)) {
		trail_set(k->t, "a name is 1 to %d of a-z 0-9 . _ -",
		    UNLOCKER_NAME);
		return err_of(E_INVALID);
	}
	switch (u.kind) {
	case UNLOCK_PASSPHRASE:
		TRY(passphrase_make(k, p, &u, ret_key));
		break;
	case UNLOCK_FILE:
		TRY(file_make(k, s, &u, ret_key));
		break;
	default:
		TRY(device_make(k, p, s, &u, ret_key));
	}
	*ret = u;
	return OK;
}

/* ---- the text ---- */

static const struct person *asked;

void
role_person_set(const struct person *p)
{
	asked = p;
}

const struct person *
role_person(void)
{
	return asked;
}

/* At most a page: a pipe takes it without anybody reading. */
static err
piped(struct str text, int *ret)
{
	int p[2];
	bool good;

	if (pipe2(p, O_CLOEXEC) != 0)
		return err_of(E_UNAVAILABLE);
	good = write(p[1], text.p, text.n) == (ssize_t)text.n;
	(void)close(p[1]);
	if (good)
		*ret = p[0];
	else
		(void)close(p[0]);
	return err_of(good ? E_OK : E_IO);
}

static err
unsealed(const struct datadir *d, struct str file, const struct person *p,
    struct trail *t, struct arena *a, int *ret)
{
	struct root_sealed r;
	struct unlocking k = {a, d, t, &r};
	struct secret *u = NULL;
	struct buf b = {.max = SECRET_FILE_MAX};
	err e;

	TRY(root_sealed_parse(a, file, t, &r));
	TRY(secret_new(&u));
	e = unlock_ask(&k, p, STR(""), u);
	if (err_ok(e))
		e = root_sealed_open(a, &r, u, &b);
	(void)secret_free(u);
	if (err_ok(e))
		e = piped(buf_view(&b), ret);
	buf_wipe(&b);
	return e;
}

err
root_key_unlock(const struct datadir *d, int fd, const struct person *p,
    struct trail *t, int *ret)
{
	struct arena a;
	struct buf b;
	err e = fd_read_all(fd, SECRET_FILE_MAX, &b);

	*ret = -1;
	if (!err_ok(e) || !root_is_sealed(buf_view(&b))) {
		buf_wipe(&b);
		*ret = fd;
		return OK; /* whoever reads it says what is wrong with it */
	}
	(void)close(fd);
	arena_init(&a, LIM_UNLOCK_ARENA);
	e = unsealed(d, buf_view(&b), p, t, &a, ret);
	arena_done(&a);
	buf_wipe(&b);
	return e;
}
