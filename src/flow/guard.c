/* guard.c: see guard.h. */
#include "flow/guard.h"

#include "auth/session.h"
#include "base/secret.h"

enum { MINUTE_MS = 60000 };

bool
guard_origin(struct str url, char *ret, size_t max)
{
	static const struct str scheme = {"https://", 8}, port = {":443", 4};
	struct str host;

	if (!str_ieq(str_head(url, scheme.n), scheme))
		return false;
	(void)str_cut(str_skip(url, scheme.n), '/', &host, &url);
	if (str_ends(host, port))
		host.n -= port.n;
	if (host.n == 0 || host.n >= max - scheme.n)
		return false;
	memcpy(ret, scheme.p, scheme.n);
	ret += scheme.n;
	for (size_t i = 0; i < host.n; i++)
		*ret++ = (char)(host.p[i] >= 'A' && host.p[i] <= 'Z'
			? host.p[i] | 0x20
			: host.p[i]);
	*ret = '\0';
	return true;
}

static bool
changes(enum http_method m)
{
	return m != HTTP_GET && m != HTTP_HEAD && m != HTTP_OPTIONS;
}

/* The one header of that name; false when there is none or are several. */
static bool
one_header(const struct call *c, struct str name, struct str *ret)
{
	*ret = http_header(c->req, name);
	return http_header_count(c->req, name) == 1;
}

static const char *
origin_wrong(const struct call *c)
{
	struct str site, origin;

	if (!one_header(c, STR("sec-fetch-site"), &site)) {
		if (site.p != NULL)
			return "csrf_site";
	} else if (!str_is(site, "same-origin") && !str_is(site, "none")) {
		return "csrf_site";
	}
	if (!one_header(c, STR("origin"), &origin) ||
	    !str_is(origin, c->lane->state->origin_url))
		return "csrf_origin";
	return NULL;
}

static err
csrf(struct call *c, const char **ret_wrong)
{
	char want[SESSION_TEXT + 1];
	const struct data_key *mac;
	struct str got;
	uint32_t id;

	*ret_wrong = origin_wrong(c);
	if (*ret_wrong != NULL)
		return OK;
	*ret_wrong = "csrf_token";
	if (!one_header(c, STR("x-redoubt-csrf"), &got) ||
	    got.n != SESSION_TEXT)
		return OK;
	TRY(call_token_key(c, &mac, &id));
	TRY(session_csrf(mac, c->actor->session, want));
	if (ct_eq(got.p, want, SESSION_TEXT))
		*ret_wrong = NULL;
	return OK;
}

static err
refuse(struct call *c, enum err_code code, const char *why)
{
	if (c->route->audit == AUDIT_NONE)
		c->rec.action = AUDIT_AUTH_FAILED;
	c->rec.outcome = AUDIT_DENIED;
	c->rec.reason = str_c(why);
	c->rec.skip = false;
	return err_of(code);
}

err
call_fresh(struct call *c)
{
	const struct session *s = c->actor->session;
	int64_t max =
	    world_policy(call_world(c))->step_up_minutes * (int64_t)MINUTE_MS;

	if (s == NULL || c->now - s->auth_time <= max)
		return OK;
	c->stale_login = true;
	return refuse(c, E_STEP_UP, "step_up");
}

err
guard_session(struct call *c)
{
	const char *wrong = NULL;

	if (c->actor->session == NULL)
		return OK;
	if (changes(c->req->method))
		TRY(csrf(c, &wrong));
	if (wrong != NULL)
		return refuse(c, E_CSRF, wrong);
	return c->route->fresh ? call_fresh(c) : OK;
}
