/*
 * t_dump.c: what is dumped and loaded is the same store, whichever schema it
 * had; rows whose keys are gone go, with what belonged to them.
 */
#include "store/dump.h"

#include "store/conn.h"
#include "tests/unit/store/fake.h"

/* "table|row\n" of everything, and the number of rows. */
struct picture {
	struct buf b;
	size_t rows;
};

static err
on_row(void *ctx, const struct dump_row *r)
{
	struct picture *p = ctx;

	buf_str(&p->b, r->table);
	buf_char(&p->b, '|');
	buf_str(&p->b, r->row);
	buf_char(&p->b, '\n');
	p->rows++;
	T_OK(r->key.n > 0 && r->key.n <= r->row.n);
	return buf_check(&p->b);
}

static void
picture(struct store *s, struct picture *p)
{
	struct store_conn *c;

	buf_init(&p->b, 1 << 24);
	p->rows = 0;
	T_GOOD(store_reader(s, &c));
	T_GOOD(store_view_begin(c));
	T_GOOD(store_dump(c, on_row, p));
	store_view_end(c);
	store_conn_close(c);
}

/* A blob that names a key, as far as anybody sees. */
static struct sealed
named(struct arena *a, uint32_t key)
{
	struct buf b;

	buf_init_on(&b, a, 256);
	buf_add(&b, "\1\1\0\0", 4);
	buf_be32(&b, key);
	for (size_t i = 0; i < SEAL_OVERHEAD; i++)
		buf_char(&b, 'x');
	return (struct sealed){buf_view(&b)};
}

static void
incident(struct store_conn *c, struct arena *a, uint64_t seq, uint32_t key)
{
	struct incident_row i = {.seq = seq,
	    .id = {fake_uuid(1, seq)},
	    .project = 1,
	    .number = seq,
	    .version = 1,
	    .created = 5,
	    .updated = 5,
	    .sealed = named(a, key)};
	struct entry_row e = {.incident = seq,
	    .n = 1,
	    .kind = 1,
	    .occurred = 5,
	    .recorded = 5,
	    .sealed = named(a, key)};
	uint8_t tag[BLIND_SIZE] = {(uint8_t)seq};

	T_GOOD(store_incident_insert(c, &i));
	T_GOOD(store_entry_insert(c, &e));
	T_GOOD(store_tag_add(c, 1, TAG_SERVICE, tag, seq));
}

static void
fill(struct store *s, struct arena *a)
{
	struct store_conn *c = store_writer(s);

	T_GOOD(store_begin(c));
	for (uint64_t i = 1; i <= 50; i++)
		incident(c, a, i, (uint32_t)(i % 5 + 1));
	T_GOOD(store_meta_set(c, "org.id", STR("x")));
	T_GOOD(store_audit_append(c, 1, STR("{}")));
	T_GOOD(store_commit(c));
}

struct loading {
	struct store_load *l;
	char table[DUMP_NAME + 1];
	uint32_t gone; /* a key that is not there */
	size_t dropped;
};

static bool
has(void *ctx, uint32_t key)
{
	const struct loading *l = ctx;

	return key != l->gone;
}

static err
load_row(void *ctx, const struct dump_row *r)
{
	struct loading *l = ctx;
	bool dropped;

	if (!str_is(r->table, l->table)) {
		memcpy(l->table, r->table.p, r->table.n);
		l->table[r->table.n] = '\0';
		TRY(store_load_table(l->l, r->table, r->columns));
	}
	TRY(store_load_row(l->l, r->row, has, l, &dropped));
	l->dropped += dropped;
	return OK;
}

/* A copy of s in dir "copy", opened. */
static struct store *
copied(struct store *s, uint32_t gone, size_t *ret_dropped)
{
	struct loading l = {.gone = gone};
	struct trail t = {""};
	struct store_conn *c;

	T_GOOD(store_load_new(fake_file("copy"), SCHEMA_VERSION, &t, &l.l));
	T_GOOD(store_reader(s, &c));
	T_GOOD(store_view_begin(c));
	T_GOOD(store_dump(c, load_row, &l));
	store_view_end(c);
	store_conn_close(c);
	T_GOOD(store_load_done(l.l, &t));
	*ret_dropped = l.dropped;
	return fake_open(fake_file("copy"), STORE_WRITE);
}

TEST(the_same_again)
{
	struct store *s = fake_open(fake_dir(), STORE_CREATE), *copy;
	struct picture a, b;
	struct arena m;
	size_t dropped;

	T_REQUIRE(s != NULL);
	arena_init(&m, 1 << 24);
	fill(s, &m);
	picture(s, &a);
	T_OK(a.rows >= 152);
	copy = copied(s, 0, &dropped);
	T_REQUIRE(copy != NULL);
	picture(copy, &b);
	T_OK(dropped == 0 && a.rows == b.rows &&
	    str_eq(buf_view(&a.b), buf_view(&b.b)));
	buf_done(&a.b);
	buf_done(&b.b);
	(void)store_close(copy);
	(void)store_close(s);
	arena_done(&m);
}

TEST(keys_that_are_gone)
{
	struct store *s = fake_open(fake_dir(), STORE_CREATE), *copy;
	struct picture a, b;
	struct arena m;
	size_t dropped;

	T_REQUIRE(s != NULL);
	arena_init(&m, 1 << 24);
	fill(s, &m);
	picture(s, &a);
	copy = copied(s, 3, &dropped);
	T_REQUIRE(copy != NULL);
	picture(copy, &b);
	/* incident and entry of each, and, since they are gone, its tag */
	T_OK(dropped == 20);
	T_OK(a.rows - b.rows == 30);
	buf_done(&a.b);
	buf_done(&b.b);
	(void)store_close(copy);
	(void)store_close(s);
	arena_done(&m);
}

TEST(every_schema)
{
	for (unsigned v = 1; v <= SCHEMA_VERSION; v++) {
		struct trail t = {""};
		struct store_load *l;
		struct store *s;

		(void)fake_dir();
		T_GOOD(store_load_new(fake_file("old"), v, &t, &l));
		T_GOOD(store_load_table(l, STR("audit"), STR("seq,leaf")));
		T_GOOD(store_load_done(l, &t));
		s = fake_open(fake_file("old"), STORE_WRITE);
		T_REQUIRE(s != NULL);
		(void)store_close(s);
	}
}

TEST(what_does_not_fit)
{
	struct trail t = {""};
	struct store_load *l;
	struct loading ctx = {.gone = 0};
	bool dropped;
	static const struct str bad[] = {{"", 0}, {"\x01", 1}, {"\x05", 1},
	    {"\x01\0\0\0\0\0\0\0\x09\x03\0\0\0\x09", 14},
	    {"\x01\0\0\0\0\0\0\0\x09\x03\0\0\0\0\0", 15}};
	static const struct str good = {"\x01\0\0\0\0\0\0\0\x09\x03\0\0\0\x01x",
	    15};

	(void)fake_dir();
	T_OK(err_is(store_load_new(fake_file("x"), SCHEMA_VERSION + 1, &t, &l),
	    E_CORRUPT));
	T_GOOD(store_load_new(fake_file("x"), SCHEMA_VERSION, &t, &l));
	T_OK(
	    err_is(store_load_table(l, STR("data_key"), STR("id")), E_CORRUPT));
	T_OK(err_is(store_load_table(l, STR("sqlite_schema"), STR("name")),
	    E_CORRUPT));
	T_OK(err_is(store_load_table(l, STR("audit"), STR("leaf,seq")),
	    E_CORRUPT));
	T_GOOD(store_load_table(l, STR("audit"), STR("seq,leaf")));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_OK(err_is(store_load_row(l, bad[i], has, &ctx, &dropped),
		    E_CORRUPT));
	T_GOOD(store_load_row(l, good, has, &ctx, &dropped));
	T_OK(err_is(store_load_row(l, good, has, &ctx, &dropped), E_CORRUPT));
	store_load_free(l);
}

T_MAIN
