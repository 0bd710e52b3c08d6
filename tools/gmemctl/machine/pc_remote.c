// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <poll.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../control/channel.h"
#include "pc_remote.h"
#include "threads.h"

/* It says nothing but answers, which this thread must not take from others. */
static void wait_for_end(int socket)
{
	struct pollfd end = { .fd = socket, .events = POLLRDHUP };

	while (poll(&end, 1, -1) < 0 && errno == EINTR)
		;
}

static void *remote_main(void *data)
{
	struct pc_remote *remote = data;

	if (!remote_start(&remote->remote, remote->memory, remote->socket,
			  NULL)) {
		wait_for_end(remote->socket);
		remote_stop(&remote->remote);
	}
	shutdown(remote->socket, SHUT_RDWR);
	__atomic_store_n(&remote->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void remote_join(struct pc_remote *remote)
{
	pthread_join(remote->thread, NULL);
	close(remote->socket);
	remote->used = false;
}

/* A place that is free, or of one that has gone. */
static struct pc_remote *find_place(struct pc_remotes *remotes)
{
	for (unsigned int i = 0; i < PC_REMOTES_MAX; i++) {
		struct pc_remote *remote = &remotes->all[i];

		if (remote->used &&
		    __atomic_load_n(&remote->done, __ATOMIC_ACQUIRE))
			remote_join(remote);
		if (!remote->used)
			return remote;
	}
	return NULL;
}

int pc_remotes_add(struct pc_remotes *remotes, struct guest_memory *memory,
		   const char *channel, struct error *error)
{
	struct pc_remote *remote = find_place(remotes);
	int rc;

	if (!remote)
		return error_set(error, -EBUSY, "VM", "share its memory",
				 "at most %d processes at a time have it",
				 PC_REMOTES_MAX);
	*remote = (struct pc_remote){ .memory = memory };
	remote->socket = channel_connect(channel, error);
	if (remote->socket < 0)
		return remote->socket;
	rc = threads_start(&remote->thread, remote_main, remote);
	if (rc) {
		close(remote->socket);
		return error_set(error, rc, "VM", "share its memory",
				 "no thread for it");
	}
	remote->used = true;
	return 0;
}

void pc_remotes_stop(struct pc_remotes *remotes)
{
	for (unsigned int i = 0; i < PC_REMOTES_MAX; i++) {
		if (!remotes->all[i].used)
			continue;
		shutdown(remotes->all[i].socket, SHUT_RDWR);
		remote_join(&remotes->all[i]);
	}
}
