/* SPDX-License-Identifier: GPL-2.0 */
/* Other processes that have the memory of a VM mapped, each told of it by a thread. */
#ifndef GMEMCTL_MACHINE_REMOTES_H
#define GMEMCTL_MACHINE_REMOTES_H

#include <pthread.h>
#include <stdbool.h>

#include "../base/error.h"

/** REMOTES_MAX: so many at a time */
#define REMOTES_MAX 4

/** typedef remote_tell_fn - share the memory by @socket; not 0 ends the connection */
typedef int (*remote_tell_fn)(int socket, void *data);

/**
 * struct remote - one of them
 * @socket: to it; 0: there is none
 * @tell: see there, with @data
 * @thread: calls it
 * @busy: and has not ended; changed atomically
 */
struct remote {
	int socket;
	remote_tell_fn tell;
	void *data;
	pthread_t thread;
	bool busy;
};

/**
 * struct remotes - those of a VM; all zero: none
 * @lock: protects @all
 */
struct remotes {
	pthread_mutex_t lock;
	struct remote all[REMOTES_MAX];
};

/**
 * remotes_add() - share the memory with who listens at @channel
 *
 * Return: 0: it will be told soon, also why not; -EBUSY; another negative errno.
 */
int remotes_add(struct remotes *remotes, const char *channel, remote_tell_fn tell,
		void *data, struct error *error);

/** remotes_drop() - share memory with none of them any more; waits for nobody */
void remotes_drop(struct remotes *remotes);

/** remotes_stop() - the same, and no thread is there any more */
void remotes_stop(struct remotes *remotes);

#endif /* GMEMCTL_MACHINE_REMOTES_H */
