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
 * With an IOMMU that translates, swiotlb=force does not copy: dma-iommu maps the pages.
 *
 * Devices whose driver comes later are looked at, too, but one that is plugged in later is not
 * seen. Takes the locks of the buses' lists, and no other.
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

/* Without a driver a device has agreed to nothing yet: what it offers is what a driver takes. */
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
