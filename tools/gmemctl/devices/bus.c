// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "bus.h"

int bus_add(struct bus *bus, const struct bus_device *device, struct error *error)
{
	uint64_t last = device->start + (device->size - 1);

	if (!device->size || !device->width || !device->read || !device->write ||
	    last < device->start)
		return error_set(error, -EINVAL, device->name, "add to a bus",
				 "the range is empty or wraps around, or the "
				 "device has no functions");
	if (bus->nr_devices == BUS_DEVICES_MAX)
		return error_set(error, -ENOSPC, device->name, "add to a bus",
				 "at most %d devices", BUS_DEVICES_MAX);
	for (unsigned int i = 0; i < bus->nr_devices; i++) {
		const struct bus_device *other = &bus->devices[i];

		if (other->start <= last && device->start <= other->start + (other->size - 1))
			return error_set(error, -EEXIST, device->name, "add to a bus",
					 "%s is there", other->name);
	}
	bus->devices[bus->nr_devices++] = *device;
	return 0;
}

const struct bus_device *bus_find(const struct bus *bus, uint64_t address)
{
	for (unsigned int i = 0; i < bus->nr_devices; i++) {
		const struct bus_device *device = &bus->devices[i];

		if (address >= device->start && address - device->start < device->size)
			return device;
	}
	return NULL;
}

/* Return: how many bytes of an access @device handles at once; without a device, 1. */
static unsigned int bus_part(const struct bus_device *device, uint64_t address, size_t size)
{
	uint64_t left;

	if (!device)
		return 1;
	left = device->size - (address - device->start);
	if (size > left)
		size = left;
	return size < device->width ? (unsigned int)size : device->width;
}

static bool bus_access(struct bus *bus, uint64_t address, uint8_t *bytes, size_t size, bool write)
{
	bool answered = false;

	while (size) {
		const struct bus_device *device = bus_find(bus, address);
		unsigned int part = bus_part(device, address, size);

		if (!write)
			memset(bytes, 0xff, part);
		if (device && device->quick)
			pthread_mutex_lock(&bus->lock);
		if (device && write)
			device->write(device->data, address - device->start, bytes, part);
		else if (device)
			device->read(device->data, address - device->start, bytes, part);
		if (device && device->quick)
			pthread_mutex_unlock(&bus->lock);
		answered |= !!device;
		address += part;
		bytes += part;
		size -= part;
	}
	return answered;
}

bool bus_read(struct bus *bus, uint64_t address, uint8_t *bytes, size_t size)
{
	return bus_access(bus, address, bytes, size, false);
}

bool bus_write(struct bus *bus, uint64_t address, const uint8_t *bytes, size_t size)
{
	return bus_access(bus, address, (uint8_t *)bytes, size, true);
}
