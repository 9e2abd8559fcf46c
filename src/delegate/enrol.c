#include "delegate/enrol.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "delegate/doctor.h"
#include "delegate/policy.h"
#include "seal/ed25519.h"
#include "seal/hpke.h"

enum {
	SESSION_MAX = 65536,
	JSON_MAX = 65536,
	JOIN_MAX = 4096,
	ASK_MS = 20000,
	POLL_S = 2
};

static const struct json_limits limits = {.depth = 4,
    .members = 64,
    .values = 256};

/* ---- asking ---- */

err
ask(struct client *c, const char *method, struct str target, struct str body,
    struct arena *a, struct trail *t, int *ret_status, struct str *ret_text)
{
	struct request r = {.method = method,
	    .target = target,
	    .accept = STR("application/json"),
	    .body = body};
	const struct response *answer;
	struct buf b;

	TRY(client_send(c, &r, a, t, &answer));
	*ret_status = answer->status;
	buf_init_on(&b, a, LIM_LEASE);
	TRY(client_body(c, t, &b));
	*ret_text = buf_view(&b);
	return OK;
}

/* ---- certificates ---- */

static bool
asn1_ms(const ASN1_TIME *at, int64_t *ret)
{
	struct tm tm = {0};
	time_t s;

	if (ASN1_TIME_to_tm(at, &tm) != 1)
		return false;
	s = timegm(&tm);
	*ret = (int64_t)s * 1000;
	return s > 0;
}

/* It must be of this very key; when it begins and ends. */
static err
certificate_read(struct str pem, const struct secret *key, struct trail *t,
    int64_t *ret_from, int64_t *ret_until)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = b == NULL ? NULL : PEM_read_bio_X509(b, NULL, NULL, NULL);
	EVP_PKEY *k = x == NULL ? NULL : X509_get0_pubkey(x);
	uint8_t have[ED25519_KEY], want[ED25519_KEY];
	size_t n = sizeof have;
	bool ok = k != NULL && EVP_PKEY_get_raw_public_key(k, have, &n) == 1 &&
	    n == sizeof have &&
	    err_ok(ed25519_public(secret_view(key), want)) &&
	    memcmp(have, want, sizeof have) == 0 &&
	    asn1_ms(X509_get0_notBefore(x), ret_from) &&
	    asn1_ms(X509_get0_notAfter(x), ret_until);

	X509_free(x);
	BIO_free(b);
	ERR_clear_error();
	if (ok)
		return OK;
	trail_set(t, "the certificate is not one of our key");
	return err_of(E_PEER);
}

/* ---- reading it back ---- */

static err
json_read(struct enrolment *e, struct arena *a, int dir, struct trail *t)
{
	const struct json *j;
	struct str key, task_key;
	struct buf b;
	err r;

	buf_init_on(&b, a, JSON_MAX);
	r = home_read(dir, "delegate.json", &b);
	if (err_is(r, E_NOT_FOUND))
		trail_set(t, "it is no delegate's directory: enrol first");
	TRY(r);
	TRY(json_parse(a, buf_view(&b), &limits, t, &j));
	e->url = json_str_at(j, STR("url"));
	e->name = json_str_at(j, STR("name"));
	e->delegate = json_str_at(j, STR("delegate"));
	e->project = json_str_at(j, STR("project"));
	e->log_key = json_str_at(j, STR("log"));
	if (e->delegate.n == 0)
		return OK;
	if (err_ok(note_key_parse(e->log_key, &e->log)) &&
	    b64_decode(a, json_str_at(j, STR("task_key")), &key) &&
	    key.n == 32) {
		task_key = key;
		memcpy(e->task_key, task_key.p, 32);
		return OK;
	}
	trail_set(t, "delegate.json: its keys cannot be read");
	return err_of(E_CORRUPT);
}

static err
session_read(struct enrolment *e, struct arena *a, int dir, struct trail *t)
{
	struct buf b;
	err r;

	buf_init_on(&b, a, SESSION_MAX);
	r = home_read(dir, "session", &b);
	if (err_is(r, E_NOT_FOUND))
		return OK;
	TRY(r);
	if (b.n <= SECRET_SIZE)
		return err_of(E_CORRUPT);
	TRY(secret_new(&e->session));
	memcpy(secret_bytes(e->session), b.p, SECRET_SIZE);
	mem_wipe(b.p, SECRET_SIZE);
	e->certificate = str_skip(buf_view(&b), SECRET_SIZE);
	return certificate_read(e->certificate, e->session, t, &e->from,
	    &e->until);
}

static err
keys_read(struct enrolment *e, int dir)
{
	TRY(home_key(dir, "identity.key", &e->identity));
	TRY(home_key(dir, "seal.key", &e->sealing));
	TRY(ed25519_public(secret_view(e->identity), e->identity_pk));
	return hpke_key_public(secret_view(e->sealing), e->sealing_pk);
}

err
enrolment_read(struct arena *a, const char *path, int dir, struct trail *t,
    struct enrolment *ret)
{
	struct enrolment e = {.url = STR_NONE};
	struct buf b;
	err r;

	buf_init_on(&b, a, 4096);
	buf_c(&b, path);
	buf_c(&b, "/ca.pem");
	e.ca = faccessat(dir, "ca.pem", R_OK, 0) == 0 ? buf_view(&b) : STR_NONE;
	r = json_read(&e, a, dir, t);
	if (err_ok(r))
		r = keys_read(&e, dir);
	if (err_ok(r))
		r = session_read(&e, a, dir, t);
	if (err_ok(r))
		r = arena_check(a);
	if (!err_ok(r)) {
		enrolment_done(&e);
		return r;
	}
	*ret = e;
	return OK;
}

void
enrolment_done(struct enrolment *e)
{
	e->identity = secret_free(e->identity);
	e->sealing = secret_free(e->sealing);
	e->session = secret_free(e->session);
}

void
enrolment_fingerprint(const struct enrolment *e, char ret[65])
{
	uint8_t both[64];
	struct hash h;
	struct buf b = {.p = ret, .cap = 65, .max = 65};

	memcpy(both, e->identity_pk, 32);
	memcpy(both + 32, e->sealing_pk, 32);
	audit_sha256(str_of((const char *)both, sizeof both), &h);
	hex_add(&b, str_of((const char *)h.b, sizeof h.b));
	ret[64] = '\0';
}

/* ---- writing ---- */

static err
json_write(const struct enrolment *e, const struct joined *g, int dir)
{
	char store[8192];
	struct buf b = {.p = store, .cap = sizeof store, .max = sizeof store};
	char key[64];
	struct buf k = {.p = key, .cap = sizeof key, .max = sizeof key};
	struct jw w;

	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "url", g != NULL && g->mtls.n > 0 ? g->mtls : e->url);
	jw_kstr(&w, "name", e->name);
	if (g != NULL) {
		b64_add(&k, str_of((const char *)g->task_key, 32));
		jw_kstr(&w, "delegate", g->delegate);
		jw_kstr(&w, "project", g->project);
		jw_kstr(&w, "log", g->log_key);
		jw_kstr(&w, "task_key", buf_view(&k));
	}
	jw_obj_end(&w);
	buf_char(&b, '\n');
	TRY(buf_check(&b));
	return home_write(dir, "delegate.json", 0600, buf_view(&b));
}

err
enrolment_renewed(struct enrolment *e, struct arena *a, int dir,
    const struct secret *key, struct str pem, struct trail *t)
{
	int64_t from, until;
	struct secret *s;
	struct buf b;
	err r;

	TRY(certificate_read(pem, key, t, &from, &until));
	buf_init(&b, SESSION_MAX);
	buf_add(&b, secret_view(key), SECRET_SIZE);
	buf_str(&b, pem);
	r = buf_check(&b);
	if (err_ok(r))
		r = home_write(dir, "session", 0400, buf_view(&b));
	if (b.p != NULL)
		mem_wipe(b.p, b.n);
	buf_done(&b);
	TRY(r);
	TRY(secret_new(&s));
	memcpy(secret_bytes(s), secret_view(key), SECRET_SIZE);
	secret_free(e->session);
	e->session = s;
	e->certificate = arena_dup(a, pem);
	e->from = from;
	e->until = until;
	return arena_check(a);
}

/* ---- joining ---- */

struct joining {
	const struct enrol_options *o;
	struct enrolment e;
	struct arena *a;
	int dir;
	struct client *client;
	struct str doctor; /* what this host has, as JSON */
};

static err
join_body(const struct joining *j, struct buf *b)
{
	const struct enrolment *e = &j->e;
	char store[512], host[256] = "";
	struct buf text = {.p = store,
	    .cap = sizeof store,
	    .max = sizeof store};
	uint8_t sig[ED25519_SIG];
	struct hash h;
	struct jw w;

	audit_sha256(j->o->token, &h);
	buf_c(&text, "redoubt-join/1\n");
	hex_add(&text, str_of((const char *)h.b, sizeof h.b));
	buf_char(&text, '\n');
	hex_add(&text, str_of((const char *)e->identity_pk, 32));
	buf_char(&text, '\n');
	hex_add(&text, str_of((const char *)e->sealing_pk, 32));
	buf_char(&text, '\n');
	TRY(ed25519_sign(secret_view(e->identity), buf_view(&text), sig));
	(void)gethostname(host, sizeof host - 1);
	jw_init(&w, b);
	jw_obj(&w);
	buf_clear(&text);
	b64_add(&text, str_of((const char *)e->identity_pk, 32));
	jw_kstr(&w, "ed25519", buf_view(&text));
	buf_clear(&text);
	b64_add(&text, str_of((const char *)e->sealing_pk, 32));
	jw_kstr(&w, "x25519", buf_view(&text));
	jw_kstr(&w, "version", STR(REDOUBT_VERSION));
	jw_kstr(&w, "host", str_c(host));
	jw_kraw(&w, "doctor", j->doctor);
	buf_clear(&text);
	b64_add(&text, str_of((const char *)sig, sizeof sig));
	jw_kstr(&w, "proof", buf_view(&text));
	jw_obj_end(&w);
	return buf_check(b);
}

static err
join_once(struct joining *j, struct trail *t, struct joined *ret)
{
	struct str text;
	struct buf body;
	int status;

	buf_init_on(&body, j->a, JSON_MAX);
	TRY(join_body(j, &body));
	TRY(ask(j->client, "POST", STR("/v1/delegate/join"), buf_view(&body),
	    j->a, t, &status, &text));
	if (status == 200 || status == 201)
		return answer_joined(j->a, text, t, ret);
	trail_set(t, "the server said %d %.*s", status,
	    STR_ARG(answer_code(j->a, text)));
	if (status == 401)
		return err_of(E_UNAUTHENTICATED);
	return err_of(
	    status >= 500 || status == 429 ? E_UNAVAILABLE : E_DENIED);
}

/* The first answer is pinned; a later one that differs is refused. */
static err
pin(struct joining *j, const struct joined *g, struct trail *t)
{
	struct enrolment *e = &j->e;

	if (e->delegate.n == 0) {
		TRY(json_write(e, g, j->dir));
		e->delegate = g->delegate;
		e->project = g->project;
		e->log_key = g->log_key;
		memcpy(e->task_key, g->task_key, 32);
		return OK;
	}
	if (str_eq(e->delegate, g->delegate) &&
	    str_eq(e->project, g->project) && str_eq(e->log_key, g->log_key) &&
	    memcmp(e->task_key, g->task_key, 32) == 0)
		return OK;
	trail_set(t, "the server has other keys than it had at first");
	return err_of(E_PEER);
}

static err
join(struct joining *j, struct trail *t, struct joined *ret)
{
	int64_t end = time_mono_us() + (int64_t)j->o->wait_s * 1000000;
	struct joined g;

	for (;;) {
		TRY(join_once(j, t, &g));
		TRY(pin(j, &g, t));
		if (g.approved || time_mono_us() >= end)
			break;
		(void)sleep(POLL_S);
	}
	if (g.approved)
		TRY(enrolment_renewed(&j->e, j->a, j->dir, j->e.identity,
		    g.certificate, t));
	*ret = g;
	return OK;
}

static err
connect_to(struct joining *j, struct trail *t)
{
	struct client_config c = {.agent = "redoubt-delegate",
	    .ca_file = j->e.ca,
	    .token = j->o->token,
	    .timeout_ms = ASK_MS};

	TRY(url_parse(j->a, j->o->url, t, &c.url));
	return client_new(j->a, &c, t, &j->client);
}

/* ---- the directory ---- */

static err
file_copy(struct arena *a, const char *path, int dir, const char *name,
    struct trail *t)
{
	struct buf b;
	char piece[8192];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		trail_set(t, "cannot read %s", path);
		return err_of(E_NOT_FOUND);
	}
	buf_init_on(&b, a, 1 << 20);
	while ((n = read(fd, piece, sizeof piece)) > 0)
		buf_add(&b, piece, (size_t)n);
	(void)close(fd);
	TRY(buf_check(&b));
	return home_write(dir, name, 0600, buf_view(&b));
}

/* For whoever approves: what a sandbox is made of here. */
static err
examine(struct joining *j)
{
	struct doctor *d = ARENA_NEW(j->a, struct doctor);
	struct buf b;
	struct jw w;

	if (d == NULL)
		return err_of(E_NO_MEMORY);
	doctor_run(d);
	buf_init_on(&b, j->a, JSON_MAX / 2);
	jw_init(&w, &b);
	doctor_json(d, &w);
	j->doctor = buf_view(&b);
	return buf_check(&b);
}

/* What is there stays; so it can be begun again. */
static err
prepare(struct joining *j, struct trail *t)
{
	struct enrolment first = {.url = j->o->url, .name = j->o->name};
	struct buf b;

	if (mkdirat(j->dir, "spool", 0700) != 0 &&
	    faccessat(j->dir, "spool", W_OK, 0) != 0)
		return err_of(E_IO);
	if (faccessat(j->dir, "delegate.json", F_OK, 0) != 0)
		TRY(json_write(&first, NULL, j->dir));
	if (j->o->ca != NULL)
		TRY(file_copy(j->a, j->o->ca, j->dir, "ca.pem", t));
	if (faccessat(j->dir, "policy.conf", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return OK;
	buf_init_on(&b, j->a, LIM_CONFIG);
	policy_template(&b);
	TRY(buf_check(&b));
	return home_write(j->dir, "policy.conf", 0600, buf_view(&b));
}

static void
result(struct joining *j, const struct joined *g, struct buf *b)
{
	char print[65], name[64];
	struct note_key k;
	struct buf n = {.p = name, .cap = sizeof name, .max = sizeof name};
	struct jw w;

	buf_c(&n, "redoubt-delegate/");
	buf_str(&n, g->delegate);
	enrolment_fingerprint(&j->e, print);
	jw_init(&w, b);
	jw_obj(&w);
	jw_kstr(&w, "delegate", g->delegate);
	jw_kstr(&w, "project", g->project);
	jw_kstr(&w, "state", g->approved ? STR("approved") : STR("pending"));
	jw_kstr(&w, "fingerprint", str_of(print, 64));
	if (err_ok(note_key_of(buf_view(&n), secret_view(j->e.identity), &k)))
		jw_kstr(&w, "witness", buf_view(&n));
	jw_obj_end(&w);
}

/* What is needed to ask again: the token, bound to our keys by now and worth
 * nothing to others, and where to. */
static err
remember(struct joining *j, const struct joined *g)
{
	struct buf b;

	if (g->approved)
		return home_remove(j->dir, "join");
	buf_init_on(&b, j->a, JOIN_MAX);
	buf_str(&b, j->o->token);
	buf_char(&b, '\n');
	buf_str(&b, j->o->url);
	TRY(buf_check(&b));
	return home_write(j->dir, "join", 0400, buf_view(&b));
}

err
delegate_enroll(struct arena *a, const struct enrol_options *o, struct trail *t,
    struct str *ret)
{
	struct joining j = {.o = o, .a = a, .dir = -1};
	struct joined g;
	struct buf b;
	err e;

	TRY(home_open(o->dir, true, t, &j.dir));
	e = home_lock(j.dir, t);
	if (err_ok(e))
		e = prepare(&j, t);
	if (err_ok(e))
		e = enrolment_read(a, o->dir, j.dir, t, &j.e);
	if (err_ok(e))
		e = examine(&j);
	if (err_ok(e))
		e = connect_to(&j, t);
	if (err_ok(e))
		e = join(&j, t, &g);
	if (err_ok(e))
		e = remember(&j, &g);
	buf_init_on(&b, a, JSON_MAX);
	if (err_ok(e)) {
		result(&j, &g, &b);
		*ret = buf_view(&b);
		e = buf_check(&b);
	}
	client_done(j.client);
	enrolment_done(&j.e);
	(void)close(j.dir);
	return e;
}

/* ---- until somebody has approved ---- */

static err
await(const char *path, struct trail *t)
{
	struct enrol_options o = {.dir = path, .wait_s = INT_MAX};
	struct arena a;
	struct str text;
	struct buf b;
	int dir;
	err r;

	arena_init(&a, 8 << 20);
	buf_init_on(&b, &a, JOIN_MAX);
	TRY(home_open(path, false, t, &dir));
	r = home_read(dir, "join", &b);
	(void)close(dir);
	if (err_ok(r) && !str_cut(buf_view(&b), '\n', &o.token, &o.url))
		r = err_of(E_CORRUPT);
	/* a server that is away comes back */
	while (err_ok(r) &&
	    err_is(r = delegate_enroll(&a, &o, t, &text), E_UNAVAILABLE)) {
		(void)sleep(POLL_S);
		r = OK;
	}
	arena_done(&a);
	return r;
}

err
delegate_await(const char *path, struct trail *t)
{
	pid_t parent = getpid(), pid;
	int dir, status;
	bool waits;

	TRY(home_open(path, false, t, &dir));
	waits = faccessat(dir, "session", F_OK, 0) != 0 &&
	    faccessat(dir, "join", F_OK, 0) == 0;
	(void)close(dir);
	if (!waits)
		return OK;
	log_event(LOG_DELEGATE_PENDING, KVC("dir", path));
	/* in a process of its own: what comes after is to be small */
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		_exit(err_exit(await(path, t)));
	}
	if (pid < 0)
		return err_of(E_NO_MEMORY);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_of(E_IO);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return OK;
	trail_set(t, "joining went wrong; enroll says more");
	return err_of(E_DENIED);
}
