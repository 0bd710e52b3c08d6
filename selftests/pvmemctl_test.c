// SPDX-License-Identifier: GPL-2.0
/*
 * pvmemctl with the model of a device in pvmemcontrol_test.ko: the requests of each
 * command, the messages after errors, and invalid commands.
 */
#include <ctype.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/pvmemcontrol.h>

#include "../module/test/pvmemcontrol/pvmemcontrol_test.h"
#include "gmem_utils.h"
#include "ksft.h"

#define TOOL "/usr/sbin/pvmemctl"
#define WORDS_MAX 12
#define RANDOM_NUMBERS 20

FIXTURE(tool) {
	int device;
	char path[64];
	char out[8192];
	char err[2048];
};

FIXTURE_SETUP(tool)
{
	struct pvmemcontrol_test_seen seen;

	if (access(PVMEMCONTROL_TEST_PATH, F_OK))
		SKIP(return, "no pvmemcontrol_test.ko");
	if (access(TOOL, X_OK))
		SKIP(return, "no " TOOL);
	self->device = open(PVMEMCONTROL_TEST_PATH, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->device, 0);
	ASSERT_EQ(0, ioctl(self->device, PVMEMCONTROL_TEST_SEEN, &seen));
	snprintf(self->path, sizeof(self->path), PVMEMCONTROL_DEVICE_DIR "%u", seen.number);
}

FIXTURE_TEARDOWN(tool)
{
	close(self->device);
}

static void read_all(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);

	text[length < 0 ? 0 : length] = '\0';
	close(fd);
}

static int run_words(struct tool_data *self, const char *const words[])
{
	int out = memfd_create("out", 0), err = memfd_create("err", 0), status;
	pid_t pid = fork();

	if (!pid) {
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		execv(TOOL, (char *const *)words);
		_exit(127);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	read_all(out, self->out, sizeof(self->out));
	read_all(err, self->err, sizeof(self->err));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Run words separated by spaces, after the device. Return: the exit code. */
static int run(struct tool_data *self, const char *line)
{
	const char *words[WORDS_MAX + 4] = { TOOL, "-d", self->path };
	char copy[256], *save, *word;
	unsigned int count = 3;

	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok_r(copy, " ", &save); word && count < WORDS_MAX + 3;
	     word = strtok_r(NULL, " ", &save))
		words[count++] = word;
	return run_words(self, words);
}

static struct pvmemcontrol_test_seen seen(struct tool_data *self)
{
	struct pvmemcontrol_test_seen seen = { 0 };

	EXPECT_EQ(0, ioctl(self->device, PVMEMCONTROL_TEST_SEEN, &seen));
	return seen;
}

static void device_do(struct tool_data *self, enum pvmemcontrol_test_op op, long long value)
{
	struct pvmemcontrol_test_do what = { .op = op, .value = value };

	EXPECT_EQ(0, ioctl(self->device, PVMEMCONTROL_TEST_DO, &what));
}

TEST_F(tool, info)
{
	EXPECT_EQ(0, run(self, "info"));
	EXPECT_TRUE(strstr(self->out, self->path));
	EXPECT_TRUE(strstr(self->out, "version:    1.0\n"));
	EXPECT_TRUE(strstr(self->out, "page size:  4096\n"));
	EXPECT_STREQ("", self->err);
}

/* Successful commands print nothing. */
TEST_F(tool, commands)
{
	static const struct {
		const char *line;
		uint64_t func, addr, length, arg;
	} cases[] = {
		{ "dontneed 0x1000 8K", PVMEMCONTROL_DONTNEED, 0x1000, 8192, 0 },
		{ "remove 0x10000000000 0x2000", PVMEMCONTROL_REMOVE, 1ULL << 40, 8192, 0 },
		{ "free 4096 4096", PVMEMCONTROL_FREE, 4096, 4096, 0 },
		{ "pageout 1G 2M", PVMEMCONTROL_PAGEOUT, 1 << 30, 2 << 20, 0 },
		{ "dontdump 1g 2m", PVMEMCONTROL_DONTDUMP, 1 << 30, 2 << 20, 0 },
		{ "name 4K 4K 42", PVMEMCONTROL_SET_VMA_ANON_NAME, 4096, 4096, 42 },
		{ "name 4K 4K 0", PVMEMCONTROL_SET_VMA_ANON_NAME, 4096, 4096, 0 },
		{ "lock 4K 4K", PVMEMCONTROL_MLOCK, 4096, 4096, 0 },
		{ "unlock 4K 4K", PVMEMCONTROL_MUNLOCK, 4096, 4096, 0 },
		{ "protect 0 4k none", PVMEMCONTROL_MPROTECT_NONE, 0, 4096, 0 },
		{ "protect 0 4k r", PVMEMCONTROL_MPROTECT_R, 0, 4096, 0 },
		{ "protect 0 4k w", PVMEMCONTROL_MPROTECT_W, 0, 4096, 0 },
		{ "protect 0 4k rw", PVMEMCONTROL_MPROTECT_RW, 0, 4096, 0 },
		{ "mergeable 0X1000 0", PVMEMCONTROL_MERGEABLE, 4096, 0, 0 },
		{ "unmergeable 08K 4K", PVMEMCONTROL_UNMERGEABLE, 8192, 4096, 0 },
		{ "call 0 4K 7", PVMEMCONTROL_MLOCK, 0, 4096, 0 },
	};
	struct pvmemcontrol_test_seen is;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT_EQ(0, run(self, cases[i].line));
		is = seen(self);
		EXPECT_EQ(2 + i, is.requests);
		EXPECT_EQ(cases[i].func, is.func);
		EXPECT_EQ(cases[i].addr, is.addr);
		EXPECT_EQ(cases[i].length, is.length);
		EXPECT_EQ(cases[i].arg, is.arg);
		EXPECT_STREQ("", self->out);
		EXPECT_STREQ("", self->err);
	}
}

/* Invalid commands make no request, and print the error. */
TEST_F(tool, usage)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "", "COMMAND" },
		{ "frea 0 4K", "frea" },
		{ "free", "ADDRESS" },
		{ "free 0", "LENGTH" },
		{ "free 0 4K 1", "unexpected" },
		{ "info 0", "unexpected" },
		{ "name 0 4K", "NUMBER" },
		{ "name 0 4K 1 2", "unexpected" },
		{ "protect 0 4K x", "none, r, w or rw" },
		{ "protect 0 4K", "none" },
		{ "free -1 4K", "'-1'" },
		{ "free +1 4K", "'+1'" },
		{ "free 0x 4K", "'0x'" },
		{ "free 0x-1 4K", "'0x-1'" },
		{ "free 0xg 4K", "'0xg'" },
		{ "free 0x0x1000 4K", "'0x0x1000'" },
		{ "free 0 4KB", "'4KB'" },
		{ "free 0 4KK", "'4KK'" },
		{ "free 0 K", "'K'" },
		{ "free 0 4P", "'4P'" },
		{ "free 0 18446744073709551616", "too large" },
		{ "free 0 16777216T", "too large" },
		{ "free 0x10000000000000000 1", "too large" },
		{ "free 1 0xffffffffffffffff", "64 bits" },
		{ "--own 4K free 0 4K", "unexpected" },
		{ "--own 0 free", "--own" },
		{ "--hold 1 free 0 4K", "--hold" },
		{ "--own 4K --hold 100000 free", "--hold" },
		{ "--none free 0 4K", "none" },
		{ "--own", "own" },
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT_EQ(2, run(self, cases[i].line));
		EXPECT_STREQ("", self->out);
		EXPECT_TRUE(!strncmp(self->err, "pvmemctl: ", 10) ||
			    !strncmp(self->err, TOOL ": ", sizeof(TOOL) + 1));
		EXPECT_TRUE(strstr(self->err, cases[i].says));
		if (!strstr(self->err, cases[i].says))
			TH_LOG("'%s' says: %s", cases[i].line, self->err);
	}
	EXPECT_EQ(1, seen(self).requests);
}

/* A random number as text with a base and a unit. Return: whether it fits into 64 bits. */
static bool random_number(uint64_t *state, char *text, size_t size, uint64_t *value)
{
	static const char units[] = "KMGT";
	bool hex = gmem_rand(state) % 2;
	uint64_t number = gmem_rand(state) >> gmem_rand(state) % 64;
	unsigned int unit = gmem_rand(state) % 8;
	unsigned int shift = unit < 4 ? 10 * (unit + 1) : 0;
	__uint128_t wide = (__uint128_t)number << shift;

	snprintf(text, size, hex ? "0x%llx%c" : "%llu%c", (unsigned long long)number,
		 unit < 4 ? units[unit] : '\0');
	*value = wide;
	return !(wide >> 64);
}

/* Numbers that fit are passed unchanged; all others are refused. */
TEST_F(tool, numbers)
{
	uint64_t state = ksft_seed(), value, requests;
	char line[128], text[64];
	int i, code;
	bool fits;

	for (i = 0; i < RANDOM_NUMBERS; i++) {
		fits = random_number(&state, text, sizeof(text), &value);
		snprintf(line, sizeof(line), "name 0 0 %s", text);
		requests = seen(self).requests;
		code = run(self, line);
		EXPECT_EQ(fits ? 0 : 2, code);
		if (fits)
			EXPECT_EQ(value, seen(self).arg);
		else
			EXPECT_EQ(requests, seen(self).requests);
		/* With one byte changed: no crash, with any result. */
		line[9 + gmem_rand(&state) % strlen(text)] = 32 + gmem_rand(&state) % 95;
		code = run(self, line);
		EXPECT_TRUE(code == 0 || code == 2);
	}
}

/* Messages have the object, the cause and a hint. */
TEST_F(tool, failures)
{
	static const struct {
		const char *line;
		int fail;
		const char *says[3];
	} cases[] = {
		{ "free 0x1 4K", 0, { "0x1+0x1000: free: ", "Invalid argument", "whole pages" } },
		{ "remove 0 4K", 0, { "0x0+0x1000: remove: ", "Invalid argument", "shared" } },
		{ "call 0 4K 99", 0, { "call: ", "not supported", "does not do this" } },
		{ "lock 0 4K", ENOMEM, { "lock: ", "Cannot allocate", "RLIMIT_MEMLOCK" } },
		{ "name 0 4K 1", EBADF, { "name: ", "Bad file", "anonymous" } },
		{ "lock 0 4K", 100000, { "lock: ", "Input/output error", "" } },
	};
	unsigned int i, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		device_do(self, PVMEMCONTROL_TEST_FAIL, cases[i].fail);
		EXPECT_EQ(1, run(self, cases[i].line));
		EXPECT_STREQ("", self->out);
		for (n = 0; n < 3; n++)
			EXPECT_TRUE(strstr(self->err, cases[i].says[n]));
	}
	device_do(self, PVMEMCONTROL_TEST_FAIL, 0);
	device_do(self, PVMEMCONTROL_TEST_MUTE, 0);
	EXPECT_EQ(1, run(self, "free 0 4K"));
	EXPECT_TRUE(strstr(self->err, "Input/output error; the VMM does not answer"));
	device_do(self, PVMEMCONTROL_TEST_UNPLUG, 0);
	EXPECT_EQ(1, run(self, "info"));
	EXPECT_TRUE(strstr(self->err, "modprobe pvmemcontrol"));
	snprintf(self->path, sizeof(self->path), "/dev/null");
	EXPECT_EQ(1, run(self, "info"));
	EXPECT_TRUE(strstr(self->err, "not a node of pvmemcontrol"));
}

/* Each piece of its own memory is requested, and all requests are undone. */
TEST_F(tool, own)
{
	struct pvmemcontrol_test_seen is;
	const char *line;
	unsigned int pieces = 0;

	EXPECT_EQ(0, run(self, "--own 1M protect none"));
	EXPECT_STREQ("", self->err);
	EXPECT_TRUE(strstr(self->out, "kept: 256 of 256 pages\n"));
	for (line = self->out; (line = strstr(line, "protect: 0x")); line++)
		pieces++;
	is = seen(self);
	EXPECT_LT(0, pieces);
	EXPECT_EQ(1 + 2 * pieces, is.requests);
	EXPECT_EQ(PVMEMCONTROL_MPROTECT_RW, is.func);
	EXPECT_EQ(0, is.addr % PAGE);

	EXPECT_EQ(0, run(self, "--own 4K free"));
	EXPECT_EQ(PVMEMCONTROL_FREE, seen(self).func);
	EXPECT_EQ(PAGE, seen(self).length);
	EXPECT_EQ(0, run(self, "--own 4K name 7"));
	EXPECT_EQ(PVMEMCONTROL_SET_VMA_ANON_NAME, seen(self).func);
	EXPECT_EQ(0, seen(self).arg);
	EXPECT_EQ(0, run(self, "--own 4K --hold 1 lock"));
	EXPECT_EQ(PVMEMCONTROL_MUNLOCK, seen(self).func);

	EXPECT_EQ(1, run(self, "--own 100 free"));
	EXPECT_TRUE(strstr(self->err, "whole pages"));
	EXPECT_EQ(1, run(self, "--own 4K remove"));
	EXPECT_TRUE(strstr(self->err, "remove: Invalid argument"));
}

TEST_F(tool, help)
{
	const char *line, *end;

	EXPECT_EQ(0, run(self, "--help"));
	for (line = self->out; *line; line = end + !!*end) {
		end = strchrnul(line, '\n');
		EXPECT_LE(end - line, 80);
	}
	EXPECT_EQ(0, run(self, "-V"));
	EXPECT_TRUE(!strncmp(self->out, "pvmemctl ", 9) && isdigit(self->out[9]));
}

TEST_HARNESS_MAIN
