/* manifest.c: see manifest.h. */
#include "audit/manifest.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"

enum { WIDTH_MIN = 256, COVER_MAX = 128 };

#define CLOSE_START "{\"manifest\":"
#define CLOSE_MIDDLE ",\"signature\":\""

uint64_t
manifest_width(uint64_t first, uint64_t last)
{
	uint64_t width = WIDTH_MIN;

	while (width * MANIFEST_BLOCKS < last + 1 - first)
		width *= 2;
	return width;
}

/* ---- marks ---- */

struct marks {
	struct audit_hasher *h;
	uint64_t first, last, width;
	size_t block; /* at hand */
	size_t held;  /* of few: marks are short */
	char few[4096];
	struct hash hash[MANIFEST_BLOCKS];
};

err
marks_new(uint64_t first, uint64_t last, struct marks **ret)
{
	struct marks *m = mem_new(1, sizeof *m);

	if (m == NULL)
		return err_of(E_NO_MEMORY);
	m->first = first;
	m->last = last;
	m->width = manifest_width(first, last);
	m->h = audit_hasher_new();
	*ret = m;
	return OK;
}

struct marks *
marks_free(struct marks *m)
{
	if (m != NULL)
		m->h = audit_hasher_free(m->h);
	mem_free(m);
	return NULL;
}

static void
few_add(struct marks *m)
{
	audit_hasher_add(m->h, str_of(m->few, m->held));
	m->held = 0;
}

static void
blocks_until(struct marks *m, size_t block)
{
	while (m->block < block) {
		few_add(m);
		audit_hasher_end(m->h, &m->hash[m->block++]);
	}
}

void
marks_add(struct marks *m, uint64_t seq, struct str bytes)
{
	if (seq < m->first || seq > m->last)
		return;
	blocks_until(m, (size_t)((seq - m->first) / m->width));
	if (bytes.n > sizeof m->few - m->held)
		few_add(m);
	if (bytes.n > sizeof m->few) {
		audit_hasher_add(m->h, bytes);
		return;
	}
	if (bytes.n > 0)
		memcpy(m->few + m->held, bytes.p, bytes.n);
	m->held += bytes.n;
}

void
marks_entry(struct marks *m, uint64_t seq, const struct hash *leaf, bool shown)
{
	char b[HASH_SIZE + 1];

	memcpy(b, leaf->b, HASH_SIZE);
	b[HASH_SIZE] = (char)shown;
	marks_add(m, seq, str_of(b, sizeof b));
}

void
marks_end(struct marks *m, struct hash ret[MANIFEST_BLOCKS], size_t *ret_n)
{
	uint64_t n = m->last + 1 - m->first;

	*ret_n = (size_t)((n + m->width - 1) / m->width);
	blocks_until(m, *ret_n);
	memcpy(ret, m->hash, *ret_n * sizeof *ret);
}

/* ---- writing ---- */

static void
hashes(struct jw *w, const char *name, const struct hash *h, size_t n)
{
	jw_name(w, str_c(name));
	jw_arr(w);
	for (size_t i = 0; i < n; i++)
		jw_b64(w, str_of((const char *)h[i].b, HASH_SIZE));
	jw_arr_end(w);
}

static void
hash(struct jw *w, const char *name, const struct hash *h)
{
	jw_name(w, str_c(name));
	jw_b64(w, str_of((const char *)h->b, HASH_SIZE));
}

static void
option(struct jw *w, const char *name, struct str s)
{
	if (s.n == 0)
		return;
	jw_name(w, str_c(name));
	jw_str(w, s);
}

static void
number(struct jw *w, const char *name, uint64_t v)
{
	jw_name(w, str_c(name));
	jw_i64(w, (int64_t)v);
}

static void
members(struct jw *w, const struct manifest *m)
{
	char time[TIME_TEXT + 1];

	time_text(m->time, time);
	hashes(w, "blocks", m->block, m->blocks);
	number(w, "bytes", m->bytes);
	option(w, "checkpoint", m->note);
	number(w, "entries", m->entries);
	jw_kraw(w, "filter", m->filter);
	number(w, "first", m->first);
	jw_kstr(w, "format", str_c(export_format_name(m->format)));
	option(w, "key", m->key);
	number(w, "last", m->last);
	if (m->left != NULL)
		hashes(w, "left", m->left, m->left_n);
	option(w, "reason", m->reason);
	option(w, "request_id", m->request_id);
	jw_kobj(w, "requester");
	option(w, "credential", m->credential);
	option(w, "id", m->requester_id);
	option(w, "kind", m->requester_kind);
	jw_obj_end(w);
	if (m->right != NULL)
		hashes(w, "right", m->right, m->right_n);
	if (m->format == EXPORT_OCSF)
		jw_kstr(w, "schema", STR(OCSF_VERSION));
	hash(w, "sha256", &m->sha256);
	jw_kstr(w, "time", str_of(time, TIME_TEXT));
	if (m->format == EXPORT_NDJSON)
		hash(w, "trailer", &m->trailer);
	number(w, "v", 1);
}

/* JSON has characters beyond ASCII in strings only, where \u can stand for
 * them: so nothing in a manifest can change how a terminal shows it. */
static void
ascii_add(struct buf *b, struct str s)
{
	while (s.n > 0) {
		uint32_t c = utf8_next(&s); /* the writer's is valid */

		if (c < 0x7f) {
			buf_char(b, (char)c);
		} else if (c < 0x10000) {
			buf_fmt(b, "\\u%04x", c);
		} else {
			c -= 0x10000;
			buf_fmt(b, "\\u%04x\\u%04x", 0xd800 + (c >> 10),
			    0xdc00 + (c & 0x3ff));
		}
	}
}

err
manifest_write(const struct manifest *m, struct buf *b)
{
	CLEANUP(buf_done) struct buf text;
	struct jw w;

	buf_init(&text, MANIFEST_MAX);
	jw_init(&w, &text);
	jw_obj(&w);
	members(&w, m);
	jw_obj_end(&w);
	TRY(buf_check(&text));
	ascii_add(b, buf_view(&text));
	return buf_check(b);
}

void
manifest_statement(const struct hash *digest, uint8_t ret[MANIFEST_STATEMENT])
{
	static const char label[32] = "redoubt audit export manifest 1";

	memcpy(ret, label, sizeof label);
	memcpy(ret + sizeof label, digest->b, HASH_SIZE);
}

void
manifest_close(struct str text, const uint8_t sig[MANIFEST_SIG], struct buf *b)
{
	buf_c(b, CLOSE_START);
	buf_str(b, text);
	buf_c(b, CLOSE_MIDDLE);
	b64_add(b, str_of((const char *)sig, MANIFEST_SIG));
	buf_c(b, "\"}");
}

/* ---- reading ---- */

static bool
hash_of(struct arena *a, const struct json *j, struct hash *ret)
{
	struct str text, h;

	if (!json_str(j, &text) || !b64_decode(a, text, &h) || h.n != HASH_SIZE)
		return false;
	memcpy(ret->b, h.p, HASH_SIZE);
	return true;
}

static bool
hashes_of(struct arena *a, const struct json *j, size_t max,
    const struct hash **ret, size_t *ret_n)
{
	struct hash *h;
	size_t n = 0;

	if (j == NULL || j->kind != JSON_ARRAY || j->count > max)
		return false;
	h = arena_array(a, (size_t)j->count + 1, sizeof *h);
	if (h == NULL)
		return false;
	for (const struct json *i = json_first(j); i != NULL; i = i->next)
		if (!hash_of(a, i, &h[n++]))
			return false;
	*ret = h;
	*ret_n = n;
	return true;
}

static bool
number_of(const struct json *j, const char *name, uint64_t *ret)
{
	int64_t v;

	if (!json_i64(json_get(j, str_c(name)), 0, (INT64_C(1) << 53) - 1, &v))
		return false;
	*ret = (uint64_t)v;
	return true;
}

static bool
range_good(const struct manifest *m)
{
	uint64_t n = m->last + 1 - m->first, width;

	if (m->first == 0 || m->last < m->first - 1 || m->entries > n)
		return false;
	width = manifest_width(m->first, m->last);
	return m->blocks == (n + width - 1) / width;
}

static bool
covers_of(struct arena *a, const struct json *j, struct manifest *m)
{
	const struct json *l = json_get(j, STR("left"));
	const struct json *r = json_get(j, STR("right"));

	if (l == NULL && r == NULL)
		return m->format == EXPORT_NDJSON ||
		    m->entries < m->last + 1 - m->first;
	return hashes_of(a, l, COVER_MAX, &m->left, &m->left_n) &&
	    hashes_of(a, r, COVER_MAX, &m->right, &m->right_n);
}

static bool
members_of(struct arena *a, const struct json *j, struct manifest *m)
{
	const struct json *who = json_get(j, STR("requester"));
	const struct json *filter = json_get(j, STR("filter"));
	const struct hash *block;
	uint64_t v;

	if (!number_of(j, "v", &v) || v != 1 ||
	    !export_format_parse(json_str_at(j, STR("format")), &m->format) ||
	    !number_of(j, "bytes", &m->bytes) ||
	    !number_of(j, "entries", &m->entries) ||
	    !number_of(j, "first", &m->first) ||
	    !number_of(j, "last", &m->last) ||
	    !hashes_of(a, json_get(j, STR("blocks")), MANIFEST_BLOCKS, &block,
		&m->blocks) ||
	    !hash_of(a, json_get(j, STR("sha256")), &m->sha256) ||
	    !time_parse(json_str_at(j, STR("time")), &m->time) || who == NULL ||
	    who->kind != JSON_OBJECT || filter == NULL ||
	    filter->kind != JSON_OBJECT || !range_good(m) ||
	    !covers_of(a, j, m))
		return false;
	memcpy(m->block, block, m->blocks * sizeof *block);
	m->filter = filter->raw;
	m->note = json_str_at(j, STR("checkpoint"));
	m->key = json_str_at(j, STR("key"));
	m->reason = json_str_at(j, STR("reason"));
	m->request_id = json_str_at(j, STR("request_id"));
	m->requester_id = json_str_at(who, STR("id"));
	m->requester_kind = json_str_at(who, STR("kind"));
	m->credential = json_str_at(who, STR("credential"));
	if (m->format == EXPORT_NDJSON)
		return hash_of(a, json_get(j, STR("trailer")), &m->trailer);
	return m->format != EXPORT_OCSF ||
	    str_is(json_str_at(j, STR("schema")), OCSF_VERSION);
}

static err
signature(struct str text, struct str sig, const struct note_key *key,
    struct str named)
{
	uint8_t statement[MANIFEST_STATEMENT];
	struct note_key own;
	struct hash digest;

	if (!err_ok(note_key_parse(named, &own)))
		return err_of(E_CORRUPT);
	audit_sha256(text, &digest);
	manifest_statement(&digest, statement);
	return err_of(note_key_verify(key == NULL ? &own : key,
			  str_of((char *)statement, sizeof statement), sig)
		? E_OK
		: E_BAD_ANSWER);
}

err
manifest_open(struct arena *a, struct str json, const struct note_key *key,
    struct manifest *ret)
{
	static const struct json_limits lim = {4, 64, 1024};
	struct manifest m = {.format = EXPORT_NDJSON};
	const struct json *j, *text;
	struct trail t = {""};
	struct str sig;
	struct buf again;

	if (json.n > MANIFEST_MAX || !err_ok(json_parse(a, json, &lim, &t, &j)))
		return err_of(E_CORRUPT);
	text = json_get(j, STR("manifest"));
	if (text == NULL || text->kind != JSON_OBJECT ||
	    !b64_decode(a, json_str_at(j, STR("signature")), &sig) ||
	    sig.n != MANIFEST_SIG || !members_of(a, text, &m))
		return err_of(E_CORRUPT);
	buf_init_on(&again, a, MANIFEST_MAX);
	manifest_close(text->raw, (const uint8_t *)sig.p, &again);
	if (!str_eq(buf_view(&again), json))
		return err_of(E_CORRUPT);
	TRY(signature(text->raw, sig, key, m.key));
	*ret = m;
	return OK;
}
