/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest in a file: what its memory is made of, the contents of the populated
 * pages, which pages are private, and the state of the machine. What is not
 * populated is not written, and is not populated afterwards either.
 *
 * DOC: Format, version 1, little endian, without gaps
 *
 * header: magic "GMEMSAVE"; u32 version; u32 zero; u64 bytes of the description; u64
 *	bytes of the state
 * the description, see description.h; the state, see records.h
 * run, each: u64 guest physical address; u64 bytes, whole pages of RAM; contents
 * at the end: two u64 zero, and nothing behind them
 */
#ifndef GMEMCTL_MEMORY_SAVE_H
#define GMEMCTL_MEMORY_SAVE_H

#include "../kvm/error.h"
#include "../kvm/records.h"
#include "description.h"
#include "guest_memory.h"

/**
 * struct saved - a file being read, without the contents
 * @description: to create the guest memory from
 * @state: of the machine; a valid list
 */
struct saved {
	struct description description;
	struct records state;
};

/**
 * save_write() - write a guest to a file, from where it stands
 * @fd: the file; a pipe will do
 *
 * No vCPU may run. Private pages are shared for the time it takes; the file has
 * their contents.
 *
 * Return: 0; -EPERM for private contents that need the guest's consent;
 * -EOPNOTSUPP for those that conversions discard; what the kernel says.
 */
int save_write(int fd, struct guest_memory *memory,
	       const struct records *state, struct error *error);

/**
 * save_read() - read the first part; it may be anything
 *
 * Return: 0; -EBADMSG for what is no such file.
 */
int save_read(int fd, struct saved *saved, struct error *error);
void save_free(struct saved *saved);

/**
 * save_read_memory() - read the contents, and make private what was private
 * @memory: created from the description, attached, and never used; what a file
 *	of its had in it is gone
 */
int save_read_memory(int fd, const struct saved *saved,
		     struct guest_memory *memory, struct error *error);

#endif /* GMEMCTL_MEMORY_SAVE_H */
