/* check.c: `redoubt check`: looks at everything, changes nothing. */
#include "role/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "role/escrow.h"
#include "role/plan.h"
#include "store/store.h"

enum { KEYS_ARENA = 16 << 20 };

void
check_say(struct checking *c, const char *check, bool advice, const char *fix,
    const char *fmt, ...)
{
	struct check_item *i = &c->r->item[c->r->n];
	char text[512];
	va_list ap;

	if (c->r->n == CHECK_ITEMS)
		return;
	c->r->n++;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	*i = (struct check_item){.check = check,
	    .ok = fix == NULL,
	    .advice = fix != NULL && advice,
	    .detail = arena_dup(c->a, str_c(text)),
	    .fix = str_c(fix == NULL ? "" : fix)};
	c->r->faults += !i->ok && !i->advice;
}

/* ---- keys ---- */

static err
project_keys_open(struct checking *c, struct store_conn *conn,
    const struct keep *k, size_t *ret_n)
{
	uint8_t key[SECRET_SIZE];
	struct project_key_row *row;
	struct arena a;
	size_t n = 0;
	err e;

	(void)c;
	arena_init(&a, KEYS_ARENA);
	e = store_project_keys(conn, &a, &row, &n);
	for (size_t i = 0; err_ok(e) && i < n; i++)
		e = root_unwrap(k->roots, row[i].project, row[i].version,
		    row[i].wrapped, key);
	mem_wipe(key, sizeof key);
	arena_done(&a);
	*ret_n = n;
	return e;
}

static void
with_store(struct checking *c, const struct keep *k)
{
	struct trail t = {{0}};
	struct store_conn *conn;
	struct store *s;
	size_t n = 0;
	err e = store_open(datadir_path(&c->dir, c->a, STR("db")), STORE_READ,
	    &t, &s);

	if (!err_ok(e))
		return; /* check_store says why */
	e = store_reader(s, &conn);
	if (err_ok(e)) {
		e = project_keys_open(c, conn, k, &n);
		(void)store_conn_close(conn);
	}
	(void)store_close(s);
	if (err_ok(e))
		check_say(c, "keys.project", false, NULL,
		    "all %zu project keys open with the root key", n);
	else
		check_say(c, "keys.project", false,
		    "put back the root key file this store was made with",
		    "a project key does not open: %s", err_text(e));
}

static bool
inside(const struct checking *c)
{
	struct str root = c->config.keys_root;

	return root.n == 0 || str_starts(root, str_c(c->dir.path)) ||
	    (root.p[0] != '/' && memchr(root.p, '/', root.n) != NULL);
}

/* Is there a way back when the file is lost? */
static void
escrow(struct checking *c)
{
	struct trail quiet = {{0}};
	struct root_sealed r = {.n = 0};
	const struct unlocker *u = NULL;

	if (err_ok(escrow_read(&c->dir, c->a, &quiet, &r)))
		u = unlocker_find(&r, UNLOCK_SHARES, STR(""));
	check_say(c, "keys.escrow", true,
	    u != NULL ? NULL
		      : "redoubt key split gives shares to people, any K of "
			"whom bring it back",
	    u != NULL ? "%.*s of %.*s shares bring a lost root key file back"
		      : "%.*s%.*snobody has shares of the root key",
	    STR_ARG(u != NULL ? u->word[0] : STR("")),
	    STR_ARG(u != NULL ? u->word[1] : STR("")));
}

void
check_keys(struct checking *c)
{
	struct trail t = {{0}};
	int fd[3] = {-1, -1, -1};
	struct keep k;
	err e = root_key_open(&c->dir, c->config.keys_root, &t, &fd[0]);

	if (err_ok(e))
		e = root_key_unlock(&c->dir, fd[0], NULL, &t, &fd[0]);
	if (err_ok(e))
		e = secret_open(&c->dir, "keys/audit.key", false, &t, &fd[1]);
	if (err_ok(e))
		e = secret_open(&c->dir, "keys/keeper.state", false, &t,
		    &fd[2]);
	if (err_ok(e))
		e = keep_open(&k, fd[0], fd[1], fd[2], &t);
	if (err_ok(e)) {
		check_say(c, "keys.root", false, NULL,
		    "the root key opens the signing key and the keeper's "
		    "state");
		check_say(c, "keys.torn", true,
		    k.torn ? "none is needed: the other copy is whole" : NULL,
		    "the keeper's state has %s whole copies",
		    k.torn ? "one of two" : "two");
		with_store(c, &k);
		keep_close(&k);
	} else if (err_is(e, E_SEALED)) {
		check_say(c, "keys.root", true,
		    "open it with redoubt key source test, to see that it "
		    "opens",
		    "only a person can open the root key file: the keys were "
		    "not looked at");
	} else {
		check_say(c, "keys.root", false,
		    "the keeper cannot start; see SECURITY.md about the root "
		    "key",
		    "%s", t.detail[0] ? t.detail : err_text(e));
	}
	check_say(c, "keys.apart", true,
	    inside(c) ? "keep the root key off the data disk: set keys.root, "
			"or use a systemd credential"
		      : NULL,
	    "the root key lies %s the data directory",
	    inside(c) ? "inside" : "outside");
	escrow(c);
	for (size_t i = 0; i < 3; i++)
		if (fd[i] >= 0)
			(void)close(fd[i]);
}

/* ---- store and log ---- */

void
check_store(struct checking *c)
{
	struct trail t = {{0}};
	struct store *s;
	err e = store_open(datadir_path(&c->dir, c->a, STR("db")), STORE_READ,
	    &t, &s);

	if (err_ok(e)) {
		e = store_check(s, &t);
		(void)store_close(s);
	}
	if (err_ok(e))
		check_say(c, "store.integrity", false, NULL,
		    "every page and index was read");
	else
		check_say(c, "store.integrity", false,
		    "restore the newest backup beside it and compare", "%s",
		    t.detail[0] ? t.detail : err_text(e));
}

void
check_audit(struct checking *c)
{
	struct verify_report v;
	struct trail t = {{0}};
	err e = role_audit_verify(c->data, &t, &v);

	if (!err_ok(e)) {
		check_say(c, "audit.log", false,
		    "the log was changed or cut; see PROTOCOL.audit about "
		    "what that means",
		    "%s", t.detail[0] ? t.detail : err_text(e));
		return;
	}
	check_say(c, "audit.log", false, NULL,
	    "%llu entries, signed up to %llu", (unsigned long long)v.v.entries,
	    (unsigned long long)v.v.signed_size);
}

/* ---- all of it ---- */

static bool
configuration(struct checking *c)
{
	struct trail t = {{0}};
	err e = plan_config(&c->dir, NULL, c->a, &t, &c->config);

	if (err_ok(e)) {
		check_say(c, "config", false, NULL, "redoubt.conf is valid");
		return true;
	}
	check_say(c, "config", false, "correct redoubt.conf", "%s",
	    t.detail[0] ? t.detail : err_text(e));
	config_defaults(c->a, &c->config);
	return false;
}

err
role_check(struct arena *a, const char *dir, int64_t now, struct trail *t,
    struct check_report *ret)
{
	struct checking c = {.a = a, .data = dir, .now = now, .r = ret};
	struct trail quiet = {{0}};
	err e;

	*ret = (struct check_report){.n = 0};
	TRY(confine_light(t));
	e = datadir_open(dir, &quiet, &c.dir);
	if (err_is(e, E_CONFIG)) { /* open to others: the first finding */
		check_say(&c, "files.directory", false,
		    "chmod 0700 the "
		    "directory, then check again",
		    "%s", quiet.detail);
		return OK;
	}
	if (!err_ok(e)) {
		trail_set(t, "%s", quiet.detail);
		return e;
	}
	(void)configuration(&c);
	check_files(&c);
	check_idp(&c);
	check_keys(&c);
	check_tls(&c);
	check_store(&c);
	check_audit(&c);
	check_confinement(&c);
	datadir_close(&c.dir);
	return arena_check(a);
}
