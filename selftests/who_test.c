// SPDX-License-Identifier: GPL-2.0
/*
 * `gmemctl who` reports held pages and their possible holders: exactly for a buffer of
 * io_uring, and by the open files of a process for other ways. It accepts a process or a
 * VM.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"
#include "linux_guest.h"
#include "tiny_guest.h"

#define NR_PAGES 512
#define LENGTH (NR_PAGES * PAGE)
#define NAME "who"
#define KERNEL "/tmp/who-kernel"

static char output[1 << 17], self_pid[16];

FIXTURE(who) {
	int fd;
	uint8_t *p;
};

FIXTURE_SETUP(who)
{
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	gmem_fill(self->p, 'A', LENGTH);
	snprintf(self_pid, sizeof(self_pid), "%d", getpid());
}

FIXTURE_TEARDOWN(who)
{
	munmap(self->p, LENGTH);
	close(self->fd);
}

/* Remove all white space between the tokens of JSON. */
static void compact(char *text)
{
	char *to = text;

	while (*text) {
		if (*text == '\n')
			text += 1 + strspn(text + 1, " ");
		else
			*to++ = *text++;
	}
	*to = '\0';
}

static int ask(const char *who, const char *a, const char *b, bool json)
{
	const char *words[] = { "who", who, a ? a : "0", b ? b : "0",
				json ? "--json" : NULL, NULL };
	int code = tool_run(output, sizeof(output), words);

	if (json)
		compact(output);
	return code;
}

static bool says(const char *text)
{
	if (strstr(output, text))
		return true;
	TH_LOG("no %s in: %s", text, output);
	return false;
}

/* A child that has the mapping and no fds of gmem, and holds pages as requested. */
static pid_t child_start(void (*hold)(void *p), void *p)
{
	int ready[2];
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "the holder");
		hold(p);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	ASSERT_GT(pid, 0);
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	close(ready[0]);
	return pid;
}

static void child_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void hold_buffer(void *p)
{
	struct hold_uring uring;

	if (hold_uring_open(&uring) || hold_uring_register(&uring, p, 2 * PAGE))
		_exit(1);
}

/* Pages in a pipe: the range, the references, and that this process has such a pipe. */
TEST_F(who, pipe)
{
	struct hold_pipe pipe;

	ASSERT_EQ(0, hold_pipe_take(&pipe, self->p + 3 * PAGE, 2 * PAGE));
	EXPECT_EQ(0, ask(self_pid, NULL, NULL, true));
	EXPECT_TRUE(says("\"held\":[{\"offset\":12288,\"size\":8192,\"references\":1,"
			 "\"pinned\":false}]"));
	EXPECT_TRUE(says("\"pipes\":1,\"pipe_bytes\":8192"));
	EXPECT_TRUE(says("\"mapped_bytes\":2097152"));
	EXPECT_EQ(0, ask(self_pid, NULL, NULL, false));
	EXPECT_TRUE(says("held     0x00003000-0x00005000  2 pages, 1 reference too many each"));
	EXPECT_TRUE(says("8192 bytes in 1 pipe"));

	/* Only pages in the requested range are reported. */
	EXPECT_EQ(0, ask(self_pid, "16K", "4K", true));
	EXPECT_TRUE(says("\"held\":[{\"offset\":16384,\"size\":4096,"));
	EXPECT_EQ(0, ask(self_pid, "20K", NULL, true));
	EXPECT_TRUE(says("\"held\":[]"));
	EXPECT_EQ(0, ask(self_pid, "1G", NULL, true));
	EXPECT_TRUE(says("\"held\":[]"));
	hold_pipe_drop(&pipe);
	EXPECT_EQ(0, ask(self_pid, NULL, NULL, false));
	EXPECT_TRUE(says("Nobody holds a page"));
}

/* A buffer of another process's io_uring is reported with its exact pages. */
TEST_F(who, buffer)
{
	pid_t pid = child_start(hold_buffer, self->p + 9 * PAGE);
	char text[64];

	EXPECT_EQ(0, ask(self_pid, NULL, NULL, true));
	EXPECT_TRUE(says("\"held\":[{\"offset\":36864,\"size\":8192,"));
	EXPECT_TRUE(says("\"pinned\":true}"));
	snprintf(text, sizeof(text), "\"pid\":%d,\"command\":\"the holder\"", pid);
	EXPECT_TRUE(says(text));
	EXPECT_TRUE(says("\"io_uring_buffers\":[{\"offset\":36864,\"size\":8192}]"));
	EXPECT_EQ(0, ask(self_pid, NULL, NULL, false));
	EXPECT_TRUE(says("0x00009000-0x0000b000  is a buffer of its io_uring"));
	child_end(pid);
}

TEST_F(who, refused)
{
	EXPECT_EQ(CODE_FAILURE, ask("1", NULL, NULL, true));
	EXPECT_TRUE(says("its memory is of another kind"));
	EXPECT_EQ(CODE_FAILURE, ask("2147483647", NULL, NULL, true));
	EXPECT_TRUE(says("ESRCH"));
	EXPECT_EQ(CODE_FAILURE, ask("nobody", NULL, NULL, true));
	EXPECT_EQ(CODE_USAGE, ask(self_pid, "1", NULL, true));
	EXPECT_EQ(CODE_USAGE, ask(self_pid, "0", "4097", true));
	EXPECT_EQ(CODE_USAGE, ask("../x", NULL, NULL, true));
}

/* All gmem memory of the host, with the changes since the last look. */
TEST_F(who, top)
{
	const char *words[] = { "top", "--json", NULL };
	char text[256];

	test_gmem_convert(self->fd, 0, LENGTH / 2, PRIVATE, PRESERVE);
	EXPECT_EQ(0, tool_run(output, sizeof(output), words));
	compact(output);
	snprintf(text, sizeof(text), "{\"pid\":%s,\"command\":\"who_test\",\"name\":\"/gmem\","
		 "\"length\":2097152,\"resident_pages\":512,\"store_pages\":0,"
		 "\"private_pages\":256,\"refused\":0,", self_pid);
	EXPECT_TRUE(says(text));
	EXPECT_TRUE(says("\"conversions_per_second\":0.0"));
	words[1] = "--interval";
	words[2] = NULL;
	EXPECT_EQ(CODE_USAGE, tool_run(output, sizeof(output), words));
}

static void *convert_for_a_while(void *arg)
{
	int i, fd = *(int *)arg;

	for (i = 0; i < 400; i++) {
		gmem_convert(fd, 0, PAGE, i % 2 ? SHARED : PRIVATE, PRESERVE);
		usleep(10000);
	}
	return NULL;
}

TEST_F(who, top_rates)
{
	const char *words[] = { "top", "-d", "2", "--json", NULL };
	struct gmem_task task = { 0 };
	double rate = 0;
	const char *at;

	ASSERT_EQ(0, gmem_task_start(&task, -1, convert_for_a_while, &self->fd));
	EXPECT_EQ(0, tool_run(output, sizeof(output), words));
	at = strstr(output, "\"conversions_per_second\":");
	ASSERT_TRUE(at);
	rate = strtod(at + strlen("\"conversions_per_second\":"), NULL);
	EXPECT_GT(rate, 1);
	EXPECT_LT(rate, 101);
	gmem_task_join(&task);
}

/* A picture for a terminal, and one for a browser. */
TEST_F(who, picture)
{
	const char *draw[] = { "map", self_pid, "--picture", NULL };
	const char *svg[] = { "map", self_pid, "--svg", NULL, NULL };
	struct hold_pipe pipe;
	char path[64];

	snprintf(path, sizeof(path), "%s/memory.svg", ksft_folder());
	svg[3] = path;
	test_gmem_convert(self->fd, 0, 64 * PAGE, PRIVATE, PRESERVE);
	test_gmem_convert(self->fd, 65 * PAGE, PAGE, PRIVATE, ZERO);
	ASSERT_EQ(0, hold_pipe_take(&pipe, self->p + 66 * PAGE, PAGE));
	EXPECT_EQ(0, tool_run(output, sizeof(output), draw));
	EXPECT_TRUE(says("/gmem: 2 MiB"));
	EXPECT_TRUE(says("0x00000000 |PPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPP"));
	EXPECT_TRUE(says("0x00040000 |s.Hsssss"));
	EXPECT_TRUE(says("one character is 4 KiB"));
	EXPECT_EQ(0, tool_run(output, sizeof(output), svg));
	EXPECT_GT(gmem_read_file(path, output, sizeof(output)), 0);
	EXPECT_TRUE(says("<svg xmlns="));
	EXPECT_TRUE(says("<title>0x3f000: private</title>"));
	EXPECT_TRUE(says("<title>0x42000: held</title>"));
	hold_pipe_drop(&pipe);
}

/* The name of a gmem fd is escaped as text in a picture. */
TEST_F(who, picture_name)
{
	struct gmem_ioctl_create create = {
		.size = sizeof(create), .flags = GMEM_CREATE_F_INIT_SHARED,
		.length = 2 * LENGTH, .name = "<b>&",
	};
	const char *svg[] = { "map", self_pid, "--svg", NULL, NULL };
	int dev = gmem_open_dev();
	char path[64];

	snprintf(path, sizeof(path), "%s/memory.svg", ksft_folder());
	svg[3] = path;
	ASSERT_EQ(0, gmem_ioctl(dev, GMEM_IOCTL_CREATE, &create));
	EXPECT_EQ(0, tool_run(output, sizeof(output), svg));
	EXPECT_GT(gmem_read_file(path, output, sizeof(output)), 0);
	EXPECT_TRUE(says(">/gmem:&#60;b&#62;&#38;, 4 MiB</text>"));
	close(create.out_fd);
	close(dev);
}

/* The memory of a VM, selected by its name. */
TEST_TIMEOUT(vm, LINUX_GUEST_TIMEOUT)
{
	static struct boot boot;
	char directory[] = "/tmp/who.XXXXXX";
	int out, err;
	pid_t vm;

	if (access("/dev/kvm", R_OK | W_OK))
		SKIP(return, KSFT_BY_DESIGN " no /dev/kvm");
	if (control_unavailable())
		SKIP(return, "%s", control_unavailable());
	ASSERT_TRUE(mkdtemp(directory));
	setenv("GMEMCTL_RUNTIME_DIR", directory, 1);
	ASSERT_TRUE(tiny_guest_write(KERNEL));
	boot = (struct boot){
		.kernel = KERNEL, .memory = "32M,kind=gmem", .name = NAME, .seconds = "100",
	};
	out = output_file();
	err = output_file();
	vm = boot_start(&boot, out, err);
	ASSERT_GT(vm, 0);
	boot_wait_answer(vm, NAME);
	EXPECT_EQ(0, ask(NAME, NULL, NULL, true));
	EXPECT_TRUE(says("\"length\":33554432,\"held\":[]"));
	EXPECT_TRUE(says("\"command\":\"gmemctl\""));
	kill(vm, SIGTERM);
	boot_end(&boot, vm, out, err);
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
