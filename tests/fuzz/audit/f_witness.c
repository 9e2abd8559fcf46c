/* What a witness reads: a server's answer, a policy, a cosigned note. */
#include "audit/growth.h"
#include "audit/quorum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t pub[32] = {1};
	static struct quorum q;
	struct str s = str_of((const char *)data, size), line;
	struct quorum_result r;
	struct note_key k;
	struct trail t = {0};
	struct growth g;
	uint64_t at;

	if (err_ok(growth_parse(s, &g)))
		BUG_ON(g.n > PROOF_MAX || g.note.n > size);
	if (err_ok(quorum_parse(s, &t, &q))) {
		BUG_ON(q.members > QUORUM_WITNESSES + QUORUM_GROUPS);
		quorum_ask(&q, s, 0, &r);
		BUG_ON(r.cosigned > r.witnesses);
	}
	if (err_ok(note_witness_parse(s, &k)))
		BUG_ON(k.type != 4);
	BUG_ON(!err_ok(note_witness_of(STR("w"), pub, &k)));
	BUG_ON(note_cosigned(s, &k, &at, &line)); /* nobody has that key */
	return 0;
}
