// SPDX-License-Identifier: GPL-2.0
/*
 * Files of a guest. A file that is its memory is used by one guest only, and has all of
 * its blocks allocated. A file with a saved guest is complete or does not exist, even if
 * the save is interrupted. The guest is a kernel of a few bytes.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "ksft.h"
#include "linux_guest.h"
#include "tiny_guest.h"

#define NAME		"files"
#define DIRECTORY	"/tmp/files"
#define KERNEL		DIRECTORY "/kernel"
#define MEMORY		DIRECTORY "/memory"
#define SAVED		DIRECTORY "/saved"
#define TIMEOUT		180

static char output[1 << 16];
static struct boot boot;
static struct boot_process tool;

static int ask(const char *command, const char *a, const char *b)
{
	return tool_run(output, sizeof(output),
			(const char *const[]){ command, NAME, a, b, NULL });
}

/* Run a VM that cannot be built. Return: its exit code. output: its messages. */
static int run(const char *memory)
{
	return tool_run(output, sizeof(output), (const char *const[]){
			"run", "--kernel", KERNEL, "--timeout", "5", "--memory",
			memory, NULL });
}

#define NEED_GUEST() do {						\
	const char *__why = control_unavailable();			\
									\
	if (!__why && access("/dev/kvm", R_OK))				\
		__why = "no /dev/kvm";					\
	if (__why)							\
		SKIP(return, "%s", __why);				\
	setenv("GMEMCTL_RUNTIME_DIR", "/tmp/gmemctl-run", 1);		\
	mkdir(DIRECTORY, 0700);						\
	ASSERT_TRUE(tiny_guest_write(KERNEL));				\
} while (0)

static void start(const char *memory)
{
	boot = (struct boot){ .kernel = KERNEL, .memory = memory, .name = NAME,
			      .seconds = "120" };
	tool.out = output_file();
	tool.err = output_file();
	tool.pid = boot_start(&boot, tool.out, tool.err);
	ASSERT_GT(tool.pid, 0);
	EXPECT_TRUE(boot_wait_answer(tool.pid, NAME));
}

static void end(const char *how)
{
	boot_end(&boot, tool.pid, tool.out, tool.err);
	if (!boot_ended(&boot, how, 0))
		boot_log(&boot, boot.json);
	EXPECT_TRUE(boot_ended(&boot, how, 0));
}

/* Number of files that a save has not finished. */
static unsigned int parts(void)
{
	DIR *names = opendir(DIRECTORY);
	struct dirent *entry;
	unsigned int count = 0;

	while (names && (entry = readdir(names)))
		count += !!strstr(entry->d_name, ".part");
	if (names)
		closedir(names);
	return count;
}

static void expect_said(const char *what)
{
	if (!strstr(output, what))
		TH_LOG("expected %s: %s", what, output);
	EXPECT_TRUE(strstr(output, what));
}

TEST_TIMEOUT(C10_two_guests, TIMEOUT)
{
	char who[64];

	NEED_GUEST();
	unlink(MEMORY);
	start("32M,file=" MEMORY);
	EXPECT_EQ(1, run("32M,file=" MEMORY));
	expect_said(MEMORY);
	snprintf(who, sizeof(who), "process %d has it", tool.pid);
	expect_said(who);
	/* A saved guest cannot replace the file either. */
	EXPECT_EQ(1, ask("save", MEMORY, NULL));
	expect_said(who);
	EXPECT_EQ(0, ask("stop", NULL, NULL));
	end("stopped");
	EXPECT_EQ(1, run("32M,file=" MEMORY));
	expect_said("stopped after --timeout");
	unlink(MEMORY);
}

/* A full file system and a file size limit are reported before the guest runs. */
TEST_TIMEOUT(C11_no_room, TIMEOUT)
{
	struct rlimit before, small;
	struct stat status;

	NEED_GUEST();
	mkdir(DIRECTORY "/small", 0700);
	ASSERT_EQ(0, mount("small", DIRECTORY "/small", "tmpfs", 0, "size=8M"));
	EXPECT_EQ(1, run("32M,file=" DIRECTORY "/small/memory"));
	expect_said(DIRECTORY "/small/memory: allocate guest memory");
	expect_said("No space left");
	EXPECT_EQ(0, stat(DIRECTORY "/small/memory", &status));
	EXPECT_EQ(0, status.st_blocks);
	EXPECT_EQ(1, run("32M,prefetch,file=" DIRECTORY "/small/memory"));
	expect_said("No space left");
	EXPECT_EQ(0, umount(DIRECTORY "/small"));
	ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &before));
	small = before;
	small.rlim_cur = 16 << 20;
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &small));
	EXPECT_EQ(1, run("32M"));
	expect_said("ulimit -f");
	EXPECT_EQ(1, run("32M,file=" MEMORY));
	expect_said("ulimit -f");
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &before));
	unlink(MEMORY);
}

/* Start a process that saves, and wait until its file exists. */
static pid_t save_start(const char *option)
{
	const char *words[] = { "save", NAME, SAVED, option, NULL };
	int out = output_file();
	pid_t pid = boot_start_with(words, 0, out, out);

	close(out);
	for (int i = 0; i < 2000 && !parts(); i++)
		usleep(5000);
	return pid;
}

static int wait_for(pid_t pid)
{
	int status;

	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* The saved file is complete, and failed saves have not changed it. */
static void check_saved(const struct stat *before)
{
	struct stat now;

	EXPECT_EQ(0, stat(SAVED, &now));
	EXPECT_EQ(before->st_ino, now.st_ino);
	EXPECT_EQ(before->st_size, now.st_size);
	EXPECT_EQ(0, parts());
	EXPECT_EQ(0, ask("stat", NULL, NULL));
}

/* A save that is interrupted, one with a wrong name, two at once, and one that succeeds. */
TEST_TIMEOUT(C5_C6_interrupted_save, TIMEOUT)
{
	static const char *const restore[] = {
		"restore", SAVED, "--name", NAME, "--timeout", "60", "--json",
		NULL,
	};
	static const char *const mistyped[] = {
		"save", "file", SAVED, "--stop", NULL,
	};
	struct stat before;
	pid_t pid;

	NEED_GUEST();
	unlink(SAVED);
	start("24M,kind=private,prefetch");
	EXPECT_EQ(0, ask("save", SAVED, NULL));
	ASSERT_EQ(0, stat(SAVED, &before));
	EXPECT_EQ(0600, before.st_mode & 07777);
	EXPECT_GT(before.st_size, 24 << 20);
	EXPECT_EQ(1, tool_run(output, sizeof(output), mistyped));
	check_saved(&before);
	pid = save_start("--stop");
	EXPECT_EQ(0, kill(pid, SIGINT));
	EXPECT_EQ(1, wait_for(pid));
	EXPECT_TRUE(boot_wait_answer(tool.pid, NAME));
	check_saved(&before);
	pid = save_start("--stop");
	EXPECT_EQ(1, ask("save", SAVED, NULL));
	expect_said("busy");
	EXPECT_EQ(0, wait_for(pid));
	end("saved");
	EXPECT_EQ(0, parts());
	tool.out = output_file();
	tool.err = output_file();
	tool.pid = boot_start_with(restore, 0, tool.out, tool.err);
	EXPECT_TRUE(boot_wait_answer(tool.pid, NAME));
	EXPECT_EQ(0, ask("stop", NULL, NULL));
	end("stopped");
	unlink(SAVED);
}

TEST_HARNESS_MAIN
