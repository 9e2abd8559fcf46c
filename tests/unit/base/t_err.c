#include "tests/t.h"

TEST(rows_are_complete)
{
	for (int i = 0; i < E_MAX_; i++) {
		err e = err_of((enum err_code)i);

		T_OK(strlen(err_name(e)) > 0);
		T_OK(strlen(err_text(e)) > 0);
		T_OK(err_status(e) >= 200 && err_status(e) < 600);
		T_OK(err_exit(e) >= 0 && err_exit(e) <= 8);
		for (int k = 0; k < i; k++)
			T_OK(strcmp(err_name(err_of((enum err_code)k)),
				 err_name(e)) != 0);
	}
}

TEST(contract_rows)
{
	T_OK(strcmp(err_name(OK), "ok") == 0);
	T_EQ_INT(err_exit(OK), 0);
	T_EQ_INT(err_status(err_of(E_STALE)), 412);
	T_EQ_INT(err_exit(err_of(E_STALE)), 5);
	T_OK(strcmp(err_name(err_of(E_UNKNOWN_MEMBER)), "unknown_member") == 0);
	T_EQ_INT(err_status(err_of(E_DUPLICATE_KEY)), 400);
}

TEST(a_code_out_of_range_is_internal)
{
	err e = {60000};

	T_OK(strcmp(err_name(e), "internal") == 0);
	T_EQ_INT(err_status(e), 500);
	T_EQ_INT(err_exit(e), 1);
}

static err
passes(err e)
{
	TRY(e);
	return err_of(E_CONFLICT);
}

TEST(try_returns_only_errors)
{
	T_ERR(passes(err_of(E_IO)), E_IO);
	T_ERR(passes(OK), E_CONFLICT);
}

TEST(trail_keeps_the_first_detail)
{
	struct trail t = {""};

	trail_set(&t, "member %s", "a");
	trail_set(&t, "later");
	T_OK(strcmp(t.detail, "member a") == 0);
	trail_set(NULL, "nobody listens");
}

TEST(trail_replaces_what_is_no_printable_ascii)
{
	struct trail t = {""};

	trail_set(&t, "a\033[31m\n\xc3\xa4\x7f");
	T_OK(strcmp(t.detail, "a?[31m????") == 0);
}

TEST(trail_is_cut_at_its_size)
{
	struct trail t = {""};
	char big[500];

	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	trail_set(&t, "%s", big);
	T_EQ_INT(strlen(t.detail), 191);
}

T_MAIN
