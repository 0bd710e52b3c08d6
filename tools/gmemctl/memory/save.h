/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest in a file: what its memory is made of, the contents of the populated
 * pages, which pages are private, and the state of the machine. What is not
 * populated is not written, and is not populated afterwards either.
 *
 * DOC: Format, version 2, little endian, without gaps
 *
 * Records, each with a checksum of 32 bytes behind it, see save_stream.h:
 *
 * header: magic "GMEMSAVE"; u32 version; u32 zero; u64 bytes of the description; u64
 *	bytes of the state
 * the description, see description.h
 * the state, see records.h
 * run, each: u64 guest physical address; u64 bytes, whole pages of RAM; contents
 * at the end: two u64 zero, and nothing behind their checksum
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

/**
 * struct saved - a file being read, without the contents
 * @path: of it, for messages
 * @stream: the rest of it
 * @description: to create the guest memory from
 * @state: of the machine; a valid list
 */
struct saved {
	const char *path;
	struct save_stream stream;
	struct description description;
	struct tlv state;
};

/**
 * save_write() - write a guest to a file, from where it stands
 * @fd: the file; a pipe will do
 * @asker: socket of the process that has asked for it, or -1: when it hangs up,
 *	nobody waits for the file any more
 *
 * No vCPU may run. Private pages are shared for the time it takes; the file has
 * their contents.
 *
 * Return: 0; -EPERM for private contents that need the guest's consent;
 * -EOPNOTSUPP for those that conversions discard; -ECANCELED; what the kernel says.
 */
int save_write(int fd, int asker, struct guest_memory *memory,
	       const struct tlv *state, struct error *error);

/**
 * save_read() - read the first part; it may be anything
 * @fd: has to stay open until all of it is read; likewise @path
 *
 * Return: 0; -EBADMSG for what is no such file, or is damaged.
 */
int save_read(int fd, const char *path, struct saved *saved,
	      struct error *error);
void save_free(struct saved *saved);

/** save_is_checked() - whether the file has checksums */
bool save_is_checked(const struct saved *saved);

/**
 * save_read_memory() - read the contents, and make private what was private
 * @memory: created from the description, attached, and never used; what a file
 *	of its had in it is gone
 *
 * Return: 0; -EBADMSG for what is damaged: the guest must not run then.
 */
int save_read_memory(struct saved *saved, struct guest_memory *memory,
		     struct error *error);

#endif /* GMEMCTL_MEMORY_SAVE_H */
