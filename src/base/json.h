/*
 * json.h: a strict reader (RFC 8259, UTF-8 only) and a writer.
 *
 * The reader refuses what parsers disagree about: duplicate members, invalid
 * UTF-8 (overlong, surrogates), lone \u surrogates, a byte order mark,
 * leading zeros, anything after the document.  Numbers are kept as text and
 * checked when read as a number, so no digit is lost.  \u0000 is JSON, so a
 * decoded string may hold a NUL: whoever stores text decides about controls.
 *
 * Depth counts containers: `[]` is depth 1.  A document that is refused
 * leaves nothing behind but arena bytes.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/utf8.h"

enum json_kind {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/*
 * One value.  Children of containers are a list in document order.  A string
 * without escapes is a view into the input, so the input must outlive it.
 */
struct json {
	enum json_kind kind;
	uint32_t count;	    /* members or items */
	struct str name;    /* decoded; set when inside an object */
	struct str text;    /* string: decoded; number: as written */
	struct str raw;	    /* the value's exact bytes in the input */
	struct json *child; /* first member or item */
	struct json *next;  /* next sibling */
};

struct json_limits {
	uint32_t depth;	  /* containers inside containers */
	uint32_t members; /* of one object */
	uint32_t values;  /* in the whole document, containers included */
};

/*
 * E_BAD_JSON, E_BAD_UTF8, E_DUPLICATE_KEY, E_TOO_DEEP, E_TOO_MANY,
 * E_NO_MEMORY.  The trail names the byte offset.
 */
err json_parse(struct arena *a, struct str in, const struct json_limits *lim,
    struct trail *t, const struct json **ret) MUST_USE;

/* NULL when absent or when obj is NULL or no object. */
const struct json *json_get(const struct json *obj, struct str name);
/* Walk: for (j = json_first(x); j != NULL; j = j->next) */
static inline const struct json *
json_first(const struct json *container)
{
	return container == NULL ? NULL : container->child;
}
/* Typed reads: false when absent, of another kind or out of range. */
bool json_str(const struct json *j, struct str *ret);
bool json_i64(const struct json *j, int64_t min, int64_t max, int64_t *ret);
bool json_bool(const struct json *j, bool *ret);
/* The string member `name` of obj, or STR_NONE (p == NULL) when absent. */
struct str json_str_at(const struct json *obj, struct str name);

/* ---- writer ---- */

/*
 * Writes into a buf; overflow shows in buf_check.  Commas are its business;
 * names and strings are escaped by RFC 8785 rules: the two-character escapes
 * where they exist, \u00xx for other controls, nothing else.  The caller
 * gives valid UTF-8; invalid bytes are written as U+FFFD.
 */
struct jw {
	struct buf *out;
	uint64_t some; /* bit d: container at depth d has an element */
	unsigned depth;
	bool named; /* a name was written, its value follows */
};

void jw_init(struct jw *w, struct buf *out);
void jw_obj(struct jw *w);
void jw_obj_end(struct jw *w);
void jw_arr(struct jw *w);
void jw_arr_end(struct jw *w);
void jw_name(struct jw *w, struct str name);
void jw_str(struct jw *w, struct str s);     /* p == NULL writes null */
void jw_b64(struct jw *w, struct str bytes); /* as a string, padded */
void jw_i64(struct jw *w, int64_t v);
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
/* Splice text that is known to be one valid JSON value. */
void jw_raw(struct jw *w, struct str json);
/* Splice the members of an object text "{...}" into the open object. */
void jw_raw_members(struct jw *w, struct str object);
/* A parsed value, re-written compactly in its own order. */
void jw_value(struct jw *w, const struct json *j);

#define jw_kstr(w, k, s) (jw_name((w), STR(k)), jw_str((w), (s)))
#define jw_ki64(w, k, v) (jw_name((w), STR(k)), jw_i64((w), (v)))
#define jw_kbool(w, k, v) (jw_name((w), STR(k)), jw_bool((w), (v)))
#define jw_knull(w, k) (jw_name((w), STR(k)), jw_null((w)))
#define jw_kraw(w, k, s) (jw_name((w), STR(k)), jw_raw((w), (s)))
#define jw_kobj(w, k) (jw_name((w), STR(k)), jw_obj((w)))
#define jw_karr(w, k) (jw_name((w), STR(k)), jw_arr((w)))

#endif
