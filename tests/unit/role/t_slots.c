/* Two slots: a torn write never loses the record before. */
#include "role/slots.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/t.h"

static int
temp(void)
{
	char path[] = "/tmp/t_slots.XXXXXX";
	int fd = mkstemp(path);

	BUG_ON(fd < 0);
	(void)unlink(path);
	return fd;
}

static struct str
data(const struct slot *s)
{
	return str_of((const char *)s->data, s->n);
}

TEST(made_then_read)
{
	struct slot s[2];
	int fd = temp();

	T_ERR(slots_read(fd, s), E_CORRUPT);
	T_GOOD(slots_make(fd, STR("one")));
	T_EQ_INT(lseek(fd, 0, SEEK_END), 8192);
	T_GOOD(slots_read(fd, s));
	T_EQ_INT(s[0].counter, 2);
	T_EQ_INT(s[1].counter, 1);
	T_EQ_STR(data(&s[0]), STR("one"));
	T_EQ_STR(data(&s[1]), STR("one"));
	(void)close(fd);
}

TEST(written_in_turn)
{
	struct slot s[2];
	uint64_t counter = 2;
	int fd = temp();

	T_GOOD(slots_make(fd, STR("zero")));
	for (uint64_t i = 0; i < 10; i++) {
		char c[2] = {(char)('a' + i), (char)('a' + i)};

		T_GOOD(slots_write(fd, &counter, str_of(c, i % 2 + 1)));
		T_EQ_INT(counter, 3 + i);
		T_GOOD(slots_read(fd, s));
		T_EQ_INT(s[0].counter, counter);
		T_EQ_INT(s[1].counter, counter - 1);
		T_EQ_STR(data(&s[0]), str_of(c, i % 2 + 1));
	}
	(void)close(fd);
}

/* Cut the newest write short at every byte: the one before is there. */
TEST(torn_at_every_byte)
{
	unsigned char before[8192], after[8192];
	struct slot s[2];
	uint64_t counter = 2;
	int fd = temp();

	T_GOOD(slots_make(fd, STR("before")));
	T_EQ_INT(pread(fd, before, sizeof before, 0), sizeof before);
	T_GOOD(slots_write(fd, &counter, STR("after, and longer")));
	T_EQ_INT(pread(fd, after, sizeof after, 0), sizeof after);
	for (size_t cut = 4096; cut < 4096 + 512; cut++) {
		T_EQ_INT(pwrite(fd, before, sizeof before, 0), sizeof before);
		T_EQ_INT(pwrite(fd, after, cut, 0), cut);
		T_GOOD(slots_read(fd, s));
		T_OK(s[0].counter == 2 || s[0].counter == 3);
		T_EQ_STR(data(&s[0]),
		    s[0].counter == 2 ? STR("before")
				      : STR("after, and longer"));
		/* What is written next goes over the torn one. */
		if (s[0].counter == 2) {
			counter = 2;
			T_GOOD(slots_write(fd, &counter, STR("next")));
			T_GOOD(slots_read(fd, s));
			T_EQ_STR(data(&s[0]), STR("next"));
			T_EQ_STR(data(&s[1]), STR("before"));
		}
	}
	(void)close(fd);
}

TEST(every_flipped_bit_is_seen)
{
	unsigned char b[8192], c[8192];
	struct slot s[2];
	int fd = temp();

	T_GOOD(slots_make(fd, STR("text")));
	T_EQ_INT(pread(fd, b, sizeof b, 0), sizeof b);
	for (size_t i = 0; i < 512 * 8; i++) {
		memcpy(c, b, sizeof c);
		c[i / 8] ^= (unsigned char)(1 << i % 8);
		T_EQ_INT(pwrite(fd, c, sizeof c, 0), sizeof c);
		T_GOOD(slots_read(fd, s));
		T_EQ_INT(s[0].counter, 1);
		T_EQ_INT(s[1].counter, 0);
	}
	/* And one slot copied over the other is no second opinion. */
	memcpy(c, b, sizeof c);
	memcpy(c + 4096, c, 512);
	T_EQ_INT(pwrite(fd, c, sizeof c, 0), sizeof c);
	T_GOOD(slots_read(fd, s));
	T_EQ_INT(s[1].counter, 0);
	(void)close(fd);
}

TEST(largest)
{
	static char big[SLOT_DATA + 1];
	struct slot s[2];
	uint64_t counter = 2;
	int fd = temp();

	memset(big, 'b', sizeof big);
	T_ERR(slots_make(fd, str_of(big, sizeof big)), E_TOO_LARGE);
	T_GOOD(slots_make(fd, str_of(big, SLOT_DATA)));
	T_GOOD(slots_read(fd, s));
	T_EQ_STR(data(&s[0]), str_of(big, SLOT_DATA));
	T_ERR(slots_write(fd, &counter, str_of(big, sizeof big)), E_TOO_LARGE);
	T_EQ_INT(counter, 2);
	(void)close(fd);
	T_ERR(slots_write(fd, &counter, STR("x")), E_IO);
	T_EQ_INT(counter, 2);
}

T_MAIN
