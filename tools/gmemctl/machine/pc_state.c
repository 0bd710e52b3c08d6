// SPDX-License-Identifier: GPL-2.0
/* The state of a PC, and how it is handed over and saved. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../control/channel.h"
#include "../kvm/state.h"
#include "../kvm/vcpu.h"
#include "../memory/handover.h"
#include "../memory/save.h"
#include "pc_control.h"
#include "pc_pci.h"
#include "pc_state.h"

/* The registers of each device, as in its struct. */
struct uart_state {
	uint8_t ier, lcr, mcr, scratch, fcr, divisor[2], msr_delta;
	uint8_t overrun, thr_interrupt, level, head, count;
	uint8_t fifo[UART_FIFO_SIZE];
};

struct i8042_state {
	uint8_t command, control, answer, full;
};

struct rtc_state {
	uint8_t index;
	uint8_t cmos[RTC_CMOS_SIZE];
};

struct pci_state {
	uint32_t address;
	uint32_t reset;
};

struct power_state {
	uint16_t enable;
	uint16_t control;
};

/*
 * How long the process that saves a guest may take to give the file its name, and
 * to sync the directory. The guest goes on after that.
 */
#define NAMED_TIMEOUT_MS 60000

static void uart_get(const struct uart *uart, struct tlv *records)
{
	struct uart_state state = {
		.ier = uart->ier,
		.lcr = uart->lcr,
		.mcr = uart->mcr,
		.scratch = uart->scratch,
		.fcr = uart->fcr,
		.divisor = { uart->divisor[0], uart->divisor[1] },
		.msr_delta = uart->msr_delta,
		.overrun = uart->overrun,
		.thr_interrupt = uart->thr_interrupt,
		.level = uart->level,
		.head = (uint8_t)uart->head,
		.count = (uint8_t)uart->count,
	};

	memcpy(state.fifo, uart->fifo, sizeof(state.fifo));
	tlv_add(records, STATE_UART, 0, &state, sizeof(state));
}

/* KVM does not keep the level of a line by itself. */
static int uart_set(struct pc *pc, const struct tlv *records)
{
	struct uart *uart = &pc->uart;
	struct uart_state state;

	if (!tlv_get(records, STATE_UART, 0, &state, sizeof(state)) ||
	    state.head >= UART_FIFO_SIZE || state.count > UART_FIFO_SIZE)
		return -EBADMSG;
	uart->ier = state.ier;
	uart->lcr = state.lcr;
	uart->mcr = state.mcr;
	uart->scratch = state.scratch;
	uart->fcr = state.fcr;
	memcpy(uart->divisor, state.divisor, sizeof(uart->divisor));
	uart->msr_delta = state.msr_delta;
	uart->overrun = state.overrun;
	uart->thr_interrupt = state.thr_interrupt;
	uart->level = state.level;
	uart->head = state.head;
	uart->count = state.count;
	memcpy(uart->fifo, state.fifo, sizeof(uart->fifo));
	return uart->level ? irqchip_set_line(&pc->machine.vm, UART_IRQ, true) : 0;
}

static int i8042_set(struct i8042 *i8042, const struct tlv *records)
{
	struct i8042_state state;

	if (!tlv_get(records, STATE_I8042, 0, &state, sizeof(state)))
		return -EBADMSG;
	i8042->command = state.command;
	i8042->control = state.control;
	i8042->answer = state.answer;
	i8042->full = state.full;
	return 0;
}

static int rtc_set(struct rtc *rtc, const struct tlv *records)
{
	struct rtc_state state;

	if (!tlv_get(records, STATE_RTC, 0, &state, sizeof(state)) ||
	    state.index >= RTC_CMOS_SIZE)
		return -EBADMSG;
	rtc->index = state.index;
	memcpy(rtc->cmos, state.cmos, sizeof(rtc->cmos));
	return 0;
}

static int pci_set(struct pci *pci, const struct tlv *records)
{
	struct pci_state state;

	if (!tlv_get(records, STATE_PCI, 0, &state, sizeof(state)))
		return -EBADMSG;
	pci->address = state.address;
	pci->reset = (uint8_t)state.reset;
	return 0;
}

static int power_set(struct power *power, const struct tlv *records)
{
	struct power_state state;

	if (!tlv_get(records, STATE_POWER, 0, &state, sizeof(state)))
		return -EBADMSG;
	power->enable = state.enable;
	power->control = state.control;
	return 0;
}

static void devices_get(struct pc *pc, struct tlv *records)
{
	struct i8042_state i8042 = { pc->i8042.command, pc->i8042.control,
				     pc->i8042.answer, pc->i8042.full };
	struct rtc_state rtc = { .index = pc->rtc.index };
	struct pci_state pci = { pc->pci.address, pc->pci.reset };
	struct power_state power = { pc->power.enable, pc->power.control };

	memcpy(rtc.cmos, pc->rtc.cmos, sizeof(rtc.cmos));
	uart_get(&pc->uart, records);
	tlv_add(records, STATE_I8042, 0, &i8042, sizeof(i8042));
	tlv_add(records, STATE_RTC, 0, &rtc, sizeof(rtc));
	tlv_add(records, STATE_PCI, 0, &pci, sizeof(pci));
	tlv_add(records, STATE_POWER, 0, &power, sizeof(power));
	pc_pci_get(pc, records);
}

static int devices_set(struct pc *pc, const struct tlv *records,
		       struct error *error)
{
	int rc = uart_set(pc, records);

	if (!rc)
		rc = i8042_set(&pc->i8042, records);
	if (!rc)
		rc = rtc_set(&pc->rtc, records);
	if (!rc)
		rc = pci_set(&pc->pci, records);
	if (!rc)
		rc = power_set(&pc->power, records);
	if (!rc)
		rc = pc_pci_set(pc, records);
	return rc ? error_set(error, rc, "VM", "set the state of its devices",
			      NULL) : 0;
}

/* Nanoseconds of the ACPI timer. A state of an older gmemctl has none. */
static void timer_get(struct pc *pc, struct tlv *records)
{
	uint64_t ns = power_timer_ns(&pc->power);

	tlv_add(records, STATE_TIMER, 0, &ns, sizeof(ns));
}

static void timer_set(struct pc *pc, const struct tlv *records)
{
	uint64_t ns;

	if (tlv_get(records, STATE_TIMER, 0, &ns, sizeof(ns)))
		power_set_timer_ns(&pc->power, ns);
}

/*
 * All clocks of the guest go on from where they were, and together: the last that
 * is read of the VM is its clock, and the vCPUs, with the TSC, come right after the
 * timer. They are set in the same order.
 */
int pc_state_get(struct pc *pc, struct tlv *records, struct error *error)
{
	uint32_t cpus = pc->machine.nr_vcpus;
	int rc;

	tlv_add(records, STATE_CPUS, 0, &cpus, sizeof(cpus));
	devices_get(pc, records);
	rc = vm_state_get(&pc->machine.vm, records, error);
	timer_get(pc, records);
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
			 "it does not say how many CPUs there are");
}

/* Lines first: the controllers, set afterwards, know best what came of them. */
int pc_state_set(struct pc *pc, const struct tlv *records,
		 struct error *error)
{
	int rc = devices_set(pc, records, error);

	if (!rc)
		rc = vm_state_set(&pc->machine.vm, records, error);
	if (!rc)
		timer_set(pc, records);
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
	return error_set(error, rc, "VM", "start a job", rc == -EBUSY ?
			 "it is being handed over or saved" :
			 "the VM has ended");
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

/* The state of encrypted CPUs does not leave them either. */
static int check_readable(const struct pc *pc, const char *action,
			  struct error *error)
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

/* What the guest has protected from itself is in the file, too. */
static int save_memory(struct pc *pc, const struct pc_job *job, int fd,
		       const struct tlv *state, struct error *error)
{
	struct machine *machine = &pc->machine;
	int back, rc = advice_lift(&machine->advice);

	if (rc)
		error_set(error, rc, "guest memory", "access what the guest has "
			  "protected", NULL);
	else
		rc = save_write(fd, job->fd, &machine->memory, state, error);
	back = advice_restore(&machine->advice);
	if (back)
		machine_end(machine, END_FAILED, "protect memory again after a save: "
			    "%s", strerror(-back));
	return rc;
}

/* To the disk, before whoever has given the file lets it have its name. */
static int save(struct pc *pc, const struct pc_job *job, int fd,
		struct error *error)
{
	struct tlv state = { 0 };
	int rc = pc_state_get(pc, &state, error);

	if (!rc)
		rc = save_memory(pc, job, fd, &state, error);
	tlv_free(&state);
	if (!rc && fsync(fd) && errno != EINVAL && errno != EROFS)
		rc = error_set(error, -errno, "file", "fsync", NULL);
	return rc;
}

static int receive_and_save(struct pc *pc, const struct pc_job *job,
			    struct error *error)
{
	int fd = channel_receive_file(job->fd), rc;

	if (fd < 0)
		return error_set(error, fd, "file", "receive",
				 "the requester has not sent it");
	rc = save(pc, job, fd, error);
	close(fd);
	return rc;
}

/*
 * The VM ends when the file has its name, for good, and not before: until then a
 * loss of power, or somebody who ends the other process, would leave no guest.
 */
static int wait_named(const struct pc_job *job, struct error *error)
{
	int rc = channel_send_result(job->fd, 0, NULL);

	if (rc)
		return error_set(error, rc, "file", "say that it is written",
				 NULL);
	return channel_wait_result(job->fd, -1, NAMED_TIMEOUT_MS, error);
}

static void work_save(struct pc *pc, struct pc_job *job, struct error *error)
{
	int rc = error->rc;

	if (!rc)
		rc = receive_and_save(pc, job, error);
	if (!rc && job->stop)
		rc = wait_named(job, error);
	if (!rc && job->stop)
		machine_end(&pc->machine, END_SAVED, NULL);
	channel_send_result(job->fd, rc, error);
}

int pc_move_save(struct pc *pc, const char *channel, bool stop,
		 struct error *error)
{
	int rc = check_readable(pc, "save", error);

	return rc ? rc : post(pc, channel, stop, work_save, error);
}
