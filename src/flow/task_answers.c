/*
 * task_answers.c: what a delegate says of its tasks: it has begun one, a piece
 * of its log, its result; doc/PROTOCOL.delegate 7 and 8.  All of it is taken
 * from the delegate that has the lease, under the fence it was leased with,
 * and from nobody else: another's task is not there (404), one that is no
 * longer its own is 409.
 */
#include "auth/mac.h"
#include "base/json_canon.h"
#include "base/limits.h"
#include "base/text.h"
#include "flow/admin_body.h"
#include "flow/delegates.h"
#include "flow/handlers.h"
#include "flow/run_log.h"
#include "flow/task_job.h"
#include "flow/writer.h"

enum { SIGNATURE = 64 };

/* The task of the path, when this delegate has or had it last. */
static err
own_task(struct call *c, struct task_row *ret)
{
	struct uuid id;

	TRY(call_uuid(c, 0, &id));
	TRY(store_task_get(c->lane->conn, &id, c->a, ret));
	if (!uuid_eq(&ret->delegate, &c->actor->id) ||
	    ret->project != c->project->o.project)
		return err_of(E_NOT_FOUND);
	call_touch(c, "task", &id);
	return OK;
}

static err
its_fence(struct call *c, const struct task_row *r)
{
	int64_t fence;

	if (!json_i64(json_get(c->body, STR("fence")), 1, INT64_MAX, &fence))
		return call_bad(c, E_INVALID, "fence: the one of the lease");
	if ((uint64_t)fence != r->fence)
		return call_bad(c, E_CONFLICT,
		    "that lease is over: the fence is another");
	return OK;
}

/* ---- start ---- */

err
route_task_start(struct call *c)
{
	struct task_row r;

	TRY(own_task(c, &r));
	TRY(its_fence(c, &r));
	answer_empty(c, 204);
	if (r.state == TASK_STARTED) { /* the answer was lost on its way */
		c->rec.skip = true;
		return OK;
	}
	if (r.state != TASK_LEASED || c->now > r.until)
		return call_bad(c, E_CONFLICT, "the lease is over");
	if (r.cancel || world_frozen(call_world(c), r.project))
		return call_bad(c, E_CONFLICT,
		    "it is cancelled, or automation is frozen");
	c->dirty = true;
	return task_begun(c->lane, &r, c->now, c->a);
}

/* ---- log ---- */

static err
log_bytes(struct call *c, struct str *ret)
{
	struct str text = body_text(c, "data", STR(""));

	if (!b64_decode(c->a, text, ret) || ret->n > LIM_LOG_POST)
		return call_bad(c, E_INVALID,
		    "data: base64 of at most %d bytes", LIM_LOG_POST);
	return OK;
}

err
route_task_log(struct call *c)
{
	struct str offset = c->query.raw[PARAM_OFFSET], bytes;
	struct run_log_of of;
	struct task_row r;
	uint64_t at, size;
	struct jw *w;

	if (!str_u64(offset, 0, LIM_RUN_LOG, &at))
		return call_bad(c, E_INVALID, "offset: where the data stands");
	TRY(own_task(c, &r));
	TRY(its_fence(c, &r));
	TRY(log_bytes(c, &bytes));
	if (r.state != TASK_STARTED)
		return call_bad(c, E_CONFLICT, "it is not started");
	of = (struct run_log_of){r.run, &r.id, r.project};
	TRY(run_log_size(c->lane, &of, &size));
	if (at == size && bytes.n > 0) {
		c->dirty = true;
		TRY(run_log_append(c->lane, r.project, &r.run, &r.id, bytes));
		size += bytes.n;
	}
	c->rec.skip = true;
	w = answer(c, 200);
	jw_obj(w);
	jw_ki64(w, "next", (int64_t)size);
	jw_obj_end(w);
	return buf_check(&c->out);
}

/* ---- result ---- */

struct said {
	enum task_outcome outcome;
	struct str word, code, outputs;
	int64_t exit, log_bytes;
};

static bool
outcome_parse(struct str s, enum task_outcome *ret)
{
	for (unsigned o = TASK_SUCCEEDED; o < TASK_LOST; o++)
		if (str_is(s, task_outcome_text((enum task_outcome)o))) {
			*ret = (enum task_outcome)o;
			return true;
		}
	return false;
}

/* [a-z0-9_.-]{0,64}: it is shown and logged. */
static bool
word_valid(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= 'a' && s.p[i] <= 'z') &&
		    !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '_' &&
		    s.p[i] != '.' && s.p[i] != '-')
			return false;
	return s.n <= 64;
}

static err
read_said(struct call *c, struct said *ret)
{
	const struct json *b = c->body;

	ret->word = body_text(c, "outcome", STR(""));
	ret->code = body_text(c, "code", STR(""));
	if (!outcome_parse(ret->word, &ret->outcome))
		return call_bad(c, E_INVALID,
		    "outcome: succeeded, failed, timed_out, cancelled or "
		    "refused");
	if (!word_valid(ret->code))
		return call_bad(c, E_INVALID, "code: a word");
	if (!json_i64(json_get(b, STR("exit")), INT32_MIN, INT32_MAX,
		&ret->exit) ||
	    !json_i64(json_get(b, STR("log_bytes")), 0, INT64_MAX,
		&ret->log_bytes))
		return call_bad(c, E_INVALID, "exit, log_bytes: numbers");
	return json_canon_text(c->a, json_get(b, STR("outputs")),
	    LIM_TASK_OUTPUTS, &ret->outputs);
}

/* By the key of the certificate of this very connection. */
static err
signed_result(struct call *c, const struct task_row *r, const struct said *s,
    struct str *ret_text)
{
	uint8_t sum[32], sig[SIGNATURE];
	char id[UUID_TEXT + 1];
	struct buf b;

	uuid_text(&r->id, id);
	TRY(mac_sha256(&s->outputs, 1, sum));
	buf_init_on(&b, c->a, 1024);
	buf_fmt(&b, "redoubt-result/1\n%s\n%llu\n%.*s\n%lld\n", id,
	    (unsigned long long)r->fence, STR_ARG(s->word), (long long)s->exit);
	hex_add(&b, str_of((const char *)sum, sizeof sum));
	buf_fmt(&b, "\n%lld\n", (long long)s->log_bytes);
	buf_str(&b, body_text(c, "log_sha256", STR("")));
	buf_char(&b, '\n');
	TRY(buf_check(&b));
	if (!body_bytes(c, "sig", sig, sizeof sig) ||
	    !mac_ed25519(str_of((const char *)c->cert.key, sizeof c->cert.key),
		buf_view(&b), str_of((const char *)sig, sizeof sig)))
		return call_bad(c, E_INVALID,
		    "sig: not of this connection's key");
	*ret_text = buf_view(&b);
	return OK;
}

/* Before its start a task can only be refused or cancelled. */
static bool
may_end(const struct task_row *r, const struct said *s)
{
	return r->state == TASK_STARTED ||
	    (r->state == TASK_LEASED &&
		(s->outcome == TASK_REFUSED || s->outcome == TASK_CANCELLED));
}

err
route_task_result(struct call *c)
{
	uint8_t blind[BLIND_SIZE];
	struct task_end e = {.now = c->now};
	struct task_row r;
	struct said s;
	struct str text;

	TRY(own_task(c, &r));
	TRY(its_fence(c, &r));
	TRY(read_said(c, &s));
	TRY(signed_result(c, &r, &s, &text));
	TRY(lane_blind(c->lane, r.project, "task result", text, blind));
	answer_empty(c, 204);
	if (r.state == TASK_DONE &&
	    memcmp(blind, r.result, sizeof blind) == 0) {
		c->rec.skip = true; /* it came before */
		return OK;
	}
	if (!may_end(&r, &s))
		return call_bad(c, E_CONFLICT, "it is over, or not started");
	c->dirty = true;
	memcpy(r.result, blind, sizeof r.result);
	e.outcome = s.outcome;
	e.code = s.code;
	e.exit = (int)s.exit;
	e.log_bytes = (uint64_t)s.log_bytes;
	e.outputs = s.outputs;
	/* what was said, committed to in the leaf */
	c->rec.body = text;
	return task_over(c->lane, &r, &e, c->a);
}
