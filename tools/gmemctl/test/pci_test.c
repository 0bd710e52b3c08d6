// SPDX-License-Identifier: GPL-2.0
/* The PCI bus with something on it, as Linux looks at it. */
#include "../base/bytes.h"
#include "../devices/pci.h"
#include "board_fake.h"
#include "ksft.h"

#define BAR_SIZE	0x20
#define TYPE		7

static struct pci pci;
static struct pci_function memory, ports;
static struct bus mmio;

/* What a function was asked */
static struct seen {
	unsigned int reads;
	unsigned int writes;
	uint64_t offset;
	unsigned int size;
	uint8_t first;
} seen;

static void see_read(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
{
	seen.reads++;
	seen.offset = offset;
	seen.size = size;
	memset(bytes, *(uint8_t *)data, size);
}

static void see_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
{
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
	EXPECT_FALSE(pci_is_used(&pci));
	function(&memory, 0x1111, false);
	function(&ports, 0x2222, true);
	pci_add(&pci, PCI_SLOT_PVMEMCONTROL, &memory);
	pci_add(&pci, PCI_SLOT_BALLOON, &ports);
	EXPECT_TRUE(pci_is_used(&pci));
	board_fake_add(pci_device(&pci));
	board_fake_add(pci_io_device(&pci));
	EXPECT_FALSE(bus_add(&mmio, &window, NULL));
}

FIXTURE(pci) {
};

FIXTURE_SETUP(pci)
{
	start();
}

FIXTURE_TEARDOWN(pci)
{
	pci_destroy(&pci);
}

/* A register of configuration space, and what is in it */
#define AT(slot, at)		OUTL(0xcf8, 0x80000000U | (slot) << 11 | (at))
#define CONFIG(slot, at, value)	AT(slot, at), INL(0xcfc, value)

TEST_F(pci, enumerate)
{
	PORTS(CONFIG(0, 0, 0x00081b36), CONFIG(0, 8, 0x06000000), CONFIG(1, 0, 0x11111234),
	      CONFIG(1, 8, 0x08800103), CONFIG(1, 0x2c, 0x9abc5678), CONFIG(2, 0, 0x22221234));
	/* Neither more devices, nor functions, nor buses; and only if enabled. */
	PORTS(CONFIG(3, 0, 0xffffffff), CONFIG(31, 0, 0xffffffff),
	      OUTL(0xcf8, 0x80000100U | 1 << 11), INL(0xcfc, 0xffffffff),
	      OUTL(0xcf8, 0x80010000U | 1 << 11), INL(0xcfc, 0xffffffff),
	      OUTL(0xcf8, 1 << 11), INL(0xcfc, 0xffffffff));
	/* By bytes and words, and never beyond the end. */
	PORTS(AT(1, 0x2c), INW(0xcfe, 0x9abc), IN(0xcfd, 0x56), AT(1, 0xfc), OUTL(0xcfd, 0));
	inl(0xcfd);
}

/* What says what a function is cannot be written. */
TEST_F(pci, read_only)
{
	for (unsigned int at = 0; at < PCI_CFG_SPACE_SIZE; at += 4)
		PORTS(AT(1, at), OUTL(0xcfc, 0xffffffff));
	PORTS(CONFIG(1, 0, 0x11111234), CONFIG(1, 4, 0x00000507), CONFIG(1, 8, 0x08800103),
	      CONFIG(1, 0x10, 0xffffffe0), CONFIG(1, 0x14, 0), CONFIG(1, 0x2c, 0x9abc5678),
	      CONFIG(1, 0x3c, 0xff), CONFIG(2, 0, 0x22221234));
}

static bool answers(uint64_t at)
{
	uint8_t bytes[4];
	unsigned int reads = seen.reads;

	bus_read(&mmio, at, bytes, sizeof(bytes));
	return seen.reads == reads + 1 && bytes[0] == 0x5a;
}

/* Its size is found, and it is moved, as Linux does both. */
TEST_F(pci, memory_bar)
{
	const uint64_t first = PCI_MEMORY_START + 0x1000;
	const uint64_t then = PCI_MEMORY_START + 0x20000;

	EXPECT_TRUE(answers(first));
	EXPECT_TRUE(answers(first + BAR_SIZE - 4));
	EXPECT_FALSE(answers(first - 4));
	EXPECT_FALSE(answers(first + BAR_SIZE));
	/* What is not all in it is for nobody. */
	EXPECT_FALSE(answers(first + BAR_SIZE - 2));
	EXPECT_FALSE(answers(first - 2));
	PORTS(AT(1, 0x10), OUTL(0xcfc, 0xffffffff), INL(0xcfc, (uint32_t)-BAR_SIZE));
	EXPECT_FALSE(answers(first));
	outl((uint32_t)then, 0xcfc);
	EXPECT_TRUE(answers(then + 8));
	EXPECT_FALSE(answers(first));
	EXPECT_EQ(seen.offset, 8);
	EXPECT_EQ(seen.size, 4);
	PORTS(AT(1, 4), OUTW(0xcfc, 0x0101));
	EXPECT_FALSE(answers(then));
	outw(0x0102, 0xcfc);
	EXPECT_TRUE(answers(then));
	/* RAM, and what else is below the window, is out of its reach. */
	PORTS(AT(1, 0x10), OUTL(0xcfc, 0x1000));
	EXPECT_FALSE(answers(0x1000));
	EXPECT_EQ(memory.place, PCI_BAR_NOWHERE);
	outl(PCI_MEMORY_START + (PCI_MEMORY_SIZE - 1), 0xcfc);
	EXPECT_TRUE(answers(PCI_MEMORY_START + (PCI_MEMORY_SIZE - BAR_SIZE)));
}

TEST_F(pci, port_bar)
{
	EXPECT_EQ(inb(PCI_IO_START + BAR_SIZE), 0xa5);
	outw(0x1234, PCI_IO_START + BAR_SIZE + 6);
	EXPECT_EQ(seen.writes, 1);
	EXPECT_EQ(seen.offset, 6);
	EXPECT_EQ(seen.size, 2);
	EXPECT_EQ(seen.first, 0x34);
	PORTS(IN(PCI_IO_START, 0xff), AT(2, 0x10), OUTL(0xcfc, 0xffffffff),
	      INL(0xcfc, 0xffffffe1), OUTL(0xcfc, PCI_IO_START + 2 * BAR_SIZE),
	      IN(PCI_IO_START + 2 * BAR_SIZE, 0xa5), AT(2, 4), OUTW(0xcfc, 0),
	      IN(PCI_IO_START + 2 * BAR_SIZE, 0xff));
}

/* Where the guest has put it, it is on another machine. */
TEST_OF(pci, state)
{
	const uint64_t place = PCI_MEMORY_START + 0x40000;
	struct tlv records = { 0 };

	start();
	PORTS(AT(1, 0x10), OUTL(0xcfc, (uint32_t)place));
	pci_function_get(&memory, &records, TYPE, PCI_SLOT_PVMEMCONTROL);
	pci_destroy(&pci);
	start();
	EXPECT_FALSE(answers(place));
	/* What the guest cannot write is not taken from the record, either. */
	records.bytes[16] = 0xee;
	EXPECT_FALSE(pci_function_set(&memory, &records, TYPE, PCI_SLOT_PVMEMCONTROL));
	EXPECT_TRUE(answers(place));
	PORTS(CONFIG(1, 0, 0x11111234));
	EXPECT_EQ(pci_function_set(&ports, &records, TYPE, PCI_SLOT_BALLOON), -EBADMSG);
	records.bytes[8] = 0xff;
	records.size--;
	EXPECT_EQ(pci_function_set(&memory, &records, TYPE, PCI_SLOT_PVMEMCONTROL), -EBADMSG);
	tlv_free(&records);
	pci_destroy(&pci);
}
