// SPDX-License-Identifier: GPL-2.0
/* Kernel modules, which the host lists in /etc/modules in the order of their dependencies. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

#define LIST	"/etc/modules"

static int module_list_add(struct module_list *list, char *line)
{
	char kind[8], path[256], *name;

	if (sscanf(line, "%7s %255s", kind, path) != 2)
		return 0;
	if (list->count == MODULES_MAX)
		return -E2BIG;
	strcpy(list->entry[list->count].path, path);
	list->entry[list->count].own = !strcmp(kind, "own");
	name = strrchr(path, '/');
	name = name ? name + 1 : path;
	name[strcspn(name, ".")] = '\0';
	snprintf(list->entry[list->count].name, MODULE_NAME_MAX, "%.60s", name);
	list->count++;
	return 0;
}

int module_list_read(struct module_list *list)
{
	static char text[16384];
	char *line, *save;
	int err = 0;

	list->count = 0;
	if (file_read(LIST, text, sizeof(text)) < 0)
		return 0;
	for (line = strtok_r(text, "\n", &save); line && !err;
	     line = strtok_r(NULL, "\n", &save))
		err = module_list_add(list, line);
	return err;
}

unsigned int module_list_own(const struct module_list *list)
{
	unsigned int i, own = 0;

	for (i = 0; i < list->count; i++)
		own += list->entry[i].own;
	return own;
}

static int module_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
		err = -errno;
	close(fd);
	return err;
}

void module_load_deps(const struct module_list *list)
{
	unsigned int i;
	int err;

	for (i = 0; i < list->count; i++) {
		if (list->entry[i].own)
			continue;
		err = module_load(list->entry[i].path);
		/* The hypervisor module of the other CPU vendor fails with these errors. */
		if (err && err != -EOPNOTSUPP && err != -ENODEV)
			port_line("# note: insmod %s: %s", list->entry[i].path,
				  strerror(-err));
	}
}

void module_load_own(const struct module_list *list)
{
	unsigned int i;
	int err;

	for (i = 0; i < list->count; i++) {
		if (!list->entry[i].own)
			continue;
		err = module_load(list->entry[i].path);
		if (err)
			port_line("# insmod %s: %s", list->entry[i].path,
				  strerror(-err));
		result(!err, "insmod %s", list->entry[i].name);
	}
}

static int module_unload(const char *path)
{
	char name[MODULE_NAME_MAX], *p;

	snprintf(name, sizeof(name), "%s", path);
	for (p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/*
 * Unload in reverse order. All users of a module have exited, but a worker may drop the
 * last reference to a file later: retry for a short time.
 */
void module_unload_own(const struct module_list *list)
{
	unsigned int i, tries;
	int err;

	for (i = list->count; i-- > 0;) {
		if (!list->entry[i].own)
			continue;
		for (tries = 0; tries < 50; tries++) {
			err = module_unload(list->entry[i].name);
			if (err != -EWOULDBLOCK && err != -EBUSY)
				break;
			usleep(200 * 1000);
		}
		if (err)
			port_line("# rmmod %s: %s", list->entry[i].name,
				  strerror(-err));
		result(!err, "rmmod %s", list->entry[i].name);
	}
}

uint64_t taint_read(void)
{
	char text[32];

	if (file_read("/proc/sys/kernel/tainted", text, sizeof(text)) <= 0)
		return 0;
	return strtoull(text, NULL, 10);
}
