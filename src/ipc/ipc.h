/*
 * ipc.h: messages between roles over AF_UNIX SOCK_SEQPACKET pairs made by
 * the supervisor.  One packet is one message: u16 type, u16 reserved (0),
 * then a body read by exact consumption.  Who may say what stands in
 * ipc.def; anything else is E_PEER and ends the connection.  The sender is
 * known by the descriptor, never by a field.
 */
#ifndef IPC_IPC_H
#define IPC_IPC_H

#include "base/buf.h"

/* EGRESS is the child of IDP that may connect. */
enum ipc_role { SUPERVISOR, SERVER, KEEPER, IDP, EGRESS, IPC_ROLES };

enum ipc_type {
#define MSG(name, from, to, max, fds, meaning) name,
#include "ipc/ipc.def"
#undef MSG
	IPC_MAX_
};

enum { IPC_FDS = 16 };

struct ipc_msg {
	enum ipc_type type;
	struct str body;  /* in the caller's buffer */
	int fds[IPC_FDS]; /* received; the caller owns them */
	size_t fds_n;
};

/* An end of a pair: who I am, who the other is. */
struct ipc_end {
	int fd;
	enum ipc_role self, peer;
};

err ipc_pair(enum ipc_role a, enum ipc_role b, struct ipc_end *ret_a,
    struct ipc_end *ret_b) MUST_USE;
/* E_PEER when self may not say that to peer; E_UNAVAILABLE: peer is gone.
 * The descriptors stay the caller's. */
err ipc_send(const struct ipc_end *e, enum ipc_type t, struct str body,
    const int *fds, size_t fds_n) MUST_USE;
/* Waits at most ms (-1 for ever). buf holds LIM_IPC bytes. E_TIMEOUT, E_PEER,
 * E_UNAVAILABLE on end of file. Descriptors arrive close-on-exec; there are
 * none after an error. */
err ipc_recv(const struct ipc_end *e, int ms, char *buf, size_t buf_n,
    struct ipc_msg *ret) MUST_USE;
/* Send and wait for the one answer type; everything else is E_PEER.  Any
 * error ends the connection for good: an answer that comes too late must
 * never be taken for the answer to the next question. */
err ipc_call(const struct ipc_end *e, enum ipc_type ask, struct str body,
    enum ipc_type answer, int ms, char *buf, size_t buf_n,
    struct ipc_msg *ret) MUST_USE;

/* Close what a message brought and nobody took. */
void ipc_msg_drop(struct ipc_msg *m);
/* "IPC_SIGN", for the log. */
const char *ipc_type_name(enum ipc_type t);

#endif
