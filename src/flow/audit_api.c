/* audit_api.c: /v1/audit: entries. */
#include "base/text.h"
#include "flow/audit_page.h"
#include "flow/handlers.h"

/* ---- entries ---- */

static void
opt(struct jw *w, const char *name, struct str s)
{
	jw_name(w, str_c(name));
	jw_str(w, s.n == 0 ? STR_NONE : s);
}

static void
entry_json(struct jw *w, const struct audit_entry *e, struct str leaf)
{
	jw_obj(w);
	jw_ki64(w, "seq", (int64_t)e->seq);
	jw_time(w, "time", e->time);
	jw_kobj(w, "principal");
	jw_kstr(w, "kind", e->principal_kind);
	opt(w, "id", e->principal_id);
	opt(w, "credential", e->credential);
	jw_obj_end(w);
	jw_kstr(w, "action", str_c(audit_action_text(e->action)));
	jw_kstr(w, "outcome", str_c(audit_outcome_text(e->outcome)));
	opt(w, "reason", e->reason);
	opt(w, "project", e->project);
	jw_karr(w, "resource");
	for (size_t i = 0; i < e->resources; i++) {
		jw_obj(w);
		jw_kstr(w, "type", e->resource[i].type);
		jw_kstr(w, "id", e->resource[i].id);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	opt(w, "request_id", e->request_id);
	opt(w, "address", e->address);
	jw_ki64(w, "count", e->count > 1 ? (int64_t)e->count : 1);
	jw_kstr(w, "leaf", leaf);
	jw_obj_end(w);
}

err
route_audit_list(struct call *c)
{
	struct audit_query q;

	TRY(audit_query_params(c, &q));
	return audit_page(c, &q, entry_json);
}

err
route_audit_get(struct call *c)
{
	struct audit_entry e;
	struct str leaf;
	uint64_t seq;

	if (!str_u64(c->var[0], 1, INT64_MAX, &seq))
		return err_of(E_NOT_FOUND);
	TRY(store_audit_get(c->lane->conn, seq, c->a, &leaf));
	TRY(audit_leaf_read(c->a, leaf, &e));
	call_touch_num(c, "audit", seq);
	entry_json(answer(c, 200), &e, leaf);
	return buf_check(&c->out);
}
