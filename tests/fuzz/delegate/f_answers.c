/* Answers of a server, of any bytes; the first says which. */
#include "delegate/answers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct lease lease;

static err
read_one(uint8_t which, struct arena *a, struct str text, struct trail *t)
{
	struct joined g;
	struct str pem;
	uint64_t next;

	switch (which & 7) {
	case 0:
		return answer_joined(a, text, t, &g);
	case 1:
	case 2:
		TRY(answer_lease(a, text, t, &lease));
		BUG_ON(lease.tasks > LIM_DELEGATE_TASKS);
		BUG_ON(lease.proof_n > ANSWER_PROOF);
		for (size_t i = 0; i < lease.tasks; i++)
			BUG_ON(lease.task[i].fence == 0);
		return OK;
	case 3:
		return answer_checkpoint(a, text, t, &lease);
	case 4:
		return answer_certificate(a, text, t, &pem);
	case 5:
		return answer_next(a, text, t, &next);
	default:
		(void)answer_code(a, text);
		return OK;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trail t = {0};
	struct arena a;
	err e;

	if (size == 0)
		return 0;
	arena_init(&a, 4 << 20);
	e = read_one(data[0], &a, str_of((const char *)data + 1, size - 1), &t);
	BUG_ON(!err_ok(e) && !err_is(e, E_NO_MEMORY) && t.detail[0] == '\0');
	arena_done(&a);
	return 0;
}
