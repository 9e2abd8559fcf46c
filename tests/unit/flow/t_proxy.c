/* Who asks, behind proxies that are ours, and behind those that are not. */
#include "flow/proxy.h"
#include "base/limits.h"
#include "tests/t.h"

static struct arena a;

static const struct str ours[] = {{"10.0.0.0/8", 10}, {"2001:db8:1::/48", 15},
    {"192.0.2.7", 9}};

enum { OURS = 3 };

static const char *
client(const char *peer, const struct header *h, size_t n)
{
	struct http_request r = {.headers = h, .headers_n = n};
	struct str s = STR("?");
	const char *c;

	snprintf(r.address, sizeof r.address, "%s", peer);
	if (!err_ok(proxy_client(&a, ours, OURS, &r, &s)))
		return "refused";
	c = arena_cstr(&a, s);
	return c == NULL ? "?" : c;
}

static const struct row {
	const char *peer, *list, *forwarded, *want;
} rows[] = {
    /* a stranger may say what it likes */
    {"198.51.100.1", NULL, NULL, "198.51.100.1"},
    {"198.51.100.1", "203.0.113.9", NULL, "198.51.100.1"},
    {"198.51.100.1", NULL, "for=203.0.113.9", "198.51.100.1"},
    {"198.51.100.1", "nonsense", "nonsense", "198.51.100.1"},
    {"192.0.2.8", "203.0.113.9", NULL, "192.0.2.8"},
    /* one of ours */
    {"10.1.2.3", NULL, NULL, "10.1.2.3"},
    {"10.1.2.3", "203.0.113.9", NULL, "203.0.113.9"},
    {"192.0.2.7", "203.0.113.9", NULL, "203.0.113.9"},
    {"2001:db8:1::5", "203.0.113.9", NULL, "203.0.113.9"},
    {"2001:db8:2::5", "203.0.113.9", NULL, "2001:db8:2::5"},
    /* the rightmost that is not ours; what a client wrote stays left of it */
    {"10.1.2.3", "1.1.1.1, 203.0.113.9", NULL, "203.0.113.9"},
    {"10.1.2.3", "127.0.0.1,203.0.113.9,10.9.9.9", NULL, "203.0.113.9"},
    {"10.1.2.3", "10.0.0.1, 203.0.113.9", NULL, "203.0.113.9"},
    {"10.1.2.3", "<script>, 203.0.113.9", NULL, "203.0.113.9"},
    {"10.1.2.3", "10.7.7.7, 10.8.8.8", NULL, "10.7.7.7"},
    {"10.1.2.3", "203.0.113.9, 192.0.2.7, 10.0.0.4", NULL, "203.0.113.9"},
    /* forms of addresses */
    {"10.1.2.3", "203.0.113.9:4711", NULL, "203.0.113.9"},
    {"10.1.2.3", "2001:DB8::0:1", NULL, "2001:db8::1"},
    {"10.1.2.3", "[2001:db8::1]", NULL, "2001:db8::1"},
    {"10.1.2.3", "[2001:db8::1]:443", NULL, "2001:db8::1"},
    {"10.1.2.3", "::ffff:203.0.113.9", NULL, "203.0.113.9"},
    {"10.1.2.3", "::ffff:10.5.5.5", NULL, "10.5.5.5"},
    {"10.1.2.3", "203.0.113.9,::ffff:10.5.5.5", NULL, "203.0.113.9"},
    /* what cannot be read is not guessed */
    {"10.1.2.3", "", NULL, "refused"},
    {"10.1.2.3", "unknown", NULL, "refused"},
    {"10.1.2.3", "203.0.113.9,", NULL, "refused"},
    {"10.1.2.3", "203.0.113.9, ,", NULL, "refused"},
    {"10.1.2.3", "203.0.113.9,unknown,10.0.0.1", NULL, "refused"},
    {"10.1.2.3", "203.0.113", NULL, "refused"},
    {"10.1.2.3", "203.0.113.009", NULL, "refused"},
    {"10.1.2.3", "0xcb.0.113.9", NULL, "refused"},
    {"10.1.2.3", "203.0.113.9:", NULL, "refused"},
    {"10.1.2.3", "203.0.113.9:65536", NULL, "refused"},
    {"10.1.2.3", "203.0.113.9:x", NULL, "refused"},
    {"10.1.2.3", "[203.0.113.9]", NULL, "refused"},
    {"10.1.2.3", "[2001:db8::1", NULL, "refused"},
    {"10.1.2.3", "[2001:db8::1]x", NULL, "refused"},
    {"10.1.2.3", "fe80::1%eth0", NULL, "refused"},
    {"10.1.2.3", "localhost", NULL, "refused"},
    {"10.1.2.3", "203.0.113.9;10.0.0.1", NULL, "refused"},
    /* RFC 7239 */
    {"10.1.2.3", NULL, "for=203.0.113.9", "203.0.113.9"},
    {"10.1.2.3", NULL, "For=\"203.0.113.9:80\"", "203.0.113.9"},
    {"10.1.2.3", NULL, "for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"},
    {"10.1.2.3", NULL, "proto=https;for=203.0.113.9;by=10.0.0.1",
	"203.0.113.9"},
    {"10.1.2.3", NULL, "for=1.1.1.1, for=203.0.113.9;proto=http",
	"203.0.113.9"},
    {"10.1.2.3", NULL, "for=203.0.113.9 , for=10.0.0.9", "203.0.113.9"},
    {"10.1.2.3", NULL, "for=\"a,b\", for=203.0.113.9", "203.0.113.9"},
    {"10.1.2.3", NULL, "host=\"x;for=1.1.1.1\";for=203.0.113.9", "203.0.113.9"},
    {"10.1.2.3", NULL, "", "refused"},
    {"10.1.2.3", NULL, "for=", "refused"},
    {"10.1.2.3", NULL, "for", "refused"},
    {"10.1.2.3", NULL, "=203.0.113.9", "refused"},
    {"10.1.2.3", NULL, "for=unknown", "refused"},
    {"10.1.2.3", NULL, "for=_hidden", "refused"},
    {"10.1.2.3", NULL, "proto=https", "refused"},
    {"10.1.2.3", NULL, "for=203.0.113.9;for=10.0.0.1", "refused"},
    {"10.1.2.3", NULL, "for=203.0.113.9,", "refused"},
    {"10.1.2.3", NULL, "for=203.0.113.9;", "refused"},
    {"10.1.2.3", NULL, "for=203.0.113.9 for=10.0.0.1", "refused"},
    {"10.1.2.3", NULL, "for=\"203.0.113.9", "refused"},
    {"10.1.2.3", NULL, "for=\"203.0.\\113.9\"", "refused"},
    {"10.1.2.3", NULL, "for=\"203.0.113.9\"x", "refused"},
    {"10.1.2.3", NULL, "for=[2001:db8::1]", "2001:db8::1"},
    /* both: one of them is the client's own */
    {"10.1.2.3", "203.0.113.9", "for=203.0.113.9", "refused"},
};

TEST(who_asks)
{
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct header h[3];
		const char *got;
		size_t n = 0;

		h[n++] = (struct header){STR("x-real-ip"), STR("1.2.3.4")};
		if (r->list != NULL)
			h[n++] = (struct header){STR("x-forwarded-for"),
			    str_c(r->list)};
		if (r->forwarded != NULL)
			h[n++] = (struct header){STR("forwarded"),
			    str_c(r->forwarded)};
		got = client(r->peer, h, n);
		if (strcmp(got, r->want) != 0)
			T_FAIL("%s, %s, %s: %s, want %s", r->peer,
			    r->list == NULL ? "-" : r->list,
			    r->forwarded == NULL ? "-" : r->forwarded, got,
			    r->want);
	}
	arena_done(&a);
}

/* Several headers of one name are one list, in their order. */
TEST(lists_in_pieces)
{
	const struct header h[] = {{STR("x-forwarded-for"),
				       STR("203.0.113.1, 203.0.113.2")},
	    {STR("accept"), STR("*/*")},
	    {STR("x-forwarded-for"), STR("203.0.113.3")},
	    {STR("x-forwarded-for"), STR("10.0.0.1")}};

	arena_init(&a, 1 << 20);
	T_EQ_STR(str_c(client("10.1.2.3", h, 4)), STR("203.0.113.3"));
	arena_done(&a);
}

TEST(hops_at_n_and_n_plus_one)
{
	char text[(LIM_HOPS + 1) * 12 + 1];
	struct header h = {STR("x-forwarded-for"), STR("")};
	size_t n = 0;

	arena_init(&a, 1 << 20);
	for (int i = 0; i < LIM_HOPS; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
		    "%s203.0.113.9", i == 0 ? "" : ",");
	h.value = str_of(text, n);
	T_EQ_STR(str_c(client("10.1.2.3", &h, 1)), STR("203.0.113.9"));
	n += (size_t)snprintf(text + n, sizeof text - n, ",10.0.0.1");
	h.value = str_of(text, n);
	T_EQ_STR(str_c(client("10.1.2.3", &h, 1)), STR("refused"));
	arena_done(&a);
}

T_MAIN
