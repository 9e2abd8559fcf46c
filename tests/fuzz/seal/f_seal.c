/*
 * Hostile bytes as a stored blob, as a wrapped key and as a root key file.
 * The first byte says which; nothing but what was sealed here may open.
 */
#include <stdlib.h>

#include "seal/root.h"
#include "tests/unit/seal/help.h"

static struct data_key key, mac;
static struct root_keys *root;
static struct project_keys *projects;
static struct keyring *ring;
static struct arena arena;
static struct seal_where row = {.table = SEAL_TABLE_ALERT,
    .schema = 1,
    .project = 1,
    .pk_n = 16};
static struct str hostile;

static const char root_text[] =
    "redoubt-root-1 f94d1146d40de1a4 "
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";

static void
must(bool b)
{
	if (!b)
		abort();
}

/* The store answers with the input itself. */
static err
load(void *ctx, uint32_t id, struct arena *a, struct wrapped_key *ret)
{
	(void)ctx;
	(void)a;
	*ret = (struct wrapped_key){.id = id,
	    .project = 1,
	    .version = 1,
	    .class = SEAL_CLASS_ALERT,
	    .stored = {hostile}};
	return OK;
}

static void
begin(void)
{
	uint8_t kek[SECRET_SIZE] = {2};

	arena_init(&arena, 8 << 20);
	key = help_key_of(1, 1, SEAL_CLASS_ALERT);
	mac = help_key_of(1, 1, SEAL_CLASS_INDEX);
	must(err_ok(root_parse(str_c(root_text), NULL, &root)));
	projects = project_keys_new();
	must(projects != NULL);
	must(err_ok(project_keys_add(projects, 1, 1, kek)));
	must(err_ok(keyring_new(projects, load, NULL, &ring)));
}

static void
as_blob(void)
{
	struct stored s = {hostile};
	struct str out = STR_NONE;
	uint32_t id = 0;
	bool named = err_ok(seal_key_id(s, &id));
	err e = seal_open(&key, &row, s, &arena, &out);

	must(!err_ok(e));
	must(named || err_is(e, E_CORRUPT));
	must(!named || id == 1 || err_is(e, E_WRONG_KEY));
	must(!err_ok(seal_open(&mac, &row, s, &arena, &out)));
	must(!err_ok(seal_open_chunk(&key, &row, id, true, s, &arena, &out)));
	must(!err_ok(seal_open_chunk(&key, &row, id, false, s, &arena, &out)));
	must(out.p == NULL);
}

static void
as_wrapped_key(void)
{
	struct stored s = {hostile};
	const struct data_key *k = NULL;
	uint8_t out[SECRET_SIZE] = {0};
	static const uint8_t zero[SECRET_SIZE];
	size_t i = 9;

	must(!err_ok(keyring_get(ring, 7, &k)) && k == NULL);
	must(!err_ok(root_unwrap(root, 1, 1, s, out)));
	must(!err_ok(root_open_seed(root, s, out)));
	must(memcmp(out, zero, sizeof out) == 0);
	/* A commitment copied from a real blob may be there: any answer. */
	if (err_ok(root_which(root, s, &i)))
		must(i == 0);
}

/* Bytes: what to change; then pairs (offset, xor). */
static void
as_change(void)
{
	struct sealed s = {STR_NONE};
	struct str out = STR_NONE, was;
	uint8_t *p;
	err e;

	must(
	    err_ok(seal_close(&key, &row, STR("what was sealed"), &arena, &s)));
	was = arena_dup(&arena, s.bytes);
	p = (uint8_t *)(uintptr_t)s.bytes.p;
	for (size_t i = 0; i + 1 < hostile.n; i += 2)
		p[(uint8_t)hostile.p[i] % s.bytes.n] ^=
		    (uint8_t)hostile.p[i + 1];
	e = seal_open(&key, &row, help_stored(s), &arena, &out);
	must(err_ok(e) == str_eq(was, s.bytes));
	must(!err_ok(e) || str_is(out, "what was sealed"));
}

static void
as_root_file(void)
{
	struct root_keys *r = NULL;
	struct trail t = {""};
	struct buf b;
	err e = root_parse(hostile, &t, &r);

	if (!err_ok(e)) {
		must(r == NULL && err_is(e, E_WRONG_KEY));
		must(t.detail[0] != '\0');
		return;
	}
	/* What parses is written the same, but for the last line's end. */
	buf_init(&b, 65536);
	for (size_t i = 0; i < root_count(r); i++)
		must(err_ok(root_line(r, i, &b)));
	must(str_starts(buf_view(&b), hostile) && b.n - hostile.n <= 1);
	buf_done(&b);
	root_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (root == NULL)
		begin();
	if (n == 0)
		return 0;
	hostile = str_of((const char *)p + 1, n - 1);
	switch (p[0] % 4) {
	case 0:
		as_blob();
		break;
	case 1:
		as_wrapped_key();
		break;
	case 2:
		as_change();
		break;
	default:
		as_root_file();
		break;
	}
	arena_reset(&arena);
	return 0;
}
