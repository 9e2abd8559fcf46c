/* RFC 8032, 7.1, TEST 2 and 3; and what is no signature. */
#include "base/text.h"
#include "seal/ed25519.h"
#include "tests/t.h"

static const struct {
	const char *seed, *pk, *text, *sig;
} vectors[] = {
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
	"72",
	"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
	"af82",
	"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	"18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(vectors_of_rfc_8032)
{
	uint8_t seed[32], pk[32], want[32], sig[64], want_sig[64];
	char text[8];

	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		size_t n = strlen(vectors[i].text) / 2;

		T_OK(hex_decode(str_c(vectors[i].seed), seed, 32));
		T_OK(hex_decode(str_c(vectors[i].pk), want, 32));
		T_OK(hex_decode(str_c(vectors[i].text), text, n));
		T_OK(hex_decode(str_c(vectors[i].sig), want_sig, 64));
		T_GOOD(ed25519_public(seed, pk));
		T_EQ_MEM(pk, want, 32);
		T_GOOD(ed25519_sign(seed, str_of(text, n), sig));
		T_EQ_MEM(sig, want_sig, 64);
		T_OK(ed25519_verify(pk, str_of(text, n),
		    str_of((char *)sig, 64)));
	}
}

TEST(nothing_else_verifies)
{
	uint8_t seed[32] = {7}, pk[32], sig[65];
	struct str text = STR("text");

	T_GOOD(ed25519_public(seed, pk));
	T_GOOD(ed25519_sign(seed, text, sig));
	for (size_t i = 0; i < 64; i++) {
		sig[i] ^= 1;
		T_OK(!ed25519_verify(pk, text, str_of((char *)sig, 64)));
		sig[i] ^= 1;
	}
	T_OK(!ed25519_verify(pk, text, str_of((char *)sig, 63)));
	T_OK(!ed25519_verify(pk, text, str_of((char *)sig, 65)));
	T_OK(!ed25519_verify(pk, STR("texu"), str_of((char *)sig, 64)));
	T_OK(!ed25519_verify(pk, STR_NONE, STR_NONE));
	pk[0] ^= 1;
	T_OK(!ed25519_verify(pk, text, str_of((char *)sig, 64)));
}

T_MAIN
