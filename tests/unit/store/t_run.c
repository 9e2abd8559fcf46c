/* t_run.c: runs, what happened, what triggers have done. */
#include "store/conn.h"
#include "store/run.h"
#include "tests/unit/store/fake.h"

static struct store *s;
static struct store_conn *w;
static struct arena a;

static bool
begin(void)
{
	arena_init(&a, 16 << 20);
	s = fake_open(fake_dir(), STORE_CREATE);
	if (s == NULL)
		return false;
	w = store_writer(s);
	T_GOOD(store_begin(w));
	return true;
}

static void
end(void)
{
	T_GOOD(store_commit(w));
	s = store_close(s);
	arena_done(&a);
}

static struct run_row
row_of(uint64_t i)
{
	return (struct run_row){.seq = i,
	    .id = fake_uuid(1, i),
	    .project = 1 + (i % 2),
	    .runbook = fake_uuid(2, i % 3),
	    .number = 4,
	    .cause = fake_uuid(3, 1),
	    .incident = i % 4 == 0 ? 9 : 0,
	    .alert = fake_uuid(4, i),
	    .requester_kind = 1,
	    .requester = fake_uuid(5, i),
	    .state = (uint8_t)(i % 3),
	    .depth = 2,
	    .version = 1,
	    .created = 10,
	    .started = 11,
	    .ended = 0,
	    .due = (int64_t)(i % 5) * 100,
	    .sealed = fake_sealed("blob")};
}

TEST(a_run_is_what_was_put)
{
	struct run_row r, got;
	struct uuid none = fake_uuid(1, 99);
	uint64_t n;

	T_REQUIRE(begin());
	r = row_of(1);
	r.keyed = true;
	memcpy(r.key, "0123456789abcdef", BLIND_SIZE);
	T_GOOD(store_run_insert(w, &r));
	T_GOOD(store_run_by_id(w, &r.id, &a, &got));
	T_EQ_STR(got.stored.bytes, STR("blob"));
	got.stored.bytes = STR_NONE;
	got.sealed = r.sealed;
	T_EQ_INT(got.seq, 1);
	T_EQ_INT(got.project, 2);
	T_EQ_INT(got.number, 4);
	T_EQ_MEM(&got.runbook, &r.runbook, 16);
	T_EQ_MEM(&got.cause, &r.cause, 16);
	T_EQ_MEM(&got.alert, &r.alert, 16);
	T_EQ_MEM(&got.requester, &r.requester, 16);
	T_EQ_INT(got.depth, 2);
	T_EQ_INT(got.due, 100);
	T_OK(got.keyed);
	T_GOOD(store_run_by_key(w, r.key, &a, &got));
	T_EQ_MEM(&got.id, &r.id, 16);
	T_ERR(store_run_by_id(w, &none, &a, &got), E_NOT_FOUND);
	r.state = 3;
	r.version = 2;
	r.ended = 77;
	r.due = 0;
	r.sealed = fake_sealed("other");
	T_GOOD(store_run_update(w, &r));
	T_GOOD(store_run_by_id(w, &r.id, &a, &got));
	T_EQ_STR(got.stored.bytes, STR("other"));
	T_EQ_INT(got.state, 3);
	T_EQ_INT(got.version, 2);
	T_EQ_INT(got.ended, 77);
	T_EQ_INT(got.due, 0);
	T_GOOD(store_run_last(w, &n));
	T_EQ_INT(n, 1);
	end();
}

TEST(runs_are_found_by_what_is_asked)
{
	struct run_filter f = {.project = 1};
	struct uuid id[64], rb = fake_uuid(2, 0);
	struct run_row *r;
	uint64_t count, seq;
	int64_t due;
	size_t n;

	T_REQUIRE(begin());
	for (uint64_t i = 1; i <= 60; i++) {
		struct run_row x = row_of(i);

		T_GOOD(store_run_insert(w, &x));
	}
	T_GOOD(store_run_list(w, &f, 100, &a, &r, &n));
	T_EQ_INT(n, 30);
	T_EQ_INT(r[0].seq, 60);
	f.before = 60;
	T_GOOD(store_run_list(w, &f, 2, &a, &r, &n));
	T_EQ_INT(n, 2);
	T_EQ_INT(r[1].seq, 56);
	f = (struct run_filter){.project = 1, .incident = 9};
	T_GOOD(store_run_list(w, &f, 100, &a, &r, &n));
	T_EQ_INT(n, 15);
	T_GOOD(store_run_count(w, &rb, 0, &count));
	T_EQ_INT(count, 20);
	T_GOOD(store_run_count(w, &rb, 1, &count));
	T_EQ_INT(count, 0);
	T_GOOD(store_run_first(w, &rb, 0, &id[0]));
	rb = fake_uuid(1, 3);
	T_EQ_MEM(&id[0], &rb, 16);
	T_GOOD(store_run_due(w, 100, id, 64, &n));
	T_EQ_INT(n, 12);
	T_GOOD(store_run_due(w, 400, id, 5, &n));
	T_EQ_INT(n, 5);
	T_GOOD(store_run_next_due(w, &due));
	T_EQ_INT(due, 100);
	T_GOOD(store_run_in_state(w, 1, 0, 0, id, 4, &n, &seq));
	T_EQ_INT(n, 4);
	T_EQ_INT(seq, 24);
	T_GOOD(store_run_in_state(w, 1, 0, seq, id, 64, &n, &seq));
	T_EQ_INT(n, 6);
	end();
}

TEST(what_happened_comes_in_order)
{
	struct happening_row h = {.project = 3, .sealed = fake_sealed("h")};
	uint64_t last;
	int64_t due;

	T_REQUIRE(begin());
	T_ERR(store_happening_due(w, 100, &a, &h), E_NOT_FOUND);
	for (uint64_t i = 1; i <= 3; i++) {
		h.seq = i;
		h.due = i == 1 ? 500 : 50;
		T_GOOD(store_happening_add(w, &h));
	}
	T_GOOD(store_happening_last(w, &last));
	T_EQ_INT(last, 3);
	T_GOOD(store_run_next_due(w, &due));
	T_EQ_INT(due, 50);
	T_GOOD(store_happening_due(w, 100, &a, &h));
	T_EQ_INT(h.seq, 2);
	T_EQ_INT(h.project, 3);
	T_GOOD(store_happening_delete(w, 2));
	T_GOOD(store_happening_delete(w, 3));
	T_ERR(store_happening_due(w, 499, &a, &h), E_NOT_FOUND);
	T_GOOD(store_happening_due(w, 500, &a, &h));
	T_EQ_INT(h.seq, 1);
	end();
}

TEST(triggers_remember)
{
	struct trigger_row t = {.trigger = fake_uuid(7, 1),
			       .due = 30,
			       .last_fired = 2,
			       .window = 3,
			       .fired = 4,
			       .last_refused = 5,
			       .refused = 6,
			       .reason = 7},
			   got;
	struct uuid id[2];
	size_t n;

	T_REQUIRE(begin());
	T_ERR(store_trigger_get(w, &t.trigger, &got), E_NOT_FOUND);
	T_GOOD(store_trigger_put(w, &t));
	T_GOOD(store_trigger_get(w, &t.trigger, &got));
	T_EQ_MEM(&got.trigger, &t.trigger, sizeof t.trigger);
	T_EQ_INT(got.due, 30);
	T_EQ_INT(got.last_fired, 2);
	T_EQ_INT(got.window, 3);
	T_EQ_INT(got.fired, 4);
	T_EQ_INT(got.last_refused, 5);
	T_EQ_INT(got.refused, 6);
	T_EQ_INT(got.reason, 7);
	T_GOOD(store_trigger_due(w, 29, id, 2, &n));
	T_EQ_INT(n, 0);
	T_GOOD(store_trigger_due(w, 30, id, 2, &n));
	T_EQ_INT(n, 1);
	T_GOOD(store_trigger_delete(w, &t.trigger));
	T_ERR(store_trigger_get(w, &t.trigger, &got), E_NOT_FOUND);
	end();
}

T_MAIN
