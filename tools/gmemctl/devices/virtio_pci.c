// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "virtio_pci.h"

#define VENDOR		0x1af4
#define DEVICE_BASE	0x1040
#define SUBSYSTEM	0x1100
#define CLASS_OTHER	0x00ff00
#define PIN_A		1

/* Capabilities */
#define CAPABILITY_VENDOR	0x09
#define CAPABILITY_COMMON	1
#define CAPABILITY_NOTIFY	2
#define CAPABILITY_ISR		3
#define CAPABILITY_DEVICE	4
#define CAPABILITY_WINDOW	5
#define CAPABILITIES		0x40
#define CAPABILITY_SIZE		16
#define CAPABILITY_NOTIFY_SIZE	20
#define CAPABILITY_WINDOW_SIZE	20
#define CAPABILITY_BAR		4	/* offsets */
#define CAPABILITY_OFFSET	8
#define CAPABILITY_LENGTH	12
#define CAPABILITY_DATA		16

/* Registers of the common structure */
#define DEVICE_SELECT	0x00
#define DEVICE_FEATURE	0x04
#define DRIVER_SELECT	0x08
#define DRIVER_FEATURE	0x0c
#define MSIX_CONFIG	0x10
#define NUM_QUEUES	0x12
#define STATUS		0x14
#define GENERATION	0x15
#define QUEUE_SELECT	0x16
#define QUEUE_SIZE	0x18
#define QUEUE_MSIX	0x1a
#define QUEUE_ENABLE	0x1c
#define QUEUE_ADDRESSES	0x20
#define NO_VECTOR	0xffff

static void reset_state(struct virtio_pci *virtio)
{
	uint8_t generation = virtio->state.generation;
	uint8_t config[VIRTIO_CONFIG_MAX];

	memcpy(config, virtio->state.config, sizeof(config));
	memset(&virtio->state, 0, sizeof(virtio->state));
	memcpy(virtio->state.config, config, sizeof(config));
	virtio->state.generation = generation;
	for (unsigned int i = 0; i < VIRTIO_QUEUES_MAX; i++)
		virtqueue_reset(&virtio->state.queues[i]);
}

static void set_line(struct virtio_pci *virtio)
{
	virtio->board->irq(virtio->board->data, PCI_IRQ,
			   virtio->state.interrupts);
}

static void interrupt(struct virtio_pci *virtio, uint8_t why)
{
	virtio->state.interrupts |= why;
	set_line(virtio);
}

bool virtio_is_running(const struct virtio_pci *virtio)
{
	return (virtio->state.status & (VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET)) ==
	       VIRTIO_DRIVER_OK;
}

bool virtio_has(const struct virtio_pci *virtio, uint64_t feature)
{
	return virtio->state.features & feature;
}

/* The driver has to reset the device, and is told so. */
static void give_up(struct virtio_pci *virtio, unsigned int queue)
{
	char text[96];

	snprintf(text, sizeof(text), "%s: queue %u makes no sense, or is in memory that "
		 "cannot be accessed", virtio->function.name, queue);
	board_note(virtio->board, text);
	virtio->state.status |= VIRTIO_NEEDS_RESET;
	interrupt(virtio, VIRTIO_ISR_CONFIG);
}

bool virtio_take(struct virtio_pci *virtio, unsigned int queue,
		 struct virtqueue_buffer *buffer)
{
	struct virtqueue *from = &virtio->state.queues[queue];
	int rc = 0;

	if (virtio_is_running(virtio) && from->ready)
		rc = virtqueue_take(from, virtio->memory, buffer);
	if (rc < 0)
		give_up(virtio, queue);
	return rc > 0;
}

void virtio_give(struct virtio_pci *virtio, unsigned int queue, uint16_t head)
{
	struct virtqueue *to = &virtio->state.queues[queue];

	if (!virtio_is_running(virtio) || !to->ready)
		return;
	if (virtqueue_give(to, virtio->memory, head))
		give_up(virtio, queue);
	else if (virtqueue_wants_interrupt(to, virtio->memory))
		interrupt(virtio, VIRTIO_ISR_QUEUE);
}

void virtio_changed(struct virtio_pci *virtio)
{
	virtio->state.generation++;
	if (virtio_is_running(virtio))
		interrupt(virtio, VIRTIO_ISR_CONFIG);
}

/* The queue that the driver looks at, or NULL. */
static struct virtqueue *selected(struct virtio_pci *virtio)
{
	unsigned int number = virtio->state.queue_select;

	return number < VIRTIO_QUEUES_MAX ? &virtio->state.queues[number] : NULL;
}

static void fill_queue(struct virtio_pci *virtio, uint8_t *registers)
{
	const struct virtqueue *queue = selected(virtio);

	if (!queue)
		return;
	bytes_put16(registers + QUEUE_SIZE, queue->size);
	bytes_put16(registers + QUEUE_ENABLE, queue->ready);
	bytes_put64(registers + QUEUE_ADDRESSES, queue->descriptors);
	bytes_put64(registers + QUEUE_ADDRESSES + 8, queue->driver);
	bytes_put64(registers + QUEUE_ADDRESSES + 16, queue->device);
}

static void fill_common(struct virtio_pci *virtio, uint8_t *registers)
{
	const struct virtio_state *state = &virtio->state;

	bytes_put32(registers + DEVICE_SELECT, state->feature_select);
	if (state->feature_select < 2)
		bytes_put32(registers + DEVICE_FEATURE, (uint32_t)
			    (virtio->offered >> 32 * state->feature_select));
	bytes_put32(registers + DRIVER_SELECT, state->driver_select);
	if (state->driver_select < 2)
		bytes_put32(registers + DRIVER_FEATURE, (uint32_t)
			    (state->features >> 32 * state->driver_select));
	bytes_put16(registers + MSIX_CONFIG, NO_VECTOR);
	bytes_put16(registers + NUM_QUEUES, VIRTIO_QUEUES_MAX);
	registers[STATUS] = state->status;
	registers[GENERATION] = state->generation;
	bytes_put16(registers + QUEUE_SELECT, state->queue_select);
	bytes_put16(registers + QUEUE_MSIX, NO_VECTOR);
	fill_queue(virtio, registers);
}

/* A read of the interrupts takes them. */
static void virtio_read(void *data, uint64_t offset, uint8_t *bytes,
			unsigned int size)
{
	uint8_t registers[VIRTIO_BAR_SIZE] = { 0 };
	struct virtio_pci *virtio = data;

	pthread_mutex_lock(&virtio->lock);
	fill_common(virtio, registers);
	memcpy(registers + VIRTIO_CONFIG, virtio->state.config, virtio->config_size);
	if (offset == VIRTIO_ISR && virtio->state.interrupts) {
		registers[VIRTIO_ISR] = virtio->state.interrupts;
		virtio->state.interrupts = 0;
		set_line(virtio);
	}
	pthread_mutex_unlock(&virtio->lock);
	memcpy(bytes, registers + offset, size);
}

static void write_features(struct virtio_pci *virtio, uint32_t value)
{
	struct virtio_state *state = &virtio->state;
	unsigned int shift = 32 * (state->driver_select & 1);

	if (state->driver_select > 1 || state->status & VIRTIO_FEATURES_OK)
		return;
	state->features &= ~(UINT64_C(0xffffffff) << shift);
	state->features |= (uint64_t)value << shift;
}

static void reset(struct virtio_pci *virtio)
{
	reset_state(virtio);
	set_line(virtio);
	virtio->ops->reset(virtio->data);
}

static void notify(struct virtio_pci *virtio, uint32_t queue)
{
	if (queue < VIRTIO_QUEUES_MAX && virtio_is_running(virtio) &&
	    virtio->state.queues[queue].ready)
		virtio->ops->notify(virtio->data, queue);
}

/*
 * What the driver wants and the device does not have is not agreed upon. Linux makes a
 * buffer of statistics available, and notifies, before it says that it is ready: that
 * is looked at now.
 */
static void write_status(struct virtio_pci *virtio, uint8_t value)
{
	struct virtio_state *state = &virtio->state;
	bool started;

	if (!value)
		return reset(virtio);
	if (state->features & ~virtio->offered ||
	    !(state->features & VIRTIO_F_VERSION_1))
		value &= (uint8_t)~(VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
	started = !virtio_is_running(virtio);
	state->status = value | (state->status & VIRTIO_NEEDS_RESET);
	for (unsigned int i = 0; started && i < VIRTIO_QUEUES_MAX; i++)
		notify(virtio, i);
}

/* Half of an address */
static void write_address(struct virtqueue *queue, uint64_t offset, uint32_t value)
{
	uint64_t *const addresses[] = {
		&queue->descriptors, &queue->driver, &queue->device,
	};
	uint64_t *address = addresses[offset / 8];
	unsigned int shift = offset % 8 ? 32 : 0;

	*address &= ~(UINT64_C(0xffffffff) << shift);
	*address |= (uint64_t)value << shift;
}

static void write_queue(struct virtio_pci *virtio, uint64_t offset, uint32_t value,
			unsigned int size)
{
	struct virtqueue *queue = selected(virtio);

	if (!queue || queue->ready)
		return;
	if (offset == QUEUE_SIZE && size == 2)
		queue->size = (uint16_t)value;
	else if (offset == QUEUE_ENABLE && size == 2)
		queue->ready = value == 1 && virtqueue_valid(queue);
	else if (offset >= QUEUE_ADDRESSES && !(offset % 4) && size == 4)
		write_address(queue, offset - QUEUE_ADDRESSES, value);
}

static void write_common(struct virtio_pci *virtio, uint64_t offset, uint32_t value,
			 unsigned int size)
{
	struct virtio_state *state = &virtio->state;

	if (offset == DEVICE_SELECT && size == 4)
		state->feature_select = value;
	else if (offset == DRIVER_SELECT && size == 4)
		state->driver_select = value;
	else if (offset == DRIVER_FEATURE && size == 4)
		write_features(virtio, value);
	else if (offset == STATUS && size == 1)
		write_status(virtio, (uint8_t)value);
	else if (offset == QUEUE_SELECT && size == 2)
		state->queue_select = (uint16_t)value;
	else if (offset >= QUEUE_SIZE)
		write_queue(virtio, offset, value, size);
}

static void write_config(struct virtio_pci *virtio, uint64_t offset,
			 const uint8_t *bytes, unsigned int size)
{
	if (offset >= virtio->config_writable && offset <= virtio->config_size &&
	    size <= virtio->config_size - offset)
		memcpy(virtio->state.config + offset, bytes, size);
}

static void virtio_write(void *data, uint64_t offset, const uint8_t *bytes,
			 unsigned int size)
{
	struct virtio_pci *virtio = data;
	uint8_t padded[4] = { 0 };
	uint32_t value;

	memcpy(padded, bytes, size < sizeof(padded) ? size : sizeof(padded));
	value = bytes_get32(padded);
	pthread_mutex_lock(&virtio->lock);
	if (offset < VIRTIO_COMMON_SIZE)
		write_common(virtio, offset, value, size);
	else if (offset == VIRTIO_NOTIFY)
		notify(virtio, value);
	else if (offset >= VIRTIO_CONFIG)
		write_config(virtio, offset - VIRTIO_CONFIG, bytes, size);
	pthread_mutex_unlock(&virtio->lock);
}

static uint8_t put_capability(struct pci_function *function, uint8_t at,
			      uint8_t length, uint8_t type, uint32_t offset,
			      uint32_t size)
{
	uint8_t *capability = function->config + at;

	capability[0] = CAPABILITY_VENDOR;
	capability[1] = (uint8_t)(at + length);
	capability[2] = length;
	capability[3] = type;
	bytes_put32(capability + CAPABILITY_OFFSET, offset);
	bytes_put32(capability + CAPABILITY_LENGTH, size);
	return capability[1];
}

/*
 * For drivers that cannot reach a BAR: the last capability says which of its bytes the
 * window stands for.
 */
static void virtio_through(void *data, bool write)
{
	struct virtio_pci *virtio = data;
	uint8_t *bytes = virtio->function.config + virtio->function.window;
	const uint8_t *capability = bytes - CAPABILITY_DATA;
	uint32_t offset = bytes_get32(capability + CAPABILITY_OFFSET);
	uint32_t length = bytes_get32(capability + CAPABILITY_LENGTH);

	if (capability[CAPABILITY_BAR] ||
	    (length != 1 && length != 2 && length != 4) || offset % length ||
	    offset > VIRTIO_BAR_SIZE - length)
		return;
	if (write)
		virtio_write(virtio, offset, bytes, length);
	else
		virtio_read(virtio, offset, bytes, length);
}

/* Notifications of all queues are at the same address. */
static void put_capabilities(struct virtio_pci *virtio)
{
	struct pci_function *function = &virtio->function;
	uint8_t at = CAPABILITIES;

	function->config[PCI_CONFIG_CAPABILITIES] = at;
	bytes_put16(function->config + PCI_CONFIG_STATUS, PCI_STATUS_CAPABILITIES);
	at = put_capability(function, at, CAPABILITY_SIZE, CAPABILITY_COMMON,
			    VIRTIO_COMMON, VIRTIO_COMMON_SIZE);
	at = put_capability(function, at, CAPABILITY_NOTIFY_SIZE, CAPABILITY_NOTIFY,
			    VIRTIO_NOTIFY, 4);
	at = put_capability(function, at, CAPABILITY_SIZE, CAPABILITY_ISR,
			    VIRTIO_ISR, 1);
	at = put_capability(function, at, CAPABILITY_SIZE, CAPABILITY_DEVICE,
			    VIRTIO_CONFIG, virtio->config_size);
	put_capability(function, at, CAPABILITY_WINDOW_SIZE, CAPABILITY_WINDOW, 0, 0);
	function->config[at + 1] = 0;
	function->writable[at + CAPABILITY_BAR] = 0xff;
	memset(function->writable + at + CAPABILITY_OFFSET, 0xff,
	       CAPABILITY_WINDOW_SIZE - CAPABILITY_OFFSET);
	function->window = at + CAPABILITY_DATA;
	function->through = virtio_through;
}

void virtio_pci_init(struct virtio_pci *virtio, const char *name, uint16_t type,
		     uint32_t port)
{
	const struct pci_identity identity = {
		.vendor = VENDOR,
		.device = (uint16_t)(DEVICE_BASE + type),
		.subvendor = VENDOR,
		.subsystem = SUBSYSTEM,
		.class = CLASS_OTHER,
		.revision = 1,
	};
	struct pci_function *function = &virtio->function;

	virtio->offered |= VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM;
	memset(function, 0, sizeof(*function));
	function->name = name;
	function->read = virtio_read;
	function->write = virtio_write;
	function->data = virtio;
	pci_identify(function, &identity);
	function->config[PCI_CONFIG_LINE] = PCI_IRQ;
	function->config[PCI_CONFIG_PIN] = PIN_A;
	put_capabilities(virtio);
	pci_set_bar(function, true, VIRTIO_BAR_SIZE, port);
	pthread_mutex_init(&virtio->lock, NULL);
	memset(&virtio->state, 0, sizeof(virtio->state));
	reset_state(virtio);
}

void virtio_pci_destroy(struct virtio_pci *virtio)
{
	pthread_mutex_destroy(&virtio->lock);
}

void virtio_pci_get(struct virtio_pci *virtio, struct tlv *records, uint32_t type)
{
	tlv_add(records, type, 0, &virtio->state, sizeof(virtio->state));
}

static bool state_is_valid(const struct virtio_pci *virtio,
			   const struct virtio_state *state)
{
	if (!bytes_are_zero(state->zero, sizeof(state->zero)) ||
	    (state->status & VIRTIO_FEATURES_OK &&
	     state->features & ~virtio->offered))
		return false;
	for (unsigned int i = 0; i < VIRTIO_QUEUES_MAX; i++)
		if (state->queues[i].ready &&
		    (state->queues[i].ready != 1 ||
		     !virtqueue_valid(&state->queues[i])))
			return false;
	return true;
}

/* KVM does not keep the level of a line by itself. */
int virtio_pci_set(struct virtio_pci *virtio, const struct tlv *records,
		   uint32_t type)
{
	struct virtio_state state;

	if (!tlv_get(records, type, 0, &state, sizeof(state)) ||
	    !state_is_valid(virtio, &state))
		return -EBADMSG;
	virtio->state = state;
	if (state.interrupts)
		set_line(virtio);
	return 0;
}
