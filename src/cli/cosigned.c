/* cosigned.c: see cosigned.h. */
#include "cli/cosigned.h"

#include "audit/lines.h"
#include "base/time.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POLICY_MAX = 65536, TRAILER_MAX = 4 * 1024 * 1024 };

/* ---- flags ---- */

static err
witnesses(struct cli *c, struct cosigned *k)
{
	struct note_key *key =
	    arena_array(c->arena, QUORUM_WITNESSES, sizeof *key);
	struct str given = args_get(&c->args, "quorum");
	uint64_t threshold = 0;
	size_t n = 0;

	TRY(arena_check(c->arena));
	for (size_t i = 0; i < c->args.n; i++) {
		if (strcmp(c->args.v[i].row->name, "witness") != 0)
			continue;
		if (n == QUORUM_WITNESSES ||
		    !err_ok(note_witness_parse(c->args.v[i].value, &key[n]))) {
			trail_set(&c->trail,
			    "--witness: the public key of a witness, as "
			    "redoubt "
			    "audit witness --init prints it");
			return err_of(E_INVALID);
		}
		n++;
	}
	if ((given.p == NULL || str_u64(given, 1, n, &threshold)) &&
	    err_ok(quorum_of(key, n, (unsigned)threshold, &k->q)))
		return OK;
	trail_set(&c->trail,
	    "--quorum: 1 to %zu, the witnesses that are named, each once", n);
	return err_of(E_INVALID);
}

static err
policy(struct cli *c, struct cosigned *k)
{
	struct str text;

	if (args_has(&c->args, "witness") || args_has(&c->args, "quorum")) {
		trail_set(&c->trail,
		    "either --policy, or --witness and perhaps --quorum");
		return err_of(E_USAGE);
	}
	TRY(value_file(c, args_get(&c->args, "policy"), POLICY_MAX, &text));
	return quorum_parse(text, &c->trail, &k->q);
}

err
cosigned_wanted(struct cli *c, struct cosigned *ret)
{
	struct str fresh = args_get(&c->args, "fresh");
	uint64_t minutes, now = (uint64_t)time_now_ms() / 1000;

	*ret = (struct cosigned){.asked = false};
	if (fresh.p != NULL) {
		if (!str_u64(fresh, 1, now / 60, &minutes)) {
			trail_set(&c->trail, "--fresh: minutes");
			return err_of(E_INVALID);
		}
		ret->since = now - minutes * 60;
	}
	ret->asked = true;
	if (args_has(&c->args, "policy"))
		return policy(c, ret);
	if (args_has(&c->args, "witness"))
		return witnesses(c, ret);
	ret->asked = false;
	if (fresh.p == NULL && !args_has(&c->args, "quorum"))
		return OK;
	trail_set(&c->trail,
	    "--quorum and --fresh are about --witness or --policy");
	return err_of(E_USAGE);
}

err
cosigned_log(struct cli *c, const struct cosigned *k, struct str note,
    struct note_key *ret)
{
	struct str origin, rest;

	(void)str_cut(note, '\n', &origin, &rest);
	for (size_t i = 0; i < k->q.logs; i++)
		if (str_is(origin, k->q.log[i].name)) {
			*ret = k->q.log[i];
			return OK;
		}
	trail_set(&c->trail, "it is of no log that the policy names");
	return err_of(E_INVALID);
}

/* ---- the checkpoint of an export ---- */

static void
fd_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

/* The end of a file: an export's last line is far shorter. */
static err
tail(struct cli *c, const char *path, struct buf *b)
{
	CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	char piece[65536];
	off_t at;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		trail_set(&c->trail, "%s: write it to a file first", path);
		return err_of(E_INVALID);
	}
	at = st.st_size > TRAILER_MAX ? st.st_size - TRAILER_MAX : 0;
	while (at < st.st_size) {
		ssize_t n = pread(fd, piece, sizeof piece, at);

		if (n <= 0)
			return err_of(E_IO);
		buf_add(b, piece, (size_t)n);
		at += n;
	}
	return buf_check(b);
}

/* Cut off the end. */
static struct str
last_line(struct str *text)
{
	struct str line;
	size_t at;

	if (text->n > 0 && text->p[text->n - 1] == '\n')
		text->n--;
	for (at = text->n; at > 0 && text->p[at - 1] != '\n'; at--)
		;
	line = str_skip(*text, at);
	text->n = at;
	return line;
}

/* The manifest's text in a line of any format; or the line as it is. */
static struct str
manifest_of(struct cli *c, struct str line)
{
	struct str json;

	for (unsigned f = 0; f < EXPORT_FORMATS; f++)
		if (export_text_read(c->arena, (enum export_format)f, line,
			&json))
			return json;
	return line;
}

err
cosigned_export(struct cli *c, const char *path, struct str *ret_note)
{
	static const struct json_limits lim = {8, 64, TRAILER_MAX / 16};
	const struct json *j;
	struct str text, line, note = STR_NONE;
	struct buf b;

	buf_init_on(&b, c->arena, TRAILER_MAX + 65536);
	TRY(tail(c, path, &b));
	text = buf_view(&b);
	/* the manifest's line; the trailer, which stands before it */
	for (unsigned i = 0; i < 2 && note.n == 0; i++) {
		line = manifest_of(c, last_line(&text));
		if (!err_ok(json_parse(c->arena, line, &lim, NULL, &j)))
			return err_of(E_CORRUPT);
		note = json_str_at(j, STR("checkpoint"));
		if (note.n == 0)
			note = json_str_at(json_get(j, STR("manifest")),
			    STR("checkpoint"));
	}
	*ret_note = note;
	return err_of(note.n > 0 ? E_OK : E_CORRUPT);
}

/* ---- telling ---- */

void
cosigned_json(const struct cosigned *k, struct jw *w)
{
	if (!k->asked)
		return;
	jw_kbool(w, "quorum", k->is.met);
	jw_ki64(w, "cosigned", (int64_t)k->is.cosigned);
	jw_ki64(w, "witnesses", (int64_t)k->is.witnesses);
}

void
cosigned_text(const struct cosigned *k, struct buf *b)
{
	if (!k->asked)
		return;
	buf_fmt(b, "cosigned by %zu of %zu witnesses: %s\n", k->is.cosigned,
	    k->is.witnesses, k->is.met ? "enough" : "NOT ENOUGH");
}
