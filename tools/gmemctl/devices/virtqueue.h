/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A split virtqueue (virtio 1.2, 2.7), as the guest's driver has it in its memory, all
 * of which may be anything, and somewhere else a moment later.
 */
#ifndef GMEMCTL_DEVICES_VIRTQUEUE_H
#define GMEMCTL_DEVICES_VIRTQUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "../memory/guest_memory.h"

/**
 * VIRTQUEUE_SIZE_MAX: descriptors, at most
 *
 * Linux reports free pages only while a zone has as many blocks (of 4 MiB, or of 2) free
 * beyond what it needs: with more descriptors a small guest would never do it.
 */
#define VIRTQUEUE_SIZE_MAX 16

/**
 * struct virtqueue - a queue; part of a file format
 * @descriptors: guest physical address of the table
 * @driver: likewise of the ring of available buffers
 * @device: likewise of the ring of used ones
 * @size: descriptors, a power of two
 * @ready: the driver has enabled it
 * @next_available: of the driver's ring, modulo 2^16
 * @next_used: of the device's
 */
struct virtqueue {
	uint64_t descriptors;
	uint64_t driver;
	uint64_t device;
	uint16_t size;
	uint16_t ready;
	uint16_t next_available;
	uint16_t next_used;
};

/**
 * struct virtqueue_part - a piece of a buffer
 * @writable: for the device to write to; else to read from
 */
struct virtqueue_part {
	uint64_t gpa;
	uint32_t size;
	bool writable;
};

/**
 * struct virtqueue_buffer - a chain of descriptors
 * @head: the first of them, by which it is given back
 */
struct virtqueue_buffer {
	uint16_t head;
	unsigned int count;
	struct virtqueue_part parts[VIRTQUEUE_SIZE_MAX];
};

/** virtqueue_reset() - as it is offered to a driver */
void virtqueue_reset(struct virtqueue *queue);

/** virtqueue_valid() - whether size and addresses are such that it can be used */
bool virtqueue_valid(const struct virtqueue *queue);

/**
 * virtqueue_take() - the next buffer that the driver has made available
 *
 * Return: 1; 0: there is none; -EFAULT or -EINVAL: it makes no sense any more.
 */
int virtqueue_take(struct virtqueue *queue, const struct guest_memory *memory,
		   struct virtqueue_buffer *buffer);

/** virtqueue_give() - give a buffer back. Return: 0 or -EFAULT. */
int virtqueue_give(struct virtqueue *queue, const struct guest_memory *memory,
		   uint16_t head);

/** virtqueue_wants_interrupt() - whether the driver wants to hear of it */
bool virtqueue_wants_interrupt(const struct virtqueue *queue,
			       const struct guest_memory *memory);

#endif /* GMEMCTL_DEVICES_VIRTQUEUE_H */
