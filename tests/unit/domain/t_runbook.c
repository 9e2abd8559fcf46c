/*
 * Runbooks: one document with everything in it is read as a tree; each line of
 * invalid.tsv breaks it in one place and is refused there.
 *
 * A line: op, JSON pointer, error, place, replacement.  set and raw replace,
 * del drops the member, add adds a member to the object.
 */
#include "runbooks.h"

struct edit {
	struct str op, with;
	const struct json *target;
};

static const struct json *
at_pointer(const struct json *j, struct str pointer)
{
	struct str part;

	pointer = str_skip(pointer, 1);
	while (pointer.n > 0 && j != NULL) {
		(void)str_cut(pointer, '/', &part, &pointer);
		if (j->kind == JSON_OBJECT) {
			j = json_get(j, part);
			continue;
		}
		j = json_first(j);
		for (int i = atoi(part.p); i > 0 && j != NULL; i--)
			j = j->next;
	}
	return j;
}

static void
put(struct jw *w, const struct json *j, const struct edit *e)
{
	bool here = j == e->target;

	if (here && !str_is(e->op, "add")) {
		jw_raw(w, e->with);
		return;
	}
	if (j->kind != JSON_OBJECT && j->kind != JSON_ARRAY) {
		jw_raw(w, j->raw);
		return;
	}
	j->kind == JSON_OBJECT ? jw_obj(w) : jw_arr(w);
	for (const struct json *c = json_first(j); c != NULL; c = c->next) {
		if (c == e->target && str_is(e->op, "del"))
			continue;
		if (j->kind == JSON_OBJECT)
			jw_name(w, c->name);
		put(w, c, e);
	}
	if (here)
		jw_raw_members(w, e->with);
	j->kind == JSON_OBJECT ? jw_obj_end(w) : jw_arr_end(w);
}

/* Is what the trail names the place? */
static bool
names(const struct trail *t, struct str place)
{
	struct str said = str_c(t->detail), cut;

	if (place.n > 120) /* long ones lose their beginning */
		place = str_skip(place, place.n - 120);
	if (str_starts(said, STR("..")))
		said = str_skip(said, 2);
	return str_starts(said, place) &&
	    (str_cut(str_skip(said, place.n), ' ', &cut, &cut) ||
		place.n == 0) &&
	    (said.p[place.n] == ':' || place.p[place.n - 1] == '[');
}

static void
refused(const struct json *good, struct str line)
{
	struct str col[5], rest = line;
	struct trail t = {0};
	const struct runbook *rb = NULL;
	struct edit e;
	struct arena a;
	struct buf b;
	struct jw w;
	err got;

	for (size_t i = 0; i < 5; i++)
		(void)str_cut(rest, '\t', &col[i], &rest);
	e = (struct edit){col[0], col[4], at_pointer(good, col[1])};
	if (e.target == NULL) {
		T_FAIL("no such place: %.*s", STR_ARG(col[1]));
		return;
	}
	arena_init(&a, LIM_ARENA);
	buf_init_on(&b, &a, LIM_BODY);
	jw_init(&w, &b);
	put(&w, good, &e);
	got = runbook_parse(json_of(&a, buf_view(&b)), &a, &t, &rb);
	if (!str_is(col[2], err_name(got)) || !names(&t, col[3]))
		T_FAIL("%.*s: %s \"%s\"", (int)(line.n < 160 ? line.n : 160),
		    line.p, err_name(got), t.detail);
	arena_done(&a);
}

TEST(invalid)
{
	struct arena a;
	const struct json *good;
	struct str all, line;
	size_t n = 0;

	arena_init(&a, 16 << 20);
	good = json_of(&a, file_of(&a, "tests/vectors/runbook/valid.json"));
	all = file_of(&a, "tests/vectors/runbook/invalid.tsv");
	while (str_cut(all, '\n', &line, &all)) {
		refused(good, line);
		n++;
	}
	T_OK(n >= 500);
	arena_done(&a);
}

TEST(tree)
{
	struct arena a;
	const struct runbook *rb;
	const struct step *s;

	arena_init(&a, 4 << 20);
	rb = sample(&a);
	T_REQUIRE(rb != NULL);
	T_EQ_STR(rb->slug, STR("restart-web"));
	T_EQ_INT(rb->approvals, 2);
	T_EQ_INT(rb->limit, 1);
	T_EQ_INT(rb->main.n, 7);
	T_EQ_INT(rb->steps_n, 13);
	for (size_t i = 0; i < rb->steps_n; i++) {
		T_EQ_INT(rb->steps[i]->index, i);
		T_OK(runbook_step(rb, rb->steps[i]->id) == rb->steps[i]);
	}
	s = runbook_step(rb, STR("restart"));
	T_REQUIRE(s != NULL);
	T_EQ_STR(s->script.interpreter, STR("bash"));
	T_EQ_INT(s->script.args_n, 6);
	T_EQ_INT(s->script.secrets[1].version, 3);
	T_EQ_STR(s->script.secrets[1].name, STR("db_password"));
	T_EQ_INT(s->retry.times, 2);
	T_EQ_INT(s->on_failure, FAILURE_UNDO);
	T_EQ_INT(s->undo.n, 1);
	T_OK(s->undo.steps[0]->in_undo && s->undo.steps[0]->parent == s->index);
	T_EQ_STR(s->undo.steps[0]->path, STR("steps[1].undo[0]"));
	s = runbook_step(rb, STR("right"));
	T_EQ_STR(s->path, STR("steps[5].branches[1][0]"));
	T_EQ_STR(rb->steps[s->parent]->id, STR("both"));
	T_OK(!rb->steps[s->parent]->parallel.fail_first);
	s = runbook_step(rb, STR("choose"));
	T_EQ_INT(s->condition.then.n + s->condition.otherwise.n, 2);
	T_OK(runbook_step(rb, STR("nobody")) == NULL);
	arena_done(&a);
}

/* No document takes memory without bound, however it nests. */
TEST(memory)
{
	struct arena a;
	struct trail t = {0};
	const struct runbook *rb;
	const struct json *j;

	arena_init(&a, 4 << 20);
	j = json_of(&a, file_of(&a, "tests/vectors/runbook/valid.json"));
	for (size_t max = 4096; max < 200000; max += 4096) {
		struct arena small;
		err e;

		arena_init(&small, max);
		e = runbook_parse(j, &small, &t, &rb);
		T_OK(err_ok(e) || err_is(e, E_NO_MEMORY));
		arena_done(&small);
	}
	arena_done(&a);
}

TEST(slugs)
{
	T_OK(runbook_slug_valid(STR("a-b")) && runbook_slug_valid(STR("9a")));
	T_OK(!runbook_slug_valid(STR("a")) && !runbook_slug_valid(STR("")));
	T_OK(!runbook_slug_valid(STR("-a")) && !runbook_slug_valid(STR("a.b")));
	T_OK(!runbook_slug_valid(STR("0198c0de-0000-7000-8000-000000000002")));
}

T_MAIN
