// SPDX-License-Identifier: GPL-2.0
/*
 * A program of the guest that uses gmem_guest.ko like a user, according to lines from the test
 * on the console. Each line is answered by a line that starts with its number:
 *
 *   load [PARAMETERS]		load the module
 *   unload			unload the module
 *   set NAME VALUE		write a parameter of the module
 *   get NAME			read a parameter
 *   many COUNT			write COUNT ranges to "private"
 *   fill			write words to memory, and print the address of its first page
 *   check			check these words
 *   unbind			unbind the disk's driver
 *   unplug			unplug the disk
 *   log			print the last message of the module, which is not on the console
 *   end			end the program
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../command.h"

#define MODULE	"/gmem_guest.ko"
#define PARAMETER "/sys/module/gmem_guest/parameters/"
#define UNBIND	"/sys/bus/virtio/drivers/virtio_blk/unbind"
#define UNPLUG	"/sys/bus/virtio/devices/virtio0/../remove"
#define LOG_READ_ALL 3		/* of syslog(2) */
#define LOG_CONSOLE_LEVEL 8
#define SAYS	"gmem_guest: "
#define PAGE_BYTES UINT64_C(4096)
#define WORDS	(UINT64_C(16) << 17)	/* in 16 MiB */
#define MIX	UINT64_C(0x9e3779b97f4a7c15)

static uint64_t *words;

/* Return: 0, or a negative errno. */
static int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

/* The word without the newline of its line. */
static const char *word_after(const char *arguments)
{
	static char text[1024];

	snprintf(text, sizeof(text), "%s", *arguments == ' ' ? arguments + 1 : arguments);
	text[strcspn(text, "\r\n")] = '\0';
	return text;
}

static void do_load(const char *arguments)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);

	reply("rc=%d", syscall(SYS_finit_module, fd, word_after(arguments), 0) ? -errno : 0);
	close(fd);
}

static void do_unload(const char *arguments)
{
	(void)arguments;
	reply("rc=%d", syscall(SYS_delete_module, "gmem_guest", O_NONBLOCK) ? -errno : 0);
}

static void do_set(const char *arguments)
{
	char path[128] = PARAMETER, name[32] = "", value[256] = "";

	sscanf(arguments, "%31s %255s", name, value);
	strcat(path, name);
	reply("rc=%d", file_write(path, value));
}

static void do_get(const char *arguments)
{
	char path[128], text[4096] = "";
	ssize_t got = -1;
	int fd;

	snprintf(path, sizeof(path), PARAMETER "%.32s", word_after(arguments));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		got = read(fd, text, sizeof(text) - 1);
	close(fd);
	reply("rc=%d value=%s", got < 0 ? -errno : 0, text);
}

static void do_many(const char *arguments)
{
	char text[1024] = "";

	for (unsigned long i = strtoul(arguments, NULL, 10); i; i--)
		strcat(text, i == 1 ? "0x100000-0x101000" :
		       "0x100000-0x101000,");
	reply("rc=%d", file_write(PARAMETER "private", text));
}

/* Return: the guest physical address, or 0. */
static uint64_t gpa_of(const void *address)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	/* Bit 63: the page is present; the lower bits are its frame number. */
	if (pread(fd, &entry, sizeof(entry),
		  (off_t)((uintptr_t)address / PAGE_BYTES * sizeof(entry))) < 0)
		entry = 0;
	close(fd);
	return entry >> 63 ? (entry & ((UINT64_C(1) << 55) - 1)) * PAGE_BYTES : 0;
}

static void do_fill(const char *arguments)
{
	(void)arguments;
	words = mmap(NULL, WORDS * sizeof(*words), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (words == MAP_FAILED)
		return reply("rc=%d", -errno);
	for (uint64_t i = 0; i < WORDS; i++)
		words[i] = i * MIX;
	reply("rc=0 gpa=%" PRIu64, gpa_of(words));
}

static void do_check(const char *arguments)
{
	uint64_t wrong = 0;

	(void)arguments;
	for (uint64_t i = 0; i < WORDS; i++)
		wrong += words[i] != i * MIX;
	reply("wrong=%" PRIu64, wrong);
}

static void do_unbind(const char *arguments)
{
	(void)arguments;
	reply("rc=%d", file_write(UNBIND, "virtio0"));
}

static void do_unplug(const char *arguments)
{
	(void)arguments;
	reply("rc=%d", file_write(UNPLUG, "1"));
}

static void do_log(const char *arguments)
{
	static char text[1 << 18];
	const char *last = "", *at = text;
	int got = klogctl(LOG_READ_ALL, text, sizeof(text) - 1);

	(void)arguments;
	text[got > 0 ? got : 0] = '\0';
	while ((at = strstr(at, SAYS)))
		last = at++;
	reply("%.*s", (int)strcspn(last, "\n"), last);
}

static void do_end(const char *arguments)
{
	(void)arguments;
	reply("rc=0");
	exit(0);
}

static const struct command commands[] = {
	{ "load", do_load },
	{ "unload", do_unload },
	{ "set", do_set },
	{ "get", do_get },
	{ "many", do_many },
	{ "fill", do_fill },
	{ "check", do_check },
	{ "unbind", do_unbind },
	{ "unplug", do_unplug },
	{ "log", do_log },
	{ "end", do_end },
	{ 0 }
};

int main(void)
{
	char line[512];

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Kernel messages on the console would disturb answers. */
	klogctl(LOG_CONSOLE_LEVEL, NULL, 1);
	printf("gmem-guest: listening\n");
	while (fgets(line, sizeof(line), stdin))
		command_run(commands, line);
	return 1;
}
