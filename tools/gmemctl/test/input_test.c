// SPDX-License-Identifier: GPL-2.0
/* Reading what gmemctl was told to read: to the end, whatever kind of file. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "../cli/input.h"
#include "unit.h"

/* More than a pipe holds, and no multiple of a block. */
#define LONG ((3 << 20) + 77)

static char directory[64], path[128];

static bool start(void)
{
	strcpy(directory, "/tmp/gmemctl-input-XXXXXX");
	CHECK(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/file", directory);
	return unit_failures() == 0;
}

static void stop(void)
{
	unlink(path);
	CHECK(!rmdir(directory));
}

static uint8_t *pattern(size_t size)
{
	uint8_t *bytes = malloc(size);

	for (size_t i = 0; bytes && i < size; i++)
		bytes[i] = (uint8_t)(i * 7 + (i >> 12));
	return bytes;
}

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t done = write(fd, bytes, size);

		if (done <= 0)
			return false;
		bytes += done;
		size -= (size_t)done;
	}
	return true;
}

/* Writes to a file, or to a FIFO a while after its reader has come. */
static void *writer_main(void *data)
{
	const size_t *size = data;
	uint8_t *bytes = pattern(*size);
	int fd;

	usleep(30000);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	usleep(30000);
	CHECK(fd >= 0 && bytes && write_all(fd, bytes, *size));
	close(fd);
	free(bytes);
	return NULL;
}

static bool reads(const char *name, const uint8_t *expected, size_t size)
{
	struct error error = { 0 };
	uint8_t *data;
	uint64_t got;
	bool same = !input_read_all(name, &data, &got, &error) && got == size &&
		    !memcmp(data, expected, size);

	if (error.rc)
		printf("# %s: %s; %s\n", error.object, error.action, error.hint);
	free(data);
	return same;
}

/* As the payload's input, which is digested where the guest has it. */
static bool digests(const char *name, const uint8_t *expected, size_t size)
{
	uint8_t digest[INPUT_DIGEST_SIZE], *memory = malloc(size + 1);
	struct input input;
	bool same;

	if (input_open(&input, name, NULL))
		return false;
	same = input.size == size && !input_load(&input, memory, NULL) &&
	       EVP_Digest(expected, size, digest, NULL, EVP_sha256(), NULL) &&
	       !memcmp(digest, input.digest, sizeof(digest));
	input_close(&input);
	free(memory);
	return same;
}

static int refusal(const char *name)
{
	struct error error = { 0 };
	uint8_t *data;
	uint64_t size;
	int rc = input_read_all(name, &data, &size, &error);

	CHECK(!data && !size && error.rc == rc);
	CHECK(!rc || (strstr(error.object, name) && *error.hint));
	return rc;
}

/* C19: it has a size of 0, and something in it. */
static void test_proc(void)
{
	FILE *file = fopen("/proc/version", "re");
	char text[1024];
	size_t size = file ? fread(text, 1, sizeof(text), file) : 0;

	CHECK(size);
	CHECK(reads("/proc/version", (uint8_t *)text, size));
	CHECK(digests("/proc/version", (uint8_t *)text, size));
	if (file)
		fclose(file);
}

static void test_regular(void)
{
	uint8_t *bytes = pattern(LONG);
	size_t sizes[] = { 0, 1, 1 << 20, LONG };

	if (!start())
		return;
	for (unsigned int i = 0; i < 4; i++) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			      0600);

		CHECK(write_all(fd, bytes, sizes[i]));
		close(fd);
		CHECK(reads(path, bytes, sizes[i]));
		CHECK(digests(path, bytes, sizes[i]));
	}
	stop();
	free(bytes);
	CHECK(reads("/dev/null", (const uint8_t *)"", 0));
}

/* A FIFO whose writer comes later, and writes more than it holds. */
static void test_fifo(void)
{
	uint8_t *bytes = pattern(LONG);
	size_t sizes[] = { 0, 1, LONG };
	pthread_t writer;

	if (!start())
		return;
	CHECK(!mkfifo(path, 0600));
	for (unsigned int i = 0; i < 3; i++) {
		CHECK(!pthread_create(&writer, NULL, writer_main, &sizes[i]));
		CHECK(reads(path, bytes, sizes[i]));
		CHECK(!pthread_join(writer, NULL));
		CHECK(!pthread_create(&writer, NULL, writer_main, &sizes[i]));
		CHECK(digests(path, bytes, sizes[i]));
		CHECK(!pthread_join(writer, NULL));
	}
	stop();
	free(bytes);
}

/* As a shell's <(...): its writer may have gone before it is opened. */
static void test_pipe(void)
{
	char name[64];
	int fds[2];

	for (unsigned int size = 0; size < 2; size++) {
		CHECK(!pipe2(fds, O_CLOEXEC));
		CHECK_EQ(write(fds[1], "x", size), (ssize_t)size);
		close(fds[1]);
		snprintf(name, sizeof(name), "/dev/fd/%d", fds[0]);
		CHECK(reads(name, (const uint8_t *)"x", size));
		close(fds[0]);
	}
}

/* What is left in a FIFO whose writer was gone before the reader came */
static void test_fifo_left(void)
{
	int reader, writer;

	if (!start())
		return;
	CHECK(!mkfifo(path, 0600));
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	writer = open(path, O_WRONLY | O_CLOEXEC);
	CHECK_EQ(write(writer, "x", 1), 1);
	close(writer);
	CHECK(reads(path, (const uint8_t *)"x", 1));
	close(reader);
	stop();
}

/* What restore reads by itself: its writer may come later, too. */
static void test_open_fd(void)
{
	size_t size = 4000;
	uint8_t *expected = pattern(size), got[4096];
	pthread_t writer;
	size_t used = 0;
	ssize_t part;
	int fd;

	if (!start())
		return;
	CHECK(!mkfifo(path, 0600));
	CHECK(!pthread_create(&writer, NULL, writer_main, &size));
	fd = input_open_fd(path, NULL);
	while ((part = read(fd, got + used, sizeof(got) - used)) > 0)
		used += (size_t)part;
	CHECK(!part && used == size && !memcmp(got, expected, size));
	pthread_join(writer, NULL);
	close(fd);
	CHECK_EQ(input_open_fd(directory, NULL), -EISDIR);
	stop();
	free(expected);
}

static int take_some(void *context, const uint8_t *bytes, size_t size,
		     struct error *error)
{
	unsigned int *blocks = context;

	(void)bytes;
	CHECK(size);
	return ++*blocks < 3 ? 0 : error_set(error, -ECANCELED, "test", "take",
					     NULL);
}

/* Each kind that cannot be read is refused in words, and at once. */
static void test_refused(void)
{
	unsigned int blocks = 0;
	int fd;

	if (!start())
		return;
	CHECK_EQ(refusal(directory), -EISDIR);
	CHECK_EQ(refusal(path), -ENOENT);
	CHECK_EQ(refusal("/dev/zero"), -EFBIG);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(!ftruncate(fd, (off_t)INPUT_MAX + 1));
	CHECK_EQ(refusal(path), -EFBIG);
	CHECK(!ftruncate(fd, INT64_C(1) << 40));
	CHECK_EQ(refusal(path), -EFBIG);
	CHECK(input_read_blocks(path, UINT64_MAX, take_some, &blocks, NULL) ==
	      -ECANCELED && blocks == 3);
	close(fd);
	stop();
}

/* C11: the copy in memory counts as a file, too. */
static void test_limited(void)
{
	struct rlimit before, small;
	struct error error;
	struct input input;

	CHECK(!getrlimit(RLIMIT_FSIZE, &before));
	small = (struct rlimit){ 1, before.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	CHECK(!setrlimit(RLIMIT_FSIZE, &small));
	CHECK_EQ(input_open(&input, "/proc/version", &error), -EFBIG);
	CHECK(!setrlimit(RLIMIT_FSIZE, &before));
	signal(SIGXFSZ, SIG_DFL);
	CHECK(strstr(error.hint, "ulimit -f"));
}

/* A FIFO that nobody ever writes to does not keep gmemctl for ever. */
static void test_fifo_alone(void)
{
	if (!start())
		return;
	CHECK(!mkfifo(path, 0600));
	CHECK_EQ(refusal(path), -ENXIO);
	stop();
}

static const struct unit_test tests[] = {
	{ "input.C19_proc", test_proc },
	{ "input.C19_regular", test_regular },
	{ "input.C19_fifo", test_fifo },
	{ "input.C19_pipe", test_pipe },
	{ "input.C19_fifo_left", test_fifo_left },
	{ "input.C19_open_fd", test_open_fd },
	{ "input.C19_refused", test_refused },
	{ "input.C11_limited", test_limited },
	{ "input.C19_fifo_alone", test_fifo_alone },
};

UNIT_TESTS(tests)
