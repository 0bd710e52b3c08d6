// SPDX-License-Identifier: GPL-2.0
/* The tables that firmware would provide: ACPI, and Intel's MP table. */
#include <stdbool.h>
#include <string.h>

#include "../base/bytes.h"
#include "../devices/chipset.h"
#include "../devices/pci.h"
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
#define ARCH_LEGACY	0x0001	/* legacy devices; the bit of the 8042 is clear */
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

/* MADT */
#define MADT_PCAT	1	/* 8259s exist, too */
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

#define ENTRY_CPU_SIZE	20
#define ENTRY_SIZE	8	/* of all others */

#define CPU_ENABLED	0x01
#define CPU_BOOT	0x02
#define CPU_FAMILY_6	0x00000600
#define CPU_FPU_APIC	0x00000201
#define IOAPIC_VERSION	0x11
#define IOAPIC_ENABLED	0x01
#define ISA_BUS		0
#define PCI_BUS		1
#define PCI_SOURCE_SLOT	2	/* shift of the slot in an interrupt's source; pin: bits 1:0 */
#define ISA_CASCADE	2
#define ALL_APICS	0xff

/* Numbers as bytes */
#define WORD(value) (value) & 0xff, (value) >> 8 & 0xff
#define DWORD(value) WORD(value), (value) >> 16 & 0xff, (value) >> 24 & 0xff
#define QWORD(value) DWORD(value), DWORD((uint64_t)(value) >> 32)

/* An ACPI register: port, width in bits, and 1, 2, 3 for accesses of 1, 2, 4 bytes */
#define ADDRESS(port, bits, access) 1, bits, 0, access, QWORD(port)
#define NO_ADDRESS DWORD(0), QWORD(0)

#define PCI_IO_LAST	(PCI_IO_START + PCI_IO_SIZE - 1)

/**
 * struct table - a buffer in which tables are written
 * @bytes: the buffer
 * @size: size of the buffer
 * @used: bytes that were written
 * @full: something did not fit; nothing is written from then on
 */
struct table {
	uint8_t *bytes;
	size_t size;
	size_t used;
	bool full;
};

static void table_put(struct table *table, const void *bytes, size_t size)
{
	if (table->full || size > table->size - table->used) {
		table->full = true;
		return;
	}
	memcpy(table->bytes + table->used, bytes, size);
	table->used += size;
}

/* Add zeroes up to a multiple of @unit, which is at most FACS_SIZE */
static void table_align(struct table *table, size_t unit)
{
	static const uint8_t zeroes[FACS_SIZE];

	table_put(table, zeroes, (unit - table->used % unit) % unit);
}

/*
 * Set a checksum so that the sum of the bytes is zero
 * @start: offset of the first byte
 * @size: number of bytes
 * @at: offset of the checksum
 */
static void table_checksum(struct table *table, size_t start, size_t size, size_t at)
{
	uint8_t sum = 0;

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
	0x47, 0x01, WORD(PVPANIC_PORT), WORD(PVPANIC_PORT), 0x01, 0x01, 0x79, 0x00,
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
 * The balloon is the only device with an interrupt.
 */
static const uint8_t dsdt_pci_code[] = {
	0x10, 0x4b, 0x07, '\\', '_', 'S', 'B', '_',
	0x5b, 0x82, 0x42, 0x07, 'P', 'C', 'I', '0',
	0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x0a, 0x03,
	0x08, '_', 'C', 'R', 'S', 0x11, 0x48, 0x04, 0x0a, 0x44,
	0x88, 0x0d, 0x00, 0x02, 0x0c, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
	0x47, 0x01, WORD(PCI_PORT), WORD(PCI_PORT), 0x01, 0x08,
	0x88, 0x0d, 0x00, 0x01, 0x0c, 0x03,
	0x00, 0x00, WORD(PCI_IO_START), WORD(PCI_IO_LAST), 0x00, 0x00,
	WORD(PCI_IO_SIZE),
	0x87, 0x17, 0x00, 0x00, 0x0c, 0x01,
	0x00, 0x00, 0x00, 0x00, DWORD(PCI_MEMORY_START),
	DWORD(PCI_MEMORY_START + (PCI_MEMORY_SIZE - 1)),
	0x00, 0x00, 0x00, 0x00, DWORD(PCI_MEMORY_SIZE), 0x79, 0x00,
	0x08, '_', 'P', 'R', 'T', 0x12, 0x0e, 0x01,
	0x12, 0x0b, 0x04, 0x0c, 0xff, 0xff, PCI_SLOT_BALLOON, 0x00,
	0x00, 0x00, 0x0a, PCI_IRQ,
};

/* Begin a table. Return: its offset, for finish(). */
static size_t put_header(struct table *table, const char *signature, uint8_t revision)
{
	uint8_t header[] = {
		0, 0, 0, 0, DWORD(0),	/* signature; length, later */
		revision, 0,		/* checksum, later */
		'G', 'M', 'E', 'M', ' ', ' ',
		'G', 'M', 'E', 'M', 'C', 'T', 'L', ' ', DWORD(1),
		'G', 'M', 'E', 'M', DWORD(1),
	};
	size_t start;

	memcpy(header, signature, 4);
	table_align(table, 16);
	start = table->used;
	table_put(table, header, sizeof(header));
	return start;
}

static void finish(struct table *table, size_t start)
{
	size_t length = table->used - start;

	if (table->full)
		return;
	bytes_put32(table->bytes + start + HEADER_LENGTH, (uint32_t)length);
	table_checksum(table, start, length, start + HEADER_CHECKSUM);
}

static size_t put_fadt(struct table *table, uint32_t facs, uint32_t dsdt)
{
	const uint32_t flags = FLAG_WBINVD | FLAG_C1 | FLAG_NO_POWER | FLAG_NO_SLEEP |
			       FLAG_NO_RTC | FLAG_TIMER_32 | FLAG_RESET;
	const uint8_t fadt[] = {
		DWORD(facs), DWORD(dsdt), 0, PROFILE_SERVER, WORD(SCI_IRQ),
		QWORD(0),		/* ACPI is always on: no SMI command */
		/* Ports of the registers, as in ACPI 1.0, then their sizes */
		DWORD(POWER_EVENT_PORT), DWORD(0),
		DWORD(POWER_CONTROL_PORT), DWORD(0), DWORD(0),
		DWORD(POWER_TIMER_PORT),
		QWORD(0),		/* no general purpose events */
		4, 2, 0, 4, DWORD(0),
		WORD(NO_C2), WORD(NO_C2), QWORD(0), CMOS_CENTURY,
		WORD(ARCH_LEGACY | ARCH_NO_VGA), 0, DWORD(flags),
		ADDRESS(PCI_RESET_PORT, 8, 1), RESET_VALUE, 0, 0, 0,
		QWORD(facs), QWORD(dsdt),
		/* The same as generic addresses, which take precedence */
		ADDRESS(POWER_EVENT_PORT, 32, 3), NO_ADDRESS,
		ADDRESS(POWER_CONTROL_PORT, 16, 2), NO_ADDRESS, NO_ADDRESS,
		ADDRESS(POWER_TIMER_PORT, 32, 3), NO_ADDRESS, NO_ADDRESS,
	};
	size_t start = put_header(table, "FACP", FADT_REVISION);

	table_put(table, fadt, sizeof(fadt));
	finish(table, start);
	return start;
}

static size_t put_madt(struct table *table, unsigned int nr_cpus)
{
	const uint8_t controllers[] = { DWORD(IRQCHIP_LAPIC_GPA), DWORD(MADT_PCAT) };
	const uint8_t irqs[] = {
		MADT_IOAPIC, 12, (uint8_t)nr_cpus, 0, DWORD(IRQCHIP_IOAPIC_GPA), DWORD(0),
		MADT_OVERRIDE, 10, 0, SCI_IRQ, DWORD(SCI_IRQ), WORD(LEVEL_HIGH),
		MADT_NMI, 6, ALL_CPUS, WORD(0), 1,
	};
	size_t start = put_header(table, "APIC", 1);

	table_put(table, controllers, sizeof(controllers));
	for (uint8_t cpu = 0; cpu < nr_cpus; cpu++) {
		const uint8_t lapic[] = { MADT_LAPIC, 8, cpu, cpu, DWORD(1) };

		table_put(table, lapic, sizeof(lapic));
	}
	table_put(table, irqs, sizeof(irqs));
	finish(table, start);
	return start;
}

static size_t put_xsdt(struct table *table, uint64_t fadt, uint64_t madt)
{
	const uint8_t tables[] = { QWORD(fadt), QWORD(madt) };
	size_t start = put_header(table, "XSDT", 1);

	table_put(table, tables, sizeof(tables));
	finish(table, start);
	return start;
}

size_t acpi_build(uint8_t *bytes, size_t size, uint32_t gpa, unsigned int nr_cpus, bool pci)
{
	static const uint8_t facs_bytes[FACS_SIZE] = {
		'F', 'A', 'C', 'S', DWORD(FACS_SIZE),
	};
	/* ACPI 2.0: an XSDT, and no RSDT. Address and checksums are filled in below. */
	static const uint8_t rsdp[RSDP_SIZE] = {
		'R', 'S', 'D', ' ', 'P', 'T', 'R', ' ', 0,
		'G', 'M', 'E', 'M', ' ', ' ', 2, DWORD(0), DWORD(RSDP_SIZE),
	};
	struct table table = { .bytes = bytes, .size = size };
	size_t facs, dsdt, fadt, madt, xsdt;

	if (!nr_cpus || nr_cpus > CPUS_MAX)
		return 0;
	table_put(&table, rsdp, sizeof(rsdp));
	table_align(&table, FACS_SIZE);
	facs = table.used;
	table_put(&table, facs_bytes, sizeof(facs_bytes));
	dsdt = put_header(&table, "DSDT", 2);
	table_put(&table, dsdt_code, sizeof(dsdt_code));
	if (pci)
		table_put(&table, dsdt_pci_code, sizeof(dsdt_pci_code));
	finish(&table, dsdt);
	fadt = put_fadt(&table, (uint32_t)(gpa + facs), (uint32_t)(gpa + dsdt));
	madt = put_madt(&table, nr_cpus);
	xsdt = put_xsdt(&table, gpa + fadt, gpa + madt);
	if (table.full)
		return 0;
	bytes_put64(bytes + RSDP_XSDT, gpa + xsdt);
	table_checksum(&table, 0, RSDP_V1_SIZE, RSDP_CHECKSUM);
	table_checksum(&table, 0, RSDP_SIZE, RSDP_CHECKSUM_2);
	return table.used;
}

size_t acpi_build_madt(uint8_t *bytes, size_t size, unsigned int nr_cpus)
{
	struct table table = { .bytes = bytes, .size = size };

	if (!nr_cpus || nr_cpus > CPUS_MAX)
		return 0;
	put_madt(&table, nr_cpus);
	return table.full ? 0 : table.used;
}

/* Add an interrupt of a pin of the I/O APIC, or of all local APICs. */
static void put_interrupt(struct table *table, uint8_t entry, uint8_t type,
			  uint8_t bus, uint8_t irq, uint8_t apic, uint8_t pin)
{
	/* Polarity and trigger are the defaults of the bus. */
	const uint8_t bytes[] = { entry, type, WORD(0), bus, irq, apic, pin };

	table_put(table, bytes, sizeof(bytes));
}

/* In KVM, ISA interrupt n is at pin n of the I/O APIC, including the timer. */
static void put_entries(struct table *table, unsigned int nr_cpus, bool pci)
{
	static const uint8_t isa[] = { ENTRY_BUS, ISA_BUS, 'I', 'S', 'A', ' ', ' ', ' ' };
	static const uint8_t bus[] = { ENTRY_BUS, PCI_BUS, 'P', 'C', 'I', ' ', ' ', ' ' };
	const uint8_t ioapic = (uint8_t)nr_cpus;
	const uint8_t controller[] = {
		ENTRY_IOAPIC, ioapic, IOAPIC_VERSION, IOAPIC_ENABLED,
		DWORD(IRQCHIP_IOAPIC_GPA),
	};

	for (uint8_t cpu = 0; cpu < nr_cpus; cpu++) {
		const uint8_t bytes[ENTRY_CPU_SIZE] = {
			ENTRY_CPU, cpu, IRQCHIP_LAPIC_VERSION,
			CPU_ENABLED | (cpu ? 0 : CPU_BOOT),
			DWORD(CPU_FAMILY_6), DWORD(CPU_FPU_APIC),
		};

		table_put(table, bytes, sizeof(bytes));
	}
	table_put(table, isa, sizeof(isa));
	if (pci)
		table_put(table, bus, sizeof(bus));
	table_put(table, controller, sizeof(controller));
	for (uint8_t irq = 0; irq < IRQCHIP_ISA_IRQS; irq++)
		if (irq != ISA_CASCADE && !(pci && irq == PCI_IRQ))
			put_interrupt(table, ENTRY_INTERRUPT, INTERRUPT_VECTORED,
				      ISA_BUS, irq, ioapic, irq);
	if (pci)
		put_interrupt(table, ENTRY_INTERRUPT, INTERRUPT_VECTORED, PCI_BUS,
			      PCI_SLOT_BALLOON << PCI_SOURCE_SLOT, ioapic, PCI_IRQ);
	put_interrupt(table, ENTRY_LOCAL, INTERRUPT_8259, ISA_BUS, 0, ALL_APICS, 0);
	put_interrupt(table, ENTRY_LOCAL, INTERRUPT_NMI, ISA_BUS, 0, ALL_APICS, 1);
}

size_t mptable_build(uint8_t *bytes, size_t size, uint32_t gpa, unsigned int nr_cpus, bool pci)
{
	const uint8_t pointer[POINTER_SIZE] = {
		'_', 'M', 'P', '_', DWORD(gpa + POINTER_SIZE), POINTER_SIZE / 16, SPEC_1_4,
	};
	/* Length, checksum and number of entries are filled in below. */
	static const uint8_t header[] = {
		'P', 'C', 'M', 'P', WORD(0), SPEC_1_4, 0,
		'G', 'M', 'E', 'M', ' ', ' ', ' ', ' ',
		'G', 'M', 'E', 'M', 'C', 'T', 'L', ' ', ' ', ' ', ' ', ' ',
		DWORD(0), WORD(0), WORD(0),	/* no OEM table */
		DWORD(IRQCHIP_LAPIC_GPA), DWORD(0),
	};
	struct table table = { .bytes = bytes, .size = size };
	size_t length, entries;

	if (!nr_cpus || nr_cpus > CPUS_MAX)
		return 0;
	table_put(&table, pointer, sizeof(pointer));
	table_put(&table, header, sizeof(header));
	put_entries(&table, nr_cpus, pci);
	if (table.full)
		return 0;
	length = table.used - POINTER_SIZE;
	entries = nr_cpus + (length - sizeof(header) - nr_cpus * ENTRY_CPU_SIZE) /
			    ENTRY_SIZE;
	bytes_put16(bytes + POINTER_SIZE + MPTABLE_HEADER_LENGTH, (uint16_t)length);
	bytes_put16(bytes + POINTER_SIZE + HEADER_COUNT, (uint16_t)entries);
	table_checksum(&table, 0, POINTER_SIZE, POINTER_CHECKSUM);
	table_checksum(&table, POINTER_SIZE, length, POINTER_SIZE + MPTABLE_HEADER_CHECKSUM);
	return table.used;
}
