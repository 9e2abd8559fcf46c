#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"

/* PIPE_BUF: a write this long is not interleaved with another process's. */
enum { LINE = 4096 };
static const char cut_mark[] = " truncated=yes";

static const struct {
	const char *level;
	const char *text;
} rows[LOG_MAX_] = {
#define LOG(name, level, text) {level, text},
#include "base/log.def"
#undef LOG
};

static const char *role = "cli";

/* Of the second that began at `since_us`. */
static struct {
	int64_t since_us;
	int64_t lines;
	int64_t suppressed;
} rate[LOG_MAX_];
static pthread_mutex_t rate_lock = PTHREAD_MUTEX_INITIALIZER;

void
log_role(const char *name)
{
	role = name;
}

/* May this line be written, and how many of its kind were not before it? */
static bool
rate_take(enum log_event ev, int64_t *ret_suppressed)
{
	int64_t now = time_mono_us();
	bool may;

	pthread_mutex_lock(&rate_lock);
	if (rate[ev].lines == 0 || now - rate[ev].since_us >= 1000000) {
		rate[ev].since_us = now;
		rate[ev].lines = 0;
	}
	may = rate[ev].lines < LIM_LOG_BURST;
	if (may) {
		rate[ev].lines++;
		*ret_suppressed = rate[ev].suppressed;
		rate[ev].suppressed = 0;
	} else {
		rate[ev].suppressed++;
	}
	pthread_mutex_unlock(&rate_lock);
	return may;
}

static void
pair_add(struct buf *b, const struct kv *kv)
{
	buf_char(b, ' ');
	buf_c(b, kv->key);
	buf_char(b, '=');
	if (kv->text.p != NULL)
		logval_add(b, kv->text);
	else
		buf_i64(b, kv->number);
}

/* The last pair that does not fit is left out whole. */
static void
pairs_add(struct buf *b, const struct kv *kvs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t before = b->n;

		pair_add(b, &kvs[i]);
		if (b->failed) {
			b->failed = false;
			b->n = before;
			b->max = b->cap;
			buf_c(b, cut_mark);
			return;
		}
	}
	b->max = b->cap;
}

void
log_kv(enum log_event ev, const struct kv *kvs, size_t n)
{
	char line[LINE], now[TIME_TEXT + 1];
	struct buf b = {.p = line, .cap = sizeof line};
	struct kv more = {.key = "suppressed"};
	ssize_t done;

	if (!rate_take(ev, &more.number))
		return;
	b.max = sizeof line - sizeof cut_mark;
	time_text(time_now_ms(), now);
	buf_c(&b, now);
	buf_char(&b, ' ');
	buf_c(&b, rows[ev].level);
	pair_add(&b, &KVC("role", role));
	pair_add(&b, &KVC("event", rows[ev].text));
	if (more.number > 0)
		pair_add(&b, &more);
	pairs_add(&b, kvs, n);
	buf_char(&b, '\n');
	do
		done = write(STDERR_FILENO, line, b.n);
	while (done < 0 && errno == EINTR);
}
