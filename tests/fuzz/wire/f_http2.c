/* HTTP/2 frames into our callbacks of nghttp2, over a memory transport. */
#include "tests/fuzz/wire/harness.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
				      "\0\0\0\4\0\0\0\0\0";

	fuzz_connection(data, n, true, str_of(preface, sizeof preface - 1));
	return 0;
}
