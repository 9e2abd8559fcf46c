/*
 * shred_note.c: see shred.h: the proof of a destruction.  doc/PROTOCOL.audit
 * has it to the byte.
 */
#include "audit/tree.h"
#include "base/limits.h"
#include "base/rand.h"
#include "base/text.h"
#include "flow/keys.h"
#include "flow/shred.h"
#include "flow/writer.h"
#include "store/retention.h"

err
shred_note_begin(struct shred_note *n, const struct shred_target *of,
    int64_t now, struct arena *a)
{
	*n = (struct shred_note){.of = of, .now = now};
	buf_init_on(&n->ids, a, LIM_DESTRUCTION);
	buf_init_on(&n->keys, a, LIM_DESTRUCTION);
	return arena_check(a);
}

void
shred_note_text(struct shred_note *n, struct str id)
{
	buf_char(&n->ids, n->ids.n == 0 ? '[' : ',');
	buf_char(&n->ids, '"');
	buf_str(&n->ids, id);
	buf_char(&n->ids, '"');
}

void
shred_note_id(struct shred_note *n, const struct uuid *id)
{
	char text[UUID_TEXT + 1];

	uuid_text(id, text);
	shred_note_text(n, str_of(text, UUID_TEXT));
}

static void
note_key(struct shred_note *n, uint32_t id, struct str wrapped)
{
	struct hash h;

	audit_sha256(wrapped, &h);
	buf_char(&n->keys, n->keys.n == 0 ? '[' : ',');
	buf_c(&n->keys, "{\"digest\":\"");
	hex_add(&n->keys, str_of((const char *)h.b, HASH_SIZE));
	buf_c(&n->keys, "\",\"id\":");
	buf_u64(&n->keys, id);
	buf_char(&n->keys, '}');
	n->keys_n++;
}

err
shred_keys(struct lane *l, struct shred_note *n, const uint32_t *id,
    size_t keys, struct arena *a)
{
	uint32_t there[KEYS_KIN];
	struct data_key_row row;
	size_t found = 0;
	err e;

	BUG_ON(keys > KEYS_KIN);
	for (size_t i = 0; i < keys; i++) {
		e = store_data_key_get(l->conn, id[i], a, &row);
		if (err_is(e, E_NOT_FOUND))
			continue;
		TRY(e);
		note_key(n, id[i], row.was_wrapped.bytes);
		there[found++] = id[i];
	}
	return found == 0 ? OK : keys_destroy(l, there, found, a);
}

/* The text that is committed to: members in the order of their names. */
static void
value_of(struct lane *l, const struct shred_note *n, struct buf *b)
{
	const struct shred_target *t = n->of;
	const struct project *p = world_project(l->snap->world, t->project);
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	jw_kstr(&w, "by", str_c(t->by));
	jw_kstr(&w, "class", str_c(retention_class_text(t->class)));
	jw_ki64(&w, "days", t->days);
	if (n->ids.n > 0)
		jw_kraw(&w, "ids", buf_view(&n->ids));
	if (n->keys.n > 0)
		jw_kraw(&w, "keys", buf_view(&n->keys));
	if (p != NULL)
		jw_uuid(&w, "project", &p->o.id);
	jw_ki64(&w, "rows", (int64_t)n->rows);
	jw_time(&w, "time", n->now);
	jw_ki64(&w, "units", (int64_t)n->units);
	jw_ki64(&w, "v", 1);
	jw_obj_end(&w);
}

static err
keep(struct lane *l, const struct shred_note *n, uint64_t seq,
    const uint8_t salt[32], struct str value, struct arena *a)
{
	struct seal_where where = {.table = SEAL_TABLE_DESTRUCTION,
	    .schema = 1};
	struct destruction_row row = {.seq = seq,
	    .time = n->now,
	    .class = (uint8_t)n->of->class,
	    .project = n->of->project,
	    .units = n->units};
	struct buf b;

	buf_init_on(&b, a, LIM_DESTRUCTION + 1024);
	buf_add(&b, salt, 32);
	buf_str(&b, value);
	TRY(buf_check(&b));
	seal_where_num(&where, seq);
	TRY(lane_seal(l, 0, SEAL_CLASS_OBJECT, &where, buf_view(&b), a,
	    &row.sealed));
	return store_destruction_put(l->conn, &row);
}

err
shred_note_end(struct lane *l, struct shred_note *n, struct arena *a,
    struct shredded *io)
{
	static const struct uuid nobody;
	struct ledger *g = writer_ledger(l->writer);
	uint8_t salt[32], commitment[COMMITMENT_SIZE];
	struct record r = {.action = AUDIT_RETENTION_DESTROY,
	    .outcome = AUDIT_OK,
	    .project = n->of->project,
	    .commitment = commitment};
	uint64_t seq = ledger_next(g);
	struct buf value;

	if (n->units == 0 && n->rows == 0 && n->keys_n == 0)
		return OK;
	if (n->ids.n > 0)
		buf_char(&n->ids, ']');
	if (n->keys.n > 0)
		buf_char(&n->keys, ']');
	TRY(buf_check(&n->ids));
	TRY(buf_check(&n->keys));
	buf_init_on(&value, a, LIM_DESTRUCTION);
	value_of(l, n, &value);
	TRY(buf_check(&value));
	rand_bytes(salt, sizeof salt);
	audit_commit(salt, STR("destruction"), buf_view(&value), commitment);
	r.resource[0].type = "retention";
	r.resource[0].ref = str_c(retention_class_text(n->of->class));
	r.resource[1].type = "destroyed";
	r.resource[1].num = n->units;
	r.resources = 2;
	TRY(ledger_event(g, l, a, &r, PRINCIPAL_SYSTEM, &nobody, n->now));
	TRY(keep(l, n, seq, salt, buf_view(&value), a));
	TRY(store_meta_set(l->conn, "retention.unfolded", STR("1")));
	io->units[n->of->class] += n->units;
	io->keys += n->keys_n;
	io->leaves++;
	return OK;
}
