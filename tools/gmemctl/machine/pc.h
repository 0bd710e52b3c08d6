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
 * struct pc_config - what to build; all of it has to outlive the machine
 * @machine: memory, CPUs and the like
 * @boot: what to boot; nothing, if @machine is an SNP guest, or if its state is
 *	set before it runs
 * @input: file for the serial port's input, or -1
 * @output: file for its output, or -1
 * @off_port: port that powers the machine off, OFF_PORT_MIN to OFF_PORT_MAX; 0: none
 * @pvmemcontrol: function codes that the guest may use, as bits; 0: no such device
 * @balloon: there is a balloon, with free page reporting if @page_reporting
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
 * @config: as given
 * @machine: the VM
 * @board: what devices are wired to
 * @uart: the serial port; likewise the others
 * @pvmemcontrol: there if the configuration says so; likewise @balloon
 * @console: the other end of @uart
 * @job: what is to be done while no vCPU runs, or NULL; the machine's lock
 *	protects it
 * @still: held while memory must not change but by the job
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
 * pc_create() - build it; nothing runs yet
 *
 * Without a kernel to boot its state has to be set before it runs.
 */
int pc_create(struct pc *pc, const struct pc_config *config, struct error *error);
void pc_destroy(struct pc *pc);

/**
 * pc_run() - run it until it ends, once
 *
 * Signals that end it come to nothing else meanwhile, also while it does a job.
 *
 * Return: 0 with machine.end set; a negative errno if it could not be started.
 */
int pc_run(struct pc *pc, struct error *error);

/** pc_devices() - put all devices in their places */
int pc_devices(struct pc *pc, struct error *error);
void pc_devices_destroy(struct pc *pc);

/* pc_control.c: what a running PC answers on its control socket, and its jobs */

/**
 * struct pc_job - a job; allocated, and freed when it is over
 * @work: do it; no vCPU runs, and none has an I/O unfinished. Where @error is
 *	set already, nothing can be done, and only who has asked is told. The machine
 *	goes on unless machine_end() was called.
 * @fd: a connection to who has asked, closed when it is over
 * @stop: for @work: end the machine if it succeeds
 */
struct pc_job {
	void (*work)(struct pc *pc, struct pc_job *job, struct error *error);
	int fd;
	bool stop;
};

/**
 * pc_job_post() - have a job done soon
 * @job: taken over on success
 *
 * Return: 0; -EBUSY if there is another; -ESHUTDOWN if the machine has ended.
 */
int pc_job_post(struct pc *pc, struct pc_job *job);

/** pc_job_serve() - do what is pending; no vCPU thread exists */
void pc_job_serve(struct pc *pc);

/** PC_CONTROL_RANGES_MAX: ranges in one answer of map; the rest is asked for */
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

/** pc_control_start() - @pc and @name have to outlive it */
int pc_control_start(struct pc_control *control, struct pc *pc,
		     const char *name, struct error *error);
void pc_control_stop(struct pc_control *control);

/** pc_control_serve() - a request, as server_fn; @data is the pc_control */
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

/** pc_state_get() - read it; no vCPU runs, the console is stopped */
int pc_state_get(struct pc *pc, struct tlv *records, struct error *error);

/**
 * pc_state_cpus() - how many CPUs the machine has
 *
 * Return: 1 to MACHINE_VCPUS_MAX, or -EBADMSG.
 */
int pc_state_cpus(const struct tlv *records, struct error *error);

/** pc_state_set() - set it in a new machine with as many CPUs */
int pc_state_set(struct pc *pc, const struct tlv *records, struct error *error);

/** pc_pci_get() - add records of all functions; none if there are no functions */
void pc_pci_get(struct pc *pc, struct tlv *records);

/** pc_pci_set() - set the state of those that there are. Return: 0; -EBADMSG. */
int pc_pci_set(struct pc *pc, const struct tlv *records);

/** pc_pci_config() - which there have to be for such records */
void pc_pci_config(const struct tlv *records, struct pc_config *config);

/**
 * pc_pci_set_memory() - do to memory what the guest had asked for
 *
 * After its contents are there. Return: 0, or a negative errno: it must not run.
 */
int pc_pci_set_memory(struct pc *pc, const struct tlv *records, struct error *error);

/**
 * pc_move_give() - hand the guest over to who listens at @channel
 *
 * Return: 0: it will be tried soon, and who listens is told what comes of it;
 * -EOPNOTSUPP for a kind of memory that cannot leave the process; -EBUSY.
 */
int pc_move_give(struct pc *pc, const char *channel, struct error *error);

/**
 * pc_move_save() - save the guest to the file that comes from @channel
 * @stop: end the machine then
 *
 * Return: 0: it will be tried soon, and who listens is told what comes of it;
 * -EBUSY.
 */
int pc_move_save(struct pc *pc, const char *channel, bool stop, struct error *error);

#endif /* GMEMCTL_MACHINE_PC_H */
