#include "auth/session.h"

#include "auth/mac.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000 };

/* RFC 6265 4.2.1: pairs parted by "; "; more room is forgiven. */
bool
cookie_find(struct str header, struct str name, struct str *ret, size_t *ret_n)
{
	struct str pair, n, v;

	*ret_n = 0;
	while (header.n > 0) {
		(void)str_cut(header, ';', &pair, &header);
		if (!str_cut(str_trim(pair), '=', &n, &v) || !str_eq(n, name))
			continue;
		if ((*ret_n)++ == 0)
			*ret = v;
	}
	return *ret_n > 0;
}

/* 32 bytes as base64url, the last character's low bits zero. */
static bool
well_formed(struct str value)
{
	static const char last[] = "AEIMQUYcgkosw048";

	if (value.n != SESSION_TEXT)
		return false;
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
	}
	return strchr(last, value.p[value.n - 1]) != NULL;
}

bool
session_key(struct str value, uint8_t ret[DIGEST_SIZE])
{
	return well_formed(value) && err_ok(mac_sha256(&value, 1, ret));
}

static err
text_of(const uint8_t bytes[SESSION_SECRET], char ret[SESSION_TEXT + 1])
{
	struct buf b = {.p = ret, .cap = SESSION_TEXT, .max = SESSION_TEXT};

	b64url_add(&b, str_of((const char *)bytes, SESSION_SECRET));
	ret[SESSION_TEXT] = '\0';
	return buf_check(&b);
}

err
session_make(char ret[SESSION_TEXT + 1], uint8_t ret_key[DIGEST_SIZE])
{
	uint8_t secret[SESSION_SECRET];
	err e;

	rand_bytes(secret, sizeof secret);
	e = text_of(secret, ret);
	mem_wipe(secret, sizeof secret);
	TRY(e);
	return mac_sha256(&(struct str){ret, SESSION_TEXT}, 1, ret_key);
}

err
session_csrf(const struct data_key *mac, const struct session *s,
    char ret[SESSION_TEXT + 1])
{
	uint8_t in[sizeof s->o.id.b + DIGEST_SIZE], sum[SESSION_SECRET];

	memcpy(in, s->o.id.b, sizeof s->o.id.b);
	memcpy(in + sizeof s->o.id.b, s->key, DIGEST_SIZE);
	TRY(seal_mac(mac, "csrf", str_of((const char *)in, sizeof in), sum,
	    sizeof sum));
	return text_of(sum, ret);
}

int64_t
session_absolute_end(const struct session *s, const struct policy *p)
{
	int64_t end = s->o.created + p->session_absolute_hours * HOUR_MS;

	return end < s->expires ? end : s->expires;
}

int64_t
session_idle_end(const struct session *s, const struct policy *p, int64_t used)
{
	int64_t since = used > s->o.created ? used : s->o.created;

	return since + p->session_idle_minutes * MINUTE_MS;
}
