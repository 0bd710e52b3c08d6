/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvmemcontrol: the in-kernel interface.
 */
#ifndef _LINUX_PVMEMCONTROL_H
#define _LINUX_PVMEMCONTROL_H

#include <linux/types.h>
#include <uapi/linux/pvmemcontrol.h>

struct device;
struct pvmemcontrol;

/**
 * DOC: asking the VMM
 *
 * A driver that needs another backing for its memory finds a device with
 * pvmemcontrol_get(), makes requests with pvmemcontrol_call(), and releases the device with
 * pvmemcontrol_put(). The device can be unplugged meanwhile: calls then fail with -ENODEV.
 *
 * A bus driver passes struct pvmemcontrol_regs to pvmemcontrol_register(). Users are PCI,
 * and the tests' model of a device.
 *
 * Symbols are in the namespace PVMEMCONTROL.
 */

/**
 * struct pvmemcontrol_regs - the 16 bytes of registers of a device
 * @read: four bytes at an offset of 0 or 8
 * @write: four bytes at an offset of 0, 4 or 8
 *
 * @write of a command (offset 8) returns after the device has handled the command. Both can
 * be called with preemption disabled, and on several CPUs at once. The embedding structure
 * is found with container_of().
 */
struct pvmemcontrol_regs {
	u32 (*read)(struct pvmemcontrol_regs *regs, u32 offset);
	void (*write)(struct pvmemcontrol_regs *regs, u32 offset, u32 value);
};

/**
 * pvmemcontrol_register() - add a device
 * @parent: parent device of the node
 * @regs: must stay valid until pvmemcontrol_unregister() has returned
 *
 * Connects all possible CPUs, requests the page size, and then creates the node
 * /dev/pvmemcontrolN.
 *
 * Context: process context, may sleep.
 * Return: the device; ERR_PTR(-EIO) if it violates the protocol, -EPROTO if its version
 * differs, -ENOMEM, -ENOSPC if there are too many.
 */
struct pvmemcontrol *pvmemcontrol_register(struct device *parent,
					   struct pvmemcontrol_regs *regs);

/**
 * pvmemcontrol_unregister() - remove a device
 * @pv: from pvmemcontrol_register(); not valid afterwards
 *
 * Deletes the node, waits for calls, and disconnects. From then on open nodes, and users
 * of pvmemcontrol_get(), get -ENODEV.
 *
 * Context: process context, may sleep.
 */
void pvmemcontrol_unregister(struct pvmemcontrol *pv);

/**
 * pvmemcontrol_suspend() - prepare for the loss of the registers
 * @pv: a registered device
 *
 * Waits for calls, and disconnects, so that after a resume from disk the device does not
 * use buffers of another kernel. Calls return -EAGAIN until pvmemcontrol_resume().
 *
 * Context: process context, may sleep.
 */
void pvmemcontrol_suspend(struct pvmemcontrol *pv);

/**
 * pvmemcontrol_resume() - connect again
 * @pv: a device after pvmemcontrol_suspend()
 *
 * Context: process context, may sleep.
 * Return: 0, or an error as pvmemcontrol_register(); then calls return -EIO.
 */
int pvmemcontrol_resume(struct pvmemcontrol *pv);

/**
 * pvmemcontrol_get() - find a device
 *
 * Context: process context, may sleep.
 * Return: the device that was registered first, for pvmemcontrol_put(); or NULL.
 */
struct pvmemcontrol *pvmemcontrol_get(void);

/**
 * pvmemcontrol_put() - release a device
 * @pv: from pvmemcontrol_get()
 *
 * Context: process context, may sleep.
 */
void pvmemcontrol_put(struct pvmemcontrol *pv);

/**
 * pvmemcontrol_call() - make a request to the VMM
 * @pv: from pvmemcontrol_get()
 * @call: the request
 * @ret: out, on success: the answer; @ret->ret_errno is the result of the request
 *
 * After an unanswered call the device is set up again, once, and the call repeated.
 *
 * Context: process context, may sleep. Any number of callers at once.
 * Return: 0 if the VMM has answered; -ENODEV, -EIO, -EAGAIN: see
 * <uapi/linux/pvmemcontrol.h>.
 */
int pvmemcontrol_call(struct pvmemcontrol *pv,
		      const struct pvmemcontrol_vmm_call *call,
		      struct pvmemcontrol_vmm_ret *ret);

#endif /* _LINUX_PVMEMCONTROL_H */
