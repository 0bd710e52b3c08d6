/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PVMEMCONTROL_INTERNAL_H
#define _PVMEMCONTROL_INTERNAL_H

#ifdef pr_fmt
#undef pr_fmt
#endif
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "../compat.h"
#include "../include/linux/pvmemcontrol.h"

struct pvmemcontrol_wire;

/* transport.c */

/**
 * struct pvmemcontrol_transport - registers, and a buffer for each CPU
 * @regs: the registers
 * @memory: the buffers, whole pages, which the host may read and write
 * @connections: what the device calls the buffer of a CPU, by its number
 *
 * Has no lock. Whoever changes it has seen to it that no call is in flight.
 */
struct pvmemcontrol_transport {
	struct pvmemcontrol_regs *regs;
	void *memory;
	u32 *connections;
};

int pvmemcontrol_transport_init(struct pvmemcontrol_transport *transport,
				struct pvmemcontrol_regs *regs);
void pvmemcontrol_transport_destroy(struct pvmemcontrol_transport *transport);
int pvmemcontrol_transport_connect(struct pvmemcontrol_transport *transport);
int pvmemcontrol_transport_disconnect(struct pvmemcontrol_transport *transport);
int pvmemcontrol_transport_call(struct pvmemcontrol_transport *transport,
				const struct pvmemcontrol_vmm_call *call,
				struct pvmemcontrol_vmm_ret *ret);
int pvmemcontrol_transport_info(struct pvmemcontrol_transport *transport,
				struct pvmemcontrol_vmm_ret *info);

/* device.c */

/**
 * enum pvmemcontrol_state - what a device is good for
 * @PVMEMCONTROL_DOWN: nothing yet; being connected, or connected again
 * @PVMEMCONTROL_READY: calls
 * @PVMEMCONTROL_BROKEN: nothing, until it is resumed or the driver bound again
 * @PVMEMCONTROL_SUSPENDED: nothing, until it is resumed
 * @PVMEMCONTROL_GONE: nothing any more
 */
enum pvmemcontrol_state {
	PVMEMCONTROL_DOWN,
	PVMEMCONTROL_READY,
	PVMEMCONTROL_BROKEN,
	PVMEMCONTROL_SUSPENDED,
	PVMEMCONTROL_GONE,
};

/**
 * struct pvmemcontrol - a device
 * @dev: the node, and the references to this structure
 * @cdev: the node's methods
 * @entry: in the list of devices, under its lock
 * @lock: held while @state, @generation, @transport or @info change, and for @error
 * @state: enum pvmemcontrol_state. Read without @lock by calls, with preemption disabled:
 *	after it has left PVMEMCONTROL_READY, and synchronize_rcu(), no call is in flight.
 * @generation: how often it has been connected
 * @error: what calls get while it is broken
 * @transport: in use by calls while @state is PVMEMCONTROL_READY
 * @info: the answer to PVMEMCONTROL_INFO, likewise
 */
struct pvmemcontrol {
	struct device dev;
	struct cdev cdev;
	struct list_head entry;
	struct mutex lock;
	enum pvmemcontrol_state state;
	unsigned int generation;
	int error;
	struct pvmemcontrol_transport transport;
	struct pvmemcontrol_vmm_ret info;
};

/* chardev.c */
int pvmemcontrol_chardev_init(void);
void pvmemcontrol_chardev_exit(void);
int pvmemcontrol_chardev_number(struct pvmemcontrol *pv);
void pvmemcontrol_chardev_number_free(struct pvmemcontrol *pv);
int pvmemcontrol_chardev_name(struct pvmemcontrol *pv);
int pvmemcontrol_chardev_add(struct pvmemcontrol *pv);
void pvmemcontrol_chardev_del(struct pvmemcontrol *pv);

/* report.c */
void pvmemcontrol_report_device_added(void);
void pvmemcontrol_report_device_leaves(struct pvmemcontrol *pv);

/* pci.c. Without it there is no device but those of other modules. */
#ifdef CONFIG_PCI
int pvmemcontrol_pci_init(void);
void pvmemcontrol_pci_exit(void);
#else
static inline int pvmemcontrol_pci_init(void)
{
	return 0;
}

static inline void pvmemcontrol_pci_exit(void)
{
}
#endif

#endif /* _PVMEMCONTROL_INTERNAL_H */
