/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's regions in a real reservation, with a partition and a DMA target
 * that write down what they are told.
 */
#ifndef GMEMCTL_TEST_REGION_FAKE_H
#define GMEMCTL_TEST_REGION_FAKE_H

#include "../memory/region.h"

#define FAKE_SIZE UINT64_C(0x40000)

/**
 * struct region_fake - regions under test
 * @log: what partition and target were told: m and u for the partition's map
 *	and unmap, f for prefetch, d and e for the target's map and unmap, each with
 *	start-end in hex pages; r after what is read-only
 * @fail: call, by its letter, that fails with @rc, once, after @pass of them
 */
struct region_fake {
	struct reservation reservation;
	struct region_set set;
	struct partition partition;
	struct dma_target target;
	int memfd;
	char log[256];
	char fail;
	unsigned int pass;
	int rc;
};

extern struct region_fake fake;

/** fake_start() - without partition and target; fake_stop() frees all */
void fake_start(void);
void fake_stop(void);

/** fake_attach() - register the partition and the target */
void fake_attach(void);

/** fake_said() - whether the log is @expected; it is empty afterwards */
bool fake_said(const char *expected);

/** fake_region() - add a region of whole pages. Return: it, or NULL. */
struct region *fake_region(const char *name, uint64_t start, uint64_t end);

/** fake_memory() - put the memfd, or anonymous memory, behind a region */
int fake_memory(struct region *region, uint64_t start, uint64_t end, int fd);

int fake_map(struct region *region, bool writable);

extern const struct partition_ops fake_partition_ops;

#endif /* GMEMCTL_TEST_REGION_FAKE_H */
