// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: gmem_guest.ko
 *
 * For guests: makes most of this guest's memory private, so that the host cannot read it. The
 * module needs neither gmem.ko nor its requirements. The host has gmem, or another VMM that
 * handles KVM_HC_MAP_GPA_RANGE.
 *
 * This file has the parameters, and the notifiers for reboot, memory hotplug and hibernation.
 * ``private`` and ``shared`` select the private pages: when the module is loaded, and when they
 * are written to in /sys/module/gmem_guest/parameters/. A write that fails changes nothing,
 * unless the host refuses to make pages shared, see gmem_guest_private_set().
 *
 * Locks: the kernel's lock of the module's parameters, then gmem_guest_lock (private.c).
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
 * Whether a write to a parameter has an effect. EARLY: the module is being loaded; the value is
 * only stored. UP: pages change. CLOSED: the module is being unloaded, or this kernel ends, and
 * nothing may become private any more.
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
 * Make all memory shared before kexec: the next kernel expects that. A reset needs nothing: a
 * host with gmem zeroes private pages before it makes them shared.
 */
static int gmem_guest_reboot(struct notifier_block *block, unsigned long event, void *command)
{
	if (event == SYS_RESTART && command && !strcmp(command, "kexec reboot")) {
		gmem_guest_enter(GMEM_GUEST_CLOSED);
		gmem_guest_private_end();
	}
	return NOTIFY_DONE;
}

/* A memory block with private pages does not go offline: it could not be made shared later. */
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

/*
 * Refuse hibernation and resume while memory is private. After a resume all memory is shared,
 * because another kernel has booted meanwhile, and this kernel would not know.
 */
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

/* Memory that the host refuses to make shared stays private. The guest can still use it. */
static void __exit gmem_guest_exit(void)
{
	/* First, because this notifier can reset the phase. Parameters still exist. */
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
