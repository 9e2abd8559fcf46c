/*
 * t_list.c: lists against a naive model in memory: random incidents, alerts,
 * filters, sort orders, page sizes, with a clock that runs back, private
 * incidents and members, and rows that change in between.
 */
#include "tests/unit/store/fake.h"

enum { N = 700, PROJECTS = 3, SUBJECTS = 6, VALUES = 4, ROUNDS = 1500 };

static struct incident_row inc[N + 1];	    /* by seq */
static uint8_t service[N + 1], type[N + 1]; /* 0 = none, else value */
static uint8_t member[N + 1];		    /* bit per subject */
static struct alert_row alert[N + 1];
static struct subject subject[SUBJECTS];
static uint8_t value[VALUES][BLIND_SIZE];
static struct store *s;
static struct store_conn *w;
static struct arena a;

/* ---- the model ---- */

static bool
bit(uint32_t bits, uint8_t v)
{
	return bits == 0 || (bits >> v & 1) != 0;
}

static unsigned
as_bits(const struct subject *as, size_t n)
{
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++)
		bits |= 1u << (as[i].id.b[7]);
	return bits;
}

static int
order(const struct incident_filter *f, uint8_t s1, uint64_t n1, uint8_t s2,
    uint64_t n2)
{
	if (f->sort == SORT_WORST && s1 != s2)
		return s1 < s2 ? -1 : 1;
	if (f->sort == SORT_MILDEST && s1 != s2)
		return s1 > s2 ? -1 : 1;
	if (f->sort == SORT_OLDEST)
		return n1 < n2 ? -1 : n1 > n2;
	return n1 > n2 ? -1 : n1 < n2;
}

static bool
wanted(const struct incident_filter *f, uint64_t i)
{
	const struct incident_row *r = &inc[i];

	return r->project == f->project && bit(f->statuses, r->status) &&
	    bit(f->severities, r->severity) &&
	    (f->service == NULL ||
		(service[i] != 0 && f->service == value[service[i] - 1])) &&
	    (f->type == NULL ||
		(type[i] != 0 && f->type == value[type[i] - 1])) &&
	    (f->from == 0 || r->created >= f->from) &&
	    (f->to == 0 || r->created < f->to) &&
	    (r->private == 0 || (member[i] & as_bits(f->as, f->as_n)) != 0);
}

static size_t
model(const struct incident_filter *f, size_t max, uint64_t *ret)
{
	size_t n = 0;

	for (uint64_t i = 1; i <= N; i++) {
		size_t at = n;

		if (!wanted(f, i) ||
		    (f->after_number != 0 &&
			order(f, f->after_severity, f->after_number,
			    inc[i].severity, inc[i].number) >= 0))
			continue;
		while (at > 0 &&
		    order(f, inc[i].severity, inc[i].number,
			inc[ret[at - 1]].severity,
			inc[ret[at - 1]].number) < 0) {
			ret[at] = ret[at - 1];
			at--;
		}
		ret[at] = i;
		n++;
	}
	return n < max ? n : max;
}

/* ---- filling ---- */

static int64_t
tick(void)
{
	static int64_t now = 1000000;

	now += 1 + fake_rand(50);
	/* the clock is set back now and then, once by much */
	if (fake_rand(100) == 0)
		return now - 400;
	return fake_rand(300) == 0 ? now - 5000 : now;
}

static void
add_incident(uint64_t i, uint64_t number[PROJECTS])
{
	struct incident_row *r = &inc[i];
	struct subject m[SUBJECTS];
	size_t n = 0;

	*r = (struct incident_row){.seq = i,
	    .id = {fake_uuid(1, i)},
	    .project = 1 + fake_rand(PROJECTS),
	    .severity = (uint8_t)fake_rand(5),
	    .status = (uint8_t)fake_rand(9),
	    .private = fake_rand(4) == 0,
	    .version = 1,
	    .created = tick(),
	    .sealed = fake_sealed("incident")};
	r->number = ++number[r->project - 1];
	service[i] = (uint8_t)fake_rand(VALUES + 1);
	type[i] = (uint8_t)fake_rand(VALUES + 1);
	T_GOOD(store_incident_insert(w, r));
	if (service[i] != 0)
		T_GOOD(store_tag_add(w, r->project, TAG_SERVICE,
		    value[service[i] - 1], r->number));
	if (type[i] != 0)
		T_GOOD(store_tag_add(w, r->project, TAG_TYPE,
		    value[type[i] - 1], r->number));
	member[i] =
	    (uint8_t)(fake_rand(1 << SUBJECTS) & fake_rand(1 << SUBJECTS));
	for (size_t k = 0; k < SUBJECTS; k++)
		if ((member[i] >> k & 1) != 0)
			m[n++] = subject[k];
	T_GOOD(store_members_set(w, i, m, n));
}

static void
add_alert(uint64_t i)
{
	struct alert_row *r = &alert[i];

	*r = (struct alert_row){.seq = i,
	    .id = {fake_uuid(3, i)},
	    .project = 1 + fake_rand(PROJECTS),
	    .status = (uint8_t)fake_rand(4),
	    .severity = (uint8_t)fake_rand(4),
	    .version = 1,
	    .first_seen = tick(),
	    .sealed = fake_sealed("alert")};
	if (fake_rand(3) != 0) {
		r->incident = 1 + fake_rand(30);
		r->project = inc[r->incident].project;
	}
	r->resolved = fake_rand(2) == 0 ? r->first_seen : 0;
	T_GOOD(store_alert_insert(w, r));
}

static bool
fill(void)
{
	uint64_t number[PROJECTS] = {0};

	arena_init(&a, 16 * 1024 * 1024);
	s = fake_open(fake_dir(), STORE_CREATE);
	if (s == NULL)
		return false;
	w = store_writer(s);
	for (unsigned i = 0; i < VALUES; i++)
		value[i][3] = (uint8_t)(i + 1);
	for (unsigned i = 0; i < SUBJECTS; i++)
		subject[i] =
		    (struct subject){(uint8_t)(1 + i % 2), fake_uuid(7, i)};
	T_GOOD(store_begin(w));
	for (uint64_t i = 1; i <= N; i++)
		add_incident(i, number);
	for (uint64_t i = 1; i <= N; i++)
		add_alert(i);
	T_GOOD(store_commit(w));
	return true;
}

static void
empty(void)
{
	s = store_close(s);
	arena_done(&a);
}

static void
change(void)
{
	struct incident_row *r = &inc[1 + fake_rand(N)];
	struct alert_row *x = &alert[1 + fake_rand(N)];

	T_GOOD(store_begin(w));
	r->status = (uint8_t)fake_rand(9);
	r->severity = (uint8_t)fake_rand(5);
	r->private = fake_rand(4) == 0;
	r->sealed = (struct sealed){STR_NONE};
	T_GOOD(store_incident_update(w, r));
	x->status = (uint8_t)fake_rand(4);
	x->resolved = fake_rand(2);
	x->sealed = (struct sealed){STR_NONE};
	T_GOOD(store_alert_update(w, x));
	T_GOOD(store_commit(w));
}

/* ---- comparing ---- */

static void
random_filter(struct incident_filter *f)
{
	static struct subject as[SUBJECTS];
	int64_t t;

	*f = (struct incident_filter){.project = 1 + fake_rand(PROJECTS),
	    .sort = (enum incident_sort)fake_rand(4)};
	if (fake_rand(2) == 0)
		f->statuses = fake_rand(512);
	if (fake_rand(2) == 0)
		f->severities = fake_rand(32);
	if (fake_rand(3) == 0)
		f->service = value[fake_rand(VALUES)];
	if (fake_rand(3) == 0)
		f->type = value[fake_rand(VALUES)];
	t = inc[1 + fake_rand(N)].created;
	if (fake_rand(3) == 0)
		f->from = t - fake_rand(100);
	if (fake_rand(3) == 0)
		f->to = t + fake_rand(10000);
	f->as_n = fake_rand(4);
	for (size_t i = 0; i < f->as_n; i++)
		as[i] = subject[fake_rand(SUBJECTS)];
	f->as = as;
}

/* All pages, one after the other. */
static bool
same_pages(struct incident_filter *f, size_t max)
{
	static uint64_t want[N + 1];

	for (;;) {
		size_t n = model(f, max, want), got = 0;
		struct incident_row *l = NULL;
		err e = store_incident_list(w, f, max, &a, &l, &got);

		if (!err_ok(e) || got != n) {
			T_FAIL("%s, %zu rows, want %zu", err_name(e), got, n);
			return false;
		}
		for (size_t i = 0; i < n; i++)
			if (l[i].seq != want[i]) {
				T_FAIL("row %zu is %lu, want %lu", i,
				    (unsigned long)l[i].seq,
				    (unsigned long)want[i]);
				return false;
			}
		if (n == 0)
			return true;
		T_EQ_STR(l[0].stored.bytes, STR("incident"));
		f->after_number = l[n - 1].number;
		f->after_severity = l[n - 1].severity;
		arena_reset(&a);
	}
}

TEST(incidents)
{
	static uint64_t want[N + 1];

	T_REQUIRE(fill());
	for (int i = 0; i < ROUNDS; i++) {
		struct incident_filter f;
		uint64_t count = 0;

		random_filter(&f);
		T_GOOD(store_incident_count(w, &f, &count));
		T_EQ_INT(count, model(&f, N, want));
		if (!same_pages(&f, 1 + fake_rand(60))) {
			T_FAIL("project %u sort %d statuses %x severities %x "
			       "service %d type %d from %ld to %ld as %zu "
			       "after %u/%lu",
			    f.project, (int)f.sort, f.statuses, f.severities,
			    f.service != NULL, f.type != NULL, (long)f.from,
			    (long)f.to, f.as_n, f.after_severity,
			    (unsigned long)f.after_number);
			break;
		}
		change();
	}
	empty();
}

static bool
alert_wanted(const struct alert_filter *f, uint64_t i)
{
	const struct alert_row *r = &alert[i];

	return r->project == f->project && bit(f->statuses, r->status) &&
	    bit(f->severities, r->severity) &&
	    (f->incident == 0 || r->incident == f->incident) &&
	    (f->from == 0 || r->first_seen >= f->from) &&
	    (f->to == 0 || r->first_seen < f->to) &&
	    (f->after == 0 || r->seq < f->after) &&
	    (r->incident == 0 || inc[r->incident].private == 0 ||
		(member[r->incident] & as_bits(f->as, f->as_n)) != 0);
}

static bool
same_alerts(struct alert_filter *f, size_t max)
{
	for (;;) {
		struct alert_row *l = NULL;
		size_t got = 0, at = 0;
		err e = store_alert_list(w, f, max, &a, &l, &got);

		if (!err_ok(e)) {
			T_FAIL("%s", err_name(e));
			return false;
		}
		for (uint64_t i = N; i > 0 && at < max; i--) {
			if (!alert_wanted(f, i))
				continue;
			if (at >= got || l[at].seq != i) {
				T_FAIL("row %zu of %zu is not %lu", at, got,
				    (unsigned long)i);
				return false;
			}
			at++;
		}
		if (at != got) {
			T_FAIL("%zu rows, want %zu", got, at);
			return false;
		}
		if (got == 0)
			return true;
		f->after = l[got - 1].seq;
		arena_reset(&a);
	}
}

TEST(alerts)
{
	T_REQUIRE(fill());
	for (int i = 0; i < ROUNDS; i++) {
		struct incident_filter g;
		struct alert_filter f;
		int64_t t = alert[1 + fake_rand(N)].first_seen;

		random_filter(&g);
		f = (struct alert_filter){.project = g.project,
		    .statuses = g.statuses & 15,
		    .severities = g.severities & 15,
		    .as = g.as,
		    .as_n = g.as_n};
		if (g.service != NULL) {
			f.incident = 1 + fake_rand(30);
			f.project = inc[f.incident].project;
		}
		if (g.from != 0)
			f.from = t;
		if (g.to != 0)
			f.to = t + fake_rand(5000);
		if (!same_alerts(&f, 1 + fake_rand(60))) {
			T_FAIL("project %u incident %lu statuses %x "
			       "severities %x from %ld to %ld",
			    f.project, (unsigned long)f.incident, f.statuses,
			    f.severities, (long)f.from, (long)f.to);
			break;
		}
		change();
	}
	empty();
}

/*
 * Rows at times of which the third and fourth are early; bisection of 40 rows
 * from the left looks at 20, 10, 5, 2 and 1, so only the slack saves them.
 */
enum { ROWS = 40, EARLY = 3 };

static void
insert_at(uint64_t seq, int64_t time)
{
	struct incident_row r = {.seq = seq,
	    .number = seq,
	    .id = {fake_uuid(1, seq)},
	    .project = 1,
	    .created = time,
	    .sealed = fake_sealed("x")};

	T_GOOD(store_begin(w));
	T_GOOD(store_incident_insert(w, &r));
}

static size_t
found(int64_t from, int64_t to)
{
	struct incident_filter f = {.project = 1, .from = from, .to = to};
	struct incident_row *l;
	size_t n = 0;

	T_GOOD(store_incident_list(w, &f, 10, &a, &l, &n));
	return n;
}

/* How far the clock ran back is known after a restart too. */
TEST(order_after_reopen)
{
	arena_init(&a, 1024 * 1024);
	s = fake_open(fake_dir(), STORE_CREATE);
	T_REQUIRE(s != NULL);
	for (uint64_t i = 1; i <= ROWS; i++) {
		s = store_close(s);
		s = fake_open(fake_root, STORE_WRITE);
		T_REQUIRE(s != NULL);
		w = store_writer(s);
		insert_at(i,
		    i == EARLY		 ? 5000
			: i == EARLY + 1 ? 4000
					 : 9000 + (int64_t)i);
		T_GOOD(store_commit(w));
	}
	T_EQ_INT(found(3900, 4100), 1);
	T_EQ_INT(found(4900, 5100), 1);
	T_EQ_INT(found(3900, 5100), 2);
	T_EQ_INT(found(9007, 9010), 3);
	empty();
}

/* A rolled back insert leaves no trace in what is known of the order. */
TEST(order_after_rollback)
{
	arena_init(&a, 1024 * 1024);
	s = fake_open(fake_dir(), STORE_CREATE);
	T_REQUIRE(s != NULL);
	w = store_writer(s);
	for (uint64_t i = 1; i <= ROWS; i++) {
		if (i == EARLY) {
			insert_at(i, 5000);
			store_rollback(w);
			insert_at(i, 5000);
		} else if (i == EARLY + 1) {
			insert_at(i, 9000);
			T_GOOD(store_savepoint(w));
			T_GOOD(store_meta_set(w, "x", STR("y")));
			T_GOOD(store_savepoint_undo(w));
		} else {
			insert_at(i, 9000 + (int64_t)i);
		}
		T_GOOD(store_commit(w));
	}
	T_EQ_INT(found(4900, 5100), 1);
	empty();
}

T_MAIN
