/* saml_claims.c: what a signed assertion says, and whether it is for us, now
 * (SAML core 2.3 to 2.7; profiles 4.1.4.3). */
#include "auth/saml_inner.h"
#include "base/time.h"
#include "base/utf8.h"

#define BEARER "urn:oasis:names:tc:SAML:2.0:cm:bearer"

bool
claims_time(struct str s, int64_t *ret)
{
	return s.n > 0 && s.n <= 64 && s.p[s.n - 1] == 'Z' &&
	    time_parse(s, ret);
}

/* A time attribute that must be readable when it is there. */
static bool
time_at(struct verify *v, const xmlNode *n, const char *name, int64_t none,
    int64_t *ret)
{
	struct str s = xml_attr(n, name);

	*ret = none;
	if (s.p == NULL)
		return true;
	CHECK(v, time_form, claims_time(s, ret), SAML_SHAPE);
	return true;
}

/* ---- subject ---- */

/* Nothing that is not seen, or makes the rest look like something else. */
static bool
name_plain(struct str s)
{
	static const struct {
		uint32_t from, to;
	} unseen[] = {{0, 0x20}, {0x7f, 0xa0}, {0xad, 0xad}, {0x61c, 0x61c},
	    {0x1680, 0x1680}, {0x180e, 0x180e}, {0x2000, 0x200f},
	    {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000},
	    {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
	    {0xe0000, 0xe01ef}};

	if (s.n == 0 || s.n > SAML_NAME_ID_MAX)
		return false;
	while (s.n > 0) {
		uint32_t c = utf8_next(&s);

		for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++)
			if (c >= unseen[i].from && c <= unseen[i].to)
				return false;
	}
	return true;
}

static bool
read_name(struct verify *v, const xmlNode *subject, struct saml_identity *id)
{
	const xmlNode *name = xml_child(subject, NS_A, "NameID", NULL);

	if (!xml_text(name, &id->name_id))
		return saml_no(v, SAML_SUBJECT);
	CHECK(v, name_plain, name_plain(id->name_id), SAML_SUBJECT);
	id->format = xml_attr(name, "Format");
	return true;
}

/* Bearer, to our address, for our request, not over, from no time on. */
static bool
confirms(struct verify *v, const xmlNode *c, bool *ret_answers,
    int64_t *ret_until)
{
	const xmlNode *data =
	    xml_child(c, NS_A, "SubjectConfirmationData", NULL);
	struct str irt = xml_attr(data, "InResponseTo");
	int64_t until;

	CHECK(v, bearer, str_is(xml_attr(c, "Method"), BEARER), SAML_CONFIRM);
	CHECK(v, recipient, str_eq(xml_attr(data, "Recipient"), v->p->acs),
	    SAML_CONFIRM);
	CHECK(v, confirm_not_before, xml_attr(data, "NotBefore").p == NULL,
	    SAML_CONFIRM);
	if (!claims_time(xml_attr(data, "NotOnOrAfter"), &until))
		return saml_no(v, SAML_CONFIRM);
	CHECK(v, confirm_until, v->now < until + SAML_SKEW_MS, SAML_EXPIRED);
	if (v->p->request.n > 0)
		CHECK(v, confirm_request, str_eq(irt, v->p->request),
		    SAML_REQUEST);
	else
		CHECK(v, confirm_unasked, irt.p == NULL, SAML_REQUEST);
	*ret_answers = irt.p != NULL;
	*ret_until = until;
	return true;
}

/* One of them is enough; the reason of the last is as good as any. */
static bool
read_subject(struct verify *v, const xmlNode *assertion,
    struct saml_identity *id)
{
	const xmlNode *subject = xml_child(assertion, NS_A, "Subject", NULL);
	enum saml_reason before = v->why;

	if (subject == NULL || !read_name(v, subject, id))
		return saml_no(v, SAML_SUBJECT);
	for (const xmlNode *c = xml_first(subject); c != NULL;
	     c = xml_next(c)) {
		int64_t until;

		if (!xml_is(c, NS_A, "SubjectConfirmation"))
			continue;
		v->why = before;
		if (!confirms(v, c, &id->answers, &until))
			continue;
		id->not_on_or_after = until;
		return true;
	}
	return saml_no(v, SAML_CONFIRM);
}

/* ---- conditions ---- */

static bool
audience_ok(struct verify *v, const xmlNode *restriction)
{
	for (const xmlNode *c = xml_first(restriction); c != NULL;
	     c = xml_next(c)) {
		struct str s;

		if (xml_is(c, NS_A, "Audience") && xml_text(c, &s) &&
		    str_eq(s, v->p->sp_entity))
			return true;
	}
	return false;
}

static bool
read_conditions(struct verify *v, const xmlNode *assertion,
    struct saml_identity *id)
{
	size_t audiences = 0;
	const xmlNode *all = xml_child(assertion, NS_A, "Conditions", NULL);
	int64_t from, until;

	if (all == NULL || !time_at(v, all, "NotBefore", 0, &from))
		return saml_no(v, SAML_CONDITIONS);
	if (!claims_time(xml_attr(all, "NotOnOrAfter"), &until))
		return saml_no(v, SAML_CONDITIONS);
	CHECK(v, not_before, from <= v->now + SAML_SKEW_MS, SAML_EXPIRED);
	CHECK(v, not_on_or_after, v->now < until + SAML_SKEW_MS, SAML_EXPIRED);
	CHECK(v, life, until - v->now <= SAML_LIFE_MS, SAML_EXPIRED);
	for (const xmlNode *c = xml_first(all); c != NULL; c = xml_next(c)) {
		if (xml_is(c, NS_A, "AudienceRestriction")) {
			CHECK(v, audience, audience_ok(v, c), SAML_AUDIENCE);
			audiences++;
			continue;
		}
		CHECK(v, condition_known,
		    xml_is(c, NS_A, "OneTimeUse") ||
			xml_is(c, NS_A, "ProxyRestriction"),
		    SAML_CONDITIONS);
	}
	CHECK(v, audience_there, audiences > 0, SAML_AUDIENCE);
	if (until > id->not_on_or_after)
		id->not_on_or_after = until;
	id->not_on_or_after += SAML_SKEW_MS;
	return true;
}

/* ---- statements ---- */

static bool
read_authn(struct verify *v, const xmlNode *s, struct saml_identity *id)
{
	const xmlNode *context = xml_child(s, NS_A, "AuthnContext", NULL);
	int64_t over;

	if (!claims_time(xml_attr(s, "AuthnInstant"), &id->authn_instant))
		return saml_no(v, SAML_AUTHN);
	CHECK(v, authn_instant, id->authn_instant <= v->now + SAML_SKEW_MS,
	    SAML_AUTHN);
	if (!time_at(v, s, "SessionNotOnOrAfter", 0, &over))
		return false;
	CHECK(v, session_over, over == 0 || v->now < over + SAML_SKEW_MS,
	    SAML_AUTHN);
	id->session_not_on_or_after = over;
	id->session_index = xml_attr(s, "SessionIndex");
	(void)xml_text(xml_child(context, NS_A, "AuthnContextClassRef", NULL),
	    &id->acr);
	return true;
}

/* Some providers (Keycloak's roles) say each value in an Attribute of its
 * own; NULL: there are SAML_ATTRIBUTES names already. */
static struct saml_attribute *
attribute_of(struct str name, struct saml_attribute *to, size_t *io)
{
	for (size_t i = 0; i < *io; i++)
		if (str_eq(to[i].name, name))
			return &to[i];
	if (*io == SAML_ATTRIBUTES)
		return NULL;
	to[*io].name = name;
	return &to[(*io)++];
}

static bool
read_attribute(struct verify *v, const xmlNode *n, struct saml_attribute *all,
    size_t *io)
{
	struct str name = xml_attr(n, "Name");
	struct saml_attribute *to;

	CHECK(v, attribute_name, name.n > 0 && name.n <= SAML_VALUE_MAX,
	    SAML_ATTRIBUTE);
	to = attribute_of(name, all, io);
	if (to == NULL)
		return saml_no(v, SAML_ATTRIBUTE);
	for (const xmlNode *c = xml_first(n); c != NULL; c = xml_next(c)) {
		struct str s;

		CHECK(v, attribute_child, xml_is(c, NS_A, "AttributeValue"),
		    SAML_ATTRIBUTE);
		if (!xml_text(c, &s))
			continue; /* empty, or XML of its own */
		CHECK(v, value_size, s.n <= SAML_VALUE_MAX, SAML_ATTRIBUTE);
		CHECK(v, value_many, to->n < SAML_VALUES, SAML_ATTRIBUTE);
		if (to->n < SAML_VALUES)
			to->value[to->n++] = s;
	}
	return true;
}

static bool
read_attributes(struct verify *v, const xmlNode *s, struct saml_attribute *to,
    size_t *io)
{
	for (const xmlNode *c = xml_first(s); c != NULL; c = xml_next(c)) {
		CHECK(v, attribute, xml_is(c, NS_A, "Attribute"),
		    SAML_ATTRIBUTE);
		if (!read_attribute(v, c, to, io))
			return false;
	}
	return true;
}

/* Subject, Conditions, then statements; nothing that is not understood. */
static bool
read_statements(struct verify *v, const xmlNode *assertion,
    struct saml_identity *id)
{
	struct saml_attribute *to =
	    arena_array(v->a, SAML_ATTRIBUTES, sizeof *to);
	size_t authn = 0;

	if (to == NULL)
		return saml_no(v, SAML_MEMORY);
	id->attributes = to;
	for (const xmlNode *c = xml_first(assertion); c != NULL;
	     c = xml_next(c)) {
		if (xml_is(c, NS_A, "AuthnStatement")) {
			if (!read_authn(v, c, id))
				return false;
			authn++;
		} else if (xml_is(c, NS_A, "AttributeStatement")) {
			if (!read_attributes(v, c, to, &id->attributes_n))
				return false;
		} else {
			CHECK(v, statement_known,
			    xml_is(c, NS_A, "Issuer") ||
				xml_is(c, NS_DS, "Signature") ||
				xml_is(c, NS_A, "Subject") ||
				xml_is(c, NS_A, "Conditions"),
			    SAML_SHAPE);
		}
	}
	CHECK(v, authn_there, authn > 0, SAML_AUTHN);
	return true;
}

/* The views point into a document that goes. */
static bool
own(struct verify *v, struct saml_identity *id)
{
	struct saml_attribute *at =
	    (struct saml_attribute *)(uintptr_t)id->attributes;
	struct str *const texts[] = {&id->issuer, &id->name_id, &id->format,
	    &id->session_index, &id->acr, &id->assertion_id};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i]->p != NULL)
			*texts[i] = arena_dup(v->a, *texts[i]);
	for (size_t i = 0; i < id->attributes_n; i++) {
		at[i].name = arena_dup(v->a, at[i].name);
		for (size_t k = 0; k < at[i].n; k++)
			at[i].value[k] = arena_dup(v->a, at[i].value[k]);
	}
	return err_ok(arena_check(v->a)) || saml_no(v, SAML_MEMORY);
}

bool
claims_read(struct verify *v, const xmlNode *assertion,
    struct saml_identity *ret)
{
	struct saml_identity id = {0};
	int64_t issued;

	if (!xml_is(assertion, NS_A, "Assertion"))
		return saml_no(v, SAML_SHAPE);
	CHECK(v, assertion_version,
	    str_is(xml_attr(assertion, "Version"), "2.0"), SAML_VERSION);
	id.assertion_id = xml_attr(assertion, "ID");
	CHECK(v, assertion_id,
	    id.assertion_id.n > 0 && id.assertion_id.n <= SAML_NAME_ID_MAX,
	    SAML_SHAPE);
	if (!claims_time(xml_attr(assertion, "IssueInstant"), &issued))
		return saml_no(v, SAML_ISSUED);
	CHECK(v, assertion_issued,
	    issued <= v->now + SAML_SKEW_MS && v->now - issued <= SAML_LIFE_MS,
	    SAML_ISSUED);
	if (!xml_text(xml_child(assertion, NS_A, "Issuer", NULL), &id.issuer))
		return saml_no(v, SAML_ISSUER);
	CHECK(v, assertion_issuer, str_eq(id.issuer, v->p->entity),
	    SAML_ISSUER);
	if (!read_subject(v, assertion, &id) ||
	    !read_conditions(v, assertion, &id) ||
	    !read_statements(v, assertion, &id) || !own(v, &id))
		return false;
	*ret = id;
	return true;
}
