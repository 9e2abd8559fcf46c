#include "auth/recovery.h"

#include "auth/totp.h"

enum { LETTERS = 16 };

void
recovery_text(const uint8_t code[RECOVERY_BYTES], char ret[RECOVERY_TEXT + 1])
{
	char letters[LETTERS] = "";
	struct buf b = {.p = letters, .cap = LETTERS, .max = LETTERS};
	size_t n = 0;

	base32_add(&b, str_of((const char *)code, RECOVERY_BYTES));
	BUG_ON(b.failed || b.n != LETTERS);
	for (size_t i = 0; i < LETTERS; i++) {
		if (i > 0 && i % 4 == 0)
			ret[n++] = '-';
		ret[n++] = letters[i];
	}
	ret[n] = '\0';
}

bool
recovery_parse(struct str s, uint8_t ret[RECOVERY_BYTES])
{
	char letters[LETTERS];
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '-' || c == ' ')
			continue;
		if (n == LETTERS)
			return false;
		letters[n++] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	return base32_decode(str_of(letters, n), ret, RECOVERY_BYTES);
}

err
recovery_hash(const struct data_key *mac, const struct uuid *user,
    const uint8_t code[RECOVERY_BYTES], uint8_t ret[RECOVERY_HASH])
{
	char text[sizeof user->b + RECOVERY_BYTES];

	memcpy(text, user->b, sizeof user->b);
	memcpy(text + sizeof user->b, code, RECOVERY_BYTES);
	return seal_mac(mac, "recovery", str_of(text, sizeof text), ret,
	    RECOVERY_HASH);
}

size_t
recovery_find(const uint8_t *hashes, size_t n,
    const uint8_t hash[RECOVERY_HASH])
{
	size_t found = n;

	for (size_t i = 0; i < n; i++)
		if (ct_eq(hashes + i * RECOVERY_HASH, hash, RECOVERY_HASH))
			found = i;
	return found;
}
