/*
 * The text of a task, of any bytes, sealed and signed by the right keys, in
 * a log of its own choice: what is taken is a whole step of a document with
 * an approval (the corpus has some that are taken).
 */
#include "base/limits.h"
#include "delegate/envelope.h"
#include "seal/ed25519.h"
#include "seal/hpke.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t seed[32] = {1, 2, 3}, sk[32] = {4, 5, 6};
static const char policy_text[] =
    "[delegate]\nlabels = site=fra\nkinds = script http\nrunbooks = *\n"
    "connectors = *\nhosts = *\nsecrets = *\n"
    "[interpreter sh]\npath = /bin/sh\n";

static struct pinned pinned;
static struct policy policy;
static struct arena lasting;

static void
once(void)
{
	static struct secret *s;
	struct trail t = {0};

	if (s != NULL)
		return;
	arena_init(&lasting, 1 << 20);
	BUG_ON(!err_ok(secret_new(&s)));
	memcpy(secret_bytes(s), sk, sizeof sk);
	pinned.sealing = s;
	pinned.delegate = STR("01900000-0000-7000-8000-000000000007");
	pinned.project = STR("01900000-0000-7000-8000-000000000003");
	BUG_ON(!err_ok(note_key_of(STR("redoubt.example/audit/test/1"), seed,
	    &pinned.log)));
	BUG_ON(!err_ok(ed25519_public(seed, pinned.task_key)));
	BUG_ON(
	    !err_ok(policy_parse(&lasting, str_c(policy_text), &t, &policy)));
}

/* The keeper's text: PROTOCOL.delegate 5. */
static bool
signature(struct arena *a, struct str text, uint8_t sig[ED25519_SIG])
{
	static const struct json_limits limits = {LIM_JSON_DEPTH,
	    LIM_JSON_MEMBERS, LIM_JSON_VALUES};
	static const char *const names[] = {"log", "task", "delegate"};
	const struct json *j;
	struct trail t = {0};
	struct buf b;

	if (!err_ok(json_parse(a, text, &limits, &t, &j)))
		return false;
	buf_init_on(&b, a, 1024);
	buf_c(&b, "redoubt-task/1\n");
	for (size_t i = 0; i < 3; i++) {
		buf_str(&b, json_str_at(j, str_c(names[i])));
		buf_char(&b, '\n');
	}
	for (size_t i = 0; i < 2; i++) {
		const struct json *n =
		    json_get(j, i == 0 ? STR("issued") : STR("expires"));

		if (n != NULL)
			buf_str(&b, n->text);
		buf_char(&b, '\n');
	}
	buf_str(&b, task_digest(a, text));
	buf_char(&b, '\n');
	return err_ok(buf_check(&b)) &&
	    err_ok(ed25519_sign(seed, buf_view(&b), sig));
}

static void
offered(struct arena *a, struct str text, const uint8_t sig[ED25519_SIG])
{
	struct offer o = {.task = STR("01900000-0000-7000-8000-000000000001"),
	    .fence = 1};
	struct trail t = {0};
	struct task task;
	struct buf plain, sealed;
	uint8_t pk[HPKE_KEY];

	buf_init_on(&plain, a, text.n + 128);
	buf_init_on(&sealed, a, text.n + 256);
	buf_be32(&plain, (uint32_t)text.n);
	buf_str(&plain, text);
	buf_add(&plain, sig, ED25519_SIG);
	BUG_ON(!err_ok(hpke_key_public(sk, pk)));
	BUG_ON(!err_ok(hpke_seal_with(HPKE_AES_256_GCM, seed, pk,
	    STR("redoubt-task/1"), o.task, buf_view(&plain), &sealed)));
	o.sealed = buf_view(&sealed);
	if (envelope_open(&pinned, &o, 1795600000000, a, &task) != REASON_NONE)
		return;
	if (!err_ok(checkpoint_open(json_str_at(task.json, STR("checkpoint")),
		&pinned.log, &o.point)))
		o.point.size = 3;
	if (envelope_check(&pinned, &o, &policy, 1795600000000, &task, &t) !=
	    REASON_NONE)
		return;
	BUG_ON(task.step == NULL || o.point.size == 0);
	BUG_ON(json_get(task.json, STR("approvals"))->count == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_of((const char *)data, size);
	uint8_t sig[ED25519_SIG] = {0};
	struct arena a;

	once();
	if (size > 65536)
		return 0;
	arena_init(&a, LIM_ARENA);
	(void)signature(&a, text, sig);
	offered(&a, text, sig);
	arena_done(&a);
	return 0;
}
