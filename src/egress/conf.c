/* conf.c: DIR/idp.conf. */
#include "base/ini.h"
#include "base/limits.h"
#include "base/text.h"
#include "egress/provider.h"

enum key {
	KEY_AUTH,
	KEY_TLS,
	KEY_PIN,
	KEY_CONNECT,
	KEY_RESOLVER,
	KEY_ALLOW,
	KEY_FILE_KEY,
	KEY_FILE_SECRET,
	KEY_FILE_CA,
	KEY_TEXT, /* a member of struct provider */
};

static const struct row {
	const char *name;
	enum key key;
	size_t at;
} rows[] = {
    {"issuer", KEY_TEXT, offsetof(struct provider, issuer)},
    {"token_endpoint", KEY_TEXT, offsetof(struct provider, url[URL_TOKEN])},
    {"jwks_uri", KEY_TEXT, offsetof(struct provider, url[URL_JWKS])},
    {"metadata_uri", KEY_TEXT, offsetof(struct provider, url[URL_META])},
    {"client_id", KEY_TEXT, offsetof(struct provider, client_id)},
    {"redirect_uri", KEY_TEXT, offsetof(struct provider, redirect_uri)},
    {"key_id", KEY_TEXT, offsetof(struct provider, key_id)},
    {"key_alg", KEY_TEXT, offsetof(struct provider, key_alg)},
    {"client_auth", KEY_AUTH, 0},
    {"min_tls", KEY_TLS, 0},
    {"spki_pin", KEY_PIN, 0},
    {"connect", KEY_CONNECT, 0},
    {"resolver", KEY_RESOLVER, 0},
    {"allow_cidr", KEY_ALLOW, 0},
    {"key_file", KEY_FILE_KEY, 0},
    {"secret_file", KEY_FILE_SECRET, 0},
    {"ca_file", KEY_FILE_CA, 0},
};

enum { ROWS = sizeof rows / sizeof *rows };

struct reading {
	struct arena *a;
	struct provider_conf *out;
	unsigned given; /* bit per row, of the present section */
	struct str key_file, secret_file; /* likewise */
	struct trail *t;
};

/* ---- values ---- */

static const char *
auth_set(struct provider *p, struct str v)
{
	static const char *const names[CLIENT_MAX_] = {
	    [CLIENT_NONE] = "none",
	    [CLIENT_BASIC] = "client_secret_basic",
	    [CLIENT_POST] = "client_secret_post",
	    [CLIENT_JWT] = "private_key_jwt",
	};

	for (size_t i = 0; i < CLIENT_MAX_; i++)
		if (str_is(v, names[i])) {
			p->auth = (enum client_auth)i;
			return NULL;
		}
	return "private_key_jwt, client_secret_basic, client_secret_post or "
	       "none";
}

static const char *
pin_set(struct arena *a, struct provider *p, struct str v)
{
	struct str bytes;

	if (!str_starts(v, STR("sha256/")) ||
	    !b64_decode(a, str_skip(v, 7), &bytes) || bytes.n != PIN_SIZE)
		return "sha256/ and 44 characters of base64";
	memcpy(p->pin, bytes.p, PIN_SIZE);
	p->pinned = true;
	return NULL;
}

static const char *
connect_set(struct provider *p, struct str v)
{
	for (;;) {
		struct str item;
		bool more = str_cut(v, ',', &item, &v);

		if (p->connect_n == PROVIDER_ADDRESSES)
			return "too many addresses";
		if (!endpoint_parse(str_trim(item), 443,
			&p->connect[p->connect_n++]))
			return "addresses, HOST:PORT, separated by commas";
		if (!more)
			return NULL;
	}
}

static const char *
allow_set(struct provider *p, struct str v)
{
	for (;;) {
		struct str item;
		bool more = str_cut(v, ',', &item, &v);

		if (p->allow_n == PROVIDER_ADDRESSES)
			return "too many address blocks";
		p->allow[p->allow_n++] = str_trim(item);
		if (!more)
			return NULL;
	}
}

static const char *
value_set(struct reading *r, const struct row *row, struct str v)
{
	size_t i = r->out->n - 1;
	struct provider *p = &r->out->provider[i];

	switch (row->key) {
	case KEY_AUTH:
		return auth_set(p, v);
	case KEY_TLS:
		p->tls12 = str_is(v, "1.2");
		return p->tls12 || str_is(v, "1.3") ? NULL : "1.3 or 1.2";
	case KEY_PIN:
		return pin_set(r->a, p, v);
	case KEY_CONNECT:
		return connect_set(p, v);
	case KEY_RESOLVER:
		return endpoint_parse(v, 53, &p->resolver) ? NULL
							   : "an address";
	case KEY_ALLOW:
		return allow_set(p, v);
	case KEY_FILE_KEY:
		r->key_file = v;
		return NULL;
	case KEY_FILE_SECRET:
		r->secret_file = v;
		return NULL;
	case KEY_FILE_CA:
		r->out->files[i].ca = v;
		return NULL;
	default:
		*(struct str *)(void *)((char *)p + row->at) = v;
		return NULL;
	}
}

/* ---- sections ---- */

/* What is only known at the end of one. */
static const char *
section_end(struct reading *r)
{
	struct provider *p;
	bool key, secret;

	if (r->out->n == 0)
		return NULL;
	p = &r->out->provider[r->out->n - 1];
	key = p->auth == CLIENT_JWT;
	secret = p->auth == CLIENT_BASIC || p->auth == CLIENT_POST;
	if (key != (r->key_file.n > 0) || secret != (r->secret_file.n > 0))
		return "client_auth wants key_file (private_key_jwt), "
		       "secret_file (a secret) or neither (none)";
	r->out->files[r->out->n - 1].credential =
	    key ? r->key_file : r->secret_file;
	return provider_wrong(p);
}

static const char *
told(struct reading *r, const char *wrong)
{
	if (wrong == NULL)
		return NULL;
	trail_set(r->t, "[idp %.*s]: %s",
	    STR_ARG(r->out->provider[r->out->n - 1].name), wrong);
	return wrong;
}

static const char *
on_section(void *ctx, struct str name)
{
	struct reading *r = ctx;
	struct provider_conf *o = r->out;
	struct str id = str_skip(name, 4);
	const char *wrong = told(r, section_end(r));

	if (wrong != NULL)
		return wrong;
	if (!str_starts(name, STR("idp ")) || id.n == 0 || id.n > IDP_NAME)
		return "[idp NAME] was expected";
	if (o->n == IDP_PROVIDERS)
		return "too many providers";
	for (size_t i = 0; i < o->n; i++)
		if (str_eq(o->provider[i].name, id))
			return "a provider of that name was there";
	o->provider[o->n] =
	    (struct provider){.name = arena_dup(r->a, id), .auth = CLIENT_NONE};
	o->files[o->n] = (struct provider_files){0};
	o->n++;
	r->given = 0;
	r->key_file = r->secret_file = STR_NONE;
	return NULL;
}

static const char *
on_value(void *ctx, const char *section, const char *name, const char *value)
{
	struct reading *r = ctx;
	struct str v = str_c(value);

	(void)section;
	if (r->out->n == 0)
		return "[idp NAME] was expected";
	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].name, name) != 0)
			continue;
		if ((r->given & 1U << i) != 0)
			return "given twice";
		r->given |= 1U << i;
		if (v.n == 0)
			return "empty";
		v = arena_dup(r->a, v);
		return v.p == NULL ? "out of memory"
				   : value_set(r, &rows[i], v);
	}
	return "no such setting";
}

err
provider_conf_parse(struct arena *a, struct str text, struct trail *t,
    struct provider_conf *ret)
{
	struct reading r = {.a = a, .out = ret, .t = t};
	struct ini_hooks hooks = {&r, on_section, on_value};
	err e;

	ret->n = 0;
	if (text.n > LIM_CONFIG) {
		trail_set(t, "the file is larger than %d bytes", LIM_CONFIG);
		return err_of(E_CONFIG);
	}
	e = ini_read(text, &hooks, t);
	if (err_ok(e) && told(&r, section_end(&r)) != NULL)
		e = err_of(E_CONFIG);
	TRY(arena_check(a));
	return e;
}
