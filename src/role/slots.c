#include "role/slots.h"

#include <openssl/sha.h>
#include <unistd.h>

#include <errno.h>

#include "base/mem.h"

enum { SLOT = 512, STRIDE = 4096, SUMMED = SLOT - SHA256_DIGEST_LENGTH };

static const char magic[8] = "rdslots1";

static err
put(int fd, uint64_t counter, struct str data)
{
	unsigned char b[SLOT] = {0};
	off_t at = (counter & 1) == 0 ? 0 : STRIDE;
	ssize_t n;

	if (data.n > SLOT_DATA)
		return err_of(E_TOO_LARGE);
	memcpy(b, magic, sizeof magic);
	for (size_t i = 0; i < 8; i++)
		b[8 + i] = (unsigned char)(counter >> 8 * (7 - i));
	b[16] = (unsigned char)(data.n >> 8);
	b[17] = (unsigned char)data.n;
	memcpy(b + 18, data.p, data.n);
	(void)SHA256(b, SUMMED, b + SUMMED);
	do
		n = pwrite(fd, b, sizeof b, at);
	while (n < 0 && errno == EINTR);
	mem_wipe(b, sizeof b);
	if (n != SLOT)
		return err_of(n < 0 && errno != ENOSPC ? E_IO : E_NO_SPACE);
	return OK;
}

err
slots_make(int fd, struct str data)
{
	if (ftruncate(fd, 2L * STRIDE) != 0)
		return err_of(E_IO);
	TRY(put(fd, 1, data));
	TRY(put(fd, 2, data));
	return err_of(fsync(fd) == 0 ? E_OK : E_IO);
}

err
slots_write(int fd, uint64_t *counter, struct str data)
{
	TRY(put(fd, *counter + 1, data));
	if (fdatasync(fd) != 0)
		return err_of(E_IO);
	*counter += 1;
	return OK;
}

static void
get(int fd, off_t at, struct slot *ret)
{
	unsigned char b[SLOT], sum[SHA256_DIGEST_LENGTH];
	uint64_t counter = 0;
	size_t n;

	ret->counter = 0;
	if (pread(fd, b, sizeof b, at) != SLOT ||
	    memcmp(b, magic, sizeof magic) != 0)
		return;
	(void)SHA256(b, SUMMED, sum);
	n = (size_t)(b[16] << 8 | b[17]);
	if (memcmp(sum, b + SUMMED, sizeof sum) != 0 || n > SLOT_DATA)
		return;
	for (size_t i = 0; i < 8; i++)
		counter = counter << 8 | b[8 + i];
	/* A slot in the other's place is no slot. */
	if ((counter & 1) != (at == 0 ? 0 : 1))
		return;
	ret->counter = counter;
	ret->n = n;
	memcpy(ret->data, b + 18, SLOT_DATA);
	mem_wipe(b, sizeof b);
}

err
slots_read(int fd, struct slot ret[2])
{
	struct slot older;

	get(fd, 0, &ret[0]);
	get(fd, STRIDE, &ret[1]);
	if (ret[1].counter > ret[0].counter) {
		older = ret[0];
		ret[0] = ret[1];
		ret[1] = older;
		mem_wipe(&older, sizeof older);
	}
	return err_of(ret[0].counter == 0 ? E_CORRUPT : E_OK);
}
