#include <arpa/inet.h>
#include <dirent.h>
#include <ftw.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "harness.h"

/* ---- the victim ---- */

static char memory[64];

/* Tells where its canary is, and whether that is still so. */
int
victim_main(void)
{
	char c;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)snprintf(memory, sizeof memory, "%s", CANARY_TEXT);
	printf("%llu\n", (unsigned long long)(uintptr_t)memory);
	(void)fflush(stdout);
	while (read(0, &c, 1) == 1) {
		c = strcmp(memory, CANARY_TEXT) == 0 ? 'y' : 'n';
		if (write(1, &c, 1) != 1)
			return 1;
	}
	return 0;
}

void
become(unsigned uid)
{
	if (geteuid() == uid)
		return;
	if (setgroups(0, NULL) != 0 || setresgid(uid, uid, uid) != 0 ||
	    setresuid(uid, uid, uid) != 0) {
		perror("become");
		_exit(99);
	}
}

static int to_victim = -1, from_victim = -1;

static void
end_victim(struct scene *s)
{
	if (s->v.pid <= 0)
		return;
	(void)kill(s->v.pid, SIGKILL);
	(void)waitpid(s->v.pid, NULL, 0);
	(void)close(to_victim);
	(void)close(from_victim);
	s->v.pid = 0;
}

static bool
start_victim(struct scene *s)
{
	char *argv[] = {s->self, (char *)(uintptr_t) "victim", NULL};
	char *env[] = {(char *)(uintptr_t) "SECRET=" CANARY_TEXT, NULL};
	char line[64] = {0};
	int in[2], out[2];
	size_t n = 0;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		return false;
	s->v.pid = fork();
	if (s->v.pid == 0) {
		(void)dup2(in[0], 0);
		(void)dup2(out[1], 1);
		become(s->uid);
		(void)execve(argv[0], argv, env);
		_exit(98);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	to_victim = in[1];
	from_victim = out[0];
	while (n < sizeof line - 1 && read(from_victim, line + n, 1) == 1 &&
	    line[n] != '\n')
		n++;
	s->v.addr = strtoull(line, NULL, 10);
	return s->v.addr != 0;
}

bool
scene_victim_changed(const struct scene *s)
{
	char c = '?';

	(void)signal(SIGPIPE, SIG_IGN);
	return waitpid(s->v.pid, NULL, WNOHANG) != 0 ||
	    write(to_victim, &c, 1) != 1 || read(from_victim, &c, 1) != 1 ||
	    c != 'y';
}

/* ---- files ---- */

static bool
copy_self(const char *from, const char *to, mode_t mode)
{
	char b[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	ssize_t n = -1;

	while (in >= 0 && out >= 0 && (n = read(in, b, sizeof b)) > 0)
		if (write(out, b, (size_t)n) != n)
			return false;
	return n == 0 && fchmod(out, mode) == 0 && close(out) == 0 &&
	    close(in) == 0;
}

bool
scene_dir(struct scene *s, const char *self)
{
	char path[192];

	memset(s, 0, sizeof *s);
	s->neighbour_egress = -1;
	(void)snprintf(s->v.dir, sizeof s->v.dir, "/tmp/escape.XXXXXX");
	if (mkdtemp(s->v.dir) == NULL || chmod(s->v.dir, 0755) != 0)
		return false;
	(void)snprintf(path, sizeof path, "%s/bin", s->v.dir);
	if (mkdir(path, 0755) != 0 || chmod(path, 0755) != 0)
		return false;
	(void)snprintf(path, sizeof path, "%s/bin/suid", s->v.dir);
	(void)snprintf(s->self, sizeof s->self, "%s/bin/escape", s->v.dir);
	return copy_self(self, s->self, 0755) && copy_self(self, path, 04755);
}

static bool
write_secret(const struct scene *s)
{
	char path[192];
	int fd;
	bool good;

	(void)snprintf(path, sizeof path, "%s/secret", s->v.dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	good = fd >= 0 &&
	    write(fd, CANARY_TEXT, sizeof CANARY_TEXT - 1) ==
		(ssize_t)sizeof CANARY_TEXT - 1 &&
	    (geteuid() != 0 || fchown(fd, s->uid, s->uid) == 0);
	(void)close(fd);
	return good;
}

bool
scene_files_changed(const struct scene *s)
{
	char path[192], b[128] = {0};
	int fd;
	ssize_t n;

	(void)snprintf(path, sizeof path, "%s/secret", s->v.dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, b, sizeof b - 1);
	(void)close(fd);
	return n < 0 || strcmp(b, CANARY_TEXT) != 0;
}

/* ---- sockets ---- */

static int
inet_listener(int type, int *ret_port)
{
	struct sockaddr_in at;
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
	    on = 1;

	loopback(&at, 0);
	/* Fast open on the server's side, so that the attempt can work. */
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, IPPROTO_TCP, 23, &on, sizeof on);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
	    (type == SOCK_STREAM && listen(fd, 16) != 0) ||
	    getsockname(fd, (struct sockaddr *)&at, &n) != 0)
		return -1;
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static int
unix_listener(const char *name, bool abstract, unsigned uid)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t n = strlen(name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(at.sun_path + (abstract ? 1 : 0), name, n);
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&at,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1)) !=
		0 ||
	    listen(fd, 16) != 0)
		return -1;
	if (!abstract &&
	    (chmod(name, 0777) != 0 ||
		(geteuid() == 0 && chown(name, uid, uid) != 0)))
		return -1;
	return fd;
}

static bool
drained(int fd)
{
	char b[16];
	int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (got < 0 && (errno == EOPNOTSUPP || errno == EINVAL))
		return recv(fd, b, sizeof b, MSG_DONTWAIT) < 0;
	if (got >= 0)
		(void)close(got);
	return got < 0;
}

static bool
reached(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};

	return fd >= 0 && poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0;
}

bool
scene_reached(const struct scene *s)
{
	return reached(s->tcp) || reached(s->udp) || reached(s->abs) ||
	    reached(s->sock) || reached(s->neighbour_egress);
}

/* ---- what is left ---- */

static bool
runs_attempt(const char *pid, const char *self)
{
	char path[300], text[512] = {0};
	size_t n = strlen(self);
	int fd;
	ssize_t got;

	(void)snprintf(path, sizeof path, "/proc/%.200s/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, sizeof text - 1);
	(void)close(fd);
	return got > (ssize_t)n + 8 && strcmp(text, self) == 0 &&
	    strcmp(text + n + 1, "attempt") == 0;
}

int
scene_left(const struct scene *s, bool end)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int n = 0;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' &&
		    runs_attempt(e->d_name, s->self)) {
			n++;
			if (end)
				(void)kill(atoi(e->d_name), SIGKILL);
		}
	(void)closedir(d);
	return n;
}

/* ---- all of it ---- */

bool
scene_open(struct scene *s, unsigned uid)
{
	char path[192];
	char *p;

	s->uid = uid;
	s->v.parent = getpid();
	if (geteuid() == 0 && chown(s->v.dir, uid, uid) != 0)
		return false;
	(void)snprintf(s->v.abs, sizeof s->v.abs, "escape-%d", getpid());
	(void)snprintf(path, sizeof path, "%s/sock", s->v.dir);
	s->tcp = inet_listener(SOCK_STREAM, &s->v.tcp);
	s->udp = inet_listener(SOCK_DGRAM, &s->v.udp);
	s->abs = unix_listener(s->v.abs, true, uid);
	s->sock = unix_listener(path, false, uid);
	s->v.shm = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0666);
	p = shmat(s->v.shm, NULL, 0);
	if (p == (void *)-1)
		return false;
	(void)snprintf(p, 64, "%s", CANARY_TEXT);
	(void)shmdt(p);
	return s->tcp >= 0 && s->udp >= 0 && s->abs >= 0 && s->sock >= 0;
}

bool
scene_reset(struct scene *s)
{
	while (!drained(s->tcp) || !drained(s->udp) || !drained(s->abs) ||
	    !drained(s->sock))
		;
	end_victim(s);
	return write_secret(s) && start_victim(s);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	(void)remove(path);
	return 0;
}

void
scene_close(struct scene *s)
{
	end_victim(s);
	(void)shmctl(s->v.shm, IPC_RMID, NULL);
	(void)nftw(s->v.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
