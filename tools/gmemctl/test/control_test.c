// SPDX-License-Identifier: GPL-2.0
/* The control socket, without a VM: what is asked, and by whom. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "../base/clock.h"
#include "../control/control.h"
#include "../machine/machine.h"
#include "ksft.h"

#define NAME "test-vm"

static struct server server;
static unsigned int served;

static int serve(void *data, const char *command, struct json_object *request,
		 struct json_object **result, struct error *error)
{
	uint64_t number;

	__atomic_add_fetch(&served, 1, __ATOMIC_RELAXED);
	if (!strcmp(command, "none"))
		return 0;
	if (message_number(request, "number", &number, error))
		return -EINVAL;
	if (!strcmp(command, "fail"))
		return error_set(error, -EBUSY, "page", "convert", "number %u",
				 (unsigned int)number);
	*result = json_object_new_object();
	json_object_object_add(*result, "twice", json_object_new_uint64(2 * number));
	return 0;
}

static void start(void)
{
	setenv("GMEMCTL_RUNTIME_DIR", ksft_folder(), 1);
	served = 0;
	EXPECT_FALSE(server_start(&server, NAME, serve, NULL, NULL));
}

static void stop(void)
{
	server_stop(&server);
	/* Its socket has gone. */
	EXPECT_FALSE(rmdir(ksft_folder()));
}

static int raw_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static bool raw_connect_to(int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%.64s/" NAME ".sock", ksft_folder());
	return !connect(fd, (struct sockaddr *)&address, sizeof(address));
}

/* A client of which the library knows nothing. */
static int raw_connect(void)
{
	int fd = raw_socket();

	EXPECT_TRUE(raw_connect_to(fd));
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
	EXPECT_EQ(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
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

static int call(const char *command, int number, uint64_t *twice, struct error *error)
{
	struct json_object *request = message_request(command);
	struct json_object *result, *value;
	int rc;

	json_object_object_add(request, "number", json_object_new_int(number));
	rc = client_call(NAME, CLIENT_TIMEOUT_S, request, &result, error);
	if (rc)
		return rc;
	if (json_object_object_get_ex(result, "twice", &value))
		*twice = json_object_get_uint64(value);
	json_object_put(result);
	return 0;
}

static bool works(void)
{
	uint64_t twice = 0;

	return !call("twice", 21, &twice, NULL) && twice == 42;
}

TEST_OF(control, names)
{
	static const char *const good[] = {
		"a", "Vm_1.2-x", "12345678901234567890123456789012",
	};
	static const char *const bad[] = {
		"123456789012345678901234567890123", "", ".hidden", "-web", "-", "../up", "a/b",
		"a b", "a\n",
	};
	char path[RUNTIME_PATH_MAX];

	ksft_for_each(item, good)
		EXPECT_TRUE(runtime_name_valid(*item));
	ksft_for_each(item, bad)
		EXPECT_FALSE(runtime_name_valid(*item));
	setenv("GMEMCTL_RUNTIME_DIR", "/x", 1);
	EXPECT_FALSE(runtime_path("vm", NULL, path, NULL));
	EXPECT_STREQ(path, "/x/vm.sock");
	EXPECT_EQ(runtime_path("../vm", NULL, path, NULL), -EINVAL);
	setenv("GMEMCTL_RUNTIME_DIR", "/a/path/that/is/much/longer/than/any/"
	       "address/of/a/socket/could/ever/be/because/these/have/room/for/some/hundred", 1);
	EXPECT_EQ(runtime_path("vm", NULL, path, NULL), -ENAMETOOLONG);
	unsetenv("GMEMCTL_RUNTIME_DIR");
}

/* Others must not enter the directory, nor must it be anything else. */
TEST_OF(control, directory)
{
	const char *directory = ksft_folder();
	char link_path[80];

	setenv("GMEMCTL_RUNTIME_DIR", directory, 1);
	EXPECT_FALSE(runtime_prepare(NULL));
	EXPECT_FALSE(chmod(directory, 0755));
	EXPECT_EQ(runtime_prepare(NULL), -EPERM);
	EXPECT_FALSE(chmod(directory, 0700));
	snprintf(link_path, sizeof(link_path), "%s/link", directory);
	EXPECT_FALSE(symlink(directory, link_path));
	setenv("GMEMCTL_RUNTIME_DIR", link_path, 1);
	EXPECT_EQ(runtime_prepare(NULL), -EPERM);
	setenv("GMEMCTL_RUNTIME_DIR", "/proc/nothing/here", 1);
	EXPECT_EQ(runtime_prepare(NULL), -ENOENT);
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

TEST_OF(control, parse)
{
	static const char *const bad[] = {
		"", "{", "[]", "1", "null", "\"x\"", "{} {}", "{}x", "{\"a\"}", "{1: 2}",
		"{\"a\":[[[[[[[[[[[1]]]]]]]]]]]}", "\xff\xfe",
	};

	EXPECT_FALSE(parse("{}"));
	EXPECT_FALSE(parse("{\"a\": [1, {\"b\": null}]}"));
	ksft_for_each(item, bad)
		EXPECT_EQ(parse(*item), -EBADMSG);
}

TEST_OF(control, members)
{
	const char *text = "{\"n\":18446744073709551615,\"m\":-1,"
			   "\"d\":1.5,\"command\":7}";
	struct json_object *object;
	struct error error;
	uint64_t number;

	EXPECT_FALSE(message_parse(text, strlen(text), &object, NULL));
	EXPECT_FALSE(message_number(object, "n", &number, NULL));
	EXPECT_EQ(number, UINT64_MAX);
	EXPECT_EQ(message_number(object, "m", &number, &error), -EINVAL);
	EXPECT_EQ(message_number(object, "d", &number, &error), -EINVAL);
	EXPECT_EQ(message_number(object, "x", &number, &error), -EINVAL);
	EXPECT_FALSE(message_string(object, "n", &error));
	EXPECT_EQ(error.rc, -EINVAL);
	EXPECT_FALSE(message_command(object));
	json_object_put(object);
}

/* Results and errors come through, and replies that are none are refused. */
TEST_OF(control, call)
{
	struct json_object *reply, *result;
	struct error error;
	uint64_t twice = 1;
	struct stat status;
	char path[RUNTIME_PATH_MAX];

	start();
	EXPECT_TRUE(works());
	EXPECT_FALSE(call("none", 0, &twice, NULL));
	EXPECT_EQ(twice, 1);
	EXPECT_EQ(call("fail", 5, &twice, &error), -EBUSY);
	EXPECT_STREQ(error.object, "page");
	EXPECT_STREQ(error.action, "convert");
	EXPECT_STREQ(error.hint, "number 5");
	EXPECT_EQ(call("twice", -1, &twice, &error), -EINVAL);
	EXPECT_FALSE(runtime_path(NAME, NULL, path, NULL));
	EXPECT_FALSE(stat(path, &status));
	EXPECT_EQ((status.st_mode & 0777), 0600);
	stop();
	EXPECT_EQ(call("twice", 1, &twice, &error), -ENOENT);
	reply = json_tokener_parse("{\"ok\": 1}");
	EXPECT_EQ(message_reply(reply, &result, NULL), -EBADMSG);
	json_object_put(reply);
	reply = json_tokener_parse("{\"ok\": false, \"error\": {\"errno\": 0}}");
	EXPECT_EQ(message_reply(reply, &result, NULL), -EPROTO);
	json_object_put(reply);
}

FIXTURE(control) {
};

FIXTURE_SETUP(control)
{
	start();
}

FIXTURE_TEARDOWN(control)
{
	stop();
}

/* A name is one VM's; what a dead one has left is in nobody's way. */
TEST_F(control, taken)
{
	static struct server other;
	struct error error;
	char path[RUNTIME_PATH_MAX];
	FILE *left;

	EXPECT_EQ(server_start(&other, NAME, serve, NULL, &error), -EEXIST);
	EXPECT_TRUE(works());
	server_stop(&other);
	server_stop(&server);
	server_stop(&server);
	EXPECT_FALSE(runtime_path(NAME, NULL, path, NULL));
	left = fopen(path, "w");
	EXPECT_TRUE(left);
	if (left)
		fclose(left);
	EXPECT_FALSE(server_start(&server, NAME, serve, NULL, NULL));
	EXPECT_TRUE(works());
	EXPECT_EQ(server_start(&other, "../x", serve, NULL, &error), -EINVAL);
}

/* Nonsense gets an error, and the connection lives on. */
TEST_F(control, nonsense)
{
	int fd;

	fd = raw_connect();
	raw_send(fd, "hello\n");
	EXPECT_STRSTR(raw_line(fd), "\"ok\":false");
	raw_send(fd, "\n{}\n");
	EXPECT_STRSTR(raw_line(fd), "\"ok\":false");
	EXPECT_STRSTR(raw_line(fd), "\"command\"");
	raw_send(fd, "{\"command\":\"twice\"}\n");
	EXPECT_STRSTR(raw_line(fd), "\"errno\":22");
	raw_send(fd, "{\"command\":\"twice\",\"number\":4}\n");
	EXPECT_STREQ(raw_line(fd), "{\"ok\":true,\"result\":{\"twice\":8}}");
	EXPECT_EQ(served, 2);
	close(fd);
}

/* The longest request fits, and a longer one costs the connection. */
TEST_F(control, length)
{
	char text[MESSAGE_REQUEST_MAX + 2];
	int fd;

	fd = raw_connect();
	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"command\":\"none\"", 17);
	memcpy(text + MESSAGE_REQUEST_MAX - 2, "}\n", 3);
	raw_send(fd, text);
	EXPECT_STREQ(raw_line(fd), "{\"ok\":true,\"result\":null}");
	memset(text, 'x', sizeof(text));
	EXPECT_GT(send(fd, text, sizeof(text), MSG_NOSIGNAL), 0);
	EXPECT_STRSTR(raw_line(fd), "\"ok\":false");
	EXPECT_TRUE(raw_closed(fd));
	close(fd);
	EXPECT_TRUE(works());
}

/* Requests in one piece, in many, and from one that then sends no more. */
TEST_F(control, pieces)
{
	const char *text = "{\"command\":\"twice\",\"number\":1}\n";
	int fd;

	fd = raw_connect();
	for (const char *c = text; *c; c++)
		EXPECT_EQ(send(fd, c, 1, MSG_NOSIGNAL), 1);
	EXPECT_STRSTR(raw_line(fd), ":2}");
	for (int i = 0; i < 20; i++)
		raw_send(fd, text);
	EXPECT_FALSE(shutdown(fd, SHUT_WR));
	for (int i = 0; i < 20; i++)
		EXPECT_STRSTR(raw_line(fd), ":2}");
	EXPECT_TRUE(raw_closed(fd));
	close(fd);
}

/* A client that never reads is not served, and keeps nobody from being served. */
TEST_F(control, flood)
{
	const char *text = "{\"command\":\"twice\",\"number\":1}\n";
	size_t length = strlen(text);
	unsigned int before;
	int fd, sent = 0;

	fd = raw_connect();
	while (sent < 1000000 && send(fd, text, length, MSG_DONTWAIT |
				      MSG_NOSIGNAL) == (ssize_t)length)
		sent++;
	for (int i = 0; i < 50; i++)
		EXPECT_TRUE(works());
	usleep(200000);
	before = __atomic_load_n(&served, __ATOMIC_RELAXED);
	usleep(200000);
	EXPECT_EQ(before, __atomic_load_n(&served, __ATOMIC_RELAXED));
	EXPECT_LT(sent, 1000000);
	close(fd);
	EXPECT_TRUE(works());
}

/* Silent clients, and ones that die in the middle of a request. */
TEST_OF(control, silent)
{
	int fds[3 * SERVER_CLIENTS_MAX];

	start();
	for (int i = 0; i < 3 * SERVER_CLIENTS_MAX; i++) {
		fds[i] = raw_connect();
		raw_send(fds[i], "{\"comm");
		EXPECT_TRUE(i % 4 || works());
	}
	EXPECT_TRUE(works());
	for (int i = 0; i < 3 * SERVER_CLIENTS_MAX; i++)
		close(fds[i]);
	EXPECT_TRUE(works());
	fds[0] = raw_connect();
	raw_send(fds[0], "{\"command\":\"none\"}\n");
	close(fds[0]);
	EXPECT_TRUE(works());
	/* Stopping does not wait for anybody. */
	fds[0] = raw_connect();
	stop();
	EXPECT_TRUE(raw_closed(fds[0]));
	close(fds[0]);
}

/* 1000 connections at once: some wait, some go, and a client is served still. */
TEST_F(control, many)
{
	static int fds[1000];
	int connected = 0;

	for (int i = 0; i < 1000; i++) {
		fds[i] = raw_try();
		connected += fds[i] >= 0;
	}
	EXPECT_GE(connected, SERVER_CLIENTS_MAX);
	EXPECT_TRUE(works());
	for (int i = 0; i < 1000; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	EXPECT_TRUE(works());
}

/* Whoever asks within the time of grace is heard, whoever else comes. */
TEST_F(control, grace)
{
	static const char text[] = "{\"command\":\"none\"}\n";
	int fds[2 * SERVER_CLIENTS_MAX], fd;
	bool heard = false;
	uint64_t start_ns;

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
		EXPECT_TRUE(heard || clock_now_ns() - start_ns > SERVER_GRACE_MS *
			    UINT64_C(1000000));
		for (int i = 0; i < 2 * SERVER_CLIENTS_MAX; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		close(fd);
	}
	EXPECT_TRUE(heard);
}

/* Descriptors that a client sends do not stay in the VM. */
TEST_F(control, descriptors)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(100 * sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(100 * sizeof(int)), .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	const char *text = "{\"command\":\"none\"}\n";
	struct iovec part = { (void *)text, strlen(text) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	unsigned int before;
	int fd;

	fd = raw_connect();
	raw_send(fd, text);
	EXPECT_STRSTR(raw_line(fd), "true");
	before = open_descriptors();
	for (int i = 0; i < 100; i++)
		memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &fd, sizeof(int));
	EXPECT_GT(sendmsg(fd, &message, MSG_NOSIGNAL), 0);
	EXPECT_STRSTR(raw_line(fd), "true");
	EXPECT_EQ(open_descriptors(), before);
	close(fd);
}

/* A descriptor short, nobody is accepted, and it is not tried without end. */
TEST_F(control, no_descriptor)
{
	struct rlimit limit, none;
	struct timespec used;
	clockid_t clock;
	int fd;

	EXPECT_FALSE(getrlimit(RLIMIT_NOFILE, &limit));
	fd = raw_connect();
	raw_send(fd, "{\"command\":\"none\"}\n");
	EXPECT_STRSTR(raw_line(fd), "true");
	EXPECT_FALSE(pthread_getcpuclockid(server.thread, &clock));
	close(fd);
	fd = raw_socket();
	none = (struct rlimit){ (rlim_t)fd, limit.rlim_max };
	EXPECT_FALSE(setrlimit(RLIMIT_NOFILE, &none));
	raw_connect_to(fd);
	usleep(300000);
	EXPECT_FALSE(clock_gettime(clock, &used));
	EXPECT_LT(used.tv_nsec, 100000000);
	EXPECT_FALSE(setrlimit(RLIMIT_NOFILE, &limit));
	raw_send(fd, "{\"command\":\"none\"}\n");
	EXPECT_STRSTR(raw_line(fd), "true");
	close(fd);
}

/* The socket of a VM that was killed is told from that of one that runs. */
TEST_OF(control, reap)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uint64_t twice;
	int fd;

	start();
	EXPECT_FALSE(runtime_reap(NAME));
	EXPECT_TRUE(works());
	stop();
	start();
	EXPECT_FALSE(runtime_path("dead", NULL, address.sun_path, NULL));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT_FALSE(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	close(fd);
	EXPECT_TRUE(runtime_reap("dead"));
	EXPECT_FALSE(runtime_reap("dead"));
	EXPECT_TRUE(access(address.sun_path, F_OK));
	/* What is no socket is somebody's file. */
	fd = open(address.sun_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	EXPECT_GE(fd, 0);
	EXPECT_FALSE(close(fd));
	EXPECT_FALSE(runtime_reap("dead"));
	EXPECT_FALSE(unlink(address.sun_path));
	/* Nobody is asked whom another user could be. */
	EXPECT_FALSE(chmod(ksft_folder(), 0755));
	EXPECT_EQ(call("twice", 1, &twice, NULL), -EPERM);
	EXPECT_EQ(runtime_find(NULL), -EPERM);
	EXPECT_FALSE(chmod(ksft_folder(), 0700));
	stop();
	setenv("GMEMCTL_RUNTIME_DIR", "/proc/nothing/here", 1);
	EXPECT_FALSE(runtime_find(NULL));
	unsetenv("GMEMCTL_RUNTIME_DIR");
}

/* A VM that does not answer costs the time that one has, and no more. */
TEST_F(control, stopped)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct error error;
	int fd;

	EXPECT_FALSE(runtime_path("stuck", NULL, address.sun_path, NULL));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT_FALSE(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	EXPECT_FALSE(listen(fd, 0));
	EXPECT_EQ(client_call("stuck", 1, message_request("stat"), NULL, &error), -ETIME);
	EXPECT_TRUE(error.hint[0]);
	close(fd);
	unlink(address.sun_path);
}

/* One with too many clients is waited for, also by a client that is stopped meanwhile. */
TEST_F(control, client_stopped)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct error error;
	int fd, client;
	pid_t child;

	EXPECT_FALSE(runtime_path("full", NULL, address.sun_path, NULL));
	fd = raw_socket();
	client = raw_socket();
	EXPECT_FALSE(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	EXPECT_FALSE(listen(fd, 0));
	EXPECT_FALSE(connect(client, (struct sockaddr *)&address, sizeof(address)));
	child = fork();
	if (!child) {
		usleep(100000);
		kill(getppid(), SIGSTOP);
		usleep(10000);
		_exit(kill(getppid(), SIGCONT));
	}
	EXPECT_EQ(client_call("full", 1, message_request("stat"), NULL, &error), -ETIME);
	EXPECT_EQ(waitpid(child, NULL, 0), child);
	close(client);
	close(fd);
	unlink(address.sun_path);
}

/* As of two PID namespaces: nobody takes the socket of another one, but what is left of one. */
TEST_OF(control, channel_taken)
{
	struct channel first, second;
	char name[RUNTIME_NAME_MAX];
	struct error error;
	int fd, lock;

	start();
	EXPECT_FALSE(channel_listen(&first, &error));
	EXPECT_FALSE(channel_listen(&second, &error));
	EXPECT_TRUE(strcmp(first.name, second.name));
	fd = channel_connect(first.name, &error);
	close(channel_accept(&first, 2000, &error));
	EXPECT_EQ(channel_accept(&second, 1, &error), -ETIMEDOUT);
	close(fd);
	channel_close(&second);
	fd = channel_connect(first.name, &error);
	EXPECT_GE(fd, 0);
	close(fd);
	/* Killed */
	close(first.fd);
	close(first.lock_fd);
	EXPECT_FALSE(channel_listen(&second, &error));
	EXPECT_STREQ(first.name, second.name);
	channel_close(&second);

	lock = runtime_lock_free("vm", name, &error);
	fd = runtime_lock_free("vm", first.name, &error);
	EXPECT_GE(fd, 0);
	EXPECT_TRUE(strcmp(first.name, name));
	runtime_unlock(first.name, fd);
	runtime_unlock(name, lock);
	stop();
}

/* Without a descriptor to spare the answer is not waited for, at full speed. */
TEST_F(control, channel_full)
{
	struct rlimit before, full;
	struct channel channel;
	struct error error;
	int fd;

	EXPECT_FALSE(channel_listen(&channel, &error));
	fd = channel_connect(channel.name, &error);
	EXPECT_GE(fd, 0);
	EXPECT_FALSE(getrlimit(RLIMIT_NOFILE, &before));
	full = (struct rlimit){ (rlim_t)fd + 1, before.rlim_max };
	EXPECT_FALSE(setrlimit(RLIMIT_NOFILE, &full));
	EXPECT_EQ(channel_accept(&channel, 2000, &error), -EMFILE);
	EXPECT_FALSE(setrlimit(RLIMIT_NOFILE, &before));
	close(fd);
	channel_close(&channel);
}
