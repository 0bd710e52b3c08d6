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
 * A driver that wants to have the backing of its memory changed finds a device with
 * pvmemcontrol_get(), asks with pvmemcontrol_call(), and lets go with pvmemcontrol_put().
 * The device may be unplugged meanwhile: calls then fail with -ENODEV.
 *
 * A driver for a bus gives struct pvmemcontrol_regs to pvmemcontrol_register(): PCI's
 * here, and the tests' model of a device.
 *
 * Symbols are in the namespace PVMEMCONTROL.
 */

/**
 * struct pvmemcontrol_regs - the 16 bytes of registers of a device
 * @read: four bytes at an offset of 0 or 8
 * @write: four bytes at an offset of 0, 4 or 8
 *
 * @write of the command (offset 8) returns when the device has done what it says. Both are
 * called with preemption disabled, too, and on several CPUs at once; whoever embeds the
 * structure finds itself with container_of().
 */
struct pvmemcontrol_regs {
	u32 (*read)(struct pvmemcontrol_regs *regs, u32 offset);
	void (*write)(struct pvmemcontrol_regs *regs, u32 offset, u32 value);
};

/**
 * pvmemcontrol_register() - a device is there
 * @parent: of the node
 * @regs: stay valid until pvmemcontrol_unregister() has returned
 *
 * Connects all possible CPUs, asks for the page size, and then makes the node
 * /dev/pvmemcontrolN.
 *
 * Context: process context, may sleep.
 * Return: the device; ERR_PTR(-EIO) if it does not follow the protocol, -EPROTO if its
 * version is another one, -ENOMEM, -ENOSPC if there are too many.
 */
struct pvmemcontrol *pvmemcontrol_register(struct device *parent,
					   struct pvmemcontrol_regs *regs);

/**
 * pvmemcontrol_unregister() - a device goes
 * @pv: from pvmemcontrol_register(); not valid any more afterwards
 *
 * Takes the node away, waits for calls, and disconnects. Whoever has the node open, or
 * has called pvmemcontrol_get(), gets -ENODEV from now on.
 *
 * Context: process context, may sleep.
 */
void pvmemcontrol_unregister(struct pvmemcontrol *pv);

/**
 * pvmemcontrol_suspend() - the registers will be lost
 * @pv: a registered device
 *
 * Waits for calls, and disconnects: a kernel that is resumed from disk finds no device
 * that knows the buffers of another kernel. Calls get -EAGAIN until
 * pvmemcontrol_resume().
 *
 * Context: process context, may sleep.
 */
void pvmemcontrol_suspend(struct pvmemcontrol *pv);

/**
 * pvmemcontrol_resume() - connect again
 * @pv: a device after pvmemcontrol_suspend()
 *
 * Context: process context, may sleep.
 * Return: 0, or as pvmemcontrol_register(); then calls get -EIO.
 */
int pvmemcontrol_resume(struct pvmemcontrol *pv);

/**
 * pvmemcontrol_get() - find a device
 *
 * Context: process context, may sleep.
 * Return: the device that has been there longest, for pvmemcontrol_put(); or NULL.
 */
struct pvmemcontrol *pvmemcontrol_get(void);

/**
 * pvmemcontrol_put() - let go of a device
 * @pv: from pvmemcontrol_get()
 *
 * Context: process context, may sleep.
 */
void pvmemcontrol_put(struct pvmemcontrol *pv);

/**
 * pvmemcontrol_call() - ask the VMM
 * @pv: from pvmemcontrol_get()
 * @call: the request
 * @ret: out, on success: the answer; @ret->ret_errno says whether it was done
 *
 * An unanswered call has the device set up again, once, and is repeated.
 *
 * Context: process context, may sleep. Any number of callers at once.
 * Return: 0 if the VMM has answered; -ENODEV, -EIO, -EAGAIN: see
 * <uapi/linux/pvmemcontrol.h>.
 */
int pvmemcontrol_call(struct pvmemcontrol *pv,
		      const struct pvmemcontrol_vmm_call *call,
		      struct pvmemcontrol_vmm_ret *ret);

#endif /* _LINUX_PVMEMCONTROL_H */
