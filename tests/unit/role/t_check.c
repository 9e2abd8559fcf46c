/* `redoubt check`: well when made, and each damage is a finding. */
#include "tests/unit/role/store_fixture.h"

/* A sanitizer's build has no filter, and says so. */
#ifdef REDOUBT_SANITIZED
enum { ALWAYS = 1 };
#else
enum { ALWAYS = 0 };
#endif

static struct check_report r;
static struct arena a;

static err
check(int64_t now)
{
	struct trail t = {{0}};

	arena_reset(&a);
	return role_check(&a, fx_dir, now, &t, &r);
}

static const struct check_item *
finding(const char *name)
{
	for (size_t i = 0; i < r.n; i++)
		if (strcmp(r.item[i].check, name) == 0 && !r.item[i].ok)
			return &r.item[i];
	return NULL;
}

static void
begin(void)
{
	arena_init(&a, (size_t)4 << 20);
	fx_begin();
}

static void
end(void)
{
	fx_end();
	arena_done(&a);
}

static void
damage(const char *cmd, const char *name)
{
	char all[512];

	begin();
	fx_grow(300, 100);
	(void)snprintf(all, sizeof all, "cd %s && %s", fx_dir, cmd);
	T_OK(system(all) == 0);
	T_GOOD(check(FIXTURE_NOW));
	T_OK(r.faults > 0);
	if (finding(name) == NULL)
		T_FAIL("%s: no finding %s", cmd, name);
	else
		T_OK(finding(name)->fix.n > 0 && !finding(name)->advice);
	end();
}

TEST(fresh)
{
	begin();
	T_GOOD(check(FIXTURE_NOW));
	T_EQ_INT(r.faults, ALWAYS);
	for (size_t i = 0; i < r.n; i++) {
		T_OK(r.item[i].detail.n > 0);
		T_OK(r.item[i].ok == (r.item[i].fix.n == 0));
		if (!r.item[i].ok && !r.item[i].advice && !ALWAYS)
			T_FAIL("%s: %.*s", r.item[i].check,
			    STR_ARG(r.item[i].detail));
	}
	T_OK(finding("keys.apart") != NULL);
	end();
}

TEST(each_damage)
{
	damage("chmod 0640 keys/root.key", "keys.root");
	damage("rm keys/root.key", "keys.root");
	damage("echo x > k && chmod 0400 k && mv -f k keys/root.key",
	    "keys.root");
	damage("chmod 0644 keys/audit.key", "files.mode");
	damage("chmod 0755 .", "files.mode");
	damage("chmod 0777 .", "files.directory");
	damage("rm keys/keeper.state", "files.missing");
	damage("echo 'nonsense = 1' >> redoubt.conf", "config");
	damage("chmod 0644 tls/key.pem", "tls.pair");
	damage("rm tls/cert.pem", "tls.pair");
	damage("cp tls/ca.pem tls/cert.pem", "tls.pair");
	damage("echo x > tls/cert.pem", "tls.pair");
	damage("rm db/store.db", "store.integrity");
	damage("dd if=/dev/zero of=db/store.db bs=4096 seek=4 count=1 "
	       "conv=notrunc 2>/dev/null",
	    "store.integrity");
	damage("sqlite3 db/store.db 'DELETE FROM audit WHERE seq > 250'",
	    "audit.log");
	damage("sqlite3 db/store.db 'UPDATE project_key SET wrapped = "
	       "(SELECT wrapped FROM project_key WHERE project = 0) "
	       "WHERE project = 1'",
	    "keys.project");
}

TEST(expiry)
{
	begin();
	T_GOOD(check(FIXTURE_NOW + INT64_C(86400000) * 3640));
	T_EQ_INT(r.faults, ALWAYS);
	T_OK(finding("tls.expiry") != NULL && finding("tls.expiry")->advice);
	T_GOOD(check(FIXTURE_NOW + INT64_C(86400000) * 3660));
	T_OK(finding("tls.expiry") != NULL && !finding("tls.expiry")->advice);
	end();
}

TEST(no_directory)
{
	struct trail t = {{0}};

	arena_init(&a, 1 << 20);
	T_ERR(role_check(&a, "/nonexistent", 0, &t, &r), E_NOT_FOUND);
	arena_done(&a);
}

T_MAIN
