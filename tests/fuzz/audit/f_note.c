/* A verifier key on the first line, a note behind it. */
#include "audit/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
key_again(const struct note_key *k, struct str vkey)
{
	struct buf b;

	buf_init(&b, 1024);
	note_key_text(k, &b);
	BUG_ON(!str_eq(buf_view(&b), vkey));
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[SECRET_SIZE] = {1};
	struct str vkey, note = str_of((const char *)data, size), text;
	struct checkpoint c;
	struct note_key k;
	err open, whole;

	if (size == 0 || !str_cut(note, '\n', &vkey, &note))
		return 0;
	if (err_ok(note_key_parse(vkey, &k)))
		key_again(&k, vkey);
	else
		BUG_ON(!err_ok(note_key_of(STR("fuzz"), seed, &k)));
	open = note_open(note, &k, &text);
	whole = checkpoint_open(note, &k, &c);
	BUG_ON(!err_ok(open) && open.code != whole.code);
	BUG_ON(
	    err_ok(whole) && !str_is(str_head(text, strlen(k.name)), k.name));
	return 0;
}
