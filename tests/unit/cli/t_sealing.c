/*
 * t_sealing.c: values are sealed as doc/PROTOCOL.secret has it: the vectors
 * that Python made and WebCrypto opens (tests/vectors/secret) come out here
 * byte by byte, and open with each delegate's private key.
 */
#include "cli/sealing.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "seal/hpke.h"
#include "tests/t.h"

enum { RECIPIENTS = 4 };

static struct arena a;

static const struct json *
vectors(void)
{
	static const struct json_limits lim = {8, 64, 4096};
	const struct json *j = NULL;
	char *p = arena_get(&a, 1 << 20);
	int fd = open("tests/vectors/secret/v1.json", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, p, 1 << 20);

	T_OK(n > 0 && n < 1 << 20);
	if (n > 0)
		T_GOOD(json_parse(&a, str_of(p, (size_t)n), &lim, NULL, &j));
	if (fd >= 0)
		close(fd);
	return json_get(j, STR("vectors"));
}

static struct str
unhex(const struct json *o, const char *name)
{
	struct str s = json_str_at(o, str_c(name));
	char *p = arena_get(&a, s.n / 2 + 1);

	T_OK(hex_decode(s, p, s.n / 2));
	return str_of(p, s.n / 2);
}

static struct str
about(const struct json *v)
{
	struct buf b;

	buf_init_on(&b, &a, 1024);
	buf_c(&b, "redoubt-secret/1\n");
	buf_str(&b, json_str_at(v, STR("project")));
	buf_c(&b, "\n");
	buf_str(&b, json_str_at(v, STR("name")));
	buf_c(&b, "\n");
	return buf_view(&b);
}

static const struct json *
made(const struct json *v)
{
	static const struct json_limits lim = {8, 64, 4096};
	const struct json *to = json_get(v, STR("recipients")), *j = NULL;
	uint8_t ephemeral[RECIPIENTS][SEALING_KEY] = {{0}};
	struct str key = unhex(v, "data_key"), nonce = unhex(v, "nonce");
	struct buf b;
	struct jw w;
	size_t i = 0;

	for (const struct json *r = json_first(to); r != NULL; r = r->next)
		memcpy(ephemeral[i++], unhex(r, "ephemeral").p, SEALING_KEY);
	buf_init_on(&b, &a, 1 << 20);
	jw_init(&w, &b);
	jw_obj(&w);
	T_GOOD(sealing_write_with(&a, json_str_at(v, STR("project")),
	    json_str_at(v, STR("name")), unhex(v, "value"), to,
	    (const uint8_t *)key.p, (const uint8_t *)nonce.p,
	    (const uint8_t(*)[SEALING_KEY])ephemeral, &w));
	jw_obj_end(&w);
	T_GOOD(json_parse(&a, buf_view(&b), &lim, NULL, &j));
	return j;
}

static struct str
hash_of(const struct json *v)
{
	unsigned char *h = arena_get(&a, 32);
	struct str data = STR("");
	unsigned n = 0;

	T_OK(b64_decode(&a, json_str_at(v, STR("data")), &data));
	T_OK(EVP_Digest(data.p, data.n, h, &n, EVP_sha256(), NULL) == 1);
	return str_of((const char *)h, n);
}

/* The box opens with the delegate's key, and gives the data's. */
static void
opens(const struct json *v, const struct json *r, struct str box,
    struct str hash)
{
	struct str sk = unhex(r, "private"), sealed;
	uint8_t key[SEALING_KEY];

	T_REQUIRE(b64_decode(&a, box, &sealed));
	T_GOOD(hpke_open((const uint8_t *)sk.p, about(v), hash, sealed, key));
	T_EQ_MEM(key, unhex(v, "data_key").p, sizeof key);
	T_ERR(hpke_open((const uint8_t *)sk.p, STR("other"), hash, sealed, key),
	    E_CORRUPT);
	T_OK(sealing_print_right(&a, r));
}

TEST(vectors_come_out)
{
	const struct json *v;
	size_t n = 0;

	arena_init(&a, 1 << 26);
	v = vectors();
	T_REQUIRE(v != NULL);
	for (v = json_first(v); v != NULL; v = v->next, n++) {
		const struct json *j = made(v), *box;
		const struct json *r = json_get(v, STR("recipients"));

		T_EQ_STR(json_str_at(j, STR("data")),
		    json_str_at(v, STR("data")));
		box = json_first(json_get(j, STR("boxes")));
		for (r = json_first(r); r != NULL; r = r->next) {
			T_REQUIRE(box != NULL);
			T_EQ_STR(json_str_at(box, STR("box")),
			    json_str_at(r, STR("box")));
			T_EQ_STR(json_str_at(box, STR("fingerprint")),
			    json_str_at(r, STR("fingerprint")));
			opens(v, r, json_str_at(box, STR("box")), hash_of(v));
			box = box->next;
		}
		T_OK(box == NULL);
	}
	T_EQ_INT(n, 6);
	arena_done(&a);
}

/* What is random differs each time, and the same value opens. */
TEST(afresh)
{
	static const struct json_limits lim = {8, 64, 4096};
	const struct json *v, *r, *j = NULL;
	struct str last = STR("");
	struct buf b;
	struct jw w;

	arena_init(&a, 1 << 26);
	v = json_first(vectors());
	T_REQUIRE(v != NULL);
	r = json_get(v, STR("recipients"));
	for (int i = 0; i < 3; i++) {
		buf_init_on(&b, &a, 1 << 20);
		jw_init(&w, &b);
		jw_obj(&w);
		T_GOOD(sealing_write(&a, json_str_at(v, STR("project")),
		    json_str_at(v, STR("name")), STR("a value"), r, &w));
		jw_obj_end(&w);
		T_GOOD(json_parse(&a, buf_view(&b), &lim, NULL, &j));
		T_OK(!str_eq(json_str_at(j, STR("data")), last));
		last = json_str_at(j, STR("data"));
	}
	arena_done(&a);
}

TEST(fingerprints_are_computed)
{
	static const struct json_limits lim = {8, 64, 64};
	const struct json *j = NULL;

	arena_init(&a, 1 << 20);
	T_GOOD(json_parse(&a,
	    STR("{\"identity\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
		"\","
		"\"key\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\","
		"\"fingerprint\":\"f5a5fd42d16a20302798ef6ed309979b"
		"43003d2320d9f0e8ea9831a92759fb4b\"}"),
	    &lim, NULL, &j));
	T_OK(sealing_print_right(&a, j));
	T_GOOD(json_parse(&a,
	    STR("{\"identity\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
		"\","
		"\"key\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\","
		"\"fingerprint\":\"f5a5fd42d16a20302798ef6ed309979b"
		"43003d2320d9f0e8ea9831a92759fb4b\"}"),
	    &lim, NULL, &j));
	T_OK(!sealing_print_right(&a, j));
	T_GOOD(json_parse(&a, STR("{}"), &lim, NULL, &j));
	T_OK(!sealing_print_right(&a, j));
	arena_done(&a);
}

T_MAIN
