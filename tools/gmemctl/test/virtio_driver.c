// SPDX-License-Identifier: GPL-2.0
#include "../base/bytes.h"
#include "board_fake.h"
#include "ksft.h"
#include "virtio_driver.h"

#define PAGE RANGE_PAGE_SIZE
#define DRIVER_RING	0x200	/* offsets in the page of a queue */
#define DEVICE_RING	0x400

static uint32_t config(unsigned int offset)
{
	outl(0x80000000U | PCI_SLOT_BALLOON << 11 | (offset & 0xfc), 0xcf8);
	return inl(0xcfc);
}

bool driver_find(struct virtio_driver *driver, const struct guest_memory *memory)
{
	memset(driver, 0, sizeof(*driver));
	driver->memory = memory;
	driver->bar = (uint16_t)(config(PCI_BASE_ADDRESS_0) & 0xfffc);
	return config(0) == 0x10451af4 && config(PCI_BASE_ADDRESS_0) & 1;
}

uint16_t driver_common(const struct virtio_driver *driver, unsigned int offset)
{
	return (uint16_t)(driver->bar + offset);
}

uint8_t *driver_host(const struct virtio_driver *driver, uint64_t gpa)
{
	return driver->memory->reservation.base + gpa;
}

static uint64_t queue_gpa(unsigned int queue)
{
	return DRIVER_QUEUES_GPA + queue * PAGE;
}

static void write64(const struct virtio_driver *driver, unsigned int offset, uint64_t value)
{
	outl((uint32_t)value, driver_common(driver, offset));
	outl((uint32_t)(value >> 32), driver_common(driver, offset + 4));
}

static void set_up_queue(struct virtio_driver *driver, unsigned int queue)
{
	memset(driver_host(driver, queue_gpa(queue)), 0, PAGE);
	driver->available[queue] = 0;
	outw((uint16_t)queue, driver_common(driver, 0x16));
	outw(DRIVER_QUEUE_SIZE, driver_common(driver, 0x18));
	write64(driver, 0x20, queue_gpa(queue));
	write64(driver, 0x28, queue_gpa(queue) + DRIVER_RING);
	write64(driver, 0x30, queue_gpa(queue) + DEVICE_RING);
	outw(1, driver_common(driver, 0x1c));
}

bool driver_prepare(struct virtio_driver *driver, uint64_t features)
{
	outb(0, driver_common(driver, 0x14));
	outb(VIRTIO_ACKNOWLEDGE, driver_common(driver, 0x14));
	outb(VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER, driver_common(driver, 0x14));
	outl(0, driver_common(driver, 0x08));
	outl((uint32_t)features, driver_common(driver, 0x0c));
	outl(1, driver_common(driver, 0x08));
	outl((uint32_t)(features >> 32), driver_common(driver, 0x0c));
	outb(VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK, driver_common(driver, 0x14));
	if (!(inb(driver_common(driver, 0x14)) & VIRTIO_FEATURES_OK))
		return false;
	for (unsigned int i = 0; i < VIRTIO_QUEUES_MAX; i++)
		set_up_queue(driver, i);
	return true;
}

void driver_ready(struct virtio_driver *driver)
{
	outb(VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK |
	     VIRTIO_DRIVER_OK, driver_common(driver, 0x14));
}

bool driver_start(struct virtio_driver *driver, uint64_t features)
{
	if (!driver_prepare(driver, features))
		return false;
	driver_ready(driver);
	return true;
}

void driver_describe(struct virtio_driver *driver, unsigned int queue, unsigned int index,
		     uint64_t gpa, uint32_t size, uint16_t flags, uint16_t next)
{
	uint8_t *at = driver_host(driver, queue_gpa(queue) + index * 16);

	bytes_put64(at, gpa);
	bytes_put32(at + 8, size);
	bytes_put16(at + 12, flags);
	bytes_put16(at + 14, next);
}

void driver_offer(struct virtio_driver *driver, unsigned int queue, uint16_t head)
{
	uint8_t *ring = driver_host(driver, queue_gpa(queue) + DRIVER_RING);
	unsigned int slot = driver->available[queue] % DRIVER_QUEUE_SIZE;

	bytes_put16(ring + 4 + 2 * slot, head);
	bytes_put16(ring + 2, ++driver->available[queue]);
	outw((uint16_t)queue, driver_common(driver, VIRTIO_NOTIFY));
}

uint16_t driver_used(const struct virtio_driver *driver, unsigned int queue)
{
	return bytes_get16(driver_host(driver, queue_gpa(queue) + DEVICE_RING) + 2);
}

bool driver_send(struct virtio_driver *driver, unsigned int queue, const void *bytes, uint32_t size)
{
	uint16_t before = driver_used(driver, queue);

	memcpy(driver_host(driver, DRIVER_BUFFERS_GPA), bytes, size);
	driver_describe(driver, queue, 0, DRIVER_BUFFERS_GPA, size, 0, 0);
	driver_offer(driver, queue, 0);
	return driver_used(driver, queue) == (uint16_t)(before + 1);
}
