/*
 * decode_read.h: inside access only.  Reading members of an object's text.
 */
#ifndef ACCESS_DECODE_READ_H
#define ACCESS_DECODE_READ_H

#include "access/object.h"
#include "base/limits.h"
#include "base/text.h"

/* Reading members: a missing one gives zero, a wrong one marks it bad. */
struct reader {
	struct arena *a;
	const struct json *obj;
	bool bad;
};

static inline const struct json *
member(struct reader *r, struct str name)
{
	return json_get(r->obj, name);
}

static inline struct str
get_str(struct reader *r, struct str name)
{
	const struct json *j = member(r, name);
	struct str s = STR_NONE;

	if (j != NULL && j->kind != JSON_NULL && !json_str(j, &s))
		r->bad = true;
	return s;
}

static inline int64_t
get_num(struct reader *r, struct str name, int64_t min, int64_t max)
{
	const struct json *j = member(r, name);
	int64_t v = 0;

	if (j != NULL && !json_i64(j, min, max, &v))
		r->bad = true;
	return v;
}

static inline bool
get_bool(struct reader *r, struct str name)
{
	const struct json *j = member(r, name);
	bool v = false;

	if (j != NULL && !json_bool(j, &v))
		r->bad = true;
	return v;
}

static inline struct uuid
uuid_of(struct reader *r, const struct json *j)
{
	struct uuid u = {{0}};
	struct str s;

	if (j != NULL && (!json_str(j, &s) || !uuid_parse(s, &u)))
		r->bad = true;
	return u;
}

static inline struct uuid
get_uuid(struct reader *r, struct str name)
{
	return uuid_of(r, member(r, name));
}

static inline enum principal_kind
get_kind(struct reader *r, struct str name)
{
	struct str s = get_str(r, name);
	enum principal_kind k = (enum principal_kind)0;

	if (s.n > 0 && !principal_kind_parse(s, &k))
		r->bad = true;
	return k;
}

/* The items of an array of at most max, and an array for them. */
static inline const struct json *
get_array(struct reader *r, struct str name, size_t max, size_t size,
    void **ret, size_t *ret_n)
{
	const struct json *j = member(r, name);

	*ret = NULL;
	*ret_n = 0;
	if (j == NULL)
		return NULL;
	if (j->kind != JSON_ARRAY || j->count > max) {
		r->bad = true;
		return NULL;
	}
	*ret = arena_array(r->a, j->count, size);
	if (*ret == NULL)
		return NULL; /* told by arena_check */
	*ret_n = j->count;
	return json_first(j);
}

/* A permission that this server does not know permits nothing here. */
static inline struct permset
get_perms(struct reader *r, struct str name)
{
	const struct json *j = member(r, name);
	struct permset set = {{0, 0}};
	enum permission p;
	struct str s;

	if (j != NULL && j->kind != JSON_ARRAY)
		r->bad = true;
	for (j = r->bad ? NULL : json_first(j); j != NULL; j = j->next) {
		if (!json_str(j, &s))
			r->bad = true;
		else if (perm_parse(s, &p))
			permset_add(&set, p);
	}
	return set;
}

static inline void
get_digest(struct reader *r, struct str name, uint8_t ret[DIGEST_SIZE])
{
	struct str hex = get_str(r, name);

	if (hex.n != 0 && !hex_decode(hex, ret, DIGEST_SIZE))
		r->bad = true;
}

static inline const struct str *
get_strs(struct reader *r, struct str name, size_t *ret_n)
{
	const struct json *j;
	struct str *s;
	void *list;

	j = get_array(r, name, LIM_LIST, sizeof *s, &list, ret_n);
	for (s = list; j != NULL; j = j->next)
		if (!json_str(j, s++))
			r->bad = true;
	return list;
}

static inline uint32_t
get_u32(struct reader *r, struct str name)
{
	return (uint32_t)get_num(r, name, 0, UINT32_MAX);
}

static inline const struct uuid *
get_uuids(struct reader *r, struct str name, size_t *ret_n)
{
	const struct json *j;
	struct uuid *u;
	void *list;

	j = get_array(r, name, LIM_LIST, sizeof *u, &list, ret_n);
	for (u = list; j != NULL; j = j->next)
		*u++ = uuid_of(r, j);
	return list;
}

/* decode_automation.c: what runs things; NULL: not one of these. */
const struct object *decode_automation(struct reader *r,
    const struct object *head);

#endif
