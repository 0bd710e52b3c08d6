/* SPDX-License-Identifier: GPL-2.0 */
/* The processes that have the memory of a running PC mapped; see remote.h. */
#ifndef GMEMCTL_MACHINE_PC_REMOTE_H
#define GMEMCTL_MACHINE_PC_REMOTE_H

#include <pthread.h>
#include <stdbool.h>

#include "../base/error.h"
#include "../memory/remote.h"

/** PC_REMOTES_MAX: remotes at a time */
#define PC_REMOTES_MAX 4

/**
 * struct pc_remote - one of them
 * @memory: the PC's
 * @remote: see there
 * @socket: to it
 * @thread: starts it, and waits until it goes
 * @used: there is a thread
 * @done: the thread is about to end; changed atomically
 */
struct pc_remote {
	struct guest_memory *memory;
	struct remote remote;
	int socket;
	pthread_t thread;
	bool used;
	bool done;
};

/** struct pc_remotes - all of them; one thread at a time uses this */
struct pc_remotes {
	struct pc_remote all[PC_REMOTES_MAX];
};

/**
 * pc_remotes_add() - share memory with who listens at @channel
 *
 * Return: 0: it will be told soon, also why not; -EBUSY if there are too many;
 * another negative errno if nobody is there.
 */
int pc_remotes_add(struct pc_remotes *remotes, struct guest_memory *memory,
		   const char *channel, struct error *error);

/** pc_remotes_stop() - share memory with none of them any more */
void pc_remotes_stop(struct pc_remotes *remotes);

#endif /* GMEMCTL_MACHINE_PC_REMOTE_H */
