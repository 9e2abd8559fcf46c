/* What a broker that was taken over could say to its agent, and back. */
#include "delegate/broker_inner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = str_of((const char *)data, n);
	struct broker_event e;
	struct message m;
	struct buf b;

	buf_init(&b, n + 1);
	if (event_read(in, &e)) {
		BUG_ON(broker_end_code(e.end) == NULL);
		event_write(&b, &e);
		BUG_ON(!str_eq(buf_view(&b), in));
	}
	buf_clear(&b);
	if (message_read(in, &m)) {
		BUG_ON(m.documents_n > BROKER_CONNECTORS);
		message_write(&b, &m);
		BUG_ON(!str_eq(buf_view(&b), in));
	}
	buf_done(&b);
	return 0;
}
