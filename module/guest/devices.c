// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: devices that would access private memory
 *
 * A device of the VMM reads zeros in private pages, and its writes there are lost. With
 * swiotlb=force Linux copies the data through a pool that stays shared. But a virtio device
 * without VIRTIO_F_ACCESS_PLATFORM gets the addresses of the original pages. The module refuses
 * to make memory private if there is such a device. The balloon is an exception: it uses only
 * addresses, not contents.
 *
 * With an IOMMU that translates, swiotlb=force does not copy: dma-iommu maps the pages.
 *
 * Devices without a driver are checked, too. A device that is plugged later is not.
 *
 * Takes the locks of the buses' lists, and no other.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/swiotlb.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <uapi/linux/virtio_ids.h>

#include "internal.h"

/* A device without a driver has no negotiated features yet: check those that it offers. */
static bool gmem_guest_virtio_bounces(struct virtio_device *virtio)
{
	u64 features[VIRTIO_FEATURES_U64S];

	if (READ_ONCE(virtio->dev.driver))
		return __virtio_test_bit(virtio, VIRTIO_F_ACCESS_PLATFORM);
	virtio_get_features(virtio, features);
	return features[0] & BIT_ULL(VIRTIO_F_ACCESS_PLATFORM);
}

static int gmem_guest_virtio_check(struct device *dev, void *data)
{
	struct virtio_device *virtio = dev_to_virtio(dev);

	if (!dev->bus || strcmp(dev->bus->name, "virtio") ||
	    virtio->id.device == VIRTIO_ID_BALLOON || gmem_guest_virtio_bounces(virtio))
		return 0;
	pr_err("%s (%s) uses memory directly: give it the options iommu_platform=on,disable-legacy=on\n",
	       dev_name(dev), dev_name(dev->parent));
	return -EBUSY;
}

static bool gmem_guest_iommu_translates(struct device *dev)
{
#ifdef CONFIG_IOMMU_API
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type != IOMMU_DOMAIN_IDENTITY;
#else
	return false;
#endif
}

static int gmem_guest_pci_check(struct device *dev, void *data)
{
	bool bridge = to_pci_dev(dev)->class >> 16 == PCI_BASE_CLASS_BRIDGE;

	if (!is_swiotlb_force_bounce(dev) && (dev->driver || !bridge)) {
		pr_err("%s uses memory directly: boot with \"swiotlb=force\"\n", dev_name(dev));
		return -EBUSY;
	}
	if (gmem_guest_iommu_translates(dev)) {
		pr_err("%s uses memory directly, through an IOMMU: boot with \"iommu=pt\"\n",
		       dev_name(dev));
		return -EBUSY;
	}
	return device_for_each_child(dev, NULL, gmem_guest_virtio_check);
}

static int gmem_guest_platform_check(struct device *dev, void *data)
{
	return device_for_each_child(dev, NULL, gmem_guest_virtio_check);
}

/**
 * gmem_guest_devices_check() - check that no device accesses private memory
 *
 * Return: 0; or -EBUSY, after the first such device was logged.
 */
int gmem_guest_devices_check(void)
{
	int rc;

	rc = bus_for_each_dev(&pci_bus_type, NULL, NULL, gmem_guest_pci_check);
	if (!rc)
		rc = bus_for_each_dev(&platform_bus_type, NULL, NULL, gmem_guest_platform_check);
	return rc;
}
