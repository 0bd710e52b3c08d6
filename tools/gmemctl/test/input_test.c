// SPDX-License-Identifier: GPL-2.0
/* Reading what gmemctl was told to read: to the end, whatever kind of file. */
#include <fcntl.h>
#include <sys/stat.h>
#include <openssl/evp.h>

#include "../cli/command.h"
#include "ksft.h"

/* More than a pipe holds, and no multiple of a block. */
#define LONG ((3 << 20) + 77)

static char path[128];

static void start(void)
{
	snprintf(path, sizeof(path), "%s/file", ksft_folder());
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
	EXPECT_GE(fd, 0);
	EXPECT_TRUE(bytes);
	EXPECT_TRUE(write_all(fd, bytes, *size));
	close(fd);
	free(bytes);
	return NULL;
}

static bool reads(const char *name, const uint8_t *expected, size_t size)
{
	struct error error = { 0 };
	struct input input;
	bool same = !input_read(&input, name, &error) && input.size == size &&
		    !memcmp(input.data, expected, size);

	if (error.rc)
		printf("# %s: %s; %s\n", error.object, error.action, error.hint);
	input_free(&input);
	return same;
}

/* As the payload's input, which is digested where the guest has it. */
static bool digests(const char *name, const uint8_t *expected, size_t size)
{
	uint8_t digest[INPUT_DIGEST_SIZE], found[INPUT_DIGEST_SIZE], *memory = malloc(size + 1);
	struct input input;
	bool same;

	if (input_read(&input, name, NULL))
		return false;
	same = input.size == size && !input_load(&input, memory, found, NULL) &&
	       EVP_Digest(expected, size, digest, NULL, EVP_sha256(), NULL) &&
	       !memcmp(digest, found, sizeof(digest));
	input_free(&input);
	free(memory);
	return same;
}

static int refusal(const char *name)
{
	struct error error = { 0 };
	struct input input;
	int rc = input_read(&input, name, &error);

	EXPECT_FALSE(input.data);
	EXPECT_FALSE(input.size);
	EXPECT_EQ(error.rc, rc);
	EXPECT_TRUE(!rc || (strstr(error.object, name) && *error.hint));
	return rc;
}

/* C19: it has a size of 0, and something in it. */
TEST_OF(input, C19_proc)
{
	FILE *file = fopen("/proc/version", "re");
	char text[1024];
	size_t size = file ? fread(text, 1, sizeof(text), file) : 0;

	EXPECT_TRUE(size);
	EXPECT_TRUE(reads("/proc/version", (uint8_t *)text, size));
	EXPECT_TRUE(digests("/proc/version", (uint8_t *)text, size));
	if (file)
		fclose(file);
}

TEST_OF(input, C19_regular)
{
	uint8_t *bytes = pattern(LONG);
	size_t sizes[] = { 0, 1, 1 << 20, LONG };

	start();
	for (unsigned int i = 0; i < 4; i++) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		EXPECT_TRUE(write_all(fd, bytes, sizes[i]));
		close(fd);
		EXPECT_TRUE(reads(path, bytes, sizes[i]));
		EXPECT_TRUE(digests(path, bytes, sizes[i]));
	}
	free(bytes);
	EXPECT_TRUE(reads("/dev/null", (const uint8_t *)"", 0));
}

/* A FIFO whose writer comes later, and writes more than it holds. */
TEST_OF(input, C19_fifo)
{
	uint8_t *bytes = pattern(LONG);
	size_t sizes[] = { 0, 1, LONG };
	pthread_t writer;

	start();
	EXPECT_FALSE(mkfifo(path, 0600));
	for (unsigned int i = 0; i < 3; i++) {
		EXPECT_FALSE(pthread_create(&writer, NULL, writer_main, &sizes[i]));
		EXPECT_TRUE(reads(path, bytes, sizes[i]));
		EXPECT_FALSE(pthread_join(writer, NULL));
		EXPECT_FALSE(pthread_create(&writer, NULL, writer_main, &sizes[i]));
		EXPECT_TRUE(digests(path, bytes, sizes[i]));
		EXPECT_FALSE(pthread_join(writer, NULL));
	}
	free(bytes);
}

/* As a shell's <(...): its writer may have gone before it is opened. */
TEST_OF(input, C19_pipe)
{
	char name[64];
	int fds[2];

	for (unsigned int size = 0; size < 2; size++) {
		EXPECT_FALSE(pipe2(fds, O_CLOEXEC));
		EXPECT_EQ(write(fds[1], "x", size), (ssize_t)size);
		close(fds[1]);
		snprintf(name, sizeof(name), "/dev/fd/%d", fds[0]);
		EXPECT_TRUE(reads(name, (const uint8_t *)"x", size));
		close(fds[0]);
	}
}

/* What is left in a FIFO whose writer was gone before the reader came */
TEST_OF(input, C19_fifo_left)
{
	int reader, writer;

	start();
	EXPECT_FALSE(mkfifo(path, 0600));
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	writer = open(path, O_WRONLY | O_CLOEXEC);
	EXPECT_EQ(write(writer, "x", 1), 1);
	close(writer);
	EXPECT_TRUE(reads(path, (const uint8_t *)"x", 1));
	close(reader);
}

/* What restore reads by itself: its writer may come later, too. */
TEST_OF(input, C19_open_fd)
{
	size_t size = 4000;
	uint8_t *expected = pattern(size), got[4096];
	pthread_t writer;
	size_t used = 0;
	ssize_t part;
	int fd;

	start();
	EXPECT_FALSE(mkfifo(path, 0600));
	EXPECT_FALSE(pthread_create(&writer, NULL, writer_main, &size));
	fd = input_open_fd(path, NULL);
	while ((part = read(fd, got + used, sizeof(got) - used)) > 0)
		used += (size_t)part;
	EXPECT_FALSE(part);
	EXPECT_EQ(used, size);
	EXPECT_MEMEQ(got, expected, size);
	pthread_join(writer, NULL);
	close(fd);
	EXPECT_EQ(input_open_fd(ksft_folder(), NULL), -EISDIR);
	free(expected);
}

static int take_some(void *context, const uint8_t *bytes, size_t size, struct error *error)
{
	unsigned int *blocks = context;

	EXPECT_TRUE(size);
	return ++*blocks < 3 ? 0 : error_set(error, -ECANCELED, "test", "take", NULL);
}

/* Each kind that cannot be read is refused in words, and at once. */
TEST_OF(input, C19_refused)
{
	unsigned int blocks = 0;
	int fd;

	start();
	EXPECT_EQ(refusal(ksft_folder()), -EISDIR);
	EXPECT_EQ(refusal(path), -ENOENT);
	EXPECT_EQ(refusal("/dev/zero"), -EFBIG);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	EXPECT_FALSE(ftruncate(fd, (off_t)INPUT_MAX + 1));
	EXPECT_EQ(refusal(path), -EFBIG);
	EXPECT_FALSE(ftruncate(fd, INT64_C(1) << 40));
	EXPECT_EQ(refusal(path), -EFBIG);
	EXPECT_EQ(input_read_blocks(path, UINT64_MAX, take_some, &blocks, NULL), -ECANCELED);
	EXPECT_EQ(blocks, 3);
	close(fd);
}

/* A FIFO that nobody ever writes to does not keep gmemctl for ever. */
TEST_OF(input, C19_fifo_alone)
{
	start();
	EXPECT_FALSE(mkfifo(path, 0600));
	EXPECT_EQ(refusal(path), -ENXIO);
}
