// SPDX-License-Identifier: GPL-2.0
/* Runs another VMM with a preloaded library that gives its guest private memory; see exec/. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../control/control.h"
#include "../exec/report.h"
#include "../gmem/gmem.h"
#include "command.h"
#include "out.h"

#define LIBRARY		"libgmem-exec.so"
#define FD_DEFAULT	100
#define FD_MAX		65535
#define FD_VARIABLE	"GMEM_FD"

/**
 * struct exec - a command line
 * @size: value of --memory-size, or 0
 * @fd: value of --fd
 * @name: value of --name, or @own_name
 * @timeout_ms: value of --convert-timeout
 * @verbose: --verbose was given
 * @program: the program, with its arguments
 * @own_name: a generated name
 */
struct exec {
	uint64_t size;
	uint32_t fd;
	const char *name;
	uint32_t timeout_ms;
	bool verbose;
	char **program;
	char own_name[RUNTIME_NAME_MAX];
};

static const struct cli_option exec_options[] = {
	{ "--memory-size", "SIZE", option_size, TO(struct exec, size),
	  "create a gmem fd of that size, a multiple of 4K, all of it shared" },
	{ "--fd", "N", option_count, TO(struct exec, fd),
	  "its number in PROGRAM: /proc/self/fd/N. Default: 100", .max = FD_MAX },
	{ "--name", "NAME", option_vm_name, TO(struct exec, name),
	  "of the VM, for map, convert, decommit, dump, stat and stop. Default: vm-PID" },
	{ "--convert-timeout", "MS", option_count, TO(struct exec, timeout_ms),
	  "how long a conversion waits for a held page: 0 to 60000. Default: 2000",
	  .max = GMEM_CONVERT_TIMEOUT_MAX },
	{ "--verbose", NULL, option_flag, TO(struct exec, verbose),
	  "print refused requests, and counters at the end" },
	{ "PROGRAM", NULL, option_program, TO(struct exec, program) },
	{ 0 }
};

static int check_views(int device, struct error *error)
{
	struct gmem_ioctl_info info;
	int rc = gmem_check_abi(device, NULL, error);

	if (rc)
		return rc;
	rc = gmem_info(device, &info);
	if (rc)
		return error_set(error, rc, GMEM_DEVICE_PATH, "GMEM_IOCTL_INFO", NULL);
	if (info.features & GMEM_FEATURE_VIEW && info.features & GMEM_FEATURE_VIEW_FAULT)
		return 0;
	return error_set(error, -EOPNOTSUPP, GMEM_DEVICE_PATH, "make a view", "%s",
			 gmem_view_refusal(-EOPNOTSUPP));
}

/* Create the gmem fd under number @exec->fd. The program inherits it. */
static int make_memory(int device, const struct exec *exec, struct error *error)
{
	struct gmem_ioctl_create create = {
		.size = sizeof(create),
		.flags = GMEM_CREATE_F_INIT_SHARED,
		.length = exec->size,
	};
	int rc;

	if (!exec->size)
		return 0;
	memcpy(create.name, exec->name, strnlen(exec->name, GMEM_NAME_MAX - 1));
	rc = gmem_check_length(device, exec->size, error);
	if (rc)
		return rc;
	rc = calls->ioctl(device, GMEM_IOCTL_CREATE, &create);
	if (rc)
		return error_set(error, rc, "guest memory", "create in gmem", NULL);
	rc = dup2(create.out_fd, (int)exec->fd);
	if (rc < 0)
		error_set(error, -errno, "guest memory", "give it the descriptor "
			  "of --fd", "is it beyond `ulimit -n`?");
	calls->close(create.out_fd);
	return rc < 0 ? error->rc : 0;
}

/* Set the environment. Libraries that are in LD_PRELOAD already come after ours. */
static int set_environment(const struct exec *exec, const char *library)
{
	const char *before = getenv("LD_PRELOAD");
	char *all, timeout[16], fd[16];
	int rc;

	if (asprintf(&all, "%s%s%s", library, before && *before ? ":" : "",
		     before ? before : "") < 0)
		return -ENOMEM;
	rc = setenv("LD_PRELOAD", all, 1);
	free(all);
	if (!rc)
		rc = setenv(EXEC_NAME, exec->name, 1);
	snprintf(timeout, sizeof(timeout), "%u", exec->timeout_ms);
	if (!rc)
		rc = setenv(EXEC_TIMEOUT, timeout, 1);
	if (!rc && exec->verbose)
		rc = setenv(EXEC_STATS, "1", 1);
	snprintf(fd, sizeof(fd), "%u", exec->fd);
	if (!rc && exec->size)
		rc = setenv(FD_VARIABLE, fd, 1);
	return rc ? -ENOMEM : 0;
}

static int prepare(struct exec *exec, struct error *error)
{
	char library[PATH_MAX];
	int device, lock, rc = process_find(LIBRARY, "", library, error);

	/* Colons and spaces separate libraries in LD_PRELOAD. */
	if (!rc && strpbrk(library, ": "))
		rc = error_set(error, -EINVAL, library, "preload",
			       "a path without colons and spaces");
	if (!rc)
		rc = runtime_prepare(error);
	if (rc)
		return rc;
	/* Only check that the name is free. The library takes it when the VM exists. */
	lock = exec->name == exec->own_name ? runtime_lock_free("vm", exec->own_name, error) :
					      runtime_lock(exec->name, error);
	if (lock < 0)
		return lock;
	runtime_unlock(exec->name, lock);
	device = gmem_open(error);
	if (device < 0)
		return device;
	rc = check_views(device, error);
	if (!rc)
		rc = make_memory(device, exec, error);
	calls->close(device);
	if (rc)
		return rc;
	rc = set_environment(exec, library);
	return rc ? error_set(error, rc, "environment", "set up", NULL) : 0;
}

static int exec_main(const struct command *command, void *arguments)
{
	struct exec *exec = arguments;
	struct error error;

	if (!exec->name)
		exec->name = exec->own_name;
	if (exec->size % 4096)
		return usage_error("--memory-size", "not whole pages", "a multiple of 4K");
	if (exec->size && (exec->fd < 3 || fcntl((int)exec->fd, F_GETFD) >= 0))
		return usage_error("--fd", "in use", "a descriptor from 3 on that is not open");
	if (prepare(exec, &error))
		return out_error_report(&error);
	execvp(exec->program[0], exec->program);
	out_error(exec->program[0], "execute", -errno, NULL);
	return EXIT_CODE_FAILURE;
}

const struct command command_exec = {
	.name = "exec",
	.run = exec_main,
	ARGUMENTS(struct exec, .fd = FD_DEFAULT, .timeout_ms = EXEC_TIMEOUT_MS),
	.summary = "run another VMM, whose guest has private memory",
	.usage = "exec [OPTIONS] [--] PROGRAM [ARGUMENTS]",
	.about = "Runs a VMM without support for gmem, such as QEMU. A library, loaded before the "
		 "C library, gives KVM a view of each gmem fd that the VMM has mapped as guest "
		 "memory, and handles the guest's conversion requests (KVM_HC_MAP_GPA_RANGE).",
	.options = exec_options,
	.without_json = true,
	.examples = "gmemctl exec --memory-size 1G --name web ./vmm.sh",
};
