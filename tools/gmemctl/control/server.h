/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VM's side of its control socket: one thread, a few clients at a time. It
 * never waits for a client. The one that has been silent longest has to go when
 * another comes. Whoever asks is this user or root, so nobody is held back.
 */
#ifndef GMEMCTL_CONTROL_SERVER_H
#define GMEMCTL_CONTROL_SERVER_H

#include <json-c/json.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/error.h"
#include "message.h"
#include "runtime.h"

/**
 * typedef server_fn - serve a request
 *
 * Return: 0 with @result set, which may stay NULL; a negative errno with @error
 * set.
 */
typedef int (*server_fn)(void *data, const char *command, struct json_object *request,
			 struct json_object **result, struct error *error);

/**
 * struct connection - a client
 * @fd: not blocking, or -1: there is none
 * @heard_ns: when it was accepted, or its last request was served
 * @closing: no more requests; the connection ends with the reply
 * @used: bytes in @request
 * @request: what has come of a request
 * @reply: what has not been sent yet, or NULL
 * @sent: bytes of @reply that were
 * @reply_size: bytes of @reply
 */
struct connection {
	int fd;
	uint64_t heard_ns;
	bool closing;
	size_t used;
	char request[MESSAGE_REQUEST_MAX];
	char *reply;
	size_t sent;
	size_t reply_size;
};

/** connection_open() - @fd belongs to it from now on */
void connection_open(struct connection *connection, int fd, uint64_t now_ns);
void connection_close(struct connection *connection);

/** connection_events() - of poll(), to wait for */
short connection_events(const struct connection *connection);

/** connection_ready() - whether there is a request that need not be waited for */
bool connection_ready(const struct connection *connection);

/**
 * connection_step() - serve one request at most
 * @events: of poll()
 *
 * The rest of a reply comes before the next request. The connection may be
 * closed afterwards.
 */
void connection_step(struct connection *connection, short events,
		     uint64_t now_ns, server_fn serve, void *data);

#define SERVER_CLIENTS_MAX	8
#define SERVER_GRACE_MS		100	/* time that a client has to be heard */

/**
 * struct server - a control socket
 * @serve: see there
 * @data: for @serve
 * @name: of the VM
 * @lock_fd: file whose lock says that the name is taken
 * @fd: the listening socket
 * @stop_fd: eventfd: it is time to stop
 * @path: of the socket
 * @started: there is a thread
 * @thread: the one that serves
 * @accept_ns: nobody is accepted before
 * @clients: see there
 */
struct server {
	server_fn serve;
	void *data;
	const char *name;
	int lock_fd;
	int fd;
	int stop_fd;
	char path[RUNTIME_PATH_MAX];
	bool started;
	pthread_t thread;
	uint64_t accept_ns;
	struct connection clients[SERVER_CLIENTS_MAX];
};

/**
 * server_start() - create the socket of @name and serve it
 *
 * @name and @data have to outlive it. What a VM that has died has left there is
 * removed.
 *
 * Return: 0; -EEXIST if a VM of that name runs; another negative errno.
 */
int server_start(struct server *server, const char *name, server_fn serve,
		 void *data, struct error *error);

/** server_stop() - remove it; nothing if it was not started */
void server_stop(struct server *server);

#endif /* GMEMCTL_CONTROL_SERVER_H */
