// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: a device, from the time it is plugged in to the last reference
 *
 * Any number of threads can make calls. Each uses the buffer of its CPU, with preemption
 * disabled: a call never waits for the VMM of another CPU, and holds no lock across an
 * exit. A call reads pvmemcontrol.state in the same section. A task that changes the state,
 * to connect or disconnect, waits for such sections with synchronize_rcu().
 *
 * If a call is not answered, the device has lost its state, for instance because the VM was
 * restored from a snapshot. The device is connected again, and the call repeated, once. If
 * it is still not answered, the device is broken, and calls are refused.
 *
 * Lock order, outermost first:
 *
 *  1. report_lock, of report.c
 *  2. devices_lock
 *  3. &pvmemcontrol.lock
 *
 * No lock is held while a node is added or deleted.
 */
#include <linux/export.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "internal.h"
#include "trace.h"

/* Devices that have a node, the oldest first */
static LIST_HEAD(devices);
static DEFINE_MUTEX(devices_lock);

/**
 * struct call_attempt - the state of a call
 * @generation: generation of the connection that was used
 * @made: whether this attempt has reached the device
 * @unanswered: number of attempts that the device has not answered
 */
struct call_attempt {
	unsigned int generation;
	bool made;
	unsigned int unanswered;
};

/* The error of calls to a device that is not ready. */
static int state_error(struct pvmemcontrol *pv)
{
	lockdep_assert_held(&pv->lock);
	switch (pv->state) {
	case PVMEMCONTROL_GONE:
		return -ENODEV;
	case PVMEMCONTROL_SUSPENDED:
		return -EAGAIN;
	default:
		return pv->error;
	}
}

static void state_set(struct pvmemcontrol *pv, enum pvmemcontrol_state state,
		      int rc)
{
	lockdep_assert_held(&pv->lock);
	trace_pvmemcontrol_state(pv, pv->state, state, rc);
	/* Pairs with the acquire in device_try(): calls see the complete set-up. */
	smp_store_release(&pv->state, state);
}

/* End all calls. On return nobody else uses the transport. */
static void state_leave(struct pvmemcontrol *pv, enum pvmemcontrol_state state)
{
	state_set(pv, state, 0);
	synchronize_rcu();
}

static int device_connect(struct pvmemcontrol *pv)
{
	int rc;

	lockdep_assert_held(&pv->lock);
	rc = pvmemcontrol_transport_connect(&pv->transport);
	if (!rc)
		rc = pvmemcontrol_transport_info(&pv->transport, &pv->info);
	if (rc) {
		dev_err(&pv->dev, "set-up has failed: %pe\n", ERR_PTR(rc));
		/* The device may know some of the buffers. The result does not matter. */
		pvmemcontrol_transport_disconnect(&pv->transport);
		/* It may have been unplugged, before the driver is notified. */
		pv->error = rc == -ENODEV ? rc : -EIO;
	}
	/* Calls that have used an older connection must not connect it again. */
	WRITE_ONCE(pv->generation, pv->generation + 1);
	state_set(pv, rc ? PVMEMCONTROL_BROKEN : PVMEMCONTROL_READY, rc);
	return rc;
}

/* Disconnect the device. An unplugged one does not answer, which is no error. */
static void device_disconnect(struct pvmemcontrol *pv)
{
	int rc = pvmemcontrol_transport_disconnect(&pv->transport);

	if (rc && rc != -ENODEV)
		dev_warn(&pv->dev, "did not confirm the disconnection\n");
}

/* Return: 0; -EIO for no answer, and for a device that is not ready: see @attempt. */
static int device_try(struct pvmemcontrol *pv,
		      const struct pvmemcontrol_vmm_call *call,
		      struct pvmemcontrol_vmm_ret *ret,
		      struct call_attempt *attempt)
{
	int rc = -EIO;

	rcu_read_lock_sched();
	/* Pairs with the release in state_set(). */
	attempt->made = smp_load_acquire(&pv->state) == PVMEMCONTROL_READY;
	attempt->generation = READ_ONCE(pv->generation);
	if (attempt->made && call->func_code == PVMEMCONTROL_INFO) {
		*ret = pv->info;
		rc = 0;
	} else if (attempt->made) {
		rc = pvmemcontrol_transport_call(&pv->transport, call, ret);
	}
	rcu_read_unlock_sched();
	attempt->unanswered += attempt->made && rc;
	return rc;
}

/*
 * Connect the device again. Several calls can find at the same time that it does not answer:
 * the first one connects it, and the others see a new generation.
 */
static int device_repair_locked(struct pvmemcontrol *pv,
				const struct call_attempt *attempt)
{
	bool same = attempt->made && attempt->generation == pv->generation;

	lockdep_assert_held(&pv->lock);
	if (pv->state != PVMEMCONTROL_READY)
		return state_error(pv);
	if (attempt->unanswered < 2) {
		if (!same)
			return 0;
		state_leave(pv, PVMEMCONTROL_DOWN);
		return device_connect(pv) ? state_error(pv) : 0;
	}
	if (same) {
		dev_err(&pv->dev, "does not answer, and is not used any more\n");
		pv->error = -EIO;
		state_leave(pv, PVMEMCONTROL_BROKEN);
	}
	return -EIO;
}

/* Return: 0 if the call can be tried again, or the error of the call. */
static int device_repair(struct pvmemcontrol *pv,
			 const struct call_attempt *attempt)
{
	int rc;

	mutex_lock(&pv->lock);
	rc = device_repair_locked(pv, attempt);
	mutex_unlock(&pv->lock);
	return rc;
}

int pvmemcontrol_call(struct pvmemcontrol *pv,
		      const struct pvmemcontrol_vmm_call *call,
		      struct pvmemcontrol_vmm_ret *ret)
{
	struct call_attempt attempt = {};
	int rc;

	might_sleep();
	memset(ret, 0, sizeof(*ret));
	while ((rc = device_try(pv, call, ret, &attempt))) {
		rc = device_repair(pv, &attempt);
		if (rc)
			break;
	}
	trace_pvmemcontrol_call(pv, call, ret, rc);
	return rc;
}
PVMEMCONTROL_EXPORT_SYMBOL(pvmemcontrol_call);

static void device_release(struct device *dev)
{
	struct pvmemcontrol *pv = container_of(dev, struct pvmemcontrol, dev);

	pvmemcontrol_chardev_number_free(pv);
	mutex_destroy(&pv->lock);
	kfree(pv);
}

static struct pvmemcontrol *device_alloc(struct device *parent)
{
	struct pvmemcontrol *pv = kzalloc(sizeof(*pv), GFP_KERNEL);
	int rc;

	if (!pv)
		return ERR_PTR(-ENOMEM);
	rc = pvmemcontrol_chardev_number(pv);
	if (rc) {
		kfree(pv);
		return ERR_PTR(rc);
	}
	mutex_init(&pv->lock);
	INIT_LIST_HEAD(&pv->entry);
	device_initialize(&pv->dev);
	pv->dev.release = device_release;
	pv->dev.parent = parent;
	rc = pvmemcontrol_chardev_name(pv);
	if (rc) {
		put_device(&pv->dev);
		return ERR_PTR(rc);
	}
	return pv;
}

static int device_start(struct pvmemcontrol *pv, struct pvmemcontrol_regs *regs)
{
	int rc;

	rc = pvmemcontrol_transport_init(&pv->transport, regs);
	if (rc)
		return rc;
	mutex_lock(&pv->lock);
	rc = device_connect(pv);
	mutex_unlock(&pv->lock);
	if (rc)
		pvmemcontrol_transport_destroy(&pv->transport);
	return rc;
}

/* End the device. Open files and pvmemcontrol_get() can keep the structure for longer. */
static void device_stop(struct pvmemcontrol *pv)
{
	enum pvmemcontrol_state state;

	mutex_lock(&pv->lock);
	state = pv->state;
	state_leave(pv, PVMEMCONTROL_GONE);
	if (state != PVMEMCONTROL_SUSPENDED)
		device_disconnect(pv);
	pvmemcontrol_transport_destroy(&pv->transport);
	mutex_unlock(&pv->lock);
}

struct pvmemcontrol *pvmemcontrol_register(struct device *parent,
					   struct pvmemcontrol_regs *regs)
{
	struct pvmemcontrol *pv = device_alloc(parent);
	int rc;

	if (IS_ERR(pv))
		return pv;
	rc = device_start(pv, regs);
	if (rc)
		goto err_put;
	/* Last: from here on userspace can make calls. */
	rc = pvmemcontrol_chardev_add(pv);
	if (rc)
		goto err_stop;
	mutex_lock(&devices_lock);
	list_add_tail(&pv->entry, &devices);
	mutex_unlock(&devices_lock);
	pvmemcontrol_report_device_added();
	return pv;

err_stop:
	device_stop(pv);
err_put:
	put_device(&pv->dev);
	return ERR_PTR(rc);
}
PVMEMCONTROL_EXPORT_SYMBOL(pvmemcontrol_register);

void pvmemcontrol_unregister(struct pvmemcontrol *pv)
{
	pvmemcontrol_chardev_del(pv);
	mutex_lock(&devices_lock);
	list_del_init(&pv->entry);
	mutex_unlock(&devices_lock);
	/* First, while the device still answers: another device may take over. */
	pvmemcontrol_report_device_leaves(pv);
	device_stop(pv);
	put_device(&pv->dev);
}
PVMEMCONTROL_EXPORT_SYMBOL(pvmemcontrol_unregister);

void pvmemcontrol_suspend(struct pvmemcontrol *pv)
{
	mutex_lock(&pv->lock);
	state_leave(pv, PVMEMCONTROL_SUSPENDED);
	device_disconnect(pv);
	mutex_unlock(&pv->lock);
}
PVMEMCONTROL_EXPORT_SYMBOL(pvmemcontrol_suspend);

int pvmemcontrol_resume(struct pvmemcontrol *pv)
{
	int rc;

	mutex_lock(&pv->lock);
	rc = device_connect(pv);
	mutex_unlock(&pv->lock);
	return rc;
}
PVMEMCONTROL_EXPORT_SYMBOL(pvmemcontrol_resume);

struct pvmemcontrol *pvmemcontrol_get(void)
{
	struct pvmemcontrol *pv;

	mutex_lock(&devices_lock);
	pv = list_first_entry_or_null(&devices, struct pvmemcontrol, entry);
	if (pv)
		get_device(&pv->dev);
	mutex_unlock(&devices_lock);
	return pv;
}
PVMEMCONTROL_EXPORT_SYMBOL(pvmemcontrol_get);

void pvmemcontrol_put(struct pvmemcontrol *pv)
{
	put_device(&pv->dev);
}
PVMEMCONTROL_EXPORT_SYMBOL(pvmemcontrol_put);
