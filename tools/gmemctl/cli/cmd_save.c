// SPDX-License-Identifier: GPL-2.0
/* Saves a running guest to a file, and runs it again from there. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../control/channel.h"
#include "../machine/pc_state.h"
#include "../memory/save.h"
#include "cli.h"
#include "move.h"
#include "out.h"
#include "run_pc.h"

/* Return: EXIT_CODE_FAILURE. */
static int file_error(const char *path, const char *action)
{
	out_error(path, action, -errno, NULL);
	return EXIT_CODE_FAILURE;
}

/* Return: 0 or an exit code. */
static int save_to(int file, const struct move_options *options)
{
	struct json_object *request = json_object_new_object();
	struct error error;
	int rc, code, socket;

	json_object_object_add(request, "command",
			       json_object_new_string("save"));
	json_object_object_add(request, "stop",
			       json_object_new_boolean(options->stop));
	code = move_request(options->plain[0], request, &socket);
	if (code)
		return code;
	rc = channel_send_file(socket, file);
	if (rc)
		error_set(&error, rc, "VM", "give it the file", NULL);
	else
		rc = channel_wait_result(socket, &error);
	close(socket);
	return rc ? out_error_report(&error) : EXIT_CODE_OK;
}

/* Known before the VM is asked: it may be at its end afterwards. */
static bool is_directory(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISDIR(status.st_mode);
}

/* What is saved may be all that is left of the guest: it is never removed. */
static int save_rename(const char *part, const char *path)
{
	if (!rename(part, path))
		return EXIT_CODE_OK;
	out_error(path, "rename the saved guest to this", -errno,
		  "it is complete in %s: move it, or restore it from there",
		  part);
	return EXIT_CODE_FAILURE;
}

/* A file appears under its name only when all of it is there. */
static int save_main(int argc, char **argv)
{
	struct move_options options = { 0 };
	char part[PATH_MAX];
	int file, code = move_parse(argc, argv, 2, MOVE_STOP, &options);
	const char *path = options.plain[1];

	if (code)
		return code;
	if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part))
		return usage_error("FILE", "too long", "a shorter path");
	if (is_directory(path)) {
		out_error(path, "save to this", -EISDIR,
			  "give the name of a file");
		return EXIT_CODE_FAILURE;
	}
	file = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0)
		return file_error(part, "create");
	code = save_to(file, &options);
	close(file);
	if (!code)
		return save_rename(part, path);
	unlink(part);
	return code;
}

/**
 * struct restored - a guest being restored
 * @saved: what the file says, but for the contents
 * @fd: the file, from the contents on
 */
struct restored {
	struct saved saved;
	int fd;
};

static int restored_prepare(struct pc *pc, void *data, struct error *error)
{
	struct restored *restored = data;
	int rc = save_read_memory(&restored->saved, &pc->machine.memory,
				  error);

	return rc ? rc : pc_state_set(pc, &restored->saved.state, error);
}

/* Contents of a file are written to another one, which somebody has to name. */
static int restored_file(struct restored *restored, const char *path,
			 struct error *error)
{
	struct description *description = &restored->saved.description;
	struct memory_request *request = description->requests;

	for (uint32_t i = 1; i < description->config.nr_requests; i++)
		if (request[i].kind == BACKING_FILE)
			return error_set(error, -EOPNOTSUPP, "saved guest",
					 "restore", "it has several files");
	if (request->kind == BACKING_FILE && !path)
		return error_set(error, -EINVAL, "saved guest", "restore",
				 "its memory is a file: say which with "
				 "--memory-file");
	if (request->kind != BACKING_FILE && path)
		return error_set(error, -EINVAL, "saved guest", "restore",
				 "memory of kind %s takes no --memory-file",
				 backing_kind_name(request->kind));
	request->path = path;
	return 0;
}

/* Return: an exit code. */
static int restored_run(struct restored *restored,
			const struct move_options *options)
{
	struct run_pc run = {
		.name = options->name,
		.prepare = restored_prepare,
		.data = restored,
	};
	struct pc_config config;
	struct error error;
	int cpus = pc_state_cpus(&restored->saved.state, &error);

	if (cpus < 0 ||
	    restored_file(restored, options->memory_file, &error))
		return out_error_report(&error);
	move_config(options, (unsigned int)cpus,
		    &restored->saved.description.config, &config);
	return run_pc(&run, &config);
}

static int restore_main(int argc, char **argv)
{
	struct move_options options = { 0 };
	struct restored *restored;
	struct error error;
	int code = move_parse(argc, argv, 1, MOVE_RUN | MOVE_FILE, &options);

	if (code)
		return code;
	restored = calloc(1, sizeof(*restored));
	if (!restored)
		return out_no_memory("saved guest");
	restored->fd = open(options.plain[0], O_RDONLY | O_CLOEXEC);
	if (restored->fd < 0) {
		code = file_error(options.plain[0], "open");
	} else if (save_read(restored->fd, options.plain[0], &restored->saved,
			     &error)) {
		code = out_error_report(&error);
	} else {
		if (!save_is_checked(&restored->saved))
			fprintf(stderr, "gmemctl: %s: it is from an older gmemctl "
				"and has no checksums: damage is not noticed\n",
				options.plain[0]);
		code = restored_run(restored, &options);
		save_free(&restored->saved);
	}
	if (restored->fd >= 0)
		close(restored->fd);
	free(restored);
	return code;
}

const struct command command_save = {
	.name = "save",
	.run = save_main,
	.summary = "save a running VM to a file",
	.help = "usage: gmemctl save NAME FILE [--stop] [--json]\n"
		"\n"
		"Memory, CPUs and devices; populated pages only. The guest stands still\n"
		"meanwhile, and goes on unless --stop is given. The file is as secret as the\n"
		"guest's memory. Private pages are in it, too; where they need the guest's\n"
		"consent the VM cannot be saved.\n"
		"\n"
		"  --stop  end the VM once it is saved\n"
		"  --json  print errors as a JSON object\n",
};

const struct command command_restore = {
	.name = "restore",
	.run = restore_main,
	.summary = "run a VM from where it was saved",
	.help = "usage: gmemctl restore FILE [OPTIONS]\n"
		"\n"
		"On the same kind of CPU. The clock of the guest goes on from where it was.\n"
		"\n"
		"  --name NAME         for `gmemctl ps` and others; default: vm-PID\n"
		"  --memory-file FILE  for memory of kind file\n"
		"  --power-off-port PORT\n"
		"                      as for `gmemctl run`; it is not in the file\n"
		"  --timeout SECONDS   stop the VM after that time; 0 (default): never\n"
		"  --trace             print each exit that is not for a device to stderr\n"
		"  --json              print a JSON object\n"
		"\n"
		"Exit codes: those of `gmemctl run`.\n",
};
