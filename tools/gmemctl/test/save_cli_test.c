// SPDX-License-Identifier: GPL-2.0
/*
 * `gmemctl save` as a user runs it. This process is the VM; the program is the
 * one next to this one.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../control/channel.h"
#include "../control/server.h"
#include "../machine/threads.h"
#include "unit.h"

#define NAME "test-vm"

static char directory[64], program[4096];
static struct server server;
static pthread_t saver;
static unsigned int asked;
static int job = -1;
static bool in_the_way;

static void path_of(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", directory, name);
}

/* The VM has written its guest; meanwhile somebody makes a directory of FILE. */
static void *save_main(void *data)
{
	int file = channel_receive_file(job);
	char path[128];

	(void)data;
	path_of("guest", path);
	CHECK(file >= 0 && write(file, "saved", 5) == 5);
	if (in_the_way)
		CHECK(!mkdir(path, 0700));
	close(file);
	CHECK(!channel_send_result(job, 0, NULL));
	close(job);
	return NULL;
}

static int serve(void *data, const char *command, struct json_object *request,
		 struct json_object **result, struct error *error)
{
	struct json_object *channel;

	(void)data;
	(void)result;
	CHECK(!strcmp(command, "save"));
	CHECK(json_object_object_get_ex(request, "channel", &channel));
	asked++;
	job = channel_connect(json_object_get_string(channel), error);
	return job < 0 ? job : threads_start(&saver, save_main, NULL);
}

static bool start(bool obstacle)
{
	ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 16);

	CHECK(size > 0);
	program[size > 0 ? size : 0] = '\0';
	strcpy(strrchr(program, '/'), "/gmemctl");
	if (access(program, X_OK)) {
		unit_skip("%s is not built", program);
		return false;
	}
	snprintf(directory, sizeof(directory), "/tmp/gmemctl-test.XXXXXX");
	CHECK(mkdtemp(directory));
	setenv("GMEMCTL_RUNTIME_DIR", directory, 1);
	in_the_way = obstacle;
	asked = 0;
	CHECK(!server_start(&server, NAME, serve, NULL, NULL));
	return true;
}

static void stop(void)
{
	server_stop(&server);
	CHECK(!rmdir(directory));
	unsetenv("GMEMCTL_RUNTIME_DIR");
}

/* Return: the exit code. */
static int save(void)
{
	char command[5120];
	int status;

	snprintf(command, sizeof(command),
		 "'%s' save " NAME " %s/guest --stop >%s/out 2>&1", program,
		 directory, directory);
	status = system(command);
	if (asked)
		pthread_join(saver, NULL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Whether a file has @text in it; it is removed. */
static bool has(const char *name, const char *text)
{
	char path[128], content[1024] = "";
	int file;

	path_of(name, path);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || read(file, content, sizeof(content) - 1) < 0)
		return false;
	close(file);
	return !unlink(path) && strstr(content, text);
}

static void remove_guest(void)
{
	char path[128];

	path_of("guest", path);
	CHECK(!rmdir(path));
}

static void test_save_cli(void)
{
	if (!start(false))
		return;
	CHECK(!save() && asked == 1);
	CHECK(has("guest", "saved") && has("out", ""));
	CHECK(!has("guest.part", ""));
	stop();
}

/* The VM has ended by then: the file is all there is of the guest. */
static void test_save_cli_rename(void)
{
	if (!start(true))
		return;
	CHECK(save() == 1 && asked == 1);
	CHECK(has("guest.part", "saved"));
	CHECK(has("out", "guest.part"));
	remove_guest();
	stop();
}

/* It is refused while the VM can still go on. */
static void test_save_cli_directory(void)
{
	char path[128];

	if (!start(false))
		return;
	path_of("guest", path);
	CHECK(!mkdir(path, 0700));
	CHECK(save() == 1 && !asked);
	CHECK(has("out", "directory") && !has("guest.part", ""));
	remove_guest();
	stop();
}

static const struct unit_test tests[] = {
	{ "save_cli.save", test_save_cli },
	{ "save_cli.rename", test_save_cli_rename },
	{ "save_cli.directory", test_save_cli_directory },
};

UNIT_TESTS(tests)
