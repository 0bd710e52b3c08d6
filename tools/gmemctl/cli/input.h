/* SPDX-License-Identifier: GPL-2.0 */
/* The file that a payload works on. */
#ifndef GMEMCTL_CLI_INPUT_H
#define GMEMCTL_CLI_INPUT_H

#include <stdint.h>

#include "../kvm/error.h"

#define INPUT_MAX (UINT64_C(256) << 20)
#define INPUT_DIGEST_SIZE 32

/**
 * struct input - an open file
 * @path: its name
 * @fd: or negative
 * @size: bytes at the time it was opened
 * @digest: SHA-256, by OpenSSL, of what input_load() has read
 */
struct input {
	const char *path;
	int fd;
	uint64_t size;
	uint8_t digest[INPUT_DIGEST_SIZE];
};

/** input_open() - open a regular file of at most INPUT_MAX bytes */
int input_open(struct input *input, const char *path, struct error *error);
void input_close(struct input *input);

/** input_load() - read the file to @memory, and digest what is there then */
int input_load(struct input *input, uint8_t *memory, struct error *error);

/**
 * input_read_all() - all of a file, in memory
 * @data: out: to be freed, also after a failure
 */
int input_read_all(const char *path, uint8_t **data, uint64_t *size,
		   struct error *error);

/** input_digest_text() - 64 hexadecimal digits and a NUL */
void input_digest_text(const uint8_t digest[INPUT_DIGEST_SIZE], char text[65]);

#endif /* GMEMCTL_CLI_INPUT_H */
