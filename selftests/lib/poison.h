/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory errors that the kernel is made to believe in. Functions return 0 or a
 * negative errno and check nothing.
 */
#ifndef POISON_H
#define POISON_H

#include <stdint.h>

#ifndef BUS_MCEERR_AR
#define BUS_MCEERR_AR 4
#endif

/* The signal that came with the last poison_mapped(), if any. */
struct poison_signal {
	int signals;
	int code;
	void *addr;
};

/* NULL, or why the kernel cannot be told of an error of mapped memory. */
const char *poison_unavailable(void);
/* NULL, or why it cannot be told of one by frame number. */
const char *poison_pfn_unavailable(void);

/* NULL, or why the kernel cannot be asked to stop using a frame. */
const char *poison_soft_unavailable(void);

/* Of the page that is mapped at @p. */
int poison_mapped(void *p, struct poison_signal *signal);
/* Of a frame; -EBUSY may say that the page stays where it is, poisoned. */
int poison_pfn(uint64_t pfn);
/* A frame that fails soon: the kernel moves or drops what is in it, or refuses. */
int poison_soft(uint64_t pfn);
/* The frame is as good as new. For one that nobody uses any more. */
int poison_undo(uint64_t pfn);

#endif /* POISON_H */
