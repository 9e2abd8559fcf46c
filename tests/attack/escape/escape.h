/*
 * escape.h: what an attempt knows and how it is judged.
 *
 * An attempt is a function that runs inside a sandbox (or, `bare`, outside
 * any) and tries to have an effect.  It answers 0 or more when it believes it
 * had it, else -1 and errno.  Only CLAIM believes it; every other judge looks
 * at the effect from outside.
 */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* Where the victims are: alive, of the same user as the attempt. */
struct victim {
	int pid;       /* a process with a canary in memory and environment */
	uint64_t addr; /* of that canary in its memory */
	int parent;    /* who looks after all this */
	char dir[128]; /* secret, sock, bin/ ... */
	int tcp, udp;  /* ports of 127.0.0.1 */
	char abs[64];  /* an abstract socket */
	int shm;       /* a System V segment with the canary */
};

typedef long attempt_fn(const struct victim *v);

enum judge {
	CLAIM,	/* the attempt's own word: what it got is in the kernel */
	CANARY, /* the victim's secret is in what it wrote or left */
	FILES,	/* a file outside has changed */
	VICTIM, /* the victim is dead or changed */
	NET,	/* somebody outside was reached */
	LEFT,	/* a process of it is left */
	TAKEN,	/* its outputs were taken for good */
};

enum setup {
	PLAIN,
	EGRESS,	  /* with a way out */
	COMPILER, /* with the profile jit */
	NEIGHBOUR /* another step runs, with a canary in /job */
};

enum bare {
	ESC, /* succeeds where there is no sandbox: the oracle works */
	HST, /* does on some hosts */
	DEN, /* an ordinary user is denied it anyway */
	INA, /* makes no sense, or kills us, without a sandbox */
};

enum inside { CONTAINED, BY_DESIGN };

struct attempt {
	const char *name;
	attempt_fn *run;
	enum judge judge;
	enum setup setup;
	enum bare bare;
	enum inside inside;
};

#define ATTEMPT(fn, ...) attempt_fn fn;
#include "escape.def"
#undef ATTEMPT

/* ---- helpers of attempts (tools.c) ---- */

/* Copy a file to standard output; bytes, or -1. */
long leak(const char *path);
/* Write to a file that exists; -1. */
long scribble(const char *path);
long refused(int e); /* errno = e, -1 */
/* fn in a child: its answer; killed by a signal: -1, ECHILD. */
long in_child(long (*fn)(void *), void *arg);
struct sockaddr_in;
/* 127.0.0.1:port */
void loopback(struct sockaddr_in *ret, int port);

#endif
