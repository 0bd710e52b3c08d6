// SPDX-License-Identifier: GPL-2.0
/* The state of a PC, its handover and its save. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../control/control.h"
#include "../kvm/state.h"
#include "../kvm/vcpu.h"
#include "../memory/handover.h"
#include "../memory/save.h"
#include "pc.h"

/* State of the devices that all PCs have */
static const struct {
	uint32_t type;
	size_t offset;
	size_t size;
} device_states[] = {
	{ STATE_UART, offsetof(struct pc, uart.state), sizeof(struct uart_state) },
	{ STATE_I8042, offsetof(struct pc, i8042.state), sizeof(struct i8042_state) },
	{ STATE_RTC, offsetof(struct pc, rtc.state), sizeof(struct rtc_state) },
	{ STATE_PCI, offsetof(struct pc, pci.state), sizeof(struct pci_state) },
	{ STATE_POWER, offsetof(struct pc, power.state), sizeof(struct power_state) },
};

#define DEVICE_STATES (sizeof(device_states) / sizeof(device_states[0]))

/*
 * Timeout for the process that saves a guest to rename the file and to sync the directory.
 * After it the guest continues.
 */
#define NAMED_TIMEOUT_MS 60000

void pc_pci_get(struct pc *pc, struct tlv *records)
{
	for (unsigned int i = PCI_SLOT_BRIDGE; i < PCI_SLOTS; i++)
		if (pc->pci.functions[i])
			pci_function_get(pc->pci.functions[i], records,
					 STATE_FUNCTION, (enum pci_slot)i);
	if (pc->config->pvmemcontrol) {
		pvmemcontrol_get(&pc->pvmemcontrol, records, STATE_PVMEMCONTROL);
		advice_get(&pc->machine.advice, records, STATE_ADVICE);
	}
	if (!pc->config->balloon)
		return;
	balloon_get(&pc->balloon, records, STATE_BALLOON);
	given_get(&pc->machine.given, records, STATE_GIVEN);
}

int pc_pci_set(struct pc *pc, const struct tlv *records)
{
	int rc = 0;

	for (unsigned int i = PCI_SLOT_BRIDGE; !rc && i < PCI_SLOTS; i++)
		if (pc->pci.functions[i])
			rc = pci_function_set(pc->pci.functions[i], records,
					      STATE_FUNCTION, (enum pci_slot)i);
	if (!rc && pc->config->pvmemcontrol)
		rc = pvmemcontrol_set(&pc->pvmemcontrol, records, STATE_PVMEMCONTROL);
	if (!rc && pc->config->balloon)
		rc = balloon_set(&pc->balloon, records, STATE_BALLOON);
	return rc;
}

static int devices_set(struct pc *pc, const struct tlv *records)
{
	for (size_t i = 0; i < DEVICE_STATES; i++)
		if (!tlv_get(records, device_states[i].type, 0,
			     (uint8_t *)pc + device_states[i].offset, device_states[i].size))
			return -EBADMSG;
	if (pc->uart.state.head >= UART_FIFO_SIZE || pc->uart.state.count > UART_FIFO_SIZE ||
	    pc->rtc.state.index >= RTC_CMOS_SIZE)
		return -EBADMSG;
	return pc_pci_set(pc, records);
}

void pc_pci_config(const struct tlv *records, struct pc_config *config)
{
	size_t size;

	/* The state has the codes that the guest may use. */
	if (tlv_find(records, STATE_PVMEMCONTROL, 0, &size))
		config->pvmemcontrol = PVMEMCONTROL_CODES_ALL;
	config->balloon = tlv_find(records, STATE_BALLOON, 0, &size);
}

int pc_pci_set_memory(struct pc *pc, const struct tlv *records, struct error *error)
{
	int rc = 0;

	if (pc->config->balloon)
		rc = given_set(&pc->machine.given, records, STATE_GIVEN);
	if (rc)
		return error_set(error, rc, "balloon", "find its pages", NULL);
	if (pc->config->pvmemcontrol)
		rc = advice_set(&pc->machine.advice, records, STATE_ADVICE);
	if (!rc)
		return 0;
	return error_set(error, rc, "guest memory", "restore the protections, locks and names that "
			 "the guest requested", rc == -ENOMEM ? "%s" : NULL,
			 "is RLIMIT_MEMLOCK high enough for the memory that it locked?");
}

/*
 * The guest's clocks must continue from their values, with equal offsets. So they are read
 * right after each other: the VM's clock, which is the last item of the VM, the timer, and the
 * vCPUs with the TSC. They are set in the same order.
 */
int pc_state_get(struct pc *pc, struct tlv *records, struct error *error)
{
	uint32_t cpus = pc->machine.nr_vcpus;
	uint64_t timer_ns;
	int rc;

	tlv_add(records, STATE_CPUS, 0, &cpus, sizeof(cpus));
	for (size_t i = 0; i < DEVICE_STATES; i++)
		tlv_add(records, device_states[i].type, 0,
			(const uint8_t *)pc + device_states[i].offset, device_states[i].size);
	pc_pci_get(pc, records);
	rc = vm_state_get(&pc->machine.vm, records, error);
	timer_ns = power_timer_ns(&pc->power);
	tlv_add(records, STATE_TIMER, 0, &timer_ns, sizeof(timer_ns));
	for (unsigned int i = 0; !rc && i < pc->machine.nr_vcpus; i++)
		rc = vcpu_state_get(&pc->machine.vcpus[i], &pc->machine.vm, records, error);
	if (!rc && records->failed)
		rc = error_set(error, -ENOMEM, "VM", "read its state", NULL);
	return rc;
}

int pc_state_cpus(const struct tlv *records, struct error *error)
{
	uint32_t cpus;

	if (tlv_get(records, STATE_CPUS, 0, &cpus, sizeof(cpus)) && cpus &&
	    cpus <= MACHINE_VCPUS_MAX)
		return (int)cpus;
	return error_set(error, -EBADMSG, "state of a VM", "read",
			 "its number of CPUs is missing or invalid");
}

/*
 * Set interrupt lines first, since KVM does not restore their level. The controllers follow,
 * whose state includes the effect of the lines. The state of an older gmemctl has no timer.
 */
int pc_state_set(struct pc *pc, const struct tlv *records, struct error *error)
{
	uint64_t timer_ns;
	int rc = devices_set(pc, records);

	if (!rc && pc->uart.state.level)
		rc = irqchip_set_line(&pc->machine.vm, UART_IRQ, true);
	if (rc)
		return error_set(error, rc, "VM", "set the state of its devices", NULL);
	rc = vm_state_set(&pc->machine.vm, records, error);
	if (!rc && tlv_get(records, STATE_TIMER, 0, &timer_ns, sizeof(timer_ns)))
		power_set_timer_ns(&pc->power, timer_ns);
	for (unsigned int i = 0; !rc && i < pc->machine.nr_vcpus; i++)
		rc = vcpu_state_set(&pc->machine.vcpus[i], records, error);
	return rc ? rc : pc_pci_set_memory(pc, records, error);
}

static int post(struct pc *pc, const char *channel, bool stop,
		void (*work)(struct pc *pc, struct pc_job *job,
			     struct error *error), struct error *error)
{
	struct pc_job *job = calloc(1, sizeof(*job));
	int rc;

	if (!job)
		return error_set(error, -ENOMEM, "job", "allocate", NULL);
	job->work = work;
	job->stop = stop;
	job->fd = channel_connect(channel, error);
	if (job->fd < 0) {
		rc = job->fd;
		free(job);
		return rc;
	}
	rc = pc_job_post(pc, job);
	if (!rc)
		return 0;
	close(job->fd);
	free(job);
	return error_set(error, rc, "VM", "start a job",
			 rc == -EBUSY ? "it is being handed over or saved" : "the VM has ended");
}

static void work_give(struct pc *pc, struct pc_job *job, struct error *error)
{
	struct tlv state = { 0 };
	int rc = error->rc;

	if (!rc)
		rc = pc_state_get(pc, &state, error);
	if (rc)
		handover_refuse(job->fd, error);
	else
		rc = handover_give(job->fd, &pc->machine.memory, &state, error);
	if (!rc)
		machine_end(&pc->machine, END_HANDED_OVER, NULL);
	tlv_free(&state);
}

/* Refuse an SNP guest: neither its memory nor the state of its CPUs can be read. */
static int check_readable(const struct pc *pc, const char *action, struct error *error)
{
	if (!pc->config->machine.snp)
		return 0;
	return error_set(error, -EOPNOTSUPP, "SNP guest", action,
			 "its memory and its CPUs are encrypted");
}

int pc_move_give(struct pc *pc, const char *channel, struct error *error)
{
	int rc = check_readable(pc, "hand over", error);

	if (!rc)
		rc = handover_check(&pc->machine.memory, error);
	return rc ? rc : post(pc, channel, false, work_give, error);
}

/* Save memory. Lift the guest's protections meanwhile, so that all pages can be read. */
static int save_memory(struct pc *pc, const struct pc_job *job, int fd,
		       const struct tlv *state, struct error *error)
{
	struct machine *machine = &pc->machine;
	int back, rc = advice_lift(&machine->advice);

	if (rc)
		error_set(error, rc, "guest memory", "lift the protections that the guest "
			  "requested", NULL);
	else
		rc = save_write(fd, job->fd, &machine->memory, state, error);
	back = advice_restore(&machine->advice);
	if (back)
		machine_end(machine, END_FAILED, "protect memory again after a save: "
			    "%s", strerror(-back));
	return rc;
}

static int receive_and_save(struct pc *pc, const struct pc_job *job, struct error *error)
{
	int fd = channel_receive_file(job->fd), rc;
	struct tlv state = { 0 };

	if (fd < 0)
		return error_set(error, fd, "file", "receive", "the requester did not send it");
	rc = pc_state_get(pc, &state, error);
	if (!rc)
		rc = save_memory(pc, job, fd, &state, error);
	tlv_free(&state);
	/* Sync before the requester renames the file. */
	if (!rc && fsync(fd) && errno != EINVAL && errno != EROFS)
		rc = error_set(error, -errno, "file", "fsync", NULL);
	close(fd);
	return rc;
}

/*
 * The VM ends only after the requester has renamed the file and synced the directory. If it
 * ended earlier, a loss of power or the end of the requester would leave no guest.
 */
static void work_save(struct pc *pc, struct pc_job *job, struct error *error)
{
	int rc = error->rc;

	if (!rc)
		rc = receive_and_save(pc, job, error);
	if (!rc && job->stop) {
		rc = channel_send_result(job->fd, 0, NULL);
		if (rc)
			error_set(error, rc, "file", "report that it is written", NULL);
		else
			rc = channel_wait_result(job->fd, -1, NAMED_TIMEOUT_MS, error);
	}
	if (!rc && job->stop)
		machine_end(&pc->machine, END_SAVED, NULL);
	channel_send_result(job->fd, rc, error);
}

int pc_move_save(struct pc *pc, const char *channel, bool stop, struct error *error)
{
	int rc = check_readable(pc, "save", error);

	return rc ? rc : post(pc, channel, stop, work_save, error);
}
