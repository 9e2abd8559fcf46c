/* list.c: cursors, and lists of what is in memory.  See call.h. */
#include "base/limits.h"
#include "base/text.h"
#include "flow/call.h"

enum { CURSOR_MAC = 12 };

/* MAC over route, principal, filters and position. */
static err
cursor_mac(struct call *c, uint32_t key, struct str position,
    uint8_t ret[CURSOR_MAC])
{
	const struct data_key *k;
	struct buf b;

	buf_init_on(&b, c->a, LIM_TARGET * 2);
	buf_c(&b, c->route->id);
	buf_char(&b, 0);
	buf_add(&b, c->actor->id.b, sizeof c->actor->id.b);
	for (size_t i = 0; i < ROUTE_VARS; i++) {
		buf_be32(&b, (uint32_t)c->var[i].n);
		buf_str(&b, c->var[i]);
	}
	for (size_t i = 0; i < PARAM_MAX_; i++) {
		if (i == PARAM_CURSOR || i == PARAM_LIMIT)
			continue;
		buf_be32(&b, (uint32_t)c->query.raw[i].n);
		buf_str(&b, c->query.raw[i]);
	}
	buf_str(&b, position);
	TRY(buf_check(&b));
	TRY(keyring_get(c->lane->ring, key, &k));
	return seal_mac(k, "cursor", buf_view(&b), ret, CURSOR_MAC);
}

/* Also under the key before: a list that is being read outlasts a
 * rotation. */
static err
cursor_ours(struct call *c, struct str all)
{
	const struct class_key *k;
	size_t n = snap_class_terms(c->lane->snap, 0, SEAL_CLASS_CURSOR, &k);
	uint8_t mac[CURSOR_MAC];

	for (size_t i = n; i > 0 && i + 2 > n; i--) {
		TRY(cursor_mac(c, k[i - 1].id, str_skip(all, CURSOR_MAC), mac));
		if (ct_eq(mac, all.p, CURSOR_MAC))
			return OK;
	}
	return err_of(E_BAD_CURSOR);
}

err
cursor_take(struct call *c, struct str *ret)
{
	struct str raw = c->query.raw[PARAM_CURSOR], all;

	*ret = STR("");
	if (raw.p == NULL)
		return OK;
	if (raw.n > 2 * (CURSOR_MAX + CURSOR_MAC) ||
	    !b64url_decode(c->a, raw, &all) || all.n <= CURSOR_MAC ||
	    all.n - CURSOR_MAC > CURSOR_MAX)
		return err_of(E_BAD_CURSOR);
	TRY(cursor_ours(c, all));
	*ret = str_skip(all, CURSOR_MAC);
	return OK;
}

err
cursor_make(struct call *c, struct str position, struct str *ret)
{
	uint32_t key = snap_class_key(c->lane->snap, 0, SEAL_CLASS_CURSOR);
	uint8_t all[CURSOR_MAC + CURSOR_MAX];
	struct buf b;

	BUG_ON(position.n == 0 || position.n > CURSOR_MAX);
	TRY(cursor_mac(c, key, position, all));
	memcpy(all + CURSOR_MAC, position.p, position.n);
	buf_init_on(&b, c->a, 256);
	b64url_add(&b, str_of((char *)all, CURSOR_MAC + position.n));
	*ret = buf_view(&b);
	return buf_check(&b);
}

struct jw *
list_begin(struct call *c)
{
	struct jw *w = answer(c, 200);

	jw_obj(w);
	jw_karr(w, "items");
	return w;
}

err
list_end(struct call *c, struct str position)
{
	struct str next = STR_NONE;

	if (position.n > 0)
		TRY(cursor_make(c, position, &next));
	jw_arr_end(&c->w);
	jw_kstr(&c->w, "next", next);
	jw_obj_end(&c->w);
	return OK;
}

void
scratch_begin(struct call *c, struct scratch *s)
{
	s->real = c->a;
	c->a = &c->lane->scratch;
}

void
scratch_end(struct call *c, struct scratch *s)
{
	c->a = s->real;
	arena_reset(&c->lane->scratch);
}

/* Index of the first object whose id is greater than `after`. */
static size_t
first_after(const struct object *const *o, size_t n, struct str after)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (memcmp(o[mid]->id.b, after.p, 16) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

err
list_objects(struct call *c, enum object_kind kind,
    bool (*wanted)(struct call *c, const struct object *o),
    void (*render)(struct call *c, struct jw *w, const struct object *o))
{
	struct str after, position = STR_NONE;
	const struct object *const *o;
	size_t n, i, shown = 0;
	struct jw *w;

	TRY(cursor_take(c, &after));
	if (after.n != 0 && after.n != 16)
		return err_of(E_BAD_CURSOR);
	o = world_objects(call_world(c), kind, &n);
	w = list_begin(c);
	for (i = after.n == 0 ? 0 : first_after(o, n, after); i < n; i++) {
		if (wanted != NULL && !wanted(c, o[i]))
			continue;
		if (shown == c->query.limit) {
			/* there is one more: go on after the last shown */
			return list_end(c, position);
		}
		render(c, w, o[i]);
		position = str_of((const char *)o[i]->id.b, 16);
		shown++;
	}
	return list_end(c, STR_NONE);
}
