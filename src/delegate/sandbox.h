/*
 * sandbox.h: one program, alone.
 *
 * A step runs as pid 1's only child in its own user, mount, pid, net, ipc,
 * uts and cgroup namespaces, in a private read-only root of tool directories,
 * with an empty /job in memory that nothing can be executed from, without
 * capabilities, behind Landlock and an allow-list of system calls, within
 * limits.  What it leaves running dies with it.  doc/sandbox.md has the whole.
 *
 * Nothing turns any of it off: what cannot have all that is required is not
 * run (L10).  doctor.h tells what a host lacks.
 *
 * Steps are forked by the zygote, a small process made before the delegate
 * has threads, keys or a large heap.  Each step has a warden, forked by the
 * zygote, which makes the sandbox, keeps the time, kills and cleans up; it
 * talks to the delegate over a socket of the step's own, whose closing kills
 * the step.
 */
#ifndef DELEGATE_SANDBOX_H
#define DELEGATE_SANDBOX_H

#include "base/err.h"
#include "base/str.h"

enum {
	SANDBOX_ARGS = 128,	    /* argv entries */
	SANDBOX_ENV = 128,	    /* variables of the step's own */
	SANDBOX_FDS = 32,	    /* secrets */
	SANDBOX_PATHS = 32,	    /* more tool directories */
	SANDBOX_ID = 64,	    /* bytes of an id */
	SANDBOX_SECRET = 60 * 1024, /* bytes of one secret */
	SANDBOX_FIRST_SECRET = 3,   /* descriptor of the first */
	SANDBOX_UID = 1000,	    /* who a step is, inside */
	SANDBOX_EGRESS_PORT = 3128, /* on 127.0.0.1 */
	SANDBOX_GRACE_MS = 2000,    /* from SIGTERM to the end */
};

/* Where the text of a script lies inside. */
#define SANDBOX_SCRIPT "/step/script"

/* Which system calls: each includes the one before (calls.def). */
enum sandbox_profile {
	SANDBOX_BASE,	/* programs that read, write and fork */
	SANDBOX_INTERP, /* shells, Python, Perl */
	SANDBOX_JIT,	/* writable code: Node, Java */
	SANDBOX_PROFILES
};

enum sandbox_end {
#define SANDBOX_END(name, code, meaning) name,
#include "delegate/sandbox_ends.def"
#undef SANDBOX_END
	SANDBOX_ENDS
};
const char *sandbox_end_code(enum sandbox_end e);    /* "timed_out" */
const char *sandbox_end_meaning(enum sandbox_end e); /* one sentence */

/* 0: the default in brackets; more than the most in limits.def: E_LIMIT. */
struct sandbox_limits {
	uint32_t wall_s;     /* [600] then SIGTERM, and 2 s later the end */
	uint32_t cpu_s;	     /* [wall_s] of one process */
	uint32_t memory_mb;  /* [512] all processes together, with /job */
	uint32_t pids;	     /* [64] processes and threads */
	uint32_t work_mb;    /* [64] in /job */
	uint32_t outputs_kb; /* [64] /job/outputs.json */
};

/*
 * What to run.  Everything is copied before zygote_run returns.
 */
struct sandbox_spec {
	struct str id; /* of the step, [A-Za-z0-9_-]{1,64} */
	enum sandbox_profile profile;
	struct sandbox_limits limits;
	/* argv[0]: absolute path of the program inside.  Never shell text:
	 * each entry arrives as it is; no NUL. */
	const struct str *argv;
	size_t argv_n;
	/* Lies in SANDBOX_SCRIPT, read-only; none when empty.  argv has
	 * to name it. */
	struct str script;
	/* "NAME=value", besides PATH, LANG, HOME and TMPDIR (/job),
	 * REDOUBT_STEP, and HTTPS_PROXY with egress.  What makes programs run
	 * code (env_refused.def: LD_PRELOAD, BASH_ENV, ...) is E_INVALID. */
	const struct str *env;
	size_t env_n;
	/* Each can be read once from descriptor 3, 4, ... in this order, and
	 * is nowhere else: no file, no argument, no variable.  Tell the step
	 * which is which by a variable with the number, if it must be told. */
	const struct str *secrets;
	size_t secrets_n;
	/* A listening TCP socket on 127.0.0.1:3128 of the sandbox's own, else
	 * empty, network comes with SANDBOX_STARTED: give it to the broker.
	 * Nothing else answers inside. */
	bool egress;
};

struct zygote;

struct zygote_conf {
	/* Paths that steps see besides closure.def, read-only, where they
	 * are here: tool directories of the delegate's policy. */
	const char *const *paths;
	size_t paths_n;
	/* Steps at once; [256]. */
	unsigned steps;
};

/*
 * Fork the zygote.  Call it first: before threads, keys and connections.
 * Tries everything a sandbox needs and runs one: E_DENIED with a trail that
 * names what the host lacks, and then nothing can be run.  When the delegate
 * ends, so do the zygote and all steps.
 */
err zygote_start(const struct zygote_conf *c, struct trail *t,
    struct zygote **ret) MUST_USE;
/* Kills all steps, waits for their end; NULL in, NULL out. */
struct zygote *zygote_stop(struct zygote *z);
int zygote_pid(const struct zygote *z);
/* "cgroup2", "cgroup1" or "rlimit": what holds memory and processes. */
const char *zygote_level(const struct zygote *z);

/* A step under way; the descriptors are the caller's, sandbox_done closes
 * those that are left. */
struct sandbox {
	int control;  /* readable: sandbox_next has something */
	int out, err; /* its standard output and error, to read */
};

/*
 * Start a step; any thread.  Does not wait for it.  E_INVALID (with a trail),
 * E_LIMIT; E_UNAVAILABLE: the zygote is gone, or has all the steps it may.
 */
err zygote_run(struct zygote *z, const struct sandbox_spec *s, struct trail *t,
    struct sandbox *ret) MUST_USE;

enum sandbox_what {
	SANDBOX_STARTED, /* the program runs; at most once */
	SANDBOX_ENDED,	 /* last; nothing of the step runs any more */
};

enum sandbox_outputs {
	SANDBOX_NO_OUTPUTS,  /* there is no /job/outputs.json */
	SANDBOX_OUTPUTS,     /* fd reads it */
	SANDBOX_BAD_OUTPUTS, /* a link, no regular file, too large, ... */
};

struct sandbox_event {
	enum sandbox_what what;
	/* SANDBOX_STARTED with egress: a listening socket; else -1.  The
	 * caller closes it. */
	int egress;
	/* the rest: SANDBOX_ENDED */
	enum sandbox_end end;
	int status; /* exit status; -1: a signal, or it never ran */
	int signal; /* 0: none */
	int64_t wall_ms, cpu_ms;
	int64_t memory; /* bytes at the highest; 0: not known */
	enum sandbox_outputs outputs_kind;
	int outputs; /* a file to read from its beginning, or -1; the
		       * caller closes it */
	size_t outputs_n;
	struct trail detail; /* why it was refused, what is bad */
};

/* The next event, waiting at most ms (-1: for ever).  E_TIMEOUT: none yet.
 * A step whose warden is gone has SANDBOX_ENDED with SANDBOX_LOST. */
err sandbox_next(struct sandbox *s, int ms, struct sandbox_event *ret) MUST_USE;
/* SIGTERM now, the end in 2 s; `now` without the 2 s.  SANDBOX_ENDED comes
 * all the same. */
void sandbox_kill(struct sandbox *s, bool now);
/* Close what is left; kills what still runs. */
void sandbox_done(struct sandbox *s);

#endif
