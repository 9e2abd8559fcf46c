/* fetch.c: one question to a provider. */
#include "base/limits.h"
#include "base/mem.h"
#include "egress/inner.h"
#include "egress/web.h"

enum { FIELDS = 8192 };

static void
fields(struct buf *b, bool body, struct str basic)
{
	buf_c(b, "Accept: application/json\r\nUser-Agent: redoubt\r\n");
	if (basic.p != NULL) {
		buf_c(b, "Authorization: Basic ");
		buf_str(b, basic);
		buf_c(b, "\r\n");
	}
	if (body)
		buf_c(b, "Content-Type: application/x-www-form-urlencoded\r\n");
}

enum idp_status
egress_fetch(const struct live *l, enum egress_url url, struct str body,
    struct str basic, struct buf *out, struct egress_report *report)
{
	const struct provider *p = &l->conf;
	const struct reach reach = {.connect = p->connect,
	    .connect_n = p->connect_n,
	    .resolver = &p->resolver,
	    .resolver_n = p->resolver.host.n > 0,
	    .allow = p->allow,
	    .allow_n = p->allow_n,
	    .connect_ms = LIM_IDP_CONNECT_MS};
	struct web_call c = {.tls = l->tls,
	    .reach = &reach,
	    .url = &l->url[url],
	    .method = body.p == NULL ? STR("GET") : STR("POST"),
	    .body = body,
	    .pin = p->pinned ? p->pin : NULL,
	    .ms = LIM_IDP_CALL_MS,
	    .rules = &answer_idp};
	struct web_report r;
	enum web_end e = WEB_TOO_BIG;
	struct buf b;

	buf_init(&b, FIELDS);
	(void)buf_room(&b, FIELDS);
	fields(&b, body.p != NULL, basic);
	c.fields = buf_view(&b);
	if (!b.failed) {
		e = web_call(&c, out, &r);
		report->http_status = r.answer.status;
		memcpy(report->detail, r.detail, sizeof report->detail);
	}
	if (b.p != NULL)
		mem_wipe(b.p, b.cap);
	buf_done(&b);
	return answer_end(e);
}
