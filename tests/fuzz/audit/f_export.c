/* An export from anywhere: read or refused with a finding, never believed
 * half. */
#include "audit/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct audit_verdict v;
	err e;

	e = audit_verify_export(str_of((const char *)data, size), NULL, &v);
	BUG_ON(err_ok(e) != (v.bad_seq == 0) && !err_is(e, E_NO_MEMORY));
	BUG_ON(v.what[0] == '\0' && !err_is(e, E_NO_MEMORY));
	BUG_ON(err_ok(e) && v.entries + v.hidden != v.last + 1 - v.first);
	return 0;
}
