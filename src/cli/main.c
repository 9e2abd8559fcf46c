/*
 * main: make the process safe before anything is looked at; then it is a
 * role of a server, or a command.
 *
 * No locale is set anywhere: bytes are UTF-8 and numbers have points.
 */
#include "cli/cli.h"
#include "role/role.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_STRAY = 3, KEEP_MAX = 64, FD_NAMED_MAX = 65535 };

/* A command that was made setuid by mistake would give its caller whatever
 * it can read. */
static bool
is_privileged_by_file(void)
{
	return getauxval(AT_SECURE) != 0 || getuid() != geteuid() ||
	    getgid() != getegid();
}

/* What a file opened later must not be: standard output. */
static bool
has_standard_files(void)
{
	for (int fd = 0; fd < FIRST_STRAY; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", O_RDWR | O_NOCTTY) != fd)
			return false;
	return true;
}

/* Descriptors an argument names: bash's <(command) is /dev/fd/63. */
static size_t
named_files(int argc, char *const *argv, unsigned keep[KEEP_MAX])
{
	static const char *const forms[] = {"/dev/fd/", "/proc/self/fd/"};
	size_t n = 0;

	for (int i = 1; i < argc; i++)
		for (size_t f = 0; f < 2 && n < KEEP_MAX; f++) {
			const char *at = strstr(argv[i], forms[f]);
			uint64_t fd;

			if (at != NULL &&
			    str_u64(str_c(at + strlen(forms[f])), FIRST_STRAY,
				FD_NAMED_MAX, &fd))
				keep[n++] = (unsigned)fd;
		}
	return n;
}

static bool
is_kept(unsigned fd, const unsigned *keep, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (keep[i] == fd)
			return true;
	return false;
}

static void
close_stray_files(int argc, char *const *argv)
{
	unsigned keep[KEEP_MAX], from = FIRST_STRAY, last = 0;
	size_t n = named_files(argc, argv, keep);

	for (size_t i = 0; i < n; i++)
		last = keep[i] > last ? keep[i] : last;
	for (; from <= last; from++)
		if (!is_kept(from, keep, n))
			(void)close((int)from);
	(void)close_range(from, ~0U, 0);
}

static bool
make_safe(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction normal = {.sa_handler = SIG_DFL};
	struct rlimit none = {0, 0};

	(void)umask(077);
	return has_standard_files() && setrlimit(RLIMIT_CORE, &none) == 0 &&
	    sigaction(SIGPIPE, &ignore, NULL) == 0 &&
	    sigaction(SIGCHLD, &normal, NULL) == 0;
}

int
main(int argc, char **argv)
{
	struct trail ignored = {0};
	int rc;

	if (argc < 1 || is_privileged_by_file() || !make_safe()) {
		err_ignore(out_bytes(STDERR_FILENO,
			       STR("redoubt: refused: not started as an "
				   "ordinary program (setuid?)\n"),
			       &ignored),
		    "there is nowhere left to tell it");
		return EXIT_FAILED;
	}
	rc = role_main(argc, argv);
	if (rc >= 0)
		return rc;
	close_stray_files(argc, argv);
	return cli_run((const char *const *)argv + 1, (size_t)argc - 1);
}
