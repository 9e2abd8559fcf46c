/* What a person types (passwords, codes) and what is kept of a password. */
#include "auth/password.h"
#include "auth/recovery.h"
#include "auth/totp.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A password that fits is long enough, and still fits on its own. */
static void
fits(struct str password, struct str word)
{
	struct trail t = {""};

	if (!err_ok(password_fits(password, &word, 1, &t))) {
		BUG_ON(t.detail[0] == '\0');
		return;
	}
	BUG_ON(password.n < PASSWORD_MIN || password.n > LIM_PASSWORD_BYTES);
	BUG_ON(!err_ok(password_fits(password, NULL, 0, &t)));
	BUG_ON(password_common(password));
}

static void
codes(struct str in)
{
	uint8_t code[RECOVERY_BYTES], back[RECOVERY_BYTES], seed[TOTP_SEED];
	char text[RECOVERY_TEXT + 1], again[TOTP_SEED_TEXT];
	struct buf b = {.p = again, .cap = sizeof again, .max = sizeof again};

	if (recovery_parse(in, code)) {
		recovery_text(code, text);
		BUG_ON(!recovery_parse(str_c(text), back));
		BUG_ON(memcmp(code, back, sizeof code) != 0);
	}
	if (base32_decode(in, seed, sizeof seed)) {
		base32_add(&b, str_of((const char *)seed, sizeof seed));
		BUG_ON(!str_eq(buf_view(&b), in));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = str_of((const char *)data, n), word;

	(void)password_outdated(in);
	codes(in);
	(void)str_cut(in, '\n', &word, &in);
	fits(in, word);
	return 0;
}
