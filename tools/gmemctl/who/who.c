// SPDX-License-Identifier: GPL-2.0
/* Finds the gmem fds of processes, and how processes use one, from /proc. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../base/text.h"
#include "../gmem/gmem.h"
#include "who.h"

/* Links of gmem fds begin with this, see GMEM_IOCTL_CREATE */
#define GMEM_LINK "/gmem"
/* A line of their fdinfo */
#define GMEM_INFO "gmem-length:"

/* Room for "fdinfo/" and a file name */
#define NAME_SIZE (NAME_MAX + 16)

static void *grow(void *array, size_t count, size_t size)
{
	/* The size is a power of two, so the array is full if @count is one. */
	if (count & (count - 1))
		return array;
	return realloc(array, (count ? 2 * count : 1) * size);
}

/*
 * Check the type with an O_PATH fd, which has no effect on the file, and open it through that.
 * A FUSE server may never answer, so use cached attributes, and do not open a regular file
 * that has a file handle: a gmem fd has none.
 */
int who_open(int folder, const char *name, mode_t kind)
{
	int rc, mount, at = openat(folder, name, O_PATH | O_CLOEXEC);
	struct file_handle handle = { .handle_bytes = 0 };
	char path[64];
	struct statx st;

	if (at < 0)
		return -errno;
	snprintf(path, sizeof(path), PROC "/self/fd/%d", at);
	rc = statx(at, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) ? -errno :
	     (st.stx_mode & S_IFMT) != kind ? -ENOTTY : 0;
	if (!rc && kind == S_IFREG &&
	    name_to_handle_at(at, "", &handle, &mount, AT_EMPTY_PATH) && errno == EOVERFLOW)
		rc = -ENOTTY;
	if (!rc) {
		rc = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		rc = rc < 0 ? -errno : rc;
	}
	close(at);
	return rc;
}

static FILE *file_open(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (!file && fd >= 0)
		close(fd);
	return file;
}

int who_each_fd(int folder, who_fd_fn visit, void *data)
{
	int rc = 0, fd = openat(folder, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char name[NAME_SIZE], link[PATH_MAX];
	struct dirent *entry;
	ssize_t length;

	if (!dir) {
		rc = errno == ENOENT ? -ESRCH : -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (!rc && (entry = readdir(dir))) {
		snprintf(name, sizeof(name), "fd/%s", entry->d_name);
		length = readlinkat(folder, name, link, sizeof(link) - 1);
		if (length <= 0)
			continue;
		link[length] = '\0';
		rc = visit(folder, name, link, data);
	}
	closedir(dir);
	return rc;
}

/* Return: the result of @visit; -ESRCH if the process has ended; another negative errno. */
static int visit_process(const char *proc, pid_t pid, who_process_fn visit, void *data)
{
	char path[PATH_MAX];
	int rc, folder;

	snprintf(path, sizeof(path), "%s/%d", proc, (int)pid);
	folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	rc = visit(folder, pid, data);
	close(folder);
	return rc;
}

int who_each_process(const char *proc, who_process_fn visit, void *data, unsigned int *unseen,
		     struct error *error)
{
	DIR *dir = opendir(proc);
	struct dirent *entry;
	int rc = 0;

	*unseen = 0;
	if (!dir)
		return error_set(error, -errno, proc, "list the processes", NULL);
	while (!rc && (entry = readdir(dir))) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid <= 0 || pid == getpid())
			continue;
		rc = visit_process(proc, pid, visit, data);
		if (rc == -EACCES || rc == -EPERM)
			(*unseen)++;
		if (rc == -EACCES || rc == -EPERM || rc == -ESRCH)
			rc = 0;
	}
	closedir(dir);
	return rc ? error_set(error, rc, proc, "look at the processes", NULL) : 0;
}

void who_command(int folder, char command[WHO_COMMAND_SIZE])
{
	FILE *file = file_open(folder, "comm");

	if (!file || !fgets(command, WHO_COMMAND_SIZE, file))
		strcpy(command, "?");
	command[strcspn(command, "\n")] = '\0';
	/* Mask control characters: the process can choose any name, and it may go to a terminal. */
	for (char *c = command; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	if (file)
		fclose(file);
}

/* Whether a link of /proc/PID/fd looks like that of a gmem fd. @name: out: its name. */
static bool memory_link(const char *link, char *name, size_t size)
{
	const char *end = strstr(link, " (deleted)"), *rest = link + strlen(GMEM_LINK);

	if (!end || strncmp(link, GMEM_LINK, strlen(GMEM_LINK)) || (rest != end && *rest != ':'))
		return false;
	text_print(name, size, "%.*s", (int)(end - link), link);
	/* Names of gmem fds consist of visible ASCII */
	for (; *name; name++) {
		if (*name <= ' ' || *name > '~')
			return false;
	}
	return true;
}

/* Return: @rc if this process can open no file at all, else 0. */
static int own_error(int rc)
{
	return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM ? rc : 0;
}

/*
 * Whether an fd has lines of gmem in fdinfo, or a negative errno. They come from the module, so
 * that other files need not be opened: open() of a file of FUSE waits for its server.
 */
static int memory_info(int folder, const char *fd)
{
	char name[NAME_SIZE], line[128];
	bool found = false;
	FILE *file;

	snprintf(name, sizeof(name), "fdinfo/%s", fd);
	file = file_open(folder, name);
	if (!file)
		return own_error(-errno);
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, GMEM_INFO, strlen(GMEM_INFO));
	fclose(file);
	return found;
}

/**
 * struct memories - the gmem fds that were found so far
 * @all: array of @count
 * @pid: the process that is being searched
 */
struct memories {
	struct who_memory *all;
	size_t count;
	pid_t pid;
};

/*
 * A process can have another file with such a name, or replace the fd before it is opened
 * here. So check with the ioctl, which only a gmem fd has. An fd that was closed is skipped.
 */
static int memory_add(int folder, const char *name, const char *link, void *data)
{
	struct memories *memories = data;
	struct who_memory memory = { .pid = memories->pid }, *more;
	struct gmem_ioctl_stat stat_gmem;
	struct stat st;
	int rc = memory_link(link, memory.name, sizeof(memory.name)) ?
		 memory_info(folder, name + strlen("fd/")) : 0;

	if (rc <= 0)
		return rc;
	rc = 0;
	memory.fd = who_open(folder, name, S_IFREG);
	if (memory.fd < 0)
		return own_error(memory.fd);
	if (fstat(memory.fd, &st) || gmem_stat(memory.fd, &stat_gmem))
		goto out_close;
	memory.device = st.st_dev;
	memory.inode = st.st_ino;
	memory.length = (uint64_t)st.st_size;
	for (size_t i = 0; i < memories->count; i++) {
		if (memories->all[i].device == memory.device &&
		    memories->all[i].inode == memory.inode)
			goto out_close;
	}
	who_command(folder, memory.command);
	more = grow(memories->all, memories->count, sizeof(*more));
	if (more) {
		more[memories->count++] = memory;
		memories->all = more;
		return 0;
	}
	rc = -ENOMEM;
out_close:
	close(memory.fd);
	return rc;
}

static int memories_visit(int folder, pid_t pid, void *data)
{
	struct memories *memories = data;

	memories->pid = pid;
	return who_each_fd(folder, memory_add, memories);
}

/* Return: @rc. If it is 0 the caller owns *@memories, else all was freed. */
static int memories_give(struct memories *found, int rc, struct who_memory **memories,
			 size_t *count)
{
	if (rc) {
		who_memories_free(found->all, found->count);
		*found = (struct memories){ 0 };
	}
	*memories = found->all;
	*count = found->count;
	return rc;
}

int who_memories(const char *proc, pid_t pid, struct who_memory **memories, size_t *count,
		 struct error *error)
{
	struct memories found = { 0 };
	char object[32];
	int rc = visit_process(proc, pid, memories_visit, &found);

	snprintf(object, sizeof(object), "process %d", (int)pid);
	if (memories_give(&found, rc, memories, count))
		return error_set(error, rc, object, "look at its files", rc == -EACCES ?
				 "it belongs to another user: run as root" : NULL);
	if (!*count)
		return error_set(error, -ENOENT, object, "find its gmem fds",
				 "its memory is of another kind");
	return 0;
}

int who_all_memories(const char *proc, struct who_memory **memories, size_t *count,
		     struct error *error)
{
	struct memories found = { 0 };
	unsigned int unseen;

	return memories_give(&found, who_each_process(proc, memories_visit, &found, &unseen, error),
			     memories, count);
}

void who_memories_free(struct who_memory *memories, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(memories[i].fd);
	free(memories);
}

const char *const who_device_names[WHO_DEVICES] = {
	[WHO_VFIO] = "vfio",
	[WHO_IOMMUFD] = "iommufd",
	[WHO_VHOST] = "vhost",
	[WHO_INFINIBAND] = "infiniband",
	[WHO_AIO] = "aio",
};

/* How the links of devices' fds begin. AIO has no fd but a mapping. */
static const struct {
	const char *link;
	enum who_device device;
} device_links[] = {
	{ "/dev/vfio/", WHO_VFIO },
	{ "anon_inode:[vfio-device]", WHO_VFIO },
	{ "/dev/iommu", WHO_IOMMUFD },
	{ "/dev/vhost", WHO_VHOST },
	{ "/dev/infiniband/", WHO_INFINIBAND },
};

/* How often the buffers of a busy ring are read, with a pause of 1 ms */
#define URING_TRIES 10

/* A mapping of the gmem fd. */
struct mapping {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
};

/**
 * struct look - a process that is being searched
 * @folder: an fd of /proc/PID
 * @memory: the gmem fd whose users are searched
 * @process: the result
 * @mappings: mappings of @memory, array of @nr_mappings
 * @pipes: inodes of the pipes of the process, array of @nr_pipes
 */
struct look {
	int folder;
	const struct who_memory *memory;
	struct who_process process;
	struct mapping *mappings;
	size_t nr_mappings;
	ino_t *pipes;
	size_t nr_pipes;
};

static int look_maps(struct look *look)
{
	FILE *file = file_open(look->folder, "maps");
	struct mapping mapping, *more;
	unsigned int major, minor;
	unsigned long inode;
	char *line = NULL;
	size_t size = 0;
	int rc = 0;

	if (!file)
		return -errno;
	while (getline(&line, &size, file) > 0) {
		if (strstr(line, " /[aio]"))
			look->process.devices[WHO_AIO]++;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %x:%x %lu",
			   &mapping.start, &mapping.end, &mapping.offset, &major, &minor,
			   &inode) != 6 || mapping.end < mapping.start ||
		    makedev(major, minor) != look->memory->device ||
		    inode != look->memory->inode)
			continue;
		more = grow(look->mappings, look->nr_mappings, sizeof(*more));
		if (!more) {
			rc = -ENOMEM;
			break;
		}
		more[look->nr_mappings++] = mapping;
		look->mappings = more;
		look->process.mapped += mapping.end - mapping.start;
	}
	free(line);
	fclose(file);
	return rc;
}

/* Record the parts of an io_uring buffer that are in mappings of the gmem fd. */
static int look_buffer(struct look *look, uint64_t start, uint64_t length)
{
	struct who_process *process = &look->process;

	for (size_t i = 0; i < look->nr_mappings; i++) {
		const struct mapping *m = &look->mappings[i];
		uint64_t first = start > m->start ? start : m->start;
		uint64_t end = start + length < m->end ? start + length : m->end;
		struct who_span *more;

		if (first >= end)
			continue;
		more = grow(process->buffers, process->nr_buffers, sizeof(*more));
		if (!more)
			return -ENOMEM;
		more[process->nr_buffers++] = (struct who_span){
			.offset = m->offset + (first - m->start),
			.length = end - first,
		};
		process->buffers = more;
	}
	return 0;
}

/*
 * "UserBufs:\t1\n", then "%5u: 0x%llx/%u\n" for each: io_uring/fdinfo.c of Linux. Return: 1
 * if the list was complete; 0 if the kernel has left buffers out, as it does for a busy ring.
 */
static int uring_read(struct look *look, FILE *file)
{
	uint64_t start, length;
	bool inside = false, seen = false;
	unsigned long expected = 0;
	char *line = NULL;
	size_t size = 0;
	int rc = 0;

	while (!rc && getline(&line, &size, file) > 0) {
		if (!isspace((unsigned char)line[0])) {
			inside = sscanf(line, "UserBufs: %lu", &expected) == 1;
			seen |= inside;
		} else if (inside && sscanf(line, " %*u: 0x%" SCNx64 "/%" SCNu64, &start,
					    &length) == 2) {
			rc = look_buffer(look, start, length);
			expected -= !!expected;
		}
	}
	free(line);
	return rc ? rc : seen && !expected;
}

static int look_uring(struct look *look, const char *fd)
{
	size_t before = look->process.nr_buffers;
	char name[NAME_SIZE];
	FILE *file;
	int rc = 0;

	snprintf(name, sizeof(name), "fdinfo/%s", fd);
	for (int tries = 0; !rc && tries < URING_TRIES; tries++) {
		file = file_open(look->folder, name);
		if (!file)
			return errno == ENOENT ? 0 : -errno;
		look->process.nr_buffers = before;
		rc = uring_read(look, file);
		fclose(file);
		if (!rc)
			usleep(1000);
	}
	look->process.busy_rings += !rc;
	return rc < 0 ? rc : 0;
}

/* Count each pipe once, even if the process has both ends. */
static int look_pipe(struct look *look, const char *name, ino_t inode)
{
	int bytes = 0, fd;
	ino_t *more;

	for (size_t i = 0; i < look->nr_pipes; i++) {
		if (look->pipes[i] == inode)
			return 0;
	}
	more = grow(look->pipes, look->nr_pipes, sizeof(*more));
	if (!more)
		return -ENOMEM;
	more[look->nr_pipes++] = inode;
	look->pipes = more;

	fd = who_open(look->folder, name, S_IFIFO);
	if (fd < 0)
		return 0;
	if (!ioctl(fd, FIONREAD, &bytes) && bytes > 0) {
		look->process.pipes++;
		look->process.pipe_bytes += (uint64_t)bytes;
	}
	close(fd);
	return 0;
}

/* Count an fd of the memory. Other files are skipped by name. */
static int look_fd_memory(int folder, const char *name, const char *link, void *data)
{
	struct look *look = data;
	struct statx st;

	/* Use cached attributes, as in who_open() */
	if (!strncmp(link, GMEM_LINK, strlen(GMEM_LINK)) &&
	    !statx(folder, name, AT_STATX_DONT_SYNC, STATX_INO, &st) &&
	    makedev(st.stx_dev_major, st.stx_dev_minor) == look->memory->device &&
	    st.stx_ino == look->memory->inode)
		look->process.fds++;
	return 0;
}

static int look_fd_holder(int folder, const char *name, const char *link, void *data)
{
	struct look *look = data;
	unsigned long inode;

	if (!strcmp(link, "anon_inode:[io_uring]"))
		return look_uring(look, name + strlen("fd/"));
	if (sscanf(link, "pipe:[%lu]", &inode) == 1)
		return look_pipe(look, name, inode);
	for (size_t i = 0; i < sizeof(device_links) / sizeof(device_links[0]); i++) {
		if (!strncmp(link, device_links[i].link, strlen(device_links[i].link)))
			look->process.devices[device_links[i].device]++;
	}
	return 0;
}

/* Return: 1 if the process uses the memory, 0 if not or if it has ended, or -errno. */
static int look_at(struct look *look)
{
	int rc = look_maps(look);
	char line[128];
	FILE *file;

	if (!rc)
		rc = who_each_fd(look->folder, look_fd_memory, look);
	/* A process without an fd or a mapping of it is not searched further. */
	if (!rc && !look->process.fds && !look->nr_mappings)
		return 0;
	if (!rc)
		rc = who_each_fd(look->folder, look_fd_holder, look);
	if (rc)
		return rc == -ENOENT || rc == -ESRCH ? 0 : rc;
	file = file_open(look->folder, "status");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "VmPin: %" SCNu64, &look->process.pinned_kib);
	if (file)
		fclose(file);
	return 1;
}

/* Arguments and results of who_processes(). */
struct search {
	const struct who_memory *memory;
	struct who_process *processes;
	size_t count;
};

static int process_visit(int folder, pid_t pid, void *data)
{
	struct search *search = data;
	struct look look = {
		.folder = folder, .memory = search->memory, .process.pid = pid,
	};
	struct who_process *more;
	int rc = look_at(&look);

	if (rc > 0) {
		who_command(folder, look.process.command);
		more = grow(search->processes, search->count, sizeof(*more));
		rc = more ? 0 : -ENOMEM;
		if (more) {
			more[search->count++] = look.process;
			look.process.buffers = NULL;
			search->processes = more;
		}
	}
	free(look.process.buffers);
	free(look.mappings);
	free(look.pipes);
	return rc;
}

int who_processes(const char *proc, const struct who_memory *memory, struct who_process **processes,
		  size_t *count, unsigned int *unseen, struct error *error)
{
	struct search search = { .memory = memory };
	int rc = who_each_process(proc, process_visit, &search, unseen, error);

	if (rc) {
		who_processes_free(search.processes, search.count);
		search = (struct search){ 0 };
	}
	*processes = search.processes;
	*count = search.count;
	return rc;
}

void who_processes_free(struct who_process *processes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(processes[i].buffers);
	free(processes);
}

pid_t who_thread_process(const char *proc, pid_t thread)
{
	char path[PATH_MAX], line[128];
	int pid = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%d/status", proc, (int)thread);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Tgid:\t%d", &pid) == 1)
			break;
	}
	if (file)
		fclose(file);
	return pid > 0 ? pid : 0;
}
