/*
 * audit witness: what an auditor runs elsewhere.  It keeps the last checkpoint
 * of a log it has seen in a directory of its own, takes a newer one only with
 * a proof that it extends that one, cosigns it and gives it to the server.
 * What the server says beside that is not believed.
 */
#include "audit/growth.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/cli.h"
#include "delegate/home.h"
#include "delegate/witness.h"

enum { TEXT_MAX = 2 * NOTE_MAX };

struct watching {
	struct cli *c;
	int dir;
	struct note_key log, own;
	struct secret *key;
	struct witness *w;
};

/* ---- its directory ---- */

static err
directory(struct cli *c, bool make, int *ret)
{
	const char *path = arena_cstr(c->arena, args_get(&c->args, "state"));

	TRY(arena_check(c->arena));
	TRY(home_open(path, make, &c->trail, ret));
	return home_lock(*ret, &c->trail);
}

/* A file of one line. */
static err
line_read(struct cli *c, int dir, const char *name, struct str *ret)
{
	struct str rest;
	struct buf b;
	err e;

	buf_init_on(&b, c->arena, 1024);
	e = home_read(dir, name, &b);
	if (!err_ok(e)) {
		trail_set(&c->trail,
		    "%s: not a witness's directory: make one with --init",
		    name);
		return e;
	}
	(void)str_cut(buf_view(&b), '\n', ret, &rest);
	return OK;
}

static err
line_write(struct cli *c, int dir, const char *name, struct str line)
{
	struct buf b;

	buf_init_on(&b, c->arena, 1024);
	buf_str(&b, line);
	buf_char(&b, '\n');
	TRY(buf_check(&b));
	return home_write(dir, name, 0600, buf_view(&b));
}

/* The key its cosignatures are known by. */
static err
own_key(struct cli *c, struct str name, const struct secret *seed,
    struct note_key *ret)
{
	struct note_key k;

	if (err_ok(note_key_of(name, secret_view(seed), &k)) &&
	    err_ok(note_witness_of(name, k.pub, ret)))
		return OK;
	trail_set(&c->trail,
	    "--name: up to %d bytes, no space and no +; a name of yours, like "
	    "audit.example.com/w1",
	    NOTE_NAME_MAX);
	return err_of(E_INVALID);
}

/* ---- telling ---- */

static int
told(struct cli *c, struct str state, const struct checkpoint *p, int rc)
{
	struct buf b;
	struct jw w;
	int shown;

	buf_init(&b, 16384);
	if (c->json) {
		jw_init(&w, &b);
		jw_obj(&w);
		jw_kstr(&w, "state", state);
		jw_ki64(&w, "size", (int64_t)p->size);
		jw_name(&w, STR("root"));
		jw_b64(&w, str_of((const char *)p->root.b, HASH_SIZE));
		jw_obj_end(&w);
	} else {
		buf_fmt(&b, "%.*s: %llu entries, root ", STR_ARG(state),
		    (unsigned long long)p->size);
		b64_add(&b, str_of((const char *)p->root.b, HASH_SIZE));
	}
	buf_char(&b, '\n');
	shown = out_text(c, &b);
	buf_done(&b);
	return shown == EXIT_DONE ? rc : shown;
}

/* ---- --init ---- */

static err
init_at(struct cli *c, int dir, const struct note_key *log,
    struct note_key *ret)
{
	struct str name = args_get(&c->args, "name");
	struct secret *key = NULL;
	struct buf b;
	err e = home_key_read(dir, "witness.key", &key);

	if (err_ok(e)) {
		secret_free(key);
		trail_set(&c->trail, "there is a witness in this directory");
		return err_of(E_EXISTS);
	}
	if (!err_is(e, E_NOT_FOUND))
		return e;
	buf_init_on(&b, c->arena, 1024);
	note_key_text(log, &b);
	TRY(line_write(c, dir, "name", name));
	TRY(line_write(c, dir, "log", buf_view(&b)));
	TRY(home_key(dir, "witness.key", &key));
	e = own_key(c, name, key, ret);
	secret_free(key);
	return e;
}

static int
init(struct cli *c)
{
	struct note_key log, own, probe;
	uint8_t none[32] = {0};
	char text[512];
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};
	int dir = -1;
	err e = OK;

	if (!err_ok(note_key_parse(args_get(&c->args, "key"), &log))) {
		trail_set(&c->trail,
		    "--key: the verifier key of the log, as its operator "
		    "reads it with redoubt audit verify --data DIR");
		e = err_of(E_INVALID);
	} else if (!err_ok(note_witness_of(args_get(&c->args, "name"), none,
		       &probe))) {
		trail_set(&c->trail,
		    "--name: a name of yours without spaces, like "
		    "audit.example.com/w1");
		e = err_of(E_INVALID);
	}
	if (err_ok(e))
		e = directory(c, true, &dir);
	if (err_ok(e))
		e = init_at(c, dir, &log, &own);
	if (!err_ok(e))
		return out_error(c, e);
	note_key_text(&own, &b);
	return out_named(c, "key", buf_view(&b));
}

/* ---- watching ---- */

static err
open_at(struct watching *x)
{
	struct cli *c = x->c;
	struct str line;

	TRY(directory(c, false, &x->dir));
	TRY(line_read(c, x->dir, "log", &line));
	TRY(note_key_parse(line, &x->log));
	TRY(line_read(c, x->dir, "name", &line));
	TRY(home_key_read(x->dir, "witness.key", &x->key));
	TRY(own_key(c, arena_dup(c->arena, line), x->key, &x->own));
	x->w = ARENA_NEW(c->arena, struct witness);
	TRY(arena_check(c->arena));
	return witness_open(x->dir, &x->log, &c->trail, x->w);
}

/* GET a text.  *ret_rc is not EXIT_DONE when the server refuses, and why has
 * been told; but for status `but`, which is left to the caller. */
static err
fetch(struct cli *c, struct str target, int but, struct str *ret, int *ret_rc)
{
	struct request r = {.method = "GET",
	    .target = target,
	    .accept = STR("text/plain, application/problem+json")};
	const struct response *head;
	struct buf b;

	*ret_rc = EXIT_DONE;
	*ret = STR_NONE;
	buf_init_on(&b, c->arena, TEXT_MAX);
	TRY(api_open(c, &r, c->arena, &head));
	if (head->status != 200 && head->status != but) {
		*ret_rc = api_refused(c, head);
		return OK;
	}
	TRY(client_body(c->client, &c->trail, &b));
	if (head->status == 200)
		*ret = buf_view(&b);
	return OK;
}

/* The server says it never had that many entries: what it has is evidence,
 * when that is really less. */
static err
ask_less(struct watching *x, struct growth *ret, int *ret_rc)
{
	struct cli *c = x->c;
	struct checkpoint p;

	TRY(fetch(c, STR("/v1/audit/checkpoint"), 0, &ret->note, ret_rc));
	if (*ret_rc != EXIT_DONE ||
	    !err_ok(checkpoint_open(ret->note, &x->log, &p)) ||
	    p.size < x->w->last.size)
		return OK;
	trail_set(&c->trail,
	    "the server says it has less than it shows: ask again");
	return err_of(E_PEER);
}

/* The next checkpoint, and how it extends the last one seen. */
static err
ask(struct watching *x, struct growth *ret, int *ret_rc)
{
	struct cli *c = x->c;
	struct str text;
	struct buf b;

	*ret = (struct growth){.old = x->w->last.size};
	buf_init_on(&b, c->arena, 128);
	buf_c(&b, "/v1/audit/log/consistency?old=");
	buf_u64(&b, x->w->last.size);
	TRY(fetch(c, buf_view(&b), 409, &text, ret_rc));
	if (*ret_rc != EXIT_DONE)
		return OK;
	if (text.p == NULL)
		return ask_less(x, ret, ret_rc);
	if (err_ok(growth_parse(text, ret)) && ret->old == x->w->last.size)
		return OK;
	trail_set(&c->trail, "the server's answer is no proof");
	return err_of(E_PEER);
}

static err
give(struct watching *x, int *ret_rc)
{
	struct cli *c = x->c;
	struct request r = {.method = "POST",
	    .target = STR("/v1/audit/cosignatures"),
	    .accept = STR("application/json, application/problem+json")};
	struct buf note, body;
	struct api answer;
	struct jw w;

	buf_init_on(&note, c->arena, NOTE_MAX);
	buf_init_on(&body, c->arena, 2 * NOTE_MAX);
	TRY(witness_cosign(x->w, str_c(x->own.name), secret_view(x->key),
	    (uint64_t)time_now_ms() / 1000, &note));
	jw_init(&w, &body);
	jw_obj(&w);
	jw_kstr(&w, "checkpoint", buf_view(&note));
	jw_obj_end(&w);
	TRY(buf_check(&body));
	r.body = buf_view(&body);
	TRY(api_ask(c, &r, c->arena, &answer));
	*ret_rc =
	    answer.head->status < 300 ? EXIT_DONE : api_problem(c, &answer);
	return OK;
}

static int
bad(struct watching *x, enum reason why)
{
	struct cli *c = x->c;

	out_note(c, "%.*s (%.*s)", STR_ARG(reason_meaning(why)),
	    STR_ARG(reason_code(why)));
	if (why == REASON_CHECKPOINT)
		out_note(c, "it is not the log this witness was made for");
	else
		out_note(c,
		    "nothing of that log is believed any more; both "
		    "checkpoints are in the witness's directory, in the file "
		    "distrust");
	return told(c, reason_code(why), &x->w->last, EXIT_BAD);
}

static int
watch(struct watching *x)
{
	struct cli *c = x->c;
	struct checkpoint seen;
	struct growth *g = ARENA_NEW(c->arena, struct growth);
	int rc = EXIT_DONE;
	enum reason why;
	err e = arena_check(c->arena);

	if (err_ok(e))
		e = open_at(x);
	if (err_ok(e) && x->w->distrust != REASON_NONE)
		return bad(x, x->w->distrust);
	if (err_ok(e))
		e = ask(x, g, &rc);
	if (!err_ok(e))
		return out_error(c, e);
	if (rc != EXIT_DONE)
		return rc;
	why = witness_see(x->w, g->note, g->proof, g->n, &seen);
	if (why == REASON_JOURNAL) {
		trail_set(&c->trail, "what was seen could not be written down");
		return out_error(c, err_of(E_IO));
	}
	if (why != REASON_NONE)
		return bad(x, why);
	e = give(x, &rc);
	if (!err_ok(e))
		return out_error(c, e);
	return rc == EXIT_DONE ? told(c, STR("cosigned"), &seen, rc) : rc;
}

int
cmd_audit_witness(struct cli *c)
{
	struct watching x = {.c = c, .dir = -1};
	int rc;

	if (args_has(&c->args, "init"))
		return init(c);
	if (args_has(&c->args, "name") || args_has(&c->args, "key")) {
		trail_set(&c->trail, "--name and --key belong to --init");
		return out_error(c, err_of(E_USAGE));
	}
	rc = watch(&x);
	secret_free(x.key);
	return rc;
}
