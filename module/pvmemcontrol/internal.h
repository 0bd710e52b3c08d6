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
 * @memory: the buffers, in whole pages that are shared with the host
 * @connections: the connection of each CPU's buffer, by number of the CPU
 *
 * Has no lock. It is changed only while no call is in flight.
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
 * enum pvmemcontrol_state - state of a device
 * @PVMEMCONTROL_DOWN: being connected, for the first time or again
 * @PVMEMCONTROL_READY: calls are possible
 * @PVMEMCONTROL_BROKEN: unusable until it is resumed or the driver is bound again
 * @PVMEMCONTROL_SUSPENDED: unusable until it is resumed
 * @PVMEMCONTROL_GONE: unplugged, or the driver was unbound
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
 * @generation: number of connections so far
 * @error: the error of calls while it is broken
 * @transport: used by calls while @state is PVMEMCONTROL_READY
 * @info: the answer to PVMEMCONTROL_INFO; used like @transport
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

/* pci.c. Without PCI only other modules add devices. */
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
