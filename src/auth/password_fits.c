/* password_fits.c: what may be a password; see password.h. */
#include "auth/password.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"

/* Lower case, one a line, in order of bytes; contrib/passwords.py makes it. */
__asm__(".pushsection .rodata\n"
	"auth_common_begin:\n"
	".incbin \"src/auth/common.txt\"\n"
	"auth_common_end:\n"
	".byte 0\n"
	".popsection\n");
extern const char auth_common_begin[], auth_common_end[];
__asm__(".hidden auth_common_begin\n.hidden auth_common_end\n"
	".globl auth_common_begin\n.globl auth_common_end\n");

enum {
	WORD_MIN = 4,  /* shorter names are in anything */
	OTHERS = 8,    /* characters besides a name */
	DIFFERENT = 5, /* different characters */
};

/* Back to the start of a line. */
static size_t
line_start(const char *p, size_t at)
{
	while (at > 0 && p[at - 1] != '\n')
		at--;
	return at;
}

bool
password_common(struct str lower)
{
	const char *p = auth_common_begin;
	size_t from = 0;
	size_t to = (uintptr_t)auth_common_end - (uintptr_t)p;

	while (from < to) {
		size_t at = line_start(p, from + (to - from) / 2);
		struct str line, rest;
		int order;

		(void)str_cut(str_of(p + at, to - at), '\n', &line, &rest);
		order = str_cmp(lower, line);
		if (order == 0)
			return true;
		if (order < 0)
			to = at;
		else
			from = at + line.n + 1;
	}
	return false;
}

static bool
is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

/* What stands for which letter. */
static char
plain(char c)
{
	static const char from[] = "013457@$!", to[] = "oieastasi";
	const char *at = c == '\0' ? NULL : strchr(from, c);

	return at == NULL ? c : to[at - from];
}

/* The smallest piece that s is a repetition of. */
static struct str
unit(struct str s)
{
	for (size_t n = 1; n <= s.n / 2; n++)
		if (s.n % n == 0 && memcmp(s.p, s.p + n, s.n - n) == 0)
			return str_head(s, n);
	return s;
}

/* s without what is not a letter at both ends. */
static struct str
core(struct str s)
{
	while (s.n > 0 && !is_letter(s.p[0]))
		s = str_skip(s, 1);
	while (s.n > 0 && !is_letter(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Common as it is, as the core of it, or with letters for digits. */
static bool
looks_common(struct str lower)
{
	char letters[LIM_PASSWORD_BYTES];
	struct str s = unit(lower);
	bool common;

	if (password_common(s) || password_common(core(s)) ||
	    password_common(unit(core(s))))
		return true;
	for (size_t i = 0; i < s.n; i++)
		letters[i] = plain(s.p[i]);
	s = str_of(letters, s.n);
	common = password_common(s) || password_common(core(s));
	mem_wipe(letters, sizeof letters);
	return common;
}

/* Each character is the one before or a neighbour of it; 0 is one of 9. */
static bool
is_sequence(struct str s)
{
	for (size_t i = 1; i < s.n; i++) {
		int step = s.p[i] - s.p[i - 1];

		if ((step < -1 || step > 1) && step != 9 && step != -9)
			return false;
	}
	return true;
}

static size_t
different(struct str s)
{
	bool seen[256] = {false};
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		n += !seen[(uint8_t)s.p[i]];
		seen[(uint8_t)s.p[i]] = true;
	}
	return n;
}

static bool
made_of(struct str lower, struct str word)
{
	return word.n >= WORD_MIN && lower.n < word.n + OTHERS &&
	    str_ifind(lower, word);
}

static bool
weak(struct str password, const struct str *words, size_t n)
{
	char memory[LIM_PASSWORD_BYTES];
	struct str lower = str_of(memory, password.n);
	bool is = false;

	for (size_t i = 0; i < password.n; i++) {
		char c = password.p[i];

		memory[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	is = different(lower) < DIFFERENT || is_sequence(lower) ||
	    looks_common(lower) || made_of(lower, STR("redoubt"));
	for (size_t i = 0; i < n && !is; i++)
		is = made_of(lower, words[i]);
	mem_wipe(memory, sizeof memory);
	return is;
}

err
password_fits(struct str password, const struct str *words, size_t n,
    struct trail *t)
{
	size_t chars = utf8_count(password);

	if (chars < PASSWORD_MIN || chars > LIM_PASSWORD ||
	    password.n > LIM_PASSWORD_BYTES || !utf8_valid(password)) {
		trail_set(t, "a password has %d to %d characters", PASSWORD_MIN,
		    LIM_PASSWORD);
		return err_of(E_INVALID);
	}
	if (weak(password, words, n)) {
		trail_set(t,
		    "this password is too easy to guess: it is a "
		    "common one, a pattern, or made of a name");
		return err_of(E_INVALID);
	}
	return OK;
}
