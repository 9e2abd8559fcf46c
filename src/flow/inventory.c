/*
 * inventory.c: GET /v1/policy/crypto: which algorithms and keys are in use,
 * how old the keys are, and how much they have sealed of what they may.
 */
#include "base/limits.h"
#include "flow/call.h"
#include "flow/handlers.h"
#include "flow/key_care.h"
#include "flow/keys.h"
#include "flow/rotate.h"
#include "flow/writer.h"
#include "store/key_use.h"
#include "wire/suites.h"

static void
algorithms_json(struct jw *w)
{
	static const struct {
		const char *name, *parameters, *standard, *use;
	} row[] = {
#define CRYPTO(name, parameters, standard, use)                                \
	{name, parameters, standard, use},
#include "flow/crypto.def"
	};

	jw_karr(w, "algorithms");
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		jw_obj(w);
		jw_kstr(w, "name", str_c(row[i].name));
		jw_kstr(w, "parameters", str_c(row[i].parameters));
		jw_kstr(w, "standard", str_c(row[i].standard));
		jw_kstr(w, "use", str_c(row[i].use));
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void
words_json(struct jw *w, const char *name, struct str list)
{
	struct str word, rest;

	jw_name(w, str_c(name));
	jw_arr(w);
	while (list.n > 0) {
		if (!str_cut(list, ':', &word, &rest)) {
			word = list;
			rest = STR("");
		}
		jw_str(w, word);
		list = rest;
	}
	jw_arr_end(w);
}

static void
tls_json(struct jw *w)
{
	jw_kobj(w, "tls");
	words_json(w, "versions", STR(WIRE_TLS_VERSION));
	words_json(w, "suites", STR(WIRE_TLS_SUITES));
	words_json(w, "groups", STR(WIRE_TLS_GROUPS));
	jw_kstr(w, "library", str_c(tls_library()));
	jw_obj_end(w);
}

static void
limits_json(struct jw *w, const struct policy *p)
{
	jw_kobj(w, "limits");
	jw_ki64(w, "seals", (int64_t)LIM_KEY_MI_SEALS << 20);
	jw_ki64(w, "bytes", (int64_t)LIM_KEY_GIB << 30);
	jw_ki64(w, "term_days", p->key_days);
	jw_ki64(w, "term_seals", p->key_seals);
	jw_ki64(w, "term_bytes", (int64_t)LIM_KEY_TERM_GIB << 30);
	jw_obj_end(w);
}

/* ---- keys ---- */

/* Of the keys of one class that seal, or make MACs, today. */
struct in_use {
	uint64_t keys;
	int64_t since; /* of the oldest; 0: none */
	struct amount most;
};

static err
look_at(struct lane *l, const struct class_key *k, struct in_use *u)
{
	struct key_use_row row;
	struct amount used;
	err e = store_key_use_get(l->conn, k->id, &row);

	u->keys++;
	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	if (u->since == 0 || row.since < u->since)
		u->since = row.since;
	if (!meters_used(l->state->meters, k->id, &used))
		return OK;
	if (used.seals > u->most.seals)
		u->most.seals = used.seals;
	if (used.bytes > u->most.bytes)
		u->most.bytes = used.bytes;
	return OK;
}

static err
look(struct lane *l, struct in_use use[KEY_COUNTS])
{
	const struct snap *s = l->snap;

	for (size_t i = 0; i < s->class_keys_n; i++) {
		const struct class_key *k = &s->class_keys[i];

		if ((unsigned)k->class < KEY_COUNTS &&
		    snap_class_key(s, k->project, k->class) == k->id)
			TRY(look_at(l, k, &use[k->class]));
	}
	return OK;
}

static void
class_json(struct jw *w, unsigned class, const struct key_counts *n,
    const struct in_use *u)
{
	bool seals = keys_seal((enum seal_class) class);

	jw_obj(w);
	jw_kstr(w, "class", str_c(rotate_class_name(class)));
	jw_kstr(w, "kind", str_c(seals ? "seal" : "mac"));
	jw_ki64(w, "keys", (int64_t)n->keys[class]);
	jw_ki64(w, "old", (int64_t)n->old[class]);
	jw_ki64(w, "in_use", (int64_t)u->keys);
	jw_time(w, "oldest_at", u->since);
	if (seals && u->keys > 0) {
		jw_ki64(w, "seals", (int64_t)u->most.seals);
		jw_ki64(w, "bytes", (int64_t)u->most.bytes);
	}
	jw_obj_end(w);
}

static err
data_keys_json(struct lane *l, struct jw *w)
{
	struct in_use use[KEY_COUNTS] = {{0}};
	struct key_counts n;

	TRY(rotate_count(l, &n));
	TRY(look(l, use));
	jw_karr(w, "data_keys");
	for (unsigned i = 0; i < KEY_COUNTS; i++)
		if (n.keys[i] > 0)
			class_json(w, i, &n, &use[i]);
	jw_arr_end(w);
	jw_kbool(w, "exact", n.exact);
	return OK;
}

static err
project_keys_json(struct call *c, struct jw *w)
{
	struct project_key_row *row;
	int64_t oldest = 0;
	size_t n;

	TRY(store_project_keys(c->lane->conn, c->a, &row, &n));
	for (size_t i = 0; i < n; i++)
		if (oldest == 0 || row[i].created < oldest)
			oldest = row[i].created;
	jw_kobj(w, "project_keys");
	jw_ki64(w, "keys", (int64_t)n);
	jw_time(w, "oldest_at", oldest);
	jw_obj_end(w);
	return OK;
}

/* What opened the root key file when the server started. */
static void
sources_json(const struct state *st, struct jw *w)
{
	struct str rest = st->root_sources, one;

	jw_karr(w, "root_sources");
	while (rest.n > 0) {
		(void)str_cut(rest, ' ', &one, &rest);
		jw_str(w, one);
	}
	jw_arr_end(w);
}

static err
ask_last(struct lane *l, void *arg)
{
	return keeper_last(writer_keeper(l->writer), arg);
}

err
route_crypto_get(struct call *c)
{
	struct keeper_last last;
	struct jw *w;

	TRY(writer_do(c->lane->state->writer, ask_last, &last));
	w = answer(c, 200);
	jw_obj(w);
	algorithms_json(w);
	tls_json(w);
	rotate_roots(&last, w);
	sources_json(c->lane->state, w);
	TRY(project_keys_json(c, w));
	TRY(data_keys_json(c->lane, w));
	limits_json(w, world_policy(call_world(c)));
	TRY(rotate_work(c->lane, w));
	jw_obj_end(w);
	return buf_check(&c->out);
}
