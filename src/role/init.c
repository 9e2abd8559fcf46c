/* init.c: `redoubt init`: a directory from nothing, whole or not at all. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/rand.h"
#include "role/certs.h"
#include "role/datadir.h"
#include "role/found.h"
#include "role/making.h"

/* ---- what was asked ---- */

static bool
one_line(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return s.n > 0 && s.n <= LIM_NAME && utf8_valid(s);
}

static bool
email_like(struct str s)
{
	struct str user, host = s;

	return one_line(s) && memchr(s.p, ' ', s.n) == NULL &&
	    str_cut(s, '@', &user, &host) && user.n > 0 && host.n > 0 &&
	    memchr(host.p, '@', host.n) == NULL;
}

static err
options(const struct init_options *in, struct trail *t,
    struct init_options *ret)
{
	*ret = *in;
	if (ret->org.n == 0)
		ret->org = STR("Redoubt");
	if (ret->admin.n == 0)
		ret->admin = STR("admin@localhost");
	if (!one_line(ret->org)) {
		trail_set(t, "--org: one line of at most %d bytes", LIM_NAME);
		return err_of(E_INVALID);
	}
	if (!email_like(ret->admin)) {
		trail_set(t, "--admin: not an e-mail address");
		return err_of(E_INVALID);
	}
	return OK;
}

/* ---- directories and files ---- */

/* ---- the parts ---- */

static err
make_root(struct making *m, struct trail *t)
{
	struct buf b = {.max = 4096};
	err e;

	TRY(making_open(m->keys, "root.key", 0400, t, &m->root));
	/* At its full size at once: a buf that grows leaves copies. */
	if (!buf_room(&b, 4096))
		return err_of(E_NO_MEMORY);
	e = root_generate(&b);
	if (err_ok(e))
		e = making_write(m->root, buf_view(&b));
	buf_wipe(&b);
	return e;
}

static err
make_keys(struct making *m, const struct uuid *org, struct trail *t)
{
	char origin[NOTE_NAME_MAX + 1] = "redoubt/";
	struct root_keys *roots = NULL;
	struct buf b;
	err e;

	TRY(make_root(m, t));
	TRY(making_open(m->keys, "audit.key", 0600, t, &m->audit));
	TRY(making_open(m->keys, "keeper.state", 0600, t, &m->state));
	uuid_text(org, origin + 8);
	memcpy(origin + 8 + UUID_TEXT, "/1", 3); /* the first epoch */
	e = fd_read_all(m->root, SECRET_FILE_MAX, &b);
	if (err_ok(e))
		e = root_parse(buf_view(&b), t, &roots);
	buf_wipe(&b);
	TRY(e);
	e = keep_make(roots, str_c(origin), m->audit, m->state, t);
	(void)root_free(roots);
	return e;
}

static err
make_store(struct making *m, struct arena *a, const struct uuid *org,
    const struct init_options *o, struct trail *t, struct init_result *ret)
{
	struct datadir real;
	struct keep k;
	err e;

	TRY(datadir_open(m->path, t, &real));
	datadir_close(&real); /* for its path */
	TRY(keep_open(&k, m->root, m->audit, m->state, t));
	e = found_store(a, datadir_path(&real, a, STR("db")), &k, org, o, t,
	    ret);
	keep_close(&k);
	ret->ca = str_c(datadir_path(&real, a, STR("tls/ca.pem")));
	ret->root_key = str_c(datadir_path(&real, a, STR("keys/root.key")));
	return e;
}

static err
make(struct making *m, struct arena *a, const struct init_options *o,
    struct trail *t, struct init_result *ret)
{
	struct uuid org = rand_uuid(o->now);

	TRY(making_take(m, t));
	TRY(making_dir(m, "keys", &m->keys, t));
	TRY(making_dir(m, "tls", &m->tls, t));
	TRY(making_dir(m, "db", &m->db, t));
	TRY(make_keys(m, &org, t));
	TRY(making_tls(m, a, o->now, t, &ret->fingerprint));
	TRY(making_config(m, t));
	TRY(make_store(m, a, &org, o, t, ret));
	TRY(making_give(m, t));
	if (fsync(m->keys) != 0 || fsync(m->tls) != 0 || fsync(m->db) != 0 ||
	    fsync(m->dir) != 0)
		return making_failed(t, m->path);
	return arena_check(a);
}

/* ---- undoing ---- */

err
role_init(struct arena *a, const struct init_options *in, struct trail *t,
    struct init_result *ret)
{
	struct making m = {.path = in->data,
	    .dir = -1,
	    .keys = -1,
	    .tls = -1,
	    .db = -1,
	    .root = -1,
	    .audit = -1,
	    .state = -1};
	struct init_result r = {.url = STR("https://127.0.0.1:8443")};
	struct init_options o;
	err e;

	TRY(options(in, t, &o));
	TRY(confine_light(t));
	(void)umask(077);
	r.admin = arena_dup(a, o.admin);
	e = make(&m, a, &o, t, &r);
	if (!err_ok(e)) {
		trail_set(t, "%s: %s", in->data, err_text(e));
		making_undo(&m);
	}
	making_close(&m);
	if (err_ok(e))
		*ret = r;
	return e;
}
