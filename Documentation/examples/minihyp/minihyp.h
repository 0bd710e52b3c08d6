/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MINIHYP_H
#define MINIHYP_H

#include <linux/ioctl.h>

/*
 * ioctls of /dev/minihyp, each open file of which is a guest. The argument is a
 * guest address; of STORE it has the byte in bits 32 to 39.
 */
enum {
	MINIHYP_FD = _IO('G', 0x80),	/* the guest's memory: a gmem fd */
	MINIHYP_LOAD,			/* the guest loads a byte: the result */
	MINIHYP_STORE,			/* the guest stores one */
	MINIHYP_SHARE,			/* the guest asks for the page to be shared */
	MINIHYP_UNSHARE,		/* and for it to be private again */
};

#define MINIHYP_PAGES 16

#ifdef __KERNEL__
#include <linux/gmem.h>
#include <linux/mutex.h>

struct guest {
	struct gmem_binding *binding;
	struct mutex lock;	/* of the table; methods take it */
	struct page *table[MINIHYP_PAGES];	/* the second-stage page table */
};

/* hypervisor.c */
int guest_create(struct guest *guest, struct file *file);
void guest_destroy(struct guest *guest);
long guest_access(struct guest *guest, u32 gpa, u8 byte, bool store);
int guest_convert(struct guest *guest, u32 gpa, enum gmem_state target);
#endif

#endif /* MINIHYP_H */
