// SPDX-License-Identifier: GPL-2.0
/* gmemctl handover, save and restore: move a guest to another process, or to a file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../control/control.h"
#include "../kvm/threads.h"
#include "../machine/pc.h"
#include "../memory/file.h"
#include "../memory/handover.h"
#include "../memory/save.h"
#include "command.h"
#include "out.h"
#include "run_pc.h"

/* Timeout for the VM to stop its vCPUs: longer than the maximum timeout of a conversion. */
#define ACCEPT_TIMEOUT_MS 60000

/**
 * struct move_options - a command line of the commands that run a guest here
 * @from: the VM, or the file, with the guest
 * @name: value of --name, or NULL
 * @memory_file: value of --memory-file, or NULL
 * @off_port: value of --power-off-port, or 0
 * @run: options of all runs
 */
struct move_options {
	const char *from;
	const char *name;
	const char *memory_file;
	uint16_t off_port;
	struct run_options run;
};

/**
 * struct taker - a guest that is taken over
 * @options: first member, because the table of options starts there
 * @handover: the received guest
 * @socket: connection to the giver, or -1
 * @answered: the giver has been told the result
 */
struct taker {
	struct move_options options;
	struct handover handover;
	int socket;
	bool answered;
};

/**
 * struct restored - a guest that is restored
 * @options: first member, as above
 * @saved: contents of the file, except for memory
 * @fd: the file, positioned at the memory; -1 after that was read
 */
struct restored {
	struct move_options options;
	struct saved saved;
	int fd;
};

/* Timeout for the VM to report that it ends, which it does at once. */
#define END_TIMEOUT_MS 60000

/**
 * struct saving - a guest that is saved
 * @name: name of the VM
 * @path: name of the file
 * @stop: --stop was given
 * @file: the file that is written
 * @complete: the file has the complete guest
 * @socket: connection to the VM
 * @signals: signalfd, readable if a signal asks this process to end
 */
struct saving {
	const char *name;
	const char *path;
	bool stop;
	struct output_file file;
	bool complete;
	int socket;
	int signals;
};

static const struct cli_option move_run_options[] = {
	{ "--power-off-port", "PORT", option_off_port,
	  TO(struct move_options, off_port),
	  "as for `gmemctl run`; must be given again" },
	{ "--timeout", "SECONDS", option_count, TO(struct move_options, run.timeout_s),
	  "stop the VM after that time; 0 (default): never", .max = RUN_TIMEOUT_MAX_S },
	{ "--trace", NULL, option_flag, TO(struct move_options, run.trace),
	  "print each exit that is not for a device to stderr" },
	{ 0 }
};

/* Configure a machine for a guest that continues here */
static void move_config(const struct move_options *options, unsigned int cpus,
			const struct tlv *state, const struct memory_config *memory,
			struct pc_config *config)
{
	*config = (struct pc_config){
		.machine = run_machine(&options->run, cpus),
		.off_port = options->off_port,
	};
	config->machine.memory = *memory;
	config->machine.memory.convert_timeout_ms = CONVERT_TIMEOUT_MS;
	pc_pci_config(state, config);
	run_pc_console(config);
}

/* Send a request with the name of a channel. The VM connects to it before it answers. */
int move_request(const char *name, struct json_object *request, int *socket)
{
	struct progress progress;
	struct channel channel;
	struct error error;
	int rc = channel_listen(&channel, &error);

	*socket = -1;
	if (rc) {
		json_object_put(request);
		return out_error_report(&error);
	}
	message_add_string(request, "channel", channel.name);
	progress_start(&progress, "wait for the VM", -1);
	rc = client_call(name, CLIENT_TIMEOUT_S, request, NULL, &error);
	if (!rc)
		rc = channel_accept(&channel, ACCEPT_TIMEOUT_MS, &error);
	progress_stop(&progress);
	channel_close(&channel);
	if (rc < 0)
		return out_error_report(&error);
	*socket = rc;
	return EXIT_CODE_OK;
}

/* Take the guest's state. If this succeeds the guest runs here, else it stays in the giver. */
static int taker_prepare(struct pc *pc, void *data, struct error *error)
{
	struct taker *taker = data;
	int rc = handover_restore(&taker->handover, &pc->machine.memory, error);

	if (!rc)
		rc = pc_state_set(pc, &taker->handover.state, error);
	taker->answered = true;
	return handover_answer(taker->socket, rc, error);
}

/* Return: an exit code. */
static int taker_run(struct taker *taker)
{
	const struct move_options *options = &taker->options;
	struct run_pc run = {
		.name = options->name ? options->name : options->from,
		.inherited = true,
		.prepare = taker_prepare,
		.preparing = "take the guest over",
		.data = taker,
	};
	struct pc_config config;
	struct error error;
	int code, cpus = pc_state_cpus(&taker->handover.state, &error);

	if (cpus < 0) {
		run.rc = cpus;
		code = out_error_report(&error);
	} else {
		move_config(options, (unsigned int)cpus, &taker->handover.state,
			    &taker->handover.description.config, &config);
		code = run_pc(&run, &config);
	}
	if (!taker->answered)
		handover_answer(taker->socket, run.rc ? run.rc : -EIO, &error);
	return code;
}

/*
 * Check that a new name is free before the guest is stopped, because no VM is about to
 * release it. Return: 0 or an exit code.
 */
static int check_new_name(const struct move_options *options)
{
	struct error error;
	int lock, rc;

	if (!options->name || !strcmp(options->name, options->from))
		return 0;
	rc = runtime_prepare(&error);
	lock = rc ? rc : runtime_lock(options->name, &error);
	if (lock < 0)
		return out_error_report(&error);
	runtime_unlock(options->name, lock);
	return 0;
}

static const struct cli_option handover_options[] = {
	{ "NAME", NULL, option_vm_name, TO(struct move_options, from) },
	{ "--name", "NEW", option_vm_name, TO(struct move_options, name), "new name of the VM" },
	{ .include = move_run_options },
	{ 0 }
};

static int handover_main(const struct command *command, void *arguments)
{
	struct taker *taker = arguments;
	const struct move_options *options = &taker->options;
	struct progress progress;
	struct error error;
	int rc, code = check_new_name(options);

	if (code)
		return code;
	code = move_request(options->from, message_request("handover"), &taker->socket);
	if (code)
		return code;
	progress_start(&progress, "wait for the guest", -1);
	rc = handover_take(taker->socket, &taker->handover, &error);
	progress_stop(&progress);
	if (rc) {
		code = out_error_report(&error);
	} else {
		code = taker_run(taker);
		handover_close(&taker->handover);
	}
	close(taker->socket);
	return code;
}

const struct command command_handover = {
	.name = "handover",
	.run = handover_main,
	.size = sizeof(struct taker),
	.summary = "take a running VM over from its process",
	.about = "After a pause the guest continues in this process, with this terminal as its "
		 "console; the other process ends with success. If the handover fails, the guest "
		 "continues in the old process. Memory of the kinds shared, file, gmem and "
		 "gmem-store can be handed over.",
	.options = handover_options,
	.more = "Exit codes: those of `gmemctl run`; 4 if such a VM cannot be handed over.",
	.examples = "gmemctl handover web\n"
		    "gmemctl handover web --name web2",
};

/* Read the guest, and close the file. Then the file may be removed or replaced. */
static int restored_prepare(struct pc *pc, void *data, struct error *error)
{
	struct restored *restored = data;
	int rc = save_read_memory(&restored->saved, &pc->machine.memory, error);

	close(restored->fd);
	restored->fd = -1;
	return rc ? rc : pc_state_set(pc, &restored->saved.state, error);
}

/* Set the file for memory of kind file. Its contents go to the file of --memory-file. */
static int restored_file(struct restored *restored, const char *path, struct error *error)
{
	struct description *description = &restored->saved.description;
	struct memory_request *request = description->requests;

	for (uint32_t i = 1; i < description->config.nr_requests; i++)
		if (request[i].kind == BACKING_FILE)
			return error_set(error, -EOPNOTSUPP, "saved guest",
					 "restore", "it has several files");
	if (request->kind == BACKING_FILE && !path)
		return error_set(error, -EINVAL, "saved guest", "restore",
				 "its memory is a file: give it with --memory-file");
	if (request->kind != BACKING_FILE && path)
		return error_set(error, -EINVAL, "saved guest", "restore",
				 "memory of kind %s takes no --memory-file",
				 backing_kind_name(request->kind));
	request->path = path;
	return 0;
}

/* Return: an exit code. */
static int restored_run(struct restored *restored)
{
	const struct move_options *options = &restored->options;
	struct run_pc run = {
		.name = options->name,
		.prepare = restored_prepare,
		.preparing = "read the guest",
		.data = restored,
	};
	struct pc_config config;
	struct error error;
	int cpus = pc_state_cpus(&restored->saved.state, &error);

	if (cpus < 0 || restored_file(restored, options->memory_file, &error))
		return out_error_report(&error);
	move_config(options, (unsigned int)cpus, &restored->saved.state,
		    &restored->saved.description.config, &config);
	return run_pc(&run, &config);
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

/*
 * Lock the file, so that it does not change while it is read. The lock also refuses the case
 * that it is the file for the memory, which would be truncated first.
 */
static int restore_main(const struct command *command, void *arguments)
{
	struct restored *restored = arguments;
	const char *from = restored->options.from;
	char name[PATH_MAX];
	struct error error;
	int rc, code;

	restored->fd = input_open_fd(from, &error);
	rc = restored->fd < 0 ? restored->fd : file_lock(restored->fd, from, false, &error);
	if (!rc)
		rc = save_read(restored->fd, from, &restored->saved, &error);
	if (rc) {
		code = out_error_report(&error);
	} else {
		if (!save_is_checked(&restored->saved))
			fprintf(stderr, "gmemctl: %s: it is from an older gmemctl and has "
				"no checksums: damage is not noticed\n", out_name(from, name));
		code = restored_run(restored);
		save_free(&restored->saved);
	}
	if (restored->fd >= 0)
		close(restored->fd);
	return code;
}

const struct command command_restore = {
	.name = "restore",
	.run = restore_main,
	.size = sizeof(struct restored),
	.summary = "restore a VM from a file",
	.about = "Restores a VM on the same kind of CPU. The guest's clocks continue from their "
		 "saved values.",
	.options = restore_options,
	.more = "Exit codes: those of `gmemctl run`.",
	.examples = "gmemctl restore guest.save",
};

/* Have the VM write the file. The guest continues even if this is interrupted. */
static int save_write_guest(struct saving *saving, struct error *error)
{
	struct progress progress;
	sigset_t set;
	int rc;

	signals_end_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	saving->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (saving->signals < 0)
		return error_set(error, -errno, "signalfd", "create", NULL);
	rc = output_file_create(&saving->file, 0600, error);
	if (rc)
		return rc;
	rc = channel_send_file(saving->socket, saving->file.fd);
	if (rc)
		return error_set(error, rc, saving->name, "send it the file", NULL);
	progress_start(&progress, "save the VM", saving->file.fd);
	rc = channel_wait_result(saving->socket, saving->signals, -1, error);
	progress_stop(&progress);
	if (rc == -EINTR)
		return error_set(error, rc, saving->name, "save", "the VM goes on");
	/* Add the name of the file, which the VM does not know. */
	return rc ? error_wrap(error, rc, saving->file.path, "save the VM to it") : 0;
}

static int save_all(struct saving *saving, struct error *error)
{
	struct error cause;
	int rc = save_write_guest(saving, error);

	if (rc)
		return rc;
	rc = output_file_commit(&saving->file, &cause);
	saving->complete = rc != -EIDRM;
	if (rc)
		error_set(error, rc, cause.object, cause.action, "%s%sthe VM goes on", cause.hint,
			  *cause.hint ? "; " : "");
	if (!saving->stop)
		return rc;
	channel_send_result(saving->socket, rc, error);
	if (rc)
		return rc;
	/* EPIPE: the VM has ended. That is the intended result, since the file is complete. */
	rc = channel_wait_result(saving->socket, -1, END_TIMEOUT_MS, &cause);
	return !rc || rc == -EPIPE ? 0 : error_set(error, rc, saving->name, "end the VM",
						   "the VM seems to go on");
}

static const struct cli_option save_options[] = {
	{ "NAME", NULL, option_vm_name, TO(struct saving, name) },
	{ "FILE", NULL, option_text, TO(struct saving, path) },
	{ "--stop", NULL, option_flag, TO(struct saving, stop), "end the VM after the save" },
	{ 0 }
};

/* No file is created before the VM has answered, because an existing one may be its guest. */
static int save_main(const struct command *command, void *arguments)
{
	struct saving *saving = arguments;
	struct json_object *request;
	struct error error;
	int rc, code;

	saving->signals = -1;
	if (output_file_find(&saving->file, saving->path, true, &error)) {
		code = out_error_report(&error);
		goto out_close;
	}
	request = message_request("save");
	json_object_object_add(request, "stop", json_object_new_boolean(saving->stop));
	/* After this the VM is connected, and waits for a file. */
	code = move_request(saving->name, request, &saving->socket);
	if (code)
		goto out_close;
	rc = save_all(saving, &error);
	close(saving->socket);
	/*
	 * Keep a complete guest, since the VM may have ended. Remove an incomplete one before the
	 * error is printed, because the print may block or be interrupted.
	 */
	if (rc && saving->complete) {
		out_error(error.object, error.action, error.rc,
			  "the saved guest is complete in %s; %s",
			  output_file_place(&saving->file), error.hint);
		output_file_keep(&saving->file);
		code = EXIT_CODE_FAILURE;
	} else if (rc) {
		output_file_close(&saving->file);
		code = out_error_report(&error);
	}
out_close:
	output_file_close(&saving->file);
	if (saving->signals >= 0)
		close(saving->signals);
	return code;
}

const struct command command_save = {
	.name = "save",
	.run = save_main,
	.size = sizeof(struct saving),
	.summary = "save a running VM to a file",
	.about = "Saves populated memory, CPUs and devices. The guest is stopped meanwhile, and "
		 "goes on unless --stop is given. The file is as secret as the guest's memory, "
		 "and includes private pages; if they need the guest's consent, the VM cannot be "
		 "saved.",
	.options = save_options,
	.examples = "gmemctl save web guest.save\n"
		    "gmemctl save web guest.save --stop",
};
