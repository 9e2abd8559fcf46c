#include "role/local.h"

#include <unistd.h>

#include "base/limits.h"
#include "flow/load.h"
#include "flow/runs.h"
#include "flow/writer.h"
#include "role/unlock.h"

/* ---- the keeper's thread ---- */

static void *
keeper(void *arg)
{
	static char buf[LIM_IPC]; /* one local at a time */
	struct local *l = arg;
	struct ipc_msg m;

	while (err_ok(ipc_recv(&l->keeper, -1, buf, sizeof buf, &m))) {
		err e;

		(void)pthread_mutex_lock(&l->lock);
		e = keep_answer(&l->keep, &l->keeper, &m);
		(void)pthread_mutex_unlock(&l->lock);
		ipc_msg_drop(&m);
		if (!err_ok(e))
			break;
	}
	(void)close(l->keeper.fd);
	return NULL;
}

/* In plain, whoever has to be asked. */
static err
root_open(const struct local *l, struct trail *t, int *ret)
{
	int fd;

	TRY(root_key_open(l->dir, l->root_setting, t, &fd));
	return root_key_unlock(l->dir, fd, role_person(), t, ret);
}

static err
start_keeper(struct local *l, struct trail *t)
{
	int root;
	err e;

	TRY(secret_open(l->dir, "keys/audit.key", true, t, &l->audit));
	TRY(secret_open(l->dir, "keys/keeper.state", true, t, &l->keys_state));
	e = root_open(l, t, &root);
	if (err_is(e, E_NOT_FOUND)) /* what opens the store is not there */
		return err_of(E_SEALED);
	TRY(e);
	e = keep_open(&l->keep, root, l->audit, l->keys_state, t);
	(void)close(root);
	TRY(e);
	TRY(ipc_pair(SERVER, KEEPER, &l->server, &l->keeper));
	l->serving = pthread_create(&l->thread, NULL, keeper, l) == 0;
	return err_of(l->serving ? E_OK : E_NO_MEMORY);
}

err
local_reload(void *ctx, struct trail *t)
{
	struct local *l = ctx;
	int root;
	err e;

	TRY(root_open(l, t, &root));
	(void)pthread_mutex_lock(&l->lock);
	e = keep_reload(&l->keep, root, t);
	(void)pthread_mutex_unlock(&l->lock);
	(void)close(root);
	return e;
}

/* ---- the store ---- */

void
local_tend(void *ctx)
{
	struct local *l = ctx;

	if (store_wal_pages(l->st.store) >= STORE_FOLD)
		err_ignore(store_checkpoint(l->st.store, false),
		    "closing the store does it too");
}

static err
start(struct local *l, struct arena *a, struct trail *t)
{
	const char *db = datadir_path(l->dir, a, STR("db"));

	TRY(arena_check(a));
	TRY(start_keeper(l, t));
	TRY(store_open(db, STORE_WRITE, t, &l->st.store));
	TRY(state_load(&l->st, &l->server, t));
	TRY(state_check_log(&l->st, &l->server, t));
	l->st.on_task = run_task_event;
	return writer_start(&l->st, &l->server, &l->st.writer);
}

err
local_open(struct local *l, const struct datadir *d, const struct config *c,
    struct arena *a, struct trail *t)
{
	err e;

	bool forks = l->st.forks;

	*l = (struct local){.dir = d,
	    .st = {.forks = forks},
	    .root_setting = c->keys_root,
	    .server = {.fd = -1},
	    .audit = -1,
	    .keys_state = -1};
	(void)pthread_mutex_init(&l->lock, NULL);
	(void)pthread_mutex_init(&l->st.lock, NULL);
	e = start(l, a, t);
	if (!err_ok(e))
		local_close(l);
	return e;
}

void
local_close(struct local *l)
{
	l->st.writer = writer_stop(l->st.writer);
	state_done(&l->st);
	l->st.store = store_close(l->st.store);
	if (l->server.fd >= 0)
		(void)close(l->server.fd);
	if (l->serving)
		(void)pthread_join(l->thread, NULL);
	keep_close(&l->keep);
	if (l->audit >= 0)
		(void)close(l->audit);
	if (l->keys_state >= 0)
		(void)close(l->keys_state);
	(void)pthread_mutex_destroy(&l->st.lock);
	(void)pthread_mutex_destroy(&l->lock);
}
