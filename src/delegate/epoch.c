/*
 * epoch.c: `redoubt delegate epoch`: the owner of this host says that the
 * server's log goes on under another name.  Only then is it believed: a
 * checkpoint under a name that is not pinned is none of this log.
 */
#include "audit/epoch.h"

#include "base/json.h"
#include "delegate/delegate.h"
#include "delegate/home.h"

enum { JSON_MAX = 65536, TELL = 4096 };

struct moving {
	struct arena *a;
	struct trail *t;
	int dir;
	const struct json *file; /* delegate.json */
	struct note_key was, next;
	struct str next_text;
};

static err
refuse(struct trail *t, const char *why)
{
	trail_set(t, "%s", why);
	return err_of(E_INVALID);
}

static err
names(struct moving *m, struct str vkey)
{
	struct epoch was, next;

	if (!err_ok(note_key_parse(json_str_at(m->file, STR("log")), &m->was)))
		return refuse(m->t, "this delegate has not joined");
	if (!err_ok(note_key_parse(vkey, &m->next)))
		return refuse(m->t, "that is no verifier key");
	if (!epoch_parse(str_c(m->was.name), &was) ||
	    !epoch_parse(str_c(m->next.name), &next) ||
	    !str_eq(was.log, next.log))
		return refuse(m->t, "that is another log");
	if (memcmp(m->was.pub, m->next.pub, sizeof m->was.pub) != 0)
		return refuse(m->t, "that log has another key: enrol anew");
	if (next.number <= was.number)
		return refuse(m->t, "that is not a later epoch");
	m->next_text = vkey;
	return OK;
}

/* The same members, with another key of the log. */
static err
file_write(struct moving *m)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, m->a, JSON_MAX);
	jw_init(&w, &b);
	jw_obj(&w);
	for (const struct json *j = json_first(m->file); j != NULL;
	     j = j->next) {
		jw_name(&w, j->name);
		if (str_is(j->name, "log"))
			jw_str(&w, m->next_text);
		else
			jw_str(&w, j->text);
	}
	jw_obj_end(&w);
	buf_char(&b, '\n');
	TRY(buf_check(&b));
	return home_write(m->dir, "delegate.json", 0600, buf_view(&b));
}

/* What was seen of the old epoch stays, for whoever asks; cut short between
 * any two, the same again finishes it. */
static err
witness_move(struct moving *m)
{
	struct buf b;
	err e;

	buf_init_on(&b, m->a, NOTE_MAX);
	e = home_read(m->dir, "witness", &b);
	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	TRY(home_write(m->dir, "witness.before", 0600, buf_view(&b)));
	return home_remove(m->dir, "witness");
}

static err
move(struct moving *m, struct str vkey, struct str *ret)
{
	static const struct json_limits lim = {2, 32, 64};
	struct buf b;
	struct jw w;
	err e;

	buf_init_on(&b, m->a, JSON_MAX);
	e = home_read(m->dir, "delegate.json", &b);
	if (err_is(e, E_NOT_FOUND))
		trail_set(m->t, "it is no delegate's directory: enrol first");
	TRY(e);
	TRY(json_parse(m->a, buf_view(&b), &lim, m->t, &m->file));
	TRY(names(m, vkey));
	TRY(witness_move(m));
	TRY(file_write(m));
	buf_init_on(&b, m->a, TELL);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "log", str_c(m->next.name));
	jw_kstr(&w, "before", str_c(m->was.name));
	jw_obj_end(&w);
	*ret = buf_view(&b);
	return buf_check(&b);
}

err
delegate_epoch(struct arena *a, const char *dir, struct str vkey,
    struct trail *t, struct str *ret)
{
	struct moving m = {.a = a, .t = t, .dir = -1};

	TRY(home_open(dir, false, t, &m.dir));
	TRY(home_lock(m.dir, t)); /* held until the command ends */
	return move(&m, vkey, ret);
}
