/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VM's side of its control socket: one thread, a few clients at a time. It
 * never waits for a client: one that does not read its reply gets no further
 * one, and the one that has been silent longest has to go when another comes.
 */
#ifndef GMEMCTL_CONTROL_SERVER_H
#define GMEMCTL_CONTROL_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

#include "../kvm/error.h"
#include "message.h"
#include "runtime.h"

#define SERVER_CLIENTS_MAX 8

/**
 * typedef server_fn - serve a request
 *
 * Return: 0 with @result set, which may stay NULL; a negative errno with @error
 * set.
 */
typedef int (*server_fn)(void *data, const char *command,
			 struct json_object *request,
			 struct json_object **result, struct error *error);

/**
 * struct server_client - one client
 * @fd: its connection, or -1: free
 * @turn: when it was last heard, in requests of all
 * @closing: no more requests; the connection ends with the reply
 * @used: bytes in @request
 * @request: what has come of a request
 * @reply: what has not been sent yet, or NULL
 * @sent: bytes of @reply that were
 * @reply_size: bytes of @reply
 */
struct server_client {
	int fd;
	uint64_t turn;
	bool closing;
	size_t used;
	char request[MESSAGE_REQUEST_MAX];
	char *reply;
	size_t sent;
	size_t reply_size;
};

/**
 * struct server - a control socket
 * @serve: see there
 * @data: for @serve
 * @lock_fd: file whose lock says that the name is taken
 * @fd: the listening socket
 * @stop_fd: eventfd: it is time to stop
 * @path: of the socket
 * @lock_path: of the file with the lock
 * @started: there is a thread
 * @thread: the one that serves
 * @turns: requests so far
 * @clients: see there
 */
struct server {
	server_fn serve;
	void *data;
	int lock_fd;
	int fd;
	int stop_fd;
	char path[RUNTIME_PATH_MAX];
	char lock_path[RUNTIME_PATH_MAX];
	bool started;
	pthread_t thread;
	uint64_t turns;
	struct server_client clients[SERVER_CLIENTS_MAX];
};

/**
 * server_start() - create the socket of @name and serve it
 *
 * What a VM that has died has left there is removed.
 *
 * Return: 0; -EEXIST if a VM of that name runs; another negative errno.
 */
int server_start(struct server *server, const char *name, server_fn serve,
		 void *data, struct error *error);

/** server_stop() - remove it; nothing if it was not started */
void server_stop(struct server *server);

#endif /* GMEMCTL_CONTROL_SERVER_H */
