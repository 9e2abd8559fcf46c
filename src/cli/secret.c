/*
 * secret.c: setting and rotating secrets.  A value comes from a terminal, a
 * file or standard input, never from an argument, and leaves this process as
 * ciphertext for the delegates that may open it (doc/PROTOCOL.secret).
 *
 * Whose keys those are is the server's word.  So a delegate's fingerprint is
 * remembered at its first use, beside the login file, and another one is
 * refused until somebody who has compared it says --accept-keys.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/pins.h"
#include "cli/sealing.h"

enum { MASK_MIN = 8 };

/* ---- the value ---- */

static err
ask_twice(struct cli *c, struct str *ret)
{
	struct str again;

	TRY(ask_secret(c, "Value", ret));
	TRY(ask_secret(c, "Again", &again));
	if (str_eq(*ret, again))
		return OK;
	trail_set(&c->trail, "these are two values");
	return err_of(E_INVALID);
}

/* A file as it is; of standard input the end of the last line is not part of
 * it, so that `echo` does what one thinks. */
static err
value(struct cli *c, struct str *ret)
{
	struct str path = args_get(&c->args, "file");

	if (path.p == NULL && isatty(STDIN_FILENO) == 1) {
		TRY(ask_twice(c, ret));
	} else {
		TRY(value_file(c, path.p == NULL ? STR("-") : path,
		    LIM_SECRET_VALUE + 2, ret));
		if (path.p == NULL && str_ends(*ret, STR("\n")))
			ret->n--;
		if (path.p == NULL && str_ends(*ret, STR("\r")))
			ret->n--;
	}
	if (ret->n >= MASK_MIN && ret->n <= LIM_SECRET_VALUE)
		return OK;
	trail_set(&c->trail,
	    "a value of %d to %d bytes; a shorter one cannot be kept out of "
	    "logs",
	    MASK_MIN, LIM_SECRET_VALUE);
	return err_of(E_INVALID);
}

/* ---- asking ---- */

/* GET of a path; E_BAD_ANSWER: the problem was told, with exit code *rc. */
static err
get(struct cli *c, struct str target, const struct json **ret, int *rc)
{
	struct request q = {.method = "GET",
	    .target = target,
	    .accept = STR("application/json, application/problem+json")};
	struct api x;

	TRY(api_ask(c, &q, c->arena, &x));
	if (x.head->status >= 300) {
		*rc = api_problem(c, &x);
		return err_of(E_BAD_ANSWER);
	}
	*ret = x.json;
	return OK;
}

static struct buf
project_path(struct cli *c, const char *under)
{
	struct buf b;

	buf_init_on(&b, c->arena, LIM_TARGET);
	buf_c(&b, "/v1/projects/");
	url_encode(&b, c->login.project);
	buf_c(&b, under);
	return b;
}

/* labels: {"site":"fra"} */
static err
recipients(struct cli *c, const struct json *labels, const struct json **ret,
    int *rc)
{
	struct buf b = project_path(c, "/secret-recipients?labels=");
	const struct json *answer;

	for (const struct json *j = json_first(labels); j != NULL;
	     j = j->next) {
		url_encode(&b, j->name);
		buf_c(&b, "%3D");
		url_encode(&b, j->text);
		if (j->next != NULL)
			buf_c(&b, "%2C");
	}
	TRY(buf_check(&b));
	TRY(get(c, buf_view(&b), &answer, rc));
	*ret = json_get(answer, STR("items"));
	if (*ret != NULL && (*ret)->count > 0)
		return OK;
	trail_set(&c->trail,
	    "no approved delegate has these labels: nobody could open it");
	return err_of(E_CONFLICT);
}

/* {"data":...,"boxes":[...]} of what was read, for those that were asked
 * about. */
static err
seal_value(struct cli *c, struct str name, const struct json *labels,
    struct jw *w, int *rc)
{
	struct buf b = project_path(c, "");
	const struct json *project, *to;
	struct str text = STR("");
	err e;

	TRY(buf_check(&b));
	TRY(get(c, buf_view(&b), &project, rc));
	TRY(recipients(c, labels, &to, rc));
	TRY(pins_check(c, to, args_has(&c->args, "accept-keys")));
	e = value(c, &text);
	if (err_ok(e))
		e = sealing_write(c->arena, json_str_at(project, STR("slug")),
		    name, text, to, w);
	sealing_wipe(text);
	return e;
}

/* ---- the commands ---- */

/* The members that arguments made, and those of the sealed value. */
static err
with_value(struct cli *c, struct request *q, struct str name,
    const struct json *labels, int *rc)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, c->arena, LIM_BODY);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_raw_members(&w, q->body);
	TRY(seal_value(c, name, labels, &w, rc));
	jw_obj_end(&w);
	q->body = buf_view(&b);
	return buf_check(&b);
}

static err
make_new(struct cli *c, struct request *q, int *rc)
{
	const struct json *body, *labels;

	TRY(request_make(c, CLI_ROUTE_secret_create, q));
	TRY(answer_parse(c->arena, q->body, &c->trail, &body));
	if (json_get(body, STR("external")) != NULL)
		return OK;
	labels = json_get(json_get(body, STR("delegates")), STR("labels"));
	if (labels == NULL) {
		trail_set(&c->trail,
		    "--delegates: which delegates may open it");
		return err_of(E_USAGE);
	}
	return with_value(c, q, json_str_at(body, STR("name")), labels, rc);
}

static err
make_next(struct cli *c, struct request *q, int *rc)
{
	struct str name = args_get(&c->args, "NAME");
	struct buf b = project_path(c, "/secrets/");
	const struct json *old, *body, *labels;

	TRY(request_make(c, CLI_ROUTE_secret_rotate, q));
	url_encode(&b, name);
	TRY(buf_check(&b));
	TRY(get(c, buf_view(&b), &old, rc));
	TRY(answer_parse(c->arena, q->body, &c->trail, &body));
	labels = json_get(json_get(body, STR("delegates")), STR("labels"));
	if (labels == NULL)
		labels =
		    json_get(json_get(old, STR("delegates")), STR("labels"));
	return with_value(c, q, json_str_at(old, STR("name")), labels, rc);
}

static int
run(struct cli *c, err (*make)(struct cli *, struct request *, int *))
{
	struct request q;
	struct api x;
	int rc = 0;
	err e;

	/* what is typed here is in no core dump and in nobody's debugger */
	(void)prctl(PR_SET_DUMPABLE, 0);
	e = make(c, &q, &rc);
	if (rc != 0)
		return rc;
	if (err_ok(e))
		e = api_ask(c, &q, c->arena, &x);
	if (!err_ok(e))
		return out_error(c, e);
	return x.head->status < 300 ? api_show(c, &x) : api_problem(c, &x);
}

int
cmd_secret_set(struct cli *c)
{
	return run(c, make_new);
}

int
cmd_secret_rotate(struct cli *c)
{
	return run(c, make_next);
}
