/* Messages: who may say what, how long, with which descriptors. */
#include "ipc/ipc.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "tests/t.h"

static char buf[LIM_IPC];
static const char zeros[LIM_IPC];

static const struct {
	enum ipc_role from, to;
	size_t max, fds;
} rule[] = {
#define MSG(name, from, to, max, fds, meaning) {from, to, max, fds},
#include "ipc/ipc.def"
#undef MSG
};

static void
ends_close(struct ipc_end *a, struct ipc_end *b)
{
	(void)close(a->fd);
	(void)close(b->fd);
}

static int
open_fds(void)
{
	int n = 0;

	for (int i = 0; i < 256; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

TEST(every_message_goes_its_way_and_no_other)
{
	for (int t = 0; t < IPC_MAX_; t++)
		for (int from = 0; from < IPC_ROLES; from++)
			for (int to = 0; to < IPC_ROLES; to++) {
				struct ipc_end a, b;
				struct ipc_msg m;
				bool may = (int)rule[t].from == from &&
				    (int)rule[t].to == to;

				T_GOOD(ipc_pair((enum ipc_role)from,
				    (enum ipc_role)to, &a, &b));
				if (!may) {
					T_ERR(ipc_send(&a, (enum ipc_type)t,
						  STR("x"), NULL, 0),
					    E_PEER);
					ends_close(&a, &b);
					continue;
				}
				T_GOOD(ipc_send(&a, (enum ipc_type)t, STR("x"),
				    NULL, 0));
				T_GOOD(ipc_recv(&b, 0, buf, sizeof buf, &m));
				T_EQ_INT(m.type, t);
				T_EQ_STR(m.body, STR("x"));
				T_EQ_INT(m.fds_n, 0);
				ends_close(&a, &b);
			}
}

/* The receiver decides by its own table, whatever the sender believes. */
TEST(receiver_refuses_what_the_sender_may_not_say)
{
	for (int t = 0; t < IPC_MAX_; t++) {
		struct ipc_end a, b;
		struct ipc_msg m;

		T_GOOD(ipc_pair(SERVER, KEEPER, &a, &b));
		a.self = rule[t].from;
		a.peer = rule[t].to;
		T_GOOD(ipc_send(&a, (enum ipc_type)t, STR("x"), NULL, 0));
		if (rule[t].from == SERVER && rule[t].to == KEEPER)
			T_GOOD(ipc_recv(&b, 0, buf, sizeof buf, &m));
		else
			T_ERR(ipc_recv(&b, 0, buf, sizeof buf, &m), E_PEER);
		ends_close(&a, &b);
	}
}

TEST(length_at_n_and_n_plus_1)
{
	for (int t = 0; t < IPC_MAX_; t++) {
		struct ipc_end a, b;
		struct ipc_msg m;
		char raw[LIM_IPC];

		T_GOOD(ipc_pair(rule[t].from, rule[t].to, &a, &b));
		T_GOOD(ipc_send(&a, (enum ipc_type)t,
		    str_of(zeros, rule[t].max), NULL, 0));
		T_GOOD(ipc_recv(&b, 0, buf, sizeof buf, &m));
		T_EQ_INT(m.body.n, rule[t].max);
		T_ERR(ipc_send(&a, (enum ipc_type)t,
			  str_of(zeros, rule[t].max + 1), NULL, 0),
		    E_PEER);
		memset(raw, 0, sizeof raw);
		raw[1] = (char)t;
		T_EQ_INT(send(a.fd, raw, 4 + rule[t].max + 1, 0),
		    4 + rule[t].max + 1);
		T_ERR(ipc_recv(&b, 0, buf, sizeof buf, &m), E_PEER);
		ends_close(&a, &b);
	}
}

TEST(descriptors_arrive_close_on_exec_and_at_most_n)
{
	int fds[IPC_FDS + 1], before = open_fds();

	for (int i = 0; i <= IPC_FDS; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (int t = 0; t < IPC_MAX_; t++) {
		struct ipc_end a, b;
		struct ipc_msg m;

		T_GOOD(ipc_pair(rule[t].from, rule[t].to, &a, &b));
		T_ERR(ipc_send(&a, (enum ipc_type)t, STR("x"), fds,
			  rule[t].fds + 1),
		    E_PEER);
		T_GOOD(
		    ipc_send(&a, (enum ipc_type)t, STR("x"), fds, rule[t].fds));
		T_GOOD(ipc_recv(&b, 0, buf, sizeof buf, &m));
		T_EQ_INT(m.fds_n, rule[t].fds);
		for (size_t i = 0; i < m.fds_n; i++)
			T_EQ_INT(fcntl(m.fds[i], F_GETFD), FD_CLOEXEC);
		ipc_msg_drop(&m);
		ends_close(&a, &b);
	}
	for (int i = 0; i <= IPC_FDS; i++)
		(void)close(fds[i]);
	T_EQ_INT(open_fds(), before);
}

/* A hostile peer cannot fill our descriptor table with refused messages. */
TEST(refused_descriptors_are_closed)
{
	struct ipc_end a, b;
	struct ipc_msg m;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), n;
	int fds[IPC_FDS];

	for (int i = 0; i < IPC_FDS; i++)
		fds[i] = fd;
	T_GOOD(ipc_pair(SERVER, KEEPER, &a, &b));
	n = open_fds();
	a.self = SUPERVISOR;
	a.peer = SERVER;
	T_GOOD(ipc_send(&a, IPC_CONFIG, STR("x"), fds, IPC_FDS));
	T_ERR(ipc_recv(&b, 0, buf, sizeof buf, &m), E_PEER);
	T_EQ_INT(open_fds(), n);
	ends_close(&a, &b);
	(void)close(fd);
}

TEST(malformed_heads_are_refused)
{
	static const struct {
		unsigned char b[6];
		size_t n;
	} bad[] = {
	    {{0}, 1},
	    {{0, IPC_LAST_SIGNED, 0}, 3},
	    {{0, IPC_LAST_SIGNED, 0, 1}, 4},
	    {{0, IPC_LAST_SIGNED, 1, 0}, 4},
	    {{1, IPC_LAST_SIGNED, 0, 0}, 4},
	    {{0xff, 0xff, 0, 0}, 4},
	    {{0, IPC_MAX_, 0, 0}, 4},
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ipc_end a, b;
		struct ipc_msg m;

		T_GOOD(ipc_pair(SERVER, KEEPER, &a, &b));
		T_EQ_INT(send(a.fd, bad[i].b, bad[i].n, 0), bad[i].n);
		T_ERR(ipc_recv(&b, 0, buf, sizeof buf, &m), E_PEER);
		ends_close(&a, &b);
	}
}

TEST(a_buffer_too_small_is_an_error_not_a_cut)
{
	struct ipc_end a, b;
	struct ipc_msg m;
	char small[3];

	T_GOOD(ipc_pair(SERVER, KEEPER, &a, &b));
	T_GOOD(ipc_send(&a, IPC_SIGN, STR("four"), NULL, 0));
	T_ERR(ipc_recv(&b, 0, small, sizeof small, &m), E_PEER);
	ends_close(&a, &b);
}

TEST(silence_and_death)
{
	struct ipc_end a, b;
	struct ipc_msg m;

	T_GOOD(ipc_pair(SERVER, KEEPER, &a, &b));
	T_ERR(ipc_recv(&b, 0, buf, sizeof buf, &m), E_TIMEOUT);
	T_ERR(ipc_recv(&b, 20, buf, sizeof buf, &m), E_TIMEOUT);
	(void)close(a.fd);
	T_ERR(ipc_recv(&b, -1, buf, sizeof buf, &m), E_UNAVAILABLE);
	T_ERR(ipc_send(&b, IPC_LAST, STR("x"), NULL, 0), E_UNAVAILABLE);
	(void)close(b.fd);
}

TEST(a_call_takes_its_own_answer_only)
{
	struct ipc_end a, b;
	struct ipc_msg m;

	T_GOOD(ipc_pair(SERVER, KEEPER, &a, &b));
	T_GOOD(ipc_send(&b, IPC_LAST, STR("yes"), NULL, 0));
	T_GOOD(ipc_call(&a, IPC_LAST_SIGNED, STR(""), IPC_LAST, 0, buf,
	    sizeof buf, &m));
	T_EQ_STR(m.body, STR("yes"));
	T_GOOD(ipc_send(&b, IPC_SIGNED, STR("other"), NULL, 0));
	T_ERR(ipc_call(&a, IPC_LAST_SIGNED, STR(""), IPC_LAST, 0, buf,
		  sizeof buf, &m),
	    E_PEER);
	/* The connection is over. */
	T_ERR(ipc_send(&b, IPC_LAST, STR("late"), NULL, 0), E_UNAVAILABLE);
	ends_close(&a, &b);
}

TEST(a_late_answer_is_never_taken_for_the_next)
{
	struct ipc_end a, b;
	struct ipc_msg m;

	T_GOOD(ipc_pair(SERVER, KEEPER, &a, &b));
	T_ERR(ipc_call(&a, IPC_LAST_SIGNED, STR(""), IPC_LAST, 1, buf,
		  sizeof buf, &m),
	    E_TIMEOUT);
	err_ignore(ipc_send(&b, IPC_LAST, STR("late"), NULL, 0),
	    "must fail or be unread");
	T_ERR(ipc_call(&a, IPC_LAST_SIGNED, STR(""), IPC_LAST, 1, buf,
		  sizeof buf, &m),
	    E_UNAVAILABLE);
	ends_close(&a, &b);
}

TEST(names)
{
	T_EQ_STR(str_c(ipc_type_name(IPC_CONFIG)), STR("IPC_CONFIG"));
	T_EQ_STR(str_c(ipc_type_name(IPC_LAST)), STR("IPC_LAST"));
	T_EQ_STR(str_c(ipc_type_name(IPC_MAX_)), STR("?"));
}

T_MAIN
