/*
 * JSONTestSuite: every y_ file is accepted, every n_ file refused, with the
 * exceptions of `decided`, which also says what becomes of each i_ file.
 */
#include "base/json.h"
#include "base/limits.h"
#include "tests/t.h"

#include <dirent.h>

#define DIR_NAME "tests/vectors/json/test_parsing"

static const struct {
	const char *file;
	enum err_code want;
} decided[] = {
    /* The contract: a duplicate member is 400, though RFC 8259 has SHOULD. */
    {"y_object_duplicated_key.json", E_DUPLICATE_KEY},
    {"y_object_duplicated_key_and_value.json", E_DUPLICATE_KEY},
    /* A number is text until somebody wants an integer within bounds. */
    {"i_number_double_huge_neg_exp.json", E_OK},
    {"i_number_huge_exp.json", E_OK},
    {"i_number_neg_int_huge_exp.json", E_OK},
    {"i_number_pos_double_huge_exp.json", E_OK},
    {"i_number_real_neg_overflow.json", E_OK},
    {"i_number_real_pos_overflow.json", E_OK},
    {"i_number_real_underflow.json", E_OK},
    {"i_number_too_big_neg_int.json", E_OK},
    {"i_number_too_big_pos_int.json", E_OK},
    {"i_number_very_big_negative_int.json", E_OK},
    /* A lone surrogate has no UTF-8. */
    {"i_object_key_lone_2nd_surrogate.json", E_BAD_JSON},
    {"i_string_1st_surrogate_but_2nd_missing.json", E_BAD_JSON},
    {"i_string_1st_valid_surrogate_2nd_invalid.json", E_BAD_JSON},
    {"i_string_incomplete_surrogate_and_escape_valid.json", E_BAD_JSON},
    {"i_string_incomplete_surrogate_pair.json", E_BAD_JSON},
    {"i_string_incomplete_surrogates_escape_valid.json", E_BAD_JSON},
    {"i_string_invalid_lonely_surrogate.json", E_BAD_JSON},
    {"i_string_invalid_surrogate.json", E_BAD_JSON},
    {"i_string_inverted_surrogates_U+1D11E.json", E_BAD_JSON},
    {"i_string_lone_second_surrogate.json", E_BAD_JSON},
    /* RFC 8259, 8.1: UTF-8 and nothing else. */
    {"i_string_UTF-8_invalid_sequence.json", E_BAD_UTF8},
    {"i_string_UTF8_surrogate_U+D800.json", E_BAD_UTF8},
    {"i_string_invalid_utf-8.json", E_BAD_UTF8},
    {"i_string_iso_latin_1.json", E_BAD_UTF8},
    {"i_string_lone_utf8_continuation_byte.json", E_BAD_UTF8},
    {"i_string_not_in_unicode_range.json", E_BAD_UTF8},
    {"i_string_overlong_sequence_2_bytes.json", E_BAD_UTF8},
    {"i_string_overlong_sequence_6_bytes.json", E_BAD_UTF8},
    {"i_string_overlong_sequence_6_bytes_null.json", E_BAD_UTF8},
    {"i_string_truncated-utf-8.json", E_BAD_UTF8},
    {"i_string_UTF-16LE_with_BOM.json", E_BAD_JSON},
    {"i_string_utf16BE_no_BOM.json", E_BAD_JSON},
    {"i_string_utf16LE_no_BOM.json", E_BAD_JSON},
    /* RFC 8259, 8.1: a mark MUST NOT be added, and need not be ignored. */
    {"i_structure_UTF-8_BOM_empty_object.json", E_BAD_JSON},
    /* LIM_JSON_DEPTH */
    {"i_structure_500_nested_arrays.json", E_TOO_DEEP},
};

enum { DECIDED = sizeof decided / sizeof decided[0] };

static char text[1 << 20];

static struct str
slurp(const char *name)
{
	char path[400];
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", DIR_NAME, name);
	f = fopen(path, "re");
	if (f == NULL)
		return STR_NONE;
	n = fread(text, 1, sizeof text, f);
	fclose(f);
	return str_of(text, n);
}

static err
parse(const char *name, struct trail *t)
{
	static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
	    LIM_JSON_VALUES};
	struct str in = slurp(name);
	const struct json *j;
	struct arena a;
	err e;

	if (in.p == NULL)
		return err_of(E_IO);
	arena_init(&a, LIM_ARENA);
	e = json_parse(&a, in, &lim, t, &j);
	arena_done(&a);
	return e;
}

static const char *
decision(const char *name)
{
	for (size_t i = 0; i < DECIDED; i++)
		if (strcmp(decided[i].file, name) == 0)
			return name;
	return NULL;
}

static void
check(const char *name)
{
	struct trail t = {""};
	err e = parse(name, &t);

	if (name[0] == 'y' && decision(name) == NULL && !err_ok(e))
		T_FAIL("%s: %s, %s", name, err_name(e), t.detail);
	if (name[0] == 'n' && (err_ok(e) || err_is(e, E_IO)))
		T_FAIL("%s: %s", name, err_name(e));
	if (name[0] == 'n' && strncmp(t.detail, "byte ", 5) != 0)
		T_FAIL("%s: the trail says \"%s\"", name, t.detail);
	if (name[0] == 'i' && decision(name) == NULL)
		T_FAIL("%s is not decided", name);
}

TEST(every_file)
{
	int seen[256] = {0};
	struct dirent *d;
	DIR *dir = opendir(DIR_NAME);

	T_REQUIRE(dir != NULL);
	while ((d = readdir(dir)) != NULL) {
		seen[(unsigned char)d->d_name[0]]++;
		check(d->d_name);
	}
	closedir(dir);
	T_EQ_INT(seen['y'], 95);
	T_EQ_INT(seen['n'], 188);
	T_EQ_INT(seen['i'], 35);
}

TEST(what_is_decided)
{
	for (size_t i = 0; i < DECIDED; i++) {
		struct trail t = {""};
		err e = parse(decided[i].file, &t);

		if (!err_is(e, decided[i].want))
			T_FAIL("%s: %s, %s", decided[i].file, err_name(e),
			    t.detail);
	}
}

T_MAIN
