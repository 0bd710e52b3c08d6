// SPDX-License-Identifier: GPL-2.0
/* Access to a host's CPUID, MSRs, files and modules. */
#define _GNU_SOURCE
#ifdef __x86_64__
#include <cpuid.h>
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host.h"

/* Limit of the lines of a file, so that a file without an end does not block its reader. */
#define LINES_MAX 1000000

/* Read a register of the first CPU. Its number is the offset in the driver's file. */
static int host_register(const char *path, uint32_t number, void *value, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;
	int rc = 0;

	if (fd < 0)
		return -errno;
	got = pread(fd, value, size, number);
	if (got != (ssize_t)size)
		rc = got < 0 ? -errno : -EIO;
	close(fd);
	return rc;
}

#ifdef __x86_64__
/* The driver returns the same as the CPUID instruction, unless the host is simulated. */
static bool host_cpuid(uint32_t leaf, struct host_cpuid *out)
{
	uint32_t all[4];
	int rc = host_register("/dev/cpu/0/cpuid", leaf & 0x80000000, all, sizeof(all));

	if (!rc)
		return leaf <= all[0] &&
		       !host_register("/dev/cpu/0/cpuid", leaf, out, sizeof(*out));
	return __get_cpuid(leaf, &out->eax, &out->ebx, &out->ecx, &out->edx);
}
#else
static bool host_cpuid(uint32_t leaf, struct host_cpuid *out)
{
	return false;
}
#endif

static int host_msr(uint32_t number, uint64_t *value)
{
	return host_register("/dev/cpu/0/msr", number, value, sizeof(*value));
}

void host_init(struct host *host)
{
	struct rlimit limit;
	struct utsname name;

	memset(host, 0, sizeof(*host));
	host->cpuid = host_cpuid;
	host->msr = host_msr;
	if (!uname(&name)) {
		snprintf(host->release, sizeof(host->release), "%s", name.release);
		snprintf(host->machine, sizeof(host->machine), "%s", name.machine);
	}
	if (!getrlimit(RLIMIT_MEMLOCK, &limit))
		host->memlock = limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX :
								  limit.rlim_cur;
}

static int host_path(const struct host *host, const char *path, char full[HOST_PATH_SIZE])
{
	int length = snprintf(full, HOST_PATH_SIZE, "%s%s", host->root, path);

	return length < HOST_PATH_SIZE ? 0 : -ENAMETOOLONG;
}

int host_stat(const struct host *host, const char *path, unsigned int *mode)
{
	char full[HOST_PATH_SIZE];
	int rc = host_path(host, path, full);
	struct stat info;

	if (rc)
		return rc;
	if (stat(full, &info))
		return -errno;
	if (mode)
		*mode = info.st_mode;
	return 0;
}

bool host_folder_is_empty(const struct host *host, const char *path)
{
	char full[HOST_PATH_SIZE];
	struct dirent *entry;
	bool empty = true;
	DIR *dir;

	dir = host_path(host, path, full) ? NULL : opendir(full);
	if (!dir)
		return true;
	while (empty && (entry = readdir(dir)))
		empty = entry->d_name[0] == '.';
	closedir(dir);
	return empty;
}

static bool host_first_line(const char *line, void *data)
{
	strcpy(data, line);
	return true;
}

int host_read_line(const struct host *host, const char *path, char *line, size_t size)
{
	char first[HOST_LINE_SIZE] = "";
	int rc = host_read_lines(host, path, host_first_line, first);

	if (rc < 0)
		return rc;
	snprintf(line, size, "%s", first);
	return 0;
}

int host_read_lines(const struct host *host, const char *path,
		    bool (*visit)(const char *line, void *data), void *data)
{
	char full[HOST_PATH_SIZE], buffer[HOST_LINE_SIZE], line[HOST_LINE_SIZE];
	int rc = host_path(host, path, full), fd;
	FILE *file;

	if (rc)
		return rc;
	/* Non-blocking: at its end /dev/kmsg would wait for new messages. */
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	/* /dev/kmsg returns one record for each read(), and only if the buffer is large enough. */
	setvbuf(file, buffer, _IOFBF, sizeof(buffer));
	for (unsigned int i = 0; !rc && i < LINES_MAX; i++) {
		if (fgets(line, sizeof(line), file)) {
			line[strcspn(line, "\n")] = '\0';
			rc = visit(line, data);
		} else if (ferror(file) && errno == EPIPE) {
			/* The log has dropped lines while it was read: continue. */
			clearerr(file);
		} else {
			break;
		}
	}
	if (!rc && ferror(file) && errno != EAGAIN)
		rc = -errno;
	fclose(file);
	return rc;
}

bool host_has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += length)
		if ((at == text || strchr(" \t:", at[-1])) && strchr(" \t\n", at[length]))
			return true;
	return false;
}

bool host_module(const struct host *host, const char *name, char version[HOST_VERSION_SIZE])
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	if (host_stat(host, path, NULL))
		return false;
	snprintf(path, sizeof(path), "/sys/module/%s/version", name);
	if (version && host_read_line(host, path, version, HOST_VERSION_SIZE))
		version[0] = '\0';
	return true;
}
