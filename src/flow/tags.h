/* tags.h: the blind index of an incident's services, type and group. */
#ifndef FLOW_TAGS_H
#define FLOW_TAGS_H

#include "flow/call.h"

/* Make the tags of incident `number` follow its document from old (empty:
 * none yet) to new. */
err tags_change(struct call *c, uint32_t project, uint64_t number,
    struct str old_doc, struct str new_doc) MUST_USE;
/* The blind value of a service, a type or a group of one integration. */
err tag_blind(struct lane *l, uint32_t project, enum tag_kind kind,
    struct str value, uint8_t ret[BLIND_SIZE]) MUST_USE;

#endif
