#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/wait.h>

#include "escape.h"

long
refused(int e)
{
	errno = e;
	return -1;
}

long
leak(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	char b[4096];
	long sum = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	while ((n = read(fd, b, sizeof b)) > 0 && sum < 65536)
		sum += write(1, b, (size_t)n);
	n = n < 0 ? -1 : 0;
	(void)close(fd);
	return n < 0 ? -1 : sum;
}

long
scribble(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, "pwned\n", 6);
	(void)close(fd);
	return n;
}

long
in_child(long (*fn)(void *), void *arg)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -1;
	if (pid == 0) {
		long n = fn(arg);

		_exit(n >= 0 ? 0 : errno);
	}
	if (waitpid(pid, &status, 0) != pid || WIFSIGNALED(status))
		return refused(ECHILD);
	return WEXITSTATUS(status) == 0 ? 0 : refused(WEXITSTATUS(status));
}

void
loopback(struct sockaddr_in *ret, int port)
{
	memset(ret, 0, sizeof *ret);
	ret->sin_family = AF_INET;
	ret->sin_port = htons((uint16_t)port);
	ret->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}
