/*
 * libseccomp knows the names; the program is written here because 2.5 cannot
 * say "EPERM unless one of these, ENOSYS for what is unknown" about one call
 * with one default, and because what a step lives under should be readable
 * from one table to the instruction.
 *
 *	architecture? else kill.  x32? kill.
 *	a tree of comparisons of the call's number; its leaves are
 *		ALLOW, EPERM, kill or ENOSYS for a range of numbers
 *		the alternatives of one call with conditions, else EPERM
 *
 * A tree, because the kernel runs the program once for every number when it is
 * installed: a list of comparisons made that 0.4 ms of each step.
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
enum { CONDS = 3, CALLS = 1024, JUMP = 255, X32 = 0x40000000 };

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

/* ---- the tree ---- */

/* Numbers from `first` on, up to the next range; `row` or a verdict. */
struct range {
	unsigned first;
	uint32_t verdict;
	const struct row *row; /* with conditions; NULL */
};

struct map {
	struct range of[CALLS];
	size_t n;
	enum sandbox_profile profile;
	bool egress;
};

/* The row that decides about a call: conditions, then the mildest. */
static const struct row *
decides(const struct row *a, const struct row *b)
{
	static const int rank[] =
	    {[V_WHEN] = 0, [V_ALLOW] = 1, [V_REFUSE] = 2, [V_KILL] = 3};

	return a == NULL || rank[b->verb] < rank[a->verb] ? b : a;
}

static struct range
range_of(unsigned nr, const struct row *r)
{
	static const uint32_t verdicts[] = {[V_ALLOW] = SECCOMP_RET_ALLOW,
	    [V_REFUSE] = SECCOMP_RET_ERRNO | EPERM,
	    [V_KILL] = SECCOMP_RET_KILL_PROCESS};

	if (r == NULL)
		return (struct range){nr, unknown, NULL};
	return r->verb == V_WHEN ? (struct range){nr, 0, r}
				 : (struct range){nr, verdicts[r->verb], NULL};
}

static bool
same_range(const struct range *a, const struct range *b)
{
	return a->row == NULL && b->row == NULL && a->verdict == b->verdict;
}

/* False: a number that is not expected. */
static bool
map_make(struct map *m)
{
	const struct row *row[CALLS] = {NULL};

	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		int nr = seccomp_syscall_resolve_name(r->name);

		if (nr < 0 ||
		    (r->verb != V_WHEN && !is_in(r, m->profile, m->egress)) ||
		    (r->verb == V_WHEN && has_allow(r, m->profile, m->egress)))
			continue;
		if (nr >= CALLS - 1)
			return false;
		row[nr] = decides(row[nr], r);
	}
	m->n = 0;
	for (unsigned nr = 0; nr < CALLS; nr++) {
		struct range r = range_of(nr, row[nr]);

		if (m->n == 0 || !same_range(&r, &m->of[m->n - 1]))
			m->of[m->n++] = r;
	}
	return true;
}

/* Of all rows of that call; a number of its own has come to here. */
static void
add_conditions(struct filter *f, const struct row *of, const struct map *m)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].verb == V_WHEN && same_call(&rows[i], of) &&
		    is_in(&rows[i], m->profile, m->egress))
			add_alternative(f, &rows[i]);
	add_return(f, refused);
}

/* Room for one at `at`: what follows jumps within itself only. */
static void
insert_jump(struct filter *f, unsigned short at, uint32_t over)
{
	if (f->n < FILTER_INSNS)
		memmove(&f->insn[at + 1], &f->insn[at],
		    (size_t)(f->n - at) * sizeof f->insn[0]);
	f->n++;
	if (at < FILTER_INSNS)
		f->insn[at] =
		    (struct sock_filter){BPF_JMP | BPF_JA, 0, 0, over};
}

/* The ranges from `from` to before `to`; always ends in a return. */
static void
add_tree(struct filter *f, const struct map *m, size_t from, size_t to)
{
	size_t middle = from + (to - from) / 2;
	unsigned short node = f->n, left;

	if (to - from == 1) {
		if (m->of[from].row != NULL)
			add_conditions(f, m->of[from].row, m);
		else
			add_return(f, m->of[from].verdict);
		return;
	}
	add(f, BPF_JMP | BPF_JGE | BPF_K, 0, 0, m->of[middle].first);
	add_tree(f, m, from, middle);
	left = (unsigned short)(f->n - node - 1);
	if (node >= FILTER_INSNS)
		return;
	if (left <= JUMP) {
		f->insn[node].jt = (uint8_t)left;
	} else {
		insert_jump(f, (unsigned short)(node + 1), left);
		f->insn[node].jf = 1;
	}
	add_tree(f, m, middle, to);
}

err
filter_make(enum sandbox_profile p, bool egress, struct filter *ret)
{
	struct map m = {.profile = p, .egress = egress};

	ret->n = 0;
	if (!map_make(&m))
		return err_of(E_TOO_MANY);
	add_head(ret);
	add_tree(ret, &m, 0, m.n);
	return err_of(ret->n > FILTER_INSNS ? E_TOO_MANY : E_OK);
}

bool
filter_install(const struct filter *f)
{
	struct sock_filter *insn = (struct sock_filter *)(uintptr_t)f->insn;
	struct sock_fprog prog = {f->n, insn};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0;
}
