// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "bus.h"

/* Index of the first device that ends after @address. */
static unsigned int bus_index(const struct bus *bus, uint64_t address)
{
	unsigned int low = 0, high = bus->nr_devices;

	while (low < high) {
		unsigned int middle = (low + high) / 2;
		const struct bus_device *device = &bus->devices[middle];

		if (device->start + (device->size - 1) < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int bus_add(struct bus *bus, const struct bus_device *device, struct error *error)
{
	uint64_t last = device->start + (device->size - 1);
	unsigned int at;

	if (!device->size || !device->width || !device->read || !device->write ||
	    last < device->start)
		return error_set(error, -EINVAL, device->name, "add to a bus",
				 "the range is empty or wraps around, or the "
				 "device has no functions");
	if (bus->nr_devices == BUS_DEVICES_MAX)
		return error_set(error, -ENOSPC, device->name, "add to a bus",
				 "at most %d devices", BUS_DEVICES_MAX);
	at = bus_index(bus, device->start);
	if (at < bus->nr_devices && bus->devices[at].start <= last)
		return error_set(error, -EEXIST, device->name, "add to a bus",
				 "%s is there", bus->devices[at].name);
	memmove(&bus->devices[at + 1], &bus->devices[at],
		(bus->nr_devices - at) * sizeof(bus->devices[0]));
	bus->devices[at] = *device;
	bus->nr_devices++;
	return 0;
}

const struct bus_device *bus_find(const struct bus *bus, uint64_t address)
{
	unsigned int at = bus_index(bus, address);

	if (at == bus->nr_devices || bus->devices[at].start > address)
		return NULL;
	return &bus->devices[at];
}

/* How much of an access @device takes at once; without a device, a byte. */
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

bool bus_read(const struct bus *bus, uint64_t address, uint8_t *bytes, size_t size)
{
	bool answered = false;

	while (size) {
		const struct bus_device *device = bus_find(bus, address);
		unsigned int part = bus_part(device, address, size);

		memset(bytes, 0xff, part);
		if (device)
			device->read(device->data, address - device->start, bytes, part);
		answered |= !!device;
		address += part;
		bytes += part;
		size -= part;
	}
	return answered;
}

bool bus_write(const struct bus *bus, uint64_t address, const uint8_t *bytes, size_t size)
{
	bool answered = false;

	while (size) {
		const struct bus_device *device = bus_find(bus, address);
		unsigned int part = bus_part(device, address, size);

		if (device)
			device->write(device->data, address - device->start, bytes, part);
		answered |= !!device;
		address += part;
		bytes += part;
		size -= part;
	}
	return answered;
}
