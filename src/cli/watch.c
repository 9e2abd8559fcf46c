/* The live feed, and a command for each event; the audit log as it grows. */
#include "base/text.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cli/feed.h"
#include "cli/view.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	EVENT_ARENA = 32 * 1024 * 1024,
	LINE_BYTES = 4 * 1024 * 1024,
	BACKOFF_FIRST_MS = 500,
	BACKOFF_LAST_MS = 30000,
};

struct watch {
	struct cli *c;
	struct str target;  /* what is followed */
	bool lines;	    /* an event is a line, written as it is */
	const char *cursor; /* file with the id of the last one written */
	struct feed feed;
	struct arena arena;  /* of one event */
	const char *exec;    /* NULL: print */
	struct str incident; /* id to look for; empty: everything */
	uint64_t left;	     /* events still wanted; 0: no limit */
	bool counted, done;
	int wait_ms; /* before the next connection */
	int rc;
};

/* ---- running a command ---- */

/* The event as a file that is read from its start; no pipe, so a command
 * that reads nothing blocks nobody. */
static err
as_input(struct cli *c, struct str data, int *ret)
{
	int fd = memfd_create("event", MFD_CLOEXEC);
	err e;

	if (fd < 0) {
		trail_set(&c->trail, "cannot hold an event: %s",
		    strerrordesc_np(errno));
		return err_of(E_IO);
	}
	e = out_bytes(fd, data, &c->trail);
	if (err_ok(e))
		e = out_bytes(fd, STR("\n"), &c->trail);
	if (err_ok(e) && lseek(fd, 0, SEEK_SET) != 0)
		e = err_of(E_IO);
	if (!err_ok(e)) {
		close(fd);
		return e;
	}
	*ret = fd;
	return OK;
}

_Noreturn static void
become(const char *command, int input)
{
	struct sigaction normal = {.sa_handler = SIG_DFL};

	(void)sigaction(SIGPIPE, &normal, NULL);
	if (dup2(input, STDIN_FILENO) < 0)
		_exit(126);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static err
run(struct watch *w, struct str data)
{
	int input, status = 0;
	pid_t pid;

	TRY(as_input(w->c, data, &input));
	pid = fork();
	if (pid == 0)
		become(w->exec, input);
	close(input);
	if (pid < 0) {
		trail_set(&w->c->trail, "cannot run a command: %s",
		    strerrordesc_np(errno));
		return err_of(E_IO);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_of(E_IO);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return OK;
	if (WIFEXITED(status))
		out_note(w->c, "the command exited with %d",
		    WEXITSTATUS(status));
	else
		out_note(w->c, "the command was ended by signal %d",
		    WTERMSIG(status));
	w->rc = EXIT_FAILED; /* told at the end; the feed goes on */
	return OK;
}

/* ---- one event ---- */

static bool
names(const struct json *j, struct str id)
{
	struct str text;

	if (json_str(j, &text))
		return str_eq(text, id);
	return json_str(json_get(j, STR("id")), &text) && str_eq(text, id);
}

/* Is the event about the incident we watch? */
static bool
concerns(const struct watch *w, const struct json *j)
{
	const struct json *list = json_get(j, STR("resource"));

	if (w->incident.n == 0 ||
	    names(json_get(j, STR("incident")), w->incident))
		return true;
	for (const struct json *r = json_first(list); r != NULL; r = r->next)
		if (names(r, w->incident))
			return true;
	return false;
}

static void
event_line(struct buf *b, struct str type, const struct json *j)
{
	static const char *const members[] = {"project", "principal",
	    "resource"};
	struct str at = json_str_at(j, STR("time"));

	if (at.n > 0) {
		tty_add(b, at, false);
		buf_char(b, ' ');
	}
	tty_add(b, type, false);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		const struct json *m = json_get(j, str_c(members[i]));

		if (m == NULL || m->kind == JSON_NULL)
			continue;
		buf_char(b, ' ');
		value_line(b, m);
	}
	buf_char(b, '\n');
}

/* One line, so that the next program can read line by line. */
static void
event_json(struct buf *b, const struct json *j)
{
	struct buf pretty;

	buf_init(&pretty, LINE_BYTES);
	json_show(&pretty, j, 0);
	/* Line feeds of strings are escaped: these are only layout. */
	for (size_t i = 0; i < pretty.n; i++) {
		if (pretty.p[i] != '\n') {
			buf_char(b, pretty.p[i]);
			continue;
		}
		while (i + 1 < pretty.n && pretty.p[i + 1] == ' ')
			i++;
	}
	b->failed = b->failed || pretty.failed;
	buf_done(&pretty);
	buf_char(b, '\n');
}

static int
show(struct watch *w, const struct feed_event *ev, const struct json *j)
{
	struct buf b;
	int rc;

	buf_init(&b, LINE_BYTES);
	if (w->c->json)
		event_json(&b, j);
	else
		event_line(&b, ev->type, j);
	rc = out_text(w->c, &b);
	buf_done(&b);
	return rc;
}

static err
event(struct watch *w, const struct feed_event *ev)
{
	const struct json *j;

	arena_reset(&w->arena);
	if (str_is(ev->type, "reauth"))
		return OK; /* the next attempt is refused, and says so */
	if (str_is(ev->type, "resync")) {
		err_ignore(out_bytes(STDERR_FILENO,
			       STR("redoubt: the server's log does not reach "
				   "that far: events may be missing\n"),
			       &w->c->trail),
		    "there is nowhere left to tell it");
		return OK;
	}
	if (w->lines) {
		TRY(out_bytes(STDOUT_FILENO, ev->data, &w->c->trail));
		TRY(out_bytes(STDOUT_FILENO, STR("\n"), &w->c->trail));
		w->done = w->counted && --w->left == 0;
		return OK;
	}
	TRY(answer_parse(&w->arena, ev->data, &w->c->trail, &j));
	if (!concerns(w, j))
		return OK;
	if (w->exec != NULL) {
		TRY(run(w, ev->data));
	} else {
		int rc = show(w, ev, j);

		w->done = rc != EXIT_DONE;
		w->rc = rc;
	}
	if (w->counted && --w->left == 0)
		w->done = true;
	return OK;
}

/* ---- where it was ---- */

/* The file is replaced as a whole, once what it says was written: after a
 * crash lines come again, and none is missing. */
static err
cursor_write(struct watch *w)
{
	char path[4096];
	int fd = -1, n;
	err e = err_of(E_IO);

	if (w->cursor == NULL || w->feed.id_n == 0)
		return OK;
	n = snprintf(path, sizeof path, "%s.part", w->cursor);
	if (n > 0 && (size_t)n < sizeof path)
		fd = open(path,
		    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd >= 0) {
		e = out_bytes(fd, str_of(w->feed.id, w->feed.id_n),
		    &w->c->trail);
		if (err_ok(e))
			e = out_bytes(fd, STR("\n"), &w->c->trail);
		if (close(fd) != 0 || rename(path, w->cursor) != 0)
			e = err_of(E_IO);
	}
	if (!err_ok(e))
		trail_set(&w->c->trail, "cannot write %s: %s", w->cursor,
		    strerrordesc_np(errno));
	return e;
}

static err
cursor_read(struct watch *w)
{
	struct str text, rest;
	uint64_t seq;

	if (w->cursor == NULL || access(w->cursor, F_OK) != 0)
		return OK;
	TRY(value_file(w->c, str_c(w->cursor), 64, &text));
	(void)str_cut(text, '\n', &text, &rest);
	if (str_u64(text, 0, INT64_MAX, &seq) && feed_after(&w->feed, text))
		return OK;
	trail_set(&w->c->trail, "%s holds no number of an entry", w->cursor);
	return err_of(E_INVALID);
}

/* ---- the connection ---- */

static err
follow(struct watch *w)
{
	struct feed_event ev;
	struct str in;
	bool got;

	for (;;) {
		TRY(client_read(w->c->client, &w->c->trail, &in));
		if (in.n == 0)
			return err_of(E_UNAVAILABLE); /* ended cleanly */
		w->wait_ms = BACKOFF_FIRST_MS;
		do {
			TRY(feed_next(&w->feed, &in, &ev, &got, &w->c->trail));
			if (got)
				TRY(event(w, &ev));
			if (w->done)
				return cursor_write(w);
		} while (got || in.n > 0);
		TRY(cursor_write(w));
	}
}

/* Ask for the feed from where it ended; refusals end it for good. */
static err
open_feed(struct watch *w, struct arena *a)
{
	struct request r = {.method = "GET",
	    .target = w->target,
	    .accept = STR("text/event-stream"),
	    .stream = true};
	const struct response *head;
	int rc;

	r.last_event_id = str_of(w->feed.id, w->feed.id_n);
	feed_restart(&w->feed);
	TRY(api_open(w->c, &r, a, &head));
	if (head->status == 429 || head->status >= 502) {
		client_close(w->c->client);
		trail_set(&w->c->trail, "the server answered %d", head->status);
		return err_of(E_UNAVAILABLE);
	}
	if (head->status != 200) {
		rc = api_refused(w->c, head);
		w->rc = rc == EXIT_DONE ? EXIT_FAILED : rc;
		w->done = true;
		return OK;
	}
	if (str_is(head->type, "text/event-stream"))
		return OK;
	trail_set(&w->c->trail, "the server's answer is no event stream");
	return err_of(E_PEER);
}

static void
pause_ms(int ms)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

/* Until done; a broken connection is opened again, ever more slowly. */
static err
watch(struct watch *w)
{
	struct arena heads;
	bool was_open = false;
	err e;

	w->wait_ms = BACKOFF_FIRST_MS;
	for (;;) {
		arena_init(&heads, 1024 * 1024);
		e = open_feed(w, &heads);
		was_open = was_open || err_ok(e);
		if (err_ok(e) && !w->done)
			e = follow(w);
		if (w->c->client != NULL)
			client_close(w->c->client);
		arena_done(&heads);
		if (w->done || !was_open ||
		    !(err_is(e, E_UNAVAILABLE) || err_is(e, E_TIMEOUT)))
			return e;
		if (w->c->verbose)
			out_note(w->c, "%s; connecting again",
			    w->c->trail.detail);
		w->c->trail.detail[0] = '\0';
		pause_ms(w->wait_ms);
		w->wait_ms *= 2;
		if (w->wait_ms > BACKOFF_LAST_MS)
			w->wait_ms = BACKOFF_LAST_MS;
	}
}

/* ---- the command ---- */

/* The incident must be there and ours to see; its id is what events name. */
static err
find_incident(struct watch *w)
{
	struct cli *c = w->c;
	struct request r = {.method = "GET", .accept = STR("application/json")};
	struct str id = args_get(&c->args, "ID");
	struct buf b;
	struct api x;

	if (id.p == NULL)
		return OK;
	TRY(value_text(c, c->args.command + 1, id, &id));
	buf_init_on(&b, c->arena, 4096);
	buf_c(&b, "/v1/projects/");
	url_encode(&b, c->login.project);
	buf_c(&b, "/incidents/");
	url_encode(&b, id);
	TRY(buf_check(&b));
	r.target = buf_view(&b);
	TRY(api_ask(c, &r, c->arena, &x));
	if (x.head->status >= 300) {
		w->rc = api_problem(c, &x);
		w->done = true;
		return OK;
	}
	w->incident = json_str_at(x.json, STR("id"));
	if (w->incident.n > 0)
		return OK;
	trail_set(&c->trail, "the server's answer is no incident");
	return err_of(E_PEER);
}

static err
counted(struct watch *w)
{
	struct str count = args_get(&w->c->args, "count");

	w->counted = count.p != NULL;
	if (!w->counted || str_u64(count, 1, INT64_MAX, &w->left))
		return OK;
	trail_set(&w->c->trail, "--count must be a number from 1");
	return err_of(E_INVALID);
}

static err
prepare(struct watch *w)
{
	struct str exec = args_get(&w->c->args, "exec");
	struct str after = args_get(&w->c->args, "after");

	TRY(counted(w));
	if (exec.p != NULL) {
		w->exec = arena_cstr(w->c->arena, exec);
		TRY(arena_check(w->c->arena));
	}
	if (after.p != NULL && !feed_after(&w->feed, after)) {
		trail_set(&w->c->trail, "--after is no event's id");
		return err_of(E_INVALID);
	}
	return find_incident(w);
}

int
cmd_watch(struct cli *c)
{
	struct watch w = {.c = c, .target = STR("/v1/events"), .rc = EXIT_DONE};
	err e;

	feed_start(&w.feed);
	arena_init(&w.arena, EVENT_ARENA);
	e = prepare(&w);
	if (err_ok(e) && !w.done)
		e = watch(&w);
	arena_done(&w.arena);
	feed_done(&w.feed);
	return err_ok(e) ? w.rc : out_error(c, e);
}

static err
prepare_tail(struct watch *w)
{
	struct str cursor = args_get(&w->c->args, "cursor");
	struct request r;

	TRY(counted(w));
	TRY(request_make(w->c, CLI_ROUTE_audit_stream, &r));
	w->target = r.target;
	w->lines = true;
	if (cursor.p == NULL)
		return OK;
	w->cursor = arena_cstr(w->c->arena, cursor);
	TRY(arena_check(w->c->arena));
	return cursor_read(w);
}

int
cmd_audit_tail(struct cli *c)
{
	struct watch w = {.c = c, .rc = EXIT_DONE};
	err e;

	feed_start(&w.feed);
	arena_init(&w.arena, EVENT_ARENA);
	e = prepare_tail(&w);
	if (err_ok(e))
		e = watch(&w);
	arena_done(&w.arena);
	feed_done(&w.feed);
	return err_ok(e) ? w.rc : out_error(c, e);
}
