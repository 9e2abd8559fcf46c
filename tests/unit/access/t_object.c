/* Objects as text and back. */
#include "tests/unit/access/again.h"

TEST(projects_users_accounts)
{
	struct project p = {.o = head_of(OBJECT_PROJECT, 1, 7),
	    .slug = STR("a-b"),
	    .name = STR("\"\\\n\xc3\xa9")};
	struct user u = {.o = head_of(OBJECT_USER, 1, 0),
	    .email = STR("a@b"),
	    .name = STR("A"),
	    .disabled = true,
	    .break_glass = true};
	struct service_account s = {.o = head_of(OBJECT_SERVICE_ACCOUNT, 1, 0),
	    .name = STR("bot"),
	    .disabled = true};
	const struct project *p2;
	const struct user *u2;
	const struct service_account *s2;

	BEGIN;
	p2 = again(&p);
	T_EQ_STR(p2->slug, p.slug);
	T_EQ_STR(p2->name, p.name);
	u2 = again(&u);
	T_EQ_STR(u2->email, u.email);
	T_EQ_STR(u2->name, u.name);
	T_OK(u2->disabled && u2->break_glass);
	s2 = again(&s);
	T_EQ_STR(s2->name, s.name);
	T_OK(s2->disabled);
	END;
}

TEST(groups_roles_bindings)
{
	static struct principal_id m[LIM_GROUP_MEMBERS];
	struct group g = {.o = head_of(OBJECT_GROUP, 1, 0),
	    .name = STR("g"),
	    .members = m,
	    .members_n = LIM_GROUP_MEMBERS};
	struct role r = {.o = head_of(OBJECT_ROLE, 1, 0), .name = STR("r")};
	struct binding b = {.o = head_of(OBJECT_BINDING, 1, 3),
	    .subject_kind = PRINCIPAL_GROUP,
	    .subject = {{1, 2}},
	    .role = STR("viewer"),
	    .expires = INT64_MAX,
	    .reason = STR("why"),
	    .created_by = {{{3, 4}}}};
	const struct group *g2;
	const struct role *r2;
	const struct binding *b2;

	BEGIN;
	for (size_t i = 0; i < g.members_n; i++)
		m[i].u = id_of(OBJECT_USER, (uint32_t)i);
	g2 = again(&g);
	T_EQ_INT(g2->members_n, g.members_n);
	T_EQ_MEM(g2->members, m, sizeof m);
	g.members_n = 0;
	g2 = again(&g);
	T_EQ_INT(g2->members_n, 0);
	for (unsigned p = 0; p < PERM_MAX_; p += 2)
		permset_add(&r.perms, (enum permission)p);
	r2 = again(&r);
	T_EQ_MEM(&r2->perms, &r.perms, sizeof r.perms);
	b2 = again(&b);
	T_EQ_INT(b2->subject_kind, b.subject_kind);
	T_OK(uuid_eq(&b2->subject, &b.subject));
	T_EQ_STR(b2->role, b.role);
	T_OK(b2->expires == b.expires);
	T_EQ_STR(b2->reason, b.reason);
	T_OK(uuid_eq(&b2->created_by.u, &b.created_by.u));
	END;
}

TEST(tokens)
{
	static const uint32_t projects[] = {1, UINT32_MAX};
	static const struct str cidrs[] = {{"10.0.0.0/8", 10}, {"::1", 3}};
	struct token t = token_of(1, 'w', PRINCIPAL_INTEGRATION,
	    (struct uuid){{5}}, permset_all());
	const struct token *t2;

	BEGIN;
	for (size_t i = 0; i < sizeof t.verifier; i++)
		t.verifier[i] = (uint8_t)(i * 37);
	t.verifier_key = UINT32_MAX;
	t.projects = projects;
	t.projects_n = 2;
	t.cidrs = cidrs;
	t.cidrs_n = 2;
	t.revoked = 99;
	t2 = again(&t);
	T_EQ_INT(t2->kind, 'w');
	T_EQ_MEM(t2->key_id, t.key_id, sizeof t.key_id);
	T_EQ_MEM(t2->verifier, t.verifier, sizeof t.verifier);
	T_OK(t2->verifier_key == UINT32_MAX);
	T_EQ_INT(t2->owner_kind, t.owner_kind);
	T_OK(uuid_eq(&t2->owner.u, &t.owner.u));
	T_EQ_STR(t2->name, t.name);
	T_EQ_MEM(&t2->scopes, &t.scopes, sizeof t.scopes);
	T_EQ_INT(t2->projects_n, 2);
	T_EQ_MEM(t2->projects, projects, sizeof projects);
	T_EQ_INT(t2->cidrs_n, 2);
	T_EQ_STR(t2->cidrs[0], cidrs[0]);
	T_EQ_STR(t2->cidrs[1], cidrs[1]);
	T_OK(t2->expires == t.expires && t2->revoked == 99);
	END;
}

TEST(integrations)
{
	struct integration i = {.o = head_of(OBJECT_INTEGRATION, 1, 3),
	    .name = STR("n"),
	    .template = STR("grafana"),
	    .auth = STR("{ \"kind\" : \"bearer\" }"),
	    .mapping = STR("{\"title\":1.50}"),
	    .default_severity = 3,
	    .disabled = true,
	    .created_by = {{{8}}}};
	const struct integration *j;

	BEGIN;
	j = again(&i);
	T_EQ_STR(j->name, i.name);
	T_EQ_STR(j->template, i.template);
	T_EQ_STR(j->auth, i.auth);
	T_EQ_STR(j->mapping, i.mapping);
	T_EQ_INT(j->default_severity, 3);
	T_OK(j->disabled);
	T_OK(uuid_eq(&j->created_by.u, &i.created_by.u));
	i.mapping = STR("");
	j = again(&i);
	T_EQ_INT(j->mapping.n, 0);
	END;
}

TEST(providers_and_identities)
{
	struct idp i = {.o = head_of(OBJECT_IDP, 1, 0),
	    .name = STR("corp"),
	    .kind = STR("saml"),
	    .config = STR("{ \"entity\" : \"x\" }"),
	    .disabled = true,
	    .created_by = {{{8}}}};
	static const struct uuid groups[] = {{{4}}, {{5}}};
	struct identity a = {.o = head_of(OBJECT_IDENTITY, 1, 0),
	    .idp = {{1}},
	    .user = {{2}},
	    .key = {3, 255},
	    .issuer = STR("https://a/"),
	    .subject = STR("s\xc3\xa9"),
	    .label = STR("ann"),
	    .groups = groups,
	    .groups_n = 2};
	const struct identity *a2;
	const struct idp *i2;

	BEGIN;
	i2 = again(&i);
	T_EQ_STR(i2->name, i.name);
	T_EQ_STR(i2->kind, i.kind);
	T_EQ_STR(i2->config, i.config);
	T_OK(i2->disabled && uuid_eq(&i2->created_by.u, &i.created_by.u));
	a2 = again(&a);
	T_OK(uuid_eq(&a2->idp, &a.idp) && uuid_eq(&a2->user, &a.user));
	T_EQ_MEM(a2->key, a.key, sizeof a.key);
	T_EQ_STR(a2->issuer, a.issuer);
	T_EQ_STR(a2->subject, a.subject);
	T_EQ_STR(a2->label, a.label);
	T_OK(a2->groups_n == 2);
	T_EQ_MEM(a2->groups, groups, sizeof groups);
	END;
}

TEST(credentials_and_sessions)
{
	struct credential c = {.o = head_of(OBJECT_CREDENTIAL, 1, 0),
	    .user = {{2}},
	    .kind = CREDENTIAL_WEBAUTHN,
	    .name = STR("key"),
	    .data = STR("{}")};
	struct session s = {.o = head_of(OBJECT_SESSION, 1, 0),
	    .user = {{1}},
	    .idp = {{2}},
	    .key = {9, 8},
	    .auth_time = 5,
	    .expires = INT64_MAX,
	    .method = STR("saml"),
	    .address = STR("::1"),
	    .agent = STR("curl"),
	    .idp_session = STR("_s"),
	    .name_id = STR("n")};
	const struct credential *c2;
	const struct session *s2;

	BEGIN;
	c2 = again(&c);
	T_OK(uuid_eq(&c2->user, &c.user));
	T_EQ_INT(c2->kind, CREDENTIAL_WEBAUTHN);
	T_EQ_STR(c2->name, c.name);
	T_EQ_STR(c2->data, c.data);
	s2 = again(&s);
	T_OK(uuid_eq(&s2->idp, &s.idp) && uuid_eq(&s2->user, &s.user));
	T_EQ_MEM(s2->key, s.key, sizeof s.key);
	T_EQ_INT(s2->auth_time, 5);
	T_OK(s2->expires == INT64_MAX);
	T_EQ_STR(s2->method, s.method);
	T_EQ_STR(s2->address, s.address);
	T_EQ_STR(s2->agent, s.agent);
	T_EQ_STR(s2->idp_session, s.idp_session);
	T_EQ_STR(s2->name_id, s.name_id);
	END;
}

TEST(resource_groups)
{
	static const struct str words[] = {{"a", 1}, {"b=c", 3}};
	static const struct uuid ids[] = {{{1}}, {{2}}, {{3}}};
	struct resource_group g = {.o = head_of(OBJECT_RESOURCE_GROUP, 1, 3),
	    .name = STR("n"),
	    .types = 5,
	    .severities = 17,
	    .services = words,
	    .services_n = 2,
	    .environments = words,
	    .environments_n = 1,
	    .kinds = words + 1,
	    .kinds_n = 1,
	    .labels = words,
	    .labels_n = 2,
	    .ids = ids,
	    .ids_n = 3};
	const struct resource_group *h;

	BEGIN;
	h = again(&g);
	T_EQ_STR(h->name, g.name);
	T_EQ_INT(h->types, 5);
	T_EQ_INT(h->severities, 17);
	T_EQ_INT(h->services_n, 2);
	T_EQ_STR(h->services[1], words[1]);
	T_EQ_INT(h->environments_n, 1);
	T_EQ_STR(h->environments[0], words[0]);
	T_EQ_STR(h->kinds[0], words[1]);
	T_EQ_STR(h->labels[1], words[1]);
	T_EQ_INT(h->ids_n, 3);
	T_EQ_MEM(h->ids, ids, sizeof ids);
	END;
}

TEST(runbooks)
{
	static const struct str types[] = {{"outage", 6}, {"breach", 6}};
	struct runbook_object r = {.o = head_of(OBJECT_RUNBOOK, 1, 3),
	    .slug = STR("restart-web"),
	    .name = STR("Restart"),
	    .latest = 7,
	    .current = 5,
	    .pinned = true,
	    .archived = true,
	    .context = STR("incident"),
	    .types = types,
	    .types_n = 2,
	    .owner_kind = PRINCIPAL_GROUP,
	    .owner = {{1}},
	    .created_by = {{{2}}}};
	const struct runbook_object *h;

	BEGIN;
	h = again(&r);
	T_EQ_STR(h->slug, r.slug);
	T_EQ_STR(h->name, r.name);
	T_EQ_INT(h->latest * 10 + h->current, 75);
	T_OK(h->pinned && h->archived);
	T_EQ_STR(h->context, r.context);
	T_EQ_INT(h->types_n, 2);
	T_EQ_STR(h->types[1], types[1]);
	T_EQ_INT(h->owner_kind, PRINCIPAL_GROUP);
	T_EQ_MEM(&h->owner, &r.owner, sizeof r.owner);
	T_EQ_MEM(&h->created_by, &r.created_by, sizeof r.created_by);
	END;
}

TEST(triggers)
{
	struct trigger_object t = {.o = head_of(OBJECT_TRIGGER, 1, 3),
	    .name = STR("nightly"),
	    .runbook = {{3}},
	    .account = {{4}},
	    .config = STR("{\"on\":\"schedule\"}"),
	    .disabled = true,
	    .owner_kind = PRINCIPAL_USER,
	    .owner = {{1}},
	    .created_by = {{{2}}}};
	const struct trigger_object *h;

	BEGIN;
	h = again(&t);
	T_EQ_STR(h->name, t.name);
	T_EQ_STR(h->config, t.config);
	T_OK(h->disabled);
	T_EQ_MEM(&h->runbook, &t.runbook, sizeof t.runbook);
	T_EQ_MEM(&h->account, &t.account, sizeof t.account);
	T_EQ_MEM(&h->owner, &t.owner, sizeof t.owner);
	T_EQ_MEM(&h->created_by, &t.created_by, sizeof t.created_by);
	END;
}

TEST(freezes)
{
	struct freeze f = {.o = head_of(OBJECT_FREEZE, 1, 3),
	    .reason = STR("fire drill"),
	    .by_kind = PRINCIPAL_USER,
	    .by = {{{7}}}};
	const struct freeze *h;

	BEGIN;
	h = again(&f);
	T_EQ_STR(h->reason, f.reason);
	T_EQ_INT(h->by_kind, PRINCIPAL_USER);
	T_EQ_MEM(&h->by, &f.by, sizeof f.by);
	END;
}

TEST(connectors)
{
	static const struct uuid editors[] = {{{4}}, {{5}}};
	struct connector_object c = {.o = head_of(OBJECT_CONNECTOR, 1, 3),
	    .slug = STR("s"),
	    .name = STR("n"),
	    .document = STR("{\"slug\":\"s\"}"),
	    .digest = STR("abc"),
	    .number = 7,
	    .state = CONNECTOR_REVOKED,
	    .kind = 6,
	    .secret = STR("k"),
	    .expires = 8,
	    .editors = editors,
	    .editors_n = 2,
	    .created_by = {{{1}}},
	    .approved_by = {{{2}}},
	    .approved = 9,
	    .approval = 10,
	    .reason = STR("because")};
	const struct connector_object *h;

	BEGIN;
	h = again(&c);
	T_EQ_STR(h->slug, c.slug);
	T_EQ_STR(h->name, c.name);
	T_EQ_STR(h->document, c.document);
	T_EQ_STR(h->digest, c.digest);
	T_EQ_INT(h->number, 7);
	T_EQ_INT(h->state, CONNECTOR_REVOKED);
	T_EQ_INT(h->kind, 6);
	T_EQ_STR(h->secret, c.secret);
	T_EQ_INT(h->expires, 8);
	T_EQ_INT(h->editors_n, 2);
	T_EQ_MEM(h->editors, editors, sizeof editors);
	T_EQ_MEM(&h->created_by, &c.created_by, sizeof c.created_by);
	T_EQ_MEM(&h->approved_by, &c.approved_by, sizeof c.approved_by);
	T_EQ_INT(h->approved, 9);
	T_EQ_INT((int64_t)h->approval, 10);
	T_EQ_STR(h->reason, c.reason);
	END;
}

TEST(secrets)
{
	static const struct str runbooks[] = {{"a", 1}, {"b", 1}},
				connectors[] = {{"c", 1}};
	struct secret_object s = {.o = head_of(OBJECT_SECRET, 1, 3),
	    .name = STR("n"),
	    .description = STR("d"),
	    .labels = STR("{}"),
	    .external = STR("{\"path\":\"p\"}"),
	    .runbooks = runbooks,
	    .runbooks_n = 2,
	    .connectors = connectors,
	    .connectors_n = 1,
	    .versions = STR("[]"),
	    .last = 4,
	    .next_end = 5,
	    .created_by = {{{1}}}};
	const struct secret_object *h;

	BEGIN;
	h = again(&s);
	T_EQ_STR(h->name, s.name);
	T_EQ_STR(h->description, s.description);
	T_EQ_STR(h->labels, s.labels);
	T_EQ_STR(h->external, s.external);
	T_EQ_INT(h->runbooks_n, 2);
	T_EQ_STR(h->runbooks[1], runbooks[1]);
	T_EQ_INT(h->connectors_n, 1);
	T_EQ_STR(h->connectors[0], connectors[0]);
	T_EQ_STR(h->versions, s.versions);
	T_EQ_INT(h->last, 4);
	T_EQ_INT(h->next_end, 5);
	T_EQ_MEM(&h->created_by, &s.created_by, sizeof s.created_by);
	END;
}

TEST(delegates)
{
	struct delegate d = {.o = head_of(OBJECT_DELEGATE, 1, 3),
	    .name = STR("d"),
	    .labels = STR("{\"site\":\"fra\"}"),
	    .max_tasks = 7,
	    .state = DELEGATE_REVOKED,
	    .epoch = 8,
	    .created_by = {{{1}}},
	    .issued_by = {{{16}}},
	    .approved_by = {{{2}}},
	    .joined = 3,
	    .approved = 4,
	    .revoked = 5,
	    .join_id = "abcdefghij",
	    .join_verifier = {6},
	    .join_key = 9,
	    .join_expires = 10,
	    .join_used = true,
	    .ed25519 = {11},
	    .x25519 = {12},
	    .cert_until = 15,
	    .version = STR("1"),
	    .host = STR("h"),
	    .doctor = STR("{}")};
	const struct delegate *h;

	BEGIN;
	h = again(&d);
	T_EQ_STR(h->name, d.name);
	T_EQ_STR(h->labels, d.labels);
	T_EQ_INT(h->max_tasks, 7);
	T_EQ_INT(h->state, DELEGATE_REVOKED);
	T_EQ_INT(h->epoch, 8);
	T_EQ_MEM(&h->created_by, &d.created_by, sizeof d.created_by);
	T_EQ_MEM(&h->approved_by, &d.approved_by, sizeof d.approved_by);
	T_EQ_INT(h->joined + h->approved + h->revoked, 12);
	T_EQ_MEM(h->join_id, d.join_id, sizeof d.join_id);
	T_EQ_MEM(h->join_verifier, d.join_verifier, 32);
	T_EQ_INT(h->join_key, 9);
	T_EQ_INT(h->join_expires, 10);
	T_OK(h->join_used);
	T_EQ_MEM(&h->issued_by, &d.issued_by, sizeof d.issued_by);
	T_EQ_MEM(h->ed25519, d.ed25519, 32);
	T_EQ_MEM(h->x25519, d.x25519, 32);
	T_EQ_INT(h->cert_until, 15);
	T_EQ_STR(h->version, d.version);
	T_EQ_STR(h->host, d.host);
	T_EQ_STR(h->doctor, d.doctor);
	END;
}

TEST(broken_glass_and_policy_tests)
{
	struct break_glass g = {.o = head_of(OBJECT_BREAK_GLASS, 1, 3),
	    .user_kind = PRINCIPAL_USER,
	    .user = {{1}},
	    .binding = {{2}},
	    .incident = {{3}},
	    .restricted = true,
	    .role = STR("r"),
	    .reason = STR("because"),
	    .expires = 5,
	    .ended = 6,
	    .reviewed = 7,
	    .reviewer = {{4}},
	    .note = STR("fine")};
	struct binding b = {.o = head_of(OBJECT_BINDING, 1, 3),
	    .role = STR("viewer"),
	    .starts = 9,
	    .group = {{5}},
	    .incident = {{6}},
	    .glass = {{7}}};
	struct policy_tests p = {.o = head_of(OBJECT_POLICY_TESTS, 1, 0),
	    .tests = STR("[{}]")};
	const struct break_glass *h;
	const struct binding *b2;

	BEGIN;
	h = again(&g);
	T_EQ_INT(h->user_kind, g.user_kind);
	T_EQ_MEM(&h->user, &g.user, sizeof g.user);
	T_EQ_MEM(&h->binding, &g.binding, sizeof g.binding);
	T_EQ_MEM(&h->incident, &g.incident, sizeof g.incident);
	T_OK(h->restricted);
	T_EQ_STR(h->role, g.role);
	T_EQ_STR(h->reason, g.reason);
	T_EQ_STR(h->note, g.note);
	T_OK(h->expires == 5 && h->ended == 6 && h->reviewed == 7);
	T_EQ_MEM(&h->reviewer, &g.reviewer, sizeof g.reviewer);
	b2 = again(&b);
	T_OK(b2->starts == 9);
	T_EQ_MEM(&b2->group, &b.group, sizeof b.group);
	T_EQ_MEM(&b2->incident, &b.incident, sizeof b.incident);
	T_EQ_MEM(&b2->glass, &b.glass, sizeof b.glass);
	T_EQ_STR(((const struct policy_tests *)again(&p))->tests, p.tests);
	END;
}

static err
decoded(enum object_kind kind, const char *text, const struct object **ret)
{
	struct object head = head_of(kind, 1, 1);

	return object_decode(&arena, &head, str_c(text), ret);
}

TEST(unknown_members_are_ignored_and_missing_ones_zero)
{
	const struct object *o = NULL;

	BEGIN;
	T_GOOD(decoded(OBJECT_USER,
	    "{\"new\":[{\"x\":1}],\"name\":\"A\","
	    "\"later\":null}",
	    &o));
	T_EQ_STR(((const struct user *)o)->name, STR("A"));
	T_EQ_INT(((const struct user *)o)->email.n, 0);
	T_OK(!((const struct user *)o)->disabled);
	T_GOOD(decoded(OBJECT_ROLE,
	    "{\"name\":\"r\",\"permissions\":["
	    "\"incident.view\",\"page.send\"]}",
	    &o));
	T_OK(permset_has(&((const struct role *)o)->perms, PERM_INCIDENT_VIEW));
	T_OK(permset_within(((const struct role *)o)->perms,
	    set_of(PERM_INCIDENT_VIEW)));
	for (unsigned k = OBJECT_PROJECT; k <= OBJECT_POLICY; k++)
		T_GOOD(decoded((enum object_kind)k, "{}", &o));
	END;
}

TEST(corrupt_text_is_refused)
{
	static const struct {
		enum object_kind kind;
		const char *text;
	} rows[] = {
	    {OBJECT_USER, ""},
	    {OBJECT_USER, "[]"},
	    {OBJECT_USER, "null"},
	    {OBJECT_USER, "{"},
	    {OBJECT_USER,
		"{} "
		"x"},
	    {OBJECT_USER, "{\"name\":\"a\",\"name\":\"b\"}"},
	    {OBJECT_USER, "{\"name\":5}"},
	    {OBJECT_USER, "{\"disabled\":\"no\"}"},
	    {OBJECT_USER, "{\"name\":\"\xff\"}"},
	    {OBJECT_GROUP, "{\"members\":{}}"},
	    {OBJECT_GROUP, "{\"members\":[\"x\"]}"},
	    {OBJECT_GROUP, "{\"members\":[1]}"},
	    {OBJECT_ROLE, "{\"permissions\":\"incident.view\"}"},
	    {OBJECT_ROLE, "{\"permissions\":[7]}"},
	    {OBJECT_BINDING, "{\"subject_kind\":\"martian\"}"},
	    {OBJECT_BINDING, "{\"subject\":\"1\"}"},
	    {OBJECT_BINDING, "{\"expires\":-1}"},
	    {OBJECT_BINDING, "{\"expires\":1.5}"},
	    {OBJECT_TOKEN, "{\"kind\":\"pp\"}"},
	    {OBJECT_TOKEN, "{\"key_id\":\"short\"}"},
	    {OBJECT_TOKEN, "{\"verifier\":\"00\"}"},
	    {OBJECT_TOKEN, "{\"verifier_key\":4294967296}"},
	    {OBJECT_TOKEN, "{\"projects\":[0]}"},
	    {OBJECT_TOKEN, "{\"projects\":[4294967296]}"},
	    {OBJECT_TOKEN, "{\"cidrs\":[4]}"},
	    {OBJECT_TOKEN, "{\"scopes\":{}}"},
	    {OBJECT_INTEGRATION, "{\"default_severity\":256}"},
	    {OBJECT_INTEGRATION, "{\"auth\":{\"kind\":\"bearer\"}}"},
	    {OBJECT_IDENTITY, "{\"key\":\"00\"}"},
	    {OBJECT_CREDENTIAL, "{\"kind\":256}"},
	    {OBJECT_SESSION, "{\"key\":1}"},
	    {OBJECT_SESSION, "{\"auth_time\":-1}"},
	    {OBJECT_POLICY, "{\"ip_allow\":\"::1\"}"},
	    {OBJECT_POLICY, "{\"ip_allow\":[1]}"},
	    {OBJECT_POLICY, "{\"review_days\":-1}"},
	    {(enum object_kind)0, "{}"},
	    {(enum object_kind)99, "{}"},
	};
	const struct object *o = NULL;

	BEGIN;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!err_is(decoded(rows[i].kind, rows[i].text, &o), E_CORRUPT))
			T_FAIL("row %zu: %s", i, rows[i].text);
	T_OK(o == NULL);
	END;
}

TEST(too_little_memory_is_said)
{
	struct object head = head_of(OBJECT_USER, 1, 0);
	const struct object *o = NULL;
	struct arena tiny;

	for (size_t max = 0; max < 512; max += 16) {
		err e;

		arena_init(&tiny, max);
		e = object_decode(&tiny, &head, STR("{\"name\":\"a\"}"), &o);
		T_OK(err_ok(e) || err_is(e, E_NO_MEMORY));
		if (max < 64)
			T_ERR(e, E_NO_MEMORY);
		arena_done(&tiny);
	}
}

T_MAIN
