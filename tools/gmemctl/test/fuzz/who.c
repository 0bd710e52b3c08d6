// SPDX-License-Identifier: GPL-2.0
/*
 * What a process says of itself in /proc. The input is the text of its maps, up to a zero, and
 * of the fdinfo of an io_uring.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../../who/who.h"
#include "fuzz.h"

static char proc[] = "/tmp/fuzz-who-XXXXXX";

static void write_file(const char *name, const uint8_t *data, size_t size)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/77/%s", proc, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FUZZ_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static void remove_all(void)
{
	static const char *const names[] = {
		"77/maps", "77/fdinfo/9", "77/fd/9", "77/fd", "77/fdinfo", "77", "",
	};
	char path[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", proc, names[i]);
		remove(path);
	}
}

static void make_folders(void)
{
	static const char *const names[] = { "77", "77/fd", "77/fdinfo" };
	char path[64];

	FUZZ_ASSERT(mkdtemp(proc));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", proc, names[i]);
		FUZZ_ASSERT(!mkdir(path, 0700));
	}
	snprintf(path, sizeof(path), "%s/77/fd/9", proc);
	FUZZ_ASSERT(!symlink("anon_inode:[io_uring]", path));
	atexit(remove_all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct who_memory memory = { .device = makedev(0, 0x2f), .inode = 17 };
	size_t maps = strnlen((const char *)data, size), count;
	struct who_process *processes;
	unsigned int unseen;
	static bool made;

	if (!made)
		make_folders();
	made = true;
	write_file("maps", data, maps);
	write_file("fdinfo/9", data + maps, size - maps);
	FUZZ_ASSERT(!who_processes(proc, &memory, &processes, &count, &unseen, NULL));
	for (size_t i = 0; i < count; i++) {
		for (size_t b = 0; b < processes[i].nr_buffers; b++)
			FUZZ_ASSERT(processes[i].buffers[b].length <= processes[i].mapped);
	}
	who_processes_free(processes, count);
	return 0;
}

size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	static const char text[] =
		"7f0000000000-7f0000010000 rw-s 00004000 00:2f 17 /gmem (deleted)\n"
		"7f0000020000-7f0000030000 rw-s 00000000 00:0f 18 /[aio] (deleted)\n\0"
		"pos:\t0\nUserBufs:\t2\n    0: 0x7f0000000000/4096\n    1: 0x7f000000f000/8192\n";

	if (index)
		return 0;
	memcpy(data, text, sizeof(text) - 1);
	return sizeof(text) - 1;
}
