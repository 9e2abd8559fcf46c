#include "base/log.h"
#include "tests/t.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"

static char text[200000];
static int kept = -1, ends[2];

/* What is written to stderr until captured() is kept in `text`. */
static void
capture(void)
{
	kept = dup(STDERR_FILENO);
	if (pipe(ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0)
		abort();
	close(ends[1]);
}

static struct str
captured(void)
{
	ssize_t n = 1;
	size_t all = 0;

	dup2(kept, STDERR_FILENO);
	close(kept);
	while (n > 0 && all < sizeof text) {
		n = read(ends[0], text + all, sizeof text - all);
		all += n > 0 ? (size_t)n : 0;
	}
	close(ends[0]);
	return str_of(text, all);
}

static size_t
count(struct str s, const char *what)
{
	size_t n = 0;

	for (; s.n > 0; s = str_skip(s, 1))
		n += str_starts(s, str_c(what));
	return n;
}

TEST(one_line_as_the_header_says)
{
	struct str s;

	log_role("server");
	capture();
	log_event(LOG_TLS_RELOAD, KVN("took_us", 812), KVC("file", "a b"),
	    KV("n", STR("x\n")), KVE("error", err_of(E_IO)));
	s = captured();
	T_REQUIRE(s.n > 25);
	T_OK(s.p[4] == '-' && s.p[10] == 'T' && s.p[23] == 'Z');
	T_EQ_STR(str_skip(s, 24),
	    STR(" info role=server event=tls.reload took_us=812 "
		"file=\"a b\" n=\"x\\n\" error=io\n"));
}

TEST(no_pairs)
{
	capture();
	log_kv(LOG_STOP, NULL, 0);
	T_EQ_STR(str_skip(captured(), 24),
	    STR(" info role=server event=stop\n"));
}

TEST(pairs_that_do_not_fit_are_left_out_whole)
{
	static char big[3900];
	struct str s;

	memset(big, 'x', sizeof big);
	capture();
	log_event(LOG_READY, KV("a", str_of(big, sizeof big)),
	    KV("b", str_of(big, 300)), KVN("c", 1));
	log_event(LOG_READY, KVN("a", 1), KV("b", str_of(big, sizeof big)),
	    KV("d", str_of(big, sizeof big)));
	s = captured();
	T_EQ_INT(count(s, "\n"), 2);
	T_EQ_INT(count(s, " truncated=yes\n"), 2);
	T_EQ_INT(count(s, " b="), 1);
	T_EQ_INT(count(s, " c="), 0);
	T_EQ_INT(count(s, " d="), 0);
}

static void
many(int n)
{
	for (int i = 0; i < n; i++)
		log_event(LOG_WIRE, KVN("i", i));
}

/* Wait for a second in which nothing of this event was written. */
static void
quiet_second(void)
{
	struct timespec ts = {1, 20000000};

	nanosleep(&ts, NULL);
}

TEST(a_burst_is_cut_and_counted)
{
	struct str s;

	capture();
	many(LIM_LOG_BURST + 7);
	log_event(LOG_STORE, KVN("other", 1));
	s = captured();
	T_EQ_INT(count(s, "event=wire"), LIM_LOG_BURST);
	T_EQ_INT(count(s, "suppressed"), 0);
	T_EQ_INT(count(s, "event=store other=1"), 1);
	quiet_second();
	capture();
	many(2);
	s = captured();
	T_EQ_INT(count(s, "event=wire"), 2);
	T_EQ_INT(count(s, "suppressed=7"), 1);
	T_EQ_INT(count(s, "suppressed"), 1);
}

static void *
writer(void *arg)
{
	(void)arg;
	many(20);
	return NULL;
}

TEST(threads_lose_nothing_and_mix_nothing)
{
	pthread_t t[4];
	struct str s, line;
	size_t lines = 0;

	quiet_second();
	capture();
	for (size_t i = 0; i < 4; i++)
		T_REQUIRE(pthread_create(&t[i], NULL, writer, NULL) == 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	s = captured();
	while (str_cut(s, '\n', &line, &s)) {
		lines++;
		T_EQ_INT(count(line, "event=wire"), 1);
	}
	T_EQ_INT(lines, LIM_LOG_BURST);
}

T_MAIN
