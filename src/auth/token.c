#include "auth/token.h"

#include "base/rand.h"
#include "base/text.h"

/*
 *	rdp_ kkkkkkkkkk ssssssssssssssssssssssssssssssss cccccc
 *	     key id     secret                           CRC-32
 */
enum {
	PREFIX = 4,
	CRC = 6,
	BODY = PREFIX + TOKEN_KEY_ID + TOKEN_SECRET,
};
_Static_assert(BODY + CRC == TOKEN_TEXT, "the parts make the whole");

static const char kinds[] = "psdwb";

static bool
is_base62(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

bool
token_parse(struct str s, char *ret_kind, struct str *ret_key_id,
    struct str *ret_secret)
{
	uint64_t crc;

	if (s.n != TOKEN_TEXT || s.p[0] != 'r' || s.p[1] != 'd' ||
	    s.p[2] == '\0' || strchr(kinds, s.p[2]) == NULL || s.p[3] != '_')
		return false;
	for (size_t i = PREFIX; i < TOKEN_TEXT; i++)
		if (!is_base62(s.p[i]))
			return false;
	if (!base62_decode(str_skip(s, BODY), &crc) ||
	    crc != crc32_ieee(str_head(s, BODY)))
		return false;
	*ret_kind = s.p[2];
	*ret_key_id = str_of(s.p + PREFIX, TOKEN_KEY_ID);
	*ret_secret = str_of(s.p + PREFIX + TOKEN_KEY_ID, TOKEN_SECRET);
	return true;
}

void
token_make(char kind, char ret[TOKEN_TEXT + 1],
    char ret_key_id[TOKEN_KEY_ID + 1])
{
	struct buf b = {.p = ret, .cap = TOKEN_TEXT, .max = TOKEN_TEXT};

	buf_c(&b, "rd");
	buf_char(&b, kind);
	buf_char(&b, '_');
	rand_base62(ret + PREFIX, TOKEN_KEY_ID + TOKEN_SECRET);
	b.n = BODY;
	base62_add(&b, crc32_ieee(str_of(ret, BODY)), CRC);
	BUG_ON(b.failed || b.n != TOKEN_TEXT);
	ret[TOKEN_TEXT] = '\0';
	memcpy(ret_key_id, ret + PREFIX, TOKEN_KEY_ID);
	ret_key_id[TOKEN_KEY_ID] = '\0';
}

/*
 * Over all but the checksum: the secret makes it unguessable, the kind and
 * the key id beside it keep a verifier from serving another token.
 */
err
token_verifier(const struct data_key *mac, struct str token, uint8_t ret[32])
{
	if (token.n != TOKEN_TEXT)
		return err_of(E_INVALID);
	return seal_mac(mac, "token", str_head(token, BODY), ret, 32);
}

bool
token_find(struct str s, struct str *ret)
{
	struct str key_id, secret;
	char kind;

	while (s.n >= TOKEN_TEXT) {
		const char *at = memchr(s.p, 'r', s.n - TOKEN_TEXT + 1);

		if (at == NULL)
			return false;
		s = str_skip(s, (size_t)(at - s.p));
		if (token_parse(str_head(s, TOKEN_TEXT), &kind, &key_id,
			&secret)) {
			*ret = str_head(s, TOKEN_TEXT);
			return true;
		}
		s = str_skip(s, 1);
	}
	return false;
}
