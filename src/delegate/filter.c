/*
 * libseccomp knows the names; the program is written here because 2.5 cannot
 * say "EPERM unless one of these, ENOSYS for what is unknown" about one call
 * with one default, and because what a step lives under should be readable
 * from one table to the instruction.
 *
 *	architecture? else kill.  x32? kill.
 *	call with conditions: its alternatives, else EPERM   (one block each)
 *	allowed, refused, deadly calls: runs of comparisons before one return
 *	ENOSYS
 */
#include "delegate/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum verb { V_ALLOW, V_WHEN, V_REFUSE, V_KILL };
enum from { BASE, INTERP, JIT, NET };
enum { CONDS = 3, RUN = 120, X32 = 0x40000000 };

/* One 32-bit half of an argument. */
struct cond {
	bool used;
	uint8_t arg, half;
	uint32_t mask, value;
};

static const struct row {
	const char *name;
	enum verb verb;
	enum from from;
	struct cond cond[CONDS];
} rows[] = {
#define ARG(n, mask, value)                                                    \
	{                                                                      \
		true, (n), 0, (mask), (value)                                  \
	}
#define HIGH(n, value)                                                         \
	{                                                                      \
		true, (n), 1, ~0U, (value)                                     \
	}
#define ALLOW(name, from) {#name, V_ALLOW, from, {{0}}},
#define WHEN(name, from, ...) {#name, V_WHEN, from, {__VA_ARGS__}},
#define REFUSE(name) {#name, V_REFUSE, BASE, {{0}}},
#define KILL(name) {#name, V_KILL, BASE, {{0}}},
#include "delegate/calls.def"
#undef ARG
#undef HIGH
#undef ALLOW
#undef WHEN
#undef REFUSE
#undef KILL
};

enum { ROWS = sizeof rows / sizeof *rows };

static bool
is_in(const struct row *r, enum sandbox_profile p, bool egress)
{
	return r->from == NET ? egress : (int)r->from <= (int)p;
}

static bool
same_call(const struct row *a, const struct row *b)
{
	return strcmp(a->name, b->name) == 0;
}

static bool
has_allow(const struct row *of, enum sandbox_profile p, bool egress)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].verb == V_ALLOW && same_call(&rows[i], of) &&
		    is_in(&rows[i], p, egress))
			return true;
	return false;
}

/* ---- instructions ---- */

static void
add(struct filter *f, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
	if (f->n < FILTER_INSNS)
		f->insn[f->n] = (struct sock_filter){code, yes, no, k};
	f->n++;
}

static void
add_load(struct filter *f, size_t offset)
{
	add(f, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void
add_return(struct filter *f, uint32_t action)
{
	add(f, BPF_RET | BPF_K, 0, 0, action);
}

/* Where a jump that misses goes is known when its target is written. */
static void
miss_lands_here(struct filter *f, unsigned short at)
{
	if (at < FILTER_INSNS)
		f->insn[at].jf = (uint8_t)(f->n - at - 1);
}

static const uint32_t refused = SECCOMP_RET_ERRNO | EPERM;
static const uint32_t unknown = SECCOMP_RET_ERRNO | ENOSYS;

/* On a third one every call kills, and so nothing runs. */
#if defined(__aarch64__)
static const uint32_t arch = AUDIT_ARCH_AARCH64;
#else
static const uint32_t arch = AUDIT_ARCH_X86_64;
#endif

static void
add_head(struct filter *f)
{
	add_load(f, offsetof(struct seccomp_data, arch));
	add(f, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, arch);
	add_return(f, SECCOMP_RET_KILL_PROCESS);
	add_load(f, offsetof(struct seccomp_data, nr));
	add(f, BPF_JMP | BPF_JGE | BPF_K, 0, 1, X32);
	add_return(f, SECCOMP_RET_KILL_PROCESS);
}

/* ---- one call with conditions ---- */

static void
add_alternative(struct filter *f, const struct row *r)
{
	unsigned short miss[CONDS];
	size_t n = 0;

	for (size_t i = 0; i < CONDS; i++) {
		const struct cond *c = &r->cond[i];

		if (!c->used)
			continue;
		add_load(f,
		    offsetof(struct seccomp_data, args) +
			c->arg * sizeof(uint64_t) + c->half * sizeof(uint32_t));
		if (c->mask != ~0U)
			add(f, BPF_ALU | BPF_AND | BPF_K, 0, 0, c->mask);
		miss[n++] = f->n;
		add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, c->value);
	}
	add_return(f, SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < n; i++)
		miss_lands_here(f, miss[i]);
}

static bool
is_first(size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (rows[i].verb == V_WHEN && same_call(&rows[i], &rows[at]))
			return false;
	return true;
}

static void
add_conditions(struct filter *f, size_t first, int nr, enum sandbox_profile p,
    bool egress)
{
	unsigned short miss = f->n;

	add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, (uint32_t)nr);
	for (size_t i = first; i < ROWS; i++)
		if (rows[i].verb == V_WHEN &&
		    same_call(&rows[i], &rows[first]) &&
		    is_in(&rows[i], p, egress))
			add_alternative(f, &rows[i]);
	add_return(f, refused);
	miss_lands_here(f, miss);
}

/* ---- calls without ---- */

/* A run of comparisons that land on one return behind them. */
static void
add_run(struct filter *f, const int *nr, size_t n, uint32_t action)
{
	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++)
		add(f, BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)(n - i), 0,
		    (uint32_t)nr[i]);
	add(f, BPF_JMP | BPF_JA, 0, 0, 1);
	add_return(f, action);
}

static void
add_plain(struct filter *f, enum verb verb, enum sandbox_profile p, bool egress,
    uint32_t action)
{
	int run[RUN];
	size_t n = 0;

	for (size_t i = 0; i < ROWS; i++) {
		int nr = seccomp_syscall_resolve_name(rows[i].name);

		if (nr < 0 || rows[i].verb != verb ||
		    !is_in(&rows[i], p, egress))
			continue;
		if (n == RUN) {
			add_run(f, run, n, action);
			n = 0;
		}
		run[n++] = nr;
	}
	add_run(f, run, n, action);
}

err
filter_make(enum sandbox_profile p, bool egress, struct filter *ret)
{
	ret->n = 0;
	add_head(ret);
	for (size_t i = 0; i < ROWS; i++) {
		int nr = seccomp_syscall_resolve_name(rows[i].name);

		if (nr >= 0 && rows[i].verb == V_WHEN && is_first(i) &&
		    !has_allow(&rows[i], p, egress))
			add_conditions(ret, i, nr, p, egress);
	}
	add_plain(ret, V_ALLOW, p, egress, SECCOMP_RET_ALLOW);
	add_plain(ret, V_REFUSE, p, egress, refused);
	add_plain(ret, V_KILL, p, egress, SECCOMP_RET_KILL_PROCESS);
	add_return(ret, unknown);
	return err_of(ret->n > FILTER_INSNS ? E_TOO_MANY : E_OK);
}

bool
filter_install(const struct filter *f)
{
	struct sock_filter *insn = (struct sock_filter *)(uintptr_t)f->insn;
	struct sock_fprog prog = {f->n, insn};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0;
}
