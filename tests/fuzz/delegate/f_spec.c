/*
 * The packet of a step, as a zygote's wardens read it: refused, or what it
 * says can be run: texts end, numbers are within limits.
 */
#include "base/limits.h"
#include "delegate/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int fds[SPEC_FDS] = {3, 4, 5, 6};
	static struct step s;
	size_t fds_n;

	if (size < 1)
		return 0;
	fds_n = data[0] % (SPEC_FDS + 1);
	if (!err_ok(spec_read(str_of((const char *)data + 1, size - 1), fds,
		fds_n, &s)))
		return 0;
	BUG_ON(s.argc == 0 || s.argc > SANDBOX_ARGS || s.argv[0][0] != '/');
	BUG_ON(s.argv[s.argc] != NULL || s.env[s.envc] != NULL);
	for (size_t i = 0; i < s.argc; i++)
		BUG_ON(strlen(s.argv[i]) > size);
	for (size_t i = 0; i < s.envc; i++)
		BUG_ON(!env_allowed(str_c(s.env[i])));
	BUG_ON(
	    s.limits.memory_mb == 0 || s.limits.memory_mb > LIM_STEP_MEMORY_MB);
	BUG_ON(s.id[0] == 0 || strlen(s.id) > SANDBOX_ID);
	return 0;
}
