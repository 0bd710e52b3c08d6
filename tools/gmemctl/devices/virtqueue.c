// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "../base/bytes.h"
#include "../memory/access.h"
#include "virtqueue.h"

#define DESCRIPTOR_SIZE	16
#define DESCRIPTOR_ALIGN 16
#define DRIVER_ALIGN	2
#define DEVICE_ALIGN	4

#define DESCRIPTOR_NEXT		0x1
#define DESCRIPTOR_WRITE	0x2
#define DESCRIPTOR_INDIRECT	0x4	/* not offered */

#define RING_INDEX	2	/* offsets in both rings */
#define RING_ENTRIES	4
#define NO_INTERRUPT	0x1

/* How often a number is read until it stays the same */
#define READS_MAX	16

/**
 * struct descriptor - one, little endian
 */
struct descriptor {
	uint64_t gpa;
	uint32_t size;
	uint16_t flags;
	uint16_t next;
};

void virtqueue_reset(struct virtqueue *queue)
{
	*queue = (struct virtqueue){ .size = VIRTQUEUE_SIZE_MAX };
}

/* Addresses around 2^64 are refused with the first access. */
bool virtqueue_valid(const struct virtqueue *queue)
{
	return queue->size && queue->size <= VIRTQUEUE_SIZE_MAX &&
	       !(queue->size & (queue->size - 1)) &&
	       !(queue->descriptors % DESCRIPTOR_ALIGN) &&
	       !(queue->driver % DRIVER_ALIGN) && !(queue->device % DEVICE_ALIGN);
}

static int read16(const struct guest_memory *memory, uint64_t gpa, uint16_t *value)
{
	uint8_t bytes[2];
	int rc = access_read(memory, gpa, bytes, sizeof(bytes));

	*value = bytes_get16(bytes);
	return rc;
}

/* The kernel copies bytes: of an index that is just being written some may be old. */
static int read_index(const struct guest_memory *memory, uint64_t gpa,
		      uint16_t *value)
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

static int read_descriptor(const struct virtqueue *queue,
			   const struct guest_memory *memory, uint16_t number,
			   struct descriptor *out)
{
	if (number >= queue->size)
		return -EINVAL;
	return access_read(memory, queue->descriptors + number * DESCRIPTOR_SIZE, out,
			   sizeof(*out));
}

/* A chain is no longer than the table, or it is a ring. */
static int read_chain(const struct virtqueue *queue,
		      const struct guest_memory *memory,
		      struct virtqueue_buffer *buffer)
{
	struct descriptor descriptor = { .flags = DESCRIPTOR_NEXT,
					 .next = buffer->head };

	for (buffer->count = 0; descriptor.flags & DESCRIPTOR_NEXT; buffer->count++) {
		int rc = buffer->count == queue->size ? -EINVAL :
			 read_descriptor(queue, memory, descriptor.next, &descriptor);

		if (rc || descriptor.flags & DESCRIPTOR_INDIRECT)
			return rc ? rc : -EINVAL;
		buffer->parts[buffer->count] = (struct virtqueue_part){
			.gpa = descriptor.gpa,
			.size = descriptor.size,
			.writable = descriptor.flags & DESCRIPTOR_WRITE,
		};
	}
	return 0;
}

int virtqueue_take(struct virtqueue *queue, const struct guest_memory *memory,
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

/* The entry is there before the index says so. */
int virtqueue_give(struct virtqueue *queue, const struct guest_memory *memory,
		   uint16_t head)
{
	uint16_t slot = queue->next_used % queue->size;
	uint8_t entry[8], index[2];
	int rc;

	bytes_put32(entry, head);
	bytes_put32(entry + 4, 0);
	rc = access_write(memory, queue->device + RING_ENTRIES + 8U * slot, entry,
			  sizeof(entry));
	if (rc)
		return rc;
	bytes_put16(index, ++queue->next_used);
	return access_write(memory, queue->device + RING_INDEX, index,
			    sizeof(index));
}

bool virtqueue_wants_interrupt(const struct virtqueue *queue,
			       const struct guest_memory *memory)
{
	uint16_t flags = 0;

	return !read16(memory, queue->driver, &flags) && !(flags & NO_INTERRUPT);
}
