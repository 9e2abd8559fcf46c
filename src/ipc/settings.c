#include "ipc/settings.h"

static void
text_add(struct buf *b, struct str s)
{
	if (s.n > UINT16_MAX) {
		b->failed = true;
		return;
	}
	buf_be16(b, (uint16_t)s.n);
	buf_str(b, s);
}

/* Printable ASCII or UTF-8: nothing that could break a log line. */
static struct str
text(struct cur *c)
{
	struct str s = cur_view(c, cur_be16(c));

	for (size_t i = 0; i < s.n; i++) {
		unsigned char b = (unsigned char)s.p[i];

		if (b < 0x20 || b == 0x7f) {
			c->failed = true;
			return STR_NONE;
		}
	}
	return s;
}

static uint32_t
threads(struct cur *c)
{
	uint32_t v = cur_be32(c);

	if (v == 0 || v > SETTINGS_THREADS)
		c->failed = true;
	return v;
}

void
server_settings_encode(struct buf *b, const struct server_settings *s)
{
	buf_be32(b, s->uid);
	buf_be32(b, s->gid);
	buf_be32(b, s->reactors);
	buf_be32(b, s->readers);
	buf_char(b, s->log_requests ? 1 : 0);
	buf_char(b, s->sealed ? 1 : 0);
	buf_char(b, s->root_near ? 1 : 0);
	text_add(b, str_c(s->store_dir));
	text_add(b, s->url);
	text_add(b, s->public_url);
	text_add(b, s->sources);
	buf_char(b, (char)s->listen_n);
	for (size_t i = 0; i < s->listen_n; i++)
		text_add(b, s->listen[i]);
	buf_char(b, s->last_certs ? 1 : 0);
	buf_char(b, (char)s->proxies_n);
	for (size_t i = 0; i < s->proxies_n; i++)
		text_add(b, s->proxies[i]);
}

/* Views into the message. */
static err
parsed(struct str in, struct server_settings *s, struct str *dir)
{
	struct cur c = cur_of(in);
	uint8_t log, certs, sealed, near;

	s->uid = cur_be32(&c);
	s->gid = cur_be32(&c);
	s->reactors = threads(&c);
	s->readers = threads(&c);
	log = cur_u8(&c);
	s->log_requests = log == 1;
	sealed = cur_u8(&c);
	s->sealed = sealed == 1;
	near = cur_u8(&c);
	s->root_near = near == 1;
	*dir = text(&c);
	s->url = text(&c);
	s->public_url = text(&c);
	s->sources = text(&c);
	if (s->sources.n >= SETTINGS_SOURCES)
		return err_of(E_PEER);
	s->listen_n = cur_u8(&c);
	if (log > 1 || sealed > 1 || near > 1 || s->listen_n == 0 ||
	    s->listen_n > SETTINGS_LISTEN)
		return err_of(E_PEER);
	for (size_t i = 0; i < s->listen_n; i++)
		s->listen[i] = text(&c);
	certs = cur_u8(&c);
	s->last_certs = certs == 1;
	/* one must be left for those who have none */
	if (certs > 1 || (certs == 1 && s->listen_n == 1))
		return err_of(E_PEER);
	s->proxies_n = cur_u8(&c);
	if (s->proxies_n > SETTINGS_PROXIES)
		return err_of(E_PEER);
	for (size_t i = 0; i < s->proxies_n; i++)
		s->proxies[i] = text(&c);
	if (!cur_end(&c) || dir->n == 0 || dir->p[0] != '/')
		return err_of(E_PEER);
	return OK;
}

err
server_settings_decode(struct arena *a, struct str in,
    struct server_settings *ret)
{
	struct server_settings s = {0};
	struct str dir;

	TRY(parsed(in, &s, &dir));
	s.store_dir = arena_cstr(a, dir);
	s.url = arena_dup(a, s.url);
	s.public_url = arena_dup(a, s.public_url);
	s.sources = arena_dup(a, s.sources);
	for (size_t i = 0; i < s.listen_n; i++)
		s.listen[i] = arena_dup(a, s.listen[i]);
	for (size_t i = 0; i < s.proxies_n; i++)
		s.proxies[i] = arena_dup(a, s.proxies[i]);
	TRY(arena_check(a));
	*ret = s;
	return OK;
}

void
keeper_settings_encode(struct buf *b, const struct keeper_settings *s)
{
	buf_be32(b, s->uid);
	buf_be32(b, s->gid);
}

err
keeper_settings_decode(struct str in, struct keeper_settings *ret)
{
	struct cur c = cur_of(in);
	struct keeper_settings s = {.uid = cur_be32(&c)};

	s.gid = cur_be32(&c);
	if (!cur_end(&c))
		return err_of(E_PEER);
	*ret = s;
	return OK;
}

void
idp_settings_encode(struct buf *b, const struct idp_settings *s)
{
	buf_be32(b, s->uid);
	buf_be32(b, s->gid);
	buf_char(b, s->egress ? 1 : 0);
}

err
idp_settings_decode(struct str in, struct idp_settings *ret)
{
	struct cur c = cur_of(in);
	struct idp_settings s = {.uid = cur_be32(&c)};
	uint8_t egress;

	s.gid = cur_be32(&c);
	egress = cur_u8(&c);
	s.egress = egress == 1;
	if (!cur_end(&c) || egress > 1)
		return err_of(E_PEER);
	*ret = s;
	return OK;
}

size_t
report_encode(char ret[REPORT_MAX], err e, const struct trail *t)
{
	size_t n = t == NULL ? 0 : strlen(t->detail);

	ret[0] = (char)(e.code >> 8);
	ret[1] = (char)e.code;
	if (n > 0)
		memcpy(ret + 2, t->detail, n);
	return 2 + n;
}

err
report_decode(struct str in, struct trail *ret_t, err *ret)
{
	struct cur c = cur_of(in);
	uint16_t code = cur_be16(&c);

	if (c.failed || code >= E_MAX_ || c.n >= sizeof ret_t->detail)
		return err_of(E_PEER);
	ret_t->detail[0] = '\0';
	trail_set(ret_t, "%.*s", (int)c.n, (const char *)c.p);
	*ret = err_of((enum err_code)code);
	return OK;
}
