// SPDX-License-Identifier: GPL-2.0
/*
 * `gmemctl save` as a user runs it. This process is the VM; the program is the
 * one next to this one.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../control/channel.h"
#include "../control/server.h"
#include "../kvm/threads.h"
#include "unit.h"

#define NAME "test-vm"
#define PATH_SIZE 1024

/**
 * enum act - what the VM does, or what happens to it
 * @ACT_SAVE: it writes its guest
 * @ACT_OBSTACLE: meanwhile somebody makes a directory of FILE
 * @ACT_FAIL: it cannot
 * @ACT_REFUSE: it does not even begin
 * @ACT_INTERRUPT: the program gets SIGINT meanwhile
 * @ACT_KILL: the program is killed when the guest is written
 * @ACT_DIE: it dies when it has heard that the file has its name
 * @ACT_LATE: it has not waited, and goes on
 */
enum act {
	ACT_SAVE,
	ACT_OBSTACLE,
	ACT_FAIL,
	ACT_REFUSE,
	ACT_INTERRUPT,
	ACT_KILL,
	ACT_DIE,
	ACT_LATE,
};

static char directory[64], program[4096];
static const char *guest;
static bool deaf;
static struct server server;
static pthread_t saver;
static unsigned int asked;
static int job = -1;
static enum act act;
static pid_t child;
static int verdict;
static bool named;

static void path_of(const char *name, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/%s", directory, name);
}

/* What a file has in it, or "-". */
static const char *content(const char *name)
{
	static char text[4 * PATH_SIZE];
	char path[PATH_SIZE];
	ssize_t size;
	int file;

	path_of(name, path);
	file = open(path, O_RDONLY | O_CLOEXEC);
	size = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
	if (file >= 0)
		close(file);
	text[size > 0 ? size : 0] = '\0';
	return size < 0 ? "-" : text;
}

/* What happens between the last byte of the guest and the program's answer. */
static void happen(void)
{
	char path[PATH_SIZE];

	path_of(guest, path);
	if (act == ACT_OBSTACLE)
		CHECK(!mkdir(path, 0700));
	if (act == ACT_INTERRUPT)
		CHECK(!kill(child, SIGINT));
	if (act == ACT_KILL)
		CHECK(!kill(child, SIGKILL));
	if (act == ACT_INTERRUPT || act == ACT_KILL)
		CHECK_EQ(channel_wait_result(job, -1, 5000, NULL), -EPIPE);
}

/* The VM's word after it has heard whether the file has its name. */
static void conclude(void)
{
	struct error error;

	verdict = channel_wait_result(job, -1, 5000, &error);
	named = !strcmp(content("guest"), "saved");
	if (verdict || act == ACT_DIE)
		return;
	if (act == ACT_LATE)
		verdict = error_set(&error, -ETIMEDOUT, "x", "wait", NULL);
	CHECK(!channel_send_result(job, verdict, &error));
}

static void *save_main(void *data)
{
	int file = channel_receive_file(job);
	struct error error;
	int rc = 0;

	(void)data;
	CHECK(file >= 0 && write(file, "saved", 5) == 5);
	close(file);
	happen();
	if (act == ACT_FAIL)
		rc = error_set(&error, -ENOSPC, "guest memory", "write", NULL);
	if (act != ACT_INTERRUPT && act != ACT_KILL) {
		CHECK(!channel_send_result(job, rc, &error));
		if (!rc)
			conclude();
	}
	close(job);
	return NULL;
}

static int serve(void *data, const char *command, struct json_object *request,
		 struct json_object **result, struct error *error)
{
	struct json_object *channel;

	(void)data;
	(void)result;
	CHECK_STR(command, "save");
	CHECK(json_object_object_get_ex(request, "channel", &channel));
	if (act == ACT_REFUSE)
		return error_set(error, -EBUSY, "VM", "start a job", NULL);
	asked++;
	job = channel_connect(json_object_get_string(channel), error);
	return job < 0 ? job : threads_start(&saver, save_main, NULL);
}

/* @guest: FILE; @deaf: nobody reads what the program says. */
static bool start(enum act what)
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
	act = what;
	guest = "guest";
	deaf = false;
	asked = 0;
	verdict = 1;
	named = false;
	CHECK(!server_start(&server, NAME, serve, NULL, NULL));
	return true;
}

static unsigned int entries(bool remove)
{
	DIR *names = opendir(directory);
	struct dirent *entry;
	unsigned int count = 0;

	while ((entry = readdir(names))) {
		if (entry->d_name[0] == '.')
			continue;
		count += !strstr(entry->d_name, NAME);
		if (remove && unlinkat(dirfd(names), entry->d_name, 0))
			unlinkat(dirfd(names), entry->d_name, AT_REMOVEDIR);
	}
	closedir(names);
	return count;
}

/* @left: names that are there besides the VM's own. */
static void stop(unsigned int left)
{
	unsigned int has;

	server_stop(&server);
	has = entries(true);
	if (has != left)
		printf("# %u files are left, expected %u\n", has, left);
	CHECK_EQ(has, left);
	CHECK(!rmdir(directory));
	unsetenv("GMEMCTL_RUNTIME_DIR");
}

/* Return: the exit code, or the negative signal. What it says is in "out". */
static int save_as(const char *name, const char *file, bool and_stop)
{
	char path[PATH_SIZE], out[PATH_SIZE];
	int status;

	path_of(file, path);
	path_of("out", out);
	child = fork();
	if (!child) {
		int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		int pipe_fds[2];

		if (deaf && !pipe(pipe_fds) && !close(pipe_fds[0]))
			fd = pipe_fds[1];
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execl(program, "gmemctl", "save", name, path,
		      and_stop ? "--stop" : NULL, NULL);
		_exit(127);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	if (asked)
		pthread_join(saver, NULL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int save(void)
{
	return save_as(NAME, guest, true);
}

static void put(const char *name, const char *text)
{
	char path[PATH_SIZE];
	int fd;

	path_of(name, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* The VM hears of the name when the file has it, and not before. */
static void test_save_cli(void)
{
	char path[PATH_SIZE];
	struct stat status;

	if (!start(ACT_SAVE))
		return;
	CHECK(!save() && asked == 1 && !verdict && named);
	CHECK(!strcmp(content("guest"), "saved") && !*content("out"));
	path_of("guest", path);
	CHECK(!stat(path, &status) && (status.st_mode & 0777) == 0600);
	stop(2);
}

/* What the user has under such names is no business of this. */
static void test_save_cli_neighbours_C7(void)
{
	if (!start(ACT_SAVE))
		return;
	put("guest", "before");
	put("guest.part", "another guest");
	CHECK(!save() && !strcmp(content("guest"), "saved"));
	CHECK_STR(content("guest.part"), "another guest");
	stop(3);
}

/* The command again, or mistyped: the VM is not there, and nothing is touched. */
static void test_save_cli_no_vm_C5(void)
{
	if (!start(ACT_SAVE))
		return;
	put("guest", "the guest");
	put("guest.part", "another guest");
	CHECK(save_as("test-mv", "guest", true) == 1 && !asked);
	CHECK(strstr(content("out"), "test-mv"));
	CHECK_STR(content("guest"), "the guest");
	CHECK_STR(content("guest.part"), "another guest");
	stop(3);
}

/* Somebody else saves it already, maybe to the same file. */
static void test_save_cli_busy_C6(void)
{
	if (!start(ACT_REFUSE))
		return;
	put("guest.12345678.part", "half of the guest");
	CHECK(save() == 1 && strstr(content("out"), "busy"));
	CHECK_STR(content("guest.12345678.part"), "half of the guest");
	stop(2);
}

/* The VM goes on, and its part is not left in the directory. */
static void test_save_cli_interrupted_C5(void)
{
	if (!start(ACT_INTERRUPT))
		return;
	put("guest", "before");
	CHECK(save() == 1 && verdict == 1);
	CHECK(strstr(content("out"), "the VM goes on"));
	CHECK_STR(content("guest"), "before");
	stop(2);
}

/* Nobody can clean up then, but nothing that was there is lost. */
static void test_save_cli_killed_C5(void)
{
	if (!start(ACT_KILL))
		return;
	put("guest", "before");
	CHECK(save() == -SIGKILL && verdict == 1);
	CHECK_STR(content("guest"), "before");
	stop(3);
}

static void test_save_cli_full(void)
{
	if (!start(ACT_FAIL))
		return;
	put("guest", "before");
	CHECK(save() == 1 && strstr(content("out"), "No space left"));
	CHECK(strstr(content("out"), "/guest: save the VM to it: "));
	CHECK_STR(content("guest"), "before");
	stop(2);
}

/* The message ends the program, which has tidied up before. */
static void test_save_cli_deaf_C18(void)
{
	if (!start(ACT_FAIL))
		return;
	deaf = true;
	CHECK(save() == -SIGPIPE && verdict == 1);
	stop(1);
}

/* The name that is said for a complete guest. Return: whether it is there. */
static bool place_is_said(void)
{
	char path[PATH_SIZE], *at, *end;

	at = strstr((char *)content("out"), "complete in ");
	if (!at)
		return false;
	at += strlen("complete in ");
	end = strstr(at, ".part");
	if (!end)
		return false;
	snprintf(path, sizeof(path), "%.*s.part", (int)(end - at), at);
	return !strncmp(path, directory, strlen(directory)) &&
	       !strcmp(content(path + strlen(directory) + 1), "saved");
}

/* The VM is told to go on; the file is complete, and where it is, is said. */
static void test_save_cli_rename_C5(void)
{
	if (!start(ACT_OBSTACLE))
		return;
	CHECK(save() == 1 && asked == 1);
	CHECK_EQ(verdict, -EISDIR);
	CHECK(place_is_said());
	CHECK(strstr(content("out"), "guest: rename what was written to this: "));
	stop(3);
}

/* However long it is: nobody could guess the name. */
static void test_save_cli_long_C5(void)
{
	char name[PATH_SIZE - 100] = "", path[PATH_SIZE];
	size_t length = 0;

	if (!start(ACT_OBSTACLE))
		return;
	while (length + 200 < sizeof(name)) {
		length += (size_t)sprintf(name + length, "%0199d", 0);
		path_of(name, path);
		CHECK(!mkdir(path, 0700));
		name[length++] = '/';
	}
	strcpy(name + length, "guest");
	guest = name;
	CHECK(save() == 1 && place_is_said());
	snprintf(path, sizeof(path), "rm -r %s/0*", directory);
	CHECK(!system(path));
	stop(1);
}

/* Gone, but not without having written its guest. */
static void test_save_cli_dead(void)
{
	if (!start(ACT_DIE))
		return;
	CHECK(!save() && named && !*content("out"));
	stop(2);
}

/* It is not said to have ended if it has not. */
static void test_save_cli_late(void)
{
	if (!start(ACT_LATE))
		return;
	CHECK(save() == 1 && strstr(content("out"), "/guest; the VM seems to go on"));
	CHECK_STR(content("guest"), "saved");
	stop(2);
}

/* It is refused while the VM can still go on. */
static void test_save_cli_directory(void)
{
	char path[PATH_SIZE];

	if (!start(ACT_SAVE))
		return;
	path_of("guest", path);
	CHECK(!mkdir(path, 0700));
	CHECK(save() == 1 && !asked);
	CHECK(strstr(content("out"), "directory"));
	CHECK(!rmdir(path) && !mkfifo(path, 0600));
	CHECK(save() == 1 && !asked);
	CHECK(strstr(content("out"), "regular file"));
	stop(2);
}

static const struct unit_test tests[] = {
	{ "save_cli.save", test_save_cli },
	{ "save_cli.neighbours_C7", test_save_cli_neighbours_C7 },
	{ "save_cli.no_vm_C5", test_save_cli_no_vm_C5 },
	{ "save_cli.busy_C6", test_save_cli_busy_C6 },
	{ "save_cli.interrupted_C5", test_save_cli_interrupted_C5 },
	{ "save_cli.killed_C5", test_save_cli_killed_C5 },
	{ "save_cli.full", test_save_cli_full },
	{ "save_cli.deaf_C18", test_save_cli_deaf_C18 },
	{ "save_cli.rename_C5", test_save_cli_rename_C5 },
	{ "save_cli.long_C5", test_save_cli_long_C5 },
	{ "save_cli.dead", test_save_cli_dead },
	{ "save_cli.late", test_save_cli_late },
	{ "save_cli.directory_C8", test_save_cli_directory },
};

UNIT_TESTS(tests)
