/* ui.c: see ui.h. */
#include "ui/ui.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The bytes, from assets.S: where each begins and ends. */
#define PAGE(pattern)
#define ASSET(i, path, type, tag, fixed)                                       \
	extern const char ui_##i##_id[], ui_##i##_id_end[], ui_##i##_br[],     \
	    ui_##i##_br_end[], ui_##i##_gz[], ui_##i##_gz_end[];
#include "ui/assets.def"
#undef ASSET

/* Sorted by path: pack.mjs sorts as strcmp does. */
static const struct ui_asset assets[] = {
#define ASSET(i, path, type, tag, fixed)                                       \
	{path, type, tag, fixed, {ui_##i##_id, ui_##i##_gz, ui_##i##_br},      \
	    {ui_##i##_id_end, ui_##i##_gz_end, ui_##i##_br_end}},
#include "ui/assets.def"
#undef ASSET
#undef PAGE
};

static const char *const pages[] = {
#define ASSET(i, path, type, tag, fixed)
#define PAGE(pattern) pattern,
#include "ui/assets.def"
#undef ASSET
#undef PAGE
};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

struct str
ui_coding_text(enum ui_coding k)
{
	return k == UI_GZIP  ? STR("gzip")
	    : k == UI_BROTLI ? STR("br")
			     : STR("");
}

struct str
ui_body(const struct ui_asset *a, enum ui_coding k)
{
	return str_of(a->body[k], (size_t)(a->end[k] - a->body[k]));
}

static int
by_path(const void *key, const void *asset)
{
	const struct str *k = key;
	const struct ui_asset *a = asset;
	size_t n = strlen(a->path);
	int c = memcmp(k->p, a->path, k->n < n ? k->n : n);

	return c != 0 ? c : k->n < n ? -1 : k->n > n;
}

static const struct ui_asset *
asset(struct str path)
{
	return path.n == 0 ? NULL
			   : bsearch(&path, assets, COUNT_OF(assets),
				 sizeof assets[0], by_path);
}

/* A pattern's `*` stands for one segment that is not empty. */
static bool
fits(struct str path, const char *pattern)
{
	size_t i = 0;

	for (; *pattern != '\0'; pattern++) {
		size_t from = i;

		if (*pattern != '*') {
			if (i == path.n || path.p[i++] != *pattern)
				return false;
			continue;
		}
		while (i < path.n && path.p[i] != '/')
			i++;
		if (i == from)
			return false;
	}
	return i == path.n;
}

const struct ui_asset *
ui_find(struct str path, bool *ret_page)
{
	*ret_page = false;
	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		if (fits(path, pages[i])) {
			*ret_page = true;
			return asset(STR("/index.html"));
		}
	}
	/* the page has one name: its own */
	if (str_is(path, "/index.html"))
		return NULL;
	return asset(path);
}

/* ---- Accept-Encoding (RFC 9110 12.4.2 and 12.5.3) ---- */

/* Is a weight (RFC 9110 12.4.2) that is not nought given, or none?  What is
 * malformed is not wanted. */
static bool
wanted(struct str weight)
{
	bool some;

	if (weight.n == 0)
		return true;
	if (weight.n < 3 || weight.n > 7 ||
	    (weight.p[0] != 'q' && weight.p[0] != 'Q') || weight.p[1] != '=' ||
	    (weight.p[2] != '0' && weight.p[2] != '1') ||
	    (weight.n > 3 && weight.p[3] != '.'))
		return false;
	some = weight.p[2] == '1';
	for (size_t i = 4; i < weight.n; i++) {
		/* at most 1.000 */
		char max = weight.p[2] == '1' ? '0' : '9';

		if (weight.p[i] < '0' || weight.p[i] > max)
			return false;
		some = some || weight.p[i] != '0';
	}
	return some;
}

static bool
accepts(struct str accept, struct str coding)
{
	struct str item, name;

	while (str_cut(accept, ',', &item, &accept) || item.n > 0) {
		struct str weight = STR("");

		(void)str_cut(item, ';', &name, &weight);
		if (str_eq(str_trim(name), coding))
			return wanted(str_trim(weight));
	}
	return false;
}

enum ui_coding
ui_coding(const struct ui_asset *a, struct str accept)
{
	for (int k = UI_BROTLI; k > UI_IDENTITY; k--) {
		if (ui_body(a, (enum ui_coding)k).n > 0 &&
		    accepts(accept, ui_coding_text((enum ui_coding)k)))
			return (enum ui_coding)k;
	}
	return UI_IDENTITY;
}

const char *
ui_path(size_t i)
{
	return i < COUNT_OF(assets) ? assets[i].path : NULL;
}

const char *
ui_page(size_t i)
{
	return i < COUNT_OF(pages) ? pages[i] : NULL;
}
