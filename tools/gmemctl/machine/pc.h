/* SPDX-License-Identifier: GPL-2.0 */
/* A PC that runs Linux: memory of any kind, CPUs, devices, a console. */
#ifndef GMEMCTL_MACHINE_PC_H
#define GMEMCTL_MACHINE_PC_H

#include "../base/error.h"
#include "../boot/linux.h"
#include "../devices/balloon.h"
#include "../devices/bus.h"
#include "../devices/chipset.h"
#include "../devices/pci.h"
#include "../devices/pvmemcontrol.h"
#include "../devices/uart.h"
#include "console.h"
#include "machine.h"

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
int pc_create(struct pc *pc, const struct pc_config *config,
	      struct error *error);
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

#endif /* GMEMCTL_MACHINE_PC_H */
