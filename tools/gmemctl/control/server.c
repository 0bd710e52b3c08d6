// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../machine/threads.h"
#include "server.h"

static void client_close(struct server_client *client)
{
	close(client->fd);
	free(client->reply);
	client->reply = NULL;
	client->fd = -1;
}

/* Only the user of this process, and root, who could do anything anyway. */
static bool peer_allowed(int fd)
{
	socklen_t size = sizeof(struct ucred);
	struct ucred peer;

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) &&
	       (!peer.uid || peer.uid == geteuid());
}

/* A free place, if need be that of the client silent for the longest time. */
static struct server_client *client_place(struct server *server)
{
	struct server_client *oldest = &server->clients[0];

	for (unsigned int i = 0; i < SERVER_CLIENTS_MAX; i++) {
		struct server_client *client = &server->clients[i];

		if (client->fd < 0)
			return client;
		if (client->turn < oldest->turn)
			oldest = client;
	}
	client_close(oldest);
	return oldest;
}

static void server_accept(struct server *server)
{
	int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct server_client *client;

	if (fd < 0)
		return;
	if (!peer_allowed(fd)) {
		close(fd);
		return;
	}
	client = client_place(server);
	memset(client, 0, sizeof(*client));
	client->fd = fd;
	client->turn = ++server->turns;
}

static void client_reply(struct server_client *client, struct json_object *reply)
{
	const char *text = json_object_to_json_string_ext(reply,
						JSON_C_TO_STRING_PLAIN);
	size_t size = text ? strlen(text) : 0;

	client->reply = text ? malloc(size + 1) : NULL;
	if (client->reply) {
		memcpy(client->reply, text, size);
		client->reply[size] = '\n';
		client->reply_size = size + 1;
		client->sent = 0;
	} else {
		client->closing = true;
	}
	json_object_put(reply);
}

static void client_refuse(struct server_client *client,
			  const struct error *error)
{
	client_reply(client, message_error(error));
}

static int serve_line(struct server *server, const char *line, size_t length,
		      struct json_object **result, struct error *error)
{
	struct json_object *request;
	const char *command;
	int rc = message_parse(line, length, &request, error);

	if (rc)
		return rc;
	command = message_command(request);
	if (command)
		rc = server->serve(server->data, command, request, result, error);
	else
		rc = error_set(error, -EINVAL, "command",
			       "read from the request", "a string");
	json_object_put(request);
	return rc;
}

/* The first line of what has come, if there is a whole one. */
static void client_serve(struct server *server, struct server_client *client)
{
	char *end = memchr(client->request, '\n', client->used);
	struct json_object *result = NULL;
	struct error error;
	size_t length;

	if (!end)
		return;
	length = (size_t)(end - client->request);
	client->turn = ++server->turns;
	if (serve_line(server, client->request, length, &result, &error))
		client_refuse(client, &error);
	else
		client_reply(client, message_result(result));
	client->used -= length + 1;
	memmove(client->request, end + 1, client->used);
}

static void client_send(struct server_client *client)
{
	ssize_t sent = send(client->fd, client->reply + client->sent,
			    client->reply_size - client->sent, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		client_close(client);
	if (sent <= 0)
		return;
	client->sent += (size_t)sent;
	if (client->sent < client->reply_size)
		return;
	free(client->reply);
	client->reply = NULL;
	if (client->closing)
		client_close(client);
}

static void client_receive(struct server_client *client)
{
	ssize_t got = recv(client->fd, client->request + client->used,
			   sizeof(client->request) - client->used, 0);
	struct error error;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		client_close(client);
		return;
	}
	client->used += (size_t)got;
	if (client->used < sizeof(client->request) ||
	    memchr(client->request, '\n', client->used))
		return;
	error_set(&error, -EMSGSIZE, "request", "receive",
		  "at most %d bytes with the end of line", MESSAGE_REQUEST_MAX);
	client->closing = true;
	client->used = 0;
	client_refuse(client, &error);
}

static bool client_has_line(const struct server_client *client)
{
	return client->fd >= 0 && !client->reply &&
	       memchr(client->request, '\n', client->used);
}

/* One step for a client: the rest of a reply comes before the next request. */
static void client_step(struct server *server, struct server_client *client,
			short events)
{
	if (events & (POLLERR | POLLNVAL)) {
		client_close(client);
		return;
	}
	if (client->reply) {
		client_send(client);
		return;
	}
	/* What has come already is served also to one that sends no more. */
	if (!client_has_line(client) && events & (POLLIN | POLLHUP))
		client_receive(client);
	if (client->fd >= 0 && !client->reply)
		client_serve(server, client);
	if (client->fd >= 0 && client->reply)
		client_send(client);
}

/* Return: whether a client need not be waited for. */
static bool server_poll_set(const struct server *server, struct pollfd *fds)
{
	bool ready = false;

	for (unsigned int i = 0; i < SERVER_CLIENTS_MAX; i++) {
		const struct server_client *client = &server->clients[i];

		fds[i].fd = client->fd;
		fds[i].events = client->reply ? POLLOUT : POLLIN;
		fds[i].revents = 0;
		/* A request that is too long is not read on. */
		if (!client->reply && client->used == MESSAGE_REQUEST_MAX)
			fds[i].events = 0;
		ready |= client_has_line(client);
	}
	return ready;
}

static void *server_main(void *data)
{
	struct server *server = data;
	struct pollfd fds[SERVER_CLIENTS_MAX + 2];

	for (;;) {
		bool ready = server_poll_set(server, fds);

		fds[SERVER_CLIENTS_MAX] = (struct pollfd){ server->fd, POLLIN, 0 };
		fds[SERVER_CLIENTS_MAX + 1] =
			(struct pollfd){ server->stop_fd, POLLIN, 0 };
		if (poll(fds, SERVER_CLIENTS_MAX + 2, ready ? 0 : -1) < 0)
			continue;
		if (fds[SERVER_CLIENTS_MAX + 1].revents)
			return NULL;
		for (unsigned int i = 0; i < SERVER_CLIENTS_MAX; i++)
			if (fds[i].revents ||
			    client_has_line(&server->clients[i]))
				client_step(server, &server->clients[i],
					    fds[i].revents);
		if (fds[SERVER_CLIENTS_MAX].revents)
			server_accept(server);
	}
}

/*
 * The name belongs to whoever has the lock. The file may be removed by its last
 * owner between open() and flock(); then the lock is worth nothing.
 */
static int server_lock(struct server *server, const char *name,
		       struct error *error)
{
	struct stat mine, there;

	for (;;) {
		server->lock_fd = open(server->lock_path, O_RDWR | O_CREAT |
				       O_CLOEXEC | O_NOFOLLOW, 0600);
		if (server->lock_fd < 0)
			return error_set(error, -errno, server->lock_path,
					 "create", NULL);
		if (flock(server->lock_fd, LOCK_EX | LOCK_NB))
			return error_set(error, errno == EWOULDBLOCK ? -EEXIST :
					 -errno, name, "use as a name of a VM",
					 "a VM of that name runs: `gmemctl ps`");
		if (!fstat(server->lock_fd, &mine) &&
		    !stat(server->lock_path, &there) &&
		    mine.st_ino == there.st_ino)
			return 0;
		close(server->lock_fd);
	}
}

static int server_listen(struct server *server, struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int rc;

	memcpy(address.sun_path, server->path, sizeof(server->path));
	server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			    0);
	if (server->fd < 0)
		return error_set(error, -errno, "control socket", "create", NULL);
	unlink(server->path);
	mask = umask(0177);
	rc = bind(server->fd, (struct sockaddr *)&address, sizeof(address));
	rc = rc ? -errno : 0;
	umask(mask);
	if (!rc && listen(server->fd, SERVER_CLIENTS_MAX))
		rc = -errno;
	return rc ? error_set(error, rc, server->path, "listen", NULL) : 0;
}

static int server_open(struct server *server, const char *name,
		       struct error *error)
{
	int rc = runtime_prepare(error);

	if (!rc)
		rc = runtime_path(name, NULL, server->path, error);
	if (!rc)
		rc = runtime_path(name, ".lock", server->lock_path, error);
	if (!rc)
		rc = server_lock(server, name, error);
	if (rc)
		return rc;
	rc = server_listen(server, error);
	if (rc)
		return rc;
	server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->stop_fd < 0)
		return error_set(error, -errno, "eventfd", "create", NULL);
	return 0;
}

static void server_close(struct server *server)
{
	for (unsigned int i = 0; i < SERVER_CLIENTS_MAX; i++)
		if (server->clients[i].fd >= 0)
			client_close(&server->clients[i]);
	if (server->stop_fd >= 0)
		close(server->stop_fd);
	if (server->fd >= 0) {
		unlink(server->path);
		close(server->fd);
		unlink(server->lock_path);
	}
	if (server->lock_fd >= 0)
		close(server->lock_fd);
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
	server->lock_fd = -1;
	server->fd = -1;
	server->stop_fd = -1;
	for (unsigned int i = 0; i < SERVER_CLIENTS_MAX; i++)
		server->clients[i].fd = -1;
	rc = server_open(server, name, error);
	if (!rc) {
		rc = threads_start(&server->thread, server_main, server);
		if (rc)
			error_set(error, rc, "control socket", "start a thread",
				  NULL);
	}
	server->started = !rc;
	if (rc)
		server_close(server);
	return rc;
}

void server_stop(struct server *server)
{
	uint64_t one = 1;

	if (!server->started)
		return;
	server->started = false;
	/* An eventfd counter that is far from full cannot refuse. */
	while (write(server->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_join(server->thread, NULL);
	server_close(server);
}
