// SPDX-License-Identifier: GPL-2.0
#include "../kvm/irqchip.h"
#include "mptable.h"
#include "table.h"

#define CPUS_MAX	254

#define SPEC_1_4	4
#define POINTER_SIZE	16
#define POINTER_CHECKSUM 10
#define HEADER_LENGTH	4	/* offsets in the header */
#define HEADER_CHECKSUM	7
#define HEADER_COUNT	34

enum {
	ENTRY_CPU,
	ENTRY_BUS,
	ENTRY_IOAPIC,
	ENTRY_INTERRUPT,
	ENTRY_LOCAL,
};

enum {
	INTERRUPT_VECTORED,
	INTERRUPT_NMI,
	INTERRUPT_SMI,
	INTERRUPT_8259,
};

#define CPU_ENABLED	0x01
#define CPU_BOOT	0x02
#define CPU_FAMILY_6	0x00000600
#define CPU_FPU_APIC	0x00000201
#define IOAPIC_VERSION	0x11
#define IOAPIC_ENABLED	0x01
#define ISA_BUS		0
#define ISA_CASCADE	2
#define ALL_APICS	0xff

static void put_pointer(struct table *table, uint32_t gpa)
{
	table_put(table, "_MP_", 4);
	table_u32(table, gpa + POINTER_SIZE);
	table_u8(table, POINTER_SIZE / 16);
	table_u8(table, SPEC_1_4);
	table_zero(table, 6);
	table_checksum(table, 0, POINTER_SIZE, POINTER_CHECKSUM);
}

static void put_header(struct table *table)
{
	table_put(table, "PCMP", 4);
	table_u16(table, 0);		/* length, later */
	table_u8(table, SPEC_1_4);
	table_u8(table, 0);		/* checksum, later */
	table_text(table, "GMEM", 8);
	table_text(table, "GMEMCTL", 12);
	table_u32(table, 0);		/* no OEM table */
	table_u16(table, 0);
	table_u16(table, 0);		/* number of entries, later */
	table_u32(table, IRQCHIP_LAPIC_GPA);
	table_u32(table, 0);		/* no extended table */
}

static void put_cpu(struct table *table, unsigned int cpu)
{
	table_u8(table, ENTRY_CPU);
	table_u8(table, (uint8_t)cpu);
	table_u8(table, IRQCHIP_LAPIC_VERSION);
	table_u8(table, CPU_ENABLED | (cpu ? 0 : CPU_BOOT));
	table_u32(table, CPU_FAMILY_6);
	table_u32(table, CPU_FPU_APIC);
	table_zero(table, 8);
}

static void put_bus(struct table *table)
{
	table_u8(table, ENTRY_BUS);
	table_u8(table, ISA_BUS);
	table_text(table, "ISA", 6);
}

static void put_ioapic(struct table *table, uint8_t id)
{
	table_u8(table, ENTRY_IOAPIC);
	table_u8(table, id);
	table_u8(table, IOAPIC_VERSION);
	table_u8(table, IOAPIC_ENABLED);
	table_u32(table, IRQCHIP_IOAPIC_GPA);
}

/* An ISA interrupt to a pin of the I/O APIC, or to one of all local APICs. */
static void put_interrupt(struct table *table, uint8_t entry, uint8_t type,
			  uint8_t irq, uint8_t apic, uint8_t pin)
{
	table_u8(table, entry);
	table_u8(table, type);
	table_u16(table, 0);		/* as usual for the bus */
	table_u8(table, ISA_BUS);
	table_u8(table, irq);
	table_u8(table, apic);
	table_u8(table, pin);
}

static unsigned int put_entries(struct table *table, unsigned int nr_cpus)
{
	uint8_t ioapic = (uint8_t)nr_cpus;
	unsigned int count = nr_cpus + 4;

	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		put_cpu(table, cpu);
	put_bus(table);
	put_ioapic(table, ioapic);
	/* KVM has ISA interrupt n at pin n, the timer included. */
	for (uint8_t irq = 0; irq < IRQCHIP_ISA_IRQS; irq++) {
		if (irq == ISA_CASCADE)
			continue;
		put_interrupt(table, ENTRY_INTERRUPT, INTERRUPT_VECTORED, irq,
			      ioapic, irq);
		count++;
	}
	put_interrupt(table, ENTRY_LOCAL, INTERRUPT_8259, 0, ALL_APICS, 0);
	put_interrupt(table, ENTRY_LOCAL, INTERRUPT_NMI, 0, ALL_APICS, 1);
	return count;
}

size_t mptable_build(uint8_t *bytes, size_t size, uint32_t gpa,
		     unsigned int nr_cpus)
{
	struct table table = { .bytes = bytes, .size = size };
	unsigned int entries;
	size_t length;

	if (!nr_cpus || nr_cpus > CPUS_MAX)
		return 0;
	put_pointer(&table, gpa);
	put_header(&table);
	entries = put_entries(&table, nr_cpus);
	if (table.full)
		return 0;
	length = table.used - POINTER_SIZE;
	table_set_u16(&table, POINTER_SIZE + HEADER_LENGTH, (uint16_t)length);
	table_set_u16(&table, POINTER_SIZE + HEADER_COUNT, (uint16_t)entries);
	table_checksum(&table, POINTER_SIZE, length,
		       POINTER_SIZE + HEADER_CHECKSUM);
	return table.used;
}
