/* sealing.h: a secret's value as the server gets it: doc/PROTOCOL.secret. */
#ifndef CLI_SEALING_H
#define CLI_SEALING_H

#include "base/json.h"

enum { SEALING_KEY = 32, SEALING_NONCE = 12, SEALING_PAD = 64 };

/*
 * Writes the members "data" and "boxes" into the open object of w.  to:
 * recipients as the server answers them.  E_INVALID for a key that none is.
 */
err sealing_write(struct arena *a, struct str project, struct str name,
    struct str value, const struct json *to, struct jw *w) MUST_USE;
/* The same with the random parts given, for vectors; ephemeral: one for each
 * recipient, or NULL. */
err sealing_write_with(struct arena *a, struct str project, struct str name,
    struct str value, const struct json *to, const uint8_t key[SEALING_KEY],
    const uint8_t nonce[SEALING_NONCE], const uint8_t (*ephemeral)[SEALING_KEY],
    struct jw *w) MUST_USE;
/* hex(SHA-256(identity || key)) of a recipient is what it says? */
bool sealing_print_right(struct arena *a, const struct json *recipient);
/* Overwrite bytes that were read into memory of ours. */
void sealing_wipe(struct str bytes);

#endif
