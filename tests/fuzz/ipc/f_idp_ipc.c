/*
 * What server and idp role say to each other: bodies decode to what encodes
 * back, and the server's side survives whatever the role answers.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "ipc/idpwire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
bodies(struct str in)
{
	static const enum ipc_type types[] = {IPC_OIDC_TOKEN, IPC_OIDC_JWKS,
	    IPC_OIDC_META};
	char back[IDP_ASK_MAX];
	struct idp_answer a;
	struct idp_document d;
	struct idp_ask q;
	struct buf b;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < 3; i++)
		if (err_ok(idp_ask_decode(types[i], in, &q))) {
			size_t k = idp_ask_encode(back, types[i], &q);

			BUG_ON(!str_eq(str_of(back, k), str_skip(in, 4)));
		}
	if (err_ok(idp_answer_decode(in, &a))) {
		idp_answer_encode(&b, &a);
		BUG_ON(!str_eq(buf_view(&b), in));
	}
	buf_clear(&b);
	if (err_ok(idp_document_decode(in, &d))) {
		idp_document_encode(&b, &d);
		BUG_ON(!str_eq(buf_view(&b), in));
	}
	buf_done(&b);
}

/* A role that says this, then goes. */
static void
hostile_role(struct str in)
{
	int fds[IDP_LINKS];
	struct ipc_end far[IDP_LINKS];
	struct idp_client *c;
	enum idp_status why;
	struct buf b;

	if (!err_ok(idp_client_new(&c)))
		return;
	for (size_t i = 0; i < IDP_LINKS; i++) {
		struct ipc_end near;

		BUG_ON(!err_ok(ipc_pair(SERVER, EGRESS, &near, &far[i])));
		fds[i] = near.fd;
		(void)send(far[i].fd, in.p, in.n, MSG_NOSIGNAL);
		(void)shutdown(far[i].fd, SHUT_WR);
	}
	if (!err_ok(idp_client_egress(c, in, fds, IDP_LINKS)))
		BUG_ON(!err_ok(
		    idp_client_egress(c, STR("\1\4corp"), fds, IDP_LINKS)));
	buf_init(&b, IDP_ANSWER);
	if (err_ok(idp_oidc_jwks(c, STR("corp"), &b, &why)))
		BUG_ON(why != IDP_OK || b.n == 0);
	buf_done(&b);
	c = idp_client_free(c);
	for (size_t i = 0; i < IDP_LINKS; i++)
		(void)close(far[i].fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = str_of((const char *)data, n);

	if (n > LIM_IPC)
		return 0;
	bodies(in);
	hostile_role(in);
	return 0;
}
