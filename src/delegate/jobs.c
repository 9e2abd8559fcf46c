#include "delegate/agent.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/json_canon.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"

enum { RESULT_MAX = LIM_RUN_VALUES + 4096 };

static const struct json_limits limits = {.depth = LIM_JSON_DEPTH,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES};

void
agent_wake(struct agent *g)
{
	uint64_t one = 1;
	ssize_t n = write(g->wake, &one, sizeof one);

	(void)n; /* it is full only when it is awake */
	pthread_cond_signal(&g->work);
}

struct job *
job_find(struct agent *g, const struct uuid *id)
{
	for (size_t i = 0; i < LIM_DELEGATE_TASKS; i++)
		if (g->job[i].state != JOB_FREE && uuid_eq(&g->job[i].id, id))
			return &g->job[i];
	return NULL;
}

struct job *
job_new(struct agent *g, const struct uuid *id, uint64_t fence)
{
	for (size_t i = 0; i < LIM_DELEGATE_TASKS; i++) {
		struct job *j = &g->job[i];

		if (j->state != JOB_FREE)
			continue;
		memset(j, 0, sizeof *j);
		j->state = JOB_OFFERED;
		j->id = *id;
		uuid_text(id, j->id_text);
		j->fence = fence;
		j->offered_us = time_mono_us();
		j->spool.fd = -1;
		j->result.outputs = STR("{}");
		arena_init(&j->arena, 4 * LIM_ARENA);
		return j;
	}
	return NULL;
}

size_t
jobs_active(const struct agent *g)
{
	size_t n = 0;

	for (size_t i = 0; i < LIM_DELEGATE_TASKS; i++)
		n += g->job[i].state != JOB_FREE && g->job[i].state != JOB_GONE;
	return n;
}

void
job_outcome(struct job *j, const char *outcome, struct str code)
{
	j->result.outcome = str_c(outcome);
	j->result.code = code;
}

/* SHA-256 of nothing: a task without a log. */
static void
no_log(struct ending *r)
{
	static const char none[] = "e3b0c44298fc1c149afbf4c8996fb924"
				   "27ae41e4649b934ca495991b7852b855";

	_Static_assert(sizeof none == sizeof r->log_sha, "64 hex digits");
	memcpy(r->log_sha, none, sizeof none);
	r->log_bytes = 0;
}

void
job_refuse(struct agent *g, struct job *j, enum reason why)
{
	no_log(&j->result);
	job_outcome(j, "refused", reason_code(why));
	j->state = JOB_ENDED;
	agent_wake(g);
}

void
job_free(struct agent *g, struct job *j)
{
	char name[SPOOL_NAME];

	if (j->boxed)
		sandbox_done(&j->box);
	j->out = masker_free(j->out);
	j->err = masker_free(j->err);
	j->mask = mask_set_free(j->mask);
	if (j->pages != NULL)
		mem_wipe(j->pages, j->pages_n);
	mem_pages_free(j->pages, j->pages_n);
	spool_close(&j->spool);
	spool_name(&j->id, ".log", name);
	err_ignore(home_remove(g->dir, name), "it is found at the next start");
	spool_name(&j->id, ".json", name);
	err_ignore(home_remove(g->dir, name), "it is sent again, in vain");
	/* What a crash left while a result was written. */
	spool_name(&j->id, ".json.new", name);
	err_ignore(home_remove(g->dir, name), "it is no result");
	arena_done(&j->arena);
	memset(j, 0, sizeof *j);
}

/* ---- results on the disk ---- */

err
result_write(const struct job *j, struct buf *b)
{
	const struct ending *r = &j->result;
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	jw_ki64(&w, "fence", (int64_t)j->fence);
	jw_kstr(&w, "outcome", r->outcome);
	jw_kstr(&w, "code", r->code.p == NULL ? STR("") : r->code);
	jw_ki64(&w, "exit", r->exit);
	jw_kraw(&w, "outputs", r->outputs);
	jw_ki64(&w, "log_bytes", (int64_t)r->log_bytes);
	jw_kstr(&w, "log_sha256", str_c(r->log_sha));
	jw_obj_end(&w);
	return buf_check(b);
}

err
result_keep(struct agent *g, struct job *j)
{
	char name[SPOOL_NAME];
	struct buf b;
	err e;

	buf_init(&b, RESULT_MAX);
	e = result_write(j, &b);
	spool_name(&j->id, ".json", name);
	if (err_ok(e))
		e = home_write(g->dir, name, 0600, buf_view(&b));
	buf_done(&b);
	return e;
}

static bool
result_read(struct agent *g, struct job *j)
{
	char name[SPOOL_NAME];
	const struct json *r, *out;
	struct trail ignored = {0};
	struct str sha;
	int64_t fence, n;
	struct buf b;

	buf_init_on(&b, &j->arena, RESULT_MAX);
	spool_name(&j->id, ".json", name);
	if (!err_ok(home_read(g->dir, name, &b)) ||
	    !err_ok(json_parse(&j->arena, buf_view(&b), &limits, &ignored, &r)))
		return false;
	out = json_get(r, STR("outputs"));
	sha = json_str_at(r, STR("log_sha256"));
	if (!json_i64(json_get(r, STR("fence")), 1, INT64_MAX, &fence) ||
	    !json_i64(json_get(r, STR("exit")), INT32_MIN, INT32_MAX,
		&j->result.exit) ||
	    !json_i64(json_get(r, STR("log_bytes")), 0, INT64_MAX, &n) ||
	    out == NULL || sha.n != 64)
		return false;
	j->fence = (uint64_t)fence;
	j->result.outcome = json_str_at(r, STR("outcome"));
	j->result.code = json_str_at(r, STR("code"));
	j->result.outputs = out->raw;
	j->result.log_bytes = (uint64_t)n;
	memcpy(j->result.log_sha, sha.p, 64);
	j->result.log_sha[64] = '\0';
	return true;
}

/* ---- after a restart ---- */

/* A result that is whole is delivered; what has none was running when we
 * died: the server finds out by its lease. */
static void
recover_one(struct agent *g, const struct uuid *id)
{
	struct job *j = job_new(g, id, 0);
	char name[SPOOL_NAME];

	if (j == NULL)
		return;
	spool_name(id, ".log", name);
	if (!result_read(g, j)) {
		log_event(LOG_DELEGATE_LOST, KVC("task", j->id_text));
		job_free(g, j);
		return;
	}
	j->spool.fd = openat(g->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	j->spool.size = j->result.log_bytes;
	j->journaled = true;
	j->state = JOB_ENDED;
	log_event(LOG_DELEGATE_RECOVERED, KVC("task", j->id_text));
}

static bool
spooled_id(const char *name, struct uuid *ret)
{
	struct str s = str_c(name);

	return s.n > UUID_TEXT && s.p[UUID_TEXT] == '.' &&
	    uuid_parse(str_head(s, UUID_TEXT), ret);
}

err
jobs_recover(struct agent *g)
{
	int fd = openat(g->dir, "spool", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *de;
	struct uuid id;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return err_of(E_IO);
	}
	while ((de = readdir(d)) != NULL)
		if (spooled_id(de->d_name, &id) && job_find(g, &id) == NULL)
			recover_one(g, &id);
	(void)closedir(d);
	return OK;
}
