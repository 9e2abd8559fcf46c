#include "tests/t.h"
#include "ui/ui.h"

#include <string.h>

TEST(every_file_is_found_by_its_name)
{
	const char *p, *before = "";
	size_t n = 0;
	bool page;

	for (; (p = ui_path(n)) != NULL; n++) {
		const struct ui_asset *a = ui_find(str_c(p), &page);

		T_OK(strcmp(before, p) < 0);
		before = p;
		if (strcmp(p, "/index.html") == 0) {
			T_OK(a == NULL);
			continue;
		}
		T_OK(a != NULL && strcmp(a->path, p) == 0 && !page);
		T_OK(ui_body(a, UI_IDENTITY).n > 0);
	}
	T_OK(n > 5);
}

TEST(a_page_is_index_html)
{
	bool page;

	T_OK(ui_page(0) != NULL);
	T_OK(ui_find(STR("/login"), &page) != NULL && page);
	T_OK(ui_find(STR("/p/a/incidents"), &page) != NULL && page);
	T_OK(ui_find(STR("/p//incidents"), &page) == NULL);
	T_OK(ui_find(STR("/p/a/b/incidents"), &page) == NULL);
	T_OK(ui_find(STR("/p/a/incidents/"), &page) == NULL);
	T_OK(ui_find(STR("/log"), &page) == NULL);
	T_OK(ui_find(STR("/login2"), &page) == NULL);
	T_OK(ui_find(STR(""), &page) == NULL);
	T_OK(ui_find(str_of(NULL, 0), &page) == NULL);
}

TEST(the_best_coding_that_is_wanted)
{
	static const struct {
		const char *accept;
		enum ui_coding want;
	} rows[] = {
	    {"gzip, deflate, br, zstd", UI_BROTLI},
	    {"gzip", UI_GZIP},
	    {"br;q=0,gzip", UI_GZIP},
	    {"br;q=0.0, gzip;q=0.001", UI_GZIP},
	    {"", UI_IDENTITY},
	    {"*", UI_IDENTITY},
	    {"br;q=", UI_IDENTITY},
	    {"br;q=0.", UI_IDENTITY},
	    {"br;q=1.", UI_BROTLI},
	    {"br;q=1.000", UI_BROTLI},
	    {"br;q=1.001", UI_IDENTITY},
	    {"br;q=1x", UI_IDENTITY},
	    {"br;q=0.5x", UI_IDENTITY},
	    {"br;q=0.0001", UI_IDENTITY},
	    {"br;q=0,5", UI_IDENTITY},
	    {"br;;", UI_IDENTITY},
	    {";,;=,,", UI_IDENTITY},
	};
	bool page;
	const struct ui_asset *a = ui_find(STR("/login"), &page);

	T_OK(a != NULL);
	T_OK(ui_coding(a, str_of(NULL, 0)) == UI_IDENTITY);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		T_OK(ui_coding(a, str_c(rows[i].accept)) == rows[i].want);
	T_OK(ui_body(a, UI_BROTLI).n < ui_body(a, UI_GZIP).n);
}

T_MAIN
