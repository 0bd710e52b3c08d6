// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: gmem_guest.ko
 *
 * For guests: makes most of this guest's memory private, so that the host does not see it.
 * It needs neither gmem.ko nor what that needs; the host has gmem, or a VMM that answers
 * KVM_HC_MAP_GPA_RANGE otherwise.
 *
 * This file has the parameters, and what is done before this kernel ends. ``private`` and
 * ``shared`` say what is to be: when the module is loaded, and whenever they are written to
 * /sys/module/gmem_guest/parameters/. A write that fails leaves them as they were.
 *
 * Locks: the module's lock for parameters, which the kernel holds for them, then
 * gmem_guest_lock (private.c).
 */
#include <linux/kexec.h>
#include <linux/memory.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/suspend.h>

#include "internal.h"

/*
 * Parameters come before the module is there: they are kept for then. And they can be written
 * to while it goes, or while this kernel does, when nothing may become private any more.
 */
enum gmem_guest_phase {
	GMEM_GUEST_EARLY,
	GMEM_GUEST_UP,
	GMEM_GUEST_CLOSED,
};

static enum gmem_guest_phase gmem_guest_phase;
static struct gmem_guest_want gmem_guest_want = { .movable = true };

static void gmem_guest_enter(enum gmem_guest_phase phase)
{
	kernel_param_lock(THIS_MODULE);
	gmem_guest_phase = phase;
	kernel_param_unlock(THIS_MODULE);
}

static int gmem_guest_apply(const struct gmem_guest_want *want)
{
	int rc = 0;

	if (gmem_guest_phase == GMEM_GUEST_CLOSED)
		return -ESHUTDOWN;
	if (gmem_guest_phase == GMEM_GUEST_UP)
		rc = gmem_guest_private_set(want);
	if (!rc)
		gmem_guest_want = *want;
	return rc;
}

static int gmem_guest_private_write(const char *text, const struct kernel_param *param)
{
	struct gmem_guest_want *want;
	int rc = 0;

	want = kmemdup(&gmem_guest_want, sizeof(*want), GFP_KERNEL);
	if (!want)
		return -ENOMEM;
	want->movable = sysfs_streq(text, "movable");
	if (!want->movable)
		rc = gmem_guest_ranges_parse(text, &want->private);
	if (!rc)
		rc = gmem_guest_apply(want);
	kfree(want);
	return rc;
}

static int gmem_guest_private_read(char *buffer, const struct kernel_param *param)
{
	int at = gmem_guest_private_show(buffer);

	return at + sysfs_emit_at(buffer, at, at ? "\n" : "none\n");
}

static int gmem_guest_shared_write(const char *text, const struct kernel_param *param)
{
	struct gmem_guest_want *want;
	int rc;

	want = kmemdup(&gmem_guest_want, sizeof(*want), GFP_KERNEL);
	if (!want)
		return -ENOMEM;
	rc = gmem_guest_ranges_parse(text, &want->shared);
	if (!rc)
		rc = gmem_guest_apply(want);
	kfree(want);
	return rc;
}

static int gmem_guest_shared_read(char *buffer, const struct kernel_param *param)
{
	const struct gmem_guest_ranges *shared = &gmem_guest_want.shared;
	int at = 0;

	for (unsigned int i = 0; i < shared->count; i++)
		at += gmem_guest_ranges_show(buffer, at, shared->range[i]);
	return at + sysfs_emit_at(buffer, at, at ? "\n" : "none\n");
}

static int gmem_guest_bytes_read(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%llu\n", PFN_PHYS(gmem_guest_private_pages()));
}

static const struct kernel_param_ops gmem_guest_private_ops = {
	.set = gmem_guest_private_write,
	.get = gmem_guest_private_read,
};

static const struct kernel_param_ops gmem_guest_shared_ops = {
	.set = gmem_guest_shared_write,
	.get = gmem_guest_shared_read,
};

static const struct kernel_param_ops gmem_guest_bytes_ops = {
	.get = gmem_guest_bytes_read,
};

module_param_cb(private, &gmem_guest_private_ops, NULL, 0600);
MODULE_PARM_DESC(private, "What is private: movable (the default), none, or START-END,...");
module_param_cb(shared, &gmem_guest_shared_ops, NULL, 0600);
MODULE_PARM_DESC(shared, "What of that stays shared: none (the default), or START-END,...");
module_param_cb(private_bytes, &gmem_guest_bytes_ops, NULL, 0444);
MODULE_PARM_DESC(private_bytes, "How much is private");

/*
 * The kernel that kexec starts takes all memory for shared. A reset is no such case: gmem's
 * hosts zero what was private, and it is not shown to them before.
 */
static int gmem_guest_reboot(struct notifier_block *block, unsigned long event, void *command)
{
	if (event == SYS_RESTART && command && !strcmp(command, "kexec reboot")) {
		gmem_guest_enter(GMEM_GUEST_CLOSED);
		gmem_guest_private_end();
	}
	return NOTIFY_DONE;
}

/* A block that is gone could not be made shared any more. */
static int gmem_guest_memory(struct notifier_block *block, unsigned long event, void *data)
{
	const struct memory_notify *memory = data;

	if (event == MEM_CANCEL_OFFLINE || event == MEM_OFFLINE)
		gmem_guest_private_left();
	if (event != MEM_GOING_OFFLINE ||
	    gmem_guest_private_leave(memory->start_pfn, memory->start_pfn + memory->nr_pages))
		return NOTIFY_DONE;
	pr_warn("0x%llx cannot go offline while it is private: write it to \"shared\" first\n",
		PFN_PHYS(memory->start_pfn));
	return notifier_from_errno(-EBUSY);
}

/* After that all memory is shared, for another kernel has booted, and this one would not know. */
static int gmem_guest_hibernation(struct notifier_block *block, unsigned long event, void *data)
{
	if (event == PM_POST_HIBERNATION || event == PM_POST_RESTORE)
		gmem_guest_enter(GMEM_GUEST_UP);
	if (event != PM_HIBERNATION_PREPARE && event != PM_RESTORE_PREPARE)
		return NOTIFY_DONE;
	gmem_guest_enter(GMEM_GUEST_CLOSED);
	if (!gmem_guest_private_in(0, ULONG_MAX))
		return NOTIFY_DONE;
	gmem_guest_enter(GMEM_GUEST_UP);
	pr_warn("no hibernation while memory is private\n");
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block gmem_guest_reboot_block = { .notifier_call = gmem_guest_reboot };
static struct notifier_block gmem_guest_memory_block = { .notifier_call = gmem_guest_memory };
static struct notifier_block gmem_guest_hibernation_block = {
	.notifier_call = gmem_guest_hibernation,
};

static void gmem_guest_unwatch(void)
{
	unregister_memory_notifier(&gmem_guest_memory_block);
	unregister_reboot_notifier(&gmem_guest_reboot_block);
}

static int gmem_guest_watch(void)
{
	int rc;

	rc = register_reboot_notifier(&gmem_guest_reboot_block);
	if (rc)
		return rc;
	rc = register_memory_notifier(&gmem_guest_memory_block);
	if (rc)
		goto out_reboot;
	rc = register_pm_notifier(&gmem_guest_hibernation_block);
	if (rc)
		goto out_memory;
	return 0;
out_memory:
	unregister_memory_notifier(&gmem_guest_memory_block);
out_reboot:
	unregister_reboot_notifier(&gmem_guest_reboot_block);
	return rc;
}

static int __init gmem_guest_init(void)
{
	int rc;

	rc = gmem_guest_call_init();
	if (rc)
		return rc;
	rc = gmem_guest_watch();
	if (rc)
		return rc;
	kernel_param_lock(THIS_MODULE);
	rc = gmem_guest_private_set(&gmem_guest_want);
	gmem_guest_phase = rc ? GMEM_GUEST_CLOSED : GMEM_GUEST_UP;
	kernel_param_unlock(THIS_MODULE);
	if (!rc)
		return 0;
	unregister_pm_notifier(&gmem_guest_hibernation_block);
	gmem_guest_unwatch();
	gmem_guest_private_free();
	return rc;
}

/* What the host does not take back stays private: this guest can use it nevertheless. */
static void __exit gmem_guest_exit(void)
{
	/* First what could open it again; its parameters are there until later. */
	unregister_pm_notifier(&gmem_guest_hibernation_block);
	gmem_guest_enter(GMEM_GUEST_CLOSED);
	gmem_guest_private_end();
	gmem_guest_unwatch();
	gmem_guest_private_free();
}

module_init(gmem_guest_init);
module_exit(gmem_guest_exit);
MODULE_DESCRIPTION("Keep memory of this guest from the host");
MODULE_LICENSE("GPL");
MODULE_VERSION(GMEM_VERSION);
