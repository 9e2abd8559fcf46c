/* envelope.c: see envelope.h. */
#include "flow/envelope.h"

#include "auth/mac.h"
#include "base/limits.h"
#include "base/text.h"
#include "flow/writer.h"
#include "seal/hpke.h"

/* ---- the text: members in their order ---- */

static void
approvals(struct jw *w, const struct envelope *e)
{
	jw_karr(w, "approvals");
	for (size_t i = 0; i < e->approvals_n; i++) {
		const struct envelope_approval *a = &e->approvals[i];

		jw_obj(w);
		jw_kstr(w, "leaf", a->leaf);
		jw_karr(w, "proof");
		for (size_t k = 0; k < a->proof.n; k++) {
			char text[48];
			struct buf one = {.p = text,
			    .cap = sizeof text,
			    .max = sizeof text};

			b64_add(&one,
			    str_of((const char *)a->proof.h[k].b, HASH_SIZE));
			jw_str(w, buf_view(&one));
		}
		jw_arr_end(w);
		jw_ki64(w, "seq", (int64_t)a->seq);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void
connectors(struct jw *w, const struct envelope *e)
{
	jw_karr(w, "connectors");
	for (size_t i = 0; i < e->connectors_n; i++) {
		const struct envelope_connector *c = &e->connectors[i];

		jw_obj(w);
		jw_kstr(w, "digest", c->digest);
		jw_kstr(w, "document", c->document);
		jw_uuid(w, "id", &c->id);
		jw_kstr(w, "slug", c->slug);
		jw_ki64(w, "version", c->version);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void
secrets(struct jw *w, const struct envelope *e)
{
	jw_karr(w, "secrets");
	for (size_t i = 0; i < e->secrets_n; i++) {
		const struct secret_use *s = &e->secrets[i];

		jw_obj(w);
		if (s->external.n > 0) {
			jw_kraw(w, "external", s->external);
			jw_kstr(w, "name", s->name);
		} else {
			jw_kstr(w, "box", s->box);
			jw_kstr(w, "data", s->data);
			jw_uuid(w, "id", &s->id);
			jw_kstr(w, "name", s->name);
			jw_ki64(w, "version", s->version);
		}
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void
runbook(struct jw *w, const struct envelope *e)
{
	jw_kobj(w, "runbook");
	jw_kstr(w, "digest", e->digest);
	jw_kstr(w, "document", e->document);
	jw_uuid(w, "id", &e->job->runbook);
	jw_ki64(w, "version", e->job->version);
	jw_obj_end(w);
}

err
envelope_text(const struct envelope *e, struct buf *b)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	approvals(&w, e);
	jw_ki64(&w, "attempt", e->task->attempt);
	jw_kstr(&w, "checkpoint", e->checkpoint);
	connectors(&w, e);
	jw_uuid(&w, "delegate", &e->task->delegate);
	jw_ki64(&w, "expires", e->expires);
	jw_ki64(&w, "fence", (int64_t)e->task->fence);
	if (e->job->inputs.n > 0)
		jw_kraw(&w, "inputs", e->job->inputs);
	jw_ki64(&w, "issued", e->issued);
	jw_kstr(&w, "log", e->log);
	jw_uuid(&w, "project", &e->project);
	jw_kstr(&w, "project_slug", e->project_slug);
	jw_uuid(&w, "run", &e->task->run);
	runbook(&w, e);
	secrets(&w, e);
	jw_kobj(&w, "selector");
	jw_kraw(&w, "labels", e->job->labels);
	jw_obj_end(&w);
	jw_kstr(&w, "step", e->job->step);
	jw_uuid(&w, "task", &e->task->id);
	jw_kstr(&w, "v", STR("redoubt-task/1"));
	jw_kraw(&w, "values", e->job->values);
	jw_obj_end(&w);
	return buf_check(b);
}

/* ---- signed and sealed ---- */

err
envelope_seal(struct lane *l, const struct envelope *e,
    const struct delegate *to, struct arena *a, struct buf *ret)
{
	struct keeper_task q = {.task = e->task->id,
	    .delegate = e->task->delegate,
	    .issued = e->issued,
	    .expires = e->expires};
	uint8_t sig[KEEPER_SIGNATURE];
	char id[UUID_TEXT + 1];
	struct buf text, plain;
	struct str view;

	buf_init_on(&text, a, LIM_TASK);
	TRY(envelope_text(e, &text));
	view = buf_view(&text);
	TRY(mac_sha256(&view, 1, q.sha256));
	TRY(keeper_task_sign(writer_keeper(l->writer), &q, sig));
	buf_init_on(&plain, a, text.n + 4 + sizeof sig);
	buf_be32(&plain, (uint32_t)text.n);
	buf_str(&plain, view);
	buf_add(&plain, sig, sizeof sig);
	TRY(buf_check(&plain));
	uuid_text(&e->task->id, id);
	TRY(hpke_seal(to->x25519, STR("redoubt-task/1"), str_of(id, UUID_TEXT),
	    buf_view(&plain), ret));
	return buf_check(ret);
}
