/* fixture.h: one server for one test, with short deadlines. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include "tests/unit/wire/client.h"

static const struct wire_times quick = {.head_ms = 400,
    .body_ms = 600,
    .idle_ms = 700,
    .stall_ms = 800,
    .drain_ms = 3000};
static struct server s;
static struct answer a __attribute__((unused));

#define H "Host: localhost\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" H "\r\n"

static inline void
up(void)
{
	server_start(&s, 2, quick, 0);
}

static inline void
down(void)
{
	server_stop(&s);
}

static inline uint64_t
still_open(int ms)
{
	int64_t until = now_ms() + ms;
	struct wire_stats st;

	do {
		wire_stats(s.w, &st);
		if (st.open == 0)
			break;
		sleep_ms(10);
	} while (now_ms() < until);
	return st.open;
}

static inline bool
held(size_t n, int ms)
{
	int64_t until = now_ms() + ms;
	size_t have;

	do {
		pthread_mutex_lock(&s.mu);
		have = s.held_n;
		pthread_mutex_unlock(&s.mu);
		if (have >= n)
			return true;
		sleep_ms(5);
	} while (now_ms() < until);
	return false;
}

#endif
