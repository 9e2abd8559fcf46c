/* An HTTP answer, in pieces: what is taken, and that each prefix waits. */
#include "egress/answer.h"

#include "tests/t.h"

static struct buf body;
static int status;
static bool done;

static enum idp_status
read_all(struct str in)
{
	if (body.max == 0)
		buf_init(&body, LIM_IDP_BODY);
	status = 0;
	done = false;
	return answer_read(in, &body, &done, &status);
}

static const char plain[] = "HTTP/1.1 200 OK\r\n"
			    "content-TYPE:\tapplication/json\r\n"
			    "Content-Length: 7\r\n"
			    "Set-Cookie: a=b\r\n"
			    "\r\n"
			    "{\"a\":1}";
static const char chunked[] = "HTTP/1.1 200\r\n"
			      "Content-Type: application/json;charset=x\r\n"
			      "Transfer-Encoding: Chunked\r\n"
			      "\r\n"
			      "3\r\n{\"a\r\n"
			      "0004\r\n\":1}\r\n"
			      "0\r\n\r\n";

/* No prefix is taken for the whole, none is refused. */
static void
in_pieces(struct str whole)
{
	for (size_t n = 0; n < whole.n; n++) {
		T_EQ_INT(read_all(str_head(whole, n)), IDP_OK);
		T_OK(!done);
	}
	T_EQ_INT(read_all(whole), IDP_OK);
	T_OK(done);
	T_EQ_INT(status, 200);
	T_EQ_STR(buf_view(&body), STR("{\"a\":1}"));
}

TEST(in_pieces_of_every_size)
{
	in_pieces(str_c(plain));
	in_pieces(str_c(chunked));
}

TEST(a_byte_behind_it)
{
	char b[512];

	(void)snprintf(b, sizeof b, "%sX", plain);
	T_EQ_INT(read_all(str_c(b)), IDP_HTTP);
	(void)snprintf(b, sizeof b, "%sX", chunked);
	T_EQ_INT(read_all(str_c(b)), IDP_HTTP);
}

/* Any byte of the head changed: never a body that was not there. */
TEST(no_byte_of_the_head_may_be_a_control)
{
	static const char bad[] = {0, '\n', '\r', 0x7f, 0x01, '\f'};
	char b[sizeof plain];
	size_t head = sizeof plain - 1 - 7;

	for (size_t at = 0; at < head - 4; at++)
		for (size_t i = 0; i < sizeof bad; i++) {
			memcpy(b, plain, sizeof b);
			if (b[at] == bad[i] || b[at] == '\r' || b[at] == '\n')
				continue;
			b[at] = bad[i];
			T_OK(read_all(str_of(b, sizeof b - 1)) == IDP_HTTP);
		}
}

TEST(the_status_is_known_early)
{
	T_EQ_INT(read_all(STR("HTTP/1.1 302 Found\r\n")), IDP_HTTP);
	T_EQ_INT(status, 302);
	T_EQ_INT(read_all(STR("HTTP/1.1 401 \r\n")), IDP_HTTP);
	T_EQ_INT(status, 401);
	T_EQ_INT(read_all(STR("HTTP/1.1 302 Fo")), IDP_OK);
	T_OK(!done);
}

static char big[ANSWER_RAW + 2];

TEST(limits)
{
	memset(big, 'x', sizeof big);
	T_EQ_INT(read_all(str_of(big, LIM_IDP_HEAD)), IDP_OK);
	T_EQ_INT(read_all(str_of(big, LIM_IDP_HEAD + 1)), IDP_TOO_BIG);
	memcpy(big, plain, 40);
	T_EQ_INT(read_all(str_of(big, LIM_IDP_HEAD)), IDP_OK);
	T_EQ_INT(read_all(str_of(big, LIM_IDP_HEAD + 1)), IDP_TOO_BIG);
	T_EQ_INT(read_all(str_of(big, ANSWER_RAW + 1)), IDP_TOO_BIG);
	/* What a length promises is believed to be too much at once. */
	T_EQ_INT(read_all(STR("HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n")),
	    IDP_TOO_BIG);
	T_EQ_INT(read_all(STR("HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n")),
	    IDP_OK);
}

T_MAIN
