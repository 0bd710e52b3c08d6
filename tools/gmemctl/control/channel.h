/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A connection from a VM back to the process that has asked it for something that
 * takes long, or that needs files: the control socket is not kept waiting. The
 * process listens in the runtime directory and says where in its request.
 */
#ifndef GMEMCTL_CONTROL_CHANNEL_H
#define GMEMCTL_CONTROL_CHANNEL_H

#include "../base/error.h"
#include "runtime.h"

/**
 * struct channel - a socket that waits for one VM
 * @name: to be said in the request
 * @path: of the socket, mode 0600
 * @fd: the listening socket, or -1
 */
struct channel {
	char name[RUNTIME_NAME_MAX];
	char path[RUNTIME_PATH_MAX];
	int fd;
};

/** channel_listen() - create the socket */
int channel_listen(struct channel *channel, struct error *error);
void channel_close(struct channel *channel);

/**
 * channel_accept() - wait for the VM
 * @timeout_ms: for how long
 *
 * Only this user's processes and root's are let in.
 *
 * Return: the connection; -ETIMEDOUT; another negative errno.
 */
int channel_accept(struct channel *channel, int timeout_ms, struct error *error);

/**
 * channel_connect() - the VM's side
 * @name: as somebody has said it in a request
 *
 * Return: the connection; -EPERM if the socket is another user's.
 */
int channel_connect(const char *name, struct error *error);

/** channel_send_file() - give the other side a file to work with */
int channel_send_file(int socket, int fd);

/** channel_receive_file() - Return: the fd; -ETIMEDOUT; -EBADMSG; -EPIPE. */
int channel_receive_file(int socket);

/** channel_send_result() - say how it went: 0, or an error with what it says */
int channel_send_result(int socket, int rc, const struct error *error);

/**
 * channel_wait_result() - wait for that
 * @cancel_fd: readable: wait no longer; -1: there is none
 * @timeout_ms: for how long; -1: for as long as the other side lives
 *
 * Return: 0; what the other side says; -EPIPE if it has died, -EINTR, -ETIMEDOUT.
 */
int channel_wait_result(int socket, int cancel_fd, int timeout_ms, struct error *error);

#endif /* GMEMCTL_CONTROL_CHANNEL_H */
