// SPDX-License-Identifier: GPL-2.0
/* The control socket: its clients, and the thread that serves them. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../kvm/threads.h"
#include "control.h"

#define NS_PER_MS UINT64_C(1000000)

/**
 * struct server_poll - arguments of poll() for one turn
 * @fds: the clients, then the listening socket, then stop_fd
 * @timeout_ms: timeout; -1: none
 */
struct server_poll {
	struct pollfd fds[SERVER_CLIENTS_MAX + 2];
	int timeout_ms;
};

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
	const char *text = json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN);
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

/* Serve the first line of the received data, if it is complete. */
static void request_serve(struct connection *connection, uint64_t now_ns,
			  server_fn serve, void *data)
{
	char *end = memchr(connection->request, '\n', connection->used);
	struct json_object *request, *result = NULL;
	const char *command;
	struct error error;
	size_t length;
	int rc;

	if (!end)
		return;
	length = (size_t)(end - connection->request);
	connection->heard_ns = now_ns;
	rc = message_parse(connection->request, length, &request, &error);
	if (!rc) {
		command = message_command(request);
		rc = command ? serve(data, command, request, &result, &error) :
		     error_set(&error, -EINVAL, "command", "read from the request",
			       "a string, such as \"stat\"");
		json_object_put(request);
	}
	reply_set(connection, rc ? message_error(&error) : message_result(result));
	connection->used -= length + 1;
	memmove(connection->request, end + 1, connection->used);
}

static void reply_send(struct connection *connection)
{
	ssize_t sent = send(connection->fd, connection->reply + connection->sent,
			    connection->reply_size - connection->sent, MSG_NOSIGNAL);

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
	ssize_t got = recv(connection->fd, connection->request + connection->used,
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
	/* If the buffer is full, serve its requests before more is read. */
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
	/* Requests that were received are served even if the client has hung up. */
	if (!connection_ready(connection) && events & (POLLIN | POLLHUP))
		request_receive(connection);
	if (connection->fd >= 0 && !connection->reply)
		request_serve(connection, now_ns, serve, data);
	if (connection->fd >= 0 && connection->reply)
		reply_send(connection);
}

static uint64_t ms_left(uint64_t then_ns, uint64_t now_ns)
{
	return then_ns > now_ns ? (then_ns - now_ns) / NS_PER_MS + 1 : 0;
}

/*
 * A free place, or that of the client that is silent for the longest time: clients that
 * hang must not block a `stop`. server_full() gives each client time before that.
 */
static struct connection *server_place(struct server *server)
{
	struct connection *oldest = &server->clients[0];

	for (unsigned int i = 0; i < SERVER_CLIENTS_MAX; i++) {
		struct connection *client = &server->clients[i];

		if (client->fd < 0)
			return client;
		if (client->heard_ns < oldest->heard_ns)
			oldest = client;
	}
	return oldest;
}

/* Return: ms until another client can be accepted; 0: now. */
static uint64_t server_full(struct server *server, uint64_t now_ns)
{
	const struct connection *place = server_place(server);
	uint64_t wait = ms_left(server->accept_ns, now_ns), left;

	if (place->fd < 0)
		return wait;
	left = ms_left(place->heard_ns + SERVER_GRACE_MS * NS_PER_MS, now_ns);
	return left > wait ? left : wait;
}

static void server_accept(struct server *server, uint64_t now_ns)
{
	struct connection *place = server_place(server);
	int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		/* Wait: without a free descriptor, poll() and accept4() would spin. */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			server->accept_ns = now_ns + SERVER_GRACE_MS * NS_PER_MS;
		return;
	}
	if (!runtime_peer_allowed(fd)) {
		close(fd);
		return;
	}
	if (place->fd >= 0)
		connection_close(place);
	connection_open(place, fd, now_ns);
}

static void server_poll_set(struct server *server, struct server_poll *set)
{
	uint64_t full = server_full(server, clock_now_ns());
	bool ready = false;

	for (unsigned int i = 0; i < SERVER_CLIENTS_MAX; i++) {
		const struct connection *client = &server->clients[i];

		set->fds[i] = (struct pollfd){
			client->fd, connection_events(client), 0 };
		ready |= connection_ready(client);
	}
	set->fds[SERVER_CLIENTS_MAX] = (struct pollfd){
		full ? -1 : server->fd, POLLIN, 0 };
	set->fds[SERVER_CLIENTS_MAX + 1] = (struct pollfd){
		server->stop_fd, POLLIN, 0 };
	set->timeout_ms = ready ? 0 : full ? (int)full : -1;
}

static void *server_main(void *data)
{
	struct server *server = data;
	struct server_poll set;

	while (true) {
		uint64_t now_ns;

		server_poll_set(server, &set);
		if (poll(set.fds, SERVER_CLIENTS_MAX + 2, set.timeout_ms) < 0) {
			/* No memory, or a very low RLIMIT_NOFILE */
			if (errno != EINTR)
				usleep(SERVER_GRACE_MS * 1000);
			continue;
		}
		if (set.fds[SERVER_CLIENTS_MAX + 1].revents)
			return NULL;
		now_ns = clock_now_ns();
		for (unsigned int i = 0; i < SERVER_CLIENTS_MAX; i++)
			if (set.fds[i].revents || connection_ready(&server->clients[i]))
				connection_step(&server->clients[i], set.fds[i].revents, now_ns,
						server->serve, server->data);
		if (set.fds[SERVER_CLIENTS_MAX].revents)
			server_accept(server, now_ns);
	}
}

static void server_close(struct server *server)
{
	for (unsigned int i = 0; i < SERVER_CLIENTS_MAX; i++)
		if (server->clients[i].fd >= 0)
			connection_close(&server->clients[i]);
	if (server->stop_fd >= 0)
		close(server->stop_fd);
	if (server->fd >= 0) {
		unlink(server->path);
		close(server->fd);
	}
	if (server->lock_fd >= 0)
		runtime_unlock(server->name, server->lock_fd);
	server->fd = -1;
	server->stop_fd = -1;
	server->lock_fd = -1;
}

int server_start(struct server *server, const char *name, server_fn serve,
		 void *data, struct error *error)
{
	int rc;

	memset(server, 0, sizeof(*server));
	server->serve = serve;
	server->data = data;
	server->name = name;
	server->lock_fd = -1;
	server->fd = -1;
	server->stop_fd = -1;
	for (unsigned int i = 0; i < SERVER_CLIENTS_MAX; i++)
		server->clients[i].fd = -1;
	rc = runtime_prepare(error);
	if (!rc)
		rc = runtime_path(name, NULL, server->path, error);
	if (rc)
		return rc;
	server->lock_fd = runtime_lock(name, error);
	if (server->lock_fd < 0)
		return server->lock_fd;
	server->fd = runtime_listen(server->path, SERVER_CLIENTS_MAX, error);
	if (server->fd < 0) {
		rc = server->fd;
		goto out_close;
	}
	server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->stop_fd < 0) {
		rc = error_set(error, -errno, "eventfd", "create", NULL);
		goto out_close;
	}
	rc = threads_start(&server->thread, server_main, server);
	if (!rc) {
		server->started = true;
		return 0;
	}
	error_set(error, rc, "control socket", "start a thread", NULL);
out_close:
	server_close(server);
	return rc;
}

void server_stop(struct server *server)
{
	uint64_t one = 1;

	if (!server->started)
		return;
	server->started = false;
	/* Only a signal can interrupt write(): the counter of the eventfd is not full. */
	while (write(server->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_join(server->thread, NULL);
	server_close(server);
}
