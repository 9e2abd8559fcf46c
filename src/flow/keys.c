/* keys.c: see keys.h. */
#include "flow/keys.h"

#include <stdlib.h>

#include "base/time.h"
#include "flow/key_care.h"
#include "flow/pieces.h"
#include "flow/writer.h"
#include "store/key_use.h"

static const enum seal_class of_org[] = {SEAL_CLASS_OBJECT, SEAL_CLASS_AUDIT,
    SEAL_CLASS_REPLY, SEAL_CLASS_INDEX, SEAL_CLASS_TOKEN, SEAL_CLASS_CURSOR};
static const enum seal_class of_project[] = {SEAL_CLASS_ALERT,
    SEAL_CLASS_PAYLOAD, SEAL_CLASS_INDEX};

err
keys_store_project(struct store_conn *conn, uint32_t project, uint32_t version,
    int64_t now, struct str wrapped)
{
	struct stored check = {wrapped};
	uint32_t id;

	/* what came from another process is looked at before it is stored */
	TRY(seal_key_id(check, &id));
	return store_project_key_put(conn, project, version, now,
	    (struct sealed){wrapped});
}

bool keys_seal(enum seal_class class)
{
	return class != SEAL_CLASS_INDEX && class != SEAL_CLASS_TOKEN &&
	    class != SEAL_CLASS_CURSOR;
}

/* What it may seal before the writer has to look after it. */
static err
first_grant(struct store_conn *conn, struct keyring *ring,
    enum seal_class class, uint32_t id)
{
	struct key_use_row row = {.id = id, .since = time_now_ms()};
	struct meters *m = keyring_meters(ring);
	struct amount none = {0, 0}, to = key_care_block;

	if (keys_seal(class) && m != NULL) {
		TRY(meters_add(m, id, &none));
		(void)meters_plan(m, id, &to);
		meters_give(m, id, &to);
	}
	if (keys_seal(class)) {
		row.seals = to.seals;
		row.bytes = to.bytes;
	}
	return store_key_use_put(conn, &row);
}

err
keys_make_class(struct store_conn *conn, struct keyring *ring, uint32_t project,
    enum seal_class class, uint64_t term, uint32_t id, struct arena *a)
{
	struct wrapped_key wrapped;
	const struct data_key *k;
	struct data_key_row row;

	TRY(first_grant(conn, ring, class, id));
	TRY(keyring_make(ring, id, project, class, NULL, term, a, &wrapped,
	    &k));
	row = (struct data_key_row){
	    .id = id,
	    .project = project,
	    .version = wrapped.version,
	    .class = (uint8_t) class,
	    .term = term,
	    .wrapped = wrapped.wrapped,
	};
	return store_data_key_put(conn, &row);
}

err
keys_make_classes(struct store_conn *conn, struct keyring *ring,
    uint32_t project, uint64_t term, uint32_t *io_id, struct arena *a,
    struct class_key *ret, size_t *ret_n)
{
	const enum seal_class *list = project == 0 ? of_org : of_project;
	size_t n = project == 0 ? sizeof of_org / sizeof *of_org
				: sizeof of_project / sizeof *of_project;

	for (size_t i = 0; i < n; i++) {
		TRY(keys_make_class(conn, ring, project, list[i], term,
		    ++*io_id, a));
		ret[i] = (struct class_key){project, list[i], *io_id, term};
	}
	*ret_n = n;
	return OK;
}

/* ---- terms ---- */

static err
new_term(struct lane *l, struct class_key *k, struct arena *a)
{
	const struct class_key *terms;
	size_t n = snap_class_terms(l->snap, k->project, k->class, &terms);

	if (n == 0)
		return err_of(E_NOT_FOUND);
	/* who is sealing under the last one still may; not under older ones */
	if (n > 1)
		meters_forget(l->state->meters, terms[n - 2].id);
	k->id = desk_key_id(writer_desk(l->writer));
	k->term = terms[n - 1].term + 1;
	return keys_make_class(l->conn, l->ring, k->project, k->class, k->term,
	    k->id, a);
}

err
keys_new_terms(struct lane *l, struct class_key *io, size_t n, struct arena *a)
{
	const struct snap *s = l->snap;
	struct class_key *ck =
	    arena_array(a, s->class_keys_n + n + 1, sizeof *ck);

	TRY(arena_check(a));
	memcpy(ck, s->class_keys, s->class_keys_n * sizeof *ck);
	for (size_t i = 0; i < n; i++) {
		TRY(new_term(l, &io[i], a));
		ck[s->class_keys_n + i] = io[i];
	}
	return pieces_see(l, s->keys, ck, s->class_keys_n + n);
}

/* ---- the end of keys ---- */

err
keys_kin(struct store_conn *conn, uint32_t id, uint32_t ret[KEYS_KIN],
    size_t *ret_n)
{
	uint32_t other;
	size_t n = 0;
	err e;

	ret[n++] = id;
	e = store_key_before(conn, id, &other);
	if (err_ok(e))
		ret[n++] = other;
	else if (!err_is(e, E_NOT_FOUND))
		return e;
	e = store_key_renewed(conn, id, &other);
	if (err_ok(e))
		ret[n++] = other;
	else if (!err_is(e, E_NOT_FOUND))
		return e;
	*ret_n = n;
	return OK;
}

static int
by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The list without those; a key that seals is none to go. */
static err
without(const struct snap *s, const uint32_t *gone, size_t n,
    struct class_key *ret, size_t *ret_n)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->class_keys_n; i++) {
		const struct class_key *k = &s->class_keys[i];

		if (bsearch(&k->id, gone, n, sizeof *gone, by_number) == NULL)
			ret[kept++] = *k;
		else if (snap_class_key(s, k->project, k->class) == k->id)
			return err_of(E_CONFLICT);
	}
	*ret_n = kept;
	return OK;
}

err
keys_destroy(struct lane *l, const uint32_t *id, size_t n, struct arena *a)
{
	const struct snap *s = l->snap;
	struct class_key *ck = arena_array(a, s->class_keys_n + 1, sizeof *ck);
	uint32_t *gone = arena_array(a, n + 1, sizeof *gone);
	size_t kept;

	TRY(arena_check(a));
	for (size_t i = 0; i < n; i++)
		gone[i] = id[i];
	qsort(gone, n, sizeof *gone, by_number);
	TRY(without(s, gone, n, ck, &kept));
	for (size_t i = 0; i < n; i++) {
		err e = store_data_key_delete(l->conn, gone[i]);

		if (!err_is(e, E_NOT_FOUND))
			TRY(e);
		keyring_forget(l->ring, gone[i]);
		meters_forget(l->state->meters, gone[i]);
	}
	if (kept == s->class_keys_n)
		return OK;
	return pieces_see(l, s->keys, ck, kept);
}

err
keys_store_data(struct store_conn *conn, const struct data_key_row *was)
{
	struct data_key_row row = *was;
	uint32_t id;

	TRY(seal_key_id(was->was_wrapped, &id));
	row.wrapped = (struct sealed){was->was_wrapped.bytes};
	return store_data_key_put(conn, &row);
}
