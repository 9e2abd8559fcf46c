/*
 * An entry as a line of each format: all of the leaf is in it, it reads back
 * to the same leaf, nothing in it means anything to the program that reads
 * it, and an edited byte is found.
 */
#include "audit/lines.h"
#include "audit/manifest.h"
#include "tests/unit/audit/log.h"

#include <openssl/evp.h>

enum { ARENA = 16 * 1024 * 1024 };

/* What leaves can hold of what people would like to see there. */
static const char *const hostile[] = {"=cmd|' /C calc'!A0", "+1+1", "-2+3",
    "@SUM(A1)", "'=1+1", "a|b|c", "x=y rt=0", "a]b]", "[redoubt@1 x=", "%20 %",
    "cs6=0 cs6Label=leafHash", "</script>", "a,b;c", "$(id)`id`", "{}{}"};

static void
hostile_leaf(struct buf *b, uint64_t seq, const char *text)
{
	uint8_t cm[COMMITMENT_SIZE] = {0xfb, (uint8_t)seq};
	struct audit_entry e = {.seq = seq,
	    .time = 1795000000123,
	    .action = AUDIT_INCIDENT_CREATE,
	    .outcome = (enum audit_outcome)(seq % 4),
	    .principal_kind = STR("user"),
	    .principal_id = str_c(text),
	    .credential = str_c(text),
	    .address = str_c(text),
	    .project = str_c(text),
	    .reason = str_c(text),
	    .request_id = str_c(text),
	    .count = seq * 7,
	    .resources = 3,
	    .commitment = cm};

	e.resource[0] = (struct audit_resource){STR("incident"), str_c(text)};
	e.resource[1] = (struct audit_resource){STR("nothing"), STR("")};
	e.resource[2] = (struct audit_resource){STR("a.b"), STR("x y:%25")};
	T_GOOD(audit_leaf_write(b, &e));
}

static void
back(enum export_format f, struct str leaf)
{
	struct hash h, got;
	struct str text, end = export_line_end(f);
	struct arena a;
	uint64_t seq;
	struct buf b;

	arena_init(&a, ARENA);
	buf_init(&b, 1 << 20);
	audit_leaf_hash(leaf, &h);
	T_GOOD(export_line(&a, f, leaf, &h, &b));
	T_OK(memchr(b.p, '\n', b.n) == b.p + b.n - 1);
	T_OK(export_line_read(&a, f, str_head(buf_view(&b), b.n - end.n), &text,
	    &got, &seq));
	T_OK(str_eq(text, leaf) && memcmp(&h, &got, sizeof h) == 0);
	buf_done(&b);
	arena_done(&a);
}

TEST(lines_hold_the_leaf)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (unsigned f = EXPORT_CSV; f < EXPORT_FORMATS; f++)
		for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
			buf_clear(&b);
			hostile_leaf(&b, i + 1, hostile[i]);
			back((enum export_format)f, buf_view(&b));
		}
	for (unsigned f = EXPORT_CSV; f < EXPORT_FORMATS; f++) {
		back((enum export_format)f,
		    STR("{\"action\":\"org.create\",\"outcome\":\"ok\","
			"\"principal\":{\"kind\":\"system\"},\"seq\":1,"
			"\"time\":\"2026-11-25T03:21:34.123Z\",\"v\":1}"));
		back((enum export_format)f, /* of a newer Redoubt */
		    STR("{\"action\":\"moon.login\",\"address\":\"2001:db8::1\""
			",\"outcome\":\"error\",\"principal\":{\"id\":\"x\","
			"\"kind\":\"user\"},\"seq\":9007199254740991,\"time\":"
			"\"1970-01-01T00:00:00.000Z\",\"v\":1}"));
	}
	buf_done(&b);
}

/* ---- whole files ---- */

static void
sign(const struct log *l, struct str text, uint8_t sig[MANIFEST_SIG])
{
	EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
	    l->seed, SECRET_SIZE);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t statement[MANIFEST_STATEMENT];
	size_t n = MANIFEST_SIG;
	struct hash h;

	audit_sha256(text, &h);
	manifest_statement(&h, statement);
	T_OK(EVP_DigestSignInit(c, NULL, NULL, NULL, k) == 1 &&
	    EVP_DigestSign(c, sig, &n, statement, sizeof statement) == 1);
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(k);
}

struct made {
	struct log *l;
	enum export_format f;
	uint64_t first, last, size, hide;
	const char *reason;
	struct buf b;
};

static void
body(struct made *x, struct marks *marks, struct arena *a, struct manifest *m)
{
	export_head(x->f, &x->b);
	marks_add(marks, x->first, buf_view(&x->b));
	for (uint64_t seq = x->first; seq <= x->last; seq++) {
		struct str leaf = x->l->leaf[seq - 1];
		bool shown = x->hide < 2 || seq % x->hide == 0;
		size_t before = x->b.n;
		struct hash h;

		audit_leaf_hash(leaf, &h);
		m->entries += shown;
		if (x->f != EXPORT_NDJSON && shown) {
			T_GOOD(export_line(a, x->f, leaf, &h, &x->b));
			marks_add(marks, seq,
			    str_skip(buf_view(&x->b), before));
		} else if (x->f == EXPORT_NDJSON) {
			if (shown)
				T_GOOD(export_line(a, x->f, leaf, &h, &x->b));
			else
				audit_export_stub(&x->b, seq, &h);
			marks_entry(marks, seq, &h, shown);
			if (audit_export_hashes_due(seq, x->last))
				T_GOOD(audit_export_hashes(x->l->tree, x->first,
				    seq, log_tile_get, x->l, &x->b));
		}
		arena_reset(a);
	}
}

static void
proofs(struct made *x, struct arena *a, struct manifest *m)
{
	struct log *l = x->l;
	size_t before = x->b.n;
	struct hash_list h;

	if (x->f == EXPORT_NDJSON) {
		T_GOOD(audit_export_trailer(2, l->tree, x->first, x->last,
		    m->note, x->size, &l->key, log_tile_get, l, a, &x->b));
		audit_sha256(str_skip(buf_view(&x->b), before), &m->trailer);
		return;
	}
	if (x->hide > 1)
		return;
	T_GOOD(audit_export_cover(l->tree, 0, x->first - 1, log_tile_get, l, a,
	    &h));
	m->left = h.h;
	m->left_n = h.n;
	T_GOOD(audit_export_cover(l->tree, x->last, x->size, log_tile_get, l, a,
	    &h));
	m->right = h.h;
	m->right_n = h.n;
}

/* As flow/export.c does it. */
static void
make(struct made *x)
{
	struct manifest m = {.format = x->f,
	    .first = x->first,
	    .last = x->last,
	    .size = x->size,
	    .time = 1795000100000,
	    .requester_kind = STR("user"),
	    .requester_id = STR("0198c0de-0000-7000-8000-000000000009"),
	    .filter = STR("{\"action\":\"inc=ident.\"}"),
	    .reason = str_c(x->reason)};
	uint8_t sig[MANIFEST_SIG];
	struct buf note, key, text, json;
	struct marks *marks;
	struct arena a, line;

	arena_init(&a, ARENA);
	arena_init(&line, ARENA);
	buf_init(&note, NOTE_MAX);
	buf_init(&key, 1024);
	buf_init(&text, MANIFEST_MAX);
	buf_init(&json, (size_t)2 * MANIFEST_MAX);
	buf_init(&x->b, 1 << 24);
	log_note(x->l, x->size, &note);
	note_key_text(&x->l->key, &key);
	m.note = buf_view(&note);
	m.key = buf_view(&key);
	T_GOOD(marks_new(x->first, x->last, &marks));
	body(x, marks, &line, &m);
	proofs(x, &a, &m);
	marks_end(marks, m.block, &m.blocks);
	m.bytes = x->b.n;
	audit_sha256(buf_view(&x->b), &m.sha256);
	T_GOOD(manifest_write(&m, &text));
	sign(x->l, buf_view(&text), sig);
	manifest_close(buf_view(&text), sig, &json);
	export_text(x->f, m.time, buf_view(&json), &x->b);
	T_OK(!x->b.failed);
	marks = marks_free(marks);
	buf_done(&json);
	buf_done(&text);
	buf_done(&key);
	buf_done(&note);
	arena_done(&line);
	arena_done(&a);
}

static const char nasty[] = "\x1b[31m=1+1 \"q\\\" \xe2\x80\xae|\n<x> "
			    "\xf0\x9f\x92\xa3";

TEST(exports_verify)
{
	static const struct {
		uint64_t first, last, size, hide;
	} ranges[] = {{1, 600, 600, 1}, {1, 600, 600, 7}, {250, 520, 555, 1},
	    {250, 520, 555, 5}, {7, 7, 600, 1}, {9, 8, 600, 1},
	    {1, 600, 600, 1000}};
	struct log *l = log_new(600);

	for (unsigned f = 0; f < EXPORT_FORMATS; f++)
		for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
			struct made x = {l, (enum export_format)f,
			    ranges[i].first, ranges[i].last, ranges[i].size,
			    ranges[i].hide, nasty, {0}};
			struct audit_verdict v;

			make(&x);
			T_GOOD(
			    audit_verify_export(buf_view(&x.b), &l->key, &v));
			T_OK(v.manifest && v.format == x.f &&
			    v.entries + v.hidden == x.last + 1 - x.first);
			if (v.bad_seq != 0)
				T_FAIL("%s", v.what);
			T_GOOD(audit_verify_export(buf_view(&x.b), NULL, &v));
			for (size_t k = 0; f != EXPORT_NDJSON && k < x.b.n; k++)
				T_OK(x.b.p[k] == '\n' || x.b.p[k] == '\r' ||
				    (x.b.p[k] >= ' ' && x.b.p[k] <= '~'));
			buf_done(&x.b);
		}
	l = log_free(l);
}

/* A bit changed anywhere, a line removed, doubled or moved, the end cut. */
static unsigned
edits(struct made *x, unsigned step)
{
	struct audit_verdict v;
	unsigned found = 0;
	struct buf *b = &x->b;

	T_GOOD(audit_verify_export(buf_view(b), &x->l->key, &v));
	for (size_t i = x->f; i < b->n; i += step) {
		b->p[i] = (char)(b->p[i] ^ (1 << i % 7));
		if (err_ok(audit_verify_export(buf_view(b), &x->l->key, &v)) ||
		    v.bad_seq == 0) {
			T_FAIL("format %u, byte %zu of %zu", (unsigned)x->f, i,
			    b->n);
		}
		b->p[i] = (char)(b->p[i] ^ (1 << i % 7));
		found++;
	}
	for (size_t i = 0; i < b->n; i += 13 * step)
		T_OK(!err_ok(audit_verify_export(str_head(buf_view(b), i),
		    &x->l->key, &v)));
	return found;
}

static unsigned
line_edits(struct made *x)
{
	struct str all = buf_view(&x->b), line, rest = all;
	struct audit_verdict v;
	unsigned found = 0;
	struct buf b;

	buf_init(&b, 1 << 24);
	while (str_cut(rest, '\n', &line, &rest)) {
		size_t at = (size_t)(line.p - all.p), end = at + line.n + 1;

		for (unsigned how = 0; how < 2; how++) {
			buf_clear(&b);
			buf_add(&b, all.p, how == 0 ? at : end);
			buf_str(&b, str_skip(all, how == 0 ? end : at));
			T_OK(!err_ok(audit_verify_export(buf_view(&b),
				 &x->l->key, &v)) &&
			    v.bad_seq != 0);
			found++;
		}
	}
	buf_done(&b);
	return found;
}

TEST(edits_are_found)
{
	struct log *l = log_new(40);
	unsigned found = 0;

	for (unsigned f = 0; f < EXPORT_FORMATS; f++)
		for (unsigned hide = 1; hide < 4; hide += 2) {
			struct made x = {l, (enum export_format)f, 3, 31, 37,
			    hide, "why", {0}};

			make(&x);
			found += edits(&x, 13);
			found += line_edits(&x);
			buf_done(&x.b);
		}
	printf("# %u edits, all found\n", found);
	l = log_free(l);
}

/* What no line shows alone: the blocks name the place. */
TEST(the_place_is_named)
{
	struct log *l = log_new(2000), *other = log_new(2000);
	struct made x = {l, EXPORT_CSV, 1, 2000, 2000, 2, "why", {0}};
	struct audit_verdict v;
	struct str line, rest;
	struct buf b;

	make(&x);
	buf_init(&b, 1 << 24);
	rest = buf_view(&x.b);
	while (str_cut(rest, '\n', &line, &rest)) {
		if (str_starts(line, STR("700,")))
			continue; /* entry 700 is gone, and nobody counts */
		buf_str(&b, line);
		buf_char(&b, '\n');
	}
	T_OK(!err_ok(audit_verify_export(buf_view(&b), &l->key, &v)));
	T_EQ_INT(v.bad_seq, 513); /* of 513 to 768 */
	T_OK(strstr(v.what, "513 to 768") != NULL);
	buf_done(&b);
	/* somebody else's key: the same file is not the log's */
	other->seed[0] ^= 1;
	T_GOOD(note_key_of(STR(LOG_NAME), other->seed, &other->key));
	T_OK(!err_ok(audit_verify_export(buf_view(&x.b), &other->key, &v)));
	buf_done(&x.b);
	other = log_free(other);
	l = log_free(l);
}

/* What no member of the leaf says is named by its line all the same. */
TEST(an_edited_constant_is_named)
{
	static const char *const what[] = {[EXPORT_CSV] = NULL,
	    [EXPORT_CEF] = "|1|rt=",
	    [EXPORT_OCSF] = "\"severity_id\":1",
	    [EXPORT_SYSLOG] = "<110>1"};
	struct log *l = log_new(40);
	struct audit_verdict v;

	for (unsigned f = EXPORT_CEF; f < EXPORT_FORMATS; f++) {
		struct made x = {l, (enum export_format)f, 1, 40, 40, 1, "why",
		    {0}};
		char *at;

		make(&x);
		at = memmem(x.b.p + x.b.n / 2, x.b.n / 2, what[f],
		    strlen(what[f]));
		T_REQUIRE(at != NULL);
		*(char *)memchr(at, '1', strlen(what[f])) = '2';
		T_ERR(audit_verify_export(buf_view(&x.b), &l->key, &v),
		    E_BAD_ANSWER);
		T_OK(str_starts(str_c(v.what), STR("line ")));
		buf_done(&x.b);
	}
	l = log_free(l);
}

/* A server that was taken over signs what it likes: the tree does not. */
TEST(a_signed_lie_is_found)
{
	struct log *l = log_new(40);
	struct audit_verdict v;
	struct buf b;

	buf_init(&b, 4096);
	log_leaf(&b, 11, 1);
	l->leaf[10] = buf_view(&b);
	for (unsigned f = 0; f < EXPORT_FORMATS; f++) {
		struct made x = {l, (enum export_format)f, 3, 31, 37, 1, "why",
		    {0}};

		make(&x);
		T_ERR(audit_verify_export(buf_view(&x.b), &l->key, &v),
		    E_BAD_ANSWER);
		T_OK(strstr(v.what, "signed root differs") != NULL);
		buf_done(&x.b);
	}
	buf_done(&b);
	l = log_free(l);
}

/* The vectors of doc/PROTOCOL.audit: part.ndjson in other formats. */
TEST(vectors)
{
	static const char *const path[] = {
	    [EXPORT_NDJSON] = "tests/vectors/audit/part2.ndjson",
	    [EXPORT_CSV] = "tests/vectors/audit/part.csv",
	    [EXPORT_CEF] = "tests/vectors/audit/part.cef",
	    [EXPORT_OCSF] = "tests/vectors/audit/part.ocsf",
	    [EXPORT_SYSLOG] = "tests/vectors/audit/part.syslog",
	};
	struct log *l = log_make(300, log_short_leaf);

	for (unsigned f = 0; f < EXPORT_FORMATS; f++) {
		struct made x = {l, (enum export_format)f, 250, 262, 290, 3,
		    "=1+1 | \xe2\x80\xae\x1b[31m", {0}};

		make(&x);
		log_file(&x.b, path[f]);
		buf_done(&x.b);
	}
	l = log_free(l);
}

T_MAIN
