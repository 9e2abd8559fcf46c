#include "audit/digest.h"
#include "audit/tree.h"
#include "base/json_canon.h"
#include "base/limits.h"
#include "base/text.h"

void
digest_text(struct str text, char ret[DIGEST_TEXT + 1])
{
	struct hash h;
	struct buf b = {.p = ret, .cap = DIGEST_TEXT, .max = DIGEST_TEXT};

	audit_sha256(text, &h);
	hex_add(&b, str_of((const char *)h.b, sizeof h.b));
	ret[DIGEST_TEXT] = '\0';
}

err
digest_json(struct arena *a, const struct json *v, char ret[DIGEST_TEXT + 1])
{
	struct str text;

	TRY(json_canon_text(a, v, LIM_BODY, &text));
	digest_text(text, ret);
	return OK;
}

bool
digest_valid(struct str s)
{
	uint8_t b[DIGEST_TEXT / 2];

	if (s.n != DIGEST_TEXT || !hex_decode(s, b, sizeof b))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= 'A' && s.p[i] <= 'F')
			return false;
	return true;
}
