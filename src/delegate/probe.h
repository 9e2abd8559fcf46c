/* probe.h: the probes of doctor.def; each runs in a child of its own. */
#ifndef DELEGATE_PROBE_H
#define DELEGATE_PROBE_H

#include <stdbool.h>
#include <stddef.h>

/* False: missing; detail, or errno when it stays empty, says why. */
typedef bool probe_fn(char *detail, size_t n);

#define PROBE(name, need, what) probe_fn probe_##name;
#include "delegate/doctor.def"
#undef PROBE

#endif
