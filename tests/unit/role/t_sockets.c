/* Addresses to listen on, the control socket, the service manager. */
#include "role/sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/t.h"

static err
listen_on(struct str s, char b[BOUND_MAX])
{
	struct trail t = {{0}};
	int fd = -1;
	err e = listen_tcp(s, &t, &fd, b);

	if (err_ok(e))
		(void)close(fd);
	else
		T_OK(t.detail[0] != '\0');
	return e;
}

TEST(good_addresses)
{
	char b[BOUND_MAX];

	T_GOOD(listen_on(STR("127.0.0.1:0"), b));
	T_OK(strncmp(b, "127.0.0.1:", 10) == 0 && strcmp(b + 10, "0") != 0);
	T_GOOD(listen_on(STR("localhost:0"), b));
	T_OK(strncmp(b, "127.0.0.1:", 10) == 0);
	T_GOOD(listen_on(STR("0.0.0.0:0"), b));
	T_OK(strncmp(b, "0.0.0.0:", 8) == 0);
	if (access("/proc/net/if_inet6", F_OK) == 0) {
		T_GOOD(listen_on(STR("[::1]:0"), b));
		T_OK(strncmp(b, "[::1]:", 6) == 0);
		T_GOOD(listen_on(STR("[::]:0"), b));
	}
}

TEST(bad_addresses)
{
	static const struct str bad[] = {{"", 0}, {"x", 1}, {":1", 2},
	    {"127.0.0.1", 9}, {"127.0.0.1:", 10}, {"127.0.0.1:65536", 15},
	    {"127.0.0.1:-1", 12}, {"127.0.0.1:080", 13}, {"127.0.0.1:80 ", 13},
	    {" 127.0.0.1:80", 13}, {"127.1:80", 8}, {"256.0.0.1:80", 12},
	    {"example.org:80", 14}, {"::1:80", 6}, {"[::1]", 5}, {"[::1]80", 7},
	    {"[::1:80", 7}, {"[]:80", 5}, {"[127.0.0.1]:80", 14},
	    {"[fe80::1%lo]:80", 15}, {"127.0.0.1\0:80", 13},
	    {"127.0.0.1:80:80", 15}};
	char b[BOUND_MAX], big[4096];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_ERR(listen_on(bad[i], b), E_CONFIG);
	memset(big, '1', sizeof big);
	T_ERR(listen_on(str_of(big, sizeof big), b), E_CONFIG);
	big[4000] = ':';
	T_ERR(listen_on(str_of(big, sizeof big), b), E_CONFIG);
	big[0] = '[';
	big[3999] = ']';
	T_ERR(listen_on(str_of(big, 4005), b), E_CONFIG);
}

TEST(an_address_that_is_taken)
{
	struct trail t = {{0}};
	char b[BOUND_MAX], c[BOUND_MAX];
	int fd;

	T_GOOD(listen_tcp(STR("127.0.0.1:0"), &t, &fd, b));
	T_ERR(listen_on(str_c(b), c), E_UNAVAILABLE);
	(void)close(fd);
	T_GOOD(listen_on(str_c(b), c));
}

/* A directory whose path is longer than a socket's may be. */
TEST(control_socket)
{
	char dir[256] = "/tmp/t_sockets.XXXXXX", path[300], name[120];
	struct trail t = {{0}};
	struct datadir d;
	struct stat st;
	int fd, again;

	BUG_ON(mkdtemp(dir) == NULL);
	memset(name, 'd', sizeof name);
	name[0] = '/';
	name[sizeof name - 1] = '\0';
	strcat(dir, name);
	BUG_ON(mkdir(dir, 0700) != 0);
	T_GOOD(datadir_open(dir, &t, &d));
	T_GOOD(listen_control(&d, &t, &fd));
	(void)snprintf(path, sizeof path, "%s/control.sock", dir);
	T_OK(stat(path, &st) == 0 && S_ISSOCK(st.st_mode));
	T_EQ_INT(st.st_mode & 07777, 0600);
	T_GOOD(listen_control(&d, &t, &again)); /* over a stale one */
	(void)close(fd);
	(void)close(again);
	(void)unlink(path);
	(void)rmdir(dir);
	dir[21] = '\0';
	(void)rmdir(dir);
	datadir_close(&d);
}

TEST(no_service_manager)
{
	(void)unsetenv("NOTIFY_SOCKET");
	T_EQ_INT(notify_open(), -1);
	(void)setenv("NOTIFY_SOCKET", "relative", 1);
	T_EQ_INT(notify_open(), -1);
	(void)setenv("NOTIFY_SOCKET", "/nonexistent/x", 1);
	T_EQ_INT(notify_open(), -1);
	notify_say(-1, "READY=1");
	(void)unsetenv("NOTIFY_SOCKET");
}

T_MAIN
