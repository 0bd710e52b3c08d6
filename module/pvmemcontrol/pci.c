// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: the device as a function of PCI
 *
 * 1ae0:0087 (Google's vendor number), without interrupts. Bus mastering stays off: not the
 * device but the VMM accesses the guest's memory.
 *
 * Takes no locks.
 */
#include <linux/io.h>
#include <linux/pci.h>
#include <linux/pm.h>
#include <linux/slab.h>

#include "internal.h"

#define PCI_VENDOR_GOOGLE	0x1ae0
#define PCI_DEVICE_PVMEMCONTROL	0x0087
#define PCI_REGS_BAR		0
#define PCI_REGS_SIZE		16

/**
 * struct pvmemcontrol_pci - a PCI function
 * @regs: methods to access its registers
 * @bar: its registers
 * @pv: the device
 */
struct pvmemcontrol_pci {
	struct pvmemcontrol_regs regs;
	void __iomem *bar;
	struct pvmemcontrol *pv;
};

static u32 pvmemcontrol_pci_regs_read(struct pvmemcontrol_regs *regs,
				      u32 offset)
{
	struct pvmemcontrol_pci *pci = container_of(regs, struct pvmemcontrol_pci, regs);

	return ioread32(pci->bar + offset);
}

/* What the CPU has written to memory before, the device sees. */
static void pvmemcontrol_pci_regs_write(struct pvmemcontrol_regs *regs,
					u32 offset, u32 value)
{
	struct pvmemcontrol_pci *pci = container_of(regs, struct pvmemcontrol_pci, regs);

	iowrite32(value, pci->bar + offset);
}

static int pvmemcontrol_pci_regs_map(struct pci_dev *pdev,
				     struct pvmemcontrol_pci *pci)
{
	if (!(pci_resource_flags(pdev, PCI_REGS_BAR) & IORESOURCE_MEM) ||
	    pci_resource_len(pdev, PCI_REGS_BAR) < PCI_REGS_SIZE)
		return dev_err_probe(&pdev->dev, -ENODEV,
				     "BAR %u is not %u bytes of memory\n",
				     PCI_REGS_BAR, PCI_REGS_SIZE);
	pci->bar = pcim_iomap_region(pdev, PCI_REGS_BAR, KBUILD_MODNAME);
	pci->regs.read = pvmemcontrol_pci_regs_read;
	pci->regs.write = pvmemcontrol_pci_regs_write;
	return PTR_ERR_OR_ZERO(pci->bar);
}

/* Resources of devm and pcim are freed after remove(), when calls have ended. */
static int pvmemcontrol_pci_probe(struct pci_dev *pdev,
				  const struct pci_device_id *id)
{
	struct pvmemcontrol_pci *pci;
	int rc;

	pci = devm_kzalloc(&pdev->dev, sizeof(*pci), GFP_KERNEL);
	if (!pci)
		return -ENOMEM;
	rc = pcim_enable_device(pdev);
	if (rc)
		return rc;
	rc = pvmemcontrol_pci_regs_map(pdev, pci);
	if (rc)
		return rc;
	pci->pv = pvmemcontrol_register(&pdev->dev, &pci->regs);
	if (IS_ERR(pci->pv))
		return PTR_ERR(pci->pv);
	pci_set_drvdata(pdev, pci);
	return 0;
}

static void pvmemcontrol_pci_remove(struct pci_dev *pdev)
{
	struct pvmemcontrol_pci *pci = pci_get_drvdata(pdev);

	pvmemcontrol_unregister(pci->pv);
}

static int pvmemcontrol_pci_suspend(struct device *dev)
{
	struct pvmemcontrol_pci *pci = dev_get_drvdata(dev);

	pvmemcontrol_suspend(pci->pv);
	return 0;
}

static int pvmemcontrol_pci_resume(struct device *dev)
{
	struct pvmemcontrol_pci *pci = dev_get_drvdata(dev);

	return pvmemcontrol_resume(pci->pv);
}

static DEFINE_SIMPLE_DEV_PM_OPS(pvmemcontrol_pci_pm, pvmemcontrol_pci_suspend,
				pvmemcontrol_pci_resume);

static const struct pci_device_id pvmemcontrol_pci_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_GOOGLE, PCI_DEVICE_PVMEMCONTROL) },
	{}
};
MODULE_DEVICE_TABLE(pci, pvmemcontrol_pci_ids);

static struct pci_driver pvmemcontrol_pci_driver = {
	.name = KBUILD_MODNAME,
	.id_table = pvmemcontrol_pci_ids,
	.probe = pvmemcontrol_pci_probe,
	.remove = pvmemcontrol_pci_remove,
	.driver.pm = pm_sleep_ptr(&pvmemcontrol_pci_pm),
};

int pvmemcontrol_pci_init(void)
{
	return pci_register_driver(&pvmemcontrol_pci_driver);
}

void pvmemcontrol_pci_exit(void)
{
	pci_unregister_driver(&pvmemcontrol_pci_driver);
}
