/* SPDX-License-Identifier: GPL-2.0 */
/* How the host can access the memory of a guest that gmemctl runs. */
#ifndef GUEST_VIEW_H
#define GUEST_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Ways to access a page. Anonymous memory is mapped by gmemctl only. */
enum view_way { VIEW_MAPPING, VIEW_PROCESS_VM, VIEW_PROC_MEM, VIEW_WAYS };

extern const char *const view_way_names[VIEW_WAYS];

/* What view_read() returns if the host must not access a page. */
extern const int view_refusals[VIEW_WAYS];

/**
 * struct view - ways to access a part of a guest's memory without help of the guest
 * @pid: process ID of gmemctl
 * @size: bytes of the part
 * @fd: the file of all of the memory, or -1: anonymous memory
 * @pages: the part, mapped in the test, or NULL without @fd
 * @theirs: address of the part in gmemctl
 * @mem: /proc/PID/mem of gmemctl
 */
struct view {
	pid_t pid;
	size_t size;
	int fd;
	uint8_t *pages;
	uint64_t theirs;
	int mem;
};

/*
 * Return: the address at which a process has mapped RAM of @size bytes, or 0. No other
 * mapping may have that size. @rss: out: populated bytes of it, including huge pages; may
 * be NULL.
 */
uint64_t view_ram(pid_t pid, uint64_t size, uint64_t *rss);

/*
 * @ram: size of the guest's memory, which starts at address 0
 * @name: part of the name of its file, or NULL
 *
 * Return: 0, or a negative errno.
 */
int view_open(struct view *view, pid_t pid, uint64_t ram, const char *name,
	      uint64_t gpa, size_t size);
void view_close(struct view *view);

/* Whether this way exists for the memory. */
bool view_has(const struct view *view, enum view_way way);

/*
 * Copy bytes at an offset of the part from or to @bytes.
 *
 * Return: 0, or the signal or errno of the access. If @size is more than a page, part may
 * have been copied then.
 */
int view_read(const struct view *view, enum view_way way, uint64_t offset,
	      void *bytes, size_t size);
int view_write(const struct view *view, enum view_way way, uint64_t offset,
	       const void *bytes, size_t size);

#endif /* GUEST_VIEW_H */
