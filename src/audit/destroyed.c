/* destroyed.c: see destroyed.h. */
#include "audit/destroyed.h"

#include <stdarg.h>
#include <stdio.h>

#include "audit/leaf.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

enum { SALT = 32, LEAF_ARENA = 1024 * 1024 };

struct row {
	uint64_t seq;
	struct str salt, value;
};

struct checking {
	struct row *row;
	size_t n, at; /* at: the next row whose entry was not met */
	struct destroyed_verdict *v;
};

static err bad(struct checking *c, uint64_t seq, const char *fmt, ...)
    PRINTF(3, 4);

static err
bad(struct checking *c, uint64_t seq, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(c->v->what, sizeof c->v->what, fmt, ap);
	va_end(ap);
	c->v->bad_seq = seq;
	return err_of(E_BAD_ANSWER);
}

/* ---- the report ---- */

static err
row_of(struct arena *a, const struct json *j, struct row *ret)
{
	struct str salt = json_str_at(j, STR("salt"));
	int64_t seq;

	if (!json_i64(json_get(j, STR("seq")), 1, INT64_MAX, &seq) ||
	    !json_str(json_get(j, STR("value")), &ret->value) ||
	    !b64_decode(a, salt, &ret->salt) || ret->salt.n != SALT)
		return err_of(E_CORRUPT);
	ret->seq = (uint64_t)seq;
	return OK;
}

static err
rows_of(struct arena *a, struct str report, struct checking *c)
{
	static const struct json_limits limits = {.depth = 8,
	    .members = 64,
	    .values = 16 * 1024 * 1024};
	const struct json *j;

	TRY(json_parse(a, report, &limits, NULL, &j));
	j = json_get(j, STR("items"));
	if (j == NULL || j->kind != JSON_ARRAY)
		return err_of(E_CORRUPT);
	c->row = arena_array(a, j->count + 1, sizeof *c->row);
	TRY(arena_check(a));
	for (j = json_first(j); j != NULL; j = j->next) {
		TRY(row_of(a, j, &c->row[c->n]));
		if (c->n > 0 && c->row[c->n].seq <= c->row[c->n - 1].seq)
			return bad(c, c->row[c->n].seq,
			    "the rows are not in order");
		c->n++;
	}
	c->v->rows = c->n;
	return arena_check(a);
}

/* ---- the log ---- */

static err
compare(struct checking *c, const struct row *r, const struct audit_entry *e)
{
	uint8_t want[COMMITMENT_SIZE];
	bool same;

	audit_commit((const uint8_t *)r->salt.p, STR("destruction"), r->value,
	    want);
	same = e->commitment != NULL &&
	    memcmp(e->commitment, want, sizeof want) == 0; /* public: a leaf */
	if (!same)
		return bad(c, r->seq,
		    "the log's entry does not commit to what the row says");
	c->v->bound++;
	return OK;
}

static err
entry(struct checking *c, struct arena *a, struct str line)
{
	struct audit_entry e;

	arena_reset(a);
	TRY(audit_leaf_read(a, line, &e));
	if (e.action != AUDIT_RETENTION_DESTROY)
		return OK;
	if (c->at < c->n && c->row[c->at].seq < e.seq)
		return bad(c, c->row[c->at].seq,
		    "the export has no such entry of a destruction");
	if (c->at == c->n || c->row[c->at].seq > e.seq) {
		c->v->others++;
		return OK;
	}
	return compare(c, &c->row[c->at++], &e);
}

static err
entries(struct checking *c, struct str log)
{
	static const struct str mark = {"{\"action\":\"retention.destroy\",",
	    30};
	struct arena a;
	struct str line;
	err e = OK;

	arena_init(&a, LEAF_ARENA);
	while (err_ok(e) && log.n > 0) {
		if (!str_cut(log, '\n', &line, &log)) {
			line = log;
			log.n = 0;
		}
		if (str_starts(line, mark))
			e = entry(c, &a, line);
	}
	arena_done(&a);
	return e;
}

err
audit_destroyed(struct arena *a, struct str report, struct str log,
    struct destroyed_verdict *ret)
{
	struct checking c = {.v = ret};

	*ret = (struct destroyed_verdict){.rows = 0};
	TRY(rows_of(a, report, &c));
	TRY(entries(&c, log));
	if (c.at < c.n)
		return bad(&c, c.row[c.at].seq,
		    "the export has no such entry of a destruction");
	return OK;
}
