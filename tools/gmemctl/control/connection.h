/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VM's end of a connection: what has come of a request, and what has not
 * been sent yet of a reply. Nothing here waits. As long as a reply has not been
 * sent nothing is read, so that a client that does not read its replies gets no
 * further ones, and costs no more than what is in here. Descriptors that a client
 * sends along are closed by the kernel, unseen.
 */
#ifndef GMEMCTL_CONTROL_CONNECTION_H
#define GMEMCTL_CONTROL_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

#include "../base/error.h"
#include "message.h"

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

#endif /* GMEMCTL_CONTROL_CONNECTION_H */
