#include "role/keyjson.h"

#include "flow/writer.h"

void
key_rotated_json(struct buf *b, const struct rotated *r)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	jw_ki64(&w, "project_keys", (int64_t)r->project_keys);
	jw_ki64(&w, "projects", (int64_t)r->projects);
	jw_ki64(&w, "data_keys", (int64_t)r->data_keys);
	jw_ki64(&w, "class_keys", (int64_t)r->class_keys);
	jw_ki64(&w, "deleted", (int64_t)r->deleted);
	jw_ki64(&w, "damaged", (int64_t)r->damaged);
	jw_obj_end(&w);
}

void
key_rewrapped_json(struct buf *b, const struct rewrapped *r)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	jw_ki64(&w, "rows", (int64_t)r->rows);
	jw_ki64(&w, "deleted", (int64_t)r->deleted);
	jw_ki64(&w, "kept", (int64_t)r->kept);
	jw_ki64(&w, "damaged", (int64_t)r->damaged);
	jw_kbool(&w, "clean", r->clean);
	jw_obj_end(&w);
}

static err
ask_last(struct lane *l, void *arg)
{
	return keeper_last(writer_keeper(l->writer), arg);
}

err
key_status_json(struct state *st, const char *busy, struct buf *b)
{
	struct keeper_last last;
	struct lane l;
	struct jw w;
	err e;

	TRY(writer_do(st->writer, ask_last, &last));
	TRY(lane_open(st, LANE_READER, 0, &l));
	jw_init(&w, b);
	jw_obj(&w);
	jw_kstr(&w, "busy", busy == NULL ? STR_NONE : str_c(busy));
	e = rotate_status(&l, &last, &w);
	jw_obj_end(&w);
	lane_close(&l);
	return e;
}
