/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest in a file: the description of its memory, the contents of the populated
 * pages, which pages are private, and the state of the machine. Unpopulated pages are
 * not written, and are unpopulated after a restore.
 *
 * DOC: Format, version 2, little endian, without gaps
 *
 * Records, each followed by a checksum of 32 bytes: the SHA-256 of the number of the
 * record and of its bytes.
 *
 * header: magic "GMEMSAVE"; u32 version; u32 zero; u64 bytes of the description; u64
 *	bytes of the state
 * the description, see description.h
 * the state, see base/tlv.h
 * run, each: u64 guest physical address; u64 bytes, whole pages of RAM; contents
 * at the end: two u64 zero; nothing follows their checksum
 *
 * Version 1 is the same without checksums. It is read, but not written.
 */
#ifndef GMEMCTL_MEMORY_SAVE_H
#define GMEMCTL_MEMORY_SAVE_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"
#include "../base/tlv.h"
#include "description.h"
#include "guest_memory.h"

#define SAVE_CHECKSUM_SIZE 32

/**
 * struct save_stream - a file that is written, or read, from its start to its end
 * @fd: the file
 * @asker: socket of the process that waits for the file, or -1
 * @bounce: for writing: a mapping of @bounce_fd, to which contents are copied
 * @bounce_fd: for writing: the file behind @bounce
 * @checked: the file has checksums
 * @number: number of the record, from 0 on
 * @offset: bytes read or written so far
 * @record_offset: offset of the record in the file
 * @digest: SHA-256 of the record so far
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

/**
 * struct saved - a file whose first part was read: all but the contents
 * @path: path of the file, for messages
 * @stream: the rest of the file
 * @description: the description from which the guest memory is created
 * @state: state of the machine; a valid list
 */
struct saved {
	const char *path;
	struct save_stream stream;
	struct description description;
	struct tlv state;
};

/**
 * save_write() - write a guest to a file, at its current offset
 * @fd: the file, which can be a pipe
 * @asker: socket of the process that has asked for the file, or -1. If that process
 *	closes it, writing is cancelled
 *
 * No vCPU may run. Private pages are shared meanwhile; the file has their contents.
 *
 * Return: 0; -EPERM if private contents need the guest's consent; -EOPNOTSUPP if
 * conversions discard private contents; -ECANCELED; or an error of the kernel.
 */
int save_write(int fd, int asker, struct guest_memory *memory,
	       const struct tlv *state, struct error *error);

/**
 * save_read() - read the first part of a file, whose bytes are not trusted
 * @fd: the file; must stay open until all of it is read
 * @path: its path; must stay valid as long
 *
 * Return: 0; -EBADMSG if it is not such a file, or is damaged.
 */
int save_read(int fd, const char *path, struct saved *saved,
	      struct error *error);
void save_free(struct saved *saved);

/** save_is_checked() - whether the file has checksums */
bool save_is_checked(const struct saved *saved);

/**
 * save_read_memory() - read the contents, and make pages private again
 * @memory: created from the description, attached, and not used yet. If it is a file,
 *	its earlier contents are lost
 *
 * Return: 0; -EBADMSG if the file is damaged. After an error the guest must not run.
 */
int save_read_memory(struct saved *saved, struct guest_memory *memory,
		     struct error *error);

#endif /* GMEMCTL_MEMORY_SAVE_H */
