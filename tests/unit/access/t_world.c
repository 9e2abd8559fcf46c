#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/limits.h"
#include "base/mem.h"
#include "tests/unit/access/help.h"

static struct world *
small(void)
{
	struct world_builder *b = fresh();
	struct uuid ann, bot;

	put_project(b, 1, "alpha");
	put_project(b, 2, "beta");
	ann = put_user(b, 1, "Ann@Example.org", false);
	put_user(b, 2, "bob@example.org", true);
	bot = put_account(b, 1, "bot", false);
	put_group(b, 1, "sre", (struct uuid[]){ann, bot, ann}, 3);
	put_group(b, 2, "all", (struct uuid[]){ann}, 1);
	put_role(b, 1, "custom", set_of(PERM_AUDIT_VIEW));
	put_binding(b, 1, PRINCIPAL_USER, ann, "viewer", 0, 0);
	put_binding(b, 2, PRINCIPAL_USER, ann, "custom", 2, 0);
	put_integration(b, 1, 1, false);
	put(b,
	    &(struct token[]){
		token_of(1, 'p', PRINCIPAL_USER, ann, permset_all())}[0]);
	return done(b);
}

TEST(lookups)
{
	struct world *w = small();
	struct uuid ann = id_of(OBJECT_USER, 1), nobody = {{9}};
	const struct token *t;

	T_EQ_INT(world_project(w, 2)->o.project, 2);
	T_OK(world_project(w, 3) == NULL);
	T_OK(world_project(w, 0) == NULL);
	T_EQ_INT(world_project_slug(w, STR("alpha"))->o.project, 1);
	T_OK(world_project_slug(w, STR("alph")) == NULL);
	T_OK(world_project_slug(w, STR("")) == NULL);
	T_EQ_STR(world_project_id(w,
		     &(struct uuid[]){id_of(OBJECT_PROJECT, 2)}[0])
		     ->slug,
	    STR("beta"));
	T_EQ_STR(world_user(w, &ann)->email, STR("Ann@Example.org"));
	T_OK(world_user(w, &nobody) == NULL);
	T_OK(
	    world_user_email(w, STR("ann@example.ORG")) == world_user(w, &ann));
	T_OK(world_user_email(w, STR("ann@example.or")) == NULL);
	T_OK(world_service_account(w, &ann) == NULL);
	T_EQ_STR(world_role(w, STR("custom"))->name, STR("custom"));
	T_OK(world_role(w, STR("viewer")) == NULL);
	t = world_token_key(w, "key0000001");
	T_REQUIRE(t != NULL);
	T_OK(world_token(w, &t->o.id) == t);
	T_OK(world_token_key(w, "key0000002") == NULL);
	T_OK(world_unref(w) == NULL);
}

TEST(copies_are_deep)
{
	char slug[] = "alpha", cidr[] = "10.0.0.0/8";
	struct project p = {
	    .o = head_of(OBJECT_PROJECT, 1, 1),
	    .slug = str_c(slug),
	};
	uint32_t numbers[] = {7, 8};
	struct str cidrs[] = {str_c(cidr), STR("::1")};
	struct token t = token_of(1, 's', PRINCIPAL_SERVICE_ACCOUNT,
	    (struct uuid){{1}}, permset_all());
	struct world_builder *b = fresh();
	const struct token *u;
	struct world *w;

	t.projects = numbers;
	t.projects_n = 2;
	t.cidrs = cidrs;
	t.cidrs_n = 2;
	put(b, &p);
	put(b, &t);
	memset(slug, 'x', sizeof slug);
	memset(cidr, 'x', sizeof cidr);
	memset(numbers, 0, sizeof numbers);
	memset(cidrs, 0, sizeof cidrs);
	w = done(b);
	T_EQ_STR(world_project(w, 1)->slug, STR("alpha"));
	u = world_token(w, &t.o.id);
	T_EQ_INT(u->projects[0], 7);
	T_EQ_INT(u->projects[1], 8);
	T_EQ_STR(u->cidrs[0], STR("10.0.0.0/8"));
	T_EQ_STR(u->cidrs[1], STR("::1"));
	world_unref(w);
}

TEST(groups_and_bindings_of)
{
	struct world *w = small();
	struct uuid ann = id_of(OBJECT_USER, 1), bob = id_of(OBJECT_USER, 2);
	const struct binding *const *b;
	const struct group *const *g;
	size_t n;

	g = world_groups_of(w, &ann, &n);
	T_EQ_INT(n, 2); /* once in sre, though named twice */
	T_EQ_STR(g[0]->name, STR("sre"));
	T_EQ_STR(g[1]->name, STR("all"));
	world_groups_of(w, &bob, &n);
	T_EQ_INT(n, 0);
	b = world_bindings_of(w, &ann, &n);
	T_EQ_INT(n, 2);
	T_EQ_STR(b[0]->role, STR("viewer"));
	T_EQ_STR(b[1]->role, STR("custom"));
	world_bindings_of(w, &bob, &n);
	T_EQ_INT(n, 0);
	world_unref(w);
}

TEST(names_and_life)
{
	struct world *w = small();
	struct uuid ann = id_of(OBJECT_USER, 1), bob = id_of(OBJECT_USER, 2);
	struct uuid bot = id_of(OBJECT_SERVICE_ACCOUNT, 1);
	struct uuid hook = id_of(OBJECT_INTEGRATION, 1), nobody = {{9}};

	T_OK(world_principal_live(w, PRINCIPAL_USER, &ann));
	T_OK(!world_principal_live(w, PRINCIPAL_USER, &bob));
	T_OK(!world_principal_live(w, PRINCIPAL_USER, &bot));
	T_OK(!world_principal_live(w, PRINCIPAL_USER, &nobody));
	T_OK(world_principal_live(w, PRINCIPAL_SERVICE_ACCOUNT, &bot));
	T_OK(world_principal_live(w, PRINCIPAL_INTEGRATION, &hook));
	T_OK(world_principal_live(w, PRINCIPAL_SYSTEM, &nobody));
	T_OK(!world_principal_live(w, PRINCIPAL_ANONYMOUS, &ann));
	T_OK(!world_principal_live(w, (enum principal_kind)0, &ann));
	T_EQ_STR(world_principal_name(w, PRINCIPAL_USER, &ann),
	    STR("Ann@Example.org"));
	T_EQ_STR(world_principal_name(w, PRINCIPAL_SERVICE_ACCOUNT, &bot),
	    STR("bot"));
	T_EQ_STR(world_principal_name(w, PRINCIPAL_INTEGRATION, &hook),
	    STR("hook"));
	T_EQ_STR(world_principal_name(w, PRINCIPAL_USER, &nobody), STR(""));
	world_unref(w);
}

TEST(roles_of_a_world)
{
	struct world *w = small();
	struct permset s = {{0, 0}};

	T_OK(world_role_perms(w, STR("viewer"), &s));
	T_OK(permset_has(&s, PERM_INCIDENT_VIEW));
	T_OK(world_role_perms(w, STR("custom"), &s));
	T_OK(permset_has(&s, PERM_AUDIT_VIEW));
	T_OK(!permset_has(&s, PERM_INCIDENT_VIEW));
	T_OK(!world_role_perms(w, STR("nothing"), &s));
	T_OK(!world_role_perms(w, STR(""), &s));
	world_unref(w);
}

TEST(replace_and_remove_leave_the_old_world_alone)
{
	struct world *one = small(), *two;
	struct world_builder *b = from(one);
	struct uuid ann = id_of(OBJECT_USER, 1), bob = id_of(OBJECT_USER, 2);
	struct uuid group = id_of(OBJECT_GROUP, 1);
	struct user u = {
	    .o = head_of(OBJECT_USER, 1, 0),
	    .email = STR("ann@new.org"),
	    .name = STR("Ann"),
	};
	size_t n;

	put(b, &u);
	world_builder_remove(b, OBJECT_USER, &bob);
	world_builder_remove(b, OBJECT_GROUP, &group);
	world_builder_remove(b, OBJECT_GROUP, &ann); /* no such group */
	two = done(b);
	T_OK(world_version(two) > world_version(one));

	T_EQ_STR(world_user(two, &ann)->email, STR("ann@new.org"));
	T_OK(world_user_email(two, STR("ann@new.org")) != NULL);
	T_OK(world_user_email(two, STR("ann@example.org")) == NULL);
	T_OK(world_user(two, &bob) == NULL);
	T_OK(world_user_email(two, STR("bob@example.org")) == NULL);
	world_groups_of(two, &ann, &n);
	T_EQ_INT(n, 1);
	world_objects(two, OBJECT_USER, &n);
	T_EQ_INT(n, 1);
	T_EQ_STR(world_principal_name(two, PRINCIPAL_USER, &ann), STR("Ann"));

	T_EQ_STR(world_user(one, &ann)->email, STR("Ann@Example.org"));
	T_OK(world_user(one, &bob) != NULL);
	world_groups_of(one, &ann, &n);
	T_EQ_INT(n, 2);
	world_unref(one);
	T_EQ_STR(world_user(two, &ann)->email, STR("ann@new.org"));
	world_unref(two);
}

TEST(the_last_change_to_an_object_wins)
{
	struct world_builder *b = fresh();
	struct uuid ann = put_user(b, 1, "a@x", false);
	struct uuid bob = put_user(b, 2, "b@x", false);
	struct world *w;

	put_user(b, 1, "a2@x", false);
	world_builder_remove(b, OBJECT_USER, &bob);
	put_user(b, 2, "b2@x", false);
	put_user(b, 3, "c@x", false);
	world_builder_remove(b, OBJECT_USER,
	    &(struct uuid[]){id_of(OBJECT_USER, 3)}[0]);
	w = done(b);
	T_EQ_STR(world_user(w, &ann)->email, STR("a2@x"));
	T_EQ_STR(world_user(w, &bob)->email, STR("b2@x"));
	T_OK(world_user_email(w, STR("c@x")) == NULL);
	T_OK(world_user_email(w, STR("a@x")) == NULL);
	world_unref(w);
}

TEST(a_name_may_move_between_objects_in_one_build)
{
	struct world *w = small();
	struct world_builder *b = from(w);

	put_project(b, 1, "beta");
	put_project(b, 2, "alpha");
	world_unref(w);
	w = done(b);
	T_EQ_INT(world_project_slug(w, STR("beta"))->o.project, 1);
	T_EQ_INT(world_project_slug(w, STR("alpha"))->o.project, 2);
	world_unref(w);
}

static err
outcome(struct world_builder *b)
{
	struct world *w = NULL;
	err e = world_builder_done(b, &w);

	world_unref(w);
	return e;
}

TEST(contradictions_are_refused)
{
	struct world *w = small();
	struct world_builder *b = from(w);
	struct token t =
	    token_of(1, 'p', PRINCIPAL_USER, (struct uuid){{1}}, permset_all());
	struct project p = {
	    .o = head_of(OBJECT_PROJECT, 9, 1),
	    .slug = STR("other"),
	};

	t.o.id.b[5] = 1; /* another token, the same key id */
	put(b, &t);
	T_ERR(outcome(b), E_CORRUPT);
	put_project(b = from(w), 9, "alpha");
	T_ERR(outcome(b), E_CORRUPT);
	put(b = from(w), &p); /* another project, the same number */
	T_ERR(outcome(b), E_CORRUPT);
	put_user(b = from(w), 9, "BOB@example.org", false);
	T_ERR(outcome(b), E_CORRUPT);
	put_role(b = from(w), 9, "custom", permset_all());
	T_ERR(outcome(b), E_CORRUPT);
	put_role(b = from(w), 9, "org_admin", permset_all());
	T_ERR(outcome(b), E_CORRUPT);
	put_user(b = from(w), 9, "", false); /* no address: no twin */
	put_user(b, 10, "", false);
	T_GOOD(outcome(b));
	world_unref(w);
}

TEST(impossible_objects_are_refused)
{
	struct world_builder *b = fresh();
	struct token t =
	    token_of(1, 'p', PRINCIPAL_USER, (struct uuid){{1}}, permset_all());
	struct object o = head_of((enum object_kind)0, 1, 0);
	struct project p = {.o = head_of(OBJECT_PROJECT, 1, 0),
	    .slug = STR("x")};
	static const struct principal_id many[LIM_GROUP_MEMBERS + 1];
	struct group g = {.o = head_of(OBJECT_GROUP, 1, 0),
	    .members = many,
	    .members_n = LIM_GROUP_MEMBERS + 1};

	T_ERR(world_builder_put(b, &o), E_CORRUPT);
	o.kind = (enum object_kind)99;
	T_ERR(world_builder_put(b, &o), E_CORRUPT);
	T_ERR(world_builder_put(b, &p.o), E_CORRUPT); /* no number */
	t.key_id[3] = '\0';
	T_ERR(world_builder_put(b, &t.o), E_CORRUPT);
	t = token_of(1, 'p', PRINCIPAL_USER, (struct uuid){{1}}, permset_all());
	t.expires = 0;
	T_ERR(world_builder_put(b, &t.o), E_CORRUPT);
	T_ERR(world_builder_put(b, &g.o), E_LIMIT);
	g.members_n--;
	T_GOOD(world_builder_put(b, &g.o));
	T_OK(world_builder_free(b) == NULL);
}

TEST(limits_at_n_and_n_plus_one)
{
	struct world_builder *b = fresh();
	char name[32];
	struct world *w;

	for (uint32_t i = 0; i < LIM_ROLES; i++) {
		snprintf(name, sizeof name, "r%u", i);
		put_role(b, i, name, permset_all());
	}
	w = done(b);
	put_role(b = from(w), LIM_ROLES, "one too many", permset_all());
	T_ERR(outcome(b), E_LIMIT);
	world_unref(w);

	b = fresh(); /* users and service accounts count together */
	for (uint32_t i = 0; i < LIM_PRINCIPALS / 2; i++) {
		put_user(b, i, "", false);
		put_account(b, i, "x", false);
	}
	w = done(b);
	put_account(b = from(w), LIM_PRINCIPALS, "x", false);
	T_ERR(outcome(b), E_LIMIT);
	world_unref(w);
}

static struct session
session_of(uint32_t n, struct uuid user)
{
	struct session s = {.o = head_of(OBJECT_SESSION, n, 0),
	    .user = user,
	    .expires = NOW,
	    .method = STR("saml")};

	memcpy(s.key, &n, sizeof n);
	s.key[31] = 1;
	return s;
}

static struct identity
identity_of(uint32_t n, struct uuid user)
{
	struct identity i = {.o = head_of(OBJECT_IDENTITY, n, 0), .user = user};

	memcpy(i.key + 20, &n, sizeof n); /* alike in what is hashed */
	return i;
}

TEST(who_has_logged_in)
{
	struct uuid ann = {{1}}, bob = {{2}};
	struct session s = session_of(1, ann), t = session_of(2, ann);
	struct identity i = identity_of(1, ann), j = identity_of(2, bob);
	struct credential c = {.o = head_of(OBJECT_CREDENTIAL, 1, 0),
	    .user = bob,
	    .kind = CREDENTIAL_TOTP};
	struct idp p = {.o = head_of(OBJECT_IDP, 1, 0),
	    .name = STR("corp"),
	    .kind = STR("saml")};
	struct world_builder *b = fresh();
	struct world *w;
	size_t n;

	put(b, &t);
	put(b, &s);
	put(b, &i);
	put(b, &j);
	put(b, &c);
	put(b, &p);
	w = done(b);
	T_OK(uuid_eq(&world_session_key(w, s.key)->o.id, &s.o.id));
	T_OK(world_session_key(w, i.key) == NULL);
	T_OK(world_session(w, &s.o.id) != NULL);
	T_OK(uuid_eq(&world_identity_key(w, i.key)->user, &ann));
	T_OK(uuid_eq(&world_identity_key(w, j.key)->user, &bob));
	T_OK(world_identity(w, &j.o.id) != NULL);
	T_OK(world_idp(w, &p.o.id) == world_idp_name(w, STR("corp")));
	T_OK(world_idp_name(w, STR("cor")) == NULL);
	T_OK(uuid_eq(&world_sessions_of(w, &ann, &n)[0]->o.id, &s.o.id));
	T_EQ_INT(n, 2);
	world_sessions_of(w, &bob, &n);
	T_EQ_INT(n, 0);
	T_OK(world_identities_of(w, &bob, &n)[0]->key[20] == 2);
	T_EQ_INT(n, 1);
	T_OK(world_credentials_of(w, &bob, &n)[0]->kind == CREDENTIAL_TOTP);
	T_OK(world_credential(w, &c.o.id) != NULL);
	b = from(w);
	world_builder_remove(b, OBJECT_SESSION, &s.o.id);
	world_unref(w);
	w = done(b);
	T_OK(world_session_key(w, s.key) == NULL);
	T_OK(world_session_key(w, t.key) != NULL);
	j = identity_of(3, bob); /* another, the same key */
	memcpy(j.key, i.key, sizeof j.key);
	put(b = from(w), &j);
	T_ERR(outcome(b), E_CORRUPT);
	p.o.id.b[9] = 1; /* another, the same name */
	put(b = from(w), &p);
	T_ERR(outcome(b), E_CORRUPT);
	world_unref(w);
}

TEST(one_policy_or_what_holds_by_default)
{
	static const struct str from_here[] = {{"10.0.0.0/8", 10}};
	struct policy p = {.o = head_of(OBJECT_POLICY, 1, 0),
	    .ip_allow = from_here,
	    .ip_allow_n = 1,
	    .review_days = 7};
	struct world_builder *b;
	struct world *w = done(fresh());

	T_OK(world_policy(w)->local_login && !world_policy(w)->sso_only);
	T_EQ_INT(world_policy(w)->token_max_days, LIM_TOKEN_DAYS);
	T_EQ_INT(world_policy(w)->session_idle_minutes, 480);
	T_EQ_INT(world_policy(w)->session_absolute_hours, 24);
	T_EQ_INT(world_policy(w)->step_up_minutes, 15);
	put(b = from(w), &p);
	world_unref(w);
	w = done(b);
	T_EQ_INT(world_policy(w)->review_days, 7);
	T_EQ_STR(world_policy(w)->ip_allow[0], from_here[0]);
	T_OK(world_policy(w)->ip_allow[0].p != from_here[0].p);
	p.o.id.b[9] = 1;
	put(b = from(w), &p);
	T_ERR(outcome(b), E_LIMIT);
	world_unref(w);
}

TEST(sessions_at_n_and_n_plus_one)
{
	struct world_builder *b = fresh();
	struct uuid ann = {{1}};
	struct session s;
	struct world *w;

	for (uint32_t i = 0; i < LIM_SESSIONS; i++) {
		s = session_of(i, ann);
		put(b, &s);
	}
	w = done(b);
	s = session_of(LIM_SESSIONS, ann);
	put(b = from(w), &s);
	T_ERR(outcome(b), E_LIMIT);
	world_unref(w);
}

TEST(an_empty_world_answers)
{
	struct world *w = done(fresh());
	struct uuid u = {{1}};
	size_t n = 5;

	T_OK(world_project(w, 1) == NULL);
	T_OK(world_project_slug(w, STR("x")) == NULL);
	T_OK(world_user_email(w, STR("x")) == NULL);
	T_OK(world_token_key(w, "0123456789") == NULL);
	T_OK(world_session_key(w, (const uint8_t[DIGEST_SIZE]){0}) == NULL);
	T_OK(world_idp_name(w, STR("x")) == NULL);
	world_groups_of(w, &u, &n);
	T_EQ_INT(n, 0);
	n = 5;
	T_OK(world_objects(w, OBJECT_TOKEN, &n) != NULL);
	T_EQ_INT(n, 0);
	n = 5;
	world_objects(w, (enum object_kind)77, &n);
	T_EQ_INT(n, 0);
	world_unref(w);
}

TEST(objects_are_in_order_of_id)
{
	struct world_builder *b = fresh();
	const struct object *const *o;
	uint64_t seed = 1;
	struct world *w;
	size_t n;

	for (int i = 0; i < 500; i++)
		put_user(b, rnd_below(&seed, 100000), "", false);
	w = done(b);
	b = from(w);
	for (int i = 0; i < 500; i++)
		put_user(b, rnd_below(&seed, 100000), "", false);
	world_unref(w);
	w = done(b);
	o = world_objects(w, OBJECT_USER, &n);
	T_OK(n > 900);
	for (size_t i = 1; i < n; i++)
		T_OK(memcmp(&o[i - 1]->id, &o[i]->id, 16) < 0);
	for (size_t i = 0; i < n; i++)
		T_OK((const struct object *)world_user(w, &o[i]->id) == o[i]);
	world_unref(w);
}

/* Many random changes against a plain array. */
TEST(random_changes_against_a_model)
{
	enum { IDS = 64, ROUNDS = 300 };
	bool there[IDS] = {false};
	uint32_t mail[IDS] = {0};
	struct world *w = done(fresh());
	uint64_t seed = 7;
	char text[32];

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct world_builder *b = from(w);

		for (unsigned k = rnd_below(&seed, 6); k > 0; k--) {
			uint32_t i = rnd_below(&seed, IDS);
			struct uuid id = id_of(OBJECT_USER, i);

			there[i] = rnd_below(&seed, 3) != 0;
			mail[i] = round * 10 + k;
			snprintf(text, sizeof text, "u%u@x", mail[i]);
			if (there[i])
				put_user(b, i, text, false);
			else
				world_builder_remove(b, OBJECT_USER, &id);
		}
		world_unref(w);
		w = done(b);
		for (uint32_t i = 0; i < IDS; i++) {
			struct uuid id = id_of(OBJECT_USER, i);
			const struct user *u = world_user(w, &id);

			snprintf(text, sizeof text, "u%u@x", mail[i]);
			T_EQ_INT(u != NULL, there[i]);
			if (u != NULL && there[i]) {
				T_EQ_STR(u->email, str_c(text));
				T_OK(world_user_email(w, u->email) == u);
			}
		}
	}
	world_unref(w);
}

/* Readers hold worlds while a writer replaces them; run it with V=tsan. */
static struct {
	pthread_mutex_t lock;
	struct world *world;
	atomic_bool stop;
} shared;

static void *
reader(void *arg)
{
	struct uuid id = id_of(OBJECT_USER, 1);
	size_t *seen = arg;

	do {
		struct world *w;
		size_t n;

		pthread_mutex_lock(&shared.lock);
		w = world_ref(shared.world);
		pthread_mutex_unlock(&shared.lock);
		*seen += world_user(w, &id) != NULL;
		world_groups_of(w, &id, &n);
		*seen += n;
		world_unref(w);
	} while (!atomic_load(&shared.stop));
	return NULL;
}

TEST(worlds_are_shared_between_threads)
{
	pthread_t t[3];
	size_t seen[3] = {0};

	pthread_mutex_init(&shared.lock, NULL);
	atomic_store(&shared.stop, false);
	shared.world = small();
	for (size_t i = 0; i < 3; i++)
		T_REQUIRE(pthread_create(&t[i], NULL, reader, &seen[i]) == 0);
	for (uint32_t i = 0; i < 400; i++) {
		struct world_builder *b = from(shared.world);
		struct world *w, *old;

		put_user(b, 100 + i % 7, "", false);
		put_group(b, 3, "g", (struct uuid[]){id_of(OBJECT_USER, 1)}, 1);
		w = done(b);
		pthread_mutex_lock(&shared.lock);
		old = shared.world;
		shared.world = w;
		pthread_mutex_unlock(&shared.lock);
		world_unref(old);
	}
	atomic_store(&shared.stop, true);
	for (size_t i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	T_OK(seen[0] + seen[1] + seen[2] > 0);
	world_unref(shared.world);
}

static double
ms_since(const struct timespec *from_time)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)(t.tv_sec - from_time->tv_sec) * 1e3 +
	    (double)(t.tv_nsec - from_time->tv_nsec) / 1e6;
}

static struct uuid
scattered(uint64_t *seed)
{
	uint64_t a = rnd(seed), b = rnd(seed);
	struct uuid u;

	memcpy(u.b, &a, 8);
	memcpy(u.b + 8, &b, 8);
	return u;
}

/* The bar: 50 ms of this thread, whatever else the machine does, to change a
 * world of 20,000 principals and as many tokens.  Sanitizers slow it down, so
 * only release builds are held to it. */
TEST(rebuild_is_fast)
{
	struct world_builder *b = fresh();
	struct uuid last = {{0}};
	struct timespec t0;
	uint64_t seed = 3;
	struct world *w, *w2;
	double built, worst = 0;
	char text[64];

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t0);
	for (uint32_t i = 0; i < LIM_PRINCIPALS; i++) {
		struct user u = {.o = head_of(OBJECT_USER, i, 0)};
		struct token t;

		snprintf(text, sizeof text, "user%llx@example.org",
		    (unsigned long long)rnd(&seed));
		u.o.id = last = scattered(&seed);
		u.email = str_c(text);
		put(b, &u);
		t = token_of(i, 'p', PRINCIPAL_USER, last, permset_all());
		t.o.id = scattered(&seed);
		put(b, &t);
	}
	w = done(b);
	built = ms_since(&t0);
	for (int i = 0; i < 20; i++) {
		struct token t = token_of(900000 + (uint32_t)i, 'p',
		    PRINCIPAL_USER, last, permset_all());
		struct user u = {.o = head_of(OBJECT_USER, 1, 0)};
		double took;

		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t0);
		b = from(w);
		put(b, &t);
		u.o.id = last;
		put(b, &u);
		w2 = done(b);
		world_unref(w);
		w = w2;
		took = ms_since(&t0);
		worst = took > worst ? took : worst;
	}
	printf("# built in %.1f ms, changed in at most %.2f ms\n", built,
	    worst);
#ifndef REDOUBT_SANITIZED
	T_OK(worst < 50);
#endif
	world_unref(w);
}

T_MAIN
