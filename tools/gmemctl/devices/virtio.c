// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../memory/access.h"
#include "virtio.h"

#define VENDOR		0x1af4
#define DEVICE_BASE	0x1040
#define SUBSYSTEM	0x1100
#define CLASS_OTHER	0x00ff00
#define PIN_A		1

/* Capabilities */
#define CAPABILITIES		0x40
#define CAPABILITY_DATA		sizeof(struct virtio_pci_cap)

#define RING_INDEX	2	/* offsets in both rings */
#define RING_ENTRIES	4

/* How often an index is read until two values are equal */
#define READS_MAX	16

/* Addresses are not checked here: access_read() and access_write() refuse bad ones. */
static bool queue_valid(const struct virtqueue *queue)
{
	return queue->size && queue->size <= VIRTQUEUE_SIZE_MAX &&
	       !(queue->size & (queue->size - 1)) &&
	       !(queue->descriptors % VRING_DESC_ALIGN_SIZE) &&
	       !(queue->driver % VRING_AVAIL_ALIGN_SIZE) &&
	       !(queue->device % VRING_USED_ALIGN_SIZE);
}

static int read16(const struct guest_memory *memory, uint64_t gpa, uint16_t *value)
{
	uint8_t bytes[2];
	int rc = access_read(memory, gpa, bytes, sizeof(bytes));

	*value = bytes_get16(bytes);
	return rc;
}

/* access_read() is not atomic: of an index that is just being written, one byte may be old. */
static int read_index(const struct guest_memory *memory, uint64_t gpa, uint16_t *value)
{
	uint16_t again;
	int rc = read16(memory, gpa, value);

	for (int i = 0; !rc && i < READS_MAX; i++) {
		rc = read16(memory, gpa, &again);
		if (!rc && again == *value)
			return 0;
		*value = again;
	}
	return rc ? rc : -EINVAL;
}

/* Read a chain of descriptors. One that is longer than the table has a loop. */
static int read_chain(const struct virtqueue *queue, const struct guest_memory *memory,
		      struct virtqueue_buffer *buffer)
{
	struct vring_desc descriptor = { .flags = VRING_DESC_F_NEXT,
					 .next = buffer->head };

	for (buffer->count = 0; descriptor.flags & VRING_DESC_F_NEXT; buffer->count++) {
		int rc;

		if (buffer->count == queue->size || descriptor.next >= queue->size)
			return -EINVAL;
		rc = access_read(memory, queue->descriptors + descriptor.next * sizeof(descriptor),
				 &descriptor, sizeof(descriptor));
		if (rc)
			return rc;
		if (descriptor.flags & VRING_DESC_F_INDIRECT)
			return -EINVAL;
		buffer->parts[buffer->count] = (struct virtqueue_part){
			.gpa = descriptor.addr,
			.size = descriptor.len,
			.writable = descriptor.flags & VRING_DESC_F_WRITE,
		};
	}
	return 0;
}

/*
 * Take the next buffer that the driver has made available
 *
 * Return: 1; 0: there is none; -EFAULT or -EINVAL: the queue is corrupt.
 */
static int queue_take(struct virtqueue *queue, const struct guest_memory *memory,
		      struct virtqueue_buffer *buffer)
{
	uint16_t index = 0, slot = queue->next_available % queue->size;
	int rc = read_index(memory, queue->driver + RING_INDEX, &index);

	if (rc || index == queue->next_available)
		return rc;
	if ((uint16_t)(index - queue->next_available) > queue->size)
		return -EINVAL;
	rc = read16(memory, queue->driver + RING_ENTRIES + 2U * slot, &buffer->head);
	if (!rc)
		rc = read_chain(queue, memory, buffer);
	if (rc)
		return rc;
	queue->next_available++;
	return 1;
}

/* Write the entry first, and then the index that publishes it. Return: 0 or -EFAULT. */
static int queue_give(struct virtqueue *queue, const struct guest_memory *memory, uint16_t head)
{
	uint16_t slot = queue->next_used % queue->size;
	uint8_t entry[8], index[2];
	int rc;

	bytes_put32(entry, head);
	bytes_put32(entry + 4, 0);
	rc = access_write(memory, queue->device + RING_ENTRIES + 8U * slot, entry, sizeof(entry));
	if (rc)
		return rc;
	bytes_put16(index, ++queue->next_used);
	return access_write(memory, queue->device + RING_INDEX, index, sizeof(index));
}

static void reset_state(struct virtio_pci *virtio)
{
	uint8_t generation = virtio->state.generation;
	uint8_t config[VIRTIO_CONFIG_MAX];

	memcpy(config, virtio->state.config, sizeof(config));
	memset(&virtio->state, 0, sizeof(virtio->state));
	memcpy(virtio->state.config, config, sizeof(config));
	virtio->state.generation = generation;
	for (unsigned int i = 0; i < VIRTIO_QUEUES_MAX; i++)
		virtio->state.queues[i].size = VIRTQUEUE_SIZE_MAX;
}

static void set_line(struct virtio_pci *virtio)
{
	virtio->board->irq(virtio->board->data, PCI_IRQ, virtio->state.interrupts);
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

void virtio_give_up(struct virtio_pci *virtio, unsigned int queue)
{
	char text[96];

	snprintf(text, sizeof(text), "%s: queue %u is invalid, or in memory that cannot be "
		 "accessed", virtio->function.name, queue);
	board_note(virtio->board, text);
	virtio->state.status |= VIRTIO_NEEDS_RESET;
	interrupt(virtio, VIRTIO_ISR_CONFIG);
}

bool virtio_take(struct virtio_pci *virtio, unsigned int queue, struct virtqueue_buffer *buffer)
{
	struct virtqueue *from = &virtio->state.queues[queue];
	int rc = 0;

	if (virtio_is_running(virtio) && from->ready)
		rc = queue_take(from, virtio->memory, buffer);
	if (rc < 0)
		virtio_give_up(virtio, queue);
	return rc > 0;
}

void virtio_give(struct virtio_pci *virtio, unsigned int queue, uint16_t head)
{
	struct virtqueue *to = &virtio->state.queues[queue];
	uint16_t flags = 0;

	if (!virtio_is_running(virtio) || !to->ready)
		return;
	if (queue_give(to, virtio->memory, head))
		virtio_give_up(virtio, queue);
	else if (!read16(virtio->memory, to->driver, &flags) &&
		 !(flags & VRING_AVAIL_F_NO_INTERRUPT))
		interrupt(virtio, VIRTIO_ISR_QUEUE);
}

void virtio_changed(struct virtio_pci *virtio)
{
	virtio->state.generation++;
	if (virtio_is_running(virtio))
		interrupt(virtio, VIRTIO_ISR_CONFIG);
}

/* Return: the queue that the driver has selected, or NULL. */
static struct virtqueue *selected(struct virtio_pci *virtio)
{
	unsigned int number = virtio->state.queue_select;

	return number < VIRTIO_QUEUES_MAX ? &virtio->state.queues[number] : NULL;
}

static void fill_common(struct virtio_pci *virtio, uint8_t *registers)
{
	const struct virtio_state *state = &virtio->state;
	const struct virtqueue *queue = selected(virtio);

	bytes_put32(registers + VIRTIO_PCI_COMMON_DFSELECT, state->feature_select);
	if (state->feature_select < 2)
		bytes_put32(registers + VIRTIO_PCI_COMMON_DF, (uint32_t)
			    (virtio->offered >> 32 * state->feature_select));
	bytes_put32(registers + VIRTIO_PCI_COMMON_GFSELECT, state->driver_select);
	if (state->driver_select < 2)
		bytes_put32(registers + VIRTIO_PCI_COMMON_GF, (uint32_t)
			    (state->features >> 32 * state->driver_select));
	bytes_put16(registers + VIRTIO_PCI_COMMON_MSIX, VIRTIO_MSI_NO_VECTOR);
	bytes_put16(registers + VIRTIO_PCI_COMMON_NUMQ, VIRTIO_QUEUES_MAX);
	registers[VIRTIO_PCI_COMMON_STATUS] = state->status;
	registers[VIRTIO_PCI_COMMON_CFGGENERATION] = state->generation;
	bytes_put16(registers + VIRTIO_PCI_COMMON_Q_SELECT, state->queue_select);
	bytes_put16(registers + VIRTIO_PCI_COMMON_Q_MSIX, VIRTIO_MSI_NO_VECTOR);
	if (!queue)
		return;
	bytes_put16(registers + VIRTIO_PCI_COMMON_Q_SIZE, queue->size);
	bytes_put16(registers + VIRTIO_PCI_COMMON_Q_ENABLE, queue->ready);
	bytes_put64(registers + VIRTIO_PCI_COMMON_Q_DESCLO, queue->descriptors);
	bytes_put64(registers + VIRTIO_PCI_COMMON_Q_DESCLO + 8, queue->driver);
	bytes_put64(registers + VIRTIO_PCI_COMMON_Q_DESCLO + 16, queue->device);
}

/* A read of the interrupt status clears it. */
static void virtio_read(void *data, uint64_t offset, uint8_t *bytes, unsigned int size)
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

static void notify(struct virtio_pci *virtio, uint32_t queue)
{
	if (queue < VIRTIO_QUEUES_MAX && virtio_is_running(virtio) &&
	    virtio->state.queues[queue].ready)
		virtio->ops->notify(virtio->data, queue);
}

/*
 * Refuse FEATURES_OK if the driver has set a feature that was not offered. On DRIVER_OK look
 * at all queues: Linux makes a buffer of statistics available, and notifies, before that.
 */
static void write_status(struct virtio_pci *virtio, uint8_t value)
{
	struct virtio_state *state = &virtio->state;
	bool started;

	if (!value) {
		reset_state(virtio);
		set_line(virtio);
		return virtio->ops->reset(virtio->data);
	}
	if (state->features & ~virtio->offered || !(state->features & VIRTIO_F_VERSION_1))
		value &= (uint8_t)~(VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
	started = !virtio_is_running(virtio);
	state->status = value | (state->status & VIRTIO_NEEDS_RESET);
	for (unsigned int i = 0; started && i < VIRTIO_QUEUES_MAX; i++)
		notify(virtio, i);
}

/* The driver writes a 64-bit number in two halves. */
static void set_half(uint64_t *number, bool upper, uint32_t value)
{
	unsigned int shift = upper ? 32 : 0;

	*number &= ~(UINT64_C(0xffffffff) << shift);
	*number |= (uint64_t)value << shift;
}

static void write_queue(struct virtio_pci *virtio, uint64_t offset, uint32_t value,
			unsigned int size)
{
	struct virtqueue *queue = selected(virtio);

	uint64_t *addresses[3];

	if (!queue || queue->ready)
		return;
	addresses[0] = &queue->descriptors;
	addresses[1] = &queue->driver;
	addresses[2] = &queue->device;
	if (offset == VIRTIO_PCI_COMMON_Q_SIZE && size == 2)
		queue->size = (uint16_t)value;
	else if (offset == VIRTIO_PCI_COMMON_Q_ENABLE && size == 2)
		queue->ready = value == 1 && queue_valid(queue);
	else if (offset >= VIRTIO_PCI_COMMON_Q_DESCLO && !(offset % 4) && size == 4)
		set_half(addresses[(offset - VIRTIO_PCI_COMMON_Q_DESCLO) / 8], offset % 8, value);
}

static void write_common(struct virtio_pci *virtio, uint64_t offset, uint32_t value,
			 unsigned int size)
{
	struct virtio_state *state = &virtio->state;

	if (offset == VIRTIO_PCI_COMMON_DFSELECT && size == 4)
		state->feature_select = value;
	else if (offset == VIRTIO_PCI_COMMON_GFSELECT && size == 4)
		state->driver_select = value;
	else if (offset == VIRTIO_PCI_COMMON_GF && size == 4 && state->driver_select < 2 &&
		 !(state->status & VIRTIO_FEATURES_OK))
		set_half(&state->features, state->driver_select, value);
	else if (offset == VIRTIO_PCI_COMMON_STATUS && size == 1)
		write_status(virtio, (uint8_t)value);
	else if (offset == VIRTIO_PCI_COMMON_Q_SELECT && size == 2)
		state->queue_select = (uint16_t)value;
	else if (offset >= VIRTIO_PCI_COMMON_Q_SIZE)
		write_queue(virtio, offset, value, size);
}

static void virtio_write(void *data, uint64_t offset, const uint8_t *bytes, unsigned int size)
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
	else if (offset >= VIRTIO_CONFIG + virtio->config_writable &&
		 offset + size <= VIRTIO_CONFIG + virtio->config_size)
		memcpy(virtio->state.config + (offset - VIRTIO_CONFIG), bytes, size);
	pthread_mutex_unlock(&virtio->lock);
}

/*
 * The window is for drivers that cannot access a BAR. The last capability selects the bytes
 * of the BAR that the window accesses.
 */
static void virtio_through(void *data, bool write)
{
	struct virtio_pci *virtio = data;
	uint8_t *bytes = virtio->function.config + virtio->function.window;
	const uint8_t *capability = bytes - CAPABILITY_DATA;
	uint32_t offset = bytes_get32(capability + VIRTIO_PCI_CAP_OFFSET);
	uint32_t length = bytes_get32(capability + VIRTIO_PCI_CAP_LENGTH);

	if (capability[VIRTIO_PCI_CAP_BAR] || (length != 1 && length != 2 && length != 4) ||
	    offset % length || offset > VIRTIO_BAR_SIZE - length)
		return;
	if (write)
		virtio_write(virtio, offset, bytes, length);
	else
		virtio_read(virtio, offset, bytes, length);
}

/* All queues have the same notification address. */
static void put_capabilities(struct virtio_pci *virtio)
{
	const struct {
		uint8_t type;
		uint8_t length;
		uint32_t offset;
		uint32_t size;
	} capabilities[] = {
		{ VIRTIO_PCI_CAP_COMMON_CFG, 16, VIRTIO_COMMON, VIRTIO_COMMON_SIZE },
		{ VIRTIO_PCI_CAP_NOTIFY_CFG, 20, VIRTIO_NOTIFY, 4 },
		{ VIRTIO_PCI_CAP_ISR_CFG, 16, VIRTIO_ISR, 1 },
		{ VIRTIO_PCI_CAP_DEVICE_CFG, 16, VIRTIO_CONFIG, virtio->config_size },
		{ VIRTIO_PCI_CAP_PCI_CFG, 20, 0, 0 },
	};
	struct pci_function *function = &virtio->function;
	uint8_t at = 0, next = CAPABILITIES;

	function->config[PCI_CAPABILITY_LIST] = next;
	bytes_put16(function->config + PCI_STATUS, PCI_STATUS_CAP_LIST);
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		uint8_t *capability = function->config + next;

		at = next;
		next += capabilities[i].length;
		capability[0] = PCI_CAP_ID_VNDR;
		capability[1] = next;
		capability[2] = capabilities[i].length;
		capability[3] = capabilities[i].type;
		bytes_put32(capability + VIRTIO_PCI_CAP_OFFSET, capabilities[i].offset);
		bytes_put32(capability + VIRTIO_PCI_CAP_LENGTH, capabilities[i].size);
	}
	/* The last capability is the window, and the driver can write it. */
	function->config[at + 1] = 0;
	function->writable[at + VIRTIO_PCI_CAP_BAR] = 0xff;
	memset(function->writable + at + VIRTIO_PCI_CAP_OFFSET, 0xff,
	       next - at - VIRTIO_PCI_CAP_OFFSET);
	function->window = at + CAPABILITY_DATA;
	function->through = virtio_through;
}

void virtio_pci_init(struct virtio_pci *virtio, const char *name, uint16_t type, uint32_t port)
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
	function->config[PCI_INTERRUPT_LINE] = PCI_IRQ;
	function->config[PCI_INTERRUPT_PIN] = PIN_A;
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

static bool state_is_valid(const struct virtio_pci *virtio, const struct virtio_state *state)
{
	if (!bytes_are_zero(state->zero, sizeof(state->zero)) ||
	    (state->status & VIRTIO_FEATURES_OK && state->features & ~virtio->offered))
		return false;
	for (unsigned int i = 0; i < VIRTIO_QUEUES_MAX; i++)
		if (state->queues[i].ready && (state->queues[i].ready != 1 ||
					       !queue_valid(&state->queues[i])))
			return false;
	return true;
}

/* The interrupt line is set again, because KVM does not restore its level. */
int virtio_pci_set(struct virtio_pci *virtio, const struct tlv *records, uint32_t type)
{
	struct virtio_state state;

	if (!tlv_get(records, type, 0, &state, sizeof(state)) || !state_is_valid(virtio, &state))
		return -EBADMSG;
	virtio->state = state;
	if (state.interrupts)
		set_line(virtio);
	return 0;
}
