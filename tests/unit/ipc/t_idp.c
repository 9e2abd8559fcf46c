/* The server's side of the idp role, against a scripted one. */
#include "ipc/idp.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "ipc/idpwire.h"
#include "tests/t.h"

/* ---- bodies ---- */

static const struct idp_ask token_ask = {7, {"corp", 4}, {"a code", 6},
    {"verifier-._~", 12}};

static size_t
ask_body(char *to, enum ipc_type type, const struct idp_ask *a)
{
	memset(to, 0, 4);
	to[3] = (char)a->seq;
	return 4 + idp_ask_encode(to + 4, type, a);
}

TEST(asks_round_trip_and_are_exact)
{
	static const enum ipc_type types[] = {IPC_OIDC_TOKEN, IPC_OIDC_JWKS,
	    IPC_OIDC_META};
	char b[IDP_ASK_MAX + 1] = {0};
	struct idp_ask a;

	for (size_t i = 0; i < 3; i++) {
		size_t n = ask_body(b, types[i], &token_ask);

		T_GOOD(idp_ask_decode(types[i], str_of(b, n), &a));
		T_EQ_INT(a.seq, 7);
		T_EQ_STR(a.provider, STR("corp"));
		if (i == 0) {
			T_EQ_STR(a.code, STR("a code"));
			T_EQ_STR(a.verifier, STR("verifier-._~"));
		}
		for (size_t k = 0; k <= n + 1; k++)
			if (k != n)
				T_ERR(idp_ask_decode(types[i], str_of(b, k),
					  &a),
				    E_PEER);
	}
}

TEST(asks_hold_no_address)
{
	static const struct idp_ask bad[] = {
	    {1, {"https://x", 9}, {"c", 1}, {"v", 1}},
	    {1, {"a.b", 3}, {"c", 1}, {"v", 1}},
	    {1, {"Corp", 4}, {"c", 1}, {"v", 1}},
	    {1, {"a/b", 3}, {"c", 1}, {"v", 1}},
	    {1, {"", 0}, {"c", 1}, {"v", 1}},
	    {1, {"corp", 4}, {"c\r\nHost: x", 10}, {"v", 1}},
	    {1, {"corp", 4}, {"c\0d", 3}, {"v", 1}},
	    {1, {"corp", 4}, {"", 0}, {"v", 1}},
	    {1, {"corp", 4}, {"c", 1}, {"v&x=y", 5}},
	    {1, {"corp", 4}, {"c", 1}, {"", 0}},
	};
	char b[IDP_ASK_MAX];
	struct idp_ask a;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_ERR(idp_ask_decode(IPC_OIDC_TOKEN,
			  str_of(b, ask_body(b, IPC_OIDC_TOKEN, &bad[i])), &a),
		    E_PEER);
}

TEST(asks_at_n)
{
	static char code[IDP_CODE], verifier[IDP_VERIFIER], name[IDP_NAME];
	char b[IDP_ASK_MAX];
	struct idp_ask a = {1, {name, sizeof name}, {code, sizeof code},
	    {verifier, sizeof verifier}};

	memset(code, 'c', sizeof code);
	memset(verifier, 'v', sizeof verifier);
	memset(name, 'n', sizeof name);
	T_EQ_INT(ask_body(b, IPC_OIDC_TOKEN, &a), IDP_ASK_MAX);
	T_GOOD(idp_ask_decode(IPC_OIDC_TOKEN, str_of(b, IDP_ASK_MAX), &a));
}

TEST(answers_round_trip_and_are_exact)
{
	struct idp_answer a = {0x01020304, IDP_OK, STR("text")}, r;
	struct buf b;

	buf_init(&b, 100);
	idp_answer_encode(&b, &a);
	T_GOOD(idp_answer_decode(buf_view(&b), &r));
	T_EQ_INT(r.seq, 0x01020304);
	T_EQ_STR(r.text, STR("text"));
	/* Bad news brings no text, good news brings some. */
	b.p[4] = IDP_TLS;
	T_ERR(idp_answer_decode(buf_view(&b), &r), E_PEER);
	b.p[4] = IDP_STATUS_MAX_;
	T_ERR(idp_answer_decode(buf_view(&b), &r), E_PEER);
	b.p[4] = IDP_OK;
	T_ERR(idp_answer_decode(str_of(b.p, 5), &r), E_PEER);
	T_ERR(idp_answer_decode(str_of(b.p, 4), &r), E_PEER);
	buf_clear(&b);
	a.status = IDP_PKCE;
	idp_answer_encode(&b, &a);
	T_EQ_INT(b.n, 5);
	T_GOOD(idp_answer_decode(buf_view(&b), &r));
	T_EQ_INT(r.status, IDP_PKCE);
	buf_done(&b);
}

TEST(documents)
{
	struct idp_document d = {IDP_METADATA, 1234567890123, STR("set"),
				STR("<xml/>")},
			    r;
	struct buf b;

	buf_init(&b, 100);
	idp_document_encode(&b, &d);
	T_GOOD(idp_document_decode(buf_view(&b), &r));
	T_EQ_INT(r.kind, IDP_METADATA);
	T_EQ_INT(r.now, d.now);
	T_EQ_STR(r.settings, d.settings);
	T_EQ_STR(r.document, d.document);
	for (size_t n = 0; n < 16; n++)
		T_ERR(idp_document_decode(str_of(b.p, n), &r), E_PEER);
	b.p[1] = (char)0x80;
	T_ERR(idp_document_decode(buf_view(&b), &r), E_PEER);
	b.p[1] = 0;
	b.p[0] = IDP_KIND_MAX_;
	T_ERR(idp_document_decode(buf_view(&b), &r), E_PEER);
	buf_done(&b);
}

TEST(reasons)
{
	T_EQ_STR(str_c(idp_reason(IDP_SAML_CHILD)), STR("saml.child"));
	T_EQ_STR(str_c(idp_reason(IDP_STATUS_MAX_)), STR("?"));
	T_ERR(idp_err(IDP_SAML_CHILD), E_UNAUTHENTICATED);
	T_ERR(idp_err(IDP_TLS), E_IDP_UNREACHABLE);
	T_GOOD(idp_err(IDP_OK));
}

/* ---- calls ---- */

static struct idp_client *client;
static struct ipc_end far[IDP_LINKS]; /* the other side's ends */
static struct buf out;
static enum idp_status why;

static void
begin(enum ipc_role peer, size_t n)
{
	static char names[] = "\1\4corp";
	int fds[IDP_LINKS];

	T_GOOD(idp_client_new(&client));
	buf_init(&out, IDP_ANSWER);
	for (size_t i = 0; i < IDP_LINKS; i++) {
		struct ipc_end near;

		T_GOOD(ipc_pair(SERVER, peer, &near, &far[i]));
		fds[i] = near.fd;
		if (i >= n)
			(void)close(far[i].fd);
	}
	if (peer == IDP)
		T_GOOD(idp_client_saml(client, fds, IDP_LINKS));
	else
		T_GOOD(idp_client_egress(client,
		    str_of(names, sizeof names - 1), fds, IDP_LINKS));
}

static void
end(size_t n)
{
	client = idp_client_free(client);
	buf_done(&out);
	for (size_t i = 0; i < n; i++)
		(void)close(far[i].fd);
}

static void
reply(const struct ipc_end *e, enum ipc_type t, uint32_t seq, enum idp_status s,
    struct str text)
{
	struct buf b;

	buf_init(&b, LIM_IPC);
	idp_answer_encode(&b, &(struct idp_answer){seq, s, text});
	T_GOOD(ipc_send(e, t, buf_view(&b), NULL, 0));
	buf_done(&b);
}

/* Answers one question on link 0, after two that nobody asked. */
static void *
egress_peer(void *arg)
{
	static char buf[LIM_IPC];
	struct ipc_msg m;
	struct idp_ask a;

	(void)arg;
	T_GOOD(ipc_recv(&far[0], 5000, buf, sizeof buf, &m));
	T_EQ_INT(m.type, IPC_OIDC_TOKEN);
	T_GOOD(idp_ask_decode(m.type, m.body, &a));
	T_EQ_STR(a.code, STR("the code"));
	reply(&far[0], IPC_OIDC_ANSWER, a.seq - 1, IDP_OK, STR("old"));
	reply(&far[0], IPC_OIDC_ANSWER, a.seq + 1, IDP_OK, STR("odd"));
	reply(&far[0], IPC_OIDC_ANSWER, a.seq, IDP_OK, STR("ey.J.x"));
	return NULL;
}

TEST(a_code_for_a_token)
{
	pthread_t t;

	begin(EGRESS, IDP_LINKS);
	T_OK(idp_provider_known(client, STR("corp")));
	T_OK(!idp_provider_known(client, STR("cor")));
	T_OK(pthread_create(&t, NULL, egress_peer, NULL) == 0);
	T_GOOD(idp_oidc_token(client, STR("corp"), STR("the code"),
	    STR("verifier"), &out, &why));
	T_EQ_INT(why, IDP_OK);
	T_EQ_STR(buf_view(&out), STR("ey.J.x"));
	(void)pthread_join(t, NULL);
	end(IDP_LINKS);
}

static void *
refusing_peer(void *arg)
{
	static char buf[LIM_IPC];
	struct ipc_msg m;
	struct idp_ask a;

	(void)arg;
	T_GOOD(ipc_recv(&far[0], 5000, buf, sizeof buf, &m));
	T_GOOD(idp_ask_decode(m.type, m.body, &a));
	reply(&far[0], IPC_OIDC_ANSWER, a.seq, IDP_RATE, STR(""));
	return NULL;
}

TEST(a_refusal_has_its_reason)
{
	pthread_t t;

	begin(EGRESS, IDP_LINKS);
	T_OK(pthread_create(&t, NULL, refusing_peer, NULL) == 0);
	T_ERR(idp_oidc_jwks(client, STR("corp"), &out, &why), E_RATE);
	T_EQ_STR(str_c(idp_reason(why)), STR("idp.rate"));
	(void)pthread_join(t, NULL);
	T_EQ_INT(out.n, 0);
	T_ERR(idp_oidc_jwks(client, STR(""), &out, &why), E_IDP_CONFIG);
	end(IDP_LINKS);
}

TEST(nobody_there)
{
	struct idp_health h;

	begin(EGRESS, 0);
	/* Each link is found dead once, then it is known. */
	for (int i = 0; i < 2 * IDP_LINKS; i++) {
		T_ERR(idp_oidc_meta(client, STR("corp"), &out, &why),
		    E_IDP_UNREACHABLE);
		T_EQ_INT(why, IDP_GONE);
	}
	h = idp_client_health(client);
	T_OK(!h.egress && !h.saml && h.configured);
	T_GOOD(idp_client_egress(client, str_of("\0", 1), NULL, 0));
	T_ERR(idp_oidc_meta(client, STR("corp"), &out, &why), E_IDP_CONFIG);
	T_EQ_INT(why, IDP_NOT_CONFIGURED);
	T_ERR(idp_saml_verify(client, STR(""), STR("x"), 1, &out, &why),
	    E_IDP_UNREACHABLE);
	T_EQ_INT(why, IDP_GONE);
	end(0);
}

TEST(health_sees_a_dead_peer)
{
	begin(EGRESS, IDP_LINKS);
	T_OK(idp_client_health(client).egress);
	for (size_t i = 0; i < IDP_LINKS; i++)
		(void)close(far[i].fd);
	T_OK(!idp_client_health(client).egress);
	end(0);
}

TEST(what_the_supervisor_does_not_say)
{
	static const struct str bad[] = {{"", 0}, {"\1", 1}, {"\1\0", 2},
	    {"\2\1a", 3}, {"\1\1ab", 4}, {"\21", 1}};

	T_GOOD(idp_client_new(&client));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_ERR(idp_client_egress(client, bad[i], NULL, 0), E_PEER);
	T_ERR(idp_client_egress(client, str_of("\0", 1), NULL, 3), E_PEER);
	T_ERR(idp_client_saml(client, NULL, 0), E_PEER);
	client = idp_client_free(client);
}

/* ---- documents ---- */

static char settings[IDP_SETTINGS], document[IDP_DOCUMENT + 1];

static void *
saml_peer(void *arg)
{
	static char buf[LIM_IPC], all[IDP_SAML_TEXT];
	struct idp_document d;
	size_t n = 0;

	(void)arg;
	for (;;) {
		struct ipc_msg m;
		struct cur c;
		uint32_t seq;

		T_GOOD(ipc_recv(&far[0], 5000, buf, sizeof buf, &m));
		if (m.type == IPC_SAML_PART) {
			BUG_ON(m.body.n > sizeof all - n);
			memcpy(all + n, m.body.p, m.body.n);
			n += m.body.n;
			continue;
		}
		T_EQ_INT(m.type, IPC_SAML_VERIFY);
		c = cur_of(m.body);
		seq = cur_be32(&c);
		T_EQ_INT(cur_be32(&c), n);
		T_GOOD(idp_document_decode(str_of(all, n), &d));
		T_EQ_INT(d.kind, IDP_RESPONSE);
		T_EQ_INT(d.now, 99);
		T_OK(str_eq(d.settings, str_of(settings, sizeof settings)));
		T_OK(str_eq(d.document, str_of(document, IDP_DOCUMENT)));
		reply(&far[0], IPC_SAML_VERDICT, seq, IDP_OK, STR("verdict"));
		return NULL;
	}
}

TEST(a_document_at_n_and_n_plus_1)
{
	struct str s = str_of(settings, sizeof settings);
	pthread_t t;

	memset(settings, 's', sizeof settings);
	memset(document, 'd', sizeof document);
	begin(IDP, IDP_LINKS);
	T_OK(pthread_create(&t, NULL, saml_peer, NULL) == 0);
	T_GOOD(idp_saml_verify(client, s, str_of(document, IDP_DOCUMENT), 99,
	    &out, &why));
	(void)pthread_join(t, NULL);
	T_EQ_STR(buf_view(&out), STR("verdict"));
	T_ERR(idp_saml_verify(client, s, str_of(document, IDP_DOCUMENT + 1), 99,
		  &out, &why),
	    E_TOO_LARGE);
	end(IDP_LINKS);
}

/* ---- concurrency and replacement ---- */

static atomic_int at_once, most;

static void *
slow_peer(void *arg)
{
	const struct ipc_end *e = arg;
	char *buf = malloc(LIM_IPC);
	struct ipc_msg m;
	struct idp_ask a;

	while (err_ok(ipc_recv(e, 2000, buf, LIM_IPC, &m))) {
		int n = atomic_fetch_add(&at_once, 1) + 1;

		if (n > atomic_load(&most))
			atomic_store(&most, n);
		T_GOOD(idp_ask_decode(m.type, m.body, &a));
		(void)usleep(2000);
		atomic_fetch_sub(&at_once, 1);
		reply(e, IPC_OIDC_ANSWER, a.seq, IDP_OK, STR("{}"));
	}
	free(buf);
	return NULL;
}

static void *
caller(void *arg)
{
	struct buf b;
	enum idp_status s;

	(void)arg;
	buf_init(&b, IDP_ANSWER);
	for (int i = 0; i < 20; i++) {
		buf_clear(&b);
		T_GOOD(idp_oidc_jwks(client, STR("corp"), &b, &s));
		T_EQ_STR(buf_view(&b), STR("{}"));
	}
	buf_done(&b);
	return NULL;
}

TEST(many_callers_few_links)
{
	pthread_t peer[IDP_LINKS], call[8];

	begin(EGRESS, IDP_LINKS);
	for (size_t i = 0; i < IDP_LINKS; i++)
		T_OK(pthread_create(&peer[i], NULL, slow_peer, &far[i]) == 0);
	for (size_t i = 0; i < 8; i++)
		T_OK(pthread_create(&call[i], NULL, caller, NULL) == 0);
	for (size_t i = 0; i < 8; i++)
		(void)pthread_join(call[i], NULL);
	T_OK(atomic_load(&most) <= IDP_LINKS);
	client = idp_client_free(client);
	for (size_t i = 0; i < IDP_LINKS; i++) {
		(void)pthread_join(peer[i], NULL);
		(void)close(far[i].fd);
	}
	buf_done(&out);
}

static struct ipc_end fresh;

/* New links come while a call waits on an old one: it keeps it. */
static void *
replacing_peer(void *arg)
{
	static char buf[LIM_IPC];
	int fds[IDP_LINKS];
	struct ipc_msg m;
	struct idp_ask a;

	(void)arg;
	T_GOOD(ipc_recv(&far[0], 5000, buf, sizeof buf, &m));
	T_GOOD(idp_ask_decode(m.type, m.body, &a));
	for (size_t i = 0; i < IDP_LINKS; i++) {
		struct ipc_end near, other;

		T_GOOD(ipc_pair(SERVER, EGRESS, &near, &other));
		fds[i] = near.fd;
		if (i == 0)
			fresh = other;
		else
			(void)close(other.fd);
	}
	T_GOOD(idp_client_egress(client, str_of("\1\3new", 5), fds, IDP_LINKS));
	reply(&far[0], IPC_OIDC_ANSWER, a.seq, IDP_OK, STR("old one"));
	return NULL;
}

static void *
fresh_peer(void *arg)
{
	static char buf[LIM_IPC];
	struct ipc_msg m;
	struct idp_ask a;

	(void)arg;
	T_GOOD(ipc_recv(&fresh, 5000, buf, sizeof buf, &m));
	T_GOOD(idp_ask_decode(m.type, m.body, &a));
	reply(&fresh, IPC_OIDC_ANSWER, a.seq, IDP_OK, STR("new one"));
	return NULL;
}

TEST(links_are_replaced_under_a_call)
{
	pthread_t t;

	begin(EGRESS, IDP_LINKS);
	T_OK(pthread_create(&t, NULL, replacing_peer, NULL) == 0);
	T_GOOD(idp_oidc_jwks(client, STR("corp"), &out, &why));
	T_EQ_STR(buf_view(&out), STR("old one"));
	(void)pthread_join(t, NULL);
	T_OK(idp_provider_known(client, STR("new")));
	T_OK(!idp_provider_known(client, STR("corp")));
	buf_clear(&out);
	T_OK(pthread_create(&t, NULL, fresh_peer, NULL) == 0);
	T_GOOD(idp_oidc_jwks(client, STR("new"), &out, &why));
	T_EQ_STR(buf_view(&out), STR("new one"));
	(void)pthread_join(t, NULL);
	(void)close(fresh.fd);
	end(IDP_LINKS);
}

T_MAIN
