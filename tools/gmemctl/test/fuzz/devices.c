// SPDX-License-Identifier: GPL-2.0
/*
 * The PCI bus with pvmemcontrol and the balloon: any accesses to their ports, registers
 * and configuration, and anything in guest memory, where their buffers and queues are.
 * The input is a sequence of steps; see struct step.
 */
#include <string.h>
#include <sys/mman.h>

#include "../../base/bytes.h"
#include "../../base/calls.h"
#include "../../devices/balloon.h"
#include "../../devices/pvmemcontrol.h"
#include "../ram.h"
#include "fuzz.h"

#define PAGE		RANGE_PAGE_SIZE
#define STEPS_MAX	96
#define BUFFER		(2 * PAGE)
#define QUEUES		(4 * PAGE)

/**
 * struct step - an access, or something else
 * @action: see below
 * @size: of an access, modulo 8
 * @offset: in the window, or in memory
 * @bytes: to be written
 */
struct step {
	uint8_t action;
	uint8_t size;
	uint16_t offset;
	uint8_t bytes[32];
} __attribute__((packed));

enum {
	ACTION_MEMORY,		/* all of @bytes, at an offset of guest memory */
	ACTION_CONFIG,		/* the address, and 4 bytes to that register */
	ACTION_PORT_WRITE,
	ACTION_PORT_READ,
	ACTION_MMIO_WRITE,
	ACTION_MMIO_READ,
	ACTION_REQUEST,		/* @bytes to the buffer, and the first connection */
	ACTION_TARGET,
	ACTION_CONVERT,
	ACTION_MOVE,		/* to another machine, and back */
	ACTIONS,
};

static struct advice advice;
static struct given given;
static struct pci pci;
static struct pvmemcontrol device;
static struct balloon balloon;
static struct bus ports, mmio;
static bool line;

static void irq(void *data, unsigned int number, bool level)
{
	FUZZ_ASSERT(number == PCI_IRQ);
	line = level;
}

static void event(void *data, enum board_event what, uint32_t value)
{
}

static void note(void *data, const char *text)
{
	FUZZ_ASSERT(text[0]);
}

static const struct board board = { irq, event, note, NULL };

static void power_on(void)
{
	const struct bus_device windows[] = {
		pci_device(&pci), pci_io_device(&pci), pci_memory_device(&pci),
	};

	pci_init(&pci, &board);
	pvmemcontrol_init(&device, &board, &advice, PVMEMCONTROL_CODES_ALL);
	balloon_init(&balloon, &board, &ram.memory, &given, true);
	pci_add(&pci, PCI_SLOT_PVMEMCONTROL, &device.function);
	pci_add(&pci, PCI_SLOT_BALLOON, &balloon.virtio.function);
	memset(&ports, 0, sizeof(ports));
	memset(&mmio, 0, sizeof(mmio));
	FUZZ_ASSERT(!bus_add(&ports, &windows[0], NULL) && !bus_add(&ports, &windows[1], NULL) &&
		    !bus_add(&mmio, &windows[2], NULL));
	line = false;
}

static void power_off(void)
{
	balloon_destroy(&balloon);
	pvmemcontrol_destroy(&device);
	pci_destroy(&pci);
}

static void start(uint8_t which)
{
	static const enum backing_kind kinds[] = {
		BACKING_SHARED, BACKING_PRIVATE, BACKING_GMEM, BACKING_HUGETLB,
	};

	ram_start(kinds[which % 4]);
	ram.ranges[0].end = 48 * PAGE;
	ram.config.guest_memfd = which & 4;
	FUZZ_ASSERT(!ram_create() && !ram_attach() && !advice_init(&advice, &ram.memory, NULL) &&
		    !given_init(&given, &ram.memory, NULL));
	power_on();
}

static void stop(void)
{
	power_off();
	given_destroy(&given);
	advice_destroy(&advice);
	ram_stop();
}

/* By way of the kernel: it may be protected by now. */
static void poke(uint64_t gpa, const uint8_t *bytes, size_t size)
{
	calls->poke(ram.memory.reservation.base + gpa, bytes, size);
}

static void set_config(const uint8_t *bytes)
{
	bus_write(&ports, PCI_PORT, bytes, 4);
	bus_write(&ports, PCI_PORT + 4, bytes + 4, 4);
}

static void convert(const struct step *step)
{
	ram_convert(step->offset % 80, step->offset % 80 + 1, step->size & 1);
}

/* What the devices say of themselves another one takes. */
static void move(void)
{
	struct tlv records = { 0 };

	pci_function_get(&device.function, &records, 1, PCI_SLOT_PVMEMCONTROL);
	pci_function_get(&balloon.virtio.function, &records, 1, PCI_SLOT_BALLOON);
	pvmemcontrol_get(&device, &records, 2);
	balloon_get(&balloon, &records, 3);
	given_get(&given, &records, 5);
	FUZZ_ASSERT(!records.failed && tlv_valid(records.bytes, records.size));
	power_off();
	power_on();
	FUZZ_ASSERT(!pci_function_set(&device.function, &records, 1,
				      PCI_SLOT_PVMEMCONTROL) &&
		    !pci_function_set(&balloon.virtio.function, &records, 1, PCI_SLOT_BALLOON) &&
		    !pvmemcontrol_set(&device, &records, 2) &&
		    !balloon_set(&balloon, &records, 3) &&
		    !given_set(&given, &records, 5));
	tlv_free(&records);
}

static void access_window(const struct step *step)
{
	unsigned int size = 1 + step->size % 8;
	uint64_t port = PCI_IO_START + step->offset % PCI_IO_SIZE;
	uint64_t address = PCI_MEMORY_START + step->offset;
	uint8_t bytes[8];

	memcpy(bytes, step->bytes, sizeof(bytes));
	if (step->action % ACTIONS == ACTION_PORT_WRITE)
		bus_write(&ports, port, bytes, size);
	else if (step->action % ACTIONS == ACTION_PORT_READ)
		bus_read(&ports, port, bytes, size);
	else if (step->action % ACTIONS == ACTION_MMIO_WRITE)
		bus_write(&mmio, address, bytes, size);
	else
		bus_read(&mmio, address, bytes, size);
}

static void do_step(const struct step *step)
{
	uint8_t connection[4];

	switch (step->action % ACTIONS) {
	case ACTION_MEMORY:
		poke(step->offset, step->bytes, sizeof(step->bytes));
		break;
	case ACTION_CONFIG:
		set_config(step->bytes);
		break;
	case ACTION_REQUEST:
		poke(BUFFER, step->bytes, sizeof(step->bytes));
		bytes_put32(connection, PVMEMCONTROL_CONNECTION);
		bus_write(&mmio, PCI_MEMORY_START + PVMEMCONTROL_COMMAND, connection,
			  sizeof(connection));
		break;
	case ACTION_TARGET:
		balloon_set_target(&balloon, (uint64_t)step->offset * PAGE);
		balloon_ask(&balloon);
		break;
	case ACTION_CONVERT:
		convert(step);
		break;
	case ACTION_MOVE:
		move();
		break;
	default:
		access_window(step);
	}
}

/* Whatever has been done, it can be undone, and nothing is lost track of. */
static void check(void)
{
	struct balloon_report report;

	FUZZ_ASSERT(device.state <= PVMEMCONTROL_STATE_READY);
	FUZZ_ASSERT(advice.nr_runs <= ADVICE_RUNS_MAX);
	FUZZ_ASSERT(!advice_lift(&advice));
	balloon_report(&balloon, &report);
	FUZZ_ASSERT(report.given <= 64 * PAGE);
	FUZZ_ASSERT(line == !!balloon.virtio.state.interrupts);
	if (kvm_fake_private(0, 0))
		memset(ram.memory.reservation.base, 0x5a, 48 * PAGE);
	balloon.virtio.ops->reset(&balloon);
	balloon_report(&balloon, &report);
	FUZZ_ASSERT(!report.given);
	FUZZ_ASSERT(!advice_restore(&advice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct step step;

	if (!size)
		return 0;
	start(data[0]);
	data++;
	size--;
	for (int i = 0; i < STEPS_MAX && size >= sizeof(step); i++) {
		memcpy(&step, data, sizeof(step));
		do_step(&step);
		data += sizeof(step);
		size -= sizeof(step);
	}
	check();
	stop();
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return fuzz_mutate_steps(data, size, max, seed, sizeof(struct step), NULL);
}

static void add(struct fuzz_steps *seed, uint8_t action, uint8_t size, uint16_t offset,
		const void *bytes, size_t length)
{
	struct step step = { .action = action, .size = (uint8_t)(size - 1), .offset = offset };

	memcpy(step.bytes, bytes, length);
	fuzz_add_step(seed, &step, sizeof(step));
}

static void add32(struct fuzz_steps *seed, uint8_t action, uint8_t size, uint16_t offset,
		  uint32_t value)
{
	add(seed, action, size, offset, &value, sizeof(value));
}

static void add_request(struct fuzz_steps *seed, uint64_t code, uint64_t gpa, uint64_t size)
{
	const uint64_t words[] = { code, gpa, size, 1 };

	add(seed, ACTION_REQUEST, 1, 0, words, sizeof(words));
}

/* The driver of pvmemcontrol, and each code. */
static size_t seed_requests(uint8_t *data)
{
	struct fuzz_steps seed = { .data = data, .size = 1 };

	add32(&seed, ACTION_MMIO_WRITE, 4, 8, PVMEMCONTROL_RESET);
	add32(&seed, ACTION_MMIO_WRITE, 4, 0, BUFFER);
	add32(&seed, ACTION_MMIO_WRITE, 4, 8, PVMEMCONTROL_REGISTER);
	add32(&seed, ACTION_MMIO_READ, 4, 0, 0);
	add32(&seed, ACTION_MMIO_WRITE, 4, 8, PVMEMCONTROL_READY);
	for (uint64_t code = 0; code < PVMEMCONTROL_CODES; code++)
		add_request(&seed, code, (8 + code) * PAGE, 4 * PAGE);
	add32(&seed, ACTION_MOVE, 1, 0, 0);
	add32(&seed, ACTION_MMIO_WRITE, 4, 8, PVMEMCONTROL_DISCONNECT);
	return seed.size;
}

static void add_queue(struct fuzz_steps *seed, uint32_t queue)
{
	uint32_t gpa = (uint32_t)(QUEUES + queue * PAGE);

	add32(seed, ACTION_PORT_WRITE, 2, 0x16, queue);
	add32(seed, ACTION_PORT_WRITE, 2, 0x18, 8);
	add32(seed, ACTION_PORT_WRITE, 4, 0x20, gpa);
	add32(seed, ACTION_PORT_WRITE, 4, 0x28, gpa + 0x200);
	add32(seed, ACTION_PORT_WRITE, 4, 0x30, gpa + 0x400);
	add32(seed, ACTION_PORT_WRITE, 2, 0x1c, 1);
}

/* Descriptor 0 of a queue, which is made available. */
static void add_buffer(struct fuzz_steps *seed, uint32_t queue, uint32_t gpa,
		       uint32_t size, uint32_t flags)
{
	uint16_t at = (uint16_t)(QUEUES + queue * PAGE);
	const uint32_t words[] = { gpa, 0, size, flags };
	const uint16_t ring[] = { 0, 1, 0 };

	add(seed, ACTION_MEMORY, 1, at, words, sizeof(words));
	add(seed, ACTION_MEMORY, 1, at + 0x200, ring, sizeof(ring));
	add32(seed, ACTION_PORT_WRITE, 2, VIRTIO_NOTIFY, queue);
}

/* The driver of the balloon, and a buffer for each queue. */
static size_t seed_balloon(uint8_t *data)
{
	const uint32_t features = 0x37, numbers[] = { 20, 21, 22, 40 };
	struct fuzz_steps seed = { .data = data, .size = 1 };

	add32(&seed, ACTION_PORT_WRITE, 1, 0x14, 3);
	add32(&seed, ACTION_PORT_WRITE, 4, 0x0c, features);
	add32(&seed, ACTION_PORT_WRITE, 4, 0x08, 1);
	add32(&seed, ACTION_PORT_WRITE, 4, 0x0c, 1);
	add32(&seed, ACTION_PORT_WRITE, 1, 0x14, 11);
	for (uint32_t queue = 0; queue < 4; queue++)
		add_queue(&seed, queue);
	add32(&seed, ACTION_PORT_WRITE, 1, 0x14, 15);
	add32(&seed, ACTION_TARGET, 1, 4, 0);
	add(&seed, ACTION_MEMORY, 1, BUFFER, numbers, sizeof(numbers));
	add_buffer(&seed, 0, BUFFER, sizeof(numbers), 0);
	add_buffer(&seed, 2, BUFFER, 10, 0);
	add_buffer(&seed, 3, 24 * PAGE, 4 * PAGE, 2);
	add32(&seed, ACTION_MOVE, 1, 0, 0);
	add_buffer(&seed, 1, BUFFER, sizeof(numbers), 0);
	add32(&seed, ACTION_PORT_READ, 1, VIRTIO_ISR, 0);
	return seed.size;
}

size_t fuzz_seed(unsigned int index, uint8_t *data)
{
	data[0] = (uint8_t)(index / 2);
	if (index >= 16)
		return 0;
	return index % 2 ? seed_balloon(data) : seed_requests(data);
}
