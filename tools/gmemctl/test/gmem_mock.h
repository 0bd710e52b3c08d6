/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gmem, bound to the guest_memfd of a simulated SNP guest: it follows the rules
 * of the module for a store whose contents are encrypted, and watches over the
 * RMP: no page is freed or given back to the host while the guest may use it.
 */
#ifndef GMEMCTL_TEST_GMEM_MOCK_H
#define GMEMCTL_TEST_GMEM_MOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/sim.h"

/**
 * struct gmem_mock - the gmem fd, of which there is one
 * @vm: set it once the VM is there
 * @held: page of the fd that the host holds: converting it is EAGAIN; -1: none
 * @to_private, @to_shared: conversions done
 * @violations: what would have been an RMP fault, or memory twice
 */
struct gmem_mock {
	struct sim *sim;
	int vm;
	int64_t held;
	unsigned int to_private, to_shared;
	unsigned int violations;
};

extern struct gmem_mock gmem_mock;

/** gmem_mock_start() - put it in front of the calls in use */
void gmem_mock_start(struct sim *sim);
void gmem_mock_stop(void);

/**
 * gmem_mock_twice() - pages that both sides have memory for
 *
 * This is what memory doubling is.
 */
unsigned int gmem_mock_twice(void);

/** gmem_mock_is_private() - what gmem says about the page at an offset */
bool gmem_mock_is_private(uint64_t offset);

#endif /* GMEMCTL_TEST_GMEM_MOCK_H */
