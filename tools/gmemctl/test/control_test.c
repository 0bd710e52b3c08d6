// SPDX-License-Identifier: GPL-2.0
/* The control socket, without a VM: what is asked, and by whom. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../control/channel.h"
#include "../control/client.h"
#include "../control/message.h"
#include "../control/runtime.h"
#include "../control/server.h"
#include "../machine/machine.h"
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

static int raw_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static bool raw_connect_to(int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%.64s/" NAME
		 ".sock", directory);
	return !connect(fd, (struct sockaddr *)&address, sizeof(address));
}

/* A client of which the library knows nothing. */
static int raw_connect(void)
{
	int fd = raw_socket();

	CHECK(raw_connect_to(fd));
	return fd;
}

/* One that does not wait, or -1 if it had to. */
static int raw_try(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (raw_connect_to(fd))
		return fd;
	close(fd);
	return -1;
}

static unsigned int open_descriptors(void)
{
	DIR *all = opendir("/proc/self/fd");
	unsigned int count = 0;

	while (all && readdir(all))
		count++;
	if (all)
		closedir(all);
	return count;
}

static void raw_send(int fd, const char *text)
{
	CHECK_EQ(send(fd, text, strlen(text), MSG_NOSIGNAL),
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
	CHECK(!runtime_name_valid("-web") && !runtime_name_valid("-"));
	CHECK(!runtime_name_valid("../up") && !runtime_name_valid("a/b"));
	CHECK(!runtime_name_valid("a b") && !runtime_name_valid("a\n"));
	setenv("GMEMCTL_RUNTIME_DIR", "/x", 1);
	CHECK(!runtime_path("vm", NULL, path, NULL));
	CHECK_STR(path, "/x/vm.sock");
	CHECK_EQ(runtime_path("../vm", NULL, path, NULL), -EINVAL);
	setenv("GMEMCTL_RUNTIME_DIR", "/a/path/that/is/much/longer/than/any/"
	       "address/of/a/socket/could/ever/be/because/these/have/room/for/"
	       "some/hundred", 1);
	CHECK_EQ(runtime_path("vm", NULL, path, NULL), -ENAMETOOLONG);
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
	CHECK_EQ(runtime_prepare(NULL), -EPERM);
	CHECK(!chmod(directory, 0700));
	snprintf(link_path, sizeof(link_path), "%s.link", directory);
	CHECK(!symlink(directory, link_path));
	setenv("GMEMCTL_RUNTIME_DIR", link_path, 1);
	CHECK_EQ(runtime_prepare(NULL), -EPERM);
	CHECK(!unlink(link_path));
	CHECK(!rmdir(directory));
	setenv("GMEMCTL_RUNTIME_DIR", "/proc/nothing/here", 1);
	CHECK_EQ(runtime_prepare(NULL), -ENOENT);
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
	CHECK_EQ(parse("\xff\xfe"), -EBADMSG);
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
	CHECK_EQ(message_number(object, "m", &number, &error), -EINVAL);
	CHECK_EQ(message_number(object, "d", &number, &error), -EINVAL);
	CHECK_EQ(message_number(object, "x", &number, &error), -EINVAL);
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
	CHECK_EQ(call("fail", 5, &twice, &error), -EBUSY);
	CHECK(!strcmp(error.object, "page") && !strcmp(error.action, "convert"));
	CHECK_STR(error.hint, "number 5");
	CHECK_EQ(call("twice", -1, &twice, &error), -EINVAL);
	CHECK(!runtime_path(NAME, NULL, path, NULL));
	CHECK(!stat(path, &status) && (status.st_mode & 0777) == 0600);
	stop();
	CHECK_EQ(call("twice", 1, &twice, &error), -ENOENT);
	reply = json_tokener_parse("{\"ok\": 1}");
	CHECK_EQ(message_reply(reply, &result, NULL), -EBADMSG);
	json_object_put(reply);
	reply = json_tokener_parse("{\"ok\": false, \"error\": {\"errno\": 0}}");
	CHECK_EQ(message_reply(reply, &result, NULL), -EPROTO);
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
	CHECK_EQ(server_start(&other, NAME, serve, NULL, &error), -EEXIST);
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
	CHECK_EQ(server_start(&other, "../x", serve, NULL, &error), -EINVAL);
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
	CHECK_STR(raw_line(fd), "{\"ok\":true,\"result\":{\"twice\":8}}");
	CHECK_EQ(served, 2);
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
	CHECK_STR(raw_line(fd), "{\"ok\":true,\"result\":null}");
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
		CHECK_EQ(send(fd, c, 1, MSG_NOSIGNAL), 1);
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
	CHECK_EQ(before, __atomic_load_n(&served, __ATOMIC_RELAXED));
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

/* 1000 connections at once: some wait, some go, and a client is served still. */
static void test_control_many(void)
{
	static int fds[1000];
	int connected = 0;

	start();
	for (int i = 0; i < 1000; i++) {
		fds[i] = raw_try();
		connected += fds[i] >= 0;
	}
	CHECK(connected >= SERVER_CLIENTS_MAX);
	CHECK(works());
	for (int i = 0; i < 1000; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	CHECK(works());
	stop();
}

/* Whoever asks within the time of grace is heard, whoever else comes. */
static void test_control_grace(void)
{
	static const char text[] = "{\"command\":\"none\"}\n";
	int fds[2 * SERVER_CLIENTS_MAX], fd;
	bool heard = false;
	uint64_t start_ns;

	start();
	for (int tries = 0; !heard && tries < 20; tries++) {
		start_ns = clock_now_ns();
		fd = raw_connect();
		for (int i = 0; i < 2 * SERVER_CLIENTS_MAX; i++) {
			fds[i] = raw_try();
			usleep(1000);
		}
		send(fd, text, strlen(text), MSG_NOSIGNAL);
		heard = strstr(raw_line(fd), "true");
		/* A slow machine proves nothing. */
		CHECK(heard || clock_now_ns() - start_ns >
		      SERVER_GRACE_MS * UINT64_C(1000000));
		for (int i = 0; i < 2 * SERVER_CLIENTS_MAX; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		close(fd);
	}
	CHECK(heard);
	stop();
}

/* Descriptors that a client sends do not stay in the VM. */
static void test_control_descriptors(void)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(100 * sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(100 * sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	const char *text = "{\"command\":\"none\"}\n";
	struct iovec part = { (void *)text, strlen(text) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	unsigned int before;
	int fd;

	start();
	fd = raw_connect();
	raw_send(fd, text);
	CHECK(strstr(raw_line(fd), "true"));
	before = open_descriptors();
	for (int i = 0; i < 100; i++)
		memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &fd,
		       sizeof(int));
	CHECK(sendmsg(fd, &message, MSG_NOSIGNAL) > 0);
	CHECK(strstr(raw_line(fd), "true"));
	CHECK_EQ(open_descriptors(), before);
	close(fd);
	stop();
}

/* A descriptor short, nobody is accepted, and it is not tried without end. */
static void test_control_no_descriptor(void)
{
	struct rlimit limit, none;
	struct timespec used;
	clockid_t clock;
	int fd;

	start();
	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	fd = raw_connect();
	raw_send(fd, "{\"command\":\"none\"}\n");
	CHECK(strstr(raw_line(fd), "true"));
	CHECK(!pthread_getcpuclockid(server.thread, &clock));
	close(fd);
	fd = raw_socket();
	none = (struct rlimit){ (rlim_t)fd, limit.rlim_max };
	CHECK(!setrlimit(RLIMIT_NOFILE, &none));
	raw_connect_to(fd);
	usleep(300000);
	CHECK(!clock_gettime(clock, &used) && used.tv_nsec < 100000000);
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	raw_send(fd, "{\"command\":\"none\"}\n");
	CHECK(strstr(raw_line(fd), "true"));
	close(fd);
	stop();
}

/* The socket of a VM that was killed is told from that of one that runs. */
static void test_control_reap(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uint64_t twice;
	int fd;

	start();
	CHECK(!runtime_reap(NAME) && works());
	stop();
	start();
	CHECK(!runtime_path("dead", NULL, address.sun_path, NULL));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(!bind(fd, (struct sockaddr *)&address, sizeof(address)));
	close(fd);
	CHECK(runtime_reap("dead") && !runtime_reap("dead"));
	CHECK(access(address.sun_path, F_OK));
	/* What is no socket is somebody's file. */
	fd = open(address.sun_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && !close(fd));
	CHECK(!runtime_reap("dead") && !unlink(address.sun_path));
	/* Nobody is asked whom another user could be. */
	CHECK(!chmod(directory, 0755));
	CHECK_EQ(call("twice", 1, &twice, NULL), -EPERM);
	CHECK_EQ(runtime_find(NULL), -EPERM);
	CHECK(!chmod(directory, 0700));
	stop();
	setenv("GMEMCTL_RUNTIME_DIR", "/proc/nothing/here", 1);
	CHECK(!runtime_find(NULL));
	unsetenv("GMEMCTL_RUNTIME_DIR");
}

/* A VM that does not answer costs the time that one has, and no more. */
static void test_control_stopped(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct json_object *request = json_object_new_object();
	struct json_object *reply, *result;
	struct error error;
	int fd;

	start();
	CHECK(!runtime_path("stuck", NULL, address.sun_path, NULL));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(!bind(fd, (struct sockaddr *)&address, sizeof(address)));
	CHECK(!listen(fd, 0));
	CHECK(client_call_within("stuck", 1, request, &reply, &result, &error)
	      == -ETIME && error.hint[0]);
	close(fd);
	unlink(address.sun_path);
	json_object_put(request);
	stop();
}

/* Without a descriptor to spare the answer is not waited for, at full speed. */
static void test_channel_full(void)
{
	struct rlimit before, full;
	struct channel channel;
	struct error error;
	int fd;

	start();
	CHECK(!channel_listen(&channel, &error));
	fd = channel_connect(channel.name, &error);
	CHECK(fd >= 0 && !getrlimit(RLIMIT_NOFILE, &before));
	full = (struct rlimit){ (rlim_t)fd + 1, before.rlim_max };
	CHECK(!setrlimit(RLIMIT_NOFILE, &full));
	CHECK_EQ(channel_accept(&channel, 2000, &error), -EMFILE);
	CHECK(!setrlimit(RLIMIT_NOFILE, &before));
	close(fd);
	channel_close(&channel);
	stop();
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
	{ "control.many", test_control_many },
	{ "control.grace", test_control_grace },
	{ "control.descriptors", test_control_descriptors },
	{ "control.no_descriptor", test_control_no_descriptor },
	{ "control.reap", test_control_reap },
	{ "control.channel_full", test_channel_full },
	{ "control.stopped", test_control_stopped },
};

UNIT_TESTS(tests)
