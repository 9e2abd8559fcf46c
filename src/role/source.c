/* source.c: `redoubt key source`, `split`, `drill` and `recover`: what opens
 * the root key file, and what does when that is lost. */
#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "role/escrow.h"
#include "role/keying.h"
#include "role/talk.h"

/* ---- answers ---- */

struct answer {
	struct buf b;
	struct jw w;
};

static void
answer_begin(struct answer *x, struct keying *k)
{
	buf_init_on(&x->b, k->a, TALK_ANSWER_MAX);
	jw_init(&x->w, &x->b);
	jw_obj(&x->w);
}

static err
answer_end(struct answer *x, struct str *ret)
{
	jw_obj_end(&x->w);
	*ret = buf_view(&x->b);
	return buf_check(&x->b);
}

static void
share_json(struct answer *x, const struct share *s)
{
	char text[SHARE_TEXT];

	share_write(s, text);
	jw_str(&x->w, str_c(text));
	mem_wipe(text, sizeof text);
}

/* ---- the file as it lies there ---- */

/* *ret_sealed false: it is plain, and nothing of it was looked at. */
static err
look(struct keying *k, struct root_sealed *ret, bool *ret_sealed)
{
	struct buf b;
	int fd;
	err e;

	TRY(root_key_open(&k->dir, k->config.keys_root, k->t, &fd));
	e = fd_read_all(fd, SECRET_FILE_MAX, &b);
	(void)close(fd);
	*ret_sealed = err_ok(e) && root_is_sealed(buf_view(&b));
	if (*ret_sealed)
		e = root_sealed_parse(k->a, buf_view(&b), k->t, ret);
	buf_wipe(&b);
	return e;
}

static void
source_detail(struct answer *x, struct keying *k, const struct unlocker *u)
{
	static const char *const names[UNLOCK_KINDS][UNLOCKER_WORDS] = {
	    [UNLOCK_PASSPHRASE] = {"kib", "passes"},
	    [UNLOCK_FILE] = {"path"},
	    [UNLOCK_PKCS11] = {"module", "token", "key", "pin"},
	    [UNLOCK_TPM2] = {"tcti", "pcrs", "pin"},
	    [UNLOCK_SHARES] = {"threshold", "shares", "set"},
	    [UNLOCK_ROOT] = {"id"},
	};
	struct str v;

	for (size_t i = 0; i < UNLOCKER_WORDS; i++)
		if (names[u->kind][i] != NULL &&
		    unlocker_word(k->a, u, i, &v)) {
			jw_name(&x->w, str_c(names[u->kind][i]));
			jw_str(&x->w, v);
		}
}

static void
sources_json(struct answer *x, struct keying *k, const char *name,
    const struct root_sealed *r)
{
	jw_name(&x->w, str_c(name));
	jw_arr(&x->w);
	for (size_t i = 0; i < r->n; i++) {
		const struct unlocker *u = &r->unlocker[i];

		jw_obj(&x->w);
		jw_kstr(&x->w, "name", u->name);
		jw_kstr(&x->w, "kind", str_c(unlocker_kind_name(u->kind)));
		jw_kbool(&x->w, "person", unlocker_asks(u));
		source_detail(x, k, u);
		jw_obj_end(&x->w);
	}
	jw_arr_end(&x->w);
}

static err
list(struct keying *k, struct str *ret)
{
	struct root_sealed r = {.n = 0}, copy = {.n = 0};
	struct root_file f = {.path = ""};
	struct trail quiet = {{0}};
	struct answer x;
	bool sealed;

	err_ignore(root_file_where(&k->dir, k->config.keys_root, &quiet, &f),
	    "the file is null then");
	TRY(look(k, &r, &sealed));
	err_ignore(escrow_read(&k->dir, k->a, &quiet, &copy),
	    "there is none then");
	answer_begin(&x, k);
	jw_kstr(&x.w, "file", f.path[0] != '\0' ? str_c(f.path) : STR_NONE);
	jw_kbool(&x.w, "sealed", sealed);
	sources_json(&x, k, "sources", &r);
	sources_json(&x, k, "escrow", &copy);
	return answer_end(&x, ret);
}

/* ---- add, remove, test ---- */

static err
room_for(struct keying *k, const struct root_sealed *r, struct str name)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->unlocker[i].name, name)) {
			trail_set(k->t, "there is a source %.*s already",
			    STR_ARG(name));
			return err_of(E_EXISTS);
		}
	if (r->n < UNLOCKERS_MAX)
		return OK;
	trail_set(k->t, "there are %d sources already", UNLOCKERS_MAX);
	return err_of(E_LIMIT);
}

/* The unlocker becomes one of the file's, which may have been plain. */
static err
take_on(struct keying *k, struct root_file *f, struct unlocker *u,
    const struct secret *key)
{
	if (f->path[0] == '\0') {
		trail_set(k->t, "a credential cannot be changed from here");
		return err_of(E_CONFIG);
	}
	if (f->unlock == NULL) {
		TRY(secret_new(&f->unlock));
		TRY(root_sealed_make(&f->sealed, f->unlock));
	}
	TRY(room_for(k, &f->sealed, u->name));
	TRY(unlocker_close(&f->arena, &f->sealed, u, key, f->unlock));
	f->sealed.unlocker[f->sealed.n++] = *u;
	return root_file_write(f, k->t);
}

static err
added(struct keying *k, struct root_file *f, struct str *ret)
{
	struct unlocking ing = {k->a, &k->dir, k->t, &f->sealed};
	const struct unlock_spec *s = k->arg;
	struct secret *key = NULL;
	struct unlocker u;
	struct answer x;
	err e;

	TRY(secret_new(&key));
	e = unlock_make(&ing, role_person(), s, &u, key);
	if (err_ok(e))
		e = take_on(k, f, &u, key);
	(void)secret_free(key);
	TRY(e);
	answer_begin(&x, k);
	jw_kstr(&x.w, "file", str_c(f->path));
	jw_kstr(&x.w, "name", u.name);
	jw_kstr(&x.w, "kind", s->kind);
	return answer_end(&x, ret);
}

/* With the file open, which asks who has to be asked. */
static err
with_file(struct keying *k, struct str *ret,
    err (*fn)(struct keying *k, struct root_file *f, struct str *ret))
{
	struct root_file f = {.path = ""};
	err e = root_file_open(&k->dir, k->config.keys_root, k->t, &f);

	TRY(e);
	if (f.keys == NULL) {
		trail_set(k->t,
		    "only the server's service can read that "
		    "credential");
		e = err_of(E_CONFIG);
	}
	if (err_ok(e))
		e = fn(k, &f, ret);
	root_file_close(&f);
	return e;
}

static err
add(struct keying *k, struct str *ret)
{
	return with_file(k, ret, added);
}

static err
removed(struct keying *k, struct root_file *f, struct str *ret)
{
	const struct str *name = k->arg;
	struct root_sealed *r = &f->sealed;
	struct answer x;
	size_t i = 0;

	while (i < r->n && !str_eq(r->unlocker[i].name, *name))
		i++;
	if (i == r->n) {
		trail_set(k->t, "there is no source %.*s",
		    STR_ARG(str_head(*name, 40)));
		return err_of(E_NOT_FOUND);
	}
	if (r->n == 1) {
		trail_set(k->t,
		    "it is the last one: without it nothing opens the root "
		    "key file; add another first");
		return err_of(E_CONFLICT);
	}
	for (r->n--; i < r->n; i++)
		r->unlocker[i] = r->unlocker[i + 1];
	TRY(root_file_write(f, k->t));
	answer_begin(&x, k);
	jw_kstr(&x.w, "file", str_c(f->path));
	jw_kstr(&x.w, "name", *name);
	return answer_end(&x, ret);
}

static err
remove_one(struct keying *k, struct str *ret)
{
	return with_file(k, ret, removed);
}

static err
test(struct keying *k, struct str *ret)
{
	const struct str *name = k->arg;
	struct root_sealed r;
	struct unlocking ing = {k->a, &k->dir, k->t, &r};
	struct secret *u = NULL;
	struct answer x;
	int64_t start;
	bool sealed;
	err e;

	TRY(look(k, &r, &sealed));
	if (!sealed) {
		trail_set(k->t, "the root key file is plain: it opens itself");
		return err_of(E_CONFLICT);
	}
	TRY(secret_new(&u));
	start = time_mono_us();
	e = unlock_ask(&ing, role_person(), *name, u);
	(void)secret_free(u);
	TRY(e);
	answer_begin(&x, k);
	jw_kstr(&x.w, "name", *name);
	jw_kbool(&x.w, "opens", true);
	jw_name(&x.w, STR("ms"));
	jw_i64(&x.w, (time_mono_us() - start) / 1000);
	return answer_end(&x, ret);
}

/* ---- shares ---- */

struct split {
	unsigned n, needed;
};

/* Instead of the shares there were. */
static err
take_shares(struct keying *k, struct root_file *f, struct unlocker *u,
    const struct secret *key)
{
	struct root_sealed *r = &f->sealed;
	size_t i = 0;

	if (f->unlock == NULL)
		return escrow_make(f, u, key, k->t);
	while (i < r->n && r->unlocker[i].kind != UNLOCK_SHARES)
		i++;
	if (i == r->n)
		return take_on(k, f, u, key);
	TRY(unlocker_close(&f->arena, r, u, key, f->unlock));
	r->unlocker[i] = *u;
	return root_file_write(f, k->t);
}

static err
split_json(struct keying *k, const struct share *s, const struct split *how,
    const struct unlocker *u, struct str *ret)
{
	struct answer x;

	answer_begin(&x, k);
	jw_kstr(&x.w, "set", u->word[2]);
	jw_name(&x.w, STR("threshold"));
	jw_i64(&x.w, how->needed);
	jw_name(&x.w, STR("shares"));
	jw_arr(&x.w);
	for (unsigned i = 0; i < how->n; i++)
		share_json(&x, &s[i]);
	jw_arr_end(&x.w);
	return answer_end(&x, ret);
}

static err
split_with(struct keying *k, struct root_file *f, struct share *s,
    struct secret *key, struct str *ret)
{
	struct unlocking ing = {k->a, &k->dir, k->t, &f->sealed};
	const struct split *how = k->arg;
	struct unlocker u;

	TRY(unlock_make_shares(&ing, STR("shares"), how->needed, how->n, &u,
	    key, s));
	TRY(take_shares(k, f, &u, key));
	return split_json(k, s, how, &u, ret);
}

static err
did_split(struct keying *k, struct root_file *f, struct str *ret)
{
	struct share s[SHARES_MAX];
	struct secret *key = NULL;
	err e = secret_new(&key);

	if (err_ok(e))
		e = split_with(k, f, s, key, ret);
	mem_wipe(s, sizeof s);
	(void)secret_free(key);
	return e;
}

static err
split(struct keying *k, struct str *ret)
{
	return with_file(k, ret, did_split);
}

/* The shares there are: of the sealed file, else of the copy. */
static err
shared(struct keying *k, struct root_sealed *ret)
{
	struct trail quiet = {{0}};
	bool sealed = false;
	err e = look(k, ret, &sealed);

	if (err_ok(e) && sealed &&
	    unlocker_find(ret, UNLOCK_SHARES, STR("")) != NULL)
		return OK;
	e = escrow_read(&k->dir, k->a, &quiet, ret);
	if (err_ok(e) && unlocker_find(ret, UNLOCK_SHARES, STR("")) != NULL)
		return OK;
	trail_set(k->t, "there are no shares; make some with key split");
	return err_of(E_NOT_FOUND);
}

/* One after the other, until there are no more; the key of k is tried and
 * wiped, and opens nothing but its own check. */
static err
drill(struct keying *k, struct str *ret)
{
	struct root_sealed r;
	struct unlocking ing = {k->a, &k->dir, k->t, &r};
	struct unlock_lines l = {.n = 0};
	const struct unlocker *u;
	struct secret *out = NULL;
	struct answer x;
	err e;

	TRY(shared(k, &r));
	u = unlocker_find(&r, UNLOCK_SHARES, STR(""));
	k->t->detail[0] = '\0'; /* of looking */
	TRY(unlock_collect(k->a, role_person(), "Share", k->t, &l));
	if (!share_like(l.line[0])) {
		trail_set(k->t, "line 1: that is no share");
		return err_of(E_INVALID);
	}
	TRY(secret_new(&out));
	l.source = u->name;
	e = unlock_by(&ing, &l, out);
	(void)secret_free(out);
	TRY(e);
	answer_begin(&x, k);
	jw_kstr(&x.w, "set", u->word[2]);
	jw_name(&x.w, STR("good"));
	jw_i64(&x.w, (int64_t)l.n);
	jw_kbool(&x.w, "opens", true);
	return answer_end(&x, ret);
}

/* ---- recover ---- */

static err
gone(struct keying *k)
{
	struct trail quiet = {{0}};
	int fd;
	err e = root_key_open(&k->dir, k->config.keys_root, &quiet, &fd);

	if (err_is(e, E_NOT_FOUND))
		return OK;
	if (err_ok(e))
		(void)close(fd);
	trail_set(k->t, "there is a root key file; move it away first");
	return err_of(E_EXISTS);
}

/* Where it was lost, as the configuration says. */
static err
put_back(struct keying *k, struct str text)
{
	struct root_file f = {.dir = &k->dir, .uid = geteuid()};
	struct str setting = k->config.keys_root;
	const char *path = datadir_path(&k->dir, k->a,
	    setting.n == 0 ? STR("keys/root.key") : setting);
	struct str dir, name = str_c(path);
	size_t at = name.n;
	int fd;

	if (path == NULL ||
	    (setting.n > 0 && memchr(setting.p, '/', setting.n) == NULL)) {
		trail_set(k->t, "keys.root is a credential: set it to a path");
		return err_of(E_CONFIG);
	}
	while (at > 1 && path[at - 1] != '/')
		at--;
	dir = str_head(name, at);
	f.gid = getegid();
	fd = open(arena_cstr(k->a, dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || !root_file_put(fd, path + at, &f, text)) {
		trail_set(k->t, "cannot write %s", path);
		if (fd >= 0)
			(void)close(fd);
		return err_of(E_IO);
	}
	(void)close(fd);
	return OK;
}

/* A plain file comes back plain, a sealed one as it was. */
static err
text_back(struct keying *k, const struct root_sealed *r, const struct secret *u,
    char id[ROOT_ID_TEXT + 1])
{
	struct buf plain = {.max = SECRET_FILE_MAX}, sealed;
	struct root_keys *keys = NULL;
	err e = root_sealed_open(k->a, r, u, &plain);

	if (err_ok(e))
		e = root_parse(buf_view(&plain), k->t, &keys);
	if (err_ok(e)) {
		root_id(keys, 0, id);
		(void)root_free(keys);
		buf_init_on(&sealed, k->a, ROOT_SEALED_MAX);
		root_sealed_write(r, &sealed);
		e = unlocker_find(r, UNLOCK_ROOT, STR("")) != NULL
		    ? put_back(k, buf_view(&plain))
		    : put_back(k, buf_view(&sealed));
	}
	buf_wipe(&plain);
	return e;
}

static err
recover(struct keying *k, struct str *ret)
{
	struct root_sealed r;
	struct unlocking ing = {k->a, &k->dir, k->t, &r};
	char id[ROOT_ID_TEXT + 1];
	struct secret *u = NULL;
	struct answer x;
	err e;

	TRY(gone(k));
	TRY(escrow_read(&k->dir, k->a, k->t, &r));
	TRY(secret_new(&u));
	e = unlock_ask(&ing, role_person(), STR(""), u);
	if (err_ok(e))
		e = text_back(k, &r, u, id);
	(void)secret_free(u);
	TRY(e);
	answer_begin(&x, k);
	jw_kstr(&x.w, "root", str_c(id));
	jw_kbool(&x.w, "sealed",
	    unlocker_find(&r, UNLOCK_ROOT, STR("")) == NULL);
	return answer_end(&x, ret);
}

/* ---- the verbs ---- */

err
role_source_list(struct arena *a, const char *dir, struct trail *t,
    struct str *ret)
{
	return keying_run(a, dir, t, false, list, NULL, ret);
}

err
role_source_add(struct arena *a, const char *dir, const struct unlock_spec *s,
    struct trail *t, struct str *ret)
{
	return keying_run(a, dir, t, true, add, s, ret);
}

err
role_source_remove(struct arena *a, const char *dir, struct str name,
    struct trail *t, struct str *ret)
{
	return keying_run(a, dir, t, true, remove_one, &name, ret);
}

err
role_source_test(struct arena *a, const char *dir, struct str name,
    struct trail *t, struct str *ret)
{
	return keying_run(a, dir, t, false, test, &name, ret);
}

err
role_key_split(struct arena *a, const char *dir, unsigned n, unsigned needed,
    struct trail *t, struct str *ret)
{
	struct split how = {n, needed};

	return keying_run(a, dir, t, true, split, &how, ret);
}

err
role_key_drill(struct arena *a, const char *dir, struct trail *t,
    struct str *ret)
{
	return keying_run(a, dir, t, false, drill, NULL, ret);
}

err
role_key_recover(struct arena *a, const char *dir, struct trail *t,
    struct str *ret)
{
	return keying_run(a, dir, t, true, recover, NULL, ret);
}
