/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A DMA target: an IOMMU, or another process, that has to know every mapping of
 * the guest's memory, at its guest physical address.
 */
#ifndef GMEMCTL_MEMORY_DMA_H
#define GMEMCTL_MEMORY_DMA_H

#include <stdbool.h>
#include <stdint.h>

#include "range.h"

/**
 * struct dma_mapping - one mapping, as a target sees it
 * @range: guest physical addresses
 * @host: where this process has it
 * @fd: the file behind it, or -1
 * @fd_offset: offset in @fd
 * @writable: whether devices may write
 * @device: memory of a device, not RAM: a target may refuse it and no harm done
 */
struct dma_mapping {
	struct range range;
	uint8_t *host;
	int fd;
	uint64_t fd_offset;
	bool writable;
	bool device;
};

/**
 * struct dma_ops - what a target does
 * @map: make @mapping known
 * @unmap: forget a range, which may cover several mappings and gaps, but never
 *	a part of one
 */
struct dma_ops {
	int (*map)(void *data, const struct dma_mapping *mapping);
	int (*unmap)(void *data, struct range range);
};

/**
 * struct dma_target - a target
 * @needs_fd: it cannot use memory by address alone
 */
struct dma_target {
	const struct dma_ops *ops;
	void *data;
	bool needs_fd;
};

/** dma_map() - make a mapping known; a device's may fail without harm */
static inline int dma_map(const struct dma_target *target,
			  const struct dma_mapping *mapping)
{
	int rc = target->ops->map(target->data, mapping);

	return mapping->device ? 0 : rc;
}

static inline int dma_unmap(const struct dma_target *target, struct range range)
{
	return target->ops->unmap(target->data, range);
}

#endif /* GMEMCTL_MEMORY_DMA_H */
