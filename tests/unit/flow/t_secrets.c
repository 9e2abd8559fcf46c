/*
 * t_secrets.c: what a task gets of secrets and connectors: the box for its
 * delegate and nothing else, for those who may, as long as a version lives;
 * a connector that is approved, has its credential and has not expired.
 */
#include "flow/connector_care.h"
#include "flow/secret_care.h"
#include "store/secret.h"
#include "tests/unit/flow/office.h"

enum { HOUR = 3600000 };

static const struct uuid one = {{0xd1}}, two = {{0xd2}}, run_id = {{0xaa}};

/* ---- work on the writer's thread ---- */

struct job {
	struct office *o;
	int64_t now;
	struct secret_object s;
	struct connector_object c;
	struct policy policy;
	const char *text, *ref;
	struct secret_user by;
	const struct uuid *delegate;
	struct secret_use use;
	struct connector_use conn;
	struct trail t;
	uint32_t key, keys;
	err (*fn)(struct lane *l, struct job *j);
};

static err
on_writer(struct lane *l, void *arg)
{
	struct job *j = arg;

	return j->fn(l, j);
}

static err
doing(struct job *j, err (*fn)(struct lane *l, struct job *j))
{
	j->fn = fn;
	j->t = (struct trail){{0}};
	return writer_do(j->o->w, on_writer, j);
}

/* The next version of j->s, with j->text. */
static err
add(struct lane *l, struct job *j)
{
	struct arena *a = &j->o->a;
	struct secret_version *v, *all;
	size_t n;

	TRY(secret_versions(a, &j->s, &v, &n));
	all = arena_array(a, n + 1, sizeof *all);
	TRY(arena_check(a));
	for (size_t i = 0; i < n; i++) {
		all[i + 1] = v[i];
		if (v[i].until == 0)
			all[i + 1].until = j->now + HOUR;
	}
	all[0] = (struct secret_version){.number = ++j->s.last,
	    .at = j->now,
	    .by = one,
	    .to = &one,
	    .to_n = 1};
	TRY(secret_seal(l, &j->s, str_c(j->text), a, &all[0].key));
	j->key = all[0].key;
	TRY(secret_versions_put(a, all, n + 1, &j->s));
	return lane_put(l, a, &j->s.o);
}

static err
put(struct lane *l, struct job *j)
{
	return lane_put(l, &j->o->a, &j->s.o);
}

static err
get(struct lane *l, struct job *j)
{
	return secret_boxes(l, 1, str_c(j->ref), &j->by, j->delegate, j->now,
	    &j->o->a, &j->t, &j->use);
}

static err
used(struct lane *l, struct job *j)
{
	return secret_used(l, &j->use, 1, &run_id, &one, j->now, &j->o->a);
}

static err
refers(struct lane *l, struct job *j)
{
	return secret_refers(l->snap->world, 1, str_c(j->ref), &j->by, &j->t);
}

static err
tend(struct lane *l, struct job *j)
{
	if (!secrets_due(l, j->now))
		return err_of(E_NOT_FOUND);
	return secrets_tend(l, &j->now);
}

/* Is the version of that key there, and what seals it? */
static err
look(struct lane *l, struct job *j)
{
	const struct data_key *k;
	struct secret_row row;

	TRY(store_secret_get(l->conn, j->keys, &j->o->a, &row));
	return keyring_get(l->ring, j->keys, &k);
}

static err
key_only(struct lane *l, struct job *j)
{
	const struct data_key *k;

	return keyring_get(l->ring, j->keys, &k);
}

static void
ready(struct job *j, struct office *o)
{
	office_open(o);
	*j = (struct job){.o = o,
	    .now = o->now,
	    .s = {.o = office_head(o, OBJECT_SECRET, 1),
		.name = STR("tok"),
		.labels = STR("{\"labels\":{\"site\":\"fra\"}}")},
	    .delegate = &one,
	    .by = {.runbook = STR("fix")}};
}

static const char
    first[] = "{\"data\":\"QUFB\",\"boxes\":[{\"delegate\":"
	      "\"d1000000-0000-0000-0000-000000000000\",\"box\":\"Qk9Y\"}]}",
    second[] = "{\"data\":\"QkJC\",\"boxes\":[{\"delegate\":"
	       "\"d1000000-0000-0000-0000-000000000000\",\"box\":\"Qk9Z\"}]}";

TEST(its_delegate_gets_its_box)
{
	struct office o;
	struct job j;

	ready(&j, &o);
	j.text = first;
	T_GOOD(doing(&j, add));
	j.ref = "tok";
	T_GOOD(doing(&j, get));
	T_EQ_STR(j.use.data, STR("QUFB"));
	T_EQ_STR(j.use.box, STR("Qk9Y"));
	T_EQ_STR(j.use.name, STR("tok"));
	T_EQ_INT(j.use.version, 1);
	T_EQ_INT(j.use.external.n, 0);
	j.delegate = &two;
	T_ERR(doing(&j, get), E_SECRET);
	T_OK(strstr(j.t.detail, "not sealed to that delegate") != NULL);
	j.delegate = &one;
	for (size_t i = 0; i < 7; i++) {
		static const char *const bad[] = {"", "tok2", "tok@2", "tok@0",
		    "tok@x", "@1", "tok@1@1"};

		j.ref = bad[i];
		T_ERR(doing(&j, get), E_NOT_FOUND);
	}
	j.ref = "tok@1";
	T_GOOD(doing(&j, get));
	T_GOOD(doing(&j, used));
	office_close(&o);
}

TEST(lists_of_who_may)
{
	static const struct str runbooks[] = {{"fix", 3}},
				connectors[] = {{"jira", 4}};
	static const struct {
		bool runbooks, connectors;
		const char *runbook, *connector;
		bool want;
	} row[] = {
	    {false, false, "fix", "", true},
	    {false, false, "any", "any", true},
	    {true, false, "fix", "", true},
	    {true, false, "other", "", false},
	    {true, false, "fix", "jira", false},
	    {false, true, "fix", "", false},
	    {false, true, "other", "jira", true},
	    {false, true, "fix", "other", false},
	    {true, true, "fix", "", true},
	    {true, true, "other", "jira", true},
	    {true, true, "other", "other", false},
	};
	struct office o;
	struct job j;

	ready(&j, &o);
	j.text = first;
	T_GOOD(doing(&j, add));
	j.ref = "tok";
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		j.s.runbooks = row[i].runbooks ? runbooks : NULL;
		j.s.runbooks_n = row[i].runbooks;
		j.s.connectors = row[i].connectors ? connectors : NULL;
		j.s.connectors_n = row[i].connectors;
		T_GOOD(doing(&j, put));
		j.by = (struct secret_user){str_c(row[i].runbook),
		    str_c(row[i].connector)};
		if (row[i].want) {
			T_GOOD(doing(&j, get));
			T_GOOD(doing(&j, refers));
		} else {
			T_ERR(doing(&j, get), E_SECRET);
			T_ERR(doing(&j, refers), E_SECRET);
		}
	}
	office_close(&o);
}

TEST(an_overlap_ends_and_destroys)
{
	uint32_t old;
	struct office o;
	struct job j;

	ready(&j, &o);
	j.text = first;
	T_GOOD(doing(&j, add));
	old = j.keys = j.key;
	T_ERR(doing(&j, tend), E_NOT_FOUND);
	j.text = second;
	T_GOOD(doing(&j, add));
	j.ref = "tok";
	T_GOOD(doing(&j, get));
	T_EQ_INT(j.use.version, 2);
	j.ref = "tok@1";
	T_GOOD(doing(&j, get));
	T_EQ_STR(j.use.box, STR("Qk9Y"));
	j.now += HOUR - 1;
	T_GOOD(doing(&j, get));
	T_ERR(doing(&j, tend), E_NOT_FOUND);
	j.now += 1;
	T_ERR(doing(&j, get), E_NOT_FOUND); /* over, also before it is gone */
	T_GOOD(doing(&j, look));
	T_GOOD(doing(&j, tend));
	T_ERR(doing(&j, look), E_NOT_FOUND);
	T_ERR(doing(&j, key_only), E_NOT_FOUND);
	j.ref = "tok";
	T_GOOD(doing(&j, get));
	T_EQ_STR(j.use.box, STR("Qk9Z"));
	T_OK(old != j.key);
	T_ERR(doing(&j, tend), E_NOT_FOUND);
	office_close(&o);
}

/* ---- connectors ---- */

static err
put_connector(struct lane *l, struct job *j)
{
	return lane_put(l, &j->o->a, &j->c.o);
}

static err
put_policy(struct lane *l, struct job *j)
{
	return lane_put(l, &j->o->a, &j->policy.o);
}

static err
use_connector(struct lane *l, struct job *j)
{
	return connector_usable(l->snap->world, 1, STR("jira"), j->now, &j->t,
	    &j->conn);
}

static void
connector(struct job *j)
{
	j->c = (struct connector_object){.o = office_head(j->o,
					     OBJECT_CONNECTOR, 1),
	    .slug = STR("jira"),
	    .name = STR("Jira"),
	    .document = STR("{\"slug\":\"jira\"}"),
	    .digest = STR("0123456789abcdef0123456789abcdef"
			  "0123456789abcdef0123456789abcdef"),
	    .number = 3,
	    .state = CONNECTOR_APPROVED,
	    .kind = CONNECTOR_JIRA,
	    .secret = STR("tok"),
	    .expires = j->now + HOUR,
	    .approval = 77};
	T_GOOD(doing(j, put_connector));
}

TEST(a_connector_is_used_while_all_holds)
{
	struct office o;
	struct job j;

	ready(&j, &o);
	connector(&j);
	T_ERR(doing(&j, use_connector), E_CONNECTOR); /* no secret */
	j.text = first;
	T_GOOD(doing(&j, add));
	T_GOOD(doing(&j, use_connector));
	T_EQ_INT((int)j.conn.approval, 77);
	T_EQ_STR(str_c(j.conn.digest), j.c.digest);
	T_EQ_STR(j.conn.document, j.c.document);
	for (int s = 0; s < CONNECTOR_STATES; s++) {
		j.c.state = (enum connector_state)s;
		T_GOOD(doing(&j, put_connector));
		if (s == CONNECTOR_APPROVED)
			T_GOOD(doing(&j, use_connector));
		else
			T_ERR(doing(&j, use_connector), E_CONNECTOR);
	}
	j.c.state = CONNECTOR_APPROVED;
	T_GOOD(doing(&j, put_connector));
	j.now += HOUR - 1;
	T_GOOD(doing(&j, use_connector));
	j.now += 1;
	T_ERR(doing(&j, use_connector), E_CONNECTOR);
	T_OK(strstr(j.t.detail, "expired") != NULL);
	office_close(&o);
}

TEST(reaching_people_is_the_policys)
{
	struct office o;
	struct job j;

	ready(&j, &o);
	connector(&j);
	j.text = first;
	T_GOOD(doing(&j, add));
	j.c.kind = CONNECTOR_CHAT;
	T_GOOD(doing(&j, put_connector));
	T_ERR(doing(&j, use_connector), E_CONNECTOR);
	j.policy = (struct policy){.o = office_head(&o, OBJECT_POLICY, 0),
	    .local_login = true,
	    .token_max_days = 1,
	    .session_idle_minutes = 1,
	    .session_absolute_hours = 1,
	    .step_up_minutes = 1,
	    .review_days = 1,
	    .messaging = true};
	T_GOOD(doing(&j, put_policy));
	T_GOOD(doing(&j, use_connector));
	office_close(&o);
}

T_MAIN
