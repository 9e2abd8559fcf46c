/*
 * help.h: commands.def rendered for readers: help, the manual page
 * (mdoc(7)), completion scripts, JSON.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/buf.h"
#include "cli/table.h"

void help_all(struct buf *b);
void help_group(struct buf *b, const char *group);
void help_command(struct buf *b, const struct row *command);
void help_json(struct buf *b);
void help_man(struct buf *b);
/* "redoubt incident move ID STATUS [--note TEXT]" in pieces of one row. */
void help_piece(struct buf *b, const struct row *r);

/* bash, zsh or fish; false for another shell. */
bool completion_script(struct buf *b, struct str shell);

/* Is this command part of the group (or, group NULL, of none)? */
bool in_group(const struct row *command, const char *group);

#endif
