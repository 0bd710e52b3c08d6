/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that gmemctl reads because it was told their names. All of them come in
 * here, so that what can be read for one option can be read for all.
 */
#ifndef GMEMCTL_CLI_INPUT_H
#define GMEMCTL_CLI_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"

#define INPUT_MAX (UINT64_C(256) << 20)
#define INPUT_DIGEST_SIZE 32

/**
 * input_take_fn - what becomes of a block of a file
 * @context: of the caller
 * @bytes: @size of them, valid during the call
 * @error: to be set on failure
 *
 * Return: 0 or a negative errno, which ends the reading.
 */
typedef int (*input_take_fn)(void *context, const uint8_t *bytes, size_t size, struct error *error);

/**
 * input_open_fd() - open a file that somebody else reads, from its start to its end
 *
 * Opens what input_read_blocks() takes. A FIFO that nobody writes to within a second
 * is at its end then.
 *
 * Return: a file whose read(2) waits; a negative errno.
 */
int input_open_fd(const char *path, struct error *error);

/**
 * input_read_blocks() - read a file to its end, block by block
 * @max: the most that it may have, in bytes; UINT64_MAX: any size
 * @take: gets the blocks in their order, none of them empty
 *
 * The end is where read(2) says so: a file of /proc has a size of 0, and a pipe
 * has none. Takes regular files, devices, pipes and FIFOs; a pipe is read as long
 * as somebody has it open for writing, and a FIFO is given a second to be opened so.
 *
 * Return: 0; -EFBIG if there is more than @max; -EISDIR for a directory; -ENXIO
 * for a FIFO that nobody writes to; what @take has returned; another negative
 * errno.
 */
int input_read_blocks(const char *path, uint64_t max, input_take_fn take,
		      void *context, struct error *error);

/**
 * input_read_all() - all of a file of at most INPUT_MAX bytes, in memory
 * @data: out: to be freed; NULL after a failure
 *
 * Return: as input_read_blocks().
 */
int input_read_all(const char *path, uint8_t **data, uint64_t *size, struct error *error);

/**
 * struct input - what a payload works on: the contents of a file
 * @path: its name
 * @fd: a memfd with what was in it when it was opened, or negative
 * @size: bytes in @fd
 * @digest: SHA-256, by OpenSSL, of what input_load() has read
 */
struct input {
	const char *path;
	int fd;
	uint64_t size;
	uint8_t digest[INPUT_DIGEST_SIZE];
};

/** input_open() - read a file of at most INPUT_MAX bytes, as input_read_all() */
int input_open(struct input *input, const char *path, struct error *error);
void input_close(struct input *input);

/** input_load() - copy it to @memory, and digest what is there then */
int input_load(struct input *input, uint8_t *memory, struct error *error);

/** input_digest_text() - 64 hexadecimal digits and a NUL */
void input_digest_text(const uint8_t digest[INPUT_DIGEST_SIZE], char text[65]);

#endif /* GMEMCTL_CLI_INPUT_H */
