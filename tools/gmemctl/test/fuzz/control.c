// SPDX-License-Identifier: GPL-2.0
/*
 * The control socket of a VM: several clients send what they like, in pieces,
 * read or do not read, and go when they like. The VM is the tests'.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../control/control.h"
#include "../pc_fake.h"
#include "fuzz.h"

#define CLIENTS		3
#define STEPS_MAX	64
#define REPLIES_SIZE	(1 << 18)

enum {
	ACTION_BYTES,		/* a byte of length, and so many bytes */
	ACTION_REQUEST,		/* struct request: a request in good form */
	ACTION_READ,
	ACTION_SHUTDOWN,
	ACTION_CLOSE,
	ACTION_FD,		/* a request with a descriptor */
	ACTIONS,
};

/**
 * struct request - what a request in good form is about
 * @command: which one
 * @to: which side, and which channel, not all of the right type; from 0x80 on
 *	the name of the command is longer than it is
 * @start: of a range; @size its bytes
 */
struct request {
	uint8_t command;
	uint8_t to;
	uint64_t start;
	uint64_t size;
} __attribute__((packed));

/**
 * struct client - both ends of a connection
 * @fd: the client's, or -1
 * @connection: the VM's
 * @lines: requests sent, and half ones
 * @replies: lines received
 * @used: bytes in @text
 * @text: what has been received of a line
 */
struct client {
	int fd;
	struct connection connection;
	unsigned int lines;
	unsigned int replies;
	size_t used;
	char text[REPLIES_SIZE];
};

static struct client clients[CLIENTS];

static void client_open(struct client *client)
{
	int fds[2];

	FUZZ_ASSERT(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
	client->fd = fds[0];
	client->lines = 0;
	client->replies = 0;
	client->used = 0;
	connection_open(&client->connection, fds[1], 0);
}

static void client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

static const char *string_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return "";
	return json_object_get_string(value);
}

/* Whatever was asked, the answer is a result, or an error with its cause. */
static void check_reply(const char *line, size_t length)
{
	struct json_object *reply, *result, *entry;
	struct error error = { 0 };
	int rc;

	FUZZ_ASSERT(!message_parse(line, length, &reply, &error));
	rc = message_reply(reply, &result, &error);
	if (rc) {
		FUZZ_ASSERT(error.rc == rc && error.object[0] && error.action[0]);
		FUZZ_ASSERT(json_object_object_get_ex(reply, "error", &entry));
		FUZZ_ASSERT(*string_of(entry, "message"));
		FUZZ_ASSERT(strcmp(string_of(entry, "object"), "VM"));
	}
	json_object_put(reply);
}

static void client_lines(struct client *client)
{
	char *line = client->text, *end;

	while ((end = memchr(line, '\n', client->used))) {
		check_reply(line, (size_t)(end - line));
		client->replies++;
		client->used -= (size_t)(end + 1 - line);
		line = end + 1;
	}
	memmove(client->text, line, client->used);
}

static void client_read(struct client *client)
{
	ssize_t got;

	while ((got = recv(client->fd, client->text + client->used,
			   sizeof(client->text) - client->used, 0)) > 0) {
		client->used += (size_t)got;
		client_lines(client);
		FUZZ_ASSERT(client->used < sizeof(client->text));
	}
	/* The VM answers what was asked, once. */
	FUZZ_ASSERT(client->replies <= client->lines + 1);
}

/* What does not fit any more is the client's loss. */
static void client_send(struct client *client, const void *data, size_t size, int passed)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct iovec part = { (void *)data, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	for (size_t i = 0; i < size; i++)
		client->lines += ((const char *)data)[i] == '\n';
	if (passed >= 0) {
		memcpy(CMSG_DATA(&control.header), &passed, sizeof(passed));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	if (sendmsg(client->fd, &message, MSG_NOSIGNAL) < 0)
		return;
}

static const char *const commands[] = {
	"stat", "map", "convert", "decommit", "stop", "handover", "none", "save", "balloon",
	"remote",
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Nobody listens anywhere: a connection would go on after the input. */
static void client_request(struct client *client, const struct request *request, int passed)
{
	static const char *const channels[] = {
		"\"job-0\"", "\"\"", "\"../x\"", "null",
	};
	static const char *const sides[] = {
		"\"private\"", "\"shared\"", "\"both\"", "\"\"", "null", "1",
		"[\"shared\"]", "{}",
	};
	static const char tail[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	char text[256];
	int size;

	size = snprintf(text, sizeof(text), "{\"command\":\"%s%.*s\",\"to\":%s,\"channel\":%s,"
			"\"start\":%llu,\"size\":%llu}\n", commands[request->command % COMMANDS],
			request->to & 0x80 ? request->to % 32 : 0, tail, sides[request->to % 8],
			channels[request->to / 8 % 4], (unsigned long long)request->start,
			(unsigned long long)request->size);
	client_send(client, text, (size_t)size, passed);
}

/* One turn of the server, as in server_main(). */
static void serve(void)
{
	for (int i = 0; i < CLIENTS; i++) {
		struct connection *connection = &clients[i].connection;
		struct pollfd fd = { connection->fd,
				     connection_events(connection), 0 };

		poll(&fd, 1, 0);
		if (connection->fd >= 0 && (fd.revents || connection_ready(connection)))
			connection_step(connection, fd.revents, 1,
					pc_control_serve, &pc_fake.control);
		/* Nobody has more than his place. */
		FUZZ_ASSERT(connection->used <= MESSAGE_REQUEST_MAX);
	}
}

/**
 * struct script - what is left of an input
 */
struct script {
	const uint8_t *data;
	size_t size;
};

static void script_take(struct script *script, void *to, size_t size)
{
	size_t part = size < script->size ? size : script->size;

	memset(to, 0, size);
	memcpy(to, script->data, part);
	script->data += part;
	script->size -= part;
}

static void do_step(struct script *script)
{
	struct request request;
	struct client *client;
	char bytes[256];
	uint8_t step, length;

	script_take(script, &step, 1);
	client = &clients[step % CLIENTS];
	switch (step / CLIENTS % ACTIONS) {
	case ACTION_BYTES:
		script_take(script, &length, 1);
		script_take(script, bytes, length);
		client_send(client, bytes, length, -1);
		break;
	case ACTION_REQUEST:
	case ACTION_FD:
		script_take(script, &request, sizeof(request));
		client_request(client, &request, step / CLIENTS % ACTIONS ==
			       ACTION_FD ? client->fd : -1);
		break;
	case ACTION_READ:
		client_read(client);
		break;
	case ACTION_SHUTDOWN:
		shutdown(client->fd, SHUT_WR);
		break;
	default:
		client_close(client);
		if (client->connection.fd >= 0)
			connection_close(&client->connection);
		client_open(client);
	}
	serve();
}

/* However it went, who asks now is answered. */
static void check_alive(void)
{
	static const struct request stat;

	for (int i = 0; i < CLIENTS; i++) {
		client_close(&clients[i]);
		if (clients[i].connection.fd >= 0)
			connection_close(&clients[i].connection);
	}
	client_open(&clients[0]);
	client_request(&clients[0], &stat, -1);
	serve();
	client_read(&clients[0]);
	FUZZ_ASSERT(clients[0].replies == 1);
	client_close(&clients[0]);
	serve();
	FUZZ_ASSERT(clients[0].connection.fd < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script script = { data, size };

	FUZZ_ASSERT(pc_fake_start());
	for (int i = 0; i < CLIENTS; i++)
		client_open(&clients[i]);
	for (int i = 0; i < STEPS_MAX && script.size; i++)
		do_step(&script);
	check_alive();
	pc_fake_stop();
	return 0;
}

static uint8_t *put_request(uint8_t *at, uint8_t command, uint8_t to, uint64_t start, uint64_t size)
{
	struct request request = { command, to, start, size };

	*at++ = ACTION_REQUEST * CLIENTS;
	memcpy(at, &request, sizeof(request));
	return at + sizeof(request);
}

static uint8_t *put_text(uint8_t *at, const char *text)
{
	*at++ = ACTION_BYTES * CLIENTS + 1;
	*at++ = (uint8_t)strlen(text);
	memcpy(at, text, strlen(text));
	return at + strlen(text);
}

/* More than fits, without an end. */
static uint8_t *put_long(uint8_t *at)
{
	char text[251];

	memset(text, '[', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t sent = 0; sent <= MESSAGE_REQUEST_MAX; sent += strlen(text))
		at = put_text(at, text);
	return at;
}

size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	uint8_t *at = data;

	switch (index) {
	case 0:
		at = put_request(at, 2, 0, 0x1000, 0x3000);
		at = put_request(at, 1, 0, 0x2000, 0);
		at = put_request(at, 3, 0, 0x41000, 0x1000);
		at = put_request(at, 2, 1, 0x1000, 0x1000);
		*at++ = ACTION_READ * CLIENTS;
		return (size_t)(at - data);
	case 1:
		at = put_text(at, "{\"command\":\"stat\"}\n{\"command\":");
		at = put_text(at, "\"convert\",\"to\":\"private\",\"start\":4096,");
		at = put_text(at, "\"size\":8192,\"x\":[1,{\"y\":null}]}\n");
		*at++ = ACTION_READ * CLIENTS + 1;
		*at++ = ACTION_SHUTDOWN * CLIENTS + 1;
		return (size_t)(at - data);
	case 2:
		at = put_text(at, "\"\\u0000\\ud800\" 1e400 -0 [[[[[[[[\n\n");
		at = put_request(at, 4, 0, 0, 0);
		*at++ = ACTION_CLOSE * CLIENTS + 1;
		*at++ = ACTION_FD * CLIENTS;
		return (size_t)(at - data);
	case 3:
		at = put_long(at);
		at = put_text(at, "\n");
		*at++ = ACTION_READ * CLIENTS + 1;
		return (size_t)(at - data);
	default:
		return 0;
	}
}
