/*
 * The seccomp programs, run: what each answers to each call is compared with
 * golden/<profile>.txt, one line a call.  REDOUBT_GOLDEN=write writes them:
 * look at the difference before committing it.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <unistd.h>

#include "base/buf.h"
#include "delegate/filter.h"
#include "tests/t.h"

enum { CALLS = 700, GOLDEN = 1 << 17 };

#if defined(__x86_64__)
static const uint32_t arch = AUDIT_ARCH_X86_64;
static const char here[] = "x86_64";
#else
static const uint32_t arch = AUDIT_ARCH_AARCH64;
static const char here[] = "aarch64";
#endif

/* ---- the machine: classic BPF over struct seccomp_data ---- */

static uint32_t
run(const struct filter *f, const struct seccomp_data *d)
{
	uint32_t a = 0;

	for (unsigned pc = 0; pc < f->n; pc++) {
		const struct sock_filter *i = &f->insn[pc];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)d + i->k, sizeof a);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			return 0xdead;
		}
	}
	return 0xdead;
}

static const char *
word(uint32_t action)
{
	switch (action) {
	case SECCOMP_RET_ALLOW:
		return "allow";
	case SECCOMP_RET_KILL_PROCESS:
		return "kill";
	case SECCOMP_RET_ERRNO | EPERM:
		return "EPERM";
	case SECCOMP_RET_ERRNO | ENOSYS:
		return "ENOSYS";
	default:
		return "?";
	}
}

/* ---- every way through the program for one call ---- */

struct way {
	char text[256];
};

static void
walk(const struct filter *f, unsigned pc, uint32_t nr, struct way w,
    const char *arg, struct buf *out)
{
	uint32_t a = 0;
	bool known = false;
	char name[32] = "", mask[32] = "";

	(void)snprintf(name, sizeof name, "%s", arg);
	for (; pc < f->n; pc++) {
		const struct sock_filter *i = &f->insn[pc];
		struct way yes = w;

		if (i->code == (BPF_LD | BPF_W | BPF_ABS)) {
			known = i->k < 16;
			a = i->k == 0 ? nr : arch;
			(void)snprintf(name, sizeof name, "a%u%s",
			    (i->k - 16) / 8, i->k % 8 != 0 ? ".high" : "");
			mask[0] = 0;
		} else if (i->code == (BPF_ALU | BPF_AND | BPF_K)) {
			(void)snprintf(mask, sizeof mask, "&%#x", i->k);
		} else if (i->code == (BPF_JMP | BPF_JA)) {
			pc += i->k;
		} else if (i->code == (BPF_JMP | BPF_JGE | BPF_K)) {
			pc += a >= i->k ? i->jt : i->jf;
		} else if (i->code == (BPF_RET | BPF_K)) {
			buf_fmt(out, "%s%s", w.text, word(i->k));
			return;
		} else if (known) {
			pc += a == i->k ? i->jt : i->jf;
		} else {
			char c[64];

			(void)snprintf(c, sizeof c, "%s%s=%#x ", name, mask,
			    i->k);
			if (strstr(w.text, c) != NULL) { /* known by now */
				pc += i->jt;
				continue;
			}
			(void)snprintf(yes.text, sizeof yes.text, "%.180s%s",
			    w.text, c);
			walk(f, pc + 1 + i->jt, nr, yes, name, out);
			buf_c(out, "; ");
			pc += i->jf;
		}
	}
}

static void
describe(const struct filter *f, struct buf *out)
{
	for (int nr = 0; nr < CALLS; nr++) {
		char *name =
		    seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);

		if (name == NULL)
			continue;
		buf_fmt(out, "%s: ", name);
		walk(f, 0, (uint32_t)nr, (struct way){""}, "", out);
		buf_char(out, '\n');
		free(name);
	}
}

static void
golden(enum sandbox_profile p, bool egress, const char *name)
{
	static char have[GOLDEN];
	static struct filter f;
	const char *mode = getenv("REDOUBT_GOLDEN");
	char path[128];
	struct buf b;
	FILE *file;
	size_t n = 0;

	T_GOOD(filter_make(p, egress, &f));
	buf_init(&b, GOLDEN);
	describe(&f, &b);
	T_GOOD(buf_check(&b));
	(void)snprintf(path, sizeof path,
	    "tests/unit/delegate/golden/%s.%s.txt", name, here);
	file = fopen(path, mode != NULL ? "w" : "r");
	if (file == NULL) {
		T_FAIL("%s: %s", path, strerror(errno));
	} else if (mode != NULL) {
		(void)fwrite(b.p, 1, b.n, file);
	} else {
		n = fread(have, 1, sizeof have, file);
		if (!str_eq(str_of(have, n), buf_view(&b))) {
			char out[64];
			FILE *now;

			(void)snprintf(out, sizeof out, "/tmp/golden.%s", name);
			now = fopen(out, "w");
			T_FAIL("%s is not what the filter does: diff %s %s",
			    path, path, out);
			if (now != NULL) {
				(void)fwrite(b.p, 1, b.n, now);
				(void)fclose(now);
			}
		}
	}
	if (file != NULL)
		(void)fclose(file);
	buf_done(&b);
}

TEST(base)
{
	golden(SANDBOX_BASE, false, "base");
	golden(SANDBOX_BASE, true, "base-egress");
}

TEST(interp)
{
	golden(SANDBOX_INTERP, false, "interp");
	golden(SANDBOX_INTERP, true, "interp-egress");
}

TEST(jit)
{
	golden(SANDBOX_JIT, false, "jit");
	golden(SANDBOX_JIT, true, "jit-egress");
}

/* ---- by hand, what must never be wrong ---- */

static struct filter plain, egress;

static uint32_t
ask(const struct filter *f, const char *name, uint64_t a0, uint64_t a1,
    uint64_t a2, uint64_t a3)
{
	struct seccomp_data d = {.nr = seccomp_syscall_resolve_name(name),
	    .arch = arch,
	    .args = {a0, a1, a2, a3}};

	return run(f, &d);
}

#define IS(verdict, ...) T_EQ_STR(str_c(word(ask(__VA_ARGS__))), STR(verdict))

TEST(by_hand)
{
	struct seccomp_data d = {.nr = 0, .arch = AUDIT_ARCH_I386};

	T_GOOD(filter_make(SANDBOX_INTERP, false, &plain));
	T_GOOD(filter_make(SANDBOX_INTERP, true, &egress));
	T_EQ_STR(str_c(word(run(&plain, &d))), STR("kill"));
	d.arch = arch;
	d.nr = 0x40000000 | 39;
	T_EQ_STR(str_c(word(run(&plain, &d))), STR("kill"));
	d.nr = 1000;
	T_EQ_STR(str_c(word(run(&plain, &d))), STR("ENOSYS"));
	IS("allow", &plain, "read", 0, 0, 0, 0);
	IS("kill", &plain, "ptrace", 0, 0, 0, 0);
	IS("ENOSYS", &plain, "clone3", 0, 0, 0, 0);
	IS("allow", &plain, "clone", 0x01200011, 0, 0, 0);
	IS("EPERM", &plain, "clone", 0x10000011, 0, 0, 0);
	/* the low half is what the kernel looks at */
	IS("allow", &plain, "ioctl", 0, 0x5401, 0, 0);
	IS("EPERM", &plain, "ioctl", 0, 0x5412, 0, 0);
	IS("EPERM", &plain, "ioctl", 0, 0x100005412, 0, 0);
	/* of a pointer both halves count */
	IS("allow", &plain, "prlimit64", 0, 7, 0, 1);
	IS("EPERM", &plain, "prlimit64", 0, 7, 0x100000000, 0);
	IS("EPERM", &plain, "prlimit64", 0, 7, 16, 0);
}

TEST(by_hand_the_network)
{
	IS("allow", &plain, "socket", 1, 1, 0, 0);
	IS("EPERM", &plain, "socket", 2, 1, 0, 0);
	IS("allow", &egress, "socket", 2, 1 | 02000000, 6, 0);
	IS("EPERM", &egress, "socket", 2, 1, 262, 0);
	IS("EPERM", &egress, "socket", 2, 2, 0, 0);
	IS("EPERM", &egress, "socket", 10, 1, 0, 0);
	IS("EPERM", &egress, "socket", 40, 1, 0, 0);
	IS("EPERM", &egress, "sendto", 0, 0, 0, 0x20000000);
	IS("EPERM", &egress, "setsockopt", 0, 6, 30, 0);
	IS("allow", &egress, "setsockopt", 0, 6, 1, 0);
	IS("EPERM", &egress, "bind", 0, 0, 0, 0);
	IS("EPERM", &egress, "listen", 0, 0, 0, 0);
}

TEST(by_hand_memory)
{
	static struct filter jit;

	T_GOOD(filter_make(SANDBOX_JIT, false, &jit));
	IS("allow", &plain, "mmap", 0, 0, 3, 0);
	IS("allow", &plain, "mmap", 0, 0, 5, 0);
	IS("EPERM", &plain, "mmap", 0, 0, 7, 0);
	IS("EPERM", &plain, "mmap", 0, 0, 6, 0);
	IS("EPERM", &plain, "mprotect", 0, 0, 5, 0);
	IS("allow", &plain, "mprotect", 0, 0, 1, 0);
	IS("allow", &jit, "mmap", 0, 0, 7, 0);
	IS("allow", &jit, "mprotect", 0, 0, 5, 0);
}

T_MAIN
