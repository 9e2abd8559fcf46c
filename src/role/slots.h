/*
 * slots.h: a small record that must survive a crash in the middle of being
 * written: two slots of 512 bytes, 4096 apart so that no sector or page
 * holds both, written in turn.  The newest whole one counts; a torn write
 * leaves the one before.  The file is made once, at its full size, and later
 * only its bytes change, so its owner needs an open descriptor and nothing
 * else.
 *
 * A slot: "rdslots1" | u64 counter | u16 n | data, zeros to 480 |
 * SHA-256 of those 480.
 */
#ifndef ROLE_SLOTS_H
#define ROLE_SLOTS_H

#include "base/err.h"
#include "base/str.h"

enum { SLOT_DATA = 462 };

struct slot {
	uint64_t counter; /* 1, 2, ...; 0 = the slot is not whole */
	size_t n;
	uint8_t data[SLOT_DATA];
};

/* Both slots hold data; durable on OK (the directory is the caller's). */
err slots_make(int fd, struct str data) MUST_USE;
/* Newest first; the second may not be whole. E_CORRUPT when neither is. */
err slots_read(int fd, struct slot ret[2]) MUST_USE;
/* Over the older one; counter: of the newest. Durable on OK. */
err slots_write(int fd, uint64_t *counter, struct str data) MUST_USE;

#endif
