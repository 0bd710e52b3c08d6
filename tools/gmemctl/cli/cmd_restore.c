// SPDX-License-Identifier: GPL-2.0
/* Runs a guest from the file that it was saved to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../machine/pc_state.h"
#include "../memory/file_lock.h"
#include "../memory/save.h"
#include "command.h"
#include "input.h"
#include "move.h"
#include "out.h"
#include "run_pc.h"

/**
 * struct restored - a guest being restored
 * @saved: what the file says, but for the contents
 * @fd: the file, from the contents on; -1 once they are read
 */
struct restored {
	struct saved saved;
	int fd;
};

/* The guest has no use for the file any more, which may be removed or replaced. */
static int restored_prepare(struct pc *pc, void *data, struct error *error)
{
	struct restored *restored = data;
	int rc = save_read_memory(&restored->saved, &pc->machine.memory,
				  error);

	close(restored->fd);
	restored->fd = -1;
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

/*
 * It must not change while it is read; and it must not be the file that gets the
 * memory, which is emptied before.
 */
static int restored_open(struct restored *restored, const char *path,
			 struct error *error)
{
	int rc;

	restored->fd = input_open_fd(path, error);
	if (restored->fd < 0)
		return restored->fd;
	rc = file_lock(restored->fd, path, false, error);
	if (!rc)
		rc = save_read(restored->fd, path, &restored->saved, error);
	if (!rc && !save_is_checked(&restored->saved))
		fprintf(stderr, "gmemctl: %s: it is from an older gmemctl and has "
			"no checksums: damage is not noticed\n", path);
	return rc;
}

static const struct cli_option restore_options[] = {
	{ "FILE", NULL, option_text, TO(struct move_options, from) },
	{ "--name", "NAME", option_vm_name, TO(struct move_options, name),
	  "for `gmemctl ps` and others; default: vm-PID" },
	{ "--memory-file", "FILE", option_text,
	  TO(struct move_options, memory_file), "for memory of kind file" },
	{ .include = move_run_options },
	{ 0 }
};

static int restore_main(int argc, char **argv)
{
	struct move_options options = { 0 };
	struct restored *restored;
	struct error error;
	int code = command_parse(&command_restore, argc, argv, &options);

	if (code)
		return code;
	restored = calloc(1, sizeof(*restored));
	if (!restored)
		return out_no_memory("saved guest");
	if (restored_open(restored, options.from, &error)) {
		code = out_error_report(&error);
	} else {
		code = restored_run(restored, &options);
		save_free(&restored->saved);
	}
	if (restored->fd >= 0)
		close(restored->fd);
	free(restored);
	return code;
}

const struct command command_restore = {
	.name = "restore",
	.run = restore_main,
	.summary = "run a VM from where it was saved",
	.about = "On the same kind of CPU. The guest's clocks go on from where they were.",
	.options = restore_options,
	.more = "Exit codes: those of `gmemctl run`.",
};
