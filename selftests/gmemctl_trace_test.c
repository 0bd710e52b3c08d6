// SPDX-License-Identifier: GPL-2.0
/*
 * `gmemctl trace` shows the events of gmem files: as JSON that a parser accepts, filtered
 * by file, process and event. It reports lost events, and leaves no trace instance
 * behind.
 */
#include <dirent.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/pvmemcontrol.h>

#include "../module/test/pvmemcontrol/pvmemcontrol_test.h"
#include "gmem_utils.h"
#include "hold.h"
#include "ksft.h"
#include "linux_guest.h"

#define INSTANCES "/sys/kernel/tracing/instances"
#define LENGTH (8 * PAGE)
#define LINES_MAX 4096
#define WAIT_S 60

FIXTURE(gmemctl_trace) {
	int fd;
	uint8_t *p;
	uint64_t ino;
	char file[32];
	pid_t tool;
	int out, err;
	struct json_object *lines[LINES_MAX];
	size_t nr;
};

static char output[1 << 20];

FIXTURE_SETUP(gmemctl_trace)
{
	struct stat st;

	if (access(INSTANCES, F_OK))
		SKIP(return, "no tracefs");
	self->fd = test_gmem_create(LENGTH, GMEM_CREATE_F_INIT_SHARED);
	self->p = test_gmem_map(self->fd, 0, LENGTH);
	ASSERT_EQ(0, fstat(self->fd, &st));
	self->ino = st.st_ino;
	snprintf(self->file, sizeof(self->file), "%llu", (unsigned long long)self->ino);
}

FIXTURE_TEARDOWN(gmemctl_trace)
{
	for (size_t i = 0; i < self->nr; i++)
		json_object_put(self->lines[i]);
	munmap(self->p, LENGTH);
	close(self->fd);
}

/* The path of a file in the trace instance of a gmemctl */
static void instance_path(pid_t pid, const char *name, char *path, size_t size)
{
	snprintf(path, size, INSTANCES "/gmemctl-%d%s", pid, name);
}

static bool has_instance(pid_t pid)
{
	char path[128];

	instance_path(pid, "", path, sizeof(path));
	return !access(path, F_OK);
}

/* Start gmemctl trace, and wait until the last event is enabled. */
static void trace_start(struct gmemctl_trace_data *self, const char *last,
			const char *const words[])
{
	char path[128], text[8] = "0";
	int null = open("/dev/null", O_RDWR);

	self->out = output_file();
	self->err = output_file();
	self->tool = boot_start_with(words, null, self->out, self->err);
	close(null);
	ASSERT_GT(self->tool, 0);
	snprintf(text, sizeof(text), "0");
	instance_path(self->tool, last, path, sizeof(path));
	for (int i = 0; i < WAIT_S * 20 && text[0] != '1'; i++) {
		usleep(50000);
		if (access(path, F_OK) || gmem_read_file(path, text, sizeof(text)) < 1)
			text[0] = '0';
	}
	ASSERT_EQ('1', text[0]);
}

/* Wait until it has ended. Return: its exit code. @lines has the output, parsed if @json. */
static int trace_end(struct gmemctl_trace_data *self, bool json)
{
	char error[2048], *line, *save;
	int status;

	ASSERT_EQ(self->tool, waitpid(self->tool, &status, 0));
	output_read(self->out, output, sizeof(output));
	output_read(self->err, error, sizeof(error));
	if (error[0])
		TH_LOG("said: %s", error);
	EXPECT_FALSE(has_instance(self->tool));
	if (!json)
		return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	for (line = strtok_r(output, "\n", &save); line && self->nr < LINES_MAX;
	     line = strtok_r(NULL, "\n", &save)) {
		self->lines[self->nr] = json_tokener_parse(line);
		if (!self->lines[self->nr])
			TH_LOG("no JSON: %s", line);
		ASSERT_TRUE(self->lines[self->nr]);
		self->nr++;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int trace_stop(struct gmemctl_trace_data *self)
{
	kill(self->tool, SIGINT);
	return trace_end(self, true);
}

static const char *text_of(struct json_object *line, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(line, key, &value) ? json_object_get_string(value) : "";
}

static uint64_t number_of(struct json_object *line, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(line, key, &value) ? json_object_get_uint64(value) :
	       UINT64_MAX;
}

/* The Nth event of this name, or NULL; and the number of such events */
static struct json_object *event_of(struct gmemctl_trace_data *self, const char *word, size_t n)
{
	for (size_t i = 0; i < self->nr; i++) {
		if (!strcmp(text_of(self->lines[i], "event"), word) && !n--)
			return self->lines[i];
	}
	return NULL;
}

static size_t events_of(struct gmemctl_trace_data *self, const char *word)
{
	size_t n = 0;

	while (event_of(self, word, n))
		n++;
	return n;
}

#define REFILL "/events/gmem/gmem_view_fault/enable"
#define CONVERT "/events/gmem/gmem_convert/enable"

/* Conversions, one of which is refused, and other events of the file. */
TEST_F(gmemctl_trace, converts)
{
	const char *words[] = { "trace", "--file", self->file, "--json", NULL };
	struct json_object *event, *last;
	struct hold_pipe hold;

	trace_start(self, REFILL, words);
	gmem_fill(self->p, 1, LENGTH);
	test_gmem_convert(self->fd, PAGE, 2 * PAGE, PRIVATE, PRESERVE);
	ASSERT_EQ(0, hold_pipe_take(&hold, self->p + 5 * PAGE, PAGE));
	test_err_gmem_convert(EAGAIN, self->fd, 4 * PAGE, 4 * PAGE, PRIVATE, ZERO);
	hold_pipe_drop(&hold);
	test_gmem_punch(self->fd, 2 * PAGE, PAGE);
	close(test_gmem_create(LENGTH, 0));
	EXPECT_EQ(0, trace_stop(self));

	ASSERT_EQ(2, events_of(self, "convert"));
	event = event_of(self, "convert", 0);
	EXPECT_EQ(self->ino, number_of(event, "inode"));
	EXPECT_EQ(PAGE, number_of(event, "offset"));
	EXPECT_EQ(2 * PAGE, number_of(event, "size"));
	EXPECT_EQ(2, number_of(event, "pages"));
	EXPECT_STREQ("private", text_of(event, "target"));
	EXPECT_STREQ("preserve", text_of(event, "content"));
	EXPECT_STREQ("ok", text_of(event, "result"));
	EXPECT_EQ(getpid(), number_of(event, "pid"));
	EXPECT_STREQ("gmemctl_trace_t", text_of(event, "command"));
	EXPECT_LT(number_of(event, "cpu"), 1024);
	EXPECT_GT(number_of(event, "time_us"), 1000000);

	event = event_of(self, "convert", 1);
	EXPECT_STREQ("EAGAIN", text_of(event, "result"));
	EXPECT_EQ(EAGAIN, number_of(event, "errno"));
	EXPECT_STREQ("zero", text_of(event, "content"));
	EXPECT_EQ(5 * PAGE, number_of(event, "error_offset"));
	EXPECT_EQ(3, number_of(event, "references"));
	EXPECT_EQ(2, number_of(event, "references_expected"));

	EXPECT_EQ(1, events_of(self, "punch"));
	EXPECT_EQ(8, events_of(self, "fault"));
	/* No event of the other file is shown, and the last line has the counts. */
	EXPECT_EQ(0, events_of(self, "create"));
	last = self->lines[self->nr - 1];
	EXPECT_EQ(self->nr - 1, number_of(last, "events"));
	EXPECT_EQ(0, number_of(last, "lost_events"));
}

/* Filtered by process: its existing and new files, and one kind of event only. */
TEST_F(gmemctl_trace, process)
{
	const char *words[] = { "trace", NULL, "--event", "create,convert", "--json", NULL };
	char self_pid[16];
	int fd, other;

	snprintf(self_pid, sizeof(self_pid), "%d", getpid());
	words[1] = self_pid;
	trace_start(self, CONVERT, words);
	fd = test_gmem_create(PAGE, 0);
	test_gmem_convert(fd, 0, PAGE, SHARED, ZERO);
	test_gmem_convert(self->fd, 0, PAGE, PRIVATE, ZERO);
	self->p[PAGE] = 1;
	/* Files of a child are not shown. */
	if (!fork()) {
		other = test_gmem_create(PAGE, 0);
		test_gmem_convert(other, 0, PAGE, SHARED, ZERO);
		_exit(0);
	}
	wait(NULL);
	EXPECT_EQ(0, trace_stop(self));
	EXPECT_EQ(1, events_of(self, "create"));
	EXPECT_EQ(2, events_of(self, "convert"));
	EXPECT_EQ(4, self->nr);
	close(fd);
}

/* A limited number of events as text, of a file with a name; and a limited time. */
TEST_F(gmemctl_trace, text)
{
	char path[64];
	const char *words[] = { "trace", "--file", path, "--event", "convert", "--count", "2",
				NULL };
	const char *seconds[] = { "trace", "--seconds", "1", "--json", NULL };

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), self->fd);
	trace_start(self, CONVERT, words);
	for (int i = 0; i < 4; i++)
		test_gmem_convert(self->fd, i * PAGE, PAGE, PRIVATE, PRESERVE);
	EXPECT_EQ(0, trace_end(self, false));
	EXPECT_TRUE(strstr(output, "convert       file "));
	EXPECT_TRUE(strstr(output, ": 0x00000000-0x00001000 (1 page) to private, preserve: ok\n"));
	EXPECT_TRUE(strstr(output, "0x00001000-0x00002000"));
	EXPECT_FALSE(strstr(output, "0x00002000-0x00003000"));
	EXPECT_EQ(0, tool_run(output, sizeof(output), seconds));
	EXPECT_TRUE(strstr(output, "\"lost_events\":0}"));
}

/* Events that do not fit into the buffer are reported as lost. */
TEST_F(gmemctl_trace, lost)
{
	const char *words[] = { "trace", "--file", self->file, "--event", "convert", "--buffer",
				"8K", "--json", NULL };
	struct json_object *last;
	size_t lost = 0;

	trace_start(self, CONVERT, words);
	ASSERT_EQ(0, kill(self->tool, SIGSTOP));
	for (int i = 0; i < 2000; i++)
		gmem_convert(self->fd, 0, PAGE, i % 2 ? SHARED : PRIVATE, ZERO);
	ASSERT_EQ(0, kill(self->tool, SIGCONT));
	EXPECT_EQ(0, trace_stop(self));
	last = self->lines[self->nr - 1];
	for (size_t i = 0; i < self->nr; i++)
		lost += number_of(self->lines[i], "lost") != UINT64_MAX;
	EXPECT_GT(lost, 0);
	EXPECT_GT(number_of(last, "lost_events"), 0);
	EXPECT_LT(events_of(self, "convert"), 2000);
	EXPECT_TRUE(strstr(json_object_to_json_string(last), "were lost: ask for fewer"));
}

/* Signals end it, and the trace instance is removed. */
TEST_F(gmemctl_trace, signals)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGQUIT };
	const char *words[] = { "trace", "--event", "convert", NULL };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		trace_start(self, CONVERT, words);
		kill(self->tool, signals[i]);
		EXPECT_EQ(0, trace_end(self, false));
	}
}

/* The next gmemctl removes the trace instance of one that was killed. */
TEST_F(gmemctl_trace, killed)
{
	const char *words[] = { "trace", "--event", "convert", NULL };
	pid_t killed;
	int status;

	trace_start(self, CONVERT, words);
	killed = self->tool;
	kill(killed, SIGKILL);
	ASSERT_EQ(killed, waitpid(killed, &status, 0));
	close(self->out);
	close(self->err);
	EXPECT_TRUE(has_instance(killed));
	trace_start(self, CONVERT, words);
	EXPECT_FALSE(has_instance(killed));
	kill(self->tool, SIGINT);
	EXPECT_EQ(0, trace_end(self, false));
}

/* It also ends when the reader closes the pipe. */
TEST_F(gmemctl_trace, reader_gone)
{
	const char *words[] = { "trace", "--event", "convert", NULL };
	int pipes[2], null = open("/dev/null", O_RDWR), err = output_file(), status;

	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
	close(pipes[0]);
	self->tool = boot_start_with(words, null, pipes[1], err);
	close(null);
	close(pipes[1]);
	for (int i = 0; i < WAIT_S * 20 && !boot_has_ended(self->tool); i++) {
		test_gmem_convert(self->fd, 0, PAGE, i % 2 ? SHARED : PRIVATE, ZERO);
		usleep(50000);
	}
	ASSERT_EQ(self->tool, waitpid(self->tool, &status, 0));
	EXPECT_FALSE(has_instance(self->tool));
	close(err);
}

/* Requests of a guest to its VMM. */
TEST_F(gmemctl_trace, pvmemcontrol)
{
	const char *words[] = { "trace", "--event", "pvmemcontrol_call", "--json", NULL };
	struct pvmemcontrol_buf buf = { .call = { .func_code = PVMEMCONTROL_INFO } };
	struct pvmemcontrol_test_seen seen;
	struct json_object *event;
	char path[64];
	int device, node;

	if (access(PVMEMCONTROL_TEST_PATH, F_OK))
		SKIP(return, "no pvmemcontrol_test.ko");
	device = open(PVMEMCONTROL_TEST_PATH, O_RDWR | O_CLOEXEC);
	ASSERT_GE(device, 0);
	ASSERT_EQ(0, ioctl(device, PVMEMCONTROL_TEST_SEEN, &seen));
	snprintf(path, sizeof(path), PVMEMCONTROL_DEVICE_DIR "%u", seen.number);
	node = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(node, 0);
	trace_start(self, "/events/pvmemcontrol/pvmemcontrol_call/enable", words);
	ioctl(node, PVMEMCONTROL_IOCTL_VMM, &buf);
	EXPECT_EQ(0, trace_stop(self));
	event = event_of(self, "pvmemcontrol_call", 0);
	ASSERT_TRUE(event);
	EXPECT_STREQ("info", text_of(event, "function"));
	EXPECT_EQ(0, number_of(event, "function_code"));
	EXPECT_EQ(seen.number, number_of(event, "device"));
	EXPECT_STREQ("ok", text_of(event, "result"));
	close(node);
	close(device);
}

/* gmemctl knows all tracepoints of gmem in the kernel. */
TEST(knows_all)
{
	const char *words[] = { "__complete", "trace", "--event", "", NULL };
	struct dirent *entry;
	char text[64];
	size_t seen = 0;
	DIR *dir;

	dir = opendir("/sys/kernel/tracing/events/gmem");
	if (!dir)
		SKIP(return, "no tracefs");
	EXPECT_EQ(0, tool_run(output, sizeof(output), words));
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "gmem_", 5))
			continue;
		snprintf(text, sizeof(text), "%s\n", entry->d_name + 5);
		if (!strstr(output, text))
			TH_LOG("unknown: %s", entry->d_name);
		EXPECT_TRUE(strstr(output, text));
		seen++;
	}
	EXPECT_GT(seen, 10);
	closedir(dir);
}

/* Run in a child: without tracefs, or as another user than root */
static int refused(bool root, const char *const words[])
{
	int status;
	pid_t child = fork();

	if (!child) {
		if (root && (unshare(CLONE_NEWNS) ||
			     mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)))
			_exit(100);
		while (root && !umount2("/sys/kernel/tracing", MNT_DETACH))
			;
		while (root && !umount2("/sys/kernel/debug", MNT_DETACH))
			;
		if (!root && setuid(65534))
			_exit(101);
		_exit(tool_run(output, sizeof(output), words));
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(gmemctl_trace, refused)
{
	const char *all[] = { "trace", "--seconds", "1", NULL };
	const char *file[] = { "trace", "--file", "nobody", NULL };
	const char *other[] = { "trace", "--file", "/proc/self/exe", NULL };
	const char *name[] = { "trace", "1", NULL };
	const char *event[] = { "trace", "--event", "everything", NULL };
	const char *of_device[] = { "trace", "1", "--event", "pvmemcontrol_call", NULL };
	const char *buffer[] = { "trace", "--seconds", "1", "--buffer", "1", NULL };

	EXPECT_EQ(CODE_UNSUPPORTED, refused(true, all));
	EXPECT_EQ(CODE_FAILURE, refused(false, all));
	EXPECT_EQ(CODE_FAILURE, tool_run(output, sizeof(output), file));
	EXPECT_TRUE(strstr(output, "gmemctl top"));
	EXPECT_EQ(CODE_FAILURE, tool_run(output, sizeof(output), other));
	EXPECT_TRUE(strstr(output, "it is no gmem fd"));
	EXPECT_EQ(CODE_FAILURE, tool_run(output, sizeof(output), name));
	EXPECT_TRUE(strstr(output, "its memory is of another kind"));
	EXPECT_EQ(CODE_USAGE, tool_run(output, sizeof(output), event));
	EXPECT_EQ(CODE_USAGE, tool_run(output, sizeof(output), of_device));
	EXPECT_EQ(CODE_USAGE, tool_run(output, sizeof(output), buffer));
}

TEST_HARNESS_MAIN_IF(gmem_unavailable())
