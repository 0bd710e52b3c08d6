/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file of a saved guest as a row of records, each with a checksum behind it.
 *
 * DOC: Checksum
 *
 * The SHA-256 of the number of the record, from 0 on, as u64, and of its bytes. So
 * a record that has changed is found out, and so is one that is missing, there
 * twice or in another's place. It does not keep anybody from changing the file on
 * purpose. Files of version 1 have none.
 */
#ifndef GMEMCTL_MEMORY_SAVE_STREAM_H
#define GMEMCTL_MEMORY_SAVE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/evp.h>

#include "../base/error.h"

#define SAVE_CHECKSUM_SIZE 32

/**
 * struct save_stream - a file that is written, or read, from its start to its end
 * @fd: the file
 * @asker: socket of the process that waits for the file, or -1
 * @bounce: memory of one part, and @bounce_fd, the file that is mapped there; for
 *	writing
 * @bounce_fd: see there
 * @checked: there are checksums
 * @number: of the record, from 0 on
 * @offset: bytes so far
 * @record_offset: where the record starts
 * @digest: of the record so far
 */
struct save_stream {
	int fd;
	int asker;
	uint8_t *bounce;
	int bounce_fd;
	bool checked;
	uint64_t number;
	uint64_t offset;
	uint64_t record_offset;
	EVP_MD_CTX *digest;
};

/** save_stream_read() - start to read. Return: 0 or -ENOMEM. */
int save_stream_read(struct save_stream *stream, int fd);

/** save_stream_write() - start to write; save_stream_end() works in any case */
int save_stream_write(struct save_stream *stream, int fd, int asker);
void save_stream_end(struct save_stream *stream);

/**
 * save_stream_put() - write a part of a record
 * @bytes: guest memory, too: a page that cannot be read is an error, and what is
 *	changed meanwhile by another process is written as it goes into the checksum
 *
 * Return: 0; -ECANCELED if the one who asked has gone; what the kernel says.
 */
int save_stream_put(struct save_stream *stream, const void *bytes, size_t size);

/** save_stream_seal() - end a record that was written */
int save_stream_seal(struct save_stream *stream);

/**
 * save_stream_get() - read a part of a record
 *
 * Return: 0; -EBADMSG if the file ends before; what the kernel says.
 */
int save_stream_get(struct save_stream *stream, void *bytes, size_t size);

/**
 * save_stream_check() - end a record that was read
 *
 * Return: 0; -EILSEQ if it is not what was written; as save_stream_get().
 */
int save_stream_check(struct save_stream *stream);

#endif /* GMEMCTL_MEMORY_SAVE_STREAM_H */
