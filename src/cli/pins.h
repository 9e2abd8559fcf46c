/*
 * pins.h: fingerprints of delegates, remembered beside the login file
 * (delegates.txt): server, delegate and fingerprint on a line.
 */
#ifndef CLI_PINS_H
#define CLI_PINS_H

#include "cli/cli.h"

/*
 * Are these the delegates we know?  A new one is told about and remembered;
 * a changed one is E_DENIED unless `accept`.  A recipient whose fingerprint
 * is not that of its keys is E_BAD_ANSWER.
 */
err pins_check(struct cli *c, const struct json *recipients,
    bool accept) MUST_USE;

#endif
