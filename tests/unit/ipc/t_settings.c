/* Settings and reports: what is written is read, nothing else is. */
#include "ipc/settings.h"

#include "tests/t.h"

static const struct server_settings full = {
    .uid = 1000,
    .gid = 1001,
    .reactors = 2,
    .readers = 64,
    .log_requests = true,
    .root_near = true,
    .store_dir = "/var/lib/redoubt/db",
    .url = {"https://127.0.0.1:8443", 22},
    .public_url = {"https://r.example", 17},
    .sources = {"passphrase shares", 17},
    .listen_n = 2,
    .listen = {{"127.0.0.1:8443", 14}, {"[::1]:8443", 10}},
    .last_certs = true,
    .proxies_n = 2,
    .proxies = {{"10.0.0.0/8", 10}, {"::1", 3}},
};

static void
encoded(struct buf *b, const struct server_settings *s)
{
	buf_init(b, SETTINGS_MAX);
	server_settings_encode(b, s);
	T_GOOD(buf_check(b));
}

TEST(server_round_trip)
{
	struct buf b;
	struct arena a;
	struct server_settings s;

	arena_init(&a, 65536);
	encoded(&b, &full);
	T_GOOD(server_settings_decode(&a, buf_view(&b), &s));
	T_EQ_INT(s.uid, 1000);
	T_EQ_INT(s.gid, 1001);
	T_EQ_INT(s.reactors, 2);
	T_EQ_INT(s.readers, 64);
	T_OK(s.log_requests && s.root_near && !s.sealed);
	T_EQ_STR(str_c(s.store_dir), str_c(full.store_dir));
	T_EQ_STR(s.url, full.url);
	T_EQ_STR(s.public_url, full.public_url);
	T_EQ_STR(s.sources, full.sources);
	T_EQ_INT(s.listen_n, 2);
	T_EQ_STR(s.listen[1], full.listen[1]);
	T_OK(s.last_certs);
	T_EQ_INT(s.proxies_n, 2);
	T_EQ_STR(s.proxies[0], full.proxies[0]);
	T_EQ_STR(s.proxies[1], full.proxies[1]);
	buf_done(&b);
	arena_done(&a);
}

/* Every prefix and one byte more are refused. */
TEST(server_exact)
{
	struct buf b;
	struct arena a;
	struct server_settings s;

	arena_init(&a, 65536);
	encoded(&b, &full);
	for (size_t n = 0; n < b.n; n++)
		T_ERR(server_settings_decode(&a, str_of(b.p, n), &s), E_PEER);
	buf_char(&b, 0);
	T_ERR(server_settings_decode(&a, buf_view(&b), &s), E_PEER);
	buf_done(&b);
	arena_done(&a);
}

static void
refused(struct server_settings s)
{
	struct buf b;
	struct arena a;

	arena_init(&a, 65536);
	encoded(&b, &s);
	T_ERR(server_settings_decode(&a, buf_view(&b), &s), E_PEER);
	buf_done(&b);
	arena_done(&a);
}

TEST(server_values)
{
	struct server_settings s = full;

	s.store_dir = "relative";
	refused(s);
	s.store_dir = "";
	refused(s);
	s = full;
	s.reactors = 0;
	refused(s);
	s.reactors = 65;
	refused(s);
	s = full;
	s.readers = 0;
	refused(s);
	s = full;
	s.listen_n = 0;
	refused(s);
	s.listen_n = 1; /* the only one demands certificates */
	refused(s);
	s = full;
	s.url = STR("https://a\nready https://b");
	refused(s);
}

TEST(keeper)
{
	struct keeper_settings s = {7, 8}, r;
	struct buf b;

	buf_init(&b, 64);
	keeper_settings_encode(&b, &s);
	T_GOOD(keeper_settings_decode(buf_view(&b), &r));
	T_EQ_INT(r.uid, 7);
	T_EQ_INT(r.gid, 8);
	T_ERR(keeper_settings_decode(str_of(b.p, 7), &r), E_PEER);
	buf_char(&b, 0);
	T_ERR(keeper_settings_decode(buf_view(&b), &r), E_PEER);
	buf_done(&b);
}

TEST(idp)
{
	struct idp_settings s = {7, 8, true}, r;
	struct buf b;

	buf_init(&b, 64);
	idp_settings_encode(&b, &s);
	T_GOOD(idp_settings_decode(buf_view(&b), &r));
	T_OK(r.uid == 7 && r.gid == 8 && r.egress);
	T_ERR(idp_settings_decode(str_of(b.p, 8), &r), E_PEER);
	b.p[8] = 2;
	T_ERR(idp_settings_decode(buf_view(&b), &r), E_PEER);
	b.p[8] = 0;
	T_GOOD(idp_settings_decode(buf_view(&b), &r));
	T_OK(!r.egress);
	buf_char(&b, 0);
	T_ERR(idp_settings_decode(buf_view(&b), &r), E_PEER);
	buf_done(&b);
}

TEST(report)
{
	char b[REPORT_MAX + 1] = {0};
	struct trail t = {{0}}, r;
	err e;
	size_t n;

	trail_set(&t, "root key file: mode 0644");
	n = report_encode(b, err_of(E_WRONG_KEY), &t);
	T_GOOD(report_decode(str_of(b, n), &r, &e));
	T_ERR(e, E_WRONG_KEY);
	T_EQ_STR(str_c(r.detail), str_c(t.detail));
	n = report_encode(b, OK, NULL);
	T_EQ_INT(n, 2);
	T_GOOD(report_decode(str_of(b, n), &r, &e));
	T_GOOD(e);
	T_EQ_INT(r.detail[0], 0);
	T_ERR(report_decode(str_of(b, 1), &r, &e), E_PEER);
	memset(b, 'x', sizeof b);
	T_ERR(report_decode(str_of(b, 2), &r, &e), E_PEER);
	b[0] = b[1] = 0;
	T_GOOD(report_decode(str_of(b, 2 + 191), &r, &e));
	T_ERR(report_decode(str_of(b, 2 + 192), &r, &e), E_PEER);
	/* Nothing a peer says can break a log line. */
	b[2] = '\n';
	T_GOOD(report_decode(str_of(b, 3), &r, &e));
	T_EQ_STR(str_c(r.detail), STR("?"));
}

T_MAIN
