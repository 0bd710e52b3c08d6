// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"

void connection_open(struct connection *connection, int fd, uint64_t now_ns)
{
	memset(connection, 0, sizeof(*connection));
	connection->fd = fd;
	connection->heard_ns = now_ns;
}

void connection_close(struct connection *connection)
{
	close(connection->fd);
	free(connection->reply);
	connection->reply = NULL;
	connection->fd = -1;
}

static void reply_set(struct connection *connection, struct json_object *reply)
{
	const char *text = json_object_to_json_string_ext(reply,
						JSON_C_TO_STRING_PLAIN);
	size_t size = text ? strlen(text) : 0;

	connection->reply = text ? malloc(size + 1) : NULL;
	if (connection->reply) {
		memcpy(connection->reply, text, size);
		connection->reply[size] = '\n';
		connection->reply_size = size + 1;
		connection->sent = 0;
	} else {
		connection_close(connection);
	}
	json_object_put(reply);
}

static int serve_line(const char *line, size_t length, server_fn serve,
		      void *data, struct json_object **result,
		      struct error *error)
{
	struct json_object *request;
	const char *command;
	int rc = message_parse(line, length, &request, error);

	if (rc)
		return rc;
	command = message_command(request);
	if (command)
		rc = serve(data, command, request, result, error);
	else
		rc = error_set(error, -EINVAL, "command",
			       "read from the request",
			       "a string, such as \"stat\"");
	json_object_put(request);
	return rc;
}

/* The first line of what has come, if there is a whole one. */
static void request_serve(struct connection *connection, uint64_t now_ns,
			  server_fn serve, void *data)
{
	char *end = memchr(connection->request, '\n', connection->used);
	struct json_object *result = NULL;
	struct error error;
	size_t length;

	if (!end)
		return;
	length = (size_t)(end - connection->request);
	connection->heard_ns = now_ns;
	if (serve_line(connection->request, length, serve, data, &result,
		       &error))
		reply_set(connection, message_error(&error));
	else
		reply_set(connection, message_result(result));
	connection->used -= length + 1;
	memmove(connection->request, end + 1, connection->used);
}

static void reply_send(struct connection *connection)
{
	ssize_t sent = send(connection->fd,
			    connection->reply + connection->sent,
			    connection->reply_size - connection->sent,
			    MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		connection_close(connection);
	if (sent <= 0)
		return;
	connection->sent += (size_t)sent;
	if (connection->sent < connection->reply_size)
		return;
	free(connection->reply);
	connection->reply = NULL;
	if (connection->closing)
		connection_close(connection);
}

static void request_receive(struct connection *connection)
{
	ssize_t got = recv(connection->fd,
			   connection->request + connection->used,
			   sizeof(connection->request) - connection->used, 0);
	struct error error;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		connection_close(connection);
		return;
	}
	connection->used += (size_t)got;
	if (connection->used < sizeof(connection->request) ||
	    memchr(connection->request, '\n', connection->used))
		return;
	error_set(&error, -EMSGSIZE, "request", "receive",
		  "at most %d bytes with the end of line", MESSAGE_REQUEST_MAX);
	connection->closing = true;
	connection->used = 0;
	reply_set(connection, message_error(&error));
}

bool connection_ready(const struct connection *connection)
{
	return connection->fd >= 0 && !connection->reply &&
	       memchr(connection->request, '\n', connection->used);
}

short connection_events(const struct connection *connection)
{
	if (connection->reply)
		return POLLOUT;
	/* What has come is served before more is read. */
	return connection->used == sizeof(connection->request) ? 0 : POLLIN;
}

void connection_step(struct connection *connection, short events,
		     uint64_t now_ns, server_fn serve, void *data)
{
	if (events & (POLLERR | POLLNVAL)) {
		connection_close(connection);
		return;
	}
	if (connection->reply) {
		reply_send(connection);
		return;
	}
	/* What has come already is served also to one that sends no more. */
	if (!connection_ready(connection) && events & (POLLIN | POLLHUP))
		request_receive(connection);
	if (connection->fd >= 0 && !connection->reply)
		request_serve(connection, now_ns, serve, data);
	if (connection->fd >= 0 && connection->reply)
		reply_send(connection);
}
