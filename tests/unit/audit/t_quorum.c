/* t_quorum.c: C2SP tlog-policy: what is one, and when it is met. */
#include "audit/quorum.h"

#include "tests/unit/audit/log.h"

enum { SEEDS = 6, AT = 1795600000 };

static struct note_key key[SEEDS];
static char vkey[SEEDS][256];
static struct quorum q;

static void
keys(void)
{
	for (unsigned i = 0; i < SEEDS; i++) {
		uint8_t seed[32] = {(uint8_t)(i + 1)};
		char name[8] = {'w', (char)('0' + i)};
		struct buf b = {.p = vkey[i], .cap = 255, .max = 255};
		struct note_key k;

		T_GOOD(note_key_of(str_c(name), seed, &k));
		T_GOOD(note_witness_of(str_c(name), k.pub, &key[i]));
		note_key_text(&key[i], &b);
		vkey[i][b.n] = '\0';
	}
}

/* A checkpoint that the witnesses of that mask have cosigned. */
static struct str
note(struct buf *b, unsigned mask)
{
	struct log *l = log_new(3);

	buf_clear(b);
	log_note(l, 3, b);
	(void)log_free(l);
	for (unsigned i = 0; i < SEEDS; i++) {
		uint8_t seed[32] = {(uint8_t)(i + 1)};
		struct buf next;

		if ((mask >> i & 1) == 0)
			continue;
		buf_init(&next, NOTE_MAX);
		T_GOOD(note_cosign(buf_view(b), str_c(key[i].name), seed,
		    AT + i, &next));
		buf_done(b);
		*b = next;
	}
	return buf_view(b);
}

static bool
met(unsigned mask, uint64_t since)
{
	struct quorum_result r;
	struct buf b;

	buf_init(&b, NOTE_MAX);
	quorum_ask(&q, note(&b, mask), since, &r);
	buf_done(&b);
	return r.met;
}

/* %0 .. %5 are the keys. */
static err
policy(const char *form)
{
	static struct trail t;
	static struct buf b;

	buf_done(&b);
	buf_init(&b, 65536);
	for (; *form != '\0'; form++) {
		if (*form == '%')
			buf_c(&b, vkey[*++form - '0']);
		else
			buf_char(&b, *form);
	}
	t = (struct trail){0};
	return quorum_parse(buf_view(&b), &t, &q);
}

TEST(groups)
{
	keys();
	T_GOOD(policy("# who\n\n"
		      " witness X1 %0\nwitness\tX2 %1 https://x.example\n"
		      "witness X3 %2\ngroup X 2 X1 X2 X3\n"
		      "witness Y1 %3\nwitness Y2 %4\ngroup Y any Y1 Y2\n"
		      "group XY all X Y\nquorum XY \n"));
	T_OK(!met(0, 0));
	T_OK(!met(0x07, 0)); /* all of X, none of Y */
	T_OK(!met(0x09, 0)); /* one of X */
	T_OK(!met(0x18, 0));
	T_OK(met(0x0b, 0));
	T_OK(met(0x15, 0));
	T_OK(met(0x3f, 0)); /* a stranger does no harm */
	T_OK(met(0x0b, AT));
	T_OK(!met(0x0b, AT + 1)); /* X1's is too old */
	T_GOOD(policy("witness a %0\nquorum a\n"));
	T_OK(met(1, 0) && !met(2, 0));
	T_GOOD(policy("quorum none\n"));
	T_OK(met(0, 0));
}

TEST(named_on_the_command_line)
{
	keys();
	T_GOOD(quorum_of(key, 3, 2, &q));
	T_OK(met(3, 0) && met(6, 0) && met(7, 0));
	T_OK(!met(1, 0) && !met(0x38, 0));
	T_GOOD(quorum_of(key, 3, 0, &q));
	T_OK(met(7, 0) && !met(3, 0));
	T_ERR(quorum_of(key, 3, 4, &q), E_INVALID);
	T_ERR(quorum_of(key, 0, 0, &q), E_INVALID);
	key[1] = key[0];
	T_ERR(quorum_of(key, 2, 1, &q), E_INVALID); /* one twice */
	keys();
}

TEST(logs)
{
	keys();
	T_GOOD(policy("log redoubt.example/audit/test/1+5f729edd+AQOhB7/zzhC+"
		      "HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4 https://x\n"
		      "quorum none\n"));
	T_EQ_INT(q.logs, 1);
	T_OK(str_is(STR(LOG_NAME), q.log[0].name));
}

TEST(none_of_these)
{
	static const char *const bad[] = {"", "\n", "quorum\n", "quorum x\n",
	    "quorum none\nquorum none\n", "quorum none", "quorum none x\n",
	    "witness a\nquorum a\n", "witness none %0\nquorum none\n",
	    "witness a %0\nwitness a %1\nquorum a\n",
	    "witness a %0\nwitness b %0\nquorum a\n", "group g any\nquorum g\n",
	    "group g any a\nquorum g\n",
	    "witness a %0\ngroup g 0 a\nquorum g\n",
	    "witness a %0\ngroup g 2 a\nquorum g\n",
	    "witness a %0\ngroup g 01 a\nquorum g\n",
	    "witness a %0\ngroup g most a\nquorum g\n",
	    "witness a %0\ngroup g any a a\nquorum g\n",
	    "witness a %0\ngroup g any a\ngroup h any a\nquorum h\n",
	    "group g any g\nquorum g\n", "quorum a\nwitness a %0\n",
	    "log %0\nquorum none\n", "log x\nquorum none\n",
	    "witness a %0 u x\nquorum a\n", "Quorum none\n", "quorum none\r\n",
	    "quorum\vnone\n", "\x7fquorum none\n"};

	keys();
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (err_ok(policy(bad[i])))
			T_FAIL("taken: %s", bad[i]);
}

T_MAIN
