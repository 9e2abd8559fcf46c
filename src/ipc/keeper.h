/*
 * keeper.h: the server's side of talking to the keeper: keys, checkpoints,
 * tasks and delegates. Calls block for one round trip (about
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
 *	EXPORT_SIGN  sha256[32]				   -> signature[64]
 *	TASK_SIGN    task[16], delegate[16], u64 issued, u64 expires (ms),
 *			sha256[32]			   -> signature[64]
 *	CERT_SIGN    delegate[16], u32 epoch, key[32], u64 not before, u64 not
 *			after (ms)			   -> certificate, DER
 *	TASK_KEYS    -> task key[32], certificate of the authority, DER
 */
#ifndef IPC_KEEPER_H
#define IPC_KEEPER_H

#include "base/id.h"
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
/* Of an export's manifest with that digest: audit/manifest.h. */
enum { KEEPER_SIGNATURE = 64 };
err keeper_export_sign(const struct ipc_end *e,
    const uint8_t sha256[KEEPER_HASH], uint8_t ret[KEEPER_SIGNATURE]) MUST_USE;
struct keeper_last {
	char origin[128];
	uint64_t size;
	uint8_t root[KEEPER_HASH];
	char vkey[256];	      /* note key text */
	char root_ids[8][17]; /* root key ids, first is primary */
	size_t roots;
};
/* All about now: E_INVALID when a time is more than five minutes from it,
 * a task lives longer than ten minutes, a certificate longer than a day. */
struct keeper_task {
	struct uuid task, delegate;
	int64_t issued, expires;
	uint8_t sha256[KEEPER_HASH]; /* of the envelope */
};
enum { KEEPER_CERT = 768 };
err keeper_task_sign(const struct ipc_end *e, const struct keeper_task *t,
    uint8_t ret[KEEPER_SIGNATURE]) MUST_USE;
struct keeper_cert {
	struct uuid delegate;
	uint32_t epoch;
	uint8_t key[KEEPER_KEY]; /* Ed25519, public */
	int64_t not_before, not_after;
};
err keeper_cert_sign(const struct ipc_end *e, const struct keeper_cert *c,
    struct buf *ret_der) MUST_USE;
/* The public halves of both. */
struct keeper_task_keys {
	uint8_t task[KEEPER_KEY];
	uint8_t ca[KEEPER_CERT];
	size_t ca_n;
};
err keeper_task_keys(const struct ipc_end *e,
    struct keeper_task_keys *ret) MUST_USE;
err keeper_last(const struct ipc_end *e, struct keeper_last *ret) MUST_USE;

#endif
