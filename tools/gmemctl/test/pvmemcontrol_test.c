// SPDX-License-Identifier: GPL-2.0
/*
 * The device pvmemcontrol: identity, registers, states and requests, in the order in
 * which the upstream driver does it, and in others.
 */
#include <stddef.h>

#include "../base/bytes.h"
#include "../base/calls.h"
#include "../devices/pvmemcontrol.h"
#include "board_fake.h"
#include "ram.h"
#include "ksft.h"

#define PAGE	RANGE_PAGE_SIZE
#define TYPE	7
#define BUFFER	(2 * PAGE)
#define OTHER	(3 * PAGE)
#define GPA	(8 * PAGE)

static struct advice advice;
static struct pvmemcontrol device;
static struct pci pci;
static struct bus mmio;
static char noted[128];

static void note(void *data, const char *text)
{
	snprintf(noted, sizeof(noted), "%s", text);
}

static void power_on(uint32_t codes)
{
	const struct bus_device window = pci_memory_device(&pci);

	board_fake_start();
	board_fake.board.note = note;
	noted[0] = '\0';
	memset(&mmio, 0, sizeof(mmio));
	pci_init(&pci, &board_fake.board);
	pvmemcontrol_init(&device, &board_fake.board, &advice, codes);
	pci_add(&pci, PCI_SLOT_PVMEMCONTROL, &device.function);
	board_fake_add(pci_device(&pci));
	EXPECT_FALSE(bus_add(&mmio, &window, NULL));
}

static void start(bool guest_memfd)
{
	ram_start(BACKING_SHARED);
	ram.config.guest_memfd = guest_memfd;
	ram_build();
	EXPECT_FALSE(advice_init(&advice, &ram.memory, NULL));
	power_on(PVMEMCONTROL_CODES_ALL);
}

static void power_off(void)
{
	pvmemcontrol_destroy(&device);
	pci_destroy(&pci);
}

static void stop(void)
{
	power_off();
	advice_destroy(&advice);
	ram_stop();
}

static uint8_t *at(uint64_t gpa)
{
	return ram.memory.reservation.base + gpa;
}

static void write32(uint64_t offset, uint32_t value)
{
	uint8_t bytes[4];

	bytes_put32(bytes, value);
	bus_write(&mmio, PCI_MEMORY_START + offset, bytes, sizeof(bytes));
}

static uint32_t read32(uint64_t offset)
{
	uint8_t bytes[4] = { 0 };

	bus_read(&mmio, PCI_MEMORY_START + offset, bytes, sizeof(bytes));
	return bytes_get32(bytes);
}

static uint32_t command(uint32_t value)
{
	write32(PVMEMCONTROL_COMMAND, value);
	return read32(PVMEMCONTROL_COMMAND);
}

/* iowrite64_lo_hi() */
static uint32_t register_buffer(uint64_t gpa)
{
	write32(0, (uint32_t)gpa);
	write32(4, (uint32_t)(gpa >> 32));
	return command(PVMEMCONTROL_REGISTER);
}

static void reset(void)
{
	EXPECT_EQ(command(PVMEMCONTROL_RESET), PVMEMCONTROL_ACK);
}

static void connect_at(uint64_t buffer)
{
	reset();
	EXPECT_EQ(register_buffer(buffer), PVMEMCONTROL_ACK);
	EXPECT_EQ(read32(0), PVMEMCONTROL_CONNECTION);
	EXPECT_EQ(command(PVMEMCONTROL_READY), PVMEMCONTROL_ACK);
}

static void connect(void)
{
	connect_at(BUFFER);
}

static struct pvmemcontrol_response answer(uint64_t buffer)
{
	struct pvmemcontrol_response response;

	memcpy(&response, at(buffer), sizeof(response));
	return response;
}

static void ask_at(uint64_t buffer, uint64_t code, uint64_t address,
		   uint64_t length, uint64_t argument)
{
	const struct pvmemcontrol_request ask = { code, address, length, argument };

	memcpy(at(buffer), &ask, sizeof(ask));
}

static struct pvmemcontrol_response ask(uint64_t code, uint64_t address, uint64_t length)
{
	ask_at(BUFFER, code, address, length, 1);
	write32(PVMEMCONTROL_COMMAND, PVMEMCONTROL_CONNECTION);
	return answer(BUFFER);
}

static bool is_answer(struct pvmemcontrol_response response, uint32_t error, uint32_t code)
{
	if (response.error != error || response.code != code)
		printf("# error %u, code %u\n", response.error, response.code);
	return response.error == error && response.code == code &&
	       !response.value && !response.arguments[0] && !response.arguments[1];
}

FIXTURE(pvmemcontrol) {
};

FIXTURE_SETUP(pvmemcontrol)
{
	start(false);
}

FIXTURE_TEARDOWN(pvmemcontrol)
{
	stop();
}

/* A register of its configuration space */
#define CONFIG(at, value) \
	OUTL(0xcf8, 0x80000000U | PCI_SLOT_PVMEMCONTROL << 11 | (at)), INL(0xcfc, value)

TEST_F(pvmemcontrol, identity)
{
	PORTS(CONFIG(0x00, 0x00871ae0), CONFIG(0x04, 0x00000103), CONFIG(0x08, 0x08800001),
	      CONFIG(0x0c, 0), CONFIG(0x10, PCI_MEMORY_START), CONFIG(0x2c, 0x011f1ae0));
	/* Neither capabilities nor an interrupt; and 16 bytes, aligned to their size. */
	PORTS(CONFIG(0x34, 0), CONFIG(0x3c, 0), CONFIG(0x10, PCI_MEMORY_START),
	      OUTL(0xcfc, 0xffffffff), INL(0xcfc, 0xfffffff0));
}

/* What the upstream driver does to probe, to call, and to go. */
TEST_F(pvmemcontrol, driver)
{
	struct pvmemcontrol_response response;

	EXPECT_EQ(read32(PVMEMCONTROL_COMMAND), PVMEMCONTROL_ERROR);
	EXPECT_STREQ(pvmemcontrol_state_name(&device), "broken");
	reset();
	for (uint32_t cpu = 0; cpu < 4; cpu++) {
		EXPECT_EQ(register_buffer(BUFFER + cpu * 32), PVMEMCONTROL_ACK);
		EXPECT_EQ(read32(0), 0x80000000U + cpu);
		EXPECT_EQ(read32(4), 0);
	}
	EXPECT_STREQ(pvmemcontrol_state_name(&device), "initializing");
	EXPECT_EQ(command(PVMEMCONTROL_READY), PVMEMCONTROL_ACK);
	EXPECT_STREQ(pvmemcontrol_state_name(&device), "ready");
	response = ask(PVMEMCONTROL_INFO, 1, 2);
	EXPECT_FALSE(response.error);
	EXPECT_FALSE(response.code);
	EXPECT_EQ(response.value, PAGE);
	EXPECT_EQ(response.arguments[0], 1);
	EXPECT_EQ(response.arguments[1], 0);
	memset(at(GPA), 0x5a, PAGE);
	ask_at(BUFFER + 3 * 32, ADVICE_DONTNEED, GPA, PAGE, 0);
	write32(PVMEMCONTROL_COMMAND, 0x80000003);
	EXPECT_TRUE(is_answer(answer(BUFFER + 3 * 32), 0, 0));
	EXPECT_FALSE(*at(GPA));
	EXPECT_EQ(device.counters.done[ADVICE_DONTNEED], 1);
	EXPECT_EQ(device.counters.bytes, PAGE);
	EXPECT_EQ(command(PVMEMCONTROL_DISCONNECT), PVMEMCONTROL_ERROR);
	EXPECT_STREQ(noted, "");
}

TEST_F(pvmemcontrol, answers)
{
	static const struct {
		uint64_t code, gpa, length;
		uint32_t error, about;
	} cases[] = {
		{ ADVICE_PROTECT_R, GPA, PAGE, 0, 0 },
		{ 15, GPA, PAGE, EOPNOTSUPP, 15 },
		{ UINT64_C(0x100000001), GPA, PAGE, EOPNOTSUPP, 1 },
		{ UINT64_MAX, GPA, PAGE, EOPNOTSUPP, UINT32_MAX },
		{ ADVICE_DONTNEED, GPA, 9 * PAGE, EINVAL, 1 },
		{ ADVICE_DONTNEED, GPA + 1, PAGE, EINVAL, 1 },
		{ ADVICE_LOCK, GPA, UINT64_MAX, EINVAL, 7 },
		{ ADVICE_NAME, GPA, PAGE, EOPNOTSUPP, 6 },
	};

	connect();
	ksft_for_each(c, cases)
		EXPECT_TRUE(is_answer(ask(c->code, c->gpa, c->length), c->error, c->about));
	EXPECT_EQ(device.counters.unknown, 3);
	EXPECT_EQ(device.counters.refused[ADVICE_DONTNEED], 2);
	EXPECT_EQ(device.counters.refused[ADVICE_NAME], 1);
	EXPECT_FALSE(device.counters.unanswered);
}

/* Only what this run of the machine lets the guest use, and always INFO. */
TEST_F(pvmemcontrol, codes)
{
	power_off();
	power_on(1U << ADVICE_DONTNEED);
	connect();
	EXPECT_EQ(ask(PVMEMCONTROL_INFO, 0, 0).value, PAGE);
	EXPECT_TRUE(is_answer(ask(ADVICE_DONTNEED, GPA, PAGE), 0, 0));
	EXPECT_TRUE(is_answer(ask(ADVICE_REMOVE, GPA, PAGE), EOPNOTSUPP, 2));
	EXPECT_TRUE(is_answer(ask(ADVICE_PROTECT_NONE, GPA, PAGE), EOPNOTSUPP, 9));
}

/* Whether a request through the first connection is served. */
static bool serves(void)
{
	ask_at(BUFFER, PVMEMCONTROL_INFO, 0, 0, 0);
	write32(PVMEMCONTROL_COMMAND, PVMEMCONTROL_CONNECTION);
	return answer(BUFFER).value == PAGE;
}

/* Each state, and each command in it after which nothing is served. */
TEST_F(pvmemcontrol, states)
{
	static const struct {
		uint32_t command;
		uint32_t status;
	} table[] = {
		{ PVMEMCONTROL_RESET, PVMEMCONTROL_ACK },
		{ PVMEMCONTROL_DISCONNECT, PVMEMCONTROL_ERROR },
		{ PVMEMCONTROL_ACK, PVMEMCONTROL_ERROR },
		{ PVMEMCONTROL_ERROR, PVMEMCONTROL_ERROR },
	};

	ksft_for_each(item, table) {
		EXPECT_EQ(command(item->command), item->status);
		EXPECT_FALSE(serves());
		reset();
		EXPECT_EQ(command(item->command), item->status);
		EXPECT_FALSE(serves());
		connect();
		EXPECT_TRUE(serves());
		EXPECT_EQ(command(item->command), item->status);
		EXPECT_FALSE(serves());
		EXPECT_EQ(command(PVMEMCONTROL_DISCONNECT), PVMEMCONTROL_ERROR);
	}
	/* REGISTER and READY are for the state that RESET leads to. */
	EXPECT_EQ(register_buffer(BUFFER), PVMEMCONTROL_ERROR);
	EXPECT_EQ(command(PVMEMCONTROL_READY), PVMEMCONTROL_ERROR);
	connect();
	EXPECT_EQ(register_buffer(BUFFER), PVMEMCONTROL_ERROR);
	EXPECT_FALSE(serves());
	connect();
	EXPECT_EQ(command(PVMEMCONTROL_READY), PVMEMCONTROL_ERROR);
	EXPECT_FALSE(serves());
	EXPECT_EQ(read32(0), 0);
	/* What is no command changes nothing. */
	connect();
	EXPECT_EQ(command(0x12345678), PVMEMCONTROL_ACK);
	EXPECT_TRUE(serves());
	EXPECT_STRSTR(noted, "unknown command");
}

/* Ids begin anew after each RESET, and old ones are nobody's. */
TEST_F(pvmemcontrol, connections)
{
	connect();
	ask_at(BUFFER, PVMEMCONTROL_INFO, 7, 0, 0);
	write32(PVMEMCONTROL_COMMAND, 0x80000001);
	EXPECT_EQ(answer(BUFFER).value, 7);
	EXPECT_EQ(device.counters.unanswered, 1);
	write32(PVMEMCONTROL_COMMAND, 0xffffffff);
	EXPECT_EQ(answer(BUFFER).value, 7);
	EXPECT_EQ(device.counters.unanswered, 2);
	/* The same buffer may be there twice. */
	reset();
	EXPECT_FALSE(serves());
	EXPECT_EQ(register_buffer(OTHER), PVMEMCONTROL_ACK);
	EXPECT_EQ(read32(0), 0x80000000);
	EXPECT_EQ(register_buffer(OTHER), PVMEMCONTROL_ACK);
	EXPECT_EQ(read32(0), 0x80000001);
	EXPECT_EQ(command(PVMEMCONTROL_READY), PVMEMCONTROL_ACK);
	EXPECT_FALSE(serves());
	EXPECT_EQ(answer(OTHER).value, PAGE);
	/* There is an end to them. */
	reset();
	for (int i = 0; i < PVMEMCONTROL_CONNECTIONS_MAX; i++)
		EXPECT_EQ(register_buffer(BUFFER), PVMEMCONTROL_ACK);
	EXPECT_EQ(read32(0), 0x80000000U + PVMEMCONTROL_CONNECTIONS_MAX - 1);
	EXPECT_EQ(register_buffer(BUFFER), PVMEMCONTROL_ERROR);
	EXPECT_EQ(read32(0), 0);
}

TEST_F(pvmemcontrol, buffers)
{
	static const uint64_t bad[] = {
		16 * PAGE - 31, 16 * PAGE, 63 * PAGE, 64 * PAGE - 1, 80 * PAGE - 16,
		PCI_MEMORY_START, UINT64_MAX, UINT64_MAX - 31, UINT64_C(1) << 63,
	};

	ksft_for_each(item, bad) {
		reset();
		EXPECT_EQ(register_buffer(*item), PVMEMCONTROL_ERROR);
		EXPECT_EQ(command(PVMEMCONTROL_READY), PVMEMCONTROL_ERROR);
	}
	/* At any alignment, over two pages, and at the very end. */
	reset();
	EXPECT_EQ(register_buffer(BUFFER + PAGE - 17), PVMEMCONTROL_ACK);
	EXPECT_EQ(register_buffer(80 * PAGE - 32), PVMEMCONTROL_ACK);
	EXPECT_EQ(command(PVMEMCONTROL_READY), PVMEMCONTROL_ACK);
	ask_at(BUFFER + PAGE - 17, PVMEMCONTROL_INFO, 0, 0, 0);
	write32(PVMEMCONTROL_COMMAND, PVMEMCONTROL_CONNECTION);
	EXPECT_EQ(answer(BUFFER + PAGE - 17).value, PAGE);
}

/* A buffer that the guest protects, or makes private, gets no answer. */
TEST_OF(pvmemcontrol, buffer_lost)
{
	start(false);
	connect();
	EXPECT_EQ(ask(ADVICE_PROTECT_R, BUFFER, PAGE).error, ADVICE_PROTECT_R);
	EXPECT_EQ(device.counters.unanswered, 1);
	EXPECT_STRSTR(noted, "cannot be written");
	connect_at(OTHER);
	ask_at(OTHER, ADVICE_PROTECT_NONE, OTHER, PAGE, 0);
	write32(PVMEMCONTROL_COMMAND, PVMEMCONTROL_CONNECTION);
	write32(PVMEMCONTROL_COMMAND, PVMEMCONTROL_CONNECTION);
	EXPECT_STRSTR(noted, "cannot be read");
	EXPECT_EQ(device.counters.unanswered, 3);
	stop();
	start(true);
	connect();
	EXPECT_FALSE(ram_convert(3, 4, true));
	reset();
	EXPECT_EQ(register_buffer(OTHER - 8), PVMEMCONTROL_ERROR);
	connect();
	EXPECT_FALSE(ram_convert(2, 3, true));
	write32(PVMEMCONTROL_COMMAND, PVMEMCONTROL_CONNECTION);
	EXPECT_STRSTR(noted, "cannot be read");
	EXPECT_EQ(device.counters.unanswered, 1);
	EXPECT_EQ(answer(BUFFER).value, 0);
	stop();
}

static void write_bytes(uint64_t offset, const char *bytes, size_t size)
{
	bus_write(&mmio, PCI_MEMORY_START + offset, (const uint8_t *)bytes, size);
}

static uint64_t payload(void)
{
	return read32(0) | (uint64_t)read32(4) << 32;
}

/* Accesses of all sizes. What is beyond the payload is lost, and never a command. */
TEST_F(pvmemcontrol, registers)
{
	uint8_t bytes[8];

	write_bytes(0, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	EXPECT_EQ(payload(), 0x0807060504030201);
	write_bytes(4, "\x11\x12\x13\x14\xd2\xe6\x0f\x06", 8);
	EXPECT_EQ(payload(), 0x1413121104030201);
	EXPECT_EQ(read32(8), PVMEMCONTROL_ERROR);
	write_bytes(2, "\x21\x22\x23\x24", 4);
	EXPECT_EQ(payload(), 0x1413242322210201);
	write_bytes(1, "\xff", 1);
	write_bytes(2, "\xff\xff", 2);
	EXPECT_EQ(payload(), 0x1413242322210201);
	EXPECT_STRSTR(noted, "write of unsupported size");
	write_bytes(12, "\xff\xff\xff\xff", 4);
	write_bytes(9, "\xd2\xe6\x0f\x06", 4);
	write_bytes(8, "\xd2\xe6", 2);
	write_bytes(8, "\xd2\xe6\x0f\x06\x00\x00\x00\x00", 8);
	EXPECT_EQ(read32(8), PVMEMCONTROL_ERROR);
	EXPECT_EQ(read32(12), 0);
	/* A part of it; and what is not all in the device is nobody's. */
	EXPECT_TRUE(bus_read(&mmio, PCI_MEMORY_START + 8, bytes, 1));
	EXPECT_EQ(bytes[0], 0x49);
	EXPECT_TRUE(bus_read(&mmio, PCI_MEMORY_START + 6, bytes, 4));
	EXPECT_MEMEQ(bytes, "\x13\x14\x49\xa2", 4);
	EXPECT_TRUE(bus_read(&mmio, PCI_MEMORY_START + 14, bytes, 4));
	EXPECT_EQ(bytes_get32(bytes), 0xffffffff);
	/* All commands but REGISTER leave zeros. */
	command(PVMEMCONTROL_RESET);
	EXPECT_EQ(payload(), 0);
}

/* The driver of a guest that goes on elsewhere does not notice. */
TEST_OF(pvmemcontrol, state)
{
	struct tlv records = { 0 };

	start(false);
	connect();
	write32(0, 0x1234);
	device.codes &= ~(1U << ADVICE_LOCK);
	pvmemcontrol_get(&device, &records, TYPE);
	stop();
	start(false);
	EXPECT_FALSE(pvmemcontrol_set(&device, &records, TYPE));
	EXPECT_TRUE(serves());
	EXPECT_EQ(read32(0), 0x1234);
	EXPECT_EQ(read32(8), PVMEMCONTROL_ACK);
	EXPECT_TRUE(is_answer(ask(ADVICE_LOCK, GPA, PAGE), EOPNOTSUPP, 7));
	stop();
	tlv_free(&records);
}

TEST_F(pvmemcontrol, bad_state)
{
	struct tlv records = { 0 };
	const size_t header = 16;

	EXPECT_EQ(pvmemcontrol_set(&device, &records, TYPE), -EBADMSG);
	connect();
	for (size_t byte = 8; byte < 24; byte++) {
		if (byte >= 16 && byte < 20)
			continue;
		pvmemcontrol_get(&device, &records, TYPE);
		records.bytes[header + byte] ^= 0x80;
		EXPECT_EQ(pvmemcontrol_set(&device, &records, TYPE), -EBADMSG);
		tlv_free(&records);
	}
	/* A buffer that is nowhere does no harm. */
	pvmemcontrol_get(&device, &records, TYPE);
	records.bytes[header + 24 + 7] = 0xff;
	EXPECT_FALSE(pvmemcontrol_set(&device, &records, TYPE));
	EXPECT_FALSE(serves());
	EXPECT_EQ(device.counters.unanswered, 1);
	tlv_free(&records);
}

#define CPUS	4
#define ROUNDS	2000

static unsigned int wrong;

/* Each with a page of its own to give back, and answers that nobody else gets. */
static void *cpu(void *data)
{
	uint32_t number = *(uint32_t *)data;
	uint64_t buffer = BUFFER + number * 32, gpa = GPA + number * PAGE;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint64_t code = i % 3 ? PVMEMCONTROL_CODES + number : ADVICE_DONTNEED;

		*at(gpa) = 1;
		ask_at(buffer, code, gpa, PAGE, 0);
		write32(PVMEMCONTROL_COMMAND, PVMEMCONTROL_CONNECTION | number);
		if (answer(buffer).code != (i % 3 ? code : 0) || *at(gpa) != (i % 3 ? 1 : 0))
			__atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

TEST_F(pvmemcontrol, threads)
{
	uint32_t numbers[CPUS];
	pthread_t threads[CPUS];

	wrong = 0;
	command(PVMEMCONTROL_RESET);
	for (uint32_t i = 0; i < CPUS; i++)
		register_buffer(BUFFER + i * 32);
	command(PVMEMCONTROL_READY);
	for (uint32_t i = 0; i < CPUS; i++) {
		numbers[i] = i;
		EXPECT_FALSE(pthread_create(&threads[i], NULL, cpu, &numbers[i]));
	}
	for (uint32_t i = 0; i < CPUS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_FALSE(wrong);
	EXPECT_FALSE(device.counters.unanswered);
	EXPECT_EQ(device.counters.done[ADVICE_DONTNEED], CPUS * ((ROUNDS + 2) / 3));
}

/* A request that waits for its range keeps no other one, nor the transport. */
TEST_F(pvmemcontrol, beside)
{
	struct range *turn;
	uint32_t number = 1;
	pthread_t thread;

	command(PVMEMCONTROL_RESET);
	register_buffer(BUFFER);
	register_buffer(BUFFER + 32);
	command(PVMEMCONTROL_READY);
	turn = range_lock_enter(&ram.memory.range_lock, (struct range){ 9 * PAGE, 10 * PAGE });
	wrong = 0;
	EXPECT_FALSE(pthread_create(&thread, NULL, cpu, &number));
	for (int i = 0; i < 100; i++) {
		EXPECT_TRUE(serves());
		EXPECT_TRUE(is_answer(ask(ADVICE_DONTNEED, GPA, PAGE), 0, 0));
	}
	EXPECT_EQ(read32(PVMEMCONTROL_COMMAND), PVMEMCONTROL_ACK);
	EXPECT_FALSE(device.counters.refused[ADVICE_DONTNEED]);
	range_lock_leave(&ram.memory.range_lock, turn);
	pthread_join(thread, NULL);
	EXPECT_FALSE(wrong);
}
