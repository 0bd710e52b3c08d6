// SPDX-License-Identifier: GPL-2.0
/*
 * A file that gmemctl writes is complete under its name, or what was there before
 * is; and nothing else is touched.
 */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../cli/command.h"
#include "../memory/file.h"
#include "ksft.h"

static struct output_file file;
static struct error error;

static const char *in_directory(const char *name)
{
	static char paths[4][512];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", ksft_folder(), name);
	return path;
}

static void put(const char *name, const char *text)
{
	int fd = open(in_directory(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	EXPECT_GE(fd, 0);
	EXPECT_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
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

/* Names in the directory */
static unsigned int entries(void)
{
	DIR *names = opendir(ksft_folder());
	struct dirent *entry;
	unsigned int count = 0;

	while ((entry = readdir(names)))
		count += entry->d_name[0] != '.';
	closedir(names);
	return count;
}

/* Begin to write a file, with all of its contents. */
static void begin(const char *name, bool replace, const char *text)
{
	EXPECT_FALSE(output_file_find(&file, in_directory(name), replace, &error));
	EXPECT_FALSE(output_file_create(&file, 0600, &error));
	EXPECT_FALSE(output_file_write(&file, text, strlen(text), &error));
}

static void clear(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s/*", ksft_folder());
	EXPECT_FALSE(system(command));
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
TEST_OF(output_file, replace)
{
	EXPECT_FALSE(write_to(in_directory("new"), true, "1"));
	EXPECT_TRUE(has("new", "1"));
	EXPECT_EQ(mode_of("new"), (S_IFREG | 0600));
	put("old", "old");
	EXPECT_FALSE(output_file_find(&file, in_directory("old"), true, &error));
	EXPECT_EQ(entries(), 2);
	EXPECT_FALSE(output_file_create(&file, 0600, &error));
	EXPECT_FALSE(output_file_write(&file, "part", 4, &error));
	EXPECT_TRUE(has("old", "old"));
	EXPECT_EQ(entries(), 3);
	output_file_close(&file);
	EXPECT_TRUE(has("old", "old"));
	EXPECT_EQ(entries(), 2);
	EXPECT_FALSE(write_to(in_directory("old"), true, "2"));
	EXPECT_TRUE(has("old", "2"));
	EXPECT_EQ(mode_of("old"), (S_IFREG | 0600));
	EXPECT_EQ(entries(), 2);
	EXPECT_EQ(write_to(in_directory("old"), false, "3"), -EEXIST);
	EXPECT_TRUE(has("old", "2"));
	EXPECT_EQ(entries(), 2);
}

/* In the current directory, too, and with names of any length. */
TEST_OF(output_file, names)
{
	char name[300], *before = get_current_dir_name();

	EXPECT_FALSE(chdir(ksft_folder()));
	EXPECT_FALSE(write_to("here", true, "x"));
	EXPECT_TRUE(has("here", "x"));
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	EXPECT_FALSE(write_to(name, true, "x"));
	EXPECT_TRUE(has(name, "x"));
	name[255] = 'n';
	name[256] = '\0';
	EXPECT_EQ(write_to(name, true, "x"), -ENAMETOOLONG);
	EXPECT_EQ(write_to("", true, "x"), -ENOENT);
	EXPECT_EQ(write_to("none/", true, "x"), -EISDIR);
	EXPECT_EQ(write_to("none/file", true, "x"), -ENOENT);
	EXPECT_EQ(write_to("here/file", true, "x"), -ENOTDIR);
	EXPECT_EQ(entries(), 2);
	EXPECT_FALSE(chdir(before));
	free(before);
}

/* Whatever has a name like that of ours is somebody else's. */
TEST_OF(output_file, own_name_C7)
{
	char part[512];

	put("victim", "victim");
	put("guest.part", "theirs");
	EXPECT_FALSE(write_to(in_directory("guest"), true, "x"));
	EXPECT_TRUE(has("guest", "x"));
	EXPECT_TRUE(has("guest.part", "theirs"));
	EXPECT_EQ(mode_of("guest.part"), (S_IFREG | 0644));
	/* Somebody else has taken the name meanwhile. */
	begin("guest", true, "");
	snprintf(part, sizeof(part), "%s", output_file_place(&file));
	EXPECT_FALSE(unlink(part));
	EXPECT_FALSE(symlink("victim", part));
	output_file_close(&file);
	EXPECT_FALSE(lstat(part, &(struct stat){ 0 }));
	EXPECT_TRUE(has("victim", "victim"));
}

static void refused(const char *path, int rc)
{
	EXPECT_EQ(output_file_find(&file, path, true, &error), rc);
	EXPECT_STREQ(error.object, path);
	EXPECT_TRUE(error.hint[0]);
	output_file_close(&file);
}

/* Refused, and still what it was. */
TEST_OF(output_file, kinds_C8)
{
	int pipe_fds[2];
	char path[64];

	refused("/dev/null", -EINVAL);
	refused("/dev/full", -EINVAL);
	EXPECT_FALSE(mkfifo(in_directory("fifo"), 0600));
	refused(in_directory("fifo"), -EINVAL);
	EXPECT_TRUE(S_ISFIFO(mode_of("fifo")));
	EXPECT_FALSE(mkdir(in_directory("dir"), 0700));
	refused(in_directory("dir"), -EISDIR);
	EXPECT_FALSE(symlink("nothing", in_directory("dangling")));
	refused(in_directory("dangling"), -ENOENT);
	EXPECT_FALSE(symlink("fifo", in_directory("to-fifo")));
	refused(in_directory("to-fifo"), -EINVAL);
	EXPECT_FALSE(pipe2(pipe_fds, O_CLOEXEC));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pipe_fds[1]);
	refused(path, -EINVAL);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	EXPECT_EQ(entries(), 4);
}

/* A link's target is what is replaced, also through another directory. */
TEST_OF(output_file, link_C8)
{
	put("target", "old");
	EXPECT_FALSE(symlink("target", in_directory("link")));
	EXPECT_FALSE(mkdir(in_directory("dir"), 0700));
	EXPECT_FALSE(symlink("../link", in_directory("dir/link")));
	EXPECT_FALSE(write_to(in_directory("link"), true, "1"));
	EXPECT_TRUE(has("target", "1"));
	EXPECT_TRUE(S_ISLNK(mode_of("link")));
	EXPECT_FALSE(write_to(in_directory("dir/link"), true, "2"));
	EXPECT_TRUE(has("target", "2"));
	EXPECT_TRUE(S_ISLNK(mode_of("dir/link")));
	EXPECT_FALSE(unlink(in_directory("dir/link")));
	EXPECT_EQ(entries(), 3);
}

/* What takes the place meanwhile stays, and so does what was written. */
TEST_OF(output_file, in_the_way_C8)
{
	static const char *const ways[] = { "fifo", "link", "dir", "file" };

	for (unsigned int i = 0; i < 4; i++) {
		bool replace = i < 3;

		begin(ways[i], replace, "x");
		EXPECT_TRUE(i != 0 || !mkfifo(in_directory(ways[i]), 0600));
		EXPECT_TRUE(i != 1 || !symlink("nothing", in_directory(ways[i])));
		EXPECT_TRUE(i != 2 || !mkdir(in_directory(ways[i]), 0700));
		if (i == 3)
			put(ways[i], "theirs");
		EXPECT_LT(output_file_commit(&file, &error), 0);
		EXPECT_FALSE(access(output_file_place(&file), F_OK));
		EXPECT_EQ(entries(), 2);
		if (i % 2)
			output_file_keep(&file);
		output_file_close(&file);
		EXPECT_EQ(entries(), (i % 2 ? 2 : 1));
		EXPECT_TRUE(i != 3 || has(ways[i], "theirs"));
		clear();
	}
}

/* Two guests are saved to the same name at once: none is lost. */
TEST_OF(output_file, raced_C6)
{
	for (int old = 0; old < 2; old++) {
		if (old)
			put("guest", "old");
		begin("guest", true, "second");
		if (old)
			EXPECT_FALSE(unlink(in_directory("guest")));
		put("guest", "first");
		EXPECT_EQ(output_file_commit(&file, &error), -EEXIST);
		EXPECT_STRSTR(error.hint, "created a file of this name");
		EXPECT_TRUE(has("guest", "first"));
		EXPECT_TRUE(has(strrchr(output_file_place(&file), '/') + 1, "second"));
		output_file_keep(&file);
		output_file_close(&file);
		EXPECT_EQ(entries(), 2);
		clear();
	}
	/* One that has gone meanwhile needs no replacement. */
	put("guest", "old");
	begin("guest", true, "");
	EXPECT_FALSE(unlink(in_directory("guest")));
	EXPECT_FALSE(output_file_commit(&file, &error));
	EXPECT_EQ(entries(), 1);
	output_file_close(&file);
}

/* What was written has gone: it is not said to be there, nor is another taken for it. */
TEST_OF(output_file, taken_C5)
{
	char part[512];

	for (int another = 0; another < 2; another++) {
		put("guest", "old");
		begin("guest", true, "");
		snprintf(part, sizeof(part), "%s", output_file_place(&file));
		EXPECT_FALSE(unlink(part));
		if (another)
			put(strrchr(part, '/') + 1, "theirs");
		EXPECT_EQ(output_file_commit(&file, &error), -EIDRM);
		output_file_close(&file);
		EXPECT_TRUE(has("guest", "old"));
		EXPECT_EQ(entries(), 1U + another);
		EXPECT_TRUE(!another || has(strrchr(part, '/') + 1, "theirs"));
		clear();
	}
}

/* The memory of a VM must not lose its name. */
TEST_OF(output_file, locked_C10)
{
	int fd;

	put("memory", "guest");
	fd = open(in_directory("memory"), O_RDWR | O_CLOEXEC);
	EXPECT_FALSE(file_lock(fd, "memory", true, &error));
	refused(in_directory("memory"), -EBUSY);
	close(fd);
	EXPECT_FALSE(write_to(in_directory("memory"), true, "x"));
}

/* Too large for the limit: an error, no signal, and nothing is left. */
TEST_OF(output_file, limit_C11)
{
	struct rlimit before, small;

	put("old", "old");
	EXPECT_FALSE(getrlimit(RLIMIT_FSIZE, &before));
	small = (struct rlimit){ 2, before.rlim_max };
	EXPECT_FALSE(setrlimit(RLIMIT_FSIZE, &small));
	EXPECT_EQ(write_to(in_directory("old"), true, "new"), -EFBIG);
	EXPECT_STRSTR(error.hint, "ulimit -f");
	EXPECT_FALSE(setrlimit(RLIMIT_FSIZE, &before));
	EXPECT_TRUE(has("old", "old"));
	EXPECT_EQ(entries(), 1);
}

/* A directory that cannot be written to, and one that cannot be listed. */
TEST_OF(output_file, directory)
{
	EXPECT_FALSE(chmod(ksft_folder(), 0333));
	EXPECT_FALSE(seteuid(geteuid() ? geteuid() : 65534));
	EXPECT_FALSE(write_to(in_directory("new"), true, "x"));
	EXPECT_TRUE(has("new", "x"));
	EXPECT_FALSE(write_to(in_directory("new"), true, "y"));
	EXPECT_TRUE(has("new", "y"));
	EXPECT_FALSE(seteuid(getuid()));
	EXPECT_FALSE(chmod(ksft_folder(), 0700));
	EXPECT_LT(write_to("/proc/gmemctl-test", true, "x"), 0);
	EXPECT_LT(write_to("/sys/gmemctl-test", true, "x"), 0);
}
