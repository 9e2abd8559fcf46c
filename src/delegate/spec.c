#include "delegate/spec.h"

#include "base/limits.h"

static const struct {
	struct str name;
	bool prefix;
} env_refused[] = {
#define NAME(name) {{name, sizeof(name) - 1}, false},
#define PREFIX(name) {{name, sizeof(name) - 1}, true},
#include "delegate/env_refused.def"
#undef NAME
#undef PREFIX
};

static bool
is_name_char(char c, bool first)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
	    (!first && c >= '0' && c <= '9');
}

bool
env_allowed(struct str variable)
{
	struct str name, value;

	if (!str_cut(variable, '=', &name, &value) || name.n == 0)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!is_name_char(name.p[i], i == 0))
			return false;
	for (size_t i = 0; i < sizeof env_refused / sizeof *env_refused; i++)
		if (env_refused[i].prefix
			? str_starts(name, env_refused[i].name)
			: str_eq(name, env_refused[i].name))
			return false;
	return true;
}

static bool
id_good(struct str id)
{
	if (id.n == 0 || id.n > SANDBOX_ID)
		return false;
	for (size_t i = 0; i < id.n; i++)
		if (!is_name_char(id.p[i], false) && id.p[i] != '-')
			return false;
	return true;
}

/* ---- limits ---- */

static const struct limit_row {
	const char *name;
	size_t at;
	uint32_t usual, most;
} limit_rows[] = {
#define ROW(member, usual, most)                                               \
	{                                                                      \
#member, offsetof(struct sandbox_limits, member), (usual),     \
		    (most)                                                     \
	}
    ROW(wall_s, 600, LIM_STEP_WALL_S),
    ROW(cpu_s, 0, LIM_STEP_WALL_S),
    ROW(memory_mb, 512, LIM_STEP_MEMORY_MB),
    ROW(pids, 64, LIM_STEP_PIDS),
    ROW(work_mb, 64, LIM_STEP_WORK_MB),
    ROW(outputs_kb, 64, LIM_STEP_OUTPUTS_KB),
#undef ROW
};

enum { LIMIT_ROWS = sizeof limit_rows / sizeof *limit_rows };

static uint32_t
limit_get(const struct sandbox_limits *l, const struct limit_row *r)
{
	uint32_t v;

	memcpy(&v, (const char *)l + r->at, sizeof v);
	return v;
}

static void
limit_set(struct sandbox_limits *l, const struct limit_row *r, uint32_t v)
{
	memcpy((char *)l + r->at, &v, sizeof v);
}

err
spec_limits(const struct sandbox_limits *in, struct trail *t,
    struct sandbox_limits *ret)
{
	struct sandbox_limits l;

	for (size_t i = 0; i < LIMIT_ROWS; i++) {
		const struct limit_row *r = &limit_rows[i];
		uint32_t v = limit_get(in, r);

		if (v > r->most) {
			trail_set(t, "%s: %u is more than %u", r->name, v,
			    r->most);
			return err_of(E_LIMIT);
		}
		limit_set(&l, r, v == 0 ? r->usual : v);
	}
	if (l.cpu_s == 0)
		l.cpu_s = l.wall_s;
	*ret = l;
	return OK;
}

/* ---- writing ---- */

static void
add_text(struct buf *b, struct str s)
{
	buf_be32(b, (uint32_t)s.n);
	buf_str(b, s);
	buf_char(b, 0);
}

static err
bad(struct trail *t, const char *what, size_t i)
{
	trail_set(t, "%s %zu cannot be given to a step", what, i);
	return err_of(E_INVALID);
}

static err
check(const struct sandbox_spec *s, struct trail *t)
{
	if (!id_good(s->id) || s->profile >= SANDBOX_PROFILES ||
	    s->argv_n == 0) {
		trail_set(t, "a step needs an id, a profile and a program");
		return err_of(E_INVALID);
	}
	if (s->argv_n > SANDBOX_ARGS || s->env_n > SANDBOX_ENV ||
	    s->secrets_n > SANDBOX_FDS || s->script.n > LIM_SCRIPT) {
		trail_set(t, "too many arguments, variables or secrets");
		return err_of(E_TOO_MANY);
	}
	for (size_t i = 0; i < s->argv_n; i++)
		if (s->argv[i].p == NULL ||
		    memchr(s->argv[i].p, 0, s->argv[i].n) != NULL)
			return bad(t, "argument", i);
	if (s->argv[0].n == 0 || s->argv[0].p[0] != '/')
		return bad(t, "argument", 0);
	for (size_t i = 0; i < s->env_n; i++)
		if (!env_allowed(s->env[i]) ||
		    memchr(s->env[i].p, 0, s->env[i].n) != NULL)
			return bad(t, "variable", i);
	for (size_t i = 0; i < s->secrets_n; i++)
		if (s->secrets[i].n > SANDBOX_SECRET)
			return bad(t, "secret", i);
	return OK;
}

err
spec_write(const struct sandbox_spec *s, struct trail *t, struct buf *out)
{
	struct sandbox_limits l;

	TRY(check(s, t));
	TRY(spec_limits(&s->limits, t, &l));
	buf_be32(out, SPEC_MAGIC);
	for (size_t i = 0; i < LIMIT_ROWS; i++)
		buf_be32(out, limit_get(&l, &limit_rows[i]));
	buf_add(out, (char[]){(char)s->profile, s->egress ? 1 : 0}, 2);
	buf_add(out, (char[]){s->script.n != 0 ? 1 : 0, (char)s->secrets_n}, 2);
	buf_be16(out, (uint16_t)s->argv_n);
	buf_be16(out, (uint16_t)s->env_n);
	add_text(out, s->id);
	for (size_t i = 0; i < s->argv_n; i++)
		add_text(out, s->argv[i]);
	for (size_t i = 0; i < s->env_n; i++)
		add_text(out, s->env[i]);
	if (!err_ok(buf_check(out))) {
		trail_set(t, "arguments and variables are too long");
		return err_of(E_LIMIT);
	}
	return OK;
}

/* ---- reading ---- */

/* A text with its NUL, where it lies. */
static struct str
take_text(struct cur *c, const char **ret)
{
	struct str s = cur_view(c, cur_be32(c));

	if (cur_u8(c) != 0 || s.p == NULL || memchr(s.p, 0, s.n) != NULL ||
	    c->failed) {
		c->failed = true;
		return STR_NONE;
	}
	*ret = s.p;
	return s;
}

static void
take_limits(struct cur *c, struct step *s)
{
	struct sandbox_limits in;
	struct trail t = {{0}};

	for (size_t i = 0; i < LIMIT_ROWS; i++) {
		uint32_t v = cur_be32(c);

		limit_set(&in, &limit_rows[i], v);
		if (v == 0)
			c->failed = true;
	}
	if (!err_ok(spec_limits(&in, &t, &s->limits)))
		c->failed = true;
}

static void
take_lists(struct cur *c, struct step *s)
{
	const char *id;
	struct str v = take_text(c, &id);

	if (c->failed || !id_good(v)) {
		c->failed = true;
		return;
	}
	memcpy(s->id, v.p, v.n);
	for (size_t i = 0; i < s->argc; i++) {
		v = take_text(c, &s->argv[i]);
		if (i == 0 && (v.n == 0 || v.p[0] != '/'))
			c->failed = true;
	}
	for (size_t i = 0; i < s->envc; i++)
		if (!env_allowed(take_text(c, &s->env[i])))
			c->failed = true;
}

static bool
take_fds(const int *fds, size_t n, struct step *s)
{
	size_t want = SPEC_FDS_MIN + (s->has_script ? 1U : 0U) + s->secrets_n;

	if (n != want)
		return false;
	s->control = fds[SPEC_CONTROL];
	s->out = fds[SPEC_OUT];
	s->err = fds[SPEC_ERR];
	s->script = s->has_script ? fds[SPEC_FDS_MIN] : -1;
	for (size_t i = 0; i < s->secrets_n; i++)
		s->secrets[i] = fds[want - s->secrets_n + i];
	return true;
}

err
spec_read(struct str packet, const int *fds, size_t fds_n, struct step *ret)
{
	struct cur c = cur_of(packet);
	uint8_t profile, egress, script, secrets;

	memset(ret, 0, sizeof *ret);
	if (cur_be32(&c) != SPEC_MAGIC)
		return err_of(E_PEER);
	take_limits(&c, ret);
	profile = cur_u8(&c);
	egress = cur_u8(&c);
	script = cur_u8(&c);
	secrets = cur_u8(&c);
	ret->argc = cur_be16(&c);
	ret->envc = cur_be16(&c);
	if (c.failed || profile >= SANDBOX_PROFILES || egress > 1 ||
	    script > 1 || secrets > SANDBOX_FDS || ret->argc == 0 ||
	    ret->argc > SANDBOX_ARGS || ret->envc > SANDBOX_ENV)
		return err_of(E_PEER);
	ret->profile = (enum sandbox_profile)profile;
	ret->egress = egress == 1;
	ret->has_script = script == 1;
	ret->secrets_n = secrets;
	take_lists(&c, ret);
	if (!cur_end(&c) || !take_fds(fds, fds_n, ret))
		return err_of(E_PEER);
	return OK;
}
