// SPDX-License-Identifier: GPL-2.0
/* A machine with the devices of a PC. */
#include <errno.h>
#include <string.h>

#include "../base/clock.h"
#include "../boot/tables.h"
#include "../kvm/threads.h"
#include "../kvm/vcpu.h"
#include "pc.h"

static void pc_irq(void *data, unsigned int irq, bool level)
{
	struct machine *machine = data;
	int rc = irqchip_set_line(&machine->vm, irq, level);

	if (rc)
		machine_end(machine, END_FAILED, "interrupt line %u: error %d", irq, -rc);
}

static void pc_event(void *data, enum board_event event, uint32_t value)
{
	struct machine *machine = data;

	switch (event) {
	case BOARD_RESET:
		machine_end(machine, END_RESET, NULL);
		break;
	case BOARD_POWER_OFF:
		machine_end(machine, END_POWER_OFF, NULL);
		break;
	case BOARD_PANIC:
		machine_end(machine, END_PANIC, NULL);
		break;
	case BOARD_EXIT:
		machine_end_test(machine, value);
		break;
	}
}

static void pc_note(void *data, const char *text)
{
	machine_trace(data, NULL, "%s", text);
}

/* Create the PCI bus and the devices on it that the configuration has */
static int pc_pci_init(struct pc *pc, struct error *error)
{
	struct machine *machine = &pc->machine;
	int rc;

	pci_init(&pc->pci, &pc->board);
	if (pc->config->pvmemcontrol) {
		pvmemcontrol_init(&pc->pvmemcontrol, &pc->board, &machine->advice,
				  pc->config->pvmemcontrol);
		pci_add(&pc->pci, PCI_SLOT_PVMEMCONTROL, &pc->pvmemcontrol.function);
	}
	if (!pc->config->balloon)
		return 0;
	rc = given_init(&machine->given, &machine->memory, error);
	if (rc)
		return rc;
	balloon_init(&pc->balloon, &pc->board, &machine->memory, &machine->given,
		     pc->config->page_reporting);
	pci_add(&pc->pci, PCI_SLOT_BALLOON, &pc->balloon.virtio.function);
	return 0;
}

static int pc_devices_add(struct pc *pc, struct error *error)
{
	const struct bus_device devices[] = {
		uart_device(&pc->uart),
		i8042_data_device(&pc->i8042),
		i8042_command_device(&pc->i8042),
		rtc_device(&pc->rtc),
		pci_device(&pc->pci),
		power_device(&pc->power),
		pvpanic_device(&pc->board),
		exit_port_device(&pc->board),
		port_a_device(&pc->board),
	};
	const struct bus_device off = off_port_device(&pc->board, pc->config->off_port);
	/* The guest moves BARs within these windows. */
	const struct bus_device memory = pci_memory_device(&pc->pci);
	const struct bus_device io = pci_io_device(&pc->pci);
	bool pci = pci_is_used(&pc->pci);
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(devices) / sizeof(devices[0]); i++)
		rc = bus_add(&pc->machine.ports, &devices[i], error);
	if (!rc && pc->config->off_port)
		rc = bus_add(&pc->machine.ports, &off, error);
	if (!rc && pci)
		rc = bus_add(&pc->machine.ports, &io, error);
	if (!rc && pci)
		rc = bus_add(&pc->machine.mmio, &memory, error);
	return rc;
}

int pc_devices(struct pc *pc, struct error *error)
{
	struct uart_wire wire = console_wire(&pc->console);
	int rc;

	pc->board = (struct board){
		.irq = pc_irq,
		.event = pc_event,
		.note = pc_note,
		.data = &pc->machine,
	};
	uart_init(&pc->uart, &pc->board, &wire);
	i8042_init(&pc->i8042, &pc->board);
	rtc_init(&pc->rtc, NULL);
	power_init(&pc->power, &pc->board, NULL);
	rc = pc_pci_init(pc, error);
	return rc ? rc : pc_devices_add(pc, error);
}

void pc_devices_destroy(struct pc *pc)
{
	uart_destroy(&pc->uart);
	if (pc->pci.functions[PCI_SLOT_BALLOON])
		balloon_destroy(&pc->balloon);
	if (pc->pci.functions[PCI_SLOT_PVMEMCONTROL])
		pvmemcontrol_destroy(&pc->pvmemcontrol);
	pci_destroy(&pc->pci);
}

/*
 * Load the guest. The firmware of an SNP guest has its own tables and finds the CPUs itself.
 * For others the tables are in the BIOS area, which is in the first range of RAM.
 */
static int pc_load(struct pc *pc, struct error *error)
{
	uint8_t *base = machine_host(&pc->machine, 0);
	unsigned int cpus = pc->machine.nr_vcpus;
	bool pci = pci_is_used(&pc->pci);
	uint64_t entry;
	int rc;

	if (pc->config->machine.snp)
		return machine_snp_launch(&pc->machine, error);
	if (!pc->config->boot.kernel)
		return 0;
	rc = linux_load(base, &pc->config->boot, &entry, error);
	if (rc)
		return rc;
	if (!mptable_build(base + MPTABLE_GPA, MPTABLE_SIZE, MPTABLE_GPA, cpus, pci) ||
	    !acpi_build(base + ACPI_GPA, ACPI_SIZE, ACPI_GPA, cpus, pci))
		return error_set(error, -E2BIG, "VM", "write tables of CPUs", "too many CPUs");
	reset_vector_build(base + RESET_VECTOR_GPA);
	return linux_vcpu(&pc->machine.vcpus[0], entry, error);
}

int pc_create(struct pc *pc, const struct pc_config *config, struct error *error)
{
	int rc;

	memset(pc, 0, sizeof(*pc));
	pc->config = config;
	pthread_mutex_init(&pc->still, NULL);
	rc = machine_create(&pc->machine, &config->machine, error);
	if (rc) {
		pthread_mutex_destroy(&pc->still);
		return rc;
	}
	rc = console_open(&pc->console, config->input, config->output, error);
	if (!rc)
		rc = pc_devices(pc, error);
	if (!rc)
		rc = pc_load(pc, error);
	if (rc)
		pc_destroy(pc);
	return rc;
}

/* In this order: the console uses the serial port, and devices use the VM. */
void pc_destroy(struct pc *pc)
{
	console_close(&pc->console);
	pc_devices_destroy(pc);
	machine_destroy(&pc->machine);
	pthread_mutex_destroy(&pc->still);
}

static void pc_quit(void *data)
{
	machine_end(data, END_STOPPED, "from the console");
}

/*
 * Run until the machine has ended, or there is a job. threads_prepare() has cleared the eventfd,
 * so a job or an end that was requested before it is signalled again.
 */
static int pc_run_on(struct pc *pc, struct error *error)
{
	struct machine *machine = &pc->machine;
	int rc = threads_prepare(&machine->threads, error);

	pc->console.threads = &machine->threads;
	if (!rc)
		rc = console_start(&pc->console, &pc->uart, pc_quit, machine, error);
	if (rc)
		return rc;
	if (machine_pausing(machine) || machine_ended(machine))
		threads_end(&machine->threads);
	machine_run(machine);
	console_pause(&pc->console);
	return 0;
}

int pc_run(struct pc *pc, struct error *error)
{
	unsigned int timeout_s = pc->config->machine.run_timeout_s;
	uint64_t started_ns = clock_now_ns(), seconds;
	struct signals_held before;
	int rc;

	/* A signal must not interrupt a job, nor leave the terminal raw and the socket behind. */
	signals_hold(&before);
	do {
		/* The remaining time, and at least 1 s, because 0 means no limit. */
		seconds = (clock_now_ns() - started_ns) / 1000000000;
		if (timeout_s)
			pc->machine.config.run_timeout_s = seconds < timeout_s ?
				timeout_s - (unsigned int)seconds : 1;
		rc = pc_run_on(pc, error);
		pc_job_serve(pc);
	} while (!rc && !machine_ended(&pc->machine));
	console_stop(&pc->console);
	pc->machine.counters.lost_output = pc->console.lost;
	pc->machine.counters.lost_rc = pc->console.lost_rc;
	signals_release(&before);
	return rc;
}
