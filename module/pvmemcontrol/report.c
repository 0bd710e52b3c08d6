// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: free memory goes back to the host
 *
 * With report_free_pages=1 free memory of the guest is reported to the VMM, as the balloon
 * does with free page reporting: in blocks of pageblock_order, in the background, after it
 * has been free for some seconds. The guest gets it back on access.
 *
 * The kernel accepts only one reporter, and the balloon may be it. So this one is off by
 * default, and a device does not fail if there is another reporter.
 *
 * Not in a confidential guest, whose pages are private: they would have to be accepted
 * again. Not with page poisoning either, because pages come back without the poison.
 *
 * Lock order: report_lock, then the locks of pvmemcontrol_get(). report_pages() runs
 * without report_lock, because stopping the reports waits for report_pages().
 */
#include <linux/cc_platform.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/page_reporting.h>

#include "internal.h"

/**
 * struct report - the reporter
 * @info: registered with the kernel while @pv is set
 * @pv: the device to which pages are reported, with a reference; NULL: none
 * @wanted: the module parameter
 */
struct report {
	struct page_reporting_dev_info info;
	struct pvmemcontrol *pv;
	bool wanted;
};

static struct report report;
static DEFINE_MUTEX(report_lock);

/* Return: 0; -EOPNOTSUPP or -EIO for an answer with an error; or the error of the call. */
static int report_ask(struct pvmemcontrol *pv, enum pvmemcontrol_func func,
		      phys_addr_t addr, size_t length)
{
	struct pvmemcontrol_vmm_call call = {
		.func_code = func,
		.addr = addr,
		.length = length,
	};
	struct pvmemcontrol_vmm_ret ret;
	int rc;

	rc = pvmemcontrol_call(pv, &call, &ret);
	if (rc)
		return rc;
	if (!ret.ret_errno)
		return 0;
	return ret.ret_errno == EINVAL || ret.ret_errno == EOPNOTSUPP ?
	       -EOPNOTSUPP : -EIO;
}

/*
 * The guest does not know the kind of its memory, so try REMOVE first. REMOVE frees shared
 * memory, and is refused for anonymous memory, which DONTNEED frees. In the other order
 * DONTNEED would succeed for shared memory without freeing it.
 */
static int report_block(struct pvmemcontrol *pv, phys_addr_t addr, size_t length)
{
	int rc = report_ask(pv, PVMEMCONTROL_REMOVE, addr, length);

	if (rc == -EOPNOTSUPP)
		rc = report_ask(pv, PVMEMCONTROL_DONTNEED, addr, length);
	return rc;
}

/*
 * After an error the kernel treats no block as reported. Blocks that were freed before the
 * error are reported again, which is harmless. report.pv does not change while this can run.
 */
static int report_pages(struct page_reporting_dev_info *info,
			struct scatterlist *sgl, unsigned int nents)
{
	struct pvmemcontrol *pv = container_of(info, struct report, info)->pv;
	struct scatterlist *sg;
	unsigned int i;
	int rc;

	for_each_sg(sgl, sg, nents, i) {
		rc = report_block(pv, page_to_phys(sg_page(sg)), sg->length);
		if (rc)
			return rc;
	}
	return 0;
}

/* Blocks must not be smaller than a page of the VMM, which can be huge. */
static int report_order(struct pvmemcontrol *pv)
{
	struct pvmemcontrol_vmm_call call = { .func_code = PVMEMCONTROL_INFO };
	struct pvmemcontrol_vmm_ret ret;
	int order;
	int rc;

	rc = pvmemcontrol_call(pv, &call, &ret);
	if (rc)
		return rc;
	order = max_t(int, get_order(ret.ret_value), pageblock_order);
	return order <= MAX_PAGE_ORDER ? order : -EOPNOTSUPP;
}

static int report_register(struct pvmemcontrol *pv)
{
	int order;

	if (!IS_ENABLED(CONFIG_PAGE_REPORTING) || page_poisoning_enabled_static() ||
	    cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT))
		return -EOPNOTSUPP;
	order = report_order(pv);
	if (order < 0)
		return order;
	memset(&report.info, 0, sizeof(report.info));
	report.info.report = report_pages;
	report.info.order = order;
	return page_reporting_register(&report.info);
}

/* Return: 0, also if there is no device; -EBUSY if there is another reporter. */
static int report_start(void)
{
	int rc;

	lockdep_assert_held(&report_lock);
	if (!report.wanted || report.pv)
		return 0;
	report.pv = pvmemcontrol_get();
	if (!report.pv)
		return 0;
	rc = report_register(report.pv);
	if (rc) {
		pvmemcontrol_put(report.pv);
		report.pv = NULL;
	}
	return rc;
}

static void report_stop(void)
{
	lockdep_assert_held(&report_lock);
	if (!report.pv)
		return;
	if (IS_ENABLED(CONFIG_PAGE_REPORTING))
		page_reporting_unregister(&report.info);
	pvmemcontrol_put(report.pv);
	report.pv = NULL;
}

static void report_start_or_say(void)
{
	int rc = report_start();

	if (rc == -EBUSY)
		pr_notice("free pages are reported by another driver already\n");
	else if (rc)
		pr_notice("free pages are not reported: %pe\n", ERR_PTR(rc));
}

/**
 * pvmemcontrol_report_device_added() - start to report pages if there was no device
 */
void pvmemcontrol_report_device_added(void)
{
	mutex_lock(&report_lock);
	report_start_or_say();
	mutex_unlock(&report_lock);
}

/**
 * pvmemcontrol_report_device_leaves() - stop using a device
 * @pv: the device, which was removed from the list; another one takes its place
 */
void pvmemcontrol_report_device_leaves(struct pvmemcontrol *pv)
{
	mutex_lock(&report_lock);
	if (report.pv == pv) {
		report_stop();
		report_start_or_say();
	}
	mutex_unlock(&report_lock);
}

/* Called at any time; before the module is initialised there is no device. */
static int report_param_set(const char *text, const struct kernel_param *kp)
{
	bool wanted;
	int rc;

	rc = kstrtobool(text, &wanted);
	if (rc)
		return rc;
	mutex_lock(&report_lock);
	report.wanted = wanted;
	if (!wanted)
		report_stop();
	rc = report_start();
	if (rc)
		report.wanted = false;
	mutex_unlock(&report_lock);
	return rc;
}

static int report_param_get(char *text, const struct kernel_param *kp)
{
	return sysfs_emit(text, "%c\n", READ_ONCE(report.wanted) ? 'Y' : 'N');
}

static const struct kernel_param_ops report_param_ops = {
	.set = report_param_set,
	.get = report_param_get,
};
module_param_cb(report_free_pages, &report_param_ops, NULL, 0644);
MODULE_PARM_DESC(report_free_pages,
		 "Give free memory back to the host: 0 (default) or 1; EBUSY if the balloon does");
