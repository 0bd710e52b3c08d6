// SPDX-License-Identifier: GPL-2.0
/* Tables of firmware, read as Linux reads them. */
#include "../base/bytes.h"
#include "../boot/boot.h"
#include "../boot/tables.h"
#include "../kvm/vcpu.h"
#include "ksft.h"

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

/* A field of a table: where, its bytes, and what is in it */
struct field {
	unsigned int offset;
	unsigned int size;
	uint64_t value;
};

static void check_fields(const uint8_t *table, const struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = 0;

		memcpy(&value, table + fields[i].offset, fields[i].size);
		if (value != fields[i].value)
			ksft_log("at offset %u", fields[i].offset);
		EXPECT_EQ(value, fields[i].value);
	}
}

#define FIELDS(table, ...) \
	check_fields(table, (const struct field[]){ __VA_ARGS__ }, \
		     sizeof((const struct field[]){ __VA_ARGS__ }) / sizeof(struct field))

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
	EXPECT_EQ(at, header + bytes_get16(header + 4));
	return found;
}

TEST_OF(mptable, pointer)
{
	size_t used = mptable_build(bytes, sizeof(bytes), MPTABLE_GPA, 2, false);

	EXPECT_GT(used, 16);
	EXPECT_MEMEQ(bytes, "_MP_", 4);
	EXPECT_TRUE(sum_is_zero(bytes, 16));
	/* No default configuration, and interrupts by virtual wire. */
	FIELDS(bytes, { 4, 4, MPTABLE_GPA + 16 }, { 8, 1, 1 }, { 9, 1, 4 }, { 11, 1, 0 },
	       { 12, 1, 0 }, { 20, 2, used - 16 }, { 16 + 36, 4, IRQCHIP_LAPIC_GPA });
	EXPECT_MEMEQ(bytes + 16, "PCMP", 4);
	EXPECT_TRUE(sum_is_zero(bytes + 16, used - 16));
}

TEST_OF(mptable, entries)
{
	const uint8_t *cpu = bytes + 16 + 44;

	EXPECT_TRUE(mptable_build(bytes, sizeof(bytes), MPTABLE_GPA, 3, false));
	EXPECT_EQ(mp_count(0), 3);
	EXPECT_EQ(mp_count(1), 1);
	EXPECT_EQ(mp_count(2), 1);
	EXPECT_EQ(mp_count(3), 15);
	EXPECT_EQ(mp_count(4), 2);
	FIELDS(cpu, { 1, 1, 0 }, { 3, 1, 3 }, { 21, 1, 1 }, { 23, 1, 1 }, { 41, 1, 2 },
	       { 43, 1, 1 }, { 72, 4, IRQCHIP_IOAPIC_GPA },
	       /* The timer is at pin 0, and nothing claims the cascade. */
	       { 81, 1, 0 }, { 83, 1, 0 }, { 89, 1, 1 }, { 97, 1, 3 }, { 99, 1, 3 });
	EXPECT_MEMEQ(cpu + 62, "ISA   ", 6);
}

TEST_OF(mptable, limits)
{
	size_t used = mptable_build(bytes, MPTABLE_SIZE, MPTABLE_GPA, 254, false);

	EXPECT_TRUE(used);
	EXPECT_LE(used, MPTABLE_SIZE);
	EXPECT_EQ(mp_count(0), 254);
	EXPECT_FALSE(mptable_build(bytes, used - 1, MPTABLE_GPA, 254, false));
	EXPECT_EQ(mptable_build(bytes, used, MPTABLE_GPA, 254, false), used);
	EXPECT_FALSE(mptable_build(bytes, 0, MPTABLE_GPA, 1, false));
	EXPECT_FALSE(mptable_build(bytes, sizeof(bytes), MPTABLE_GPA, 0, false));
	EXPECT_FALSE(mptable_build(bytes, sizeof(bytes), MPTABLE_GPA, 255, false));
}

/* A table that a pointer leads to, checked; NULL if it is not @signature. */
static const uint8_t *acpi_table(uint64_t gpa, const char *signature)
{
	const uint8_t *table = bytes + (gpa - ACPI_GPA);
	uint32_t length;

	if (gpa < ACPI_GPA || gpa + 36 > ACPI_GPA + sizeof(bytes) || memcmp(table, signature, 4))
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

	EXPECT_TRUE(xsdt);
	return xsdt ? acpi_table(bytes_get64(xsdt + 36 + 8 * index), signature) :
	       NULL;
}

TEST_OF(acpi, pointers)
{
	const uint8_t *fadt;

	memset(bytes, 0, sizeof(bytes));
	EXPECT_TRUE(acpi_build(bytes, sizeof(bytes), ACPI_GPA, 2, false));
	EXPECT_MEMEQ(bytes, "RSD PTR ", 8);
	EXPECT_TRUE(sum_is_zero(bytes, 20));
	EXPECT_TRUE(sum_is_zero(bytes, 36));
	FIELDS(bytes, { 15, 1, 2 }, { 20, 4, 36 });
	fadt = acpi_find(0, "FACP");
	ASSERT_TRUE(fadt);
	EXPECT_TRUE(acpi_find(1, "APIC"));
	EXPECT_EQ(bytes_get32(fadt + 4), 244);
	EXPECT_TRUE(acpi_table(bytes_get32(fadt + 36), "FACS"));
	EXPECT_TRUE(acpi_table(bytes_get32(fadt + 40), "DSDT"));
	EXPECT_EQ(bytes_get64(fadt + 132), bytes_get32(fadt + 36));
	EXPECT_EQ(bytes_get64(fadt + 140), bytes_get32(fadt + 40));
	EXPECT_FALSE(bytes_get32(fadt + 36) % 64);
}

/* The registers by port and by address are the same ones. */
TEST_OF(acpi, fadt)
{
	const uint8_t *fadt;

	EXPECT_TRUE(acpi_build(bytes, sizeof(bytes), ACPI_GPA, 1, false));
	fadt = acpi_find(0, "FACP");
	ASSERT_TRUE(fadt);
	FIELDS(fadt, { 46, 2, 9 }, { 48, 4, 0 }, { 56, 4, 0x600 }, { 88, 1, 4 },
	       { 64, 4, 0x604 }, { 89, 1, 2 }, { 76, 4, 0x608 }, { 91, 1, 4 },
	       { 108, 1, 0x32 }, { 116, 1, 1 }, { 120, 8, 0xcf9 }, { 128, 1, 0x06 },
	       { 148, 1, 1 }, { 149, 1, 32 }, { 152, 8, 0x600 }, { 172, 1, 1 },
	       { 173, 1, 16 }, { 176, 8, 0x604 }, { 208, 1, 1 }, { 209, 1, 32 },
	       { 212, 8, 0x608 });
	EXPECT_EQ(bytes_get32(fadt + 112) & (1U << 8 | 1U << 10), 1U << 8 | 1U << 10);
}

TEST_OF(acpi, madt)
{
	const uint8_t *madt, *at, *end;
	unsigned int cpus = 0, ioapics = 0;

	EXPECT_TRUE(acpi_build(bytes, sizeof(bytes), ACPI_GPA, 3, false));
	madt = acpi_find(1, "APIC");
	ASSERT_TRUE(madt);
	EXPECT_EQ(bytes_get32(madt + 36), IRQCHIP_LAPIC_GPA);
	end = madt + bytes_get32(madt + 4);
	for (at = madt + 44; at < end && at[1]; at += at[1]) {
		if (at[0] == MADT_CPU) {
			EXPECT_EQ(at[3], cpus++);
			EXPECT_EQ(bytes_get32(at + 4), 1);
		}
		if (at[0] == MADT_IOAPIC)
			ioapics += bytes_get32(at + 4) == IRQCHIP_IOAPIC_GPA;
	}
	EXPECT_EQ(at, end);
	EXPECT_EQ(cpus, 3);
	EXPECT_EQ(ioapics, 1);
}

static const uint8_t *build_dsdt(bool pci)
{
	const uint8_t *code;

	ASSERT_TRUE(acpi_build(bytes, sizeof(bytes), ACPI_GPA, 1, pci));
	code = acpi_find(0, "FACP");
	ASSERT_TRUE(code);
	code = acpi_table(bytes_get32(code + 40), "DSDT");
	ASSERT_TRUE(code);
	return code;
}

/* The lengths in the code fit together, and the panic port is in it. */
TEST_OF(acpi, dsdt)
{
	const uint8_t *code = build_dsdt(false);

	/* Name, package, scope to the end, device to the end of the scope. */
	EXPECT_MEMEQ(code + 36, "\x08_S5_\x12\x08\x04\x0a\x05\x0a\x05", 12);
	FIELDS(code, { 50, 1, 0x10 }, { 51, 1, bytes_get32(code + 4) - 51 }, { 57, 1, 0x5b },
	       { 58, 1, 0x82 }, { 59, 1, bytes_get32(code + 4) - 59 });
	EXPECT_MEMEQ(code + bytes_get32(code + 4) - 10, "\x47\x01\x05\x05\x05\x05\x01\x01\x79\x00",
		     10);
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
TEST_OF(acpi, dsdt_pci)
{
	size_t without = acpi_build(bytes, sizeof(bytes), ACPI_GPA, 1, false);
	const uint8_t *code, *end, *scope;

	EXPECT_GT(acpi_build(bytes, sizeof(bytes), ACPI_GPA, 1, true), without);
	code = build_dsdt(true);
	end = code + bytes_get32(code + 4);
	scope = code + 51 + code[51];
	FIELDS(scope, { 0, 1, 0x10 }, { 8, 1, 0x5b }, { 9, 1, 0x82 }, { 34, 1, 0x0a });
	EXPECT_EQ(scope + 1 + package(scope + 1), end);
	EXPECT_EQ(scope + 10 + package(scope + 10), end);
	EXPECT_MEMEQ(scope + 12, "PCI0\x08_HID\x0c\x41\xd0\x0a\x03\x08_CRS\x11", 20);
	/* The buffer, with its size, ends where the routing begins. */
	EXPECT_EQ(scope[35], package(scope + 32) - 4);
	EXPECT_MEMEQ(scope + 36 + scope[35] - 2, "\x79\x00\x08_PRT\x12", 8);
	EXPECT_MEMEQ(end - 10, "\x04\x0c\xff\xff\x02\x00\x00\x00\x0a\x0a", 10);
}

TEST_OF(mptable, pci)
{
	const uint8_t *cpu = bytes + 16 + 44;

	EXPECT_TRUE(mptable_build(bytes, sizeof(bytes), MPTABLE_GPA, 1, true));
	EXPECT_EQ(mp_count(0), 1);
	EXPECT_EQ(mp_count(1), 2);
	EXPECT_EQ(mp_count(2), 1);
	/* Interrupt 10 is the bus's, and nobody else's. */
	EXPECT_EQ(mp_count(3), 15);
	EXPECT_EQ(mp_count(4), 2);
	EXPECT_EQ(cpu[28], 1);
	EXPECT_EQ(cpu[29], 1);
	EXPECT_MEMEQ(cpu + 30, "PCI   ", 6);
	for (unsigned int i = 0; i < 15; i++) {
		const uint8_t *entry = cpu + 44 + 8 * i;

		EXPECT_EQ((entry[7] == 10), (entry[4] == 1));
		EXPECT_TRUE(entry[4] != 1 || entry[5] == 2 << 2);
	}
}

TEST_OF(acpi, limits)
{
	size_t used = acpi_build(bytes, ACPI_SIZE, ACPI_GPA, 254, false);

	EXPECT_TRUE(used);
	EXPECT_LE(used, ACPI_SIZE);
	for (size_t size = 0; size < used; size += 13)
		EXPECT_FALSE(acpi_build(bytes, size, ACPI_GPA, 254, false));
	EXPECT_FALSE(acpi_build(bytes, sizeof(bytes), ACPI_GPA, 0, false));
	EXPECT_FALSE(acpi_build(bytes, sizeof(bytes), ACPI_GPA, 255, false));
}

/*
 * C17: real mode code that an assembler has made of "mov $0xfe, %al; out %al, $0x64;
 * 1: hlt; jmp 1b", where ffff:0000 is, and nothing else is there.
 */
TEST_OF(reset_vector, C17_code)
{
	uint8_t at[RESET_VECTOR_SIZE];

	reset_vector_build(at);
	EXPECT_MEMEQ(at, "\xb0\xfe\xe6\x64\xf4\xeb\xfd", 7);
	EXPECT_EQ(RESET_VECTOR_GPA, 0xffffU << 4);
	EXPECT_LE(ACPI_GPA + ACPI_SIZE, RESET_VECTOR_GPA);
	EXPECT_EQ(RESET_VECTOR_GPA + RESET_VECTOR_SIZE, 1 << 20);
}
