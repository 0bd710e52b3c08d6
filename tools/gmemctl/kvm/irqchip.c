// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdint.h>

#include "../base/calls.h"
#include "abi.h"
#include "irqchip.h"
#include "vm.h"

/* Four pages below 4 GiB that Intel's KVM needs, away from RAM and devices. */
#define IDENTITY_MAP_GPA	0xfeffc000U
#define TSS_GPA			0xfeffd000U

static int irqchip_reserve(struct vm *vm, struct error *error)
{
	uint64_t identity = IDENTITY_MAP_GPA;
	int rc;

	rc = calls->ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	if (rc)
		return error_set(error, rc, "VM", "KVM_SET_IDENTITY_MAP_ADDR",
				 NULL);
	rc = calls_ioctl_value(vm->fd, KVM_SET_TSS_ADDR, TSS_GPA);
	if (rc)
		return error_set(error, rc, "VM", "KVM_SET_TSS_ADDR", NULL);
	return 0;
}

/* KVM answers at port 0x61, too, which Linux uses to calibrate its TSC. */
int irqchip_create(struct vm *vm, struct error *error)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	int rc = irqchip_reserve(vm, error);

	if (rc)
		return rc;
	rc = calls->ioctl(vm->fd, KVM_CREATE_IRQCHIP, NULL);
	if (rc)
		return error_set(error, rc == -ENOTTY ? -EOPNOTSUPP : rc, "KVM",
				 "KVM_CREATE_IRQCHIP",
				 "the host's kernel needs CONFIG_KVM_IOAPIC=y");
	rc = calls->ioctl(vm->fd, KVM_CREATE_PIT2, &pit);
	if (rc)
		return error_set(error, rc, "VM", "KVM_CREATE_PIT2", NULL);
	vm->irqchip = true;
	return 0;
}

int irqchip_set_line(struct vm *vm, unsigned int irq, bool level)
{
	struct kvm_irq_level line = { .irq = irq, .level = level };

	return calls->ioctl(vm->fd, KVM_IRQ_LINE, &line);
}
