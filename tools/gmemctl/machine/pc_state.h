/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of a machine without its memory, as records: CPUs, interrupt
 * controllers, timers, devices.
 */
#ifndef GMEMCTL_MACHINE_PC_STATE_H
#define GMEMCTL_MACHINE_PC_STATE_H

#include "../base/tlv.h"
#include "../kvm/state.h"
#include "pc.h"

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
int pc_state_set(struct pc *pc, const struct tlv *records,
		 struct error *error);

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
int pc_pci_set_memory(struct pc *pc, const struct tlv *records,
		      struct error *error);

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
int pc_move_save(struct pc *pc, const char *channel, bool stop,
		 struct error *error);

#endif /* GMEMCTL_MACHINE_PC_STATE_H */
