/* What the doctor says of this host, and that it says it as it promises. */
#include <unistd.h>

#include "delegate/doctor.h"
#include "tests/t.h"

static struct doctor d;

static const struct doctor_row *
row(enum doctor_probe p)
{
	return &d.rows[p];
}

TEST(every_row_has_an_answer)
{
	doctor_run(&d);
	for (size_t i = 0; i < DOCTOR_PROBES; i++) {
		const struct doctor_row *r = &d.rows[i];

		if (r->need == DOCTOR_REQUIRED && !r->ok)
			printf("# missing: %s: %s\n", r->name, r->detail);
		T_OK(r->name != NULL && r->what != NULL);
		T_OK(r->ok || r->need == DOCTOR_TOLD || r->detail[0] != 0);
	}
	T_OK(DOCTOR_PROBES >= 44);
}

/* The suite runs sandboxes here, so nothing required may be missing. */
TEST(nothing_required_is_missing)
{
	T_EQ_INT(d.required_missing, 0);
	T_OK(d.level != DOCTOR_NONE);
	T_OK(row(PROBE_sandbox)->ok);
	printf("# %s, %s, Landlock %s\n", doctor_level_name(d.level),
	    row(PROBE_sandbox)->detail, row(PROBE_landlock)->detail);
}

TEST(who_we_are)
{
	char want[32];

	(void)snprintf(want, sizeof want, "uid %u", geteuid());
	T_EQ_STR(str_c(row(PROBE_root)->detail), str_c(want));
	T_EQ_INT(row(PROBE_root)->ok, geteuid() == 0);
	T_OK(strstr(row(PROBE_interpreters)->detail, "sh") != NULL);
}

TEST(as_json)
{
	const struct json_limits lim = {4, 16, 512};
	const struct json *j, *probes;
	struct trail t = {{0}};
	struct arena a;
	struct buf b;
	struct jw w;

	arena_init(&a, 1 << 20);
	buf_init(&b, 65536);
	jw_init(&w, &b);
	doctor_json(&d, &w);
	T_GOOD(buf_check(&b));
	T_GOOD(json_parse(&a, buf_view(&b), &lim, &t, &j));
	T_EQ_STR(json_str_at(j, STR("level")),
	    str_c(doctor_level_name(d.level)));
	probes = json_get(j, STR("probes"));
	T_REQUIRE(probes != NULL);
	T_EQ_INT(probes->count, DOCTOR_PROBES);
	T_EQ_STR(json_str_at(json_first(probes), STR("name")),
	    STR("user_namespace"));
	T_EQ_STR(json_str_at(json_first(probes), STR("need")), STR("required"));
	T_EQ_INT(json_get(j, STR("missing"))->count,
	    d.required_missing + d.optional_missing);
	buf_done(&b);
	arena_done(&a);
}

TEST(a_missing_thing_makes_the_level)
{
	struct buf b;

	d.rows[PROBE_seccomp].ok = false;
	d.level = DOCTOR_NONE;
	buf_init(&b, 65536);
	doctor_text(&d, &b);
	T_OK(str_ifind(buf_view(&b), STR("MISSING  required  seccomp ")));
	T_OK(str_ends(buf_view(&b),
	    STR("level none: no script can run here; steps through a "
		"connector can\n")));
	buf_done(&b);
}

T_MAIN
