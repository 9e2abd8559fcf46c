#include "delegate/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/text.h"

enum { PIECE = 65536, ROOM = 128 };

void
spool_name(const struct uuid *task, const char *ext, char ret[SPOOL_NAME])
{
	char id[UUID_TEXT + 1];
	struct buf b = {.p = ret, .cap = SPOOL_NAME, .max = SPOOL_NAME};

	uuid_text(task, id);
	buf_c(&b, "spool/");
	buf_c(&b, id);
	buf_c(&b, ext);
	buf_char(&b, '\0');
	BUG_ON(b.failed);
}

err
spool_open(struct spool *s, int dir, const struct uuid *task, uint64_t max)
{
	char name[SPOOL_NAME];

	*s = (struct spool){.max = max};
	spool_name(task, ".log", name);
	s->fd = openat(dir, name,
	    O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	s->sha = EVP_MD_CTX_new();
	if (s->fd >= 0 && s->sha != NULL &&
	    EVP_DigestInit_ex2(s->sha, EVP_sha256(), NULL) == 1)
		return OK;
	spool_close(s);
	return err_of(E_IO);
}

void
spool_close(struct spool *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	EVP_MD_CTX_free(s->sha);
	s->fd = -1;
	s->sha = NULL;
}

/* What the disk did not take is not there: size is what is in the file. */
static void
put(struct spool *s, struct str b)
{
	while (b.n > 0 && !s->failed) {
		ssize_t n = write(s->fd, b.p, b.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || EVP_DigestUpdate(s->sha, b.p, (size_t)n) != 1) {
			s->failed = true;
			break;
		}
		s->size += (uint64_t)n;
		b = str_skip(b, (size_t)n);
	}
	s->left_out += b.n;
}

/* One character as it is shown; the line's length is in bytes shown. */
static void
escaped(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f)) {
		buf_char(b, (char)c);
		return;
	}
	buf_c(b, "\\x");
	buf_char(b, hex[c >> 4]);
	buf_char(b, hex[c & 15]);
}

static void
line_end(struct spool *s, struct buf *b)
{
	if (s->cut > 0) {
		buf_c(b, "[... ");
		buf_u64(b, s->cut);
		buf_c(b, " bytes of this line left out]");
	}
	buf_char(b, '\n');
	s->line = s->cut = 0;
}

static void
flush(struct spool *s, struct buf *b)
{
	struct str out = buf_view(b);
	uint64_t room = s->max - s->size;

	if (out.n > room) {
		s->left_out += out.n - room;
		out = str_head(out, (size_t)room);
	}
	put(s, out);
	buf_clear(b);
}

void
spool_add(struct spool *s, struct str masked)
{
	char store[PIECE + ROOM];
	struct buf b = {.p = store, .cap = sizeof store, .max = sizeof store};

	for (size_t i = 0; i < masked.n; i++) {
		unsigned char c = (unsigned char)masked.p[i];
		size_t before = b.n;

		if (c == '\n') {
			line_end(s, &b);
		} else if (s->line >= SPOOL_LINE) {
			s->cut++;
		} else {
			escaped(&b, c);
			s->line += b.n - before;
		}
		if (b.n >= PIECE)
			flush(s, &b);
	}
	flush(s, &b);
}

err
spool_end(struct spool *s, char ret_sha[65])
{
	char store[ROOM];
	uint8_t md[32];
	struct buf b = {.p = store, .cap = sizeof store, .max = sizeof store};
	unsigned n = 0;

	if (s->left_out > 0) {
		buf_c(&b, "\n[... ");
		buf_u64(&b, s->left_out);
		buf_c(&b, " bytes left out]\n");
		put(s, buf_view(&b));
	}
	if (EVP_DigestFinal_ex(s->sha, md, &n) != 1 || n != sizeof md ||
	    fsync(s->fd) != 0)
		return err_of(E_IO);
	b = (struct buf){.p = ret_sha, .cap = 65, .max = 65};
	hex_add(&b, str_of((const char *)md, sizeof md));
	ret_sha[64] = '\0';
	return OK;
}
