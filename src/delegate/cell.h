/*
 * cell.h: the making of one sandbox, in order, and what its parts say to
 * each other.
 *
 *	warden (outside)	clone3 of pid 1 in all namespaces, maps of ids,
 *				cgroup; from here on it is a spare that waits
 *	pid 1			cgroup of version 1, ids, root (root.c)
 *	warden			limits of the cgroup, the step's packet to pid 1
 *	pid 1			/job, script, listener, capabilities,
 *				no_new_privs, then forks the payload
 *	payload			limits, Landlock, seccomp, execve (payload.c)
 *	pid 1			reaps, watches memory, tells the warden
 *	warden			time, kill, outputs, cleaning up
 *
 * The zygote keeps a few spares, so that a step does not wait for what the
 * kernel is slowest at; each is used once, for one step.
 *
 * Each step names itself in the trail when it fails, and then nothing runs.
 */
#ifndef DELEGATE_CELL_H
#define DELEGATE_CELL_H

#include "delegate/cgroup.h"
#include "delegate/filter.h"
#include "delegate/spec.h"

enum {
	CELL_NOTE_TEXT = 160,
	CELL_HIGH_FD = 128, /* above what a step's own may be */
};

/* Who a step is to the host, and what it is made of. */
struct cell {
	struct step *step;	     /* filled in when the packet is here */
	struct filter (*filters)[2]; /* [profile][egress] */
	const struct zygote_conf *conf;
	enum cgroup_level level;
	bool privileged;	 /* the zygote is root: a uid of the pool */
	unsigned uid, gid;	 /* on the host */
	int link;		 /* pid 1's end to the warden */
	int doors[CGROUP_TREES]; /* of its cgroup, to go in */
};

/* From pid 1 to the warden; one packet each. */
enum note_kind {
	NOTE_STARTED, /* with /job, and with the listener if there is egress */
	NOTE_FAILED,  /* text: why; nothing ran */
	NOTE_ENDED,   /* status: as of wait */
	NOTE_MEMORY,  /* too much of it; pid 1 ends now */
};
struct note {
	enum note_kind kind;
	int status;
	char text[CELL_NOTE_TEXT];
};
/* From the warden to pid 1: one byte when its ids are mapped, the packet of
 * spec.h with its descriptors, later one byte for SIGTERM. */
enum order { ORDER_MAPPED = 'm', ORDER_TERM = 't' };

/* Sends with descriptors; false: the other end is gone. */
bool note_send(int link, const struct note *n, const int *fds, size_t fds_n);
/* 1 a note, 0 the end, -1 none yet (EAGAIN) or nonsense. Descriptors
 * arrive close-on-exec; fds has room for 2. */
int note_receive(int link, struct note *ret, int fds[2], size_t *ret_fds_n);

/* A packet of spec.h with its descriptors, as it came. ret: its bytes, 0 the
 * end, -1 errno. */
enum { PACKET_FDS = SPEC_FDS };
bool packet_send(int to, struct str packet, const int *fds, size_t fds_n);
ssize_t packet_receive(int from, char *buf, size_t max, int fds[PACKET_FDS],
    size_t *ret_fds_n);

/* "what: why" of errno, E_DENIED. */
err cell_failed(struct trail *t, const char *what) MUST_USE;

/* Into a file there is, of /proc or of a cgroup, at once. */
bool cell_put(const char *path, const char *text);

/* init.c: pid 1; only ever returns by _exit. */
_Noreturn void init_main(struct cell *c);
/* root.c: the private root, entered; then what is of the step, and nothing
 * can be written any more.  *ret_job gets an O_PATH descriptor of /job. */
err root_make(const struct cell *c, struct trail *t) MUST_USE;
err root_finish(const struct step *s, struct trail *t, int *ret_job) MUST_USE;
/* payload.c: in the memory of pid 1, which stands still until execve; what
 * has failed is in *t. */
_Noreturn void payload_main(const struct cell *c, struct trail *t);
/* No capability that is not had already, then none in any set, and none to
 * be had back. */
err payload_bound_caps(struct trail *t) MUST_USE;
err payload_no_caps(struct trail *t) MUST_USE;
/* warden.c: its step comes as a packet on `sock`. */
_Noreturn void warden_main(struct cell *c, struct cgroups *groups,
    unsigned slot, int sock);

#endif
