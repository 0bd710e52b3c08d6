/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The transport of a virtio device: a PCI function (virtio 1.2, 4.1), without support for
 * drivers from before 1.0, and without MSI-X. All registers are ports: KVM cannot emulate MMIO
 * if it cannot read the instruction in private memory, but port accesses need no emulation.
 *
 * The queues are split queues (virtio 1.2, 2.7) in guest memory. The guest can write anything to
 * them, and change it at any time.
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
 * VIRTQUEUE_SIZE_MAX: largest number of descriptors
 *
 * Linux reports free pages only while a zone has this number of free blocks (of 4 or 2 MiB) to
 * spare. With more descriptors a small guest would never report pages.
 */
#define VIRTQUEUE_SIZE_MAX 16

/**
 * struct virtqueue - a queue; part of a file format
 * @descriptors: guest physical address of the table
 * @driver: guest physical address of the ring of available buffers
 * @device: guest physical address of the ring of used buffers
 * @size: number of descriptors, a power of two
 * @ready: the driver has enabled the queue
 * @next_available: index of the next entry in the driver's ring, modulo 2^16
 * @next_used: index of the next entry in the device's ring
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
 * @writable: the device writes to it; otherwise it reads it
 */
struct virtqueue_part {
	uint64_t gpa;
	uint32_t size;
	bool writable;
};

/**
 * struct virtqueue_buffer - a chain of descriptors
 * @head: the first descriptor, which identifies the buffer
 */
struct virtqueue_buffer {
	uint16_t head;
	unsigned int count;
	struct virtqueue_part parts[VIRTQUEUE_SIZE_MAX];
};

/**
 * struct virtio_ops - methods of the device; called with the lock held
 * @notify: a ready queue may have new buffers
 * @reset: the driver has reset the device
 */
struct virtio_ops {
	void (*notify)(void *data, unsigned int queue);
	void (*reset)(void *data);
};

/**
 * struct virtio_state - the state that the driver has set; part of a file format
 * @features: features that the driver has accepted
 * @feature_select: selects 32 of the offered features to be read
 * @driver_select: selects 32 of the accepted features to be written
 * @queue_select: the queue to which registers belong
 * @status: the status register
 * @interrupts: interrupts that the driver has not read yet
 * @generation: generation of @config
 * @config: configuration of the device
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
 * @memory: guest memory, with the queues
 * @ops: methods of the device, called with @data
 * @offered: offered features
 * @config_size: bytes of the configuration
 * @config_writable: offset from which on the driver can write to the configuration
 * @lock: protects @state and the device
 * @state: the state that the driver has set
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
 * virtio_pci_init() - initialise a device as after power-on; pci_add() puts it on a bus
 * @virtio: the device; the caller has set all members up to @config_writable, but @function
 * @type: type of the device
 * @port: address of its BAR, as firmware would choose it
 */
void virtio_pci_init(struct virtio_pci *virtio, const char *name, uint16_t type, uint32_t port);
void virtio_pci_destroy(struct virtio_pci *virtio);

/** virtio_is_running() - whether the driver has set it up; with the lock held */
bool virtio_is_running(const struct virtio_pci *virtio);

/** virtio_has() - whether a feature was offered and accepted */
bool virtio_has(const struct virtio_pci *virtio, uint64_t feature);

/**
 * virtio_take() - get the next buffer of a queue; with the lock held
 *
 * Return: whether there is one. After an invalid descriptor the device needs a reset.
 */
bool virtio_take(struct virtio_pci *virtio, unsigned int queue, struct virtqueue_buffer *buffer);

/** virtio_give_up() - a queue is invalid: tell the driver to reset the device */
void virtio_give_up(struct virtio_pci *virtio, unsigned int queue);

/** virtio_give() - return a buffer to the driver, and notify it */
void virtio_give(struct virtio_pci *virtio, unsigned int queue, uint16_t head);

/** virtio_changed() - notify the driver of a changed configuration; with the lock held */
void virtio_changed(struct virtio_pci *virtio);

/* The state as a record of @type. Return: 0; -EBADMSG. */
void virtio_pci_get(struct virtio_pci *virtio, struct tlv *records, uint32_t type);
int virtio_pci_set(struct virtio_pci *virtio, const struct tlv *records, uint32_t type);

#endif /* GMEMCTL_DEVICES_VIRTIO_H */
