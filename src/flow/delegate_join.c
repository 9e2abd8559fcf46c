/*
 * delegate_join.c: how a delegate becomes one, doc/PROTOCOL.delegate 2 and 3:
 * it joins with a token, waits for approval, and gets certificates.
 */
#include "auth/mac.h"
#include "base/limits.h"
#include "base/text.h"
#include "flow/admin_body.h"
#include "flow/delegates.h"
#include "flow/handlers.h"
#include "flow/writer.h"

enum { SIGNATURE = 64, CERT_MS = 86400000 };

bool
body_bytes(struct call *c, const char *name, uint8_t *ret, size_t n)
{
	struct str s = body_text(c, name, STR("")), bytes;

	if (!b64_decode(c->a, s, &bytes) || bytes.n != n)
		return false;
	memcpy(ret, bytes.p, n);
	return true;
}

err
delegate_self(struct call *c, const struct delegate **ret)
{
	*ret = world_delegate(call_world(c), &c->actor->id);
	return err_of(*ret == NULL ? E_UNAUTHENTICATED : E_OK);
}

static void
hex_line(struct buf *b, const uint8_t *p, size_t n)
{
	hex_add(b, str_of((const char *)p, n));
	buf_char(b, '\n');
}

/* Is sig of key, over this text? */
static err
proved(struct call *c, const uint8_t key[DELEGATE_KEY], const struct buf *text)
{
	uint8_t sig[SIGNATURE];

	TRY(buf_check(text));
	if (!body_bytes(c, "proof", sig, sizeof sig) ||
	    !mac_ed25519(str_of((const char *)key, DELEGATE_KEY),
		buf_view(text), str_of((const char *)sig, sizeof sig)))
		return call_bad(c, E_INVALID,
		    "proof: it is not signed with the key that is given");
	return OK;
}

/* ---- certificates ---- */

/* One for a day, from a little before now: clocks differ. */
static err
certificate(struct call *c, struct delegate *d, const uint8_t key[DELEGATE_KEY],
    struct str *ret_pem)
{
	struct keeper_cert q = {.delegate = d->o.id,
	    .epoch = d->epoch,
	    .not_before = c->now / 1000 * 1000 - 60000};
	struct buf der, pem;

	q.not_after = q.not_before + CERT_MS;
	memcpy(q.key, key, sizeof q.key);
	buf_init_on(&der, c->a, KEEPER_CERT);
	TRY(keeper_cert_sign(writer_keeper(c->lane->writer), &q, &der));
	buf_init_on(&pem, c->a, 4096);
	delegate_cert_pem(&pem, buf_view(&der));
	*ret_pem = buf_view(&pem);
	d->cert_until = q.not_after;
	return buf_check(&pem);
}

/* ---- joining ---- */

static err
join_proved(struct call *c, const struct delegate *d)
{
	struct str header = http_header(c->req, STR("authorization"));
	uint8_t sum[32];
	struct str scheme, token;
	struct buf b;

	(void)str_cut(header, ' ', &scheme, &token);
	token = str_trim(token);
	TRY(mac_sha256(&token, 1, sum));
	buf_init_on(&b, c->a, 512);
	buf_c(&b, "redoubt-join/1\n");
	hex_line(&b, sum, sizeof sum);
	hex_line(&b, d->ed25519, DELEGATE_KEY);
	hex_line(&b, d->x25519, DELEGATE_KEY);
	return proved(c, d->ed25519, &b);
}

static err
read_self(struct call *c, struct delegate *d)
{
	const struct json *j = json_get(c->body, STR("doctor"));
	struct buf b;
	struct jw w;

	d->version = body_text(c, "version", STR(""));
	d->host = body_text(c, "host", STR(""));
	buf_init_on(&b, c->a, LIM_BODY);
	jw_init(&w, &b);
	jw_value(&w, j);
	d->doctor = buf_view(&b);
	return buf_check(&b);
}

/* The keys are the delegate's from now on; who had others has none. */
static err
bind_keys(struct call *c, struct delegate *d)
{
	TRY(read_self(c, d));
	if (delegate_joined(d))
		d->epoch++;
	d->join_used = true;
	d->joined = c->now;
	d->state = DELEGATE_PENDING;
	d->approved = d->revoked = d->cert_until = 0;
	d->approved_by = (struct principal_id){{{0}}};
	return OK;
}

static void
log_json(struct call *c, struct jw *w)
{
	const struct trust *t = &c->lane->state->trust;
	struct buf b;

	jw_kobj(w, "log");
	jw_kstr(w, "origin", str_c(c->lane->state->origin));
	jw_kstr(w, "key", str_c(t->log_key));
	jw_obj_end(w);
	buf_init_on(&b, c->a, 64);
	b64_add(&b, str_of((const char *)t->task_key, sizeof t->task_key));
	jw_kstr(w, "task_key", buf_view(&b));
	if (t->mtls_url[0] != '\0')
		jw_kstr(w, "mtls", str_c(t->mtls_url));
}

static err
answer_joined(struct call *c, const struct delegate *d, struct str pem)
{
	struct jw *w = answer(c, 201);

	jw_obj(w);
	jw_uuid(w, "delegate", &d->o.id);
	jw_uuid(w, "project", &c->project->o.id);
	jw_kstr(w, "state", str_c(delegate_state_text(d->state)));
	if (pem.n > 0)
		jw_kstr(w, "certificate", pem);
	jw_kstr(w, "ca", str_c(c->lane->state->trust.ca_pem));
	log_json(c, w);
	jw_obj_end(w);
	return buf_check(&c->out);
}

err
route_delegate_join(struct call *c)
{
	const struct delegate *old;
	struct str pem = STR("");
	struct delegate d;
	bool first;

	TRY(delegate_self(c, &old));
	TRY(delegate_copy(c, old, &d));
	if (!body_bytes(c, "ed25519", d.ed25519, DELEGATE_KEY) ||
	    !body_bytes(c, "x25519", d.x25519, DELEGATE_KEY))
		return call_bad(c, E_INVALID,
		    "ed25519, x25519: base64 of 32 bytes");
	call_touch(c, "delegate", &d.o.id);
	first = !old->join_used;
	if (!first &&
	    (!ct_eq(d.ed25519, old->ed25519, DELEGATE_KEY) ||
		!ct_eq(d.x25519, old->x25519, DELEGATE_KEY)))
		return err_of(E_UNAUTHENTICATED);
	TRY(join_proved(c, &d));
	if (first)
		TRY(bind_keys(c, &d));
	if (d.state == DELEGATE_APPROVED)
		TRY(certificate(c, &d, d.ed25519, &pem));
	c->rec.skip = !first && pem.n == 0;
	if (!c->rec.skip) {
		admin_touch(c, &d.o);
		TRY(admin_put(c, &d.o));
	}
	return answer_joined(c, &d, pem);
}

/* ---- the next certificate ---- */

err
route_delegate_renew(struct call *c)
{
	const struct delegate *old;
	char id[UUID_TEXT + 1];
	uint8_t key[DELEGATE_KEY];
	struct delegate d;
	struct str pem;
	struct buf b;
	struct jw *w;

	TRY(delegate_self(c, &old));
	TRY(delegate_copy(c, old, &d));
	if (!body_bytes(c, "ed25519", key, sizeof key))
		return call_bad(c, E_INVALID, "ed25519: base64 of 32 bytes");
	uuid_text(&d.o.id, id);
	buf_init_on(&b, c->a, 512);
	buf_fmt(&b, "redoubt-renew/1\n%s\n", id);
	hex_line(&b, key, sizeof key);
	TRY(proved(c, key, &b));
	call_touch(c, "delegate", &d.o.id);
	TRY(certificate(c, &d, key, &pem));
	admin_touch(c, &d.o);
	TRY(admin_put(c, &d.o));
	w = answer(c, 200);
	jw_obj(w);
	jw_kstr(w, "certificate", pem);
	jw_obj_end(w);
	return buf_check(&c->out);
}
