/*
 * envelope_parts.c: the connectors and secrets of a task: those the step
 * names, those that these need, and no other.
 */
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "base/text.h"
#include "delegate/envelope.h"
#include "seal/hpke.h"

/* ---- connectors ---- */

const struct task_connector *
task_connector(const struct task *t, struct str slug)
{
	for (size_t i = 0; i < t->connectors; i++)
		if (str_eq(t->connector[i].slug, slug))
			return &t->connector[i];
	return NULL;
}

/* Does the step itself name it? */
static bool
step_names(const struct step *s, struct str slug)
{
	if (s->kind == STEP_HTTP)
		return str_eq(s->http.connector, slug);
	for (size_t i = 0; i < s->script.connectors_n; i++)
		if (str_eq(s->script.connectors[i], slug))
			return true;
	return false;
}

/* Is one of the secrets kept there? */
static bool
secret_needs(const struct task *t, struct str slug)
{
	for (size_t i = 0; i < t->secrets; i++)
		if (t->secret[i].external &&
		    str_eq(t->secret[i].connector, slug)) /* public: a name */
			return true;
	return false;
}

static bool
is_for_us(const struct connector *c, const struct policy *p)
{
	for (size_t i = 0; i < c->labels_n; i++)
		if (!policy_has_label(p, c->labels[i].name, c->labels[i].value))
			return false;
	return c->labels_n > 0;
}

static enum reason
connector_read(struct task *t, const struct json *j, int64_t now,
    struct trail *trail, struct task_connector *ret)
{
	const struct json *doc;
	struct str text = json_str_at(j, STR("document"));

	*ret = (struct task_connector){.id = json_str_at(j, STR("id")),
	    .slug = json_str_at(j, STR("slug")),
	    .document = text};
	if (j->kind != JSON_OBJECT || j->count != 5 || text.p == NULL)
		return REASON_TEXT;
	if (!str_eq(task_digest(t->arena, text), json_str_at(j, STR("digest"))))
		return REASON_CONN_DIGEST;
	if (!err_ok(
		json_parse(t->arena, text, &connector_limits, trail, &doc)) ||
	    !err_ok(connector_parse(t->arena, doc, trail, &ret->c)) ||
	    !str_eq(ret->c.slug, ret->slug))
		return REASON_CONN;
	return ret->c.expires <= now ? REASON_CONN_EXPIRED : REASON_NONE;
}

static enum reason
connectors_wanted(const struct task *t)
{
	const struct step *s = t->step;

	if (s->kind == STEP_HTTP &&
	    task_connector(t, s->http.connector) == NULL)
		return REASON_CONN_MISSING;
	if (s->kind == STEP_SCRIPT)
		for (size_t i = 0; i < s->script.connectors_n; i++)
			if (task_connector(t, s->script.connectors[i]) == NULL)
				return REASON_CONN_MISSING;
	for (size_t i = 0; i < t->secrets; i++)
		if (t->secret[i].external &&
		    task_connector(t, t->secret[i].connector) == NULL)
			return REASON_CONN_MISSING;
	return REASON_NONE;
}

static enum reason secrets_wanted(const struct task *t);

enum reason
task_connectors(struct task *t, const struct policy *policy, int64_t now,
    struct trail *trail)
{
	const struct json *list = json_get(t->json, STR("connectors")), *j;

	for (j = json_first(list); j != NULL; j = j->next) {
		struct task_connector c;

		if (t->connectors == TASK_CONNECTORS)
			return REASON_CONN_EXTRA;
		HOLDS(connector_read(t, j, now, trail, &c));
		c.of_step = step_names(t->step, c.slug);
		if (task_connector(t, c.slug) != NULL ||
		    (!c.of_step && !secret_needs(t, c.slug)))
			return REASON_CONN_EXTRA;
		if (!is_for_us(&c.c, policy))
			return REASON_CONN_SELECTOR;
		t->connector[t->connectors++] = c;
	}
	HOLDS(connectors_wanted(t));
	return secrets_wanted(t);
}

/* ---- secrets ---- */

static enum reason
secret_read(struct task *t, const struct json *j, struct task_secret *ret)
{
	const struct json *ext = json_get(j, STR("external"));
	struct str data = json_str_at(j, STR("data"));
	struct str box = json_str_at(j, STR("box"));

	*ret = (struct task_secret){.name = json_str_at(j, STR("name")),
	    .external = ext != NULL,
	    .connector = json_str_at(ext, STR("connector")),
	    .path = json_str_at(ext, STR("path")),
	    .field = json_str_at(ext, STR("field"))};
	if (ret->name.n == 0)
		return REASON_TEXT;
	if (ext != NULL)
		return ret->connector.n > 0 && ret->path.p != NULL &&
			data.p == NULL && box.p == NULL
		    ? REASON_NONE
		    : REASON_TEXT;
	if (data.p == NULL || box.p == NULL ||
	    !b64_decode(t->arena, data, &ret->data) ||
	    !b64_decode(t->arena, box, &ret->box))
		return REASON_TEXT;
	return REASON_NONE;
}

/* The step's own; the version must be the one it names, if it names one. */
static enum reason
of_step(const struct task *t, const struct json *j, struct task_secret *s)
{
	const struct step *step = t->step;
	int64_t version = 0;

	if (step->kind != STEP_SCRIPT)
		return REASON_NONE;
	for (size_t i = 0; i < step->script.secrets_n; i++) {
		const struct secret_ref *r = &step->script.secrets[i];

		if (!str_eq(r->name, s->name))
			continue;
		s->of_step = true;
		if (r->version != 0 &&
		    (!json_i64(json_get(j, STR("version")), 1, UINT32_MAX,
			 &version) ||
			version != r->version))
			return REASON_SECRET_VERSION;
	}
	return REASON_NONE;
}

static const struct task_secret *
secret_of(const struct task *t, struct str name)
{
	for (size_t i = 0; i < t->secrets; i++)
		if (str_eq(t->secret[i].name, name)) /* public: a name */
			return &t->secret[i];
	return NULL;
}

enum reason
task_secrets(struct task *t, struct trail *trail)
{
	const struct json *list = json_get(t->json, STR("secrets")), *j;

	for (j = json_first(list); j != NULL; j = j->next) {
		struct task_secret s;

		if (t->secrets == TASK_SECRETS)
			return REASON_SECRET_EXTRA;
		HOLDS(secret_read(t, j, &s));
		if (secret_of(t, s.name) != NULL) {
			trail_set(trail, "secret %.*s", STR_ARG(s.name));
			return REASON_SECRET_EXTRA;
		}
		HOLDS(of_step(t, j, &s));
		t->secret[t->secrets++] = s;
	}
	return REASON_NONE;
}

/* All the step names and its connectors need, and no other. */
static enum reason
secrets_wanted(const struct task *t)
{
	const struct step *s = t->step;
	bool wanted[TASK_SECRETS] = {false};

	if (s->kind == STEP_SCRIPT)
		for (size_t i = 0; i < s->script.secrets_n; i++)
			if (secret_of(t, s->script.secrets[i].name) == NULL)
				return REASON_SECRET_MISSING;
	for (size_t i = 0; i < t->connectors; i++) {
		struct str name = t->connector[i].c.auth.secret;
		const struct task_secret *have;

		if (name.n == 0)
			continue;
		have = secret_of(t, name);
		if (have == NULL)
			return REASON_SECRET_MISSING;
		wanted[have - t->secret] = true;
	}
	for (size_t i = 0; i < t->secrets; i++)
		if (!wanted[i] && !t->secret[i].of_step)
			return REASON_SECRET_EXTRA;
	return REASON_NONE;
}

/* ---- 13: opening them (PROTOCOL.delegate 5) ---- */

enum {
	CK = 32,
	NONCE = 12,
	TAG = 16,
	BLOCK = 64,
	SHORTEST = NONCE + TAG + BLOCK
};

static bool
gcm_opens(const uint8_t key[CK], struct str aad, struct str data, uint8_t *out)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	const uint8_t *p = (const uint8_t *)data.p;
	int n = (int)data.n - NONCE - TAG, done;
	uint8_t tag[TAG], none[1];
	bool ok;

	memcpy(tag, p + data.n - TAG, TAG);
	ok = x != NULL &&
	    EVP_DecryptInit_ex2(x, EVP_aes_256_gcm(), key, p, NULL) == 1 &&
	    EVP_DecryptUpdate(x, NULL, &done, (const uint8_t *)aad.p,
		(int)aad.n) == 1 &&
	    EVP_DecryptUpdate(x, out, &done, p + NONCE, n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1 &&
	    EVP_DecryptFinal_ex(x, none, &done) == 1;
	EVP_CIPHER_CTX_free(x);
	if (!ok)
		ERR_clear_error();
	return ok;
}

/* be32(length) || value || zeroes */
static bool
unpad(const uint8_t *p, size_t n, struct str *ret)
{
	struct cur c = cur_of(str_of((const char *)p, n));
	struct str value = cur_view(&c, cur_be32(&c));

	if (c.failed || n % BLOCK != 0 || c.n >= BLOCK)
		return false;
	for (size_t i = 0; i < c.n; i++)
		if (c.p[i] != 0)
			return false;
	*ret = value;
	return true;
}

static bool
secret_open(const struct pinned *p, const struct task *t, struct task_secret *s,
    uint8_t *out)
{
	char store[512];
	struct buf aad = {.p = store, .cap = sizeof store, .max = sizeof store};
	struct hash h;
	uint8_t ck[CK];
	bool ok;

	buf_c(&aad, "redoubt-secret/1\n");
	buf_str(&aad, t->project_slug);
	buf_char(&aad, '\n');
	buf_str(&aad, s->name);
	buf_char(&aad, '\n');
	audit_sha256(s->data, &h);
	ok = err_ok(buf_check(&aad)) && s->data.n >= SHORTEST &&
	    s->box.n == CK + HPKE_OVERHEAD &&
	    err_ok(hpke_open(secret_view(p->sealing), buf_view(&aad),
		str_of((const char *)h.b, sizeof h.b), s->box, ck)) &&
	    gcm_opens(ck, buf_view(&aad), s->data, out) &&
	    unpad(out, s->data.n - NONCE - TAG, &s->value);
	mem_wipe(ck, sizeof ck);
	return ok;
}

enum reason
envelope_secrets(const struct pinned *p, struct task *t, void **ret_pages,
    size_t *ret_n)
{
	size_t n = 0, at = 0;
	uint8_t *pages;

	*ret_pages = NULL;
	*ret_n = 0;
	for (size_t i = 0; i < t->secrets; i++)
		n += t->secret[i].data.n;
	if (n == 0)
		return REASON_NONE;
	pages = mem_pages_new(n);
	if (pages == NULL)
		return REASON_MEMORY;
	*ret_pages = pages;
	*ret_n = n;
	for (size_t i = 0; i < t->secrets; i++) {
		if (t->secret[i].external)
			continue;
		if (!secret_open(p, t, &t->secret[i], pages + at))
			return REASON_SECRET;
		at += t->secret[i].data.n;
	}
	return REASON_NONE;
}
