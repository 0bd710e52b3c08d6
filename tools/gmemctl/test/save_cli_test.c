// SPDX-License-Identifier: GPL-2.0
/*
 * `gmemctl save` as a user runs it. This process is the VM; the program is the
 * one next to this one.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "../control/control.h"
#include "../kvm/threads.h"
#include "cli_run.h"
#include "ksft.h"

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

/* What a file has in it, or "-". */
static const char *content(const char *name)
{
	static char text[4 * PATH_SIZE];
	int file = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t size = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
	if (file >= 0)
		close(file);
	text[size > 0 ? size : 0] = '\0';
	return size < 0 ? "-" : text;
}

/* What happens between the last byte of the guest and the program's answer. */
static void happen(void)
{
	if (act == ACT_OBSTACLE)
		EXPECT_FALSE(mkdir(guest, 0700));
	if (act == ACT_INTERRUPT)
		EXPECT_FALSE(kill(child, SIGINT));
	if (act == ACT_KILL)
		EXPECT_FALSE(kill(child, SIGKILL));
	if (act == ACT_INTERRUPT || act == ACT_KILL)
		EXPECT_EQ(channel_wait_result(job, -1, 5000, NULL), -EPIPE);
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
	EXPECT_FALSE(channel_send_result(job, verdict, &error));
}

static void *save_main(void *data)
{
	int file = channel_receive_file(job);
	struct error error;
	int rc = 0;

	EXPECT_GE(file, 0);
	EXPECT_EQ(write(file, "saved", 5), 5);
	close(file);
	happen();
	if (act == ACT_FAIL)
		rc = error_set(&error, -ENOSPC, "guest memory", "write", NULL);
	if (act != ACT_INTERRUPT && act != ACT_KILL) {
		EXPECT_FALSE(channel_send_result(job, rc, &error));
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

	EXPECT_STREQ(command, "save");
	EXPECT_TRUE(json_object_object_get_ex(request, "channel", &channel));
	if (act == ACT_REFUSE)
		return error_set(error, -EBUSY, "VM", "start a job", NULL);
	asked++;
	job = channel_connect(json_object_get_string(channel), error);
	return job < 0 ? job : threads_start(&saver, save_main, NULL);
}

/* @guest: FILE; @deaf: nobody reads what the program says. */
static void start(enum act what)
{
	cli_init();
	setenv("GMEMCTL_RUNTIME_DIR", ksft_folder(), 1);
	act = what;
	guest = "guest";
	deaf = false;
	asked = 0;
	verdict = 1;
	named = false;
	EXPECT_FALSE(server_start(&server, NAME, serve, NULL, NULL));
}

/* @left: names that are there besides the VM's own. */
static void stop(unsigned int left)
{
	DIR *names = opendir(".");
	struct dirent *entry;
	unsigned int count = 0;

	server_stop(&server);
	while ((entry = readdir(names)))
		count += entry->d_name[0] != '.' && !strstr(entry->d_name, NAME);
	closedir(names);
	EXPECT_EQ(count, left);
}

/* Return: the exit code, or the negative signal. What it says is in "out". */
static int save_as(const char *name, const char *file, bool and_stop)
{
	char path[PATH_SIZE];
	int code;

	snprintf(path, sizeof(path), "%s/%s", ksft_folder(), file);
	child = fork();
	if (!child) {
		int fd = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
		int pipe_fds[2];

		if (deaf && !pipe(pipe_fds) && !close(pipe_fds[0]))
			fd = pipe_fds[1];
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execl(cli_program, "gmemctl", "save", name, path, and_stop ? "--stop" : NULL, NULL);
		_exit(127);
	}
	code = ksft_wait(child);
	if (asked)
		pthread_join(saver, NULL);
	return code;
}

static int save(void)
{
	return save_as(NAME, guest, true);
}

static void put(const char *name, const char *text)
{
	cli_write(name, text, strlen(text));
}

/* The VM hears of the name when the file has it, and not before. */
TEST_OF(save_cli, save)
{
	struct stat status;

	start(ACT_SAVE);
	EXPECT_FALSE(save());
	EXPECT_EQ(asked, 1);
	EXPECT_FALSE(verdict);
	EXPECT_TRUE(named);
	EXPECT_STREQ(content("guest"), "saved");
	EXPECT_FALSE(*content("out"));
	EXPECT_FALSE(stat("guest", &status));
	EXPECT_EQ((status.st_mode & 0777), 0600);
	stop(2);
}

/* What the user has under such names is no business of this. */
TEST_OF(save_cli, neighbours_C7)
{
	start(ACT_SAVE);
	put("guest", "before");
	put("guest.part", "another guest");
	EXPECT_FALSE(save());
	EXPECT_STREQ(content("guest"), "saved");
	EXPECT_STREQ(content("guest.part"), "another guest");
	stop(3);
}

/* The command again, or mistyped: the VM is not there, and nothing is touched. */
TEST_OF(save_cli, no_vm_C5)
{
	start(ACT_SAVE);
	put("guest", "the guest");
	put("guest.part", "another guest");
	EXPECT_EQ(save_as("test-mv", "guest", true), 1);
	EXPECT_FALSE(asked);
	EXPECT_STRSTR(content("out"), "test-mv");
	EXPECT_STREQ(content("guest"), "the guest");
	EXPECT_STREQ(content("guest.part"), "another guest");
	stop(3);
}

/* Somebody else saves it already, maybe to the same file. */
TEST_OF(save_cli, busy_C6)
{
	start(ACT_REFUSE);
	put("guest.12345678.part", "half of the guest");
	EXPECT_EQ(save(), 1);
	EXPECT_STRSTR(content("out"), "busy");
	EXPECT_STREQ(content("guest.12345678.part"), "half of the guest");
	stop(2);
}

/* Whatever ends it: what was there is there, or all of the guest. */
TEST_OF(save_cli, ends)
{
	static const struct {
		enum act act;
		bool deaf;
		int code, verdict;
		const char *says, *guest;
		unsigned int left;
	} cases[] = {
		/* The VM goes on, and its part is not left in the directory (C5). */
		{ ACT_INTERRUPT, false, 1, 1, "the VM goes on", "before", 2 },
		/* Nobody can clean up then, but nothing that was there is lost (C5). */
		{ ACT_KILL, false, -SIGKILL, 1, "", "before", 3 },
		{ ACT_FAIL, false, 1, 1, "/guest: save the VM to it: ", "before", 2 },
		{ ACT_FAIL, false, 1, 1, "No space left", "before", 2 },
		/* The message ends the program, which has tidied up before (C18). */
		{ ACT_FAIL, true, -SIGPIPE, 1, NULL, "before", 2 },
		/* It is not said to have ended if it has not. */
		{ ACT_LATE, false, 1, -ETIMEDOUT, "/guest; the VM seems to go on", "saved", 2 },
		/* Gone, but not without having written its guest. */
		{ ACT_DIE, false, 0, 0, "", "saved", 2 },
	};

	ksft_for_each(c, cases) {
		start(c->act);
		deaf = c->deaf;
		put("guest", "before");
		EXPECT_EQ(save(), c->code);
		EXPECT_EQ(verdict, c->verdict);
		EXPECT_EQ(named, c->guest[0] == 's');
		EXPECT_STREQ(content("guest"), c->guest);
		if (c->says && *c->says)
			EXPECT_STRSTR(content("out"), c->says);
		else if (c->says)
			EXPECT_FALSE(*content("out"));
		stop(c->left);
		EXPECT_FALSE(cli_shell("rm -rf ./*"));
		ksft_part("act %d", c->act);
	}
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
	return !strncmp(path, ksft_folder(), strlen(ksft_folder())) &&
	       !strcmp(content(path + strlen(ksft_folder()) + 1), "saved");
}

/* The VM is told to go on; the file is complete, and where it is, is said. */
TEST_OF(save_cli, rename_C5)
{
	start(ACT_OBSTACLE);
	EXPECT_EQ(save(), 1);
	EXPECT_EQ(asked, 1);
	EXPECT_EQ(verdict, -EISDIR);
	EXPECT_TRUE(place_is_said());
	EXPECT_STRSTR(content("out"), "guest: rename what was written to this: ");
	stop(3);
}

/* However long it is: nobody could guess the name. */
TEST_OF(save_cli, long_C5)
{
	char name[PATH_SIZE - 100] = "";
	size_t length = 0;

	start(ACT_OBSTACLE);
	while (length + 200 < sizeof(name)) {
		length += (size_t)sprintf(name + length, "%0199d", 0);
		EXPECT_FALSE(mkdir(name, 0700));
		name[length++] = '/';
	}
	strcpy(name + length, "guest");
	guest = name;
	EXPECT_EQ(save(), 1);
	EXPECT_TRUE(place_is_said());
	EXPECT_FALSE(cli_shell("rm -r 0*"));
	stop(1);
}

/* It is refused while the VM can still go on. */
TEST_OF(save_cli, directory_C8)
{
	start(ACT_SAVE);
	EXPECT_FALSE(mkdir("guest", 0700));
	EXPECT_EQ(save(), 1);
	EXPECT_FALSE(asked);
	EXPECT_STRSTR(content("out"), "directory");
	EXPECT_FALSE(rmdir("guest"));
	EXPECT_FALSE(mkfifo("guest", 0600));
	EXPECT_EQ(save(), 1);
	EXPECT_FALSE(asked);
	EXPECT_STRSTR(content("out"), "regular file");
	stop(2);
}
