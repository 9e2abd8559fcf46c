/* HTTP/1.1 bytes into a whole connection, over a memory transport. */
#include "tests/fuzz/wire/harness.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_connection(data, n, false, STR(""));
	return 0;
}
