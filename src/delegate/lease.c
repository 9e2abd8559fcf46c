/*
 * lease.c: the thread that asks for tasks and looks at what comes: witnesses
 * the log, opens and checks each task, renews the certificate.
 */
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "base/time.h"
#include "delegate/agent.h"
#include "seal/ed25519.h"

enum {
	WAIT_IDLE_MS = 25000,
	WAIT_BUSY_MS = 10000, /* leases last 30 s */
	WAIT_FULL_MS = 1000,
	SLACK_MS = 10000,
	BACKOFF_MS = 10000,
	WITNESS_MS = 60000,
};

struct leasing {
	struct agent *g;
	struct asker k;
	struct arena a; /* of one answer */
	struct lease answer;
	int64_t renew_ms, witness_ms; /* not before */
	uint64_t cosigned;
	int failures;
};

/* ---- clients ---- */

err
asker_ready(struct agent *g, struct asker *k, struct trail *t)
{
	struct client_config c = {.agent = "redoubt-delegate",
	    .timeout_ms = k->timeout_ms};
	err e;

	pthread_mutex_lock(&g->lock);
	c.ca_file = g->e.ca;
	c.certificate = g->e.certificate;
	c.seed = secret_view(g->e.session);
	if (k->client != NULL && k->session != g->session)
		asker_done(k);
	e = OK;
	if (k->client == NULL) {
		arena_init(&k->arena, 1 << 20);
		e = url_parse(&k->arena, g->e.url, t, &c.url);
		if (err_ok(e))
			e = client_new(&k->arena, &c, t, &k->client);
		k->session = g->session;
	}
	pthread_mutex_unlock(&g->lock);
	if (!err_ok(e))
		asker_done(k);
	return e;
}

void
asker_done(struct asker *k)
{
	client_done(k->client);
	k->client = NULL;
	arena_done(&k->arena);
}

/* ---- asking for tasks ---- */

static size_t
capacity(const struct agent *g)
{
	size_t have = jobs_active(g), most = (size_t)g->policy.delegate_tasks;

	if (g->stopping || g->policy.why != REASON_NONE ||
	    g->witness.distrust != REASON_NONE)
		return 0;
	return have < most ? most - have : 0;
}

static err
lease_body(struct leasing *l, struct buf *b, int *ret_wait)
{
	struct agent *g = l->g;
	size_t room = capacity(g), active = jobs_active(g);
	struct jw w;

	*ret_wait = room == 0 ? WAIT_FULL_MS
	    : active > 0      ? WAIT_BUSY_MS
			      : WAIT_IDLE_MS;
	jw_init(&w, b);
	jw_obj(&w);
	jw_ki64(&w, "capacity", (int64_t)room);
	jw_karr(&w, "running");
	for (size_t i = 0; i < LIM_DELEGATE_TASKS; i++) {
		const struct job *j = &g->job[i];

		if (j->state == JOB_FREE || j->state == JOB_GONE)
			continue;
		jw_obj(&w);
		jw_kstr(&w, "task", str_c(j->id_text));
		jw_ki64(&w, "fence", (int64_t)j->fence);
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	jw_ki64(&w, "wait_ms", *ret_wait);
	jw_ki64(&w, "checkpoint_size", (int64_t)g->witness.last.size);
	jw_obj_end(&w);
	return buf_check(b);
}

/* ---- what comes ---- */

static enum reason
task_look(struct agent *g, struct job *j, const struct leased *t,
    const struct checkpoint *point, struct trail *trail)
{
	struct offer o = {.task = t->task,
	    .fence = t->fence,
	    .sealed = t->sealed,
	    .point = *point};
	struct str value[TASK_SECRETS];
	int64_t now = time_now_ms();
	size_t n = 0;

	HOLDS(envelope_open(&g->pinned, &o, now, &j->arena, &j->task));
	HOLDS(journal_offered(g->journal, &j->id, j->fence, j->task.expires,
	    now));
	HOLDS(envelope_check(&g->pinned, &o, &g->policy, now, &j->task, trail));
	HOLDS(envelope_secrets(&g->pinned, &j->task, &j->pages, &j->pages_n));
	for (size_t i = 0; i < j->task.secrets; i++)
		if (!j->task.secret[i].external)
			value[n++] = j->task.secret[i].value;
	if (!err_ok(mask_set_new(value, n, trail, &j->mask)))
		return REASON_SECRET_MASK;
	if (g->frozen)
		return REASON_FROZEN;
	if (g->stopping)
		return REASON_STOPPING;
	if (j->task.step->kind == STEP_SCRIPT && g->zygote == NULL)
		return REASON_SANDBOX;
	return g->broker == NULL && j->task.connectors > 0 ? REASON_BROKER
							   : REASON_NONE;
}

static void
task_take(struct agent *g, const struct leased *t, enum reason seen,
    const struct checkpoint *point)
{
	struct trail trail = {0};
	struct uuid id;
	struct job *j;
	enum reason r;

	if (!uuid_parse(t->task, &id))
		return;
	j = job_find(g, &id);
	if (j != NULL && j->state != JOB_GONE)
		return; /* we have it: the lease was only renewed */
	j = job_new(g, &id, t->fence);
	if (j == NULL)
		return; /* its lease ends by itself */
	r = seen != REASON_NONE ? seen : task_look(g, j, t, point, &trail);
	if (r == REASON_NONE) {
		log_event(LOG_DELEGATE_TASK, KVC("task", j->id_text),
		    KV("run", j->task.run), KV("step", j->task.step_id));
		return;
	}
	log_event(LOG_DELEGATE_REFUSED, KVC("task", j->id_text),
	    KV("reason", reason_code(r)), KVC("detail", trail.detail));
	job_refuse(g, j, r);
}

static void
cancel(struct agent *g, const struct uuid *id)
{
	struct job *j = job_find(g, id);

	if (j != NULL && j->state != JOB_ENDED)
		j->cancelled = true;
}

static void
distrusted(struct agent *g)
{
	log_event(LOG_DELEGATE_DISTRUST,
	    KV("reason", reason_code(g->witness.distrust)),
	    KVN("size", g->witness.last.size));
}

static void
lease_take(struct leasing *l)
{
	struct agent *g = l->g;
	const struct lease *a = &l->answer;
	bool trusted = g->witness.distrust == REASON_NONE;
	struct checkpoint point = {.size = 0};
	enum reason seen = REASON_NONE;

	pthread_mutex_lock(&g->lock);
	g->heard_ms = time_now_ms();
	g->frozen = a->frozen;
	g->revoked = false;
	if (a->note.n > 0)
		seen = witness_see(&g->witness, a->note, a->proof, a->proof_n,
		    &point);
	if (trusted && g->witness.distrust != REASON_NONE)
		distrusted(g);
	for (size_t i = 0; i < a->tasks; i++)
		task_take(g, &a->task[i], seen, &point);
	for (size_t i = 0; i < a->cancels; i++)
		cancel(g, &a->cancel[i]);
	agent_wake(g);
	pthread_mutex_unlock(&g->lock);
}

static err
said(struct leasing *l, int status, struct str text, struct trail *t)
{
	trail_set(t, "the server said %d %.*s", status,
	    STR_ARG(answer_code(&l->a, text)));
	pthread_mutex_lock(&l->g->lock);
	l->g->revoked = status == 401;
	pthread_mutex_unlock(&l->g->lock);
	return err_of(status == 401 ? E_UNAUTHENTICATED : E_UNAVAILABLE);
}

static err
lease_once(struct leasing *l, struct trail *t)
{
	struct agent *g = l->g;
	struct buf body;
	struct str text;
	int wait, status;
	err e;

	buf_init_on(&body, &l->a, LIM_BODY);
	pthread_mutex_lock(&g->lock);
	e = lease_body(l, &body, &wait);
	pthread_mutex_unlock(&g->lock);
	TRY(e);
	l->k.timeout_ms = WAIT_IDLE_MS + SLACK_MS;
	TRY(asker_ready(g, &l->k, t));
	TRY(ask(l->k.client, "POST", STR("/v1/delegate/lease"), buf_view(&body),
	    &l->a, t, &status, &text));
	if (status != 200)
		return said(l, status, text, t);
	TRY(answer_lease(&l->a, text, t, &l->answer));
	lease_take(l);
	return OK;
}

/* ---- the next certificate ---- */

static err
renew_body(const struct agent *g, const struct secret *key, struct buf *b)
{
	char store[256], b64[128];
	struct buf text = {.p = store,
	    .cap = sizeof store,
	    .max = sizeof store};
	struct buf x = {.p = b64, .cap = sizeof b64, .max = sizeof b64};
	uint8_t pk[ED25519_KEY], sig[ED25519_SIG];
	struct jw w;

	TRY(ed25519_public(secret_view(key), pk));
	buf_c(&text, "redoubt-renew/1\n");
	buf_str(&text, g->e.delegate);
	buf_char(&text, '\n');
	hex_add(&text, str_of((const char *)pk, sizeof pk));
	buf_char(&text, '\n');
	TRY(buf_check(&text));
	TRY(ed25519_sign(secret_view(key), buf_view(&text), sig));
	jw_init(&w, b);
	jw_obj(&w);
	b64_add(&x, str_of((const char *)pk, sizeof pk));
	jw_kstr(&w, "ed25519", buf_view(&x));
	buf_clear(&x);
	b64_add(&x, str_of((const char *)sig, sizeof sig));
	jw_kstr(&w, "proof", buf_view(&x));
	jw_obj_end(&w);
	return buf_check(b);
}

static err
renew_with(struct leasing *l, const struct secret *key, struct trail *t)
{
	struct agent *g = l->g;
	struct buf body;
	struct str text, pem;
	int status;
	err e;

	buf_init_on(&body, &l->a, 4096);
	TRY(renew_body(g, key, &body));
	TRY(asker_ready(g, &l->k, t));
	TRY(ask(l->k.client, "POST", STR("/v1/delegate/renew"), buf_view(&body),
	    &l->a, t, &status, &text));
	if (status != 200)
		return said(l, status, text, t);
	TRY(answer_certificate(&l->a, text, t, &pem));
	pthread_mutex_lock(&g->lock);
	e = enrolment_renewed(&g->e, &g->lasting, g->dir, key, pem, t);
	if (err_ok(e))
		g->session++;
	pthread_mutex_unlock(&g->lock);
	return e;
}

static void
renew(struct leasing *l)
{
	int64_t now = time_now_ms();
	struct trail t = {0};
	struct secret *key;
	err e;

	if (now < (l->g->e.from + l->g->e.until) / 2 || now < l->renew_ms)
		return;
	l->renew_ms = now + WITNESS_MS;
	if (!err_ok(secret_new(&key)))
		return;
	rand_bytes(secret_bytes(key), SECRET_SIZE);
	e = renew_with(l, key, &t);
	secret_free(key);
	log_event(err_ok(e) ? LOG_DELEGATE_RENEWED : LOG_DELEGATE_SERVER,
	    KVE("result", e), KVC("detail", t.detail));
}

/* ---- the witness ---- */

static err
witness_show(struct leasing *l, struct trail *t)
{
	struct agent *g = l->g;
	struct buf path, name, note, body;
	struct checkpoint c;
	enum reason seen;
	struct str text;
	struct jw w;
	int status;
	err e;

	buf_init_on(&path, &l->a, 128);
	buf_c(&path, "/v1/delegate/checkpoint?old=");
	buf_u64(&path, g->witness.last.size);
	TRY(asker_ready(g, &l->k, t));
	TRY(ask(l->k.client, "GET", buf_view(&path), STR_NONE, &l->a, t,
	    &status, &text));
	if (status != 200)
		return said(l, status, text, t);
	TRY(answer_checkpoint(&l->a, text, t, &l->answer));
	buf_init_on(&name, &l->a, 128);
	buf_c(&name, "redoubt-delegate/");
	buf_str(&name, g->e.delegate);
	buf_init_on(&note, &l->a, NOTE_MAX);
	buf_init_on(&body, &l->a, 2 * NOTE_MAX);
	pthread_mutex_lock(&g->lock);
	seen = witness_see(&g->witness, l->answer.note, l->answer.proof,
	    l->answer.proof_n, &c);
	e = witness_cosign(&g->witness, buf_view(&name),
	    secret_view(g->e.identity), (uint64_t)time_now_ms() / 1000, &note);
	if (seen == REASON_SHRUNKEN || seen == REASON_FORKED)
		distrusted(g);
	pthread_mutex_unlock(&g->lock);
	if (seen != REASON_NONE)
		return err_of(E_PEER);
	TRY(e);
	if (c.size == l->cosigned)
		return OK;
	jw_init(&w, &body);
	jw_obj(&w);
	jw_kstr(&w, "checkpoint", buf_view(&note));
	jw_obj_end(&w);
	TRY(buf_check(&body));
	TRY(ask(l->k.client, "POST", STR("/v1/delegate/witness"),
	    buf_view(&body), &l->a, t, &status, &text));
	if (status >= 300)
		return said(l, status, text, t);
	l->cosigned = c.size;
	return OK;
}

static void
witness(struct leasing *l)
{
	int64_t now = time_now_ms();
	struct trail t = {0};
	err e;

	if (now < l->witness_ms || l->g->witness.distrust != REASON_NONE)
		return;
	l->witness_ms = now + WITNESS_MS;
	e = witness_show(l, &t);
	if (!err_ok(e))
		log_event(LOG_DELEGATE_SERVER, KVE("result", e),
		    KVC("detail", t.detail));
}

/* ---- the thread ---- */

static void
failed(struct leasing *l, err e, const struct trail *t)
{
	int ms = 250 << (l->failures < 5 ? l->failures : 5);

	l->failures++;
	log_event(LOG_DELEGATE_SERVER, KVE("result", e),
	    KVC("detail", t->detail), KVN("again_ms", ms));
	asker_done(&l->k);
	(void)usleep((useconds_t)(ms < BACKOFF_MS ? ms : BACKOFF_MS) * 1000);
}

void *
lease_main(void *agent)
{
	struct leasing *l = mem_new(1, sizeof *l);
	struct agent *g = agent;

	if (l == NULL)
		return NULL;
	l->g = g;
	for (;;) {
		struct trail t = {0};
		err e;

		arena_init(&l->a, 4 * LIM_LEASE);
		e = lease_once(l, &t);
		if (err_ok(e)) {
			l->failures = 0;
			renew(l);
			witness(l);
		} else {
			failed(l, e, &t);
		}
		arena_done(&l->a);
	}
}
