/* chores.c: see chores.h. */
#include "flow/chores.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "flow/audit_review.h"
#include "flow/holds.h"
#include "flow/key_care.h"
#include "flow/person.h"
#include "flow/secret_care.h"
#include "flow/sessions.h"
#include "flow/task_job.h"
#include "flow/writer.h"

/* A purge takes STORE_PURGE rows: this often, it keeps up with any load. */
enum { PURGE_EVERY_MS = 10000, LEASES_EVERY_MS = 1000 };

static err
purge(struct lane *l, void *arg)
{
	const int64_t *now = arg;

	TRY(store_reply_purge(l->conn, *now - LIM_IDEMPOTENCY_MS));
	return store_seen_purge(l->conn, *now);
}

static void
chore(struct lane *l, err (*fn)(struct lane *, void *), int64_t now,
    const char *what)
{
	err e = writer_run(l->writer, fn, &now);

	if (!err_ok(e))
		log_event(LOG_STORE, KVE("error", e), KVC("at", what));
}

void
chores_do(struct lane *l, struct chores *k)
{
	int64_t mono = time_mono_us() / 1000, now = time_now_ms();

	key_care_grant(l);
	if (k->leases_at == 0) /* delegates come back first */
		k->leases_at = mono + LIM_LEASE_MS;
	if (mono >= k->leases_at) {
		k->leases_at = mono + LEASES_EVERY_MS;
		if (tasks_due(l, now))
			chore(l, tasks_tend, now, "leases");
	}
	if (mono < k->purge_at)
		return;
	k->purge_at = mono + PURGE_EVERY_MS;
	chore(l, purge, now, "purge");
	key_care_renew(l, now, &k->keys_at);
	if (!person_tended(&k->person_at)) {
		err e = writer_run(l->writer, person_tend, &k->person_at);

		if (!err_ok(e))
			log_event(LOG_STORE, KVE("error", e),
			    KVC("at", "persons"));
	}
	if (person_due(l->snap->world, now) != NULL &&
	    hold_any(l->snap->world, now) == NULL)
		chore(l, person_expire, now, "persons");
	audit_review_remind(l, now, &k->remind_at);
	/* sessions that are over leave the world */
	if (sessions_due(l, now))
		chore(l, sessions_tend, now, "sessions");
	/* versions of secrets whose overlap is over are destroyed */
	if (secrets_due(l, now))
		chore(l, secrets_tend, now, "secrets");
}

bool
chores_sign(struct lane *l, struct ledger *g, const struct ipc_end *keeper)
{
	struct arena a;
	err e;

	if (l->state->forks) /* what leads to the new name comes first */
		return true;
	arena_init(&a, (size_t)1024 * 1024);
	e = store_begin(l->conn);
	if (err_ok(e)) {
		e = ledger_sign(g, l, keeper, &a, time_now_ms());
		if (err_ok(e))
			e = store_commit(l->conn);
		else
			store_rollback(l->conn);
	}
	arena_done(&a);
	if (err_ok(e))
		ledger_signed(g);
	else
		log_event(LOG_CHECKPOINT_BAD, KVE("error", e));
	return err_ok(e);
}
