/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host, as it shows itself: CPUID, /proc, /sys, MSRs, the kernel log. Devices
 * are opened through the table of calls (base/calls.h). With the members of
 * struct host set by a test it is another host than this one.
 */
#ifndef GMEMCTL_HOST_HOST_H
#define GMEMCTL_HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_PATH_SIZE 512
#define HOST_LINE_SIZE 8192

/** struct host_cpuid - what one leaf of CPUID answers */
struct host_cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/**
 * struct host - where the facts come from
 * @root: put before each path: "" for this host
 * @release, @machine: as uname(2) has them
 * @cpuid: a leaf, sub-leaf 0; false where there is no such leaf or instruction
 * @msr: a model specific register of CPU 0; 0 or a negative errno
 * @memlock: bytes that this process may lock; UINT64_MAX for no limit
 */
struct host {
	char root[128];
	char release[80];
	char machine[80];
	bool (*cpuid)(uint32_t leaf, struct host_cpuid *out);
	int (*msr)(uint32_t number, uint64_t *value);
	uint64_t memlock;
};

/** host_init() - this host */
void host_init(struct host *host);

/** host_cpuid() - the instruction; false on an architecture without it */
bool host_cpuid(uint32_t leaf, struct host_cpuid *out);

/** host_is_x86() - whether @machine is x86-64 */
bool host_is_x86(const struct host *host);

/** host_version() - major and minor of the kernel's release; false if none */
bool host_version(const struct host *host, unsigned int *major,
		  unsigned int *minor);

/** host_stat() - mode of a file. Return: 0 or a negative errno. */
int host_stat(const struct host *host, const char *path, unsigned int *mode);

/** host_folder_is_empty() - whether a folder is missing or has nothing in it */
bool host_folder_is_empty(const struct host *host, const char *path);

/** host_read_line() - the first line of a file, without its end */
int host_read_line(const struct host *host, const char *path, char *line,
		   size_t size);

/**
 * host_read_lines() - all lines of a file, or of /dev/kmsg
 * @visit: called for each of at most HOST_LINE_SIZE bytes; true ends the walk
 *
 * Return: 1 if @visit ended it, 0 at the end, or a negative errno.
 */
int host_read_lines(const struct host *host, const char *path,
		    bool (*visit)(const char *line, void *data), void *data);

/** host_has_word() - whether a text has a word, between blanks */
bool host_has_word(const char *text, const char *word);

#endif /* GMEMCTL_HOST_HOST_H */
