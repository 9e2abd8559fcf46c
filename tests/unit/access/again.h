/* again.h: an object as text and back. */
#ifndef TESTS_ACCESS_AGAIN_H
#define TESTS_ACCESS_AGAIN_H

#include "access/object.h"
#include "base/limits.h"
#include "tests/unit/access/help.h"

static struct arena arena;

static struct str
encoded(const void *o)
{
	struct buf b;

	buf_init_on(&b, &arena, 1 << 20);
	object_encode(&b, o);
	T_GOOD(buf_check(&b));
	return buf_view(&b);
}

static const void *
again(const void *o)
{
	const struct object *ret = NULL;
	struct str text = encoded(o);
	char *copy = strndup(text.p, text.n);

	T_GOOD(object_decode(&arena, o, str_of(copy, text.n), &ret));
	memset(copy, 'x', text.n); /* nothing may point into the input */
	free(copy);
	if (ret == NULL)
		abort();
	T_EQ_MEM(ret, o, sizeof(struct object));
	T_EQ_STR(encoded(ret), text);
	return ret;
}

#define BEGIN arena_init(&arena, 16 << 20)
#define END arena_done(&arena)

#endif
