/*
 * contrib/verify-export.py, which shares no line with us, says of every
 * export what we say: good, or the same first bad entry.
 */
#include "tests/unit/audit/sheet.h"

#include <unistd.h>

static char vkey[256];

TEST(make)
{
	struct buf b;

	honest = log_new(LOG_N);
	buf_init(&b, sizeof vkey - 1);
	note_key_text(&honest->key, &b);
	memcpy(vkey, b.p, b.n);
	buf_done(&b);
}

/* Its exit code; *ret_seq gets the entry it names, 0 if none. */
static int
python(struct str file, const char *key, uint64_t *ret_seq)
{
	char path[] = "/tmp/redoubt-export-XXXXXX", cmd[512], line[512] = "";
	int fd = mkstemp(path), rc = -1;
	FILE *p;

	*ret_seq = 0;
	T_OK(fd >= 0 && write(fd, file.p, file.n) == (ssize_t)file.n);
	close(fd);
	snprintf(cmd, sizeof cmd, "python3 contrib/verify-export.py %s %s 2>&1",
	    path, key);
	p = popen(cmd, "r");
	if (p != NULL) {
		T_OK(fgets(line, sizeof line, p) != NULL);
		while (fgetc(p) != EOF)
			;
		rc = pclose(p);
		rc = rc < 0 ? rc : rc >> 8;
	}
	unlink(path);
	if (sscanf(line, "entry %" SCNu64 " ", ret_seq) != 1 && rc != 0)
		printf("# %s", line);
	return rc;
}

static void
good(uint64_t first, uint64_t last, uint64_t size, uint64_t hide)
{
	struct buf b;
	uint64_t seq;

	buf_init(&b, 1 << 22);
	log_export(honest, honest->leaf, first, last, size, hide, &b);
	T_EQ_INT(python(buf_view(&b), vkey, &seq), 0);
	buf_done(&b);
}

TEST(good_exports)
{
	good(1, 700, 700, 1);
	good(1, 512, 600, 1);
	good(1, 0, 0, 1);
	good(200, 600, 690, 1);
	good(200, 600, 600, 4);
	good(256, 256, 256, 1);
	good(257, 257, 700, 2);
	good(301, 300, 699, 1);
}

TEST(bad_exports)
{
	static struct sheet x;

	for (size_t i = 0; i < sizeof sheet_rows / sizeof sheet_rows[0]; i++) {
		struct buf b;
		uint64_t seq = 0;
		int rc;

		sheet_fill(&x, 1, 680);
		sheet_rows[i].change(&x);
		buf_init(&b, 1 << 22);
		sheet_text(&x, &b);
		rc = python(buf_view(&b), vkey, &seq);
		if (rc != (sheet_rows[i].bad == 0 ? 0 : 8) ||
		    seq != sheet_rows[i].bad)
			T_FAIL("%s: exit %d, entry %" PRIu64,
			    sheet_rows[i].name, rc, seq);
		buf_done(&b);
		sheet_done(&x);
	}
}

TEST(other_key)
{
	struct note_key k;
	uint8_t s[SECRET_SIZE] = {9};
	char other[256] = "";
	struct buf b, t;
	uint64_t seq;

	buf_init(&t, sizeof other - 1);
	T_GOOD(note_key_of(STR(LOG_NAME), s, &k));
	note_key_text(&k, &t);
	memcpy(other, t.p, t.n);
	buf_init(&b, 1 << 22);
	log_export(honest, honest->leaf, 1, 100, 690, 1, &b);
	T_EQ_INT(python(buf_view(&b), other, &seq), 8);
	T_EQ_INT(python(buf_view(&b), "", &seq), 0);
	buf_done(&b);
	buf_done(&t);
}

TEST(done)
{
	honest = log_free(honest);
}

T_MAIN
