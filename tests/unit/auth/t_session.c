/* Sessions: the cookie, its key, the CSRF token, when it ends. */
#include "auth/session.h"
#include "tests/unit/access/help.h"
#include "tests/unit/auth/key.h"

TEST(cookies)
{
	static const struct {
		const char *header, *value;
		size_t n;
	} rows[] = {
	    {"", NULL, 0},
	    {"a=b", NULL, 0},
	    {"__Host-redoubt=x", "x", 1},
	    {"a=b; __Host-redoubt=x; c=d", "x", 1},
	    {"a=b;__Host-redoubt=x", "x", 1},
	    {"  __Host-redoubt=x  ", "x", 1},
	    {"__Host-redoubt=", "", 1},
	    {"__Host-redoubt=a=b", "a=b", 1},
	    {"__Host-redoubt=x; __Host-redoubt=y", "x", 2},
	    {"__Host-redoubt", NULL, 0},
	    {"__host-redoubt=x", NULL, 0},
	    {"__Host-redoubt2=x", NULL, 0},
	    {"x__Host-redoubt=x", NULL, 0},
	    {"a=\"__Host-redoubt=x\"", NULL, 0},
	    {";;; __Host-redoubt=x;;", "x", 1},
	    {"__Host-redoubt =x", NULL, 0},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str v = STR_NONE;
		size_t n = 7;
		bool got = cookie_find(str_c(rows[i].header),
		    STR(SESSION_COOKIE), &v, &n);

		if (got != (rows[i].n > 0) || n != rows[i].n ||
		    (got && !str_is(v, rows[i].value)))
			T_FAIL("%s", rows[i].header);
	}
}

TEST(keys)
{
	char text[SESSION_TEXT + 1], other[SESSION_TEXT + 1];
	uint8_t made[DIGEST_SIZE], key[DIGEST_SIZE];

	T_GOOD(session_make(text, made));
	T_GOOD(session_make(other, key));
	T_OK(strcmp(text, other) != 0);
	T_OK(session_key(str_c(text), key));
	T_EQ_MEM(key, made, sizeof key);
	T_OK(!session_key(str_of(text, SESSION_TEXT - 1), key));
	T_OK(!session_key(str_of(text, SESSION_TEXT + 1), key));
	T_OK(!session_key(STR(""), key));
	text[5] = '+'; /* the other alphabet */
	T_OK(!session_key(str_c(text), key));
	text[5] = '=';
	T_OK(!session_key(str_c(text), key));
	memset(text, 'A', SESSION_TEXT);
	T_OK(session_key(str_c(text), key));
	text[SESSION_TEXT - 1] = 'B'; /* a bit that stands for nothing */
	T_OK(!session_key(str_c(text), key));
}

TEST(csrf_tokens)
{
	char a[SESSION_TEXT + 1], b[SESSION_TEXT + 1];
	struct session s = {.o = head_of(OBJECT_SESSION, 1, 0), .key = {1}};
	struct ring r;

	ring_open(&r);
	T_GOOD(session_csrf(r.key, &s, a));
	T_GOOD(session_csrf(r.key, &s, b));
	T_EQ_STR(str_c(a), str_c(b));
	T_EQ_INT(strlen(a), SESSION_TEXT);
	s.key[31] ^= 1; /* another secret */
	T_GOOD(session_csrf(r.key, &s, b));
	T_OK(strcmp(a, b) != 0);
	s.key[31] ^= 1;
	s.o.id.b[0] ^= 1; /* another session */
	T_GOOD(session_csrf(r.key, &s, b));
	T_OK(strcmp(a, b) != 0);
	s.o.id.b[0] ^= 1;
	T_GOOD(session_csrf(r.other, &s, b)); /* another server */
	T_OK(strcmp(a, b) != 0);
	ring_close(&r);
}

TEST(ends)
{
	struct policy p = {.session_idle_minutes = 10,
	    .session_absolute_hours = 2};
	struct session s = {.expires = 100000000};

	s.o.created = 1000;
	T_EQ_INT(session_absolute_end(&s, &p), 1000 + 7200000);
	s.expires = 5000; /* the provider's own end */
	T_EQ_INT(session_absolute_end(&s, &p), 5000);
	T_EQ_INT(session_idle_end(&s, &p, 0), 1000 + 600000);
	T_EQ_INT(session_idle_end(&s, &p, 2000), 2000 + 600000);
}

T_MAIN
