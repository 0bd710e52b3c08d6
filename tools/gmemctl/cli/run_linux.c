// SPDX-License-Identifier: GPL-2.0
/* Boots Linux, and says how it has ended. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../boot/e820.h"
#include "../machine/pc.h"
#include "../machine/pc_control.h"
#include "cli.h"
#include "out.h"
#include "run.h"

#define DEFAULT_MEMORY (UINT64_C(256) << 20)

/**
 * struct linux_run - a run of Linux
 * @run: as asked for
 * @ram: where RAM is
 * @kernel: contents of the file, likewise @initrd
 * @request: the memory
 * @config: what to build
 * @control: its control socket
 * @name: its name, if none was given
 */
struct linux_run {
	struct run *run;
	struct range ram[E820_PLACES];
	uint8_t *kernel;
	uint8_t *initrd;
	struct memory_request request;
	struct pc_config config;
	struct pc_control control;
	char name[RUNTIME_NAME_MAX];
};

/* Return: 0 or an exit code. */
static int linux_memory(struct linux_run *linux_run)
{
	struct memory_config *memory = &linux_run->config.machine.memory;
	struct memory_option *option = &linux_run->run->memory;
	uint64_t size = option->size ? option->size : DEFAULT_MEMORY;
	unsigned int count = e820_place(size, linux_run->ram);

	if (!count)
		return usage_error("--memory", "not whole pages",
				   "a multiple of 4K that fits a PC");
	linux_run->request = option->request;
	linux_run->request.ranges = linux_run->ram;
	linux_run->request.nr_ranges = count;
	memory->requests = &linux_run->request;
	memory->nr_requests = 1;
	memory->convert_timeout_ms = linux_run->run->convert_timeout_ms;
	linux_run->config.boot.ram = linux_run->ram;
	linux_run->config.boot.nr_ram = count;
	return 0;
}

static int linux_read_file(const char *path, uint8_t **bytes, size_t *size,
			   struct error *error)
{
	struct input input = { .fd = -1 };
	int rc = input_open(&input, path, error);

	if (rc)
		return rc;
	*size = input.size;
	*bytes = malloc(input.size ? input.size : 1);
	rc = *bytes ? input_load(&input, *bytes, error) :
	     error_set(error, -ENOMEM, path, "read", NULL);
	input_close(&input);
	return rc;
}

static int linux_read(struct linux_run *linux_run, struct error *error)
{
	struct linux_boot *boot = &linux_run->config.boot;
	const struct run *run = linux_run->run;
	int rc;

	rc = linux_read_file(run->kernel, &linux_run->kernel,
			     &boot->kernel_size, error);
	if (!rc && run->initrd)
		rc = linux_read_file(run->initrd, &linux_run->initrd,
				     &boot->initrd_size, error);
	boot->kernel = linux_run->kernel;
	boot->kernel_name = run->kernel;
	boot->initrd = linux_run->initrd;
	boot->cmdline = run->append;
	return rc;
}

/*
 * A VM without a name can do without its control socket; but somebody who has
 * given a name wants to use it.
 */
static int linux_control(struct linux_run *linux_run, struct pc *pc,
			 struct error *error)
{
	const char *name = linux_run->run->name;
	int rc;

	snprintf(linux_run->name, sizeof(linux_run->name), "vm-%u",
		 (unsigned int)getpid());
	rc = pc_control_start(&linux_run->control, pc,
			      name ? name : linux_run->name, error);
	if (!rc || name)
		return rc;
	fprintf(stderr, "gmemctl: no control socket: %s: %s: %s\n",
		error->object, error->action, strerror(-rc));
	return 0;
}

static int linux_boot(struct linux_run *linux_run, struct pc *pc,
		      struct error *error)
{
	uint64_t start = machine_now_ns();
	int rc = linux_control(linux_run, pc, error);

	if (rc)
		return rc;
	rc = pc_run(pc, error);
	linux_run->run->elapsed_ns = machine_now_ns() - start;
	pc_control_stop(&linux_run->control);
	return rc;
}

/* Return: an exit code. The guest may have left the cursor anywhere. */
static int linux_report(const struct run *run, struct pc *pc)
{
	out_string(out_root(), "kernel", run->kernel);
	out_text("\n");
	return run_report(run, &pc->machine, "linux:");
}

/* Return: an exit code. */
static int linux_run_all(struct linux_run *linux_run)
{
	struct error error;
	struct pc *pc;
	int rc, code = EXIT_CODE_OK;

	rc = linux_read(linux_run, &error);
	if (rc)
		return out_error_report(&error);
	pc = malloc(sizeof(*pc));
	if (!pc)
		return EXIT_CODE_FAILURE;
	rc = pc_create(pc, &linux_run->config, &error);
	if (rc)
		goto out_free;
	rc = linux_boot(linux_run, pc, &error);
	if (!rc)
		code = linux_report(linux_run->run, pc);
	pc_destroy(pc);
out_free:
	free(pc);
	if (rc)
		code = out_error_report(&error);
	out_string(out_root(), "result", code ? "failed" : "ok");
	return code;
}

/* With --json, standard output has one JSON object and nothing else. */
int run_linux(struct run *run)
{
	struct linux_run linux_run = {
		.run = run,
		.config = {
			.machine = {
				.nr_vcpus = run->nr_vcpus,
				.irqchip = true,
				.run_timeout_s = run->run_timeout_s,
				.trace = run->trace,
			},
			.input = STDIN_FILENO,
			.output = out_is_json() ? STDERR_FILENO : STDOUT_FILENO,
		},
	};
	int code = linux_memory(&linux_run);

	if (!code)
		code = linux_run_all(&linux_run);
	free(linux_run.kernel);
	free(linux_run.initrd);
	return code;
}
