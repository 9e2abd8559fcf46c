#include "role/plan.h"

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/token.h"
#include "base/limits.h"
#include "seal/rootseal.h"

enum { LOCK_WAIT_MS = 3000, PLAN_ARENA = 1 << 20 };

/* ---- configuration ---- */

err
plan_config(const struct datadir *d, const char *path, struct arena *a,
    struct trail *t, struct config *ret)
{
	struct str text;
	struct buf b;
	err e;
	int fd;

	if (path == NULL && faccessat(d->fd, "redoubt.conf", F_OK, 0) != 0) {
		config_defaults(a, ret);
		return arena_check(a);
	}
	TRY(plain_open(d, path == NULL ? "redoubt.conf" : path, t, &fd));
	e = fd_read_all(fd, LIM_CONFIG, &b);
	(void)close(fd);
	text = arena_dup(a, buf_view(&b));
	buf_done(&b);
	if (!err_ok(e)) {
		trail_set(t, "configuration: %s", err_text(e));
		return err_of(E_CONFIG);
	}
	TRY(arena_check(a));
	return config_parse(a, text, t, ret);
}

static uint32_t
threads(int64_t wanted)
{
	cpu_set_t set;
	int n = (int)wanted;

	if (wanted <= 0)
		n = sched_getaffinity(0, sizeof set, &set) == 0
		    ? CPU_COUNT(&set)
		    : 1;
	return (uint32_t)(n < 1	       ? 1
		: n > SETTINGS_THREADS ? SETTINGS_THREADS
				       : n);
}

/* ---- users ---- */

static err
user_named(struct arena *a, struct str name, struct trail *t, uint32_t *uid,
    uint32_t *gid)
{
	const char *c = arena_cstr(a, name);
	const struct passwd *pw = c == NULL ? NULL : getpwnam(c);

	if (pw == NULL) {
		trail_set(t, "there is no user %.*s",
		    STR_ARG(str_head(name, 60)));
		return err_of(E_CONFIG);
	}
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return OK;
}

/* The server is whoever owns its directory: that is the one it can work as. */
static err
server_user(struct plan *p, struct trail *t)
{
	struct stat st;

	if (fstatat(p->dir.fd, "db", &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISDIR(st.st_mode)) {
		trail_set(t, "%s has no store; make one with redoubt init",
		    p->dir.path);
		return err_of(E_NOT_FOUND);
	}
	if (geteuid() != 0)
		return OK;
	p->server.uid = st.st_uid;
	p->server.gid = st.st_gid;
	if (p->config.server_user.n == 0)
		return OK;
	TRY(user_named(&p->arena, p->config.server_user, t, &p->server.uid,
	    &p->server.gid));
	if (p->server.uid == st.st_uid)
		return OK;
	trail_set(t, "server.user = %.*s, but %s/db belongs to uid %u",
	    STR_ARG(p->config.server_user), p->dir.path, st.st_uid);
	return err_of(E_CONFIG);
}

/* The configured one, or the one of that name when there is one. */
static err
role_user(struct plan *p, struct str configured, const char *usual,
    struct trail *t, uint32_t *uid, uint32_t *gid)
{
	const struct passwd *pw;

	if (geteuid() != 0)
		return OK;
	if (configured.n > 0)
		return user_named(&p->arena, configured, t, uid, gid);
	pw = getpwnam(usual);
	if (pw != NULL) {
		*uid = pw->pw_uid;
		*gid = pw->pw_gid;
	}
	return OK;
}

/* ---- what is opened ---- */

static err
listen_one(struct plan *p, struct str where, struct trail *t)
{
	size_t i = p->server.listen_n;

	TRY(listen_tcp(where, t, &p->listen[i], p->bound[i]));
	p->server.listen[i] = str_c(p->bound[i]);
	p->server.listen_n = i + 1;
	return OK;
}

static err
listen_all(struct plan *p, const struct serve_options *o, struct trail *t)
{
	const struct config_list *l = &p->config.server_listen;
	size_t n = o->listen_n > 0 ? o->listen_n : l->n;
	struct str certs = o->mtls_listen != NULL
	    ? str_c(o->mtls_listen)
	    : p->config.server_mtls_listen;

	if (n == 0 || n > SETTINGS_LISTEN - (size_t)(certs.n > 0)) {
		trail_set(t, "between 1 and 8 addresses to listen on");
		return err_of(E_CONFIG);
	}
	for (size_t i = 0; i < n; i++)
		TRY(listen_one(p,
		    o->listen_n > 0 ? str_c(o->listen[i]) : l->item[i], t));
	if (certs.n > 0) {
		TRY(listen_one(p, certs, t));
		p->server.last_certs = true;
	}
	(void)snprintf(p->url, sizeof p->url, "https://%s", p->bound[0]);
	p->server.url = str_c(p->url);
	p->server.public_url = p->config.server_public_url.n > 0
	    ? p->config.server_public_url
	    : p->server.url;
	return OK;
}

err
plan_tls(const struct plan *p, struct trail *t, int *ret_cert, int *ret_key)
{
	int cert;
	err e;

	TRY(plain_open(&p->dir, p->cert_path, t, &cert));
	e = secret_open(&p->dir, p->key_path, false, t, ret_key);
	if (err_ok(e))
		*ret_cert = cert;
	else
		(void)close(cert);
	return e;
}

/* "passphrase shares": kinds, as often as there are sources. */
static err
sources_of(struct plan *p, struct str file, struct trail *t)
{
	struct buf b = {.p = p->root_sources,
	    .cap = sizeof p->root_sources - 1,
	    .max = sizeof p->root_sources - 1};
	struct root_sealed r;
	struct arena a;
	err e;

	arena_init(&a, LIM_UNLOCK_ARENA);
	e = root_sealed_parse(&a, file, t, &r);
	for (size_t i = 0; err_ok(e) && i < r.n; i++) {
		if (i > 0)
			buf_char(&b, ' ');
		buf_c(&b, unlocker_kind_name(r.unlocker[i].kind));
	}
	arena_done(&a);
	p->root_sources[b.n] = '\0';
	return e;
}

/* Sealed, or plain as before? */
static err
root_is(struct plan *p, struct trail *t)
{
	struct buf b;
	err e = fd_read_all(p->root, SECRET_FILE_MAX, &b);

	p->root_sealed = err_ok(e) && root_is_sealed(buf_view(&b));
	(void)snprintf(p->root_sources, sizeof p->root_sources, "plain");
	if (p->root_sealed)
		e = sources_of(p, buf_view(&b), t);
	buf_wipe(&b);
	p->server.sources = str_c(p->root_sources);
	return err_is(e, E_WRONG_KEY) ? e : OK; /* the keeper says the rest */
}

/* Does the root key lie open on the disk the store is on? */
static bool
root_near(const struct plan *p)
{
	struct stat key, dir;

	return !p->root_sealed && fstat(p->root, &key) == 0 &&
	    fstat(p->dir.fd, &dir) == 0 && key.st_dev == dir.st_dev;
}

static err
key_files(struct plan *p, struct trail *t)
{
	err e = root_key_open(&p->dir, p->config.keys_root, t, &p->root);

	/* The directory is there, only what opens it is not. */
	if (err_is(e, E_NOT_FOUND))
		return err_of(E_SEALED);
	TRY(e);
	TRY(root_is(p, t));
	p->server.root_near = root_near(p);
	TRY(secret_open(&p->dir, "keys/audit.key", true, t, &p->audit));
	return secret_open(&p->dir, "keys/keeper.state", true, t, &p->state);
}

err
plan_files(struct plan *p, struct trail *t)
{
	err e;

	p->cert = p->key = p->root = p->audit = p->state = -1;
	e = key_files(p, t);
	if (err_ok(e))
		e = plan_tls(p, t, &p->cert, &p->key);
	if (!err_ok(e))
		plan_files_close(p);
	return e;
}

void
plan_files_close(struct plan *p)
{
	int *const all[] = {&p->cert, &p->key, &p->root, &p->audit, &p->state};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (*all[i] >= 0)
			(void)close(*all[i]);
		*all[i] = -1;
	}
}

static err
proxies(struct plan *p, struct trail *t)
{
	const struct config_list *l = &p->config.server_trusted_proxies;

	for (size_t i = 0; i < l->n; i++) {
		if (!cidr_valid(l->item[i])) {
			trail_set(t,
			    "server.trusted_proxies: %.*s is no address block, "
			    "as 192.0.2.0/24",
			    STR_ARG(l->item[i]));
			return err_of(E_CONFIG);
		}
		p->server.proxies[i] = l->item[i];
	}
	p->server.proxies_n = l->n;
	return OK;
}

_Static_assert((int)SETTINGS_PROXIES >= (int)CONFIG_LIST,
    "all that the configuration may name");

static err
settings(struct plan *p, struct trail *t)
{
	const struct config *c = &p->config;

	TRY(proxies(p, t));

	p->server.reactors = threads(c->server_reactors);
	p->server.readers =
	    threads(c->server_readers < 1 ? 1 : c->server_readers);
	p->server.log_requests = c->log_requests;
	p->server.store_dir = datadir_path(&p->dir, &p->arena, STR("db"));
	p->cert_path = datadir_path(&p->dir, &p->arena,
	    c->tls_certificate.n > 0 ? c->tls_certificate
				     : STR("tls/cert.pem"));
	p->key_path = datadir_path(&p->dir, &p->arena,
	    c->tls_key.n > 0 ? c->tls_key : STR("tls/key.pem"));
	TRY(arena_check(&p->arena));
	if (p->cert_path == NULL || p->key_path == NULL ||
	    p->server.store_dir == NULL) {
		trail_set(t, "a path is too long");
		return err_of(E_CONFIG);
	}
	return OK;
}

/* ---- identity providers ---- */

/* Where Debian keeps the authorities everybody trusts. */
static const char system_authorities[] = "/etc/ssl/certs/ca-certificates.crt";

void
idp_plan_close(struct idp_plan *p)
{
	for (size_t i = 0; i < p->conf.n; i++) {
		if (p->ca[i] >= 0)
			(void)close(p->ca[i]);
		if (p->credential[i] >= 0)
			(void)close(p->credential[i]);
	}
	p->conf.n = 0;
	arena_done(&p->arena);
}

static err
idp_files(const struct datadir *d, struct idp_plan *p, size_t i,
    struct trail *t)
{
	const struct provider_files *f = &p->conf.files[i];
	const char *ca = system_authorities, *credential = NULL;

	if (f->ca.n > 0)
		ca = arena_cstr(&p->arena, f->ca);
	if (f->credential.n > 0)
		credential = arena_cstr(&p->arena, f->credential);
	TRY(arena_check(&p->arena));
	TRY(plain_open(d, ca, t, &p->ca[i]));
	if (credential == NULL)
		return OK;
	return secret_open(d, credential, false, t, &p->credential[i]);
}

static err
idp_read(const struct datadir *d, int fd, struct trail *t, struct idp_plan *p)
{
	struct trail why = {{0}};
	struct str text;
	struct buf b;
	err e = fd_read_all(fd, LIM_CONFIG, &b);

	text = arena_dup(&p->arena, buf_view(&b));
	buf_done(&b);
	TRY(e);
	TRY(arena_check(&p->arena));
	e = provider_conf_parse(&p->arena, text, &why, &p->conf);
	for (size_t i = 0; i < IDP_PROVIDERS; i++)
		p->ca[i] = p->credential[i] = -1;
	if (!err_ok(e))
		p->conf.n = 0;
	for (size_t i = 0; err_ok(e) && i < p->conf.n; i++)
		e = idp_files(d, p, i, &why);
	if (!err_ok(e))
		trail_set(t, "idp.conf: %s",
		    why.detail[0] ? why.detail : err_text(e));
	/* Whatever it is, the file is what has to be changed. */
	return err_ok(e) ? OK : err_of(E_CONFIG);
}

err
plan_idp_of(const struct datadir *d, struct trail *t, struct idp_plan *ret)
{
	err e;
	int fd;

	*ret = (struct idp_plan){0};
	if (faccessat(d->fd, "idp.conf", F_OK, 0) != 0)
		return OK;
	TRY(secret_open(d, "idp.conf", false, t, &fd));
	arena_init(&ret->arena, PLAN_ARENA);
	e = idp_read(d, fd, t, ret);
	(void)close(fd);
	if (!err_ok(e))
		idp_plan_close(ret);
	ret->given = err_ok(e);
	return e;
}

err
plan_idp(const struct plan *p, struct trail *t, struct idp_plan *ret)
{
	return plan_idp_of(&p->dir, t, ret);
}

/* What is wrong with it is told before anything starts; its files are opened
 * anew when somebody needs them. */
static err
idp_conf(struct plan *p, struct trail *t)
{
	struct idp_plan i;

	TRY(plan_idp(p, t, &i));
	p->idp.egress = i.given;
	idp_plan_close(&i);
	return OK;
}

err
plan_make(struct plan *p, const struct serve_options *o, struct trail *t)
{
	char cwd[PATH_MAX];
	const char *config = o->config;

	*p = (struct plan){.cert = -1,
	    .key = -1,
	    .root = -1,
	    .audit = -1,
	    .state = -1,
	    .notify = -1};
	arena_init(&p->arena, PLAN_ARENA);
	TRY(datadir_open(o->data, t, &p->dir));
	/* A path on the command line is relative to where that was typed. */
	if (config != NULL && config[0] != '/' &&
	    getcwd(cwd, sizeof cwd) != NULL) {
		struct buf b;

		buf_init_on(&b, &p->arena, PATH_MAX);
		buf_c(&b, cwd);
		buf_char(&b, '/');
		buf_c(&b, config);
		config = arena_cstr(&p->arena, buf_view(&b));
		TRY(buf_check(&b));
	}
	TRY(plan_config(&p->dir, config, &p->arena, t, &p->config));
	TRY(settings(p, t));
	TRY(server_user(p, t));
	TRY(role_user(p, p->config.keeper_user, "redoubt-keeper", t,
	    &p->keeper.uid, &p->keeper.gid));
	TRY(role_user(p, p->config.idp_user, "redoubt-idp", t, &p->idp.uid,
	    &p->idp.gid));
	TRY(idp_conf(p, t));
	TRY(datadir_lock(&p->dir, LOCK_WAIT_MS, t, &p->lock));
	TRY(listen_all(p, o, t));
	p->notify = notify_open();
	return listen_control(&p->dir, t, &p->control);
}

void
plan_given(struct plan *p)
{
	for (size_t i = 0; i < p->server.listen_n; i++)
		(void)close(p->listen[i]);
	(void)close(p->control);
	plan_files_close(p);
}
