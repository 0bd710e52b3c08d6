/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of pvmemctl have of each other. */
#ifndef PVMEMCTL_PVMEMCTL_H
#define PVMEMCTL_PVMEMCTL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/pvmemcontrol.h>

/* device.c: a node of the driver, and what goes wrong, for a person */

struct error {
	int rc;
	char object[160];
	char action[64];
	const char *hint;
};

/**
 * error_set() - describe a failure
 * @rc: negative errno, or 0 if that would say nothing
 * @object: what the action was done to
 * @action: what was tried
 * @hint: what to do about it, a constant; or NULL
 *
 * Return: @rc, or -EINVAL for 0, so that a caller can return the call.
 */
int error_set(struct error *error, int rc, const char *object, const char *action,
	      const char *hint);

/** error_print() - a line: "pvmemctl: object: action: errno; hint" */
void error_print(const struct error *error, FILE *stream);

/** struct range - guest physical memory, in bytes */
struct range {
	uint64_t addr;
	uint64_t length;
};

/**
 * struct device - an open node
 * @path: of it
 * @fd: of it
 * @info: version and page size
 */
struct device {
	const char *path;
	int fd;
	struct pvmemcontrol_vmm_ret info;
};

/** device_open() - open a node and ask for the page size. Return: 0 or negative errno */
int device_open(struct device *device, const char *path, struct error *error);

void device_close(struct device *device);

/**
 * device_call() - have the VMM do something with a range
 * @func: enum pvmemcontrol_func, or any other number
 * @name: of the function, for the error
 * @arg: of the function
 *
 * Return: 0 if it is done; negative errno if not, which can be the VMM's.
 */
int device_call(struct device *device, uint64_t func, const char *name,
		const struct range *range, uint64_t arg, struct error *error);

/* number.c: numbers on a command line */

/**
 * number_parse() - decimal or 0x and hexadecimal, then K, M, G or T
 * @text: all of it has to be the number
 * @value: out: in units of one; the letters are powers of 1024
 *
 * Return: 0; -EINVAL for anything else, a sign and white space included; -ERANGE for
 * what does not fit in 64 bits.
 */
int number_parse(const char *text, uint64_t *value);

/* own.c: memory of this process, and where the guest has it */

/**
 * struct own - memory that stays where it is
 * @memory: all of it, @pages of @page bytes
 * @pages: see @memory
 * @page: of the guest
 * @pin: a pipe that has references to the pages
 * @ranges: where they are, in ascending order, no two of which could be one
 * @count: of @ranges
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
 * own_open() - map memory, fill it, pin it, and find it
 * @length: bytes, a multiple of the page size of the guest
 *
 * Return: 0 or negative errno.
 */
int own_open(struct own *own, uint64_t length, struct error *error);

/** own_kept() - Return: how many pages have what own_open() has filled them with */
size_t own_kept(const struct own *own);

void own_close(struct own *own);

#endif /* PVMEMCTL_PVMEMCTL_H */
