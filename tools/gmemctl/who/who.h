/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes that use guest memory: gmem fds of a process, and information of /proc about the
 * processes that have them. The kernel does not know the owners of references to a page. So
 * for most kinds of holders this finds possible holders only.
 */
#ifndef GMEMCTL_WHO_WHO_H
#define GMEMCTL_WHO_WHO_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/error.h"

/* The value of @proc below, except in tests */
#define PROC "/proc"

#define WHO_COMMAND_SIZE 32

/**
 * struct who_memory - a gmem fd of a process
 * @pid: process ID, or that of the first process that has it
 * @fd: the same file, opened for reading
 * @device, @inode: identify the file in /proc
 * @length: bytes
 * @name: as in /proc/PID/maps, without "(deleted)"
 * @command: the name of the process
 */
struct who_memory {
	pid_t pid;
	int fd;
	dev_t device;
	ino_t inode;
	uint64_t length;
	char name[64];
	char command[WHO_COMMAND_SIZE];
};

/**
 * who_memories() - the gmem fds of a process, each file once
 * @proc: "/proc"
 * @memories: out: of @count, for who_memories_free()
 *
 * Return: 0; -ESRCH, -EACCES, -ENOENT if it has none, -ENOMEM.
 */
int who_memories(const char *proc, pid_t pid, struct who_memory **memories, size_t *count,
		 struct error *error);

/**
 * who_all_memories() - the gmem fds of all processes that this one may inspect
 *
 * Return: 0, also if there are none; or a negative errno.
 */
int who_all_memories(const char *proc, struct who_memory **memories, size_t *count,
		     struct error *error);
void who_memories_free(struct who_memory *memories, size_t count);

/**
 * typedef who_process_fn, who_fd_fn - what is called for a process, and for an fd of it
 * @folder: an fd of /proc/PID
 * @name: of the fd, in @folder; @link: what it is a link to
 */
typedef int (*who_process_fn)(int folder, pid_t pid, void *data);
typedef int (*who_fd_fn)(int folder, const char *name, const char *link, void *data);

/**
 * who_each_process() - call @visit for each process but this one
 *
 * A process that has ended (-ESRCH of @visit) is skipped. One that must not be inspected
 * (-EACCES, -EPERM) is counted in @unseen.
 *
 * Return: 0, or another negative errno of @visit, which ends the walk.
 */
int who_each_process(const char *proc, who_process_fn visit, void *data, unsigned int *unseen,
		     struct error *error);

/**
 * who_each_fd() - call @visit for each fd of a process
 *
 * Return: 0; -ESRCH if it has gone; another negative errno; what @visit returned if not 0.
 */
int who_each_fd(int folder, who_fd_fn visit, void *data);

/**
 * who_open() - open a file of another process for reading, if it has the expected type
 * @folder, @name: as for openat()
 * @kind: S_IFREG or S_IFIFO. The other process can replace the file at any time, also by a
 *	device whose open() has side effects
 *
 * Return: an fd; -ENOTTY if it has another type; another negative errno.
 */
int who_open(int folder, const char *name, mode_t kind);

/** who_command() - the name of a process, of its comm; "?" if it has gone */
void who_command(int folder, char command[WHO_COMMAND_SIZE]);

/** who_thread_process() - process of a thread; 0 if it has ended */
pid_t who_thread_process(const char *proc, pid_t thread);

/* Files of a process that can hold pages */
enum who_device {
	WHO_VFIO,
	WHO_IOMMUFD,
	WHO_VHOST,
	WHO_INFINIBAND,
	WHO_AIO,
	WHO_DEVICES,
};

extern const char *const who_device_names[WHO_DEVICES];

/** struct who_span - a part of the memory, in bytes of the file */
struct who_span {
	uint64_t offset;
	uint64_t length;
};

/**
 * struct who_process - a process that has the memory
 * @pid: process ID
 * @command: name from /proc/PID/comm
 * @fds: number of its fds of the memory
 * @mapped: bytes of the memory that it has mapped
 * @pinned_kib: VmPin of /proc/PID/status: memory of any kind that it has pinned, without VFIO
 *	type 1
 * @pipes: number of pipes that are not empty
 * @pipe_bytes: bytes in these pipes
 * @devices: number of open files of each kind
 * @busy_rings: io_urings whose buffers could not be read, because they were busy
 * @buffers: parts of the memory with registered buffers of io_uring, @nr_buffers of them.
 *	They are found by their addresses and the current mappings
 */
struct who_process {
	pid_t pid;
	char command[WHO_COMMAND_SIZE];
	unsigned int fds;
	uint64_t mapped;
	uint64_t pinned_kib;
	unsigned int pipes;
	uint64_t pipe_bytes;
	unsigned int devices[WHO_DEVICES];
	unsigned int busy_rings;
	struct who_span *buffers;
	size_t nr_buffers;
};

/**
 * who_processes() - the processes that have the memory open or mapped
 * @unseen: out: number of processes that this one must not inspect
 * @processes: out: of @count, for who_processes_free()
 */
int who_processes(const char *proc, const struct who_memory *memory, struct who_process **processes,
		  size_t *count, unsigned int *unseen, struct error *error);
void who_processes_free(struct who_process *processes, size_t count);

#endif /* GMEMCTL_WHO_WHO_H */
