/* keys.c: see keys.h. */
#include "flow/keys.h"

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

err
keys_make_class(struct store_conn *conn, struct keyring *ring, uint32_t project,
    enum seal_class class, uint64_t term, uint32_t id, struct arena *a)
{
	struct wrapped_key wrapped;
	const struct data_key *k;
	struct data_key_row row;

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
