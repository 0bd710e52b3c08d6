/* SPDX-License-Identifier: GPL-2.0 */
/* Processes that map the memory of a VM. A thread for each shares the memory with it. */
#ifndef GMEMCTL_MACHINE_REMOTES_H
#define GMEMCTL_MACHINE_REMOTES_H

#include <pthread.h>
#include <stdbool.h>

#include "../base/error.h"

/** REMOTES_MAX: largest number of remotes at the same time */
#define REMOTES_MAX 4

/** typedef remote_tell_fn - share the memory by @socket; not 0 ends the connection */
typedef int (*remote_tell_fn)(int socket, void *data);

/**
 * struct remote - another process
 * @socket: socket to it; 0: this entry is free
 * @tell: shares the memory, called with @data
 * @thread: calls @tell
 * @busy: the thread has not ended; changed atomically
 */
struct remote {
	int socket;
	remote_tell_fn tell;
	void *data;
	pthread_t thread;
	bool busy;
};

/**
 * struct remotes - the remotes of a VM; initialised to zero
 * @lock: protects @all
 */
struct remotes {
	pthread_mutex_t lock;
	struct remote all[REMOTES_MAX];
};

/**
 * remotes_add() - share the memory with the process that listens at @channel
 *
 * Return: 0: the result will be sent to this process; -EBUSY if there are too many; another
 * negative errno.
 */
int remotes_add(struct remotes *remotes, const char *channel, remote_tell_fn tell,
		void *data, struct error *error);

/** remotes_drop() - stop sharing the memory; does not wait for the threads */
void remotes_drop(struct remotes *remotes);

/** remotes_stop() - stop sharing the memory, and wait until all threads have ended */
void remotes_stop(struct remotes *remotes);

#endif /* GMEMCTL_MACHINE_REMOTES_H */
