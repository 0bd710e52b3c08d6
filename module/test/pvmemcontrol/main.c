// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: pvmemcontrol_test.ko
 *
 * Never installed. Each open file of /dev/pvmemcontrol_test is a device for pvmemcontrol,
 * with the model behind its registers, see pvmemcontrol_test.h. The module contains KUnit
 * suites if the kernel has KUnit.
 *
 * Lock order: &mock.lock, then all locks of pvmemcontrol.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/page_reporting.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../../pvmemcontrol/internal.h"
#include "model.h"
#include "pvmemcontrol_test.h"

/**
 * struct mock - an open file
 * @model: the device
 * @lock: serialises ioctls
 * @pv: the driver's device; NULL: it is unplugged
 * @number: number of the node
 * @reporter: registered as the kernel's reporter of free pages, if @reports
 * @reports: whether @reporter is registered
 */
struct mock {
	struct model model;
	struct mutex lock;
	struct pvmemcontrol *pv;
	unsigned int number;
	struct page_reporting_dev_info reporter;
	bool reports;
};

static struct miscdevice mock_device;

static int mock_open(struct inode *inode, struct file *file)
{
	struct mock *mock = kzalloc(sizeof(*mock), GFP_KERNEL);
	int rc;

	if (!mock)
		return -ENOMEM;
	mutex_init(&mock->lock);
	model_init(&mock->model);
	mock->pv = pvmemcontrol_register(mock_device.this_device,
					 &mock->model.regs);
	if (IS_ERR(mock->pv)) {
		rc = PTR_ERR(mock->pv);
		kfree(mock);
		return rc;
	}
	mock->number = MINOR(mock->pv->dev.devt);
	file->private_data = mock;
	return 0;
}

static int mock_report(struct page_reporting_dev_info *reporter,
		       struct scatterlist *sgl, unsigned int nents)
{
	return -EAGAIN;
}

static int mock_reporter(struct mock *mock, bool on)
{
	int rc = 0;

	if (!IS_ENABLED(CONFIG_PAGE_REPORTING))
		return -EOPNOTSUPP;
	if (mock->reports == on)
		return 0;
	mock->reporter.report = mock_report;
	mock->reporter.order = pageblock_order;
	if (on)
		rc = page_reporting_register(&mock->reporter);
	else
		page_reporting_unregister(&mock->reporter);
	mock->reports = on && !rc;
	return rc;
}

static int mock_unplug(struct mock *mock)
{
	WRITE_ONCE(mock->model.unplugged, true);
	pvmemcontrol_unregister(mock->pv);
	mock->pv = NULL;
	return 0;
}

static int mock_resume(struct mock *mock)
{
	model_forget(&mock->model);
	return pvmemcontrol_resume(mock->pv);
}

static void mock_set(struct mock *mock, const struct pvmemcontrol_test_do *what)
{
	raw_spin_lock(&mock->model.lock);
	if (what->op == PVMEMCONTROL_TEST_MUTE)
		mock->model.mute = what->value;
	else
		mock->model.fail = what->value;
	raw_spin_unlock(&mock->model.lock);
}

static int mock_do(struct mock *mock, const struct pvmemcontrol_test_do *what)
{
	lockdep_assert_held(&mock->lock);
	if (what->op == PVMEMCONTROL_TEST_REPORTER)
		return mock_reporter(mock, what->value);
	if (!mock->pv)
		return -ENODEV;
	switch (what->op) {
	case PVMEMCONTROL_TEST_UNPLUG:
		return mock_unplug(mock);
	case PVMEMCONTROL_TEST_FORGET:
		model_forget(&mock->model);
		return 0;
	case PVMEMCONTROL_TEST_SUSPEND:
		pvmemcontrol_suspend(mock->pv);
		return 0;
	case PVMEMCONTROL_TEST_RESUME:
		return mock_resume(mock);
	case PVMEMCONTROL_TEST_MUTE:
	case PVMEMCONTROL_TEST_FAIL:
		mock_set(mock, what);
		return 0;
	default:
		return -EINVAL;
	}
}

static long mock_ioctl_do(struct mock *mock, void __user *user)
{
	struct pvmemcontrol_test_do what;
	int rc;

	if (copy_from_user(&what, user, sizeof(what)))
		return -EFAULT;
	mutex_lock(&mock->lock);
	rc = mock_do(mock, &what);
	mutex_unlock(&mock->lock);
	return rc;
}

static long mock_ioctl_seen(struct mock *mock, void __user *user)
{
	struct model *model = &mock->model;
	struct pvmemcontrol_test_seen seen;

	raw_spin_lock(&model->lock);
	seen = (struct pvmemcontrol_test_seen){
		.number = mock->number,
		.connections = model->connections,
		.resets = model->resets,
		.requests = model->requests,
		.func = le64_to_cpu(model->last.word[0]),
		.addr = le64_to_cpu(model->last.word[1]),
		.length = le64_to_cpu(model->last.word[2]),
		.arg = le64_to_cpu(model->last.word[3]),
	};
	raw_spin_unlock(&model->lock);
	return copy_to_user(user, &seen, sizeof(seen)) ? -EFAULT : 0;
}

static long mock_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case PVMEMCONTROL_TEST_DO:
		return mock_ioctl_do(file->private_data, (void __user *)arg);
	case PVMEMCONTROL_TEST_SEEN:
		return mock_ioctl_seen(file->private_data, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static int mock_release(struct inode *inode, struct file *file)
{
	struct mock *mock = file->private_data;

	mock_reporter(mock, false);
	if (mock->pv)
		pvmemcontrol_unregister(mock->pv);
	mutex_destroy(&mock->lock);
	kfree(mock);
	return 0;
}

static const struct file_operations mock_fops = {
	.owner = THIS_MODULE,
	.open = mock_open,
	.unlocked_ioctl = mock_ioctl,
	.release = mock_release,
	.llseek = noop_llseek,
};

static struct miscdevice mock_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "pvmemcontrol_test",
	.fops = &mock_fops,
	.mode = 0600,
};
module_misc_device(mock_device);

PVMEMCONTROL_IMPORT_NS();
MODULE_DESCRIPTION("A model of the device of pvmemcontrol, and unit tests");
MODULE_LICENSE("GPL");
MODULE_VERSION(GMEM_VERSION);
