// SPDX-License-Identifier: GPL-2.0
/* The PCI bus with something on it, as Linux looks at it. */
#include <errno.h>
#include <string.h>

#include "../base/bytes.h"
#include "../devices/pci.h"
#include "board_fake.h"
#include "unit.h"

#define BAR_SIZE	0x20
#define TYPE		7

static struct pci pci;
static struct pci_function memory, ports;
static struct bus mmio;

/**
 * struct seen - what a function was asked
 */
static struct seen {
	unsigned int reads;
	unsigned int writes;
	uint64_t offset;
	unsigned int size;
	uint8_t first;
} seen;

static void see_read(void *data, uint64_t offset, uint8_t *bytes,
		     unsigned int size)
{
	seen.reads++;
	seen.offset = offset;
	seen.size = size;
	memset(bytes, *(uint8_t *)data, size);
}

static void see_write(void *data, uint64_t offset, const uint8_t *bytes,
		      unsigned int size)
{
	(void)data;
	seen.writes++;
	seen.offset = offset;
	seen.size = size;
	seen.first = bytes[0];
}

static void function(struct pci_function *function, uint16_t device, bool io)
{
	static uint8_t answers[2] = { 0x5a, 0xa5 };
	const struct pci_identity identity = {
		.vendor = 0x1234, .device = device, .subvendor = 0x5678,
		.subsystem = 0x9abc, .class = 0x088001, .revision = 3,
	};

	memset(function, 0, sizeof(*function));
	function->name = "function";
	function->read = see_read;
	function->write = see_write;
	function->data = &answers[io];
	pci_identify(function, &identity);
	pci_set_bar(function, io, BAR_SIZE, io ? PCI_IO_START + BAR_SIZE :
					    PCI_MEMORY_START + 0x1000);
}

static void start(void)
{
	const struct bus_device window = pci_memory_device(&pci);

	board_fake_start();
	memset(&seen, 0, sizeof(seen));
	memset(&mmio, 0, sizeof(mmio));
	pci_init(&pci, &board_fake.board);
	CHECK(!pci_is_used(&pci));
	function(&memory, 0x1111, false);
	function(&ports, 0x2222, true);
	pci_add(&pci, PCI_SLOT_PVMEMCONTROL, &memory);
	pci_add(&pci, PCI_SLOT_BALLOON, &ports);
	CHECK(pci_is_used(&pci));
	board_fake_add(pci_device(&pci));
	board_fake_add(pci_io_device(&pci));
	CHECK(!bus_add(&mmio, &window, NULL));
}

static void select_register(unsigned int slot, unsigned int at)
{
	outl(0x80000000U | slot << 11 | (at & ~3U), 0xcf8);
}

static uint32_t config(unsigned int slot, unsigned int at)
{
	select_register(slot, at);
	return inl(0xcfc);
}

static void test_pci_enumerate(void)
{
	start();
	CHECK_EQ(config(0, 0), 0x00081b36);
	CHECK_EQ(config(0, 8), 0x06000000);
	CHECK_EQ(config(1, 0), 0x11111234);
	CHECK_EQ(config(1, 8), 0x08800103);
	CHECK_EQ(config(1, 0x2c), 0x9abc5678);
	CHECK_EQ(config(2, 0), 0x22221234);
	/* Neither more devices, nor functions, nor buses; and only if enabled. */
	CHECK_EQ(config(3, 0), 0xffffffff);
	CHECK_EQ(config(31, 0), 0xffffffff);
	outl(0x80000100U | 1 << 11, 0xcf8);
	CHECK_EQ(inl(0xcfc), 0xffffffff);
	outl(0x80010000U | 1 << 11, 0xcf8);
	CHECK_EQ(inl(0xcfc), 0xffffffff);
	outl(1 << 11, 0xcf8);
	CHECK_EQ(inl(0xcfc), 0xffffffff);
	/* By bytes and words, and never beyond the end. */
	select_register(1, 0x2c);
	CHECK_EQ(inw(0xcfe), 0x9abc);
	CHECK_EQ(inb(0xcfd), 0x56);
	select_register(1, 0xfc);
	inl(0xcfd);
	outl(0, 0xcfd);
	pci_destroy(&pci);
}

/* What says what a function is cannot be written. */
static void test_pci_read_only(void)
{
	start();
	for (unsigned int at = 0; at < PCI_CONFIG_SIZE; at += 4) {
		select_register(1, at);
		outl(0xffffffff, 0xcfc);
	}
	CHECK_EQ(config(1, 0), 0x11111234);
	CHECK_EQ(config(1, 4), 0x00000507);
	CHECK_EQ(config(1, 8), 0x08800103);
	CHECK_EQ(config(1, 0x10), 0xffffffe0);
	CHECK_EQ(config(1, 0x14), 0);
	CHECK_EQ(config(1, 0x2c), 0x9abc5678);
	CHECK_EQ(config(1, 0x3c), 0xff);
	CHECK_EQ(config(2, 0), 0x22221234);
	pci_destroy(&pci);
}

static bool answers(uint64_t at)
{
	uint8_t bytes[4];
	unsigned int reads = seen.reads;

	bus_read(&mmio, at, bytes, sizeof(bytes));
	return seen.reads == reads + 1 && bytes[0] == 0x5a;
}

/* Its size is found, and it is moved, as Linux does both. */
static void test_pci_memory_bar(void)
{
	const uint64_t first = PCI_MEMORY_START + 0x1000;
	const uint64_t then = PCI_MEMORY_START + 0x20000;

	start();
	CHECK(answers(first) && answers(first + BAR_SIZE - 4));
	CHECK(!answers(first - 4) && !answers(first + BAR_SIZE));
	/* What is not all in it is for nobody. */
	CHECK(!answers(first + BAR_SIZE - 2) && !answers(first - 2));
	select_register(1, 0x10);
	outl(0xffffffff, 0xcfc);
	CHECK_EQ(inl(0xcfc), (uint32_t)-BAR_SIZE);
	CHECK(!answers(first));
	outl((uint32_t)then, 0xcfc);
	CHECK(answers(then + 8) && !answers(first));
	CHECK(seen.offset == 8 && seen.size == 4);
	select_register(1, 4);
	outw(0x0101, 0xcfc);
	CHECK(!answers(then));
	outw(0x0102, 0xcfc);
	CHECK(answers(then));
	/* RAM, and what else is below the window, is out of its reach. */
	select_register(1, 0x10);
	outl(0x1000, 0xcfc);
	CHECK(!answers(0x1000) && memory.place == PCI_BAR_NOWHERE);
	outl(PCI_MEMORY_START + (PCI_MEMORY_SIZE - 1), 0xcfc);
	CHECK(answers(PCI_MEMORY_START + (PCI_MEMORY_SIZE - BAR_SIZE)));
	pci_destroy(&pci);
}

static void test_pci_port_bar(void)
{
	start();
	CHECK_EQ(inb(PCI_IO_START + BAR_SIZE), 0xa5);
	outw(0x1234, PCI_IO_START + BAR_SIZE + 6);
	CHECK(seen.writes == 1 && seen.offset == 6 && seen.size == 2);
	CHECK_EQ(seen.first, 0x34);
	CHECK_EQ(inb(PCI_IO_START), 0xff);
	select_register(2, 0x10);
	outl(0xffffffff, 0xcfc);
	CHECK_EQ(inl(0xcfc), 0xffffffe1);
	outl(PCI_IO_START + 2 * BAR_SIZE, 0xcfc);
	CHECK_EQ(inb(PCI_IO_START + 2 * BAR_SIZE), 0xa5);
	select_register(2, 4);
	outw(0, 0xcfc);
	CHECK_EQ(inb(PCI_IO_START + 2 * BAR_SIZE), 0xff);
	pci_destroy(&pci);
}

/* Where the guest has put it, it is on another machine. */
static void test_pci_state(void)
{
	const uint64_t place = PCI_MEMORY_START + 0x40000;
	struct tlv records = { 0 };

	start();
	select_register(1, 0x10);
	outl((uint32_t)place, 0xcfc);
	pci_function_get(&memory, &records, TYPE, PCI_SLOT_PVMEMCONTROL);
	pci_destroy(&pci);
	start();
	CHECK(!answers(place));
	/* What the guest cannot write is not taken from the record, either. */
	records.bytes[16] = 0xee;
	CHECK(!pci_function_set(&memory, &records, TYPE, PCI_SLOT_PVMEMCONTROL));
	CHECK(answers(place) && config(1, 0) == 0x11111234);
	CHECK_EQ(pci_function_set(&ports, &records, TYPE, PCI_SLOT_BALLOON),
		 -EBADMSG);
	records.bytes[8] = 0xff;
	records.size--;
	CHECK_EQ(pci_function_set(&memory, &records, TYPE, PCI_SLOT_PVMEMCONTROL),
		 -EBADMSG);
	tlv_free(&records);
	pci_destroy(&pci);
}

static const struct unit_test tests[] = {
	{ "pci.enumerate", test_pci_enumerate },
	{ "pci.read_only", test_pci_read_only },
	{ "pci.memory_bar", test_pci_memory_bar },
	{ "pci.port_bar", test_pci_port_bar },
	{ "pci.state", test_pci_state },
};

UNIT_TESTS(tests)
