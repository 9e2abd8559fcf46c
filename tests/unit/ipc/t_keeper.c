/* The server's side of the keeper's verbs, against a scripted keeper. */
#include "ipc/keeper.h"

#include <pthread.h>
#include <unistd.h>

#include "base/limits.h"
#include "tests/t.h"

static struct ipc_end srv, kpr;
static struct {
	enum ipc_type type;
	char answer[1024];
	size_t answer_n;
	char asked[4096];
	size_t asked_n;
	enum ipc_type asked_type;
} script;

static void *
scripted(void *arg)
{
	static char buf[LIM_IPC];
	struct ipc_msg m;

	(void)arg;
	if (!err_ok(ipc_recv(&kpr, 5000, buf, sizeof buf, &m)))
		return NULL;
	script.asked_type = m.type;
	script.asked_n = m.body.n;
	memcpy(script.asked, m.body.p, m.body.n);
	err_ignore(ipc_send(&kpr, script.type,
		       str_of(script.answer, script.answer_n), NULL, 0),
	    "the test sees it");
	return NULL;
}

static pthread_t thread;

static void
answer_with(enum ipc_type t, struct str head, char fill, size_t n)
{
	T_GOOD(ipc_pair(SERVER, KEEPER, &srv, &kpr));
	script.type = t;
	memcpy(script.answer, head.p, head.n);
	memset(script.answer + head.n, fill, n);
	script.answer_n = head.n + n;
	T_OK(pthread_create(&thread, NULL, scripted, NULL) == 0);
}

static void
over(void)
{
	(void)pthread_join(thread, NULL);
	(void)close(srv.fd);
	(void)close(kpr.fd);
}

TEST(unwrap)
{
	uint8_t key[32] = {0};

	answer_with(IPC_KEY_UNWRAPPED, STR("\0\0"), 'k', 32);
	T_GOOD(keeper_key_unwrap(&srv, 1, 0x01020304, STR("blob"), key));
	over();
	T_EQ_INT(key[0], 'k');
	T_EQ_INT(key[31], 'k');
	T_EQ_INT(script.asked_type, IPC_KEY_UNWRAP);
	T_EQ_STR(str_of(script.asked, script.asked_n),
	    STR("\0\0\0\1\1\2\3\4blob"));
	for (size_t n = 31; n <= 33; n += 2) {
		memset(key, 0, sizeof key);
		answer_with(IPC_KEY_UNWRAPPED, STR("\0\0"), 'k', n);
		T_ERR(keeper_key_unwrap(&srv, 1, 1, STR("blob"), key), E_PEER);
		over();
		T_EQ_INT(key[0], 0);
	}
}

TEST(an_error_comes_through_and_brings_nothing)
{
	uint8_t key[32] = {0};
	char head[2] = {0, E_WRONG_KEY};

	answer_with(IPC_KEY_UNWRAPPED, str_of(head, 2), 0, 0);
	T_ERR(keeper_key_unwrap(&srv, 1, 1, STR("b"), key), E_WRONG_KEY);
	over();
	answer_with(IPC_KEY_UNWRAPPED, str_of(head, 2), 'k', 32);
	T_ERR(keeper_key_unwrap(&srv, 1, 1, STR("b"), key), E_PEER);
	over();
	T_EQ_INT(key[0], 0);
	head[1] = (char)E_MAX_;
	answer_with(IPC_KEY_UNWRAPPED, str_of(head, 2), 0, 0);
	T_ERR(keeper_key_unwrap(&srv, 1, 1, STR("b"), key), E_PEER);
	over();
	answer_with(IPC_KEY_UNWRAPPED, STR("\0"), 0, 0);
	T_ERR(keeper_key_unwrap(&srv, 1, 1, STR("b"), key), E_PEER);
	over();
}

TEST(new_key)
{
	uint8_t key[32] = {0};
	struct buf b;

	buf_init(&b, 512);
	answer_with(IPC_KEY_MADE, STR("\0\0"), 'n', 32 + 112);
	T_GOOD(keeper_key_new(&srv, 5, 1, key, &b));
	over();
	T_EQ_INT(key[31], 'n');
	T_EQ_INT(b.n, 112);
	T_EQ_STR(str_of(script.asked, script.asked_n), STR("\0\0\0\5\0\0\0\1"));
	answer_with(IPC_KEY_MADE, STR("\0\0"), 'n', 32);
	T_ERR(keeper_key_new(&srv, 5, 1, key, &b), E_PEER);
	over();
	buf_done(&b);
}

TEST(rewrap)
{
	struct buf b;

	buf_init(&b, 512);
	answer_with(IPC_KEY_REWRAPPED, STR("\0\0"), 'w', 112);
	T_GOOD(keeper_key_rewrap(&srv, 5, 1, STR("old"), &b));
	over();
	T_EQ_INT(b.n, 112);
	answer_with(IPC_KEY_REWRAPPED, STR("\0\0"), 'w', 0);
	T_ERR(keeper_key_rewrap(&srv, 5, 1, STR("old"), &b), E_PEER);
	over();
	buf_done(&b);
}

TEST(sign)
{
	uint8_t root[32], proof[64][32];
	struct buf b;

	memset(root, 'r', sizeof root);
	memset(proof, 'p', sizeof proof);
	buf_init(&b, 1024);
	answer_with(IPC_SIGNED, STR("\0\0note"), 0, 0);
	T_GOOD(keeper_sign(&srv, 0x0102, root,
	    (const uint8_t(*)[KEEPER_HASH])proof, 64, &b));
	over();
	T_EQ_STR(buf_view(&b), STR("note"));
	T_EQ_INT(script.asked_n, 8 + 32 + 1 + 64 * 32);
	T_EQ_MEM(script.asked, "\0\0\0\0\0\0\1\2rr", 10);
	T_EQ_INT(script.asked[40], 64);
	T_EQ_INT(script.asked[41], 'p');
	T_ERR(keeper_sign(&srv, 1, root, (const uint8_t(*)[KEEPER_HASH])proof,
		  65, &b),
	    E_INVALID);
	buf_done(&b);
}

TEST(last)
{
	static const char head[] = "\0\0"
				   "\0\0\0\0\0\0\0\x09"
				   "RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR"
				   "\3org\4vkey\2"
				   "0123456789abcdef"
				   "0123456789abcdee";
	struct keeper_last l;

	answer_with(IPC_LAST, str_of(head, sizeof head - 1), 0, 0);
	T_GOOD(keeper_last(&srv, &l));
	over();
	T_EQ_INT(l.size, 9);
	T_EQ_INT(l.root[31], 'R');
	T_EQ_STR(str_c(l.origin), STR("org"));
	T_EQ_STR(str_c(l.vkey), STR("vkey"));
	T_EQ_INT(l.roots, 2);
	T_EQ_STR(str_c(l.root_ids[1]), STR("0123456789abcdee"));
	for (size_t n = 2; n < sizeof head - 1; n++) {
		answer_with(IPC_LAST, str_of(head, n), 0, 0);
		T_ERR(keeper_last(&srv, &l), E_PEER);
		over();
	}
	answer_with(IPC_LAST, str_of(head, sizeof head - 1), 'x', 1);
	T_ERR(keeper_last(&srv, &l), E_PEER);
	over();
}

TEST(a_dead_keeper)
{
	struct keeper_last l;

	T_GOOD(ipc_pair(SERVER, KEEPER, &srv, &kpr));
	(void)close(kpr.fd);
	T_ERR(keeper_last(&srv, &l), E_UNAVAILABLE);
	(void)close(srv.fd);
}

T_MAIN
