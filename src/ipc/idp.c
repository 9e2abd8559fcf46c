#include "ipc/idp.h"

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "ipc/idpwire.h"

enum { PART = 61440, SEND_S = 5 };

static const struct {
	const char *reason;
	enum err_code error;
} rows[] = {
#define IDP(name, reason, error, meaning) {reason, error},
#include "ipc/idp.def"
#undef IDP
};

const char *
idp_reason(enum idp_status s)
{
	return s < IDP_STATUS_MAX_ ? rows[s].reason : "?";
}

err
idp_err(enum idp_status s)
{
	return err_of(s < IDP_STATUS_MAX_ ? rows[s].error : E_PEER);
}

/* One link: a pair that one call uses at a time. */
struct link {
	struct ipc_end end; /* fd -1: none */
	bool busy;
	bool replace; /* when the call is over, next takes the place */
	int next;
	char *buf; /* LIM_IPC bytes, from the first call on */
};

struct links {
	enum ipc_role peer;
	struct link link[IDP_LINKS];
};

struct idp_client {
	pthread_mutex_t lock; /* guards everything below */
	pthread_cond_t freed;
	struct links saml, egress;
	uint32_t seq;
	bool configured;
	size_t names_n;
	char names[IDP_PROVIDERS][IDP_NAME + 1];
};

/* ---- links ---- */

static void
links_init(struct links *l, enum ipc_role peer)
{
	l->peer = peer;
	for (size_t i = 0; i < IDP_LINKS; i++)
		l->link[i].end = (struct ipc_end){-1, SERVER, peer};
}

static void
link_close(struct link *k)
{
	if (k->end.fd >= 0)
		(void)close(k->end.fd);
	k->end.fd = -1;
}

static void
links_set(struct links *l, const int *fds, size_t n)
{
	struct timeval patience = {SEND_S, 0};

	for (size_t i = 0; i < IDP_LINKS; i++) {
		struct link *k = &l->link[i];
		int fd = i < n ? fds[i] : -1;

		/* A peer that does not take a question is a broken one. */
		if (fd >= 0)
			(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
			    sizeof patience);
		if (k->replace && k->next >= 0)
			(void)close(k->next);
		k->replace = k->busy;
		k->next = fd;
		if (!k->busy) {
			link_close(k);
			k->end.fd = fd;
		}
	}
}

static void
links_done(struct links *l)
{
	for (size_t i = 0; i < IDP_LINKS; i++) {
		link_close(&l->link[i]);
		if (l->link[i].buf != NULL)
			mem_wipe(l->link[i].buf, LIM_IPC);
		mem_free(l->link[i].buf);
	}
}

static bool
links_alive(const struct links *l)
{
	for (size_t i = 0; i < IDP_LINKS; i++)
		if (l->link[i].end.fd >= 0)
			return true;
	return false;
}

static struct link *
links_free(struct links *l)
{
	for (size_t i = 0; i < IDP_LINKS; i++)
		if (!l->link[i].busy && l->link[i].end.fd >= 0)
			return &l->link[i];
	return NULL;
}

/* ---- making ---- */

err
idp_client_new(struct idp_client **ret)
{
	struct idp_client *c = mem_new(1, sizeof *c);
	pthread_condattr_t a;

	if (c == NULL)
		return err_of(E_NO_MEMORY);
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_condattr_init(&a);
	(void)pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&c->freed, &a);
	(void)pthread_condattr_destroy(&a);
	links_init(&c->saml, IDP);
	links_init(&c->egress, EGRESS);
	*ret = c;
	return OK;
}

struct idp_client *
idp_client_free(struct idp_client *c)
{
	if (c == NULL)
		return NULL;
	links_done(&c->saml);
	links_done(&c->egress);
	(void)pthread_cond_destroy(&c->freed);
	(void)pthread_mutex_destroy(&c->lock);
	mem_free(c);
	return NULL;
}

err
idp_client_saml(struct idp_client *c, const int *fds, size_t n)
{
	if (n != IDP_LINKS)
		return err_of(E_PEER);
	(void)pthread_mutex_lock(&c->lock);
	links_set(&c->saml, fds, n);
	(void)pthread_mutex_unlock(&c->lock);
	return OK;
}

void
idp_names_encode(struct buf *b, const struct str *names, size_t n)
{
	buf_char(b, (char)n);
	for (size_t i = 0; i < n; i++) {
		buf_char(b, (char)names[i].n);
		buf_str(b, names[i]);
	}
}

static err
names_decode(struct str in, char (*ret)[IDP_NAME + 1], size_t *ret_n)
{
	struct cur c = cur_of(in);
	size_t n = cur_u8(&c);

	if (n > IDP_PROVIDERS)
		return err_of(E_PEER);
	for (size_t i = 0; i < n; i++) {
		struct str s = cur_view(&c, cur_u8(&c));

		if (s.n == 0 || s.n > IDP_NAME)
			return err_of(E_PEER);
		memset(ret[i], 0, sizeof ret[i]);
		memcpy(ret[i], s.p, s.n);
	}
	*ret_n = n;
	return err_of(cur_end(&c) ? E_OK : E_PEER);
}

err
idp_client_egress(struct idp_client *c, struct str names, const int *fds,
    size_t n)
{
	char parsed[IDP_PROVIDERS][IDP_NAME + 1];
	size_t parsed_n;

	if (n != IDP_LINKS && n != 0)
		return err_of(E_PEER);
	TRY(names_decode(names, parsed, &parsed_n));
	(void)pthread_mutex_lock(&c->lock);
	memcpy(c->names, parsed, sizeof parsed);
	c->names_n = parsed_n;
	c->configured = n > 0;
	links_set(&c->egress, fds, n);
	(void)pthread_cond_broadcast(&c->freed);
	(void)pthread_mutex_unlock(&c->lock);
	return OK;
}

bool
idp_provider_known(struct idp_client *c, struct str name)
{
	bool known = false;

	(void)pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->names_n; i++)
		known |= str_is(name, c->names[i]);
	(void)pthread_mutex_unlock(&c->lock);
	return known;
}

/* A link whose peer is gone says so when it is looked at. */
static bool
link_up(struct link *k)
{
	char b;

	if (k->end.fd < 0)
		return false;
	if (k->busy ||
	    recv(k->end.fd, &b, 1, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC) != 0)
		return true;
	link_close(k);
	return false;
}

struct idp_health
idp_client_health(struct idp_client *c)
{
	struct idp_health h = {0};

	(void)pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < IDP_LINKS; i++) {
		h.saml |= link_up(&c->saml.link[i]);
		h.egress |= link_up(&c->egress.link[i]);
	}
	h.configured = c->configured;
	h.providers = c->names_n;
	(void)pthread_mutex_unlock(&c->lock);
	return h;
}

/* ---- a call ---- */

static int64_t
mono_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static enum idp_status
take(struct idp_client *c, struct links *l, struct link **ret, uint32_t *seq)
{
	int64_t end = mono_ms() + IDP_WAIT_MS;
	struct timespec until = {.tv_sec = end / 1000,
	    .tv_nsec = end % 1000 * 1000000};
	enum idp_status s = IDP_OK;
	struct link *k = NULL;

	(void)pthread_mutex_lock(&c->lock);
	while (s == IDP_OK && (k = links_free(l)) == NULL) {
		if (!links_alive(l))
			s = l == &c->egress && !c->configured
			    ? IDP_NOT_CONFIGURED
			    : IDP_GONE;
		else if (pthread_cond_timedwait(&c->freed, &c->lock, &until) !=
		    0)
			s = IDP_BUSY;
	}
	if (k != NULL) {
		k->busy = true;
		*seq = ++c->seq;
	}
	(void)pthread_mutex_unlock(&c->lock);
	*ret = k;
	return s;
}

static void
give_back(struct idp_client *c, struct link *k, bool broken)
{
	(void)pthread_mutex_lock(&c->lock);
	if (broken || k->replace)
		link_close(k);
	if (k->replace)
		k->end.fd = k->next;
	k->replace = false;
	k->busy = false;
	(void)pthread_cond_signal(&c->freed);
	if (broken) /* those who wait for it must look again */
		(void)pthread_cond_broadcast(&c->freed);
	(void)pthread_mutex_unlock(&c->lock);
}

/* The answer to seq; answers to questions nobody waits for any more are
 * thrown away. */
static enum idp_status
hear(struct link *k, enum ipc_type answer, uint32_t seq, int ms,
    struct buf *ret, bool *broken, err *ret_e)
{
	int64_t end = mono_ms() + ms;

	for (;;) {
		int64_t left = end - mono_ms();
		struct idp_answer a;
		struct ipc_msg m;
		err e = ipc_recv(&k->end, left < 0 ? 0 : (int)left, k->buf,
		    LIM_IPC, &m);

		if (err_is(e, E_TIMEOUT))
			return IDP_TIMEOUT;
		if (err_ok(e) && m.type != answer)
			e = err_of(E_PEER);
		if (err_ok(e))
			e = idp_answer_decode(m.body, &a);
		if (!err_ok(e)) {
			*broken = true;
			return IDP_GONE;
		}
		if (a.seq != seq)
			continue;
		buf_str(ret, a.text);
		if (ret->failed)
			*ret_e = err_of(E_TOO_LARGE);
		return a.status;
	}
}

static err
send_document(struct link *k, struct str text, uint32_t seq)
{
	unsigned char head[8];

	for (size_t i = 0; i < 4; i++) {
		head[i] = (unsigned char)(seq >> 8 * (3 - i));
		head[4 + i] = (unsigned char)(text.n >> 8 * (3 - i));
	}
	while (text.n > 0) {
		struct str part = str_head(text, PART);

		TRY(ipc_send(&k->end, IPC_SAML_PART, part, NULL, 0));
		text = str_skip(text, part.n);
	}
	return ipc_send(&k->end, IPC_SAML_VERIFY,
	    str_of((char *)head, sizeof head), NULL, 0);
}

struct question {
	struct links *to;
	enum ipc_type type, answer;
	int ms;
	struct str text; /* behind the number; a whole document for SAML */
};

static enum idp_status
asked(struct link *k, const struct question *q, uint32_t seq, struct buf *ret,
    bool *broken, err *ret_e)
{
	char ask[IDP_ASK_MAX];
	err e;

	if (k->buf == NULL)
		k->buf = mem_new(1, LIM_IPC);
	if (k->buf == NULL) {
		*ret_e = err_of(E_NO_MEMORY);
		return IDP_GONE;
	}
	if (q->type == IPC_SAML_VERIFY) {
		e = send_document(k, q->text, seq);
	} else {
		for (size_t i = 0; i < 4; i++)
			ask[i] = (char)(seq >> 8 * (3 - i));
		memcpy(ask + 4, q->text.p, q->text.n);
		e = ipc_send(&k->end, q->type, str_of(ask, 4 + q->text.n), NULL,
		    0);
		mem_wipe(ask, sizeof ask);
	}
	*broken = !err_ok(e);
	return *broken ? IDP_GONE
		       : hear(k, q->answer, seq, q->ms, ret, broken, ret_e);
}

static err
call(struct idp_client *c, const struct question *q, struct buf *ret,
    enum idp_status *ret_why)
{
	struct link *k;
	bool broken = false;
	uint32_t seq;
	err e = OK;

	*ret_why = take(c, q->to, &k, &seq);
	if (*ret_why != IDP_OK)
		return idp_err(*ret_why);
	*ret_why = asked(k, q, seq, ret, &broken, &e);
	if (k->buf != NULL)
		mem_wipe(k->buf, LIM_IPC);
	give_back(c, k, broken);
	return err_ok(e) ? idp_err(*ret_why) : e;
}

/* ---- the questions ---- */

err
idp_saml_read(struct idp_client *c, enum idp_document_kind kind,
    struct str settings, struct str document, int64_t now,
    struct buf *ret_verdict, enum idp_status *ret_why)
{
	struct idp_document d = {kind, now, settings, document};
	struct question q = {.to = &c->saml,
	    .type = IPC_SAML_VERIFY,
	    .answer = IPC_SAML_VERDICT,
	    .ms = IDP_SAML_MS};
	struct buf b;
	err e;

	*ret_why = IDP_SAML_CHILD;
	if (settings.n > IDP_SETTINGS || document.n > IDP_DOCUMENT)
		return err_of(E_TOO_LARGE);
	buf_init(&b, IDP_SAML_TEXT);
	(void)buf_room(&b, IDP_SAML_HEAD + settings.n + document.n);
	idp_document_encode(&b, &d);
	e = buf_check(&b);
	q.text = buf_view(&b);
	if (err_ok(e))
		e = call(c, &q, ret_verdict, ret_why);
	if (b.p != NULL)
		mem_wipe(b.p, b.cap);
	buf_done(&b);
	return e;
}

err
idp_saml_verify(struct idp_client *c, struct str settings, struct str document,
    int64_t now, struct buf *ret_verdict, enum idp_status *ret_why)
{
	return idp_saml_read(c, IDP_RESPONSE, settings, document, now,
	    ret_verdict, ret_why);
}

static err
oidc(struct idp_client *c, enum ipc_type type, const struct idp_ask *a,
    struct buf *ret, enum idp_status *ret_why)
{
	char text[IDP_ASK_MAX - 4];
	struct question q = {.to = &c->egress,
	    .type = type,
	    .answer = IPC_OIDC_ANSWER,
	    .ms = IDP_CALL_MS};
	err e;

	*ret_why = IDP_NOT_CONFIGURED;
	if (a->provider.n == 0 || a->provider.n > IDP_NAME)
		return idp_err(*ret_why);
	if (a->code.n > IDP_CODE || a->verifier.n > IDP_VERIFIER)
		return err_of(E_TOO_LARGE);
	q.text = str_of(text, idp_ask_encode(text, type, a));
	e = call(c, &q, ret, ret_why);
	mem_wipe(text, sizeof text);
	return e;
}

err
idp_oidc_token(struct idp_client *c, struct str provider, struct str code,
    struct str verifier, struct buf *ret_id_token, enum idp_status *ret_why)
{
	struct idp_ask a = {0, provider, code, verifier};

	return oidc(c, IPC_OIDC_TOKEN, &a, ret_id_token, ret_why);
}

err
idp_oidc_jwks(struct idp_client *c, struct str provider, struct buf *ret_jwks,
    enum idp_status *ret_why)
{
	struct idp_ask a = {.provider = provider};

	return oidc(c, IPC_OIDC_JWKS, &a, ret_jwks, ret_why);
}

err
idp_oidc_meta(struct idp_client *c, struct str provider, struct buf *ret_meta,
    enum idp_status *ret_why)
{
	struct idp_ask a = {.provider = provider};

	return oidc(c, IPC_OIDC_META, &a, ret_meta, ret_why);
}
