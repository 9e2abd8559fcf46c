#include "audit/scan.h"

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"

static const struct {
	struct str text;
	enum audit_kind kind;
} actions[] = {
#define AUDIT(name, text, kind) {{text, sizeof text - 1}, kind},
#include "audit/audit.def"
#undef AUDIT
};

static const char *const outcomes[] = {
    [AUDIT_OK] = "ok",
    [AUDIT_DENIED] = "denied",
    [AUDIT_ERROR] = "error",
    [AUDIT_INTENT] = "intent",
};

const char *
audit_action_text(enum audit_action a)
{
	return a < AUDIT_MAX_ ? actions[a].text.p : actions[AUDIT_NONE].text.p;
}

enum audit_kind
audit_action_kind(enum audit_action a)
{
	return a < AUDIT_MAX_ ? actions[a].kind : AUDIT_CHANGE;
}

bool
audit_action_parse(struct str s, enum audit_action *ret)
{
	for (unsigned a = AUDIT_NONE + 1; a < AUDIT_MAX_; a++)
		if (str_eq(s, actions[a].text)) {
			*ret = (enum audit_action)a;
			return true;
		}
	return false;
}

const char *
audit_outcome_text(enum audit_outcome o)
{
	return o <= AUDIT_INTENT ? outcomes[o] : outcomes[AUDIT_ERROR];
}

bool
audit_outcome_parse(struct str s, enum audit_outcome *ret)
{
	for (unsigned o = AUDIT_OK; o <= AUDIT_INTENT; o++)
		if (str_is(s, outcomes[o])) {
			*ret = (enum audit_outcome)o;
			return true;
		}
	return false;
}

/*
 * ,"name":"text" unless it is empty.  Text that would need an escape is
 * refused: a leaf holds ids and words of ours, so nothing somebody else
 * chose can reach a terminal, a page or a spreadsheet through it.
 */
static bool
add_option(struct buf *b, struct str start, struct str text)
{
	if (text.n == 0)
		return true;
	buf_str(b, start);
	buf_str(b, text);
	buf_char(b, '"');
	return leaf_text_ok(text);
}

/* cm: base64 of a commitment, when e has none of its own. */
static bool
add_head(struct buf *b, const struct audit_entry *e, struct str action,
    struct str cm)
{
	bool good;

	buf_str(b, STR("{\"action\":\""));
	buf_str(b, action);
	buf_char(b, '"');
	good = add_option(b, STR(",\"address\":\""), e->address);
	if (e->commitment != NULL) {
		buf_str(b, STR(",\"cm\":\""));
		b64_add(b,
		    str_of((const char *)e->commitment, COMMITMENT_SIZE));
		buf_char(b, '"');
	} else {
		good &= add_option(b, STR(",\"cm\":\""), cm);
	}
	if (e->count > 1) {
		buf_str(b, STR(",\"count\":"));
		buf_u64(b, e->count);
	}
	good &= add_option(b, STR(",\"credential\":\""), e->credential);
	buf_str(b, STR(",\"outcome\":\""));
	buf_c(b, outcomes[e->outcome]);
	buf_str(b, STR("\",\"principal\":{"));
	if (e->principal_id.n > 0) {
		good &= add_option(b, STR("\"id\":\""), e->principal_id);
		buf_char(b, ',');
	}
	buf_str(b, STR("\"kind\":\""));
	buf_str(b, e->principal_kind);
	buf_str(b, STR("\"}"));
	return good && leaf_name_ok(e->principal_kind);
}

static bool
add_resource(struct buf *b, const struct audit_resource *r)
{
	bool good = leaf_name_ok(r->type);

	buf_char(b, '{');
	if (r->id.n > 0) {
		good &= add_option(b, STR("\"id\":\""), r->id);
		buf_char(b, ',');
	}
	buf_str(b, STR("\"type\":\""));
	buf_str(b, r->type);
	buf_str(b, STR("\"}"));
	return good;
}

static bool
add_tail(struct buf *b, const struct audit_entry *e)
{
	char time[TIME_TEXT + 1];
	bool good = true;

	good &= add_option(b, STR(",\"project\":\""), e->project);
	good &= add_option(b, STR(",\"reason\":\""), e->reason);
	good &= add_option(b, STR(",\"request_id\":\""), e->request_id);
	for (size_t i = 0; i < e->resources; i++) {
		buf_str(b, i == 0 ? STR(",\"resource\":[") : STR(","));
		good &= add_resource(b, &e->resource[i]);
	}
	if (e->resources > 0)
		buf_char(b, ']');
	buf_str(b, STR(",\"seq\":"));
	buf_u64(b, e->seq);
	buf_str(b, STR(",\"time\":\""));
	time_text(e->time, time);
	buf_add(b, time, TIME_TEXT);
	buf_str(b, STR("\",\"v\":1}"));
	return good;
}

err
audit_leaf_write(struct buf *b, const struct audit_entry *e)
{
	size_t start = b->n;
	err r = OK;

	if (e->action == AUDIT_NONE || e->action >= AUDIT_MAX_ ||
	    e->outcome > AUDIT_INTENT || e->resources > AUDIT_RESOURCES ||
	    e->seq == 0 || e->seq > LEAF_INT_MAX || e->count > LEAF_INT_MAX)
		return err_of(E_INVALID);
	if (!add_head(b, e, actions[e->action].text, STR_NONE) ||
	    !add_tail(b, e))
		r = err_of(E_INVALID);
	else if (b->failed)
		r = buf_check(b);
	else if (b->n - start > LIM_LEAF)
		r = err_of(E_TOO_LARGE);
	if (!err_ok(r))
		b->n = start;
	return r;
}

bool
leaf_again(struct buf *b, const struct leaf_parts *p)
{
	struct leaf_parts back;
	size_t start = b->n;

	if (p->e.outcome <= AUDIT_INTENT && p->e.resources <= AUDIT_RESOURCES &&
	    add_head(b, &p->e, p->action, p->commitment) &&
	    add_tail(b, &p->e) && !b->failed &&
	    leaf_scan(str_skip(buf_view(b), start), &back))
		return true;
	b->n = start;
	return false;
}

err
audit_leaf_read(struct arena *a, struct str leaf, struct audit_entry *ret)
{
	struct leaf_parts p;
	struct str cm;

	if (leaf.n > LIM_LEAF)
		return err_of(E_CORRUPT);
	leaf = arena_dup(a, leaf);
	TRY(arena_check(a));
	if (!leaf_scan(leaf, &p) || !audit_action_parse(p.action, &p.e.action))
		return err_of(E_CORRUPT);
	if (p.commitment.n > 0) {
		if (!b64_decode(a, p.commitment, &cm))
			return err_of(a->failed ? E_NO_MEMORY : E_CORRUPT);
		p.e.commitment = (const uint8_t *)cm.p;
	}
	*ret = p.e;
	return OK;
}

err
audit_leaf_view(struct str leaf, struct audit_entry *ret,
    struct str *ret_action)
{
	struct leaf_parts p;

	if (leaf.n > LIM_LEAF || !leaf_scan(leaf, &p))
		return err_of(E_CORRUPT);
	p.e.action = AUDIT_NONE;
	p.e.commitment = NULL;
	*ret = p.e;
	*ret_action = p.action;
	return OK;
}
