/* SPDX-License-Identifier: GPL-2.0 */
/* Functions that the files of pvmemctl share. */
#ifndef PVMEMCTL_PVMEMCTL_H
#define PVMEMCTL_PVMEMCTL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/pvmemcontrol.h>

/* device.c: a node of the driver, and descriptions of errors */

struct error {
	int rc;
	char object[160];
	char action[64];
	const char *hint;
};

/**
 * error_set() - describe a failure
 * @rc: negative errno; 0: the message has no errno
 * @object: object of the action
 * @action: the action that has failed
 * @hint: what to do, a constant; or NULL
 *
 * Return: @rc, or -EINVAL for 0, so that a caller can return the result.
 */
int error_set(struct error *error, int rc, const char *object, const char *action,
	      const char *hint);

/** error_print() - print a line: "pvmemctl: object: action: errno; hint" */
void error_print(const struct error *error, FILE *stream);

/** struct range - a range of guest physical addresses, in bytes */
struct range {
	uint64_t addr;
	uint64_t length;
};

/**
 * struct device - an open node
 * @path: path of the node
 * @fd: the open file
 * @info: answer of the VMM to INFO: version and page size
 */
struct device {
	const char *path;
	int fd;
	struct pvmemcontrol_vmm_ret info;
};

/** device_open() - open a node, and request INFO. Return: 0 or a negative errno. */
int device_open(struct device *device, const char *path, struct error *error);

void device_close(struct device *device);

/**
 * device_call() - send a request for a range to the VMM
 * @func: enum pvmemcontrol_func, or any other number
 * @name: name of the function, for the error
 * @arg: argument of the function
 *
 * Return: 0, or a negative errno of the driver or of the VMM.
 */
int device_call(struct device *device, uint64_t func, const char *name,
		const struct range *range, uint64_t arg, struct error *error);

/* number.c: numbers on a command line */

/**
 * number_parse() - parse a number: decimal, or 0x and hexadecimal, with an optional K, M, G or T
 * @text: the number, and nothing else
 * @value: out: the number; the suffixes are powers of 1024
 *
 * Return: 0; -EINVAL for anything else, such as a sign or white space; -ERANGE for a number that
 * does not fit in 64 bits.
 */
int number_parse(const char *text, uint64_t *value);

/* own.c: memory of this process, and its guest physical addresses */

/**
 * struct own - pinned memory
 * @memory: the memory
 * @pages: its size in pages
 * @page: page size of the guest
 * @pin: a pipe that holds references to the pages
 * @ranges: guest physical addresses, in ascending order; adjacent ranges are joined
 * @count: number of @ranges
 */
struct own {
	uint8_t *memory;
	size_t pages;
	size_t page;
	int pin[2];
	struct range *ranges;
	size_t count;
};

/**
 * own_open() - map memory, fill it with a pattern, pin it, and find its addresses
 * @length: size in bytes, a multiple of the page size of the guest
 *
 * Return: 0 or a negative errno.
 */
int own_open(struct own *own, uint64_t length, struct error *error);

/** own_kept() - Return: number of pages that still have the pattern of own_open(). */
size_t own_kept(const struct own *own);

void own_close(struct own *own);

#endif /* PVMEMCTL_PVMEMCTL_H */
