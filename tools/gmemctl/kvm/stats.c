// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/calls.h"
#include "abi.h"
#include "stats.h"

#define NAME_MAX_SIZE	256
#define COUNTERS_MAX	1024

static int find(struct kvm_counter *counter,
		const struct kvm_stats_header *header, const char *name)
{
	size_t size = sizeof(struct kvm_stats_desc) + header->name_size;
	struct kvm_stats_desc *desc = malloc(size + 1);
	off_t at = header->desc_offset;
	int rc = desc ? -ENOENT : -ENOMEM;

	for (uint32_t i = 0; rc == -ENOENT && i < header->num_desc; i++) {
		if (pread(counter->fd, desc, size, at) != (ssize_t)size)
			rc = -EIO;
		((char *)desc)[size] = '\0';
		if (rc == -ENOENT && !strcmp(desc->name, name)) {
			counter->offset = header->data_offset + desc->offset;
			rc = 0;
		}
		at += (off_t)size;
	}
	free(desc);
	return rc;
}

int kvm_counter_open(struct kvm_counter *counter, int fd, const char *name)
{
	struct kvm_stats_header header;
	int rc = -EIO;

	*counter = (struct kvm_counter){ .fd = calls->ioctl(fd, KVM_GET_STATS_FD,
							    NULL) };
	if (counter->fd < 0)
		return counter->fd;
	if (pread(counter->fd, &header, sizeof(header), 0) == sizeof(header) &&
	    header.name_size <= NAME_MAX_SIZE &&
	    header.num_desc <= COUNTERS_MAX)
		rc = find(counter, &header, name);
	if (rc)
		kvm_counter_close(counter);
	return rc;
}

void kvm_counter_close(struct kvm_counter *counter)
{
	if (counter->fd >= 0)
		calls->close(counter->fd);
	counter->fd = -1;
}

uint64_t kvm_counter_read(const struct kvm_counter *counter)
{
	uint64_t value = 0;

	if (counter->fd < 0 ||
	    pread(counter->fd, &value, sizeof(value), (off_t)counter->offset) !=
	    sizeof(value))
		return 0;
	return value;
}
