/*
 * The keeper's rule, over its own protocol: it signs extensions only, it
 * remembers across restarts, it opens keys of its root only.
 */
#include "role/keep.h"

#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit/tree.h"
#include "base/limits.h"
#include "base/time.h"
#include "ipc/keeper.h"
#include "tests/t.h"

#define ORIGIN "redoubt.test/audit/1"

static int root_fd, audit_fd, state_fd;
static struct keep k;
static struct ipc_end srv, kpr;
static pthread_t thread;
static err ended;

static int
temp(struct str text)
{
	char path[] = "/tmp/t_keep.XXXXXX";
	int fd = mkstemp(path);

	BUG_ON(fd < 0);
	(void)unlink(path);
	BUG_ON(pwrite(fd, text.p, text.n, 0) != (ssize_t)text.n);
	return fd;
}

static int
new_root(struct str old)
{
	struct buf b;
	int fd;

	buf_init(&b, 4096);
	T_GOOD(root_generate(&b));
	buf_str(&b, old);
	fd = temp(buf_view(&b));
	buf_done(&b);
	return fd;
}

static struct str
text_of(int fd, char *b, size_t n)
{
	ssize_t got = pread(fd, b, n, 0);

	return str_of(b, got < 0 ? 0 : (size_t)got);
}

static void *
serve(void *arg)
{
	static char buf[LIM_IPC];
	struct ipc_msg m;

	(void)arg;
	for (;;) {
		ended = ipc_recv(&kpr, -1, buf, sizeof buf, &m);
		if (err_ok(ended))
			ended = keep_answer(&k, &kpr, &m);
		if (!err_ok(ended)) {
			(void)shutdown(kpr.fd, SHUT_RDWR);
			return NULL;
		}
	}
}

static void
start(void)
{
	struct trail t = {{0}};

	T_GOOD(keep_open(&k, root_fd, audit_fd, state_fd, &t));
	T_EQ_STR(str_c(t.detail), STR(""));
	T_GOOD(ipc_pair(SERVER, KEEPER, &srv, &kpr));
	T_OK(pthread_create(&thread, NULL, serve, NULL) == 0);
}

static void
stop(void)
{
	(void)close(srv.fd);
	(void)pthread_join(thread, NULL);
	(void)close(kpr.fd);
	keep_close(&k);
}

static void
install(void)
{
	struct root_keys *roots;
	struct trail t = {{0}};
	char b[4096];

	root_fd = new_root(STR(""));
	audit_fd = temp(STR(""));
	state_fd = temp(STR(""));
	T_GOOD(root_parse(text_of(root_fd, b, sizeof b), &t, &roots));
	T_GOOD(keep_make(roots, STR(ORIGIN), audit_fd, state_fd, &t));
	(void)root_free(roots);
	start();
}

static void
uninstall(void)
{
	stop();
	(void)close(root_fd);
	(void)close(audit_fd);
	(void)close(state_fd);
}

/* ---- a log to be signed ---- */

static struct audit_tree *tree;

static err
no_tile(void *ctx, const struct audit_tile *t)
{
	(void)ctx;
	(void)t;
	return OK;
}

static err
no_load(void *ctx, unsigned level, uint64_t index, struct audit_tile *ret)
{
	(void)ctx;
	(void)level;
	(void)index;
	(void)ret;
	return err_of(E_NOT_FOUND);
}

static void
grow(size_t n, char seed)
{
	for (size_t i = 0; i < n; i++) {
		char leaf[2] = {seed, (char)i};
		struct hash h;

		audit_leaf_hash(str_of(leaf, 2), &h);
		T_GOOD(audit_tree_append(tree, &h, no_tile, NULL));
	}
}

static err
sign_from(uint64_t old, struct buf *note)
{
	uint8_t p[KEEPER_PROOF][KEEPER_HASH];
	struct hash_list proof;
	struct hash root;
	struct arena a;
	err e;

	arena_init(&a, 65536);
	T_GOOD(audit_tree_root(tree, &root));
	e = audit_tree_consistency(tree, old, audit_tree_size(tree), no_load,
	    NULL, &a, &proof);
	T_GOOD(e);
	for (size_t i = 0; i < proof.n && i < KEEPER_PROOF; i++)
		memcpy(p[i], proof.h[i].b, KEEPER_HASH);
	e = keeper_sign(&srv, audit_tree_size(tree), root.b,
	    (const uint8_t(*)[KEEPER_HASH])p, proof.n, note);
	arena_done(&a);
	return e;
}

static void
good_note(const struct buf *note)
{
	struct keeper_last l;
	struct checkpoint c;
	struct note_key key;
	struct hash root;

	T_GOOD(keeper_last(&srv, &l));
	T_GOOD(note_key_parse(str_c(l.vkey), &key));
	T_GOOD(checkpoint_open(buf_view(note), &key, &c));
	T_GOOD(audit_tree_root(tree, &root));
	T_EQ_INT(c.size, audit_tree_size(tree));
	T_EQ_MEM(c.root.b, root.b, HASH_SIZE);
	T_EQ_STR(str_c(c.origin), STR(ORIGIN));
	T_EQ_INT(l.size, c.size);
	T_EQ_MEM(l.root, c.root.b, HASH_SIZE);
}

TEST(signs_extensions_and_the_same_again)
{
	struct buf note;

	install();
	buf_init(&note, 1024);
	T_GOOD(audit_tree_new(&tree));
	grow(3, 'a');
	T_GOOD(sign_from(0, &note));
	good_note(&note);
	for (uint64_t old = 3; old < 100; old += 7) {
		grow(7, 'b');
		buf_clear(&note);
		T_GOOD(sign_from(old, &note));
		good_note(&note);
	}
	buf_clear(&note);
	T_GOOD(sign_from(audit_tree_size(tree), &note));
	good_note(&note);
	tree = audit_tree_free(tree);
	buf_done(&note);
	uninstall();
}

TEST(L19_refuses_rollback_and_fork_also_after_a_restart)
{
	struct audit_tree *other;
	struct hash root;
	struct buf note;

	install();
	buf_init(&note, 1024);
	T_GOOD(audit_tree_new(&tree));
	T_GOOD(audit_tree_new(&other));
	grow(5, 'a');
	audit_tree_copy(other, tree);
	grow(5, 'b');
	T_GOOD(sign_from(0, &note));
	for (int restarts = 0; restarts < 2; restarts++) {
		struct audit_tree *honest = tree;

		buf_clear(&note);
		/* Rolled back to 5. */
		T_GOOD(audit_tree_root(other, &root));
		T_ERR(keeper_sign(&srv, 5, root.b, NULL, 0, &note),
		    E_BAD_ANSWER);
		/* To nothing. */
		T_ERR(keeper_sign(&srv, 0, root.b, NULL, 0, &note),
		    E_BAD_ANSWER);
		/* Another tree of the same size, and a longer one. */
		tree = other;
		if (restarts == 0)
			grow(5, 'c');
		T_ERR(sign_from(10, &note), E_BAD_ANSWER);
		grow(4, 'd');
		T_ERR(sign_from(10, &note), E_BAD_ANSWER);
		T_ERR(sign_from(5, &note), E_BAD_ANSWER);
		T_EQ_INT(note.n, 0);
		tree = honest;
		stop();
		start();
	}
	/* The honest log goes on. */
	grow(1, 'e');
	T_GOOD(sign_from(10, &note));
	good_note(&note);
	tree = audit_tree_free(tree);
	other = audit_tree_free(other);
	buf_done(&note);
	uninstall();
}

/* What was cut goes on under another name, from where it was cut; the old name
 * is never signed again, and what was last under it is not forgotten. */
TEST(another_name)
{
	struct checkpoint next = {.size = 5}, was;
	struct trail t = {{0}};
	struct audit_tree *cut;
	struct checkpoint c;
	struct hash root;
	struct keep off;
	struct buf note;

	install();
	buf_init(&note, 1024);
	T_GOOD(audit_tree_new(&tree));
	T_GOOD(audit_tree_new(&cut));
	grow(5, 'a');
	audit_tree_copy(cut, tree);
	T_GOOD(audit_tree_root(cut, &next.root));
	grow(5, 'b');
	T_GOOD(sign_from(0, &note));
	stop();
	T_GOOD(keep_open(&off, root_fd, audit_fd, state_fd, &t));
	was = off.last;
	strcpy(next.origin, "redoubt.test/audit/2-00000001");
	T_GOOD(keep_fork(&off, &next));
	keep_close(&off);
	start();
	T_EQ_INT(k.before.size, 10);
	T_EQ_MEM(k.before.root.b, was.root.b, HASH_SIZE);
	T_EQ_STR(str_c(k.before.origin), STR(ORIGIN));
	buf_clear(&note);
	/* the long log is none of the new name's */
	T_ERR(sign_from(10, &note), E_BAD_ANSWER);
	(void)audit_tree_free(tree);
	tree = cut;
	T_GOOD(audit_tree_root(tree, &root));
	T_ERR(keeper_sign(&srv, 4, root.b, NULL, 0, &note), E_BAD_ANSWER);
	grow(1, 'f');
	T_GOOD(sign_from(5, &note));
	T_GOOD(checkpoint_open(buf_view(&note), &k.key, &c));
	T_EQ_STR(str_c(c.origin), str_c(next.origin));
	T_EQ_INT(c.size, 6);
	tree = audit_tree_free(tree);
	buf_done(&note);
	uninstall();
}

/* A state nobody signed for: one slot damaged leaves the other; two damaged,
 * or one made up without the seed, stop the keeper. */
TEST(a_damaged_state)
{
	unsigned char b[8192];
	struct trail t = {{0}};
	struct buf note;
	struct keep j;

	install();
	buf_init(&note, 1024);
	T_GOOD(audit_tree_new(&tree));
	grow(2, 'a');
	T_GOOD(sign_from(0, &note));
	stop();
	T_EQ_INT(pread(state_fd, b, sizeof b, 0), sizeof b);
	T_EQ_INT(pwrite(state_fd, "x", 1, 4096 + 20), 1); /* the newest */
	T_GOOD(keep_open(&j, root_fd, audit_fd, state_fd, &t));
	T_OK(j.torn);
	T_EQ_INT(j.last.size, 0);
	keep_close(&j);
	T_EQ_INT(pwrite(state_fd, "x", 1, 20), 1);
	T_ERR(keep_open(&j, root_fd, audit_fd, state_fd, &t), E_CORRUPT);
	T_OK(t.detail[0] != '\0');
	T_EQ_INT(pwrite(state_fd, b, sizeof b, 0), sizeof b);
	start();
	T_EQ_INT(k.last.size, 2);
	tree = audit_tree_free(tree);
	buf_done(&note);
	uninstall();
}

TEST(a_state_of_another_installation_is_refused)
{
	struct trail t = {{0}};
	struct keep j;
	int other;

	install();
	stop();
	other = state_fd;
	(void)close(root_fd);
	(void)close(audit_fd);
	install();
	stop();
	T_ERR(keep_open(&j, root_fd, audit_fd, other, &t), E_WRONG_KEY);
	(void)close(other);
	start();
	uninstall();
}

/* ---- keys ---- */

TEST(project_keys)
{
	uint8_t key[32], again[32], other[32];
	struct buf w, r;

	install();
	buf_init(&w, 512);
	buf_init(&r, 512);
	T_GOOD(keeper_key_new(&srv, 3, 1, key, &w));
	T_GOOD(keeper_key_unwrap(&srv, 3, 1, buf_view(&w), again));
	T_EQ_MEM(key, again, 32);
	/* Bound to its place. */
	T_ERR(keeper_key_unwrap(&srv, 4, 1, buf_view(&w), again), E_CORRUPT);
	T_ERR(keeper_key_unwrap(&srv, 3, 2, buf_view(&w), again), E_CORRUPT);
	T_GOOD(keeper_key_rewrap(&srv, 3, 1, buf_view(&w), &r));
	T_OK(!str_eq(buf_view(&w), buf_view(&r)));
	T_GOOD(keeper_key_unwrap(&srv, 3, 1, buf_view(&r), again));
	T_EQ_MEM(key, again, 32);
	buf_clear(&r);
	T_GOOD(keeper_key_new(&srv, 3, 1, other, &r));
	T_OK(memcmp(key, other, 32) != 0);
	buf_done(&w);
	buf_done(&r);
	uninstall();
}

/* ---- rotation of the root key ---- */

TEST(rotation)
{
	uint8_t key[32], again[32];
	struct keeper_last before, after;
	struct trail t = {{0}};
	struct buf w, r;
	char old[4096];
	int stranger, both, fresh;
	struct root_keys *roots;

	install();
	buf_init(&w, 512);
	buf_init(&r, 512);
	T_GOOD(keeper_last(&srv, &before));
	T_GOOD(keeper_key_new(&srv, 1, 1, key, &w));
	stranger = new_root(STR(""));
	both = new_root(text_of(root_fd, old, sizeof old));
	T_OK(!err_ok(keep_reload(&k, stranger, &t)));
	T_OK(t.detail[0] != '\0');
	T_GOOD(keeper_key_unwrap(&srv, 1, 1, buf_view(&w), again));
	T_GOOD(keep_reload(&k, both, &t));
	T_GOOD(keeper_last(&srv, &after));
	T_EQ_INT(after.roots, 2);
	T_EQ_STR(str_c(after.root_ids[1]), str_c(before.root_ids[0]));
	T_EQ_STR(str_c(after.vkey), str_c(before.vkey));
	T_GOOD(keeper_key_unwrap(&srv, 1, 1, buf_view(&w), again));
	T_GOOD(keeper_key_rewrap(&srv, 1, 1, buf_view(&w), &r));

	/* The old key dropped: what was rewrapped opens, nothing else. */
	buf_clear(&w);
	T_GOOD(root_parse(text_of(both, old, sizeof old), &t, &roots));
	T_GOOD(root_line(roots, 0, &w));
	fresh = temp(buf_view(&w));
	(void)root_free(roots);
	stop();
	(void)close(root_fd);
	root_fd = fresh;
	start();
	T_GOOD(keeper_key_unwrap(&srv, 1, 1, buf_view(&r), again));
	T_EQ_MEM(key, again, 32);
	/* No slot of the seed is left under the old key. */
	T_EQ_INT(k.audit_counter, 4);
	buf_done(&w);
	buf_done(&r);
	(void)close(stranger);
	(void)close(both);
	uninstall();
}

/* ---- tasks and delegates ---- */

static X509 *
cert_of(const struct buf *der)
{
	const unsigned char *p = (const unsigned char *)der->p;
	X509 *x = d2i_X509(NULL, &p, (long)der->n);

	BUG_ON(x == NULL);
	T_EQ_INT(p - (const unsigned char *)der->p, der->n);
	return x;
}

static bool
signed_by(const uint8_t key[32], struct str text, const uint8_t sig[64])
{
	EVP_PKEY *p =
	    EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = EVP_DigestVerifyInit(c, NULL, NULL, NULL, p) == 1 &&
	    EVP_DigestVerify(c, sig, 64, (const unsigned char *)text.p,
		text.n) == 1;

	EVP_MD_CTX_free(c);
	EVP_PKEY_free(p);
	return ok;
}

TEST(tasks_are_signed_as_they_stand)
{
	int64_t now = time_now_ms();
	struct keeper_task q = {.task = {{1}},
	    .delegate = {{2}},
	    .issued = now,
	    .expires = now + 600000,
	    .sha256 = {0xab}};
	struct keeper_task_keys keys;
	uint8_t sig[64];
	char text[512];
	int n;

	install();
	T_GOOD(keeper_task_keys(&srv, &keys));
	T_GOOD(keeper_task_sign(&srv, &q, sig));
	n = snprintf(text, sizeof text,
	    "redoubt-task/1\n" ORIGIN "\n01000000-0000-0000-0000-000000000000\n"
	    "02000000-0000-0000-0000-000000000000\n%lld\n%lld\n"
	    "ab00000000000000000000000000000000000000000000000000000000000000"
	    "\n",
	    (long long)q.issued, (long long)q.expires);
	T_OK(signed_by(keys.task, str_of(text, (size_t)n), sig));
	/* with the keys of nothing else */
	T_OK(!signed_by(k.key.pub, str_of(text, (size_t)n), sig));
	q.expires++;
	T_ERR(keeper_task_sign(&srv, &q, sig), E_INVALID);
	q.issued = now + 600000;
	q.expires = q.issued + 1000;
	T_ERR(keeper_task_sign(&srv, &q, sig), E_INVALID);
	q.issued = now - 600000;
	q.expires = now + 1;
	T_ERR(keeper_task_sign(&srv, &q, sig), E_INVALID);
	q.issued = q.expires = now;
	T_ERR(keeper_task_sign(&srv, &q, sig), E_INVALID);
	uninstall();
}

TEST(certificates_are_of_the_template)
{
	int64_t now = time_now_ms();
	struct keeper_cert q = {.delegate = {{3}},
	    .epoch = 7,
	    .key = {9},
	    .not_before = now,
	    .not_after = now + 86400000};
	struct keeper_task_keys keys, again;
	struct buf der, ca_der;
	X509 *x, *ca;
	GENERAL_NAMES *names;
	char *subject;

	install();
	buf_init(&der, 1024);
	buf_init(&ca_der, 1024);
	T_GOOD(keeper_task_keys(&srv, &keys));
	buf_add(&ca_der, keys.ca, keys.ca_n);
	ca = cert_of(&ca_der);
	T_OK(X509_verify(ca, X509_get0_pubkey(ca)) == 1);
	T_OK(X509_check_ca(ca) == 1);
	T_GOOD(keeper_cert_sign(&srv, &q, &der));
	x = cert_of(&der);
	T_OK(X509_verify(x, X509_get0_pubkey(ca)) == 1);
	T_OK(X509_check_ca(x) == 0);
	T_OK(X509_check_issued(ca, x) == X509_V_OK);
	T_OK(X509_check_purpose(x, X509_PURPOSE_SSL_CLIENT, 0) == 1);
	T_OK(X509_check_purpose(x, X509_PURPOSE_SSL_SERVER, 0) == 0);
	T_OK(X509_cmp_time(X509_get0_notAfter(x), NULL) > 0);
	subject = X509_NAME_oneline(X509_get_subject_name(x), NULL, 0);
	T_EQ_STR(str_c(subject),
	    STR("/CN=03000000-0000-0000-0000-000000000000"));
	OPENSSL_free(subject);
	names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	T_REQUIRE(names != NULL && sk_GENERAL_NAME_num(names) == 1);
	T_EQ_STR(str_c((const char *)ASN1_STRING_get0_data(
		     sk_GENERAL_NAME_value(names, 0)
			 ->d.uniformResourceIdentifier)),
	    STR("urn:redoubt:delegate:03000000-0000-0000-0000-000000000000:7"));
	GENERAL_NAMES_free(names);
	X509_free(x);
	X509_free(ca);
	/* a day, from now on, and no longer */
	q.not_after++;
	T_ERR(keeper_cert_sign(&srv, &q, &der), E_INVALID);
	q.not_before = now + 86400000;
	q.not_after = q.not_before + 1000;
	T_ERR(keeper_cert_sign(&srv, &q, &der), E_INVALID);
	/* the keys outlive the process, and differ from the log's */
	stop();
	start();
	T_GOOD(keeper_task_keys(&srv, &again));
	T_EQ_MEM(keys.task, again.task, 32);
	T_EQ_INT(keys.ca_n, again.ca_n);
	T_EQ_MEM(keys.ca, again.ca, keys.ca_n);
	T_OK(memcmp(keys.task, k.key.pub, 32) != 0);
	buf_done(&der);
	buf_done(&ca_der);
	uninstall();
}

/*
 * The server says 32 bytes; what is signed begins with words that are no
 * checkpoint, no task and no certificate.
 */
TEST(exports_are_signed_under_a_label)
{
	uint8_t digest[32] = {'\n', 0xab}, sig[64], again[64];
	char text[64] = "redoubt audit export manifest 1";

	install();
	T_GOOD(keeper_export_sign(&srv, digest, sig));
	memcpy(text + 32, digest, sizeof digest);
	T_OK(signed_by(k.key.pub, str_of(text, 64), sig));
	T_OK(!signed_by(k.key.pub, str_of((char *)digest, 32), sig));
	T_GOOD(keeper_export_sign(&srv, digest, again));
	T_EQ_MEM(sig, again, 64);
	for (unsigned i = 0; i < 100; i++)
		if (err_is(keeper_export_sign(&srv, digest, sig), E_RATE))
			digest[0] = 'r';
	T_EQ_INT(digest[0], 'r'); /* it is rationed */
	uninstall();
}

/* ---- a server that was taken over ---- */

TEST(nonsense_ends_the_conversation)
{
	static const struct {
		enum ipc_type type;
		struct str body;
	} bad[] = {
	    {IPC_LAST_SIGNED, {"x", 1}},
	    {IPC_TASK_KEYS, {"x", 1}},
	    {IPC_TASK_SIGN, {"x", 1}},
	    {IPC_CERT_SIGN, {"x", 1}},
	    {IPC_EXPORT_SIGN, {"0123456789012345678901234567890", 31}},
	    {IPC_KEY_NEW, {"\0\0\0\1\0\0\0", 7}},
	    {IPC_KEY_NEW, {"\0\0\0\1\0\0\0\1x", 9}},
	    {IPC_KEY_UNWRAP, {"\0\0\0\1\0\0\0\1", 8}},
	    {IPC_SIGN, {"", 0}},
	    {IPC_SIGN,
		{"\0\0\0\0\0\0\0\1rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr", 40}},
	    {IPC_SIGN,
		{"\0\0\0\0\0\0\0\1rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\1", 41}},
	    {IPC_SIGN,
		{"\0\0\0\0\0\0\0\1rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\101", 41}},
	    {IPC_SIGN,
		{"\0\0\0\0\0\0\0\1rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\0x", 42}},
	};

	install();
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		T_GOOD(ipc_send(&srv, bad[i].type, bad[i].body, NULL, 0));
		stop();
		T_ERR(ended, E_PEER);
		start();
	}
	uninstall();
}

TEST(a_wrapped_key_of_rubbish_is_an_answer_not_an_end)
{
	uint8_t key[32];
	struct buf b;
	char big[500];

	install();
	memset(big, 'x', sizeof big);
	buf_init(&b, 512);
	T_OK(!err_ok(keeper_key_unwrap(&srv, 1, 1, STR("rubbish"), key)));
	T_OK(!err_ok(keeper_key_rewrap(&srv, 1, 1, str_of(big, 500), &b)));
	T_GOOD(keeper_key_new(&srv, 1, 1, key, &b));
	buf_done(&b);
	uninstall();
}

TEST(signing_is_rationed)
{
	struct hash root;
	struct buf note;
	int i;

	install();
	T_GOOD(audit_tree_new(&tree));
	T_GOOD(audit_tree_root(tree, &root));
	buf_init(&note, 1024);
	for (i = 0; i < 1000; i++) {
		buf_clear(&note);
		if (err_is(keeper_sign(&srv, 0, root.b, NULL, 0, &note),
			E_RATE))
			break;
	}
	T_OK(i >= 200 && i < 1000);
	tree = audit_tree_free(tree);
	buf_done(&note);
	uninstall();
}

T_MAIN
