/* SPDX-License-Identifier: GPL-2.0 */
/* A PC that runs Linux: memory of any kind, CPUs, devices, a console. */
#ifndef GMEMCTL_MACHINE_PC_H
#define GMEMCTL_MACHINE_PC_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/error.h"
#include "../base/tlv.h"
#include "../boot/linux.h"
#include "../control/control.h"
#include "../devices/balloon.h"
#include "../devices/bus.h"
#include "../devices/chipset.h"
#include "../devices/pci.h"
#include "../devices/pvmemcontrol.h"
#include "../devices/uart.h"
#include "../kvm/state.h"
#include "console.h"
#include "machine.h"
#include "remotes.h"

/**
 * struct pc_config - configuration of a PC; all of it must stay valid
 * @machine: memory, CPUs and the like
 * @boot: the kernel to boot; empty for an SNP guest, or if the state is set before it runs
 * @input: file for the serial port's input, or -1
 * @output: file for its output, or -1
 * @off_port: port that powers the machine off, OFF_PORT_MIN to OFF_PORT_MAX; 0: none
 * @pvmemcontrol: function codes that the guest may use, as bits; 0: no such device
 * @balloon: add a balloon, with free page reporting if @page_reporting
 */
struct pc_config {
	struct machine_config machine;
	struct linux_boot boot;
	int input;
	int output;
	uint16_t off_port;
	uint32_t pvmemcontrol;
	bool balloon;
	bool page_reporting;
};

struct pc_job;

/**
 * struct pc - the machine
 * @config: its configuration
 * @machine: the VM
 * @board: connections of the devices
 * @uart: the serial port; the following members are other devices
 * @pvmemcontrol: used if it is configured, as is @balloon
 * @console: the console at @uart
 * @job: job that is done while no vCPU runs, or NULL; protected by the machine's lock
 * @still: held while only the job may change memory
 */
struct pc {
	const struct pc_config *config;
	struct machine machine;
	struct board board;
	struct uart uart;
	struct i8042 i8042;
	struct rtc rtc;
	struct pci pci;
	struct power power;
	struct pvmemcontrol pvmemcontrol;
	struct balloon balloon;
	struct console console;
	struct pc_job *job;
	pthread_mutex_t still;
};

/**
 * pc_create() - build a PC; nothing runs yet
 *
 * Without a kernel to boot, set its state before it runs.
 */
int pc_create(struct pc *pc, const struct pc_config *config, struct error *error);
void pc_destroy(struct pc *pc);

/**
 * pc_run() - run it until it ends; can be called once
 *
 * Signals that end it are handled only here meanwhile, also during a job.
 *
 * Return: 0 with machine.end set; a negative errno if it could not be started.
 */
int pc_run(struct pc *pc, struct error *error);

/** pc_devices() - create all devices and put them on the buses */
int pc_devices(struct pc *pc, struct error *error);
void pc_devices_destroy(struct pc *pc);

/* pc_control.c: handles requests on the control socket of a running PC, and its jobs */

/**
 * struct pc_job - a job; allocated, and freed at its end
 * @work: does the job. No vCPU runs or has unfinished I/O. If @error is set already, the job
 *	cannot be done; then it only reports the error to the requester. The machine continues
 *	afterwards, unless machine_end() was called.
 * @fd: connection to the requester, closed at the end
 * @stop: for @work: end the machine after success
 */
struct pc_job {
	void (*work)(struct pc *pc, struct pc_job *job, struct error *error);
	int fd;
	bool stop;
};

/**
 * pc_job_post() - request a job
 * @job: the job; after success the PC frees it
 *
 * Return: 0; -EBUSY if there is another job; -ESHUTDOWN if the machine has ended.
 */
int pc_job_post(struct pc *pc, struct pc_job *job);

/** pc_job_serve() - do a requested job; no vCPU thread may exist */
void pc_job_serve(struct pc *pc);

/** PC_CONTROL_RANGES_MAX: ranges in one reply of map; clients ask for the rest */
#define PC_CONTROL_RANGES_MAX 1024

/**
 * struct pc_control - the control socket of a PC
 * @pc: the machine
 * @name: its name
 * @server: the socket
 * @remotes: processes that share its memory
 * @started_ns: when it was started
 */
struct pc_control {
	struct pc *pc;
	const char *name;
	struct server server;
	struct remotes remotes;
	uint64_t started_ns;
};

/** pc_control_start() - start the control socket; @pc and @name must stay valid */
int pc_control_start(struct pc_control *control, struct pc *pc,
		     const char *name, struct error *error);
void pc_control_stop(struct pc_control *control);

/** pc_control_serve() - handle a request, as server_fn; @data is the pc_control */
int pc_control_serve(void *data, const char *command, struct json_object *request,
		     struct json_object **result, struct error *error);

/*
 * pc_state.c: the state of a machine without its memory, as records: CPUs, interrupt
 * controllers, timers, devices.
 */

/* Records of the machine; their numbers are part of a file format. */
enum {
	STATE_CPUS = STATE_MACHINE,
	STATE_UART,
	STATE_I8042,
	STATE_RTC,
	STATE_PCI,
	STATE_POWER,
	STATE_TIMER,
	STATE_FUNCTION,		/* by slot: configuration of a PCI function */
	STATE_PVMEMCONTROL,
	STATE_ADVICE,
	STATE_BALLOON,		/* and the one after it */
	STATE_GIVEN = STATE_BALLOON + 2,
};

/** pc_state_get() - read the state; no vCPU may run, and the console must be stopped */
int pc_state_get(struct pc *pc, struct tlv *records, struct error *error);

/**
 * pc_state_cpus() - number of CPUs of the machine
 *
 * Return: 1 to MACHINE_VCPUS_MAX, or -EBADMSG.
 */
int pc_state_cpus(const struct tlv *records, struct error *error);

/** pc_state_set() - set the state of a new machine with this number of CPUs */
int pc_state_set(struct pc *pc, const struct tlv *records, struct error *error);

/** pc_pci_get() - add records of all PCI functions */
void pc_pci_get(struct pc *pc, struct tlv *records);

/** pc_pci_set() - set the state of all PCI functions. Return: 0; -EBADMSG. */
int pc_pci_set(struct pc *pc, const struct tlv *records);

/** pc_pci_config() - configure the PCI functions that these records need */
void pc_pci_config(const struct tlv *records, struct pc_config *config);

/**
 * pc_pci_set_memory() - repeat the guest's requests for its memory
 *
 * Call it after the contents were read. Return: 0; or a negative errno, and then the guest must
 * not run.
 */
int pc_pci_set_memory(struct pc *pc, const struct tlv *records, struct error *error);

/**
 * pc_move_give() - request a handover of the guest to the process that listens at @channel
 *
 * Return: 0: the handover is requested, and its result will be sent to that process;
 * -EOPNOTSUPP for a kind of memory that cannot leave the process; -EBUSY.
 */
int pc_move_give(struct pc *pc, const char *channel, struct error *error);

/**
 * pc_move_save() - request a save of the guest to the file that is sent over @channel
 * @stop: end the machine afterwards
 *
 * Return: 0: the save is requested, and its result will be sent to the listening process;
 * -EBUSY.
 */
int pc_move_save(struct pc *pc, const char *channel, bool stop, struct error *error);

#endif /* GMEMCTL_MACHINE_PC_H */
