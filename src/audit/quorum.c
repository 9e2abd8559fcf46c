#include "audit/quorum.h"

#include <stdio.h>

enum { MEMBERS = QUORUM_WITNESSES + QUORUM_GROUPS };
_Static_assert(MEMBERS <= 64, "a group is a bit for each member");

/* ---- reading ---- */

struct reading {
	struct quorum *q;
	struct str line; /* what is left of it */
	const char *why;
};

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next item of the line; empty at its end. */
static struct str
item(struct reading *r)
{
	size_t n = 0;
	struct str s;

	while (r->line.n > 0 && blank(r->line.p[0]))
		r->line = str_skip(r->line, 1);
	while (n < r->line.n && !blank(r->line.p[n]))
		n++;
	s = str_head(r->line, n);
	r->line = str_skip(r->line, n);
	return s;
}

static bool
wrong(struct reading *r, const char *why)
{
	r->why = why;
	return false;
}

static int
find(const struct quorum *q, struct str name)
{
	for (size_t i = 0; i < q->members; i++)
		if (str_eq(q->member[i].name, name))
			return (int)i;
	return -1;
}

static bool
same_key(const struct note_key *a, const struct note_key *b)
{
	return memcmp(a->pub, b->pub, sizeof a->pub) == 0;
}

static bool
read_log(struct reading *r)
{
	struct quorum *q = r->q;

	if (q->logs == QUORUM_LOGS)
		return wrong(r, "too many logs");
	if (!err_ok(note_key_parse(item(r), &q->log[q->logs])))
		return wrong(r, "no verifier key of a log");
	for (size_t i = 0; i < q->logs; i++)
		if (same_key(&q->log[i], &q->log[q->logs]))
			return wrong(r, "this log stands here twice");
	q->logs++;
	(void)item(r); /* its address */
	return true;
}

/* A name that is free, for the next member. */
static bool
read_name(struct reading *r)
{
	struct quorum *q = r->q;
	struct str name = item(r);

	if (name.n == 0 || str_is(name, "none"))
		return wrong(r, "a name is missing");
	if (find(q, name) >= 0)
		return wrong(r, "this name stands here twice");
	if (q->members == MEMBERS)
		return wrong(r, "too many witnesses and groups");
	q->member[q->members] = (struct quorum_member){.name = name};
	return true;
}

static bool
add_witness(struct quorum *q, const struct note_key *key)
{
	size_t n = 0;

	for (size_t i = 0; i < q->members; i++) {
		if (q->member[i].threshold > 0)
			continue;
		if (++n == QUORUM_WITNESSES || same_key(&q->member[i].key, key))
			return false;
	}
	q->member[q->members++].key = *key;
	return true;
}

static bool
read_witness(struct reading *r)
{
	struct note_key key;

	if (!read_name(r))
		return false;
	if (!err_ok(note_witness_parse(item(r), &key)))
		return wrong(r, "no verifier key of a witness");
	if (!add_witness(r->q, &key))
		return wrong(r, "this witness stands here twice, or too many");
	(void)item(r);
	return true;
}

static bool
read_members(struct reading *r, struct quorum_member *g, unsigned *ret)
{
	struct str name;
	unsigned n = 0;

	for (name = item(r); name.n > 0; name = item(r)) {
		int i = find(r->q, name);

		if (i < 0)
			return wrong(r, "a member that was not named before");
		if (r->q->member[i].used)
			return wrong(r, "a member of two groups");
		r->q->member[i].used = true;
		g->in |= UINT64_C(1) << i;
		n++;
	}
	*ret = n;
	return n > 0 || wrong(r, "a group of nobody");
}

static bool
read_group(struct reading *r)
{
	struct quorum_member *g = &r->q->member[r->q->members];
	struct str threshold;
	uint64_t k = 1;
	unsigned n;

	if (!read_name(r))
		return false;
	threshold = item(r);
	if (!read_members(r, g, &n))
		return false;
	if (str_is(threshold, "all"))
		k = n;
	else if (!str_is(threshold, "any") && !str_u64(threshold, 1, n, &k))
		return wrong(r, "any, all, or so many of the members");
	g->threshold = (unsigned)k;
	r->q->members++;
	return true;
}

static bool
read_quorum(struct reading *r, bool *there)
{
	struct str name = item(r);

	if (*there)
		return wrong(r, "a second quorum");
	*there = true;
	r->q->top = find(r->q, name);
	if (r->q->top < 0 && !str_is(name, "none"))
		return wrong(r, "a quorum that was not named before");
	return true;
}

static bool
read_line(struct reading *r, bool *quorum)
{
	struct str word = item(r);
	bool ok;

	if (word.n == 0 || word.p[0] == '#')
		return true;
	if (str_is(word, "log"))
		ok = read_log(r);
	else if (str_is(word, "witness"))
		ok = read_witness(r);
	else if (str_is(word, "group"))
		ok = read_group(r);
	else if (str_is(word, "quorum"))
		ok = read_quorum(r, quorum);
	else
		return wrong(r, "neither log, witness, group nor quorum");
	if (ok && item(r).n > 0)
		return wrong(r, "something behind what is meant");
	return ok;
}

static bool
text_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < ' ' && c != '\t' && c != '\n') || c == 0x7f)
			return false;
	}
	return s.n == 0 || s.p[s.n - 1] == '\n';
}

err
quorum_parse(struct str text, struct trail *t, struct quorum *ret)
{
	struct reading r = {.q = ret};
	bool quorum = false;
	unsigned number = 0;

	*ret = (struct quorum){.top = -1};
	if (!text_ok(text)) {
		trail_set(t, "a policy is lines of text");
		return err_of(E_INVALID);
	}
	while (str_cut(text, '\n', &r.line, &text)) {
		number++;
		if (read_line(&r, &quorum))
			continue;
		trail_set(t, "line %u: %s", number, r.why);
		return err_of(E_INVALID);
	}
	if (quorum)
		return OK;
	trail_set(t, "it has no quorum line");
	return err_of(E_INVALID);
}

err
quorum_of(const struct note_key *witness, size_t n, unsigned threshold,
    struct quorum *ret)
{
	struct quorum_member *g;

	*ret = (struct quorum){.top = -1};
	if (n == 0 || n > QUORUM_WITNESSES || threshold > n)
		return err_of(E_INVALID);
	for (size_t i = 0; i < n; i++)
		if (!add_witness(ret, &witness[i]))
			return err_of(E_INVALID);
	g = &ret->member[ret->members];
	g->threshold = threshold == 0 ? (unsigned)n : threshold;
	g->in = (UINT64_C(1) << n) - 1;
	ret->top = (int)ret->members++;
	return OK;
}

/* ---- asking ---- */

void
quorum_ask(const struct quorum *q, struct str note, uint64_t since,
    struct quorum_result *ret)
{
	struct quorum_result r = {.met = q->top < 0};
	uint64_t yes = 0, at;
	struct str line;

	for (size_t i = 0; i < q->members; i++) {
		const struct quorum_member *m = &q->member[i];
		bool has;

		if (m->threshold > 0) {
			has = (unsigned)__builtin_popcountll(yes & m->in) >=
			    m->threshold;
		} else {
			r.witnesses++;
			has = note_cosigned(note, &m->key, &at, &line) &&
			    at >= since;
			if (has && (r.cosigned++ == 0 || at < r.oldest))
				r.oldest = at;
		}
		yes |= (uint64_t)has << i;
	}
	if (q->top >= 0)
		r.met = (yes >> q->top & 1) != 0;
	*ret = r;
}
