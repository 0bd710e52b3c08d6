// SPDX-License-Identifier: GPL-2.0
/* The control socket, without a VM: what is asked, and by whom. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../control/client.h"
#include "../control/message.h"
#include "../control/runtime.h"
#include "../control/server.h"
#include "unit.h"

#define NAME "test-vm"

static char directory[64];
static struct server server;
static unsigned int served;

static int serve(void *data, const char *command, struct json_object *request,
		 struct json_object **result, struct error *error)
{
	uint64_t number;

	(void)data;
	__atomic_add_fetch(&served, 1, __ATOMIC_RELAXED);
	if (!strcmp(command, "none"))
		return 0;
	if (message_number(request, "number", &number, error))
		return -EINVAL;
	if (!strcmp(command, "fail"))
		return error_set(error, -EBUSY, "page", "convert", "number %u",
				 (unsigned int)number);
	*result = json_object_new_object();
	json_object_object_add(*result, "twice",
			       json_object_new_uint64(2 * number));
	return 0;
}

static void start(void)
{
	snprintf(directory, sizeof(directory), "/tmp/gmemctl-test.XXXXXX");
	CHECK(mkdtemp(directory));
	setenv("GMEMCTL_RUNTIME_DIR", directory, 1);
	served = 0;
	CHECK(!server_start(&server, NAME, serve, NULL, NULL));
}

static void stop(void)
{
	server_stop(&server);
	CHECK(!rmdir(directory));
	unsetenv("GMEMCTL_RUNTIME_DIR");
}

/* A client of which the library knows nothing. */
static int raw_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%.64s/" NAME
		 ".sock", directory);
	CHECK(!connect(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

static void raw_send(int fd, const char *text)
{
	CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) ==
	      (ssize_t)strlen(text));
}

/* One line, within some seconds; empty if there is none. */
static const char *raw_line(int fd)
{
	static char line[8192];
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	size_t used = 0;

	while (used < sizeof(line) - 1 && poll(&wait, 1, 10000) == 1) {
		if (recv(fd, line + used, 1, 0) != 1 || line[used] == '\n')
			break;
		used++;
	}
	line[used] = '\0';
	return line;
}

static bool raw_closed(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&wait, 1, 10000) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

static int call(const char *command, int number, uint64_t *twice,
		struct error *error)
{
	struct json_object *request = json_object_new_object();
	struct json_object *reply, *result, *value;
	int rc;

	json_object_object_add(request, "command",
			       json_object_new_string(command));
	json_object_object_add(request, "number", json_object_new_int(number));
	rc = client_call(NAME, request, &reply, &result, error);
	json_object_put(request);
	if (rc)
		return rc;
	if (json_object_object_get_ex(result, "twice", &value))
		*twice = json_object_get_uint64(value);
	json_object_put(reply);
	return 0;
}

static bool works(void)
{
	uint64_t twice = 0;

	return !call("twice", 21, &twice, NULL) && twice == 42;
}

static void test_control_names(void)
{
	char path[RUNTIME_PATH_MAX];

	CHECK(runtime_name_valid("a") && runtime_name_valid("Vm_1.2-x"));
	CHECK(runtime_name_valid("12345678901234567890123456789012"));
	CHECK(!runtime_name_valid("123456789012345678901234567890123"));
	CHECK(!runtime_name_valid("") && !runtime_name_valid(".hidden"));
	CHECK(!runtime_name_valid("../up") && !runtime_name_valid("a/b"));
	CHECK(!runtime_name_valid("a b") && !runtime_name_valid("a\n"));
	setenv("GMEMCTL_RUNTIME_DIR", "/x", 1);
	CHECK(!runtime_path("vm", NULL, path, NULL));
	CHECK(!strcmp(path, "/x/vm.sock"));
	CHECK(runtime_path("../vm", NULL, path, NULL) == -EINVAL);
	setenv("GMEMCTL_RUNTIME_DIR", "/a/path/that/is/much/longer/than/any/"
	       "address/of/a/socket/could/ever/be/because/these/have/room/for/"
	       "some/hundred", 1);
	CHECK(runtime_path("vm", NULL, path, NULL) == -ENAMETOOLONG);
	unsetenv("GMEMCTL_RUNTIME_DIR");
}

/* Others must not enter the directory, nor must it be anything else. */
static void test_control_directory(void)
{
	char link_path[80];

	snprintf(directory, sizeof(directory), "/tmp/gmemctl-test.XXXXXX");
	CHECK(mkdtemp(directory));
	setenv("GMEMCTL_RUNTIME_DIR", directory, 1);
	CHECK(!runtime_prepare(NULL));
	CHECK(!chmod(directory, 0755));
	CHECK(runtime_prepare(NULL) == -EPERM);
	CHECK(!chmod(directory, 0700));
	snprintf(link_path, sizeof(link_path), "%s.link", directory);
	CHECK(!symlink(directory, link_path));
	setenv("GMEMCTL_RUNTIME_DIR", link_path, 1);
	CHECK(runtime_prepare(NULL) == -EPERM);
	CHECK(!unlink(link_path));
	CHECK(!rmdir(directory));
	setenv("GMEMCTL_RUNTIME_DIR", "/proc/nothing/here", 1);
	CHECK(runtime_prepare(NULL) == -ENOENT);
	unsetenv("GMEMCTL_RUNTIME_DIR");
}

static int parse(const char *text)
{
	struct json_object *object = NULL;
	int rc = message_parse(text, strlen(text), &object, NULL);

	if (!rc)
		json_object_put(object);
	return rc;
}

static void test_control_parse(void)
{
	CHECK(!parse("{}") && !parse("{\"a\": [1, {\"b\": null}]}"));
	CHECK(parse("") == -EBADMSG && parse("{") == -EBADMSG);
	CHECK(parse("[]") == -EBADMSG && parse("1") == -EBADMSG);
	CHECK(parse("null") == -EBADMSG && parse("\"x\"") == -EBADMSG);
	CHECK(parse("{} {}") == -EBADMSG && parse("{}x") == -EBADMSG);
	CHECK(parse("{\"a\"}") == -EBADMSG && parse("{1: 2}") == -EBADMSG);
	CHECK(parse("{\"a\":[[[[[[[[[[[1]]]]]]]]]]]}") == -EBADMSG);
	CHECK(parse("\xff\xfe") == -EBADMSG);
}

static void test_control_members(void)
{
	const char *text = "{\"n\":18446744073709551615,\"m\":-1,"
			   "\"d\":1.5,\"command\":7}";
	struct json_object *object;
	struct error error;
	uint64_t number;

	CHECK(!message_parse(text, strlen(text), &object, NULL));
	CHECK(!message_number(object, "n", &number, NULL) &&
	      number == UINT64_MAX);
	CHECK(message_number(object, "m", &number, &error) == -EINVAL);
	CHECK(message_number(object, "d", &number, &error) == -EINVAL);
	CHECK(message_number(object, "x", &number, &error) == -EINVAL);
	CHECK(!message_string(object, "n", &error) && error.rc == -EINVAL);
	CHECK(!message_command(object));
	json_object_put(object);
}

/* Results and errors come through, and replies that are none are refused. */
static void test_control_call(void)
{
	struct json_object *reply, *result;
	struct error error;
	uint64_t twice = 1;
	struct stat status;
	char path[RUNTIME_PATH_MAX];

	start();
	CHECK(works());
	CHECK(!call("none", 0, &twice, NULL) && twice == 1);
	CHECK(call("fail", 5, &twice, &error) == -EBUSY);
	CHECK(!strcmp(error.object, "page") && !strcmp(error.action, "convert"));
	CHECK(!strcmp(error.hint, "number 5"));
	CHECK(call("twice", -1, &twice, &error) == -EINVAL);
	CHECK(!runtime_path(NAME, NULL, path, NULL));
	CHECK(!stat(path, &status) && (status.st_mode & 0777) == 0600);
	stop();
	CHECK(call("twice", 1, &twice, &error) == -ENOENT);
	reply = json_tokener_parse("{\"ok\": 1}");
	CHECK(message_reply(reply, &result, NULL) == -EBADMSG);
	json_object_put(reply);
	reply = json_tokener_parse("{\"ok\": false, \"error\": {\"errno\": 0}}");
	CHECK(message_reply(reply, &result, NULL) == -EPROTO);
	json_object_put(reply);
}

/* A name is one VM's; what a dead one has left is in nobody's way. */
static void test_control_taken(void)
{
	static struct server other;
	struct error error;
	char path[RUNTIME_PATH_MAX];
	FILE *left;

	start();
	CHECK(server_start(&other, NAME, serve, NULL, &error) == -EEXIST);
	CHECK(works());
	server_stop(&other);
	server_stop(&server);
	server_stop(&server);
	CHECK(!runtime_path(NAME, NULL, path, NULL));
	left = fopen(path, "w");
	CHECK(left);
	if (left)
		fclose(left);
	CHECK(!server_start(&server, NAME, serve, NULL, NULL));
	CHECK(works());
	CHECK(server_start(&other, "../x", serve, NULL, &error) == -EINVAL);
	stop();
}

/* Nonsense gets an error, and the connection lives on. */
static void test_control_nonsense(void)
{
	int fd;

	start();
	fd = raw_connect();
	raw_send(fd, "hello\n");
	CHECK(strstr(raw_line(fd), "\"ok\":false"));
	raw_send(fd, "\n{}\n");
	CHECK(strstr(raw_line(fd), "\"ok\":false"));
	CHECK(strstr(raw_line(fd), "\"command\""));
	raw_send(fd, "{\"command\":\"twice\"}\n");
	CHECK(strstr(raw_line(fd), "\"errno\":22"));
	raw_send(fd, "{\"command\":\"twice\",\"number\":4}\n");
	CHECK(!strcmp(raw_line(fd), "{\"ok\":true,\"result\":{\"twice\":8}}"));
	CHECK(served == 2);
	close(fd);
	stop();
}

/* The longest request fits, and a longer one costs the connection. */
static void test_control_length(void)
{
	char text[MESSAGE_REQUEST_MAX + 2];
	int fd;

	start();
	fd = raw_connect();
	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"command\":\"none\"", 17);
	memcpy(text + MESSAGE_REQUEST_MAX - 2, "}\n", 3);
	raw_send(fd, text);
	CHECK(!strcmp(raw_line(fd), "{\"ok\":true,\"result\":null}"));
	memset(text, 'x', sizeof(text));
	CHECK(send(fd, text, sizeof(text), MSG_NOSIGNAL) > 0);
	CHECK(strstr(raw_line(fd), "\"ok\":false"));
	CHECK(raw_closed(fd));
	close(fd);
	CHECK(works());
	stop();
}

/* Requests in one piece, in many, and from one that then sends no more. */
static void test_control_pieces(void)
{
	const char *text = "{\"command\":\"twice\",\"number\":1}\n";
	int fd;

	start();
	fd = raw_connect();
	for (const char *c = text; *c; c++)
		CHECK(send(fd, c, 1, MSG_NOSIGNAL) == 1);
	CHECK(strstr(raw_line(fd), ":2}"));
	for (int i = 0; i < 20; i++)
		raw_send(fd, text);
	CHECK(!shutdown(fd, SHUT_WR));
	for (int i = 0; i < 20; i++)
		CHECK(strstr(raw_line(fd), ":2}"));
	CHECK(raw_closed(fd));
	close(fd);
	stop();
}

/* A client that never reads is not served, and keeps nobody from being served. */
static void test_control_flood(void)
{
	const char *text = "{\"command\":\"twice\",\"number\":1}\n";
	size_t length = strlen(text);
	unsigned int before;
	int fd, sent = 0;

	start();
	fd = raw_connect();
	while (sent < 1000000 && send(fd, text, length, MSG_DONTWAIT |
				      MSG_NOSIGNAL) == (ssize_t)length)
		sent++;
	for (int i = 0; i < 50; i++)
		CHECK(works());
	usleep(200000);
	before = __atomic_load_n(&served, __ATOMIC_RELAXED);
	usleep(200000);
	CHECK(before == __atomic_load_n(&served, __ATOMIC_RELAXED));
	CHECK(sent < 1000000);
	close(fd);
	CHECK(works());
	stop();
}

/* Silent clients, and ones that die in the middle of a request. */
static void test_control_silent(void)
{
	int fds[3 * SERVER_CLIENTS_MAX];

	start();
	for (int i = 0; i < 3 * SERVER_CLIENTS_MAX; i++) {
		fds[i] = raw_connect();
		raw_send(fds[i], "{\"comm");
		CHECK(i % 4 || works());
	}
	CHECK(works());
	for (int i = 0; i < 3 * SERVER_CLIENTS_MAX; i++)
		close(fds[i]);
	CHECK(works());
	fds[0] = raw_connect();
	raw_send(fds[0], "{\"command\":\"none\"}\n");
	close(fds[0]);
	CHECK(works());
	/* Stopping does not wait for anybody. */
	fds[0] = raw_connect();
	stop();
	CHECK(raw_closed(fds[0]));
	close(fds[0]);
}

static const struct unit_test tests[] = {
	{ "control.names", test_control_names },
	{ "control.directory", test_control_directory },
	{ "control.parse", test_control_parse },
	{ "control.members", test_control_members },
	{ "control.call", test_control_call },
	{ "control.taken", test_control_taken },
	{ "control.nonsense", test_control_nonsense },
	{ "control.length", test_control_length },
	{ "control.pieces", test_control_pieces },
	{ "control.flood", test_control_flood },
	{ "control.silent", test_control_silent },
};

UNIT_TESTS(tests)
