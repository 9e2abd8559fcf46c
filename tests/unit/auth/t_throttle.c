#include "auth/throttle.h"

#include "base/limits.h"
#include "tests/t.h"

enum { SECOND = 1000, MINUTE = 60000 };

/* The wait, 0 when the attempt was let through. */
static int64_t
attempt(struct throttle *t, const char *account, const char *address,
    int64_t now)
{
	int64_t wait = -1;
	err e = throttle_begin(t, str_c(account), str_c(address), now, &wait);

	if (err_ok(e))
		return 0;
	T_ERR(e, E_RATE);
	T_OK(wait > 0);
	return wait;
}

/* One attempt from an address of its own. */
static int64_t
from_anywhere(struct throttle *t, const char *account, int64_t now)
{
	static unsigned n;
	char address[32];

	snprintf(address, sizeof address, "10.%u.%u.%u", n >> 16 & 255,
	    n >> 8 & 255, n & 255);
	n++;
	return attempt(t, account, address, now);
}

TEST(an_account_waits_ever_longer)
{
	struct throttle *t = throttle_new();
	int64_t now = 1000000, wait, want = SECOND;

	for (int i = 0; i < THROTTLE_FREE; i++)
		T_EQ_INT(from_anywhere(t, "a@b", now), 0);
	for (int i = 0; i < 20; i++) {
		wait = from_anywhere(t, "a@b", now);
		T_EQ_INT(wait, want);
		T_EQ_INT(from_anywhere(t, "a@b", now + wait - 1), 1);
		T_EQ_INT(from_anywhere(t, "A@B", now + wait - 1), 1);
		T_EQ_INT(from_anywhere(t, "c@d", now), 0);
		throttle_good(t, STR("c@d"));
		now += wait;
		T_EQ_INT(from_anywhere(t, "a@b", now), 0);
		want *= 2;
		if (want > THROTTLE_MAX_MS)
			want = THROTTLE_MAX_MS;
	}
	T_EQ_INT(want, THROTTLE_MAX_MS); /* and never longer */
	(void)throttle_free(t);
}

TEST(a_success_forgets)
{
	struct throttle *t = throttle_new();

	for (int i = 0; i < THROTTLE_FREE; i++)
		T_EQ_INT(from_anywhere(t, "a@b", 1), 0);
	T_EQ_INT(from_anywhere(t, "a@b", 1), SECOND);
	throttle_good(t, STR("A@b"));
	throttle_good(t, STR("nobody"));
	for (int i = 0; i < THROTTLE_FREE; i++)
		T_EQ_INT(from_anywhere(t, "a@b", 1), 0);
	T_EQ_INT(from_anywhere(t, "a@b", 1), SECOND);
	(void)throttle_free(t);
}

TEST(an_hour_forgets)
{
	struct throttle *t = throttle_new();
	int64_t now = 1;

	for (int i = 0; i < THROTTLE_FREE; i++)
		T_EQ_INT(from_anywhere(t, "a@b", now), 0);
	now += SECOND + 60 * MINUTE;
	for (int i = 0; i < THROTTLE_FREE; i++)
		T_EQ_INT(from_anywhere(t, "a@b", now), 0);
	T_EQ_INT(from_anywhere(t, "a@b", now), SECOND);
	(void)throttle_free(t);
}

static int64_t
of_anybody(struct throttle *t, const char *address, int64_t now)
{
	static unsigned n;
	char account[32];

	snprintf(account, sizeof account, "u%u@example.org", n++);
	return attempt(t, account, address, now);
}

TEST(an_address_has_a_bucket)
{
	static const int64_t each = MINUTE / LIM_LOGIN_ADDRESS;
	struct throttle *t = throttle_new();

	for (int i = 0; i < LIM_LOGIN_ADDRESS; i++)
		T_EQ_INT(of_anybody(t, "192.0.2.1", 5000), 0);
	T_EQ_INT(of_anybody(t, "192.0.2.1", 5000), each);
	T_EQ_INT(of_anybody(t, "192.0.2.2", 5000), 0);
	T_EQ_INT(of_anybody(t, "192.0.2.1", 5000 + each), 0);
	T_EQ_INT(of_anybody(t, "192.0.2.1", 5000 + each), each);
	for (int i = 0; i < LIM_LOGIN_ADDRESS; i++)
		T_EQ_INT(of_anybody(t, "192.0.2.1", 5000 + 2 * MINUTE), 0);
	T_EQ_INT(of_anybody(t, "192.0.2.1", 5000 + 2 * MINUTE), each);
	(void)throttle_free(t);
}

TEST(ipv6_goes_by_its_network)
{
	struct throttle *t = throttle_new();
	char address[64];

	for (unsigned i = 0; i < LIM_LOGIN_ADDRESS; i++) {
		snprintf(address, sizeof address, "2001:db8::%x", i);
		T_EQ_INT(of_anybody(t, address, 1), 0);
	}
	T_OK(of_anybody(t, "2001:db8:0:0:ffff:1:2:3", 1) > 0);
	T_EQ_INT(of_anybody(t, "2001:db8:0:1::1", 1), 0);
	T_EQ_INT(of_anybody(t, "", 1), 0);
	(void)throttle_free(t);
}

/* A refused attempt does not count, for the account nor for the address. */
TEST(refusals_do_not_add_up)
{
	struct throttle *t = throttle_new();

	for (int i = 0; i < THROTTLE_FREE; i++)
		T_EQ_INT(from_anywhere(t, "a@b", 1), 0);
	for (int i = 0; i < 100; i++)
		T_EQ_INT(attempt(t, "a@b", "192.0.2.1", 1), SECOND);
	T_EQ_INT(attempt(t, "a@b", "192.0.2.1", 1 + SECOND), 0);
	(void)throttle_free(t);
}

/* More accounts than there is room for: the one that waits longest is still
 * remembered. */
TEST(the_table_is_full)
{
	struct throttle *t = throttle_new();
	int64_t now = 1;

	for (int i = 0; i < 25; i++)
		now += from_anywhere(t, "a@b", now);
	T_OK(from_anywhere(t, "a@b", now) > MINUTE);
	for (int i = 0; i < 4 * LIM_THROTTLED; i++)
		T_EQ_INT(of_anybody(t, "", now) > 0, i >= LIM_LOGIN_ADDRESS);
	for (int i = 0; i < 4 * LIM_THROTTLED; i++) {
		char account[32];

		snprintf(account, sizeof account, "x%d", i);
		T_EQ_INT(from_anywhere(t, account, now), 0);
	}
	T_OK(from_anywhere(t, "a@b", now) > MINUTE);
	(void)throttle_free(t);
}

static bool
bad(struct throttle *t, enum throttled what, const char *address,
    const char *of, int64_t now)
{
	int64_t wait = 0, look = 0;
	err before =
	    throttle_look(t, what, str_c(address), str_c(of), now, &look);
	err e = throttle_bad(t, what, str_c(address), str_c(of), now, &wait);

	T_EQ_INT(before.code, e.code);
	T_EQ_INT(look, wait);
	T_OK(err_ok(e) ? wait == 0 : err_is(e, E_RATE) && wait > 0);
	return err_ok(e);
}

/* As many as a minute may have, then one each time its share has passed. */
TEST(what_was_bad)
{
	static const struct {
		enum throttled what;
		int n;
	} kind[] = {{THROTTLED_LOGINS, LIM_BAD_LOGINS},
	    {THROTTLED_HOOKS, LIM_BAD_HOOKS},
	    {THROTTLED_ADDRESS, LIM_BAD_ADDRESS}};
	struct throttle *t = throttle_new();

	T_REQUIRE(t != NULL);
	for (size_t i = 0; i < 3; i++) {
		enum throttled w = kind[i].what;
		int64_t each = 60000 / kind[i].n, now = 1000000;

		for (int k = 0; k < kind[i].n; k++)
			T_OK(bad(t, w, "192.0.2.1", "a", now));
		T_OK(!bad(t, w, "192.0.2.1", "a", now));
		T_OK(!bad(t, w, "192.0.2.1", "a", now + each - 1));
		T_OK(bad(t, w, "192.0.2.1", "a", now + each));
		T_OK(!bad(t, w, "192.0.2.1", "a", now + each));
		/* others, and the next minute, are not meant */
		T_OK(bad(t, w, "192.0.2.2", "a", now));
		T_OK(bad(t, w, "192.0.2.1", "b", now));
		for (int k = 0; k < kind[i].n; k++)
			T_OK(bad(t, w, "192.0.2.1", "a", now + 130000));
	}
	(void)throttle_free(t);
}

T_MAIN
