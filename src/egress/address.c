#include "egress/address.h"

#include <arpa/inet.h>

#include "auth/token.h"

static const struct str special[] = {
    {"0.0.0.0/8", 9},
    {"127.0.0.0/8", 11},
    {"169.254.0.0/16", 14},	/* link-local, metadata services */
    {"100.100.100.200/32", 18}, /* a metadata service */
    {"192.0.0.0/24", 12},	/* protocol assignments, another one */
    {"224.0.0.0/4", 11},
    {"240.0.0.0/4", 11},
    {"::/127", 6}, /* unspecified and loopback */
    {"fe80::/10", 9},
    {"fec0::/10", 9},
    {"ff00::/8", 8},
    {"fd00:ec2::254/128", 17}, /* a metadata service */
    {"64:ff9b::/96", 12},      /* IPv4 in another dress */
    {"64:ff9b:1::/48", 14},
    {"2002::/16", 9},
};

/* Besides: what is not special and yet not public (RFC 6890 and others). */
static const struct str private[] = {
    {"10.0.0.0/8", 10},
    {"100.64.0.0/10", 13}, /* between carriers and customers */
    {"172.16.0.0/12", 13},
    {"192.0.2.0/24", 12}, /* documentation, three times */
    {"198.51.100.0/24", 15}, {"203.0.113.0/24", 14},
    {"192.88.99.0/24", 14},			   /* relays of 6to4 */
    {"192.168.0.0/16", 14}, {"198.18.0.0/15", 13}, /* benchmarks */
};

/* All that is public of IPv6, but for what lies in it and is not. */
static const struct str global6[] = {{"2000::/3", 8}};
static const struct str private6[] = {
    {"2001::/23", 9}, /* Teredo and other protocols */
    {"2001:db8::/32", 13},
    {"3fff::/20", 9},
};

bool
address_raw(struct str bytes, uint16_t port, struct address *ret)
{
	static const char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    (char)0xff, (char)0xff};
	struct address a = {0};

	if (bytes.n == 16 && memcmp(bytes.p, mapped, sizeof mapped) == 0)
		bytes = str_skip(bytes, sizeof mapped);
	if (bytes.n == 4) {
		a.at.v4.sin_family = AF_INET;
		a.at.v4.sin_port = htons(port);
		memcpy(&a.at.v4.sin_addr, bytes.p, 4);
		a.n = sizeof a.at.v4;
	} else if (bytes.n == 16) {
		a.at.v6.sin6_family = AF_INET6;
		a.at.v6.sin6_port = htons(port);
		memcpy(&a.at.v6.sin6_addr, bytes.p, 16);
		a.n = sizeof a.at.v6;
	} else {
		return false;
	}
	*ret = a;
	return true;
}

bool
address_of(const struct endpoint *e, struct address *ret)
{
	char host[INET6_ADDRSTRLEN + 1] = {0};
	char bytes[16];

	if (e->host.n == 0 || e->host.n >= sizeof host)
		return false;
	memcpy(host, e->host.p, e->host.n);
	if (inet_pton(AF_INET, host, bytes) == 1)
		return address_raw(str_of(bytes, 4), e->port, ret);
	return inet_pton(AF_INET6, host, bytes) == 1 &&
	    address_raw(str_of(bytes, 16), e->port, ret);
}

static bool
is_exact(struct str cidr)
{
	struct str host, prefix;

	if (!str_cut(cidr, '/', &host, &prefix))
		return true;
	return str_is(prefix,
	    memchr(host.p, ':', host.n) != NULL ? "128" : "32");
}

struct str
address_show(const struct address *a, char ret[ADDRESS_SHOWN])
{
	if (a->at.any.sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &a->at.v4.sin_addr, ret,
		    ADDRESS_SHOWN);
	else
		(void)inet_ntop(AF_INET6, &a->at.v6.sin6_addr, ret,
		    ADDRESS_SHOWN);
	return str_c(ret);
}

#define IN(list, s) cidr_match((list), sizeof(list) / sizeof *(list), (s))

bool
address_allowed(const struct address *a, const struct str *allow,
    size_t allow_n)
{
	char text[ADDRESS_SHOWN];
	struct str s = address_show(a, text);
	bool is_special = IN(special, s), found = false;

	for (size_t i = 0; i < allow_n; i++)
		found |= cidr_match(&allow[i], 1, s) &&
		    (!is_special || is_exact(allow[i]));
	return found;
}

bool
address_public(const struct address *a)
{
	char text[ADDRESS_SHOWN];
	struct str s = address_show(a, text);

	if (IN(special, s))
		return false;
	if (a->at.any.sa_family == AF_INET)
		return !IN(private, s);
	return IN(global6, s) && !IN(private6, s);
}
