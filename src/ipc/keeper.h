/*
 * keeper.h: the server's side of talking to the keeper: three verbs (keys,
 * checkpoints, and later tasks). Calls block for one round trip (about
 * 15 us plus the work); the end must be used by one thread at a time.
 *
 * The bodies, big-endian, each answer beginning with u16 error code and, on
 * an error, ending there:
 *	KEY_UNWRAP   u32 project, u32 version, wrapped	   -> key[32]
 *	KEY_NEW	     u32 project, u32 version		   -> key[32], wrapped
 *	KEY_REWRAP   u32 project, u32 version, wrapped	   -> wrapped
 *	SIGN	     u64 size, root[32], u8 n, n x hash[32] -> note
 *	LAST_SIGNED  -> u64 size, root[32], u8 n, origin, u8 n, vkey,
 *			u8 n, n x root id[16]
 */
#ifndef IPC_KEEPER_H
#define IPC_KEEPER_H

#include "ipc/ipc.h"

enum { KEEPER_KEY = 32, KEEPER_HASH = 32, KEEPER_PROOF = 64 };

err keeper_key_new(const struct ipc_end *e, uint32_t project, uint32_t version,
    uint8_t ret_key[KEEPER_KEY], struct buf *ret_wrapped) MUST_USE;
err keeper_key_unwrap(const struct ipc_end *e, uint32_t project,
    uint32_t version, struct str wrapped, uint8_t ret_key[KEEPER_KEY]) MUST_USE;
err keeper_key_rewrap(const struct ipc_end *e, uint32_t project,
    uint32_t version, struct str wrapped, struct buf *ret_wrapped) MUST_USE;
/* proof: n hashes of 32 bytes. E_BAD_ANSWER: the keeper refuses, because
 * this is no extension of what it signed last. */
err keeper_sign(const struct ipc_end *e, uint64_t size,
    const uint8_t root[KEEPER_HASH], const uint8_t (*proof)[KEEPER_HASH],
    size_t n, struct buf *ret_note) MUST_USE;
struct keeper_last {
	char origin[128];
	uint64_t size;
	uint8_t root[KEEPER_HASH];
	char vkey[256];	      /* note key text */
	char root_ids[8][17]; /* root key ids, first is primary */
	size_t roots;
};
err keeper_last(const struct ipc_end *e, struct keeper_last *ret) MUST_USE;

#endif
