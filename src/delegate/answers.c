#include "delegate/answers.h"

#include "base/text.h"

static const struct json_limits limits = {.depth = 8,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES};

static err
object(struct arena *a, struct str text, struct trail *t,
    const struct json **ret)
{
	struct trail why = {0};

	if (err_ok(json_parse(a, text, &limits, &why, ret)) &&
	    (*ret)->kind == JSON_OBJECT)
		return OK;
	trail_set(t, "the server's answer is no JSON object");
	return err_of(E_PEER);
}

static err
wrong(struct trail *t, const char *what)
{
	trail_set(t, "the server's answer: %s", what);
	return err_of(E_PEER);
}

static bool
is_id(struct str s)
{
	struct uuid u;

	return uuid_parse(s, &u);
}

static bool
bytes_of(struct arena *a, struct str b64, void *ret, size_t n)
{
	struct str raw;

	if (b64.p == NULL || !b64_decode(a, b64, &raw) || raw.n != n)
		return false;
	memcpy(ret, raw.p, n);
	return true;
}

/* ---- joining ---- */

err
answer_joined(struct arena *a, struct str text, struct trail *t,
    struct joined *ret)
{
	const struct json *j, *log;
	struct joined r = {.approved = false};
	struct str state;

	TRY(object(a, text, t, &j));
	r.delegate = json_str_at(j, STR("delegate"));
	r.project = json_str_at(j, STR("project"));
	state = json_str_at(j, STR("state"));
	r.certificate = json_str_at(j, STR("certificate"));
	r.mtls = json_str_at(j, STR("mtls"));
	log = json_get(j, STR("log"));
	r.log_key = json_str_at(log, STR("key"));
	r.approved = str_is(state, "approved");
	if (!is_id(r.delegate) || !is_id(r.project))
		return wrong(t, "delegate, project: ids");
	if (!r.approved && !str_is(state, "pending"))
		return wrong(t, "state: pending or approved");
	if (r.approved && r.certificate.n == 0)
		return wrong(t, "certificate: it is missing");
	if (!err_ok(note_key_parse(r.log_key, &r.log)) ||
	    !str_is(json_str_at(log, STR("origin")), r.log.name))
		return wrong(t, "log: no origin with its verifier key");
	if (!bytes_of(a, json_str_at(j, STR("task_key")), r.task_key, 32))
		return wrong(t, "task_key: base64 of 32 bytes");
	*ret = r;
	return OK;
}

/* ---- leases ---- */

static bool
task_read(struct arena *a, const struct json *j, struct leased *ret)
{
	int64_t fence;
	struct str b64 = json_str_at(j, STR("sealed"));

	ret->task = json_str_at(j, STR("task"));
	if (!is_id(ret->task) ||
	    !json_i64(json_get(j, STR("fence")), 1, INT64_MAX, &fence) ||
	    b64.p == NULL || !b64_decode(a, b64, &ret->sealed))
		return false;
	ret->fence = (uint64_t)fence;
	return true;
}

static bool
is_list(const struct json *j, size_t max)
{
	return j != NULL && j->kind == JSON_ARRAY && j->count <= max;
}

static err
point_read(struct arena *a, const struct json *j, struct trail *t,
    struct lease *ret)
{
	const struct json *list = json_get(j, STR("consistency")), *h;
	struct str hash;

	ret->note = json_str_at(j, STR("checkpoint"));
	if (ret->note.p == NULL)
		return OK;
	if (!is_list(list, ANSWER_PROOF))
		return wrong(t, "consistency: a list of hashes");
	for (h = json_first(list); h != NULL; h = h->next)
		if (!json_str(h, &hash) ||
		    !bytes_of(a, hash, ret->proof[ret->proof_n++].b, HASH_SIZE))
			return wrong(t, "consistency: a list of hashes");
	return OK;
}

err
answer_lease(struct arena *a, struct str text, struct trail *t,
    struct lease *ret)
{
	const struct json *j, *tasks, *cancel, *i;
	struct str id;

	ret->tasks = ret->cancels = ret->proof_n = 0;
	TRY(object(a, text, t, &j));
	tasks = json_get(j, STR("tasks"));
	cancel = json_get(j, STR("cancel"));
	if (!is_list(tasks, LIM_DELEGATE_TASKS) ||
	    !is_list(cancel, LIM_DELEGATE_TASKS) ||
	    !json_bool(json_get(j, STR("frozen")), &ret->frozen))
		return wrong(t, "tasks, cancel, frozen: no lease");
	for (i = json_first(tasks); i != NULL; i = i->next)
		if (!task_read(a, i, &ret->task[ret->tasks++]))
			return wrong(t, "tasks: one that is none");
	for (i = json_first(cancel); i != NULL; i = i->next)
		if (!json_str(i, &id) ||
		    !uuid_parse(id, &ret->cancel[ret->cancels++]))
			return wrong(t, "cancel: no id");
	TRY(point_read(a, j, t, ret));
	if (ret->tasks > 0 && ret->note.n == 0)
		return wrong(t, "checkpoint: tasks come with one");
	return arena_check(a);
}

err
answer_checkpoint(struct arena *a, struct str text, struct trail *t,
    struct lease *ret)
{
	const struct json *j;

	ret->tasks = ret->cancels = ret->proof_n = 0;
	ret->frozen = false;
	TRY(object(a, text, t, &j));
	TRY(point_read(a, j, t, ret));
	return ret->note.n > 0 ? arena_check(a)
			       : wrong(t, "checkpoint: it is missing");
}

/* ---- the small ones ---- */

err
answer_certificate(struct arena *a, struct str text, struct trail *t,
    struct str *ret)
{
	const struct json *j;
	struct str pem;

	TRY(object(a, text, t, &j));
	pem = json_str_at(j, STR("certificate"));
	if (pem.n == 0)
		return wrong(t, "certificate: it is missing");
	*ret = pem;
	return OK;
}

err
answer_next(struct arena *a, struct str text, struct trail *t, uint64_t *ret)
{
	const struct json *j;
	int64_t n;

	TRY(object(a, text, t, &j));
	if (!json_i64(json_get(j, STR("next")), 0, INT64_MAX, &n))
		return wrong(t, "next: a number");
	*ret = (uint64_t)n;
	return OK;
}

struct str
answer_code(struct arena *a, struct str text)
{
	const struct json *j;
	struct trail ignored = {0};

	if (!err_ok(object(a, text, &ignored, &j)))
		return STR_NONE;
	return json_str_at(j, STR("code"));
}
