// SPDX-License-Identifier: GPL-2.0
/*
 * Saves a running guest to a file. The VM writes the file, and the process here
 * gives it its name: only then, and if it was asked to, the VM ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../control/channel.h"
#include "../machine/signals.h"
#include "command.h"
#include "move.h"
#include "out.h"
#include "output_file.h"

/* For the VM to say that it ends, which it does at once. */
#define END_TIMEOUT_MS 60000

/**
 * struct saving - a guest being saved
 * @name: of the VM
 * @path: of the file
 * @stop: --stop was there
 * @file: what becomes of it
 * @complete: all of the guest is in it
 * @socket: to the VM
 * @signals: signalfd: readable if this process is to end
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

static int signals_open(void)
{
	sigset_t set;

	signals_end_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Return: 0 or an exit code. The VM has connected, and waits for a file, then. */
static int save_ask(struct saving *saving)
{
	struct json_object *request = json_object_new_object();

	json_object_object_add(request, "command",
			       json_object_new_string("save"));
	json_object_object_add(request, "stop",
			       json_object_new_boolean(saving->stop));
	return move_request(saving->name, request, &saving->socket);
}

/* The VM writes. Whatever ends this, the guest goes on. */
static int save_write_guest(struct saving *saving, struct error *error)
{
	int rc;

	saving->signals = signals_open();
	if (saving->signals < 0)
		return error_set(error, -errno, "signalfd", "create", NULL);
	rc = output_file_create(&saving->file, 0600, error);
	if (rc)
		return rc;
	rc = channel_send_file(saving->socket, saving->file.fd);
	if (rc)
		return error_set(error, rc, saving->name,
				 "give it the file", NULL);
	rc = channel_wait_result(saving->socket, saving->signals, -1, error);
	if (rc == -EINTR)
		return error_set(error, rc, saving->name, "save",
				 "the VM goes on");
	/* The VM does not know the name of the file. */
	return rc ? error_wrap(error, rc, saving->file.path,
			       "save the VM to it") : 0;
}

static int save_commit(struct saving *saving, struct error *error)
{
	struct error cause;
	int rc = output_file_commit(&saving->file, &cause);

	saving->complete = rc != -EIDRM;
	return rc ? error_set(error, rc, cause.object, cause.action,
			      "%s%sthe VM goes on", cause.hint,
			      *cause.hint ? "; " : "") : 0;
}

/* A VM that is not there any more has ended: all of the guest is in the file. */
static int save_end_vm(struct saving *saving, int rc, struct error *error)
{
	struct error cause;
	int end;

	channel_send_result(saving->socket, rc, error);
	if (rc)
		return rc;
	end = channel_wait_result(saving->socket, -1, END_TIMEOUT_MS, &cause);
	if (!end || end == -EPIPE)
		return 0;
	return error_set(error, end, saving->name, "end the VM",
			 "the VM seems to go on");
}

static int save_all(struct saving *saving, struct error *error)
{
	int rc = save_write_guest(saving, error);

	if (!rc) {
		rc = save_commit(saving, error);
		if (saving->stop)
			rc = save_end_vm(saving, rc, error);
	}
	close(saving->socket);
	return rc;
}

/*
 * A complete guest is never removed: nobody knows what comes next. All else is, and
 * first: whoever should read what is said may not, or end this process.
 *
 * Return: an exit code.
 */
static int save_report(struct saving *saving, const struct error *error)
{
	if (!saving->complete) {
		output_file_close(&saving->file);
		return out_error_report(error);
	}
	out_error(error->object, error->action, error->rc,
		  "the saved guest is complete in %s; %s",
		  output_file_place(&saving->file), error->hint);
	output_file_keep(&saving->file);
	return EXIT_CODE_FAILURE;
}

static const struct cli_option save_options[] = {
	{ "NAME", NULL, option_vm_name, TO(struct saving, name) },
	{ "FILE", NULL, option_text, TO(struct saving, path) },
	{ "--stop", NULL, option_flag, TO(struct saving, stop),
	  "end the VM once it is saved" },
	{ 0 }
};

/* Nothing is made before the VM has answered: what is there may be its guest. */
static int save_main(int argc, char **argv)
{
	struct saving *saving = calloc(1, sizeof(*saving));
	struct error error;
	int code;

	if (!saving)
		return out_no_memory("saved guest");
	code = command_parse(&command_save, argc, argv, saving);
	if (code)
		goto out_free;
	saving->signals = -1;
	if (output_file_find(&saving->file, saving->path, true,
			     &error))
		code = out_error_report(&error);
	if (!code)
		code = save_ask(saving);
	if (!code && save_all(saving, &error))
		code = save_report(saving, &error);
	output_file_close(&saving->file);
	if (saving->signals >= 0)
		close(saving->signals);
out_free:
	free(saving);
	return code;
}

const struct command command_save = {
	.name = "save",
	.run = save_main,
	.summary = "save a running VM to a file",
	.about = "Memory, CPUs and devices; populated pages only. The guest stands still "
		 "meanwhile, and goes on unless --stop is given. The file is as secret as the "
		 "guest's memory. Private pages are in it, too; where they need the guest's "
		 "consent the VM cannot be saved.",
	.options = save_options,
};
