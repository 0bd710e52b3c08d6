// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "../base/calls.h"
#include "../control/control.h"
#include "../kvm/threads.h"
#include "remotes.h"

/* A thread, because the other process answers only after the reply to its request. */
static void *remote_main(void *data)
{
	struct remote *remote = data;

	if (remote->tell(remote->socket, remote->data))
		shutdown(remote->socket, SHUT_RDWR);
	__atomic_store_n(&remote->busy, false, __ATOMIC_RELEASE);
	return NULL;
}

static void remote_close(struct remote *remote)
{
	if (!remote->socket)
		return;
	pthread_join(remote->thread, NULL);
	calls->close(remote->socket);
	remote->socket = 0;
}

/* Whether the other side has closed the connection, or remotes_drop() has shut it down. */
static bool has_ended(const struct remote *remote)
{
	struct pollfd end = { .fd = remote->socket, .events = POLLRDHUP };

	return !__atomic_load_n(&remote->busy, __ATOMIC_ACQUIRE) && poll(&end, 1, 0) > 0;
}

/* Return: a free place, or that of a connection that has ended; NULL: none. */
static struct remote *find_place(struct remotes *remotes)
{
	for (unsigned int i = 0; i < REMOTES_MAX; i++) {
		struct remote *remote = &remotes->all[i];

		if (remote->socket && has_ended(remote))
			remote_close(remote);
		if (!remote->socket)
			return remote;
	}
	return NULL;
}

static int remote_add(struct remotes *remotes, const char *channel, remote_tell_fn tell,
		      void *data, struct error *error)
{
	struct remote *remote = find_place(remotes);
	int socket, rc;

	if (!remote)
		return error_set(error, -EBUSY, "VM", "share its memory",
				 "at most %d processes at a time have it", REMOTES_MAX);
	socket = channel_connect(channel, error);
	if (socket < 0)
		return socket;
	*remote = (struct remote){ socket, tell, data, .busy = true };
	rc = threads_start(&remote->thread, remote_main, remote);
	if (!rc)
		return 0;
	calls->close(socket);
	remote->socket = 0;
	return error_set(error, rc, "VM", "share its memory", "no thread for it");
}

int remotes_add(struct remotes *remotes, const char *channel, remote_tell_fn tell,
		void *data, struct error *error)
{
	int rc;

	pthread_mutex_lock(&remotes->lock);
	rc = remote_add(remotes, channel, tell, data, error);
	pthread_mutex_unlock(&remotes->lock);
	return rc;
}

/* Only shut connections down. Their threads may still use the descriptors. */
void remotes_drop(struct remotes *remotes)
{
	pthread_mutex_lock(&remotes->lock);
	for (unsigned int i = 0; i < REMOTES_MAX; i++)
		if (remotes->all[i].socket)
			shutdown(remotes->all[i].socket, SHUT_RDWR);
	pthread_mutex_unlock(&remotes->lock);
}

void remotes_stop(struct remotes *remotes)
{
	remotes_drop(remotes);
	for (unsigned int i = 0; i < REMOTES_MAX; i++)
		remote_close(&remotes->all[i]);
}
