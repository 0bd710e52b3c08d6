// SPDX-License-Identifier: GPL-2.0
/* Access to the memory of a guest from the host. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "guest_view.h"

#define FDS_MAX 256

const char *const view_way_names[VIEW_WAYS] = {
	[VIEW_MAPPING]		= "mapping",
	[VIEW_PROCESS_VM]	= "process_vm_readv",
	[VIEW_PROC_MEM]		= "/proc/PID/mem",
};

const int view_refusals[VIEW_WAYS] = {
	[VIEW_MAPPING]		= SIGBUS,
	[VIEW_PROCESS_VM]	= EFAULT,
	[VIEW_PROC_MEM]		= EIO,
};

/* The number of a line "key: number kB" in bytes; 0 for another line. */
static uint64_t line_bytes(const char *line, const char *key)
{
	size_t length = strlen(key);

	if (strncmp(line, key, length) || line[length] != ':')
		return 0;
	return strtoull(line + length + 1, NULL, 10) << 10;
}

static uint64_t line_populated(const char *line)
{
	return line_bytes(line, "Rss") + line_bytes(line, "Shared_Hugetlb") +
	       line_bytes(line, "Private_Hugetlb");
}

uint64_t view_ram(pid_t pid, uint64_t size, uint64_t *rss)
{
	uint64_t ram = 0, populated = 0;
	char line[512], mode[8];
	unsigned long start, end;
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%d/smaps", pid);
	file = fopen(line, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, mode) != 3) {
			populated += ram ? line_populated(line) : 0;
			continue;
		}
		if (ram)
			break;
		if (end - start == size && mode[1] == 'w')
			ram = start;
	}
	if (file)
		fclose(file);
	if (rss)
		*rss = populated;
	return ram;
}

/*
 * Open a file that a process has open, found by a part of its name. Return: an fd or a
 * negative errno.
 */
static int open_file(pid_t pid, const char *name)
{
	char path[64], link[256];

	for (int i = 3; i < FDS_MAX; i++) {
		struct stat st;
		ssize_t length;
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, i);
		length = readlink(path, link, sizeof(link) - 1);
		if (length < 0 || stat(path, &st) || !S_ISREG(st.st_mode))
			continue;
		link[length] = '\0';
		if (!strstr(link, name))
			continue;
		/* A guest_memfd may have such a name, but cannot be opened again. */
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	return -ENOENT;
}

static int map_file(struct view *view, const char *name, uint64_t gpa)
{
	view->fd = open_file(view->pid, name);
	if (view->fd < 0)
		return view->fd;
	view->pages = mmap(NULL, view->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			   view->fd, (off_t)gpa);
	if (view->pages != MAP_FAILED)
		return 0;
	view->pages = NULL;
	return -errno;
}

int view_open(struct view *view, pid_t pid, uint64_t ram, const char *name,
	      uint64_t gpa, size_t size)
{
	uint64_t theirs = view_ram(pid, ram, NULL);
	char path[64];

	*view = (struct view){ .pid = pid, .size = size, .fd = -1,
			       .theirs = theirs + gpa };
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	view->mem = open(path, O_RDWR | O_CLOEXEC);
	if (view->mem < 0)
		return -errno;
	if (!theirs)
		return -ENOENT;
	return name ? map_file(view, name, gpa) : 0;
}

void view_close(struct view *view)
{
	if (view->pages)
		munmap(view->pages, view->size);
	if (view->fd >= 0)
		close(view->fd);
	close(view->mem);
}

bool view_has(const struct view *view, enum view_way way)
{
	return way != VIEW_MAPPING || view->pages;
}

static int result(ssize_t done, size_t size)
{
	if (done < 0)
		return errno;
	return (size_t)done == size ? 0 : EIO;
}

int view_read(const struct view *view, enum view_way way, uint64_t offset,
	      void *bytes, size_t size)
{
	struct iovec local = { bytes, size };
	struct iovec remote = { (void *)(uintptr_t)(view->theirs + offset),
				size };

	memset(bytes, 0, size);
	switch (way) {
	case VIEW_MAPPING:
		return gmem_try_copy(bytes, view->pages + offset, size);
	case VIEW_PROCESS_VM:
		return result(process_vm_readv(view->pid, &local, 1, &remote, 1,
					       0), size);
	default:
		return result(pread(view->mem, bytes, size,
				    (off_t)(view->theirs + offset)), size);
	}
}

int view_write(const struct view *view, enum view_way way, uint64_t offset,
	       const void *bytes, size_t size)
{
	struct iovec local = { (void *)(uintptr_t)bytes, size };
	struct iovec remote = { (void *)(uintptr_t)(view->theirs + offset),
				size };

	switch (way) {
	case VIEW_MAPPING:
		return gmem_try_copy(view->pages + offset, bytes, size);
	case VIEW_PROCESS_VM:
		return result(process_vm_writev(view->pid, &local, 1, &remote,
						1, 0), size);
	default:
		return result(pwrite(view->mem, bytes, size,
				     (off_t)(view->theirs + offset)), size);
	}
}
