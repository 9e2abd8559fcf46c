/*
 * key.c: `redoubt key`: the part that may touch the root key file.  All else
 * is asked of the server, or done here when there is none (local.h).
 *
 * A rotation: (1) a new key goes before the others in the file, (2) nothing
 * is wrapped under the others any more, (3) they leave the file.  Cut short,
 * it is the file that says so: it has more than one key.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "flow/rotate.h"
#include "role/keyjson.h"
#include "role/keying.h"
#include "role/role.h"
#include "role/rootfile.h"
#include "role/talk.h"

enum { STATUS_MS = 30000 };

/* ---- what can be asked, there or here ---- */

static struct rotation
rotation_of(struct keying *k)
{
	(void)snprintf(k->by, sizeof k->by, "uid:%u offline",
	    (unsigned)getuid());
	return (struct rotation){.st = &k->local->st,
	    .reload = local_reload,
	    .tend = local_tend,
	    .ctx = k->local,
	    .by = k->by};
}

static err
do_status(struct keying *k, struct str *ret)
{
	struct buf b;

	if (k->online)
		return keying_ask(k, "status", "", STATUS_MS, ret);
	buf_init_on(&b, k->a, TALK_ANSWER_MAX);
	TRY(key_status_json(&k->local->st, NULL, &b));
	*ret = buf_view(&b);
	return buf_check(&b);
}

static err
do_rotate(struct keying *k, const char *root, struct str *ret)
{
	struct rotation r;
	struct rotated done;
	struct buf b;

	if (k->online)
		return keying_ask(k, "rotate ", root, -1, ret);
	r = rotation_of(k);
	TRY(rotate_keys(&r, root, k->t, &done));
	buf_init_on(&b, k->a, TALK_ANSWER_MAX);
	key_rotated_json(&b, &done);
	*ret = buf_view(&b);
	return buf_check(&b);
}

static err
do_dropped(struct keying *k, const char *root)
{
	struct rotation r;
	struct str ignored;

	if (k->online)
		return keying_ask(k, "dropped ", root, -1, &ignored);
	r = rotation_of(k);
	return rotate_dropped(&r, root, k->t);
}

/* Rewrap, or encrypt all anew. */
static err
do_seal(struct keying *k, const char *what,
    err (*fn)(const struct rotation *r, struct trail *t, struct rewrapped *ret),
    struct str *ret)
{
	struct rewrapped done;
	struct rotation r;
	struct buf b;

	if (k->online)
		return keying_ask(k, what, "", -1, ret);
	r = rotation_of(k);
	TRY(fn(&r, k->t, &done));
	buf_init_on(&b, k->a, TALK_ANSWER_MAX);
	key_rewrapped_json(&b, &done);
	*ret = buf_view(&b);
	return buf_check(&b);
}

/* ---- rotate ---- */

struct rotating {
	struct keying *k;
	struct root_file file;
	bool resumed;
	bool left; /* the file could not be changed: old keys stay */
	char id[ROOT_KEYS_MAX][ROOT_TEXT + 1]; /* of the file; [0] primary */
	size_t n;
	struct str did; /* JSON */
};

static void
files_ids(struct rotating *r)
{
	r->n = root_count(r->file.keys);
	for (size_t i = 0; i < r->n; i++)
		root_id(r->file.keys, i, r->id[i]);
}

/* Those the server's keeper has read. */
static err
servers_ids(struct rotating *r, char ret[][ROOT_TEXT + 1], size_t *ret_n)
{
	const struct json *j, *list;
	struct str text;
	size_t n = 0;

	TRY(do_status(r->k, &text));
	TRY(keying_understand(r->k, text, &j));
	list = json_get(json_get(j, STR("root")), STR("keys"));
	for (j = json_first(list); j != NULL && n < ROOT_KEYS_MAX;
	     j = j->next) {
		struct str id = json_str_at(j, STR("id"));

		if (id.n != ROOT_TEXT)
			return err_of(E_PEER);
		memcpy(ret[n], id.p, ROOT_TEXT);
		ret[n++][ROOT_TEXT] = '\0';
	}
	*ret_n = n;
	return err_of(n > 0 ? E_OK : E_PEER);
}

/* What keys there are; and the server's primary one is in the file that we
 * are about to change. */
static err
look(struct rotating *r)
{
	char have[ROOT_KEYS_MAX][ROOT_TEXT + 1];
	size_t n;

	if (r->file.keys == NULL)
		return servers_ids(r, r->id, &r->n);
	files_ids(r);
	TRY(servers_ids(r, have, &n));
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->id[i], have[0]) == 0)
			return OK;
	trail_set(r->k->t,
	    "the server's root key %s is not in %s: it was "
	    "started with another configuration",
	    have[0], r->file.path);
	return err_of(E_CONFLICT);
}

static err
drop_old(struct rotating *r)
{
	struct trail why = {{0}};
	err e = root_file_drop(&r->file, &why);

	if (err_is(e, E_CONFIG)) {
		r->left = true;
		return OK;
	}
	if (!err_ok(e)) {
		trail_set(r->k->t,
		    "all is rotated, but the old root key is "
		    "still in the file: %s",
		    why.detail);
		return e;
	}
	return do_dropped(r->k, r->id[0]);
}

static err
rotate(struct rotating *r)
{
	TRY(look(r));
	r->resumed = r->n > 1;
	if (!r->resumed) {
		TRY(root_file_add(&r->file, r->k->t));
		files_ids(r);
	}
	TRY(do_rotate(r->k, r->id[0], &r->did));
	root_file_next_done(&r->file, r->id[0]);
	return drop_old(r);
}

static void
ids_json(struct jw *w, const char *name, const struct rotating *r, bool some)
{
	jw_name(w, str_c(name));
	jw_arr(w);
	for (size_t i = 1; some && i < r->n; i++)
		jw_str(w, str_c(r->id[i]));
	jw_arr_end(w);
}

static void
file_json(struct jw *w, const char *path)
{
	jw_kstr(w, "file", path[0] != '\0' ? str_c(path) : STR_NONE);
}

static err
rotated_json(const struct rotating *r, struct str *ret)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, r->k->a, TALK_ANSWER_MAX);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kbool(&w, "online", r->k->online);
	file_json(&w, r->file.path);
	jw_kbool(&w, "resumed", r->resumed);
	jw_kstr(&w, "root", str_c(r->id[0]));
	ids_json(&w, "dropped", r, !r->left);
	ids_json(&w, "left", r, r->left);
	jw_raw_members(&w, r->did);
	jw_obj_end(&w);
	*ret = buf_view(&b);
	return buf_check(&b);
}

/* ---- the commands ---- */

static err
status_json(struct keying *k, struct str did, const char *path, struct str *ret)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, k->a, TALK_ANSWER_MAX * 2);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kbool(&w, "online", k->online);
	if (path != NULL)
		file_json(&w, path);
	jw_raw_members(&w, did);
	jw_obj_end(&w);
	*ret = buf_view(&b);
	return buf_check(&b);
}

static err
key_status(struct keying *k, struct str *ret)
{
	struct root_file f = {.path = ""};
	struct trail quiet = {{0}};
	struct str did;
	err e;

	/* Who may not read it may be told all the same. */
	err_ignore(root_file_where(&k->dir, k->config.keys_root, &quiet, &f),
	    "the file is null then");
	e = k->online ? OK : keying_local(k);
	if (err_ok(e))
		e = do_status(k, &did);
	if (err_ok(e))
		e = status_json(k, did, f.path, ret);
	return e;
}

static err
key_rotate(struct keying *k, struct str *ret)
{
	struct rotating r = {.k = k};
	err e = root_file_open(&k->dir, k->config.keys_root, k->t, &r.file);

	if (err_is(e, E_NOT_FOUND))
		return err_of(E_SEALED);
	TRY(e);
	e = k->online ? OK
		      : keying_local(k); /* it says when a key is missing */
	if (err_ok(e))
		e = rotate(&r);
	if (err_ok(e))
		e = rotated_json(&r, ret);
	root_file_close(&r.file);
	return e;
}

static err
key_rewrap(struct keying *k, struct str *ret)
{
	struct str did;

	if (!k->online)
		TRY(keying_local(k));
	TRY(do_seal(k, "rewrap", rotate_rewrap, &did));
	return status_json(k, did, NULL, ret);
}

static err
key_reencrypt(struct keying *k, struct str *ret)
{
	struct str did;

	if (!k->online)
		TRY(keying_local(k));
	TRY(do_seal(k, "reencrypt", rotate_reencrypt, &did));
	return status_json(k, did, NULL, ret);
}

static err
run(struct arena *a, const char *dir, struct trail *t, bool changes,
    err (*fn)(struct keying *k, struct str *ret), struct str *ret)
{
	struct keying k = {.a = a,
	    .t = t,
	    .dir = {.fd = -1},
	    .lock = -1,
	    .only_us = -1};
	err e = keying_begin(&k, dir, changes);

	if (err_ok(e))
		e = fn(&k, ret);
	keying_end(&k);
	return e;
}

err
role_key_status(struct arena *a, const char *dir, struct trail *t,
    struct str *ret)
{
	return run(a, dir, t, false, key_status, ret);
}

err
role_key_rotate(struct arena *a, const char *dir, struct trail *t,
    struct str *ret)
{
	return run(a, dir, t, true, key_rotate, ret);
}

err
role_key_rewrap(struct arena *a, const char *dir, struct trail *t,
    struct str *ret)
{
	return run(a, dir, t, true, key_rewrap, ret);
}

err
role_key_reencrypt(struct arena *a, const char *dir, struct trail *t,
    struct str *ret)
{
	return run(a, dir, t, true, key_reencrypt, ret);
}
