/* A packet from the resolver: addresses are bytes of it, and it ends. */
#include "egress/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA};
	struct dns_addresses got;
	uint8_t query[DNS_QUERY];

	if (n > DNS_ANSWER)
		return 0;
	for (size_t t = 0; t < 2; t++) {
		size_t q = dns_query(query, 0x1234, STR("idp.test"), types[t]);
		struct str in = str_of((const char *)data, n);

		if (!err_ok(dns_answer(in, str_of((char *)query, q), &got)))
			continue;
		BUG_ON(got.n == 0 || got.n > DNS_ADDRESSES);
		for (size_t i = 0; i < got.n; i++)
			BUG_ON(got.at[i].p < in.p || got.at[i].n > n ||
			    (size_t)(got.at[i].p - in.p) > n - got.at[i].n);
	}
	return 0;
}
