#include "flow/ration.h"

#include <pthread.h>

#include "base/limits.h"
#include "base/mem.h"

/* Twice the delegates there can be: a place is found at once. */
enum { PLACES = 2048 };
_Static_assert((int)PLACES >= 2 * (int)LIM_DELEGATES, "room for all");

struct bucket {
	struct uuid who;
	int64_t at; /* 0: free */
	double left;
};

struct ration {
	pthread_mutex_t lock;
	struct bucket b[PLACES];
};

struct ration *
ration_new(void)
{
	struct ration *r = mem_new(1, sizeof *r);

	if (r != NULL)
		(void)pthread_mutex_init(&r->lock, NULL);
	return r;
}

struct ration *
ration_free(struct ration *r)
{
	mem_free(r);
	return NULL;
}

/* Its place, or a free one, or that of whoever asked longest ago: places of
 * deleted delegates are taken that way. */
static struct bucket *
place(struct ration *r, const struct uuid *who)
{
	struct bucket *oldest = NULL;
	uint32_t h;

	memcpy(&h, who->b + 12, sizeof h);
	for (size_t i = 0; i < PLACES; i++) {
		struct bucket *b = &r->b[(h + i) % PLACES];

		if (b->at == 0 || uuid_eq(&b->who, who))
			return b;
		if (oldest == NULL || b->at < oldest->at)
			oldest = b;
	}
	return oldest;
}

err
ration_take(struct ration *r, const struct uuid *who, size_t bytes, int64_t now)
{
	size_t pieces = bytes / RATION_BYTES;
	double cost = 1 + (double)pieces;
	struct bucket *b;
	bool ok;

	(void)pthread_mutex_lock(&r->lock);
	b = place(r, who);
	if (b->at == 0 || !uuid_eq(&b->who, who))
		*b = (struct bucket){*who, now, LIM_DELEGATE_BURST};
	b->left += (double)(now - b->at) * LIM_DELEGATE_RATE / 1e6;
	if (b->left > LIM_DELEGATE_BURST)
		b->left = LIM_DELEGATE_BURST;
	b->at = now;
	ok = b->left >= cost;
	if (ok)
		b->left -= cost;
	(void)pthread_mutex_unlock(&r->lock);
	return err_of(ok ? E_OK : E_RATE);
}
