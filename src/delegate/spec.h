/*
 * spec.h: a step on its way to the zygote.  One packet, big-endian:
 *
 *	u32 "RSB1", six u32 limits (filled in), u8 profile, u8 egress,
 *	u8 script?, u8 secrets, u16 argc, u16 envc,
 *	then id, argv and env, each u32 length, bytes, NUL
 *
 * Its descriptors: control, output, error, then the script's if there is one,
 * then the secrets'.  What the delegate may ask is checked when it is
 * written (spec_write) and again when it is read (spec_read): the one who
 * forks believes nobody.
 */
#ifndef DELEGATE_SPEC_H
#define DELEGATE_SPEC_H

#include "base/buf.h"
#include "delegate/sandbox.h"

enum {
	SPEC_MAGIC = 0x52534231,
	SPEC_CONTROL = 0,
	SPEC_OUT,
	SPEC_ERR,
	SPEC_FDS_MIN,
	SPEC_FDS = SPEC_FDS_MIN + 1 + SANDBOX_FDS,
	SPEC_OWN_ENV = 8, /* ours, besides those asked for */
};

/* What the warden and its children know; views into the packet. */
struct step {
	char id[SANDBOX_ID + 1];
	enum sandbox_profile profile;
	bool egress, has_script;
	struct sandbox_limits limits;
	const char *argv[SANDBOX_ARGS + 1];
	const char *env[SANDBOX_ENV + SPEC_OWN_ENV + 1];
	size_t argc, envc, secrets_n;
	int control, out, err, script; /* script: -1 for none */
	int secrets[SANDBOX_FDS];
};

/* Fill in defaults; E_LIMIT over a maximum. */
err spec_limits(const struct sandbox_limits *in, struct trail *t,
    struct sandbox_limits *ret) MUST_USE;
/* E_INVALID, E_LIMIT, E_TOO_MANY with a trail. */
err spec_write(const struct sandbox_spec *s, struct trail *t,
    struct buf *out) MUST_USE;
/* E_PEER: not what spec_write writes.  packet must outlive *ret. */
err spec_read(struct str packet, const int *fds, size_t fds_n,
    struct step *ret) MUST_USE;
/* May a step have that variable? "NAME=value". */
bool env_allowed(struct str variable);

#endif
