/* Metadata and logouts as bytes: what is written is read, nothing else is. */
#include "auth/saml_meta.h"

#include "tests/t.h"

static struct buf b;

static void
begin(void)
{
	if (b.max == 0)
		buf_init(&b, SAML_FLAT_MAX);
	buf_clear(&b);
}

TEST(logout_rules)
{
	struct saml_provider p = {.entity = STR("e"),
				 .sp_entity = STR("s"),
				 .acs = STR("a"),
				 .keys = {STR("key")},
				 .keys_n = 1},
			     q;
	struct str slo;

	begin();
	saml_logout_rules_encode(&b, &p, STR("https://slo"));
	T_OK(saml_logout_rules_decode(buf_view(&b), &q, &slo));
	T_EQ_STR(slo, STR("https://slo"));
	T_EQ_STR(q.entity, STR("e"));
	T_EQ_INT(q.keys_n, 1);
	for (size_t n = 0; n < b.n; n++)
		T_OK(!saml_logout_rules_decode(str_of(b.p, n), &q, &slo));
	buf_char(&b, 0);
	T_OK(!saml_logout_rules_decode(buf_view(&b), &q, &slo));
}

TEST(logouts)
{
	struct saml_logout l = {.id = STR("_1"),
			       .name_id = STR("ann"),
			       .session = {STR("s1"), STR("s2")},
			       .sessions_n = 2,
			       .until = 1234567890123},
			   r;
	enum saml_reason why;
	struct str relay;

	begin();
	saml_logout_encode(&b, SAML_OK, &l, STR("relay"));
	T_OK(saml_logout_decode(buf_view(&b), &why, &r, &relay));
	T_EQ_INT(why, SAML_OK);
	T_EQ_STR(r.id, l.id);
	T_EQ_STR(r.name_id, l.name_id);
	T_EQ_STR(r.session[1], l.session[1]);
	T_EQ_INT(r.until, l.until);
	T_EQ_STR(relay, STR("relay"));
	for (size_t n = 0; n < b.n; n++)
		T_OK(!saml_logout_decode(str_of(b.p, n), &why, &r, &relay));
	buf_char(&b, 0);
	T_OK(!saml_logout_decode(buf_view(&b), &why, &r, &relay));
	begin();
	saml_logout_encode(&b, SAML_SIGNATURE, &l, STR("relay"));
	T_EQ_INT(b.n, 4);
	T_OK(saml_logout_decode(buf_view(&b), &why, &r, &relay));
	T_EQ_INT(why, SAML_SIGNATURE);
	T_EQ_INT(r.name_id.n, 0);
	b.p[3] = (char)SAML_REASON_MAX_;
	T_OK(!saml_logout_decode(buf_view(&b), &why, &r, &relay));
}

TEST(at_most_eight_sessions)
{
	struct saml_logout l = {.sessions_n = SAML_SESSIONS}, r;
	enum saml_reason why;
	struct str relay;
	size_t at;

	begin();
	saml_logout_encode(&b, SAML_OK, &l, STR(""));
	T_OK(saml_logout_decode(buf_view(&b), &why, &r, &relay));
	at = 4 + 4 + 4 + 8; /* of their number */
	T_EQ_INT(b.p[at], SAML_SESSIONS);
	b.p[at]++;
	buf_be32(&b, 0);
	T_OK(!saml_logout_decode(buf_view(&b), &why, &r, &relay));
}

TEST(metadata)
{
	struct saml_meta m = {.entity = STR("e"),
			     .sso_url = STR("https://sso"),
			     .slo_url = STR(""),
			     .cert = {STR("der")},
			     .certs_n = 1},
			 r;
	struct trail t = {{0}}, said = {{0}};

	begin();
	saml_meta_encode(&b, OK, &t, &m);
	T_GOOD(saml_meta_decode(buf_view(&b), &said, &r));
	T_EQ_STR(r.sso_url, m.sso_url);
	T_EQ_STR(r.cert[0], m.cert[0]);
	T_EQ_INT(r.certs_n, 1);
	for (size_t n = 0; n < b.n; n++)
		T_ERR(saml_meta_decode(str_of(b.p, n), &said, &r), E_PEER);
	buf_char(&b, 0);
	T_ERR(saml_meta_decode(buf_view(&b), &said, &r), E_PEER);
	T_EQ_INT(said.detail[0], 0);
	begin();
	trail_set(&t, "metadata: no entity");
	saml_meta_encode(&b, err_of(E_INVALID), &t, &m);
	T_ERR(saml_meta_decode(buf_view(&b), &said, &r), E_INVALID);
	T_EQ_STR(str_c(said.detail), STR("metadata: no entity"));
	b.p[0] = (char)0x7f;
	T_ERR(saml_meta_decode(buf_view(&b), &said, &r), E_PEER);
}

T_MAIN
