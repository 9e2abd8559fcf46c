/* idp.conf, and what of it crosses to the process that may connect. */
#include "egress/provider.h"

#include "base/limits.h"
#include "tests/t.h"

static struct arena arena;
static struct trail trail;
static struct provider_conf conf;

static err
parse(struct str text)
{
	arena_done(&arena);
	arena_init(&arena, 1 << 20);
	trail.detail[0] = '\0';
	return provider_conf_parse(&arena, text, &trail, &conf);
}

#define MIN                                                                    \
	"[idp corp]\nissuer = https://i.test\n"                                \
	"jwks_uri = https://i.test/keys\nconnect = 10.1.2.3\n"

static const char full[] =
    "# who may log people in\n"
    "[idp corp] ; the first\n"
    "issuer = https://login.corp.test/realms/x\n"
    "token_endpoint = https://login.corp.test:8443/token?a=b\n"
    "jwks_uri = https://login.corp.test/certs\n"
    "metadata_uri = https://[2001:db8::1]/.well-known/x\n"
    "client_id = ir\nclient_auth = client_secret_basic\n"
    "secret_file = /etc/redoubt/corp.secret\n"
    "redirect_uri = https://ir.corp.test/auth/oidc/corp/callback\n"
    "ca_file = tls/corp.pem\nmin_tls = 1.2\n"
    "spki_pin = sha256/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    "connect = 10.1.2.3:8443, [2001:db8::1] ,10.1.2.4\n"
    "[idp two-2]\nissuer = https://two\nmetadata_uri = https://two\n"
    "resolver = 10.0.0.2\nallow_cidr = 10.1.0.0/16, 2001:db8::/32\n";

TEST(all_of_it)
{
	const struct provider *p = conf.provider;
	struct url u;

	T_GOOD(parse(str_c(full)));
	T_EQ_INT(conf.n, 2);
	T_EQ_STR(p->name, STR("corp"));
	T_EQ_STR(p->issuer, STR("https://login.corp.test/realms/x"));
	T_EQ_INT(p->auth, CLIENT_BASIC);
	T_OK(p->tls12 && p->pinned && p->pin[31] == 31);
	T_EQ_INT(p->connect_n, 3);
	T_EQ_STR(p->connect[1].host, STR("2001:db8::1"));
	T_EQ_INT(p->connect[0].port, 8443);
	T_EQ_INT(p->connect[1].port, 443);
	T_EQ_STR(conf.files[0].credential, STR("/etc/redoubt/corp.secret"));
	T_EQ_STR(conf.files[0].ca, STR("tls/corp.pem"));
	T_OK(egress_url_parse(p->url[URL_TOKEN], &u));
	T_EQ_STR(u.host, STR("login.corp.test"));
	T_EQ_INT(u.port, 8443);
	T_EQ_STR(u.path, STR("/token?a=b"));
	T_OK(egress_url_parse(p->url[URL_META], &u) && u.literal);
	p++;
	T_EQ_STR(p->name, STR("two-2"));
	T_EQ_INT(p->resolver.port, 53);
	T_EQ_INT(p->allow_n, 2);
	T_OK(!p->tls12 && !p->pinned && p->auth == CLIENT_NONE);
	T_OK(egress_url_parse(p->url[URL_META], &u));
	T_EQ_STR(u.path, STR("/"));
	T_GOOD(parse(STR("")));
	T_EQ_INT(conf.n, 0);
}

TEST(what_is_wrong_is_said)
{
	static const struct {
		const char *text, *word;
	} bad[] = {
	    {"issuer = x\n", "[idp NAME]"},
	    {"[server]\n", "[idp NAME]"},
	    {"[idp]\n", "[idp NAME]"},
	    {"[idp ]\n", "[idp NAME]"},
	    {"[idp 012345678901234567890123456789012]\n", "[idp NAME]"},
	    {"[idp "
	     "Corp]\nissuer=https://i\njwks_uri=https://i\nconnect=1.2.3.4\n",
		"lower-case"},
	    {MIN "[idp corp]\n", "was there"},
	    {"[idp a]\n[idp b]\n", "idp a"},
	    {MIN "colour = red\n", "no such setting"},
	    {MIN "issuer = https://j\n", "given twice"},
	    {MIN "client_id =\n", "empty"},
	    {MIN "client_auth = magic\n", "client_secret_basic"},
	    {MIN "client_auth = client_secret_post\n", "secret_file"},
	    {MIN "secret_file = x\n", "secret_file"},
	    {MIN "client_auth = private_key_jwt\n", "key_file"},
	    {MIN "key_file = x\n", "key_file"},
	    {MIN "key_alg = HS256\n", "key_alg"},
	    {MIN "key_alg = none\n", "key_alg"},
	    {MIN "min_tls = 1.1\n", "1.3 or 1.2"},
	    {MIN "spki_pin = sha256/AAAA\n", "base64"},
	    {MIN "spki_pin = md5/AAAA\n", "base64"},
	    {MIN "resolver = 10.0.0.1\nallow_cidr = 10.0.0.0/8\n", "either"},
	    {MIN "allow_cidr = 10.0.0.0/8\n", "either"},
	    {MIN "token_endpoint = https://i/t\n", "client_id"},
	    {MIN "token_endpoint = http://i/t\n", "https"},
	    {MIN "indented = x\n  y\n", "indented"},
	    {"[idp a]\nissuer=https://i\nconnect=1.2.3.4\n", "no address"},
	    {"[idp a]\nissuer=https://i\njwks_uri=https://i\n", "either"},
	    {"[idp a]\nissuer=https://i\njwks_uri=https://i\nconnect=i.test\n",
		"HOST:PORT"},
	    {"[idp a]\nissuer=https://i\njwks_uri=https://i\nconnect="
	     "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
	     "1.1.1.1\n",
		"too many"},
	    {"[idp a]\nissuer=https://i\njwks_uri=https://i\n"
	     "resolver=10.0.0.1\nallow_cidr=10.0.0.1/8\n",
		"blocks"},
	    {"[idp a]\nissuer=https://i\njwks_uri=https://i\n"
	     "resolver=10.0.0.1\n",
		"either"},
	    {"[idp a]\njwks_uri=https://i\nconnect=1.1.1.1\n", "issuer"},
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		T_ERR(parse(str_c(bad[i].text)), E_CONFIG);
		if (strstr(trail.detail, bad[i].word) == NULL)
			T_FAIL("%zu: \"%s\" without %s", i, trail.detail,
			    bad[i].word);
	}
}

TEST(providers_at_n_and_n_plus_1)
{
	char text[4096];
	int n = 0;

	for (int i = 0; i < IDP_PROVIDERS; i++)
		n += snprintf(text + n, sizeof text - (size_t)n,
		    "[idp p%d]\nissuer=https://i\njwks_uri=https://i\n"
		    "connect=1.1.1.1\n",
		    i);
	T_GOOD(parse(str_c(text)));
	T_EQ_INT(conf.n, IDP_PROVIDERS);
	(void)snprintf(text + n, sizeof text - (size_t)n, "[idp more]\n");
	T_ERR(parse(str_c(text)), E_CONFIG);
}

TEST(urls)
{
	static const char *const good[] = {"https://a", "https://a.b-c.d/",
	    "https://1.2.3.4:1/x", "https://[::1]:65535/?q", "https://A/?b"};
	static const char *const bad[] = {"http://a/", "HTTPS://a", "https://",
	    "https:///x", "https://a:0/", "https://a:65536/", "https://a:/",
	    "https://a:x/", "https://u@a/", "https://a/#f", "https://a b/",
	    "https://a/\\", "https://a/\"", "https://a/\r\n", "https://a/\x7f",
	    "https://-a/", "https://a-/", "https://a..b/", "https://.a/",
	    "https://a./", "https://[::1/", "https://[a]/", "https://::1/",
	    "https://a%2e/", "https://a_b/", "https://a?b"};
	struct url u;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!egress_url_parse(str_c(good[i]), &u))
			T_FAIL("refused: %s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (egress_url_parse(str_c(bad[i]), &u))
			T_FAIL("taken: %s", bad[i]);
}

TEST(what_crosses_is_the_same_and_exact)
{
	struct provider p;
	struct buf b, again;

	T_GOOD(parse(str_c(full)));
	buf_init(&b, 16384);
	buf_init(&again, 16384);
	for (size_t i = 0; i < conf.n; i++) {
		buf_clear(&b);
		buf_clear(&again);
		provider_encode(&b, &conf.provider[i]);
		T_GOOD(provider_decode(&arena, buf_view(&b), &p));
		provider_encode(&again, &p);
		T_EQ_STR(buf_view(&b), buf_view(&again));
		for (size_t n = 0; n < b.n; n++)
			T_ERR(provider_decode(&arena, str_of(b.p, n), &p),
			    E_PEER);
		buf_char(&b, 0);
		T_ERR(provider_decode(&arena, buf_view(&b), &p), E_PEER);
	}
	buf_done(&b);
	buf_done(&again);
}

T_MAIN
