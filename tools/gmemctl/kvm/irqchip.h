/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interrupt controllers and the timer of a PC, as KVM has them in the
 * kernel: APICs, I/O APIC, two 8259, 8254.
 */
#ifndef GMEMCTL_KVM_IRQCHIP_H
#define GMEMCTL_KVM_IRQCHIP_H

#include <stdbool.h>

#include "../base/error.h"

#define IRQCHIP_IOAPIC_GPA	0xfec00000U
#define IRQCHIP_LAPIC_GPA	0xfee00000U
#define IRQCHIP_LAPIC_VERSION	0x14
#define IRQCHIP_ISA_IRQS	16

struct vm;

/**
 * irqchip_create() - give @vm its interrupt controllers and its timer
 *
 * Before its vCPUs are created. From then on vCPUs other than the first wait
 * in KVM_RUN until they are started, and HLT does not exit.
 */
int irqchip_create(struct vm *vm, struct error *error);

/** irqchip_set_line() - set the level of an ISA interrupt line */
int irqchip_set_line(struct vm *vm, unsigned int irq, bool level);

#endif /* GMEMCTL_KVM_IRQCHIP_H */
