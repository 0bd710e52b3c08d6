// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: which devices would miss private memory
 *
 * A device of the VMM finds zeros in private pages, and what it writes there is lost. With
 * swiotlb=force Linux copies for it, by way of a pool that stays shared. Not so for a device of
 * virtio that was not told by VIRTIO_F_ACCESS_PLATFORM that it does not see all memory: Linux
 * gives it the very pages. Such devices are refused, but for the balloon's, to which addresses
 * matter and no contents.
 *
 * It is looked when memory is to become private: a device that is plugged in later is not seen.
 * Takes the locks of the buses' lists, and no other.
 */
#include <linux/device.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/swiotlb.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <uapi/linux/virtio_ids.h>

#include "internal.h"

/* A device without a driver does nothing, and has agreed to nothing yet. */
static int gmem_guest_virtio_check(struct device *dev, void *data)
{
	struct virtio_device *virtio = dev_to_virtio(dev);

	if (!dev->bus || strcmp(dev->bus->name, "virtio") || !dev->driver)
		return 0;
	if (virtio->id.device == VIRTIO_ID_BALLOON ||
	    __virtio_test_bit(virtio, VIRTIO_F_ACCESS_PLATFORM))
		return 0;
	pr_err("%s (%s, driver %s) uses memory directly: give it the options iommu_platform=on,disable-legacy=on\n",
	       dev_name(dev), dev_name(dev->parent), dev->driver->name);
	return -EBUSY;
}

static int gmem_guest_pci_check(struct device *dev, void *data)
{
	if (dev->driver && !is_swiotlb_force_bounce(dev)) {
		pr_err("%s uses memory directly: boot with \"swiotlb=force\"\n", dev_name(dev));
		return -EBUSY;
	}
	return device_for_each_child(dev, NULL, gmem_guest_virtio_check);
}

static int gmem_guest_platform_check(struct device *dev, void *data)
{
	return device_for_each_child(dev, NULL, gmem_guest_virtio_check);
}

/**
 * gmem_guest_devices_check() - whether all devices can do without private memory
 *
 * Return: 0, or -EBUSY, after the log has the first one that cannot.
 */
int gmem_guest_devices_check(void)
{
	int rc;

	rc = bus_for_each_dev(&pci_bus_type, NULL, NULL, gmem_guest_pci_check);
	if (!rc)
		rc = bus_for_each_dev(&platform_bus_type, NULL, NULL, gmem_guest_platform_check);
	return rc;
}
