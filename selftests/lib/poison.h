/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Injected memory errors. Functions return 0 or a negative errno, and check nothing.
 */
#ifndef POISON_H
#define POISON_H

#include <stdint.h>

#ifndef BUS_MCEERR_AR
#define BUS_MCEERR_AR 4
#endif

/* The signal that the last poison_mapped() has caused, if any. */
struct poison_signal {
	int signals;
	int code;
	void *addr;
};

/* Return: NULL, or why errors of mapped memory cannot be injected. */
const char *poison_unavailable(void);
/* Return: NULL, or why errors cannot be injected by frame number. */
const char *poison_pfn_unavailable(void);

/* Return: NULL, or why frames cannot be taken out of use. */
const char *poison_soft_unavailable(void);

/* Inject an error into the page that is mapped at @p. */
int poison_mapped(void *p, struct poison_signal *signal);
/*
 * Inject an error into a frame. -EBUSY can mean that the poisoned page stays in its file.
 */
int poison_pfn(uint64_t pfn);
/*
 * Take a frame out of use, as one that will fail soon. The kernel moves or drops its
 * contents, or refuses.
 */
int poison_soft(uint64_t pfn);
/* Remove the poison of a frame that has no user any more. */
int poison_undo(uint64_t pfn);

#endif /* POISON_H */
