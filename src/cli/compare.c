/*
 * audit compare: two checkpoints that two people were shown.  Of one size they
 * are the same or the log has two pasts; of two sizes a proof decides, from a
 * file or from the server, whose word counts for nothing in it.
 */
#include "audit/growth.h"
#include "cli/cosigned.h"

enum { TEXT_MAX = 2 * NOTE_MAX, EXPORT = '{' };

struct seen {
	struct str note;
	struct checkpoint p;
};

/* A note; an export, or a proof with a note behind it. */
static err
note_of(struct cli *c, struct str path, struct str *ret)
{
	struct growth *g = ARENA_NEW(c->arena, struct growth);
	const char *name = arena_cstr(c->arena, path);
	struct str rest;

	TRY(arena_check(c->arena));
	if (!err_ok(value_file(c, path, TEXT_MAX, ret)) ||
	    (ret->n > 0 && ret->p[0] == EXPORT)) {
		c->trail.detail[0] = '\0';
		return cosigned_export(c, name, ret);
	}
	if (err_ok(growth_parse(*ret, g))) {
		*ret = g->note;
		return OK;
	}
	if (!str_starts(*ret, STR("c2sp.org/tlog-proof@v1\n")))
		return OK;
	rest = *ret;
	while (str_cut(rest, '\n', ret, &rest) && ret->n > 0)
		;
	*ret = rest;
	return OK;
}

static err
read_one(struct cli *c, const char *arg, const struct note_key *key,
    struct seen *ret)
{
	struct str path = args_get(&c->args, arg);
	err e = note_of(c, path, &ret->note);

	if (err_ok(e))
		e = checkpoint_open(ret->note, key, &ret->p);
	if (err_ok(e) || c->trail.detail[0] != '\0')
		return e;
	trail_set(&c->trail,
	    err_is(e, E_BAD_ANSWER) ? "%.*s: not signed by that key"
				    : "%.*s: no checkpoint in it",
	    STR_ARG(path));
	return err_of(E_INVALID);
}

/* "proof" of a file, or from the server. */
static err
proof_text(struct cli *c, const struct seen *a, const struct seen *b,
    struct str *ret, int *ret_rc)
{
	struct request r = {.method = "GET",
	    .accept = STR("text/plain, application/problem+json")};
	const struct response *head;
	struct buf target, body;

	*ret_rc = EXIT_DONE;
	if (args_has(&c->args, "proof"))
		return value_file(c, args_get(&c->args, "proof"), TEXT_MAX,
		    ret);
	buf_init_on(&target, c->arena, 128);
	buf_fmt(&target, "/v1/audit/proof?old=%llu&new=%llu",
	    (unsigned long long)a->p.size, (unsigned long long)b->p.size);
	r.target = buf_view(&target);
	TRY(api_open(c, &r, c->arena, &head));
	if (head->status != 200) {
		*ret_rc = api_refused(c, head);
		return OK;
	}
	buf_init_on(&body, c->arena, TEXT_MAX);
	TRY(client_body(c->client, &c->trail, &body));
	*ret = buf_view(&body);
	return OK;
}

static err
grown(struct cli *c, const struct seen *a, const struct seen *b, bool *ret_good,
    int *ret_rc)
{
	struct growth *g = ARENA_NEW(c->arena, struct growth);
	struct str text = STR_NONE;

	TRY(arena_check(c->arena));
	TRY(proof_text(c, a, b, &text, ret_rc));
	if (*ret_rc != EXIT_DONE)
		return OK;
	*ret_good = err_ok(growth_parse(text, g)) && g->old == a->p.size &&
	    err_ok(audit_verify_consistency(a->p.size, &a->p.root, b->p.size,
		&b->p.root, g->proof, g->n));
	return OK;
}

static int
told(struct cli *c, const struct seen *a, const struct seen *b, bool good)
{
	bool same = a->p.size == b->p.size;
	struct buf t;
	struct jw w;
	int rc;

	buf_init(&t, 16384);
	if (c->json) {
		jw_init(&w, &t);
		jw_obj(&w);
		jw_kbool(&w, "ok", good);
		jw_ki64(&w, "old", (int64_t)a->p.size);
		jw_ki64(&w, "new", (int64_t)b->p.size);
		jw_obj_end(&w);
	} else if (good) {
		buf_fmt(&t,
		    same ? "good: the same log of %llu entries"
			 : "good: the log of %llu entries grew to %llu",
		    (unsigned long long)a->p.size,
		    (unsigned long long)b->p.size);
	} else {
		buf_fmt(&t,
		    same ? "BAD: two logs of %llu entries, signed by one key"
			 : "BAD: nothing shows that the log of %llu entries "
			   "grew to that of %llu",
		    (unsigned long long)a->p.size,
		    (unsigned long long)b->p.size);
	}
	buf_char(&t, '\n');
	rc = out_text(c, &t);
	buf_done(&t);
	return rc == EXIT_DONE && !good ? EXIT_BAD : rc;
}

int
cmd_audit_compare(struct cli *c)
{
	struct seen a = {.note = {NULL, 0}}, b = a, swap;
	struct note_key key;
	int rc = EXIT_DONE;
	bool good = false;
	err e = note_key_parse(args_get(&c->args, "key"), &key);

	if (!err_ok(e))
		trail_set(&c->trail, "--key: the public key of the log");
	if (err_ok(e))
		e = read_one(c, "A", &key, &a);
	if (err_ok(e))
		e = read_one(c, "B", &key, &b);
	if (err_ok(e) && a.p.size > b.p.size) {
		swap = a;
		a = b;
		b = swap;
	}
	if (err_ok(e) && a.p.size == b.p.size)
		good = memcmp(a.p.root.b, b.p.root.b, HASH_SIZE) == 0;
	else if (err_ok(e))
		e = grown(c, &a, &b, &good, &rc);
	if (!err_ok(e))
		return out_error(c, e);
	return rc == EXIT_DONE ? told(c, &a, &b, good) : rc;
}
