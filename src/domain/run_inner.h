/* run_inner.h: inside run*.c only: the walk that every event ends with. */
#ifndef DOMAIN_RUN_INNER_H
#define DOMAIN_RUN_INNER_H

#include "domain/run.h"

struct run_step *run_step_of(const struct run_machine *m, const struct step *s);
bool run_compound(const struct step *s);
/* Start and end what can be. */
err run_walk(struct run_machine *m) MUST_USE;
/* Stop a step and what stands in it; bad: it will have failed.  Is anything
 * of it still going on? */
bool run_halt(struct run_machine *m, const struct step *s, bool bad,
    struct str code);
void run_end_good(struct run_machine *m, const struct step *s,
    const struct json *outputs);
void run_end_bad(struct run_machine *m, const struct step *s, struct str code);
/* An attempt did not go well. */
void run_end_attempt(struct run_machine *m, const struct step *s,
    const struct run_result *res);

#endif
