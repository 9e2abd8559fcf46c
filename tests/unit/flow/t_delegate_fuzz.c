/*
 * t_delegate_fuzz.c: a delegate that was taken over sends 1,000,000 messages
 * to the handlers that listen to delegates: good ones with some of their
 * bytes changed, cut, doubled, numbers and ids replaced by others.  All the
 * while the tasks of another delegate stay exactly as they are, nothing is
 * answered that is no answer, and no error is the server's own.
 *
 * The whole line of such a request but the wire: JSON, shape, handler, in the
 * writer and its transaction, which is undone at the end of each batch.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "flow/task_job.h"
#include "tests/unit/flow/office.h"

enum { MESSAGES = 1000000, BATCH = 20000, TASKS = 6 };

static uint64_t rng = 88172645463325252ULL;

static uint32_t
dice(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 16) % n;
}

static const struct uuid evil_id = {{0xe1}}, victim_id = {{0x71}},
			 run_id = {{0xaa}};

struct fuzz {
	struct office *o;
	struct uuid task[TASKS]; /* even: the victim's; odd: its own */
	struct arena a, big;
	size_t sent, ok, refused, bad;
	bool touched; /* the victim's */
	err worst;
};

static const struct {
	const char *route, *body;
	bool task;
} seeds[] = {
    {"delegate_lease",
	"{\"capacity\":4,\"running\":[{\"task\":\"@0\",\"fence\":1},"
	"{\"task\":\"@1\",\"fence\":1}],\"wait_ms\":0,"
	"\"checkpoint_size\":0}",
	false},
    {"task_start", "{\"fence\":1}", true},
    {"task_log", "{\"fence\":1,\"data\":\"aGVsbG8=\"}", true},
    {"task_result",
	"{\"fence\":1,\"outcome\":\"succeeded\",\"code\":\"x\",\"exit\":0,"
	"\"outputs\":{\"a\":1},\"log_bytes\":5,\"log_sha256\":\"00\","
	"\"sig\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\"}",
	true},
    {"delegate_renew",
	"{\"ed25519\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\","
	"\"proof\":\"AAAA\"}",
	false},
    {"delegate_join",
	"{\"ed25519\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\","
	"\"x25519\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\","
	"\"version\":\"1\",\"host\":\"h\",\"doctor\":{\"a\":[1,2]},"
	"\"proof\":\"AAAA\"}",
	false},
    {"delegate_witness",
	"{\"checkpoint\":\"x/1\\n1\\nAAAA\\n\\n\\u2014 x AAAA\\n\"}", false},
};

enum { SEEDS = sizeof seeds / sizeof *seeds };

/* ---- making messages ---- */

static struct str
with_ids(struct fuzz *f, const char *text, struct arena *a)
{
	struct buf b;

	buf_init_on(&b, a, 8192);
	for (; *text != '\0'; text++) {
		char id[UUID_TEXT + 1];

		if (*text != '@') {
			buf_char(&b, *text);
			continue;
		}
		text++;
		uuid_text(&f->task[dice(TASKS)], id);
		buf_str(&b, str_of(id, UUID_TEXT));
	}
	return buf_view(&b);
}

static const char *const pieces[] = {"-1", "0", "1", "2", "9223372036854775807",
    "9223372036854775808", "1e400", "null", "true", "\"\"", "[]", "{}",
    "{\"task\":1}", "../../x", "\\u0000", "\\ud800", "\xff\xfe", "%2e%2e",
    "\"fence\"", ",", ":", "[[[[[[[[", "succeeded"};

static struct str
mutated(struct str s, struct arena *a)
{
	char *p = arena_raw(a, s.n + 4096);
	size_t n = s.n;

	BUG_ON(p == NULL);
	memcpy(p, s.p, n);
	for (uint32_t k = dice(4); k > 0 && n > 0; k--) {
		const char *piece =
		    pieces[dice(sizeof pieces / sizeof *pieces)];
		size_t at = dice((uint32_t)n), m = strlen(piece), len;

		switch (dice(6)) {
		case 0:
			p[at] = (char)dice(256);
			break;
		case 1: /* cut */
			len = dice((uint32_t)(n - at)) + 1;
			memmove(p + at, p + at + len, n - at - len);
			n -= len;
			break;
		case 2: /* double */
			len = dice((uint32_t)(n - at)) + 1;
			if (n + len <= s.n + 4000) {
				memmove(p + at + len, p + at, n - at);
				n += len;
			}
			break;
		case 3: /* insert */
			if (n + m <= s.n + 4000) {
				memmove(p + at + m, p + at, n - at);
				memcpy(p + at, piece, m);
				n += m;
			}
			break;
		case 4: /* overwrite */
			len = m < n - at ? m : n - at;
			memcpy(p + at, piece, len);
			break;
		default: /* a digit another */
			if (p[at] >= '0' && p[at] <= '9')
				p[at] = (char)('0' + dice(10));
			break;
		}
	}
	return str_of(p, n);
}

/* ---- one message ---- */

static err
handled(struct call *c, struct str body)
{
	static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
	    LIM_JSON_VALUES};

	TRY(json_parse(c->a, body, &lim, &c->trail, &c->body));
	TRY(shape_body(c->route->schema, c->route->set, c->body, &c->trail));
	return c->route->handle(c);
}

static void
send_one(struct lane *l, struct fuzz *f)
{
	static struct http_request req;
	static struct header bearer = {{"authorization", 13},
	    {"Bearer rdd_x", 12}};
	struct call *c = ARENA_NEW(&f->a, struct call);
	struct actor *who = ARENA_NEW(&f->a, struct actor);
	size_t i = dice(SEEDS);
	char id[UUID_TEXT + 1];
	err e;

	req.headers = &bearer;
	req.headers_n = 1;
	*who = (struct actor){.kind = PRINCIPAL_DELEGATE,
	    .id = evil_id,
	    .world = l->snap->world};
	*c = (struct call){.lane = l,
	    .a = &f->a,
	    .now = f->o->now,
	    .req = &req,
	    .actor = who,
	    .route = office_route(seeds[i].route),
	    .project = world_project_slug(l->snap->world, STR("alpha"))};
	buf_init_on(&c->out, &f->a, LIM_REPLY);
	uuid_text(&f->task[dice(TASKS)], id);
	c->var[0] = dice(20) == 0 ? mutated(str_of(id, UUID_TEXT), &f->a)
				  : str_of(id, UUID_TEXT);
	c->query.raw[PARAM_OFFSET] =
	    dice(8) == 0 ? mutated(STR("0"), &f->a) : STR("0");
	e = handled(c, mutated(with_ids(f, seeds[i].body, &f->a), &f->a));
	f->sent++;
	if (err_ok(e))
		f->ok++;
	else
		f->refused++;
	/* what a message can cause; E_PEER: what our stamp is not */
	if (err_status(e) >= 500 && !err_is(e, E_PEER)) {
		f->bad++;
		f->worst = e;
	}
	if (err_ok(e) && c->status != 200 && c->status != 201 &&
	    c->status != 204)
		f->bad++;
}

static void
look_at_victim(struct lane *l, struct fuzz *f)
{
	for (size_t i = 0; i < TASKS; i += 2) {
		struct task_row r;
		uint64_t fence = 1;

		arena_reset(&f->big);
		if (!err_ok(
			store_task_get(l->conn, &f->task[i], &f->big, &r)) ||
		    !uuid_eq(&r.delegate, &victim_id) || r.fence != fence ||
		    r.state != TASK_LEASED ||
		    r.until != f->o->now + LIM_LEASE_MS || r.cancel)
			f->touched = true;
	}
}

static err
batch(struct lane *l, void *arg)
{
	struct fuzz *f = arg;

	for (size_t i = 0; i < BATCH; i++) {
		arena_reset(&f->a);
		send_one(l, f);
		if (i % 500 == 0)
			look_at_victim(l, f);
	}
	look_at_victim(l, f);
	return err_of(E_CONFLICT); /* undone: the next one begins anew */
}

/* ---- the place ---- */

static err
set_up(struct lane *l, void *arg)
{
	struct fuzz *f = arg;
	struct task_new t = {.project = 1,
	    .run = run_id,
	    .step = STR("s"),
	    .attempt = 1,
	    .values = STR("{}"),
	    .labels = STR("{\"site\":\"nowhere\"}")};

	for (size_t i = 0; i < TASKS; i++) {
		struct task_row r;

		TRY(task_offer(l, &t, f->o->now, &f->task[i]));
		TRY(store_task_get(l->conn, &f->task[i], &f->o->a, &r));
		r.state = TASK_LEASED;
		r.fence = 1;
		r.delegate = i % 2 == 0 ? victim_id : evil_id;
		r.until = f->o->now + LIM_LEASE_MS;
		TRY(store_task_update(l->conn, &r));
	}
	return OK;
}

static err
make_delegates(struct lane *l, void *arg)
{
	struct fuzz *f = arg;
	struct delegate d = {.o = {.kind = OBJECT_DELEGATE,
				 .project = 1,
				 .version = 1,
				 .created = 1,
				 .updated = 1},
	    .labels = STR("{\"site\":\"fra\"}"),
	    .max_tasks = 16,
	    .state = DELEGATE_APPROVED,
	    .epoch = 1,
	    .joined = 1,
	    .join_used = true};
	struct call c = {.lane = l, .a = &f->o->a, .now = f->o->now};

	d.o.id = evil_id;
	d.name = STR("evil");
	TRY(admin_put(&c, &d.o));
	d.o.id = victim_id;
	d.name = STR("victim");
	return admin_put(&c, &d.o);
}

TEST(L12_a_million_messages_of_a_hostile_delegate)
{
	size_t messages = getenv("REDOUBT_FUZZ_MESSAGES") == NULL
	    ? MESSAGES
	    : (size_t)atol(getenv("REDOUBT_FUZZ_MESSAGES"));
	struct office o;
	struct fuzz f = {.worst = OK};

	office_open(&o);
	f.o = &o;
	arena_init(&f.a, 16 << 20);
	arena_init(&f.big, 1 << 20);
	T_GOOD(writer_do(o.w, make_delegates, &f));
	T_GOOD(writer_do(o.w, set_up, &f));
	while (f.sent < messages && !f.touched && f.bad == 0)
		T_ERR(writer_do(o.w, batch, &f), E_CONFLICT);
	printf("# %zu messages: %zu taken, %zu refused\n", f.sent, f.ok,
	    f.refused);
	T_OK(!f.touched);
	T_EQ_INT(f.bad, 0);
	T_GOOD(f.worst);
	T_OK(f.ok > f.sent / 100); /* it is no wall that was tested */
	T_OK(f.refused > f.sent / 4);
	arena_done(&f.a);
	arena_done(&f.big);
	office_close(&o);
}

T_MAIN
