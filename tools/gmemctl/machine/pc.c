// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "../boot/acpi.h"
#include "../boot/mptable.h"
#include "pc.h"
#include "snp.h"

/* The first range of RAM has all of the BIOS area. */
static int pc_write_tables(struct pc *pc, struct error *error)
{
	uint8_t *base = machine_host(&pc->machine, 0);
	unsigned int cpus = pc->machine.nr_vcpus;

	if (mptable_build(base + MPTABLE_GPA, MPTABLE_SIZE, MPTABLE_GPA, cpus) &&
	    acpi_build(base + ACPI_GPA, ACPI_SIZE, ACPI_GPA, cpus))
		return 0;
	return error_set(error, -E2BIG, "VM", "write tables of CPUs",
			 "too many CPUs");
}

static int pc_load_linux(struct pc *pc, struct error *error)
{
	uint64_t entry;
	int rc = linux_load(machine_host(&pc->machine, 0), &pc->config->boot,
			    &entry, error);

	if (!rc)
		rc = pc_write_tables(pc, error);
	return rc ? rc : linux_vcpu(&pc->machine.vcpus[0], entry, error);
}

/* The firmware of an SNP guest brings its own tables, and finds the CPUs. */
static int pc_load(struct pc *pc, struct error *error)
{
	if (pc->config->machine.snp)
		return machine_snp_launch(&pc->machine, error);
	return pc_load_linux(pc, error);
}

int pc_create(struct pc *pc, const struct pc_config *config,
	      struct error *error)
{
	int rc;

	memset(pc, 0, sizeof(*pc));
	pc->config = config;
	rc = machine_create(&pc->machine, &config->machine, error);
	if (rc)
		return rc;
	pc->console.wake_fd = -1;
	rc = pc_devices(pc, error);
	if (!rc)
		rc = console_open(&pc->console, config->input, config->output,
				  error);
	if (!rc)
		rc = pc_load(pc, error);
	if (rc)
		pc_destroy(pc);
	return rc;
}

/* Devices reach for the VM, and the console for its serial port. */
void pc_destroy(struct pc *pc)
{
	console_close(&pc->console);
	pc_devices_destroy(pc);
	machine_destroy(&pc->machine);
}

static void pc_quit(void *data)
{
	machine_end(data, END_STOPPED, "from the console");
}

int pc_run(struct pc *pc, struct error *error)
{
	int rc = machine_prepare(&pc->machine, error);

	if (!rc)
		rc = console_start(&pc->console, &pc->uart, pc_quit,
				   &pc->machine, error);
	if (rc)
		return rc;
	machine_run(&pc->machine);
	console_stop(&pc->console);
	return 0;
}
