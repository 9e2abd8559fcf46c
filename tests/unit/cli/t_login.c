/* The environment and the login file. */
#include "cli/cli.h"
#include "tests/t.h"

#include <sys/stat.h>
#include <unistd.h>

#define TOKEN "rdp_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"

static struct arena arena;
static struct trail trail;
static struct login login;
static char home[64], file[256];

static void
leave_nothing(void)
{
	char dir[128];

	unlink(file);
	snprintf(dir, sizeof dir, "%s/redoubt", home);
	rmdir(dir);
	rmdir(home);
}

static void
fresh(void)
{
	arena_done(&arena);
	arena_init(&arena, 1 << 20);
	trail = (struct trail){0};
	unsetenv("REDOUBT_URL");
	unsetenv("REDOUBT_TOKEN");
	unsetenv("REDOUBT_CA");
	unsetenv("REDOUBT_PROJECT");
	if (home[0] == '\0') {
		char dir[128];

		snprintf(home, sizeof home, "/tmp/redoubt-login-XXXXXX");
		if (mkdtemp(home) == NULL)
			abort();
		atexit(leave_nothing);
		snprintf(dir, sizeof dir, "%s/redoubt", home);
		mkdir(dir, 0700);
		snprintf(file, sizeof file, "%s/login.json", dir);
	}
	setenv("XDG_CONFIG_HOME", home, 1);
	unlink(file);
}

static void
put(const char *text, mode_t mode)
{
	FILE *f = fopen(file, "w");

	fputs(text, f);
	fclose(f);
	chmod(file, mode);
}

#define GOOD                                                                   \
	"{\"url\":\"https://a\",\"ca\":\"/ca\",\"token\":\"" TOKEN             \
	"\",\"project\":\"shop\"}"

TEST(nothing_is_no_login)
{
	fresh();
	T_GOOD(login_load(&arena, &trail, &login));
	T_EQ_INT(login.url.n, 0);
	T_EQ_STR(login.project, STR("default"));
}

TEST(the_file)
{
	fresh();
	put(GOOD, 0600);
	T_GOOD(login_load(&arena, &trail, &login));
	T_EQ_STR(login.url, STR("https://a"));
	T_EQ_STR(login.ca, STR("/ca"));
	T_EQ_STR(login.token, STR(TOKEN));
	T_EQ_STR(login.project, STR("shop"));
}

TEST(the_environment_goes_first)
{
	fresh();
	put(GOOD, 0600);
	setenv("REDOUBT_TOKEN", "other", 1);
	setenv("REDOUBT_PROJECT", "bank", 1);
	T_GOOD(login_load(&arena, &trail, &login));
	T_EQ_STR(login.url, STR("https://a"));
	T_EQ_STR(login.token, STR("other"));
	T_EQ_STR(login.project, STR("bank"));
}

/* The token of one server is never sent to another. */
TEST(the_file_is_for_its_own_server)
{
	fresh();
	put(GOOD, 0600);
	setenv("REDOUBT_URL", "https://evil", 1);
	T_GOOD(login_load(&arena, &trail, &login));
	T_EQ_STR(login.url, STR("https://evil"));
	T_EQ_INT(login.token.n, 0);
	T_EQ_INT(login.ca.n, 0);
	setenv("REDOUBT_URL", "https://a", 1);
	T_GOOD(login_load(&arena, &trail, &login));
	T_EQ_STR(login.token, STR(TOKEN));
}

TEST(a_file_others_can_read_is_refused)
{
	fresh();
	put(GOOD, 0644);
	T_ERR(login_load(&arena, &trail, &login), E_CONFIG);
	put(GOOD, 0620);
	T_ERR(login_load(&arena, &trail, &login), E_CONFIG);
}

TEST(a_link_is_refused)
{
	char other[300];

	fresh();
	put(GOOD, 0600);
	snprintf(other, sizeof other, "%s.real", file);
	rename(file, other);
	T_EQ_INT(symlink(other, file), 0);
	T_ERR(login_load(&arena, &trail, &login), E_CONFIG);
	unlink(other);
}

TEST(a_damaged_file_is_told)
{
	fresh();
	put("{\"url\":", 0600);
	T_ERR(login_load(&arena, &trail, &login), E_CONFIG);
	/* but is not in the way of those who need none */
	setenv("REDOUBT_URL", "https://b", 1);
	setenv("REDOUBT_TOKEN", TOKEN, 1);
	setenv("REDOUBT_PROJECT", "p", 1);
	trail.detail[0] = '\0';
	T_GOOD(login_load(&arena, &trail, &login));
}

TEST(members_of_another_kind_are_none)
{
	fresh();
	put("{\"url\":5,\"token\":[]}", 0600);
	T_GOOD(login_load(&arena, &trail, &login));
	T_EQ_INT(login.url.n, 0);
	T_EQ_INT(login.token.n, 0);
}

TEST(path_needs_a_home)
{
	const char *path;

	fresh();
	setenv("XDG_CONFIG_HOME", "relative", 1);
	setenv("HOME", "/h", 1);
	T_GOOD(login_path(&arena, &trail, &path));
	T_EQ_STR(str_c(path), STR("/h/.config/redoubt/login.json"));
	unsetenv("HOME");
	T_ERR(login_path(&arena, &trail, &path), E_CONFIG);
}

T_MAIN
