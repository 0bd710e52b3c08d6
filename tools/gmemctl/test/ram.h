/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of a guest, on the KVM and gmem of kvm_fake.h. */
#ifndef GMEMCTL_TEST_RAM_H
#define GMEMCTL_TEST_RAM_H

#include "../memory/guest_memory.h"
#include "kvm_fake.h"

/**
 * struct ram - what is asked for, which a test may change before it is created, and
 *	what there is
 * @error: of the last function below that has failed
 * @why: of the last conversion
 */
struct ram {
	struct range ranges[3];
	struct memory_request requests[2];
	struct memory_config config;
	struct guest_memory memory;
	struct error error;
	char why[128];
};

extern struct ram ram;

/** ram_start() - ask a new kernel for a request of 16 pages at 0, and 16 at page 64 */
void ram_start(enum backing_kind kind);

/** ram_start_two() - for 16 pages at page 64 and 8 at 0; and of @second, 8 at 32 */
void ram_start_two(enum backing_kind first, enum backing_kind second);

/** ram_create() - what guest_memory_create() says, likewise ram_attach() */
int ram_create(void);
int ram_attach(void);

/** ram_build() - both, which have to succeed; the kernel's log is empty then */
void ram_build(void);

/** ram_stop() - free it, and give the system its calls back */
void ram_stop(void);

/** ram_at() - where the host has a page */
uint8_t *ram_at(uint64_t page);

/** ram_reads() - whether all bytes of these pages are @value */
bool ram_reads(uint64_t first, uint64_t end, uint8_t value);

/** ram_resident() - how many of the pages are in memory */
unsigned int ram_resident(uint64_t first, uint64_t end);

/** ram_smaps() - what /proc/self/smaps says of a page: protection, space, flags */
const char *ram_smaps(uint64_t page);

/** ram_convert() - convert pages */
int ram_convert(uint64_t first, uint64_t end, bool to_private);

/** ram_open_fds() - how many files this process has open */
unsigned int ram_open_fds(void);

#endif /* GMEMCTL_TEST_RAM_H */
