/*
 * harness.h: the victims of the attempts: a process with a canary in memory
 * and environment, files, sockets, shared memory; and what has happened to
 * them.  All belong to the user the attempts run as.
 */
#ifndef ESCAPE_HARNESS_H
#define ESCAPE_HARNESS_H

#include "escape.h"

#define CANARY_TEXT "canary-5f3b9c1e-nobody-may-read-this"

struct scene {
	struct victim v;
	unsigned uid;
	int tcp, udp, abs, sock; /* listeners */
	int neighbour_egress;	 /* of another step; -1 */
	char self[256];		 /* the program as attempts find it */
};

/* The directory, with copies of ourselves for uid and (as root) setuid. */
bool scene_dir(struct scene *s, const char *self);
/* All else, for uid. */
bool scene_open(struct scene *s, unsigned uid);
void scene_close(struct scene *s);
/* A new victim, a fresh secret, empty listeners. */
bool scene_reset(struct scene *s);
/* A process of ours that is somebody else. */
void become(unsigned uid);

bool scene_files_changed(const struct scene *s);
bool scene_victim_changed(const struct scene *s);
bool scene_reached(const struct scene *s);
/* Processes that run an attempt; with `end` they are killed. */
int scene_left(const struct scene *s, bool end);
/* What victims run. */
int victim_main(void);

#endif
