#include "auth/throttle.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"

enum { WAYS = 8, KEY = 16, SALT = 16 };
enum { SECOND_MS = 1000, MINUTE_MS = 60000, FORGET_MS = 60 * MINUTE_MS };
_Static_assert(LIM_THROTTLED % WAYS == 0, "the table ends with a set");

struct entry {
	uint8_t key[KEY];
	/* account: next attempt; address: when its bucket is full again */
	int64_t until;
	int64_t forget; /* nothing is remembered from then on; 0: free */
	unsigned attempts;
};

struct throttle {
	pthread_mutex_t lock;
	uint8_t salt[SALT];
	struct entry account[LIM_THROTTLED], address[LIM_THROTTLED];
	struct entry bad[LIM_THROTTLED];
};

static const int64_t bad_in_a_minute[THROTTLED_MAX_] = {
    [THROTTLED_LOGINS] = LIM_BAD_LOGINS,
    [THROTTLED_HOOKS] = LIM_BAD_HOOKS,
    [THROTTLED_ADDRESS] = LIM_BAD_ADDRESS,
};

struct throttle *
throttle_new(void)
{
	struct throttle *t = mem_new(1, sizeof *t);

	if (t != NULL) {
		(void)pthread_mutex_init(&t->lock, NULL);
		rand_bytes(t->salt, sizeof t->salt);
	}
	return t;
}

struct throttle *
throttle_free(struct throttle *t)
{
	if (t != NULL)
		(void)pthread_mutex_destroy(&t->lock);
	mem_free(t);
	return NULL;
}

/* Salted, so nobody can choose who shares a set with whom. */
static void
key_of(const struct throttle *t, struct str s, uint8_t ret[KEY])
{
	uint8_t sum[32];
	unsigned n = 0;
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	BUG_ON(c == NULL || EVP_DigestInit_ex2(c, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(c, t->salt, sizeof t->salt) != 1 ||
	    (s.n > 0 && EVP_DigestUpdate(c, s.p, s.n) != 1) ||
	    EVP_DigestFinal_ex(c, sum, &n) != 1 || n != sizeof sum);
	EVP_MD_CTX_free(c);
	memcpy(ret, sum, KEY);
}

/* ASCII letters of an e-mail address are the same in either case here. */
static void
account_key(const struct throttle *t, struct str account, uint8_t ret[KEY])
{
	char lower[LIM_EMAIL];
	size_t n = account.n < sizeof lower ? account.n : sizeof lower;

	for (size_t i = 0; i < n; i++) {
		char c = account.p[i];

		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	key_of(t, str_of(lower, n), ret);
}

/* The network of an address: all of IPv4, the first 64 bits of IPv6. */
static void
address_key(const struct throttle *t, struct str address, uint8_t ret[KEY])
{
	char text[INET6_ADDRSTRLEN] = "";
	uint8_t six[16];

	if (address.n < sizeof text) {
		memcpy(text, address.p, address.n);
		if (inet_pton(AF_INET6, text, six) == 1)
			address = str_of((const char *)six, 8);
	}
	key_of(t, address, ret);
}

static struct entry *
set_of(struct entry *table, const uint8_t key[KEY])
{
	size_t set = (size_t)(key[0] | key[1] << 8 | key[2] << 16) %
	    (LIM_THROTTLED / WAYS);

	return table + set * WAYS;
}

/* What is remembered of a key; NULL: nothing. */
static struct entry *
find(struct entry *table, const uint8_t key[KEY], int64_t now)
{
	struct entry *e = set_of(table, key);

	for (size_t i = 0; i < WAYS; i++)
		if (e[i].forget > now && memcmp(e[i].key, key, KEY) == 0)
			return &e[i];
	return NULL;
}

/* The entry to remember a key in: its own, a free one, or the one that would
 * be forgotten first. */
static struct entry *
place(struct entry *table, const uint8_t key[KEY], int64_t now)
{
	struct entry *e = find(table, key, now), *least;

	if (e != NULL)
		return e;
	e = least = set_of(table, key);
	for (size_t i = 0; i < WAYS; i++)
		if (e[i].forget < least->forget)
			least = &e[i];
	*least = (struct entry){0};
	memcpy(least->key, key, KEY);
	return least;
}

static int64_t
delay(unsigned attempts)
{
	unsigned n = attempts < THROTTLE_FREE ? 0 : attempts - THROTTLE_FREE;

	if (attempts < THROTTLE_FREE)
		return 0;
	return n < 10 && (SECOND_MS << n) < THROTTLE_MAX_MS ? SECOND_MS << n
							    : THROTTLE_MAX_MS;
}

/* The generic cell rate algorithm: `until` is when all of it is there again;
 * an attempt costs its share of a minute. */
static int64_t
bucket_wait(const struct entry *e, int64_t per_minute, int64_t now)
{
	int64_t each = MINUTE_MS / per_minute;
	int64_t from = e == NULL ? now : e->until - each * (per_minute - 1);

	return from > now ? from - now : 0;
}

static void
bucket_count(struct entry *e, int64_t per_minute, int64_t now)
{
	e->until = (e->until > now ? e->until : now) + MINUTE_MS / per_minute;
	e->forget = e->until;
}

static int64_t
account_wait(const struct entry *e, int64_t now)
{
	return e != NULL && e->until > now ? e->until - now : 0;
}

static void
account_count(struct entry *e, int64_t now)
{
	e->attempts += e->attempts < 1000;
	e->until = now + delay(e->attempts);
	e->forget = e->until + FORGET_MS;
}

err
throttle_begin(struct throttle *t, struct str account, struct str address,
    int64_t now, int64_t *ret_wait)
{
	uint8_t who[KEY], where[KEY];
	int64_t wait, more;

	account_key(t, account, who);
	address_key(t, address, where);
	(void)pthread_mutex_lock(&t->lock);
	wait =
	    bucket_wait(find(t->address, where, now), LIM_LOGIN_ADDRESS, now);
	more = account_wait(find(t->account, who, now), now);
	wait = more > wait ? more : wait;
	if (wait == 0) { /* who is refused displaces nobody */
		account_count(place(t->account, who, now), now);
		bucket_count(place(t->address, where, now), LIM_LOGIN_ADDRESS,
		    now);
	}
	(void)pthread_mutex_unlock(&t->lock);
	if (wait == 0)
		return OK;
	*ret_wait = wait;
	return err_of(E_RATE);
}

void
throttle_good(struct throttle *t, struct str account)
{
	uint8_t who[KEY];
	struct entry *e;

	account_key(t, account, who);
	(void)pthread_mutex_lock(&t->lock);
	e = find(t->account, who, 0);
	if (e != NULL)
		*e = (struct entry){0};
	(void)pthread_mutex_unlock(&t->lock);
}

/* ---- what was bad ---- */

static void
bad_key(const struct throttle *t, enum throttled what, struct str address,
    struct str of, uint8_t ret[KEY])
{
	char all[1 + KEY + KEY];

	all[0] = (char)what;
	address_key(t, address, (uint8_t *)all + 1);
	key_of(t, of, (uint8_t *)all + 1 + KEY);
	key_of(t, str_of(all, sizeof all), ret);
}

static err
bad(struct throttle *t, enum throttled what, const uint8_t key[KEY], bool count,
    int64_t now, int64_t *ret_wait)
{
	int64_t per_minute = bad_in_a_minute[what], wait;

	(void)pthread_mutex_lock(&t->lock);
	wait = bucket_wait(find(t->bad, key, now), per_minute, now);
	if (count && wait == 0)
		bucket_count(place(t->bad, key, now), per_minute, now);
	(void)pthread_mutex_unlock(&t->lock);
	if (wait == 0)
		return OK;
	*ret_wait = wait;
	return err_of(E_RATE);
}

err
throttle_look(struct throttle *t, enum throttled what, struct str address,
    struct str of, int64_t now, int64_t *ret_wait)
{
	uint8_t key[KEY];

	bad_key(t, what, address, of, key);
	return bad(t, what, key, false, now, ret_wait);
}

err
throttle_bad(struct throttle *t, enum throttled what, struct str address,
    struct str of, int64_t now, int64_t *ret_wait)
{
	uint8_t key[KEY];

	bad_key(t, what, address, of, key);
	return bad(t, what, key, true, now, ret_wait);
}
