#include "egress/dns.h"

enum {
	HEAD = 12,
	NAME = 255,
	LABEL = 63,
	CLASS_IN = 1,
	CNAME = 5,
	FLAG_QR = 0x8000,
	FLAG_TC = 0x0200,
	FLAG_OPCODE = 0x7800,
	FLAG_RCODE = 0x000f,
	FLAG_RD = 0x0100,
};

static void
be16(uint8_t *to, unsigned v)
{
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
}

size_t
dns_query(uint8_t ret[DNS_QUERY], uint16_t id, struct str name,
    enum dns_type type)
{
	size_t n = HEAD;

	if (name.n == 0 || name.n > NAME - 2)
		return 0;
	memset(ret, 0, HEAD);
	be16(ret, id);
	be16(ret + 2, FLAG_RD);
	be16(ret + 4, 1);
	while (name.n > 0) {
		struct str label;

		str_cut(name, '.', &label, &name);
		if (label.n == 0 || label.n > LABEL)
			return 0;
		ret[n++] = (uint8_t)label.n;
		memcpy(ret + n, label.p, label.n);
		n += label.n;
	}
	ret[n++] = 0;
	be16(ret + n, type);
	be16(ret + n + 2, CLASS_IN);
	return n + 4;
}

/* A name, unpacked: labels with their lengths, lower case. */
struct name {
	uint8_t b[NAME];
	size_t n;
};

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/*
 * The name at c.  A pointer goes to a place before the one it stands in
 * (and before every pointer followed so far), so this ends.
 */
static bool
name_take(struct str packet, struct cur *c, struct name *ret)
{
	size_t at = packet.n - c->n, before = at;
	struct cur here = *c;
	bool jumped = false;

	ret->n = 0;
	for (;;) {
		uint8_t n = cur_u8(&here);
		struct str label;

		if (here.failed)
			return false;
		if ((n & 0xc0) == 0xc0) {
			at = (size_t)(n & 0x3f) << 8 | cur_u8(&here);
			if (here.failed || at >= before)
				return false;
			if (!jumped)
				*c = here;
			jumped = true;
			before = at;
			here = cur_of(str_skip(packet, at));
			continue;
		}
		if (n > LABEL || n + 1U > NAME - ret->n)
			return false;
		ret->b[ret->n++] = n;
		if (n == 0)
			break;
		label = cur_view(&here, n);
		for (size_t i = 0; i < label.n; i++)
			ret->b[ret->n++] = lower((uint8_t)label.p[i]);
		if (here.failed)
			return false;
	}
	if (!jumped)
		*c = here;
	return true;
}

static bool
name_eq(const struct name *a, const struct name *b)
{
	return a->n == b->n && memcmp(a->b, b->b, a->n) == 0;
}

struct record {
	struct name owner;
	uint16_t type, class;
	struct str data;
	size_t data_at; /* in the packet */
};

static bool
record_take(struct str packet, struct cur *c, struct record *ret)
{
	if (!name_take(packet, c, &ret->owner))
		return false;
	ret->type = cur_be16(c);
	ret->class = cur_be16(c);
	(void)cur_be32(c); /* its time to live is not ours to use */
	ret->data = cur_view(c, cur_be16(c));
	ret->data_at = packet.n - c->n - ret->data.n;
	return !c->failed;
}

/* One pass over the answers for one name: its addresses, or its alias. */
static bool
pass(struct str packet, struct cur c, unsigned records, uint16_t type,
    struct name *want, bool *ret_alias, struct dns_addresses *ret)
{
	size_t size = type == DNS_A ? 4 : 16;
	struct record r;

	*ret_alias = false;
	for (unsigned i = 0; i < records; i++) {
		if (!record_take(packet, &c, &r))
			return false;
		if (r.class != CLASS_IN || !name_eq(&r.owner, want))
			continue;
		if (r.type == type && r.data.n == size &&
		    ret->n < DNS_ADDRESSES)
			ret->at[ret->n++] = r.data;
		if (r.type == CNAME && ret->n == 0) {
			struct str upto =
			    str_head(packet, r.data_at + r.data.n);
			struct cur d = cur_of(str_skip(upto, r.data_at));

			if (!name_take(upto, &d, want) || !cur_end(&d))
				return false;
			*ret_alias = true;
			return true;
		}
	}
	return true;
}

/* The question again, whatever the case of its letters. */
static bool
same_question(struct cur *c, struct str query)
{
	struct str asked = str_skip(query, HEAD);
	struct str said = cur_view(c, asked.n);

	for (size_t i = 0; i < said.n; i++)
		if (lower((uint8_t)said.p[i]) != lower((uint8_t)asked.p[i]))
			return false;
	return !c->failed;
}

err
dns_answer(struct str packet, struct str query, struct dns_addresses *ret)
{
	struct cur c = cur_of(packet), q = cur_of(query), none;
	struct dns_addresses found = {0};
	unsigned id = cur_be16(&c), flags = cur_be16(&c);
	unsigned questions = cur_be16(&c), records = cur_be16(&c);
	struct name want;
	uint16_t type;
	bool alias = true;

	(void)cur_be32(&c);
	if (c.failed || id != cur_be16(&q) || questions != 1 ||
	    (flags & (FLAG_QR | FLAG_OPCODE)) != FLAG_QR ||
	    !same_question(&c, query))
		return err_of(E_BAD_ANSWER);
	if ((flags & (FLAG_TC | FLAG_RCODE)) != 0 || records > DNS_RECORDS)
		return err_of(E_NOT_FOUND);
	none = cur_of(str_skip(query, query.n - 4));
	type = cur_be16(&none);
	q = cur_of(str_skip(query, HEAD));
	if (!name_take(query, &q, &want))
		return err_of(E_BAD_ANSWER);
	for (unsigned i = 0; alias && i <= DNS_ALIASES; i++)
		if (!pass(packet, c, records, type, &want, &alias, &found))
			return err_of(E_NOT_FOUND);
	if (alias || found.n == 0)
		return err_of(E_NOT_FOUND);
	*ret = found;
	return OK;
}
