// SPDX-License-Identifier: GPL-2.0
/* Boots Linux. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/calls.h"
#include "../boot/e820.h"
#include "../boot/emulated_host.h"
#include "../boot/linux.h"
#include "../kvm/vm.h"
#include "../machine/pc.h"
#include "command.h"
#include "out.h"
#include "run.h"
#include "run_pc.h"

#define DEFAULT_MEMORY (UINT64_C(256) << 20)

/**
 * struct linux_run - a run of Linux
 * @run: as asked for
 * @ram: where RAM is
 * @kernel: contents of the file, likewise @initrd
 * @cmdline: the command line, or NULL: that of the user
 * @request: the memory
 * @config: what to build
 */
struct linux_run {
	struct run *run;
	struct range ram[E820_PLACES];
	uint8_t *kernel;
	uint8_t *initrd;
	char *cmdline;
	struct memory_request request;
	struct pc_config config;
};

/* What needs no machine and no file to be seen. Return: 0 or an exit code. */
static int linux_check(const struct run *run)
{
	size_t length = strlen(run->append);

	if (run->memory.size && run->memory.size < E820_HOLE_END)
		return usage_error("--memory", "too small", "at least 1M");
	if (length >= LINUX_CMDLINE_SIZE)
		return usage_error("--append", "too long",
				   "at most %d characters, not %zu",
				   LINUX_CMDLINE_SIZE - 1, length);
	return 0;
}

/* Return: 0 or an exit code. */
static int linux_memory(struct linux_run *linux_run)
{
	struct memory_config *memory = &linux_run->config.machine.memory;
	struct memory_option *option = &linux_run->run->memory;
	bool discard = linux_run->run->strategy == MEMORY_DISCARD;
	uint64_t size = option->size ? option->size : DEFAULT_MEMORY;
	unsigned int count = e820_place(size, linux_run->ram);

	if (!count)
		return usage_error("--memory", "not whole pages",
				   "a multiple of 4K that fits a PC");
	if (discard && option->request.kind == BACKING_GMEM_STORE)
		return usage_error("--strategy", "not with kind=gmem-store",
				   "that memory is converted in place");
	linux_run->request = option->request;
	linux_run->request.ranges = linux_run->ram;
	linux_run->request.nr_ranges = count;
	memory->requests = &linux_run->request;
	memory->nr_requests = 1;
	memory->guest_memfd = discard;
	memory->convert_timeout_ms = linux_run->run->convert_timeout_ms;
	linux_run->config.boot.ram = linux_run->ram;
	linux_run->config.boot.nr_ram = count;
	return 0;
}

static int linux_read(struct linux_run *linux_run, struct error *error)
{
	struct linux_boot *boot = &linux_run->config.boot;
	const struct run *run = linux_run->run;
	int rc;

	rc = input_read_all(run->kernel, &linux_run->kernel,
			    &boot->kernel_size, error);
	if (!rc && run->initrd)
		rc = input_read_all(run->initrd, &linux_run->initrd,
				    &boot->initrd_size, error);
	boot->kernel = linux_run->kernel;
	boot->kernel_name = run->kernel;
	boot->initrd = linux_run->initrd;
	boot->cmdline = run->append;
	return rc;
}

/* Of the time stamp counter that a VM gets, or 0. */
static unsigned int tsc_khz(void)
{
	struct vm vm;
	int khz;

	/* Where there is no VM to be had the run says why. */
	if (vm_create_plain(&vm, NULL))
		return 0;
	khz = calls_ioctl_value(vm.fd, KVM_GET_TSC_KHZ, 0);
	vm_destroy(&vm);
	return khz > 0 ? (unsigned int)khz : 0;
}

/* A guest that does not come up says nothing about why: so it is told before. */
static int linux_cmdline(struct linux_run *linux_run, struct error *error)
{
	const char *append = linux_run->run->append;
	char words[EMULATED_HOST_WORDS_MAX];

	if (!emulated_host())
		return 0;
	emulated_host_words(append, tsc_khz(), words);
	if (!*words)
		return 0;
	if (asprintf(&linux_run->cmdline, "%s%s", append,
		     append[0] ? words : words + 1) < 0) {
		linux_run->cmdline = NULL;
		return error_set(error, -ENOMEM, "command line", "extend", NULL);
	}
	linux_run->config.boot.cmdline = linux_run->cmdline;
	out_string(out_root(), "cmdline_added", words + 1);
	fprintf(stderr, "gmemctl: emulated host (TCG): the guest's command line "
		"also has:%s\n", words);
	return 0;
}

/* Return: an exit code. */
static int linux_run_all(struct linux_run *linux_run)
{
	struct run_pc run = {
		.name = linux_run->run->name,
		.kernel = linux_run->run->kernel,
	};
	struct error error;
	int rc;

	rc = linux_read(linux_run, &error);
	if (!rc)
		rc = linux_cmdline(linux_run, &error);
	if (rc)
		return out_error_report(&error);
	return run_pc(&run, &linux_run->config);
}

int run_linux(struct run *run)
{
	struct linux_run linux_run = {
		.run = run,
		.config = {
			.machine = {
				.nr_vcpus = run->nr_vcpus,
				.irqchip = true,
				.run_timeout_s = run->run_timeout_s,
				.trace = run->trace ? stderr : NULL,
			},
			.off_port = run->off_port,
		},
	};
	int code = linux_check(run);

	if (!code)
		code = linux_memory(&linux_run);
	run_pc_console(&linux_run.config);
	if (!code)
		code = linux_run_all(&linux_run);
	free(linux_run.kernel);
	free(linux_run.initrd);
	free(linux_run.cmdline);
	return code;
}
