/*
 * idp_egress.c: the one process that may connect.  It learns from the
 * supervisor whom it may call and as whom, gives up the rest, and answers
 * the server: one thread for each link, one question at a time.
 */
#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "egress/egress.h"
#include "ipc/idpwire.h"
#include "ipc/settings.h"
#include "role/child.h"
#include "role/datadir.h"
#include "role/idp.h"
#include "role/role.h"

enum { STACK = 256 * 1024, TEXTS = 256 * 1024, AUTHORITIES = 1 << 20 };

struct worker {
	struct egress *egress;
	struct ipc_end link;
	pthread_t thread;
	char buf[LIM_IPC];
};

static char buf[LIM_IPC];

/* ---- what the supervisor says ---- */

static err
provider_add(struct egress *g, struct arena *a, const struct ipc_msg *m,
    struct trail *t)
{
	struct buf authorities = {0}, credential = {0};
	struct provider p;
	err e;

	if (m->type != IPC_EGRESS_PROVIDER || m->fds_n == 0)
		return err_of(E_PEER);
	TRY(provider_decode(a, m->body, &p));
	e = fd_read_all(m->fds[0], AUTHORITIES, &authorities);
	if (err_ok(e) && m->fds_n == 2)
		e = fd_read_all(m->fds[1], SECRET_FILE_MAX, &credential);
	if (err_ok(e))
		e = egress_add(g, &p, buf_view(&authorities),
		    buf_view(&credential), t);
	else
		trail_set(t, "idp %.*s: a file cannot be read",
		    STR_ARG(p.name));
	buf_done(&authorities);
	buf_wipe(&credential);
	return e;
}

static err
configured(const struct ipc_end *supervisor, struct egress *g,
    struct arena *texts, struct trail *t)
{
	struct ipc_msg m;
	struct cur c;
	uint8_t n;

	TRY(ipc_recv(supervisor, CHILD_BOOT_MS, buf, sizeof buf, &m));
	c = cur_of(m.body);
	n = cur_u8(&c);
	if (m.type != IPC_EGRESS_CONFIG || !cur_end(&c) || n > IDP_PROVIDERS)
		return err_of(E_PEER);
	for (uint8_t i = 0; i < n; i++) {
		err e;

		TRY(ipc_recv(supervisor, CHILD_BOOT_MS, buf, sizeof buf, &m));
		e = provider_add(g, texts, &m, t);
		ipc_msg_drop(&m);
		TRY(e);
	}
	return OK;
}

static err
confined(const struct ipc_end *supervisor, const struct ipc_end *link,
    const struct egress *g, const struct confinement *parent, struct trail *t)
{
	uint16_t ports[CONFINE_PORTS];
	int keep[IDP_LINKS + 1];
	struct confine_plan plan = {.role = CONFINE_EGRESS,
	    .egress = true,
	    .resolver = egress_has_resolver(g),
	    .ports = ports,
	    .ports_n = egress_ports(g, ports, CONFINE_PORTS),
	    .keep = keep,
	    .keep_n = IDP_LINKS + 1};
	struct confinement c;

	keep[IDP_LINKS] = supervisor->fd;
	for (size_t i = 0; i < IDP_LINKS; i++)
		keep[i] = link[i].fd;
	TRY(confine_child(&plan, parent, t, &c));
	role_confined(&c, true);
	return OK;
}

/* ---- what the server asks ---- */

static const char *
op_name(enum ipc_type t)
{
	return t == IPC_OIDC_TOKEN ? "token"
	    : t == IPC_OIDC_JWKS   ? "jwks"
				   : "metadata";
}

static void
note(enum ipc_type op, const struct idp_ask *a, enum idp_status s,
    const struct egress_report *r)
{
	if (s != IDP_OK)
		log_event(LOG_IDP_CALL, KV("provider", a->provider),
		    KVC("op", op_name(op)), KVC("reason", idp_reason(s)),
		    KVN("status", r->http_status), KVC("detail", r->detail));
}

static err
one(struct worker *w)
{
	struct egress_report report;
	struct idp_answer said;
	struct buf text, b;
	struct idp_ask a;
	struct ipc_msg m;
	err e;

	TRY(ipc_recv(&w->link, -1, w->buf, sizeof w->buf, &m));
	TRY(idp_ask_decode(m.type, m.body, &a));
	buf_init(&text, IDP_ANSWER);
	buf_init(&b, IDP_ANSWER + IDP_ANSWER_HEAD);
	said.status =
	    egress_ask(w->egress, m.type, &a, time_now_ms(), &text, &report);
	note(m.type, &a, said.status, &report);
	said.seq = a.seq;
	said.text = buf_view(&text);
	idp_answer_encode(&b, &said);
	e = buf_check(&b);
	if (err_ok(e))
		e = ipc_send(&w->link, IPC_OIDC_ANSWER, buf_view(&b), NULL, 0);
	buf_wipe(&text);
	buf_wipe(&b);
	mem_wipe(w->buf, sizeof w->buf);
	return e;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	err e;

	do
		e = one(w);
	while (err_ok(e));
	(void)close(w->link.fd);
	if (!err_is(e, E_UNAVAILABLE))
		log_event(LOG_IPC, KVE("error", e));
	return NULL;
}

/* Until the server has let go of every link. */
static err
serve(struct egress *g, const struct ipc_end *link)
{
	static struct worker w[IDP_LINKS];
	pthread_attr_t a;
	size_t n = 0;

	(void)pthread_attr_init(&a);
	(void)pthread_attr_setstacksize(&a, STACK);
	for (; n < IDP_LINKS; n++) {
		w[n].egress = g;
		w[n].link = link[n];
		if (pthread_create(&w[n].thread, &a, work, &w[n]) != 0)
			break;
	}
	(void)pthread_attr_destroy(&a);
	if (n < IDP_LINKS)
		return err_of(E_NO_MEMORY);
	while (n > 0)
		(void)pthread_join(w[--n].thread, NULL);
	return OK;
}

void
egress_run(struct ipc_end supervisor, const struct ipc_end link[IDP_LINKS],
    const struct confinement *parent)
{
	struct egress *g = NULL;
	struct trail t = {{0}};
	struct arena texts;
	char b[REPORT_MAX];
	err e;

	log_role("egress");
	(void)prctl(PR_SET_NAME, "redoubt-egress", 0, 0, 0);
	arena_init(&texts, TEXTS);
	e = egress_new(&g);
	if (err_ok(e))
		e = configured(&supervisor, g, &texts, &t);
	if (err_ok(e))
		e = confined(&supervisor, link, g, parent, &t);
	err_ignore(ipc_send(&supervisor, IPC_EGRESS_READY,
		       str_of(b, report_encode(b, e, &t)), NULL, 0),
	    "who does not hear it has gone");
	if (err_ok(e))
		e = serve(g, link);
	g = egress_free(g);
	_exit(err_exit(e));
}
