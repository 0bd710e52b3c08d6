/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The transport of a virtio device: a PCI function (virtio 1.2, 4.1), without what is
 * there for drivers of before 1.0, and without MSI-X. All registers are ports: where a
 * guest has private memory, KVM cannot emulate an instruction that it cannot read, and
 * port accesses need no such thing.
 *
 * Its queues are split ones (virtio 1.2, 2.7), as the guest's driver has them in its
 * memory, all of which may be anything, and somewhere else a moment later.
 */
#ifndef GMEMCTL_DEVICES_VIRTIO_H
#define GMEMCTL_DEVICES_VIRTIO_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/tlv.h"
#include "../memory/guest_memory.h"
#include "pci.h"

#define VIRTIO_BAR_SIZE		128
#define VIRTIO_QUEUES_MAX	5
#define VIRTIO_CONFIG_MAX	32

#define VIRTIO_F_VERSION_1	(UINT64_C(1) << 32)
#define VIRTIO_F_ACCESS_PLATFORM (UINT64_C(1) << 33)

/* Where the structures are in the BAR */
#define VIRTIO_COMMON		0x00
#define VIRTIO_COMMON_SIZE	0x38
#define VIRTIO_ISR		0x40
#define VIRTIO_NOTIFY		0x44
#define VIRTIO_CONFIG		0x50

/* The status register */
#define VIRTIO_ACKNOWLEDGE	0x01
#define VIRTIO_DRIVER		0x02
#define VIRTIO_DRIVER_OK	0x04
#define VIRTIO_FEATURES_OK	0x08
#define VIRTIO_NEEDS_RESET	0x40
#define VIRTIO_FAILED		0x80

#define VIRTIO_ISR_QUEUE	0x01
#define VIRTIO_ISR_CONFIG	0x02

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

/**
 * struct virtio_ops - the device behind it; called with the lock held
 * @notify: a queue that is ready has buffers, perhaps
 * @reset: the driver has gone
 */
struct virtio_ops {
	void (*notify)(void *data, unsigned int queue);
	void (*reset)(void *data);
};

/**
 * struct virtio_state - what a driver has set up; part of a file format
 * @features: that the driver wants
 * @feature_select: which 32 of those offered are read
 * @driver_select: likewise of those written
 * @queue_select: the queue that registers are of
 * @status: see above
 * @interrupts: that the driver has not seen yet
 * @generation: of @config
 * @config: of the device
 */
struct virtio_state {
	uint64_t features;
	uint32_t feature_select;
	uint32_t driver_select;
	uint16_t queue_select;
	uint8_t status;
	uint8_t interrupts;
	uint8_t generation;
	uint8_t zero[3];
	uint8_t config[VIRTIO_CONFIG_MAX];
	struct virtqueue queues[VIRTIO_QUEUES_MAX];
};

/**
 * struct virtio_pci - a device
 * @function: on the PCI bus
 * @board: where interrupts go
 * @memory: where the driver's queues are
 * @ops: see there, with @data
 * @offered: features
 * @config_size: bytes
 * @config_writable: from there on the driver may write to it
 * @lock: protects @state, and the device behind it
 * @state: see there
 */
struct virtio_pci {
	struct pci_function function;
	const struct board *board;
	const struct guest_memory *memory;
	const struct virtio_ops *ops;
	void *data;
	uint64_t offered;
	unsigned int config_size;
	unsigned int config_writable;
	pthread_mutex_t lock;
	struct virtio_state state;
};

/**
 * virtio_pci_init() - a device as after power-on; pci_add() puts it on a bus
 * @virtio: with all up to @config_size filled in, but @function
 * @type: of device
 * @port: where firmware would have put its BAR
 */
void virtio_pci_init(struct virtio_pci *virtio, const char *name, uint16_t type, uint32_t port);
void virtio_pci_destroy(struct virtio_pci *virtio);

/** virtio_is_running() - whether the driver has set it up; with the lock held */
bool virtio_is_running(const struct virtio_pci *virtio);

/** virtio_has() - whether device and driver both know a feature */
bool virtio_has(const struct virtio_pci *virtio, uint64_t feature);

/**
 * virtio_take() - the next buffer of a queue; with the lock held
 *
 * Return: whether there is one. Nonsense ends the device until it is reset.
 */
bool virtio_take(struct virtio_pci *virtio, unsigned int queue, struct virtqueue_buffer *buffer);

/** virtio_give_up() - a queue makes no sense: the driver is told to reset the device */
void virtio_give_up(struct virtio_pci *virtio, unsigned int queue);

/** virtio_give() - give a buffer back, and say so */
void virtio_give(struct virtio_pci *virtio, unsigned int queue, uint16_t head);

/** virtio_changed() - the configuration has changed; with the lock held */
void virtio_changed(struct virtio_pci *virtio);

/* The state as a record of @type. Return: 0; -EBADMSG. */
void virtio_pci_get(struct virtio_pci *virtio, struct tlv *records, uint32_t type);
int virtio_pci_set(struct virtio_pci *virtio, const struct tlv *records, uint32_t type);

#endif /* GMEMCTL_DEVICES_VIRTIO_H */
