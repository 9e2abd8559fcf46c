#include "delegate/hello.h"

#include "base/limits.h"

enum {
	RECORD_HEAD = 5,
	RECORD_MAX = 1 << 14,
	RECORD_CCS = 20,
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
	CLIENT_HELLO = 1,
	SERVER_HELLO = 2,
	RANDOM = 32,
	TLS_1_2 = 0x0303,
	TLS_1_3 = 0x0304,
	EXT_SERVER_NAME = 0,
	EXT_VERSIONS = 43,
	EXT_ECH = 0xfe0d,
	EXT_ECH_OUTER = 0xfd00,
	EXT_ESNI = 0xffce,
	EXTENSIONS = 64,
};

static uint32_t
be24(struct cur *c)
{
	uint32_t high = cur_u8(c);

	return high << 16 | cur_be16(c);
}

/* One record: its type and content; false: it has not come whole, or
 * c->failed. */
static bool
record_take(struct cur *c, uint8_t *ret_type, struct str *ret)
{
	struct cur here = *c;
	unsigned version, n;

	if (c->n < RECORD_HEAD)
		return false;
	*ret_type = cur_u8(&here);
	version = cur_be16(&here);
	n = cur_be16(&here);
	if (version < 0x0301 || version > TLS_1_2 || n == 0 || n > RECORD_MAX) {
		c->failed = true;
		return false;
	}
	if (here.n < n)
		return false;
	*ret = cur_view(&here, n);
	*c = here;
	return true;
}

/* ---- extensions ---- */

static enum broker_end
server_name(struct str data, struct hello *ret)
{
	struct cur c = cur_of(data), list;
	struct str name;

	list = cur_of(cur_view(&c, cur_be16(&c)));
	if (!cur_end(&c))
		return BROKER_NOT_TLS;
	if (cur_u8(&list) != 0)
		return BROKER_SNI;
	name = cur_view(&list, cur_be16(&list));
	if (list.failed || name.n == 0 || name.n > HELLO_NAME)
		return BROKER_NOT_TLS;
	if (list.n > 0) /* another name */
		return BROKER_SNI;
	memcpy(ret->name, name.p, name.n);
	ret->name_n = name.n;
	return BROKER_OK;
}

static enum broker_end
versions(struct str data, struct hello *ret)
{
	struct cur c = cur_of(data), list;

	list = cur_of(cur_view(&c, cur_u8(&c)));
	if (!cur_end(&c) || list.n == 0 || list.n % 2 != 0)
		return BROKER_NOT_TLS;
	while (list.n > 0)
		ret->tls13 |= cur_be16(&list) == TLS_1_3;
	return BROKER_OK;
}

static enum broker_end
extension(unsigned type, struct str data, struct hello *ret)
{
	switch (type) {
	case EXT_SERVER_NAME:
		return server_name(data, ret);
	case EXT_VERSIONS:
		return versions(data, ret);
	case EXT_ECH:
	case EXT_ECH_OUTER:
	case EXT_ESNI:
		return BROKER_ECH;
	default:
		return BROKER_OK;
	}
}

static enum broker_end
extensions(struct str block, struct hello *ret)
{
	struct cur c = cur_of(block);
	unsigned seen[EXTENSIONS];

	for (size_t n = 0; c.n > 0; n++) {
		unsigned type = cur_be16(&c);
		struct str data = cur_view(&c, cur_be16(&c));
		enum broker_end e;

		if (c.failed || n == EXTENSIONS)
			return BROKER_NOT_TLS;
		for (size_t i = 0; i < n; i++)
			if (seen[i] == type)
				return type == EXT_SERVER_NAME ? BROKER_SNI
							       : BROKER_NOT_TLS;
		seen[n] = type;
		e = extension(type, data, ret);
		if (e != BROKER_OK)
			return e;
	}
	return ret->name_n > 0 ? BROKER_OK : BROKER_NO_SNI;
}

static enum broker_end
body(struct str message, struct hello *ret)
{
	struct cur c = cur_of(message);
	struct str id, suites, methods, block;
	unsigned version = cur_be16(&c);

	(void)cur_view(&c, RANDOM);
	id = cur_view(&c, cur_u8(&c));
	suites = cur_view(&c, cur_be16(&c));
	methods = cur_view(&c, cur_u8(&c));
	if (c.failed || version != TLS_1_2 || id.n > 32 || suites.n < 2 ||
	    suites.n % 2 != 0 || methods.n == 0)
		return BROKER_NOT_TLS;
	if (c.n == 0)
		return BROKER_NO_SNI;
	block = cur_view(&c, cur_be16(&c));
	return cur_end(&c) ? extensions(block, ret) : BROKER_NOT_TLS;
}

/* ---- records ---- */

/* A record more of the message; false: it is none of it. */
static bool
append(struct str part, char *message, size_t *n)
{
	if (part.n > LIM_RELAY_HELLO - *n)
		return false;
	memcpy(message + *n, part.p, part.n);
	*n += part.n;
	return message[0] == CLIENT_HELLO;
}

enum broker_end
hello_take(struct str in, bool again, bool *ret_done, struct hello *ret)
{
	char message[LIM_RELAY_HELLO];
	struct cur c = cur_of(in);
	size_t n = 0, want = 0;
	uint8_t type;
	struct str part;
	bool first = true;

	*ret_done = false;
	*ret = (struct hello){.name_n = 0};
	/* What cannot become one is not waited for. */
	if (in.n > 0 && in.p[0] != RECORD_HANDSHAKE &&
	    !(again && in.p[0] == RECORD_CCS))
		return BROKER_NOT_TLS;
	while (record_take(&c, &type, &part)) {
		if (again && first && type == RECORD_CCS && part.n == 1) {
			first = false;
			continue;
		}
		first = false;
		if (type != RECORD_HANDSHAKE || !append(part, message, &n))
			return BROKER_NOT_TLS;
		if (n >= 4) {
			struct cur m = cur_of(str_of(message, n));

			(void)cur_u8(&m);
			want = 4 + (size_t)be24(&m);
			if (want > LIM_RELAY_HELLO || n > want)
				return BROKER_NOT_TLS;
			if (n == want) {
				*ret_done = c.n == 0;
				ret->n = in.n - c.n;
				return c.n > 0
				    ? BROKER_NOT_TLS
				    : body(str_of(message + 4, n - 4), ret);
			}
		}
	}
	return c.failed || in.n > 2 * LIM_RELAY_HELLO ? BROKER_NOT_TLS
						      : BROKER_OK;
}

/* ---- the server ---- */

static const uint8_t retry_random[RANDOM] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a,
    0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2,
    0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8,
    0x33, 0x9c};

/* Does it choose TLS 1.3? */
static bool
chosen13(struct str block)
{
	struct cur c = cur_of(block);
	bool found = false;

	while (c.n > 0 && !c.failed) {
		unsigned type = cur_be16(&c);
		struct cur data = cur_of(cur_view(&c, cur_be16(&c)));

		if (type == EXT_VERSIONS && !c.failed)
			found = cur_be16(&data) == TLS_1_3 && cur_end(&data);
	}
	return found && !c.failed;
}

static enum server_says
server_body(struct str message)
{
	struct cur c = cur_of(message);
	struct str random, id, block;
	unsigned version = cur_be16(&c);

	random = cur_view(&c, RANDOM);
	id = cur_view(&c, cur_u8(&c));
	(void)cur_be16(&c); /* cipher suite */
	(void)cur_u8(&c);   /* compression */
	if (c.failed || version != TLS_1_2 || id.n > 32)
		return SERVER_BAD;
	if (c.n == 0)
		return SERVER_OLD;
	block = cur_view(&c, cur_be16(&c));
	if (!cur_end(&c))
		return SERVER_BAD;
	if (!chosen13(block))
		return SERVER_OLD;
	return memcmp(random.p, retry_random, RANDOM) == 0 ? SERVER_RETRY
							   : SERVER_TLS13;
}

enum server_says
server_take(struct str in)
{
	struct cur c = cur_of(in), m;
	struct str part, message;
	uint8_t type;
	size_t n;

	if (in.n > 0 && in.p[0] != RECORD_HANDSHAKE && in.p[0] != RECORD_ALERT)
		return SERVER_BAD;
	if (!record_take(&c, &type, &part))
		return c.failed ? SERVER_BAD : SERVER_MORE;
	if (type == RECORD_ALERT)
		return SERVER_ALERT;
	m = cur_of(part);
	if (cur_u8(&m) != SERVER_HELLO)
		return SERVER_BAD;
	n = be24(&m);
	message = cur_view(&m, n); /* whole in the first record */
	return m.failed ? SERVER_BAD : server_body(message);
}
