#include "cli/feed.h"

void
feed_start(struct feed *f)
{
	memset(f, 0, sizeof *f);
	buf_init(&f->line, FEED_EVENT);
	buf_init(&f->data, FEED_EVENT);
	buf_init(&f->type, FEED_ID);
}

void
feed_done(struct feed *f)
{
	buf_done(&f->line);
	buf_done(&f->data);
	buf_done(&f->type);
}

void
feed_restart(struct feed *f)
{
	buf_clear(&f->line);
	buf_clear(&f->data);
	buf_clear(&f->type);
	memcpy(f->next, f->id, sizeof f->next);
	f->next_n = f->id_n;
	f->started = false;
	f->cr = false;
	f->given = false;
}

/* An id that is too long to be sent back, or holds what a header field
 * cannot, is ignored. */
static void
take_id(struct feed *f, struct str id)
{
	if (id.n > sizeof f->next)
		return;
	for (size_t i = 0; i < id.n; i++)
		if (id.p[i] < 0x21 || id.p[i] > 0x7e)
			return;
	if (id.n > 0)
		memcpy(f->next, id.p, id.n);
	f->next_n = id.n;
}

bool
feed_after(struct feed *f, struct str id)
{
	f->next_n = 0;
	take_id(f, id);
	memcpy(f->id, f->next, sizeof f->id);
	f->id_n = f->next_n;
	return f->id_n == id.n;
}

static void
take_line(struct feed *f, struct str line)
{
	struct str name, value;

	(void)str_cut(line, ':', &name, &value);
	if (value.n > 0 && value.p[0] == ' ')
		value = str_skip(value, 1);
	if (str_is(name, "data")) {
		buf_str(&f->data, value);
		buf_char(&f->data, '\n');
	} else if (str_is(name, "event")) {
		buf_clear(&f->type);
		buf_str(&f->type, value);
	} else if (str_is(name, "id")) {
		take_id(f, value);
	}
}

static bool
dispatch(struct feed *f, struct feed_event *ret)
{
	memcpy(f->id, f->next, sizeof f->id);
	f->id_n = f->next_n;
	if (f->data.n == 0) {
		buf_clear(&f->type);
		return false;
	}
	f->data.n--; /* the last line feed is not part of it */
	ret->data = buf_view(&f->data);
	ret->type = f->type.n > 0 ? buf_view(&f->type) : STR("message");
	ret->id = str_of(f->id, f->id_n);
	f->given = true;
	return true;
}

/* Move one line end's worth of input into f->line. */
static bool
whole_line(struct feed *f, struct str *in)
{
	size_t n = 0;

	if (f->cr && in->n > 0) {
		f->cr = false;
		if (in->p[0] == '\n')
			*in = str_skip(*in, 1);
	}
	while (n < in->n && in->p[n] != '\n' && in->p[n] != '\r')
		n++;
	buf_str(&f->line, str_head(*in, n));
	*in = str_skip(*in, n);
	if (in->n == 0)
		return false;
	f->cr = in->p[0] == '\r';
	*in = str_skip(*in, 1);
	return true;
}

err
feed_next(struct feed *f, struct str *in, struct feed_event *ret, bool *ret_got,
    struct trail *t)
{
	struct str line;

	*ret_got = false;
	if (f->given) {
		buf_clear(&f->data);
		buf_clear(&f->type);
		f->given = false;
	}
	while (in->n > 0 && !*ret_got) {
		bool whole = whole_line(f, in);

		if (f->line.failed || f->data.failed || f->type.failed) {
			trail_set(t,
			    "the server sent an event larger than "
			    "%d bytes",
			    FEED_EVENT);
			return err_of(E_PEER);
		}
		if (!whole)
			return OK;
		line = buf_view(&f->line);
		if (!f->started && str_starts(line, STR("\xef\xbb\xbf")))
			line = str_skip(line, 3);
		f->started = true;
		if (line.n == 0)
			*ret_got = dispatch(f, ret);
		else
			take_line(f, line);
		buf_clear(&f->line);
	}
	return OK;
}
