/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Views, and the states of pages, in front of kvm_fake: one gmem fd, one view of it.
 * A mapping of the view is ordinary inaccessible memory.
 */
#ifndef GMEMCTL_TEST_VIEW_FAKE_H
#define GMEMCTL_TEST_VIEW_FAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/gmem.h>

#define VIEW_FAKE_PAGES 4096

/**
 * struct view_fake - what the module would know
 * @view_rc: what GMEM_IOCTL_VIEW answers, and @populate_rc and @fault_rc the others;
 *	0: as they should
 * @fault: out of GMEM_IOCTL_VIEW_FAULT
 * @present: by page of the fd: it is in the view
 * @memory: by page of the fd: it has memory
 * @private: by page of the fd
 * @base: where the view is mapped, or NULL
 * @start, @length: of the last populate, in pages of the mapping
 * @flags: of it
 * @populates: how many there were
 */
struct view_fake {
	int view_rc, populate_rc, fault_rc;
	struct gmem_ioctl_view_fault fault;
	uint8_t present[VIEW_FAKE_PAGES];
	uint8_t memory[VIEW_FAKE_PAGES];
	uint8_t private[VIEW_FAKE_PAGES];
	uint8_t *base;
	uint64_t start, length;
	uint32_t flags;
	unsigned int populates;
};

extern struct view_fake view_fake;

/** view_fake_start() - ask for gmem (see ram.h): 1024 pages at 0, and 64 at 2048 after them */
void view_fake_start(void);

/** view_fake_slot() - where the slot at @gpa points to: page of the view, or -1 */
int64_t view_fake_slot(uint64_t gpa);

/** view_fake_private() - whether just these pages of the fd are private */
bool view_fake_private(uint64_t start, uint64_t end);

#endif /* GMEMCTL_TEST_VIEW_FAKE_H */
