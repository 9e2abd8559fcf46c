#include "auth/password.h"

#include <argon2.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

/* One hash: what the PHC string says, decoded. */
struct phc {
	uint32_t kib, passes;
	uint8_t salt[PASSWORD_SALT];
	uint8_t tag[PASSWORD_TAG];
};

/* Base64 without padding of 16 and of 32 bytes. */
enum { SALT_TEXT = 22, TAG_TEXT = 43 };

/* Bounds of what a stored string may ask for. */
enum { KIB_MIN = 8 * 1024, KIB_MAX = PASSWORD_KIB, PASSES_MAX = 16 };

static int
pages_new(uint8_t **ret, size_t n)
{
	*ret = mem_pages_new(n);
	return *ret == NULL ? ARGON2_MEMORY_ALLOCATION_ERROR : ARGON2_OK;
}

/* argon2 has wiped it already (FLAG_clear_internal_memory). */
static void
pages_free(uint8_t *p, size_t n)
{
	mem_pages_free(p, n);
}

/* One lane and one thread, so argon2 starts none of its own. */
static err
argon2id(struct str in, const uint8_t salt[PASSWORD_SALT], uint32_t kib,
    uint32_t passes, uint8_t ret[PASSWORD_TAG])
{
	uint8_t own_salt[PASSWORD_SALT];
	argon2_context c = {
	    .out = ret,
	    .outlen = PASSWORD_TAG,
	    .pwd = (uint8_t *)(uintptr_t)in.p, /* it reads it only */
	    .pwdlen = (uint32_t)in.n,
	    .salt = own_salt,
	    .saltlen = sizeof own_salt,
	    .t_cost = passes,
	    .m_cost = kib,
	    .lanes = 1,
	    .threads = 1,
	    .version = ARGON2_VERSION_13,
	    .allocate_cbk = pages_new,
	    .free_cbk = pages_free,
	};
	int code;

	memcpy(own_salt, salt, sizeof own_salt);
	code = argon2_ctx(&c, Argon2_id);
	if (code == ARGON2_MEMORY_ALLOCATION_ERROR)
		return err_of(E_NO_MEMORY);
	return err_of(code == ARGON2_OK ? E_OK : E_CRYPTO);
}

static err
tag_of(const struct data_key *pepper, struct str password,
    const struct phc *how, uint8_t ret[PASSWORD_TAG])
{
	uint8_t secret[32];
	err e;

	TRY(seal_mac(pepper, "password", password, secret, sizeof secret));
	e = argon2id(str_of((char *)secret, sizeof secret), how->salt, how->kib,
	    how->passes, ret);
	mem_wipe(secret, sizeof secret);
	return e;
}

err
password_key(struct str passphrase, const uint8_t salt[PASSWORD_SALT],
    uint32_t kib, uint32_t passes, struct secret *ret)
{
	if (kib < 8 || kib > PASSWORD_KIB_MAX || passes < 1 ||
	    passes > PASSWORD_PASSES_MAX || passphrase.n > UINT16_MAX)
		return err_of(E_INVALID);
	return argon2id(passphrase, salt, kib, passes, secret_bytes(ret));
}

/* ---- the PHC string ---- */

static void
b64_bare(struct buf *b, const uint8_t *p, size_t n)
{
	b64_add(b, str_of((const char *)p, n));
	while (b->n > 0 && b->p[b->n - 1] == '=')
		b->n--;
}

static bool
b64_bare_decode(struct str in, uint8_t *ret, size_t n)
{
	char padded[TAG_TEXT + 3];
	struct buf b = {.p = padded,
	    .cap = sizeof padded,
	    .max = sizeof padded};
	struct arena a;
	struct str out;
	bool good;

	if (in.n > TAG_TEXT)
		return false;
	buf_str(&b, in);
	while (b.n % 4 != 0)
		buf_char(&b, '=');
	arena_init(&a, 65536);
	good = b64_decode(&a, buf_view(&b), &out) && out.n == n;
	if (good)
		memcpy(ret, out.p, n);
	arena_done(&a);
	return good;
}

static bool
take(struct str *s, struct str prefix)
{
	if (!str_starts(*s, prefix))
		return false;
	*s = str_skip(*s, prefix.n);
	return true;
}

/* $argon2id$v=19$m=65536,t=3,p=1$salt$tag */
static bool
phc_parse(struct str s, struct phc *ret)
{
	struct str m, t, salt;
	uint64_t kib, passes;

	if (s.n >= PASSWORD_PHC || !take(&s, STR("$argon2id$v=19$m=")) ||
	    !str_cut(s, ',', &m, &s) || !take(&s, STR("t=")) ||
	    !str_cut(s, ',', &t, &s) || !take(&s, STR("p=1$")) ||
	    !str_cut(s, '$', &salt, &s))
		return false;
	if (!str_u64(m, KIB_MIN, KIB_MAX, &kib) ||
	    !str_u64(t, 1, PASSES_MAX, &passes) || salt.n != SALT_TEXT ||
	    s.n != TAG_TEXT)
		return false;
	ret->kib = (uint32_t)kib;
	ret->passes = (uint32_t)passes;
	return b64_bare_decode(salt, ret->salt, sizeof ret->salt) &&
	    b64_bare_decode(s, ret->tag, sizeof ret->tag);
}

err
password_hash(const struct data_key *pepper, struct str password,
    const uint8_t salt[PASSWORD_SALT], char ret[PASSWORD_PHC])
{
	struct phc how = {.kib = PASSWORD_KIB, .passes = PASSWORD_PASSES};
	char text[PASSWORD_PHC] = "";
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};

	memcpy(how.salt, salt, sizeof how.salt);
	TRY(tag_of(pepper, password, &how, how.tag));
	buf_fmt(&b, "$argon2id$v=19$m=%u,t=%u,p=1$", how.kib, how.passes);
	b64_bare(&b, how.salt, sizeof how.salt);
	buf_char(&b, '$');
	b64_bare(&b, how.tag, sizeof how.tag);
	buf_char(&b, '\0');
	BUG_ON(b.failed);
	memcpy(ret, text, b.n);
	return OK;
}

err
password_check(const struct data_key *pepper, struct str password,
    struct str phc)
{
	struct phc how = {.kib = PASSWORD_KIB, .passes = PASSWORD_PASSES};
	uint8_t tag[PASSWORD_TAG];
	bool same;

	if (phc.n > 0 && !phc_parse(phc, &how))
		return err_of(E_CORRUPT);
	TRY(tag_of(pepper, password, &how, tag));
	same = ct_eq(tag, how.tag, sizeof tag) && phc.n > 0;
	mem_wipe(tag, sizeof tag);
	return err_of(same ? E_OK : E_UNAUTHENTICATED);
}

bool
password_outdated(struct str phc)
{
	struct phc how;

	return phc_parse(phc, &how) &&
	    (how.kib < PASSWORD_KIB || how.passes < PASSWORD_PASSES);
}
