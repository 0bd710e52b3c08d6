/* SPDX-License-Identifier: GPL-2.0 */
/* A driver of the balloon, as Linux is one, in the memory of a guest under test. */
#ifndef GMEMCTL_TEST_VIRTIO_DRIVER_H
#define GMEMCTL_TEST_VIRTIO_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "../devices/balloon.h"

#define DRIVER_QUEUE_SIZE	8

/* Where the queues are: a page each, from there on; buffers behind them. */
#define DRIVER_QUEUES_GPA	UINT64_C(0x1000)
#define DRIVER_BUFFERS_GPA	UINT64_C(0x6000)

/**
 * struct virtio_driver - the driver
 * @memory: of the guest
 * @bar: port of the device
 * @available: buffers made available, by queue
 */
struct virtio_driver {
	const struct guest_memory *memory;
	uint16_t bar;
	uint16_t available[VIRTIO_QUEUES_MAX];
};

/* The device is on the ports of board_fake. Return: whether it is one of virtio. */
bool driver_find(struct virtio_driver *driver, const struct guest_memory *memory);

/* Up to DRIVER_OK with these features. Return: whether the device takes them. */
bool driver_start(struct virtio_driver *driver, uint64_t features);

/* The same in two parts: up to the queues, and the rest. */
bool driver_prepare(struct virtio_driver *driver, uint64_t features);
void driver_ready(struct virtio_driver *driver);

/* The ports of the structures */
uint16_t driver_common(const struct virtio_driver *driver, unsigned int offset);
uint8_t *driver_host(const struct virtio_driver *driver, uint64_t gpa);

/* Descriptor @index of a queue */
void driver_describe(struct virtio_driver *driver, unsigned int queue, unsigned int index,
		     uint64_t gpa, uint32_t size, uint16_t flags, uint16_t next);

/* Make the chain from @head on available, and notify. */
void driver_offer(struct virtio_driver *driver, unsigned int queue, uint16_t head);

/* Buffers that the device has given back. */
uint16_t driver_used(const struct virtio_driver *driver, unsigned int queue);

/* A buffer of one part, by descriptor 0. Return: whether it has come back. */
bool driver_send(struct virtio_driver *driver, unsigned int queue,
		 const void *bytes, uint32_t size);

#endif /* GMEMCTL_TEST_VIRTIO_DRIVER_H */
