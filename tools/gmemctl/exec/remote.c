// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "../base/calls.h"
#include "../base/fdpass.h"
#include "../control/channel.h"
#include "../kvm/threads.h"
#include "../memory/remote.h"
#include "remote.h"
#include "slot.h"

#define REMOTES_MAX 4

/**
 * struct remote - one of them
 * @socket: to it; 0: there is none
 * @busy: a thread uses @socket; changed atomically
 */
static struct exec_remote {
	int socket;
	bool busy;
} remotes[REMOTES_MAX];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool remote_gone(const struct exec_remote *remote)
{
	char byte;

	return !__atomic_load_n(&remote->busy, __ATOMIC_ACQUIRE) &&
	       !recv(remote->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
}

static struct exec_remote *remote_place(void)
{
	for (unsigned int i = 0; i < REMOTES_MAX; i++) {
		struct exec_remote *remote = &remotes[i];

		if (remote->socket && remote_gone(remote)) {
			calls->close(remote->socket);
			remote->socket = 0;
		}
		if (!remote->socket)
			return remote;
	}
	return NULL;
}

static int say(int socket, enum remote_kind kind, struct range range,
	       uint64_t offset, int fd)
{
	struct remote_message message = {
		.magic = REMOTE_MAGIC,
		.kind = kind,
		.range = range,
		.offset = offset,
	};
	struct files files = { .fds = { fd }, .count = fd >= 0 };

	return files_send(socket, &message, sizeof(message), &files);
}

/* It maps what it is given before it answers. */
static int say_slot(int socket, const struct exec_slot *slot)
{
	struct range range = { slot->gpa, slot->gpa + slot->size };
	struct files none;
	int32_t rc;
	int failed;

	failed = say(socket, REMOTE_MAP, range, slot->offset, slot->memory->fd);
	if (!failed)
		failed = files_receive(socket, &rc, sizeof(rc), 0, &none);
	return failed ? failed : rc;
}

static uint64_t slots_end(const struct exec_vm *vm)
{
	uint64_t end = 0;

	for (unsigned int i = 0; i < vm->nr_slots; i++)
		if (vm->slots[i].gpa + vm->slots[i].size > end)
			end = vm->slots[i].gpa + vm->slots[i].size;
	return end;
}

static int say_all(int socket, const struct exec_vm *vm)
{
	struct range none = { 0, 0 };
	int rc = say(socket, REMOTE_START, (struct range){ 0, slots_end(vm) },
		     RANGE_PAGE_SIZE, -1);

	for (unsigned int i = 0; !rc && i < vm->nr_slots; i++)
		if (!exec_slot_space(&vm->slots[i]))
			rc = say_slot(socket, &vm->slots[i]);
	return rc ? rc : say(socket, REMOTE_READY, none, 0, -1);
}

static int remote_share(int socket)
{
	struct timeval timeout = { .tv_sec = REMOTE_TIMEOUT_MS / 1000 };
	struct exec_vm *vm = exec_vms_lock();
	int rc = 0;

	if (setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout,
		       sizeof(timeout)) ||
	    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &timeout,
		       sizeof(timeout)))
		rc = -errno;
	while (vm && !exec_vm_has_views(vm))
		vm = vm->next;
	if (!rc)
		rc = vm ? 0 : -ESHUTDOWN;
	if (!rc) {
		pthread_rwlock_rdlock(&vm->lock);
		rc = say_all(socket, vm);
		pthread_rwlock_unlock(&vm->lock);
	}
	exec_vms_unlock();
	return rc;
}

/* It answers only once it has the reply to its request: so there is a thread. */
static void *remote_main(void *data)
{
	struct exec_remote *remote = data;

	if (remote_share(remote->socket))
		shutdown(remote->socket, SHUT_RDWR);
	__atomic_store_n(&remote->busy, false, __ATOMIC_RELEASE);
	return NULL;
}

static int remote_connect(struct exec_remote *remote, const char *channel,
			  struct error *error)
{
	int socket = channel_connect(channel, error), rc;
	pthread_t thread;

	if (socket < 0)
		return socket;
	*remote = (struct exec_remote){ socket, true };
	rc = threads_start(&thread, remote_main, remote);
	if (!rc) {
		pthread_detach(thread);
		return 0;
	}
	calls->close(socket);
	remote->socket = 0;
	return error_set(error, rc, "VM", "share its memory",
			 "no thread for it");
}

int exec_remote_add(const char *channel, struct error *error)
{
	struct exec_remote *remote;
	int rc;

	pthread_mutex_lock(&lock);
	remote = remote_place();
	rc = remote ? remote_connect(remote, channel, error) :
	     error_set(error, -EBUSY, "VM", "share its memory",
		       "at most %d processes at a time have it", REMOTES_MAX);
	pthread_mutex_unlock(&lock);
	return rc;
}

/* The descriptor stays until its thread is done with it. */
void exec_remotes_drop(void)
{
	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < REMOTES_MAX; i++)
		if (remotes[i].socket)
			shutdown(remotes[i].socket, SHUT_RDWR);
	pthread_mutex_unlock(&lock);
}
