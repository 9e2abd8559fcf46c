#include "ipc/idpwire.h"

bool
idp_name_ok(struct str name)
{
	if (name.n == 0 || name.n > IDP_NAME)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			c == '-'))
			return false;
	}
	return true;
}

static size_t
put(char *to, const void *p, size_t n)
{
	if (n > 0)
		memcpy(to, p, n);
	return n;
}

size_t
idp_ask_encode(char *ret, enum ipc_type type, const struct idp_ask *a)
{
	size_t n = 0;

	BUG_ON(a->provider.n > IDP_NAME || a->code.n > IDP_CODE ||
	    a->verifier.n > IDP_VERIFIER);
	ret[n++] = (char)a->provider.n;
	n += put(ret + n, a->provider.p, a->provider.n);
	if (type != IPC_OIDC_TOKEN)
		return n;
	ret[n++] = (char)(a->code.n >> 8);
	ret[n++] = (char)a->code.n;
	n += put(ret + n, a->code.p, a->code.n);
	ret[n++] = (char)a->verifier.n;
	return n + put(ret + n, a->verifier.p, a->verifier.n);
}

static bool
all(struct str s, size_t max, bool (*ok)(unsigned char c))
{
	if (s.n == 0 || s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!ok((unsigned char)s.p[i]))
			return false;
	return true;
}

static bool
printable(unsigned char c)
{
	return c >= 0x20 && c <= 0x7e;
}

static bool
unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	    c == '~';
}

err
idp_ask_decode(enum ipc_type type, struct str body, struct idp_ask *ret)
{
	struct cur c = cur_of(body);
	struct idp_ask a = {.seq = cur_be32(&c)};

	a.provider = cur_view(&c, cur_u8(&c));
	if (type == IPC_OIDC_TOKEN) {
		a.code = cur_view(&c, cur_be16(&c));
		a.verifier = cur_view(&c, cur_u8(&c));
		if (!all(a.code, IDP_CODE, printable) ||
		    !all(a.verifier, IDP_VERIFIER, unreserved))
			return err_of(E_PEER);
	}
	if (!cur_end(&c) || !idp_name_ok(a.provider))
		return err_of(E_PEER);
	*ret = a;
	return OK;
}

void
idp_answer_encode(struct buf *b, const struct idp_answer *a)
{
	buf_be32(b, a->seq);
	buf_char(b, (char)a->status);
	if (a->status == IDP_OK)
		buf_str(b, a->text);
}

err
idp_answer_decode(struct str body, struct idp_answer *ret)
{
	struct cur c = cur_of(body);
	struct idp_answer a = {.seq = cur_be32(&c)};
	uint8_t status = cur_u8(&c);

	a.text = cur_view(&c, c.n);
	if (c.failed || status >= IDP_STATUS_MAX_ || a.text.n > IDP_ANSWER ||
	    (status != IDP_OK) != (a.text.n == 0))
		return err_of(E_PEER);
	a.status = (enum idp_status)status;
	*ret = a;
	return OK;
}

void
idp_document_encode(struct buf *b, const struct idp_document *d)
{
	buf_char(b, (char)d->kind);
	buf_be64(b, (uint64_t)d->now);
	buf_be32(b, (uint32_t)d->settings.n);
	buf_str(b, d->settings);
	buf_str(b, d->document);
}

err
idp_document_decode(struct str text, struct idp_document *ret)
{
	struct cur c = cur_of(text);
	uint8_t kind = cur_u8(&c);
	uint64_t now = cur_be64(&c);
	struct idp_document d = {.now = (int64_t)now};

	d.settings = cur_view(&c, cur_be32(&c));
	d.document = cur_view(&c, c.n);
	if (c.failed || kind >= IDP_KIND_MAX_ || now > INT64_MAX ||
	    d.settings.n > IDP_SETTINGS || d.document.n > IDP_DOCUMENT)
		return err_of(E_PEER);
	d.kind = (enum idp_document_kind)kind;
	*ret = d;
	return OK;
}
