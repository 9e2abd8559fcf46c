/*
 * judge.c: Redoubt's own offline verifiers and key files, asked thousands of
 * times by one process.  Tests write questions, one a line:
 *
 *	store DIR	what `redoubt audit verify --data DIR` finds
 *	export FILE	what `redoubt audit verify --file FILE` finds, given the
 *			key of the last `key VKEY`
 *	key VKEY
 *	secrets DIR	every key of a store in hexadecimal, for tests that
 *			look for them where they must not be
 *
 * and read one line: "ok ENTRIES SIGNED", "bad SEQ WHAT", "err NAME WHAT";
 * of secrets: "KIND NUMBER HEX" lines, then "ok".
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/verify.h"
#include "base/limits.h"
#include "role/datadir.h"
#include "role/keep.h"
#include "role/role.h"
#include "seal/key.h"
#include "store/store.h"

enum { LINE = 4096, ARENA = 8 << 20 };

static void
answer(err e, const struct audit_verdict *v, const struct trail *t)
{
	if (err_ok(e))
		(void)printf("ok %llu %llu\n", (unsigned long long)v->entries,
		    (unsigned long long)v->signed_size);
	else if (err_is(e, E_BAD_ANSWER))
		(void)printf("bad %llu %s\n", (unsigned long long)v->bad_seq,
		    v->what);
	else
		(void)printf("err %s %s\n", err_name(e), t->detail);
}

static void
store(const char *dir)
{
	struct verify_report r;
	struct trail t = {{0}};
	err e = role_audit_verify(dir, &t, &r);

	answer(e, &r.v, &t);
}

static struct note_key given;
static bool has_key;

static void
key(const char *vkey)
{
	has_key = err_ok(note_key_parse(str_c(vkey), &given));
	(void)puts(has_key ? "ok" : "err key");
}

static void export(const char *path)
{
	struct audit_verdict v = {0};
	struct trail t = {{0}};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st = {0};
	char *p = NULL;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd,
		    0);
	if (p == MAP_FAILED)
		st.st_size = 0;
	answer(audit_verify_export(str_of(p, (size_t)st.st_size),
		   has_key ? &given : NULL, &v),
	    &v, &t);
	if (st.st_size > 0)
		(void)munmap(p, (size_t)st.st_size);
	if (fd >= 0)
		(void)close(fd);
}

/* ---- secrets ---- */

static void
show(const char *kind, uint64_t number, const uint8_t *bytes)
{
	(void)printf("%s %llu ", kind, (unsigned long long)number);
	for (size_t i = 0; i < SECRET_SIZE; i++)
		(void)printf("%02x", bytes[i]);
	(void)putchar('\n');
}

static err
load(void *ctx, uint32_t id, struct arena *a, struct wrapped_key *ret)
{
	struct data_key_row row;

	TRY(store_data_key_get(ctx, id, a, &row));
	*ret = (struct wrapped_key){
	    .id = row.id,
	    .project = row.project,
	    .version = row.version,
	    .class = row.class,
	    .subject = row.subject,
	    .term = row.term,
	    .stored = row.was_wrapped,
	};
	return OK;
}

static err
projects(struct store_conn *c, const struct keep *k, struct arena *a,
    struct project_keys *pk)
{
	struct project_key_row *row;
	size_t n;

	TRY(store_project_keys(c, a, &row, &n));
	for (size_t i = 0; i < n; i++) {
		uint8_t plain[SECRET_SIZE];

		TRY(root_unwrap(k->roots, row[i].project, row[i].version,
		    row[i].wrapped, plain));
		show("project", row[i].project, plain);
		TRY(project_keys_add(pk, row[i].project, row[i].version,
		    plain));
	}
	return OK;
}

static err
data(struct store_conn *c, struct project_keys *pk)
{
	const struct data_key *k;
	struct keyring *ring;
	uint32_t last = 0;

	TRY(store_data_key_last(c, &last));
	TRY(keyring_new(pk, load, c, &ring));
	for (uint32_t id = 1; id <= last; id++)
		if (err_ok(keyring_get(ring, id, &k)))
			show("data", id, secret_view(k->secret));
	(void)keyring_free(ring);
	return OK;
}

static err
of_store(const char *dir, const struct keep *k, struct trail *t)
{
	struct project_keys *pk = project_keys_new();
	struct store_conn *c = NULL;
	char path[LINE + 8];
	struct store *s;
	struct arena a;
	err e;

	(void)snprintf(path, sizeof path, "%s/db", dir);
	TRY(store_open(path, STORE_READ, t, &s));
	arena_init(&a, ARENA);
	e = store_reader(s, &c);
	if (err_ok(e))
		e = projects(c, k, &a, pk);
	if (err_ok(e))
		e = data(c, pk);
	if (c != NULL)
		(void)store_conn_close(c);
	(void)store_close(s);
	(void)project_keys_unref(pk);
	arena_done(&a);
	return e;
}

static err
of_files(const char *dir, struct trail *t)
{
	struct datadir d;
	struct keep k;
	int fd[3];
	err e;

	TRY(datadir_open(dir, t, &d));
	TRY(root_key_open(&d, STR(""), t, &fd[0]));
	TRY(secret_open(&d, "keys/audit.key", false, t, &fd[1]));
	TRY(secret_open(&d, "keys/keeper.state", false, t, &fd[2]));
	TRY(keep_open(&k, fd[0], fd[1], fd[2], t));
	show("seed", 0, secret_view(k.seed));
	show("task", 0, secret_view(k.task_seed));
	show("ca", 0, secret_view(k.ca_seed));
	e = of_store(dir, &k, t);
	keep_close(&k);
	for (size_t i = 0; i < 3; i++)
		(void)close(fd[i]);
	datadir_close(&d);
	return e;
}

static void
secrets(const char *dir)
{
	const struct audit_verdict none = {0};
	struct trail t = {{0}};
	err e = of_files(dir, &t);

	answer(e, &none, &t);
}

int
main(void)
{
	static const struct {
		const char *name;
		void (*f)(const char *);
	} verb[] = {{"store ", store}, {"export ", export},
	    {"secrets ", secrets}, {"key ", key}};
	char line[LINE];

	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < sizeof verb / sizeof *verb; i++)
			if (strncmp(line, verb[i].name, strlen(verb[i].name)) ==
			    0)
				verb[i].f(line + strlen(verb[i].name));
		(void)fflush(stdout);
	}
	return 0;
}
