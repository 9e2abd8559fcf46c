/*
 * shredder.h: the thread that destroys what is due (shred.h), from time to
 * time and when it is asked to.
 */
#ifndef FLOW_SHREDDER_H
#define FLOW_SHREDDER_H

#include "flow/shred.h"

struct shredder;

err shredder_start(struct state *st, struct shredder **ret) MUST_USE;
/* A run soon; from any thread. */
void shredder_wake(struct shredder *s);
/* When the last one ended, ms, 0: none did yet; does one go on or wait? */
int64_t shredder_last(struct shredder *s, bool *ret_busy);
/* The thread ends, between two pieces: before readers and writer do; and when
 * nobody can ask it any more. */
void shredder_end(struct shredder *s);
struct shredder *shredder_free(struct shredder *s);

#endif
