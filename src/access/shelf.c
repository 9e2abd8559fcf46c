#include "access/shelf.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"

typedef int (*object_order)(const struct object *a, const struct object *b);

/* ---- orders ---- */

static int
order_id(const struct object *a, const struct object *b)
{
	return memcmp(a->id.b, b->id.b, sizeof a->id.b);
}

static int
order_number(const struct object *a, const struct object *b)
{
	return a->project < b->project ? -1 : a->project > b->project;
}

/* What an object is looked up by besides its id. */
static struct str
text_of(const struct object *o)
{
	switch (o->kind) {
	case OBJECT_PROJECT:
		return ((const struct project *)o)->slug;
	case OBJECT_USER:
		return ((const struct user *)o)->email;
	case OBJECT_ROLE:
		return ((const struct role *)o)->name;
	case OBJECT_IDP:
		return ((const struct idp *)o)->name;
	case OBJECT_RESOURCE_GROUP:
		return ((const struct resource_group *)o)->name;
	default:
		return STR_NONE;
	}
}

static unsigned char
folded(struct str s, size_t i)
{
	char c = s.p[i];

	return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* E-mail addresses differ by more than case; slugs have no capitals. */
static int
text_cmp(enum object_kind kind, struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;

	if (kind != OBJECT_USER)
		return str_cmp(a, b);
	for (size_t i = 0; i < n; i++)
		if (folded(a, i) != folded(b, i))
			return folded(a, i) < folded(b, i) ? -1 : 1;
	return a.n < b.n ? -1 : a.n > b.n;
}

static int
order_text(const struct object *a, const struct object *b)
{
	return text_cmp(a->kind, text_of(a), text_of(b));
}

static int
sort_by_id(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	int c = memcmp(x->id.b, y->id.b, sizeof x->id.b);

	if (c != 0)
		return c;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int
sort_by_text(const void *a, const void *b)
{
	return order_text(*(struct object *const *)a,
	    *(struct object *const *)b);
}

static int
sort_by_number(const void *a, const void *b)
{
	return order_number(*(struct object *const *)a,
	    *(struct object *const *)b);
}

/* ---- building ---- */

static bool
changed(const struct change *ch, size_t n, const struct uuid *id)
{
	size_t lo = 0;

	while (n > 0) {
		int c = memcmp(ch[lo + n / 2].id.b, id->b, sizeof id->b);

		if (c == 0)
			return true;
		if (c < 0) {
			lo += n / 2 + 1;
			n -= n / 2 + 1;
		} else {
			n /= 2;
		}
	}
	return false;
}

/* old without what changed, merged with added; both are in this order. */
static size_t
merge(struct object **ret, object_order order, struct object *const *old,
    size_t old_n, const struct change *ch, size_t ch_n,
    struct object *const *added, size_t added_n)
{
	size_t n = 0;

	while (old_n > 0 || added_n > 0) {
		if (old_n > 0 && changed(ch, ch_n, &(*old)->id)) {
			old++;
			old_n--;
		} else if (added_n == 0 ||
		    (old_n > 0 && order(*old, *added) < 0)) {
			ret[n++] = *old++;
			old_n--;
		} else {
			ret[n++] = *added++;
			added_n--;
		}
	}
	return n;
}

static bool
has_text(enum object_kind kind)
{
	return kind == OBJECT_PROJECT || kind == OBJECT_USER ||
	    kind == OBJECT_ROLE || kind == OBJECT_IDP ||
	    kind == OBJECT_RESOURCE_GROUP;
}

size_t
shelf_limit(enum object_kind kind)
{
	switch (kind) {
	case OBJECT_PROJECT:
		return LIM_PROJECTS;
	case OBJECT_USER:
	case OBJECT_SERVICE_ACCOUNT:
	case OBJECT_PREFERENCES:
		return LIM_PRINCIPALS;
	case OBJECT_GROUP:
		return LIM_GROUPS;
	case OBJECT_ROLE:
		return LIM_ROLES;
	case OBJECT_BINDING:
		return LIM_BINDINGS;
	case OBJECT_TOKEN:
		return LIM_ALL_TOKENS;
	case OBJECT_INTEGRATION:
		return LIM_INTEGRATIONS;
	case OBJECT_IDP:
		return LIM_IDPS;
	case OBJECT_IDENTITY:
		return LIM_IDENTITIES;
	case OBJECT_CREDENTIAL:
		return LIM_CREDENTIALS;
	case OBJECT_SESSION:
		return LIM_SESSIONS;
	case OBJECT_POLICY:
	case OBJECT_POLICY_TESTS:
		return 1;
	case OBJECT_RESOURCE_GROUP:
		return LIM_RESOURCE_GROUPS;
	case OBJECT_BREAK_GLASS:
		return LIM_BREAK_GLASS;
	case OBJECT_CONNECTOR:
		return LIM_CONNECTORS;
	case OBJECT_SECRET:
		return LIM_PROJECT_SECRETS;
	case OBJECT_RUNBOOK:
		return LIM_RUNBOOKS;
	case OBJECT_TRIGGER:
		return LIM_TRIGGERS;
	case OBJECT_DELEGATE:
		return LIM_DELEGATES;
	case OBJECT_AUDIT_FILTER:
		return LIM_AUDIT_FILTERS;
	case OBJECT_AUDIT_REVIEW:
		return LIM_AUDIT_REVIEWS;
	case OBJECT_FREEZE:
		return LIM_PROJECTS + 1;
	case OBJECT_WITNESS:
		return LIM_WITNESSES;
	case OBJECT_HOLD:
		return LIM_HOLDS;
	}
	return 0;
}

/* Two neighbours in an order that should be strict. */
static bool
twins(struct object *const *list, size_t n, object_order order)
{
	for (size_t i = 1; i < n; i++)
		if (order(list[i - 1], list[i]) == 0 &&
		    (order != order_text || text_of(list[i]).n > 0))
			return true;
	return false;
}

static bool
shadows_builtin(const struct object *o)
{
	enum builtin_role r;

	return o->kind == OBJECT_ROLE &&
	    role_parse(((const struct role *)o)->name, &r);
}

static err
index_ids(struct shelf *s)
{
	TRY(table_new(s->n, &s->ids));
	for (size_t i = 0; i < s->n; i++)
		multi_add(&s->ids, hash_uuid(&s->all[i]->id), s->all[i]);
	return OK;
}

/* The digest an object is found by; NULL when it has none. */
static const uint8_t *
digest_of(const struct object *o)
{
	switch (o->kind) {
	case OBJECT_IDENTITY:
		return ((const struct identity *)o)->key;
	case OBJECT_SESSION:
		return ((const struct session *)o)->key;
	default:
		return NULL;
	}
}

static err
index_digests(struct shelf *s)
{
	TRY(table_new(s->n, &s->keys));
	for (size_t i = 0; i < s->n; i++) {
		const uint8_t *key = digest_of(s->all[i]);

		if (shelf_digest(s, key) != NULL)
			return err_of(E_CORRUPT);
		multi_add(&s->keys, hash_bytes16(key), s->all[i]);
	}
	return OK;
}

static err
index_keys(enum object_kind kind, struct shelf *s)
{
	if (kind == OBJECT_IDENTITY || kind == OBJECT_SESSION)
		return index_digests(s);
	if (kind != OBJECT_TOKEN)
		return OK;
	TRY(table_new(s->n, &s->keys));
	for (size_t i = 0; i < s->n; i++) {
		const struct token *t = (const struct token *)s->all[i];

		if (shelf_key(s, t->key_id) != NULL)
			return err_of(E_CORRUPT);
		multi_add(&s->keys, hash_key_id(t->key_id), t);
	}
	return OK;
}

/* The sorted arrays and what must be unique in them. */
static err
arrange(enum object_kind kind, struct shelf *s, const struct shelf *old,
    const struct change *ch, size_t ch_n, struct object **added, size_t added_n)
{
	size_t old_n = old == NULL ? 0 : old->n;

	s->n = merge(s->all, order_id, old == NULL ? NULL : old->all, old_n, ch,
	    ch_n, added, added_n);
	if (s->n > shelf_limit(kind))
		return err_of(E_LIMIT);
	if (s->text != NULL) {
		qsort(added, added_n, sizeof *added, sort_by_text);
		merge(s->text, order_text, old == NULL ? NULL : old->text,
		    old_n, ch, ch_n, added, added_n);
		if (twins(s->text, s->n, order_text))
			return err_of(E_CORRUPT);
	}
	if (s->number != NULL) {
		qsort(added, added_n, sizeof *added, sort_by_number);
		merge(s->number, order_number, old == NULL ? NULL : old->number,
		    old_n, ch, ch_n, added, added_n);
		if (twins(s->number, s->n, order_number))
			return err_of(E_CORRUPT);
	}
	return OK;
}

static err
fill(enum object_kind kind, struct shelf *s, const struct shelf *old,
    const struct change *ch, size_t ch_n)
{
	size_t max = (old == NULL ? 0 : old->n) + ch_n, added_n = 0;
	struct object **added = mem_new(ch_n, sizeof *added);
	err e = err_of(E_NO_MEMORY);

	s->all = mem_new(max, sizeof *s->all);
	if (has_text(kind))
		s->text = mem_new(max, sizeof *s->text);
	if (kind == OBJECT_PROJECT)
		s->number = mem_new(max, sizeof *s->number);
	if (added == NULL || s->all == NULL ||
	    (has_text(kind) && s->text == NULL) ||
	    (kind == OBJECT_PROJECT && s->number == NULL))
		goto out;
	e = OK;
	for (size_t i = 0; i < ch_n; i++) {
		if (ch[i].obj == NULL)
			continue;
		if (shadows_builtin(ch[i].obj))
			e = err_of(E_CORRUPT);
		added[added_n++] = ch[i].obj;
	}
	if (err_ok(e))
		e = arrange(kind, s, old, ch, ch_n, added, added_n);
out:
	mem_free(added);
	TRY(e);
	TRY(index_ids(s));
	TRY(index_keys(kind, s));
	return shelf_many(kind, s);
}

/* Sort by id; of several changes to one id only the last stays. */
static size_t
settle(struct change *ch, size_t n)
{
	size_t out = 0;

	if (n > 1)
		qsort(ch, n, sizeof *ch, sort_by_id);
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && uuid_eq(&ch[i].id, &ch[i + 1].id))
			cell_unref(ch[i].obj);
		else
			ch[out++] = ch[i];
	}
	for (size_t i = out; i < n; i++)
		ch[i] = (struct change){0};
	return out;
}

static void
shelf_free(struct shelf *s)
{
	mem_free(s->all);
	mem_free(s->text);
	mem_free(s->number);
	mem_free(s->ids.slots);
	mem_free(s->keys.slots);
	mem_free(s->many);
	mem_free(s->spans);
	mem_free(s->span_of.slots);
	mem_free(s);
}

err
shelf_new(enum object_kind kind, const struct shelf *old,
    struct change *changes, size_t changes_n, struct shelf **ret)
{
	struct shelf *s = mem_new(1, sizeof *s);
	err e;

	if (s == NULL)
		return err_of(E_NO_MEMORY);
	atomic_init(&s->refs, 1);
	changes_n = settle(changes, changes_n);
	e = fill(kind, s, old, changes, changes_n);
	if (!err_ok(e)) {
		shelf_free(s);
		return e;
	}
	for (size_t i = 0; i < s->n; i++)
		cell_ref(s->all[i]);
	/* what is new was counted once too often: by its change */
	for (size_t i = 0; i < changes_n; i++) {
		cell_unref(changes[i].obj);
		changes[i].obj = NULL;
	}
	*ret = s;
	return OK;
}

struct shelf *
shelf_ref(struct shelf *s)
{
	if (s != NULL)
		atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

struct shelf *
shelf_unref(struct shelf *s)
{
	if (s == NULL)
		return NULL;
	if (atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	for (size_t i = 0; i < s->n; i++)
		cell_unref(s->all[i]);
	shelf_free(s);
	return NULL;
}

/* ---- looking up ---- */

const struct object *
shelf_id(const struct shelf *s, const struct uuid *id)
{
	uint64_t hash = hash_uuid(id);

	if (s == NULL)
		return NULL;
	for (size_t i = hash & s->ids.mask; s->ids.slots[i].hash != 0;
	     i = (i + 1) & s->ids.mask) {
		const struct object *o = s->ids.slots[i].value;

		if (s->ids.slots[i].hash == hash && uuid_eq(&o->id, id))
			return o;
	}
	return NULL;
}

const struct token *
shelf_key(const struct shelf *s, const char key_id[TOKEN_KEY_ID])
{
	uint64_t hash = hash_key_id(key_id);

	if (s == NULL)
		return NULL;
	for (size_t i = hash & s->keys.mask; s->keys.slots[i].hash != 0;
	     i = (i + 1) & s->keys.mask) {
		const struct token *t = s->keys.slots[i].value;

		if (s->keys.slots[i].hash == hash &&
		    memcmp(t->key_id, key_id, TOKEN_KEY_ID) == 0)
			return t;
	}
	return NULL;
}

const struct object *
shelf_digest(const struct shelf *s, const uint8_t key[DIGEST_SIZE])
{
	uint64_t hash = hash_bytes16(key);

	if (s == NULL)
		return NULL;
	for (size_t i = hash & s->keys.mask; s->keys.slots[i].hash != 0;
	     i = (i + 1) & s->keys.mask) {
		const struct object *o = s->keys.slots[i].value;

		if (s->keys.slots[i].hash == hash &&
		    memcmp(digest_of(o), key, DIGEST_SIZE) == 0)
			return o;
	}
	return NULL;
}

const struct object *
shelf_text(enum object_kind kind, const struct shelf *s, struct str text)
{
	size_t lo = 0, n = s == NULL || text.n == 0 ? 0 : s->n;

	while (n > 0) {
		const struct object *o = s->text[lo + n / 2];
		int c = text_cmp(kind, text_of(o), text);

		if (c == 0)
			return o;
		if (c < 0) {
			lo += n / 2 + 1;
			n -= n / 2 + 1;
		} else {
			n /= 2;
		}
	}
	return NULL;
}

const struct object *
shelf_number(const struct shelf *s, uint32_t number)
{
	size_t lo = 0, n = s == NULL ? 0 : s->n;

	while (n > 0) {
		const struct object *o = s->number[lo + n / 2];

		if (o->project == number)
			return o;
		if (o->project < number) {
			lo += n / 2 + 1;
			n -= n / 2 + 1;
		} else {
			n /= 2;
		}
	}
	return NULL;
}
