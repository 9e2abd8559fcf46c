/* audit_verify.h: the whole log of a directory, doc/PROTOCOL.audit 6. */
#ifndef ROLE_AUDIT_VERIFY_H
#define ROLE_AUDIT_VERIFY_H

#include "role/role.h"

/* role_audit_verify of a directory that is open to us; cut: what the keeper
 * signed last is not asked for, because it is known to be missing. */
err audit_verify_dir(const char *dir, bool cut, struct trail *t,
    struct verify_report *ret) MUST_USE;

#endif
