// SPDX-License-Identifier: GPL-2.0
/* The tables that firmware would have left: ACPI, and Intel's MP table. */
#include <string.h>

#include "../base/bytes.h"
#include "../devices/pci.h"
#include "../devices/chipset.h"
#include "../kvm/vcpu.h"
#include "tables.h"

#define CPUS_MAX	254
#define SCI_IRQ		9

#define RSDP_SIZE	36
#define RSDP_V1_SIZE	20
#define RSDP_CHECKSUM	8
#define RSDP_XSDT	24
#define RSDP_CHECKSUM_2	32

#define HEADER_LENGTH	4
#define HEADER_CHECKSUM	9

#define FACS_SIZE	64

/* FADT */
#define FADT_REVISION	3
#define PROFILE_SERVER	4
#define ARCH_LEGACY	0x0001	/* but no keyboard controller to be searched */
#define ARCH_NO_VGA	0x0004
#define FLAG_WBINVD	0x00000001
#define FLAG_C1		0x00000004
#define FLAG_NO_POWER	0x00000010	/* no fixed power button */
#define FLAG_NO_SLEEP	0x00000020
#define FLAG_NO_RTC	0x00000040
#define FLAG_TIMER_32	0x00000100
#define FLAG_RESET	0x00000400
#define CMOS_CENTURY	0x32
#define NO_C2		0xffff
#define RESET_VALUE	0x06

#define SPACE_IO	1

/* MADT */
#define MADT_PCAT	1	/* there are 8259s, too */
#define MADT_LAPIC	0
#define MADT_IOAPIC	1
#define MADT_OVERRIDE	2
#define MADT_NMI	4
#define LEVEL_HIGH	0x000d
#define ALL_CPUS	0xff

#define SPEC_1_4	4
#define POINTER_SIZE	16
#define POINTER_CHECKSUM 10
#define MPTABLE_HEADER_LENGTH	4	/* offsets in the header */
#define MPTABLE_HEADER_CHECKSUM	7
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
#define PCI_BUS		1
#define PCI_SOURCE_SLOT	2	/* of the number of an interrupt: above the pin's two bits */
#define ISA_CASCADE	2
#define ALL_APICS	0xff

#define PCI_IO_LAST	(PCI_IO_START + PCI_IO_SIZE - 1)
#define DWORD(value) \
	(value) & 0xff, (value) >> 8 & 0xff, (value) >> 16 & 0xff, (value) >> 24

static bool table_room(struct table *table, size_t size)
{
	if (table->full || size > table->size - table->used)
		table->full = true;
	return !table->full;
}

void table_put(struct table *table, const void *bytes, size_t size)
{
	if (!table_room(table, size))
		return;
	memcpy(table->bytes + table->used, bytes, size);
	table->used += size;
}

static void table_zero(struct table *table, size_t size)
{
	if (!table_room(table, size))
		return;
	memset(table->bytes + table->used, 0, size);
	table->used += size;
}

static void table_u8(struct table *table, uint8_t value)
{
	table_put(table, &value, sizeof(value));
}

static void table_u16(struct table *table, uint16_t value)
{
	uint8_t bytes[sizeof(value)];

	bytes_put16(bytes, value);
	table_put(table, bytes, sizeof(bytes));
}

static void table_u32(struct table *table, uint32_t value)
{
	uint8_t bytes[sizeof(value)];

	bytes_put32(bytes, value);
	table_put(table, bytes, sizeof(bytes));
}

static void table_u64(struct table *table, uint64_t value)
{
	uint8_t bytes[sizeof(value)];

	bytes_put64(bytes, value);
	table_put(table, bytes, sizeof(bytes));
}

/* A field of @size bytes, filled up with spaces */
static void table_text(struct table *table, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		table_u8(table, *text ? (uint8_t)*text++ : ' ');
}

/* Zeroes up to a multiple of @unit */
static void table_align(struct table *table, size_t unit)
{
	table_zero(table, (unit - table->used % unit) % unit);
}

static void table_set_u16(struct table *table, size_t offset, uint16_t value)
{
	if (!table->full)
		bytes_put16(table->bytes + offset, value);
}

static void table_set_u32(struct table *table, size_t offset, uint32_t value)
{
	if (!table->full)
		bytes_put32(table->bytes + offset, value);
}

/* Overwrite what is at @offset; nothing once the table is full. */
static void table_set_u64(struct table *table, size_t offset, uint64_t value)
{
	if (!table->full)
		bytes_put64(table->bytes + offset, value);
}

/*
 * Make the sum of bytes zero
 * @start: the first of them
 * @size: number of them
 * @at: which of them is the checksum
 */
static void table_checksum(struct table *table, size_t start, size_t size,
			   size_t at)
{
	uint8_t sum = 0;

	if (table->full)
		return;
	table->bytes[at] = 0;
	for (size_t i = 0; i < size; i++)
		sum += table->bytes[start + i];
	table->bytes[at] = (uint8_t)-sum;
}

/*
 * Name (_S5, Package () { 5, 5, 0, 0 })
 * Scope (\_SB) {
 *     Device (PEVT) {
 *         Name (_HID, "QEMU0001")
 *         Name (_STA, 0x0f)
 *         Name (_CRS, ResourceTemplate () {
 *             IO (Decode16, 0x0505, 0x0505, 1, 1)
 *         })
 *     }
 * }
 */
static const uint8_t dsdt_code[] = {
	0x08, '_', 'S', '5', '_', 0x12, 0x08, 0x04,
	0x0a, POWER_S5_TYPE, 0x0a, POWER_S5_TYPE, 0x00, 0x00,
	0x10, 0x36, '\\', '_', 'S', 'B', '_',
	0x5b, 0x82, 0x2e, 'P', 'E', 'V', 'T',
	0x08, '_', 'H', 'I', 'D',
	0x0d, 'Q', 'E', 'M', 'U', '0', '0', '0', '1', 0x00,
	0x08, '_', 'S', 'T', 'A', 0x0a, 0x0f,
	0x08, '_', 'C', 'R', 'S', 0x11, 0x0d, 0x0a, 0x0a,
	0x47, 0x01, PVPANIC_PORT & 0xff, PVPANIC_PORT >> 8,
	PVPANIC_PORT & 0xff, PVPANIC_PORT >> 8, 0x01, 0x01, 0x79, 0x00,
};

/*
 * Scope (\_SB) {
 *     Device (PCI0) {
 *         Name (_HID, EisaId ("PNP0A03"))
 *         Name (_CRS, ResourceTemplate () {
 *             WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
 *                            0, 0, 0, 0, 1)
 *             IO (Decode16, 0x0cf8, 0x0cf8, 1, 8)
 *             WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
 *                     0, 0x0d00, 0x0dff, 0, 0x0100)
 *             DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
 *                          NonCacheable, ReadWrite,
 *                          0, 0xe0000000, 0xefffffff, 0, 0x10000000)
 *         })
 *         Name (_PRT, Package () {
 *             Package () { 0x0002ffff, 0, 0, 10 }
 *         })
 *     }
 * }
 *
 * The balloon is the only one with an interrupt.
 */
static const uint8_t dsdt_pci_code[] = {
	0x10, 0x4b, 0x07, '\\', '_', 'S', 'B', '_',
	0x5b, 0x82, 0x42, 0x07, 'P', 'C', 'I', '0',
	0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x0a, 0x03,
	0x08, '_', 'C', 'R', 'S', 0x11, 0x48, 0x04, 0x0a, 0x44,
	0x88, 0x0d, 0x00, 0x02, 0x0c, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
	0x47, 0x01, PCI_PORT & 0xff, PCI_PORT >> 8,
	PCI_PORT & 0xff, PCI_PORT >> 8, 0x01, 0x08,
	0x88, 0x0d, 0x00, 0x01, 0x0c, 0x03,
	0x00, 0x00, PCI_IO_START & 0xff, PCI_IO_START >> 8,
	PCI_IO_LAST & 0xff, PCI_IO_LAST >> 8, 0x00, 0x00,
	PCI_IO_SIZE & 0xff, PCI_IO_SIZE >> 8,
	0x87, 0x17, 0x00, 0x00, 0x0c, 0x01,
	0x00, 0x00, 0x00, 0x00, DWORD(PCI_MEMORY_START),
	DWORD(PCI_MEMORY_START + (PCI_MEMORY_SIZE - 1)),
	0x00, 0x00, 0x00, 0x00, DWORD(PCI_MEMORY_SIZE), 0x79, 0x00,
	0x08, '_', 'P', 'R', 'T', 0x12, 0x0e, 0x01,
	0x12, 0x0b, 0x04, 0x0c, 0xff, 0xff, PCI_SLOT_BALLOON, 0x00,
	0x00, 0x00, 0x0a, PCI_IRQ,
};

static void put_rsdp(struct table *table)
{
	table_put(table, "RSD PTR ", 8);
	table_u8(table, 0);		/* checksums, later */
	table_text(table, "GMEM", 6);
	table_u8(table, 2);		/* ACPI 2.0: there is an XSDT */
	table_u32(table, 0);		/* and no RSDT */
	table_u32(table, RSDP_SIZE);
	table_u64(table, 0);		/* the XSDT, later */
	table_zero(table, 4);
}

static void finish_rsdp(struct table *table, uint64_t xsdt)
{
	table_set_u64(table, RSDP_XSDT, xsdt);
	table_checksum(table, 0, RSDP_V1_SIZE, RSDP_CHECKSUM);
	table_checksum(table, 0, RSDP_SIZE, RSDP_CHECKSUM_2);
}

/* Return: where the table starts; it ends with finish(). */
static size_t put_header(struct table *table, const char *signature,
			 uint8_t revision)
{
	size_t start;

	table_align(table, 16);
	start = table->used;
	table_put(table, signature, 4);
	table_u32(table, 0);		/* length, later */
	table_u8(table, revision);
	table_u8(table, 0);		/* checksum, later */
	table_text(table, "GMEM", 6);
	table_text(table, "GMEMCTL", 8);
	table_u32(table, 1);
	table_put(table, "GMEM", 4);
	table_u32(table, 1);
	return start;
}

static void finish(struct table *table, size_t start)
{
	size_t length = table->used - start;

	table_set_u32(table, start + HEADER_LENGTH, (uint32_t)length);
	table_checksum(table, start, length, start + HEADER_CHECKSUM);
}

static size_t put_dsdt(struct table *table, bool pci)
{
	size_t start = put_header(table, "DSDT", 2);

	table_put(table, dsdt_code, sizeof(dsdt_code));
	if (pci)
		table_put(table, dsdt_pci_code, sizeof(dsdt_pci_code));
	finish(table, start);
	return start;
}

static size_t put_facs(struct table *table)
{
	size_t start;

	table_align(table, FACS_SIZE);
	start = table->used;
	table_put(table, "FACS", 4);
	table_u32(table, FACS_SIZE);
	table_zero(table, FACS_SIZE - 8);
	return start;
}

static void put_address(struct table *table, uint16_t port, uint8_t bits)
{
	table_u8(table, SPACE_IO);
	table_u8(table, bits);
	table_u8(table, 0);
	table_u8(table, bits == 8 ? 1 : bits == 16 ? 2 : 3);
	table_u64(table, port);
}

/* Registers by port number, as in ACPI 1.0. */
static void put_fadt_ports(struct table *table)
{
	table_u32(table, POWER_EVENT_PORT);
	table_u32(table, 0);
	table_u32(table, POWER_CONTROL_PORT);
	table_u32(table, 0);
	table_u32(table, 0);
	table_u32(table, POWER_TIMER_PORT);
	table_zero(table, 8);		/* no general purpose events */
	table_u8(table, 4);		/* bytes of the registers above */
	table_u8(table, 2);
	table_u8(table, 0);
	table_u8(table, 4);
	table_zero(table, 4);
}

/* The same as addresses, which count if they are there. */
static void put_fadt_addresses(struct table *table)
{
	put_address(table, POWER_EVENT_PORT, 32);
	table_zero(table, 12);
	put_address(table, POWER_CONTROL_PORT, 16);
	table_zero(table, 12);
	table_zero(table, 12);
	put_address(table, POWER_TIMER_PORT, 32);
	table_zero(table, 24);
}

static size_t put_fadt(struct table *table, uint32_t facs, uint32_t dsdt)
{
	size_t start = put_header(table, "FACP", FADT_REVISION);

	table_u32(table, facs);
	table_u32(table, dsdt);
	table_u8(table, 0);
	table_u8(table, PROFILE_SERVER);
	table_u16(table, SCI_IRQ);
	table_zero(table, 8);		/* ACPI is always on: no SMI command */
	put_fadt_ports(table);
	table_u16(table, NO_C2);
	table_u16(table, NO_C2);
	table_zero(table, 8);
	table_u8(table, CMOS_CENTURY);
	table_u16(table, ARCH_LEGACY | ARCH_NO_VGA);
	table_u8(table, 0);
	table_u32(table, FLAG_WBINVD | FLAG_C1 | FLAG_NO_POWER | FLAG_NO_SLEEP |
		  FLAG_NO_RTC | FLAG_TIMER_32 | FLAG_RESET);
	put_address(table, PCI_RESET_PORT, 8);
	table_u8(table, RESET_VALUE);
	table_zero(table, 3);
	table_u64(table, facs);
	table_u64(table, dsdt);
	put_fadt_addresses(table);
	finish(table, start);
	return start;
}

static void put_madt_irqs(struct table *table, unsigned int nr_cpus)
{
	table_u8(table, MADT_IOAPIC);
	table_u8(table, 12);
	table_u8(table, (uint8_t)nr_cpus);
	table_u8(table, 0);
	table_u32(table, IRQCHIP_IOAPIC_GPA);
	table_u32(table, 0);
	table_u8(table, MADT_OVERRIDE);
	table_u8(table, 10);
	table_u8(table, 0);
	table_u8(table, SCI_IRQ);
	table_u32(table, SCI_IRQ);
	table_u16(table, LEVEL_HIGH);
	table_u8(table, MADT_NMI);
	table_u8(table, 6);
	table_u8(table, ALL_CPUS);
	table_u16(table, 0);
	table_u8(table, 1);
}

static size_t put_madt(struct table *table, unsigned int nr_cpus)
{
	size_t start = put_header(table, "APIC", 1);

	table_u32(table, IRQCHIP_LAPIC_GPA);
	table_u32(table, MADT_PCAT);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		table_u8(table, MADT_LAPIC);
		table_u8(table, 8);
		table_u8(table, (uint8_t)cpu);
		table_u8(table, (uint8_t)cpu);
		table_u32(table, 1);
	}
	put_madt_irqs(table, nr_cpus);
	finish(table, start);
	return start;
}

static size_t put_xsdt(struct table *table, uint64_t fadt, uint64_t madt)
{
	size_t start = put_header(table, "XSDT", 1);

	table_u64(table, fadt);
	table_u64(table, madt);
	finish(table, start);
	return start;
}

size_t acpi_build(uint8_t *bytes, size_t size, uint32_t gpa,
		  unsigned int nr_cpus, bool pci)
{
	struct table table = { .bytes = bytes, .size = size };
	size_t facs, dsdt, fadt, madt, xsdt;

	if (!nr_cpus || nr_cpus > CPUS_MAX)
		return 0;
	put_rsdp(&table);
	facs = put_facs(&table);
	dsdt = put_dsdt(&table, pci);
	fadt = put_fadt(&table, (uint32_t)(gpa + facs), (uint32_t)(gpa + dsdt));
	madt = put_madt(&table, nr_cpus);
	xsdt = put_xsdt(&table, gpa + fadt, gpa + madt);
	finish_rsdp(&table, gpa + xsdt);
	return table.full ? 0 : table.used;
}

size_t acpi_build_madt(uint8_t *bytes, size_t size, unsigned int nr_cpus)
{
	struct table table = { .bytes = bytes, .size = size };

	if (!nr_cpus || nr_cpus > CPUS_MAX)
		return 0;
	put_madt(&table, nr_cpus);
	return table.full ? 0 : table.used;
}

static void put_pointer(struct table *table, uint32_t gpa)
{
	table_put(table, "_MP_", 4);
	table_u32(table, gpa + POINTER_SIZE);
	table_u8(table, POINTER_SIZE / 16);
	table_u8(table, SPEC_1_4);
	table_zero(table, 6);
	table_checksum(table, 0, POINTER_SIZE, POINTER_CHECKSUM);
}

static void mptable_put_header(struct table *table)
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

static void put_bus(struct table *table, uint8_t bus, const char *name)
{
	table_u8(table, ENTRY_BUS);
	table_u8(table, bus);
	table_text(table, name, 6);
}

static void put_ioapic(struct table *table, uint8_t id)
{
	table_u8(table, ENTRY_IOAPIC);
	table_u8(table, id);
	table_u8(table, IOAPIC_VERSION);
	table_u8(table, IOAPIC_ENABLED);
	table_u32(table, IRQCHIP_IOAPIC_GPA);
}

/* An interrupt to a pin of the I/O APIC, or to one of all local APICs. */
static void put_interrupt(struct table *table, uint8_t entry, uint8_t type,
			  uint8_t bus, uint8_t irq, uint8_t apic, uint8_t pin)
{
	table_u8(table, entry);
	table_u8(table, type);
	table_u16(table, 0);		/* as usual for the bus */
	table_u8(table, bus);
	table_u8(table, irq);
	table_u8(table, apic);
	table_u8(table, pin);
}

/* KVM has ISA interrupt n at pin n, the timer included. */
static unsigned int put_isa_interrupts(struct table *table, uint8_t ioapic,
				       bool pci)
{
	unsigned int count = 0;

	for (uint8_t irq = 0; irq < IRQCHIP_ISA_IRQS; irq++) {
		if (irq == ISA_CASCADE || (pci && irq == PCI_IRQ))
			continue;
		put_interrupt(table, ENTRY_INTERRUPT, INTERRUPT_VECTORED, ISA_BUS,
			      irq, ioapic, irq);
		count++;
	}
	return count;
}

static unsigned int put_entries(struct table *table, unsigned int nr_cpus,
				bool pci)
{
	uint8_t ioapic = (uint8_t)nr_cpus;
	unsigned int count = nr_cpus + 4 + pci;

	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		put_cpu(table, cpu);
	put_bus(table, ISA_BUS, "ISA");
	if (pci)
		put_bus(table, PCI_BUS, "PCI");
	put_ioapic(table, ioapic);
	count += put_isa_interrupts(table, ioapic, pci);
	if (pci) {
		put_interrupt(table, ENTRY_INTERRUPT, INTERRUPT_VECTORED, PCI_BUS,
			      PCI_SLOT_BALLOON << PCI_SOURCE_SLOT, ioapic,
			      PCI_IRQ);
		count++;
	}
	put_interrupt(table, ENTRY_LOCAL, INTERRUPT_8259, ISA_BUS, 0, ALL_APICS, 0);
	put_interrupt(table, ENTRY_LOCAL, INTERRUPT_NMI, ISA_BUS, 0, ALL_APICS, 1);
	return count;
}

size_t mptable_build(uint8_t *bytes, size_t size, uint32_t gpa,
		     unsigned int nr_cpus, bool pci)
{
	struct table table = { .bytes = bytes, .size = size };
	unsigned int entries;
	size_t length;

	if (!nr_cpus || nr_cpus > CPUS_MAX)
		return 0;
	put_pointer(&table, gpa);
	mptable_put_header(&table);
	entries = put_entries(&table, nr_cpus, pci);
	if (table.full)
		return 0;
	length = table.used - POINTER_SIZE;
	table_set_u16(&table, POINTER_SIZE + MPTABLE_HEADER_LENGTH, (uint16_t)length);
	table_set_u16(&table, POINTER_SIZE + HEADER_COUNT, (uint16_t)entries);
	table_checksum(&table, POINTER_SIZE, length,
		       POINTER_SIZE + MPTABLE_HEADER_CHECKSUM);
	return table.used;
}
