// SPDX-License-Identifier: GPL-2.0
/*
 * A file that gmemctl writes is complete under its name, or what was there before
 * is; and nothing else is touched.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cli/output_file.h"
#include "../memory/file.h"
#include "unit.h"

static char directory[64];
static struct output_file file;
static struct error error;

static const char *in_directory(const char *name)
{
	static char paths[4][512];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static void start(void)
{
	snprintf(directory, sizeof(directory), "/tmp/gmemctl-test.XXXXXX");
	CHECK(mkdtemp(directory));
}

static void put(const char *name, const char *text)
{
	int fd = open(in_directory(name), O_WRONLY | O_CREAT | O_TRUNC |
		      O_CLOEXEC, 0644);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static bool has(const char *name, const char *text)
{
	char content[64] = "";
	int fd = open(in_directory(name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t size = fd < 0 ? -1 : read(fd, content, sizeof(content) - 1);

	if (fd >= 0)
		close(fd);
	return size >= 0 && !strcmp(content, text);
}

/* Names in the directory; all of them are removed. */
static unsigned int entries(bool remove)
{
	DIR *names = opendir(directory);
	struct dirent *entry;
	unsigned int count = 0;

	while ((entry = readdir(names))) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		if (remove && unlinkat(dirfd(names), entry->d_name, 0))
			unlinkat(dirfd(names), entry->d_name, AT_REMOVEDIR);
	}
	closedir(names);
	return count;
}

static void stop(void)
{
	entries(true);
	CHECK(!rmdir(directory));
}

static int write_to(const char *path, bool replace, const char *text)
{
	int rc = output_file_find(&file, path, replace, &error);

	if (!rc)
		rc = output_file_create(&file, 0600, &error);
	if (!rc)
		rc = output_file_write(&file, text, strlen(text), &error);
	if (!rc)
		rc = output_file_commit(&file, &error);
	output_file_close(&file);
	return rc;
}

static mode_t mode_of(const char *name)
{
	struct stat status;

	return lstat(in_directory(name), &status) ? 0 : status.st_mode;
}

/* New, and in the place of another one. Until then that one is there. */
static void test_output_replace(void)
{
	start();
	CHECK(!write_to(in_directory("new"), true, "1") && has("new", "1"));
	CHECK(mode_of("new") == (S_IFREG | 0600));
	put("old", "old");
	CHECK(!output_file_find(&file, in_directory("old"), true, &error));
	CHECK_EQ(entries(false), 2);
	CHECK(!output_file_create(&file, 0600, &error));
	CHECK(!output_file_write(&file, "part", 4, &error));
	CHECK(has("old", "old") && entries(false) == 3);
	output_file_close(&file);
	CHECK(has("old", "old") && entries(false) == 2);
	CHECK(!write_to(in_directory("old"), true, "2") && has("old", "2"));
	CHECK(mode_of("old") == (S_IFREG | 0600) && entries(false) == 2);
	CHECK_EQ(write_to(in_directory("old"), false, "3"), -EEXIST);
	CHECK(has("old", "2") && entries(false) == 2);
	stop();
}

/* In the current directory, too, and with names of any length. */
static void test_output_names(void)
{
	char name[300], *before = get_current_dir_name();

	start();
	CHECK(!chdir(directory));
	CHECK(!write_to("here", true, "x") && has("here", "x"));
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	CHECK(!write_to(name, true, "x") && has(name, "x"));
	name[255] = 'n';
	name[256] = '\0';
	CHECK_EQ(write_to(name, true, "x"), -ENAMETOOLONG);
	CHECK_EQ(write_to("", true, "x"), -ENOENT);
	CHECK_EQ(write_to("none/", true, "x"), -EISDIR);
	CHECK_EQ(write_to("none/file", true, "x"), -ENOENT);
	CHECK_EQ(write_to("here/file", true, "x"), -ENOTDIR);
	CHECK_EQ(entries(false), 2);
	CHECK(!chdir(before));
	free(before);
	stop();
}

/* Whatever has a name like that of ours is somebody else's. */
static void test_output_own_name_C7(void)
{
	char part[512];

	start();
	put("victim", "victim");
	put("guest.part", "theirs");
	CHECK(!write_to(in_directory("guest"), true, "x") && has("guest", "x"));
	CHECK(has("guest.part", "theirs"));
	CHECK(mode_of("guest.part") == (S_IFREG | 0644));
	/* Somebody else has taken the name meanwhile. */
	CHECK(!output_file_find(&file, in_directory("guest"), true, &error));
	CHECK(!output_file_create(&file, 0600, &error));
	snprintf(part, sizeof(part), "%s", output_file_place(&file));
	CHECK(!unlink(part) && !symlink("victim", part));
	output_file_close(&file);
	CHECK(!lstat(part, &(struct stat){ 0 }) && has("victim", "victim"));
	stop();
}

static void refused(const char *path, int rc)
{
	CHECK_EQ(output_file_find(&file, path, true, &error), rc);
	CHECK(!strcmp(error.object, path) && error.hint[0]);
	output_file_close(&file);
}

/* Refused, and still what it was. */
static void test_output_kinds_C8(void)
{
	int pipe_fds[2];
	char path[64];

	start();
	refused("/dev/null", -EINVAL);
	refused("/dev/full", -EINVAL);
	CHECK(!mkfifo(in_directory("fifo"), 0600));
	refused(in_directory("fifo"), -EINVAL);
	CHECK(S_ISFIFO(mode_of("fifo")));
	CHECK(!mkdir(in_directory("dir"), 0700));
	refused(in_directory("dir"), -EISDIR);
	CHECK(!symlink("nothing", in_directory("dangling")));
	refused(in_directory("dangling"), -ENOENT);
	CHECK(!symlink("fifo", in_directory("to-fifo")));
	refused(in_directory("to-fifo"), -EINVAL);
	CHECK(!pipe2(pipe_fds, O_CLOEXEC));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pipe_fds[1]);
	refused(path, -EINVAL);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	CHECK_EQ(entries(false), 4);
	stop();
}

/* A link's target is what is replaced, also through another directory. */
static void test_output_link_C8(void)
{
	start();
	put("target", "old");
	CHECK(!symlink("target", in_directory("link")));
	CHECK(!mkdir(in_directory("dir"), 0700));
	CHECK(!symlink("../link", in_directory("dir/link")));
	CHECK(!write_to(in_directory("link"), true, "1") && has("target", "1"));
	CHECK(S_ISLNK(mode_of("link")));
	CHECK(!write_to(in_directory("dir/link"), true, "2"));
	CHECK(has("target", "2") && S_ISLNK(mode_of("dir/link")));
	CHECK(!unlink(in_directory("dir/link")) && entries(false) == 3);
	stop();
}

/* What takes the place meanwhile stays, and so does what was written. */
static void test_output_in_the_way_C8(void)
{
	static const char *const ways[] = { "fifo", "link", "dir", "file" };

	for (unsigned int i = 0; i < 4; i++) {
		bool replace = i < 3;

		start();
		CHECK(!output_file_find(&file, in_directory(ways[i]), replace,
					&error));
		CHECK(!output_file_create(&file, 0600, &error));
		CHECK(!output_file_write(&file, "x", 1, &error));
		CHECK(i != 0 || !mkfifo(in_directory(ways[i]), 0600));
		CHECK(i != 1 || !symlink("nothing", in_directory(ways[i])));
		CHECK(i != 2 || !mkdir(in_directory(ways[i]), 0700));
		if (i == 3)
			put(ways[i], "theirs");
		CHECK(output_file_commit(&file, &error) < 0);
		CHECK(!access(output_file_place(&file), F_OK));
		CHECK_EQ(entries(false), 2);
		if (i % 2)
			output_file_keep(&file);
		output_file_close(&file);
		CHECK_EQ(entries(false), (i % 2 ? 2 : 1));
		CHECK(i != 3 || has(ways[i], "theirs"));
		stop();
	}
}

/* Two guests are saved to the same name at once: none is lost. */
static void test_output_raced_C6(void)
{
	for (int old = 0; old < 2; old++) {
		start();
		if (old)
			put("guest", "old");
		CHECK(!output_file_find(&file, in_directory("guest"), true,
					&error));
		CHECK(!output_file_create(&file, 0600, &error));
		CHECK(!output_file_write(&file, "second", 6, &error));
		if (old)
			CHECK(!unlink(in_directory("guest")));
		put("guest", "first");
		CHECK_EQ(output_file_commit(&file, &error), -EEXIST);
		CHECK(strstr(error.hint, "meanwhile") && has("guest", "first"));
		CHECK(has(strrchr(output_file_place(&file), '/') + 1, "second"));
		output_file_keep(&file);
		output_file_close(&file);
		CHECK_EQ(entries(false), 2);
		stop();
	}
	/* One that has gone meanwhile needs no replacement. */
	start();
	put("guest", "old");
	CHECK(!output_file_find(&file, in_directory("guest"), true, &error));
	CHECK(!output_file_create(&file, 0600, &error));
	CHECK(!unlink(in_directory("guest")));
	CHECK(!output_file_commit(&file, &error) && entries(false) == 1);
	output_file_close(&file);
	stop();
}

/* What was written has gone: it is not said to be there, nor is another taken for it. */
static void test_output_taken_C5(void)
{
	char part[512];

	for (int another = 0; another < 2; another++) {
		start();
		put("guest", "old");
		CHECK(!output_file_find(&file, in_directory("guest"), true,
					&error));
		CHECK(!output_file_create(&file, 0600, &error));
		snprintf(part, sizeof(part), "%s", output_file_place(&file));
		CHECK(!unlink(part));
		if (another)
			put(strrchr(part, '/') + 1, "theirs");
		CHECK_EQ(output_file_commit(&file, &error), -EIDRM);
		output_file_close(&file);
		CHECK(has("guest", "old") && entries(false) == 1U + another);
		CHECK(!another || has(strrchr(part, '/') + 1, "theirs"));
		stop();
	}
}

/* The memory of a VM must not lose its name. */
static void test_output_locked_C10(void)
{
	int fd;

	start();
	put("memory", "guest");
	fd = open(in_directory("memory"), O_RDWR | O_CLOEXEC);
	CHECK(!file_lock(fd, "memory", true, &error));
	refused(in_directory("memory"), -EBUSY);
	close(fd);
	CHECK(!write_to(in_directory("memory"), true, "x"));
	stop();
}

/* Too large for the limit: an error, no signal, and nothing is left. */
static void test_output_limit_C11(void)
{
	struct rlimit before, small;

	start();
	put("old", "old");
	CHECK(!getrlimit(RLIMIT_FSIZE, &before));
	small = (struct rlimit){ 2, before.rlim_max };
	CHECK(!setrlimit(RLIMIT_FSIZE, &small));
	CHECK_EQ(write_to(in_directory("old"), true, "new"), -EFBIG);
	CHECK(strstr(error.hint, "ulimit -f"));
	CHECK(!setrlimit(RLIMIT_FSIZE, &before));
	CHECK(has("old", "old") && entries(false) == 1);
	stop();
}

/* A directory that cannot be written to, and one that cannot be listed. */
static void test_output_directory(void)
{
	start();
	CHECK(!chmod(directory, 0333) && !seteuid(geteuid() ? geteuid() : 65534));
	CHECK(!write_to(in_directory("new"), true, "x") && has("new", "x"));
	CHECK(!write_to(in_directory("new"), true, "y") && has("new", "y"));
	CHECK(!seteuid(getuid()) && !chmod(directory, 0700));
	CHECK(write_to("/proc/gmemctl-test", true, "x") < 0);
	CHECK(write_to("/sys/gmemctl-test", true, "x") < 0);
	stop();
}

static const struct unit_test tests[] = {
	{ "output_file.replace", test_output_replace },
	{ "output_file.names", test_output_names },
	{ "output_file.own_name_C7", test_output_own_name_C7 },
	{ "output_file.kinds_C8", test_output_kinds_C8 },
	{ "output_file.link_C8", test_output_link_C8 },
	{ "output_file.in_the_way_C8", test_output_in_the_way_C8 },
	{ "output_file.raced_C6", test_output_raced_C6 },
	{ "output_file.taken_C5", test_output_taken_C5 },
	{ "output_file.locked_C10", test_output_locked_C10 },
	{ "output_file.limit_C11", test_output_limit_C11 },
	{ "output_file.directory", test_output_directory },
};

UNIT_TESTS(tests)
