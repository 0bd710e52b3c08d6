// SPDX-License-Identifier: GPL-2.0
/* What is read of processes, from a /proc of the test's own. */
#include <fcntl.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../who/who.h"
#include "ksft.h"

#define MAJOR	0
#define MINOR	0x2f
#define INODE	17
/* A line of maps that is the memory's: two of them, of 16 pages from page 4 and 32 on */
#define FIRST	"7f0000000000-7f0000010000 rw-s 00004000 00:2f 17 /gmem (deleted)\n"
#define SECOND	"7f0000100000-7f0000110000 rw-s 00020000 00:2f 17 /gmem (deleted)\n"
#define OTHER	"7f0000200000-7f0000210000 rw-s 00000000 00:2f 18 /gmem (deleted)\n"

static struct who_memory memory;
static struct who_process *processes;
static size_t count;
static unsigned int unseen;
static char proc[64];

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/77/%s", proc, name);
	file = fopen(path, "w");
	ASSERT_TRUE(file);
	fputs(text, file);
	fclose(file);
}

static void link_fd(int fd, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/77/fd/%d", proc, fd);
	ASSERT_EQ(0, symlink(text, path));
}

/* A process 77 that has the memory mapped, and nothing else. */
static void start(const char *maps)
{
	static const char *const folders[] = { "", "/77", "/77/fd", "/77/fdinfo" };
	char path[128];

	memory = (struct who_memory){ .device = makedev(MAJOR, MINOR), .inode = INODE };
	snprintf(proc, sizeof(proc), "%s/proc", ksft_folder());
	ksft_for_each(folder, folders) {
		snprintf(path, sizeof(path), "%s%s", proc, *folder);
		ASSERT_EQ(0, mkdir(path, 0700));
	}
	write_file("maps", maps);
	write_file("comm", "a\033[2Jb\n");
	write_file("status", "Name:\tx\nVmPin:\t      12 kB\nVmHWM:\t 1 kB\n");
}

static void look(void)
{
	struct error error;

	EXPECT_EQ(0, who_processes(proc, &memory, &processes, &count, &unseen, &error));
	EXPECT_EQ(0, unseen);
}

static void stop(void)
{
	who_processes_free(processes, count);
}

TEST_OF(who, mapped)
{
	start(FIRST OTHER SECOND "nonsense\n7f-\n\n1-0 rw-s 0 00:2f 17\n");
	look();
	ASSERT_EQ(1, count);
	EXPECT_EQ(77, processes[0].pid);
	EXPECT_EQ(0x20000, processes[0].mapped);
	EXPECT_EQ(12, processes[0].pinned_kib);
	EXPECT_EQ(0, processes[0].nr_buffers);
	/* No terminal sees what a process calls itself. */
	EXPECT_STREQ("a?[2Jb", processes[0].command);
	stop();
}

TEST_OF(who, not_mapped)
{
	start(OTHER);
	link_fd(3, "/gmem (deleted)");
	link_fd(4, "anon_inode:[io_uring]");
	look();
	EXPECT_EQ(0, count);
	stop();
}

/* What a link says is what it was: it may lead elsewhere by now, and that is not opened. */
TEST_OF(who, pipes)
{
	int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), fd;
	struct inotify_event event;
	char path[256];

	start(FIRST);
	link_fd(5, "pipe:[1]");
	link_fd(6, "pipe:[2]");
	snprintf(path, sizeof(path), "%s/77/fd/pipe:[1]", proc);
	ASSERT_EQ(0, mkfifo(path, 0600));
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_EQ(3, write(fd, "abc", 3));
	write_file("fd/pipe:[2]", "a watchdog");
	snprintf(path, sizeof(path), "%s/77/fd/pipe:[2]", proc);
	ASSERT_GE(inotify_add_watch(events, path, IN_OPEN), 0);
	look();
	ASSERT_EQ(1, count);
	EXPECT_EQ(1, processes[0].pipes);
	EXPECT_EQ(3, processes[0].pipe_bytes);
	EXPECT_EQ(-1, read(events, &event, sizeof(event)));
	stop();
	close(fd);
	close(events);
}

/* A file that somebody answers for may keep who opens it: none is that can be no gmem fd. */
TEST_OF(who, handle)
{
	int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct inotify_event event;
	char path[256];

	start(FIRST);
	snprintf(path, sizeof(path), "%s/77/comm", proc);
	ASSERT_GE(inotify_add_watch(events, path, IN_OPEN), 0);
	EXPECT_EQ(-ENOTTY, who_open(AT_FDCWD, path, S_IFREG));
	EXPECT_EQ(-1, read(events, &event, sizeof(event)));
	close(events);
}

#define NO_MOUNT 77

/* In a process: a file that is called like a gmem fd, of a file system without handles */
static int look_at_namesake(void)
{
	int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), fd, rc;
	struct who_memory *memories;
	struct inotify_event event;
	char path[256];

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("ramfs", ksft_folder(), "ramfs", 0, NULL))
		return NO_MOUNT;
	snprintf(path, sizeof(path), "%s/gmem (deleted)", ksft_folder());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	/* Without its mount, the path of the file has no folder any more. */
	if (fd < 0 || inotify_add_watch(events, path, IN_OPEN) < 0 ||
	    umount2(ksft_folder(), MNT_DETACH))
		return 1;
	rc = who_memories(PROC, getpid(), &memories, &count, NULL);
	return rc == -ENOENT && read(events, &event, sizeof(event)) < 0 ? 0 : 2;
}

/* One of FUSE may have no handle, and keep who opens it: what fdinfo has decides. */
TEST_OF(who, namesake)
{
	pid_t pid = fork();
	int code;

	if (!pid)
		_exit(look_at_namesake());
	code = ksft_wait(pid);
	if (code == NO_MOUNT)
		SKIP(return, "only root can mount a file system");
	EXPECT_EQ(0, code);
}

/* What of a buffer is in a mapping, by the offset in the memory. */
TEST_OF(who, buffers)
{
	static const struct who_span expected[] = {
		{ 0x4000, 0x1000 }, { 0x13000, 0x1000 }, { 0x20000, 0x800 }, { 0x4000, 0x10000 },
		{ 0x20000, 0x10000 },
	};

	start(FIRST SECOND);
	link_fd(9, "anon_inode:[io_uring]");
	write_file("fdinfo/9", "pos:\t0\nSqMask:\t0x7\nUserFiles:\t1\n    0: x\nUserBufs:\t6\n"
		   "    0: 0x7f0000000000/4096\n    1: 0x7f000000f000/8192\n"
		   "    2: 0x7f00000ff800/4096\n    3: 0x7e0000000000/1099512741888\n"
		   "    4: 0xffffffffffffff00/4096\n    5: 0x1000/4096\n"
		   "PollList:\n  op=6, task_works=0\n");
	look();
	ASSERT_EQ(1, count);
	EXPECT_EQ(0, processes[0].busy_rings);
	ASSERT_EQ(5, processes[0].nr_buffers);
	for (size_t i = 0; i < 5; i++) {
		EXPECT_EQ(expected[i].offset, processes[0].buffers[i].offset);
		EXPECT_EQ(expected[i].length, processes[0].buffers[i].length);
	}
	stop();
}

/* A ring that is in use does not tell all, or nothing at all. */
TEST_OF(who, busy)
{
	start(FIRST);
	link_fd(9, "anon_inode:[io_uring]");
	link_fd(10, "anon_inode:[io_uring]");
	write_file("fdinfo/9", "UserBufs:\t2\n    0: 0x7f0000000000/4096\n");
	write_file("fdinfo/10", "pos:\t0\n");
	look();
	ASSERT_EQ(1, count);
	EXPECT_EQ(2, processes[0].busy_rings);
	EXPECT_EQ(1, processes[0].nr_buffers);
	stop();
}

TEST_OF(who, devices)
{
	start(FIRST "7f0000300000-7f0000310000 rw-s 00000000 00:0f 1 /[aio] (deleted)\n");
	link_fd(3, "/dev/vfio/12");
	link_fd(4, "/dev/vfio/vfio");
	link_fd(5, "/dev/iommu");
	link_fd(6, "/dev/vhost-net");
	link_fd(7, "/dev/infiniband/uverbs0");
	link_fd(8, "/srv/dev/vfio/1");
	look();
	ASSERT_EQ(1, count);
	EXPECT_EQ(2, processes[0].devices[WHO_VFIO]);
	EXPECT_EQ(1, processes[0].devices[WHO_IOMMUFD]);
	EXPECT_EQ(1, processes[0].devices[WHO_VHOST]);
	EXPECT_EQ(1, processes[0].devices[WHO_INFINIBAND]);
	EXPECT_EQ(1, processes[0].devices[WHO_AIO]);
	stop();
}

/* Files that are only called like gmem fds: of other kinds, or not to be opened. */
TEST_OF(who, look_alikes)
{
	struct who_memory *memories;
	struct rlimit before, few;
	struct error error;
	size_t nr;
	int fd;

	start(FIRST);
	link_fd(3, "/gmem (deleted)");
	write_file("fdinfo/3", "pos:\t0\ngmem-length:\t4096\n");
	link_fd(4, "/gmem:\033[2J (deleted)");
	link_fd(5, "/gmemory (deleted)");
	link_fd(6, "/gmem");
	EXPECT_EQ(-ENOENT, who_memories(proc, 77, &memories, &nr, &error));
	/* Room for /proc/PID and its fd, but for no other file */
	EXPECT_FALSE(getrlimit(RLIMIT_NOFILE, &before));
	fd = dup(0);
	close(fd);
	few = (struct rlimit){ (rlim_t)fd + 2, before.rlim_max };
	EXPECT_FALSE(setrlimit(RLIMIT_NOFILE, &few));
	EXPECT_EQ(-EMFILE, who_memories(proc, 77, &memories, &nr, &error));
	EXPECT_FALSE(setrlimit(RLIMIT_NOFILE, &before));
	EXPECT_EQ(-ESRCH, who_memories(proc, 78, &memories, &nr, &error));
	EXPECT_EQ(0, who_all_memories(proc, &memories, &nr, &error));
	EXPECT_EQ(0, nr);
	who_memories_free(memories, nr);
	EXPECT_EQ(-ENOENT, who_all_memories("/nowhere", &memories, &nr, &error));
}
