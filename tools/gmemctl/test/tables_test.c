// SPDX-License-Identifier: GPL-2.0
/* Tables of firmware, read as Linux reads them. */
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../boot/boot.h"
#include "../boot/tables.h"
#include "../kvm/vcpu.h"
#include "unit.h"

#define MADT_CPU	0
#define MADT_IOAPIC	1

static uint8_t bytes[ACPI_SIZE];

static bool sum_is_zero(const uint8_t *start, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += start[i];
	return !sum;
}

/* Entries of one type; all of them have to fill the length in the header. */
static unsigned int mp_count(unsigned int type)
{
	const uint8_t *header = bytes + 16;
	unsigned int left = bytes_get16(header + 34), found = 0;
	const uint8_t *at = header + 44;

	for (; left; left--) {
		found += at[0] == type;
		at += at[0] ? 8 : 20;
	}
	CHECK_EQ(at, header + bytes_get16(header + 4));
	return found;
}

static void test_mptable_pointer(void)
{
	size_t used = mptable_build(bytes, sizeof(bytes), MPTABLE_GPA, 2, false);

	CHECK(used > 16 && !memcmp(bytes, "_MP_", 4));
	CHECK(sum_is_zero(bytes, 16));
	CHECK_EQ(bytes_get32(bytes + 4), MPTABLE_GPA + 16);
	CHECK(bytes[8] == 1 && bytes[9] == 4);
	/* No default configuration, and interrupts by virtual wire. */
	CHECK(!bytes[11] && !bytes[12]);
	CHECK(!memcmp(bytes + 16, "PCMP", 4));
	CHECK_EQ(bytes_get16(bytes + 20), used - 16);
	CHECK(sum_is_zero(bytes + 16, used - 16));
	CHECK_EQ(bytes_get32(bytes + 16 + 36), IRQCHIP_LAPIC_GPA);
}

static void test_mptable_entries(void)
{
	const uint8_t *cpu = bytes + 16 + 44;

	CHECK(mptable_build(bytes, sizeof(bytes), MPTABLE_GPA, 3, false));
	CHECK(mp_count(0) == 3 && mp_count(1) == 1 && mp_count(2) == 1);
	CHECK(mp_count(3) == 15 && mp_count(4) == 2);
	CHECK(cpu[1] == 0 && cpu[3] == 3);
	CHECK(cpu[21] == 1 && cpu[23] == 1);
	CHECK(cpu[41] == 2 && cpu[43] == 1);
	CHECK(!memcmp(cpu + 62, "ISA   ", 6));
	CHECK_EQ(bytes_get32(cpu + 72), IRQCHIP_IOAPIC_GPA);
	/* The timer is at pin 0, and nothing claims the cascade. */
	CHECK(cpu[81] == 0 && cpu[83] == 0);
	CHECK(cpu[89] == 1 && cpu[97] == 3 && cpu[99] == 3);
}

static void test_mptable_limits(void)
{
	size_t used = mptable_build(bytes, MPTABLE_SIZE, MPTABLE_GPA, 254, false);

	CHECK(used && used <= MPTABLE_SIZE && mp_count(0) == 254);
	CHECK(!mptable_build(bytes, used - 1, MPTABLE_GPA, 254, false));
	CHECK_EQ(mptable_build(bytes, used, MPTABLE_GPA, 254, false), used);
	CHECK(!mptable_build(bytes, 0, MPTABLE_GPA, 1, false));
	CHECK(!mptable_build(bytes, sizeof(bytes), MPTABLE_GPA, 0, false));
	CHECK(!mptable_build(bytes, sizeof(bytes), MPTABLE_GPA, 255, false));
}

/* A table that a pointer leads to, checked; NULL if it is not @signature. */
static const uint8_t *acpi_table(uint64_t gpa, const char *signature)
{
	const uint8_t *table = bytes + (gpa - ACPI_GPA);
	uint32_t length;

	if (gpa < ACPI_GPA || gpa + 36 > ACPI_GPA + sizeof(bytes) ||
	    memcmp(table, signature, 4))
		return NULL;
	length = bytes_get32(table + 4);
	if (gpa + length > ACPI_GPA + sizeof(bytes))
		return NULL;
	return !memcmp(signature, "FACS", 4) || sum_is_zero(table, length) ?
	       table : NULL;
}

/* What the XSDT points to, or NULL. */
static const uint8_t *acpi_find(unsigned int index, const char *signature)
{
	const uint8_t *xsdt = acpi_table(bytes_get64(bytes + 24), "XSDT");

	CHECK(xsdt);
	return xsdt ? acpi_table(bytes_get64(xsdt + 36 + 8 * index), signature) :
	       NULL;
}

static void test_acpi_pointers(void)
{
	const uint8_t *fadt;

	memset(bytes, 0, sizeof(bytes));
	CHECK(acpi_build(bytes, sizeof(bytes), ACPI_GPA, 2, false));
	CHECK(!memcmp(bytes, "RSD PTR ", 8) && bytes[15] == 2);
	CHECK(sum_is_zero(bytes, 20) && sum_is_zero(bytes, 36));
	CHECK_EQ(bytes_get32(bytes + 20), 36);
	fadt = acpi_find(0, "FACP");
	CHECK(fadt && acpi_find(1, "APIC"));
	if (!fadt)
		return;
	CHECK_EQ(bytes_get32(fadt + 4), 244);
	CHECK(acpi_table(bytes_get32(fadt + 36), "FACS"));
	CHECK(acpi_table(bytes_get32(fadt + 40), "DSDT"));
	CHECK_EQ(bytes_get64(fadt + 132), bytes_get32(fadt + 36));
	CHECK_EQ(bytes_get64(fadt + 140), bytes_get32(fadt + 40));
	CHECK(!(bytes_get32(fadt + 36) % 64));
}

/* The registers by port and by address are the same ones. */
static void test_acpi_fadt(void)
{
	const uint8_t *fadt;

	CHECK(acpi_build(bytes, sizeof(bytes), ACPI_GPA, 1, false));
	fadt = acpi_find(0, "FACP");
	if (!fadt)
		return;
	CHECK_EQ(bytes_get16(fadt + 46), 9);
	CHECK_EQ(bytes_get32(fadt + 48), 0);
	CHECK(bytes_get32(fadt + 56) == 0x600 && fadt[88] == 4);
	CHECK(bytes_get32(fadt + 64) == 0x604 && fadt[89] == 2);
	CHECK(bytes_get32(fadt + 76) == 0x608 && fadt[91] == 4);
	CHECK_EQ(fadt[108], 0x32);
	CHECK(bytes_get32(fadt + 112) & 1U << 8 &&
	      bytes_get32(fadt + 112) & 1U << 10);
	CHECK(fadt[116] == 1 && bytes_get64(fadt + 120) == 0xcf9);
	CHECK_EQ(fadt[128], 0x06);
	CHECK(fadt[148] == 1 && bytes_get64(fadt + 152) == 0x600);
	CHECK(fadt[172] == 1 && bytes_get64(fadt + 176) == 0x604);
	CHECK(fadt[208] == 1 && bytes_get64(fadt + 212) == 0x608);
	CHECK(fadt[173] == 16 && fadt[149] == 32 && fadt[209] == 32);
}

static void test_acpi_madt(void)
{
	const uint8_t *madt, *at, *end;
	unsigned int cpus = 0, ioapics = 0;

	CHECK(acpi_build(bytes, sizeof(bytes), ACPI_GPA, 3, false));
	madt = acpi_find(1, "APIC");
	if (!madt)
		return;
	CHECK_EQ(bytes_get32(madt + 36), IRQCHIP_LAPIC_GPA);
	end = madt + bytes_get32(madt + 4);
	for (at = madt + 44; at < end && at[1]; at += at[1]) {
		if (at[0] == MADT_CPU)
			CHECK(at[3] == cpus++ && bytes_get32(at + 4) == 1);
		if (at[0] == MADT_IOAPIC)
			ioapics += bytes_get32(at + 4) == IRQCHIP_IOAPIC_GPA;
	}
	CHECK(at == end && cpus == 3 && ioapics == 1);
}

/* The lengths in the code fit together, and the panic port is in it. */
static void test_acpi_dsdt(void)
{
	const uint8_t *fadt, *code;

	CHECK(acpi_build(bytes, sizeof(bytes), ACPI_GPA, 1, false));
	fadt = acpi_find(0, "FACP");
	code = fadt ? acpi_table(bytes_get32(fadt + 40), "DSDT") : NULL;
	CHECK(code);
	if (!code)
		return;
	/* Name, package, scope to the end, device to the end of the scope. */
	CHECK(!memcmp(code + 36, "\x08_S5_\x12\x08\x04\x0a\x05\x0a\x05", 12));
	CHECK(code[50] == 0x10 && 51U + code[51] == bytes_get32(code + 4));
	CHECK(code[57] == 0x5b && code[58] == 0x82 &&
	      59U + code[59] == bytes_get32(code + 4));
	CHECK(!memcmp(code + bytes_get32(code + 4) - 10,
		      "\x47\x01\x05\x05\x05\x05\x01\x01\x79\x00", 10));
}

/* The length of a package at @at, which is all that is left of @end. */
static size_t package(const uint8_t *at)
{
	return at[0] >> 6 ? (size_t)(at[0] & 0x0f) | (size_t)at[1] << 4 : at[0];
}

/*
 * A second scope, to the end, in it the bridge, in that its addresses, and where the
 * balloon's interrupt goes.
 */
static void test_acpi_dsdt_pci(void)
{
	size_t without = acpi_build(bytes, sizeof(bytes), ACPI_GPA, 1, false);
	const uint8_t *code, *end, *scope;

	CHECK(acpi_build(bytes, sizeof(bytes), ACPI_GPA, 1, true) > without);
	code = acpi_find(0, "FACP");
	code = code ? acpi_table(bytes_get32(code + 40), "DSDT") : NULL;
	CHECK(code);
	if (!code)
		return;
	end = code + bytes_get32(code + 4);
	scope = code + 51 + code[51];
	CHECK(scope[0] == 0x10 && scope + 1 + package(scope + 1) == end);
	CHECK(scope[8] == 0x5b && scope[9] == 0x82 &&
	      scope + 10 + package(scope + 10) == end);
	CHECK(!memcmp(scope + 12, "PCI0\x08_HID\x0c\x41\xd0\x0a\x03\x08_CRS\x11", 20));
	/* The buffer, with its size, ends where the routing begins. */
	CHECK(scope[34] == 0x0a && scope[35] == package(scope + 32) - 4);
	CHECK(!memcmp(scope + 36 + scope[35] - 2, "\x79\x00\x08_PRT\x12", 8));
	CHECK(!memcmp(end - 10, "\x04\x0c\xff\xff\x02\x00\x00\x00\x0a\x0a", 10));
}

static void test_mptable_pci(void)
{
	const uint8_t *cpu = bytes + 16 + 44;

	CHECK(mptable_build(bytes, sizeof(bytes), MPTABLE_GPA, 1, true));
	CHECK(mp_count(0) == 1 && mp_count(1) == 2 && mp_count(2) == 1);
	/* Interrupt 10 is the bus's, and nobody else's. */
	CHECK(mp_count(3) == 15 && mp_count(4) == 2);
	CHECK(cpu[28] == 1 && cpu[29] == 1 && !memcmp(cpu + 30, "PCI   ", 6));
	for (unsigned int i = 0; i < 15; i++) {
		const uint8_t *entry = cpu + 44 + 8 * i;

		CHECK((entry[7] == 10) == (entry[4] == 1));
		CHECK(entry[4] != 1 || entry[5] == 2 << 2);
	}
}

static void test_acpi_limits(void)
{
	size_t used = acpi_build(bytes, ACPI_SIZE, ACPI_GPA, 254, false);

	CHECK(used && used <= ACPI_SIZE);
	for (size_t size = 0; size < used; size += 13)
		CHECK(!acpi_build(bytes, size, ACPI_GPA, 254, false));
	CHECK(!acpi_build(bytes, sizeof(bytes), ACPI_GPA, 0, false));
	CHECK(!acpi_build(bytes, sizeof(bytes), ACPI_GPA, 255, false));
}

/*
 * C17: real mode code that an assembler has made of "mov $0xfe, %al; out %al, $0x64;
 * 1: hlt; jmp 1b", where ffff:0000 is, and nothing else is there.
 */
static void test_reset_vector(void)
{
	uint8_t at[RESET_VECTOR_SIZE];

	reset_vector_build(at);
	CHECK(!memcmp(at, "\xb0\xfe\xe6\x64\xf4\xeb\xfd", 7));
	CHECK(RESET_VECTOR_GPA == 0xffffU << 4);
	CHECK(ACPI_GPA + ACPI_SIZE <= RESET_VECTOR_GPA);
	CHECK(RESET_VECTOR_GPA + RESET_VECTOR_SIZE == 1 << 20);
}

static const struct unit_test tests[] = {
	{ "mptable.pointer", test_mptable_pointer },
	{ "mptable.entries", test_mptable_entries },
	{ "mptable.pci", test_mptable_pci },
	{ "mptable.limits", test_mptable_limits },
	{ "acpi.pointers", test_acpi_pointers },
	{ "acpi.fadt", test_acpi_fadt },
	{ "acpi.madt", test_acpi_madt },
	{ "acpi.dsdt", test_acpi_dsdt },
	{ "acpi.dsdt_pci", test_acpi_dsdt_pci },
	{ "acpi.limits", test_acpi_limits },
	{ "reset_vector.C17_code", test_reset_vector },
};

UNIT_TESTS(tests)
