#include "role/idp_watch.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

/* Nobody waits for ever to hear that the server serves. */
enum { MINUTE_MS = 60000, SETTLE_MS = 10000 };

static char buf[LIM_IPC];

static void
end_close(struct ipc_end *e)
{
	if (e->fd >= 0)
		(void)close(e->fd);
	e->fd = -1;
}

static void
links_close(struct idp_watch *w)
{
	for (size_t i = 0; i < IDP_LINKS; i++) {
		if (w->link[i] >= 0)
			(void)close(w->link[i]);
		w->link[i] = -1;
	}
}

static void
fresh_drop(struct idp_watch *w)
{
	end_close(&w->fresh);
	links_close(w);
}

static void
spare_drop(struct idp_watch *w)
{
	end_close(&w->spare);
	for (size_t i = 0; i < IDP_LINKS; i++) {
		if (w->spare_link[i] >= 0)
			(void)close(w->spare_link[i]);
		w->spare_link[i] = -1;
	}
}

void
idp_watch_init(struct idp_watch *w, const struct plan *p,
    const struct ipc_end *server)
{
	*w = (struct idp_watch){.plan = p,
	    .server = server,
	    .role = {.name = "idp", .end = {.fd = -1}},
	    .first = true,
	    .spare = {.fd = -1},
	    .egress = {.fd = -1},
	    .fresh = {.fd = -1}};
	for (size_t i = 0; i < IDP_LINKS; i++)
		w->link[i] = w->spare_link[i] = -1;
}

void
idp_watch_close(struct idp_watch *w)
{
	end_close(&w->role.end);
	end_close(&w->egress);
	fresh_drop(w);
	spare_drop(w);
	w->stopping = true;
	w->settled = true;
	w->start_at = w->heir_at = 0;
}

/* ---- the role ---- */

static err
role_told(struct idp_watch *w, const int *fds)
{
	struct idp_settings s = w->plan->idp;
	struct buf b;
	err e;

	buf_init(&b, 64);
	idp_settings_encode(&b, &s);
	e = ipc_send(&w->role.end, IPC_IDP_CONFIG, buf_view(&b), fds,
	    IDP_LINKS);
	buf_done(&b);
	return e;
}

err
idp_watch_start(struct idp_watch *w, int64_t now, int ret_links[IDP_LINKS],
    struct trail *t)
{
	struct ipc_end child, server[IDP_LINKS], role[IDP_LINKS];
	int fds[IDP_LINKS];
	err e;

	w->network = w->plan->idp.egress;
	w->settle_at = now + SETTLE_MS;
	TRY(ipc_pair(SUPERVISOR, IDP, &w->role.end, &child));
	for (size_t i = 0; i < IDP_LINKS; i++) {
		TRY(ipc_pair(SERVER, IDP, &server[i], &role[i]));
		ret_links[i] = server[i].fd;
		fds[i] = role[i].fd;
	}
	e = child_start(&w->role, child.fd, -1, t);
	(void)close(child.fd);
	if (err_ok(e))
		e = role_told(w, fds);
	for (size_t i = 0; i < IDP_LINKS; i++)
		(void)close(fds[i]);
	return e;
}

/* ---- starting what may connect ---- */

static void
fork_one(struct idp_watch *w)
{
	struct trail t = {{0}};
	err e;

	w->start_at = 0;
	w->unwanted = false;
	w->again = w->forking; /* with what idp.conf says by then */
	if (w->stopping || !w->network || w->role.end.fd < 0 || w->forking)
		return;
	e = plan_idp(w->plan, &t, &w->told);
	if (err_ok(e)) {
		e = ipc_send(&w->role.end, IPC_EGRESS_FORK, STR(""), NULL, 0);
		w->forking = err_ok(e);
		if (w->forking)
			return;
		idp_plan_close(&w->told);
	}
	w->settled = true;
	log_event(LOG_IDP_BAD, KVE("error", e), KVC("detail", t.detail));
}

/* Not more than LIM_IDP_STARTS in a minute; else *ret_at says when. */
static bool
may(int64_t at[LIM_IDP_STARTS], size_t *n, int64_t now, int64_t *ret_at)
{
	int64_t *slot = &at[*n % LIM_IDP_STARTS];

	if (*n >= LIM_IDP_STARTS && now - *slot < MINUTE_MS) {
		*ret_at = *slot + MINUTE_MS;
		return false;
	}
	*ret_at = 0;
	*slot = now;
	++*n;
	return true;
}

/* One that has ended, or the first: not too often. */
static void
start(struct idp_watch *w, int64_t now)
{
	if (!w->stopping && may(w->starts, &w->starts_n, now, &w->start_at))
		fork_one(w);
}

/* ---- who follows the role ---- */

static void
spare_ask(struct idp_watch *w)
{
	w->sparing = !w->stopping && w->role.end.fd >= 0;
	if (w->sparing)
		err_ignore(ipc_send(&w->role.end, IPC_IDP_SPARE, STR(""), NULL,
			       0),
		    "its end will say so");
}

static err
spared(struct idp_watch *w, struct ipc_msg *m)
{
	if (m->fds_n != IDP_LINKS + 1 || !w->sparing)
		return err_of(E_PEER);
	w->sparing = false;
	w->spare = (struct ipc_end){m->fds[0], SUPERVISOR, IDP};
	memcpy(w->spare_link, m->fds + 1, sizeof w->spare_link);
	m->fds_n = 0;
	return OK;
}

/* The server gets its links, then it is the role. */
static void
follow(struct idp_watch *w, int64_t now)
{
	err e = ipc_send(w->server, IPC_SAML_LINK, STR(""), w->spare_link,
	    IDP_LINKS);

	if (err_ok(e))
		e = ipc_send(&w->spare, IPC_IDP_GO, STR(""), NULL, 0);
	if (!err_ok(e)) {
		spare_drop(w); /* gone as well, or everything is */
		return;
	}
	w->role.end = w->spare;
	w->spare.fd = -1;
	w->first = false;
	spare_drop(w);
	log_event(LOG_IDP, KVC("role", "anew"));
	spare_ask(w);
	if (w->network && w->egress.fd < 0 && w->fresh.fd < 0)
		start(w, now);
}

/* Logins by others fail until one has followed; everything else goes on. */
static void
lost(struct idp_watch *w, int64_t now)
{
	if (!w->first && w->role.end.fd >= 0)
		log_event(LOG_CHILD_EXIT, KVC("child", "idp"));
	end_close(&w->role.end);
	if (w->forking)
		idp_plan_close(&w->told);
	w->forking = false;
	w->settled = true;
	if (!w->stopping && w->spare.fd >= 0 &&
	    may(w->heirs, &w->heirs_n, now, &w->heir_at))
		follow(w, now);
}

void
idp_watch_ended(struct idp_watch *w, int64_t now)
{
	if (w->first && w->role.end.fd >= 0)
		lost(w, now);
}

/* Who waits says nothing: it is gone, so another is asked for. */
void
idp_watch_spare(struct idp_watch *w)
{
	if (w->spare.fd < 0)
		return;
	spare_drop(w);
	spare_ask(w);
}

void
idp_watch_tick(struct idp_watch *w, int64_t now)
{
	if (w->start_at != 0 && now >= w->start_at)
		start(w, now);
	if (w->heir_at != 0 && now >= w->heir_at)
		lost(w, now);
	if (now >= w->settle_at)
		w->settled = true;
}

int64_t
idp_watch_next(const struct idp_watch *w)
{
	int64_t at = w->start_at;

	if (w->heir_at != 0 && (at == 0 || w->heir_at < at))
		at = w->heir_at;
	if (!w->settled && (at == 0 || w->settle_at < at))
		at = w->settle_at;
	return at;
}

static err
provider_tell(struct idp_watch *w, size_t i)
{
	int fds[2] = {w->told.ca[i], w->told.credential[i]};
	struct buf b;
	err e;

	buf_init(&b, 16384);
	provider_encode(&b, &w->told.conf.provider[i]);
	e = buf_check(&b);
	if (err_ok(e))
		e = ipc_send(&w->fresh, IPC_EGRESS_PROVIDER, buf_view(&b), fds,
		    fds[1] < 0 ? 1 : 2);
	buf_done(&b);
	return e;
}

static err
fresh_tell(struct idp_watch *w)
{
	char n = (char)w->told.conf.n;

	TRY(ipc_send(&w->fresh, IPC_EGRESS_CONFIG, str_of(&n, 1), NULL, 0));
	for (size_t i = 0; i < w->told.conf.n; i++)
		TRY(provider_tell(w, i));
	return OK;
}

static err
forked(struct idp_watch *w, struct ipc_msg *m)
{
	err e;

	if (m->fds_n != IDP_LINKS + 1 || !w->forking)
		return err_of(E_PEER);
	w->forking = false;
	fresh_drop(w);
	if (w->unwanted) {
		idp_plan_close(&w->told);
		return OK; /* its descriptors are dropped, so it ends */
	}
	w->fresh = (struct ipc_end){m->fds[0], SUPERVISOR, EGRESS};
	memcpy(w->link, m->fds + 1, sizeof w->link);
	m->fds_n = 0;
	e = fresh_tell(w);
	w->names_n = w->told.conf.n;
	for (size_t i = 0; i < w->names_n; i++)
		(void)snprintf(w->names[i], sizeof w->names[i], "%.*s",
		    STR_ARG(w->told.conf.provider[i].name));
	idp_plan_close(&w->told);
	return err_is(e, E_UNAVAILABLE) ? OK : e; /* its end will say so */
}

/* ---- what the role says ---- */

static err
role_ready(struct idp_watch *w, struct str body, int64_t now)
{
	struct trail t;
	err told;

	TRY(report_decode(body, &t, &told));
	if (!err_ok(told)) {
		log_event(LOG_IDP_BAD, KVE("error", told),
		    KVC("detail", t.detail));
		w->settled = true;
		return OK;
	}
	spare_ask(w);
	if (w->network)
		start(w, now);
	else
		w->settled = true;
	return OK;
}

static err
egress_ended(struct str body)
{
	struct cur c = cur_of(body);
	int status = (int)cur_be32(&c);

	if (!cur_end(&c))
		return err_of(E_PEER);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		log_event(LOG_CHILD_EXIT, KVC("child", "egress"),
		    KVN("code", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
		    KVC("signal",
			WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status))
					    : "none"));
	return OK;
}

void
idp_watch_role(struct idp_watch *w, int64_t now)
{
	struct ipc_msg m;
	err e;

	if (w->role.end.fd < 0)
		return;
	e = ipc_recv(&w->role.end, 0, buf, sizeof buf, &m);
	if (err_is(e, E_TIMEOUT))
		return;
	if (err_ok(e)) {
		e = m.type == IPC_IDP_READY	  ? role_ready(w, m.body, now)
		    : m.type == IPC_EGRESS_FORKED ? forked(w, &m)
		    : m.type == IPC_IDP_SPARED	  ? spared(w, &m)
						  : egress_ended(m.body);
		ipc_msg_drop(&m);
	}
	if (err_ok(e))
		return;
	/* It ends too, when it sees this. */
	if (!err_is(e, E_UNAVAILABLE))
		log_event(LOG_IPC, KVC("child", "idp"), KVE("error", e));
	lost(w, now);
}

/* ---- what may connect ---- */

static err
link_server(struct idp_watch *w)
{
	struct str names[IDP_PROVIDERS];
	struct buf b;
	err e;

	for (size_t i = 0; i < w->names_n; i++)
		names[i] = str_c(w->names[i]);
	buf_init(&b, 1024);
	idp_names_encode(&b, names, w->names_n);
	e = ipc_send(w->server, IPC_EGRESS_LINK, buf_view(&b), w->link,
	    IDP_LINKS);
	buf_done(&b);
	return e;
}

static err
fresh_ready(struct idp_watch *w, struct str body)
{
	struct trail t;
	err told;

	TRY(report_decode(body, &t, &told));
	w->settled = true;
	if (!err_ok(told)) {
		/* Trying again would not help: SIGHUP does. */
		log_event(LOG_IDP_BAD, KVE("error", told),
		    KVC("detail", t.detail));
		fresh_drop(w);
		if (w->again)
			fork_one(w);
		return OK;
	}
	if (!err_ok(link_server(w)))
		return OK; /* the server is gone, and everything with it */
	log_event(LOG_IDP, KVN("providers", w->names_n));
	links_close(w);
	end_close(&w->egress);
	w->egress = w->fresh;
	w->fresh.fd = -1;
	if (w->again)
		fork_one(w);
	return OK;
}

void
idp_watch_fresh(struct idp_watch *w, int64_t now)
{
	struct ipc_msg m;
	err e;

	if (w->fresh.fd < 0)
		return;
	e = ipc_recv(&w->fresh, 0, buf, sizeof buf, &m);
	if (err_is(e, E_TIMEOUT))
		return;
	if (err_ok(e)) {
		e = fresh_ready(w, m.body);
		ipc_msg_drop(&m);
	}
	if (err_ok(e))
		return;
	fresh_drop(w);
	w->settled = true;
	start(w, now);
}

/* It has nothing more to say: it is gone. */
void
idp_watch_egress(struct idp_watch *w, int64_t now)
{
	end_close(&w->egress);
	if (w->fresh.fd < 0)
		start(w, now);
}

void
idp_watch_reload(struct idp_watch *w)
{
	struct trail t = {{0}};
	struct idp_plan p;
	err e = plan_idp(w->plan, &t, &p);

	if (!err_ok(e)) {
		log_event(LOG_IDP_BAD, KVE("error", e),
		    KVC("detail", t.detail));
		return;
	}
	idp_plan_close(&p);
	if (p.given && !w->network) {
		log_event(LOG_IDP_BAD,
		    KVC("detail",
			"idp.conf is new: only a restart opens a way out"));
	} else if (p.given) {
		fork_one(w);
	} else if (w->network) {
		w->unwanted = true;
		w->again = false;
		w->start_at = 0;
		fresh_drop(w);
		err_ignore(ipc_send(w->server, IPC_EGRESS_LINK, str_of("\0", 1),
			       NULL, 0),
		    "a server that is gone has no links");
		end_close(&w->egress);
		log_event(LOG_IDP, KVN("providers", 0));
	}
}
