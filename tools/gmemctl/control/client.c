// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"

static int client_connect(const char *name, unsigned int timeout_s, struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = timeout_s };
	char path[RUNTIME_PATH_MAX];
	int fd, rc = runtime_find(error);

	if (!rc)
		rc = runtime_path(name, NULL, path, error);
	if (rc)
		return rc;
	memcpy(address.sun_path, path, sizeof(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(error, -errno, "socket", "create", NULL);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	do {
		if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
			return fd;
		/* A stop by Ctrl-Z interrupts connect(), too, because a timeout is set. */
	} while (errno == EINTR);
	rc = errno == EAGAIN ? -ETIME : -errno;
	error_set(error, rc, name, "connect to the VM",
		  rc == -ENOENT || rc == -ECONNREFUSED ?
		  "no VM of that name runs: `gmemctl ps`" :
		  rc == -ETIME ? "too many clients, or it is stopped" : NULL);
	close(fd);
	return rc;
}

static int client_send(int fd, struct json_object *request)
{
	const char *text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	struct iovec parts[] = {
		{ .iov_base = (void *)text, .iov_len = strlen(text) },
		{ .iov_base = (void *)"\n", .iov_len = 1 },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t sent;

	if (parts[0].iov_len >= MESSAGE_REQUEST_MAX)
		return -EMSGSIZE;
	sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	if (sent < 0)
		return -errno;
	return (size_t)sent == parts[0].iov_len + 1 ? 0 : -EIO;
}

static int client_exchange(int fd, const char *name, struct json_object *request,
			   struct json_object **reply, struct error *error)
{
	char *line = malloc(MESSAGE_REPLY_MAX), *end = NULL;
	int rc = line ? client_send(fd, request) : -ENOMEM;
	size_t used = 0;

	while (!rc && !end) {
		ssize_t got = recv(fd, line + used, MESSAGE_REPLY_MAX - used, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			rc = !got ? -ECONNRESET : errno == EAGAIN ? -ETIME : -errno;
			break;
		}
		end = memchr(line + used, '\n', (size_t)got);
		used += (size_t)got;
		if (!end && used == MESSAGE_REPLY_MAX)
			rc = -EMSGSIZE;
	}
	if (rc)
		error_set(error, rc, name, "ask the VM", rc == -ETIME ?
			  "it is stopped, or busy with another request" :
			  rc == -ECONNRESET || rc == -EPIPE ?
			  "it has ended, or has too many clients" : NULL);
	else
		rc = message_parse(line, (size_t)(end - line), reply, error);
	free(line);
	return rc;
}

int client_call(const char *name, unsigned int timeout_s, struct json_object *request,
		struct json_object **result, struct error *error)
{
	struct json_object *reply, *in_reply;
	int fd = client_connect(name, timeout_s, error);
	int rc = fd < 0 ? fd : client_exchange(fd, name, request, &reply, error);

	json_object_put(request);
	if (fd >= 0)
		close(fd);
	if (rc)
		return rc;
	rc = message_reply(reply, &in_reply, error);
	if (!rc && result)
		*result = json_object_get(in_reply);
	json_object_put(reply);
	return rc;
}

int client_process(const char *name, pid_t *pid, struct error *error)
{
	int fd = client_connect(name, CLIENT_TIMEOUT_S, error);
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);
	int rc = 0;

	if (fd < 0)
		return fd;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		rc = error_set(error, -errno, name, "ask for its process", NULL);
	else if (!peer.pid)
		rc = error_set(error, -ESRCH, name, "ask for its process",
			       "it is in another PID namespace");
	*pid = peer.pid;
	close(fd);
	return rc;
}
