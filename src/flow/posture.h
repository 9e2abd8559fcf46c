/*
 * posture.h: rows of the posture that stand in posture_evidence.c: what an
 * auditor asks first.  Each fills in the detail and says whether it is well.
 */
#ifndef FLOW_POSTURE_H
#define FLOW_POSTURE_H

#include "flow/call.h"

enum { POSTURE_DETAIL = 160 };

bool posture_tokens_unexpired(struct call *c, char detail[POSTURE_DETAIL]);
bool posture_audit_reviewed(struct call *c, char detail[POSTURE_DETAIL]);
bool posture_root_apart(struct call *c, char detail[POSTURE_DETAIL]);
bool posture_retention_set(struct call *c, char detail[POSTURE_DETAIL]);
bool posture_backups_recent(struct call *c, char detail[POSTURE_DETAIL]);
bool posture_delegates_sandboxed(struct call *c, char detail[POSTURE_DETAIL]);

#endif
