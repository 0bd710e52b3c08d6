/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _GMEM_KVM_INTERNAL_H
#define _GMEM_KVM_INTERNAL_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/tracepoint.h>

#include "../compat.h"
#include "../include/linux/gmem.h"

/**
 * struct gmem_kvm_range - a bound range of a KVM guest_memfd
 * @file: the guest_memfd; holds its VM
 * @start: first page
 * @end: page after the range
 * @node: in the list of all bound ranges
 */
struct gmem_kvm_range {
	struct file *file;
	pgoff_t start;
	pgoff_t end;
	struct list_head node;
};

/* file.c */
int gmem_kvm_bind(struct gmem_binding *binding, int store_fd);
void gmem_kvm_unbind(struct gmem_binding *binding);
void gmem_kvm_release(struct gmem_binding *binding);

/* vcpu.c. The tracepoint is KVM's; its header is not available to modules. */
struct kvm_vcpu;
extern struct tracepoint __tracepoint_kvm_page_fault;

int gmem_kvm_vcpu_init(void);
void gmem_kvm_vcpu_exit(void);
int gmem_kvm_vcpu_fault(struct gmem_ioctl_view_fault *fault);
void gmem_kvm_vcpus_gone(void);

/* shift.c */
pgoff_t gmem_kvm_shift(struct address_space *from, pgoff_t start, pgoff_t end,
		       struct address_space *to, pgoff_t to_start, bool to_kvm,
		       unsigned long *shifted);

/* move.c */
int gmem_kvm_check(struct gmem_binding *binding, pgoff_t start, pgoff_t end,
		   const struct gmem_conversion *conv, pgoff_t *error_index);
int gmem_kvm_make_private(struct gmem_binding *binding, pgoff_t start,
			  pgoff_t end, enum gmem_content content,
			  pgoff_t *done);
void gmem_kvm_undo_private(struct gmem_binding *binding, pgoff_t start,
			   pgoff_t end);
int gmem_kvm_make_shared(struct gmem_binding *binding, pgoff_t start,
			 pgoff_t end, enum gmem_content content, pgoff_t *done);
void gmem_kvm_undo_shared(struct gmem_binding *binding, pgoff_t start,
			  pgoff_t end);
void gmem_kvm_forget(struct gmem_binding *binding);
int gmem_kvm_discard(struct gmem_binding *binding, pgoff_t start, pgoff_t end);
int gmem_kvm_commit(struct gmem_binding *binding, pgoff_t start, pgoff_t end);
unsigned long gmem_kvm_count(struct gmem_binding *binding, pgoff_t start,
			     pgoff_t end);

#endif /* _GMEM_KVM_INTERNAL_H */
