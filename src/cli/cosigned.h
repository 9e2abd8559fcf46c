/*
 * cosigned.h: were enough witnesses there?  --witness, --quorum, --policy and
 * --fresh of `audit verify` and `audit compare`.
 */
#ifndef CLI_COSIGNED_H
#define CLI_COSIGNED_H

#include "audit/quorum.h"
#include "cli/cli.h"

struct cosigned {
	bool asked;
	struct quorum q;
	uint64_t since; /* s */
	struct quorum_result is;
};

/* What the flags say. E_INVALID, E_USAGE. */
err cosigned_wanted(struct cli *c, struct cosigned *ret) MUST_USE;
/* The key of the policy's log whose checkpoint the note is. E_INVALID. */
err cosigned_log(struct cli *c, const struct cosigned *k, struct str note,
    struct note_key *ret) MUST_USE;
/* The checkpoint of an export. E_CORRUPT: it has none. */
err cosigned_export(struct cli *c, const char *path,
    struct str *ret_note) MUST_USE;
void cosigned_json(const struct cosigned *k, struct jw *w);
void cosigned_text(const struct cosigned *k, struct buf *b);

#endif
